#include "recipe/near.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    CROWD = 64,
    AHEAD = 12, // users whose lists are fetched before they are needed
};

void
pz_near_release(struct pz_near *n)
{
    free(n->seq);
    free(n->place);
    free(n->weight);
    *n = (struct pz_near){0};
}

/*
 * Numbers the moments of seq[0..len) from `at` on, which must be out of reach of what
 * stands before; returns a number that is out of reach of them. A crowd's items are put
 * out of reach of all others. Numbers may wrap: only small differences are looked at.
 */
static uint32_t
number_moments(struct pz_near_at *seq, const int64_t *time, uint32_t len, uint32_t at,
               uint32_t gap)
{
    for (uint32_t from = 0, to; from < len; from = to) {
        to = from + 1;
        while (to < len && time[to] == time[from])
            to++;
        bool crowd = to - from > CROWD;
        at += crowd ? gap : 1;
        for (uint32_t k = from; k < to; k++) {
            seq[k].moment = at;
            at += crowd ? gap : 0;
        }
    }
    return at + gap;
}

static int
make_lists(struct pz_near *n, const struct pz_events *e, struct pz_err *err)
{
    const struct pz_cooc *c = n->cooc;
    uint32_t *stamp = NULL, moment = n->reach + 1;
    uint64_t *at = NULL, first = 1;
    int64_t *time = NULL;
    int r;
    if ((r = pz_new(&stamp, c->n_items, sizeof *stamp, "item orders", err)) ||
        (r = pz_new(&time, c->n_ranks, sizeof *time, "item orders", err)) ||
        (r = pz_new(&at, c->n_ranks, sizeof *at, "item orders", err)))
        goto done;
    if (c->n_ranks)
        memcpy(at, c->item_offsets, c->n_ranks * sizeof *at);
    for (uint32_t u = 0; u < e->n_users; u++) {
        uint32_t k = 0; // users ascend, as in cooc->item_user
        for (uint64_t i = c->from[u]; i < e->offsets[u + 1]; i++) {
            if (stamp[e->item[i]] == u + 1)
                continue;
            stamp[e->item[i]] = u + 1;
            uint32_t rank = c->rank_of[e->item[i]];
            time[k] = e->time[i];
            n->seq[first + k].rank = rank;
            n->place[at[rank]++] = first + k++;
        }
        moment = number_moments(n->seq + first, time, k, moment, n->reach + 1);
        first += k;
    }
    n->seq[0] = (struct pz_near_at){0, 0};
    n->seq[first] = (struct pz_near_at){0, moment};
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
    static const char what[] = "item orders";
    *n = (struct pz_near){.cooc = c, .reach = (uint32_t)ceil(2 * halflife)};
    int r;
    if ((r = pz_new_aligned(&n->seq, c->n_pairs + 2, sizeof *n->seq, what, err)) ||
        (r = pz_new_aligned(&n->place, c->n_pairs, sizeof *n->place, what, err)) ||
        (r = pz_new(&n->weight, 2 * (size_t)n->reach + 1, sizeof *n->weight, what,
                    err)) ||
        (r = make_lists(n, e, err))) {
        pz_near_release(n);
        return r;
    }
    for (uint32_t d = 0; d <= n->reach; d++) {
        float w = (float)exp2(-(double)d / halflife);
        n->weight[n->reach + d] = w;
        n->weight[n->reach - d] = d ? w / 2 : w;
    }
    return PZ_OK;
}

int
pz_near_row_new(struct pz_near_row *row, const struct pz_cooc *c, struct pz_err *err)
{
    *row = (struct pz_near_row){.n_touched = 0};
    int r;
    if ((r = pz_new(&row->gain, c->n_ranks, sizeof *row->gain, "gains", err)) ||
        (r = pz_new(&row->back, c->n_ranks, sizeof *row->back, "gains", err)) ||
        (r = pz_new(&row->touched, (size_t)c->n_ranks + 1, sizeof *row->touched, "gains",
                    err)))
        pz_near_row_release(row);
    return r;
}

void
pz_near_row_release(struct pz_near_row *row)
{
    free(row->gain);
    free(row->back);
    free(row->touched);
    *row = (struct pz_near_row){.n_touched = 0};
}

/* Is inlined twice, so that one way costs nothing for the other. */
static inline __attribute__((always_inline)) void
add(struct pz_near_row *row, const struct pz_near *n, uint32_t r, bool both)
{
    const uint64_t *place = n->place, end = n->cooc->item_offsets[r + 1];
    float *gain = row->gain, *back = row->back;
    uint32_t *touched = row->touched, n_touched = 0;
    for (uint64_t i = n->cooc->item_offsets[r]; i < end; i++) {
        if (i + AHEAD < end) { // the list around the item: a few lines on both sides
            __builtin_prefetch(n->seq + place[i + AHEAD]);
            __builtin_prefetch((const char *)(n->seq + place[i + AHEAD]) - 64);
            __builtin_prefetch((const char *)(n->seq + place[i + AHEAD]) + 64);
        }
        const struct pz_near_at *s = n->seq + place[i];
        uint32_t first = s->moment - n->reach, d;
        while (s[-1].moment - first <= 2 * n->reach)
            s--;
        for (d = s->moment - first; d <= 2 * n->reach; d = (++s)->moment - first) {
            touched[n_touched] = s->rank;
            n_touched += gain[s->rank] == 0;
            gain[s->rank] += n->weight[d];
            if (both)
                back[s->rank] += n->weight[2 * n->reach - d];
        }
    }
    row->n_touched = n_touched;
}

void
pz_near_row_add(struct pz_near_row *row, const struct pz_near *n, uint32_t r, bool both)
{
    if (both)
        add(row, n, r, true);
    else
        add(row, n, r, false);
}

void
pz_near_row_clear(struct pz_near_row *row)
{
    for (uint32_t k = 0; k < row->n_touched; k++)
        row->gain[row->touched[k]] = row->back[row->touched[k]] = 0;
    row->n_touched = 0;
}
