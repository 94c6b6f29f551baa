/* rows: distributed, sorted and freed of duplicates like a plain sort of all rows, in
 * memory and through the scratch file, with one list or several. */
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "data/rows.h"
#include "unit.h"

enum { WIDTH = 21, N_IDS = 300, N = 20000 };

static struct pz_err err;

/* Row k of a reproducible set: several equal rows, several of one id and time. */
static void
make_row(struct pz_rng *r, char *row, bool last_wins, int64_t order)
{
    memset(row, 0, WIDTH);
    uint32_t id = (uint32_t)(pz_rng_below(r, N_IDS) * pz_rng_below(r, N_IDS) / N_IDS);
    pz_row_set_u32(row, PZ_ROW_ID, id);
    pz_row_set_order(row, last_wins ? order : (int64_t)pz_rng_below(r, 40) - 20);
    pz_row_set_u32(row, PZ_ROW_ITEM, (uint32_t)pz_rng_below(r, 3));
    row[PZ_ROW_REST + 4] = (char)pz_rng_below(r, 2);
}

static int
compare(const void *a, const void *b)
{
    const char *x = a, *y = b;
    uint32_t ix = pz_row_u32(x, PZ_ROW_ID), iy = pz_row_u32(y, PZ_ROW_ID);
    int64_t ox = pz_row_order(x), oy = pz_row_order(y);
    if (ix != iy)
        return ix < iy ? -1 : 1;
    if (ox != oy)
        return ox < oy ? -1 : 1;
    uint32_t tx = pz_row_u32(x, PZ_ROW_ITEM), ty = pz_row_u32(y, PZ_ROW_ITEM);
    if (tx != ty)
        return tx < ty ? -1 : 1;
    return memcmp(x + PZ_ROW_REST, y + PZ_ROW_REST, WIDTH - PZ_ROW_REST);
}

struct collected {
    char *row;
    size_t n;
};

static int
collect(void *ctx, const char *row, size_t n, struct pz_err *e)
{
    struct collected *c = ctx;
    (void)e;
    memcpy(c->row + c->n * WIDTH, row, n * WIDTH);
    c->n += n;
    return 0;
}

/* What must come out, by qsort of everything. */
static size_t
expected(char *row, bool last_wins)
{
    size_t n = 0;
    qsort(row, N, WIDTH, compare);
    for (size_t k = 0; k < N; k++) {
        const char *at = row + k * WIDTH;
        uint32_t id = pz_row_u32(at, PZ_ROW_ID);
        bool last = k + 1 == N || pz_row_u32(at + WIDTH, PZ_ROW_ID) != id;
        bool repeat = n && memcmp(row + (n - 1) * WIDTH, at, WIDTH) == 0;
        if (last_wins ? !last : repeat)
            continue;
        memmove(row + n++ * WIDTH, at, WIDTH);
    }
    return n;
}

static void
run(uint64_t memory, size_t n_lists, bool last_wins, int threads)
{
    static char all[N * WIDTH], got[N * WIDTH];
    static uint32_t id_map[N_IDS], item_map[3] = {2, 0, 1};
    static const size_t at[] = {PZ_ROW_ID, PZ_ROW_ITEM};
    uint32_t *maps[] = {id_map, item_map};
    struct pz_row_map map[4];
    struct pz_row_list list[4] = {0};
    struct pz_rows rows;
    struct pz_rng r;
    uint64_t dropped, replaced;
    for (uint32_t i = 0; i < N_IDS; i++)
        id_map[i] = N_IDS - 1 - i;
    pz_rng_seed(&r, 7, last_wins);
    pz_rows_init(&rows, WIDTH, memory, "/tmp");
    rows.last_wins = last_wins;
    rows.per_block = 500;
    for (size_t k = 0; k < N; k++) {
        struct pz_row_list *to = &list[k % n_lists];
        ck_ok(pz_rows_room(&rows, to, &err), err);
        char *row = pz_rows_next(&rows, to);
        make_row(&r, row, last_wins, (int64_t)k);
        pz_rows_push(to);
        memcpy(all + k * WIDTH, row, WIDTH);
        pz_row_set_u32(all + k * WIDTH, PZ_ROW_ID, id_map[pz_row_u32(row, PZ_ROW_ID)]);
        pz_row_set_u32(all + k * WIDTH, PZ_ROW_ITEM,
                       item_map[pz_row_u32(row, PZ_ROW_ITEM)]);
    }
    for (size_t t = 0; t < n_lists; t++)
        map[t] = (struct pz_row_map){2, at, maps};
    ck_assert_int_eq(rows.scratch >= 0, memory < N * WIDTH);
    ck_ok(pz_rows_sort(&rows, list, n_lists, map, N_IDS, threads, &dropped, &replaced,
                       &err),
          err);
    struct collected c = {got, 0};
    ck_ok(pz_rows_walk(&rows, collect, &c, &err), err);
    int64_t least = INT64_MAX, greatest = INT64_MIN;
    for (size_t k = 0; k < N; k++) {
        int64_t order = pz_row_order(all + k * WIDTH);
        least = order < least ? order : least;
        greatest = order > greatest ? order : greatest;
    }
    ck_assert_int_eq(rows.least, least);
    ck_assert_int_eq(rows.greatest, greatest);
    size_t want = expected(all, last_wins);
    ck_assert_uint_eq(c.n, want);
    ck_assert_uint_eq(rows.n, want);
    ck_assert_uint_eq(dropped, N - want);
    ck_assert(memcmp(got, all, want * WIDTH) == 0);
    ck_assert_uint_eq(replaced, last_wins); // the row of order 0 is one that went
    for (size_t k = 0; k < want; k++) {
        uint32_t id = pz_row_u32(got + k * WIDTH, PZ_ROW_ID);
        ck_assert(rows.offsets[id] <= k && k < rows.offsets[id + 1]);
    }
    for (size_t t = 0; t < n_lists; t++)
        pz_row_list_release(&list[t]);
    pz_rows_release(&rows);
}

START_TEST(sorts_like_qsort)
{
    static const uint64_t memory[] = {1 << 30, 100000, 0};
    for (int m = 0; m < 3; m++)
        for (size_t lists = 1; lists <= 4; lists++)
            run(memory[m], lists, _i, (int)lists);
}
END_TEST

/* Rows wider than the pieces that memory is cut into: 16,384 columns make such. */
enum { WIDE = 133000, N_WIDE = 100 };

struct seen {
    size_t n;
    uint32_t id;
    bool in_order;
};

static int
see_wide(void *ctx, const char *row, size_t n, struct pz_err *e)
{
    struct seen *s = ctx;
    (void)e;
    for (; n > 0; n--, row += WIDE, s->n++) {
        uint32_t id = pz_row_u32(row, PZ_ROW_ID);
        s->in_order &=
            id >= s->id && row[WIDE - 1] == (char)id && row[PZ_ROW_REST] == 'x';
        s->id = id;
    }
    return 0;
}

START_TEST(sorts_wide_rows)
{
    static const size_t at[] = {PZ_ROW_ID, PZ_ROW_ITEM};
    uint32_t id_map[10], item_map[1] = {0}, *maps[] = {id_map, item_map};
    struct pz_row_map map = {2, at, maps};
    struct pz_row_list list = {0};
    struct pz_rows rows;
    uint64_t dropped, replaced;
    for (uint32_t i = 0; i < 10; i++)
        id_map[i] = i;
    pz_rows_init(&rows, WIDE, _i ? 0 : 1 << 30, "/tmp");
    for (uint32_t k = 0; k < N_WIDE; k++) {
        ck_ok(pz_rows_room(&rows, &list, &err), err);
        char *row = pz_rows_next(&rows, &list);
        memset(row, 'x', WIDE);
        pz_row_set_u32(row, PZ_ROW_ID, 9 - k % 10);
        pz_row_set_u32(row, PZ_ROW_ITEM, 0);
        pz_row_set_order(row, k);
        row[WIDE - 1] = (char)(9 - k % 10);
        pz_rows_push(&list);
    }
    ck_ok(pz_rows_sort(&rows, &list, 1, &map, 10, 2, &dropped, &replaced, &err), err);
    struct seen seen = {.in_order = true};
    ck_ok(pz_rows_walk(&rows, see_wide, &seen, &err), err);
    ck_assert_uint_eq(seen.n, N_WIDE);
    ck_assert(seen.in_order);
    ck_assert_uint_eq(dropped, 0);
    pz_row_list_release(&list);
    pz_rows_release(&rows);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("rows");
    TCase *t = tcase_create("rows");
    tcase_set_timeout(t, 60);
    tcase_add_loop_test(t, sorts_like_qsort, 0, 2);
    tcase_add_loop_test(t, sorts_wide_rows, 0, 2);
    suite_add_tcase(s, t);
    return s;
}
