#include "math/topn.h"

#include <float.h>
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
    LINE = 64,      // bytes of the cache's lines, near enough
    CREST = 64,     // rows whose part of the sum is made exact
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

/* Rows to be looked at by their floats, ascending, on their way into the cache, and what
 * their scores are raised by. */
struct waiting {
    size_t n;
    uint32_t row[PZ_PACK];
    float more[PZ_PACK];
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
    struct best crest[TOGETHER];   // coarse scores, of all rows
    float *tiled, *packed, *score; // d x n_q, d x PZ_PACK, n_q x BLOCK
    const struct pz_quant *quant;  // or NULL
    pz_quant_score_fn *quant_score;
    struct pz_quant_four *code; // n_q x d/4
    struct waiting *waiting;    // n_q
    struct pz_quant_query coded[TOGETHER];
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

static bool
may_return(const struct pz_topn *q, const struct best *b, uint32_t row)
{
    if (q->allow && !(q->allow[row / 64] >> row % 64 & 1))
        return false;
    return !b->excluded || !(b->excluded[row / 64] >> row % 64 & 1);
}

/* Adds n scores to the sum over all rows; their greatest. */
static float
add_block(struct scan *s, size_t which, size_t n)
{
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
    return top;
}

/* Keeps the greatest of n coarse scores, whether they may be returned or not. */
static void
crest_block(struct scan *s, size_t which, size_t at, size_t n, float top)
{
    struct best *b = &s->crest[which];
    const float *score = s->score + which * BLOCK;
    uint32_t hit[BLOCK];
    if (!b->key || !(top > b->threshold))
        return;
    size_t n_hits = s->k->above(hit, score, PZ_PAD(n), b->threshold);
    for (size_t h = 0; h < n_hits; h++)
        b->key[b->len++] = pz_key(score[hit[h]], (uint32_t)at + hit[h]);
    if (b->len >= 2 * CREST + SLACK)
        keep_best(b, CREST);
}

/* Looks at n scores (padded with -INFINITY to whole lanes), those from place `at` on. */
static void
take_block(struct scan *s, size_t which, size_t at, size_t n)
{
    const struct pz_topn *q = &s->q[which];
    struct best *b = &s->best[which];
    const float *score = s->score + which * BLOCK;
    float top = add_block(s, which, n);
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
            if (may_return(q, b, row))
                b->key[b->len++] = pz_key(score[from + hit[h]], row);
        }
        if (b->len >= 2 * q->n + SLACK)
            keep_best(b, q->n);
        from += step;
    }
}

/* Looks at the rows that wait. */
static void
take_waiting(struct scan *s, size_t which)
{
    const struct pz_topn *q = &s->q[which];
    struct best *b = &s->best[which];
    struct waiting *w = &s->waiting[which];
    float score[PZ_PACK];
    if (!w->n)
        return;
    s->k->pack(s->packed, s->table, w->row, w->n, s->d);
    s->k->score(score, PZ_PACK, s->packed, q->x, 1, s->d);
    for (size_t i = 0; i < w->n; i++) {
        score[i] += w->more[i];
        if (score[i] > b->threshold)
            b->key[b->len++] = pz_key(score[i], w->row[i]);
    }
    w->n = 0;
    if (b->len >= 2 * q->n + SLACK)
        keep_best(b, q->n);
}

static void
fetch_row(const struct scan *s, uint32_t row)
{
    const char *at = (const char *)(s->table + row * s->d);
    for (size_t k = 0; k < s->d * sizeof *s->table; k += LINE)
        __builtin_prefetch(at + k);
}

/* A row that may be among the best waits for others: one alone would cost as much as
 * PZ_PACK of them, and its way from memory besides. */
static void
let_wait(struct scan *s, size_t which, uint32_t row, float more)
{
    struct waiting *w = &s->waiting[which];
    fetch_row(s, row);
    w->row[w->n] = row;
    w->more[w->n++] = more;
    if (w->n == PZ_PACK)
        take_waiting(s, which);
}

/*
 * take_block for scores that are near the true ones. What is raised, and everything where
 * nothing is known of how near, is looked at whatever it seems to be.
 */
static void
take_coarse(struct scan *s, size_t which, size_t at, size_t n)
{
    const struct pz_topn *q = &s->q[which];
    struct best *b = &s->best[which];
    float *score = s->score + which * BLOCK;
    uint32_t hit[BLOCK];
    size_t first_raised = b->at_raised;
    raise_block(s, which, at, n);
    crest_block(s, which, at, n, add_block(s, which, n));
    if (!q->n)
        return;
    for (size_t i = 0; i < n && s->coded[which].vague; i++)
        score[i] = FLT_MAX;
    for (size_t i = first_raised; i < b->at_raised; i++)
        score[b->raised[i] - at] = INFINITY;
    for (size_t from = 0; from < PZ_PAD(n);) {
        size_t step = b->threshold > -INFINITY ? PZ_PAD(n) - from : FIRST;
        step = step < PZ_PAD(n) - from ? step : PZ_PAD(n) - from;
        size_t n_hits = s->k->reaches(hit, score + from, s->quant->scale + at + from,
                                      s->coded[which].reach, step, b->threshold);
        for (size_t h = 0; h < n_hits; h++) {
            size_t place = from + hit[h];
            if (may_return(q, b, (uint32_t)(at + place)))
                let_wait(s, which, (uint32_t)(at + place),
                         score[place] > FLT_MAX ? q->raise : 0);
        }
        if (!(b->threshold > -INFINITY))
            take_waiting(s, which);
        from += step;
    }
}

/* Scores rows [at, at+n) for all queries into s->score. */
static void
score_block(const struct scan *s, size_t at, size_t n)
{
    if (s->quant)
        s->quant_score(s->score, BLOCK, s->quant, at / PZ_QUANT_ROWS, pz_quant_groups(n),
                       s->code, s->coded, s->n_q, s->d);
    for (size_t i = 0; !s->quant && i < n; i += PZ_PACK) {
        size_t rows = n - i < PZ_PACK ? n - i : PZ_PACK;
        const float *from = s->list ? s->table : s->table + (at + i) * s->d;
        s->k->pack(s->packed, from, s->list ? s->list + at + i : NULL, rows, s->d);
        s->k->score(s->score + i, BLOCK, s->packed, s->tiled, s->n_q, s->d);
    }
    for (size_t v = 0; v < s->n_q; v++)
        for (size_t i = n; i < PZ_PAD(n); i++)
            s->score[v * BLOCK + i] = -INFINITY;
}

static bool
is_raised(const struct best *b, uint32_t row)
{
    size_t lo = 0, hi = b->n_raised;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (b->raised[mid] < row)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < b->n_raised && b->raised[lo] == row;
}

/* The rows that matter most to the sum change what their coarse scores gave it for what
 * their true ones do. */
static void
mend_sum(struct scan *s, size_t which)
{
    struct best *b = &s->best[which], *crest = &s->crest[which];
    float score[PZ_PACK];
    uint32_t row[PZ_PACK];
    if (!crest->key)
        return;
    keep_best(crest, CREST);
    pz_keys_sort(crest->key, crest->len);
    for (size_t i = 0; i < crest->len; i++)
        fetch_row(s, pz_key_number(crest->key[i]));
    for (size_t i = 0; i < crest->len; i += PZ_PACK) {
        size_t n = crest->len - i < PZ_PACK ? crest->len - i : PZ_PACK;
        for (size_t k = 0; k < n; k++)
            row[k] = pz_key_number(crest->key[i + k]);
        s->k->pack(s->packed, s->table, row, n, s->d);
        s->k->score(score, PZ_PACK, s->packed, s->q[which].x, 1, s->d);
        for (size_t k = 0; k < n; k++) {
            double was = pz_key_score(crest->key[i + k]), top = b->top;
            double is = (double)score[k] +
                        (is_raised(b, row[k]) ? (double)s->q[which].raise : 0.0);
            b->sum +=
                exp((double)s->rate * (is - top)) - exp((double)s->rate * (was - top));
        }
    }
}

void
pz_topn_shares(float *score, size_t n, double rate, double top, double sum)
{
    float below = NAN, least = 0; // the score behind, and its share
    for (size_t i = n; i-- > 0;) {
        float raw = score[i];
        float share = (float)(exp(rate * ((double)raw - top)) / sum);
        if (share < FLT_MIN && raw > -INFINITY) {
            if (raw == below || (raw > below && share <= least))
                share = raw == below ? least : nextafterf(least, INFINITY);
            else if (!(share > 0))
                share = FLT_TRUE_MIN;
        } else if (share < least && raw > below) {
            share = least; // which was lifted over FLT_MIN
        }
        score[i] = share;
        below = raw;
        least = share;
    }
}

/* Hands out what a query found. */
static void
finish(struct scan *s, size_t which)
{
    struct pz_topn *q = &s->q[which];
    struct best *b = &s->best[which];
    if (s->quant)
        take_waiting(s, which);
    mend_sum(s, which);
    if (b->len > q->n)
        keep_best(b, q->n);
    pz_keys_sort(b->key, b->len);
    q->n_out = b->len;
    for (size_t i = 0; i < b->len; i++) {
        q->row[i] = ~(uint32_t)b->key[i];
        q->score[i] = pz_key_score(b->key[i]);
    }
    if (s->rate > 0)
        pz_topn_shares(q->score, b->len, (double)s->rate, (double)b->top, b->sum);
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
        s->crest[v] = *b;
        s->crest[v].key = NULL;
        if (s->quant && s->rate > 0 && !status)
            status = pz_new_aligned(&s->crest[v].key, 2 * CREST + SLACK + BLOCK,
                                    sizeof *b->key, "an answer", err);
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
    for (size_t v = 0; s->quant && v < s->n_q; v++)
        pz_quant_query(s->code + v * (s->d / 4), &s->coded[v], s->q[v].x, s->d);
    return status;
}

/* What a scan of `most` queries at a time needs. */
static int
scan_new(struct scan *s, size_t most, struct pz_err *err)
{
    static const char what[] = "scores";
    int status = pz_new_aligned(&s->tiled, most * s->d, sizeof *s->tiled, what, err);
    if (!status)
        status = pz_new_aligned(&s->packed, PZ_PACK * s->d, sizeof *s->packed, what, err);
    if (!status)
        status = pz_new_aligned(&s->score, most * BLOCK, sizeof *s->score, what, err);
    if (!status && s->quant)
        status = pz_new_aligned(&s->code, most * (s->d / 4), sizeof *s->code, what, err);
    if (!status && s->quant)
        status = pz_new(&s->waiting, most, sizeof *s->waiting, what, err);
    return status;
}

int
pz_topn(const struct pz_topn_table *table, const uint32_t *list, size_t n_list,
        double rate, struct pz_topn *q, size_t n_q, struct pz_err *err)
{
    struct scan s = {.k = pz_kernels(),
                     .table = table->row,
                     .list = list,
                     .n_rows = table->n_rows,
                     .d = table->d,
                     .rate = (float)rate,
                     .quant = table->quant.code && !list ? &table->quant : NULL,
                     .quant_score = pz_quant_score()};
    size_t n_all = list ? n_list : s.n_rows;
    int status = scan_new(&s, n_q < TOGETHER ? n_q : TOGETHER, err);
    for (size_t from = 0; from < n_q && !status; from += TOGETHER) {
        s.q = q + from;
        s.n_q = n_q - from < TOGETHER ? n_q - from : TOGETHER;
        memset(s.best, 0, sizeof s.best);
        memset(s.crest, 0, sizeof s.crest);
        status = begin(&s, n_all, err);
        for (size_t at = 0; at < n_all && !status; at += BLOCK) {
            size_t n = n_all - at < BLOCK ? n_all - at : BLOCK;
            score_block(&s, at, n);
            for (size_t v = 0; v < s.n_q; v++) {
                if (s.quant) {
                    take_coarse(&s, v, at, n);
                } else {
                    raise_block(&s, v, at, n);
                    take_block(&s, v, at, n);
                }
            }
        }
        for (size_t v = 0; v < s.n_q; v++) {
            if (!status)
                finish(&s, v);
            free(s.best[v].key);
            free(s.crest[v].key);
            free(s.best[v].excluded);
            free(s.best[v].raised);
        }
    }
    free(s.tiled);
    free(s.packed);
    free(s.score);
    free(s.code);
    free(s.waiting);
    return status;
}
