#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "eval/figures.h"
#include "recipe/actions.h"

enum { LIST = 25, SHORT_LIST = 5, BINS = 10, PRIOR = 10 };
enum {
    COVERAGE,
    NDCG_5,
    NDCG_10,
    NDCG_25,
    PRECISION,
    RECALL,
    AUC,
    LOG_LOSS,
    CALIBRATION,
    N_VALUES
};
static const char *const names[N_VALUES] = {
    [COVERAGE] = "coverage",
    [NDCG_5] = "normalized_discounted_cumulative_gain_at_5",
    [NDCG_10] = "normalized_discounted_cumulative_gain_at_10",
    [NDCG_25] = "normalized_discounted_cumulative_gain_at_25",
    [PRECISION] = "precision",
    [RECALL] = "recall",
    [AUC] = "area_under_roc_curve",
    [LOG_LOSS] = "log_loss",
    [CALIBRATION] = "calibration_error"};

/* A foretold probability and what came. */
struct guess {
    double p;
    bool taken;
};

/* Of the model or of the baseline. */
struct tally {
    struct guess *guess;
    size_t n;
    double ndcg[3];
    uint32_t *shown, *right; // of each action: in short lists, and taken then
    uint8_t *seen;           // in any list
};

struct exam {
    const struct pz_eval *e;
    uint8_t *test;
    uint32_t n_test;
    struct pz_events part;
    struct pz_trained trial;
    double *rate;   // of each action among the users that were trained on
    uint32_t *best; // actions by rate, greatest first
    uint32_t *open; // those that may be shown at the time of a question
    float *score;   // of these
    struct tally tally[2];
    uint32_t *takers; // of each action: test users who took it in the truth
    double n_asked;   // users with a truth
};

/* ---- training ---- */

/* The events of the users that are not tested. */
static uint64_t
all_if_untested(const void *test, const struct pz_events *e, uint32_t u)
{
    return ((const uint8_t *)test)[u] ? 0 : e->offsets[u + 1] - e->offsets[u];
}

static int64_t
period_of(const struct exam *x)
{
    return (int64_t)pz_param(x->e->params, "action_optimization_period") * 86400;
}

/* The baseline: for everybody the rate at which an action is taken. */
static int
make_baseline(struct exam *x, struct pz_err *err)
{
    struct pz_offer *offer = NULL;
    size_t n;
    uint32_t n_actions = x->part.n_items;
    double takes = 0;
    if (pz_new(&x->rate, n_actions, sizeof *x->rate, "rates", err) ||
        pz_new(&x->best, n_actions, sizeof *x->best, "rates", err) ||
        pz_offers_make(&offer, &n, &x->part, period_of(x), err))
        return err->status;
    double *offered;
    if (!pz_new(&offered, n_actions, sizeof *offered, "rates", err)) {
        for (size_t i = 0; i < n; i++) {
            offered[offer[i].action]++;
            x->rate[offer[i].action] += offer[i].taken;
            takes += offer[i].taken;
        }
        double all = (takes + 0.5) / ((double)n + 1);
        for (uint32_t a = 0; a < n_actions; a++) {
            x->rate[a] = (x->rate[a] + PRIOR * all) / (offered[a] + PRIOR);
            uint32_t k = a;
            for (; k > 0 && x->rate[x->best[k - 1]] < x->rate[a]; k--)
                x->best[k] = x->best[k - 1];
            x->best[k] = a;
        }
    }
    free(offered);
    free(offer);
    return err->status;
}

/* ---- probabilities ---- */

/* The probability of the very action, as it is offered. */
static int
guess_one(struct exam *x, const struct pz_offer *o, struct pz_err *err)
{
    const struct pz_events *e = x->e->events;
    uint64_t from = e->offsets[o->user];
    uint32_t item;
    float score = 0;
    struct pz_query q = {.user = o->user,
                         .item = PZ_NO_ID,
                         .history = e->item + from,
                         .weight = e->weight ? e->weight + from : NULL,
                         .time = e->time + from,
                         .n_history = (size_t)o->before,
                         .candidate = &o->action,
                         .n_candidates = 1,
                         .n = 1,
                         .now = o->time,
                         .dated = true};
    struct pz_ranked out = {.item = &item, .score = &score};
    if (x->e->recipe->rank(x->trial.model.state, &q, 1, &out, err))
        return err->status;
    double p[2] = {out.n ? (double)score : 0, x->rate[o->action]};
    for (int k = 0; k < 2; k++)
        x->tally[k].guess[x->tally[k].n++] = (struct guess){p[k], o->taken};
    return PZ_OK;
}

static int
guess_all(struct exam *x, struct pz_err *err)
{
    struct pz_offer *offer;
    size_t n, most = 0;
    if (pz_offers_make(&offer, &n, x->e->events, period_of(x), err))
        return err->status;
    for (size_t i = 0; i < n; i++)
        most += x->test[offer[i].user];
    if (!pz_new(&x->tally[0].guess, most, sizeof(struct guess), "guesses", err) &&
        !pz_new(&x->tally[1].guess, most, sizeof(struct guess), "guesses", err))
        for (size_t i = 0; i < n && !err->status; i++)
            if (x->test[offer[i].user])
                guess_one(x, &offer[i], err);
    free(offer);
    return err->status;
}

static int
by_p(const void *a, const void *b)
{
    const struct guess *x = a, *y = b;
    return (x->p > y->p) - (x->p < y->p);
}

/* The chance that one taken has the greater p of the two; ties count half. */
static double
auc(const struct guess *g, size_t n)
{
    double below = 0, sum = 0, taken = 0;
    for (size_t i = 0; i < n;) {
        size_t end = i;
        double yes = 0, no = 0;
        for (; end < n && g[end].p == g[i].p; end++) {
            yes += g[end].taken;
            no += !g[end].taken;
        }
        sum += yes * (below + no / 2);
        below += no;
        taken += yes;
        i = end;
    }
    return taken > 0 && below > 0 ? sum / (taken * below) : 0.5;
}

/* Mean over tenths, by p, of how far the mean p is from the share that was taken. */
static double
calibration_error(const struct guess *g, size_t n)
{
    double sum = 0;
    for (size_t b = 0; b < BINS; b++) {
        size_t from = n * b / BINS, to = n * (b + 1) / BINS;
        double p = 0, taken = 0;
        for (size_t i = from; i < to; i++) {
            p += g[i].p;
            taken += g[i].taken;
        }
        sum += fabs(p - taken);
    }
    return n ? sum / (double)n : 0;
}

static double
log_loss(const struct guess *g, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        double p = fmin(fmax(g[i].p, 1e-6), 1 - 1e-6);
        sum -= g[i].taken ? log(p) : log(1 - p);
    }
    return n ? sum / (double)n : 0;
}

/* ---- lists ---- */

static void
judge(struct exam *x, int which, const uint32_t *list, size_t n, const uint8_t *truth,
      size_t n_truth)
{
    static const size_t at[] = {5, 10, 25};
    struct tally *t = &x->tally[which];
    for (int k = 0; k < 3; k++) {
        double gain = 0, ideal = 0;
        for (size_t i = 0; i < at[k]; i++) {
            gain += i < n && truth[list[i]] ? 1 / log2((double)i + 2) : 0;
            ideal += i < n_truth ? 1 / log2((double)i + 2) : 0;
        }
        t->ndcg[k] += gain / ideal;
    }
    for (size_t i = 0; i < n; i++) {
        t->seen[list[i]] = 1;
        t->shown[list[i]] += i < SHORT_LIST;
        t->right[list[i]] += i < SHORT_LIST && truth[list[i]];
    }
}

/* The baseline's list: no more than the model does it show what has expired. */
static int
list_best(const struct exam *x, int64_t now, uint32_t list[LIST], size_t *n,
          struct pz_err *err)
{
    uint32_t n_actions = x->part.n_items;
    struct pz_query q = {
        .user = PZ_NO_ID, .item = PZ_NO_ID, .n = n_actions, .now = now, .dated = true};
    struct pz_ranked out = {.item = x->open, .score = x->score};
    *n = 0;
    if (x->e->recipe->rank(x->trial.model.state, &q, 1, &out, err))
        return err->status;
    for (uint32_t i = 0; i < n_actions && *n < LIST; i++)
        for (size_t k = 0; k < out.n; k++)
            if (out.item[k] == x->best[i]) {
                list[(*n)++] = x->best[i];
                break;
            }
    return PZ_OK;
}

/* The newest tenth of a user's events, as the truth of a list that the rest gives. */
static int
list_one(struct exam *x, uint32_t u, uint8_t *truth, struct pz_err *err)
{
    const struct pz_events *e = x->e->events;
    uint64_t from = e->offsets[u], n = e->offsets[u + 1] - from;
    uint64_t newest = (uint64_t)floor(0.1 * (double)n + 0.5);
    newest = newest < 1 ? 1 : newest;
    size_t n_truth = 0, n_best;
    uint32_t list[LIST], best[LIST];
    float score[LIST];
    memset(truth, 0, e->n_items);
    for (uint64_t i = from + n - newest; i < from + n; i++)
        if (!truth[e->item[i]] && (!e->weight || e->weight[i] == PZ_ACTION_TAKEN)) {
            truth[e->item[i]] = 1;
            x->takers[e->item[i]]++;
            n_truth++;
        }
    if (!n_truth)
        return PZ_OK;
    struct pz_query q = {.user = u,
                         .item = PZ_NO_ID,
                         .history = e->item + from,
                         .weight = e->weight ? e->weight + from : NULL,
                         .time = e->time + from,
                         .n_history = (size_t)(n - newest),
                         .n = LIST,
                         .now = e->time[from + n - newest],
                         .dated = true};
    struct pz_ranked out = {.item = list, .score = score};
    if (x->e->recipe->rank(x->trial.model.state, &q, 1, &out, err) ||
        list_best(x, q.now, best, &n_best, err))
        return err->status;
    judge(x, 0, list, out.n, truth, n_truth);
    judge(x, 1, best, n_best, truth, n_truth);
    x->n_asked++;
    return PZ_OK;
}

static int
list_all(struct exam *x, struct pz_err *err)
{
    static const char what[] = "lists";
    uint32_t n = x->part.n_items;
    uint8_t *truth = NULL;
    if (pz_new(&truth, n, 1, what, err) ||
        pz_new(&x->open, n, sizeof *x->open, what, err) ||
        pz_new(&x->score, n, sizeof *x->score, what, err) ||
        pz_new(&x->takers, n, sizeof *x->takers, what, err))
        goto done;
    for (int k = 0; k < 2; k++)
        if (pz_new(&x->tally[k].shown, n, sizeof(uint32_t), what, err) ||
            pz_new(&x->tally[k].right, n, sizeof(uint32_t), what, err) ||
            pz_new(&x->tally[k].seen, n, 1, what, err))
            goto done;
    for (uint32_t u = 0; u < x->part.n_users && !err->status; u++)
        if (x->test[u])
            list_one(x, u, truth, err);
done:
    free(truth);
    return err->status;
}

/* ---- figures ---- */

static void
summarize(struct exam *x, int which, double value[N_VALUES])
{
    struct tally *t = &x->tally[which];
    double precision = 0, n_shown = 0, recall = 0, n_taken = 0, seen = 0;
    for (uint32_t a = 0; a < x->part.n_items; a++) {
        seen += t->seen[a];
        if (t->shown[a]) {
            precision += (double)t->right[a] / t->shown[a];
            n_shown++;
        }
        if (x->takers[a]) {
            recall += (double)t->right[a] / x->takers[a];
            n_taken++;
        }
    }
    qsort(t->guess, t->n, sizeof *t->guess, by_p);
    for (int k = 0; k < 3; k++)
        value[NDCG_5 + k] = x->n_asked > 0 ? t->ndcg[k] / x->n_asked : 0;
    value[COVERAGE] = x->part.n_items ? seen / x->part.n_items : 0;
    value[PRECISION] = n_shown > 0 ? precision / n_shown : 0;
    value[RECALL] = n_taken > 0 ? recall / n_taken : 0;
    value[AUC] = auc(t->guess, t->n);
    value[LOG_LOSS] = log_loss(t->guess, t->n);
    value[CALIBRATION] = calibration_error(t->guess, t->n);
}

static void
release(struct exam *x)
{
    pz_trained_close(&x->trial);
    pz_events_release(&x->part);
    for (int k = 0; k < 2; k++) {
        free(x->tally[k].guess);
        free(x->tally[k].shown);
        free(x->tally[k].right);
        free(x->tally[k].seen);
    }
    free(x->test);
    free(x->rate);
    free(x->best);
    free(x->open);
    free(x->score);
    free(x->takers);
}

int
pz_eval_actions(const struct pz_eval *e, struct pz_figures *out, struct pz_err *err)
{
    struct exam x = {.e = e};
    struct pz_train learn = {.events = &x.part,
                             .params = e->params,
                             .world = e->world,
                             .seed = e->seed,
                             .threads = e->threads};
    *out = (struct pz_figures){.asked = "test offers", .baseline = "rate of each action"};
    if (pz_eval_draw(e->events, e->seed, &x.test, &x.n_test, err) || !x.n_test ||
        pz_events_take(e->events, all_if_untested, x.test, &x.part, err) ||
        pz_trained_open(&x.trial, e->recipe, &learn, err) || make_baseline(&x, err) ||
        guess_all(&x, err) || list_all(&x, err))
        goto done;
    double value[2][N_VALUES];
    summarize(&x, 0, value[0]);
    summarize(&x, 1, value[1]);
    out->n = N_VALUES;
    out->n_asked = x.tally[0].n;
    for (int m = 0; m < N_VALUES; m++)
        out->figure[m] = (struct pz_figure){names[m], value[0][m], value[1][m]};
done:
    release(&x);
    return err->status;
}
