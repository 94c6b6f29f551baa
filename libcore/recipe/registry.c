#include <string.h>

#include "recipe/recipe.h"

const struct pz_recipe *const pz_recipes[] = {
    &pz_recipe_personalized_ranking,
    &pz_recipe_popularity,
    &pz_recipe_semantic_similarity,
    &pz_recipe_similar_items,
    &pz_recipe_sims,
    &pz_recipe_trending,
    &pz_recipe_user_personalization,
    &pz_recipe_item_affinity,
    &pz_recipe_item_attribute_affinity,
    &pz_recipe_next_best_action,
    &pz_recipe_bpr,
    NULL,
};

static const char *const type_name[] = {
    [PZ_USER_PERSONALIZATION] = "USER_PERSONALIZATION",
    [PZ_POPULAR_ITEMS] = "POPULAR_ITEMS",
    [PZ_PERSONALIZED_RANKING] = "PERSONALIZED_RANKING",
    [PZ_RELATED_ITEMS] = "RELATED_ITEMS",
    [PZ_USER_SEGMENTATION] = "USER_SEGMENTATION",
    [PZ_PERSONALIZED_ACTIONS] = "PERSONALIZED_ACTIONS",
};

const char *
pz_recipe_type_name(enum pz_recipe_type t)
{
    return type_name[t];
}

const struct pz_recipe *
pz_recipe_find(const char *name)
{
    static const char arn[] = "arn:aws:personalize:::recipe/";
    if (!strncmp(name, arn, sizeof arn - 1))
        name += sizeof arn - 1;
    for (const struct pz_recipe *const *r = pz_recipes; *r; r++)
        if (!strcmp((*r)->name, name))
            return *r;
    return NULL;
}
