#include "math/topn.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "math/kernels.h"
#include "math/keys.h"

enum {
    BLOCK = 512,    // rows scored before they are looked at; a multiple of PZ_PACK
    TOGETHER = 144, // queries of a packed block: their scores stay in the L2 cache
    FIRST = 64,     // rows looked at at a time while there is no threshold yet
    SLACK = 32,     // candidates kept beyond 2n before they are cut down to n
};

_Static_assert((int)BLOCK >= (int)PZ_MAX_D,
               "begin() keeps a vector where a block's scores go");

/* The best so far of one query. */
struct best {
    uint64_t *key; // score and row in one: greater is better
    size_t len;
    float threshold;            // the n-th best; a later row must exceed it
    float top;                  // greatest score of all rows
    double sum;                 // of exp(rate * (score - top))
    uint64_t *excluded;         // a bit a row, or NULL
    uint32_t *raised;           // ascending, distinct, or NULL
    size_t n_raised, at_raised; // the next one that a block may hold
};

struct scan {
    const struct pz_kernels *k;
    const float *table;
    const uint32_t *list;
    size_t n_rows, d;
    float rate;
    struct pz_topn *q;
    size_t n_q;
    struct best best[TOGETHER];
    float *tiled, *packed, *score; // d x n_q, d x PZ_PACK, n_q x BLOCK
};

static void
keep_best(struct best *b, size_t n)
{
    if (b->len > n) {
        pz_keys_cut(b->key, b->len, n);
        b->len = n;
    }
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < b->len; i++)
        least = b->key[i] < least ? b->key[i] : least;
    if (b->len == n)
        b->threshold = pz_key_score(least);
}

/* Raises what is to be raised among the n rows from place `at` on. */
static void
raise_block(struct scan *s, size_t which, size_t at, size_t n)
{
    struct best *b = &s->best[which];
    float *score = s->score + which * BLOCK;
    size_t place = at;
    for (; b->at_raised < b->n_raised; b->at_raised++) {
        uint32_t row = b->raised[b->at_raised];
        if (!s->list)
            place = row;
        while (s->list && place < at + n && s->list[place] < row)
            place++;
        if (place >= at + n)
            return; // of a later block
        if (!s->list || s->list[place] == row)
            score[place - at] += s->q[which].raise;
    }
}

/* Looks at n scores (padded with -INFINITY to whole lanes), those from place `at` on. */
static void
take_block(struct scan *s, size_t which, size_t at, size_t n)
{
    const struct pz_topn *q = &s->q[which];
    struct best *b = &s->best[which];
    const float *score = s->score + which * BLOCK;
    float top = s->k->greatest(score, PZ_PAD(n));
    if (s->rate > 0) {
        if (top > b->top) {
            b->sum *= exp((double)s->rate * ((double)b->top - (double)top));
            b->top = top;
        }
        b->sum += s->k->sum_exp(score, PZ_PAD(n), b->top, s->rate);
    }
    if (!(top > b->threshold) || !q->n)
        return;
    uint32_t hit[BLOCK];
    for (size_t from = 0; from < PZ_PAD(n);) {
        size_t step = b->threshold > -INFINITY ? PZ_PAD(n) - from : FIRST;
        step = step < PZ_PAD(n) - from ? step : PZ_PAD(n) - from;
        size_t n_hits = s->k->above(hit, score + from, step, b->threshold);
        for (size_t h = 0; h < n_hits; h++) {
            size_t place = at + from + hit[h];
            uint32_t row = s->list ? s->list[place] : (uint32_t)place;
            if (q->allow && !(q->allow[row / 64] >> row % 64 & 1))
                continue;
            if (b->excluded && b->excluded[row / 64] >> row % 64 & 1)
                continue;
            b->key[b->len++] = pz_key(score[from + hit[h]], row);
        }
        if (b->len >= 2 * q->n + SLACK)
            keep_best(b, q->n);
        from += step;
    }
}

/* Scores rows [at, at+n) for all queries into s->score. */
static void
score_block(const struct scan *s, size_t at, size_t n)
{
    for (size_t i = 0; i < n; i += PZ_PACK) {
        size_t rows = n - i < PZ_PACK ? n - i : PZ_PACK;
        const float *from = s->list ? s->table : s->table + (at + i) * s->d;
        s->k->pack(s->packed, from, s->list ? s->list + at + i : NULL, rows, s->d);
        s->k->score(s->score + i, BLOCK, s->packed, s->tiled, s->n_q, s->d);
    }
    for (size_t v = 0; v < s->n_q; v++)
        for (size_t i = n; i < PZ_PAD(n); i++)
            s->score[v * BLOCK + i] = -INFINITY;
}

/* Hands out what a query found. */
static void
finish(struct scan *s, size_t which)
{
    struct pz_topn *q = &s->q[which];
    struct best *b = &s->best[which];
    if (b->len > q->n)
        keep_best(b, q->n);
    pz_keys_sort(b->key, b->len);
    q->n_out = b->len;
    for (size_t i = 0; i < b->len; i++) {
        q->row[i] = ~(uint32_t)b->key[i];
        q->score[i] = pz_key_score(b->key[i]);
        if (s->rate > 0)
            q->score[i] =
                (float)(exp((double)s->rate * ((double)q->score[i] - (double)b->top)) /
                        b->sum);
    }
}

/* Sorts n numbers up to `most` by their bytes, the lowest first; t has room for n. */
static void
sort_numbers(uint32_t *a, uint32_t *t, size_t n, size_t most)
{
    for (unsigned shift = 0; shift < 32 && most >> shift; shift += 8) {
        size_t count[257] = {0};
        for (size_t i = 0; i < n; i++)
            count[(a[i] >> shift & 255) + 1]++;
        for (size_t i = 0; i < 256; i++)
            count[i + 1] += count[i];
        for (size_t i = 0; i < n; i++)
            t[count[a[i] >> shift & 255]++] = a[i];
        memcpy(a, t, n * sizeof *a);
    }
}

/* The rows to be raised, ascending and once each. */
static int
begin_raised(const struct scan *s, const struct pz_topn *q, struct best *b,
             struct pz_err *err)
{
    if (!q->n_raised)
        return PZ_OK;
    int status = pz_new(&b->raised, 2 * q->n_raised, sizeof *b->raised, "an answer", err);
    if (status)
        return status;
    size_t n = 0, distinct = 0;
    for (size_t i = 0; i < q->n_raised; i++)
        if (q->raised[i] < s->n_rows)
            b->raised[n++] = q->raised[i];
    sort_numbers(b->raised, b->raised + q->n_raised, n, s->n_rows);
    for (size_t i = 0; i < n; i++)
        if (i == 0 || b->raised[i] != b->raised[i - 1])
            b->raised[distinct++] = b->raised[i]; // never overtakes i
    b->n_raised = distinct;
    return PZ_OK;
}

/* Memory for the queries of one pass. */
static int
begin(struct scan *s, size_t n_all, struct pz_err *err)
{
    float *tiled = s->tiled, *x = s->score; // s->score is free until the first block
    int status = PZ_OK;
    for (size_t v = 0; v < s->n_q && !status; v++) {
        const struct pz_topn *q = &s->q[v];
        struct best *b = &s->best[v];
        size_t most = q->n < n_all ? q->n : n_all;
        s->q[v].n = most;
        *b = (struct best){.threshold = -INFINITY, .top = -INFINITY};
        memcpy(x + v * s->d, q->x, s->d * sizeof *x);
        status = pz_new_aligned(&b->key, 2 * most + SLACK + BLOCK, sizeof *b->key,
                                "an answer", err);
        if (q->n_exclude && !status)
            status = pz_new(&b->excluded, s->n_rows / 64 + 1, sizeof *b->excluded,
                            "an answer", err);
        for (size_t i = 0; i < q->n_exclude && !status; i++)
            if (q->exclude[i] < s->n_rows)
                b->excluded[q->exclude[i] / 64] |= UINT64_C(1) << q->exclude[i] % 64;
        if (!status)
            status = begin_raised(s, q, b, err);
    }
    s->k->tile(tiled, x, s->n_q, s->d);
    return status;
}

int
pz_topn(const float *table, size_t n_rows, size_t d, const uint32_t *list, size_t n_list,
        double rate, struct pz_topn *q, size_t n_q, struct pz_err *err)
{
    struct scan s = {.k = pz_kernels(),
                     .table = table,
                     .list = list,
                     .n_rows = n_rows,
                     .d = d,
                     .rate = (float)rate};
    size_t n_all = list ? n_list : n_rows, most = n_q < TOGETHER ? n_q : TOGETHER;
    static const char what[] = "scores";
    int status = pz_new_aligned(&s.tiled, most * d, sizeof *s.tiled, what, err);
    if (!status)
        status = pz_new_aligned(&s.packed, PZ_PACK * d, sizeof *s.packed, what, err);
    if (!status)
        status = pz_new_aligned(&s.score, most * BLOCK, sizeof *s.score, what, err);
    for (size_t from = 0; from < n_q && !status; from += TOGETHER) {
        s.q = q + from;
        s.n_q = n_q - from < TOGETHER ? n_q - from : TOGETHER;
        memset(s.best, 0, sizeof s.best);
        status = begin(&s, n_all, err);
        for (size_t at = 0; at < n_all && !status; at += BLOCK) {
            size_t n = n_all - at < BLOCK ? n_all - at : BLOCK;
            score_block(&s, at, n);
            for (size_t v = 0; v < s.n_q; v++) {
                raise_block(&s, v, at, n);
                take_block(&s, v, at, n);
            }
        }
        for (size_t v = 0; v < s.n_q; v++) {
            if (!status)
                finish(&s, v);
            free(s.best[v].key);
            free(s.best[v].excluded);
            free(s.best[v].raised);
        }
    }
    free(s.tiled);
    free(s.packed);
    free(s.score);
    return status;
}
