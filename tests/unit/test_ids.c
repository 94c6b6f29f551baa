/* ids: interning against a naive list, merging, stored tables, colliding ids. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "data/ids.h"
#include "unit.h"

static struct pz_err err;

/* Random ids of all lengths around the 8 bytes that the slots hold, with many repeats. */
static size_t
random_id(struct pz_rng *r, char *out)
{
    size_t n = pz_rng_below(r, 20);
    for (size_t k = 0; k < n; k++)
        out[k] = "ab\xff\x01"[pz_rng_below(r, 4)];
    return n;
}

START_TEST(interns_like_a_list)
{
    enum { N = 20000 };
    static struct {
        char s[20];
        size_t n;
    } seen[N];
    size_t n_seen = 0;
    struct pz_dict d;
    struct pz_rng r;
    pz_rng_seed(&r, 1, 1);
    ck_ok(pz_dict_init(&d, &err), err);
    for (int k = 0; k < 4000; k++) {
        char s[20];
        size_t n = random_id(&r, s), i = 0;
        uint32_t index;
        while (i < n_seen && (seen[i].n != n || memcmp(seen[i].s, s, n) != 0))
            i++;
        ck_assert_uint_eq(pz_dict_find(&d, s, n), i < n_seen ? i : PZ_NO_ID);
        ck_ok(pz_dict_intern(&d, s, n, &index, &err), err);
        ck_assert_uint_eq(index, i);
        if (i == n_seen) {
            memcpy(seen[i].s, s, n);
            seen[n_seen++].n = n;
        }
    }
    ck_assert_uint_eq(d.n, n_seen);
    for (size_t i = 0; i < n_seen; i++) {
        size_t n;
        const char *s = pz_dict_get(&d, (uint32_t)i, &n);
        ck_assert(n == seen[i].n && memcmp(s, seen[i].s, n) == 0);
    }
    pz_dict_release(&d);
}
END_TEST

START_TEST(merges_sorted)
{
    struct pz_dict d[3];
    struct pz_dict *p[3] = {&d[0], &d[1], &d[2]};
    uint32_t *map[3], index;
    struct pz_rng r;
    uint64_t n;
    uint8_t *bytes;
    int64_t *offsets;
    pz_rng_seed(&r, 2, 1);
    for (int t = 0; t < 3; t++) {
        ck_ok(pz_dict_init(&d[t], &err), err);
        for (int k = 0; k < 3000; k++) {
            char s[20];
            size_t len = random_id(&r, s);
            ck_ok(pz_dict_intern(&d[t], s, len, &index, &err), err);
        }
    }
    ck_ok(pz_dict_merge(p, 3, &n, &bytes, &offsets, map, &err), err);
    for (uint64_t i = 0; i + 1 < n; i++) { // strictly ascending bytewise
        size_t a = (size_t)(offsets[i + 1] - offsets[i]);
        size_t b = (size_t)(offsets[i + 2] - offsets[i + 1]);
        int c = memcmp(bytes + offsets[i], bytes + offsets[i + 1], a < b ? a : b);
        ck_assert(c < 0 || (c == 0 && a < b));
    }
    for (int t = 0; t < 3; t++)
        for (uint32_t i = 0; i < d[t].n; i++) {
            size_t len;
            const char *s = pz_dict_get(&d[t], i, &len);
            uint32_t m = map[t][i];
            ck_assert_uint_lt(m, n);
            ck_assert_uint_eq((uint64_t)(offsets[m + 1] - offsets[m]), len);
            ck_assert(memcmp(bytes + offsets[m], s, len) == 0);
        }
    struct pz_builder *b;
    struct pz_tensors t;
    struct pz_ids ids;
    ck_ok(pz_builder_new(&b, &err), err);
    ck_ok(pz_ids_add(b, "x", n, bytes, offsets, true, &err), err);
    ck_ok(pz_builder_view(b, &t, &err), err);
    ck_ok(pz_ids_open(&ids, &t, "x", &err), err);
    struct pz_ids bare = ids;
    bare.table = NULL; // by bisection
    for (uint32_t i = 0; i < n; i++) {
        size_t len;
        const char *s = pz_ids_get(&ids, i, &len);
        ck_assert_uint_eq(pz_ids_find(&ids, s, len), i);
        ck_assert_uint_eq(pz_ids_find(&bare, s, len), i);
    }
    ck_assert_uint_eq(pz_ids_find(&ids, "zebra", 5), PZ_NO_ID);
    ck_assert_uint_eq(pz_ids_find(&bare, "zebra", 5), PZ_NO_ID);
    ck_assert_ptr_null(pz_ids_get(&ids, (uint32_t)n, &(size_t){0}));
    pz_tensors_close(&t);
    pz_builder_free(b);
    for (int k = 0; k < 3; k++) {
        pz_dict_release(&d[k]);
        free(map[k]);
    }
    free(bytes);
    free(offsets);
}
END_TEST

/* A table in which every slot is taken by others: ids are still found. */
START_TEST(finds_ids_that_the_table_lost)
{
    enum { N = 100 };
    uint8_t bytes[N * 3];
    int64_t offsets[N + 1];
    uint32_t table[256];
    for (int i = 0; i <= N; i++) {
        offsets[i] = 3 * i;
        if (i < N) {
            char s[16];
            snprintf(s, sizeof s, "%03d", i);
            memcpy(bytes + 3 * i, s, 3);
        }
    }
    for (int k = 0; k < 256; k++)
        table[k] = 1; // all say: id 0
    struct pz_ids ids = {bytes, offsets, table, N, sizeof bytes, 256};
    ck_assert_uint_eq(pz_ids_find(&ids, "042", 3), 42);
    ck_assert_uint_eq(pz_ids_find(&ids, "100", 3), PZ_NO_ID);
    for (int k = 0; k < 256; k++)
        table[k] = 4000000000u; // and indexes out of bounds are no reason to crash
    ck_assert_uint_eq(pz_ids_find(&ids, "099", 3), 99);
    offsets[50] = 1 << 30;
    ck_assert_uint_eq(pz_ids_find(&ids, "050", 3), PZ_NO_ID);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("ids");
    TCase *t = tcase_create("ids");
    tcase_add_test(t, interns_like_a_list);
    tcase_add_test(t, merges_sorted);
    tcase_add_test(t, finds_ids_that_the_table_lost);
    suite_add_tcase(s, t);
    return s;
}
