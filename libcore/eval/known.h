/*
 * known: a model that has learned already, as the world that it can be tested in.
 */
#ifndef PZ_EVAL_KNOWN_H
#define PZ_EVAL_KNOWN_H

#include "eval/compare.h"

struct pz_known {
    struct pz_model model;
    struct pz_world world;   // its ids alone
    struct pz_events events; // its histories; time 0 where it has none
};

/* Opens a model file. PZ_FORMAT: damaged. */
int pz_known_open(struct pz_known *k, const char *path, struct pz_err *err);
void pz_known_close(struct pz_known *k); // accepts {0}
/* The model as an entry. */
int pz_known_add(const struct pz_known *k, const char *label, struct pz_entries *e,
                 struct pz_err *err);

#endif
