#include "recipe/world.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "recipe/actions.h"

void
pz_world_of(struct pz_world *w, const struct pz_dataset *interactions)
{
    *w = (struct pz_world){.interactions = interactions,
                           .user = interactions->user,
                           .item = interactions->item};
}

/* ---- ids ---- */

/* The order of a[i] and b[j]; ids that are out of bounds were found when it was opened.
 */
static int
compare(const struct pz_ids *a, uint32_t i, const struct pz_ids *b, uint32_t j)
{
    size_t n_a = 0, n_b = 0;
    const char *x = pz_ids_get(a, i, &n_a), *y = pz_ids_get(b, j, &n_b);
    size_t n = n_a < n_b ? n_a : n_b;
    int c = n ? memcmp(x, y, n) : 0;
    return c ? c : (n_a > n_b) - (n_a < n_b);
}

/* Appends an id to the list of the model. */
static void
append(struct pz_world *w, const struct pz_ids *from, uint32_t i)
{
    size_t n = 0;
    const char *s = pz_ids_get(from, i, &n);
    if (n)
        memcpy(w->own.bytes + w->own.offsets[w->item.n], s, n);
    w->own.offsets[w->item.n + 1] = w->own.offsets[w->item.n] + (int64_t)n;
    w->item.n++;
}

/* Merges both sorted lists; each side's numbers in the other. */
static int
merge_items(struct pz_world *w, struct pz_err *err)
{
    static const char what[] = "items";
    const struct pz_ids *a = &w->interactions->item, *b = &w->items->item;
    uint64_t most = a->n + b->n;
    if (most >= PZ_NO_ID)
        return pz_err_set(err, PZ_DATA, "more than 4294967294 items");
    if (pz_new(&w->own.bytes, a->n_bytes + b->n_bytes, 1, what, err) ||
        pz_new(&w->own.offsets, most + 1, sizeof *w->own.offsets, what, err) ||
        pz_new(&w->own.item_of, a->n, sizeof *w->own.item_of, what, err) ||
        pz_new(&w->own.item_row, most, sizeof *w->own.item_row, what, err))
        return err->status;
    w->item = (struct pz_ids){.bytes = w->own.bytes, .offsets = w->own.offsets};
    uint32_t i = 0, j = 0;
    while (i < a->n || j < b->n) {
        int c = i == a->n ? 1 : j == b->n ? -1 : compare(a, i, b, j);
        uint32_t at = (uint32_t)w->item.n;
        append(w, c <= 0 ? a : b, c <= 0 ? i : j);
        w->own.item_row[at] = c >= 0 ? j : PZ_NO_ID;
        if (c <= 0)
            w->own.item_of[i++] = at;
        j += c >= 0;
    }
    w->item.n_bytes = (uint64_t)w->own.offsets[w->item.n];
    w->item_of = w->own.item_of;
    w->item_row = w->own.item_row;
    return PZ_OK;
}

/* Where the users of the model are in another list. */
static int
find_users(uint32_t **row, const struct pz_world *w, const struct pz_ids *b,
           struct pz_err *err)
{
    const struct pz_ids *a = &w->user;
    if (pz_new(row, a->n, sizeof **row, "users", err))
        return err->status;
    uint32_t j = 0;
    for (uint32_t i = 0; i < a->n; i++) {
        int c = 1;
        while (j < b->n && (c = compare(a, i, b, j)) > 0)
            j++;
        (*row)[i] = j < b->n && c == 0 ? j : PZ_NO_ID;
    }
    return PZ_OK;
}

/* ---- datasets ---- */

/* *out stays NULL when the group has none. */
static int
open_set(const struct pz_dataset **out, struct pz_dataset *d, const char *group,
         enum pz_set set, int threads, struct pz_stored_report *put, struct pz_err *err)
{
    int r = pz_stored_open(d, group, set, threads, put, err);
    if (r == PZ_NEGATIVE)
        return PZ_OK;
    if (r == PZ_OK && (r = pz_tensors_verify(&d->file, err)) == PZ_OK &&
        (r = pz_dataset_check(d, err)) == PZ_OK)
        *out = d;
    return r;
}

int
pz_world_open(struct pz_world *w, const char *group, enum pz_set set, int threads,
              struct pz_err *err)
{
    bool actions = set == PZ_ACTION_INTERACTIONS;
    struct pz_stored_report put;
    *w = (struct pz_world){0};
    int r = open_set(&w->interactions, &w->own.interactions, group, set, threads, &w->put,
                     err);
    if (r == PZ_OK && !w->interactions)
        r = PZ_NEGATIVE;
    if (r == PZ_OK)
        r = open_set(&w->items, &w->own.items, group, actions ? PZ_ACTIONS : PZ_ITEMS,
                     threads, &put, err);
    if (r == PZ_OK)
        r = open_set(&w->users, &w->own.users, group, PZ_USERS, threads, &put, err);
    if (r == PZ_OK && actions)
        r = open_set(&w->with_items, &w->own.with_items, group, PZ_INTERACTIONS, threads,
                     &put, err);
    if (r == PZ_OK) {
        w->user = w->interactions->user;
        w->item = w->interactions->item;
        if (w->items)
            r = merge_items(w, err);
    }
    if (r == PZ_OK && w->users)
        r = find_users(&w->own.user_row, w, &w->users->user, err);
    if (r == PZ_OK && w->with_items)
        r = find_users(&w->own.with_items_user, w, &w->with_items->user, err);
    w->user_row = w->own.user_row;
    w->with_items_user = w->own.with_items_user;
    if (r)
        pz_world_close(w);
    return r;
}

int
pz_world_open_items(struct pz_world *w, const char *group, int threads,
                    struct pz_err *err)
{
    static const uint8_t no_bytes[1];
    static const int64_t no_ids[1];
    static const uint64_t no_rows[1];
    struct pz_stored_report put;
    *w = (struct pz_world){.alone = true};
    int r = open_set(&w->items, &w->own.items, group, PZ_ITEMS, threads, &put, err);
    if (r == PZ_OK && !w->items)
        r = PZ_NEGATIVE;
    if (r == PZ_OK) {
        w->own.interactions.user.bytes = no_bytes;
        w->own.interactions.user.offsets = no_ids;
        w->own.interactions.item = w->own.interactions.user;
        w->own.interactions.row_offsets = no_rows;
        w->interactions = &w->own.interactions;
        w->user = w->interactions->user;
        r = merge_items(w, err);
    }
    if (r)
        pz_world_close(w);
    return r;
}

void
pz_world_rest(const struct pz_world *w)
{
    pz_map_rest(&w->own.interactions.file.map);
    pz_map_rest(&w->own.items.file.map);
    pz_map_rest(&w->own.users.file.map);
    pz_map_rest(&w->own.with_items.file.map);
}

void
pz_world_close(struct pz_world *w)
{
    pz_dataset_close(&w->own.interactions);
    pz_dataset_close(&w->own.items);
    pz_dataset_close(&w->own.users);
    pz_dataset_close(&w->own.with_items);
    void *owned[] = {w->own.bytes,    w->own.offsets,  w->own.item_of,
                     w->own.item_row, w->own.user_row, w->own.with_items_user};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    *w = (struct pz_world){0};
}

/* Selection makes the greatest weight 1, and has none where all are alike. */
static int
restore(struct pz_events *e, const struct pz_event_rule *rule, size_t n,
        struct pz_err *err)
{
    double greatest = 0;
    for (size_t i = 0; i < n; i++)
        greatest = rule[i].weight > greatest ? rule[i].weight : greatest;
    if (greatest == 1 || n == 0)
        return PZ_OK;
    if (!e->weight) {
        if (pz_new_aligned(&e->weight, e->n, sizeof *e->weight, "event weights", err)) {
            pz_events_release(e);
            return err->status;
        }
        for (uint64_t i = 0; i < e->n; i++)
            e->weight[i] = 1;
    }
    for (uint64_t i = 0; i < e->n; i++)
        e->weight[i] = (float)((double)e->weight[i] * greatest);
    return PZ_OK;
}

/* All events of actions, each type with the weight that says what became of the action.
 */
static int
select_actions(const struct pz_world *w, const struct pz_selection *s,
               struct pz_events *out, struct pz_selection_report *report,
               struct pz_err *err)
{
    const struct pz_column *type = pz_dataset_column(w->interactions, "EVENT_TYPE");
    struct pz_selection all = {.strict = s->strict};
    struct pz_event_rule *rule = NULL;
    char *name = NULL;
    size_t n_types = type ? (size_t)type->dict.n : 0, used = 0;
    if (s->n_rules || s->has_threshold)
        return pz_err_set(err, PZ_USAGE,
                          "events of actions are all looked at, by their types Taken, "
                          "Not Taken and Viewed; none can be chosen");
    if (pz_new(&rule, n_types, sizeof *rule, "event types", err) ||
        pz_new(&name, type ? (size_t)type->dict.n_bytes + n_types : 0, 1, "event types",
               err))
        goto done;
    for (uint32_t i = 0; i < n_types; i++) {
        size_t n = 0;
        const char *text = pz_ids_get(&type->dict, i, &n);
        float weight = pz_action_weight(text, n);
        if (!(weight > 0)) {
            pz_err_set(err, PZ_DATA,
                       "EVENT_TYPE '%.*s' of an action is none of Taken, Not Taken and "
                       "Viewed",
                       (int)(n < 64 ? n : 64), text);
            goto done;
        }
        memcpy(name + used, text, n);
        rule[i] = (struct pz_event_rule){
            .type = name + used, .has_weight = true, .weight = (double)weight};
        used += n + 1;
    }
    all.rule = rule;
    all.n_rules = n_types;
    if (!pz_events_select(w->interactions, &all, out, report, err))
        restore(out, rule, n_types, err);
done:
    free(rule);
    free(name);
    return err->status;
}

static int
select_nothing(const struct pz_world *w, const struct pz_selection *s,
               struct pz_events *out, struct pz_selection_report *report,
               struct pz_err *err)
{
    *out = (struct pz_events){.n_items = (uint32_t)w->item.n};
    *report = (struct pz_selection_report){.n_rows = 0};
    if (s->n_rules || s->has_threshold)
        return pz_err_set(err, PZ_USAGE,
                          "events are to be selected, but the group has no interactions");
    int r;
    if ((r = pz_new(&out->offsets, 1, sizeof *out->offsets, "events", err)) ||
        (r = pz_new(&out->item, 0, sizeof *out->item, "events", err)) ||
        (r = pz_new(&out->time, 0, sizeof *out->time, "events", err)))
        pz_events_release(out);
    return r;
}

int
pz_world_select(const struct pz_world *w, const struct pz_selection *s,
                struct pz_events *out, struct pz_selection_report *report,
                struct pz_err *err)
{
    if (w->alone)
        return select_nothing(w, s, out, report, err);
    bool actions = w->interactions->schema.set == PZ_ACTION_INTERACTIONS;
    int r = actions ? select_actions(w, s, out, report, err)
                    : pz_events_select(w->interactions, s, out, report, err);
    if (r)
        return r;
    out->n_items = (uint32_t)w->item.n;
    for (uint64_t i = 0; w->item_of && i < out->n; i++)
        out->item[i] = w->item_of[out->item[i]];
    return PZ_OK;
}
