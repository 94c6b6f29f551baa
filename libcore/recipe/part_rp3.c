#include <math.h>

#include "base/par.h"
#include "recipe/parts.h"
#include "recipe/rp3.h"

static double
cost(const struct pz_train *t)
{
    struct pz_pairs_size s;
    pz_pairs_size(&s, t->events);
    return s.additions / 0.5e9;
}

static int
train(const struct pz_train *t, struct pz_err *err)
{
    struct pz_pairs pairs;
    struct pz_linear_made made;
    struct pz_rp3_config c = {.alpha = pz_param_or(t->params, "rp3_alpha", 0.8),
                              .beta = pz_param_or(t->params, "rp3_beta", 0.3),
                              .keep = (size_t)pz_param_or(t->params, "rp3_keep", 350),
                              .threads = pz_threads(t->threads)};
    int status = pz_pairs_make(&pairs, t->events, err);
    if (status)
        return status;
    status = pz_rp3_train(&made, &pairs, &c, err);
    pz_pairs_release(&pairs);
    if (status)
        return status;
    struct pz_bag_rule rule = {.once = true, .halflife = pz_past_halflife(t)};
    pz_linear_put(t->model, "rp3beta", &made, &rule);
    return PZ_OK;
}

static int
open_state(void **state, const struct pz_model *model, struct pz_err *err)
{
    return pz_linear_open(state, model, "rp3beta", err);
}

const struct pz_part pz_part_rp3beta = {
    .name = "rp3beta",
    .summary = "walks from item to user to item",
    .cost = cost,
    .train = train,
    .open = open_state,
    PZ_LINEAR_ANSWERS,
};
