/*
 * filter: bitmaps against single tests against the naive interpreter; scans of columns
 * against a row at a time; streamed events; the window.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cpu.h"
#include "base/rng.h"
#include "filter/bits.h"
#include "naive_filter.h"
#include "unit.h"

static struct pz_filter_group group;
static struct pz_err err;

static void
setup(void)
{
    err = (struct pz_err)PZ_ERR_INIT;
    ck_ok(world_open(&group, &err), err);
}

static void
teardown(void)
{
    pz_filter_group_close(&group);
}

static struct pz_filter *
compile(const char *text, uint32_t window)
{
    struct pz_filter *f;
    struct pz_filter_options o = {.window = window};
    ck_assert_msg(!pz_filter_compile(&f, text, strlen(text), &group.data, &o, &err),
                  "%s: %s", text, err.msg);
    return f;
}

static bool
kept(struct pz_filter_run *r, const char *id)
{
    struct pz_candidate c = {id, strlen(id), NULL};
    return pz_filter_test(r, &c);
}

static const char *const expressions[] = {
    "INCLUDE ItemID WHERE Items.PRICE <= 20.5",
    "INCLUDE ItemID WHERE Items.PRICE != 10 OR Items.BIG > 9007199254740992",
    "EXCLUDE ItemID WHERE Items.GENRES NOT IN ('drama')",
    "EXCLUDE ItemID WHERE Items.CATEGORY_L2 != 'boots' AND Interactions.EVENT_TYPE IN "
    "('*')",
    "INCLUDE ItemID WHERE Interactions.EVENT_TYPE NOT IN ('purchase') AND Items.ACTIVE = "
    "true",
    "INCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ('view') AND Interactions.TIMESTAMP "
    "> 100",
    "INCLUDE ItemID WHERE (Interactions.EVENT_TYPE IN ('view') OR Items.YEAR IN (1985, "
    "1999)) AND "
    "Items.ITEM_ID NOT IN ('i3', 'none')",
    "EXCLUDE ItemID WHERE Interactions.EVENT_TYPE NOT IN ('*')",
    "INCLUDE ItemID WHERE Items.GENRES IN CurrentItem.GENRES AND Items.PRICE < "
    "CurrentItem.PRICE",
    "EXCLUDE ItemID WHERE Items.REAL > 1.0",
    "INCLUDE ItemID WHERE Items.REAL >= 0.1 | EXCLUDE ItemID WHERE Items.REAL = 3",
    "INCLUDE ItemID WHERE Items.STOCK > 0 IF CurrentUser.AGE >= 18 AND CurrentUser.PLAN "
    "= 'kids'",
    "INCLUDE ItemID WHERE Items.BIG < -4.5 OR Items.BIG >= 254.5",
    "INCLUDE ItemID WHERE Items.RATING IN ($G) | EXCLUDE ItemID WHERE Items.B = $MISSING",
    "INCLUDE UserID WHERE Users.AGE > 20 OR Interactions.EVENT_TYPE IN ('click')",
    "EXCLUDE UserID WHERE Interactions.EVENT_TYPE NOT IN ('purchase')",
    "INCLUDE ActionID WHERE Action_Interactions.EVENT_TYPE IN ('TAKEN') OR Actions.VALUE "
    "= 20.5",
};

/* One expression, request and list of candidates, three ways. */
static void
compare(const struct pz_filter *f, const char *text, const struct naive_request *n,
        bool touched)
{
    struct pz_filter_value value[4];
    struct pz_filter_request q = {.user = n->user,
                                  .n_user = n->user ? strlen(n->user) : 0,
                                  .item = n->item,
                                  .n_item = n->item ? strlen(n->item) : 0,
                                  .value = value,
                                  .n_values = n->n_values};
    for (size_t i = 0; i < n->n_values; i++)
        value[i] = (struct pz_filter_value){n->value[i].name, strlen(n->value[i].name),
                                            n->value[i].text, strlen(n->value[i].text)};
    struct pz_filter_run *r;
    struct pz_filter_space *s;
    const struct pz_ids *ids = world_candidates(&group, f, touched);
    uint64_t bits[2];
    ck_ok(pz_filter_run_new(&r, f, &err), err);
    ck_ok(pz_filter_space_new(&s, f, ids, &err), err);
    ck_ok(pz_filter_run_begin(r, &q, &err), err);
    ck_ok(pz_filter_items(r, s, bits, &err), err);
    for (uint32_t i = 0; i < ids->n; i++) {
        char id[32];
        bool refused;
        size_t len;
        const char *at = pz_ids_get(ids, i, &len);
        snprintf(id, sizeof id, "%.*s", (int)len, at);
        bool want = naive_filter(text, n, id, &refused);
        ck_assert(!refused);
        ck_assert_msg(kept(r, id) == want, "%s: user %s, item %s: %s is %s", text,
                      n->user ? n->user : "-", n->item ? n->item : "-", id,
                      want ? "dropped" : "kept");
        ck_assert_msg((bits[0] >> i & 1) == want, "%s: user %s, item %s: bit of %s is %d",
                      text, n->user ? n->user : "-", n->item ? n->item : "-", id, !want);
    }
    ck_assert_uint_eq(bits[0] >> ids->n, 0);
    pz_filter_space_free(s);
    pz_filter_run_free(r);
}

START_TEST(three_ways)
{
    static const char *const users[] = {NULL, "u1", "u2", "u3", "u4", "u5", "nobody"};
    static const char *const items[] = {NULL, "i1", "i5", "i7", "x1"};
    const char *text = expressions[_i];
    const struct naive_value value[] = {{"G", "\"R\", 'PG'"}};
    for (uint32_t window = 0; window < 3; window++) {
        struct pz_filter *f = compile(text, window);
        for (size_t u = 0; u < sizeof users / sizeof *users; u++)
            for (size_t i = 0; i < sizeof items / sizeof *items; i++) {
                struct naive_request n = {users[u], items[i], value,
                                          pz_filter_param(f, 0) ? 1 : 0, window};
                compare(f, text, &n, false);
                compare(f, text, &n, true);
            }
        pz_filter_free(f);
    }
}
END_TEST

/* ---- columns into bits ---- */

enum { ROWS = 64 * 5 + 7 };

/* A column of random bytes, with limits at the edges of its type among them. */
static void
check_scan(enum pz_dtype dtype, enum pz_fclass class, const void *data,
           struct pz_rng *rng)
{
    static uint8_t valid[ROWS];
    struct pz_field field = {.name = (char[]){"X"}, .type = PZ_STRING};
    struct pz_column col = {.name = "X", .field = &field, .dtype = dtype, .data = data};
    struct pz_leaf leaf = {.ref = {.col = &col, .field = &field, .class = class},
                           .op = PZ_F_IN};
    uint64_t bits[PZ_N_CPU][6];
    struct pz_bits_table *table = calloc(1, pz_bits_table_size(65536));
    ck_assert_ptr_nonnull(table);
    table->n_codes = dtype == PZ_U8 ? 256 : dtype == PZ_U16 ? 65536 : 60000;
    for (size_t i = 0; i < ROWS; i++)
        valid[i] = pz_rng_u64(rng) % 4 > 0;
    for (int round = 0; round < 64; round++) {
        struct pz_frange range[2] = {{0}};
        struct pz_operand o = {.range = range, .n_ranges = (size_t)round % 3};
        for (int k = 0; k < 2; k++) {
            int shift = (int)(pz_rng_u64(rng) % 64);
            range[k].lo = (int64_t)pz_rng_u64(rng) >> shift;
            range[k].hi =
                round % 5 ? (int64_t)(pz_rng_u64(rng) >> 1 >> shift) : INT64_MAX;
            range[k].flo = (double)range[k].lo / 3;
            range[k].fhi = (double)range[k].hi / 3;
        }
        // Few, all but few, all sorts of: up to some word, and then all or none.
        uint64_t n_words = table->n_codes / 64, beyond = round & 4 ? UINT64_MAX : 0;
        uint64_t sorts =
            1 + pz_rng_below(rng, round % 4 == 2 && n_words > 60 ? 60 : n_words);
        for (uint64_t i = 0; i < n_words; i++)
            table->bit[i] = round % 4 == 0   ? !i * 7
                            : round % 4 == 1 ? ~(uint64_t)(!i * 7)
                            : i < sorts      ? pz_rng_u64(rng)
                                             : beyond;
        table->bit[table->n_codes / 64] =
            round % 4 == 1 ? table->n_codes % 64 ? UINT32_MAX : 0 : 0;
        pz_bits_list(table);
        ck_assert(class != PZ_CLASS_TEXT || table->listed == (round % 4 < 2));
        leaf.negate = round & 8;
        leaf.null = round & 16 ? PZ_YES : PZ_NO;
        col.valid = round & 32 ? valid : NULL;
        for (int level = 0; level < PZ_N_CPU; level++) {
            pz_cpu_force((enum pz_cpu)level);
            pz_bits_leaf(&leaf, &o, table, 0, ROWS, bits[level]);
            ck_assert_mem_eq(bits[0], bits[level], sizeof bits[0]);
        }
        for (size_t i = 0; i < ROWS && class != PZ_CLASS_TEXT; i++) {
            struct pz_fcell cell = pz_ref_cell(&leaf.ref, i);
            ck_assert_int_eq(bits[0][i / 64] >> i % 64 & 1,
                             pz_leaf_test(&leaf, &o, &cell) == PZ_YES);
        }
        for (size_t i = 0; i < ROWS && class == PZ_CLASS_TEXT; i++) {
            int64_t code;
            bool present = pz_column_i64(&col, i, &code);
            bool in = present && (uint64_t)code < table->n_codes;
            bool want = present ? in && (table->bit[code / 64] >> code % 64 & 1)
                                : leaf.null == PZ_YES;
            ck_assert_int_eq(bits[0][i / 64] >> i % 64 & 1, want);
        }
        ck_assert_uint_eq(bits[0][5] >> 7, 0);
    }
    pz_cpu_force(PZ_CPU_AVX512);
    free(table);
}

/* How two-byte codes are looked up depends on the bits alone. */
enum way { FEW, BOUNDS, PAGE, BYTES, WORDS, N_WAYS };

static enum way
way_of(const struct pz_bits_table *t)
{
    return t->listed                       ? FEW
           : t->n_bounds <= PZ_BITS_BOUNDS ? BOUNDS
           : t->n_pages <= 1               ? PAGE
           : t->byte                       ? BYTES
                                           : WORDS;
}

static void
set_range(uint64_t *bit, uint32_t lo, uint32_t n, bool value)
{
    for (uint32_t code = lo; code < lo + n && code < 65536; code++)
        bit[code / 64] =
            (bit[code / 64] & ~((uint64_t)1 << code % 64)) | (uint64_t)value << code % 64;
}

/* All codes, in order and not, against the bits themselves. */
START_TEST(two_byte_codes)
{
    enum { N = 65536 };
    struct pz_rng rng;
    uint16_t *code = malloc(N * sizeof *code);
    uint64_t bits[PZ_N_CPU][N / 64], want[N / 64];
    struct pz_bits_table *table = calloc(1, pz_bits_table_size(N));
    struct pz_field field = {.name = (char[]){"X"}, .type = PZ_STRING};
    struct pz_column col = {.name = "X", .field = &field, .dtype = PZ_U16, .data = code};
    struct pz_leaf leaf = {.ref = {.col = &col, .field = &field, .class = PZ_CLASS_TEXT},
                           .op = PZ_F_IN};
    struct pz_operand o = {0};
    int ways[N_WAYS][2] = {{0}};
    ck_assert_ptr_nonnull(code);
    ck_assert_ptr_nonnull(table);
    pz_rng_seed(&rng, 7, 0);
    table->n_codes = N;
    for (uint32_t i = 0; i < N; i++)
        code[i] = (uint16_t)(i % 7 ? i : pz_rng_below(&rng, N));
    for (int round = 0; round < 400; round++) {
        bool base = round & 1;
        memset(table->bit, base ? 0xff : 0, N / 8);
        uint32_t n_pages = (uint32_t[]){0, 1, 2, 16, 17, 64}[round / 2 % 6];
        for (uint32_t k = 0; k < n_pages; k++) { // pages that are not all alike
            uint64_t page = n_pages == 64 ? k : pz_rng_below(&rng, 64);
            for (unsigned i = 0; i < 16; i++)
                table->bit[16 * page + i] = pz_rng_u64(&rng);
        }
        if (round % 5 == 0) // whole pages that are not the base
            set_range(table->bit, 1024 * (uint32_t)pz_rng_below(&rng, 64), 1024, !base);
        uint64_t runs = n_pages == 1 ? 0 : pz_rng_below(&rng, 7);
        for (uint64_t k = 0; k < runs; k++) // to both ends, and anywhere
            set_range(table->bit,
                      k == 1   ? 0
                      : k == 2 ? N - 9
                               : (uint32_t)pz_rng_below(&rng, N),
                      1 + (uint32_t)pz_rng_below(&rng, k % 3 ? 9 : 3000), !base);
        for (uint64_t k = 0; k < 8 && n_pages == 1 && round % 8 > 5; k++) {
            if (k == 0) // few, instead
                memset(table->bit, base ? 0xff : 0, N / 8);
            set_range(table->bit, (uint32_t)pz_rng_below(&rng, N), 1, !base);
        }
        pz_bits_list(table);
        ways[way_of(table)][table->base]++;
        memset(want, 0, sizeof want);
        for (uint32_t i = 0; i < N - 3; i++)
            want[i / 64] |= (table->bit[code[i] / 64] >> code[i] % 64 & 1) << i % 64;
        for (int level = 0; level < PZ_N_CPU; level++) {
            pz_cpu_force((enum pz_cpu)level);
            pz_bits_leaf(&leaf, &o, table, 0, N - 3, bits[level]);
            ck_assert_msg(!memcmp(bits[level], want, sizeof want),
                          "round %d, level %d, way %d", round, level, (int)way_of(table));
        }
    }
    for (int way = BOUNDS; way < N_WAYS; way++)
        ck_assert_msg(ways[way][0] >= 5 && ways[way][1] >= 5, "way %d: %d, %d", way,
                      ways[way][0], ways[way][1]);
    ck_assert_int_ge(ways[FEW][0] + ways[FEW][1], 5); // base is not set then
    pz_cpu_force(PZ_CPU_AVX512);
    free(table);
    free(code);
}
END_TEST

START_TEST(scans)
{
    static uint64_t data[ROWS];
    struct pz_rng rng;
    pz_rng_seed(&rng, 5, 0);
    for (int shift = 0; shift < 64; shift += 9) {
        for (size_t i = 0; i < ROWS; i++)
            data[i] = pz_rng_u64(&rng) >> shift;
        check_scan(PZ_U8, PZ_CLASS_INT, data, &rng);
        check_scan(PZ_U16, PZ_CLASS_INT, data, &rng);
        check_scan(PZ_U32, PZ_CLASS_INT, data, &rng);
        check_scan(PZ_I32, PZ_CLASS_INT, data, &rng);
        check_scan(PZ_I64, PZ_CLASS_INT, data, &rng);
        check_scan(PZ_U8, PZ_CLASS_TEXT, data, &rng);
        check_scan(PZ_U16, PZ_CLASS_TEXT, data, &rng);
        check_scan(PZ_U32, PZ_CLASS_TEXT, data, &rng);
        static uint16_t code[ROWS]; // of dictionaries of all sizes
        for (size_t i = 0; i < ROWS; i++)
            code[i] = (uint16_t)pz_rng_below(&rng, 1u << (16 - shift / 9));
        check_scan(PZ_U16, PZ_CLASS_TEXT, code, &rng);
        static float f[ROWS];
        static double d[ROWS];
        for (size_t i = 0; i < ROWS; i++) {
            f[i] = (float)(int64_t)data[i] / 3;
            d[i] = (double)(int64_t)data[i] / 3;
        }
        check_scan(PZ_F32, PZ_CLASS_REAL, f, &rng);
        check_scan(PZ_F64, PZ_CLASS_REAL, d, &rng);
    }
}
END_TEST

/* ---- streamed events and records ---- */

static struct pz_fcell
text_cell(const char *s)
{
    return (struct pz_fcell){
        .kind = s ? PZ_FCELL_TEXT : PZ_FCELL_NULL, .s = s, .n = s ? strlen(s) : 0};
}

START_TEST(live)
{
    struct pz_fcell field[6] = {text_cell("u4"),
                                text_cell("i9"),
                                {.kind = PZ_FCELL_INT, .i = 9000},
                                text_cell("PURCHASE"),
                                {.kind = PZ_FCELL_REAL, .f = 2.5},
                                {0}};
    struct pz_fcell other[6];
    memcpy(other, field, sizeof other);
    other[1] = text_cell("new");
    struct pz_filter_event event[] = {{"i9", 2, field}, {"new", 3, other}};
    struct pz_fcell user[7] = {{0}};
    user[1] = (struct pz_fcell){.kind = PZ_FCELL_INT, .i = 99};
    struct pz_filter_request q = {.user = "u4", .n_user = 2};
    struct pz_filter *f =
        compile("EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN ('purchase') AND "
                "Interactions.TIMESTAMP >= 9000 AND Interactions.EVENT_VALUE < 3 "
                "IF CurrentUser.AGE = 99",
                1);
    struct pz_filter_run *r;
    struct pz_filter_space *s;
    uint64_t bits;
    ck_ok(pz_filter_run_new(&r, f, &err), err);
    ck_ok(pz_filter_space_new(&s, f, &group.data.set[PZ_ITEMS]->item, &err), err);
    ck_ok(pz_filter_run_begin(r, &q, &err), err);
    ck_assert(kept(r, "i9"));
    q.event = event;
    q.n_events = 2;
    ck_ok(pz_filter_run_begin(r, &q, &err), err);
    ck_assert(kept(r, "i9")); // u4 is 70
    q.user_record = user;
    ck_ok(pz_filter_run_begin(r, &q, &err), err);
    // The window holds the one newest of a type: of two at the same time, the later one.
    ck_assert(kept(r, "i9"));
    ck_assert(!kept(r, "new"));
    q.n_events = 1;
    ck_ok(pz_filter_run_begin(r, &q, &err), err);
    ck_assert(!kept(r, "i9"));
    ck_assert(kept(r, "new"));
    ck_assert(kept(r, "i1"));
    ck_ok(pz_filter_items(r, s, &bits, &err), err);
    ck_assert_uint_eq(bits, 0xff); // i9 is the last of nine
    pz_filter_space_free(s);
    pz_filter_run_free(r);
    pz_filter_free(f);
}
END_TEST

/* A streamed item has its values where the dataset has none. */
START_TEST(records)
{
    struct pz_filter *f =
        compile("INCLUDE ItemID WHERE Items.PRICE < 5 AND Items.GENRES IN ('new')", 0);
    struct pz_fcell item[16] = {{0}};
    struct pz_filter_request q = {0};
    struct pz_filter_run *r;
    item[1] = text_cell("old|new");
    item[4] = (struct pz_fcell){.kind = PZ_FCELL_REAL, .f = 4.5};
    struct pz_candidate c = {"brand-new", 9, item};
    ck_ok(pz_filter_run_new(&r, f, &err), err);
    ck_ok(pz_filter_run_begin(r, &q, &err), err);
    ck_assert(pz_filter_test(r, &c));
    c.record = NULL;
    ck_assert(!pz_filter_test(r, &c));
    pz_filter_run_free(r);
    pz_filter_free(f);
}
END_TEST

/* Large and deep expressions are refused or compiled, at once. */
START_TEST(bombs)
{
    static char text[80000];
    struct pz_filter *f;
    struct pz_filter_options o = {0};
    size_t n = (size_t)sprintf(text, "INCLUDE ItemID WHERE ");
    memset(text + n, '(', 60000);
    ck_assert_int_eq(pz_filter_compile(&f, text, 60000, &group.data, &o, &err), PZ_DATA);
    ck_assert_str_eq(err.msg, "filter:1:54: more than 32 parentheses in each other");
    err = (struct pz_err)PZ_ERR_INIT;
    for (int i = 0; i < 2000; i++)
        n += (size_t)sprintf(text + n, "%sItems.YEAR=%d", i ? " OR " : "", i);
    ck_assert_int_eq(pz_filter_compile(&f, text, n, &group.data, &o, &err), PZ_DATA);
    ck_assert_ptr_nonnull(strstr(err.msg, "more than 1000 conditions"));
    err = (struct pz_err)PZ_ERR_INIT;
    ck_assert_int_eq(pz_filter_compile(&f, text, sizeof text, &group.data, &o, &err),
                     PZ_DATA);
    err = (struct pz_err)PZ_ERR_INIT;
    n = (size_t)sprintf(text, "INCLUDE ItemID WHERE Items.YEAR IN (1");
    while (n < 65000)
        n += (size_t)sprintf(text + n, ",%zu", n);
    n += (size_t)sprintf(text + n, ")");
    ck_ok(pz_filter_compile(&f, text, n, &group.data, &o, &err), err);
    pz_filter_free(f);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("filter");
    TCase *t = tcase_create("filter");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, three_ways, 0, sizeof expressions / sizeof *expressions);
    tcase_add_test(t, scans);
    tcase_add_test(t, two_byte_codes);
    tcase_add_test(t, live);
    tcase_add_test(t, records);
    tcase_add_test(t, bombs);
    suite_add_tcase(s, t);
    return s;
}
