#include "math/quant.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/cpu.h"
#include "math/kernels.h"

#define LEAST_SCALE 1e-15F // products of two stay far from where floats lose bits
#define LEAST       1e-12F // of a vector's greatest number that it is told from nothing
#define MOST        1e15F

enum { MIDDLE = 128, STEPS = 127, COLUMNS = 4, LOW = 64, FINE_STEPS = STEPS * LOW - 1 };

_Static_assert(PZ_MAX_D *(255L + MIDDLE) * FINE_STEPS < INT32_MAX, "sums are whole");
_Static_assert(sizeof(struct pz_quant_four) == 4 * COLUMNS, "it has no gaps");

size_t
pz_quant_groups(size_t n_rows)
{
    return n_rows / PZ_QUANT_ROWS + (n_rows % PZ_QUANT_ROWS != 0);
}

static float
greatest_magnitude(const float *x, size_t d)
{
    float most = 0;
    for (size_t k = 0; k < d; k++) {
        if (!(fabsf(x[k]) <= MOST))
            return INFINITY;
        most = fabsf(x[k]) > most ? fabsf(x[k]) : most;
    }
    return most;
}

/* The scale of numbers up to `most`: 0 for nothing but zeros. */
static float
scale_of(float most, int steps)
{
    float scale = most / (float)steps;
    if (most > 0 && scale < LEAST_SCALE)
        scale = LEAST_SCALE;
    return scale;
}

/* x/scale to the nearest whole number, within +-steps. */
static int
coded(float x, float scale, int steps)
{
    float c = scale > 0 ? rintf(x / scale) : 0, most = (float)steps;
    return (int)(c > most ? most : c < -most ? -most : c);
}

bool
pz_quant_build(uint8_t *code, float *scale, const float *table, size_t n_rows, size_t d)
{
    size_t n_all = pz_quant_groups(n_rows) * PZ_QUANT_ROWS;
    for (size_t r = 0; r < n_all; r++) {
        uint8_t *to =
            code + r / PZ_QUANT_ROWS * PZ_QUANT_ROWS * d + r % PZ_QUANT_ROWS * COLUMNS;
        const float *row = table + r * d;
        float most = r < n_rows ? greatest_magnitude(row, d) : 0;
        if (most > MOST)
            return false;
        scale[r] = scale_of(most, STEPS);
        for (size_t k = 0; k < d; k++)
            to[k / COLUMNS * PZ_QUANT_ROWS * COLUMNS + k % COLUMNS] =
                (uint8_t)(MIDDLE + (most > 0 ? coded(row[k], scale[r], STEPS) : 0));
    }
    return true;
}

static void
put_code(struct pz_quant_four *to, size_t column, int e)
{
    int low = (e + MIDDLE * LOW + LOW / 2) % LOW - LOW / 2;
    to->high[column] = (int8_t)((e - low) / LOW);
    to->low[column] = (int8_t)low;
    if (column % 2)
        to->odd[column / 2] = (int16_t)e;
    else
        to->even[column / 2] = (int16_t)e;
}

void
pz_quant_query(struct pz_quant_four *code, struct pz_quant_query *q, const float *x,
               size_t d)
{
    float most = greatest_magnitude(x, d);
    int32_t sum = 0;
    double all = 0, lost = 0;
    memset(code, 0, d / COLUMNS * sizeof *code);
    *q = (struct pz_quant_query){.vague = most > MOST || (most > 0 && most < LEAST)};
    if (q->vague || most == 0)
        return;
    q->scale = scale_of(most, FINE_STEPS);
    for (size_t k = 0; k < d; k++) {
        int e = coded(x[k], q->scale, FINE_STEPS);
        put_code(&code[k / COLUMNS], k % COLUMNS, e);
        sum += e;
        all += fabs((double)x[k]);
        lost += fabs((double)x[k] - (double)q->scale * e);
    }
    q->offset = MIDDLE * sum;
    /* A row's numbers are at most 127.5 of its scale, so that d+8 roundings to 24 bits of
     * sums up to |x|_1 of them cost no more than the last term, twice over. */
    double slack = ((double)d + 8) * 0x1p-22 * 128 * (all + lost);
    q->reach = (float)((0.5001 * all + STEPS * lost + slack) * (1 + 0x1p-20));
}

/* The definition of what the others compute. */
static void
score_scalar(float *out, size_t stride, const struct pz_quant *t, size_t group,
             size_t n_groups, const struct pz_quant_four *code,
             const struct pz_quant_query *q, size_t n_q, size_t d)
{
    for (size_t g = group; g < group + n_groups; g++, out += PZ_QUANT_ROWS) {
        const float *scale = t->scale + g * PZ_QUANT_ROWS;
        for (size_t v = 0; v < n_q; v++) {
            const uint8_t *from = t->code + g * PZ_QUANT_ROWS * d;
            int32_t sum[PZ_QUANT_ROWS] = {0};
            const struct pz_quant_four *x = code + v * (d / COLUMNS);
            for (size_t k = 0; k < d; k += COLUMNS, x++)
                for (size_t r = 0; r < PZ_QUANT_ROWS; r++, from += COLUMNS)
                    sum[r] += from[0] * x->even[0] + from[1] * x->odd[0] +
                              from[2] * x->even[1] + from[3] * x->odd[1];
            for (size_t r = 0; r < PZ_QUANT_ROWS; r++)
                out[v * stride + r] =
                    (float)(sum[r] - q[v].offset) * q[v].scale * scale[r];
        }
    }
}

pz_quant_score_fn *
pz_quant_score_nth(size_t i)
{
    static pz_quant_score_fn *const all[] = {
        score_scalar,
#if defined(__x86_64__)
        pz_quant_score_avx2,
        pz_quant_score_avx512,
        pz_quant_score_vnni,
#endif
    };
    size_t n = 1;
#if defined(__x86_64__)
    __builtin_cpu_init();
    n += pz_cpu() >= PZ_CPU_AVX2;
    n += pz_cpu() >= PZ_CPU_AVX512;
    n += pz_cpu() >= PZ_CPU_AVX512 && __builtin_cpu_supports("avx512vnni");
#endif
    return i < n ? all[i] : NULL;
}

pz_quant_score_fn *
pz_quant_score(void)
{
    pz_quant_score_fn *best = score_scalar, *f;
    for (size_t i = 0; (f = pz_quant_score_nth(i)); i++)
        best = f;
    return best;
}
