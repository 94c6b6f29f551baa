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

/* One that was found: a recipe (preset NULL), or a preset of it; `path` is its file. */
typedef void (*pz_recipe_found_fn)(void *ctx, const struct pz_recipe *recipe,
                                   const struct pz_preset *preset, const char *path);
/*
 * All in the directories, in their order and by name, each name once: the file that its
 * name stands for. A file that is no recipe is logged as a warning. Directories that
 * cannot be read hold none. PZ_SYSTEM: memory.
 */
int pz_recipes_found(pz_recipe_found_fn fn, void *ctx, struct pz_err *err);

/* The recipe of a model. PZ_FORMAT: not known here. */
int pz_recipe_of_model(const char *name, const struct pz_recipe **recipe,
                       struct pz_err *err);

#endif
