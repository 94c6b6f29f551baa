#include "base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { BLOCK = 1 << 16 };

struct pz_arena_block {
    struct pz_arena_block *next;
    size_t used, room;
    max_align_t data[];
};

/* A block with room for n bytes behind a->at. */
static int
advance(struct pz_arena *a, size_t n, const char *what, struct pz_err *err)
{
    struct pz_arena_block *b = a->at ? a->at->next : a->first;
    while (b && b->room < n) { // too small: not worth keeping
        struct pz_arena_block *next = b->next;
        free(b);
        b = next;
    }
    if (!b) {
        size_t room = n > BLOCK ? n : BLOCK, bytes;
        if (!pz_size_add(room, sizeof *b, &bytes) || !(b = malloc(bytes)))
            return pz_err_nomem(err, what, room);
        b->next = NULL;
        b->room = room;
    }
    b->used = 0;
    *(a->at ? &a->at->next : &a->first) = b;
    a->at = b;
    return PZ_OK;
}

int
pz_arena_new(struct pz_arena *a, void *out, size_t n, size_t size, const char *what,
             struct pz_err *err)
{
    size_t bytes;
    if (!pz_size_mul(n, size, &bytes) || bytes > SIZE_MAX / 2)
        return pz_err_nomem(err, what, SIZE_MAX);
    bytes = (bytes + _Alignof(max_align_t) - 1) / _Alignof(max_align_t) *
            _Alignof(max_align_t);
    if ((!a->at || a->at->room - a->at->used < bytes) && advance(a, bytes, what, err))
        return err->status;
    void *p = (char *)a->at->data + a->at->used;
    a->at->used += bytes;
    memcpy(out, &p, sizeof p);
    return PZ_OK;
}

int
pz_arena_copy(struct pz_arena *a, const char **out, const char *s, size_t n,
              const char *what, struct pz_err *err)
{
    char *p;
    if (pz_arena_new(a, &p, n + 1, 1, what, err))
        return err->status;
    if (n)
        memcpy(p, s, n);
    p[n] = 0;
    *out = p;
    return PZ_OK;
}

void
pz_arena_clear(struct pz_arena *a)
{
    a->at = a->first;
    if (a->at)
        a->at->used = 0;
}

void
pz_arena_release(struct pz_arena *a)
{
    for (struct pz_arena_block *b = a->first; b;) {
        struct pz_arena_block *next = b->next;
        free(b);
        b = next;
    }
    *a = (struct pz_arena){NULL, NULL};
}
