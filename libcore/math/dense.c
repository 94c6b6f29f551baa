#include "math/dense.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/par.h"
#include "math/kernels.h"

enum {
    BASE = 32,      // blocks up to here are done in double, element by element
    DEPTH = 512,    // greatest depth of one product
    COL_TILE = 256, // columns of a task: DEPTH of them stay in the L2 cache
    ROW_PANELS = 18,
    PACK_TILE = 448, // columns packed by a task, less what is no whole panel
    MAX_WIDTH = 32,  // of a panel, on any level
    MAX_TILE = 14 * MAX_WIDTH,
    SIDE = 64, // of the squares that are mirrored
};

static size_t
min_of(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t
up(size_t n, size_t to)
{
    return (n + to - 1) / to * to;
}

/* Rows of a block: large ones spare memory traffic, small ones work at the blocks. */
static size_t
block_of(size_t n)
{
    return n > 16384 ? 512 : n > 3072 ? 256 : n > 1024 ? 128 : n > 256 ? 64 : BASE;
}

/* ---- packing ---- */

/* Panels of `width` columns of a matrix with `depth` rows, or with `turned` of the
 * transpose of one with `depth` columns. `sign` multiplies. */
struct pack {
    const struct pz_kernels *k;
    float *to;
    size_t width;
    const float *from;
    size_t ld, n, depth;
    bool turned;
    float sign;
};

static void
pack_straight(const struct pack *p, float *to, size_t at, size_t n)
{
    const float *from = p->from + at;
    for (size_t k = 0; k < p->depth; k++, to += p->width, from += p->ld) {
        memcpy(to, from, n * sizeof *to);
        if (n < p->width)
            memset(to + n, 0, (p->width - n) * sizeof *to);
    }
}

static void
pack_turned(const struct pack *p, float *to, size_t at, size_t n)
{
    float t[16 * 16];
    const float *from = p->from + at * p->ld;
    for (size_t part = 0; part < p->width; part += 16) {
        size_t wide = min_of(16, p->width - part);
        size_t have = part < n ? min_of(wide, n - part) : 0;
        const float *row = from + (have ? part * p->ld : 0);
        size_t k = 0;
        for (; k + 16 <= p->depth; k += 16) {
            p->k->turn(t, row + k, p->ld, have);
            for (size_t i = 0; i < 16; i++)
                memcpy(to + (k + i) * p->width + part, t + 16 * i, wide * sizeof *to);
        }
        for (; k < p->depth; k++)
            for (size_t i = 0; i < wide; i++)
                to[k * p->width + part + i] = i < have ? row[i * p->ld + k] : 0;
    }
}

/* Columns of a task: whole panels, so that no two tasks write the same one. */
static size_t
pack_tile(const struct pack *p)
{
    return PACK_TILE / p->width * p->width;
}

static int
pack_task(void *ctx, size_t task, int thread, struct pz_err *err)
{
    (void)thread;
    (void)err;
    const struct pack *p = ctx;
    size_t tile = pack_tile(p), end = min_of((task + 1) * tile, p->n);
    for (size_t at = task * tile; at < end; at += p->width) {
        float *to = p->to + at * p->depth;
        size_t n = min_of(p->width, p->n - at);
        if (p->turned)
            pack_turned(p, to, at, n);
        else
            pack_straight(p, to, at, n);
        for (size_t i = 0; p->sign < 0 && i < p->width * p->depth; i++)
            to[i] = -to[i];
    }
    return PZ_OK;
}

static void
pack(const struct pack *p, int threads)
{
    struct pz_err err = PZ_ERR_INIT;
    size_t tile = pack_tile(p);
    pz_par(threads, (p->n + tile - 1) / tile, pack_task, (void *)p, &err);
}

/* ---- products of packed panels ---- */

struct product {
    const struct pz_kernels *k;
    const float *a, *b; // panels of mr rows and of nr columns
    size_t m, n, depth;
    float *c;
    size_t ld;
    float alpha;
    bool keep;
    bool upper;  // leave out what lies below the diagonal
    size_t flip; // panels of rows that start before it have -alpha
};

/* A tile that sticks out of c goes through memory of its own. */
static void
edge_tile(const struct product *p, float *c, const float *a, const float *b, size_t rows,
          size_t cols, float alpha)
{
    float t[MAX_TILE];
    p->k->product(t, p->k->nr, a, b, p->depth, alpha, false);
    for (size_t i = 0; i < rows; i++)
        for (size_t j = 0; j < cols; j++)
            c[i * p->ld + j] = (p->keep ? c[i * p->ld + j] : 0) + t[i * p->k->nr + j];
}

static size_t
row_tile(const struct product *p)
{
    return ROW_PANELS * p->k->mr;
}

static int
product_task(void *ctx, size_t task, int thread, struct pz_err *err)
{
    (void)thread;
    (void)err;
    const struct product *p = ctx;
    size_t mr = p->k->mr, nr = p->k->nr, down = (p->m + row_tile(p) - 1) / row_tile(p);
    size_t top = task % down * row_tile(p), left = task / down * COL_TILE;
    size_t bottom = min_of(top + row_tile(p), p->m),
           right = min_of(left + COL_TILE, p->n);
    for (size_t i = top; i < bottom; i += mr) {
        float alpha = i < p->flip ? -p->alpha : p->alpha;
        for (size_t j = left; j < right; j += nr) {
            if (p->upper && i >= j + nr)
                continue;
            float *c = p->c + i * p->ld + j;
            const float *a = p->a + i * p->depth, *b = p->b + j * p->depth;
            if (i + mr <= p->m && j + nr <= p->n)
                p->k->product(c, p->ld, a, b, p->depth, alpha, p->keep);
            else
                edge_tile(p, c, a, b, min_of(mr, p->m - i), min_of(nr, p->n - j), alpha);
        }
    }
    return PZ_OK;
}

static void
product(const struct product *p, int threads)
{
    struct pz_err err = PZ_ERR_INIT;
    size_t down = (p->m + row_tile(p) - 1) / row_tile(p);
    size_t across = (p->n + COL_TILE - 1) / COL_TILE;
    pz_par(threads, down * across, product_task, (void *)p, &err);
}

/* Room for panels of n columns, the last of which may stick out, whatever the level. */
static int
new_panels(float **out, size_t n, size_t depth, struct pz_err *err)
{
    return pz_new_aligned(out, n + MAX_WIDTH, depth * sizeof **out,
                          "panels of a matrix", err);
}

int
pz_dense_mul(const struct pz_dense_mul *mul, int threads, struct pz_err *err)
{
    const struct pz_kernels *k = pz_kernels();
    float *a = NULL, *b = NULL;
    size_t most = min_of(mul->depth, DEPTH);
    int status = new_panels(&a, mul->m, most, err);
    if (!status)
        status = new_panels(&b, mul->n, most, err);
    for (size_t at = 0; !status && (at < mul->depth || at == 0); at += DEPTH) {
        size_t depth = min_of(DEPTH, mul->depth - at);
        struct pack left = {.k = k,
                            .to = a,
                            .width = k->mr,
                            .from = mul->a + (mul->ta ? at * mul->ld_a : at),
                            .ld = mul->ld_a,
                            .n = mul->m,
                            .depth = depth,
                            .turned = !mul->ta,
                            .sign = 1};
        struct pack right = {.k = k,
                             .to = b,
                             .width = k->nr,
                             .from = mul->b + (mul->tb ? at : at * mul->ld_b),
                             .ld = mul->ld_b,
                             .n = mul->n,
                             .depth = depth,
                             .turned = mul->tb,
                             .sign = 1};
        struct product p = {.k = k,
                            .a = a,
                            .b = b,
                            .m = mul->m,
                            .n = mul->n,
                            .depth = depth,
                            .c = mul->c,
                            .ld = mul->ld_c,
                            .alpha = mul->alpha,
                            .keep = mul->keep || at > 0};
        pack(&left, threads);
        pack(&right, threads);
        product(&p, threads);
    }
    free(a);
    free(b);
    return status;
}

/* ---- the smallest blocks, in double ---- */

static int
not_positive(struct pz_err *err)
{
    return pz_err_set(
        err, PZ_DATA,
        "the matrix is not positive definite in single precision; a greater "
        "regularization makes it so");
}

static void
take_upper(double t[BASE][BASE], const float *a, size_t n, size_t ld)
{
    for (size_t i = 0; i < n; i++)
        for (size_t j = i; j < n; j++)
            t[i][j] = t[j][i] = a[i * ld + j];
}

static int
base_inverse(float *a, size_t n, size_t ld, struct pz_err *err)
{
    double t[BASE][BASE];
    take_upper(t, a, n, ld);
    for (size_t k = 0; k < n; k++) {
        double pivot = t[k][k];
        if (!(pivot > 0) || !isfinite(pivot))
            return not_positive(err);
        t[k][k] = 1;
        for (size_t j = 0; j < n; j++)
            t[k][j] /= pivot;
        for (size_t i = 0; i < n; i++) {
            double f = t[i][k];
            if (i == k)
                continue;
            t[i][k] = 0;
            for (size_t j = 0; j < n; j++)
                t[i][j] -= f * t[k][j];
        }
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = i; j < n; j++)
            a[i * ld + j] = (float)t[i][j];
    return PZ_OK;
}

static int
base_chol(float *a, size_t n, size_t ld, struct pz_err *err)
{
    double t[BASE][BASE];
    take_upper(t, a, n, ld);
    for (size_t k = 0; k < n; k++) {
        if (!(t[k][k] > 0) || !isfinite(t[k][k]))
            return not_positive(err);
        double root = sqrt(t[k][k]);
        for (size_t j = k; j < n; j++) {
            t[k][j] /= root;
            a[k * ld + j] = (float)t[k][j];
        }
        for (size_t i = k + 1; i < n; i++)
            for (size_t j = i; j < n; j++)
                t[i][j] -= t[k][i] * t[k][j];
    }
    return PZ_OK;
}

/* The inverse of an upper triangle, column by column; below it becomes zero. */
static void
base_triangle(float *u, size_t n, size_t ld)
{
    double v[BASE][BASE] = {{0}};
    for (size_t j = 0; j < n; j++) {
        v[j][j] = 1 / (double)u[j * ld + j];
        for (size_t i = j; i-- > 0;) {
            double sum = 0;
            for (size_t k = i + 1; k <= j; k++)
                sum += u[i * ld + k] * v[k][j];
            v[i][j] = -sum / u[i * ld + i];
        }
    }
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++)
            u[i * ld + j] = (float)v[i][j];
}

/* ---- squares ---- */

struct mirror {
    const struct pz_kernels *k;
    float *a;
    size_t n, ld;
};

static int
mirror_task(void *ctx, size_t task, int thread, struct pz_err *err)
{
    (void)thread;
    (void)err;
    const struct mirror *m = ctx;
    float t[16 * 16];
    size_t bottom = min_of((task + 1) * SIDE, m->n);
    for (size_t i = task * SIDE; i < bottom; i += 16) {
        for (size_t j = 0; j < i + 16 && j < m->n; j += 16) {
            // the square of rows i.. and columns j.. from the one of rows j.. columns i..
            if (i + 16 <= m->n && j + 16 <= i) {
                m->k->turn(t, m->a + j * m->ld + i, m->ld, 16);
                for (size_t r = 0; r < 16; r++)
                    memcpy(m->a + (i + r) * m->ld + j, t + 16 * r, 16 * sizeof *t);
                continue;
            }
            for (size_t r = i; r < min_of(i + 16, m->n); r++)
                for (size_t c = j; c < min_of(j + 16, r); c++)
                    m->a[r * m->ld + c] = m->a[c * m->ld + r];
        }
    }
    return PZ_OK;
}

void
pz_dense_mirror(float *a, size_t n, size_t ld, int threads)
{
    struct pz_err err = PZ_ERR_INIT;
    struct mirror m = {.k = pz_kernels(), .a = a, .n = n, .ld = ld};
    pz_par(threads, (n + SIDE - 1) / SIDE, mirror_task, &m, &err);
}

void
pz_dense_rows(float *out, size_t ld_out, const float *a, size_t n, size_t ld,
              size_t first, size_t count)
{
    const struct pz_kernels *k = pz_kernels();
    float t[PZ_DENSE_ROWS * PZ_DENSE_ROWS];
    // A turn may run over the end of a row into the next, which is there, and is not
    // kept.
    for (size_t j = 0; j < first; j += PZ_DENSE_ROWS) {
        k->turn(t, a + j * ld + first, ld, PZ_DENSE_ROWS);
        for (size_t r = 0; r < count; r++)
            memcpy(out + r * ld_out + j, t + r * PZ_DENSE_ROWS, sizeof t / PZ_DENSE_ROWS);
    }
    for (size_t r = 0; r < count; r++) {
        size_t i = first + r;
        for (size_t j = first; j < i; j++)
            out[r * ld_out + j] = a[j * ld + i];
        memcpy(out + r * ld_out + i, a + i * ld + i, (n - i) * sizeof *out);
    }
}

static void
copy_square(float *to, size_t ld_to, const float *from, size_t ld_from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        memcpy(to + i * ld_to, from + i * ld_from, n * sizeof *to);
}

/* u (upper) := u^-1, by halves; below the diagonal zero. */
static int
triangle(float *u, size_t n, size_t ld, struct pz_err *err)
{
    if (n <= BASE) {
        base_triangle(u, n, ld);
        return PZ_OK;
    }
    size_t h = up(n / 2, BASE), rest = n - h;
    float *right = u + h, *under = u + h * ld + h, *t = NULL;
    int status = triangle(u, h, ld, err);
    if (!status)
        status = triangle(under, rest, ld, err);
    if (!status)
        status = pz_new_aligned(&t, h * rest, sizeof *t, "a triangle", err);
    struct pz_dense_mul first = {.c = t,
                                 .a = u,
                                 .b = right,
                                 .ld_c = rest,
                                 .ld_a = ld,
                                 .ld_b = ld,
                                 .m = h,
                                 .n = rest,
                                 .depth = h,
                                 .alpha = -1};
    struct pz_dense_mul second = {.c = right,
                                  .a = t,
                                  .b = under,
                                  .ld_c = ld,
                                  .ld_a = rest,
                                  .ld_b = ld,
                                  .m = h,
                                  .n = rest,
                                  .depth = rest,
                                  .alpha = 1};
    if (!status)
        status = pz_dense_mul(&first, 1, err);
    if (!status)
        status = pz_dense_mul(&second, 1, err);
    for (size_t i = h; !status && i < n; i++)
        memset(u + i * ld, 0, h * sizeof *u);
    free(t);
    return status;
}

/* ---- memory of the blocked algorithms ---- */

struct work {
    const struct pz_kernels *k;
    float *a, *b;    // panels of up to n columns
    float *row;      // block x n
    float *square;   // block x block
    float *square_a; // its panels
    size_t block;
};

static void
work_release(struct work *w)
{
    free(w->a);
    free(w->b);
    free(w->row);
    free(w->square);
    free(w->square_a);
}

/* n_a and n_b: columns of panels; n_row: of row, or 0. */
static int
work_init(struct work *w, size_t block, size_t n_a, size_t n_b, size_t n_row,
          struct pz_err *err)
{
    *w = (struct work){.k = pz_kernels(), .block = block};
    if (new_panels(&w->a, n_a, block, err) || new_panels(&w->b, n_b, block, err) ||
        (n_row && pz_new_aligned(&w->row, n_row, block * sizeof *w->row,
                                 "rows of a matrix", err)) ||
        pz_new_aligned(&w->square, block, block * sizeof *w->square, "a block", err) ||
        new_panels(&w->square_a, block, block, err)) {
        work_release(w);
        return err->status;
    }
    return PZ_OK;
}

/* ---- inverse ---- */

/*
 * With the blocks before `at` swept, `a` holds S = (leading part)^-1 in the upper left,
 * W = S * (what was right of it) in the upper right, and the Schur complement R of the
 * rest. Sweeping the block k with D = R_kk^-1 means, for i, j outside of k,
 *
 *   S_ij += W_ik D W_jk^T    W_ij -= W_ik D R_kj    R_ij -= R_ki^T D R_kj
 *   S_ik = -W_ik D           S_kk = D               W_kj = D R_kj
 *
 * which, with Z_j = -W_jk^T before and R_kj behind the block and T = D Z, is T_i^T Z_j
 * added to rows before it and subtracted from rows behind it.
 */
static void
sweep(float *a, size_t n, size_t ld, size_t at, size_t size, struct work *w, int threads)
{
    size_t after = at + size;
    float *top = a + at * ld;
    struct pack left = {.k = w->k,
                        .to = w->b,
                        .width = w->k->nr,
                        .from = a + at,
                        .ld = ld,
                        .n = at,
                        .depth = size,
                        .turned = true,
                        .sign = -1};
    struct pack right = {.k = w->k,
                         .to = w->b + at * size,
                         .width = w->k->nr,
                         .from = top + at,
                         .ld = ld,
                         .n = n - at,
                         .depth = size,
                         .sign = 1};
    struct pack square = {.k = w->k,
                          .to = w->square_a,
                          .width = w->k->mr,
                          .from = w->square,
                          .ld = size,
                          .n = size,
                          .depth = size,
                          .sign = 1};
    struct product t = {.k = w->k,
                        .a = w->square_a,
                        .b = w->b,
                        .m = size,
                        .n = n,
                        .depth = size,
                        .c = w->row,
                        .ld = n,
                        .alpha = 1};
    struct pack rows = {.k = w->k,
                        .to = w->a,
                        .width = w->k->mr,
                        .from = w->row,
                        .ld = n,
                        .n = n,
                        .depth = size,
                        .sign = 1};
    struct product update = {.k = w->k,
                             .a = w->a,
                             .b = w->b,
                             .m = n,
                             .n = n,
                             .depth = size,
                             .c = a,
                             .ld = ld,
                             .alpha = -1,
                             .keep = true,
                             .upper = true,
                             .flip = at};
    pack(&left, threads);
    pack(&right, threads);
    pack(&square, 1);
    product(&t, threads);
    pack(&rows, threads);
    product(&update,
            threads); // what it writes into the block's rows and columns goes next
    for (size_t i = 0; i < at; i++)
        for (size_t c = 0; c < size; c++)
            a[i * ld + at + c] = w->row[c * n + i];
    for (size_t r = 0; r < size; r++)
        memcpy(top + r * ld + after, w->row + r * n + after, (n - after) * sizeof *a);
    copy_square(top + at, ld, w->square, size, size);
}

int
pz_dense_inverse(float *a, size_t n, size_t ld, int threads, struct pz_err *err)
{
    if (n <= BASE)
        return base_inverse(a, n, ld, err);
    struct work w;
    size_t block = block_of(n);
    int status = work_init(&w, block, n, n, n, err);
    if (status)
        return status;
    for (size_t at = 0; !status && at < n; at += block) {
        size_t size = min_of(block, n - at);
        copy_square(w.square, size, a + at * ld + at, ld, size);
        status = pz_dense_inverse(w.square, size, size, 1, err);
        pz_dense_mirror(w.square, size, size, 1);
        if (!status)
            sweep(a, n, ld, at, size, &w, threads);
    }
    work_release(&w);
    return status;
}

/* ---- factor and solve ---- */

/* x (size x n) := op(w->square) x, whose panels are left in w->b before, and again after.
 */
static void
times_square(struct work *w, size_t size, bool turned, float *x, size_t n, size_t ld,
             int threads)
{
    struct pack square = {.k = w->k,
                          .to = w->square_a,
                          .width = w->k->mr,
                          .from = w->square,
                          .ld = size,
                          .n = size,
                          .depth = size,
                          .turned = !turned,
                          .sign = 1};
    struct pack cols = {.k = w->k,
                        .to = w->b,
                        .width = w->k->nr,
                        .from = x,
                        .ld = ld,
                        .n = n,
                        .depth = size,
                        .sign = 1};
    struct product p = {.k = w->k,
                        .a = w->square_a,
                        .b = w->b,
                        .m = size,
                        .n = n,
                        .depth = size,
                        .c = x,
                        .ld = ld,
                        .alpha = 1};
    pack(&square, 1);
    pack(&cols, threads);
    product(&p, threads);
    pack(&cols, threads);
}

int
pz_dense_chol(float *a, size_t n, size_t ld, int threads, struct pz_err *err)
{
    if (n <= BASE)
        return base_chol(a, n, ld, err);
    struct work w;
    size_t block = block_of(n);
    int status = work_init(&w, block, n, n, 0, err);
    if (status)
        return status;
    for (size_t at = 0; !status && at < n; at += block) {
        size_t size = min_of(block, n - at), rest = n - at - size;
        float *corner = a + at * ld + at, *right = corner + size;
        copy_square(w.square, size, corner, ld, size);
        status = pz_dense_chol(w.square, size, size, 1, err);
        copy_square(corner, ld, w.square, size, size);
        if (status || rest == 0)
            continue;
        status = triangle(w.square, size, size, err);
        if (status)
            continue;
        times_square(&w, size, true, right, rest, ld, threads);
        struct pack rows = {.k = w.k,
                            .to = w.a,
                            .width = w.k->mr,
                            .from = right,
                            .ld = ld,
                            .n = rest,
                            .depth = size,
                            .sign = 1};
        struct product p = {.k = w.k,
                            .a = w.a,
                            .b = w.b,
                            .m = rest,
                            .n = rest,
                            .depth = size,
                            .c = right + size * ld,
                            .ld = ld,
                            .alpha = -1,
                            .keep = true,
                            .upper = true};
        pack(&rows, threads);
        product(&p, threads);
    }
    work_release(&w);
    return status;
}

/* U and the right sides, which become the solutions. */
struct triangular {
    const float *u; // n x n, rows ld apart
    size_t n, ld;
    float *x; // n x n_x, rows ld_x apart
    size_t n_x, ld_x;
};

/* One block of U^T y = x (forward) or U x = y; rows are those that it takes part in. */
static int
solve_block(struct work *w, const struct triangular *t, size_t at, bool forward,
            int threads, struct pz_err *err)
{
    size_t size = min_of(w->block, t->n - at), after = at + size;
    copy_square(w->square, size, t->u + at * t->ld + at, t->ld, size);
    int status = triangle(w->square, size, size, err);
    if (status)
        return status;
    times_square(w, size, forward, t->x + at * t->ld_x, t->n_x, t->ld_x, threads);
    struct pack rows = {.k = w->k,
                        .to = w->a,
                        .width = w->k->mr,
                        .from = forward ? t->u + at * t->ld + after : t->u + at,
                        .ld = t->ld,
                        .n = forward ? t->n - after : at,
                        .depth = size,
                        .turned = !forward,
                        .sign = 1};
    struct product p = {.k = w->k,
                        .a = w->a,
                        .b = w->b,
                        .m = rows.n,
                        .n = t->n_x,
                        .depth = size,
                        .c = forward ? t->x + after * t->ld_x : t->x,
                        .ld = t->ld_x,
                        .alpha = -1,
                        .keep = true};
    pack(&rows, threads);
    product(&p, threads);
    return PZ_OK;
}

int
pz_dense_solve(const float *u, size_t n, size_t ld, float *x, size_t n_x, size_t ld_x,
               int threads, struct pz_err *err)
{
    struct work w;
    struct triangular t = {.u = u, .n = n, .ld = ld, .x = x, .n_x = n_x, .ld_x = ld_x};
    size_t block = block_of(n);
    int status = work_init(&w, block, n, n_x, 0, err);
    if (status)
        return status;
    for (size_t at = 0; !status && at < n; at += block)
        status = solve_block(&w, &t, at, true, threads, err);
    for (size_t end = up(n, block); !status && end > 0; end -= block)
        status = solve_block(&w, &t, end - block, false, threads, err);
    work_release(&w);
    return status;
}
