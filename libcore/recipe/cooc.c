#include "recipe/cooc.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/order.h"
#include "base/par.h"
#include "math/andcount.h"

enum {
    BLOCK = 64,          // ranks of the head that one task counts; 4 divides it
    SEGMENT_WORDS = 512, // 32,768 users at a time: 4 KiB a rank, 16 KiB four ranks, in L1
    HEAD_MAX = 8192,     // 256 MiB of counts
    AHEAD = 4,           // users whose lists are fetched before they are needed
};

void
pz_cooc_release(struct pz_cooc *c)
{
    free(c->from);
    free(c->rank_of);
    free(c->item_of);
    free(c->item_offsets);
    free(c->item_user);
    free(c->user_offsets);
    free(c->user_rank);
    free(c->tail_offsets);
    free(c->tail_rank);
    free(c->head);
    free(c->user_bits);
    *c = (struct pz_cooc){0};
}

uint32_t
pz_cooc_users(const struct pz_cooc *c, uint32_t r)
{
    return (uint32_t)(c->item_offsets[r + 1] - c->item_offsets[r]);
}

const uint32_t *
pz_cooc_head(const struct pz_cooc *c, uint32_t r)
{
    return c->head + (size_t)r * c->n_head;
}

/* ---- both sides as lists ---- */

/* Where each user's events begin to count, and the distinct users of each item;
 * stamp[item] is the last user seen, plus one. */
static void
count_distinct(struct pz_cooc *c, const struct pz_events *e, struct pz_counted *p,
               uint32_t *stamp)
{
    for (uint32_t it = 0; it < e->n_items; it++)
        p[it].id = it;
    for (uint32_t u = 0; u < e->n_users; u++) {
        uint64_t n = 0, i = e->offsets[u + 1];
        for (; i > e->offsets[u]; i--) {
            uint32_t it = e->item[i - 1];
            if (stamp[it] == u + 1)
                continue;
            if (n == PZ_COOC_MOST)
                break;
            stamp[it] = u + 1;
            p[it].n++;
            n++;
        }
        c->from[u] = i;
        c->user_offsets[u + 1] = c->user_offsets[u] + n;
        c->work_naive += (double)n * (double)n;
    }
    c->n_pairs = c->user_offsets[e->n_users];
}

static int
number_ranks(struct pz_cooc *c, struct pz_counted *p, struct pz_err *err)
{
    qsort(p, c->n_items, sizeof *p, pz_order_most_first);
    while (c->n_ranks < c->n_items && p[c->n_ranks].n > 0)
        c->n_ranks++;
    int r = pz_new(&c->item_of, c->n_ranks, sizeof *c->item_of, "item ranks", err);
    if (r == PZ_OK)
        r = pz_new(&c->item_offsets, (size_t)c->n_ranks + 1, sizeof *c->item_offsets,
                   "item ranks", err);
    if (r)
        return r;
    memset(c->rank_of, 0xff, c->n_items * sizeof *c->rank_of);
    for (uint32_t i = 0; i < c->n_ranks; i++) {
        c->item_of[i] = p[i].id;
        c->rank_of[p[i].id] = i;
        c->item_offsets[i + 1] = c->item_offsets[i] + p[i].n;
    }
    return PZ_OK;
}

/* The users of each rank, ascending because users are walked in order. */
static void
fill_items(struct pz_cooc *c, const struct pz_events *e, uint32_t *stamp, uint64_t *at)
{
    memset(stamp, 0, c->n_items * sizeof *stamp);
    memcpy(at, c->item_offsets, c->n_ranks * sizeof *at);
    for (uint32_t u = 0; u < e->n_users; u++)
        for (uint64_t i = c->from[u]; i < e->offsets[u + 1]; i++) {
            uint32_t it = e->item[i];
            if (stamp[it] == u + 1)
                continue;
            stamp[it] = u + 1;
            c->item_user[at[c->rank_of[it]]++] = u;
        }
}

/* What ending the head somewhere leaves to do, in additions to a counter. */
struct cut_off {
    double steps;       // 512-bit steps of a pair of the head
    double left;        // events outside the head
    double tail_pairs;  // sum over users of t * t, t the user's items outside
    double mixed_pairs; // sum over users of t * n
};

static double
cost_at(const struct pz_cooc *c, const struct cut_off *k, uint32_t head, bool *with_bits)
{
    double pairs = (double)head * head / 2, words = (head + 511) / 512 * 8;
    double rows = (double)c->n_ranks - head, fixed = pairs * (k->steps + 4);
    double bits = k->left * (20 + words) + k->tail_pairs + rows * head / 2;
    *with_bits = bits < k->mixed_pairs &&
                 words * 8 * c->n_users <= 64e6 + 8.0 * (double)c->n_pairs;
    return fixed * pz_andcount_cost() + (*with_bits ? bits : k->mixed_pairs) +
           (rows > 0 ? rows * head : 0);
}

/*
 * The ranks of each user, ascending because ranks are walked in order, and meanwhile
 * where the head is best ended. With h of the user's n items in the head, t = n - h: one
 * more takes 2t - 1 from t * t, and n from t * n.
 */
static uint32_t
fill_users(struct pz_cooc *c, uint32_t *had, uint32_t wanted)
{
    struct cut_off k = {ceil((double)c->n_users / 512), (double)c->n_pairs, c->work_naive,
                        c->work_naive};
    double least = INFINITY;
    uint32_t best = 0;
    memset(had, 0, c->n_users * sizeof *had);
    for (uint32_t r = 0;; r++) {
        if (r % BLOCK == 0 || r == c->n_ranks) {
            uint32_t head = (r + BLOCK - 1) / BLOCK * BLOCK;
            bool with_bits;
            double total = cost_at(c, &k, head, &with_bits);
            if (wanted == UINT32_MAX ? head <= HEAD_MAX && total < least
                                     : head <= wanted) {
                best = head;
                least = total;
                c->words = with_bits || wanted != UINT32_MAX ? (head + 511) / 512 * 8 : 0;
                c->work_sparse = with_bits ? k.tail_pairs : k.mixed_pairs;
                c->work_bits = (double)head * head / 2 * k.steps;
            }
        }
        if (r == c->n_ranks)
            return best;
        k.left -= pz_cooc_users(c, r);
        for (uint64_t i = c->item_offsets[r]; i < c->item_offsets[r + 1]; i++) {
            uint32_t u = c->item_user[i];
            double n = (double)(c->user_offsets[u + 1] - c->user_offsets[u]);
            c->user_rank[c->user_offsets[u] + had[u]] = r;
            k.tail_pairs -= 2 * (n - had[u]++) - 1;
            k.mixed_pairs -= n;
        }
    }
}

/* What lies outside the head, close together: few numbers that are read often. */
static int
fill_tail(struct pz_cooc *c, struct pz_err *err)
{
    for (uint32_t u = 0; u < c->n_users; u++) {
        uint64_t end = c->user_offsets[u + 1], i = end;
        while (i > c->user_offsets[u] && c->user_rank[i - 1] >= c->n_head)
            i--;
        c->tail_offsets[u + 1] = c->tail_offsets[u] + (end - i);
    }
    uint64_t n = c->tail_offsets[c->n_users];
    int r = pz_new_aligned(&c->tail_rank, n, sizeof *c->tail_rank, "rare items", err);
    if (r)
        return r;
    for (uint32_t u = 0; u < c->n_users; u++) {
        uint64_t len = c->tail_offsets[u + 1] - c->tail_offsets[u];
        memcpy(c->tail_rank + c->tail_offsets[u],
               c->user_rank + c->user_offsets[u + 1] - len, len * sizeof *c->tail_rank);
    }
    return PZ_OK;
}

/* What lies inside, as bits. */
static int
fill_bits(struct pz_cooc *c, struct pz_err *err)
{
    static const char what[] = "popular items of users";
    size_t n;
    if (c->words == 0)
        return PZ_OK;
    if (!pz_size_mul(c->n_users, c->words, &n))
        return pz_err_nomem(err, what, SIZE_MAX);
    int r = pz_new_aligned(&c->user_bits, n, sizeof *c->user_bits, what, err);
    if (r)
        return r;
    memset(c->user_bits, 0, n * sizeof *c->user_bits);
    for (uint32_t u = 0; u < c->n_users; u++) {
        uint64_t *bits = c->user_bits + u * c->words, end = c->user_offsets[u + 1];
        for (uint64_t i = c->user_offsets[u]; i < end && c->user_rank[i] < c->n_head; i++)
            bits[c->user_rank[i] / 64] |= UINT64_C(1) << c->user_rank[i] % 64;
    }
    return PZ_OK;
}

static int
make_lists(struct pz_cooc *c, const struct pz_events *e, uint32_t n_head,
           struct pz_err *err)
{
    struct pz_counted *p = NULL;
    uint32_t *stamp = NULL, *had = NULL;
    uint64_t *at = NULL;
    int r;
    if ((r = pz_new(&p, e->n_items, sizeof *p, "item counts", err)) ||
        (r = pz_new(&stamp, e->n_items, sizeof *stamp, "item counts", err)) ||
        (r = pz_new(&at, e->n_items, sizeof *at, "item counts", err)) ||
        (r = pz_new(&had, e->n_users, sizeof *had, "user counts", err)) ||
        (r = pz_new(&c->from, e->n_users, sizeof *c->from, "user offsets", err)) ||
        (r = pz_new(&c->rank_of, e->n_items, sizeof *c->rank_of, "item ranks", err)) ||
        (r = pz_new(&c->user_offsets, (size_t)e->n_users + 1, sizeof *c->user_offsets,
                    "user offsets", err)) ||
        (r = pz_new(&c->tail_offsets, (size_t)e->n_users + 1, sizeof *c->tail_offsets,
                    "user offsets", err)))
        goto done;
    count_distinct(c, e, p, stamp);
    if ((r = number_ranks(c, p, err)) ||
        (r = pz_new_aligned(&c->item_user, c->n_pairs, sizeof *c->item_user,
                            "users of items", err)) ||
        (r = pz_new_aligned(&c->user_rank, c->n_pairs, sizeof *c->user_rank,
                            "items of users", err)))
        goto done;
    fill_items(c, e, stamp, at);
    c->n_head = fill_users(c, had, n_head);
    r = fill_tail(c, err);
    if (r == PZ_OK)
        r = fill_bits(c, err);
done:
    free(p);
    free(stamp);
    free(at);
    free(had);
    return r;
}

/* ---- the head ---- */

struct head_job {
    const struct pz_cooc *c;
    uint32_t *count;  // n_head x n_head; a block's columns up to its own end
    uint64_t *bits;   // n_head x SEGMENT_WORDS
    uint64_t *cursor; // per rank: the first user not yet in a segment
    uint32_t segment; // number of the segment
    size_t n_words;   // of the segment
    pz_andcount_fn *andcount;
};

/* The bit sets of one block of ranks for the users of the segment. */
static int
set_bits(void *ctx, size_t task, int thread, struct pz_err *err)
{
    (void)thread;
    (void)err;
    struct head_job *job = ctx;
    const struct pz_cooc *c = job->c;
    uint64_t first = (uint64_t)job->segment * SEGMENT_WORDS * 64;
    uint64_t end = first + (uint64_t)SEGMENT_WORDS * 64;
    for (size_t r = task * BLOCK; r < (task + 1) * BLOCK; r++) {
        uint64_t *row = job->bits + r * SEGMENT_WORDS;
        memset(row, 0, job->n_words * sizeof *row);
        if (r >= c->n_ranks) // the head is a multiple of BLOCK, the ranks need not be
            continue;
        uint64_t i = job->cursor[r];
        for (; i < c->item_offsets[r + 1] && c->item_user[i] < end; i++) {
            uint64_t u = c->item_user[i] - first;
            row[u / 64] |= UINT64_C(1) << u % 64;
        }
        job->cursor[r] = i;
    }
    return PZ_OK;
}

/* One block of ranks against all before it and itself; the largest blocks come first. */
static int
count_block(void *ctx, size_t task, int thread, struct pz_err *err)
{
    (void)thread;
    (void)err;
    struct head_job *job = ctx;
    size_t n = job->c->n_head, first = n - (task + 1) * BLOCK;
    for (size_t j = 0; j < first + BLOCK; j += 4)
        for (size_t i = first; i < first + BLOCK; i += 4)
            job->andcount(job->bits + i * SEGMENT_WORDS, job->bits + j * SEGMENT_WORDS,
                          SEGMENT_WORDS, job->n_words, job->count + i * n + j, n);
    return PZ_OK;
}

/* Copies what is left of the diagonal to what is right of it, for one block of rows. */
static int
mirror_block(void *ctx, size_t task, int thread, struct pz_err *err)
{
    (void)thread;
    (void)err;
    struct head_job *job = ctx;
    size_t n = job->c->n_head, first = task * BLOCK;
    for (size_t from = first + BLOCK; from < n; from += BLOCK)
        for (size_t i = first; i < first + BLOCK; i++)
            for (size_t j = from; j < from + BLOCK; j++)
                job->count[i * n + j] = job->count[j * n + i];
    return PZ_OK;
}

static int
count_head(struct pz_cooc *c, int threads, struct pz_err *err)
{
    struct head_job job = {.c = c, .andcount = pz_andcount()};
    size_t n = c->n_head, n_blocks = n / BLOCK;
    size_t n_segments =
        ((size_t)c->n_users + SEGMENT_WORDS * 64 - 1) / (SEGMENT_WORDS * 64);
    int r;
    if (n == 0)
        return PZ_OK;
    if ((r = pz_new(&c->head, n * n, sizeof *c->head, "counts of popular pairs", err)) ||
        (r = pz_new_aligned(&job.bits, n * SEGMENT_WORDS, sizeof *job.bits, "user sets",
                            err)) ||
        (r = pz_new(&job.cursor, n, sizeof *job.cursor, "user sets", err)))
        goto done;
    job.count = c->head;
    memcpy(job.cursor, c->item_offsets,
           (n < c->n_ranks ? n : c->n_ranks) * sizeof *job.cursor);
    for (size_t s = 0; s < n_segments && r == PZ_OK; s++) {
        size_t left = c->n_users - s * SEGMENT_WORDS * 64;
        size_t words = (left + 511) / 512 * 8;
        job.segment = (uint32_t)s;
        job.n_words = words < SEGMENT_WORDS ? words : SEGMENT_WORDS;
        pz_progress("popular pairs", s, n_segments);
        r = pz_par(threads, n_blocks, set_bits, &job, err);
        if (r == PZ_OK)
            r = pz_par(threads, n_blocks, count_block, &job, err);
    }
    pz_progress("popular pairs", n_segments, n_segments);
    if (r == PZ_OK)
        r = pz_par(threads, n_blocks, mirror_block, &job, err);
done:
    free(job.bits);
    free(job.cursor);
    return r;
}

int
pz_cooc_build(struct pz_cooc *c, const struct pz_events *e, uint32_t n_head, int threads,
              struct pz_err *err)
{
    *c = (struct pz_cooc){.n_users = e->n_users, .n_items = e->n_items};
    int r = make_lists(c, e, n_head, err);
    if (r == PZ_OK)
        r = count_head(c, pz_threads(threads), err);
    if (r)
        pz_cooc_release(c);
    return r;
}

/* ---- rows ---- */

enum { PLANES = 32 };

/* Counts there is room for: those of the ranks, and what is read from whole words. */
static size_t
row_length(const struct pz_cooc *c)
{
    size_t bits = c->words * 64;
    return (c->n_ranks > bits ? c->n_ranks : bits) + 1;
}

int
pz_cooc_row_new(struct pz_cooc_row *row, const struct pz_cooc *c, struct pz_err *err)
{
    *row = (struct pz_cooc_row){0};
    size_t n = row_length(c);
    int r = pz_new(&row->count, n, sizeof *row->count, "a row of counts", err);
    if (r == PZ_OK)
        r = pz_new(&row->touched, n, sizeof *row->touched, "a row of counts", err);
    if (r == PZ_OK)
        r = pz_new_aligned(&row->plane, PLANES * c->words, sizeof *row->plane,
                           "a row of counts", err);
    if (r)
        pz_cooc_row_release(row);
    return r;
}

void
pz_cooc_row_release(struct pz_cooc_row *row)
{
    free(row->count);
    free(row->touched);
    free(row->plane);
    *row = (struct pz_cooc_row){0};
}

/* Adds one for every entry of the users' lists. */
static void
add_lists(uint32_t *count, const uint32_t *user, size_t n, const uint64_t *offsets,
          const uint32_t *rank)
{
    for (size_t k = 0; k < n; k++) {
        uint32_t u = user[k];
        if (k + AHEAD < n)
            __builtin_prefetch(&rank[offsets[user[k + AHEAD]]]);
        for (const uint32_t *r = rank + offsets[u], *end = rank + offsets[u + 1]; r < end;
             r++)
            count[*r]++;
    }
}

/* The same with a list of what is no longer 0; returns its length. */
static uint32_t
add_listed(uint32_t *count, uint32_t *touched, const uint32_t *user, size_t n,
           const uint64_t *offsets, const uint32_t *rank)
{
    uint32_t n_touched = 0;
    for (size_t k = 0; k < n; k++) {
        uint32_t u = user[k];
        for (const uint32_t *r = rank + offsets[u], *end = rank + offsets[u + 1]; r < end;
             r++) {
            touched[n_touched] = *r;
            n_touched += count[*r]++ == 0;
        }
    }
    return n_touched;
}

/* The item's users, added up by their bits for the head; then the rest by lists. */
static void
add_bits(struct pz_cooc_row *row, const struct pz_cooc *c, const uint32_t *user, size_t n)
{
    size_t n_planes = 64 - (size_t)__builtin_clzll(n);
    memset(row->plane, 0, n_planes * c->words * sizeof *row->plane);
    pz_bitsum_add(row->plane, n_planes, c->words, c->user_bits, user, n);
    pz_bitsum_read(row->plane, n_planes, c->words, row->count);
    add_lists(row->count, user, n, c->tail_offsets, c->tail_rank);
}

void
pz_cooc_row_count(struct pz_cooc_row *row, const struct pz_cooc *c, uint32_t r)
{
    const uint32_t *user = c->item_user + c->item_offsets[r];
    size_t n = pz_cooc_users(c, r);
    uint64_t adds = 0;
    for (size_t k = 0; k < n; k++)
        adds += c->user_offsets[user[k] + 1] - c->user_offsets[user[k]];
    row->listed = adds < c->n_ranks / 8;
    if (row->listed)
        row->n_touched =
            add_listed(row->count, row->touched, user, n, c->user_offsets, c->user_rank);
    else if (c->user_bits)
        add_bits(row, c, user, n);
    else
        add_lists(row->count, user, n, c->user_offsets, c->user_rank);
}

void
pz_cooc_row_clear(struct pz_cooc_row *row, const struct pz_cooc *c)
{
    if (row->listed) {
        for (uint32_t k = 0; k < row->n_touched; k++)
            row->count[row->touched[k]] = 0;
    } else {
        memset(row->count, 0, row_length(c) * sizeof *row->count);
    }
}
