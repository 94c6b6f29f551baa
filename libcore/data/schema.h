/*
 * schema: Avro-style dataset schemas as Amazon Personalize takes them (pz-schema(5)).
 */
#ifndef PZ_DATA_SCHEMA_H
#define PZ_DATA_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum pz_set { // dataset types
    PZ_INTERACTIONS, PZ_ITEMS, PZ_USERS, PZ_ACTIONS, PZ_ACTION_INTERACTIONS, PZ_N_SETS,
};
enum pz_domain { PZ_CUSTOM, PZ_ECOMMERCE, PZ_VIDEO_ON_DEMAND };

enum pz_type { PZ_STRING, PZ_INT, PZ_LONG, PZ_FLOAT, PZ_DOUBLE, PZ_BOOLEAN };

/* What a field means to pz; from its (reserved) name. */
enum pz_role {
    PZ_ROLE_NONE, PZ_ROLE_USER, PZ_ROLE_ITEM, PZ_ROLE_ACTION, PZ_ROLE_TIMESTAMP,
    PZ_ROLE_EVENT_TYPE, PZ_ROLE_EVENT_VALUE, PZ_ROLE_IMPRESSION, PZ_ROLE_RECOMMENDATION,
    PZ_ROLE_ATTRIBUTION, PZ_ROLE_CREATION, PZ_N_ROLES,
};

struct pz_field {
    char *name;       // as the schema spells it
    enum pz_type type;
    enum pz_role role;
    bool nullable, categorical, textual, item_name;
};

struct pz_schema {
    enum pz_set set;
    enum pz_domain domain;
    struct pz_field *field; // in schema order
    size_t n_fields;
    uint32_t *by_name;      // fields by name without case; NULL: names are searched
    int at[PZ_N_ROLES];     // field index of each role, -1 when absent
};

/* "interactions", "items", "users", "actions", "action-interactions". */
const char *pz_set_name(enum pz_set set);
/* Case-insensitive; '_' and '-' are the same. PZ_USAGE listing the right names. */
int pz_set_parse(enum pz_set *set, const char *name, struct pz_err *err);
/* "custom", "ECOMMERCE", "VIDEO_ON_DEMAND", likewise. */
int pz_domain_parse(enum pz_domain *domain, const char *name, struct pz_err *err);

/*
 * Parses and validates text against AWS's rules for `set`. `domain` is what the caller
 * demands; PZ_CUSTOM demands nothing beyond the custom rules, and s->domain is then the
 * domain whose required fields the items have, if any. PZ_DATA with line and column
 * (syntax) or the field's name (rule), what is wrong and what would be right; PZ_USAGE
 * for actions in a domain. On failure *s holds nothing.
 */
int pz_schema_parse(struct pz_schema *s, enum pz_set set, enum pz_domain domain, const char *text,
                    size_t n, struct pz_err *err);
/* The same from a file, which messages name; strict: with pz_schema_strict(). */
int pz_schema_read(struct pz_schema *s, enum pz_set set, enum pz_domain domain, const char *path,
                   bool strict, struct pz_err *err);
#define PZ_SCHEMA_MAX 20000 // characters that AWS takes
/* AWS's limits, for --strict: the length of the text it was parsed from and the number of
 * metadata fields. PZ_DATA. */
int pz_schema_strict(const struct pz_schema *s, const char *text, size_t n, struct pz_err *err);
/*
 * A schema from the header of a CSV file and a sample of its rows: cell[r * n_names + c],
 * NULL for empty. Names are tidied (naming.h), so that fields may have others than the
 * header. Reserved names get their reserved types whatever their case; other
 * columns become long, double or categorical string (plain string beyond 1,000 distinct
 * or 1,000 bytes). All but required fields are nullable. pz-schema(5) has the rules in full.
 */
int pz_schema_infer(struct pz_schema *s, enum pz_set set, const char *const *name, size_t n_names,
                    const char *const *cell, size_t n_rows, struct pz_err *err);
/* The schema as AWS's JSON text (canonical: one line, AWS's key order). */
void pz_schema_text(const struct pz_schema *s, struct pz_buf *out);
/* Index of the field of this name, without case (no two names differ only by it). -1 when
 * absent. */
int pz_schema_find(const struct pz_schema *s, const char *name, size_t n);
/* PZ_OK when `next` may replace `old`: every old field kept with its type and flags; new ones
 * (items and users only) nullable. Else PZ_DATA naming the field. The order is free. */
int pz_schema_replaces(const struct pz_schema *old, const struct pz_schema *next,
                       struct pz_err *err);
void pz_schema_release(struct pz_schema *s); // accepts {0}

#endif
