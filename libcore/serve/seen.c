#include "serve/seen.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "serve/sigv4.h"

/* A table of two halves: when the newer is full, the older is forgotten. */
struct pz_seen {
    pthread_mutex_t lock;
    uint64_t *slot[2]; // 0: free
    size_t n_slots, n;
};

int
pz_seen_new(struct pz_seen **out, size_t max, struct pz_err *err)
{
    struct pz_seen *s;
    *out = NULL;
    if (pz_new(&s, 1, sizeof *s, "signatures", err))
        return err->status;
    pthread_mutex_init(&s->lock, NULL);
    for (s->n_slots = 64; s->n_slots < max; s->n_slots *= 2)
        ;
    for (int i = 0; i < 2; i++)
        if (pz_new(&s->slot[i], s->n_slots, sizeof **s->slot, "signatures", err)) {
            pz_seen_free(s);
            return err->status;
        }
    *out = s;
    return PZ_OK;
}

void
pz_seen_free(struct pz_seen *s)
{
    if (!s)
        return;
    free(s->slot[0]);
    free(s->slot[1]);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

/* A signature is as good as random: its first bytes are its name. */
static uint64_t
name_of(const uint8_t signature[PZ_SIG_BYTES])
{
    uint64_t x;
    memcpy(&x, signature, sizeof x);
    return x ? x : 1;
}

/* The place of x in a half, or the free one where it would be. */
static uint64_t *
place(const struct pz_seen *s, int half, uint64_t x)
{
    size_t i = (size_t)(x * 0x9e3779b97f4a7c15u >> 7) & (s->n_slots - 1);
    while (s->slot[half][i] && s->slot[half][i] != x)
        i = (i + 1) & (s->n_slots - 1);
    return &s->slot[half][i];
}

bool
pz_seen_has(struct pz_seen *s, const uint8_t signature[PZ_SIG_BYTES])
{
    uint64_t x = name_of(signature);
    pthread_mutex_lock(&s->lock);
    bool yes = *place(s, 0, x) == x || *place(s, 1, x) == x;
    pthread_mutex_unlock(&s->lock);
    return yes;
}

void
pz_seen_add(struct pz_seen *s, const uint8_t signature[PZ_SIG_BYTES])
{
    uint64_t x = name_of(signature);
    pthread_mutex_lock(&s->lock);
    if (s->n > s->n_slots / 2) {
        uint64_t *oldest = s->slot[1];
        s->slot[1] = s->slot[0];
        s->slot[0] = oldest;
        memset(oldest, 0, s->n_slots * sizeof *oldest);
        s->n = 0;
    }
    uint64_t *p = place(s, 0, x);
    s->n += *p == 0;
    *p = x;
    pthread_mutex_unlock(&s->lock);
}
