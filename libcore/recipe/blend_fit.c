#include "recipe/blend_fit.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/par.h"

enum {
    LIST = 25,   // places that count
    CHUNK = 64,  // trials summed up together
    NEWTON = 12, // steps
    HALVES = 8,  // of a step that goes too far
    N = PZ_BLEND_PARTS + 2,
};
static const double WORTH = 1.0 / 300; // what a part must add, as a share of the NDCG
static const double PRIOR = 0.01;      // for 0, in squares of the numbers
static const double LEAST = 1e-3;      // weight of a lone part that repeats do without

void
pz_fit_raise(const struct pz_trials *t, const struct pz_fit *f,
             double raise[PZ_REPEAT_CELLS])
{
    for (int c = 0; c < PZ_REPEAT_CELLS; c++)
        raise[c] = f->slope * log(t->share[c]) + f->offset;
}

static double
score_of(const struct pz_fit *f, const double *raise, const struct pz_trial *x,
         size_t parts, size_t k)
{
    double s = x->cell[k] == PZ_NO_CELL ? 0 : raise[x->cell[k]];
    for (size_t p = 0; p < parts; p++)
        s += f->weight[p] * (double)x->value[k * parts + p];
    return s;
}

double
pz_fit_worth(const struct pz_trials *t, const struct pz_fit *f)
{
    double sum = 0, raise[PZ_REPEAT_CELLS];
    pz_fit_raise(t, f, raise);
    for (size_t i = 0; i < t->n; i++) {
        const struct pz_trial *x = &t->trial[i];
        if (!x->known)
            continue;
        double own = score_of(f, raise, x, t->n_parts, x->own);
        size_t place = 0;
        for (size_t k = 0; k < x->n && place <= LIST; k++)
            place += score_of(f, raise, x, t->n_parts, k) >= own; // itself, too
        sum += place <= LIST ? 1 / log2(1 + (double)place) : 0;
    }
    return t->n ? sum / (double)t->n : 0;
}

/* ---- the likeliest ---- */

/* Sums over a chunk of trials: -log likelihood, its gradient and second derivatives. */
struct slope {
    double loss, g[N], h[N][N];
};

struct newton {
    const struct pz_trials *t;
    struct pz_fit fit;
    bool curved; // second derivatives are wanted
    struct slope *part;
};

/* What rival k has for each number of the fit. */
static void
features(const struct pz_trials *t, const struct pz_trial *x, size_t k, double out[N])
{
    bool had = x->cell[k] != PZ_NO_CELL && t->repeats;
    for (size_t p = 0; p < t->n_parts; p++)
        out[p] = (double)x->value[k * t->n_parts + p];
    out[t->n_parts] = had ? log(t->share[x->cell[k]]) : 0;
    out[t->n_parts + 1] = had;
}

static void
add_trial(const struct newton *w, const struct pz_trial *x, double *score,
          struct slope *s)
{
    const struct pz_trials *t = w->t;
    size_t n = t->n_parts + 2;
    double raise[PZ_REPEAT_CELLS], top = -INFINITY, sum = 0, mean[N] = {0}, own[N];
    double square[N][N] = {{0}};
    pz_fit_raise(t, &w->fit, raise);
    for (size_t k = 0; k < x->n; k++) {
        score[k] = score_of(&w->fit, raise, x, t->n_parts, k);
        top = fmax(top, score[k]);
    }
    for (size_t k = 0; k < x->n; k++) {
        double e = exp(score[k] - top), f[N];
        sum += e;
        if (e < 1e-12)
            continue;
        features(t, x, k, f);
        for (size_t a = 0; a < n; a++) {
            mean[a] += e * f[a];
            for (size_t b = 0; w->curved && b <= a; b++)
                square[a][b] += e * f[a] * f[b];
        }
    }
    features(t, x, x->own, own);
    s->loss += log(sum) + top - score[x->own];
    for (size_t a = 0; a < n; a++) {
        s->g[a] += mean[a] / sum - own[a];
        for (size_t b = 0; b <= a; b++)
            s->h[a][b] += square[a][b] / sum - mean[a] * mean[b] / (sum * sum);
    }
}

static int
newton_task(void *ctx, size_t task, int thread, struct pz_err *err)
{
    (void)thread;
    struct newton *w = ctx;
    size_t most = 0, first = task * CHUNK, last = first + CHUNK;
    double *score;
    last = last < w->t->n ? last : w->t->n;
    for (size_t i = first; i < last; i++)
        most = w->t->trial[i].n > most ? w->t->trial[i].n : most;
    int status = pz_new(&score, most, sizeof *score, "weights of a blend", err);
    if (status)
        return status;
    w->part[task] = (struct slope){.loss = 0};
    for (size_t i = first; i < last; i++)
        if (w->t->trial[i].known)
            add_trial(w, &w->t->trial[i], score, &w->part[task]);
    free(score);
    return PZ_OK;
}

static double *
number_of(const struct pz_trials *t, struct pz_fit *f, size_t a)
{
    return a < t->n_parts ? &f->weight[a] : a == t->n_parts ? &f->slope : &f->offset;
}

/* The sums over all, with the prior, in the order of the trials. */
static int
measure(struct newton *w, bool curved, struct slope *all, struct pz_err *err)
{
    size_t tasks = (w->t->n + CHUNK - 1) / CHUNK, n = w->t->n_parts + 2;
    w->curved = curved;
    int status = pz_par(w->t->threads, tasks, newton_task, w, err);
    *all = (struct slope){.loss = 0};
    for (size_t i = 0; i < tasks && !status; i++) {
        all->loss += w->part[i].loss;
        for (size_t a = 0; a < n; a++) {
            all->g[a] += w->part[i].g[a];
            for (size_t b = 0; b <= a; b++)
                all->h[a][b] += w->part[i].h[a][b];
        }
    }
    for (size_t a = 0; a < n; a++) {
        double x = *number_of(w->t, &w->fit, a);
        all->loss += PRIOR * x * x / 2;
        all->g[a] += PRIOR * x;
        all->h[a][a] += PRIOR;
    }
    return status;
}

/* x := h^-1 g over the numbers that are free; false when h is not positive definite. */
static bool
solve(const struct slope *s, const bool *free_number, size_t n, double x[N])
{
    double l[N][N] = {{0}};
    for (size_t a = 0; a < n; a++) {
        x[a] = free_number[a] ? s->g[a] : 0;
        for (size_t b = 0; b <= a; b++) {
            bool both = free_number[a] && free_number[b];
            double sum = both ? s->h[a][b] : a == b;
            for (size_t k = 0; k < b; k++)
                sum -= l[a][k] * l[b][k];
            if (a == b && !(sum > 0))
                return false;
            l[a][b] = a == b ? sqrt(sum) : sum / l[b][b];
        }
    }
    for (size_t a = 0; a < n; a++) {
        for (size_t k = 0; k < a; k++)
            x[a] -= l[a][k] * x[k];
        x[a] /= l[a][a];
    }
    for (size_t a = n; a-- > 0;) {
        for (size_t k = a + 1; k < n; k++)
            x[a] -= l[k][a] * x[k];
        x[a] /= l[a][a];
    }
    return true;
}

/* One step; *more is false when it no longer helps. Weights stop at 0 and stay there
 * while the slope pushes them down. */
static int
newton_step(struct newton *w, bool *more, struct pz_err *err)
{
    struct slope now, then;
    size_t n = w->t->n_parts + 2;
    bool free_number[N];
    double x[N];
    struct pz_fit from = w->fit;
    int status = measure(w, true, &now, err);
    for (size_t a = 0; a < n; a++) {
        free_number[a] =
            a >= w->t->n_parts ? w->t->repeats : w->fit.weight[a] > 0 || now.g[a] < 0;
    }
    *more = false;
    if (status || !solve(&now, free_number, n, x))
        return status;
    double share = 1;
    for (int half = 0; half < HALVES && !status; half++, share /= 2) {
        for (size_t a = 0; a < n; a++) {
            double to = *number_of(w->t, &from, a) - share * x[a];
            *number_of(w->t, &w->fit, a) = a < w->t->n_parts && to < 0 ? 0 : to;
        }
        status = measure(w, false, &then, err);
        if (!status && then.loss < now.loss) {
            *more = now.loss - then.loss > 1e-6 * now.loss;
            return PZ_OK;
        }
    }
    w->fit = from;
    return status;
}

int
pz_fit_likeliest(const struct pz_trials *t, struct pz_fit *f, struct pz_err *err)
{
    struct newton w = {.t = t};
    bool more = true;
    int status =
        pz_new(&w.part, t->n / CHUNK + 1, sizeof *w.part, "weights of a blend", err);
    for (size_t p = 0; p < t->n_parts; p++)
        w.fit.weight[p] = 0.1;
    for (int i = 0; i < NEWTON && more && !status; i++)
        status = newton_step(&w, &more, err);
    free(w.part);
    *f = w.fit;
    return status;
}

/* ---- the best ---- */

/* Moves one number of the fit as long as that helps. */
static void
climb(const struct pz_trials *t, struct pz_fit *f, double *at, double step, double least,
      double *best)
{
    for (int sign = 1; sign >= -1; sign -= 2)
        for (;;) {
            double was = *at;
            *at = was + sign * step < least ? least : was + sign * step;
            double now = *at == was ? *best : pz_fit_worth(t, f);
            if (!(now > *best + 1e-9)) {
                *at = was;
                break;
            }
            *best = now;
        }
}

static double
sum_of_weights(const struct pz_trials *t, const struct pz_fit *f)
{
    double sum = 0;
    for (size_t p = 0; p < t->n_parts; p++)
        sum += f->weight[p];
    return sum;
}

/* What standing in the history is worth beside weights that are there, on their scale. */
static void
start_repeats(const struct pz_trials *t, struct pz_fit *f, double *best)
{
    static const double slopes[] = {0, 0.5, 1, 2}, offsets[] = {-8, -4, 0, 2, 4, 8};
    struct pz_fit first = *f;
    double scale = sum_of_weights(t, f);
    for (size_t s = 0; s < sizeof slopes / sizeof *slopes; s++)
        for (size_t o = 0; o < sizeof offsets / sizeof *offsets; o++) {
            struct pz_fit x = first;
            x.slope = scale * slopes[s];
            x.offset = scale * offsets[o];
            double now = pz_fit_worth(t, &x);
            if (now > *best + 1e-9) {
                *best = now;
                *f = x;
            }
        }
}

static size_t
n_weights(const struct pz_trials *t, const struct pz_fit *f)
{
    size_t n = 0;
    for (size_t p = 0; p < t->n_parts; p++)
        n += f->weight[p] != 0;
    return n;
}

/* Drops parts that add little, the least first. */
static void
prune(const struct pz_trials *t, struct pz_fit *f, double *best)
{
    for (;;) {
        size_t least = t->n_parts;
        double most = *best * (1 - WORTH);
        for (size_t p = 0; p < t->n_parts; p++) {
            struct pz_fit x = *f;
            if (f->weight[p] == 0)
                continue;
            x.weight[p] = 0;
            double now = pz_fit_worth(t, &x);
            if (now >= most) {
                most = now;
                least = p;
            }
        }
        if (least == t->n_parts || n_weights(t, f) < 2)
            return;
        f->weight[least] = 0;
        *best = most;
    }
}

/* Climbs number by number, in steps of ever smaller shares of the greatest weight. */
static void
climb_all(const struct pz_trials *t, struct pz_fit *f, double *best)
{
    double greatest = 0;
    for (size_t p = 0; p < t->n_parts; p++)
        greatest = fmax(greatest, f->weight[p]);
    for (double step = 0.4; step > 0.04; step /= 2) {
        for (size_t p = 0; p < t->n_parts; p++)
            climb(t, f, &f->weight[p], step * greatest, 0, best);
        if (t->repeats) {
            climb(t, f, &f->slope, step, 0, best);
            climb(t, f, &f->offset, 4 * step, -100, best);
        }
    }
}

/* Part p alone, with what repeats are worth beside it. */
static struct pz_fit
alone_of(const struct pz_trials *t, size_t p, double *worth)
{
    struct pz_fit x = {.slope = 0};
    x.weight[p] = 1;
    *worth = pz_fit_worth(t, &x);
    if (t->repeats)
        start_repeats(t, &x, worth);
    return x;
}

void
pz_fit_given(const struct pz_trials *t, struct pz_fit *f, double alone[PZ_BLEND_PARTS],
             double *best)
{
    double scale = sum_of_weights(t, f);
    for (size_t p = 0; p < t->n_parts; p++)
        alone_of(t, p, &alone[p]);
    f->slope = f->offset = 0;
    *best = pz_fit_worth(t, f);
    if (!t->repeats)
        return;
    start_repeats(t, f, best);
    for (double step = 0.4; step > 0.04; step /= 2) {
        climb(t, f, &f->slope, step * scale, 0, best);
        climb(t, f, &f->offset, 4 * step * scale, -100 * scale, best);
    }
}

int
pz_fit_search(const struct pz_trials *t, struct pz_fit *f, double alone[PZ_BLEND_PARTS],
              double *best, struct pz_err *err)
{
    *best = -1;
    *f = (struct pz_fit){.slope = 0};
    for (size_t p = 0; p < t->n_parts; p++) {
        double now;
        struct pz_fit x = alone_of(t, p, &now);
        alone[p] = now;
        if (now > *best) {
            *best = now;
            *f = x;
        }
    }
    struct pz_fit first = *f;
    double single = *best; // of the part that is best alone
    size_t part = 0;
    while (part + 1 < t->n_parts && first.weight[part] == 0)
        part++;
    if (t->n_parts > 1 || t->repeats) {
        struct pz_fit x;
        int status = pz_fit_likeliest(t, &x, err);
        if (status)
            return status;
        double now = pz_fit_worth(t, &x);
        climb_all(t, &x, &now);
        climb_all(t, f, best);
        if (now > *best) {
            *best = now;
            *f = x;
        }
    }
    prune(t, f, best);
    // Where the history alone foretells best, what is not in it is in the order of a
    // part.
    if (n_weights(t, f) == 0) {
        f->weight[part] = LEAST;
        *best = pz_fit_worth(t, f);
    }
    if (*best < single) { // what was dropped step by step may add up
        *f = first;
        *best = single;
    }
    return PZ_OK;
}
