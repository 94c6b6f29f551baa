/*
 * aws-personalized-ranking: a given list in the order in which a user wants it.
 *
 * It is the model of aws-user-personalization, asked for candidates only: the same
 * training, the same tensors, the same answers, whose softmax runs over the list. A list
 * is ranked as it is, so that there is nothing to explore. Items that the model does not
 * know come last without a score (infer/infer.h).
 */
#include "recipe/recipe.h"

static int
train(const struct pz_train *t, struct pz_err *err)
{
    return pz_recipe_user_personalization.train(t, err);
}

static int
open_state(void **state, const struct pz_model *model, struct pz_err *err)
{
    return pz_recipe_user_personalization.open(state, model, err);
}

static void
close_state(void *state)
{
    pz_recipe_user_personalization.close(state);
}

static int
rank(const void *state, const struct pz_query *q, size_t n, struct pz_ranked *out,
     struct pz_err *err)
{
    return pz_recipe_user_personalization.rank(state, q, n, out, err);
}

static int
explain(const void *state, const struct pz_query *q, uint32_t item,
        struct pz_explained *out, struct pz_err *err)
{
    return pz_recipe_user_personalization.explain(state, q, item, out, err);
}

const struct pz_recipe pz_recipe_personalized_ranking = {
    .name = "aws-personalized-ranking",
    .type = PZ_PERSONALIZED_RANKING,
    .summary = "a given list of items in the order in which a user wants them",
    .params = pz_user_personalization_params + 2, // without exploration
    .softmax = true,
    .has_scores = true,
    .updates = true,
    .train = train,
    .open = open_state,
    .close = close_state,
    .rank = rank,
    .explain = explain,
};
