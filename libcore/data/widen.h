/*
 * widen: types of an inferred schema that turn out too narrow.
 *
 * Types are inferred from a sample, and a value behind it may not fit. Where the input
 * can be read again (files) and no row may be rejected, the import is made once more with
 * a wider type for that column: reals for integers when the value is a number with a
 * fraction, else strings, which keep whatever was written. Whichever thread meets such a
 * value first: an attempt with one thread finds the first one of the input, so that the
 * schema does not depend on threads.
 */
#ifndef PZ_DATA_WIDEN_H
#define PZ_DATA_WIDEN_H

#include "data/import.h"

struct pz_widening {
    uint8_t *type; // by field: enum pz_type + 1, or 0: as inferred
    size_t n;
    bool possible;
    bool alone;   // the attempt is to have one thread
    bool found;   // a value did not fit
    size_t field; // of an attempt with one thread: the first one
    enum pz_type to;
};

void pz_widening_init(struct pz_widening *w, const struct pz_import *p);
void pz_widening_release(struct pz_widening *w);
/* What is known so far, into a schema that was inferred again. */
void pz_widening_apply(const struct pz_widening *w, struct pz_schema *schema);
/* A value does not fit the inferred type of a field. From any thread. */
void pz_widening_note(struct pz_widening *w, const struct pz_cell *cell, size_t field,
                      enum pz_type type);
/* The attempt ended with *err. True: make another one; *err is PZ_OK again. */
bool pz_widening_again(struct pz_widening *w, struct pz_err *err);

#endif
