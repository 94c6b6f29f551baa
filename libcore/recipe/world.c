#include "recipe/world.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

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

static int
find_users(struct pz_world *w, struct pz_err *err)
{
    const struct pz_ids *a = &w->user, *b = &w->users->user;
    if (pz_new(&w->own.user_row, a->n, sizeof *w->own.user_row, "users", err))
        return err->status;
    uint32_t j = 0;
    for (uint32_t i = 0; i < a->n; i++) {
        int c = 1;
        while (j < b->n && (c = compare(a, i, b, j)) > 0)
            j++;
        w->own.user_row[i] = j < b->n && c == 0 ? j : PZ_NO_ID;
    }
    w->user_row = w->own.user_row;
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
    if (r == PZ_OK) {
        w->user = w->interactions->user;
        w->item = w->interactions->item;
        if (w->items)
            r = merge_items(w, err);
    }
    if (r == PZ_OK && w->users)
        r = find_users(w, err);
    if (r)
        pz_world_close(w);
    return r;
}

void
pz_world_close(struct pz_world *w)
{
    pz_dataset_close(&w->own.interactions);
    pz_dataset_close(&w->own.items);
    pz_dataset_close(&w->own.users);
    void *owned[] = {w->own.bytes, w->own.offsets, w->own.item_of, w->own.item_row,
                     w->own.user_row};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    *w = (struct pz_world){0};
}

int
pz_world_select(const struct pz_world *w, const struct pz_selection *s,
                struct pz_events *out, struct pz_selection_report *report,
                struct pz_err *err)
{
    int r = pz_events_select(w->interactions, s, out, report, err);
    if (r)
        return r;
    out->n_items = (uint32_t)w->item.n;
    for (uint64_t i = 0; w->item_of && i < out->n; i++)
        out->item[i] = w->item_of[out->item[i]];
    return PZ_OK;
}
