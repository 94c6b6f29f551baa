#include <math.h>

#include "base/par.h"
#include "recipe/ease.h"
#include "recipe/parts.h"

enum { DENSE_MOST = 30000, DENSE_ROWS = 4096, NEIGHBOURS = 200, NEAR_ROW = 1024 };
static const double STRENGTH = 30;
static const double DENSE_SHARE = 0.15; // of a time budget

/* Seconds of the closed form, or INFINITY: it has too many items for the memory, or for
 * the time budget of a recipe that has one (it is trained twice there). */
static double
closed_cost(const struct pz_train *t, const struct pz_pairs_size *s)
{
    double seconds = s->additions / 1e9 + s->n_items * s->n_items * s->n_items / 60e9;
    double most = DENSE_SHARE * pz_param_or(t->params, "time_budget", INFINITY);
    return s->n_items <= DENSE_MOST && seconds <= most ? seconds : INFINITY;
}

static double
cost(const struct pz_train *t)
{
    struct pz_pairs_size s;
    pz_pairs_size(&s, pz_train_whole(t));
    double k = pz_param_or(t->params, "ease_neighbours", 0);
    if (k == 0 && isfinite(closed_cost(t, &s)))
        return closed_cost(t, &s);
    k = k > 0 ? k : NEIGHBOURS;
    return s.additions / 0.5e9 + s.n_items * (k * k * k / 3 + 10.0 * NEAR_ROW * k) / 30e9;
}

/* Grows with the root of what there is to fit: ten times the users, three times as much.
 */
static double
regularization(const struct pz_pairs *p, double damping)
{
    double sum = 0;
    const struct pz_csr *users = &p->by_user;
    for (uint32_t u = 0; u < users->n_rows; u++) {
        double n = (double)(users->offsets[u + 1] - users->offsets[u]);
        sum += n > 0 ? n * pow(n, -damping) : 0;
    }
    return STRENGTH * sqrt(sum / (p->n_ranks ? p->n_ranks : 1));
}

static int
train(const struct pz_train *t, struct pz_err *err)
{
    struct pz_pairs pairs;
    struct pz_linear_made made;
    double k = pz_param_or(t->params, "ease_neighbours", 0);
    struct pz_pairs_size size;
    pz_pairs_size(&size, pz_train_whole(t));
    if (k == 0 && !isfinite(closed_cost(t, &size)))
        k = NEIGHBOURS;
    struct pz_ease_config c = {
        .regularization = pz_param_or(t->params, "ease_regularization", 0),
        .dropout = pz_param_or(t->params, "ease_dropout", 0),
        .user_damping = pz_param_or(t->params, "ease_user_damping", 0),
        .dense_most = k > 0 ? 0 : DENSE_MOST,
        .neighbours = k > 0 ? (uint32_t)k : NEIGHBOURS,
        .keep = (size_t)pz_param_or(t->params, "ease_keep", 500),
        .dense_rows = size.n_items <= DENSE_ROWS ? DENSE_ROWS : 0,
        .spend = true,
        .threads = pz_threads(t->threads)};
    int status = pz_pairs_make(&pairs, t->events, err);
    if (status)
        return status;
    if (c.regularization == 0)
        c.regularization = regularization(&pairs, c.user_damping);
    status = pz_ease_train(&made, &pairs, &c, err);
    pz_pairs_release(&pairs);
    if (status)
        return status;
    struct pz_bag_rule rule = {.once = true, .halflife = pz_past_halflife(t)};
    pz_linear_put(t->model, "ease", &made, &rule);
    pz_builder_metaf(t->model, "train.ease.regularization", "%.9g", c.regularization);
    return PZ_OK;
}

static int
open_state(void **state, const struct pz_model *model, struct pz_err *err)
{
    return pz_linear_open(state, model, "ease", err);
}

static int
keep(const struct pz_train *t, const struct pz_kept *k, struct pz_err *err)
{
    return pz_linear_keep(t, k, "ease", err);
}

const struct pz_part pz_part_ease = {
    .name = "ease",
    .summary = "each item from the user's others, in closed form",
    .cost = cost,
    .train = train,
    .keep = keep,
    .open = open_state,
    PZ_LINEAR_ANSWERS,
};
