#include "data/schema.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "base/json.h"
#include "base/mem.h"
#include "data/schema_rules.h"

#define TEXT_MAX  (1u << 20) // far above AWS's 20,000 characters
#define NAMESPACE "com.amazonaws.personalize.schema"
#define TYPES     "string, int, long, float, double, boolean"

static const struct {
    const char *name;   // in messages and on command lines
    const char *record; // "name" of the schema
} sets[PZ_N_SETS] = {
    {"interactions", "Interactions"},
    {"items", "Items"},
    {"users", "Users"},
    {"actions", "Actions"},
    {"action-interactions", "ActionInteractions"},
};

const char *
pz_set_name(enum pz_set set)
{
    return sets[set].name;
}

bool
pz_same_name(const char *a, const char *b)
{
    for (;; a++, b++) {
        while (*a == '_' || *a == '-')
            a++;
        while (*b == '_' || *b == '-')
            b++;
        if (strncasecmp(a, b, 1) != 0)
            return false;
        if (!*a)
            return true;
    }
}

int
pz_set_parse(enum pz_set *set, const char *name, struct pz_err *err)
{
    for (int i = 0; i < PZ_N_SETS; i++)
        if (pz_same_name(name, sets[i].name)) {
            *set = (enum pz_set)i;
            return PZ_OK;
        }
    return pz_err_set(
        err, PZ_USAGE,
        "unknown dataset type '%.100s'; types are interactions, items, users, "
        "actions, action-interactions",
        name);
}

int
pz_domain_parse(enum pz_domain *domain, const char *name, struct pz_err *err)
{
    static const enum pz_domain all[] = {PZ_CUSTOM, PZ_ECOMMERCE, PZ_VIDEO_ON_DEMAND};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (pz_same_name(name, pz_domain_name(all[i]))) {
            *domain = all[i];
            return PZ_OK;
        }
    return pz_err_set(
        err, PZ_USAGE,
        "unknown domain '%.100s'; domains are custom, ECOMMERCE, VIDEO_ON_DEMAND", name);
}

/* ---- reading the JSON ---- */

/* Letters to insert, delete or replace to make b of a; both short. */
static size_t
edit_distance(const char *a, const char *b)
{
    size_t row[32], n = strlen(b);
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 1; a[i - 1]; i++) {
        size_t corner = row[0];
        row[0] = i;
        for (size_t j = 1; j <= n; j++) {
            size_t best = corner + (a[i - 1] != b[j - 1]);
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            corner = row[j];
            row[j] = best;
        }
    }
    return row[n];
}

/*
 * Avro lets a field carry keys of any name and AWS ignores them; but one that is nearly
 * the name of a flag is a slip which would silently switch the flag off.
 */
static int
check_keys(const pz_json *field, const char *name, struct pz_err *err)
{
    static const char *const known[] = {"name", "type", "categorical", "textual",
                                        "itemName"};
    for (const pz_json *c = pz_json_first(field); c; c = pz_json_next(c)) {
        const char *key = pz_json_key(c);
        size_t n = strlen(key);
        for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
            if (strcmp(key, known[i]) == 0)
                break;
            if (strcasecmp(key, known[i]) == 0 ||
                (n < 20 && edit_distance(key, known[i]) <= strlen(known[i]) / 4))
                return pz_err_set(err, PZ_DATA,
                                  "field '%s': unknown key \"%s\"; \"%s\" would be right",
                                  name, key, known[i]);
        }
    }
    return PZ_OK;
}

static bool
scalar_type(const char *name, enum pz_type *type)
{
    for (int t = PZ_STRING; t <= PZ_BOOLEAN; t++)
        if (name && strcmp(name, pz_type_name((enum pz_type)t)) == 0) {
            *type = (enum pz_type)t;
            return true;
        }
    return false;
}

static int
bad_type(const struct pz_field *f, const pz_json *j, struct pz_err *err)
{
    const char *name = pz_json_string(j);
    if (!j)
        return pz_err_set(err, PZ_DATA, "field '%s' has no \"type\"; types are " TYPES,
                          f->name);
    if (name && strcmp(name, "null") == 0)
        return pz_err_set(
            err, PZ_DATA,
            "field '%s': \"null\" alone is no type; [\"null\", \"string\"] would "
            "be right for a string that may be empty",
            f->name);
    if (name)
        return pz_err_set(err, PZ_DATA,
                          "field '%s': unknown type '%.100s'; types are " TYPES, f->name,
                          name);
    return pz_err_set(err, PZ_DATA,
                      "field '%s': \"type\" must be one of " TYPES
                      ", or a list of one of them and \"null\"",
                      f->name);
}

/* "string", ["string"], ["null", "string"] or ["string", "null"]. */
static int
read_type(struct pz_field *f, const pz_json *j, struct pz_err *err)
{
    bool found = false;
    if (!pz_json_is_array(j))
        return scalar_type(pz_json_string(j), &f->type) ? PZ_OK : bad_type(f, j, err);
    for (const pz_json *c = pz_json_first(j); c; c = pz_json_next(c)) {
        const char *name = pz_json_string(c);
        bool null = name && strcmp(name, "null") == 0;
        if (!null && !scalar_type(name, &f->type))
            return bad_type(f, c, err);
        if (null ? f->nullable : found)
            return pz_err_set(
                err, PZ_DATA,
                "field '%s': a list of types has one type and perhaps \"null\", "
                "each once",
                f->name);
        f->nullable |= null;
        found |= !null;
    }
    if (!found)
        return pz_err_set(err, PZ_DATA,
                          "field '%s': the list of types names none; types are " TYPES,
                          f->name);
    return PZ_OK;
}

static int
read_flag(const struct pz_field *f, const pz_json *field, const char *key, bool *flag,
          struct pz_err *err)
{
    const pz_json *j = pz_json_get(field, key);
    if (!j || pz_json_is_bool(j, flag))
        return PZ_OK;
    return pz_err_set(err, PZ_DATA,
                      "field '%s': \"%s\" must be true or false, without quotes", f->name,
                      key);
}

static int
read_field(struct pz_field *f, const pz_json *j, size_t number, struct pz_err *err)
{
    const char *name = pz_json_get_string(j, "name");
    if (!name)
        return pz_err_set(
            err, PZ_DATA,
            "field %zu must be {\"name\": NAME, \"type\": TYPE}; it has no name", number);
    if (pz_strndup(&f->name, name, strlen(name), err) || check_keys(j, f->name, err) ||
        read_type(f, pz_json_get(j, "type"), err) ||
        read_flag(f, j, "categorical", &f->categorical, err) ||
        read_flag(f, j, "textual", &f->textual, err) ||
        read_flag(f, j, "itemName", &f->item_name, err))
        return err->status;
    return PZ_OK;
}

/* A member that is a fixed string; `needed` when it must be there. */
static int
check_constant(const pz_json *root, const char *key, const char *want, bool needed,
               struct pz_err *err)
{
    const pz_json *j = pz_json_get(root, key);
    const char *have = pz_json_string(j);
    if (!j && !needed)
        return PZ_OK;
    if (have && strcmp(have, want) == 0)
        return PZ_OK;
    return pz_err_set(err, PZ_DATA, "\"%s\" %s%.100s%s; \"%s\": \"%s\" would be right",
                      key,
                      have ? "is '"
                      : j  ? "is not a string"
                           : "is missing",
                      have ? have : "", have ? "'" : "", key, want);
}

static int
check_head(const pz_json *root, enum pz_set set, struct pz_err *err)
{
    if (!pz_json_is_object(root))
        return pz_err_set(
            err, PZ_DATA,
            "a schema is a JSON object: {\"type\": \"record\", \"name\": \"%s\", "
            "\"fields\": [...], ...}",
            sets[set].record);
    if (check_constant(root, "type", "record", true, err) ||
        check_constant(root, "namespace", NAMESPACE, false, err) ||
        check_constant(root, "version", "1.0", false, err))
        return err->status;
    const char *name = pz_json_get_string(root, "name");
    if (!name)
        return check_constant(root, "name", sets[set].record, true, err);
    if (!pz_same_name(name, sets[set].record))
        return pz_err_set(
            err, PZ_DATA,
            "this is a schema for '%.100s', not for %s; \"name\": \"%s\" would be "
            "right",
            name, sets[set].name, sets[set].record);
    return PZ_OK;
}

static int
read_fields(struct pz_schema *s, const pz_json *root, struct pz_err *err)
{
    const pz_json *fields = pz_json_get(root, "fields");
    if (!pz_json_is_array(fields) || !pz_json_first(fields))
        return pz_err_set(
            err, PZ_DATA,
            "\"fields\" must be a list of {\"name\": NAME, \"type\": TYPE}");
    if (pz_new(&s->field, pz_json_count(fields), sizeof *s->field, "a schema", err))
        return err->status;
    for (const pz_json *c = pz_json_first(fields); c; c = pz_json_next(c)) {
        s->n_fields++;
        if (read_field(&s->field[s->n_fields - 1], c, s->n_fields, err))
            return err->status;
    }
    return PZ_OK;
}

int
pz_schema_parse(struct pz_schema *s, enum pz_set set, enum pz_domain domain,
                const char *text, size_t n, struct pz_err *err)
{
    pz_json *root;
    *s = (struct pz_schema){.set = set};
    if (n > TEXT_MAX)
        return pz_err_set(err, PZ_DATA,
                          "a schema of %zu bytes is too long; AWS takes 20000", n);
    if (n >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) { // editors on Windows write it
        text += 3;
        n -= 3;
    }
    if (pz_json_parse(&root, text, n, err))
        return err->status;
    int status = check_head(root, set, err);
    if (!status)
        status = read_fields(s, root, err);
    if (!status)
        status = pz_schema_check(s, domain, err);
    pz_json_free(root);
    if (status)
        pz_schema_release(s);
    return status;
}

/* ---- AWS's limits ---- */

static const struct {
    enum pz_set set;
    size_t metadata; // fields that are not reserved
} limits[] = {
    {PZ_INTERACTIONS, 5},        {PZ_ITEMS, 100}, {PZ_USERS, 25}, {PZ_ACTIONS, 10},
    {PZ_ACTION_INTERACTIONS, 5},
};

int
pz_schema_strict(const struct pz_schema *s, const char *text, size_t n,
                 struct pz_err *err)
{
    size_t characters = 0, metadata = 0;
    for (size_t i = 0; i < n; i++)
        characters += ((unsigned char)text[i] & 0xC0) != 0x80;
    if (characters > PZ_SCHEMA_MAX)
        return pz_err_set(err, PZ_DATA,
                          "the schema has %zu characters; AWS takes %d at most",
                          characters, PZ_SCHEMA_MAX);
    for (size_t i = 0; i < s->n_fields; i++)
        metadata += pz_rule_find(s->set, PZ_CUSTOM, s->field[i].name) == NULL;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        if (limits[i].set == s->set && metadata > limits[i].metadata)
            return pz_err_set(
                err, PZ_DATA,
                "the schema has %zu metadata fields; AWS takes %zu at most for %s",
                metadata, limits[i].metadata, pz_set_name(s->set));
    return PZ_OK;
}

/* ---- writing, comparing, finding ---- */

void
pz_schema_text(const struct pz_schema *s, struct pz_buf *out)
{
    pz_buf_addf(out,
                "{\"type\":\"record\",\"name\":\"%s\",\"namespace\":\"" NAMESPACE
                "\",\"fields\":[",
                sets[s->set].record);
    for (size_t i = 0; i < s->n_fields; i++) {
        const struct pz_field *f = &s->field[i];
        pz_buf_addf(out, "%s{\"name\":", i ? "," : "");
        pz_json_add_string(out, f->name, strlen(f->name));
        pz_buf_addf(out, f->nullable ? ",\"type\":[\"null\",\"%s\"]" : ",\"type\":\"%s\"",
                    pz_type_name(f->type));
        if (f->categorical)
            pz_buf_addz(out, ",\"categorical\":true");
        if (f->textual)
            pz_buf_addz(out, ",\"textual\":true");
        if (f->item_name)
            pz_buf_addz(out, ",\"itemName\":true");
        pz_buf_addc(out, '}');
    }
    pz_buf_addz(out, "],\"version\":\"1.0\"}");
}

/* strcasecmp of a name with text of n bytes. */
static int
compare_name(const char *name, const char *text, size_t n)
{
    int c = strncasecmp(name, text, n);
    return c ? c : name[n] != 0;
}

int
pz_schema_find(const struct pz_schema *s, const char *name, size_t n)
{
    size_t lo = 0, hi = s->n_fields;
    if (n && memchr(name, 0, n))
        return -1;
    for (size_t i = 0; i < s->n_fields && !s->by_name; i++)
        if (compare_name(s->field[i].name, name, n) == 0)
            return (int)i;
    while (lo < hi && s->by_name) {
        size_t mid = lo + (hi - lo) / 2;
        int c = compare_name(s->field[s->by_name[mid]].name, name, n);
        if (c == 0)
            return (int)s->by_name[mid];
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return -1;
}

static bool
same_field(const struct pz_field *a, const struct pz_field *b)
{
    return a->type == b->type && a->nullable == b->nullable &&
           a->categorical == b->categorical && a->textual == b->textual &&
           a->item_name == b->item_name;
}

/* "a nullable categorical string" for messages. */
static void
describe(const struct pz_field *f, struct pz_buf *out)
{
    pz_buf_addf(out, "%s%s%s%s%s", f->nullable ? "nullable " : "",
                f->categorical ? "categorical " : "", f->textual ? "textual " : "",
                f->item_name ? "itemName " : "", pz_type_name(f->type));
}

static int
changed_field(const struct pz_field *old, const struct pz_field *next, struct pz_err *err)
{
    struct pz_buf was = PZ_BUF_INIT, is = PZ_BUF_INIT;
    describe(old, &was);
    describe(next, &is);
    int status = pz_buf_status(&was, "a message", err);
    if (!status)
        status = pz_buf_status(&is, "a message", err);
    if (!status)
        status = pz_err_set(
            err, PZ_DATA, "field '%s' is %s in the dataset's schema and cannot become %s",
            old->name, was.data, is.data);
    pz_buf_release(&was);
    pz_buf_release(&is);
    return status;
}

int
pz_schema_replaces(const struct pz_schema *old, const struct pz_schema *next,
                   struct pz_err *err)
{
    if (old->set != next->set)
        return pz_err_set(err, PZ_DATA, "a schema for %s cannot replace one for %s",
                          pz_set_name(next->set), pz_set_name(old->set));
    for (size_t i = 0; i < old->n_fields; i++) {
        const struct pz_field *f = &old->field[i];
        int at = pz_schema_find(next, f->name, strlen(f->name));
        if (at < 0)
            return pz_err_set(
                err, PZ_DATA,
                "field '%s' of the dataset's schema is missing; a new schema keeps "
                "every old field",
                f->name);
        if (!same_field(f, &next->field[at]))
            return changed_field(f, &next->field[at], err);
    }
    for (size_t i = 0; i < next->n_fields; i++) {
        const struct pz_field *f = &next->field[i];
        if (pz_schema_find(old, f->name, strlen(f->name)) >= 0)
            continue;
        if (old->set != PZ_ITEMS && old->set != PZ_USERS)
            return pz_err_set(
                err, PZ_DATA,
                "field '%s' is new; only items and users can get new fields", f->name);
        if (!f->nullable)
            return pz_err_set(
                err, PZ_DATA,
                "field '%s' is new, so it must allow null: \"type\": [\"null\", "
                "\"%s\"] would be right",
                f->name, pz_type_name(f->type));
    }
    return PZ_OK;
}

void
pz_schema_release(struct pz_schema *s)
{
    for (size_t i = 0; i < s->n_fields; i++)
        free(s->field[i].name);
    free(s->field);
    free(s->by_name);
    *s = (struct pz_schema){0};
}

/* Somebody who gives a file of rows is not helped by what is wrong with its JSON. */
static bool
is_object(const struct pz_buf *text, size_t *line)
{
    static const char mark[] = "\xEF\xBB\xBF";
    size_t i = text->len >= 3 && memcmp(text->data, mark, 3) == 0 ? 3 : 0;
    *line = 1;
    for (; i < text->len && memchr(" \t\r\n", text->data[i], 4); i++)
        *line += text->data[i] == '\n';
    return i == text->len || text->data[i] == '{';
}

int
pz_schema_read(struct pz_schema *s, enum pz_set set, enum pz_domain domain,
               const char *path, bool strict, struct pz_err *err)
{
    enum { MAX_FILE = 1 << 20 };
    struct pz_buf text = PZ_BUF_INIT;
    struct pz_err why = PZ_ERR_INIT;
    size_t line;
    int r = pz_read_all(&text, path, MAX_FILE, &why);
    if (r <= PZ_DATA && !is_object(&text, &line)) {
        r = pz_err_set(err, PZ_DATA,
                       "%s: is no schema: line %zu begins no JSON object; a file of "
                       "rows is an operand, without -s",
                       path, line);
    } else if (r) {
        *err = why;
    } else {
        r = pz_schema_parse(s, set, domain, text.data ? text.data : "", text.len, err);
        if (r == PZ_OK && strict && (r = pz_schema_strict(s, text.data, text.len, err)))
            pz_schema_release(s);
        if (r)
            r = pz_err_prefix(err, "%s: ", path);
    }
    pz_buf_release(&text);
    return r;
}
