#include "data/put_rows.h"

#include <string.h>

#include "base/mem.h"

bool
pz_put_fold(char *out, size_t cap, const char *s, size_t n)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '_')
            continue;
        if (len + 1 >= cap)
            return false;
        out[len++] = s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] + 32) : s[i];
    }
    out[len] = '\0';
    return len > 0;
}

static const char *const event_slots[N_PUT] = {"EVENT_ID",   "USER_ID",
                                               "SESSION_ID", "ITEM_ID",
                                               "EVENT_TYPE", "EVENT_VALUE",
                                               "TIMESTAMP",  "RECOMMENDATION_ID",
                                               "IMPRESSION", "EVENT_ATTRIBUTION_SOURCE"};

/* What the schema calls one of the fixed slots. */
static int
fixed_slot(enum pz_set set, enum pz_role role)
{
    static const int slot[PZ_N_ROLES] = {
        [PZ_ROLE_USER] = PUT_USER,
        [PZ_ROLE_ITEM] = PUT_ITEM,
        [PZ_ROLE_ACTION] = PUT_ITEM,
        [PZ_ROLE_TIMESTAMP] = PUT_TIME,
        [PZ_ROLE_EVENT_TYPE] = PUT_TYPE,
        [PZ_ROLE_EVENT_VALUE] = PUT_VALUE,
        [PZ_ROLE_IMPRESSION] = PUT_IMPRESSION,
        [PZ_ROLE_RECOMMENDATION] = PUT_RECOMMENDATION,
        [PZ_ROLE_ATTRIBUTION] = PUT_SOURCE,
    };
    if (set == PZ_INTERACTIONS || set == PZ_ACTION_INTERACTIONS)
        return role != PZ_ROLE_NONE && role != PZ_ROLE_CREATION ? slot[role] : -1;
    enum pz_role id = set == PZ_ITEMS   ? PZ_ROLE_ITEM
                      : set == PZ_USERS ? PZ_ROLE_USER
                                        : PZ_ROLE_ACTION;
    return role == id ? PUT_ITEM : -1;
}

int
pz_put_table_init(struct pz_put_table *t, enum pz_set set, const struct pz_schema *schema,
                  struct pz_err *err)
{
    static const char *const ids[PZ_N_SETS] = {"ITEM_ID", "ITEM_ID", "USER_ID",
                                               "ACTION_ID", "ACTION_ID"};
    size_t n_fields = schema ? schema->n_fields : 0;
    *t = (struct pz_put_table){.set = set, .schema = schema, .n_slots = N_PUT};
    t->events = set == PZ_INTERACTIONS || set == PZ_ACTION_INTERACTIONS;
    if (pz_new(&t->slot, N_PUT + n_fields, sizeof *t->slot, "columns", err))
        return err->status;
    for (int i = 0; i < N_PUT; i++) {
        struct pz_put_slot *s = &t->slot[i];
        s->name = i == PUT_ITEM ? ids[set] : event_slots[i];
        if (t->events || i == PUT_ITEM)
            pz_put_fold(s->key, sizeof s->key, s->name, strlen(s->name));
    }
    for (size_t f = 0; f < n_fields; f++) {
        const struct pz_field *field = &schema->field[f];
        int fixed = fixed_slot(set, field->role);
        struct pz_put_slot *s = &t->slot[fixed < 0 ? t->n_slots++ : (size_t)fixed];
        s->name = field->name;
        s->field = field;
        if (!pz_put_fold(s->key, sizeof s->key, field->name, strlen(field->name)))
            return pz_err_set(err, PZ_FORMAT, "column name '%.40s' is too long",
                              field->name);
    }
    return PZ_OK;
}

int
pz_put_find_slot(const struct pz_put_table *t, const char *folded)
{
    for (size_t i = 0; i < t->n_slots; i++)
        if (strcmp(folded, t->slot[i].key) == 0)
            return (int)i;
    return t->events && strcmp(folded, "sentat") == 0 ? PUT_TIME : -1;
}
