/* What each protocol trains on, gives and asks for, by hand and by its promises. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "eval/split.h"
#include "toy.h"
#include "unit.h"

static struct pz_dataset data;
static struct pz_world world;
static struct pz_events events;

static void
world_of(uint32_t n_users, uint32_t n_items, const struct toy_row *row, size_t n)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_selection all = {0};
    struct pz_selection_report report;
    toy_dataset(&data, n_users, n_items, row, n);
    pz_world_of(&world, &data);
    ck_ok(pz_events_select(&data, &all, &events, &report, &err), err);
}

static void
world_release(void)
{
    pz_events_release(&events);
    toy_release(&data);
}

static struct pz_split
split_of(const struct pz_split_spec *spec)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_split s;
    ck_ok(pz_split_make(&s, &events, &world, spec, &err), err);
    return s;
}

/* A user as a word: t trained, g given (also trained: b), items as letters; the truth
 * behind a slash. Users without a case have only what is trained. */
static void
word_of(const struct pz_split *s, uint32_t u, char out[64])
{
    size_t n = 0;
    const struct pz_case *c = NULL;
    for (uint32_t i = 0; i < s->n_cases; i++)
        if (s->cases[i].user == u)
            c = &s->cases[i];
    for (uint64_t i = s->train.offsets[u]; i < s->train.offsets[u + 1]; i++)
        out[n++] = (char)('a' + s->train.item[i]);
    out[n++] = ':';
    for (uint32_t i = 0; c && i < c->n_given; i++)
        out[n++] = (char)('a' + s->given[c->given + i]);
    out[n++] = '/';
    for (uint32_t i = 0; c && i < c->n_truth; i++)
        out[n++] = (char)('a' + s->truth[c->truth + i]);
    out[n] = 0;
    if (c) {
        ck_assert_int_eq(c->known, s->train.offsets[u + 1] > s->train.offsets[u]);
        // What is stored is what the model will have: given and trained, no more.
        size_t n_train = (size_t)(s->train.offsets[u + 1] - s->train.offsets[u]);
        ck_assert_int_eq(c->stored, n_train && n_train == c->n_given &&
                                        memcmp(s->train.item + s->train.offsets[u],
                                               s->given + c->given,
                                               n_train * sizeof *s->given) == 0);
    }
}

#define ck_word(s, u, want)                                                              \
    do {                                                                                 \
        char got_[64];                                                                   \
        word_of(s, u, got_);                                                             \
        ck_assert_str_eq(got_, want);                                                    \
    } while (0)

/* u0: a b c d e, u1: c a, u2: b a b (the last a repeat), u3: d. Times 10, 11, ... */
static const struct toy_row four[] = {
    {0, 0, 10, 0, 0}, {0, 1, 11, 0, 0}, {0, 2, 12, 0, 0}, {0, 3, 13, 0, 0},
    {0, 4, 14, 0, 0}, {1, 2, 15, 0, 0}, {1, 0, 16, 0, 0}, {2, 1, 17, 0, 0},
    {2, 0, 18, 0, 0}, {2, 1, 19, 0, 0}, {3, 3, 20, 0, 0}};
enum { N_FOUR = sizeof four / sizeof *four };

START_TEST(leave_one_out)
{
    world_of(4, 5, four, N_FOUR);
    struct pz_split_spec spec = {.protocol = PZ_LOO};
    struct pz_split s = split_of(&spec);
    ck_word(&s, 0, "abc:abcd/e");
    ck_word(&s, 1, "ca:/");
    ck_word(&s, 2, "b:ba/b");
    ck_word(&s, 3, "d:/");
    pz_split_release(&s);
    spec.hide_seen = true; // u2's truth cannot be found
    s = split_of(&spec);
    ck_assert_uint_eq(s.n_cases, 1);
    ck_word(&s, 0, "abc:abcd/e");
    ck_word(&s, 2, "b:/");
    pz_split_release(&s);
    spec = (struct pz_split_spec){.protocol = PZ_LOO, .refit = true};
    s = split_of(&spec);
    ck_word(&s, 0, "abcd:abcd/e");
    ck_word(&s, 2, "ba:ba/b");
    pz_split_release(&s);
    spec = (struct pz_split_spec){.protocol = PZ_LOO, .valid = true};
    s = split_of(&spec);
    ck_word(&s, 0, "abc:abc/d");
    ck_word(&s, 2, "b:b/a");
    pz_split_release(&s);
    world_release();
}
END_TEST

START_TEST(time_cut)
{
    world_of(4, 5, four, N_FOUR);
    struct pz_split_spec spec = {
        .protocol = PZ_TIME, .has_cut = true, .cut = 16, .share = 0.5};
    struct pz_split s = split_of(&spec);
    ck_word(&s, 0, "abcde:/");
    ck_word(&s, 1, "c:c/a");
    ck_word(&s, 2, ":/ab");
    ck_word(&s, 3, ":/d");
    pz_split_release(&s);
    spec.valid = true; // the six events before 16 are halved
    s = split_of(&spec);
    ck_word(&s, 0, "abc:abc/de");
    ck_word(&s, 1, ":/c");
    ck_word(&s, 2, ":/");
    pz_split_release(&s);
    spec = (struct pz_split_spec){.protocol = PZ_TIME, .share = 0.91};
    s = split_of(&spec); // 10 of 11
    ck_assert_uint_eq(s.train.n, 10);
    ck_word(&s, 3, ":/d");
    pz_split_release(&s);
    world_release();
}
END_TEST

/* Writes text to a file that the test removes. */
static void
file_of(char path[32], const char *text)
{
    snprintf(path, 32, "split.%ld", (long)getpid());
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    ck_assert_int_eq(fclose(f), 0);
}

START_TEST(truth_file)
{
    static const char *const form[] = {
        "u00000\ti00001\nu00002\ti00004\nu00002\ti00003\nu00002\ti00004\nzz\ti00001\n",
        "ITEM_ID,x,USER_ID\ni00001,,u00000\ni00004,,u00002\ni00003,1,u00002\ni00001,,"
        "zz\n",
        "{\"USER_ID\":\"u00002\",\"ITEM_ID\":\"i00003\"}\n"
        "{\"USER_ID\":\"u00000\",\"ITEM_ID\":\"i00001\"}\n"
        "{\"ITEM_ID\":\"i00004\",\"USER_ID\":\"u00002\"}\n"
        "{\"ITEM_ID\":\"i00004\",\"USER_ID\":\"nobody\"}\n",
    };
    world_of(4, 5, four, N_FOUR);
    for (int i = 0; i < 3; i++) {
        char path[32];
        file_of(path, form[i]);
        struct pz_split_spec spec = {.protocol = PZ_SPLIT, .file = path};
        struct pz_split s = split_of(&spec);
        unlink(path);
        ck_assert_uint_eq(s.strangers, 1);
        ck_assert_uint_eq(s.n_cases, 2);
        ck_word(&s, 0, "abcde:abcde/b");
        ck_word(&s, 1, "ca:/");
        ck_word(&s, 2, "bab:bab/de");
        pz_split_release(&s);
    }
    world_release();
}
END_TEST

START_TEST(bad_files)
{
    static const char *const bad[] = {"u0\n", "USER_ID,OTHER\na,b\n",
                                      "{\"USER_ID\":\"a\"}\n", "USER_ID,ITEM_ID\na,\n"};
    world_of(4, 5, four, N_FOUR);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct pz_err err = PZ_ERR_INIT;
        struct pz_split s;
        char path[32];
        file_of(path, bad[i]);
        struct pz_split_spec spec = {.protocol = PZ_SPLIT, .file = path};
        ck_assert_int_eq(pz_split_make(&s, &events, &world, &spec, &err), PZ_DATA);
        ck_assert_msg(strstr(err.msg, path) != NULL, "%s", err.msg);
        unlink(path);
    }
    world_release();
}
END_TEST

static void
ck_among(const struct pz_split *s, uint32_t i, const char *want)
{
    char got[16];
    size_t n = 0;
    for (; n < s->cases[i].n_among; n++)
        got[n] = (char)('a' + s->among[s->cases[i].among + n]);
    got[n] = 0;
    ck_assert_str_eq(got, want);
}

START_TEST(negatives_file)
{
    char path[32];
    world_of(4, 5, four, N_FOUR);
    file_of(path, "(u00002,i00000)\ti00004\ti00003\tnothing\n"
                  "u00000\ti00002\ti00000\ti00000\ti00001\n");
    struct pz_split_spec spec = {.protocol = PZ_NCF, .file = path};
    struct pz_split s = split_of(&spec);
    ck_word(&s, 0, "abde:abde/c");
    ck_among(&s, 0, "abc");
    ck_word(&s, 2, "bb:bb/a");
    ck_among(&s, 1, "ade");
    ck_word(&s, 1, "ca:/");
    pz_split_release(&s);
    spec.valid = true;
    s = split_of(&spec);
    ck_word(&s, 0, "abd:abd/e");
    ck_among(&s, 0, "abe");
    ck_word(&s, 2, "b:b/b");
    ck_among(&s, 1, "bde");
    pz_split_release(&s);
    unlink(path);
    world_release();
}
END_TEST

/* aws: nobody is both tested and trained on, and a history and its truth are the user's
 * events in order. */
START_TEST(aws_promises)
{
    size_t n;
    struct toy_row *row = toy_random(7, 150, 40, 30, &n);
    world_of(150, 40, row, n);
    uint8_t seen[2][150] = {{0}};
    for (int valid = 0; valid < 2; valid++)
        for (int last = 0; last < 2; last++) {
            struct pz_split_spec spec = {
                .protocol = PZ_AWS, .valid = valid, .last = last, .seed = 3};
            struct pz_split s = split_of(&spec);
            for (uint32_t i = 0; i < s.n_cases; i++) {
                const struct pz_case *c = &s.cases[i];
                uint64_t from = events.offsets[c->user];
                uint64_t all = events.offsets[c->user + 1] - from;
                uint64_t cut = last ? all - 1 : all - (uint64_t)fmax(1, round(all / 10.));
                ck_assert_uint_eq(s.train.offsets[c->user], s.train.offsets[c->user + 1]);
                ck_assert_uint_eq(c->n_given, cut);
                for (uint64_t k = 0; k < all; k++) {
                    bool found = false;
                    for (uint32_t t = 0; t < c->n_truth; t++)
                        found |= s.truth[c->truth + t] == events.item[from + k];
                    if (k < cut)
                        ck_assert_uint_eq(s.given[c->given + k], events.item[from + k]);
                    else
                        ck_assert(found);
                }
                seen[valid][c->user] = 1;
            }
            pz_split_release(&s);
        }
    uint32_t both = 0, count[2] = {0};
    for (uint32_t u = 0; u < 150; u++) {
        both += seen[0][u] && seen[1][u];
        count[0] += seen[0][u];
        count[1] += seen[1][u];
    }
    ck_assert_uint_eq(both, 0);
    ck_assert_uint_eq(count[0], count[1]);
    ck_assert_uint_gt(count[0], 5);
    free(row);
    world_release();
}
END_TEST

/* strong: the permutation of 12 users is numpy's RandomState(98765).permutation(12), as
 * numpy prints it; users of 10 distinct items, two of them held out. */
START_TEST(strong_like_numpy)
{
    static const uint32_t order[] = {11, 9, 2, 7, 8, 4, 1, 10, 6, 0, 3, 5};
    struct toy_row row[12 * 11];
    for (uint32_t u = 0; u < 12; u++)
        for (uint32_t i = 0; i < 11; i++) // the eleventh repeats the first item
            row[u * 11 + i] =
                (struct toy_row){u, (u + i % 10) % 12, 1000 + u * 11 + i, 0, 0};
    world_of(12, 12, row, 132);
    for (int valid = 0; valid < 2; valid++) {
        struct pz_split_spec spec = {.protocol = PZ_STRONG, .valid = valid};
        struct pz_split s = split_of(&spec);
        ck_assert_uint_eq(s.n_cases, 1);
        const struct pz_case *c = &s.cases[0];
        ck_assert_uint_eq(c->user, order[valid ? 0 : 1]);
        ck_assert_uint_eq(c->n_truth, 2);
        ck_assert_uint_eq(c->n_given, 8);
        ck_assert_uint_eq(s.train.n, 100); // without repeats, without both users
        ck_assert(!c->known);
        for (uint32_t t = 0; t < c->n_truth; t++)
            for (uint32_t g = 0; g < c->n_given; g++)
                ck_assert_uint_ne(s.truth[c->truth + t], s.given[c->given + g]);
        pz_split_release(&s);
    }
    world_release();
}
END_TEST

START_TEST(split_validation)
{
    size_t n;
    struct toy_row *row = toy_random(9, 60, 40, 50, &n);
    world_of(60, 40, row, n);
    struct pz_split_spec spec = {.protocol = PZ_SPLIT, .valid = true, .seed = 1};
    struct pz_split s = split_of(&spec);
    for (uint32_t u = 0; u < 60; u++) {
        uint64_t all = events.offsets[u + 1] - events.offsets[u];
        ck_assert_uint_eq(s.train.offsets[u + 1] - s.train.offsets[u], all - all / 10);
    }
    pz_split_release(&s);
    free(row);
    world_release();
}
END_TEST

/* What is hidden is found in no more steps than the user has events. */
START_TEST(one_who_had_everything)
{
    enum { N = 1000000 };
    uint64_t offsets[] = {0, N};
    struct pz_events e = {.n_users = 1, .n_items = N, .n = N, .offsets = offsets};
    struct pz_err err = PZ_ERR_INIT;
    ck_ok(pz_new(&e.item, N, sizeof *e.item, "items", &err), err);
    ck_ok(pz_new(&e.time, N, sizeof *e.time, "times", &err), err);
    for (uint32_t i = 0; i < N; i++)
        e.item[i] = N - 1 - i;
    struct pz_split_spec spec = {.protocol = PZ_SPLIT, .valid = true, .hide_seen = true};
    struct pz_split s;
    ck_ok(pz_split_make(&s, &e, &world, &spec, &err), err);
    ck_assert_uint_eq(s.cases[0].n_truth, N / 10);
    ck_assert_uint_eq(s.cases[0].n_given, N - N / 10);
    pz_split_release(&s);
    free(e.item);
    free(e.time);
}
END_TEST

START_TEST(nobody_to_ask)
{
    world_of(4, 5, four, 2);
    struct pz_err err = PZ_ERR_INIT;
    for (int p = PZ_AWS; p <= PZ_STRONG; p++) {
        struct pz_split_spec spec = {.protocol = (enum pz_protocol)p};
        struct pz_split s;
        ck_assert_int_eq(pz_split_make(&s, &events, &world, &spec, &err), PZ_DATA);
    }
    world_release();
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("split");
    TCase *t = tcase_create("protocols");
    tcase_add_test(t, leave_one_out);
    tcase_add_test(t, time_cut);
    tcase_add_test(t, truth_file);
    tcase_add_test(t, bad_files);
    tcase_add_test(t, negatives_file);
    tcase_add_test(t, aws_promises);
    tcase_add_test(t, strong_like_numpy);
    tcase_add_test(t, split_validation);
    tcase_add_test(t, one_who_had_everything);
    tcase_add_test(t, nobody_to_ask);
    suite_add_tcase(s, t);
    return s;
}
