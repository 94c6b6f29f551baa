/*
 * ids: external ids (opaque bytes) to dense u32 indexes and back.
 *
 * In memory while importing: struct pz_dict, an insert-only hash table over an arena.
 * On disk: three tensors, PREFIX.bytes U8 (all ids back to back), PREFIX.offsets I64
 * [n+1] and PREFIX.table U32 (open addressing, linear probing, size a power of two >= 2n,
 * slot = index+1 or 0, home slot = XXH3-64(id) & (size-1)). Ids are sorted bytewise, so
 * that the numbering does not depend on the order of the input, and so that a lookup
 * whose probe runs long (ids made to collide) falls back to binary search.
 */
#ifndef PZ_DATA_IDS_H
#define PZ_DATA_IDS_H

#include <stdint.h>
#include <string.h>

#include "store/tensors.h"

#define PZ_NO_ID UINT32_MAX

/* A view of stored ids; valid while the tensors are open. */
struct pz_ids {
    const uint8_t *bytes;
    const int64_t *offsets; // n+1
    const uint32_t *table;  // table_size, or NULL: pz_ids_find searches binary
    uint64_t n, n_bytes, table_size;
};

/* Finds the tensors; O(1). PZ_FORMAT naming the tensor. */
int pz_ids_open(struct pz_ids *ids, const struct pz_tensors *t, const char *prefix,
                struct pz_err *err);
/* The bytes of id i (not NUL-terminated); NULL when i or its offsets are out of bounds
 * (damage). */
const char *pz_ids_get(const struct pz_ids *ids, uint32_t i, size_t *len);
/* Index or PZ_NO_ID. */
uint32_t pz_ids_find(const struct pz_ids *ids, const char *s, size_t n);
/*
 * Reads all of it: offsets in order, ids sorted and different, and, where there is a
 * table, that it leads to every id. PREFIX is that of the tensors, for messages;
 * PZ_FORMAT. Hashes each id: verification does it, training need not.
 */
int pz_ids_check(const struct pz_ids *ids, const struct pz_tensors *t, const char *prefix,
                 struct pz_err *err);
/* Adds the three tensors for n ids sorted bytewise; copies nothing: bytes and offsets
 * must outlive the builder. with_table false leaves PREFIX.table out (dictionaries of
 * column values). */
int pz_ids_add(struct pz_builder *b, const char *prefix, uint64_t n, const uint8_t *bytes,
               const int64_t *offsets, bool with_table, struct pz_err *err);

/* ---- while importing ---- */

/* The first 8 bytes stand in the slot: ids up to that length are compared without
 * touching a second cache line. */
struct pz_dict_slot {
    uint64_t head;
    uint32_t len;
    uint32_t index; // +1; 0 is an empty slot
};

struct pz_dict {
    struct pz_dict_slot *slot;
    size_t n_slots;           // power of two
    struct pz_dict_slot last; // the value found last: runs of one value cost a compare
    int runs;                 // how often of late the value was the last one again
    char *arena;
    size_t arena_len, arena_cap;
    size_t *offset; // n+1
    size_t n, cap_offset;
    uint64_t seed; // of the hash: random per process, results do not depend on it
};

int pz_dict_init(struct pz_dict *d, struct pz_err *err);
void pz_dict_release(struct pz_dict *d);
/* The index of s[0..n), new or old, into *index. */
static inline int pz_dict_intern(struct pz_dict *d, const char *s, size_t n,
                                 uint32_t *index, struct pz_err *err);
/* PZ_NO_ID when absent. */
uint32_t pz_dict_find(const struct pz_dict *d, const char *s, size_t n);
const char *pz_dict_get(const struct pz_dict *d, uint32_t i, size_t *len);

/*
 * Merges n_dicts dictionaries into one list sorted bytewise: *bytes and *offsets (n+1)
 * are new memory, map[k][i] (new memory each) is the merged index of dictionary k's entry
 * i.
 */
int pz_dict_merge(struct pz_dict *const *dicts, size_t n_dicts, uint64_t *n,
                  uint8_t **bytes, int64_t **offsets, uint32_t **map, struct pz_err *err);

/* ---- the hot path of pz_dict_intern, inline: import calls it for every cell ---- */

/* pz_dict_intern without its shortcuts. */
int pz_dict_intern_slow(struct pz_dict *d, const char *s, size_t n, uint64_t head,
                        uint32_t *index, struct pz_err *err);

/* The first 8 bytes of s as a little-endian number, zeros behind a shorter id. */
static inline uint64_t
pz_dict_head(const char *s, size_t n)
{
    uint64_t v = 0;
    uint32_t a, b;
    if (n >= 8) {
        memcpy(&v, s, 8);
    } else if (n >= 4) {
        memcpy(&a, s, 4);
        memcpy(&b, s + n - 4, 4);
        v = a | (uint64_t)b << 8 * (n - 4);
    } else if (n) {
        v = (uint64_t)(uint8_t)s[0] | (uint64_t)(uint8_t)s[n / 2] << 8 * (n / 2) |
            (uint64_t)(uint8_t)s[n - 1] << 8 * (n - 1);
    }
    return v;
}

/* Hash of an id of at most 8 bytes: two rounds of multiply and shift over head and
 * length. */
static inline uint64_t
pz_dict_mix(const struct pz_dict *d, uint64_t head, size_t n)
{
    uint64_t x = (head ^ d->seed) + n * 0x9e3779b97f4a7c15u;
    x = (x ^ x >> 32) * 0xd6e8feb86659fd93u;
    x = (x ^ x >> 29) * 0xbf58476d1ce4e5b9u;
    return x ^ x >> 32;
}

static inline int
pz_dict_intern(struct pz_dict *d, const char *s, size_t n, uint32_t *index,
               struct pz_err *err)
{
    uint64_t head = pz_dict_head(s, n);
    if (n <= 8 && d->last.head == head && d->last.len == n && d->last.index) {
        *index = d->last.index - 1;
        return PZ_OK;
    }
    return pz_dict_intern_slow(d, s, n, head, index, err);
}

/* Is a lookup at once cheap: most values repeat the last one, or the table stays in
 * cache? */
static inline bool
pz_dict_is_near(const struct pz_dict *d)
{
    return d->runs >= 8 || d->n_slots <= 1024;
}

/*
 * The same in two steps for ids of at most 8 bytes, so that the cache miss of one id
 * passes while others are hashed: first the slot's number, prefetched; later the index.
 */
static inline size_t
pz_dict_prefetch(const struct pz_dict *d, uint64_t head, size_t n)
{
    size_t hash = pz_dict_mix(d, head, n);
    __builtin_prefetch(&d->slot[hash & (d->n_slots - 1)]);
    return hash;
}

/* The index when the id is in its home slot, as most are; else PZ_NO_ID. */
static inline uint32_t
pz_dict_at_home(const struct pz_dict *d, uint64_t head, size_t n, size_t hash)
{
    const struct pz_dict_slot *slot = &d->slot[hash & (d->n_slots - 1)];
    return slot->head == head && slot->len == n ? slot->index - 1 : PZ_NO_ID;
}

static inline int
pz_dict_intern_hashed(struct pz_dict *d, uint64_t head, size_t n, size_t hash,
                      uint32_t *index, struct pz_err *err)
{
    const struct pz_dict_slot *slot = &d->slot[hash & (d->n_slots - 1)];
    if (slot->head == head && slot->len == n && slot->index) {
        d->last = *slot;
        *index = slot->index - 1;
        return PZ_OK;
    }
    return pz_dict_intern_slow(d, (const char *)&head, n, head, index, err);
}

#endif
