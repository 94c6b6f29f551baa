#include "data/times.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/num.h"

static const struct {
    const char *name, *hint;
} units[] = {
    [PZ_TIME_S] = {"s", "is not a whole number of seconds since 1970"},
    [PZ_TIME_MS] = {"ms", "is not a whole number of milliseconds since 1970"},
    [PZ_TIME_US] = {"us", "is not a whole number of microseconds since 1970"},
    [PZ_TIME_ISO] = {"iso", "is not an ISO 8601 time such as 2026-11-22T05:04:03Z"},
    [PZ_TIME_FRACTION] = {"float", "is not a number of seconds since 1970"},
    [PZ_TIME_AUTO] = {"auto", "is neither an ISO 8601 time nor a number"},
    [PZ_TIME_DMY] = {"dmy", "is not a date such as 22.11.2026 05:04"},
    [PZ_TIME_MDY] = {"mdy", "is not a date such as 11/22/2026 5:04 AM"},
    [PZ_TIME_FORMAT] = {NULL, "does not have the form that --timestamp-unit tells"},
};

int
pz_times_parse(struct pz_times *t, const char *text, struct pz_err *err)
{
    *t = (struct pz_times){.unit = PZ_TIME_FORMAT, .format = text};
    if (strchr(text, '%'))
        return PZ_OK;
    t->format = NULL;
    for (size_t k = 0; units[k].name; k++)
        if (strcmp(text, units[k].name) == 0) {
            t->unit = (enum pz_time_unit)k;
            return PZ_OK;
        }
    return pz_err_set(
        err, PZ_USAGE,
        "--timestamp-unit '%s' is none of s, ms, us, iso, float, auto, dmy, "
        "mdy, nor a format such as '%%d.%%m.%%Y'",
        text);
}

static int64_t
floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* What a text is that is no time of the unit: which other unit reads it. */
static const char *
guess(const struct pz_times *t, const char *s, size_t n)
{
    int64_t out;
    bool dmy = t->unit != PZ_TIME_DMY && pz_date_parse(s, n, true, &out) == 0;
    bool mdy = t->unit != PZ_TIME_MDY && pz_date_parse(s, n, false, &out) == 0;
    if (t->unit != PZ_TIME_ISO && t->unit != PZ_TIME_AUTO &&
        pz_time_parse(s, n, &out) == 0)
        return "is an ISO 8601 time, not Unix seconds (--timestamp-unit iso reads it)";
    if (dmy && mdy)
        return "is a date: does the day stand first (--timestamp-unit dmy) or the month "
               "(--timestamp-unit mdy)?";
    if (dmy)
        return "is a date with the day first (--timestamp-unit dmy reads it)";
    if (mdy)
        return "is a date with the month first (--timestamp-unit mdy reads it)";
    if (t->unit >= PZ_TIME_ISO && t->unit != PZ_TIME_FRACTION &&
        t->unit != PZ_TIME_AUTO && pz_parse_i64(s, n, &out) == PZ_NUM_OK)
        return "is a number (--timestamp-unit auto reads it)";
    return units[t->unit].hint;
}

/* Numbers by their size. */
static int
read_auto(const char *s, size_t n, int64_t *out)
{
    static const int64_t per_second[] = {1, 1000, 1000000, 1000000000};
    double real;
    if (pz_parse_i64(s, n, out) == PZ_NUM_OK) {
        size_t k = 0; // beyond the limit in all of them: nanoseconds, of any size
        while (k < 3 && !pz_time_within(*out / per_second[k], PZ_TIME_LIMIT))
            k++;
        *out = floor_div(*out, per_second[k]);
        return pz_time_within(*out, PZ_TIME_LIMIT) ? PZ_OK : PZ_DATA;
    }
    if (pz_parse_f64(s, n, &real) == PZ_NUM_OK) {
        for (int k = 0; k < 3 && fabs(real) >= (double)PZ_TIME_LIMIT; k++)
            real /= 1000;
        if (fabs(real) >= (double)PZ_TIME_LIMIT)
            return PZ_DATA;
        *out = (int64_t)floor(real);
        return PZ_OK;
    }
    return pz_time_parse(s, n, out) == 0 ? PZ_OK : PZ_DATA;
}

static int
read_number(const struct pz_times *t, const char *s, size_t n, int64_t *out,
            const char **why)
{
    enum pz_num how = pz_parse_i64(s, n, out);
    *why = NULL;
    if (t->unit == PZ_TIME_S) {
        if (how == PZ_NUM_FRACTION)
            *why = "has a fraction: times are whole Unix seconds (--timestamp-unit float "
                   "cuts the fraction off)";
        else if (how)
            *why = guess(t, s, n);
        else if (!pz_time_within(*out, 1000 * PZ_TIME_LIMIT))
            *why = "is too large for seconds: microseconds? (--timestamp-unit us)";
        else if (!pz_time_within(*out, PZ_TIME_LIMIT))
            *why = "is too large for seconds: milliseconds? (--timestamp-unit ms)";
        return *why ? PZ_DATA : PZ_OK;
    }
    if (how) {
        *why = guess(t, s, n);
        return PZ_DATA;
    }
    *out = floor_div(*out, t->unit == PZ_TIME_MS ? 1000 : 1000000);
    if (!pz_time_within(*out, PZ_TIME_LIMIT))
        *why = "is out of range: beyond the year 5138";
    return *why ? PZ_DATA : PZ_OK;
}

int
pz_times_read(const struct pz_times *t, const char *s, size_t n, int64_t *out,
              const char **why)
{
    double real;
    bool good = false;
    switch (t->unit) {
    case PZ_TIME_S:
    case PZ_TIME_MS:
    case PZ_TIME_US:
        return read_number(t, s, n, out, why);
    case PZ_TIME_ISO:
        good = pz_time_parse(s, n, out) == 0;
        break;
    case PZ_TIME_FRACTION:
        good =
            pz_parse_f64(s, n, &real) == PZ_NUM_OK && fabs(real) < (double)PZ_TIME_LIMIT;
        if (good)
            *out = (int64_t)floor(real);
        break;
    case PZ_TIME_AUTO:
        good = read_auto(s, n, out) == PZ_OK;
        break;
    case PZ_TIME_DMY:
    case PZ_TIME_MDY:
        good = pz_date_parse(s, n, t->unit == PZ_TIME_DMY, out) == 0;
        break;
    case PZ_TIME_FORMAT:
        good = pz_time_by_format(t->format, s, n, out) == 0;
        break;
    }
    if (!good)
        *why = guess(t, s, n);
    else if (!pz_time_within(*out, PZ_TIME_LIMIT))
        *why = "is out of range: beyond the year 5138";
    else
        return PZ_OK;
    return PZ_DATA;
}
