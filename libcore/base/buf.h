/*
 * buf: a growable byte buffer with a ceiling.
 *
 * Adding never fails at the call: a failure (no memory, or the ceiling reached) is
 * remembered, later additions are dropped, and pz_buf_status() tells at the end.
 * `data` is NUL-terminated behind `len` bytes as soon as anything was added.
 */
#ifndef PZ_BASE_BUF_H
#define PZ_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct pz_buf {
    char *data;  // owned; NULL until the first addition
    size_t len;  // bytes in use
    size_t cap;  // bytes allocated
    size_t max;  // ceiling for len; 0 means none
    bool failed; // an addition was dropped
    bool full;   // because of the ceiling
};

#define PZ_BUF_INIT                                                                      \
    {                                                                                    \
        NULL, 0, 0, 0, false, false                                                      \
    }

void pz_buf_release(struct pz_buf *b);
void pz_buf_clear(struct pz_buf *b); // len 0, nothing dropped; keeps the memory
void pz_buf_add(struct pz_buf *b, const void *bytes, size_t n);
void pz_buf_addz(struct pz_buf *b, const char *text);
void pz_buf_addc(struct pz_buf *b, char c);
void pz_buf_addf(struct pz_buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
void pz_buf_add_i64(struct pz_buf *b, long long v);
/* Room for n more bytes behind len, to be filled by the caller, who then raises len. NULL
 * on failure. */
char *pz_buf_reserve(struct pz_buf *b, size_t n);
/* PZ_OK, or with a message naming `what` PZ_DATA (beyond the ceiling) or PZ_SYSTEM. */
int pz_buf_status(const struct pz_buf *b, const char *what, struct pz_err *err);

#endif
