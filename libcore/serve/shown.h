/*
 * shown: which items were answered under which recommendationId, so that an event that
 * names one has them as its impression. Bounded: the oldest lists are forgotten first.
 * Any thread.
 */
#ifndef PZ_SERVE_SHOWN_H
#define PZ_SERVE_SHOWN_H

#include "base/buf.h"
#include "base/err.h"

struct pz_shown;
enum { PZ_SHOWN_LIST = 16384 }; // bytes of a list, at most; longer ones end earlier

/* For lists of that many bytes together, with what is kept beside them. */
int pz_shown_new(struct pz_shown **s, size_t bytes, struct pz_err *err);
void pz_shown_free(struct pz_shown *s); // accepts NULL
/* Keeps text[0..n), items with '|' between, for an answer from a group. */
void pz_shown_add(struct pz_shown *s, const char *group, const char *id, const char *text,
                  size_t n);
/* Adds the list to *out. False: it is not known, or no longer. */
bool pz_shown_find(struct pz_shown *s, const char *group, const char *id,
                   struct pz_buf *out);

#endif
