/* What a unit test file gives to main.c: its suite. */
#ifndef PZ_TESTS_UNIT_H
#define PZ_TESTS_UNIT_H

#include <check.h>

Suite *pz_suite(void);

/* Asserts that a pz call succeeded, showing its message when not. */
#define ck_ok(call, err) ck_assert_msg((call) == 0, "%s", (err).msg)

#endif
