#include "recipe/logistic.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { ROUNDS = 50, HALVINGS = 30 };
static const double LEAST_SLOPE = 1e-3; // of a calibration

double
pz_sigmoid(double z)
{
    return z >= 0 ? 1 / (1 + exp(-z)) : exp(z) / (1 + exp(z));
}

double
pz_logit(double p)
{
    return log(p / (1 - p));
}

static double
dot(const double *a, const double *b, size_t d)
{
    double sum = 0;
    for (size_t k = 0; k < d; k++)
        sum += a[k] * b[k];
    return sum;
}

/* log(1 + exp(z)) without overflow. */
static double
softplus(double z)
{
    return z > 0 ? z + log1p(exp(-z)) : log1p(exp(z));
}

/* Targets t are within [0,1]. */
struct problem {
    const double *x, *t;
    size_t n, d;
    double ridge;
    const double *given; // added to each row's z; NULL: nothing
};

static double
z_of(const struct problem *p, const double *c, size_t i)
{
    return dot(c, p->x + i * p->d, p->d) + (p->given ? p->given[i] : 0);
}

static double
loss(const struct problem *p, const double *c)
{
    double sum = 0;
    for (size_t i = 0; i < p->n; i++) {
        double z = z_of(p, c, i);
        sum += softplus(z) - p->t[i] * z;
    }
    return sum + p->ridge / 2 * dot(c, c, p->d - 1);
}

/* Solves a s = g (a symmetric, positive definite, d x d) in place; false when it is not.
 */
static bool
solve(double *a, double *g, size_t d)
{
    for (size_t k = 0; k < d; k++) {
        for (size_t j = 0; j < k; j++)
            a[k * d + k] -= a[k * d + j] * a[k * d + j];
        if (!(a[k * d + k] > 0))
            return false;
        a[k * d + k] = sqrt(a[k * d + k]);
        for (size_t i = k + 1; i < d; i++) {
            for (size_t j = 0; j < k; j++)
                a[i * d + k] -= a[i * d + j] * a[k * d + j];
            a[i * d + k] /= a[k * d + k];
        }
    }
    for (size_t k = 0; k < d; k++) {
        for (size_t j = 0; j < k; j++)
            g[k] -= a[k * d + j] * g[j];
        g[k] /= a[k * d + k];
    }
    for (size_t k = d; k-- > 0;) {
        for (size_t j = k + 1; j < d; j++)
            g[k] -= a[j * d + k] * g[j];
        g[k] /= a[k * d + k];
    }
    return true;
}

/* The Newton step at c into g. */
static bool
newton_step(const struct problem *p, const double *c, double *g)
{
    size_t d = p->d;
    double a[PZ_LOGISTIC_MAX * PZ_LOGISTIC_MAX] = {0};
    for (size_t k = 0; k < d; k++) {
        double held = k + 1 < d ? p->ridge : 0;
        g[k] = held * c[k];
        a[k * d + k] = held + 1e-9;
    }
    for (size_t i = 0; i < p->n; i++) {
        const double *x = p->x + i * d;
        double q = pz_sigmoid(z_of(p, c, i)), w = q * (1 - q);
        for (size_t k = 0; k < d; k++) {
            g[k] += (q - p->t[i]) * x[k];
            for (size_t j = 0; j <= k; j++)
                a[k * d + j] += w * x[k] * x[j];
        }
    }
    return solve(a, g, d);
}

static int
minimise(const struct problem *p, double *c, struct pz_err *err)
{
    double g[PZ_LOGISTIC_MAX], next[PZ_LOGISTIC_MAX], now;
    memset(c, 0, p->d * sizeof *c);
    now = loss(p, c);
    for (int round = 0; round < ROUNDS; round++) {
        double step = 1, then = now;
        if (!newton_step(p, c, g))
            return pz_err_set(err, PZ_DATA, "the regression has no solution");
        // Half as far until it is downhill: Newton alone may overshoot.
        for (int k = 0; k < HALVINGS; k++, step /= 2) {
            for (size_t j = 0; j < p->d; j++)
                next[j] = c[j] - step * g[j];
            then = loss(p, next);
            if (then <= now)
                break;
        }
        if (!(then <= now))
            break;
        bool done = now - then <= 1e-10 * (1 + fabs(now));
        memcpy(c, next, p->d * sizeof *c);
        now = then;
        if (done)
            break;
    }
    return PZ_OK;
}

int
pz_logistic_fit(double *c, const double *x, const uint8_t *y, size_t n, size_t d,
                double ridge, struct pz_err *err)
{
    double *t;
    if (pz_new(&t, n, sizeof *t, "a regression", err))
        return err->status;
    for (size_t i = 0; i < n; i++)
        t[i] = y[i] ? 1 : 0;
    struct problem p = {x, t, n, d, ridge, NULL};
    minimise(&p, c, err);
    free(t);
    return err->status;
}

int
pz_platt_fit(double *slope, double *offset, const double *z, const uint8_t *y, size_t n,
             struct pz_err *err)
{
    double *t = NULL, *x = NULL, *given = NULL, c[2], pos = 0;
    *slope = 1;
    *offset = 0;
    if (pz_new(&t, n, sizeof *t, "a calibration", err) ||
        pz_new(&x, n, 2 * sizeof *x, "a calibration", err) ||
        pz_new(&given, n, sizeof *given, "a calibration", err))
        goto done;
    for (size_t i = 0; i < n; i++)
        pos += y[i] != 0;
    double neg = (double)n - pos;
    for (size_t i = 0; i < n; i++) {
        t[i] = y[i] ? (pos + 1) / (pos + 2) : 1 / (neg + 2);
        x[2 * i] = z[i];
        x[2 * i + 1] = 1;
    }
    struct problem p = {x, t, n, 2, 1e-3, NULL};
    if (!n || minimise(&p, c, err))
        goto done;
    if (!(c[0] > LEAST_SLOPE)) { // the offset is another one beside another slope
        for (size_t i = 0; i < n; i++) {
            given[i] = LEAST_SLOPE * z[i];
            x[i] = 1;
        }
        p = (struct problem){x, t, n, 1, 0, given};
        c[0] = LEAST_SLOPE;
        if (minimise(&p, &c[1], err))
            goto done;
    }
    *slope = c[0];
    *offset = c[1];
done:
    free(given);
    free(t);
    free(x);
    return err->status;
}
