/*
 * logistic: logistic regression with few terms, by Newton's method.
 *
 * Minimises sum over rows of log(1 + exp(-s_i z_i)) + ridge/2 |c|^2, s_i = 1 or -1,
 * z_i = c . x_i; the last term is not held back (give it the constant 1).
 */
#ifndef PZ_RECIPE_LOGISTIC_H
#define PZ_RECIPE_LOGISTIC_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { PZ_LOGISTIC_MAX = 16 };

/* x: n x d, d up to PZ_LOGISTIC_MAX; y: n, 0 or 1. The rows' order is that of the sums:
 * the same input gives the same bits. PZ_DATA: no solution (values out of all
 * proportion). */
int pz_logistic_fit(double *c, const double *x, const uint8_t *y, size_t n, size_t d,
                    double ridge, struct pz_err *err);
double pz_sigmoid(double z);
double pz_logit(double p); // of p within (0,1)

/*
 * Platt's calibration (Platt 1999, with the targets of his section 2.2): slope and offset
 * under which sigmoid(slope * z + offset) are probabilities. The slope is positive:
 * where it would not be, the probabilities are nearly alike.
 */
int pz_platt_fit(double *slope, double *offset, const double *z, const uint8_t *y,
                 size_t n, struct pz_err *err);

#endif
