/*
 * rows: packed rows on their way from the parser to the columns of a dataset.
 *
 * Every parsing thread appends to a list of its own. Then all rows are distributed to
 * buckets (ranges of ids with about as many rows), and each bucket is sorted by
 * (id, order, item, rest) and freed of what must not stay. Up to `memory` bytes this
 * happens in memory, where the lists' blocks, cut into segments, become the buckets'
 * memory as soon as they are distributed: rows are held about once, and no page is asked
 * of the system twice. Above, lists and buckets live in an unnamed scratch file, and
 * blocks that stay in memory, rows on their way to the file and the buckets that are
 * being sorted share `memory` bytes, or PZ_ROWS_WORK a thread if that is more.
 *
 * A row is: u32 id, 40-bit order (time, or the place in the input), u32 item (0 for sets
 * without), then the other columns' values and the null bits, without padding;
 * little-endian, unaligned.
 */
#ifndef PZ_DATA_ROWS_H
#define PZ_DATA_ROWS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"

enum { PZ_ROW_ID = 0, PZ_ROW_ORDER = 4, PZ_ROW_ITEM = 9, PZ_ROW_REST = 13 };

enum { PZ_ROW_WIDEST = 2 << 20 };
enum { PZ_ROWS_WORK = 4 << 20 };

/* Orders are 40-bit numbers around zero: seconds for 17,000 years either way. */
#define PZ_ORDER_LIMIT (INT64_C(1) << 39)

static inline uint32_t
pz_row_u32(const char *row, size_t at)
{
    uint32_t v;
    memcpy(&v, row + at, sizeof v);
    return v;
}

static inline int64_t
pz_row_i64(const char *row, size_t at)
{
    int64_t v;
    memcpy(&v, row + at, sizeof v);
    return v;
}

static inline void
pz_row_set_u32(char *row, size_t at, uint32_t v)
{
    memcpy(row + at, &v, sizeof v);
}

static inline void
pz_row_set_i64(char *row, size_t at, int64_t v)
{
    memcpy(row + at, &v, sizeof v);
}

static inline int64_t
pz_row_order(const char *row) // every row has 8 bytes there
{
    uint64_t v;
    memcpy(&v, row + PZ_ROW_ORDER, sizeof v);
    return (int64_t)(v & ((UINT64_C(1) << 40) - 1)) - PZ_ORDER_LIMIT;
}

static inline void
pz_row_set_order(char *row, int64_t order) // within +-PZ_ORDER_LIMIT
{
    uint64_t v = (uint64_t)(order + PZ_ORDER_LIMIT);
    memcpy(row + PZ_ROW_ORDER, &v, 5);
}

/* One row of `width` bytes; the usual 16 to 32 as two halves that overlap, without a
 * call. */
static inline void
pz_row_copy(char *to, const char *from, size_t width)
{
    if (width < 16 || width > 32) {
        memcpy(to, from, width);
        return;
    }
    char head[16], tail[16];
    memcpy(head, from, 16);
    memcpy(tail, from + width - 16, 16);
    memcpy(to, head, 16);
    memcpy(to + width - 16, tail, 16);
}

struct pz_row_block {
    char *data;  // NULL: in the scratch file
    uint64_t at; // offset there
    uint32_t n;  // rows
};

struct pz_row_list { // of one thread
    struct pz_row_block *block;
    size_t n_blocks, cap_blocks;
    char *open; // the block being filled
    uint32_t n_open;
    uint64_t n_counted;      // rows that id_count and the span know of
    int64_t least, greatest; // their orders are between these
    uint32_t *id_count;      // rows of each local id
    size_t n_ids, cap_ids;
};

struct pz_bucket {
    uint32_t first_id, n_ids;
    uint64_t start;       // row position of its region
    uint64_t n;           // rows; after sorting those that stay
    size_t first_segment; // in memory: of its region
};

struct pz_rows {
    size_t width;    // bytes a row
    uint64_t memory; // bytes of rows that may be in memory
    const char *dir; // for the scratch file
    bool last_wins;  // of rows with one id the one with the greatest order stays
    uint32_t per_block;
    size_t segment_bytes; // of the pieces that blocks are cut into: at least a row
    int scratch;          // descriptor of the scratch file, -1 while there is none
    uint64_t scratch_end; // bytes used of it (atomic)
    uint64_t held;        // bytes of blocks in memory (atomic)

    uint64_t n_ids, n;       // set by pz_rows_sort: n rows stay
    int64_t least, greatest; // set by it: of the orders of all rows; 0 without rows
    uint64_t *offsets;       // n_ids+1: kept rows before each id
    struct pz_bucket *bucket;
    size_t n_buckets;
    bool spilled; // the buckets are in the scratch file, at region_at
    uint64_t region_at;
    char **segment; // else: the buckets' memory, NULL where nothing was written yet
    size_t n_segments;
    char **block; // all mappings the segments are cut from
    size_t n_blocks, cap_blocks;
    pthread_mutex_t lock; // guards block
};

/* width: from PZ_ROW_REST to PZ_ROW_WIDEST. dir is borrowed as long as the rows live. */
void pz_rows_init(struct pz_rows *rows, size_t width, uint64_t memory, const char *dir);
void pz_rows_release(struct pz_rows *rows);
void pz_row_list_release(struct pz_row_list *list);

/* Room for a row is there behind this, in a new block when the open one is full; then
 * pz_rows_next gives the row's place. */
int pz_rows_room(struct pz_rows *rows, struct pz_row_list *list, struct pz_err *err);
static inline char *
pz_rows_next(const struct pz_rows *rows, const struct pz_row_list *list)
{
    return list->open + (size_t)list->n_open * rows->width;
}
/* Takes the row at pz_rows_next over. Its content (ids are local to the list) may still
 * change until the block is full: pz_rows_full tells before the next pz_rows_room closes
 * it. */
static inline void
pz_rows_push(struct pz_row_list *list)
{
    list->n_open++;
}
static inline bool
pz_rows_full(const struct pz_rows *rows, const struct pz_row_list *list)
{
    return list->open && list->n_open == rows->per_block;
}

/* How a list's local codes become those of the dataset. */
struct pz_row_map {
    size_t n;         // fields that hold codes
    const size_t *at; // their places in the row (PZ_ROW_ID and PZ_ROW_ITEM among them)
    uint32_t **map;   // map[f][local] = final; UINT32_MAX stays itself
};

/*
 * Distributes the lists (which are emptied), sorts, removes duplicates: equal rows are
 * stored once, or with last_wins the last row of an id. map[t] belongs to list t. n_ids
 * ids in the final numbering. *dropped counts the rows that went; with last_wins,
 * *replaced those among them with order 0 (rows of the dataset that was there).
 */
int pz_rows_sort(struct pz_rows *rows, struct pz_row_list *lists, size_t n_lists,
                 const struct pz_row_map *map, uint64_t n_ids, int threads,
                 uint64_t *dropped, uint64_t *replaced, struct pz_err *err);

/* Calls fn with runs of kept rows, in final order. */
int pz_rows_walk(const struct pz_rows *rows,
                 int (*fn)(void *ctx, const char *row, size_t n, struct pz_err *err),
                 void *ctx, struct pz_err *err);

#endif
