#include "recipe/ials_history.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/par.h"
#include "base/rng.h"
#include "math/products.h"

/* Items that training never saw have no direction; they count as unknown. */
static bool
item_known(const struct pz_ials_side *side, uint32_t item)
{
    if (item >= side->n_rows)
        return false;
    const float *y = side->table + (size_t)item * side->d;
    for (size_t c = 0; c < side->d; c++)
        if (y[c] != 0)
            return true;
    return false;
}

int
pz_ials_take(struct pz_bag *b, const struct pz_ials_side *side,
             const struct pz_bag_rule *rule, const uint32_t *item, const float *weight,
             size_t n, struct pz_err *err)
{
    int status = pz_bag_take(b, rule, item, weight, n, err);
    size_t known = 0;
    for (size_t i = 0; i < b->n && !status; i++)
        if (item_known(side, b->item[i])) {
            b->item[known] = b->item[i];
            b->weight[known++] = b->weight[i];
        }
    b->n = known;
    return status;
}

/* ---- all users ---- */

enum { TASK_EVENTS = 1 << 15, MAX_THREADS = 256 };

struct users {
    const struct pz_ials_side *side;
    const struct pz_bag_rule *rule;
    const struct pz_events *e;
    float *x;
    uint32_t users_a_task;
    struct pz_bag bag[MAX_THREADS];
    struct pz_ials_work *work[MAX_THREADS];
};

static int
users_task(void *ctx, size_t task, int thread, struct pz_err *err)
{
    struct users *s = ctx;
    struct pz_bag *b = &s->bag[thread];
    size_t d = s->side->d, end = (task + 1) * s->users_a_task;
    end = end < s->e->n_users ? end : s->e->n_users;
    for (size_t u = task * s->users_a_task; u < end; u++) {
        uint64_t from = s->e->offsets[u];
        float *x = s->x + u * d;
        if (pz_ials_take(b, s->side, s->rule, s->e->item + from,
                         s->e->weight ? s->e->weight + from : NULL,
                         s->e->offsets[u + 1] - from, err))
            return err->status;
        if (!b->n)
            memset(x, 0, d * sizeof *x);
        else if (pz_ials_fold(s->side, s->work[thread], b->item, b->weight, b->n, x, err))
            return err->status;
    }
    return PZ_OK;
}

int
pz_ials_users(float **user, const struct pz_ials_side *side,
              const struct pz_bag_rule *rule, const struct pz_events *events, int threads,
              struct pz_err *err)
{
    struct users *s = NULL;
    *user = NULL;
    threads = pz_threads(threads);
    int status = pz_new(&s, 1, sizeof *s, "users", err);
    if (status)
        return status;
    s->side = side;
    s->rule = rule;
    s->e = events;
    uint64_t tasks = events->n / TASK_EVENTS + 1;
    s->users_a_task = (uint32_t)(events->n_users / tasks + 1);
    for (int t = 0; t < threads && !status; t++) {
        status = pz_bag_init(&s->bag[t], events->n_items, err);
        if (!status)
            status = pz_ials_work_new(&s->work[t], side->d, err);
    }
    if (!status)
        status = pz_new_aligned(user, (size_t)events->n_users * side->d, sizeof **user,
                                "user factors", err);
    s->x = *user;
    size_t n_tasks = ((size_t)events->n_users + s->users_a_task - 1) / s->users_a_task;
    if (!status)
        status = pz_par(threads, n_tasks, users_task, s, err);
    for (int t = 0; t < threads; t++) {
        pz_bag_release(&s->bag[t]);
        pz_ials_work_free(s->work[t]);
    }
    free(s);
    if (status) {
        free(*user);
        *user = NULL;
    }
    return status;
}

/* ---- probabilities ---- */

enum {
    SCORES = 8 << 20, // floats kept while fitting
    MOST_USERS = 1000,
    FEWEST_USERS = 32,
    SHARE = 5,        // of a user's events the newest n/SHARE, at least one, are unknown
    STEPS = 40,       // of golden section: the bracket shrinks to 1e-8; of bisection
    MOST_REPEAT = 12, // e^12: as good as only the history, or never
};

struct sample {
    uint32_t user[MOST_USERS];
    size_t n, stride;         // users; floats a user
    float *x, *score;         // n x d; n x stride, padded with -INFINITY
    float top[MOST_USERS];    // greatest score
    double truth[MOST_USERS]; // sum of the unknown events' scores
    double n_truth[MOST_USERS];
    double n_repeats; // unknown events of items that stand in the history
    float *seen;      // scores of the history's distinct items, user after user
    size_t seen_at[MOST_USERS + 1];
};

static size_t
n_unknown(const struct pz_events *e, uint32_t u)
{
    size_t n = e->offsets[u + 1] - e->offsets[u];
    return n / SHARE ? n / SHARE : 1;
}

static void
choose_users(struct sample *s, const struct pz_events *e, uint64_t seed)
{
    size_t most = SCORES / ((size_t)e->n_items + 1), eligible = 0;
    most = most < FEWEST_USERS ? FEWEST_USERS : most > MOST_USERS ? MOST_USERS : most;
    for (uint32_t u = 0; u < e->n_users; u++)
        eligible += e->offsets[u + 1] - e->offsets[u] >= 2;
    for (uint32_t u = 0; u < e->n_users && s->n < most; u++) {
        if (e->offsets[u + 1] - e->offsets[u] < 2)
            continue;
        double draw = pz_unit(pz_mix64(pz_mix64(seed) ^ u));
        if (draw * (double)eligible < (double)most)
            s->user[s->n++] = u;
    }
}

/* Vectors of the sampled users from what is left of their events. */
static int
fold_users(struct sample *s, const struct pz_ials_side *side,
           const struct pz_bag_rule *rule, const struct pz_events *e, struct pz_err *err)
{
    struct pz_bag b;
    struct pz_ials_work *work = NULL;
    int status = pz_bag_init(&b, e->n_items, err);
    if (!status)
        status = pz_ials_work_new(&work, side->d, err);
    for (size_t v = 0; v < s->n && !status; v++) {
        uint64_t from = e->offsets[s->user[v]];
        size_t n = e->offsets[s->user[v] + 1] - from - n_unknown(e, s->user[v]);
        status = pz_ials_take(&b, side, rule, e->item + from,
                              e->weight ? e->weight + from : NULL, n, err);
        if (!status)
            status =
                pz_ials_fold(side, work, b.item, b.weight, b.n, s->x + v * side->d, err);
    }
    pz_ials_work_free(work);
    pz_bag_release(&b);
    return status;
}

/* Scores of what each user is known to have had, and how often it came again. */
static int
find_seen(struct sample *s, const struct pz_events *e, struct pz_err *err)
{
    uint8_t *had = NULL;
    size_t total = 0;
    for (size_t v = 0; v < s->n; v++)
        total += e->offsets[s->user[v] + 1] - e->offsets[s->user[v]];
    int status = pz_new(&had, e->n_items, sizeof *had, "a sample of users", err);
    if (!status)
        status = pz_new(&s->seen, total, sizeof *s->seen, "a sample of users", err);
    for (size_t v = 0; v < s->n && !status; v++) {
        uint64_t from = e->offsets[s->user[v]], to = e->offsets[s->user[v] + 1];
        uint64_t cut = to - n_unknown(e, s->user[v]);
        size_t n = s->seen_at[v];
        for (uint64_t i = from; i < cut; i++) {
            if (!had[e->item[i]])
                s->seen[n++] = s->score[v * s->stride + e->item[i]];
            had[e->item[i]] = 1;
        }
        for (uint64_t i = cut; i < to; i++)
            s->n_repeats += had[e->item[i]];
        for (uint64_t i = from; i < cut; i++)
            had[e->item[i]] = 0;
        s->seen_at[v + 1] = n;
    }
    free(had);
    return status;
}

static int
score_users(struct sample *s, const struct pz_ials_side *side, const struct pz_events *e,
            struct pz_err *err)
{
    const struct pz_kernels *k = pz_kernels();
    struct pz_products p;
    int status = pz_products_init(&p, s->n, side->d, err);
    if (!status)
        pz_products(&p, s->score, s->stride, s->x, s->n, side->table, NULL, side->n_rows);
    for (size_t v = 0; v < s->n && !status; v++) {
        float *score = s->score + v * s->stride;
        for (size_t i = side->n_rows; i < s->stride; i++)
            score[i] = -INFINITY;
        s->top[v] = k->greatest(score, s->stride);
        uint64_t end = e->offsets[s->user[v] + 1];
        for (uint64_t i = end - n_unknown(e, s->user[v]); i < end; i++)
            s->truth[v] += (double)score[e->item[i]];
        s->n_truth[v] = (double)n_unknown(e, s->user[v]);
    }
    if (!status)
        status = find_seen(s, e, err);
    pz_products_release(&p);
    return status;
}

/* Of one user at a temperature, relative to the greatest score: the sums of exp(score/t)
 * over the items of the history and over the others. */
struct mass {
    double seen, other;
};

/* d/db of the cost: unknown events expected in the history less those found there, and
 * the prior's pull. Grows with b. */
static double
repeat_slope(const struct sample *s, const struct mass *m, double b)
{
    double sum = b - s->n_repeats, e = exp(b);
    for (size_t v = 0; v < s->n; v++)
        if (m[v].seen > 0)
            sum += s->n_truth[v] * e * m[v].seen / (e * m[v].seen + m[v].other);
    return sum;
}

static double
best_repeat(const struct sample *s, const struct mass *m)
{
    double lo = -MOST_REPEAT, hi = MOST_REPEAT;
    for (int i = 0; i < STEPS; i++) {
        double mid = (lo + hi) / 2;
        if (repeat_slope(s, m, mid) > 0)
            hi = mid;
        else
            lo = mid;
    }
    return (lo + hi) / 2;
}

/* Sum of -log probability of the unknown events at temperature t, with the best raise b
 * (of score/t) for items of the history. */
static double
cost(const struct sample *s, double t, struct mass *m, double *b)
{
    const struct pz_kernels *k = pz_kernels();
    for (size_t v = 0; v < s->n; v++) {
        double all = (double)k->sum_exp(s->score + v * s->stride, s->stride, s->top[v],
                                        (float)(1 / t));
        m[v].seen = 0;
        for (size_t i = s->seen_at[v]; i < s->seen_at[v + 1]; i++)
            m[v].seen += exp(((double)s->seen[i] - (double)s->top[v]) / t);
        m[v].other = all > m[v].seen ? all - m[v].seen : 0;
    }
    *b = best_repeat(s, m);
    double sum = *b * *b / 2 - *b * s->n_repeats, e = exp(*b);
    for (size_t v = 0; v < s->n; v++)
        sum += s->n_truth[v] * (log(e * m[v].seen + m[v].other) + (double)s->top[v] / t) -
               s->truth[v] / t;
    return sum;
}

/* The cost is convex in (1/t, b), so that its least over b has one valley in log t. */
static void
best_softmax(const struct sample *s, struct mass *m, struct pz_ials_softmax *out)
{
    const double g = 0.6180339887498949;
    double lo = log(1e-3), hi = log(10), x = hi - g * (hi - lo), y = lo + g * (hi - lo);
    double b, fx = cost(s, exp(x), m, &b), fy = cost(s, exp(y), m, &b);
    for (int i = 0; i < STEPS; i++) {
        if (fx < fy) {
            hi = y;
            y = x;
            fy = fx;
            x = hi - g * (hi - lo);
            fx = cost(s, exp(x), m, &b);
        } else {
            lo = x;
            x = y;
            fx = fy;
            y = lo + g * (hi - lo);
            fy = cost(s, exp(y), m, &b);
        }
    }
    out->temperature = exp((lo + hi) / 2);
    cost(s, out->temperature, m, &b);
    out->repeat = b * out->temperature;
}

enum { HAD = 1, TRUTH = 2, LIST = 25 };

static float
raised(const float *score, const uint8_t *mark, float raise, size_t item)
{
    return score[item] + (mark[item] & HAD ? raise : 0);
}

/* The greatest scores of one user, descending: one more than there are places, so that
 * an unknown event is placed without a look at all items. */
static void
find_top(float top[LIST + 1], const float *score, const uint8_t *mark, size_t n,
         float raise)
{
    for (size_t k = 0; k <= LIST; k++)
        top[k] = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        float x = raised(score, mark, raise, i);
        size_t k = LIST;
        if (!(x > top[LIST]))
            continue;
        for (; k > 0 && top[k - 1] < x; k--)
            top[k] = top[k - 1];
        top[k] = x;
    }
}

/* Place of a score in the ranking, 1 for the best, LIST + 1 for all behind; ties count
 * against it. */
static size_t
place_of(const float top[LIST + 1], float own)
{
    size_t place = 0;
    while (place <= LIST && top[place] >= own)
        place++;
    return place;
}

/* NDCG at 25 of the unknown events, with the history's items raised by so much. */
static double
held_out_ndcg(const struct sample *s, const struct pz_events *e, uint8_t *mark,
              double raise)
{
    double sum = 0;
    for (size_t v = 0; v < s->n; v++) {
        uint64_t from = e->offsets[s->user[v]], to = e->offsets[s->user[v] + 1];
        uint64_t cut = to - n_unknown(e, s->user[v]);
        const float *score = s->score + v * s->stride;
        float top[LIST + 1];
        double gain = 0, ideal = 0;
        size_t n_truth = 0;
        for (uint64_t i = from; i < cut; i++)
            mark[e->item[i]] |= HAD;
        find_top(top, score, mark, e->n_items, (float)raise);
        for (uint64_t i = cut; i < to; i++) {
            if (mark[e->item[i]] & TRUTH)
                continue;
            mark[e->item[i]] |= TRUTH;
            size_t place = place_of(top, raised(score, mark, (float)raise, e->item[i]));
            gain += place <= LIST ? 1 / log2(1 + (double)place) : 0;
            ideal += ++n_truth <= LIST ? 1 / log2(1 + (double)n_truth) : 0;
        }
        for (uint64_t i = from; i < to; i++)
            mark[e->item[i]] = 0;
        sum += gain / ideal;
    }
    return sum / (double)s->n;
}

/*
 * What explains the data best need not rank best: people may come back to their latest
 * items only, while the raise lifts all they ever had. Half of it, or nothing, is taken
 * where that puts the unknown events higher.
 */
static int
temper_repeat(const struct sample *s, const struct pz_events *e,
              struct pz_ials_softmax *out, struct pz_err *err)
{
    uint8_t *mark;
    int status = pz_new(&mark, e->n_items, sizeof *mark, "a sample of users", err);
    if (status)
        return status;
    double fitted = out->repeat, best = -1;
    for (int halves = 2; halves >= 0; halves--) {
        double ndcg = held_out_ndcg(s, e, mark, fitted * halves / 2);
        if (ndcg > best) {
            best = ndcg;
            out->repeat = fitted * halves / 2;
        }
    }
    free(mark);
    return PZ_OK;
}

int
pz_ials_softmax_fit(const struct pz_ials_side *side, const struct pz_bag_rule *rule,
                    const struct pz_events *events, uint64_t seed,
                    struct pz_ials_softmax *out, struct pz_err *err)
{
    struct sample *s = NULL;
    struct mass *m = NULL;
    *out = (struct pz_ials_softmax){1, 0};
    int status = pz_new(&s, 1, sizeof *s, "a sample of users", err);
    if (status)
        return status;
    choose_users(s, events, seed);
    if (!s->n)
        goto done;
    s->stride = ((size_t)side->n_rows + PZ_PACK - 1) / PZ_PACK * PZ_PACK;
    status =
        pz_new_aligned(&s->x, s->n * side->d, sizeof *s->x, "a sample of users", err);
    if (!status)
        status = pz_new_aligned(&s->score, s->n * s->stride, sizeof *s->score,
                                "a sample of users", err);
    if (!status)
        status = fold_users(s, side, rule, events, err);
    if (!status)
        status = score_users(s, side, events, err);
    if (!status)
        status = pz_new(&m, s->n, sizeof *m, "a sample of users", err);
    if (!status)
        best_softmax(s, m, out);
    if (!status)
        status = temper_repeat(s, events, out, err);
done:
    free(m);
    free(s->seen);
    free(s->x);
    free(s->score);
    free(s);
    return status;
}
