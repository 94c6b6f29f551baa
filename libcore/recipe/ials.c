#include "recipe/ials.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/par.h"
#include "base/rng.h"
#include "math/csr.h"

enum {
    CHUNK_BYTES = 32 << 10,  // rows gathered for one rank-k update: the first-level cache
    PANEL_BYTES = 512 << 10, // rows gathered once for all steps of CG: half of the second
    TASK_COST = 1 << 16,     // entries (plus ROW_COST a row) of one task
    ROW_COST = 64,
    GRAM_TASKS = 64,
    GRAM_ROWS = 128, // rows summed in float before they are added in double
};

/* Squared lengths of item vectors that say nothing, of the greatest and of all: scores
 * are fitted to 1, and these reach a thousandth at the most. */
#define FAINT_SHARE 1e-6f
#define FAINT       1e-8f

/* ---- one row ---- */

struct pz_ials_work {
    const struct pz_kernels *k;
    size_t d, chunk, panel_rows;
    float *panel;                   // panel_rows x d
    float *scale;                   // panel_rows: square roots of the weights, 0 behind
    float *ones;                    // panel_rows
    float *a;                       // d x d
    float *inverse, *x, *r, *p, *t; // d each
};

void
pz_ials_work_free(struct pz_ials_work *w)
{
    if (!w)
        return;
    free(w->panel);
    free(w->scale);
    free(w->a);
    free(w->inverse);
    free(w);
}

int
pz_ials_work_new(struct pz_ials_work **out, size_t d, struct pz_err *err)
{
    static const char what[] = "the equations of a row";
    struct pz_ials_work *w = NULL;
    int status = pz_new(&w, 1, sizeof *w, what, err);
    if (status)
        return status;
    w->k = pz_kernels();
    w->d = d;
    w->chunk = CHUNK_BYTES / (d * sizeof(float)) / PZ_LANES * PZ_LANES;
    w->chunk = w->chunk < PZ_LANES ? PZ_LANES : w->chunk;
    w->panel_rows = PANEL_BYTES / (d * sizeof(float)) / PZ_LANES * PZ_LANES;
    status = pz_new_aligned(&w->panel, w->panel_rows * d, sizeof(float), what, err);
    if (!status)
        status = pz_new_aligned(&w->scale, 2 * w->panel_rows, sizeof(float), what, err);
    if (!status)
        status = pz_new_aligned(&w->a, d * d, sizeof(float), what, err);
    if (!status)
        status = pz_new_aligned(&w->inverse, 5 * d, sizeof(float), what, err);
    if (status) {
        pz_ials_work_free(w);
        return status;
    }
    w->ones = w->scale + w->panel_rows;
    for (size_t i = 0; i < w->panel_rows; i++)
        w->ones[i] = 1;
    w->x = w->inverse + d;
    w->r = w->x + d;
    w->p = w->r + d;
    w->t = w->p + d;
    *out = w;
    return PZ_OK;
}

/* A row to be solved: its entries, and how many entries follow that the same thread will
 * want. */
struct row {
    const uint32_t *col;
    const float *value; // NULL: 1
    size_t n, ahead;
    double sum;   // of the values
    float lambda; // lambda * n_u^nu
};

static void
row_measure(struct row *row, const struct pz_ials_side *side)
{
    double sum = (double)row->n;
    if (row->value) {
        sum = 0;
        for (size_t i = 0; i < row->n; i++)
            sum += row->value[i];
    }
    row->sum = sum;
    row->lambda = (float)(side->lambda * pow(sum + side->base, side->nu));
}

/* Gathers entries [from, from+n), each times the root of its value; scale is theirs or
 * NULL. */
static const float *
row_gather(const struct row *row, const struct pz_ials_side *side, struct pz_ials_work *w,
           size_t from, size_t n)
{
    float *scale = NULL;
    if (row->value) {
        scale = w->scale;
        for (size_t i = 0; i < n; i++)
            scale[i] = sqrtf(row->value[from + i]);
        for (size_t i = n; i < PZ_PAD(n); i++)
            scale[i] = 0;
    }
    w->k->gather(w->panel, side->table, row->col + from, scale, n, row->ahead - from,
                 w->d);
    return scale;
}

/* x := the exact solution. False when the matrix is not positive definite. */
static bool
row_exact(const struct row *row, const struct pz_ials_side *side, struct pz_ials_work *w,
          float *x, double *loss)
{
    const struct pz_kernels *k = w->k;
    size_t d = w->d;
    float *b = w->r;
    memcpy(w->a, side->gram, d * d * sizeof *w->a);
    memset(b, 0, d * sizeof *b);
    for (size_t from = 0; from < row->n; from += w->chunk) {
        size_t n = row->n - from < w->chunk ? row->n - from : w->chunk;
        const float *scale = row_gather(row, side, w, from, n);
        k->gram(w->a, w->panel, n, d);
        k->combine(b, w->panel, scale ? scale : w->ones, n, d);
    }
    for (size_t c = 0; c < d; c++)
        w->a[c * d + c] += row->lambda;
    if (!k->chol(w->a, w->inverse, d))
        return false;
    memcpy(x, b, d * sizeof *x);
    k->solve(w->a, w->inverse, x, d);
    *loss = row->sum - k->dot(b, x, d);
    return true;
}

/*
 * product(t, v) for CG: t += (sum of y y^T over the row's entries) v, or the residual
 * sum of (1 - y.v) y. A row that fits is gathered once, for `first`; a longer one every
 * time.
 */
static double
row_product(const struct row *row, const struct pz_ials_side *side,
            struct pz_ials_work *w, float *t, const float *v, bool residual, bool first)
{
    double sum = 0;
    for (size_t from = 0; from < row->n; from += w->panel_rows) {
        size_t n = row->n - from < w->panel_rows ? row->n - from : w->panel_rows;
        const float *scale = row->value ? w->scale : NULL;
        if (first || row->n > w->panel_rows)
            scale = row_gather(row, side, w, from, n);
        sum += residual ? w->k->residual(t, w->panel, n, w->d, v, scale)
                        : w->k->apply(t, w->panel, n, w->d, v, scale);
    }
    return sum;
}

/* Improves x by `steps` steps of conjugate gradients. */
static void
row_cg(const struct row *row, const struct pz_ials_side *side, struct pz_ials_work *w,
       int steps, float *x, double *loss)
{
    const struct pz_kernels *k = w->k;
    size_t d = w->d;
    float *r = w->r, *p = w->p, *t = w->t;
    // r = b - A x, where x is negated for the two terms that are not the row's own
    memset(r, 0, d * sizeof *r);
    double bx = row_product(row, side, w, r, x, true, true);
    for (size_t c = 0; c < d; c++)
        t[c] = -x[c];
    k->combine(r, side->gram, t, d, d);
    k->axpy(r, -row->lambda, x, d);
    memcpy(p, r, d * sizeof *p);
    float rr = k->dot(r, r, d);
    for (int step = 0; step < steps && rr > 1e-20f; step++) {
        memset(t, 0, d * sizeof *t);
        double bp = row_product(row, side, w, t, p, false, false);
        k->combine(t, side->gram, p, d, d);
        k->axpy(t, row->lambda, p, d);
        float length = rr / k->dot(p, t, d);
        k->axpy(x, length, p, d);
        bx += (double)length * bp;
        k->axpy(r, -length, t, d);
        float rr_new = k->dot(r, r, d), beta = rr_new / rr;
        rr = rr_new;
        k->xpay(p, beta, r, d);
    }
    // x.Ax = x.(b - r)
    *loss = row->sum - bx - (double)k->dot(x, r, d);
}

int
pz_ials_fold(const struct pz_ials_side *side, struct pz_ials_work *w,
             const uint32_t *item, const float *weight, size_t n, float *x,
             struct pz_err *err)
{
    struct row row = {.col = item, .value = weight, .n = n, .ahead = n};
    double loss;
    row_measure(&row, side);
    if (row_exact(&row, side, w, x, &loss))
        return PZ_OK;
    return pz_err_set(
        err, PZ_DATA,
        "cannot solve for a user: the matrix is not positive definite in 32-bit"
        " floats; raise regularization or lessen the event weights");
}

/* ---- all rows of one side ---- */

/* A half-iteration: every row of `x` from the rows of side.table. */
struct half {
    struct pz_ials_side side;
    const struct pz_csr *m;
    float *x;
    const uint32_t *task; // first row of task t; n_tasks+1
    size_t n_tasks;
    double *loss; // a task
    struct pz_ials_work **work;
    enum pz_ials_solver solver;
    int cg_steps;
};

/*
 * Estimated cycles of both ways, from measurements: L vectors of 16 lanes a row cost
 * about 10L to gather, 4L(L+1) for the matrix, 1.6L for a step of CG. The exact result is
 * the better one.
 */
static bool
exact_is_cheaper(size_t n, size_t d, int steps, size_t panel_rows)
{
    double lanes = (double)d / PZ_LANES, rows = (double)n, size = (double)d;
    double gather = rows * 10 * lanes;
    double exact =
        gather + rows * 4 * lanes * (lanes + 1) + size * size * (2 + size / 128);
    double cg = gather * (n > panel_rows ? steps + 1 : 1);
    cg += (steps + 1) * (rows * 1.6 * lanes + size * lanes);
    return exact <= 1.2 * cg;
}

static int
half_task(void *ctx, size_t task, int thread, struct pz_err *err)
{
    struct half *h = ctx;
    struct pz_ials_work *w = h->work[thread];
    size_t d = h->side.d;
    uint64_t end = h->m->offsets[h->task[task + 1]];
    double sum = 0;
    for (uint32_t r = h->task[task]; r < h->task[task + 1]; r++) {
        uint64_t from = h->m->offsets[r];
        struct row row = {.col = h->m->col + from,
                          .value = h->m->value ? h->m->value + from : NULL,
                          .n = h->m->offsets[r + 1] - from,
                          .ahead = end - from};
        float *x = h->x + (size_t)r * d;
        double loss = 0;
        if (!row.n)
            continue; // stays zero
        row_measure(&row, &h->side);
        bool exact = h->solver == PZ_IALS_CHOLESKY ||
                     (h->solver == PZ_IALS_AUTO &&
                      exact_is_cheaper(row.n, d, h->cg_steps, w->panel_rows));
        if (exact && !row_exact(&row, &h->side, w, x, &loss))
            return pz_err_set(
                err, PZ_DATA,
                "cannot train: the matrix of a row with %zu events is not positive"
                " definite in 32-bit floats; raise regularization or lessen the event"
                " weights",
                row.n);
        if (!exact)
            row_cg(&row, &h->side, w, h->cg_steps, x, &loss);
        if (!isfinite(loss))
            return pz_err_set(err, PZ_DATA,
                              "cannot train: a row with %zu events has no solution in"
                              " 32-bit floats; raise regularization or lessen the event"
                              " weights",
                              row.n);
        sum += loss;
    }
    h->loss[task] = sum;
    return PZ_OK;
}

/* Cuts rows into tasks of about TASK_COST; *task is new memory. */
static int
cut_tasks(const struct pz_csr *m, uint32_t **task, size_t *n_tasks, struct pz_err *err)
{
    uint64_t n = m->offsets[m->n_rows] + (uint64_t)m->n_rows * ROW_COST, cost = 0;
    int status = pz_new(task, n / TASK_COST + 2, sizeof **task, "tasks", err);
    if (status)
        return status;
    *n_tasks = 0;
    for (uint32_t r = 0; r < m->n_rows; r++) {
        cost += m->offsets[r + 1] - m->offsets[r] + ROW_COST;
        if (cost >= TASK_COST || r + 1 == m->n_rows) {
            (*task)[++*n_tasks] = r + 1;
            cost = 0;
        }
    }
    return PZ_OK;
}

/* ---- alpha0 Y^T Y ---- */

struct gram_sum {
    const struct pz_kernels *k;
    const float *table;
    size_t n_rows, d, rows_a_task;
    double *part;  // d x d a task
    float **chunk; // d x d a thread
};

static int
gram_task(void *ctx, size_t task, int thread, struct pz_err *err)
{
    (void)err;
    struct gram_sum *g = ctx;
    size_t d = g->d, end = (task + 1) * g->rows_a_task;
    double *part = g->part + task * d * d;
    float *chunk = g->chunk[thread];
    end = end < g->n_rows ? end : g->n_rows;
    for (size_t r = task * g->rows_a_task; r < end; r += GRAM_ROWS) {
        memset(chunk, 0, d * d * sizeof *chunk);
        g->k->gram(chunk, g->table + r * d, end - r < GRAM_ROWS ? end - r : GRAM_ROWS, d);
        for (size_t i = 0; i < d * d; i++)
            part[i] += chunk[i];
    }
    return PZ_OK;
}

/* gram := factor * table^T table, whole. */
static int
make_gram(float *gram, const float *table, size_t n_rows, size_t d, double factor,
          struct pz_ials_work **work, int threads, struct pz_err *err)
{
    struct gram_sum g = {.k = pz_kernels(), .table = table, .n_rows = n_rows, .d = d};
    g.rows_a_task = (n_rows / GRAM_TASKS + GRAM_ROWS) / GRAM_ROWS * GRAM_ROWS;
    size_t n_tasks = (n_rows + g.rows_a_task - 1) / g.rows_a_task;
    float *chunk[256];
    for (int t = 0; t < threads; t++)
        chunk[t] = work[t]->a;
    g.chunk = chunk;
    int status = pz_new(&g.part, n_tasks * d * d, sizeof *g.part, "a Gram matrix", err);
    if (!status)
        status = pz_par(threads, n_tasks, gram_task, &g, err);
    for (size_t i = 0; i < d && !status; i++) {
        for (size_t j = i; j < d; j++) {
            double sum = 0;
            for (size_t t = 0; t < n_tasks; t++)
                sum += g.part[t * d * d + i * d + j];
            gram[i * d + j] = gram[j * d + i] = (float)(factor * sum);
        }
    }
    free(g.part);
    return status;
}

/* ---- training ---- */

struct training {
    const struct pz_ials_config *c;
    struct pz_csr by_user, by_item; // renumbered by size
    uint32_t *user_old, *item_old;
    float *x, *y; // in the new numbers
    float *gram;
    size_t d;
    double alpha0, lambda;
    uint32_t n_users, n_items; // with events
    int threads;
    struct pz_ials_work *work[256];
    uint32_t *user_task, *item_task;
    size_t n_user_tasks, n_item_tasks;
    double *task_loss;
};

static void
training_release(struct training *t)
{
    pz_csr_release(&t->by_user);
    pz_csr_release(&t->by_item);
    free(t->user_old);
    free(t->item_old);
    free(t->x);
    free(t->y);
    free(t->gram);
    for (int i = 0; i < t->threads; i++)
        pz_ials_work_free(t->work[i]);
    free(t->user_task);
    free(t->item_task);
    free(t->task_loss);
}

/* Rows with entries stand in front. */
static uint32_t
count_rows(const struct pz_csr *m)
{
    uint32_t n = m->n_rows;
    while (n > 0 && m->offsets[n] == m->offsets[n - 1])
        n--;
    return n;
}

/*
 * The values of alpha0 and lambda that came out best on data of very different density (1
 * pair in 20 to 1 in 1500) lie near these; alpha0 in units of what an event weighs.
 */
static void
choose_weights(struct training *t)
{
    const struct pz_csr *m = &t->by_user;
    double n = (double)m->offsets[m->n_rows], sum = n;
    if (m->value) {
        sum = 0;
        for (uint64_t i = 0; i < m->offsets[m->n_rows]; i++)
            sum += (double)m->value[i];
    }
    double share = n / ((double)t->n_users * (double)t->n_items);
    t->alpha0 = t->c->alpha0 > 0 ? t->c->alpha0 : sum / n * sqrt(share);
    t->lambda = t->c->lambda > 0 ? t->c->lambda : 0.02 * sqrt(sqrt(share));
}

static int
training_init(struct training *t, const struct pz_events *e,
              const struct pz_ials_config *c, struct pz_err *err)
{
    t->c = c;
    t->d = PZ_PAD(c->n_factors);
    int threads = pz_threads(c->threads);
    int status = pz_csr_make(&t->by_user, &t->by_item, e->n_users, e->n_items, e->offsets,
                             e->item, e->weight, c->once, err);
    if (!status)
        status =
            pz_csr_by_size(&t->by_user, &t->by_item, &t->user_old, &t->item_old, err);
    for (; t->threads < threads && !status; t->threads += !status)
        status = pz_ials_work_new(&t->work[t->threads], t->d, err);
    if (status)
        return status;
    t->n_users = count_rows(&t->by_user);
    t->n_items = count_rows(&t->by_item);
    if (!t->n_users)
        return pz_err_set(err, PZ_DATA, "cannot train: there are no events");
    choose_weights(t);

    status = cut_tasks(&t->by_user, &t->user_task, &t->n_user_tasks, err);
    if (!status)
        status = cut_tasks(&t->by_item, &t->item_task, &t->n_item_tasks, err);
    size_t most = t->n_user_tasks > t->n_item_tasks ? t->n_user_tasks : t->n_item_tasks;
    if (!status)
        status = pz_new(&t->task_loss, most, sizeof *t->task_loss, "losses", err);
    if (!status)
        status = pz_new_aligned(&t->x, (size_t)e->n_users * t->d, sizeof *t->x,
                                "user factors", err);
    if (!status)
        status = pz_new_aligned(&t->y, (size_t)e->n_items * t->d, sizeof *t->y,
                                "item factors", err);
    if (!status)
        status =
            pz_new_aligned(&t->gram, t->d * t->d, sizeof *t->gram, "a Gram matrix", err);
    return status;
}

/* Every item's start depends on its own number only, not on how it was renumbered. */
static void
init_factors(struct training *t, uint32_t n_users, uint32_t n_items)
{
    double sigma = t->c->init_scale / sqrt(t->c->n_factors);
    memset(t->x, 0, (size_t)n_users * t->d * sizeof *t->x);
    memset(t->y, 0, (size_t)n_items * t->d * sizeof *t->y);
    for (uint32_t i = 0; i < t->n_items; i++) {
        struct pz_rng rng;
        pz_rng_seed(&rng, t->c->seed, t->item_old[i]);
        for (uint32_t f = 0; f < t->c->n_factors; f++)
            t->y[(size_t)i * t->d + f] = (float)(sigma * pz_rng_normal(&rng));
    }
}

/* lambda * sum of n^nu |x|^2 over the rows of one side. */
static double
penalty(const struct training *t, const struct pz_csr *m, const float *x, double base)
{
    struct pz_ials_side side = {.lambda = t->lambda, .nu = t->c->nu, .base = base};
    double sum = 0;
    for (uint32_t r = 0; r < m->n_rows; r++) {
        uint64_t from = m->offsets[r];
        struct row row = {.value = m->value ? m->value + from : NULL,
                          .n = m->offsets[r + 1] - from};
        if (!row.n)
            continue;
        row_measure(&row, &side);
        const float *v = x + (size_t)r * t->d;
        sum += (double)row.lambda * t->work[0]->k->dot(v, v, t->d);
    }
    return sum;
}

/* Solves one side; *loss is the whole loss afterwards. */
static int
half_iteration(struct training *t, bool users, double *loss, struct pz_err *err)
{
    const struct pz_ials_config *c = t->c;
    double user_base = t->alpha0 * t->n_items, item_base = t->alpha0 * t->n_users;
    struct half h = {.side = {.table = users ? t->y : t->x,
                              .gram = t->gram,
                              .n_rows = users ? t->by_item.n_rows : t->by_user.n_rows,
                              .d = t->d,
                              .lambda = t->lambda,
                              .nu = c->nu,
                              .base = users ? user_base : item_base},
                     .m = users ? &t->by_user : &t->by_item,
                     .x = users ? t->x : t->y,
                     .task = users ? t->user_task : t->item_task,
                     .n_tasks = users ? t->n_user_tasks : t->n_item_tasks,
                     .loss = t->task_loss,
                     .work = t->work,
                     .solver = c->solver,
                     .cg_steps = c->cg_steps};
    uint32_t n_table = users ? t->n_items : t->n_users;
    int status = make_gram(t->gram, h.side.table, n_table, t->d, t->alpha0, t->work,
                           t->threads, err);
    if (!status)
        status = pz_par(t->threads, h.n_tasks, half_task, &h, err);
    if (status)
        return status;
    *loss = users ? penalty(t, &t->by_item, t->y, item_base)
                  : penalty(t, &t->by_user, t->x, user_base);
    for (size_t i = 0; i < h.n_tasks; i++)
        *loss += t->task_loss[i];
    return PZ_OK;
}

/* Rows from the new numbers back to the old. */
static int
old_order(float **out, const float *x, const uint32_t *old, uint32_t n, size_t d,
          const char *what, struct pz_err *err)
{
    int status = pz_new_aligned(out, (size_t)n * d, sizeof **out, what, err);
    for (uint32_t r = 0; r < n && !status; r++)
        memcpy(*out + (size_t)old[r] * d, x + (size_t)r * d, d * sizeof *x);
    return status;
}

/*
 * Items whose vector shrank to nothing but rounding errors: those that only people with
 * nothing else had. Such a direction would rank by noise; it becomes zero, as if the item
 * had no events.
 */
static void
drop_faint(struct training *t)
{
    float most = 0;
    for (uint32_t i = 0; i < t->n_items; i++) {
        const float *y = t->y + (size_t)i * t->d;
        float square = t->work[0]->k->dot(y, y, t->d);
        most = square > most ? square : most;
    }
    float least = most * FAINT_SHARE > FAINT ? most * FAINT_SHARE : FAINT;
    for (uint32_t i = 0; i < t->n_items; i++) {
        float *y = t->y + (size_t)i * t->d;
        if (t->work[0]->k->dot(y, y, t->d) < least)
            memset(y, 0, t->d * sizeof *y);
    }
}

static int
iterate(struct pz_ials *m, struct training *t, struct pz_err *err)
{
    const struct pz_ials_config *c = t->c;
    double before = INFINITY;
    int status = PZ_OK;
    for (int it = 0; it < c->iterations && !status; it++) {
        pz_progress("training", (uint64_t)it, (uint64_t)c->iterations);
        double loss = 0;
        status = half_iteration(t, true, &loss, err);
        if (!status)
            status = half_iteration(t, false, &loss, err);
        m->loss[it] = loss;
        m->n_iterations = it + 1;
        pz_log(PZ_LOG_DEBUG, "iteration %d: loss %.9g", it + 1, loss);
        if (before - loss < c->tolerance * before)
            break;
        before = loss;
    }
    if (!status)
        drop_faint(t);
    if (!status) // for the equations of the users
        status = make_gram(t->gram, t->y, t->n_items, t->d, t->alpha0, t->work,
                           t->threads, err);
    pz_progress("training", (uint64_t)c->iterations, (uint64_t)c->iterations);
    return status;
}

int
pz_ials_train(struct pz_ials *m, const struct pz_events *events,
              const struct pz_ials_config *c, struct pz_err *err)
{
    struct training t = {0};
    *m = (struct pz_ials){.n_items = events->n_items};
    int status = training_init(&t, events, c, err);
    if (status)
        goto done;
    m->d = t.d;
    m->alpha0 = t.alpha0;
    m->lambda = t.lambda;
    m->base = t.alpha0 * t.n_items;
    status = pz_new(&m->loss, (size_t)c->iterations, sizeof *m->loss, "losses", err);
    if (status)
        goto done;
    init_factors(&t, events->n_users, events->n_items);
    status = iterate(m, &t, err);

    if (!status)
        status =
            old_order(&m->item, t.y, t.item_old, m->n_items, t.d, "item factors", err);
    m->gram = t.gram;
    t.gram = NULL;
done:
    training_release(&t);
    if (status)
        pz_ials_release(m);
    return status;
}

void
pz_ials_release(struct pz_ials *m)
{

    free(m->item);
    free(m->gram);
    free(m->loss);
    *m = (struct pz_ials){0};
}
