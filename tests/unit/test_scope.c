/* scope, recent events and arenas: against answers that are known by other ways. */
#include <stdio.h>

#include "base/arena.h"
#include "base/rng.h"
#include "infer/scope.h"
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
    tcase_add_checked_fixture(t, open_tiny, close_tiny);
    tcase_add_test(t, recent);
    tcase_add_test(t, allow);
    tcase_add_test(t, promote);
    tcase_add_test(t, arena);
    suite_add_tcase(s, t);
    return s;
}
