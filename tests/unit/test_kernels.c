/* The kernels against plain loops in double, and every level against the scalar one bit
 * by bit. */
#include "math/kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "math/products.h"
#include "unit.h"

enum { ROWS = 53, ALL = 64, MAX_D = 272 };

static const size_t WIDTHS[] = {16, 32, 48, 64, 80, 128, 160, 256, 272};
#define N_WIDTHS (sizeof WIDTHS / sizeof *WIDTHS)

/* What a level computes for one width: everything in one array, so that levels can be
 * compared. */
enum { OUT_CAP = 1 << 18 };
static float out_of[PZ_N_CPU][OUT_CAP];
static size_t n_out;

static float table[200 * MAX_D], scale[ROWS], vector[MAX_D], weight[ALL];
static uint32_t row[ROWS];

static void
setup(void)
{
    struct pz_rng rng;
    pz_rng_seed(&rng, 7, 1);
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        table[i] = (float)pz_rng_normal(&rng);
    for (size_t i = 0; i < MAX_D; i++)
        vector[i] = (float)pz_rng_normal(&rng);
    for (size_t i = 0; i < ROWS; i++) {
        scale[i] = 0.5f + (float)pz_rng_unit(&rng);
        row[i] = (uint32_t)pz_rng_below(&rng, 200);
        weight[i] = (float)pz_rng_unit(&rng);
    }
}

static void
near(double got, double want, double size)
{
    ck_assert_msg(fabs(got - want) <= 2e-6 * size + 1e-6, "%.9g, not %.9g", got, want);
}

/* Adds n floats of a level to what is compared. */
static void
keep(enum pz_cpu cpu, const float *f, size_t n)
{
    ck_assert_uint_le(n_out + n, OUT_CAP);
    memcpy(out_of[cpu] + n_out, f, n * sizeof *f);
    n_out += n;
}

static void
rows_case(const struct pz_kernels *k, size_t d)
{
    static float panel[ALL * MAX_D], sum[MAX_D];
    uint32_t place[ROWS];
    for (size_t r = 0; r < ROWS; r++)
        place[r] = (uint32_t)((r * 5 + 2) % ALL);
    k->gather(panel, table, row, scale, ROWS, ROWS, d);
    for (size_t r = 0; r < ALL; r++)
        for (size_t c = 0; c < d; c++)
            ck_assert_float_eq(panel[r * d + c],
                               r < ROWS ? scale[r] * table[row[r] * d + c] : 0.0f);
    double dot = 0;
    for (size_t c = 0; c < d; c++)
        dot += (double)panel[c] * vector[c];
    near(k->dot(panel, vector, d), dot, (double)d);
    for (int kind = 0; kind < 3; kind++) {
        double want_sum[MAX_D] = {0}, want = 0;
        memset(sum, 0, sizeof sum);
        for (size_t r = 0; r < ROWS; r++) {
            double q = 0;
            for (size_t c = 0; c < d; c++)
                q += (double)panel[r * d + c] * vector[c];
            want += weight[r] * q;
            double f = kind == 0 ? q : kind == 1 ? weight[r] - q : weight[r];
            for (size_t c = 0; c < d; c++)
                want_sum[c] += f * panel[r * d + c];
        }
        float got = 0;
        if (kind == 0)
            got = k->apply(sum, panel, ROWS, d, vector, weight);
        else if (kind == 1)
            got = k->residual(sum, panel, ROWS, d, vector, weight);
        else
            k->combine(sum, panel, weight, ROWS, d);
        if (kind < 2)
            near(got, want, 30 * (double)d);
        for (size_t c = 0; c < d; c++)
            near(sum[c], want_sum[c], 60 * (double)d);
        keep(k->cpu, sum, d);
        keep(k->cpu, &got, 1);
    }
    static uint16_t halves[ALL * MAX_D];
    memset(sum, 0, sizeof sum);
    for (size_t i = 0; i < ALL * d; i++)
        halves[i] = pz_half(panel[i]);
    for (int twice = 0; twice < 2; twice++) // adds to what is there
        k->add_halves(sum, halves, d, place, weight, ROWS, d);
    for (size_t c = 0; c < d; c++) {
        double want = 0;
        for (size_t r = 0; r < ROWS; r++)
            want +=
                2 * (double)weight[r] * (double)pz_half_float(halves[place[r] * d + c]);
        near(sum[c], want, 60 * (double)d);
    }
    keep(k->cpu, sum, d);
    if (d == 16) {
        k->sum16(sum, table, row, ROWS);
        for (size_t c = 0; c < 16; c++) {
            double want = 0;
            for (size_t r = 0; r < ROWS; r++)
                want += table[row[r] * 16 + c];
            near(sum[c], want, ROWS);
        }
        keep(k->cpu, sum, 16);
    }
}

/* Of all halves none is nearer, and of two as near the even one is taken. */
START_TEST(halves_are_the_nearest)
{
    struct pz_rng rng;
    pz_rng_seed(&rng, 3, 1);
    for (int i = 0; i < 100000; i++) {
        uint32_t bits = (uint32_t)pz_rng_u64(&rng);
        float f;
        if (i % 3 == 0)
            bits = (bits & 0xffff0000u) | 0x8000; // ties
        memcpy(&f, &bits, sizeof f);
        if (!isfinite(f) || fabsf(f) > 3e38f)
            continue;
        uint16_t h = pz_half(f), below = (uint16_t)(h - 1), above = (uint16_t)(h + 1);
        double off = fabs((double)pz_half_float(h) - (double)f);
        double off_below = fabs((double)pz_half_float(below) - (double)f),
               off_above = fabs((double)pz_half_float(above) - (double)f);
        if (h & 0x7fff) // the number below 0 is no neighbour
            ck_assert(off < off_below || (off == off_below && h % 2 == 0));
        ck_assert(off < off_above || (off == off_above && h % 2 == 0));
    }
    ck_assert(isnan(pz_half_float(pz_half(NAN))));
    ck_assert_float_eq(pz_half_float(pz_half(INFINITY)), INFINITY);
    ck_assert_float_eq(pz_half_float(pz_half(-1.5f)), -1.5f);
}
END_TEST

static void
solve_case(const struct pz_kernels *k, size_t d)
{
    static float panel[ALL * MAX_D], a[MAX_D * MAX_D], full[MAX_D * MAX_D];
    float inverse[MAX_D], x[MAX_D];
    k->gather(panel, table, row, NULL, ROWS, ROWS, d);
    memset(a, 0, sizeof a);
    for (size_t i = 0; i < d; i++)
        a[i * d + i] = 3;
    k->gram(a, panel, ROWS, d);
    for (size_t i = 0; i < d; i++) {
        for (size_t j = i / 16 * 16; j < d; j++) {
            double want = i == j ? 3 : 0;
            for (size_t r = 0; r < ROWS; r++)
                want += (double)panel[r * d + i] * panel[r * d + j];
            near(a[i * d + j], want, 50);
            full[i * d + j] = full[j * d + i] = a[i * d + j];
        }
    }
    memcpy(x, vector, d * sizeof *x);
    ck_assert(k->chol(a, inverse, d));
    k->solve(a, inverse, x, d);
    for (size_t i = 0; i < d; i++) {
        double got = 0;
        for (size_t j = 0; j < d; j++)
            got += (double)full[i * d + j] * x[j];
        near(got, vector[i], 20);
    }
    keep(k->cpu, x, d);
    full[0] = -1;
    ck_assert(!k->chol(full, inverse, d));
    full[0] = NAN;
    ck_assert(!k->chol(full, inverse, d));
}

static void
score_case(const struct pz_kernels *k, size_t d)
{
    static float packed[MAX_D * PZ_PACK], tiled[19 * MAX_D], s[19 * PZ_PACK],
        one[PZ_PACK];
    for (size_t n = 1; n <= PZ_PACK; n += 6) {
        k->pack(packed, table, n % 2 ? row : NULL, n, d);
        k->tile(tiled, table + 20 * d, 19, d);
        k->score(s, PZ_PACK, packed, tiled, 19, d);
        for (size_t v = 0; v < 19; v++) {
            const float *x = table + (20 + v) * d;
            for (size_t l = 0; l < PZ_PACK; l++) {
                const float *y = table + (n % 2 ? row[l] : l) * d;
                float want = 0; // the definition: in order, fused
                for (size_t c = 0; c < d && l < n; c++)
                    want = fmaf(x[c], y[c], want);
                ck_assert_float_eq(s[v * PZ_PACK + l], want);
            }
            k->tile(tiled, x, 1, d); // alone: the same
            k->score(one, PZ_PACK, packed, tiled, 1, d);
            ck_assert_mem_eq(one, s + v * PZ_PACK, sizeof one);
        }
        keep(k->cpu, s, 19 * PZ_PACK);
    }
}

/* Each product is the one that score gives, whatever the rows and vectors beside it. */
static void
products_case(void)
{
    enum { N = 2 * PZ_PACK + 7, STRIDE = 3 * PZ_PACK, D = 48, X = 5 };
    struct pz_err err = PZ_ERR_INIT;
    struct pz_products p;
    static float out[X * STRIDE];
    uint32_t of[N];
    for (uint32_t i = 0; i < N; i++)
        of[i] = (i * 31 + 5) % ROWS;
    ck_assert_msg(!pz_products_init(&p, X, D, &err), "%s", err.msg);
    for (int with = 0; with < 2; with++) {
        memset(out, 0xff, sizeof out);
        pz_products(&p, out, STRIDE, table + 20 * D, X, table, with ? of : NULL, N);
        for (size_t v = 0; v < X; v++)
            for (size_t i = 0; i < STRIDE; i++) {
                float want = 0;
                for (size_t c = 0; c < D && i < N; c++)
                    want = fmaf(table[(20 + v) * D + c],
                                table[(with ? of[i] : i) * D + c], want);
                ck_assert_float_eq(out[v * STRIDE + i], want);
            }
    }
    pz_products_release(&p);
    ck_assert(pz_products_init(&p, X, SIZE_MAX / 2, &err) == PZ_SYSTEM);
    ck_assert(!p.tiled && !p.packed);
}

static void
exp_case(const struct pz_kernels *k)
{
    static float s[4096], p[4096], e[4096];
    uint32_t hit[4096];
    for (size_t i = 0; i < 4096; i++)
        s[i] = i % 50 == 49 ? -INFINITY : -(float)i / 40;
    float one[16];
    for (size_t i = 0; i < 16; i++)
        one[i] = -INFINITY;
    for (size_t i = 0; i < 4096; i++) { // one at a time
        one[i % 16] = s[i];
        p[i] = k->sum_exp(one, 16, 0, 1);
        one[i % 16] = -INFINITY;
    }
    double sum = 0;
    size_t n_above = 0;
    for (size_t i = 0; i < 4096; i++) {
        double want = s[i] > -87 ? exp(s[i]) : 0;
        ck_assert_msg(fabs(p[i] - want) <= 2e-7 * want, "exp(%g): %g, not %g", s[i], p[i],
                      want);
        sum += want;
        n_above += s[i] > -1.5f;
    }
    ck_assert_float_eq(p[0], 1.0f);
    float got = k->sum_exp(s, 4096, 0, 1);
    near(got, sum, sum);
    memcpy(e, s, sizeof e);
    ck_assert_float_eq(k->exps(e, 4096, 0), got);
    ck_assert_mem_eq(e, p, sizeof e);
    ck_assert_float_eq(k->greatest(s, 4096), 0);
    ck_assert_float_eq(k->greatest(s + 48, 16), s[48]);
    ck_assert_uint_eq(k->above(hit, s, 4096, -1.5f), n_above);
    for (size_t i = 0, at = 0; i < n_above; i++, at = hit[i - 1] + 1) {
        for (; at < hit[i]; at++)
            ck_assert(!(s[at] > -1.5f));
        ck_assert(s[hit[i]] > -1.5f);
    }
    keep(k->cpu, p, 4096);
    keep(k->cpu, &got, 1);
}

/* Some steps of Adam against the formulas in double. */
static void
adam_case(const struct pz_kernels *k)
{
    enum { D = 48 };
    struct pz_rng rng;
    float w[D], mean[D] = {0}, square[D] = {0}, slope[D], sum[D];
    double want_w[D], want_m[D] = {0}, want_s[D] = {0};
    pz_rng_seed(&rng, 8, 2);
    for (size_t i = 0; i < D; i++)
        want_w[i] = w[i] = (float)pz_rng_normal(&rng);
    for (int t = 1; t <= 6; t++) {
        double grow_m = 1 / (1 - pow(0.9, t)), grow_s = 1 / (1 - pow(0.99, t));
        struct pz_adam step = {.rate = 0.05F,
                               .keep_mean = 0.9F,
                               .keep_square = 0.99F,
                               .grow_mean = (float)grow_m,
                               .grow_square = (float)grow_s,
                               .floor = 1e-3F};
        for (size_t i = 0; i < D; i++) {
            double g = slope[i] = (float)pz_rng_normal(&rng);
            want_m[i] = 0.9 * want_m[i] + 0.1 * g;
            want_s[i] = 0.99 * want_s[i] + 0.01 * g * g;
            want_w[i] -= 0.05 * want_m[i] * grow_m / (sqrt(want_s[i] * grow_s) + 1e-3);
        }
        k->adam(w, mean, square, slope, D, &step);
        for (size_t i = 0; i < D; i++) {
            near(w[i], want_w[i], 10);
            ck_assert_float_eq(slope[i], 0);
        }
        keep(k->cpu, w, D);
    }
    memcpy(sum, w, sizeof sum);
    k->axzpy(sum, -0.75F, mean, square, D);
    for (size_t i = 0; i < D; i++)
        near(sum[i], (double)w[i] - 0.75 * (double)mean[i] * (double)square[i], 1);
    keep(k->cpu, sum, D);
}

START_TEST(kernels_agree)
{
    setup();
    size_t n_scalar = 0;
    for (int level = 0; level < PZ_N_CPU; level++) {
        enum pz_cpu cpu = (enum pz_cpu)level;
        if (pz_cpu_force(cpu) != cpu)
            break; // this machine has no more
        const struct pz_kernels *k = pz_kernels();
        ck_assert_int_eq(k->cpu, cpu);
        n_out = 0;
        for (size_t w = 0; w < N_WIDTHS; w++) {
            rows_case(k, WIDTHS[w]);
            solve_case(k, WIDTHS[w]);
            score_case(k, WIDTHS[w]);
        }
        exp_case(k);
        products_case();
        adam_case(k);
        if (cpu == PZ_CPU_SCALAR)
            n_scalar = n_out;
        ck_assert_uint_eq(n_out, n_scalar);
        for (size_t i = 0; i < n_out; i++)
            ck_assert_msg(!memcmp(&out_of[cpu][i], &out_of[0][i], sizeof(float)),
                          "%s: value %zu is %.9g, not %.9g", pz_cpu_name(cpu), i,
                          out_of[cpu][i], out_of[0][i]);
    }
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("kernels");
    TCase *t = tcase_create("kernels");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, kernels_agree);
    tcase_add_test(t, halves_are_the_nearest);
    suite_add_tcase(s, t);
    return s;
}
