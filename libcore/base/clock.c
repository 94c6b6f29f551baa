#include "base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/num.h"

int64_t
pz_now(void)
{
    const char *fixed = getenv("PZ_NOW");
    int64_t t;
    if (fixed && pz_parse_i64(fixed, strlen(fixed), &t) == PZ_NUM_OK)
        return t;
    return (int64_t)time(NULL);
}

double
pz_seconds_wall(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}

double
pz_seconds_cpu(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (double)ts.tv_sec + 1e-9 * (double)ts.tv_nsec;
}

/* Days since 1970-01-01 of a proleptic Gregorian date, by 400-year eras (era starts in
 * March). */
static int64_t
days_from_date(int64_t y, int m, int d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

void
pz_time_text(char out[PZ_TIME_TEXT], int64_t t)
{
    int64_t days = t / 86400, s = t % 86400;
    if (s < 0) {
        s += 86400;
        days--;
    }
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    int d = (int)(doy - (153 * mp + 2) / 5 + 1), m = (int)(mp < 10 ? mp + 3 : mp - 9);
    int64_t y = yoe + era * 400 + (m <= 2);
    snprintf(out, PZ_TIME_TEXT, "%04lld-%02d-%02dT%02d:%02d:%02dZ", (long long)y, m, d,
             (int)(s / 3600), (int)(s / 60 % 60), (int)(s % 60));
}

/* Reads exactly `width` digits at *s, moving it; -1 when they are not there. */
static int
digits(const char **s, const char *end, int width)
{
    int v = 0;
    for (int i = 0; i < width; i++, (*s)++) {
        if (*s >= end || **s < '0' || **s > '9')
            return -1;
        v = v * 10 + (**s - '0');
    }
    return v;
}

/* The same for one digit up to `most`. */
static int
number(const char **s, const char *end, int most)
{
    int v = 0, n = 0;
    for (; n < most && *s < end && **s >= '0' && **s <= '9'; n++, (*s)++)
        v = v * 10 + (**s - '0');
    return n ? v : -1;
}

static int
parse_zone(const char *s, const char *end, int *minutes)
{
    *minutes = 0;
    if (end - s > 1 && *s == ' ')
        s++;
    size_t n = (size_t)(end - s);
    if (n == 0 || (n == 1 && (*s == 'Z' || *s == 'z')) ||
        (n == 3 && (!strncasecmp(s, "UTC", 3) || !strncasecmp(s, "GMT", 3))))
        return 0;
    if (*s != '+' && *s != '-')
        return -1;
    int sign = *s++ == '-' ? -1 : 1;
    int h = digits(&s, end, 2), m = 0;
    if (s < end && *s == ':')
        s++;
    if (s < end)
        m = digits(&s, end, 2);
    if (h < 0 || h > 23 || m < 0 || m > 59 || s != end)
        return -1;
    *minutes = sign * (h * 60 + m);
    return 0;
}

/* " PM" and the like, which moves the hour; blanks are those that programs put there. */
static int
parse_half(const char **s, const char *end, int *hour)
{
    static const char *const blank[] = {" ", "\xc2\xa0", "\xe2\x80\xaf", ""};
    for (size_t k = 0; k < sizeof blank / sizeof *blank; k++) {
        size_t n = strlen(blank[k]);
        const char *p = *s + n;
        if ((size_t)(end - *s) < n + 2 || memcmp(*s, blank[k], n) != 0 ||
            (p[1] != 'M' && p[1] != 'm'))
            continue;
        bool after = *p == 'P' || *p == 'p';
        if ((!after && *p != 'A' && *p != 'a') || *hour < 1 || *hour > 12)
            return -1;
        *hour = *hour % 12 + 12 * after;
        *s = p + 2;
        return 0;
    }
    return 0;
}

/* HH:MM[:SS[.frac]][zone] up to the end, as seconds; loose: H may have one digit, and AM
 * or PM may follow. */
static int
parse_clock(const char *s, const char *end, bool loose, int64_t *seconds)
{
    int h = loose ? number(&s, end, 2) : digits(&s, end, 2), sec = 0, zone;
    if (h < 0 || h > 23 || s >= end || *s++ != ':')
        return -1;
    int min = digits(&s, end, 2);
    if (min < 0 || min > 59)
        return -1;
    if (s < end && *s == ':') {
        s++;
        sec = digits(&s, end, 2);
        if (sec < 0 || sec > 60)
            return -1;
        if (s < end && (*s == '.' || *s == ','))
            for (s++; s < end && *s >= '0' && *s <= '9'; s++)
                ;
    }
    if ((loose && parse_half(&s, end, &h)) || parse_zone(s, end, &zone))
        return -1;
    *seconds = h * 3600 + min * 60 + sec - zone * 60;
    return 0;
}

static bool
is_date(int y, int m, int d)
{
    static const int month_days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    return y >= 0 && m >= 1 && m <= 12 && d >= 1 && d <= month_days[m - 1] &&
           !(m == 2 && d == 29 && !leap);
}

int
pz_time_parse(const char *s, size_t n, int64_t *out)
{
    const char *end = s + n;
    int64_t seconds = 0;
    int y = digits(&s, end, 4);
    if (y < 0 || s >= end || (*s != '-' && *s != '/'))
        return -1;
    char between = *s++;
    int m = digits(&s, end, 2);
    if (m < 0 || s >= end || *s++ != between)
        return -1;
    int d = digits(&s, end, 2);
    if (!is_date(y, m, d))
        return -1;
    if (s < end) {
        if (*s != 'T' && *s != 't' && *s != ' ')
            return -1;
        if (parse_clock(s + 1, end, false, &seconds))
            return -1;
    }
    *out = days_from_date(y, m, d) * 86400 + seconds;
    return 0;
}

int
pz_date_parse(const char *s, size_t n, bool day_first, int64_t *out)
{
    const char *end = s + n;
    int64_t seconds = 0;
    int first = number(&s, end, 2);
    if (first < 0 || s >= end || (*s != '.' && *s != '/' && *s != '-'))
        return -1;
    char between = *s++;
    int second = number(&s, end, 2);
    if (second < 0 || s >= end || *s++ != between)
        return -1;
    const char *year = s;
    int y = number(&s, end, 4);
    if (s - year == 2)
        y += y < 69 ? 2000 : 1900;
    else if (s - year != 4)
        return -1;
    int d = day_first ? first : second, m = day_first ? second : first;
    if (!is_date(y, m, d))
        return -1;
    if (s < end) {
        bool comma = *s == ',';
        s += comma;
        if (s >= end || (*s != ' ' && (comma || (*s != 'T' && *s != 't'))))
            return -1;
        if (parse_clock(s + 1, end, true, &seconds))
            return -1;
    }
    *out = days_from_date(y, m, d) * 86400 + seconds;
    return 0;
}

int
pz_time_by_format(const char *format, const char *s, size_t n, int64_t *out)
{
    struct tm tm = {.tm_year = 70, .tm_mday = 1};
    char text[128];
    if (n >= sizeof text || memchr(s, 0, n))
        return -1;
    memcpy(text, s, n);
    text[n] = 0;
    const char *end = strptime(text, format, &tm);
    if (!end || *end)
        return -1;
    long zone = tm.tm_gmtoff;
    int day = tm.tm_mday, month = tm.tm_mon, leap = tm.tm_sec > 59;
    tm.tm_sec -= leap;
    *out = (int64_t)timegm(&tm) - zone + leap;
    return tm.tm_mday == day && tm.tm_mon == month ? 0 : -1; // else it has no such day
}
