/*
 * trending: the interval of aws-trending-now, for those who measure it.
 */
#ifndef PZ_RECIPE_TRENDING_H
#define PZ_RECIPE_TRENDING_H

#include "recipe/param.h"

/* Seconds of trend_discovery_frequency. */
int64_t pz_trending_interval(const struct pz_params *p);

#endif
