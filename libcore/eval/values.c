#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/order.h"
#include "base/par.h"
#include "eval/exam.h"
#include "math/csr.h"

enum { CASES_A_TASK = 256 };

int
pz_crowd_make(struct pz_crowd *c, const struct pz_events *e, struct pz_err *err)
{
    struct pz_csr by_user, by_item;
    *c = (struct pz_crowd){.n_users = e->n_users, .n_items = e->n_items};
    int r = pz_csr_make(&by_user, &by_item, e->n_users, e->n_items, e->offsets, e->item,
                        NULL, true, err);
    if (r)
        return r;
    for (uint32_t u = 0; u < e->n_users; u++)
        c->n_active += e->offsets[u + 1] > e->offsets[u];
    c->offsets = by_item.offsets;
    c->user = by_item.col;
    by_item.offsets = NULL;
    by_item.col = NULL;
    pz_csr_release(&by_item);
    pz_csr_release(&by_user);
    return PZ_OK;
}

void
pz_crowd_release(struct pz_crowd *c)
{
    free(c->offsets);
    free(c->user);
    *c = (struct pz_crowd){.n_users = 0};
}

/* ---- values of a case ---- */

struct values {
    double *value;
    size_t stride;
    const struct pz_answers *answers;
    const struct pz_split *split;
    const struct pz_at *at;
    const struct pz_crowd *crowd;
    double **sum;    // a thread: n_users, 0 between lists
    uint32_t **rank; // a thread: the ranks of a case
    float **weight;  // a thread: the weights of its truths
};

static void
from_ranks(const struct values *v, uint32_t c, uint32_t *rank, double *out)
{
    const struct pz_case *k = &v->split->cases[c];
    size_t n = 0;
    for (uint32_t i = 0; i < k->n_truth; i++)
        if (v->answers->rank[k->truth + i])
            rank[n++] = v->answers->rank[k->truth + i];
    if (n > 1)
        qsort(rank, n, sizeof *rank, pz_order_u32);
    for (int m = 0; m < PZ_N_RANK_MEASURES; m++)
        for (size_t a = 0; a < v->at->n; a++)
            out[(size_t)m * v->at->n + a] =
                pz_measure(v->at, (enum pz_measure)m, v->at->k[a], rank, n, k->n_truth);
}

/* Of all that was relevant, the reward that the first k items bring. */
static double
rewards(const struct values *v, const struct pz_case *c, uint32_t k)
{
    double found = 0, all = 0;
    for (uint64_t i = c->truth; i < c->truth + c->n_truth; i++) {
        double x = v->split->reward[v->split->truth[i]];
        uint32_t rank = v->answers->rank[i];
        all += x > 0 ? x : 0;
        found += x > 0 && rank && rank <= k ? x : 0;
    }
    return all > 0 ? found / all : NAN;
}

static int
by_weight(const void *a, const void *b)
{
    const float *x = a, *y = b;
    return (*x < *y) - (*x > *y);
}

/* `sorted`: the weights of the case's truths, greatest first. */
static double
weighted_ndcg(const struct values *v, const struct pz_case *c, const float *sorted,
              uint32_t k)
{
    double sum = 0, ideal = 0;
    for (uint32_t i = 0; i < c->n_truth; i++) {
        uint32_t rank = v->answers->rank[c->truth + i];
        if (rank && rank <= k)
            sum += (double)v->split->truth_weight[c->truth + i] * v->at->gain[rank];
        if (i < k)
            ideal += (double)sorted[i] * v->at->gain[i + 1];
    }
    return ideal > 0 ? sum / ideal : NAN;
}

static void
from_worth(const struct values *v, uint32_t c, float *weight, double *out)
{
    const struct pz_case *k = &v->split->cases[c];
    size_t n_at = v->at->n;
    if (v->split->truth_weight) {
        memcpy(weight, v->split->truth_weight + k->truth, k->n_truth * sizeof *weight);
        qsort(weight, k->n_truth, sizeof *weight, by_weight);
    }
    for (size_t a = 0; a < n_at; a++) {
        out[PZ_M_REWARDS * n_at + a] =
            v->split->reward ? rewards(v, k, v->at->k[a]) : NAN;
        out[PZ_M_WEIGHTED_NDCG * n_at + a] =
            v->split->truth_weight ? weighted_ndcg(v, k, weight, v->at->k[a]) : NAN;
    }
}

/* What the list has of one more item: its users, and the share of all users. */
struct tally {
    double share, bits;  // sums over the items so far
    double square;       // |sum of the items' unit vectors|^2
    uint32_t n, n_known; // n_known: items that somebody had
};

/*
 * With unit vectors v_i the cosines of all pairs sum up to (|v_1 + ... + v_k|^2 - k) / 2,
 * which takes a pass over the users of each item instead of one over each pair. Adding v
 * to s: |s+v|^2 = |s|^2 + 2 s.v + |v|^2.
 */
static void
add_item(struct tally *t, const struct pz_crowd *crowd, double *sum, uint32_t item)
{
    uint64_t from = crowd->offsets[item], to = crowd->offsets[item + 1];
    double n = (double)(to - from), all = crowd->n_active ? crowd->n_active : 1;
    t->n++;
    t->share += n / all;
    t->bits -= log2((n > 1 ? n : 1) / all);
    if (to == from)
        return;
    double part = 1 / sqrt(n), dot = 0;
    for (uint64_t i = from; i < to; i++) {
        dot += sum[crowd->user[i]];
        sum[crowd->user[i]] += part;
    }
    t->square += 2 * dot * part + 1;
    t->n_known++;
}

static void
from_list(const struct values *v, uint32_t c, double *sum, double *out)
{
    const uint32_t *item = v->answers->item + (size_t)c * v->answers->room;
    const struct pz_crowd *crowd = v->crowd;
    size_t n = v->answers->n_item[c], n_at = v->at->n;
    struct tally t = {.n = 0};
    double reward = 0;
    for (size_t a = 0, i = 0; a < n_at; a++) {
        for (; v->split->reward && i < n && i < v->at->k[a]; i++)
            reward += v->split->reward[item[i]];
        out[PZ_M_REWARD * n_at + a] = i ? reward / (double)i : NAN;
        while (crowd && t.n < n && t.n < v->at->k[a])
            add_item(&t, crowd, sum, item[t.n]);
        double pairs = 0.5 * (double)t.n * ((double)t.n - 1);
        double alike = 0.5 * (t.square - t.n_known);
        out[PZ_M_POPULARITY * n_at + a] = t.n ? t.share / t.n : NAN;
        out[PZ_M_NOVELTY * n_at + a] = t.n ? t.bits / t.n : NAN;
        out[PZ_M_DIVERSITY * n_at + a] = pairs > 0 ? 1 - alike / pairs : NAN;
    }
    for (uint32_t k = 0; k < t.n; k++)
        for (uint64_t i = crowd->offsets[item[k]]; i < crowd->offsets[item[k] + 1]; i++)
            sum[crowd->user[i]] = 0;
}

static int
value_task(void *ctx, size_t task, int thread, struct pz_err *err)
{
    struct values *v = ctx;
    (void)err;
    uint32_t first = (uint32_t)(task * CASES_A_TASK), end = first + CASES_A_TASK;
    for (uint32_t c = first; c < end && c < v->split->n_cases; c++) {
        double *out = v->value + c * v->stride;
        from_ranks(v, c, v->rank[thread], out);
        from_worth(v, c, v->weight[thread], out);
        from_list(v, c, v->sum[thread], out);
    }
    return PZ_OK;
}

int
pz_values(double *value, size_t stride, const struct pz_answers *a,
          const struct pz_split *s, const struct pz_at *at, const struct pz_crowd *crowd,
          int threads, struct pz_err *err)
{
    struct values v = {value, stride, a, s, at, crowd, NULL, NULL, NULL};
    size_t most = 1, n_users = crowd ? crowd->n_users : 0;
    threads = pz_threads(threads);
    for (uint32_t c = 0; c < s->n_cases; c++)
        if (s->cases[c].n_truth > most)
            most = s->cases[c].n_truth;
    int r;
    if ((r = pz_new(&v.sum, (size_t)threads, sizeof *v.sum, "metrics", err)) ||
        (r = pz_new(&v.rank, (size_t)threads, sizeof *v.rank, "metrics", err)) ||
        (r = pz_new(&v.weight, (size_t)threads, sizeof *v.weight, "metrics", err)))
        goto done;
    for (int t = 0; t < threads && r == PZ_OK; t++)
        if ((r = pz_new(&v.sum[t], n_users, sizeof **v.sum, "metrics", err)) == PZ_OK &&
            (r = pz_new(&v.rank[t], most, sizeof **v.rank, "metrics", err)) == PZ_OK)
            r = pz_new(&v.weight[t], most, sizeof **v.weight, "metrics", err);
    if (r == PZ_OK)
        r = pz_par(threads, (s->n_cases + CASES_A_TASK - 1) / CASES_A_TASK, value_task,
                   &v, err);
done:
    for (int t = 0; t < threads; t++) {
        if (v.sum)
            free(v.sum[t]);
        if (v.rank)
            free(v.rank[t]);
        if (v.weight)
            free(v.weight[t]);
    }
    free(v.sum);
    free(v.rank);
    free(v.weight);
    return r;
}

/* ---- values of all lists together ---- */

int
pz_spread(double *out, const struct pz_answers *a, const struct pz_at *at,
          uint32_t n_items, struct pz_err *err)
{
    uint32_t *count = NULL, *sorted = NULL;
    int r = pz_new(&count, n_items, sizeof *count, "coverage", err);
    if (r || (r = pz_new(&sorted, n_items, sizeof *sorted, "coverage", err)))
        goto done;
    for (size_t i = 0, from = 0; i < at->n; from = at->k[i++]) {
        uint64_t n_seen = 0;
        for (uint32_t c = 0; c < a->n_cases; c++)
            for (size_t k = from; k < at->k[i] && k < a->n_item[c]; k++)
                count[a->item[(size_t)c * a->room + k]]++;
        memcpy(sorted, count, n_items * sizeof *count);
        for (uint32_t it = 0; it < n_items; it++)
            n_seen += count[it] > 0;
        out[i] = n_items ? (double)n_seen / n_items : 0;
        out[at->n + i] = pz_gini(sorted, n_items);
    }
done:
    free(count);
    free(sorted);
    return r;
}
