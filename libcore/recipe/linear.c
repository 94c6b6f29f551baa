#include "recipe/linear.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/par.h"
#include "math/kernels.h"
#include "math/keys.h"
#include "recipe/reasons.h"

enum {
    MAX_THREADS = 256,
    ROWS = 512, // that are added at a time
};

void
pz_linear_made_release(struct pz_linear_made *m)
{
    free(m->dense);
    free(m->place);
    free(m->offsets);
    free(m->item);
    free(m->value);
    *m = (struct pz_linear_made){0};
}

struct pz_linear
pz_linear_view(const struct pz_linear_made *m)
{
    return (struct pz_linear){.n_items = m->n_items,
                              .n_rows = m->n_rows,
                              .ld = m->ld,
                              .dense = m->dense,
                              .place = m->place,
                              .offsets = m->offsets,
                              .item = m->item,
                              .value = m->value,
                              .n = m->offsets ? m->offsets[m->n_items] : 0};
}

/* The dense weights as halves; NULL: no memory. */
static uint16_t *
halves_of(const struct pz_linear_made *m)
{
    struct pz_err err = PZ_ERR_INIT;
    size_t n = (size_t)m->n_rows * m->ld;
    uint16_t *half;
    if (pz_new_aligned(&half, n, sizeof *half, "weights", &err))
        return NULL;
    for (size_t i = 0; i < n; i++)
        half[i] = pz_half(m->dense[i]);
    return half;
}

void
pz_linear_put(struct pz_builder *b, const char *name, struct pz_linear_made *m,
              const struct pz_bag_rule *rule)
{
    char key[80];
    snprintf(key, sizeof key, "%s.weight", name);
    if (m->dense) {
        uint64_t shape[] = {m->n_rows, m->ld};
        pz_builder_take(b, key, PZ_BF16, 2, shape, halves_of(m));
        snprintf(key, sizeof key, "%s.place", name);
        pz_builder_take1(b, key, PZ_U32, m->n_items, m->place);
        free(m->dense);
    } else {
        uint64_t n = m->offsets[m->n_items];
        pz_builder_take1(b, key, PZ_F32, n, m->value);
        snprintf(key, sizeof key, "%s.offsets", name);
        pz_builder_take1(b, key, PZ_U64, (uint64_t)m->n_items + 1, m->offsets);
        snprintf(key, sizeof key, "%s.item", name);
        pz_builder_take1(b, key, PZ_U32, n, m->item);
    }
    *m = (struct pz_linear_made){0};
    snprintf(key, sizeof key, "train.%s.repeats", name);
    pz_builder_meta(b, key, rule->once ? "once" : "sum");
    snprintf(key, sizeof key, "train.%s.halflife", name);
    pz_builder_meta_f64(b, key, rule->halflife);
}

/* ---- sparse rows ---- */

struct entry {
    uint32_t item;
    float value;
};

struct scratch { // of a thread
    uint32_t *rank, *at;
    float *value;
    uint64_t *key;
    struct entry *entry; // keep
};

struct making {
    const struct pz_linear_rows *rows;
    uint32_t *row_of; // item -> rank or PZ_NO_ID
    uint32_t *item;   // keep entries a rank
    float *value;     //
    uint32_t *n_kept; // of each rank
    struct scratch scratch[MAX_THREADS];
};

static int
by_item(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    return x->item < y->item ? -1 : x->item > y->item;
}

/* One row: cut to the greatest, numbered as items, ascending. */
static int
make_row(struct making *m, uint32_t r, int thread, struct pz_err *err)
{
    const struct pz_linear_rows *rows = m->rows;
    struct scratch *s = &m->scratch[thread];
    size_t n = 0, keep = rows->keep;
    int status = rows->row(rows->ctx, thread, r, s->rank, s->value, &n, err);
    if (status)
        return status;
    uint32_t *item = m->item + (size_t)r * keep;
    float *value = m->value + (size_t)r * keep;
    size_t n_keys = 0;
    for (size_t k = 0; k < n; k++) {
        s->at[s->rank[k]] = (uint32_t)k;
        if (s->value[k] != 0 && isfinite(s->value[k]))
            s->key[n_keys++] = pz_key(fabsf(s->value[k]), s->rank[k]);
    }
    if (n_keys > keep) {
        pz_keys_cut(s->key, n_keys, keep);
        n_keys = keep;
    }
    struct entry *e = s->entry;
    for (size_t k = 0; k < n_keys; k++) {
        uint32_t rank = pz_key_number(s->key[k]);
        e[k] = (struct entry){rows->item_of[rank], s->value[s->at[rank]]};
    }
    qsort(e, n_keys, sizeof *e, by_item);
    for (size_t k = 0; k < n_keys; k++) {
        item[k] = e[k].item;
        value[k] = e[k].value;
    }
    m->n_kept[r] = (uint32_t)n_keys;
    return PZ_OK;
}

static int
make_run(void *ctx, size_t task, int thread, struct pz_err *err)
{
    struct making *m = ctx;
    size_t end = (task + 1) * PZ_LINEAR_RUN, n = m->rows->n_ranks;
    int status = PZ_OK;
    for (size_t r = task * PZ_LINEAR_RUN; r < end && r < n && !status; r++)
        status = make_row(m, (uint32_t)r, thread, err);
    return status;
}

/* The n entries of one array, `size` bytes each, row after row; NULL: no memory. */
static void *
join_array(const struct making *m, const void *from, uint64_t n, size_t size,
           struct pz_err *err)
{
    const struct pz_linear_rows *rows = m->rows;
    uint8_t *all, *to;
    if (pz_new(&all, n, size, "weights of items", err))
        return NULL;
    to = all;
    for (uint32_t i = 0; i < rows->n_items; i++) {
        uint32_t r = m->row_of[i];
        size_t bytes = r == PZ_NO_ID ? 0 : m->n_kept[r] * size;
        if (bytes)
            memcpy(to, (const uint8_t *)from + r * rows->keep * size, bytes);
        to += bytes;
    }
    return all;
}

/* Rows in the order of items, without the room that rows did not need. What is joined
 * is released before the rest is: these arrays may be the greatest there are. */
static int
join_rows(struct pz_linear_made *out, struct making *m, struct pz_err *err)
{
    const struct pz_linear_rows *rows = m->rows;
    int status = pz_new(&out->offsets, (size_t)rows->n_items + 1, sizeof *out->offsets,
                        "weights of items", err);
    if (status)
        return status;
    for (uint32_t i = 0; i < rows->n_items; i++) {
        uint32_t r = m->row_of[i];
        out->offsets[i + 1] = out->offsets[i] + (r == PZ_NO_ID ? 0 : m->n_kept[r]);
    }
    uint64_t n = out->offsets[rows->n_items];
    out->item = join_array(m, m->item, n, sizeof *m->item, err);
    free(m->item);
    m->item = NULL;
    if (out->item)
        out->value = join_array(m, m->value, n, sizeof *m->value, err);
    return out->value ? PZ_OK : err->status;
}

int
pz_linear_make(struct pz_linear_made *out, const struct pz_linear_rows *rows,
               struct pz_err *err)
{
    *out = (struct pz_linear_made){.n_items = rows->n_items};
    struct making *m = NULL;
    struct pz_linear_rows given = *rows;
    int threads = given.threads < MAX_THREADS ? given.threads : MAX_THREADS;
    if (given.keep > given.n_ranks)
        given.keep = given.n_ranks ? given.n_ranks : 1;
    int status = pz_new(&m, 1, sizeof *m, "weights of items", err);
    if (status)
        return status;
    m->rows = &given;
    size_t n = 0;
    if (!pz_size_mul(given.n_ranks, given.keep, &n))
        status = pz_err_nomem(err, "weights of items", SIZE_MAX);
    if (!status)
        status =
            pz_new_aligned(&m->row_of, given.n_items, sizeof *m->row_of, "ranks", err);
    if (!status)
        status = pz_new_aligned(&m->item, n, sizeof *m->item, "weights of items", err);
    if (!status)
        status = pz_new_aligned(&m->value, n, sizeof *m->value, "weights of items", err);
    if (!status)
        status = pz_new(&m->n_kept, given.n_ranks, sizeof *m->n_kept, "ranks", err);
    for (int t = 0; t < threads && !status; t++) {
        struct scratch *s = &m->scratch[t];
        if (pz_new(&s->rank, given.n_ranks, sizeof *s->rank, "a row", err) ||
            pz_new(&s->at, given.n_ranks, sizeof *s->at, "a row", err) ||
            pz_new(&s->value, given.n_ranks, sizeof *s->value, "a row", err) ||
            pz_new(&s->entry, given.keep, sizeof *s->entry, "a row", err) ||
            pz_new(&s->key, given.n_ranks, sizeof *s->key, "a row", err))
            status = err->status;
    }
    if (!status) {
        memset(m->row_of, 0xff, given.n_items * sizeof *m->row_of);
        for (uint32_t r = 0; r < given.n_ranks; r++)
            m->row_of[given.item_of[r]] = r;
        size_t runs = ((size_t)given.n_ranks + PZ_LINEAR_RUN - 1) / PZ_LINEAR_RUN;
        status = pz_par(threads, runs, make_run, m, err);
    }
    if (given.done)
        given.done(given.ctx);
    if (!status)
        status = join_rows(out, m, err);
    for (int t = 0; t < threads; t++) {
        free(m->scratch[t].rank);
        free(m->scratch[t].at);
        free(m->scratch[t].entry);
        free(m->scratch[t].value);
        free(m->scratch[t].key);
    }
    free(m->row_of);
    free(m->item);
    free(m->value);
    free(m->n_kept);
    free(m);
    if (status)
        pz_linear_made_release(out);
    return status;
}

int
pz_linear_take_dense(struct pz_linear_made *m, float *b, uint32_t n_ranks,
                     uint32_t n_items, const uint32_t *item_of, struct pz_err *err)
{
    *m = (struct pz_linear_made){
        .n_items = n_items, .n_rows = n_ranks, .ld = PZ_PAD(n_ranks), .dense = b};
    int status = pz_new_aligned(&m->place, n_items, sizeof *m->place, "ranks", err);
    if (status) {
        pz_linear_made_release(m);
        return status;
    }
    memset(m->place, 0xff, n_items * sizeof *m->place);
    for (uint32_t r = 0; r < n_ranks; r++)
        m->place[item_of[r]] = r;
    return PZ_OK;
}

/* ---- scores ---- */

static int
bad(const struct pz_linear *l, const char *what, uint32_t item, struct pz_err *err)
{
    char key[80];
    snprintf(key, sizeof key, "%s.%s", l->name ? l->name : "weights", what);
    return pz_tensors_bad(l->file, key, err,
                          "what it has for item %" PRIu32 " is out of range", item);
}

/* Row i of sparse weights, with its bounds and items checked. */
static int
sparse_row(const struct pz_linear *l, uint32_t i, uint64_t *from, uint64_t *to,
           struct pz_err *err)
{
    *from = l->offsets[i];
    *to = l->offsets[i + 1];
    if (*from > *to || *to > l->n)
        return bad(l, "offsets", i, err);
    uint32_t most = 0;
    for (uint64_t e = *from; e < *to; e++)
        most = l->item[e] > most ? l->item[e] : most;
    if (most >= l->n_items)
        return bad(l, "item", i, err);
    return PZ_OK;
}

static int
score_sparse(const struct pz_linear *l, const struct pz_bag *bag, float *score,
             bool *known, struct pz_err *err)
{
    memset(score, 0, l->n_items * sizeof *score);
    for (size_t h = 0; h < bag->n; h++) {
        uint64_t from, to;
        int status = sparse_row(l, bag->item[h], &from, &to, err);
        if (status)
            return status;
        float x = bag->weight[h];
        for (uint64_t e = from; e < to; e++)
            score[l->item[e]] += x * l->value[e];
        *known = *known || to > from;
    }
    return PZ_OK;
}

static int
score_dense(const struct pz_linear *l, const struct pz_bag *bag, float *score, float *acc,
            bool *known, struct pz_err *err)
{
    const struct pz_kernels *k = pz_kernels();
    uint32_t row[ROWS];
    float coef[ROWS];
    size_t n = 0;
    memset(acc, 0, l->ld * sizeof *acc);
    for (size_t h = 0; h < bag->n; h++) {
        uint32_t r = l->place[bag->item[h]];
        if (r == PZ_NO_ID)
            continue;
        if (r >= l->n_rows)
            return bad(l, "place", bag->item[h], err);
        *known = true;
        if (l->dense) {
            k->axpy(acc, bag->weight[h], l->dense + r * l->ld, l->ld);
            continue;
        }
        row[n] = r;
        coef[n++] = bag->weight[h];
        if (n == ROWS) {
            k->add_halves(acc, l->half, l->ld, row, coef, n, l->ld);
            n = 0;
        }
    }
    if (n)
        k->add_halves(acc, l->half, l->ld, row, coef, n, l->ld);
    for (uint32_t i = 0; i < l->n_items; i++) {
        uint32_t r = l->place[i];
        if (r != PZ_NO_ID && r >= l->n_rows)
            return bad(l, "place", i, err);
        score[i] = r == PZ_NO_ID ? 0 : acc[r];
    }
    return PZ_OK;
}

/*
 * The scores of all items, n_items floats, overwritten; *known false: it has no row for
 * anything in the bag. acc: ld floats of scratch for dense weights.
 */
static int
score_bag(const struct pz_linear *l, const struct pz_bag *bag, float *score, float *acc,
          bool *known, struct pz_err *err)
{
    *known = false;
    return l->place ? score_dense(l, bag, score, acc, known, err)
                    : score_sparse(l, bag, score, known, err);
}

static float
dense_at(const struct pz_linear *l, size_t k)
{
    return l->dense ? l->dense[k] : pz_half_float(l->half[k]);
}

float
pz_linear_weight(const struct pz_linear *l, uint32_t i, uint32_t j)
{
    if (i >= l->n_items || j >= l->n_items)
        return 0;
    if (l->place) {
        uint32_t r = l->place[i], c = l->place[j];
        if (r >= l->n_rows || c >= l->n_rows)
            return 0;
        return dense_at(l, r * l->ld + c);
    }
    uint64_t lo = l->offsets[i], hi = l->offsets[i + 1];
    if (lo > hi || hi > l->n)
        return 0;
    while (lo < hi) {
        uint64_t mid = lo + (hi - lo) / 2;
        if (l->item[mid] == j)
            return l->value[mid];
        if (l->item[mid] < j)
            lo = mid + 1;
        else
            hi = mid;
    }
    return 0;
}

/* ---- a part of nothing else ---- */

struct state {
    const struct pz_model *model;
    struct pz_linear linear;
    struct pz_bag_rule rule;
};

struct work {
    struct pz_bag bag;
    float *acc;
};

static int
open_tensors(struct pz_linear *l, const struct pz_model *m, const char *name,
             struct pz_err *err)
{
    char key[80];
    uint64_t shape[] = {UINT64_MAX, UINT64_MAX}, n = m->n_items, ends = n + 1;
    *l = (struct pz_linear){.n_items = m->n_items, .file = &m->file, .name = name};
    snprintf(key, sizeof key, "%s.place", name);
    if (pz_tensors_find(&m->file, key)) {
        if (pz_tensors_get1(&m->file, key, PZ_U32, &n, &l->place, err))
            return err->status;
        snprintf(key, sizeof key, "%s.weight", name);
        const struct pz_tensor *t = pz_tensors_find(&m->file, key);
        if (t && t->dtype == PZ_F32
                ? pz_tensors_get(&m->file, key, PZ_F32, 2, shape, &l->dense, err)
                : pz_tensors_get(&m->file, key, PZ_BF16, 2, shape, &l->half, err))
            return err->status;
        if (shape[0] > m->n_items || shape[1] != PZ_PAD(shape[0]))
            return pz_tensors_bad(&m->file, key, err, "is no matrix of items");
        l->n_rows = (uint32_t)shape[0];
        l->ld = (size_t)shape[1];
        return PZ_OK;
    }
    l->n = UINT64_MAX;
    snprintf(key, sizeof key, "%s.item", name);
    if (pz_tensors_get1(&m->file, key, PZ_U32, &l->n, &l->item, err))
        return err->status;
    snprintf(key, sizeof key, "%s.weight", name);
    if (pz_tensors_get1(&m->file, key, PZ_F32, &l->n, &l->value, err))
        return err->status;
    snprintf(key, sizeof key, "%s.offsets", name);
    return pz_tensors_get1(&m->file, key, PZ_U64, &ends, &l->offsets, err);
}

static int
open_rule(struct pz_bag_rule *rule, const struct pz_model *m, const char *name,
          struct pz_err *err)
{
    char key[80];
    snprintf(key, sizeof key, "train.%s.repeats", name);
    const char *repeats = pz_tensors_meta(&m->file, key);
    if (!repeats || (strcmp(repeats, "sum") && strcmp(repeats, "once")))
        return pz_err_set(err, PZ_FORMAT, "'%s': its metadata lack a valid '%s'",
                          m->file.path, key);
    rule->once = !strcmp(repeats, "once");
    snprintf(key, sizeof key, "train.%s.halflife", name);
    const char *text = pz_tensors_meta(&m->file, key);
    if (!text || pz_parse_f64(text, strlen(text), &rule->halflife) ||
        !(rule->halflife >= 0))
        return pz_err_set(err, PZ_FORMAT, "'%s': its metadata lack a valid '%s'",
                          m->file.path, key);
    return PZ_OK;
}

/* The rows and columns of the items that are left, in their order. */
static int
keep_dense(struct pz_linear_made *m, const struct pz_linear *l, const uint32_t *now,
           struct pz_err *err)
{
    uint32_t *left; // rows of l
    int status = pz_new(&left, l->n_items, sizeof *left, "weights", err);
    if (!status)
        status = pz_new(&m->place, m->n_items, sizeof *m->place, "weights", err);
    if (!status)
        memset(m->place, 0xff, m->n_items * sizeof *m->place);
    for (uint32_t i = 0; i < l->n_items && !status; i++) {
        if (l->place[i] != PZ_NO_ID && l->place[i] >= l->n_rows)
            status = pz_tensors_bad(l->file, l->name, err,
                                    "the place of item %" PRIu32 " is out of bounds", i);
        if (now[i] == PZ_NO_ID || l->place[i] == PZ_NO_ID)
            continue;
        m->place[now[i]] = m->n_rows;
        left[m->n_rows++] = l->place[i];
    }
    m->ld = PZ_PAD(m->n_rows);
    if (!status)
        status = pz_new_aligned(&m->dense, m->n_rows * m->ld, sizeof *m->dense, "weights",
                                err);
    if (!status)
        memset(m->dense, 0, m->n_rows * m->ld * sizeof *m->dense);
    for (uint32_t i = 0; i < m->n_rows && !status; i++)
        for (uint32_t j = 0; j < m->n_rows; j++)
            m->dense[i * m->ld + j] = dense_at(l, left[i] * l->ld + left[j]);
    free(left);
    return status;
}

/* Items keep their order, so that rows and what is in them do. */
static int
keep_sparse(struct pz_linear_made *m, const struct pz_linear *l, const uint32_t *now,
            struct pz_err *err)
{
    uint32_t next = 0;
    uint64_t n = 0;
    if (pz_new(&m->offsets, (size_t)m->n_items + 1, sizeof *m->offsets, "weights", err) ||
        pz_new(&m->item, l->n, sizeof *m->item, "weights", err) ||
        pz_new(&m->value, l->n, sizeof *m->value, "weights", err))
        return err->status;
    for (uint32_t i = 0; i < l->n_items; i++) {
        uint64_t from = l->offsets[i], to = l->offsets[i + 1];
        if (from > to || to > l->n)
            return pz_tensors_bad(l->file, l->name, err,
                                  "row %" PRIu32 " is out of bounds", i);
        if (now[i] == PZ_NO_ID)
            continue;
        while (next <= now[i])
            m->offsets[next++] = n;
        for (uint64_t k = from; k < to; k++) {
            if (l->item[k] >= l->n_items)
                return pz_tensors_bad(l->file, l->name, err,
                                      "an item of row %" PRIu32 " is out of bounds", i);
            if (now[l->item[k]] == PZ_NO_ID)
                continue;
            m->item[n] = now[l->item[k]];
            m->value[n++] = l->value[k];
        }
    }
    while (next <= m->n_items)
        m->offsets[next++] = n;
    return PZ_OK;
}

int
pz_linear_keep(const struct pz_train *t, const struct pz_kept *k, const char *name,
               struct pz_err *err)
{
    struct pz_linear_made m = {.n_items = t->events->n_items};
    struct pz_linear l;
    struct pz_bag_rule rule;
    int status = open_tensors(&l, k->model, name, err);
    if (!status)
        status = open_rule(&rule, k->model, name, err);
    if (!status)
        status =
            l.place ? keep_dense(&m, &l, k->now, err) : keep_sparse(&m, &l, k->now, err);
    if (status)
        pz_linear_made_release(&m);
    else
        pz_linear_put(t->model, name, &m, &rule);
    return status;
}

int
pz_linear_open(void **state, const struct pz_model *model, const char *name,
               struct pz_err *err)
{
    struct state *s;
    int status = pz_new(&s, 1, sizeof *s, "a model", err);
    if (status)
        return status;
    s->model = model;
    status = open_tensors(&s->linear, model, name, err);
    if (!status)
        status = open_rule(&s->rule, model, name, err);
    if (status) {
        free(s);
        return status;
    }
    *state = s;
    return PZ_OK;
}

void
pz_linear_close(void *state)
{
    free(state);
}

void
pz_linear_work_free(void *work)
{
    struct work *w = work;
    if (!w)
        return;
    pz_bag_release(&w->bag);
    free(w->acc);
    free(w);
}

int
pz_linear_work_new(void **work, const void *state, size_t batch, struct pz_err *err)
{
    (void)batch;
    const struct state *s = state;
    struct work *w;
    int status = pz_new(&w, 1, sizeof *w, "a query", err);
    if (status)
        return status;
    status = pz_bag_init(&w->bag, s->linear.n_items, err);
    if (!status)
        status = pz_new_aligned(&w->acc, s->linear.ld, sizeof *w->acc, "a query", err);
    if (status) {
        pz_linear_work_free(w);
        return status;
    }
    *work = w;
    return PZ_OK;
}

int
pz_linear_score_batch(const void *state, void *work, const struct pz_query *q, size_t n,
                      float *score, size_t stride, bool *known, struct pz_err *err)
{
    const struct state *s = state;
    struct work *w = work;
    for (size_t k = 0; k < n; k++) {
        if (pz_bag_take(&w->bag, &s->rule, q[k].history, q[k].weight, q[k].n_history,
                        err) ||
            score_bag(&s->linear, &w->bag, score + k * stride, w->acc, &known[k], err))
            return err->status;
    }
    return PZ_OK;
}

int
pz_linear_explain(const void *state, void *work, const struct pz_query *q, uint32_t item,
                  struct pz_explained *out, struct pz_err *err)
{
    const struct state *s = state;
    struct work *w = work;
    out->n = 0;
    out->raw = 0;
    int status = pz_bag_take(&w->bag, &s->rule, q->history, q->weight, q->n_history, err);
    if (status)
        return status;
    for (size_t h = 0; h < w->bag.n; h++) {
        double term = (double)w->bag.weight[h] *
                      (double)pz_linear_weight(&s->linear, w->bag.item[h], item);
        out->reason[out->n++] =
            (struct pz_reason){.item = w->bag.item[h], .contribution = term};
        out->raw += term;
    }
    pz_reasons_sort(out);
    return PZ_OK;
}
