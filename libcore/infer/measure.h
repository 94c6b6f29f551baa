/* measure: how fast answers come from a model, on this machine as it is now. */
#ifndef PZ_INFER_MEASURE_H
#define PZ_INFER_MEASURE_H

#include "recipe/model.h"

/*
 * Requests a second that one thread answers, each for 25 items and one by one: for users
 * (or items, as the model is asked) that are drawn from those it knows. Takes `seconds`,
 * and the time of one answer more. PZ_DATA: models that answer with users are not asked
 * one by one.
 */
int pz_measure_rate(const struct pz_model *m, double seconds, uint64_t seed, double *rate,
                    struct pz_err *err);

#endif
