/*
 * mem: allocation whose sizes cannot wrap and whose failure is a status.
 * Everything that is returned is freed with free().
 */
#ifndef PZ_BASE_MEM_H
#define PZ_BASE_MEM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* a*b and a+b into *out; false when the result does not fit. */
bool pz_size_mul(size_t a, size_t b, size_t *out);
bool pz_size_add(size_t a, size_t b, size_t *out);

/* n zeroed elements of `size` bytes into *out (never NULL on success, even for n 0). */
int pz_new(void *out, size_t n, size_t size, const char *what, struct pz_err *err);

/* As pz_new, but not zeroed, and aligned to 64 bytes. */
int pz_new_aligned(void *out, size_t n, size_t size, const char *what,
                   struct pz_err *err);

/* As pz_new_aligned, for arrays of which large parts are never written: a page that
 * nobody writes takes no memory, also where the system hands out huge ones. */
int pz_new_sparse(void *out, size_t n, size_t size, const char *what, struct pz_err *err);

/*
 * Makes room for `need` elements in the array *array of capacity *cap (elements of
 * `size` bytes), growing by half; the contents stay. On failure the array stays as it
 * was.
 */
int pz_grow(void *array, size_t *cap, size_t need, size_t size, const char *what,
            struct pz_err *err);

/* A NUL-terminated copy of n bytes. */
int pz_strndup(char **out, const char *s, size_t n, struct pz_err *err);

#endif
