/*
 * insights: what `pz-import --report` says about the datasets of a group: sizes, how far
 * they are from what training needs, and what in them would hurt a model (pz-import(1)).
 */
#ifndef PZ_DATA_INSIGHTS_H
#define PZ_DATA_INSIGHTS_H

#include "base/buf.h"
#include "base/err.h"
#include "data/dataset.h"

/*
 * Appends the report to text_out for people and to json_out as one JSON object; either
 * may be NULL, as may any of the datasets. Checks the datasets first: PZ_FORMAT names the
 * damaged tensor. Reads every column a few times and holds at most a million values of
 * one.
 */
int pz_insights(const struct pz_dataset *interactions, const struct pz_dataset *items,
                const struct pz_dataset *users, struct pz_buf *text_out,
                struct pz_buf *json_out, struct pz_err *err);

#endif
