/* Which Host and Origin a request may have where nothing is signed. */
#include <check.h>

#include "serve/origin.h"
#include "unit.h"

static const struct {
    const char *host;
    bool own;
} hosts[] = {
    {"localhost", true},
    {"LocalHost:8750", true},
    {"shop.localhost:1", true},
    {"127.0.0.1", true},
    {"127.0.0.1:8750", true},
    {"127.9.8.7:80", true},
    {"[::1]", true},
    {"[::1]:8750", true},
    {NULL, false},
    {"", false},
    {":8750", false},
    {"example.com", false},
    {"example.com:8750", false},
    {"notlocalhost", false},
    {"localhost.example.com", false},
    {"localhost:80:80", false},
    {"localhost:8x", false},
    {"127.0.0.1.example.com", false},
    {"127.0.0.1x", false},
    {"127.1", false},
    {"0127.0.0.1", false},
    {"2130706433", false},
    {"128.0.0.1", false},
    {"0.0.0.0", false},
    {"10.0.0.1:8750", false},
    {"[::1].example.com", false},
    {"[::1", false},
    {"[::2]:8750", false},
    {"[::ffff:127.0.0.1]", false},
};

START_TEST(host_is_own)
{
    ck_assert_msg(pz_host_is_own(hosts[_i].host) == hosts[_i].own, "%s",
                  hosts[_i].host ? hosts[_i].host : "none");
}
END_TEST

static const struct {
    const char *host, *origin;
    bool page, may;
} cases[] = {
    // Programs send no Origin; what name they use is theirs.
    {"example.com", NULL, false, true},
    {"localhost:8750", NULL, false, true},
    // The page under its own name.
    {"localhost:8750", NULL, true, true},
    {"localhost:8750", "http://localhost:8750", true, true},
    {"LOCALHOST:8750", "http://localhost:8750", false, true},
    {"127.0.0.1:8750", "http://127.0.0.1:8750", false, true},
    {"[::1]:8750", "http://[::1]:8750", true, true},
    // Another site, port, scheme or name.
    {"127.0.0.1:8750", "http://example.com", false, false},
    {"127.0.0.1:8750", "http://127.0.0.1:8751", false, false},
    {"127.0.0.1:8750", "http://127.0.0.1:87500", false, false},
    {"127.0.0.1:8750", "http://127.0.0.1", false, false},
    {"127.0.0.1:8750", "https://127.0.0.1:8750", false, false},
    {"127.0.0.1:8750", "http://localhost:8750", false, false},
    {"127.0.0.1:8750", "null", false, false},
    {"127.0.0.1:8750", "", false, false},
    {"127.0.0.1:8750", "127.0.0.1:8750", true, false},
    // A name that its owner lets point here.
    {"evil.example:8750", "http://evil.example:8750", false, false},
    {"evil.example:8750", "http://evil.example:8750", true, false},
    {"evil.example:8750", NULL, true, false},
};

START_TEST(verdicts)
{
    const char *why = pz_origin_verdict(cases[_i].host, cases[_i].origin, cases[_i].page);
    ck_assert_msg(!why == cases[_i].may, "%s %s: %s", cases[_i].host,
                  cases[_i].origin ? cases[_i].origin : "-", why ? why : "may");
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("origin");
    TCase *t = tcase_create("origin");
    tcase_add_loop_test(t, host_is_own, 0, sizeof hosts / sizeof *hosts);
    tcase_add_loop_test(t, verdicts, 0, sizeof cases / sizeof *cases);
    suite_add_tcase(s, t);
    return s;
}
