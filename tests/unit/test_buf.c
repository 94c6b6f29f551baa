/* Buffers: what fits a ceiling exactly, what does not, and what is told of it. */
#include <string.h>

#include "base/buf.h"
#include "unit.h"

enum { MAX = 1000 };

/* One addition of n bytes behind `before` others, as bytes or formatted. */
static bool
fits(size_t before, size_t n, bool formatted)
{
    static char text[2 * MAX];
    struct pz_buf b = {.max = MAX};
    struct pz_err err = PZ_ERR_INIT;
    memset(text, 'x', sizeof text);
    pz_buf_add(&b, text, before);
    if (formatted)
        pz_buf_addf(&b, "%.*s", (int)n, text);
    else
        pz_buf_add(&b, text, n);
    int status = pz_buf_status(&b, "it", &err);
    bool fit = status == PZ_OK;
    ck_assert_uint_eq(b.len, fit ? before + n : before);
    ck_assert(b.len == 0 || (b.data[b.len - 1] == 'x' && b.data[b.len] == 0));
    if (!fit) {
        ck_assert_int_eq(status, PZ_DATA);
        ck_assert_str_eq(err.msg, "it is longer than 1000 bytes");
    }
    pz_buf_addc(&b, 'y'); // dropped too, though there would be room
    ck_assert_uint_eq(b.len, fit && before + n < MAX ? before + n + 1 : b.len);
    pz_buf_clear(&b);
    ck_assert_int_eq(pz_buf_status(&b, "it", &err), PZ_OK);
    pz_buf_release(&b);
    return fit;
}

START_TEST(ceiling)
{
    bool formatted = _i;
    for (size_t before = 0; before <= MAX; before += 25) {
        ck_assert(fits(before, MAX - before, formatted));
        ck_assert(!fits(before, MAX - before + 1, formatted));
    }
    ck_assert(!fits(0, 2 * MAX - 1, formatted));
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("buf");
    TCase *t = tcase_create("buf");
    tcase_add_loop_test(t, ceiling, 0, 2);
    suite_add_tcase(s, t);
    return s;
}
