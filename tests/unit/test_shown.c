/* serve/shown: against a plain list of all that was ever added. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "serve/shown.h"
#include "unit.h"

enum { MOST = 20000, TEXT = 2000 };
static struct {
    char id[24], group[4];
    char *text;
} all[MOST];

static struct pz_buf out;

static const char *
find(struct pz_shown *s, const char *group, const char *id)
{
    pz_buf_clear(&out);
    if (!pz_shown_find(s, group, id, &out))
        return NULL;
    pz_buf_addc(&out, '\0');
    ck_assert(!out.failed);
    return out.data;
}

/* What is found is what was added; what was added lately is found; the oldest is not. */
START_TEST(many)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_shown *s;
    struct pz_rng rng;
    size_t bytes = 1 << 20, behind = 0, lost = 0;
    pz_rng_seed(&rng, 7, (uint64_t)_i);
    ck_ok(pz_shown_new(&s, bytes, &err), err);
    for (int i = 0; i < MOST; i++) {
        size_t n = 1 + pz_rng_u64(&rng) % (_i ? 40 : TEXT - 1);
        snprintf(all[i].id, sizeof all[i].id, "RID-%016llx",
                 (unsigned long long)pz_rng_u64(&rng));
        snprintf(all[i].group, sizeof all[i].group, "g%d", i % 3);
        all[i].text = malloc(n + 1);
        ck_assert_ptr_nonnull(all[i].text);
        memset(all[i].text, 'a' + i % 26, n);
        all[i].text[n] = '\0';
        pz_shown_add(s, all[i].group, all[i].id, all[i].text, n);
        ck_assert_str_eq(find(s, all[i].group, all[i].id), all[i].text);
    }
    for (int i = MOST; i-- > 0;) {
        const char *got = find(s, all[i].group, all[i].id);
        behind += strlen(all[i].text) + 32;
        if (got)
            ck_assert_str_eq(got, all[i].text);
        if (behind < bytes / 4)
            lost += !got;
        else if (behind > 2 * bytes + 16 * 2 * PZ_SHOWN_LIST)
            ck_assert_ptr_null(got);
        ck_assert_ptr_null(find(s, i % 3 ? "g0" : "g1", all[i].id));
        free(all[i].text);
    }
    ck_assert_uint_lt(lost, _i ? 60 : 1); // many short ones share places
    pz_shown_free(s);
}
END_TEST

/* A list that is too long ends with a whole item; one that is empty is none. */
START_TEST(lengths)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_shown *s;
    char *text = malloc(2 * PZ_SHOWN_LIST);
    ck_assert_ptr_nonnull(text);
    ck_ok(pz_shown_new(&s, 1, &err), err); // as little as there can be
    for (int i = 0; i < 2 * PZ_SHOWN_LIST; i++)
        text[i] = i % 7 ? 'x' : '|';
    pz_shown_add(s, "g", "long", text, 2 * PZ_SHOWN_LIST - 1);
    const char *got = find(s, "g", "long");
    ck_assert_ptr_nonnull(got);
    ck_assert_uint_le(strlen(got), PZ_SHOWN_LIST);
    ck_assert_uint_gt(strlen(got), PZ_SHOWN_LIST - 8);
    ck_assert_int_eq(text[strlen(got)], '|');
    pz_shown_add(s, "g", "none", "", 0);
    ck_assert_ptr_null(find(s, "g", "none"));
    memset(text, 'x', 2 * PZ_SHOWN_LIST);
    pz_shown_add(s, "g", "one", text, 2 * PZ_SHOWN_LIST - 1);
    ck_assert_ptr_null(find(s, "g", "one"));
    pz_shown_add(s, "g", "full", text, PZ_SHOWN_LIST);
    ck_assert_uint_eq(strlen(find(s, "g", "full")), PZ_SHOWN_LIST);
    pz_shown_free(s);
    free(text);
}
END_TEST

static void
end(void)
{
    pz_buf_release(&out);
}

Suite *
pz_suite(void)
{
    Suite *s = suite_create("shown");
    TCase *t = tcase_create("shown");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, NULL, end);
    tcase_add_loop_test(t, many, 0, 2);
    tcase_add_test(t, lengths);
    suite_add_tcase(s, t);
    return s;
}
