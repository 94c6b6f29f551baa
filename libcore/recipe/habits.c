#include "recipe/habits.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/order.h"
#include "recipe/logistic.h"

enum { PRIOR = 20 }; // offers that a rate is worth beforehand
static const char what[] = "what users did with items";

/* ---- reading the events ---- */

/* kind[code]: 1 + which of the most frequent types it is, 0: none. Without a column all
 * events are of one type. */
static int
choose_types(struct pz_habits *h, const struct pz_dataset *d,
             const struct pz_column *type, uint8_t **kind, struct pz_err *err)
{
    size_t n = type ? (size_t)type->dict.n : 1;
    struct pz_counted *all;
    if (pz_new(kind, n + 1, 1, what, err) || pz_new(&all, n + 1, sizeof *all, what, err))
        return err->status;
    for (size_t c = 0; c < n; c++)
        all[c].id = (uint32_t)c;
    for (uint64_t r = 0; r < d->n_rows; r++) {
        uint32_t code = type ? pz_column_code(type, r) : 0;
        if (code < n)
            all[code].n++;
    }
    qsort(all, n, sizeof *all, pz_order_most_first);
    for (size_t i = 0; i < n && i < PZ_HABIT_TYPES && all[i].n; i++) {
        (*kind)[all[i].id] = (uint8_t)(i + 1);
        h->n_types++;
    }
    free(all);
    return PZ_OK;
}

/* The newest events of user u of the dataset, into room for them; their number. */
static uint64_t
read_user(const struct pz_dataset *d, uint32_t u, const struct pz_column *type,
          const struct pz_column *time, const uint8_t *kind, int64_t *when, uint8_t *of)
{
    uint64_t from = d->row_offsets[u], to = d->row_offsets[u + 1], n = 0, first = to;
    for (; first > from && n < PZ_HABIT_EVENTS; first--) {
        uint32_t code = type ? pz_column_code(type, first - 1) : 0;
        n += code != PZ_NO_ID && kind[code];
    }
    n = 0;
    for (uint64_t r = first; r < to; r++) {
        uint32_t code = type ? pz_column_code(type, r) : 0;
        if (code == PZ_NO_ID || !kind[code] || !pz_column_i64(time, r, &when[n]))
            continue;
        of[n++] = (uint8_t)(kind[code] - 1);
    }
    return n;
}

static int
read_events(struct pz_habits *h, const struct pz_world *w, struct pz_err *err)
{
    const struct pz_dataset *d = w->with_items;
    const struct pz_column *type = pz_dataset_column(d, "EVENT_TYPE");
    const struct pz_column *time = pz_dataset_column(d, "TIMESTAMP");
    uint64_t *offsets, most = 0;
    uint8_t *kind = NULL, *of;
    int64_t *when;
    if (!time)
        return PZ_OK;
    for (uint32_t u = 0; u < h->n_users; u++) {
        uint32_t row = w->with_items_user[u];
        uint64_t n = row == PZ_NO_ID ? 0 : d->row_offsets[row + 1] - d->row_offsets[row];
        most += n < PZ_HABIT_EVENTS ? n : PZ_HABIT_EVENTS;
    }
    if (pz_new(&offsets, (size_t)h->n_users + 1, sizeof *offsets, what, err))
        return err->status;
    h->own[0] = offsets;
    if (pz_new(&when, most, sizeof *when, what, err))
        return err->status;
    h->own[1] = when;
    if (pz_new(&of, most, 1, what, err))
        return err->status;
    h->own[2] = of;
    if (choose_types(h, d, type, &kind, err) == PZ_OK)
        for (uint32_t u = 0; u < h->n_users; u++) {
            uint32_t row = w->with_items_user[u];
            if (row != PZ_NO_ID)
                h->n += read_user(d, row, type, time, kind, when + h->n, of + h->n);
            offsets[u + 1] = h->n;
        }
    free(kind);
    h->offsets = offsets;
    h->time = when;
    h->type = of;
    return err->status;
}

/* ---- levels ---- */

/* The activities of a user at a time; false when there is no event before it. */
static bool
activities(const struct pz_habits *h, uint64_t from, uint64_t to, int64_t time,
           double of[PZ_HABIT_TYPES])
{
    bool any = false;
    memset(of, 0, PZ_HABIT_TYPES * sizeof *of);
    for (uint64_t i = from; i < to && h->time[i] < time; i++) {
        if (h->type[i] >= h->n_types)
            continue; // a damaged file's
        of[h->type[i]] += exp2(-((double)time - (double)h->time[i]) / h->halflife);
        any = true;
    }
    return any;
}

int
pz_habits_at(struct pz_habit_levels *l, const struct pz_habits *h, uint32_t user,
             int64_t time, struct pz_err *err)
{
    double of[PZ_HABIT_TYPES];
    uint64_t from, to;
    *l = (struct pz_habit_levels){.known = h->n_types && user < h->n_users};
    if (!l->known)
        return PZ_OK;
    from = h->offsets[user];
    to = h->offsets[user + 1];
    if (from > to || to > h->n)
        return pz_tensors_bad(h->file, "habit.offsets", err,
                              "an offset is out of bounds");
    activities(h, from, to, time, of);
    for (uint32_t t = 0; t < h->n_types; t++) {
        const double *edge = h->edge + (size_t)t * PZ_HABIT_EDGES;
        l->of[t] = of[t] > 0;
        for (int e = 0; e < PZ_HABIT_EDGES && of[t] > 0; e++)
            l->of[t] = (uint8_t)(l->of[t] + (of[t] > edge[e]));
        l->all += of[t];
    }
    return PZ_OK;
}

/* The quartiles of the activities that users had when something was offered. */
static int
find_edges(struct pz_habits *h, const struct pz_offer *offer, size_t n,
           struct pz_err *err)
{
    double *edge, *seen;
    size_t len[PZ_HABIT_TYPES] = {0};
    if (pz_new(&edge, (size_t)h->n_types * PZ_HABIT_EDGES, sizeof *edge, what, err))
        return err->status;
    h->own[3] = edge;
    h->edge = edge;
    if (pz_new(&seen, n * PZ_HABIT_TYPES, sizeof *seen, what, err))
        return err->status;
    for (size_t i = 0; i < n; i++) {
        double of[PZ_HABIT_TYPES];
        uint32_t u = offer[i].user;
        activities(h, h->offsets[u], h->offsets[u + 1], offer[i].time, of);
        for (uint32_t t = 0; t < h->n_types; t++)
            if (of[t] > 0)
                seen[t * n + len[t]++] = of[t];
    }
    for (uint32_t t = 0; t < h->n_types; t++) {
        qsort(seen + t * n, len[t], sizeof *seen, pz_order_f64);
        for (size_t e = 0; e < PZ_HABIT_EDGES && len[t]; e++)
            edge[t * PZ_HABIT_EDGES + e] =
                seen[t * n + (len[t] - 1) * (e + 1) / (PZ_HABIT_EDGES + 1)];
    }
    free(seen);
    return PZ_OK;
}

static int
count_offers(struct pz_habits *h, const struct pz_offer *offer, size_t n,
             struct pz_err *err)
{
    uint32_t *offered, *taken;
    size_t cells = (size_t)h->n_types * PZ_HABIT_LEVELS * h->n_actions;
    if (pz_new(&offered, cells, sizeof *offered, what, err))
        return err->status;
    h->own[4] = offered;
    if (pz_new(&taken, cells, sizeof *taken, what, err))
        return err->status;
    h->own[5] = taken;
    for (size_t i = 0; i < n; i++) {
        struct pz_habit_levels l;
        if (pz_habits_at(&l, h, offer[i].user, offer[i].time, err))
            return err->status;
        for (uint32_t t = 0; t < h->n_types; t++) {
            size_t at =
                ((size_t)t * PZ_HABIT_LEVELS + l.of[t]) * h->n_actions + offer[i].action;
            offered[at]++;
            taken[at] += offer[i].taken;
        }
    }
    h->offered = offered;
    h->taken = taken;
    return PZ_OK;
}

int
pz_habits_learn(struct pz_habits *h, const struct pz_world *w,
                const struct pz_offer *offer, size_t n, double halflife,
                struct pz_err *err)
{
    *h = (struct pz_habits){.n_users = (uint32_t)w->user.n,
                            .n_actions = (uint32_t)w->item.n,
                            .halflife = halflife};
    if (!w->with_items)
        return PZ_OK;
    if (read_events(h, w, err))
        return err->status;
    if (!h->n)
        h->n_types = 0;
    return !h->n_types || find_edges(h, offer, n, err) ? err->status
                                                       : count_offers(h, offer, n, err);
}

void
pz_habits_release(struct pz_habits *h)
{
    for (size_t i = 0; i < sizeof h->own / sizeof *h->own; i++)
        free(h->own[i]);
    *h = (struct pz_habits){0};
}

/* ---- terms ---- */

void
pz_habit_terms(double term[PZ_HABIT_TERMS], const struct pz_habits *h,
               const struct pz_habit_levels *l, uint32_t action, double rate,
               const struct pz_offer *out)
{
    memset(term, 0, PZ_HABIT_TERMS * sizeof *term);
    if (!l->known)
        return;
    for (uint32_t t = 0; t < h->n_types; t++) {
        size_t at = ((size_t)t * PZ_HABIT_LEVELS + l->of[t]) * h->n_actions + action;
        double k = (double)h->taken[at] - (out ? out->taken : 0);
        double m = (double)h->offered[at] - (out ? 1 : 0);
        term[t] = pz_logit((k + PRIOR * rate) / (m + PRIOR)) - pz_logit(rate);
    }
    term[PZ_HABIT_TYPES] = log1p(l->all);
}

/* ---- in a model ---- */

int
pz_habits_give(struct pz_habits *h, const double coef[PZ_HABIT_TERMS],
               struct pz_builder *b, struct pz_err *err)
{
    uint64_t edges[] = {h->n_types, PZ_HABIT_EDGES},
             cells[] = {(uint64_t)h->n_types * PZ_HABIT_LEVELS, h->n_actions};
    double *own;
    if (pz_new(&own, PZ_HABIT_TERMS, sizeof *own, what, err))
        return err->status;
    memcpy(own, coef, PZ_HABIT_TERMS * sizeof *own);
    pz_builder_take1(b, "habit.coef", PZ_F64, PZ_HABIT_TERMS, own);
    pz_builder_take1(b, "habit.offsets", PZ_U64, (uint64_t)h->n_users + 1, h->own[0]);
    pz_builder_take1(b, "habit.time", PZ_I64, h->n, h->own[1]);
    pz_builder_take1(b, "habit.type", PZ_U8, h->n, h->own[2]);
    pz_builder_take(b, "habit.edge", PZ_F64, 2, edges, h->own[3]);
    pz_builder_take(b, "habit.offered", PZ_U32, 2, cells, h->own[4]);
    pz_builder_take(b, "habit.taken", PZ_U32, 2, cells, h->own[5]);
    memset(h->own, 0, sizeof h->own);
    pz_builder_meta_f64(b, "train.habits.halflife", h->halflife);
    return PZ_OK;
}

int
pz_habits_open(struct pz_habits *h, const struct pz_model *m, struct pz_err *err)
{
    const struct pz_tensors *f = &m->file;
    const char *text = pz_tensors_meta(f, "train.habits.halflife");
    uint64_t users = (uint64_t)m->n_users + 1, terms = PZ_HABIT_TERMS;
    uint64_t edges[] = {UINT64_MAX, PZ_HABIT_EDGES};
    *h = (struct pz_habits){
        .n_users = m->n_users, .n_actions = m->n_items, .n = UINT64_MAX, .file = f};
    if (!text)
        return PZ_OK;
    if (pz_parse_f64(text, strlen(text), &h->halflife) || !(h->halflife > 0))
        return pz_model_lacks(m, "train.habits.halflife", err);
    if (pz_tensors_get(f, "habit.edge", PZ_F64, 2, edges, &h->edge, err))
        return err->status;
    if (edges[0] < 1 || edges[0] > PZ_HABIT_TYPES)
        return pz_tensors_bad(f, "habit.edge", err, "is not of 1 to %d types",
                              PZ_HABIT_TYPES);
    uint64_t cells[] = {edges[0] * PZ_HABIT_LEVELS, m->n_items};
    if (pz_tensors_get1(f, "habit.coef", PZ_F64, &terms, &h->coef, err) ||
        pz_tensors_get1(f, "habit.offsets", PZ_U64, &users, &h->offsets, err) ||
        pz_tensors_get1(f, "habit.time", PZ_I64, &h->n, &h->time, err) ||
        pz_tensors_get1(f, "habit.type", PZ_U8, &h->n, &h->type, err) ||
        pz_tensors_get(f, "habit.offered", PZ_U32, 2, cells, &h->offered, err) ||
        pz_tensors_get(f, "habit.taken", PZ_U32, 2, cells, &h->taken, err))
        return err->status;
    h->n_types = (uint32_t)edges[0];
    return PZ_OK;
}
