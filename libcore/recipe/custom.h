/*
 * custom: recipes from outside: shared objects that export one struct pz_recipe, and
 * presets in JSON (recipe/preset.h).
 *
 * They are found as NAME.so and NAME.json in the directories of PZ_RECIPE_PATH (separated
 * by colons; default: the installation's lib/pz/recipes). A model names its recipe, so
 * that whoever answers from a model of a shared object loads it: only from those
 * directories, never from beside the model. What is loaded stays until the process ends.
 */
#ifndef PZ_RECIPE_CUSTOM_H
#define PZ_RECIPE_CUSTOM_H

#include "recipe/preset.h"

/*
 * What -r NAME stands for: a recipe, a preset (*preset, else NULL), by name or ARN; or a
 * file, when the name has a '/'. PZ_USAGE: there is none, lists what there is. PZ_DATA: a
 * file that is no recipe.
 */
int pz_recipe_need(const char *name, const struct pz_recipe **recipe,
                   const struct pz_preset **preset, struct pz_err *err);

/* The recipe of a model. PZ_FORMAT: not known here. */
int pz_recipe_of_model(const char *name, const struct pz_recipe **recipe,
                       struct pz_err *err);

#endif
