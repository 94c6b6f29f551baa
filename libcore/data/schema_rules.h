/*
 * schema_rules: what AWS reserves and demands, as a table; private to data/schema*.c.
 * man/pz-schema.5 shows the same table.
 */
#ifndef PZ_DATA_SCHEMA_RULES_H
#define PZ_DATA_SCHEMA_RULES_H

#include "data/schema.h"

enum pz_string_kind { PZ_ANY_STRING, PZ_PLAIN, PZ_CATEGORICAL, PZ_TEXTUAL };

struct pz_rule {
    const char *name;
    unsigned sets;     // bit per enum pz_set
    unsigned domains;  // bit per enum pz_domain: where the name is reserved
    unsigned required; // bit per domain: where the field must be there
    unsigned types;    // bit per enum pz_type
    enum pz_string_kind kind;
    enum pz_role role;
    const char *instead; // a name that satisfies `required` too, or NULL
};

#define PZ_BIT(x) (1u << (x))

/* All rules; *n is their number. */
const struct pz_rule *pz_rules(size_t *n);
/* The rule for a field of this name (without case), NULL when the name is free. */
const struct pz_rule *pz_rule_find(enum pz_set set, enum pz_domain domain,
                                   const char *name);
/* Equal without case, '_' and '-'. */
bool pz_same_name(const char *a, const char *b);
const char *pz_type_name(enum pz_type type);
const char *
pz_domain_name(enum pz_domain domain); // "custom", "ECOMMERCE", "VIDEO_ON_DEMAND"
/*
 * Holds the fields of s (names, types and flags are set) against all rules for s->set and
 * the demanded domain; fills role, at[] and domain. PZ_DATA naming the field.
 */
int pz_schema_check(struct pz_schema *s, enum pz_domain domain, struct pz_err *err);

#endif
