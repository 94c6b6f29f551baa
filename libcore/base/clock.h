/*
 * clock: time, in one place so that tests can set it.
 * PZ_NOW (Unix seconds) in the environment, if it is a number, is the current time.
 */
#ifndef PZ_BASE_CLOCK_H
#define PZ_BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

int64_t pz_now(void);         // Unix seconds
double pz_seconds_wall(void); // monotonic
double pz_seconds_cpu(void);  // user + system of this process

#define PZ_TIME_TEXT 48
/* "2026-11-22T05:04:03Z"; any int64. */
void pz_time_text(char out[PZ_TIME_TEXT], int64_t t);
/* Inverse of ISO 8601 forms "YYYY-MM-DD[T or space]HH:MM[:SS[.frac]][Z|+hh:mm|-hh:mm]"
 * and "YYYY-MM-DD"; 0 on success, -1 when it is none. Without zone: UTC. Fractions are
 * cut. */
int pz_time_parse(const char *s, size_t n, int64_t *out);

#endif
