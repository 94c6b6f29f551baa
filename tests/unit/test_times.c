/* Times as people and programs write them. The seconds are what GNU date -u makes of the
 * same moment. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "data/times.h"
#include "unit.h"

static const struct {
    const char *unit, *text;
    int64_t want; // INT64_MIN: refused
    const char *why;
} cases[] = {
    {"s", "1709296200", 1709296200, NULL},
    {"s", "1709296200123", INT64_MIN, "milliseconds? (--timestamp-unit ms)"},
    {"s", "2024-03-01", INT64_MIN, "--timestamp-unit iso"},
    {"s", "18.04.2024", INT64_MIN, "day first (--timestamp-unit dmy"},
    {"s", "04/18/2024 8:43 PM", INT64_MIN, "month first (--timestamp-unit mdy"},
    {"s", "01/03/2024", INT64_MIN, "(--timestamp-unit dmy) or the month"},
    {"s", "yesterday", INT64_MIN, "whole number of seconds"},
    {"ms", "-1", -1, NULL},
    {"ms", "2024-03-01", INT64_MIN, "--timestamp-unit iso"},
    {"iso", "2024-03-01 12:30:00 +0100", 1709292600, NULL},
    {"iso", "2024-03-01 12:30:00 UTC", 1709296200, NULL},
    {"iso", "2024-03-01 12:30:00.123+00", 1709296200, NULL},
    {"iso", "2024/03/01 12:30", 1709296200, NULL},
    {"iso", "2024/03-01", INT64_MIN, "ISO 8601"},
    {"iso", "2024-03-01 12:30:00 CET", INT64_MIN, "ISO 8601"},
    {"iso", "2024-03-01 12:30 PM", INT64_MIN, "ISO 8601"},
    {"iso", "1709296200", INT64_MIN, "(--timestamp-unit auto"},
    {"iso", "31.12.2023", INT64_MIN, "(--timestamp-unit dmy"},
    {"iso", "5138-11-16T09:46:39Z", 99999999999, NULL},
    {"iso", "5138-11-16T09:46:40Z", INT64_MIN, "beyond the year 5138"},
    {"iso", "9999-12-31", INT64_MIN, "beyond the year 5138"},
    {"auto", "9999-12-31", INT64_MIN, "beyond the year 5138"},
    {"dmy", "31.12.9999", INT64_MIN, "beyond the year 5138"},
    {"%s", "99999999999999", INT64_MIN, "beyond the year 5138"},
    {"auto", "1709296200", 1709296200, NULL},
    {"auto", "1709296200123", 1709296200, NULL},
    {"auto", "1709296200123456", 1709296200, NULL},
    {"auto", "1709296200123456789", 1709296200, NULL},
    {"auto", "-1709296200123", -1709296201, NULL},
    {"auto", "9223372036854775807", 9223372036, NULL},
    {"auto", "-9223372036854775808", -9223372037, NULL},
    {"auto", "1709296200.75", 1709296200, NULL},
    {"auto", "1.709296200123e12", 1709296200, NULL},
    {"auto", "2024-03-01T12:30:00.5-02:00", 1709303400, NULL},
    {"auto", "01/03/2024", INT64_MIN, "does the day stand first"},
    {"auto", "", INT64_MIN, "neither"},
    {"dmy", "01.03.2024 12:30", 1709296200, NULL},
    {"dmy", "1.3.24 12:30", 1709296200, NULL},
    {"dmy", "01/03/2024, 12:30:00", 1709296200, NULL},
    {"dmy", "01-03-2024T12:30:00+01:00", 1709292600, NULL},
    {"dmy", "01/03/69", -26438400, NULL},
    {"dmy", "29.02.2023", INT64_MIN, "date such as 22.11.2026"},
    {"dmy", "01.03/2024", INT64_MIN, "date such as"},
    {"dmy", "01.03.024", INT64_MIN, "date such as"},
    {"dmy", "01.03.2024,12:30", INT64_MIN, "date such as"},
    {"dmy", "04/18/2024", INT64_MIN, "--timestamp-unit mdy"},
    {"dmy", "2024-03-01", INT64_MIN, "--timestamp-unit iso"},
    {"mdy", "03/01/2024 12:30 PM", 1709296200, NULL},
    {"mdy", "3/1/2024 12:30 AM", 1709253000, NULL},
    {"mdy", "3/1/2024 1:30:05pm", 1709299805, NULL},
    {"mdy", "3/1/2024 1:30\xe2\x80\xafPM", 1709299800, NULL},
    {"mdy", "3/1/2024 13:30 PM", INT64_MIN, "date such as 11/22/2026"},
    {"mdy", "3/1/2024 0:30 AM", INT64_MIN, "date such as 11/22/2026"},
    {"mdy", "3/1/2024 1:30 XM", INT64_MIN, "date such as 11/22/2026"},
    {"%d/%b/%Y:%H:%M:%S %z", "01/Mar/2024:12:30:00 +0100", 1709292600, NULL},
    {"%Y%m%d", "20240301", 1709251200, NULL},
    {"%d.%m.%Y", "29.02.2024", 1709164800, NULL},
    {"%d.%m.%Y", "29.02.2023", INT64_MIN, "form that --timestamp-unit tells"},
    {"%Y-%m-%d %H:%M:%S", "2016-12-31 23:59:60", 1483228800, NULL},
    {"%Y %j", "2024 060", 1709164800, NULL},
    {"%Y%m%d", "20240301x", INT64_MIN, "form that --timestamp-unit tells"},
    {"%Y%m%d", "2024-03-01", INT64_MIN, "--timestamp-unit iso"},
};

START_TEST(test_case)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_times t;
    const char *text = cases[_i].text, *why = NULL;
    int64_t got;
    ck_ok(pz_times_parse(&t, cases[_i].unit, &err), err);
    int r = pz_times_read(&t, text, strlen(text), &got, &why);
    if (cases[_i].want == INT64_MIN) {
        ck_assert_int_eq(r, PZ_DATA);
        ck_assert_msg(strstr(why, cases[_i].why) != NULL, "%s: %s", text, why);
        return;
    }
    ck_assert_msg(r == PZ_OK, "%s: %s", text, why ? why : "");
    ck_assert_int_eq(got, cases[_i].want);
}
END_TEST

/* Every day of 130 years, in three spellings. */
START_TEST(test_days)
{
    for (int64_t t = -INT64_C(2208988800); t < INT64_C(1893456000); t += 86400) {
        char iso[PZ_TIME_TEXT], dmy[32], mdy[32];
        int64_t a, b, c;
        pz_time_text(iso, t);
        snprintf(dmy, sizeof dmy, "%.2s.%.2s.%.4s", iso + 8, iso + 5, iso);
        snprintf(mdy, sizeof mdy, "%d/%d/%.4s", atoi(iso + 5), atoi(iso + 8), iso);
        ck_assert_int_eq(pz_time_parse(iso, strlen(iso), &a), 0);
        ck_assert_int_eq(pz_date_parse(dmy, strlen(dmy), true, &b), 0);
        ck_assert_int_eq(pz_date_parse(mdy, strlen(mdy), false, &c), 0);
        ck_assert(a == t && b == t && c == t);
    }
}
END_TEST

/* Prefixes and single wrong bytes are refused or read, and never read beyond the end. */
START_TEST(test_ends)
{
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        size_t n = strlen(cases[k].text);
        for (size_t len = 0; len <= n; len++) {
            char *text = malloc(len ? len : 1);
            int64_t out;
            memcpy(text, cases[k].text, len);
            for (int unit = PZ_TIME_S; unit < PZ_TIME_FORMAT; unit++) {
                struct pz_times t = {.unit = (enum pz_time_unit)unit};
                const char *why = NULL;
                if (pz_times_read(&t, text, len, &out, &why))
                    ck_assert_ptr_nonnull(why);
            }
            free(text);
        }
    }
}
END_TEST

START_TEST(test_unit)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_times t;
    ck_assert_int_eq(pz_times_parse(&t, "sec", &err), PZ_USAGE);
    ck_assert_ptr_nonnull(strstr(err.msg, "s, ms, us, iso, float, auto, dmy, mdy"));
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("times");
    TCase *t = tcase_create("times");
    tcase_add_loop_test(t, test_case, 0, sizeof cases / sizeof *cases);
    tcase_add_test(t, test_days);
    tcase_add_test(t, test_ends);
    tcase_add_test(t, test_unit);
    suite_add_tcase(s, t);
    return s;
}
