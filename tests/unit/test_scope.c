/* scope, recent events and arenas: against answers that are known by other ways. */
#include <malloc.h>
#include <stdio.h>
#include <time.h>

#include "base/arena.h"
#include "base/rng.h"
#include "filter_world.h"
#include "group.h"
#include "infer/scope.h"
#include "store/estore.h"
#include "tiny.h"
#include "unit.h"

static struct tiny tiny;
static struct pz_session *session;
static struct pz_err err;

static void
open_tiny(void)
{
    err = (struct pz_err)PZ_ERR_INIT;
    ck_ok(tiny_open(&tiny, &tiny_user, &err), err);
    ck_ok(pz_session_new(&session, &tiny.model, &err), err);
}

static void
close_tiny(void)
{
    pz_session_free(session);
    tiny_release(&tiny);
}

static struct pz_text
text(const char *s)
{
    return (struct pz_text){s, strlen(s)};
}

/* The items of the answer to q, "a b c". */
static void
ask(const struct pz_request *q, char out[256])
{
    const struct pz_answer *a;
    size_t n_done;
    ck_ok(pz_infer(session, q, 1, &a, &n_done, &err), err);
    ck_assert_uint_eq(n_done, 1);
    out[0] = 0;
    for (size_t i = 0; i < a->n; i++)
        snprintf(out + strlen(out), 256 - strlen(out), "%s%.*s:%g", i ? " " : "",
                 (int)a->item[i].item.n, a->item[i].item.s, (double)a->item[i].score);
}

/* Stored and recent events give what both together give as a history. */
START_TEST(recent)
{
    const struct pz_model *m = &tiny.model;
    char one[256], two[256];
    for (uint32_t u = 0; u <= m->n_users; u++) {
        struct pz_history stored = {.n = 0};
        size_t n, len = 2;
        struct pz_text history[16], last[2];
        const char *name = "nobody";
        if (u < m->n_users) {
            ck_ok(pz_model_history(m, u, &stored, &err), err);
            name = pz_ids_get(&m->user, u, &len);
        } else {
            len = 6;
        }
        n = stored.n;
        for (size_t i = 0; i < n; i++)
            history[i].s = pz_ids_get(&m->item, stored.item[i], &history[i].n);
        last[0].s = pz_ids_get(&m->item, 0, &last[0].n);
        last[1] = text("not in the model");
        memcpy(history + n, last, sizeof last);
        for (int seen = 0; seen < 2; seen++) {
            struct pz_request q = {
                .user = {name, len}, .has_user = true, .n = 9, .exclude_seen = seen};
            q.recent = last;
            q.n_recent = 2;
            ask(&q, one);
            q.n_recent = 0;
            q.has_history = true;
            q.history = history;
            q.n_history = n + 2;
            ask(&q, two);
            ck_assert_str_eq(one, two);
            ck_assert(one[0] != 0);
        }
    }
}
END_TEST

/* Every set of allowed items, against the whole answer. */
START_TEST(allow)
{
    struct pz_text history = {NULL, 0};
    char whole[256], got[256], want[256];
    history.s = pz_ids_get(&tiny.model.item, 1, &history.n);
    struct pz_request q = {
        .history = &history, .n_history = 1, .has_history = true, .n = 99};
    ask(&q, whole);
    for (uint64_t bits = 0; bits < 1U << TINY_ITEMS; bits++) {
        char copy[256], *rest = copy, *word;
        q.allow = &bits;
        ask(&q, got);
        memcpy(copy, whole, sizeof copy);
        want[0] = 0;
        while ((word = strsep(&rest, " "))) {
            uint32_t it = pz_ids_find(&tiny.model.item, word, strcspn(word, ":"));
            if (bits >> it & 1)
                snprintf(want + strlen(want), sizeof want - strlen(want), "%s%s",
                         want[0] ? " " : "", word);
        }
        ck_assert_str_eq(got, want);
    }
}
END_TEST

/* What a run borrows is the last request's, also where the bitmap is an earlier one's. */
START_TEST(gate)
{
    static const char text[] = "EXCLUDE ItemID WHERE Items.GENRES NOT IN ('drama')";
    struct pz_filter_group group;
    struct pz_gate *g;
    struct pz_gate_run *r;
    const struct pz_live_items none = {.n = 0};
    const uint64_t *bits[2];
    struct pz_fcell field[16] = {{.kind = PZ_FCELL_NULL}};
    struct pz_filter_event event = {"new", 3, field};
    struct pz_filter_request q = {.user = "u1", .n_user = 2};
    ck_ok(world_open(&group, &err), err);
    ck_ok(pz_gate_new(&g, text, &group.data, &(struct pz_filter_options){.window = 0},
                      &tiny.model, &err),
          err);
    ck_ok(pz_gate_run_new(&r, g, &err), err);
    q.event = &event;
    q.n_events = 1;
    ck_ok(pz_gate_open(r, &q, &none, &bits[0], &err), err);
    ck_assert(!pz_gate_passes(r, "new", 3, &none)); // an event tells of it
    q.n_events = 0;
    ck_ok(pz_gate_open(r, &q, &none, &bits[1], &err), err);
    ck_assert_ptr_eq(bits[0], bits[1]);
    ck_assert(pz_gate_passes(r, "new", 3, &none)); // nothing does
    pz_gate_run_free(r);
    pz_gate_free(g);
    pz_filter_group_close(&group);
}
END_TEST

/* Any numbers of items and of promoted ones, some in both lists. */
START_TEST(promote)
{
    enum { MOST = 12 };
    struct pz_scope scope = {.model = &tiny.model, .percent = 50};
    struct pz_scope_run *r;
    struct pz_rng rng;
    size_t first = 0, rounds = 3000;
    pz_rng_seed(&rng, 1, 0);
    ck_ok(pz_scope_run_new(&r, &scope, &err), err);
    for (size_t round = 0; round < rounds; round++) {
        struct pz_answered item[MOST], promoted[MOST];
        size_t n = pz_rng_below(&rng, MOST), p = pz_rng_below(&rng, MOST);
        char user[16];
        snprintf(user, sizeof user, "u%zu", round);
        struct pz_request q = {.user = text(user), .has_user = true, .n = MOST - 1};
        for (size_t i = 0; i < MOST; i++) {
            item[i] = (struct pz_answered){.item = text("x"), .index = (uint32_t)i};
            promoted[i] = (struct pz_answered){
                .item = text("y"), .index = (uint32_t)(i * 2 + pz_rng_below(&rng, 2))};
        }
        struct pz_answer a = {.item = item, .n = n};
        const bool *mark;
        ck_ok(pz_scope_promote(r, &q, promoted, p, &a, &mark, &err), err);
        size_t at_item = 0, at_promoted = 0;
        for (size_t i = 0; i < a.n; i++) {
            if (mark[i]) {
                ck_assert_uint_eq(a.item[i].index, promoted[at_promoted++].index);
                continue;
            }
            for (size_t k = 0; k < p; k++) // those that are promoted are passed over
                if (item[at_item].index == promoted[k].index) {
                    at_item++;
                    k = SIZE_MAX;
                }
            ck_assert_uint_eq(a.item[i].index, item[at_item++].index);
        }
        ck_assert_uint_eq(at_promoted, p);
        ck_assert(a.n <= q.n);
    }
    // A place is as good as another: one of four comes first a quarter of the time.
    for (size_t round = 0; round < rounds; round++) {
        struct pz_answered item[3], one = {.item = text("y"), .index = 9};
        char user[16];
        snprintf(user, sizeof user, "v%zu", round);
        struct pz_request q = {.user = text(user), .has_user = true, .n = 4};
        for (uint32_t i = 0; i < 3; i++)
            item[i] = (struct pz_answered){.item = text("x"), .index = i};
        struct pz_answer a = {.item = item, .n = 3};
        const bool *mark;
        ck_ok(pz_scope_promote(r, &q, &one, 1, &a, &mark, &err), err);
        first += mark[0];
    }
    ck_assert(first > rounds / 4 - rounds / 16 && first < rounds / 4 + rounds / 16);
    pz_scope_run_free(r);
}
END_TEST

/* N items with a price each, in one transaction. */
static void
put_items(const char *group, int n, int price)
{
    struct pz_estore *s;
    ck_ok(pz_estore_open(&s, group, PZ_CATALOG_WRITE, &err), err);
    ck_ok(pz_estore_begin(s, &err), err);
    for (int i = 0; i < n; i++) {
        char id[16], properties[64];
        snprintf(id, sizeof id, "new%d", i);
        snprintf(properties, sizeof properties, "{\"PRICE\":%d}", price + i);
        ck_ok(pz_estore_put(s, PZ_RECORD_ITEM, id, properties, price, &err), err);
    }
    ck_ok(pz_estore_commit(s, &err), err);
    pz_estore_close(s);
}

/* Items that are put over and over: the newest values count, and the old ones' memory is
 * used again. */
START_TEST(put_again)
{
    enum { N = 20000, ROUNDS = 5 };
    static const char fields[] =
        "{\"type\":\"record\",\"name\":\"Items\",\"fields\":[{\"name\":\"ITEM_ID\","
        "\"type\":\"string\"},{\"name\":\"PRICE\",\"type\":[\"null\",\"long\"]}]}";
    struct group g;
    struct pz_schema schema;
    struct pz_live *live;
    size_t held[ROUNDS];
    group_make(&g);
    ck_ok(pz_schema_parse(&schema, PZ_ITEMS, PZ_CUSTOM, fields, strlen(fields), &err),
          err);
    struct pz_live_options o = {.group = g.dir, .model = &tiny.model, .items = &schema};
    ck_ok(pz_live_new(&live, &o, &err), err);
    for (int round = 0; round < ROUNDS; round++) {
        put_items(g.dir, N, 1000 * round);
        nanosleep(&(struct timespec){0, 550000000},
                  NULL); // they are not looked at sooner
        ck_ok(pz_live_begin(live, &err), err);
        const struct pz_live_items *items = pz_live_items(live);
        ck_assert_uint_eq(items->n, N);
        for (size_t i = 0; i < items->n; i++) {
            int number;
            ck_assert_int_eq(sscanf(items->item[i].id, "new%d", &number), 1);
            ck_assert_int_eq(items->item[i].field[1].i, 1000 * round + number);
        }
        held[round] = mallinfo2().uordblks;
    }
    ck_assert_uint_le(held[ROUNDS - 1], held[2] + held[2] / 4);
    pz_live_free(live);
    pz_schema_release(&schema);
    group_remove(&g);
}
END_TEST

/* A model whose event types cannot be read is refused each time that events are looked
 * for, and read whole when it can be. */
START_TEST(damaged_rules)
{
    struct group g;
    struct pz_live *live;
    char key[] = "selection", value[] = "{", *bad[] = {key, value};
    struct pz_tensors *file = &tiny.model.file;
    char **meta = file->meta;
    size_t n_meta = file->n_meta;
    group_make(&g);
    put_items(g.dir, 1, 0);
    struct pz_live_options o = {.group = g.dir, .model = &tiny.model};
    ck_ok(pz_live_new(&live, &o, &err), err);
    file->meta = bad;
    file->n_meta = 1;
    for (int look = 0; look < 2; look++) {
        err = (struct pz_err)PZ_ERR_INIT;
        ck_assert_int_eq(pz_live_begin(live, &err), PZ_FORMAT);
        ck_assert(!pz_live_any(live));
    }
    file->meta = meta;
    file->n_meta = n_meta;
    err = (struct pz_err)PZ_ERR_INIT;
    ck_ok(pz_live_begin(live, &err), err);
    ck_assert(pz_live_any(live));
    pz_live_free(live);
    group_remove(&g);
}
END_TEST

START_TEST(arena)
{
    struct pz_arena a = {NULL, NULL};
    struct pz_rng rng;
    enum { N = 2000 };
    static const char *copy[N];
    static char want[70000];
    pz_rng_seed(&rng, 2, 0);
    memset(want, 'w', sizeof want);
    for (int round = 0; round < 3; round++) {
        static size_t len[N];
        for (size_t i = 0; i < N; i++) {
            len[i] = pz_rng_below(&rng, i % 100 ? 300 : sizeof want);
            want[0] = (char)('a' + i % 26);
            ck_ok(pz_arena_copy(&a, &copy[i], want, len[i], "a test", &err), err);
            ck_assert_uint_eq((uintptr_t)copy[i] % _Alignof(max_align_t), 0);
        }
        for (size_t i = 0; i < N; i++) {
            want[0] = (char)('a' + i % 26);
            ck_assert(memcmp(copy[i], want, len[i]) == 0 && copy[i][len[i]] == 0);
        }
        pz_arena_clear(&a);
    }
    void *p;
    ck_assert_int_eq(pz_arena_new(&a, &p, SIZE_MAX / 2, 4, "a test", &err), PZ_SYSTEM);
    pz_arena_release(&a);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("scope");
    TCase *t = tcase_create("scope");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, open_tiny, close_tiny);
    tcase_add_test(t, recent);
    tcase_add_test(t, allow);
    tcase_add_test(t, gate);
    tcase_add_test(t, put_again);
    tcase_add_test(t, damaged_rules);
    tcase_add_test(t, promote);
    tcase_add_test(t, arena);
    suite_add_tcase(s, t);
    return s;
}
