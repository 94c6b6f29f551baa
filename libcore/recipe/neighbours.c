#include "recipe/neighbours.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/par.h"
#include "math/keys.h"
#include "recipe/cooc.h"
#include "recipe/near.h"

enum {
    TAIL_TASK = 16,   // ranks outside the head that a task counts
    TAIL_BLOCK = 512, // ranks outside the head between two turns of the head
    HEAD_TASK = 64,   // ranks of the head
};

/* pz_key() of a score above 0, for the innermost loop. */
static inline uint64_t
key_of(float score, uint32_t item)
{
    uint32_t bits;
    memcpy(&bits, &score, sizeof bits);
    return (uint64_t)(bits | UINT32_C(1) << 31) << 32 | (uint32_t)~item;
}

struct job {
    const struct pz_cooc *cooc;
    size_t keep;
    uint32_t least;
    double shrinkage;
    const struct pz_near *near; // NULL: closeness does not count
    float closeness;
    float *weight;         // per rank: n_j^-p
    const uint8_t *hidden; // per item, or NULL
    float *trust;          // per count below n_trust: c * c / (c + h)
    uint32_t n_trust;
    uint64_t *len;          // per item: of its row
    struct part_rows *rows; // of each task: first the tail's, then the head's
    size_t n_tail_parts, n_head_parts;
    struct pz_best *head;    // of each rank of the head
    uint64_t *head_key;      // their keys
    uint32_t first, n_block; // the ranks of the block
    uint32_t *block;         // n_block x n_head: their counts with the head
    float *near_block;       // the same: what pairs (head, block) gain
    struct scratch *scratch; // per thread
    int n_threads;
};

/* Rows one behind the other. */
struct part_rows {
    uint32_t *item;
    float *score;
    size_t n, cap;
};

struct scratch {
    struct pz_cooc_row row;
    struct pz_best best;
    struct pz_near_row near;
};

static float
trust_of(uint32_t c, double h)
{
    return (float)((double)c * ((double)c / ((double)c + h)));
}

/* To the row of rank r the rank j, with c common users and what the pair gains by being
 * near. */
static inline void
offer(const struct job *job, struct pz_best *b, uint32_t r, uint32_t j, uint32_t c,
      float gain)
{
    if (job->hidden && job->hidden[job->cooc->item_of[j]] &&
        !job->hidden[job->cooc->item_of[r]])
        return;
    float s = c < job->n_trust ? job->trust[c] : trust_of(c, job->shrinkage);
    if (gain > 0)
        s *= 1 + job->closeness * gain / (float)c;
    pz_best_offer(b, key_of(s * job->weight[j], job->cooc->item_of[j]));
}

/* Sorts what was kept for rank r and puts it behind the rows of a part. */
static int
emit(const struct job *job, struct pz_best *b, uint32_t r, struct part_rows *p,
     struct pz_err *err)
{
    pz_best_sort(b);
    size_t cap = p->cap, same = p->cap;
    int status =
        pz_grow(&p->item, &cap, p->n + b->n, sizeof *p->item, "related items", err);
    if (status == PZ_OK)
        status = pz_grow(&p->score, &same, p->n + b->n, sizeof *p->score, "related items",
                         err);
    if (status)
        return status;
    p->cap = cap;
    for (size_t i = 0; i < b->n; i++, p->n++) {
        p->item[p->n] = pz_key_number(b->key[i]);
        p->score[p->n] = pz_key_score(b->key[i]);
    }
    job->len[job->cooc->item_of[r]] = b->n;
    return PZ_OK;
}

/* ---- tasks ---- */

static uint32_t
end_of(uint32_t first, uint32_t length, uint32_t limit)
{
    return limit - first < length ? limit : first + length;
}

/* Ranks of the head that have a user. */
static uint32_t
head_length(const struct pz_cooc *c)
{
    return c->n_head < c->n_ranks ? c->n_head : c->n_ranks;
}

/* The head's neighbours within the head. */
static int
start_head(void *ctx, size_t task, int thread, struct pz_err *err)
{
    (void)err;
    const struct job *job = ctx;
    struct pz_near_row *near = &job->scratch[thread].near;
    uint32_t n = head_length(job->cooc), first = (uint32_t)task * HEAD_TASK;
    for (uint32_t r = first; r < end_of(first, HEAD_TASK, n); r++) {
        const uint32_t *count = pz_cooc_head(job->cooc, r);
        struct pz_best *b = &job->head[r];
        *b = (struct pz_best){job->head_key + (size_t)r * 2 * job->keep, 0, job->keep, 0};
        if (job->near)
            pz_near_row_add(near, job->near, r, false);
        for (uint32_t j = 0; j < n; j++)
            if (count[j] >= job->least && j != r)
                offer(job, b, r, j, count[j], job->near ? near->gain[j] : 0);
        if (job->near)
            pz_near_row_clear(near);
    }
    return PZ_OK;
}

/* Rows of ranks outside the head, which also leave their counts for the head's. */
static int
find_tail(void *ctx, size_t task, int thread, struct pz_err *err)
{
    struct job *job = ctx;
    const struct pz_cooc *c = job->cooc;
    struct scratch *s = &job->scratch[thread];
    uint32_t first = job->first + (uint32_t)task * TAIL_TASK;
    uint32_t end = end_of(first, TAIL_TASK, job->first + job->n_block);
    struct part_rows *part = &job->rows[(first - c->n_head) / TAIL_TASK];
    for (uint32_t r = first; r < end; r++) {
        pz_cooc_row_count(&s->row, c, r);
        if (job->near)
            pz_near_row_add(&s->near, job->near, r, true);
        uint32_t *count = s->row.count;
        s->best = (struct pz_best){.key = s->best.key, .most = job->keep};
        if (s->row.listed) {
            for (uint32_t k = 0; k < s->row.n_touched; k++) {
                uint32_t j = s->row.touched[k];
                if (count[j] >= job->least && j != r)
                    offer(job, &s->best, r, j, count[j], job->near ? s->near.gain[j] : 0);
            }
        } else {
            for (uint32_t j = 0; j < c->n_ranks; j++)
                if (count[j] >= job->least && j != r)
                    offer(job, &s->best, r, j, count[j], job->near ? s->near.gain[j] : 0);
        }
        memcpy(job->block + (size_t)(r - job->first) * c->n_head, count,
               c->n_head * sizeof *count);
        pz_cooc_row_clear(&s->row, c);
        if (job->near) {
            memcpy(job->near_block + (size_t)(r - job->first) * c->n_head, s->near.back,
                   head_length(c) * sizeof *s->near.back);
            pz_near_row_clear(&s->near);
        }
        if (emit(job, &s->best, r, part, err) != PZ_OK)
            return err->status;
    }
    return PZ_OK;
}

/* The block's counts as seen from the head. */
static int
offer_head(void *ctx, size_t task, int thread, struct pz_err *err)
{
    (void)thread;
    (void)err;
    const struct job *job = ctx;
    const struct pz_cooc *c = job->cooc;
    uint32_t first = (uint32_t)task * HEAD_TASK;
    uint32_t end = end_of(first, HEAD_TASK, head_length(c));
    for (uint32_t k = 0; k < job->n_block; k++) {
        const uint32_t *count = job->block + (size_t)k * c->n_head;
        const float *near = job->near ? job->near_block + (size_t)k * c->n_head : NULL;
        for (uint32_t r = first; r < end; r++)
            if (count[r] >= job->least)
                offer(job, &job->head[r], r, job->first + k, count[r],
                      near ? near[r] : 0);
    }
    return PZ_OK;
}

static int
finish_head(void *ctx, size_t task, int thread, struct pz_err *err)
{
    (void)thread;
    const struct job *job = ctx;
    struct part_rows *part = &job->rows[job->n_tail_parts + task];
    uint32_t first = (uint32_t)task * HEAD_TASK;
    for (uint32_t r = first; r < end_of(first, HEAD_TASK, head_length(job->cooc)); r++)
        if (emit(job, &job->head[r], r, part, err) != PZ_OK)
            return err->status;
    return PZ_OK;
}

/* ---- all of it ---- */

static int
prepare(struct job *job, const struct pz_events *e, double discount, struct pz_err *err)
{
    const struct pz_cooc *c = job->cooc;
    uint32_t n_head = head_length(c), n_tail = c->n_ranks - n_head;
    uint32_t most = c->n_ranks ? pz_cooc_users(c, 0) : 0;
    job->n_trust = (most < 1u << 20 ? most : 1u << 20) + 1;
    job->n_tail_parts = (n_tail + TAIL_TASK - 1) / TAIL_TASK;
    job->n_head_parts = (n_head + HEAD_TASK - 1) / HEAD_TASK;
    if (job->keep > c->n_ranks) // no row is longer, and the room for keys need not be
        job->keep = c->n_ranks ? c->n_ranks : 1;
    if (pz_new(&job->weight, c->n_ranks, sizeof *job->weight, "item weights", err) ||
        pz_new(&job->trust, job->n_trust, sizeof *job->trust, "count weights", err) ||
        pz_new(&job->len, e->n_items, sizeof *job->len, "row lengths", err) ||
        pz_new(&job->rows, job->n_tail_parts + job->n_head_parts, sizeof *job->rows,
               "rows", err) ||
        pz_new(&job->head, n_head, sizeof *job->head, "popular rows", err) ||
        pz_new_aligned(&job->head_key, (size_t)n_head * 2 * job->keep,
                       sizeof *job->head_key, "popular rows", err) ||
        pz_new_aligned(&job->block, (size_t)TAIL_BLOCK * c->n_head, sizeof *job->block,
                       "a block of counts", err) ||
        pz_new(&job->scratch, (size_t)job->n_threads, sizeof *job->scratch, "threads",
               err))
        return err->status;
    if (job->near && pz_new_aligned(&job->near_block, (size_t)TAIL_BLOCK * c->n_head,
                                    sizeof *job->near_block, "a block of gains", err))
        return err->status;
    for (int i = 0; i < job->n_threads; i++) {
        struct scratch *s = &job->scratch[i];
        if (pz_cooc_row_new(&s->row, c, err) ||
            pz_new_aligned(&s->best.key, 2 * job->keep, sizeof(uint64_t), "candidates",
                           err))
            return err->status;
        if (job->near && pz_near_row_new(&s->near, c, err))
            return err->status;
    }
    for (uint32_t r = 0; r < c->n_ranks; r++)
        job->weight[r] = (float)pow(pz_cooc_users(c, r), -discount);
    for (uint32_t k = 1; k < job->n_trust; k++)
        job->trust[k] = trust_of(k, job->shrinkage);
    return PZ_OK;
}

static int
find_rows(struct job *job, struct pz_err *err)
{
    static const char stage[] = "related items";
    const struct pz_cooc *c = job->cooc;
    int n = job->n_threads;
    int r = pz_par(n, job->n_head_parts, start_head, job, err);
    for (job->first = c->n_head; r == PZ_OK && job->first < c->n_ranks;
         job->first += TAIL_BLOCK) {
        job->n_block = end_of(job->first, TAIL_BLOCK, c->n_ranks) - job->first;
        pz_progress(stage, job->first, c->n_ranks);
        r = pz_par(n, (job->n_block + TAIL_TASK - 1) / TAIL_TASK, find_tail, job, err);
        if (r == PZ_OK)
            r = pz_par(n, job->n_head_parts, offer_head, job, err);
    }
    pz_progress(stage, 1, 1);
    return r ? r : pz_par(n, job->n_head_parts, finish_head, job, err);
}

/* Copies the rows of part k, ranks first..end, to where their items are. */
static void
place(const struct job *job, size_t k, uint32_t first, uint32_t end,
      struct pz_neighbours *out)
{
    struct part_rows *p = &job->rows[k];
    size_t at = 0;
    for (uint32_t r = first; r < end; r++) {
        uint32_t it = job->cooc->item_of[r];
        if (job->len[it] == 0)
            continue;
        memcpy(out->item + out->offsets[it], p->item + at,
               job->len[it] * sizeof *p->item);
        memcpy(out->score + out->offsets[it], p->score + at,
               job->len[it] * sizeof *p->score);
        at += job->len[it];
    }
    free(p->item);
    free(p->score);
    *p = (struct part_rows){0};
}

static int
collect(const struct job *job, uint32_t n_items, struct pz_neighbours *out,
        struct pz_err *err)
{
    const struct pz_cooc *c = job->cooc;
    if (pz_new(&out->offsets, (size_t)n_items + 1, sizeof *out->offsets, "related items",
               err))
        return err->status;
    for (uint32_t it = 0; it < n_items; it++)
        out->offsets[it + 1] = out->offsets[it] + job->len[it];
    out->n = out->offsets[n_items];
    if (pz_new_aligned(&out->item, out->n, sizeof *out->item, "related items", err) ||
        pz_new_aligned(&out->score, out->n, sizeof *out->score, "related items", err))
        return err->status;
    for (size_t k = 0; k < job->n_tail_parts; k++) {
        uint32_t first = c->n_head + (uint32_t)k * TAIL_TASK;
        place(job, k, first, end_of(first, TAIL_TASK, c->n_ranks), out);
    }
    for (size_t k = 0; k < job->n_head_parts; k++) {
        uint32_t first = (uint32_t)k * HEAD_TASK;
        place(job, job->n_tail_parts + k, first, end_of(first, HEAD_TASK, head_length(c)),
              out);
    }
    return PZ_OK;
}

static void
release(struct job *job)
{
    for (int i = 0; job->scratch && i < job->n_threads; i++) {
        pz_cooc_row_release(&job->scratch[i].row);
        free(job->scratch[i].best.key);
        pz_near_row_release(&job->scratch[i].near);
    }
    for (size_t k = 0; job->rows && k < job->n_tail_parts + job->n_head_parts; k++) {
        free(job->rows[k].item);
        free(job->rows[k].score);
    }
    free(job->scratch);
    free(job->rows);
    free(job->head);
    free(job->head_key);
    free(job->block);
    free(job->near_block);
    free(job->weight);
    free(job->trust);
    free(job->len);
}

void
pz_neighbours_params(struct pz_neighbours_spec *spec, const struct pz_params *p)
{
    spec->shrinkage = pz_param(p, "shrinkage");
    spec->closeness = pz_param(p, "closeness");
    spec->halflife = pz_param(p, "closeness_halflife");
}

int
pz_neighbours_find(struct pz_neighbours *out, const struct pz_events *e,
                   const struct pz_neighbours_spec *spec, struct pz_err *err)
{
    struct pz_cooc cooc;
    struct pz_near near = {0};
    struct job job = {.cooc = &cooc,
                      .keep = spec->keep,
                      .least = spec->least,
                      .shrinkage = spec->shrinkage,
                      .closeness = (float)spec->closeness,
                      .hidden = e->hidden,
                      .n_threads = pz_threads(spec->threads)};
    *out = (struct pz_neighbours){0};
    int r = pz_cooc_build(&cooc, e, spec->force_head ? spec->n_head : UINT32_MAX,
                          job.n_threads, err);
    if (r)
        return r;
    if (spec->closeness > 0) {
        r = pz_near_build(&near, &cooc, e, spec->halflife, err);
        job.near = &near;
    }
    if (r == PZ_OK && (r = prepare(&job, e, spec->discount, err)) == PZ_OK &&
        (r = find_rows(&job, err)) == PZ_OK)
        r = collect(&job, e->n_items, out, err);
    release(&job);
    pz_near_release(&near);
    pz_cooc_release(&cooc);
    if (r) {
        free(out->offsets);
        free(out->item);
        free(out->score);
        *out = (struct pz_neighbours){0};
    }
    return r;
}
