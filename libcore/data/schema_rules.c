#include "data/schema_rules.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "data/naming.h"

#define ALL    (PZ_BIT(PZ_CUSTOM) | PZ_BIT(PZ_ECOMMERCE) | PZ_BIT(PZ_VIDEO_ON_DEMAND))
#define SHOP   PZ_BIT(PZ_ECOMMERCE)
#define VIDEO  PZ_BIT(PZ_VIDEO_ON_DEMAND)
#define EVENTS (PZ_BIT(PZ_INTERACTIONS) | PZ_BIT(PZ_ACTION_INTERACTIONS))
#define STR    PZ_BIT(PZ_STRING)
#define LONG   PZ_BIT(PZ_LONG)
#define FLOAT  PZ_BIT(PZ_FLOAT)
#define NUMBER (PZ_BIT(PZ_INT) | LONG | FLOAT | PZ_BIT(PZ_DOUBLE))
#define SET(s) PZ_BIT(PZ_##s)

/*
 * Where two rules have a name in common (CREATION_TIMESTAMP), the first that has the set
 * and the domain counts. A field that is required cannot be null, an optional one can.
 */
static const struct pz_rule rules[] = {
    /* the ids */
    {"USER_ID", EVENTS | SET(USERS), ALL, ALL, STR, PZ_PLAIN, PZ_ROLE_USER, NULL},
    {"ITEM_ID", SET(INTERACTIONS) | SET(ITEMS), ALL, ALL, STR, PZ_PLAIN, PZ_ROLE_ITEM,
     NULL},
    {"ACTION_ID", SET(ACTIONS) | SET(ACTION_INTERACTIONS), ALL, ALL, STR, PZ_PLAIN,
     PZ_ROLE_ACTION, NULL},
    /* interactions and action interactions */
    {"TIMESTAMP", EVENTS, ALL, ALL, LONG, PZ_ANY_STRING, PZ_ROLE_TIMESTAMP, NULL},
    {"EVENT_TYPE", SET(INTERACTIONS), ALL, SHOP | VIDEO, STR, PZ_PLAIN,
     PZ_ROLE_EVENT_TYPE, NULL},
    {"EVENT_TYPE", SET(ACTION_INTERACTIONS), ALL, ALL, STR, PZ_PLAIN, PZ_ROLE_EVENT_TYPE,
     NULL},
    {"EVENT_VALUE", SET(INTERACTIONS), ALL, 0, FLOAT, PZ_ANY_STRING, PZ_ROLE_EVENT_VALUE,
     NULL},
    {"IMPRESSION", EVENTS, ALL, 0, STR, PZ_PLAIN, PZ_ROLE_IMPRESSION, NULL},
    {"RECOMMENDATION_ID", EVENTS, ALL, 0, STR, PZ_PLAIN, PZ_ROLE_RECOMMENDATION, NULL},
    {"EVENT_ATTRIBUTION_SOURCE", SET(INTERACTIONS), ALL, 0, STR, PZ_PLAIN,
     PZ_ROLE_ATTRIBUTION, NULL},
    /* items; AWS has CREATION_TIMESTAMP of a shop as long in one place, float in another
     */
    {"CREATION_TIMESTAMP", SET(ITEMS), SHOP, 0, LONG | FLOAT, PZ_ANY_STRING,
     PZ_ROLE_CREATION, NULL},
    {"CREATION_TIMESTAMP", SET(ITEMS), ALL, VIDEO, LONG, PZ_ANY_STRING, PZ_ROLE_CREATION,
     NULL},
    {"PRICE", SET(ITEMS), SHOP, SHOP, FLOAT, PZ_ANY_STRING, PZ_ROLE_NONE, NULL},
    {"CATEGORY_L1", SET(ITEMS), SHOP, SHOP, STR, PZ_CATEGORICAL, PZ_ROLE_NONE, NULL},
    {"CATEGORY_L2", SET(ITEMS), SHOP, 0, STR, PZ_CATEGORICAL, PZ_ROLE_NONE, NULL},
    {"CATEGORY_L3", SET(ITEMS), SHOP, 0, STR, PZ_CATEGORICAL, PZ_ROLE_NONE, NULL},
    {"AGE_GROUP", SET(ITEMS), SHOP, 0, STR, PZ_CATEGORICAL, PZ_ROLE_NONE, NULL},
    {"ADULT", SET(ITEMS), SHOP, 0, STR, PZ_CATEGORICAL, PZ_ROLE_NONE, NULL},
    {"GENDER", SET(ITEMS), SHOP, 0, STR, PZ_CATEGORICAL, PZ_ROLE_NONE, NULL},
    {"PRODUCT_DESCRIPTION", SET(ITEMS), SHOP | VIDEO, 0, STR, PZ_TEXTUAL, PZ_ROLE_NONE,
     NULL},
    /* AWS demands GENRES, and ships a default schema that has GENRES_L1 */
    {"GENRES", SET(ITEMS), VIDEO, VIDEO, STR, PZ_CATEGORICAL, PZ_ROLE_NONE, "GENRES_L1"},
    {"GENRES_L1", SET(ITEMS), VIDEO, 0, STR, PZ_CATEGORICAL, PZ_ROLE_NONE, NULL},
    {"GENRE_L2", SET(ITEMS), VIDEO, 0, STR, PZ_CATEGORICAL, PZ_ROLE_NONE, NULL},
    {"GENRE_L3", SET(ITEMS), VIDEO, 0, STR, PZ_CATEGORICAL, PZ_ROLE_NONE, NULL},
    {"PRICE", SET(ITEMS), VIDEO, 0, FLOAT, PZ_ANY_STRING, PZ_ROLE_NONE, NULL},
    {"DURATION", SET(ITEMS), VIDEO, 0, FLOAT, PZ_ANY_STRING, PZ_ROLE_NONE, NULL},
    {"AVERAGE_RATING", SET(ITEMS), VIDEO, 0, FLOAT, PZ_ANY_STRING, PZ_ROLE_NONE, NULL},
    {"CONTENT_OWNER", SET(ITEMS), VIDEO, 0, STR, PZ_CATEGORICAL, PZ_ROLE_NONE, NULL},
    {"CONTENT_CLASSIFICATION", SET(ITEMS), VIDEO, 0, STR, PZ_CATEGORICAL, PZ_ROLE_NONE,
     NULL},
    /* users */
    {"SUBSCRIPTION_MODEL", SET(USERS), VIDEO, 0, STR, PZ_CATEGORICAL, PZ_ROLE_NONE, NULL},
    /* actions; AWS has the expiration under two names */
    {"CREATION_TIMESTAMP", SET(ACTIONS), ALL, 0, LONG, PZ_ANY_STRING, PZ_ROLE_CREATION,
     NULL},
    {"VALUE", SET(ACTIONS), ALL, 0, LONG, PZ_ANY_STRING, PZ_ROLE_NONE, NULL},
    {"TYPE", SET(ACTIONS), ALL, 0, STR, PZ_ANY_STRING, PZ_ROLE_NONE, NULL},
    {"EXPIRATION_TIMESTAMP", SET(ACTIONS), ALL, 0, LONG, PZ_ANY_STRING, PZ_ROLE_NONE,
     NULL},
    {"ACTION_EXPIRATION_TIMESTAMP", SET(ACTIONS), ALL, 0, LONG, PZ_ANY_STRING,
     PZ_ROLE_NONE, NULL},
    {"REPEAT_FREQUENCY", SET(ACTIONS), ALL, 0, LONG, PZ_ANY_STRING, PZ_ROLE_NONE, NULL},
};

#define N_RULES (sizeof rules / sizeof *rules)

static const char *const type_names[] = {"string", "int",    "long",
                                         "float",  "double", "boolean"};
static const char *const domain_names[] = {"custom", "ECOMMERCE", "VIDEO_ON_DEMAND"};
static const char *const kind_text[] = {"", "without \"categorical\" and \"textual\"",
                                        "with \"categorical\": true",
                                        "with \"textual\": true"};

const struct pz_rule *
pz_rules(size_t *n)
{
    *n = N_RULES;
    return rules;
}

const char *
pz_type_name(enum pz_type type)
{
    return type_names[type];
}

const char *
pz_domain_name(enum pz_domain domain)
{
    return domain_names[domain];
}

const struct pz_rule *
pz_rule_find(enum pz_set set, enum pz_domain domain, const char *name)
{
    for (size_t i = 0; i < N_RULES; i++)
        if ((rules[i].sets & PZ_BIT(set)) && (rules[i].domains & PZ_BIT(domain)) &&
            strcasecmp(rules[i].name, name) == 0)
            return &rules[i];
    return NULL;
}

/* ---- names ---- */

static int
check_name(const char *name, size_t number, struct pz_err *err)
{
    size_t n = strlen(name);
    if (n == 0)
        return pz_err_set(err, PZ_DATA, "field %zu has an empty name", number);
    if (n > PZ_NAME_MAX)
        return pz_err_set(err, PZ_DATA,
                          "field '%.40s...': the name has %zu characters, %d at most",
                          name, n, PZ_NAME_MAX);
    for (size_t i = 0; i < n; i++) {
        bool letter =
            (name[i] >= 'A' && name[i] <= 'Z') || (name[i] >= 'a' && name[i] <= 'z');
        bool digit = name[i] >= '0' && name[i] <= '9';
        if (!letter && name[i] != '_' && !(digit && i > 0))
            return pz_err_set(
                err, PZ_DATA,
                "field '%s': a name consists of letters, digits and '_' and does "
                "not start with a digit",
                name);
    }
    return PZ_OK;
}

struct folded {
    char text[PZ_NAME_MAX + 1];
    size_t field;
};

static int
compare_folded(const void *a, const void *b)
{
    const struct folded *x = a, *y = b;
    int c = strcmp(x->text, y->text);
    return c ? c : (x->field > y->field) - (x->field < y->field);
}

/* AWS counts names as equal that differ only by '_' (and, in filters, by case). */
static int
check_clash(const struct pz_schema *s, struct pz_err *err)
{
    struct folded *f;
    if (pz_new(&f, s->n_fields, sizeof *f, "field names", err))
        return err->status;
    for (size_t i = 0; i < s->n_fields; i++) {
        size_t n = 0;
        for (const char *p = s->field[i].name; *p; p++)
            if (*p != '_')
                f[i].text[n++] = (char)toupper((unsigned char)*p);
        f[i].field = i;
    }
    qsort(f, s->n_fields, sizeof *f, compare_folded);
    int status = PZ_OK;
    for (size_t i = 1; i < s->n_fields && !status; i++) {
        if (strcmp(f[i - 1].text, f[i].text) != 0)
            continue;
        const char *one = s->field[f[i - 1].field].name, *two = s->field[f[i].field].name;
        if (strcmp(one, two) == 0)
            status = pz_err_set(err, PZ_DATA, "field '%s' is given twice", one);
        else
            status =
                pz_err_set(err, PZ_DATA,
                           "fields '%s' and '%s' differ only by '_' or case, which AWS "
                           "counts as one name; rename one of them",
                           one, two);
    }
    free(f);
    return status;
}

/* ---- flags ---- */

static int
check_flags(const struct pz_schema *s, struct pz_err *err)
{
    const struct pz_field *text = NULL, *title = NULL;
    for (size_t i = 0; i < s->n_fields; i++) {
        const struct pz_field *f = &s->field[i];
        const char *flag = f->categorical ? "categorical"
                           : f->textual   ? "textual"
                           : f->item_name ? "itemName"
                                          : NULL;
        if (!flag)
            continue;
        if (f->type != PZ_STRING)
            return pz_err_set(err, PZ_DATA,
                              "field '%s': \"%s\" is for type string, not for %s",
                              f->name, flag, type_names[f->type]);
        if (f->categorical && f->textual)
            return pz_err_set(
                err, PZ_DATA,
                "field '%s': \"categorical\" and \"textual\" exclude each other",
                f->name);
        if (s->set != PZ_ITEMS && !f->categorical)
            return pz_err_set(
                err, PZ_DATA,
                "field '%s': \"%s\" is for items only; \"categorical\" is possible",
                f->name, flag);
        if (f->textual && text)
            return pz_err_set(
                err, PZ_DATA,
                "fields '%s' and '%s' are both \"textual\"; one field can be", text->name,
                f->name);
        if (f->item_name && title)
            return pz_err_set(
                err, PZ_DATA,
                "fields '%s' and '%s' are both \"itemName\"; one field can be",
                title->name, f->name);
        text = f->textual ? f : text;
        title = f->item_name ? f : title;
    }
    return PZ_OK;
}

/* ---- reserved and required fields ---- */

/* "string with \"categorical\": true" or "long or float" into out. */
static void
add_right_type(struct pz_buf *out, const struct pz_rule *rule)
{
    const char *gap = "";
    for (size_t t = 0; t < sizeof type_names / sizeof *type_names; t++)
        if (rule->types & PZ_BIT(t)) {
            pz_buf_addf(out, "%s%s", gap, type_names[t]);
            gap = " or ";
        }
    if (rule->kind != PZ_ANY_STRING)
        pz_buf_addf(out, " %s", kind_text[rule->kind]);
}

static int
wrong_type(const struct pz_field *f, const struct pz_rule *rule, enum pz_domain domain,
           struct pz_err *err)
{
    struct pz_buf right = PZ_BUF_INIT;
    add_right_type(&right, rule);
    int status = pz_buf_status(&right, "a message", err);
    if (!status)
        status = pz_err_set(err, PZ_DATA,
                            "field '%s' is reserved%s%s and must be %s, not %s%s",
                            f->name, domain == PZ_CUSTOM ? "" : " in domain ",
                            domain == PZ_CUSTOM ? "" : domain_names[domain], right.data,
                            f->categorical ? "categorical "
                            : f->textual   ? "textual "
                                           : "",
                            type_names[f->type]);
    pz_buf_release(&right);
    return status;
}

static int
check_reserved(const struct pz_schema *s, enum pz_domain domain, struct pz_err *err)
{
    for (size_t i = 0; i < s->n_fields; i++) {
        const struct pz_field *f = &s->field[i];
        const struct pz_rule *rule = pz_rule_find(s->set, domain, f->name);
        if (!rule)
            continue;
        bool kind = rule->kind == PZ_ANY_STRING ||
                    (f->categorical == (rule->kind == PZ_CATEGORICAL) &&
                     f->textual == (rule->kind == PZ_TEXTUAL));
        if (!(rule->types & PZ_BIT(f->type)) || !kind)
            return wrong_type(f, rule, domain, err);
        if (f->nullable && (rule->required & PZ_BIT(domain)))
            return pz_err_set(
                err, PZ_DATA,
                "field '%s' is required, so it cannot be \"null\"; \"type\": "
                "\"%s\" would be right",
                f->name, type_names[f->type]);
    }
    return PZ_OK;
}

static int
check_required(const struct pz_schema *s, enum pz_domain domain, struct pz_err *err)
{
    for (size_t i = 0; i < N_RULES; i++) {
        const struct pz_rule *rule = &rules[i];
        if (!(rule->sets & PZ_BIT(s->set)) ||
            !(rule->required & rule->domains & PZ_BIT(domain)))
            continue;
        if (pz_schema_find(s, rule->name, strlen(rule->name)) >= 0 ||
            (rule->instead &&
             pz_schema_find(s, rule->instead, strlen(rule->instead)) >= 0))
            continue;
        struct pz_buf right = PZ_BUF_INIT;
        add_right_type(&right, rule);
        int status = pz_buf_status(&right, "a message", err);
        if (!status)
            status = pz_err_set(
                err, PZ_DATA, "%s%s%s need the field '%s' (%s), which is missing",
                pz_set_name(s->set), domain == PZ_CUSTOM ? "" : " in domain ",
                domain == PZ_CUSTOM ? "" : domain_names[domain], rule->name, right.data);
        pz_buf_release(&right);
        return status;
    }
    return PZ_OK;
}

/* Users, items and actions carry something that a model can learn from. */
static int
check_metadata(const struct pz_schema *s, struct pz_err *err)
{
    if (s->set == PZ_INTERACTIONS || s->set == PZ_ACTION_INTERACTIONS)
        return PZ_OK;
    for (size_t i = 0; i < s->n_fields; i++) {
        const struct pz_field *f = &s->field[i];
        if (f->categorical || f->textual || (NUMBER & PZ_BIT(f->type)))
            return PZ_OK;
    }
    return pz_err_set(err, PZ_DATA,
                      "%s need at least one metadata field: a number, or a string with "
                      "\"categorical\": true%s",
                      pz_set_name(s->set),
                      s->set == PZ_ITEMS ? " or \"textual\": true" : "");
}

static int
check_domain(const struct pz_schema *s, enum pz_domain domain, struct pz_err *err)
{
    int status = check_required(s, domain, err);
    return status ? status : check_reserved(s, domain, err);
}

/* Only items tell a domain by their fields; users and interactions fit both. */
static enum pz_domain
guess_domain(const struct pz_schema *s)
{
    struct pz_err ignored = PZ_ERR_INIT;
    if (s->set != PZ_ITEMS)
        return PZ_CUSTOM;
    if (!check_domain(s, PZ_ECOMMERCE, &ignored))
        return PZ_ECOMMERCE;
    if (!check_domain(s, PZ_VIDEO_ON_DEMAND, &ignored))
        return PZ_VIDEO_ON_DEMAND;
    return PZ_CUSTOM;
}

static int
compare_fields(const void *a, const void *b, void *field)
{
    const uint32_t *x = a, *y = b;
    const struct pz_field *f = field;
    return strcasecmp(f[*x].name, f[*y].name);
}

static int
sort_names(struct pz_schema *s, struct pz_err *err)
{
    if (pz_new(&s->by_name, s->n_fields, sizeof *s->by_name, "field names", err))
        return err->status;
    for (size_t i = 0; i < s->n_fields; i++)
        s->by_name[i] = (uint32_t)i;
    qsort_r(s->by_name, s->n_fields, sizeof *s->by_name, compare_fields, s->field);
    return PZ_OK;
}

int
pz_schema_check(struct pz_schema *s, enum pz_domain domain, struct pz_err *err)
{
    if (domain != PZ_CUSTOM && (s->set == PZ_ACTIONS || s->set == PZ_ACTION_INTERACTIONS))
        return pz_err_set(
            err, PZ_USAGE,
            "domain %s has no %s: its datasets are interactions, items and users",
            domain_names[domain], pz_set_name(s->set));
    for (size_t i = 0; i < s->n_fields; i++)
        if (check_name(s->field[i].name, i + 1, err))
            return err->status;
    if (check_clash(s, err) || sort_names(s, err) || check_flags(s, err))
        return err->status;
    enum pz_domain guess = domain == PZ_CUSTOM ? guess_domain(s) : domain;
    if (check_domain(s, domain, err) && (guess == domain || err->status != PZ_DATA))
        return err
            ->status; // what a domain allows needs not be right for a custom dataset
    if (check_metadata(s, err))
        return err->status;
    s->domain = guess;
    for (size_t r = 0; r < PZ_N_ROLES; r++)
        s->at[r] = -1;
    for (size_t i = 0; i < s->n_fields; i++) {
        const struct pz_rule *rule = pz_rule_find(s->set, domain, s->field[i].name);
        s->field[i].role = rule ? rule->role : PZ_ROLE_NONE;
        if (s->field[i].role != PZ_ROLE_NONE)
            s->at[s->field[i].role] = (int)i;
    }
    return PZ_OK;
}
