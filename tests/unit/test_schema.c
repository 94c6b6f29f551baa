/*
 * Schemas against the rules that AWS documents, each with the smallest schema that breaks
 * it; inference against columns whose type is plain to see.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/schema.h"
#include "data/schema_rules.h"
#include "unit.h"

/* A schema text around its fields. */
static char *
wrap(const char *name, const char *fields)
{
    char *text = NULL;
    ck_assert(asprintf(&text,
                       "{\"type\":\"record\",\"name\":\"%s\",\"namespace\":"
                       "\"com.amazonaws.personalize.schema\",\"fields\":[%s],"
                       "\"version\":\"1.0\"}",
                       name, fields) > 0);
    return text;
}

static const char *const record_name[] = {"Interactions", "Items", "Users", "Actions",
                                          "ActionInteractions"};

static int
parse(struct pz_schema *s, enum pz_set set, enum pz_domain domain, const char *fields,
      struct pz_err *err)
{
    char *text = wrap(record_name[set], fields);
    int status = pz_schema_parse(s, set, domain, text, strlen(text), err);
    free(text);
    return status;
}

#define F(name, type) "{\"name\":\"" name "\",\"type\":\"" type "\"}"
#define N(name, type) "{\"name\":\"" name "\",\"type\":[\"null\",\"" type "\"]}"
#define C(name)       "{\"name\":\"" name "\",\"type\":\"string\",\"categorical\":true}"
#define X(name)       "{\"name\":\"" name "\",\"type\":\"string\",\"textual\":true}"
#define NX(name)      "{\"name\":\"" name "\",\"type\":[\"null\",\"string\"],\"textual\":true}"
#define NC(name)                                                                         \
    "{\"name\":\"" name "\",\"type\":[\"null\",\"string\"],\"categorical\":true}"
#define UIT  F("USER_ID", "string") "," F("ITEM_ID", "string") "," F("TIMESTAMP", "long")
#define UITE UIT "," F("EVENT_TYPE", "string")
#define ITEM F("ITEM_ID", "string")
#define USER F("USER_ID", "string")

/* ---- accepted ---- */

static const struct {
    enum pz_set set;
    enum pz_domain domain, is;
    const char *fields;
} good[] = {
    {PZ_INTERACTIONS, PZ_CUSTOM, PZ_CUSTOM, UIT},
    {PZ_INTERACTIONS, PZ_CUSTOM, PZ_CUSTOM, UITE "," N("EVENT_VALUE", "float")},
    {PZ_INTERACTIONS, PZ_CUSTOM, PZ_CUSTOM, UIT "," N("EVENT_TYPE", "string")},
    {PZ_INTERACTIONS, PZ_CUSTOM, PZ_CUSTOM,
     F("user_id", "string") "," F("item_id", "string") "," F("timestamp", "long")},
    {PZ_INTERACTIONS, PZ_CUSTOM, PZ_CUSTOM,
     F("TIMESTAMP", "long") "," C("DEVICE") "," F("ITEM_ID", "string") "," F("USER_ID",
                                                                             "string")},
    {PZ_INTERACTIONS, PZ_CUSTOM, PZ_CUSTOM,
     UITE "," F("IMPRESSION", "string") "," N("RECOMMENDATION_ID", "string") "," N(
         "EVENT_ATTRIBUTION_SOURCE", "string")},
    {PZ_INTERACTIONS, PZ_ECOMMERCE, PZ_ECOMMERCE, UITE},
    {PZ_INTERACTIONS, PZ_VIDEO_ON_DEMAND, PZ_VIDEO_ON_DEMAND, UITE},
    {PZ_INTERACTIONS, PZ_CUSTOM, PZ_CUSTOM, UIT "," F("PAID", "boolean")},
    /* a shop of an AWS lab: strings that no flag makes metadata */
    {PZ_INTERACTIONS, PZ_CUSTOM, PZ_CUSTOM,
     F("INVOICENO", "string") "," F("ITEM_ID", "string") "," F(
         "QUANTITY", "string") "," F("TIMESTAMP",
                                     "long") "," F("USER_ID",
                                                   "string") "," F("EVENT_TYPE",
                                                                   "string")},
    {PZ_ITEMS, PZ_CUSTOM, PZ_CUSTOM, ITEM "," F("CREATION_TIMESTAMP", "long")},
    {PZ_ITEMS, PZ_CUSTOM, PZ_CUSTOM, ITEM "," N("CREATION_TIMESTAMP", "long")},
    {PZ_ITEMS, PZ_CUSTOM, PZ_CUSTOM, ITEM "," X("TEXT")},
    {PZ_ITEMS, PZ_CUSTOM, PZ_CUSTOM,
     ITEM ",{\"name\":\"T\",\"type\":\"string\",\"itemName\":true}," N("SIZE", "int")},
    {PZ_ITEMS, PZ_CUSTOM, PZ_ECOMMERCE,
     ITEM "," F("PRICE", "float") "," C("CATEGORY_L1")},
    {PZ_ITEMS, PZ_ECOMMERCE, PZ_ECOMMERCE,
     ITEM "," F("PRICE", "float") ",{\"name\":\"CATEGORY_L1\",\"type\":[\"string\"],"
                                  "\"categorical\":true}"},
    {PZ_ITEMS, PZ_ECOMMERCE, PZ_ECOMMERCE,
     ITEM
     "," F("PRICE", "float") "," C("CATEGORY_L1") "," F("CREATION_TIMESTAMP", "float")},
    {PZ_ITEMS, PZ_VIDEO_ON_DEMAND, PZ_VIDEO_ON_DEMAND,
     ITEM "," C("GENRES_L1") "," F("CREATION_TIMESTAMP", "long")},
    {PZ_ITEMS, PZ_CUSTOM, PZ_VIDEO_ON_DEMAND,
     ITEM "," C("GENRES") "," F("CREATION_TIMESTAMP", "long")},
    {PZ_ITEMS, PZ_CUSTOM, PZ_ECOMMERCE,
     ITEM
     "," F("PRICE", "float") "," C("CATEGORY_L1") "," F("CREATION_TIMESTAMP", "float")},
    /* names of the domains are free in custom groups */
    {PZ_ITEMS, PZ_CUSTOM, PZ_CUSTOM,
     ITEM "," F("PRICE", "double") "," F("GENRES", "string")},
    {PZ_USERS, PZ_CUSTOM, PZ_CUSTOM, USER "," F("AGE", "int")},
    {PZ_USERS, PZ_ECOMMERCE, PZ_ECOMMERCE, USER "," C("MEMBERSHIP_STATUS")},
    {PZ_USERS, PZ_VIDEO_ON_DEMAND, PZ_VIDEO_ON_DEMAND, USER "," C("SUBSCRIPTION_MODEL")},
    {PZ_ACTIONS, PZ_CUSTOM, PZ_CUSTOM,
     F("ACTION_ID", "string") "," N("VALUE", "long") "," N("ACTION_EXPIRATION_TIMESTAMP",
                                                           "long")},
    {PZ_ACTION_INTERACTIONS, PZ_CUSTOM, PZ_CUSTOM,
     F("USER_ID", "string") "," F("ACTION_ID", "string") "," F(
         "EVENT_TYPE", "string") "," F("TIMESTAMP", "long")},
    /* keys that Avro knows or that someone invented */
    {PZ_USERS, PZ_CUSTOM, PZ_CUSTOM,
     USER
     ",{\"name\":\"AGE\",\"type\":[\"int\",\"null\"],\"doc\":\"years\",\"default\":null,"
     "\"optional\":true,\"categorical\":false}"},
};

START_TEST(test_good)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_schema s, again;
    struct pz_buf one = PZ_BUF_INIT, two = PZ_BUF_INIT;
    ck_ok(parse(&s, good[_i].set, good[_i].domain, good[_i].fields, &err), err);
    ck_assert_int_eq(s.set, good[_i].set);
    ck_assert_int_eq(s.domain, good[_i].is);
    /* Its text is a schema of the same meaning, and stays as it is. */
    pz_schema_text(&s, &one);
    ck_ok(pz_schema_parse(&again, s.set, good[_i].domain, one.data, one.len, &err), err);
    pz_schema_text(&again, &two);
    ck_assert_str_eq(one.data, two.data);
    ck_ok(pz_schema_replaces(&s, &again, &err), err);
    ck_assert_mem_eq(s.at, again.at, sizeof s.at);
    pz_schema_release(&s);
    pz_schema_release(&again);
    pz_buf_release(&one);
    pz_buf_release(&two);
}
END_TEST

/* ---- refused, with the parts that the message must have ---- */

static const struct {
    enum pz_set set;
    enum pz_domain domain;
    const char *fields, *what, *right;
} bad[] = {
    {PZ_INTERACTIONS, PZ_CUSTOM, "", "\"fields\" must be a list", "NAME"},
    {PZ_INTERACTIONS, PZ_CUSTOM, F("USER_ID", "string") "," F("ITEM_ID", "string"),
     "interactions need the field 'TIMESTAMP'", "(long)"},
    {PZ_INTERACTIONS, PZ_CUSTOM, UIT "," F("A", "datetime"),
     "field 'A': unknown type 'datetime'", "string, int, long, float, double, boolean"},
    {PZ_INTERACTIONS, PZ_CUSTOM, UIT ",{\"name\":\"A\"}", "field 'A' has no \"type\"",
     "string"},
    {PZ_INTERACTIONS, PZ_CUSTOM, UIT ",{\"type\":\"int\"}", "field 4", "no name"},
    {PZ_INTERACTIONS, PZ_CUSTOM, UIT ",7", "field 4", "no name"},
    {PZ_INTERACTIONS, PZ_CUSTOM, UIT "," F("A", "null"), "\"null\" alone",
     "[\"null\", \"string\"]"},
    {PZ_INTERACTIONS, PZ_CUSTOM, UIT ",{\"name\":\"A\",\"type\":[\"null\"]}",
     "names none", "string"},
    {PZ_INTERACTIONS, PZ_CUSTOM, UIT ",{\"name\":\"A\",\"type\":[]}", "names none",
     "string"},
    {PZ_INTERACTIONS, PZ_CUSTOM, UIT ",{\"name\":\"A\",\"type\":[\"int\",\"long\"]}",
     "one type and perhaps \"null\"", "field 'A'"},
    {PZ_INTERACTIONS, PZ_CUSTOM,
     UIT ",{\"name\":\"A\",\"type\":[\"null\",\"int\",\"null\"]}",
     "one type and perhaps \"null\"", "field 'A'"},
    {PZ_INTERACTIONS, PZ_CUSTOM, UIT ",{\"name\":\"A\",\"type\":[\"null\",\"text\"]}",
     "unknown type 'text'", "field 'A'"},
    {PZ_INTERACTIONS, PZ_CUSTOM, UIT ",{\"name\":\"A\",\"type\":{\"type\":\"array\"}}",
     "\"type\" must be one of", "\"null\""},
    {PZ_INTERACTIONS, PZ_CUSTOM,
     UIT ",{\"name\":\"A\",\"type\":\"string\",\"categorical\":\"true\"}",
     "\"categorical\" must be true or false", "without quotes"},
    {PZ_INTERACTIONS, PZ_CUSTOM,
     UIT ",{\"name\":\"A\",\"type\":\"string\",\"catagorical\":true}",
     "unknown key \"catagorical\"", "\"categorical\" would be right"},
    {PZ_ITEMS, PZ_CUSTOM,
     ITEM "," C("B") ",{\"name\":\"A\",\"type\":\"string\",\"itemname\":true}",
     "unknown key \"itemname\"", "\"itemName\" would be right"},
    /* names */
    {PZ_INTERACTIONS, PZ_CUSTOM, UIT "," F("unit price", "float"), "field 'unit price'",
     "letters"},
    {PZ_INTERACTIONS, PZ_CUSTOM, UIT "," F("1A", "float"), "field '1A'", "digit"},
    {PZ_INTERACTIONS, PZ_CUSTOM, UIT "," F("", "float"), "field 4", "empty name"},
    {PZ_INTERACTIONS, PZ_CUSTOM, UIT "," F("\xC3\x84", "float"), "field '\xC3\x84'",
     "letters"},
    {PZ_INTERACTIONS, PZ_CUSTOM, UIT "," F("A", "int") "," F("A", "int"),
     "'A' is given twice", ""},
    {PZ_INTERACTIONS, PZ_CUSTOM,
     UIT "," F("GENRES_FIELD_1", "int") "," F("GENRESFIELD1", "int"),
     "'GENRES_FIELD_1' and 'GENRESFIELD1'", "differ only by '_'"},
    {PZ_INTERACTIONS, PZ_CUSTOM, UIT "," F("userid", "int"), "'USER_ID' and 'userid'",
     "rename"},
    /* reserved fields */
    {PZ_INTERACTIONS, PZ_CUSTOM,
     F("USER_ID", "long") "," F("ITEM_ID", "string") "," F("TIMESTAMP", "long"),
     "field 'USER_ID' is reserved", "must be string"},
    {PZ_INTERACTIONS, PZ_CUSTOM,
     F("USER_ID", "string") "," F("ITEM_ID", "string") "," F("timestamp", "string"),
     "field 'timestamp' is reserved", "must be long, not string"},
    {PZ_INTERACTIONS, PZ_CUSTOM,
     F("USER_ID", "string") "," F("ITEM_ID", "string") "," N("TIMESTAMP", "long"),
     "field 'TIMESTAMP' is required", "\"type\": \"long\" would be right"},
    {PZ_INTERACTIONS, PZ_CUSTOM, UIT "," C("EVENT_TYPE"),
     "field 'EVENT_TYPE' is reserved", "without \"categorical\""},
    {PZ_INTERACTIONS, PZ_CUSTOM, UIT "," F("EVENT_VALUE", "double"), "'EVENT_VALUE'",
     "must be float, not double"},
    {PZ_INTERACTIONS, PZ_CUSTOM, UIT "," C("IMPRESSION"), "'IMPRESSION'",
     "must be string without"},
    {PZ_ITEMS, PZ_CUSTOM, ITEM "," F("CREATION_TIMESTAMP", "float"),
     "'CREATION_TIMESTAMP'", "must be long, not float"},
    {PZ_ACTIONS, PZ_CUSTOM, F("ACTION_ID", "string") "," F("VALUE", "float"), "'VALUE'",
     "long"},
    {PZ_ACTION_INTERACTIONS, PZ_CUSTOM,
     F("USER_ID", "string") "," F("ACTION_ID", "string") "," F("TIMESTAMP", "long"),
     "action-interactions need the field 'EVENT_TYPE'", "string"},
    /* flags */
    {PZ_INTERACTIONS, PZ_CUSTOM,
     UIT ",{\"name\":\"A\",\"type\":\"int\",\"categorical\":true}",
     "field 'A': \"categorical\" is for type string", "not for int"},
    {PZ_INTERACTIONS, PZ_CUSTOM, UIT "," X("A"),
     "field 'A': \"textual\" is for items only", ""},
    {PZ_USERS, PZ_CUSTOM,
     USER "," C("B") ",{\"name\":\"A\",\"type\":\"string\",\"itemName\":true}",
     "field 'A': \"itemName\" is for items only", ""},
    {PZ_ITEMS, PZ_CUSTOM, ITEM "," X("A") "," X("B"), "'A' and 'B' are both \"textual\"",
     ""},
    {PZ_ITEMS, PZ_CUSTOM,
     ITEM ",{\"name\":\"A\",\"type\":\"string\",\"textual\":true,\"categorical\":true}",
     "field 'A'", "exclude each other"},
    {PZ_ITEMS, PZ_CUSTOM,
     ITEM ",{\"name\":\"A\",\"type\":\"string\",\"textual\":true,\"itemName\":true},"
          "{\"name\":\"B\",\"type\":\"string\",\"itemName\":true}",
     "'A' and 'B' are both \"itemName\"", ""},
    /* metadata */
    {PZ_USERS, PZ_CUSTOM, USER, "users need at least one metadata field",
     "\"categorical\": true"},
    {PZ_USERS, PZ_CUSTOM, USER "," F("NAME", "string"), "users need at least one",
     "a number"},
    {PZ_ITEMS, PZ_CUSTOM, ITEM "," F("ADULT", "boolean"), "items need at least one",
     "textual"},
    {PZ_ACTIONS, PZ_CUSTOM, F("ACTION_ID", "string"), "actions need at least one", ""},
    /* domains */
    {PZ_INTERACTIONS, PZ_ECOMMERCE, UIT,
     "interactions in domain ECOMMERCE need the field "
     "'EVENT_TYPE'",
     "string"},
    {PZ_INTERACTIONS, PZ_VIDEO_ON_DEMAND, UIT "," N("EVENT_TYPE", "string"),
     "field 'EVENT_TYPE' is required", "\"type\": \"string\" would be right"},
    {PZ_ITEMS, PZ_ECOMMERCE, ITEM "," C("CATEGORY_L1"),
     "items in domain ECOMMERCE need the field "
     "'PRICE'",
     "(float)"},
    {PZ_ITEMS, PZ_ECOMMERCE, ITEM "," F("PRICE", "float") "," F("CATEGORY_L1", "string"),
     "field 'CATEGORY_L1' is reserved in domain ECOMMERCE", "\"categorical\": true"},
    {PZ_ITEMS, PZ_ECOMMERCE,
     ITEM
     "," F("PRICE", "float") "," C("CATEGORY_L1") "," F("PRODUCT_DESCRIPTION", "string"),
     "field 'PRODUCT_DESCRIPTION' is reserved", "\"textual\": true"},
    {PZ_ITEMS, PZ_VIDEO_ON_DEMAND, ITEM "," F("CREATION_TIMESTAMP", "long"),
     "items in domain VIDEO_ON_DEMAND need the field 'GENRES'", "\"categorical\": true"},
    {PZ_ITEMS, PZ_VIDEO_ON_DEMAND, ITEM "," C("GENRES") "," F("PRICE", "float"),
     "need the field 'CREATION_TIMESTAMP'", "(long)"},
    {PZ_USERS, PZ_VIDEO_ON_DEMAND, USER "," F("SUBSCRIPTION_MODEL", "string"),
     "'SUBSCRIPTION_MODEL' is reserved", "\"categorical\": true"},
};

START_TEST(test_bad)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_schema s;
    ck_assert_int_eq(parse(&s, bad[_i].set, bad[_i].domain, bad[_i].fields, &err),
                     PZ_DATA);
    ck_assert_msg(strstr(err.msg, bad[_i].what) && strstr(err.msg, bad[_i].right),
                  "case %d wants '%s' and '%s': %s", _i, bad[_i].what, bad[_i].right,
                  err.msg);
    ck_assert_ptr_null(s.field);
}
END_TEST

static const struct {
    const char *text, *what;
} bad_text[] = {
    {"", "line 1, column 1: the text is empty"},
    {"USER_ID,ITEM_ID\nu,i\n", "line 1, column 1: a value is expected"},
    {"{\n \"type\": \"record\",\n}", "line 3, column 1: a key"},
    {"{\"type\":\"record\",\"type\":\"record\"}", "the key 'type' is given twice"},
    {"[]", "a schema is a JSON object"},
    {"{}", "\"type\" is missing; \"type\": \"record\" would be right"},
    {"{\"type\":\"array\"}", "\"type\" is 'array'; \"type\": \"record\""},
    {"{\"type\":1}", "\"type\" is not a string"},
    {"{\"type\":\"record\"}", "\"name\" is missing; \"name\": \"Interactions\""},
    {"{\"type\":\"record\",\"name\":\"Users\"}",
     "this is a schema for 'Users', not for interactions"},
    {"{\"type\":\"record\",\"name\":\"Interactions\",\"version\":1.0}",
     "\"version\" is not a string"},
    {"{\"type\":\"record\",\"name\":\"Interactions\",\"version\":\"2.0\"}",
     "\"1.0\" would be right"},
    {"{\"type\":\"record\",\"name\":\"Interactions\",\"namespace\":\"x\"}",
     "\"namespace\" is 'x'; \"namespace\": \"com.amazonaws.personalize.schema\""},
    {"{\"type\":\"record\",\"name\":\"Interactions\"}", "\"fields\" must be a list"},
    {"{\"type\":\"record\",\"name\":\"Interactions\",\"fields\":{}}",
     "\"fields\" must be a list"},
};

START_TEST(test_bad_text)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_schema s;
    const char *text = bad_text[_i].text;
    ck_assert_int_eq(
        pz_schema_parse(&s, PZ_INTERACTIONS, PZ_CUSTOM, text, strlen(text), &err),
        PZ_DATA);
    ck_assert_msg(strstr(err.msg, bad_text[_i].what) != NULL, "%s: %s", text, err.msg);
}
END_TEST

START_TEST(test_domain_without_actions)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_schema s;
    ck_assert_int_eq(parse(&s, PZ_ACTIONS, PZ_ECOMMERCE,
                           F("ACTION_ID", "string") "," N("VALUE", "long"), &err),
                     PZ_USAGE);
    ck_assert_str_eq(err.msg,
                     "domain ECOMMERCE has no actions: its datasets are interactions, "
                     "items and users");
}
END_TEST

START_TEST(test_head)
{
    /* The record's name without case and '_'; no namespace or version; a BOM. */
    static const struct {
        enum pz_set set;
        const char *text;
    } heads[] = {
        {PZ_INTERACTIONS,
         "\xEF\xBB\xBF{\"type\":\"record\",\"name\":\"interactions\",\"fields\":[" UIT
         "]}"},
        {PZ_USERS, "{\"fields\":[" USER "," F("AGE", "int") "],\"name\":\"USERS\","
                                                            "\"type\":\"record\"}"},
        {PZ_ACTION_INTERACTIONS,
         "{\"type\":\"record\",\"name\":\"Action_Interactions\",\"fields\":[" F(
             "USER_ID", "string") "," F("ACTION_ID",
                                        "string") "," F("EVENT_TYPE",
                                                        "string") "," F("TIMESTAMP",
                                                                        "long") "]}"},
    };
    struct pz_err err = PZ_ERR_INIT;
    struct pz_schema s;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        ck_ok(pz_schema_parse(&s, heads[i].set, PZ_CUSTOM, heads[i].text,
                              strlen(heads[i].text), &err),
              err);
        pz_schema_release(&s);
    }
}
END_TEST

START_TEST(test_fields)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_schema s;
    struct pz_buf b = PZ_BUF_INIT;
    ck_ok(parse(&s, PZ_INTERACTIONS, PZ_CUSTOM,
                F("timestamp", "long") "," C("DEVICE") "," F("USER_ID", "string") "," F(
                    "ITEM_ID", "string") ",{\"name\":\"EVENT_VALUE\",\"type\":[\"float\","
                                         "\"null\"]}",
                &err),
          err);
    ck_assert_uint_eq(s.n_fields, 5);
    ck_assert_int_eq(s.at[PZ_ROLE_TIMESTAMP], 0);
    ck_assert_int_eq(s.at[PZ_ROLE_USER], 2);
    ck_assert_int_eq(s.at[PZ_ROLE_ITEM], 3);
    ck_assert_int_eq(s.at[PZ_ROLE_EVENT_VALUE], 4);
    ck_assert_int_eq(s.at[PZ_ROLE_EVENT_TYPE], -1);
    ck_assert_int_eq(s.field[1].role, PZ_ROLE_NONE);
    ck_assert(s.field[1].categorical && !s.field[1].nullable);
    ck_assert(s.field[4].nullable && s.field[4].type == PZ_FLOAT);
    ck_assert_int_eq(pz_schema_find(&s, "TIMESTAMPxx", 9), 0);
    ck_assert_int_eq(pz_schema_find(&s, "device", 6), 1);
    ck_assert_int_eq(pz_schema_find(&s, "DEVIC", 5), -1);
    ck_assert_int_eq(pz_schema_find(&s, "", 0), -1);
    pz_schema_text(&s, &b);
    ck_assert_str_eq(b.data,
                     "{\"type\":\"record\",\"name\":\"Interactions\",\"namespace\":"
                     "\"com.amazonaws.personalize.schema\",\"fields\":["
                     "{\"name\":\"timestamp\",\"type\":\"long\"},"
                     "{\"name\":\"DEVICE\",\"type\":\"string\",\"categorical\":true},"
                     "{\"name\":\"USER_ID\",\"type\":\"string\"},"
                     "{\"name\":\"ITEM_ID\",\"type\":\"string\"},"
                     "{\"name\":\"EVENT_VALUE\",\"type\":[\"null\",\"float\"]}],"
                     "\"version\":\"1.0\"}");
    pz_buf_release(&b);
    pz_schema_release(&s);
    pz_schema_release(&s);
}
END_TEST

START_TEST(test_long_names)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_schema s;
    char fields[1024], name[152];
    memset(name, 'A', sizeof name);
    for (int n = 150; n <= 151; n++) {
        snprintf(fields, sizeof fields, UIT ",{\"name\":\"%.*s\",\"type\":\"int\"}", n,
                 name);
        int status = parse(&s, PZ_INTERACTIONS, PZ_CUSTOM, fields, &err);
        ck_assert_int_eq(status, n == 150 ? PZ_OK : PZ_DATA);
        pz_schema_release(&s);
    }
    ck_assert_ptr_nonnull(strstr(err.msg, "151 characters, 150 at most"));
}
END_TEST

START_TEST(test_strict)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_schema s;
    struct pz_buf b = PZ_BUF_INIT;
    pz_buf_addz(&b, USER);
    for (int i = 0; i < 25; i++)
        pz_buf_addf(&b, "," F("M%d", "int"), i);
    ck_ok(parse(&s, PZ_USERS, PZ_CUSTOM, b.data, &err), err);
    ck_ok(pz_schema_strict(&s, b.data, b.len, &err), err);
    char *text = malloc(PZ_SCHEMA_MAX + 3);
    memset(text, ' ', PZ_SCHEMA_MAX + 3);
    ck_ok(pz_schema_strict(&s, text, PZ_SCHEMA_MAX, &err), err);
    ck_assert_int_eq(pz_schema_strict(&s, text, PZ_SCHEMA_MAX + 1, &err), PZ_DATA);
    memcpy(text, "\xE2\x82\xAC", 3); // one character of three bytes
    ck_ok(pz_schema_strict(&s, text, PZ_SCHEMA_MAX + 2, &err), err);
    free(text);
    pz_schema_release(&s);
    pz_buf_addz(&b, "," F("ONE_MORE", "int"));
    ck_ok(parse(&s, PZ_USERS, PZ_CUSTOM, b.data, &err), err);
    ck_assert_int_eq(pz_schema_strict(&s, b.data, b.len, &err), PZ_DATA);
    ck_assert_str_eq(err.msg,
                     "the schema has 26 metadata fields; AWS takes 25 at most for users");
    pz_schema_release(&s);
    pz_buf_release(&b);
}
END_TEST

/* ---- names of sets and domains ---- */

START_TEST(test_set_names)
{
    static const struct {
        const char *name;
        enum pz_set set;
    } names[] = {
        {"interactions", PZ_INTERACTIONS},
        {"Interactions", PZ_INTERACTIONS},
        {"ITEMS", PZ_ITEMS},
        {"Users", PZ_USERS},
        {"actions", PZ_ACTIONS},
        {"Action_Interactions", PZ_ACTION_INTERACTIONS},
        {"action-interactions", PZ_ACTION_INTERACTIONS},
        {"ActionInteractions", PZ_ACTION_INTERACTIONS},
    };
    struct pz_err err = PZ_ERR_INIT;
    enum pz_set set;
    enum pz_domain domain;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        ck_ok(pz_set_parse(&set, names[i].name, &err), err);
        ck_assert_int_eq(set, names[i].set);
    }
    for (int i = 0; i < PZ_N_SETS; i++) {
        ck_ok(pz_set_parse(&set, pz_set_name((enum pz_set)i), &err), err);
        ck_assert_int_eq(set, i);
    }
    ck_assert_int_eq(pz_set_parse(&set, "item", &err), PZ_USAGE);
    ck_assert_int_eq(pz_set_parse(&set, "itemsx", &err), PZ_USAGE);
    ck_assert_int_eq(pz_set_parse(&set, "", &err), PZ_USAGE);
    ck_assert_str_eq(err.msg,
                     "unknown dataset type ''; types are interactions, items, users, "
                     "actions, action-interactions");
    ck_ok(pz_domain_parse(&domain, "video-on-demand", &err), err);
    ck_assert_int_eq(domain, PZ_VIDEO_ON_DEMAND);
    ck_ok(pz_domain_parse(&domain, "ecommerce", &err), err);
    ck_assert_int_eq(domain, PZ_ECOMMERCE);
    ck_assert_int_eq(pz_domain_parse(&domain, "shop", &err), PZ_USAGE);
}
END_TEST

/* ---- the files in schemas/ ---- */

static const struct {
    const char *file;
    enum pz_set set;
    enum pz_domain domain;
} files[] = {
    {"interactions", PZ_INTERACTIONS, PZ_CUSTOM},
    {"interactions-events", PZ_INTERACTIONS, PZ_CUSTOM},
    {"interactions-full", PZ_INTERACTIONS, PZ_CUSTOM},
    {"items", PZ_ITEMS, PZ_CUSTOM},
    {"items-text", PZ_ITEMS, PZ_CUSTOM},
    {"users", PZ_USERS, PZ_CUSTOM},
    {"actions", PZ_ACTIONS, PZ_CUSTOM},
    {"action-interactions", PZ_ACTION_INTERACTIONS, PZ_CUSTOM},
    {"ecommerce-interactions", PZ_INTERACTIONS, PZ_ECOMMERCE},
    {"ecommerce-interactions-full", PZ_INTERACTIONS, PZ_ECOMMERCE},
    {"ecommerce-items", PZ_ITEMS, PZ_ECOMMERCE},
    {"ecommerce-items-full", PZ_ITEMS, PZ_ECOMMERCE},
    {"ecommerce-users", PZ_USERS, PZ_ECOMMERCE},
    {"video-on-demand-interactions", PZ_INTERACTIONS, PZ_VIDEO_ON_DEMAND},
    {"video-on-demand-interactions-full", PZ_INTERACTIONS, PZ_VIDEO_ON_DEMAND},
    {"video-on-demand-items", PZ_ITEMS, PZ_VIDEO_ON_DEMAND},
    {"video-on-demand-items-full", PZ_ITEMS, PZ_VIDEO_ON_DEMAND},
    {"video-on-demand-users", PZ_USERS, PZ_VIDEO_ON_DEMAND},
};

static size_t
read_all(const char *path, char *text, size_t size)
{
    FILE *in = fopen(path, "rb");
    ck_assert_msg(in != NULL, "%s: run this from the top of the source", path);
    size_t n = fread(text, 1, size - 1, in);
    text[n] = 0;
    fclose(in);
    return n;
}

START_TEST(test_files)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_schema s;
    char path[128], text[8192];
    snprintf(path, sizeof path, "schemas/%s.json", files[_i].file);
    size_t n = read_all(path, text, sizeof text);
    ck_ok(pz_schema_parse(&s, files[_i].set, PZ_CUSTOM, text, n, &err), err);
    pz_schema_release(&s);
    ck_ok(pz_schema_parse(&s, files[_i].set, files[_i].domain, text, n, &err), err);
    if (files[_i].domain != PZ_CUSTOM)
        ck_assert_int_eq(s.domain, files[_i].domain);
    ck_ok(pz_schema_strict(&s, text, n, &err), err);
    pz_schema_release(&s);
}
END_TEST

START_TEST(test_manual)
{
    /* The manual page has every reserved name. */
    static char text[65536];
    size_t n_rules;
    const struct pz_rule *rule = pz_rules(&n_rules);
    read_all("man/pz-schema.5", text, sizeof text);
    for (size_t i = 0; i < n_rules; i++)
        ck_assert_msg(strstr(text, rule[i].name) != NULL, "%s", rule[i].name);
}
END_TEST

/* ---- replacement ---- */

START_TEST(test_replaces)
{
    static const struct {
        enum pz_set set;
        const char *old, *next, *what; // what: NULL when it may
    } cases[] = {
        {PZ_USERS, USER "," F("AGE", "int"), USER "," F("AGE", "int"), NULL},
        {PZ_USERS, USER "," F("AGE", "int"),
         N("X", "string") "," F("AGE", "int") "," USER, NULL},
        {PZ_USERS, USER "," F("AGE", "int"), USER "," N("X", "int"),
         "'AGE' of the dataset's"},
        {PZ_USERS, USER "," F("AGE", "int"), USER "," F("AGE", "long"),
         "'AGE' is int in the dataset's schema and cannot become long"},
        {PZ_USERS, USER "," F("AGE", "int"), USER "," N("AGE", "int"),
         "cannot become nullable int"},
        {PZ_USERS, USER "," C("SEX"), USER "," F("SEX", "string") "," N("A", "int"),
         "'SEX' is categorical string in the dataset's schema and cannot become string"},
        {PZ_USERS, USER "," F("AGE", "int"), USER "," F("AGE", "int") "," F("X", "float"),
         "'X' is new, so it must allow null: \"type\": [\"null\", \"float\"] would be "
         "right"},
        {PZ_INTERACTIONS, UIT, UIT, NULL},
        {PZ_INTERACTIONS, UIT, UIT "," N("X", "float"),
         "only items and users can get new fields"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pz_err err = PZ_ERR_INIT;
        struct pz_schema old, next;
        ck_ok(parse(&old, cases[i].set, PZ_CUSTOM, cases[i].old, &err), err);
        ck_ok(parse(&next, cases[i].set, PZ_CUSTOM, cases[i].next, &err), err);
        int status = pz_schema_replaces(&old, &next, &err);
        ck_assert_int_eq(status, cases[i].what ? PZ_DATA : PZ_OK);
        if (cases[i].what)
            ck_assert_msg(strstr(err.msg, cases[i].what) != NULL, "%s", err.msg);
        pz_schema_release(&old);
        pz_schema_release(&next);
    }
    struct pz_err err = PZ_ERR_INIT;
    struct pz_schema old, next;
    ck_ok(parse(&old, PZ_USERS, PZ_CUSTOM, USER "," F("AGE", "int"), &err), err);
    ck_ok(parse(&next, PZ_ITEMS, PZ_CUSTOM, ITEM "," F("AGE", "int"), &err), err);
    ck_assert_int_eq(pz_schema_replaces(&old, &next, &err), PZ_DATA);
    pz_schema_release(&old);
    pz_schema_release(&next);
}
END_TEST

/* ---- inference ---- */

#define ROWS(a) a, sizeof a / sizeof *a

static void
check_inferred(enum pz_set set, const char *const *name, size_t n_names,
               const char *const *cell, size_t n_cells, const char *fields)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_schema s, again;
    struct pz_buf b = PZ_BUF_INIT;
    ck_ok(pz_schema_infer(&s, set, name, n_names, cell, n_cells / n_names, &err), err);
    pz_schema_text(&s, &b);
    char *want = wrap(record_name[set], fields);
    ck_assert_str_eq(b.data, want);
    free(want);
    ck_ok(pz_schema_parse(&again, set, PZ_CUSTOM, b.data, b.len, &err), err);
    pz_schema_release(&again);
    pz_schema_release(&s);
    pz_buf_release(&b);
}

START_TEST(test_infer_interactions)
{
    static const char *const name[] = {
        "user_id", "ITEM_ID", "TIMESTAMP", "EVENT_TYPE", "EVENT_VALUE", "QTY",
        "RATE",    "ZIP",     "DEVICE",    "NOTE",       "PLUS",        "HUGE"};
    static const char *const cell[] = {
        "1",    "10",    "1500000000", "buy", "1",  "3",
        "3",    "01234", "a|b",        NULL,  "1",  "9223372036854775808",
        "2",    "20",    "1500000001", NULL,  NULL, "-4",
        "-0.5", "56789", "b|c",        "",    "+1", "1",
    };
    // clang-format off
    check_inferred(PZ_INTERACTIONS, ROWS(name), ROWS(cell),
                   F("user_id", "string") "," F("ITEM_ID", "string") ","
                   F("TIMESTAMP", "long") "," N("EVENT_TYPE", "string") ","
                   N("EVENT_VALUE", "float") "," N("QTY", "long") "," N("RATE", "double") ","
                   NC("ZIP") "," NC("DEVICE") "," NC("NOTE") "," NC("PLUS") "," NC("HUGE"));
    // clang-format on
}
END_TEST

START_TEST(test_infer_no_rows)
{
    static const char *const name[] = {"USER_ID", "ITEM_ID", "TIMESTAMP"};
    check_inferred(PZ_INTERACTIONS, ROWS(name), NULL, 0, UIT);
}
END_TEST

START_TEST(test_infer_many_values)
{
    /* 1,000 distinct values are categories, 1,001 are not; parts of "a|b" count each. */
    static const char *const name[] = {"USER_ID", "CITY", "TAGS", "N"};
    enum { ROWS_MAX = 1001 };
    static char text[ROWS_MAX][2][24];
    static const char *cell[ROWS_MAX * 4];
    for (int n = 1000; n <= ROWS_MAX; n++) {
        for (int r = 0; r < n; r++) {
            snprintf(text[r][0], sizeof text[r][0], "city %d", r);
            snprintf(text[r][1], sizeof text[r][1], "t%d|t%d", r % 40, r % 37);
            cell[4 * r] = cell[4 * r + 3] = "1";
            cell[4 * r + 1] = text[r][0];
            cell[4 * r + 2] = text[r][1];
        }
        check_inferred(PZ_USERS, ROWS(name), cell, (size_t)n * 4,
                       n == 1000 ? USER "," NC("CITY") "," NC("TAGS") "," N("N", "long")
                                 : USER
                           "," N("CITY", "string") "," NC("TAGS") "," N("N", "long"));
    }
}
END_TEST

START_TEST(test_infer_metadata)
{
    /* Where nothing is metadata by itself, something becomes it. */
    static const char *const name[] = {"ITEM_ID", "TITLE", "TEXT"};
    static char text[1001][2][80];
    static const char *cell[1001 * 3];
    for (int r = 0; r < 1001; r++) {
        snprintf(text[r][0], sizeof text[r][0], "title %d", r);
        snprintf(text[r][1], sizeof text[r][1],
                 "a description of item %d that is long enough to be one", r);
        cell[3 * r] = "i";
        cell[3 * r + 1] = text[r][0];
        cell[3 * r + 2] = text[r][1];
    }
    check_inferred(PZ_ITEMS, ROWS(name), ROWS(cell),
                   ITEM "," N("TITLE", "string") "," NX("TEXT"));
    static const char *const short_name[] = {"ITEM_ID", "TITLE"};
    for (int r = 0; r < 1001; r++) {
        cell[2 * r] = "i";
        cell[2 * r + 1] = text[r][0];
    }
    check_inferred(PZ_ITEMS, ROWS(short_name), cell, 2002, ITEM "," NC("TITLE"));
}
END_TEST

START_TEST(test_infer_refused)
{
    static const struct {
        enum pz_set set;
        const char *name[4];
        size_t n;
        const char *what;
    } cases[] = {
        {PZ_INTERACTIONS,
         {"userId", "movieId", "timestamp"},
         3,
         "interactions need more columns: missing are USER_ID (spelled 'userId'), "
         "ITEM_ID; the header has userId, movieId, timestamp"},
        {PZ_INTERACTIONS,
         {"196", "242", "3", "881250949"},
         4,
         "the header has 196, 242, 3, 881250949; is the first line a header?"},
        {PZ_ITEMS,
         {"user_id", "item_id", "timestamp"},
         3,
         "these are interactions, not items"},
        {PZ_INTERACTIONS,
         {"USER_ID", "Line item", "TIMESTAMP", "unit price"},
         4,
         "missing are ITEM_ID; the header has USER_ID, Line item, TIMESTAMP, unit price"},
        {PZ_INTERACTIONS,
         {"USER_ID", "ITEM_ID", "TIMESTAMP", "item_id"},
         4,
         "'ITEM_ID' and 'item_id'"},
        {PZ_INTERACTIONS, {"USER_ID", "ITEM_ID", "TIMESTAMP", "ITEM_ID"}, 4, "twice"},
        {PZ_INTERACTIONS,
         {"USER_ID", "ITEM_ID", "TIMESTAMP", ""},
         4,
         "field 4 has an empty name"},
        {PZ_ITEMS, {"ITEM_ID"}, 1, "items need at least one metadata field"},
        {PZ_USERS, {NULL}, 0, "the header has none"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct pz_err err = PZ_ERR_INIT;
        struct pz_schema s;
        ck_assert_int_eq(
            pz_schema_infer(&s, cases[i].set, cases[i].name, cases[i].n, NULL, 0, &err),
            PZ_DATA);
        ck_assert_msg(strstr(err.msg, cases[i].what) != NULL, "%s", err.msg);
        ck_assert_ptr_null(s.field);
    }
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("schema");
    TCase *t = tcase_create("schema");
    tcase_add_loop_test(t, test_good, 0, sizeof good / sizeof *good);
    tcase_add_loop_test(t, test_bad, 0, sizeof bad / sizeof *bad);
    tcase_add_loop_test(t, test_bad_text, 0, sizeof bad_text / sizeof *bad_text);
    tcase_add_test(t, test_domain_without_actions);
    tcase_add_test(t, test_head);
    tcase_add_test(t, test_fields);
    tcase_add_test(t, test_long_names);
    tcase_add_test(t, test_strict);
    tcase_add_test(t, test_set_names);
    tcase_add_loop_test(t, test_files, 0, sizeof files / sizeof *files);
    tcase_add_test(t, test_manual);
    tcase_add_test(t, test_replaces);
    tcase_add_test(t, test_infer_interactions);
    tcase_add_test(t, test_infer_no_rows);
    tcase_add_test(t, test_infer_many_values);
    tcase_add_test(t, test_infer_metadata);
    tcase_add_test(t, test_infer_refused);
    suite_add_tcase(s, t);
    return s;
}
