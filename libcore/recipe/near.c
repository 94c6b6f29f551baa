#include "recipe/near.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { CROWD = 64 };

void
pz_near_release(struct pz_near *n)
{
    free(n->seq);
    free(n->moment);
    free(n->place);
    free(n->weight);
    *n = (struct pz_near){0};
}

/* Moments of seq[0..len), numbered; `time` has the times of the items. A crowd's items
 * are put out of reach of all others. */
static void
number_moments(const struct pz_near *n, const int64_t *time, uint32_t *moment,
               uint32_t len)
{
    uint32_t at = 0, gap = n->reach + 1;
    for (uint32_t from = 0, to; from < len; from = to) {
        to = from + 1;
        while (to < len && time[to] == time[from])
            to++;
        bool crowd = to - from > CROWD;
        at += crowd ? gap : 1;
        for (uint32_t k = from; k < to; k++) {
            moment[k] = at;
            at += crowd ? gap : 0;
        }
    }
}

static int
make_lists(struct pz_near *n, const struct pz_events *e, struct pz_err *err)
{
    const struct pz_cooc *c = n->cooc;
    uint32_t *stamp = NULL;
    uint64_t *at = NULL;
    int64_t *time = NULL;
    int r;
    if ((r = pz_new(&stamp, c->n_items, sizeof *stamp, "item orders", err)) ||
        (r = pz_new(&time, c->n_ranks, sizeof *time, "item orders", err)) ||
        (r = pz_new(&at, c->n_ranks, sizeof *at, "item orders", err)))
        goto done;
    if (c->n_ranks)
        memcpy(at, c->item_offsets, c->n_ranks * sizeof *at);
    for (uint32_t u = 0; u < e->n_users; u++) {
        uint64_t first = c->user_offsets[u];
        uint32_t k = 0; // users ascend, as in cooc->item_user
        for (uint64_t i = e->offsets[u]; i < e->offsets[u + 1]; i++) {
            if (stamp[e->item[i]] == u + 1)
                continue;
            stamp[e->item[i]] = u + 1;
            uint32_t rank = c->rank_of[e->item[i]];
            time[k] = e->time[i];
            n->seq[first + k] = rank;
            n->place[at[rank]++] = k++;
        }
        number_moments(n, time, n->moment + first, k);
    }
done:
    free(stamp);
    free(time);
    free(at);
    return r;
}

int
pz_near_build(struct pz_near *n, const struct pz_cooc *c, const struct pz_events *e,
              double halflife, struct pz_err *err)
{
    *n = (struct pz_near){.cooc = c, .reach = (uint32_t)ceil(3 * halflife)};
    int r;
    if ((r = pz_new_aligned(&n->seq, c->n_pairs, sizeof *n->seq, "item orders", err)) ||
        (r = pz_new_aligned(&n->moment, c->n_pairs, sizeof *n->moment, "item orders",
                            err)) ||
        (r = pz_new_aligned(&n->place, c->n_pairs, sizeof *n->place, "item orders",
                            err)) ||
        (r = pz_new(&n->weight, (size_t)n->reach + 1, sizeof *n->weight, "item orders",
                    err)) ||
        (r = make_lists(n, e, err))) {
        pz_near_release(n);
        return r;
    }
    for (uint32_t d = 0; d <= n->reach; d++)
        n->weight[d] = (float)exp2(-(double)d / halflife);
    return PZ_OK;
}

/* A user's list around an item of it: the items within reach are seq[from..to). */
struct window {
    const uint32_t *seq, *moment;
    uint32_t at, from, to;
};

static struct window
window_of(const struct pz_near *n, uint64_t i)
{
    const struct pz_cooc *c = n->cooc;
    uint64_t first = c->user_offsets[c->item_user[i]];
    uint32_t len = (uint32_t)(c->user_offsets[c->item_user[i] + 1] - first);
    struct window w = {n->seq + first, n->moment + first, n->place[i], n->place[i],
                       n->place[i] + 1};
    while (w.from > 0 && w.moment[w.at] - w.moment[w.from - 1] <= n->reach)
        w.from--;
    while (w.to < len && w.moment[w.to] - w.moment[w.at] <= n->reach)
        w.to++;
    return w;
}

void
pz_near_add(const struct pz_near *n, uint32_t r, float *row, float *column)
{
    const struct pz_cooc *c = n->cooc;
    for (uint64_t i = c->item_offsets[r]; i < c->item_offsets[r + 1]; i++) {
        struct window w = window_of(n, i);
        uint32_t now = w.moment[w.at];
        for (uint32_t k = w.from; k < w.to; k++) {
            bool before = w.moment[k]<now, after = w.moment[k]> now;
            float gain = n->weight[before ? now - w.moment[k] : w.moment[k] - now];
            row[w.seq[k]] += before ? gain / 2 : gain;
            if (column)
                column[w.seq[k]] += after ? gain / 2 : gain;
        }
    }
}

void
pz_near_clear(const struct pz_near *n, uint32_t r, float *row, float *column)
{
    const struct pz_cooc *c = n->cooc;
    for (uint64_t i = c->item_offsets[r]; i < c->item_offsets[r + 1]; i++) {
        struct window w = window_of(n, i);
        for (uint32_t k = w.from; k < w.to; k++) {
            row[w.seq[k]] = 0;
            if (column)
                column[w.seq[k]] = 0;
        }
    }
}
