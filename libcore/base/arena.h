/*
 * arena: memory that is given back all at once. What was handed out does not move.
 */
#ifndef PZ_BASE_ARENA_H
#define PZ_BASE_ARENA_H

#include <stddef.h>

#include "base/err.h"

struct pz_arena {
    struct pz_arena_block *first, *at; // at: the one in use; those behind it are empty
};

/* n elements of `size` bytes, not zeroed, aligned for any type; never NULL on success. */
int pz_arena_new(struct pz_arena *a, void *out, size_t n, size_t size, const char *what,
                 struct pz_err *err);
/* A copy of n bytes with a NUL behind them. */
int pz_arena_copy(struct pz_arena *a, const char **out, const char *s, size_t n,
                  const char *what, struct pz_err *err);
void pz_arena_clear(struct pz_arena *a);   // all is free; the memory stays
void pz_arena_release(struct pz_arena *a); // accepts {0}

#endif
