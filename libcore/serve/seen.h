/*
 * seen: signatures of requests that were carried out, for as long as they would be
 * accepted again: so that one who listens cannot have a request carried out twice, and
 * one whose answer was lost may send it again. Bounded: the oldest go first. Any thread.
 */
#ifndef PZ_SERVE_SEEN_H
#define PZ_SERVE_SEEN_H

#include "serve/sigv4.h"

struct pz_seen;
int pz_seen_new(struct pz_seen **s, size_t max, struct pz_err *err);
void pz_seen_free(struct pz_seen *s); // accepts NULL
bool pz_seen_has(struct pz_seen *s, const uint8_t signature[PZ_SIG_BYTES]);
void pz_seen_add(struct pz_seen *s, const uint8_t signature[PZ_SIG_BYTES]);

#endif
