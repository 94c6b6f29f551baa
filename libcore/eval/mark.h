/*
 * mark: what a split does with each event; between the files of eval/split.
 */
#ifndef PZ_EVAL_MARK_H
#define PZ_EVAL_MARK_H

#include "eval/split.h"

enum pz_mark { PZ_MARK_TRAIN = 1, PZ_MARK_GIVEN = 2, PZ_MARK_TRUTH = 4 };

struct pz_marking {
    const struct pz_events *events;
    const struct pz_split_spec *spec;
    uint8_t *mark; // an event each, of pz_mark bits; 0 on entry
};

int pz_mark_strong(const struct pz_marking *m, struct pz_err *err);

#endif
