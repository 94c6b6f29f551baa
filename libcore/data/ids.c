#include "data/ids.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/mem.h"

/* A stored table's longest probe; ids beyond are found by bisection. */
enum { MAX_PROBE = 64 };

/* ---- stored ids ---- */

static int
compare_bytes(const char *a, size_t na, const char *b, size_t nb)
{
    int r = memcmp(a, b, na < nb ? na : nb);
    return r ? r : (na > nb) - (na < nb);
}

int
pz_ids_open(struct pz_ids *ids, const struct pz_tensors *t, const char *prefix,
            struct pz_err *err)
{
    char name[256];
    uint64_t n = UINT64_MAX;
    *ids = (struct pz_ids){0};
    snprintf(name, sizeof name, "%s.offsets", prefix);
    int r = pz_tensors_get1(t, name, PZ_I64, &n, &ids->offsets, err);
    if (r)
        return r;
    if (n == 0 || n - 1 >= PZ_NO_ID)
        return pz_tensors_bad(t, name, err, "%llu offsets, which no list of ids has",
                              (unsigned long long)n);
    ids->n = n - 1;
    snprintf(name, sizeof name, "%s.bytes", prefix);
    ids->n_bytes = UINT64_MAX;
    r = pz_tensors_get1(t, name, PZ_U8, &ids->n_bytes, &ids->bytes, err);
    if (r)
        return r;
    snprintf(name, sizeof name, "%s.table", prefix);
    if (!pz_tensors_find(t, name))
        return PZ_OK;
    ids->table_size = UINT64_MAX;
    r = pz_tensors_get1(t, name, PZ_U32, &ids->table_size, &ids->table, err);
    if (r)
        return r;
    if (ids->table_size & (ids->table_size - 1) || ids->table_size < 2)
        return pz_tensors_bad(t, name, err, "%llu slots, not a power of two",
                              (unsigned long long)ids->table_size);
    return PZ_OK;
}

const char *
pz_ids_get(const struct pz_ids *ids, uint32_t i, size_t *len)
{
    if (i >= ids->n)
        return NULL;
    int64_t from = ids->offsets[i], to = ids->offsets[i + 1];
    if (from < 0 || to < from || (uint64_t)to > ids->n_bytes)
        return NULL;
    *len = (size_t)(to - from);
    return (const char *)ids->bytes + from;
}

static uint32_t
bisect(const struct pz_ids *ids, const char *s, size_t n)
{
    uint64_t lo = 0, hi = ids->n;
    while (lo < hi) {
        uint64_t mid = lo + (hi - lo) / 2;
        size_t len;
        const char *id = pz_ids_get(ids, (uint32_t)mid, &len);
        if (!id)
            return PZ_NO_ID;
        int c = compare_bytes(id, len, s, n);
        if (c == 0)
            return (uint32_t)mid;
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return PZ_NO_ID;
}

uint32_t
pz_ids_find(const struct pz_ids *ids, const char *s, size_t n)
{
    if (!ids->table)
        return bisect(ids, s, n);
    uint64_t mask = ids->table_size - 1, at = XXH3_64bits(s, n) & mask;
    for (int probe = 0; probe < MAX_PROBE; probe++, at = (at + 1) & mask) {
        uint32_t i = ids->table[at];
        if (i == 0)
            return PZ_NO_ID;
        size_t len;
        const char *id = pz_ids_get(ids, i - 1, &len);
        if (id && len == n && memcmp(id, s, n) == 0)
            return i - 1;
    }
    return bisect(ids, s, n);
}

int
pz_ids_check(const struct pz_ids *ids, const struct pz_tensors *t, const char *prefix,
             struct pz_err *err)
{
    char offsets[64], table[64];
    snprintf(offsets, sizeof offsets, "%s.offsets", prefix);
    snprintf(table, sizeof table, "%s.table", prefix);
    const char *last = NULL;
    size_t n = 0, n_last = 0;
    for (uint32_t i = 0; i < ids->n; i++, n_last = n) {
        const char *s = pz_ids_get(ids, i, &n);
        if (!s)
            return pz_tensors_bad(t, offsets, err, "offset %" PRIu64 " is out of order",
                                  (uint64_t)i + 1);
        if (last && compare_bytes(last, n_last, s, n) >= 0)
            return pz_tensors_bad(t, offsets, err,
                                  "ids %" PRIu32 " and %" PRIu32 " are not in order",
                                  i - 1, i);
        last = s;
    }
    for (uint64_t k = 0; ids->table && k < ids->table_size; k++)
        if (ids->table[k] > ids->n)
            return pz_tensors_bad(t, table, err,
                                  "slot %" PRIu64 " leads to id %" PRIu32 " of %" PRIu64,
                                  k, ids->table[k], ids->n);
    for (uint32_t i = 0; ids->table && i < ids->n; i++) {
        const char *s = pz_ids_get(ids, i, &n);
        if (pz_ids_find(ids, s, n) != i)
            return pz_tensors_bad(t, table, err, "does not lead to id %" PRIu32, i);
    }
    return PZ_OK;
}

static int
build_table(uint64_t n, const uint8_t *bytes, const int64_t *offsets, uint32_t **table,
            uint64_t *size, struct pz_err *err)
{
    *size = 2;
    while (*size < 2 * n)
        *size *= 2;
    int r = pz_new(table, *size, sizeof **table, "the table of ids", err);
    if (r)
        return r;
    for (uint64_t i = 0; i < n; i++) {
        uint64_t at =
            XXH3_64bits(bytes + offsets[i], (size_t)(offsets[i + 1] - offsets[i]));
        for (int probe = 0; probe < MAX_PROBE; probe++, at++)
            if (!(*table)[at & (*size - 1)]) {
                (*table)[at & (*size - 1)] = (uint32_t)i + 1;
                break;
            }
        // An id that found no place stays out: its MAX_PROBE slots are all taken, and
        // pz_ids_find goes on to bisection after as many.
    }
    return PZ_OK;
}

int
pz_ids_add(struct pz_builder *b, const char *prefix, uint64_t n, const uint8_t *bytes,
           const int64_t *offsets, bool with_table, struct pz_err *err)
{
    char name[256];
    snprintf(name, sizeof name, "%s.bytes", prefix);
    pz_builder_borrow1(b, name, PZ_U8, (uint64_t)offsets[n], bytes);
    snprintf(name, sizeof name, "%s.offsets", prefix);
    pz_builder_borrow1(b, name, PZ_I64, n + 1, offsets);
    if (!with_table)
        return PZ_OK;
    uint32_t *table;
    uint64_t size;
    int r = build_table(n, bytes, offsets, &table, &size, err);
    if (r)
        return r;
    snprintf(name, sizeof name, "%s.table", prefix);
    pz_builder_take1(b, name, PZ_U32, size, table);
    return PZ_OK;
}

/* ---- the dictionary while importing ---- */

int
pz_dict_init(struct pz_dict *d, struct pz_err *err)
{
    *d = (struct pz_dict){.n_slots = 64};
    // Addresses are random per process: enough for a seed that nobody can make colliding
    // ids for, and no result depends on it.
    d->seed = XXH3_64bits(&d, sizeof d) ^ (uint64_t)(uintptr_t)d;
    int r = pz_new(&d->slot, d->n_slots, sizeof *d->slot, "a dictionary", err);
    if (r == PZ_OK)
        r = pz_grow(&d->offset, &d->cap_offset, 16, sizeof *d->offset, "a dictionary",
                    err);
    if (r)
        pz_dict_release(d);
    else
        d->offset[0] = 0;
    return r;
}

void
pz_dict_release(struct pz_dict *d)
{
    free(d->slot);
    free(d->arena);
    free(d->offset);
    *d = (struct pz_dict){0};
}

static inline uint64_t
hash_of(const struct pz_dict *d, const char *s, size_t n, uint64_t head)
{
    return n > 8 ? XXH3_64bits_withSeed(s, n, d->seed) : pz_dict_mix(d, head, n);
}

static inline bool
slot_is(const struct pz_dict *d, const struct pz_dict_slot *slot, uint64_t head,
        const char *s, size_t n)
{
    if (slot->head != head || slot->len != n)
        return false;
    return n <= 8 || memcmp(d->arena + d->offset[slot->index - 1] + 8, s + 8, n - 8) == 0;
}

static int
rehash(struct pz_dict *d, struct pz_err *err)
{
    struct pz_dict_slot *old = d->slot, *next;
    size_t n_old = d->n_slots;
    int r = pz_new(&next, n_old * 2, sizeof *next, "a dictionary", err);
    if (r)
        return r;
    d->slot = next;
    d->n_slots = n_old * 2;
    for (size_t k = 0; k < n_old; k++) {
        if (!old[k].index)
            continue;
        const char *s = d->arena + d->offset[old[k].index - 1];
        size_t at = hash_of(d, s, old[k].len, old[k].head) & (d->n_slots - 1);
        while (next[at].index)
            at = (at + 1) & (d->n_slots - 1);
        next[at] = old[k];
    }
    free(old);
    return PZ_OK;
}

static int
add(struct pz_dict *d, size_t at, const char *s, size_t n, uint64_t head, uint32_t *index,
    struct pz_err *err)
{
    if (d->n >= PZ_NO_ID - 1 || n > UINT32_MAX)
        return pz_err_set(err, PZ_DATA, "more than %u distinct values", PZ_NO_ID - 1);
    int r =
        pz_grow(&d->arena, &d->arena_cap, d->arena_len + n + 1, 1, "a dictionary", err);
    if (r == PZ_OK)
        r = pz_grow(&d->offset, &d->cap_offset, d->n + 2, sizeof *d->offset,
                    "a dictionary", err);
    if (r)
        return r;
    if (n)
        memcpy(d->arena + d->arena_len, s, n);
    d->arena_len += n;
    *index = (uint32_t)d->n++;
    d->offset[d->n] = d->arena_len;
    d->slot[at] = d->last = (struct pz_dict_slot){head, (uint32_t)n, *index + 1};
    return d->n * 4 > d->n_slots * 3 ? rehash(d, err) : PZ_OK;
}

int
pz_dict_intern_slow(struct pz_dict *d, const char *s, size_t n, uint64_t head,
                    uint32_t *index, struct pz_err *err)
{
    if (d->last.index && slot_is(d, &d->last, head, s, n)) {
        *index = d->last.index - 1;
        return PZ_OK;
    }
    size_t at = hash_of(d, s, n, head) & (d->n_slots - 1);
    for (; d->slot[at].index; at = (at + 1) & (d->n_slots - 1))
        if (slot_is(d, &d->slot[at], head, s, n)) {
            d->last = d->slot[at];
            *index = d->slot[at].index - 1;
            return PZ_OK;
        }
    return add(d, at, s, n, head, index, err);
}

uint32_t
pz_dict_find(const struct pz_dict *d, const char *s, size_t n)
{
    uint64_t head = pz_dict_head(s, n);
    size_t at = hash_of(d, s, n, head) & (d->n_slots - 1);
    for (; d->slot[at].index; at = (at + 1) & (d->n_slots - 1))
        if (slot_is(d, &d->slot[at], head, s, n))
            return d->slot[at].index - 1;
    return PZ_NO_ID;
}

const char *
pz_dict_get(const struct pz_dict *d, uint32_t i, size_t *len)
{
    *len = d->offset[i + 1] - d->offset[i];
    return d->arena + d->offset[i];
}

/* ---- merging ---- */

/* An entry of one dictionary, with its first 8 bytes as a big-endian number, whose order
 * is the bytewise order: most comparisons touch nothing else. */
struct entry {
    uint64_t head;
    uint32_t dict, index;
};

static const char *
entry_text(struct pz_dict *const *dicts, const struct entry *e, size_t *len)
{
    return pz_dict_get(dicts[e->dict], e->index, len);
}

static int
compare_entries(const void *a, const void *b, void *ctx)
{
    const struct entry *x = a, *y = b;
    if (x->head != y->head)
        return x->head < y->head ? -1 : 1;
    size_t nx, ny;
    const char *sx = entry_text(ctx, x, &nx), *sy = entry_text(ctx, y, &ny);
    int c = compare_bytes(sx, nx, sy, ny);
    return c ? c : (x->dict > y->dict) - (x->dict < y->dict);
}

static int
same_entry(struct pz_dict *const *dicts, const struct entry *x, const struct entry *y)
{
    size_t nx, ny;
    if (x->head != y->head)
        return 0;
    const char *sx = entry_text(dicts, x, &nx), *sy = entry_text(dicts, y, &ny);
    return nx == ny && memcmp(sx, sy, nx) == 0;
}

/* All entries of all dictionaries, sorted; total_bytes counts every entry. */
static int
sorted_entries(struct pz_dict *const *dicts, size_t n_dicts, struct entry **out,
               size_t *n_out, size_t *total_bytes, struct pz_err *err)
{
    size_t total = 0, k = 0;
    *total_bytes = 0;
    for (size_t d = 0; d < n_dicts; d++) {
        total += dicts[d]->n;
        *total_bytes += dicts[d]->arena_len;
    }
    int r = pz_new(out, total, sizeof **out, "merging dictionaries", err);
    if (r)
        return r;
    for (size_t d = 0; d < n_dicts; d++)
        for (size_t i = 0; i < dicts[d]->n; i++, k++) {
            size_t len;
            const char *s = pz_dict_get(dicts[d], (uint32_t)i, &len);
            (*out)[k] = (struct entry){__builtin_bswap64(pz_dict_head(s, len)),
                                       (uint32_t)d, (uint32_t)i};
        }
    qsort_r(*out, total, sizeof **out, compare_entries, (void *)dicts);
    *n_out = total;
    return PZ_OK;
}

int
pz_dict_merge(struct pz_dict *const *dicts, size_t n_dicts, uint64_t *n, uint8_t **bytes,
              int64_t **offsets, uint32_t **map, struct pz_err *err)
{
    struct entry *e = NULL;
    size_t n_entries = 0, total = 0, at = 0;
    *bytes = NULL;
    *offsets = NULL;
    for (size_t d = 0; d < n_dicts; d++)
        map[d] = NULL;
    int r = sorted_entries(dicts, n_dicts, &e, &n_entries, &total, err);
    if (r == PZ_OK)
        r = pz_new(bytes, total, 1, "merging dictionaries", err);
    if (r == PZ_OK)
        r = pz_new(offsets, n_entries + 1, sizeof **offsets, "merging dictionaries", err);
    for (size_t d = 0; d < n_dicts && r == PZ_OK; d++)
        r = pz_new(&map[d], dicts[d]->n, sizeof **map, "merging dictionaries", err);
    if (r)
        goto fail;
    *n = 0;
    for (size_t k = 0; k < n_entries; k++) {
        if (k == 0 || !same_entry(dicts, &e[k - 1], &e[k])) {
            size_t len;
            const char *s = entry_text(dicts, &e[k], &len);
            memcpy(*bytes + at, s, len);
            at += len;
            (*offsets)[++*n] = (int64_t)at;
        }
        map[e[k].dict][e[k].index] = (uint32_t)(*n - 1);
    }
    if (*n >= PZ_NO_ID) {
        r = pz_err_set(err, PZ_DATA, "more than %u distinct values", PZ_NO_ID - 1);
        goto fail;
    }
    free(e);
    return PZ_OK;
fail:
    free(e);
    free(*bytes);
    free(*offsets);
    *bytes = NULL;
    *offsets = NULL;
    for (size_t d = 0; d < n_dicts; d++) {
        free(map[d]);
        map[d] = NULL;
    }
    return r;
}
