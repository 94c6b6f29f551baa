#include "data/rows.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "base/par.h"
#include "data/rows_bucket.h"

enum {
    BLOCK_BYTES = PZ_ROW_WIDEST, // a row of any width fits
    SEGMENT_BYTES = 64 << 10,    // a block is cut into such pieces, larger for wide rows
    /* A bucket in memory: its rows and their sorted copy fit the L2 cache. */
    BUCKET_ROWS = 32 << 10,
    BUCKET_BYTES = 2 << 20,  // and wide rows are fewer
    SPILL_BUFFER = 64 << 10, // at most, of a bucket and thread
    WALK_BYTES = 512 << 10,
    MAX_SPILL_BUCKETS = 4096,
};

/* Filled with pages at once: cheaper than a fault for each. Huge pages are not asked for:
 * under a hypervisor that takes free ones back, the first touch of one costs far more. */
static int
map_block(char **out, struct pz_err *err)
{
    void *p = mmap(NULL, BLOCK_BYTES, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (p == MAP_FAILED)
        return pz_err_nomem(err, "rows", BLOCK_BYTES);
    *out = p;
    return PZ_OK;
}

void
pz_rows_init(struct pz_rows *rows, size_t width, uint64_t memory, const char *dir)
{
    *rows = (struct pz_rows){.width = width, .memory = memory, .dir = dir, .scratch = -1};
    rows->per_block = (uint32_t)(BLOCK_BYTES / width);
    rows->segment_bytes = SEGMENT_BYTES;
    while (rows->segment_bytes < width && rows->segment_bytes < BLOCK_BYTES)
        rows->segment_bytes *= 2;
    pthread_mutex_init(&rows->lock, NULL);
}

/* Rows of a segment. */
static size_t
per_segment(const struct pz_rows *rows)
{
    return rows->segment_bytes / rows->width;
}

void
pz_rows_release(struct pz_rows *rows)
{
    if (rows->scratch >= 0)
        close(rows->scratch);
    for (size_t b = 0; b < rows->n_blocks; b++)
        munmap(rows->block[b], BLOCK_BYTES);
    free(rows->block);
    free(rows->segment);
    free(rows->offsets);
    free(rows->bucket);
    if (rows->width)
        pthread_mutex_destroy(&rows->lock);
    *rows = (struct pz_rows){.scratch = -1};
}

void
pz_row_list_release(struct pz_row_list *list)
{
    for (size_t b = 0; b < list->n_blocks; b++)
        if (list->block[b].data)
            munmap(list->block[b].data, BLOCK_BYTES);
    if (list->open)
        munmap(list->open, BLOCK_BYTES);
    free(list->block);
    free(list->id_count);
    *list = (struct pz_row_list){0};
}

/* The scratch file is made by the first list that needs it. */
static int
scratch_space(struct pz_rows *rows, uint64_t bytes, uint64_t *at, struct pz_err *err)
{
    if (__atomic_load_n(&rows->scratch, __ATOMIC_ACQUIRE) < 0) {
        int fd, none = -1;
        int r = pz_scratch_open(&fd, rows->dir, err);
        if (r)
            return r;
        if (!__atomic_compare_exchange_n(&rows->scratch, &none, fd, false,
                                         __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
            close(fd);
    }
    *at = __atomic_fetch_add(&rows->scratch_end, bytes, __ATOMIC_RELAXED);
    return PZ_OK;
}

static void
note_orders(const struct pz_rows *rows, struct pz_row_list *list)
{
    const char *row = list->open;
    for (uint32_t k = 0; k < list->n_open; k++, row += rows->width) {
        int64_t order = pz_row_order(row);
        bool none = list->n_counted + k == 0;
        list->least = none || order < list->least ? order : list->least;
        list->greatest = none || order > list->greatest ? order : list->greatest;
    }
    list->n_counted += list->n_open;
}

/* Counts the rows of each id in the open block. */
static int
count_ids(struct pz_rows *rows, struct pz_row_list *list, struct pz_err *err)
{
    const char *row = list->open;
    uint32_t top = 0;
    for (uint32_t k = 0; k < list->n_open; k++) {
        uint32_t id = pz_row_u32(row + k * rows->width, PZ_ROW_ID);
        top = id > top ? id : top;
    }
    if (list->n_open && top >= list->n_ids) {
        int r = pz_grow(&list->id_count, &list->cap_ids, (size_t)top + 1,
                        sizeof *list->id_count, "row counts", err);
        if (r)
            return r;
        memset(list->id_count + list->n_ids, 0,
               (list->cap_ids - list->n_ids) * sizeof *list->id_count);
        list->n_ids = list->cap_ids;
    }
    for (uint32_t k = 0; k < list->n_open; k++)
        list->id_count[pz_row_u32(row + k * rows->width, PZ_ROW_ID)]++;
    note_orders(rows, list);
    return PZ_OK;
}

/* Writes the rows of a block to the scratch file. */
static int
spill_block(struct pz_rows *rows, struct pz_row_block *block, const char *data,
            struct pz_err *err)
{
    int r = scratch_space(rows, BLOCK_BYTES, &block->at, err);
    return r ? r
             : pz_scratch_write(rows->scratch, rows->dir, data, block->n * rows->width,
                                block->at, err);
}

/* Puts the full block away, in memory while the budget lasts. */
static int
close_block(struct pz_rows *rows, struct pz_row_list *list, struct pz_err *err)
{
    size_t bytes = BLOCK_BYTES;
    int r = count_ids(rows, list, err);
    if (r == PZ_OK)
        r = pz_grow(&list->block, &list->cap_blocks, list->n_blocks + 1,
                    sizeof *list->block, "blocks of rows", err);
    if (r)
        return r;
    struct pz_row_block block = {.n = list->n_open};
    if (__atomic_add_fetch(&rows->held, bytes, __ATOMIC_RELAXED) <= rows->memory) {
        block.data = list->open;
        list->open = NULL;
    } else {
        __atomic_sub_fetch(&rows->held, bytes, __ATOMIC_RELAXED);
        r = spill_block(rows, &block, list->open, err);
        if (r)
            return r;
    }
    list->block[list->n_blocks++] = block;
    list->n_open = 0;
    return PZ_OK;
}

int
pz_rows_room(struct pz_rows *rows, struct pz_row_list *list, struct pz_err *err)
{
    if (list->open && list->n_open < rows->per_block)
        return PZ_OK;
    int r = list->open ? close_block(rows, list, err) : PZ_OK;
    if (r == PZ_OK && !list->open)
        r = map_block(&list->open, err);
    return r;
}

/* ---- distribution ---- */

struct job {
    struct pz_rows *rows;
    struct pz_row_list *lists;
    const struct pz_row_map *map;
    uint32_t *bucket_of; // [n_ids]
    uint64_t *start;     // [n_ids+1]: row position of each id before duplicates go
    uint64_t *pos;       // [n_lists * n_buckets]: where list t writes next in bucket b
    size_t n_lists;
    uint32_t per_spill;           // rows that a list gathers for a bucket, when spilling
    uint32_t *kept;               // [n_ids]
    uint64_t *dropped, *replaced; // [n_buckets]
};

/* Cuts the ids into buckets of about target rows; an id is never split. */
static int
make_buckets(struct job *j, uint64_t target, struct pz_err *err)
{
    struct pz_rows *rows = j->rows;
    size_t cap = 0;
    uint32_t id = 0;
    while (id < rows->n_ids) {
        int r = pz_grow(&rows->bucket, &cap, rows->n_buckets + 1, sizeof *rows->bucket,
                        "buckets", err);
        if (r)
            return r;
        uint32_t first = id;
        do
            j->bucket_of[id++] = (uint32_t)rows->n_buckets;
        while (id < rows->n_ids && j->start[id + 1] - j->start[first] <= target);
        rows->bucket[rows->n_buckets++] =
            (struct pz_bucket){.first_id = first,
                               .n_ids = id - first,
                               .start = j->start[first],
                               .n = j->start[id] - j->start[first]};
    }
    return PZ_OK;
}

/* Row positions of every id, and of every list in every bucket. */
static int
plan(struct job *j, uint64_t target, struct pz_err *err)
{
    struct pz_rows *rows = j->rows;
    int r = pz_new(&j->start, rows->n_ids + 1, sizeof *j->start, "row positions", err);
    if (r == PZ_OK)
        r = pz_new(&j->bucket_of, rows->n_ids, sizeof *j->bucket_of, "row positions",
                   err);
    if (r == PZ_OK)
        r = pz_new(&j->kept, rows->n_ids, sizeof *j->kept, "row positions", err);
    if (r)
        return r;
    for (size_t t = 0; t < j->n_lists; t++)
        for (size_t i = 0; i < j->lists[t].n_ids; i++)
            if (j->lists[t].id_count[i])
                j->start[j->map[t].map[0][i] + 1] += j->lists[t].id_count[i];
    for (uint64_t i = 0; i < rows->n_ids; i++)
        j->start[i + 1] += j->start[i];
    rows->n = j->start[rows->n_ids];
    if ((r = make_buckets(j, target, err)))
        return r;
    size_t n_pos;
    if (!pz_size_mul(j->n_lists, rows->n_buckets, &n_pos))
        return pz_err_nomem(err, "row positions", SIZE_MAX);
    if ((r = pz_new(&j->pos, n_pos, sizeof *j->pos, "row positions", err)) ||
        (r = pz_new(&j->dropped, rows->n_buckets, sizeof *j->dropped, "row positions",
                    err)) ||
        (r = pz_new(&j->replaced, rows->n_buckets, sizeof *j->replaced, "row positions",
                    err)))
        return r;
    for (size_t t = 0; t < j->n_lists; t++)
        for (size_t i = 0; i < j->lists[t].n_ids; i++)
            if (j->lists[t].id_count[i])
                j->pos[t * rows->n_buckets + j->bucket_of[j->map[t].map[0][i]]] +=
                    j->lists[t].id_count[i];
    for (size_t b = 0; b < rows->n_buckets; b++) {
        uint64_t at = rows->bucket[b].start;
        for (size_t t = 0; t < j->n_lists; t++) {
            uint64_t n = j->pos[t * rows->n_buckets + b];
            j->pos[t * rows->n_buckets + b] = at;
            at += n;
        }
    }
    return PZ_OK;
}

/* A row of a list to its place, with the dataset's codes. Read before any is written: a
 * load of bytes that were just stored by another width would wait for the store. */
static inline void
move_row(char *to, const char *row, const struct pz_row_map *map, size_t width)
{
    pz_row_copy(to, row, width);
    for (size_t f = 0; f < map->n; f++) {
        uint32_t code = pz_row_u32(row, map->at[f]);
        if (code != UINT32_MAX)
            pz_row_set_u32(to, map->at[f], map->map[f][code]);
    }
}

/* Where the next row of a bucket goes, and how many fit behind it. */
struct cursor {
    char *to;
    uint32_t left;
};

/* How a list's rows get to their buckets. */
struct route {
    size_t t;     // the list
    char *buffer; // spilling: n_buckets * per rows on their way to the scratch file
    uint32_t *n;  // rows in each bucket's buffer
    uint32_t per;
    char **pool; // in memory: segments free for use
    size_t n_pool, cap_pool;
    struct cursor *cursor; // of each bucket
};

static int
flush_spill(struct job *j, struct route *w, size_t b, struct pz_err *err)
{
    struct pz_rows *rows = j->rows;
    uint64_t *pos = &j->pos[w->t * rows->n_buckets + b];
    int r = pz_scratch_write(rows->scratch, rows->dir,
                             w->buffer + b * w->per * rows->width, w->n[b] * rows->width,
                             rows->region_at + *pos * rows->width, err);
    *pos += w->n[b];
    w->n[b] = 0;
    return r;
}

/* A mapped block becomes free segments; it is unmapped with the rows, but stays the
 * caller's on failure. */
static int
recycle(struct job *j, struct route *w, char *block, struct pz_err *err)
{
    struct pz_rows *rows = j->rows;
    size_t n = BLOCK_BYTES / rows->segment_bytes;
    int r =
        pz_grow(&w->pool, &w->cap_pool, w->n_pool + n, sizeof *w->pool, "segments", err);
    if (r)
        return r;
    pthread_mutex_lock(&rows->lock);
    r = pz_grow(&rows->block, &rows->cap_blocks, rows->n_blocks + 1, sizeof *rows->block,
                "blocks of rows", err);
    if (r == PZ_OK)
        rows->block[rows->n_blocks++] = block;
    pthread_mutex_unlock(&rows->lock);
    for (size_t k = 0; k < n && r == PZ_OK; k++)
        w->pool[w->n_pool++] = block + k * rows->segment_bytes;
    return r;
}

/* Gives a segment memory; another list may do so at the same time, and then its is taken.
 */
static int
new_segment(struct job *j, struct route *w, size_t s, struct pz_err *err)
{
    if (!w->n_pool) {
        char *block = NULL;
        int r = map_block(&block, err);
        if (r == PZ_OK && (r = recycle(j, w, block, err)))
            munmap(block, BLOCK_BYTES);
        if (r)
            return r;
    }
    char *none = NULL;
    if (__atomic_compare_exchange_n(&j->rows->segment[s], &none, w->pool[w->n_pool - 1],
                                    false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        w->n_pool--;
    return PZ_OK;
}

/* Moves a bucket's cursor to the list's next place, which starts a segment, or stands in
 * the middle of one that other lists share. */
static int
next_segment(struct job *j, struct route *w, size_t b, struct pz_err *err)
{
    struct pz_rows *rows = j->rows;
    uint64_t *pos = &j->pos[w->t * rows->n_buckets + b];
    uint64_t at = *pos - rows->bucket[b].start;
    size_t per = per_segment(rows);
    size_t s = rows->bucket[b].first_segment + (size_t)(at / per);
    size_t skip = (size_t)(at % per);
    if (!__atomic_load_n(&rows->segment[s], __ATOMIC_ACQUIRE)) {
        int r = new_segment(j, w, s, err);
        if (r)
            return r;
    }
    char *to = __atomic_load_n(&rows->segment[s], __ATOMIC_ACQUIRE);
    w->cursor[b] = (struct cursor){to + skip * rows->width, (uint32_t)(per - skip)};
    *pos += per - skip;
    return PZ_OK;
}

static int
place(struct job *j, struct route *w, const char *row, struct pz_err *err)
{
    struct pz_rows *rows = j->rows;
    const struct pz_row_map *map = &j->map[w->t];
    uint32_t b = j->bucket_of[map->map[0][pz_row_u32(row, PZ_ROW_ID)]];
    if (rows->spilled) {
        size_t at = (size_t)b * w->per + w->n[b];
        move_row(w->buffer + at * rows->width, row, map, rows->width);
        return ++w->n[b] == w->per ? flush_spill(j, w, b, err) : PZ_OK;
    }
    struct cursor *c = &w->cursor[b];
    if (!c->left) {
        int r = next_segment(j, w, b, err);
        if (r)
            return r;
    }
    move_row(c->to, row, map, rows->width);
    c->to += rows->width;
    c->left--;
    return PZ_OK;
}

static int
distribute_block(struct job *j, struct route *w, const struct pz_row_block *block,
                 const char *data, struct pz_err *err)
{
    size_t width = j->rows->width;
    int r = PZ_OK;
    for (uint32_t k = 0; k < block->n && r == PZ_OK; k++)
        r = place(j, w, data + k * width, err);
    return r;
}

static int
route_init(struct job *j, struct route *w, char **copy, struct pz_err *err)
{
    struct pz_rows *rows = j->rows;
    if (!rows->spilled)
        return pz_new(&w->cursor, rows->n_buckets, sizeof *w->cursor, "row positions",
                      err);
    w->per = j->per_spill;
    int r =
        pz_new(&w->buffer, rows->n_buckets * w->per, rows->width, "spilling rows", err);
    if (r == PZ_OK)
        r = pz_new(&w->n, rows->n_buckets, sizeof *w->n, "spilling rows", err);
    if (r == PZ_OK)
        r = pz_new(copy, BLOCK_BYTES, 1, "spilling rows", err);
    return r;
}

static int
distribute_list(void *ctx, size_t t, int thread, struct pz_err *err)
{
    struct job *j = ctx;
    struct pz_rows *rows = j->rows;
    struct pz_row_list *list = &j->lists[t];
    struct route w = {.t = t};
    char *copy = NULL;
    (void)thread;
    int r = route_init(j, &w, &copy, err);
    for (size_t k = 0; k < list->n_blocks && r == PZ_OK; k++) {
        struct pz_row_block *block = &list->block[k];
        if (!block->data) {
            r = pz_scratch_read(rows->scratch, rows->dir, copy, block->n * rows->width,
                                block->at, err);
            if (r == PZ_OK)
                r = distribute_block(j, &w, block, copy, err);
            continue;
        }
        r = distribute_block(j, &w, block, block->data, err);
        if (r == PZ_OK && rows->spilled)
            munmap(block->data, BLOCK_BYTES);
        else if (r == PZ_OK)
            r = recycle(j, &w, block->data, err);
        if (r == PZ_OK)
            block->data = NULL;
    }
    if (list->open && r == PZ_OK) {
        struct pz_row_block last = {.n = list->n_open};
        r = distribute_block(j, &w, &last, list->open, err);
    }
    for (size_t b = 0; w.n && b < rows->n_buckets && r == PZ_OK; b++)
        r = flush_spill(j, &w, b, err);
    free(copy);
    free(w.buffer);
    free(w.n);
    free(w.pool);
    free(w.cursor);
    pz_row_list_release(list);
    return r;
}

/* ---- sorting a bucket ---- */

/* The rows of a bucket, or back to it: between its segments and one array. */
static void
move_rows(const struct pz_rows *rows, const struct pz_bucket *bucket, char *array,
          bool back)
{
    size_t per = per_segment(rows);
    for (uint64_t k = 0; k < bucket->n; k += per) {
        char *segment = rows->segment[bucket->first_segment + k / per];
        size_t n = (bucket->n - k < per ? (size_t)(bucket->n - k) : per) * rows->width;
        char *at = array + k * rows->width;
        memcpy(back ? segment : at, back ? at : segment, n);
    }
}

static int
sort_task(void *ctx, size_t b, int thread, struct pz_err *err)
{
    struct job *j = ctx;
    struct pz_rows *rows = j->rows;
    struct pz_bucket *bucket = &rows->bucket[b];
    struct pz_bucket_sort sort = {.width = rows->width,
                                  .last_wins = rows->last_wins,
                                  .bucket = bucket,
                                  .start = j->start,
                                  .kept = j->kept};
    char *copy = NULL, *data = NULL;
    uint64_t *cursor = NULL, n = bucket->n;
    uint64_t at = rows->region_at + bucket->start * rows->width;
    (void)thread;
    int r = pz_new_aligned(&data, n, rows->width, "sorting rows", err);
    if (r == PZ_OK && rows->spilled)
        r = pz_scratch_read(rows->scratch, rows->dir, data, n * rows->width, at, err);
    else if (r == PZ_OK)
        move_rows(rows, bucket, data, false);
    if (r == PZ_OK && pz_bucket_sorted(&sort, data))
        goto done;
    if (r == PZ_OK)
        r = pz_new_aligned(&copy, n, rows->width, "sorting rows", err);
    if (r == PZ_OK)
        r = pz_new(&cursor, bucket->n_ids, sizeof *cursor, "sorting rows", err);
    if (r == PZ_OK) {
        bucket->n = pz_bucket_sort(&sort, data, copy, cursor);
        j->dropped[b] = n - bucket->n;
        j->replaced[b] = sort.replaced;
    }
    if (r == PZ_OK && rows->spilled)
        r = pz_scratch_write(rows->scratch, rows->dir, data, bucket->n * rows->width, at,
                             err);
    else if (r == PZ_OK)
        move_rows(rows, bucket, data, true);
done:
    free(copy);
    free(data);
    free(cursor);
    return r;
}

/* ---- the whole ---- */

/* Between which numbers the orders are (duplicates that go do not change that), and how
 * many rows there are. */
static uint64_t
span_orders(struct job *j)
{
    struct pz_rows *rows = j->rows;
    uint64_t n = 0;
    for (size_t t = 0; t < j->n_lists; t++) {
        const struct pz_row_list *list = &j->lists[t];
        if (!list->n_counted)
            continue;
        bool first = n == 0;
        if (first || list->least < rows->least)
            rows->least = list->least;
        if (first || list->greatest > rows->greatest)
            rows->greatest = list->greatest;
        n += list->n_counted;
    }
    return n;
}

/* Bytes that spilling and sorting what was spilled may take. */
static uint64_t
work_memory(const struct pz_rows *rows, int threads)
{
    uint64_t least = (uint64_t)threads * PZ_ROWS_WORK;
    return rows->memory > least ? rows->memory : least;
}

/* Rows a bucket aims at: what fits the cache, or, as every thread sorts one with a copy,
 * half of the memory for all of them. */
static uint64_t
bucket_rows(const struct pz_rows *rows, uint64_t n, int threads)
{
    if (rows->spilled) {
        uint64_t least = n / MAX_SPILL_BUCKETS + 1;
        uint64_t target =
            work_memory(rows, threads) / (4 * (uint64_t)threads) / rows->width;
        return target < least ? least : target;
    }
    uint64_t fits = BUCKET_BYTES / rows->width;
    return fits < BUCKET_ROWS ? fits : BUCKET_ROWS;
}

/* Threads that may sort at once: all, unless the largest bucket is a great one. */
static int
sort_threads(const struct pz_rows *rows, int threads)
{
    uint64_t largest = 1;
    for (size_t b = 0; b < rows->n_buckets; b++)
        if (rows->bucket[b].n > largest)
            largest = rows->bucket[b].n;
    uint64_t n = work_memory(rows, threads) / (2 * largest * rows->width);
    if (!rows->spilled || n >= (uint64_t)threads)
        return threads;
    return n ? (int)n : 1;
}

/* Divides the memory for distributing through the scratch file: a quarter for the rows on
 * their way there, three quarters for blocks; those beyond go to the file first. */
static int
prepare_spill(struct job *j, int threads, struct pz_err *err)
{
    struct pz_rows *rows = j->rows;
    uint64_t work = work_memory(rows, threads);
    uint64_t each = work / 4 / (uint64_t)threads / rows->n_buckets;
    each = (each < SPILL_BUFFER ? each : SPILL_BUFFER) / rows->width;
    j->per_spill = each ? (uint32_t)each : 1;
    for (size_t t = 0; t < j->n_lists; t++)
        for (size_t b = 0; b < j->lists[t].n_blocks && rows->held > work - work / 4;
             b++) {
            struct pz_row_block *block = &j->lists[t].block[b];
            if (!block->data)
                continue;
            int r = spill_block(rows, block, block->data, err);
            if (r)
                return r;
            munmap(block->data, BLOCK_BYTES);
            block->data = NULL;
            rows->held -= BLOCK_BYTES;
        }
    return PZ_OK;
}

static int
finish(struct job *j, uint64_t *dropped, uint64_t *replaced, struct pz_err *err)
{
    struct pz_rows *rows = j->rows;
    int r = pz_new(&rows->offsets, rows->n_ids + 1, sizeof *rows->offsets, "row offsets",
                   err);
    if (r)
        return r;
    for (uint64_t i = 0; i < rows->n_ids; i++)
        rows->offsets[i + 1] = rows->offsets[i] + j->kept[i];
    rows->n = rows->offsets[rows->n_ids];
    *dropped = *replaced = 0;
    for (size_t b = 0; b < rows->n_buckets; b++) {
        *dropped += j->dropped[b];
        *replaced += j->replaced[b];
    }
    return PZ_OK;
}

/* Which segments each bucket has. */
static int
plan_segments(struct pz_rows *rows, struct pz_err *err)
{
    size_t per = per_segment(rows);
    for (size_t b = 0; b < rows->n_buckets; b++) {
        rows->bucket[b].first_segment = rows->n_segments;
        rows->n_segments += (size_t)((rows->bucket[b].n + per - 1) / per);
    }
    return pz_new(&rows->segment, rows->n_segments, sizeof *rows->segment, "segments",
                  err);
}

int
pz_rows_sort(struct pz_rows *rows, struct pz_row_list *lists, size_t n_lists,
             const struct pz_row_map *map, uint64_t n_ids, int threads, uint64_t *dropped,
             uint64_t *replaced, struct pz_err *err)
{
    struct job j = {.rows = rows, .lists = lists, .map = map, .n_lists = n_lists};
    size_t bytes;
    int r = PZ_OK;
    for (size_t t = 0; t < n_lists && r == PZ_OK; t++)
        r = count_ids(rows, &lists[t], err);
    uint64_t n = span_orders(&j);
    if (r)
        return r;
    if (!pz_size_mul(n, rows->width, &bytes))
        return pz_err_nomem(err, "rows", SIZE_MAX);
    rows->spilled = rows->scratch >= 0 || bytes > rows->memory;
    rows->n_ids = n_ids;
    r = plan(&j, bucket_rows(rows, n, threads), err);
    if (r == PZ_OK && rows->spilled && rows->n_buckets)
        r = prepare_spill(&j, threads, err);
    if (r == PZ_OK && rows->spilled)
        r = scratch_space(rows, bytes, &rows->region_at, err);
    else if (r == PZ_OK)
        r = plan_segments(rows, err);
    if (r == PZ_OK)
        r = pz_par(threads, n_lists, distribute_list, &j, err);
    if (r == PZ_OK)
        r = pz_par(sort_threads(rows, threads), rows->n_buckets, sort_task, &j, err);
    if (r == PZ_OK)
        r = finish(&j, dropped, replaced, err);
    free(j.start);
    free(j.bucket_of);
    free(j.kept);
    free(j.pos);
    free(j.dropped);
    free(j.replaced);
    return r;
}

int
pz_rows_walk(const struct pz_rows *rows,
             int (*fn)(void *ctx, const char *row, size_t n, struct pz_err *err),
             void *ctx, struct pz_err *err)
{
    char *copy = NULL;
    int r = PZ_OK;
    size_t step = rows->spilled ? WALK_BYTES / rows->width + 1 : per_segment(rows);
    if (rows->spilled)
        r = pz_new(&copy, step, rows->width, "reading rows back", err);
    for (size_t b = 0; b < rows->n_buckets && r == PZ_OK; b++) {
        const struct pz_bucket *bucket = &rows->bucket[b];
        for (uint64_t k = 0; k < bucket->n && r == PZ_OK; k += step) {
            size_t n = bucket->n - k < step ? (size_t)(bucket->n - k) : step;
            const char *row = copy;
            if (rows->spilled)
                r = pz_scratch_read(rows->scratch, rows->dir, copy, n * rows->width,
                                    rows->region_at + (bucket->start + k) * rows->width,
                                    err);
            else
                row = rows->segment[bucket->first_segment + k / step];
            if (r == PZ_OK)
                r = fn(ctx, row, n, err);
        }
    }
    free(copy);
    return r;
}
