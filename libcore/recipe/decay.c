#include "recipe/decay.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/par.h"
#include "math/dense.h"
#include "math/kernels.h"
#include "math/keys.h"
#include "recipe/events.h"

enum {
    MAX_THREADS = 256,
    ROW_MOST = 1024, // entries of a row of G that a local solution looks at
    TRIES = 12,
};
static const double LEAST = 1e-3; // what counts less is left out

static const char what[] = "the equations of decayed histories";

/* Input (s, r), the item of rank r at scale s, has number s * n_ranks + r. */
struct gram {
    const struct pz_events *e;
    const struct pz_decay_config *c;
    uint32_t n_ranks, n_inputs;
    uint32_t *item_of; // n_ranks: most events first, ties by lower item
    uint32_t *rank;    // of every event
    uint64_t *at;      // n_ranks + 1: where an item's events begin in `event`
    uint64_t *event;   // ascending within an item
    uint32_t *user;    // of every event
    float *mass[PZ_DECAY_SCALES][PZ_DECAY_SCALES]; // M_st at every event, s <= t
    uint32_t reach[PZ_DECAY_SCALES];               // greatest distance that counts
    float *power[PZ_DECAY_SCALES];                 // keep^0 .. keep^reach
};

/* Sums of one row, of one thread. */
struct sums {
    float *sum;        // n_scales * n_inputs, or n_inputs
    uint32_t *touched; // ranks (row) or inputs (column) that were reached
    uint8_t *mark;
    size_t n;
};

double
pz_decay_halflife(double keep)
{
    return keep < 1 ? -1 / log2(keep) : 0;
}

/* ---- the events by item ---- */

static void
gram_release(struct gram *g)
{
    free(g->item_of);
    free(g->rank);
    free(g->at);
    free(g->event);
    free(g->user);
    for (int s = 0; s < PZ_DECAY_SCALES; s++) {
        free(g->power[s]);
        for (int t = s; t < PZ_DECAY_SCALES; t++)
            free(g->mass[s][t]);
    }
}

static int
number_items(struct gram *g, struct pz_err *err)
{
    const struct pz_events *e = g->e;
    struct pz_counted *count = NULL;
    uint32_t *rank_of = NULL;
    int status = pz_events_by_count(&count, e, err);
    if (!status)
        status = pz_new(&rank_of, e->n_items, sizeof *rank_of, what, err);
    if (status)
        goto done;
    while (g->n_ranks < e->n_items && count[g->n_ranks].n)
        g->n_ranks++;
    if (pz_new(&g->item_of, g->n_ranks, sizeof *g->item_of, what, err) ||
        pz_new(&g->at, (size_t)g->n_ranks + 1, sizeof *g->at, what, err) ||
        pz_new(&g->rank, e->n, sizeof *g->rank, what, err) ||
        pz_new(&g->event, e->n, sizeof *g->event, what, err) ||
        pz_new(&g->user, e->n, sizeof *g->user, what, err)) {
        status = err->status;
        goto done;
    }
    for (uint32_t r = 0; r < g->n_ranks; r++) {
        g->item_of[r] = count[r].id;
        rank_of[count[r].id] = r;
        g->at[r + 1] = g->at[r] + count[r].n;
    }
    for (uint32_t u = 0; u < e->n_users; u++)
        for (uint64_t k = e->offsets[u]; k < e->offsets[u + 1]; k++) {
            g->user[k] = u;
            g->rank[k] = rank_of[e->item[k]];
            g->event[g->at[g->rank[k]]++] = k; // put back below
        }
    for (uint32_t r = g->n_ranks; r > 0; r--)
        g->at[r] = g->at[r - 1];
    g->at[0] = 0;
done:
    free(count);
    free(rank_of);
    return status;
}

static float
weight_of(const struct pz_events *e, uint64_t k)
{
    return e->weight ? e->weight[k] : 1;
}

static int
fill_mass(struct gram *g, int s, int t, struct pz_err *err)
{
    const struct pz_events *e = g->e;
    float *m;
    int status = pz_new(&g->mass[s][t], e->n, sizeof *m, what, err);
    if (status)
        return status;
    m = g->mass[s][t];
    double keep = g->c->keep[s] * g->c->keep[t];
    for (uint32_t u = 0; u < e->n_users; u++) {
        double sum = 0;
        for (uint64_t k = e->offsets[u + 1]; k-- > e->offsets[u];) {
            m[k] = (float)sum;
            sum = (double)weight_of(e, k) + keep * sum;
        }
    }
    return PZ_OK;
}

static int
fill_power(struct gram *g, int s, struct pz_err *err)
{
    double keep = g->c->keep[s], p = 1;
    uint32_t n = 0;
    while (n < g->c->window && p * keep >= LEAST) {
        p *= keep;
        n++;
    }
    g->reach[s] = n;
    int status = pz_new(&g->power[s], (size_t)n + 1, sizeof(float), what, err);
    p = 1;
    for (uint32_t i = 0; i <= n && !status; i++, p *= keep)
        g->power[s][i] = (float)p;
    return status;
}

static int
gram_init(struct gram *g, const struct pz_events *e, const struct pz_decay_config *c,
          struct pz_err *err)
{
    *g = (struct gram){.e = e, .c = c};
    int status = number_items(g, err), n = (int)c->n_scales;
    if (status)
        return status;
    if ((uint64_t)g->n_ranks * c->n_scales >= UINT32_MAX / 2)
        return pz_err_set(err, PZ_DATA, "cannot train: too many items");
    g->n_inputs = g->n_ranks * c->n_scales;
    for (int s = 0; s < n && !status; s++) {
        status = fill_power(g, s, err);
        for (int t = s; t < n && !status; t++)
            status = fill_mass(g, s, t, err);
    }
    return status;
}

/* ---- rows and columns ---- */

static int
sums_new(struct sums **out, const struct gram *g, int threads, struct pz_err *err)
{
    size_t n = (size_t)g->n_inputs * g->c->n_scales;
    int status = pz_new(out, (size_t)threads, sizeof **out, what, err);
    for (int i = 0; i < threads && !status; i++) {
        struct sums *s = &(*out)[i];
        if (pz_new(&s->sum, n, sizeof *s->sum, what, err) ||
            pz_new(&s->touched, g->n_inputs, sizeof *s->touched, what, err) ||
            pz_new(&s->mark, g->n_inputs, 1, what, err))
            status = err->status;
    }
    return status;
}

static void
sums_free(struct sums *s, int threads)
{
    for (int i = 0; s && i < threads; i++) {
        free(s[i].sum);
        free(s[i].touched);
        free(s[i].mark);
    }
    free(s);
}

static void
touch(struct sums *w, uint32_t x)
{
    if (!w->mark[x]) {
        w->mark[x] = 1;
        w->touched[w->n++] = x;
    }
}

/* Adds what event p gives to rows (s, r) at the columns of scale t. */
static void
add_pairs(const struct gram *g, uint64_t p, int s, int t, struct sums *w)
{
    const struct pz_events *e = g->e;
    uint64_t begin = e->offsets[g->user[p]], end = e->offsets[g->user[p] + 1];
    const float *mass = s < t ? g->mass[s][t] : g->mass[t][s];
    float *sum = w->sum + (size_t)s * g->n_inputs + (size_t)t * g->n_ranks;
    float own = weight_of(e, p);
    uint64_t stop = end - p > g->reach[s] ? p + g->reach[s] + 1 : end;
    for (uint64_t l = p; l < stop; l++)
        sum[g->rank[l]] += own * weight_of(e, l) * g->power[s][l - p] * mass[l];
    stop = p - begin > g->reach[t] ? p - g->reach[t] : begin;
    for (uint64_t l = p; l-- > stop;)
        sum[g->rank[l]] += own * weight_of(e, l) * g->power[t][p - l] * mass[p];
}

/*
 * The rows of G of rank r at every scale: (s, r) at sum[s * n_inputs ...]. touched are
 * the ranks that any of them reaches.
 */
static void
make_rows(const struct gram *g, uint32_t r, struct sums *w)
{
    int n = (int)g->c->n_scales;
    uint32_t far = 0;
    for (int s = 0; s < n; s++)
        far = g->reach[s] > far ? g->reach[s] : far;
    w->n = 0;
    for (uint64_t k = g->at[r]; k < g->at[r + 1]; k++) {
        uint64_t p = g->event[k];
        uint64_t begin = g->e->offsets[g->user[p]], end = g->e->offsets[g->user[p] + 1];
        for (int s = 0; s < n; s++)
            for (int t = 0; t < n; t++)
                add_pairs(g, p, s, t, w);
        uint64_t from = p - begin > far ? p - far : begin;
        uint64_t to = end - p > far ? p + far + 1 : end;
        for (uint64_t l = from; l < to; l++)
            touch(w, g->rank[l]);
    }
}

static void
clear_rows(const struct gram *g, struct sums *w)
{
    int n = (int)g->c->n_scales;
    for (size_t k = 0; k < w->n; k++) {
        for (int s = 0; s < n; s++)
            for (int t = 0; t < n; t++)
                w->sum[(size_t)s * g->n_inputs + (size_t)t * g->n_ranks + w->touched[k]] =
                    0;
        w->mark[w->touched[k]] = 0;
    }
    w->n = 0;
}

/* Column r of C: C at (s, i) in sum, the inputs that it reaches in touched. */
static void
make_column(const struct gram *g, uint32_t r, struct sums *w)
{
    const struct pz_events *e = g->e;
    w->n = 0;
    for (uint64_t k = g->at[r]; k < g->at[r + 1]; k++) {
        uint64_t j = g->event[k], begin = e->offsets[g->user[j]];
        for (uint32_t s = 0; s < g->c->n_scales; s++) {
            uint64_t stop = j - begin > g->reach[s] ? j - 1 - g->reach[s] : begin;
            for (uint64_t l = j; l-- > stop;) {
                uint32_t x = s * g->n_ranks + g->rank[l];
                w->sum[x] += weight_of(e, j) * weight_of(e, l) * g->power[s][j - 1 - l];
                touch(w, x);
            }
        }
    }
}

static void
clear_column(struct sums *w)
{
    for (size_t k = 0; k < w->n; k++) {
        w->sum[w->touched[k]] = 0;
        w->mark[w->touched[k]] = 0;
    }
    w->n = 0;
}

/* ---- the whole in closed form ---- */

struct closed {
    const struct gram *g;
    struct sums *work;
    float *a, *b; // n_inputs x n_inputs, n_inputs x ld
    size_t ld;
    double more; // of its diagonal on top of it
};

static int
closed_task(void *ctx, size_t task, int thread, struct pz_err *err)
{
    (void)err;
    struct closed *d = ctx;
    const struct gram *g = d->g;
    struct sums *w = &d->work[thread];
    uint32_t r = (uint32_t)task;
    make_rows(g, r, w);
    for (uint32_t s = 0; s < g->c->n_scales; s++) {
        size_t row = (size_t)s * g->n_ranks + r;
        float *a = d->a + row * g->n_inputs;
        memcpy(a + row, w->sum + (size_t)s * g->n_inputs + row,
               (g->n_inputs - row) * sizeof *a);
        a[row] += (float)(d->more * (double)a[row] + g->c->regularization[s]);
    }
    clear_rows(g, w);
    make_column(g, r, w);
    for (size_t k = 0; k < w->n; k++)
        d->b[(size_t)w->touched[k] * d->ld + r] = w->sum[w->touched[k]];
    clear_column(w);
    return PZ_OK;
}

struct cut { // whole rows to those of a model
    const float *b;
    size_t ld;
    uint32_t n_ranks;
};

static int
cut_row(void *ctx, int thread, uint32_t r, uint32_t *rank, float *value, size_t *n,
        struct pz_err *err)
{
    (void)thread;
    (void)err;
    const struct cut *c = ctx;
    for (uint32_t j = 0; j < c->n_ranks; j++)
        rank[j] = j;
    memcpy(value, c->b + (size_t)r * c->ld, c->n_ranks * sizeof *value);
    *n = c->n_ranks;
    return PZ_OK;
}

static int
hand_out(const struct closed *d, struct pz_linear_made *out, struct pz_err *err)
{
    const struct gram *g = d->g;
    const struct pz_decay_config *c = g->c;
    int status = PZ_OK;
    for (uint32_t s = 0; s < c->n_scales && !status; s++) {
        const float *b = d->b + (size_t)s * g->n_ranks * d->ld;
        if (g->n_ranks <= c->dense_rows) {
            float *own;
            size_t n = g->n_ranks * d->ld;
            status = pz_new_aligned(&own, n, sizeof *own, what, err);
            if (status)
                break;
            memcpy(own, b, n * sizeof *own);
            status = pz_linear_take_dense(&out[s], own, g->n_ranks, g->e->n_items,
                                          g->item_of, err);
            continue;
        }
        struct cut cut = {b, d->ld, g->n_ranks};
        struct pz_linear_rows rows = {.n_ranks = g->n_ranks,
                                      .n_items = g->e->n_items,
                                      .item_of = g->item_of,
                                      .keep = c->entries,
                                      .threads = c->threads,
                                      .ctx = &cut,
                                      .row = cut_row};
        status = pz_linear_make(&out[s], &rows, err);
    }
    return status;
}

/* The equations into d->a and d->b, and the factor of the former over it. */
static int
factor(struct closed *d, int threads, struct pz_err *err)
{
    size_t n = d->g->n_inputs;
    memset(d->b, 0, n * d->ld * sizeof *d->b);
    int status = sums_new(&d->work, d->g, threads, err);
    if (!status)
        status = pz_par(threads, d->g->n_ranks, closed_task, d, err);
    sums_free(d->work, threads);
    d->work = NULL;
    return status ? status : pz_dense_chol(d->a, n, n, threads, err);
}

static int
solve_closed(const struct gram *g, struct pz_linear_made *out, int threads,
             struct pz_err *err)
{
    struct closed d = {.g = g, .ld = PZ_PAD(g->n_ranks)};
    size_t n = g->n_inputs;
    int status = pz_new(&d.a, n * n, sizeof *d.a, what, err);
    if (!status)
        status = pz_new(&d.b, n * d.ld, sizeof *d.b, what, err);
    if (!status)
        status = factor(&d, threads, err);
    // Pairs that the window leaves out can make it indefinite, where people have very
    // much of the same; more on its diagonal mends that.
    for (int tries = 0; status == PZ_DATA && tries < TRIES; tries++) {
        d.more = d.more > 0 ? 4 * d.more : 0.01;
        err->status = PZ_OK;
        err->msg[0] = 0;
        status = factor(&d, threads, err);
    }
    if (!status)
        status = pz_dense_solve(d.a, n, n, d.b, g->n_ranks, d.ld, threads, err);
    free(d.a);
    if (!status)
        status = hand_out(&d, out, err);
    free(d.b);
    return status;
}

/* ---- column by column ---- */

struct entry {
    uint32_t input;
    float value;
};

struct scratch { // of a thread
    uint64_t *key;
    uint32_t *near, *place; // the inputs of a column; of an input among them + 1
    float *a, *copy, *x, *inverse;
};

struct local {
    const struct gram *g;
    struct sums *work;
    float *diagonal;      // n_inputs, with the regularization
    struct entry *row;    // of G: ROW_MOST an input
    uint32_t *n_row;      // n_inputs
    struct entry *column; // of B: neighbours a rank
    uint32_t *n_column;   // n_ranks
    size_t row_most;
    struct scratch scratch[MAX_THREADS];
};

static int
scratch_init(struct scratch *s, const struct gram *g, struct pz_err *err)
{
    size_t d = PZ_PAD(g->c->neighbours);
    if (pz_new(&s->key, g->n_inputs, sizeof *s->key, what, err) ||
        pz_new(&s->near, g->c->neighbours, sizeof *s->near, what, err) ||
        pz_new(&s->place, g->n_inputs, sizeof *s->place, what, err) ||
        pz_new_aligned(&s->a, d * d, sizeof *s->a, what, err) ||
        pz_new_aligned(&s->copy, d * d, sizeof *s->copy, what, err) ||
        pz_new_aligned(&s->x, d, sizeof *s->x, what, err) ||
        pz_new_aligned(&s->inverse, d, sizeof *s->inverse, what, err))
        return err->status;
    return PZ_OK;
}

/* The greatest entries of the rows of G of one rank. */
static int
row_task(void *ctx, size_t task, int thread, struct pz_err *err)
{
    (void)err;
    struct local *l = ctx;
    const struct gram *g = l->g;
    struct sums *w = &l->work[thread];
    uint64_t *key = l->scratch[thread].key;
    uint32_t r = (uint32_t)task;
    make_rows(g, r, w);
    for (uint32_t s = 0; s < g->c->n_scales; s++) {
        const float *sum = w->sum + (size_t)s * g->n_inputs;
        uint32_t x = s * g->n_ranks + r;
        size_t n = 0;
        for (uint32_t t = 0; t < g->c->n_scales; t++)
            for (size_t k = 0; k < w->n; k++) {
                uint32_t y = t * g->n_ranks + w->touched[k];
                if (sum[y] != 0 && y != x)
                    key[n++] = pz_key(fabsf(sum[y]), y);
            }
        if (n > l->row_most) {
            pz_keys_cut(key, n, l->row_most);
            n = l->row_most;
        }
        l->n_row[x] = (uint32_t)n;
        for (size_t k = 0; k < n; k++)
            l->row[x * l->row_most + k] =
                (struct entry){pz_key_number(key[k]), sum[pz_key_number(key[k])]};
        l->diagonal[x] = sum[x] + (float)g->c->regularization[s];
    }
    clear_rows(g, w);
    return PZ_OK;
}

/* The equations of the n inputs s->near, whole, into s->a. */
static void
fill(const struct local *l, struct scratch *s, size_t n, size_t d)
{
    memset(s->a, 0, d * d * sizeof *s->a);
    for (size_t k = 0; k < n; k++)
        s->place[s->near[k]] = (uint32_t)k + 1;
    for (size_t k = 0; k < n; k++) {
        uint32_t x = s->near[k];
        const struct entry *row = l->row + x * l->row_most;
        for (uint32_t i = 0; i < l->n_row[x]; i++) {
            uint32_t y = s->place[row[i].input];
            if (y) // either row may have dropped the pair; the other then still has it
                s->a[k * d + y - 1] = s->a[(y - 1) * d + k] = row[i].value;
        }
        s->a[k * d + k] = l->diagonal[x];
    }
    for (size_t k = n; k < d; k++)
        s->a[k * d + k] = 1;
    for (size_t k = 0; k < n; k++)
        s->place[s->near[k]] = 0;
}

/* Column r of B. */
static int
column_task(void *ctx, size_t task, int thread, struct pz_err *err)
{
    (void)err;
    struct local *l = ctx;
    const struct gram *g = l->g;
    const struct pz_kernels *k = pz_kernels();
    struct sums *w = &l->work[thread];
    struct scratch *s = &l->scratch[thread];
    uint32_t r = (uint32_t)task;
    make_column(g, r, w);
    size_t n = w->n < g->c->neighbours ? w->n : g->c->neighbours, d = PZ_PAD(n);
    for (size_t i = 0; i < w->n; i++) {
        uint32_t x = w->touched[i];
        s->key[i] = pz_key(fabsf(w->sum[x]) / sqrtf(l->diagonal[x]), x);
    }
    pz_keys_cut(s->key, w->n, n);
    pz_keys_sort(s->key, n);
    memset(s->x, 0, d * sizeof *s->x);
    for (size_t i = 0; i < n; i++) {
        s->near[i] = pz_key_number(s->key[i]);
        s->x[i] = w->sum[s->near[i]];
    }
    clear_column(w);
    fill(l, s, n, d);
    // Pairs that both rows dropped can leave a matrix that is not positive definite; more
    // on its diagonal makes it so.
    bool ok = false;
    float more = 0;
    for (int tries = 0; tries < TRIES && !ok && n; tries++) {
        memcpy(s->copy, s->a, d * d * sizeof *s->copy);
        for (size_t i = 0; i < n; i++)
            s->copy[i * d + i] += more * s->a[i * d + i];
        ok = k->chol(s->copy, s->inverse, d);
        more = more > 0 ? 4 * more : 0.01f;
    }
    if (ok)
        k->solve(s->copy, s->inverse, s->x, d);
    l->n_column[r] = ok ? (uint32_t)n : 0;
    for (size_t i = 0; i < l->n_column[r]; i++)
        l->column[task * g->c->neighbours + i] = (struct entry){s->near[i], s->x[i]};
    return PZ_OK;
}

/* Rows of one scale out of the columns, which are in the order of ranks. */
struct turn {
    const uint64_t *at;
    const struct entry *entry; // by input; .input is the rank of the column
    uint32_t first;            // input of rank 0
};

static int
turn_row(void *ctx, int thread, uint32_t r, uint32_t *rank, float *value, size_t *n,
         struct pz_err *err)
{
    (void)thread;
    (void)err;
    const struct turn *t = ctx;
    const struct entry *from = t->entry + t->at[t->first + r];
    *n = (size_t)(t->at[t->first + r + 1] - t->at[t->first + r]);
    for (size_t k = 0; k < *n; k++) {
        rank[k] = from[k].input;
        value[k] = from[k].value;
    }
    return PZ_OK;
}

static int
turn(const struct local *l, struct pz_linear_made *out, struct pz_err *err)
{
    const struct gram *g = l->g;
    uint64_t *at = NULL, n = 0;
    struct entry *entry = NULL;
    for (uint32_t r = 0; r < g->n_ranks; r++)
        n += l->n_column[r];
    int status = pz_new(&at, (size_t)g->n_inputs + 2, sizeof *at, what, err);
    if (!status)
        status = pz_new(&entry, n, sizeof *entry, what, err);
    for (int fill_in = 0; fill_in < 2 && !status; fill_in++) {
        for (uint32_t r = 0; r < g->n_ranks; r++)
            for (uint32_t k = 0; k < l->n_column[r]; k++) {
                struct entry b = l->column[(size_t)r * g->c->neighbours + k];
                uint64_t to = at[b.input + 1 + !fill_in]++;
                if (fill_in)
                    entry[to] = (struct entry){r, b.value};
            }
        for (size_t x = 1; !fill_in && x < (size_t)g->n_inputs + 2; x++)
            at[x] += at[x - 1];
    }
    for (uint32_t s = 0; s < g->c->n_scales && !status; s++) {
        struct turn ctx = {at, entry, s * g->n_ranks};
        struct pz_linear_rows rows = {.n_ranks = g->n_ranks,
                                      .n_items = g->e->n_items,
                                      .item_of = g->item_of,
                                      .keep = g->c->entries,
                                      .threads = g->c->threads,
                                      .ctx = &ctx,
                                      .row = turn_row};
        status = pz_linear_make(&out[s], &rows, err);
    }
    free(at);
    free(entry);
    return status;
}

static int
solve_local(const struct gram *g, struct pz_linear_made *out, int threads,
            struct pz_err *err)
{
    struct local *l = NULL;
    size_t n_rows = 0, n_columns = 0;
    int status = pz_new(&l, 1, sizeof *l, what, err);
    if (status)
        return status;
    l->g = g;
    l->row_most = g->n_inputs < ROW_MOST ? g->n_inputs : ROW_MOST;
    if (!pz_size_mul(g->n_inputs, l->row_most, &n_rows) ||
        !pz_size_mul(g->n_ranks, g->c->neighbours, &n_columns))
        status = pz_err_nomem(err, what, SIZE_MAX);
    if (!status)
        status = pz_new_aligned(&l->row, n_rows, sizeof *l->row, what, err);
    if (!status)
        status = pz_new_aligned(&l->column, n_columns, sizeof *l->column, what, err);
    if (!status)
        status = pz_new(&l->n_row, g->n_inputs, sizeof *l->n_row, what, err);
    if (!status)
        status = pz_new(&l->n_column, g->n_ranks, sizeof *l->n_column, what, err);
    if (!status)
        status = pz_new(&l->diagonal, g->n_inputs, sizeof *l->diagonal, what, err);
    if (!status)
        status = sums_new(&l->work, g, threads, err);
    for (int t = 0; t < threads && !status; t++)
        status = scratch_init(&l->scratch[t], g, err);
    if (!status)
        status = pz_par(threads, g->n_ranks, row_task, l, err);
    if (!status)
        status = pz_par(threads, g->n_ranks, column_task, l, err);
    if (!status)
        status = turn(l, out, err);
    for (int t = 0; t < threads; t++) {
        struct scratch *s = &l->scratch[t];
        free(s->key);
        free(s->near);
        free(s->place);
        free(s->a);
        free(s->copy);
        free(s->x);
        free(s->inverse);
    }
    sums_free(l->work, threads);
    free(l->row);
    free(l->column);
    free(l->n_row);
    free(l->n_column);
    free(l->diagonal);
    free(l);
    return status;
}

int
pz_decay_train(struct pz_linear_made *out, const struct pz_events *events,
               const struct pz_decay_config *c, struct pz_err *err)
{
    struct gram g;
    struct pz_decay_config resolved = *c;
    int threads = resolved.threads = pz_threads(c->threads);
    for (uint32_t s = 0; s < c->n_scales; s++)
        out[s] = (struct pz_linear_made){0};
    int status = gram_init(&g, events, &resolved, err);
    if (!status && !g.n_ranks)
        status = pz_err_set(err, PZ_DATA, "cannot train: there are no events");
    double bytes = (double)g.n_inputs * ((double)g.n_inputs + g.n_ranks) * 4;
    if (!status)
        status = bytes <= (double)c->dense_bytes ? solve_closed(&g, out, threads, err)
                                                 : solve_local(&g, out, threads, err);
    gram_release(&g);
    for (uint32_t s = 0; s < c->n_scales && status; s++)
        pz_linear_made_release(&out[s]);
    return status;
}
