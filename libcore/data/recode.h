/*
 * recode: text of another encoding as UTF-8. The only user of iconv(3).
 */
#ifndef PZ_DATA_RECODE_H
#define PZ_DATA_RECODE_H

#include <stddef.h>

#include "base/err.h"
#include "data/source.h"

struct pz_recode;

/* The encoding of text that begins with these bytes where it is not UTF-8 for sure:
 * "UTF-16LE", "UTF-16BE", "UTF-32LE" or "UTF-32BE", by a byte-order mark or because half
 * of the bytes are NUL; else NULL. */
const char *pz_recode_guess(const char *head, size_t n);
/* Reads text of the encoding `from`, which begins with head[0..n) (copied) and goes on in
 * the source of each read. PZ_USAGE for an encoding that iconv does not know. */
int pz_recode_new(struct pz_recode **r, const char *from, const char *head, size_t n,
                  struct pz_err *err);
/* Fills out[0..n) with UTF-8 as far as there is text: *got < n means the end. A character
 * may be cut at the end of a call, and goes on in the next one. PZ_DATA for bytes that
 * the encoding does not have. */
int pz_recode_read(struct pz_recode *r, struct pz_source *s, char *out, size_t n,
                   size_t *got, struct pz_err *err);
/* As pz_recode_read, but does not wait for more once there is something: *got 0 means the
 * end. */
int pz_recode_some(struct pz_recode *r, struct pz_source *s, char *out, size_t n,
                   size_t *got, struct pz_err *err);
void pz_recode_free(struct pz_recode *r); // accepts NULL

#endif
