/*
 * aws-popularity-count: items by the number of distinct users. Every model carries that
 * list for its cold answers (recipe/model.h), so that there is nothing of its own to
 * learn.
 */
#include "recipe/model.h"

static const struct pz_param_def params[] = {{.name = NULL}};

static int
train(const struct pz_train *t, struct pz_err *err)
{
    (void)t;
    (void)err;
    return PZ_OK;
}

static int
open_state(void **state, const struct pz_model *model, struct pz_err *err)
{
    (void)err;
    const void *m = model;
    *state = (void *)m; // borrowed, only read
    return PZ_OK;
}

static void
close_state(void *state)
{
    (void)state;
}

static int
rank(const void *state, const struct pz_query *q, size_t n, struct pz_ranked *out,
     struct pz_err *err)
{
    (void)err;
    for (size_t i = 0; i < n; i++) {
        pz_model_popular(state, &q[i], &out[i]);
        out[i].fallback = false; // it is the answer here, for everyone
    }
    return PZ_OK;
}

const struct pz_recipe pz_recipe_popularity = {
    .name = "aws-popularity-count",
    .type = PZ_POPULAR_ITEMS,
    .summary = "the items with the most users, for everyone; the baseline",
    .params = params,
    .train = train,
    .open = open_state,
    .close = close_state,
    .rank = rank,
};
