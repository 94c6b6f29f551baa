#include "eval/segment.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/order.h"
#include "eval/groups.h"

void
pz_segments_release(struct pz_segments *s)
{
    for (size_t i = 0; i < s->n; i++) {
        free(s->segment[i].by);
        free(s->segment[i].name);
        free(s->segment[i].mean);
    }
    free(s->segment);
    *s = (struct pz_segments){0};
}

/* Sums over the cases of one kind of segments; entries x n_values a segment. */
struct sums {
    const struct pz_compared *o;
    const struct pz_at *at;
    const struct pz_groups *g;
    double *sum, *count; // segments x entries x n_values
    uint64_t *n_users;   // segments
    uint32_t *rank;
    double *value; // n_values
};

static void
add_values(struct sums *x, size_t segment, size_t entry, const double *value)
{
    size_t n = x->o->n_values, at = (segment * x->o->n_entries + entry) * n;
    for (size_t v = 0; v < n; v++)
        if (!isnan(value[v])) {
            x->sum[at + v] += value[v];
            x->count[at + v]++;
        }
}

static bool
is_in(const struct pz_groups *g, uint64_t member, uint32_t code)
{
    for (uint64_t i = g->offsets[member]; i < g->offsets[member + 1]; i++)
        if (g->code[i] == code)
            return true;
    return false;
}

/* The values of entry e for the truths of case c that are in the segment; false: none. */
static bool
part_values(struct sums *x, size_t draw, uint32_t c, uint32_t segment, size_t e)
{
    const struct pz_split *s = &x->o->split[draw];
    const struct pz_case *k = &s->cases[c];
    const uint32_t *rank = x->o->answer[e][draw].rank;
    size_t n_truth = 0, n = 0;
    for (uint64_t i = k->truth; i < k->truth + k->n_truth; i++) {
        if (!is_in(x->g, s->truth[i], segment))
            continue;
        n_truth++;
        if (rank[i])
            x->rank[n++] = rank[i];
    }
    if (n_truth == 0)
        return false;
    qsort(x->rank, n, sizeof *x->rank, pz_order_u32);
    for (size_t v = 0; v < x->o->n_values; v++) {
        enum pz_measure m = (enum pz_measure)(v / x->at->n);
        x->value[v] =
            m < PZ_N_RANK_MEASURES
                ? pz_measure(x->at, m, x->at->k[v % x->at->n], x->rank, n, n_truth)
                : NAN;
    }
    return true;
}

static void
add_case(struct sums *x, size_t draw, uint32_t c, size_t row)
{
    const struct pz_compared *o = x->o;
    uint64_t member = x->g->of == PZ_GROUP_CASES ? c : o->split[draw].cases[c].user;
    if (x->g->of != PZ_GROUP_ITEMS) {
        for (uint64_t i = x->g->offsets[member]; i < x->g->offsets[member + 1]; i++) {
            x->n_users[x->g->code[i]]++;
            for (size_t e = 0; e < o->n_entries; e++)
                add_values(x, x->g->code[i], e, o->value[e] + row * o->n_values);
        }
        return;
    }
    for (uint32_t g = 0; g < x->g->n; g++)
        for (size_t e = 0; e < o->n_entries && part_values(x, draw, c, g, e); e++) {
            x->n_users[g] += e == 0;
            add_values(x, g, e, x->value);
        }
}

static int
sums_room(struct sums *x, const struct pz_compared *o, size_t n_segments,
          struct pz_err *err)
{
    size_t n = n_segments * o->n_entries * o->n_values, most = 1;
    for (size_t d = 0; d < o->n_draws; d++)
        for (uint32_t c = 0; c < o->split[d].n_cases; c++)
            if (o->split[d].cases[c].n_truth > most)
                most = o->split[d].cases[c].n_truth;
    if (pz_new(&x->sum, n, sizeof *x->sum, "segments", err) ||
        pz_new(&x->count, n, sizeof *x->count, "segments", err) ||
        pz_new(&x->n_users, n_segments, sizeof *x->n_users, "segments", err) ||
        pz_new(&x->rank, most, sizeof *x->rank, "segments", err) ||
        pz_new(&x->value, o->n_values, sizeof *x->value, "segments", err))
        return err->status;
    return PZ_OK;
}

static int
take_segment(struct pz_segments *s, const struct sums *x, const char *by, size_t i,
             struct pz_err *err)
{
    size_t n = x->o->n_entries * x->o->n_values;
    struct pz_segment *g;
    int r = pz_grow(&s->segment, &s->cap, s->n + 1, sizeof *s->segment, "segments", err);
    if (r)
        return r;
    g = &s->segment[s->n++];
    *g = (struct pz_segment){.n_users = x->n_users[i]};
    if ((r = pz_strndup(&g->by, by, strlen(by), err)) ||
        (r = pz_strndup(&g->name, x->g->name[i], strlen(x->g->name[i]), err)) ||
        (r = pz_new(&g->mean, n, sizeof *g->mean, "segments", err)))
        return r;
    for (size_t v = 0; v < n; v++)
        g->mean[v] =
            x->count[i * n + v] > 0 ? x->sum[i * n + v] / x->count[i * n + v] : NAN;
    return PZ_OK;
}

int
pz_segments_add(struct pz_segments *s, const struct pz_compared *o,
                const struct pz_at *at, const struct pz_world *w, const char *by,
                struct pz_err *err)
{
    struct sums x = {.o = o, .at = at};
    struct pz_groups g = {.n = 0};
    int r = PZ_OK;
    size_t row = 0;
    // The names are those of the first draw; what they stand for may differ a little.
    for (size_t d = 0; d < o->n_draws && r == PZ_OK; d++) {
        pz_groups_release(&g);
        if ((r = pz_groups_make(&g, by, o, d, w, err)) ||
            (d == 0 && (r = sums_room(&x, o, g.n, err))))
            break;
        x.g = &g;
        for (uint32_t c = 0; c < o->split[d].n_cases; c++)
            add_case(&x, d, c, row++);
    }
    for (size_t i = 0; r == PZ_OK && i < g.n; i++)
        if (x.n_users[i])
            r = take_segment(s, &x, by, i, err);
    pz_groups_release(&g);
    free(x.sum);
    free(x.count);
    free(x.n_users);
    free(x.rank);
    free(x.value);
    return r;
}
