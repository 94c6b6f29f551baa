/*
 * ials_model: a model of the factors of recipe/ials.h alone, and the same as one part of
 * several (recipe/part.h).
 *
 * score(u, i) = x_u . y_i, shown as exp(score/T) / sum over all items of the same. x_u is
 * the stored vector, or for any other history the exact solution for it given the items,
 * which is the same thing (fold-in): a new user needs no training. Since x_u = A^-1 sum
 * w_h y_h,
 *
 *     score(u, i) = sum over the history's items h of  w_h * y_i . A^-1 y_h
 *
 * which is what explain() gives, term by term. The score of an item that is itself in the
 * history is raised by a number learned from the data (pz_ials_softmax_fit): where people
 * come back to what they had it is positive, where they never do it is far below zero.
 * (As a part it is not: whoever blends sees to that.)
 *
 * A model holds user.factor F32 [n_users, d], item.factor F32 [n_items, d] and gram F32
 * [d, d] (alpha0 Y^T Y); d is hidden_dimension rounded up to a multiple of 16, zeros
 * behind. What fold-in needs besides is in the metadata "train.*".
 */
#ifndef PZ_RECIPE_IALS_MODEL_H
#define PZ_RECIPE_IALS_MODEL_H

#include "recipe/part.h"

/* The functions of a recipe; the parameters are those of user_personalization.c. */
int pz_ials_model_train(const struct pz_train *t, struct pz_err *err);
int pz_ials_model_open(void **state, const struct pz_model *model, struct pz_err *err);
void pz_ials_model_close(void *state);
int pz_ials_model_rank(const void *state, const struct pz_query *q, size_t n,
                       struct pz_ranked *out, struct pz_err *err);
int pz_ials_model_explain(const void *state, const struct pz_query *q, uint32_t item,
                          struct pz_explained *out, struct pz_err *err);

extern const struct pz_part pz_part_ials;

#endif
