#include "serve/shown.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/mem.h"

enum {
    SHARDS = 16,
    WAYS = 4,         // places where a list may be noted
    USUAL = 64,       // bytes of a list, for the size of the table
    RECORD_ALIGN = 8, // of the ring
    LEAST_RING = 2 * PZ_SHOWN_LIST,
};

/* In the ring: this, then the list. The name is 128 bits of a hash, which nobody has to
 * guess: ids are random, and what is behind them is no secret of the group's. */
struct record {
    uint64_t name[2];
    uint64_t n;
};

/* Lists lie one behind the other in a ring, which overwrites the oldest; at[] notes
 * where, as the number of bytes ever written before (plus one; 0: none). What is noted
 * and has been overwritten since is told by that number. */
struct shard {
    pthread_mutex_t lock;
    char *ring;
    uint64_t cap, end;
    uint64_t *at;
    uint64_t n_buckets; // a power of two
};

struct pz_shown {
    struct shard shard[SHARDS];
};

int
pz_shown_new(struct pz_shown **out, size_t bytes, struct pz_err *err)
{
    struct pz_shown *s;
    *out = NULL;
    if (pz_new(&s, 1, sizeof *s, "lists that were shown", err))
        return err->status;
    for (int i = 0; i < SHARDS; i++)
        pthread_mutex_init(&s->shard[i].lock, NULL);
    for (int i = 0; i < SHARDS; i++) {
        struct shard *h = &s->shard[i];
        h->cap = bytes / SHARDS / RECORD_ALIGN * RECORD_ALIGN;
        if (h->cap < LEAST_RING)
            h->cap = LEAST_RING;
        for (h->n_buckets = 1; h->n_buckets * WAYS * USUAL < h->cap; h->n_buckets *= 2)
            ;
        if (pz_new(&h->ring, h->cap, 1, "lists that were shown", err) ||
            pz_new(&h->at, h->n_buckets * WAYS, sizeof *h->at, "lists that were shown",
                   err)) {
            pz_shown_free(s);
            return err->status;
        }
    }
    *out = s;
    return PZ_OK;
}

void
pz_shown_free(struct pz_shown *s)
{
    if (!s)
        return;
    for (int i = 0; i < SHARDS; i++) {
        free(s->shard[i].ring);
        free(s->shard[i].at);
        pthread_mutex_destroy(&s->shard[i].lock);
    }
    free(s);
}

static void
name_of(const char *group, const char *id, uint64_t name[2])
{
    XXH128_hash_t h =
        XXH3_128bits_withSeed(id, strlen(id), XXH3_64bits(group, strlen(group)));
    name[0] = h.low64;
    name[1] = h.high64;
}

static struct shard *
shard_of(struct pz_shown *s, const uint64_t name[2])
{
    return &s->shard[name[1] % SHARDS];
}

static uint64_t *
bucket_of(const struct shard *h, const uint64_t name[2])
{
    return &h->at[(name[0] & (h->n_buckets - 1)) * WAYS];
}

void
pz_shown_add(struct pz_shown *s, const char *group, const char *id, const char *text,
             size_t n)
{
    struct record r;
    if (n > PZ_SHOWN_LIST) { // as many whole items as there is room for
        for (n = PZ_SHOWN_LIST; n && text[n] != '|'; n--)
            ;
    }
    if (!n)
        return;
    name_of(group, id, r.name);
    r.n = n;
    uint64_t need = sizeof r + (n + RECORD_ALIGN - 1) / RECORD_ALIGN * RECORD_ALIGN;
    struct shard *h = shard_of(s, r.name);
    pthread_mutex_lock(&h->lock);
    uint64_t left = h->cap - h->end % h->cap;
    if (left < need) // records do not wrap around
        h->end += left;
    char *to = h->ring + h->end % h->cap;
    memcpy(to, &r, sizeof r);
    memcpy(to + sizeof r, text, n);
    uint64_t *at = bucket_of(h, r.name), *oldest = at;
    for (int i = 1; i < WAYS; i++)
        if (at[i] < *oldest)
            oldest = &at[i];
    *oldest = h->end + 1;
    h->end += need;
    pthread_mutex_unlock(&h->lock);
}

bool
pz_shown_find(struct pz_shown *s, const char *group, const char *id, struct pz_buf *out)
{
    uint64_t name[2];
    bool found = false;
    name_of(group, id, name);
    struct shard *h = shard_of(s, name);
    pthread_mutex_lock(&h->lock);
    const uint64_t *at = bucket_of(h, name);
    for (int i = 0; i < WAYS && !found; i++) {
        struct record r;
        // It may be overwritten as far as h->end has come in the round behind its own.
        if (!at[i] || at[i] - 1 + h->cap < h->end)
            continue;
        const char *from = h->ring + (at[i] - 1) % h->cap;
        memcpy(&r, from, sizeof r);
        found = r.name[0] == name[0] && r.name[1] == name[1];
        if (found)
            pz_buf_add(out, from + sizeof r, r.n);
    }
    pthread_mutex_unlock(&h->lock);
    return found;
}
