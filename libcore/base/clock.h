/*
 * clock: time, in one place so that tests can set it.
 * PZ_NOW (Unix seconds) in the environment, if it is a number, is the current time.
 */
#ifndef PZ_BASE_CLOCK_H
#define PZ_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

int64_t pz_now(void);         // Unix seconds
double pz_seconds_wall(void); // monotonic
double pz_seconds_cpu(void);  // user + system of this process

#define PZ_TIME_TEXT 48
/* "2026-11-22T05:04:03Z"; any int64. */
void pz_time_text(char out[PZ_TIME_TEXT], int64_t t);
/* Inverse of ISO 8601 forms "YYYY-MM-DD[T or space]HH:MM[:SS[.frac]][zone]" and
 * "YYYY-MM-DD", also with '/' in the date; 0 on success, -1 when it is none. The zone is
 * Z, UTC, GMT, +hh, +hhmm or +hh:mm (or -), a space may stand before it; without one:
 * UTC. Fractions are cut. */
int pz_time_parse(const char *s, size_t n, int64_t *out);
/* The same for dates as people write them: day, month and year (month first unless
 * day_first) between dots, slashes or hyphens, of one or two digits, the year of two (69
 * is 1969, 68 is 2068) or four; then, behind a space, a comma and a space, or a T,
 * perhaps the time, H:MM[:SS[.frac]][ AM| PM][zone]. */
int pz_date_parse(const char *s, size_t n, bool day_first, int64_t *out);
/* The same by strptime(3)'s format, in English; without a zone: UTC. */
int pz_time_by_format(const char *format, const char *s, size_t n, int64_t *out);

#endif
