#include "recipe/intensity.h"

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/order.h"

enum {
    ALL,
    OWN,
    LAST,      // the first of those over the last days
    SHARE = 5, // the newest 1/SHARE of the events is what the rest must foretell
    ROUNDS = 300,
};
#define DAY  86400.0
#define HOUR 3600

/* The terms of a user's rate at `end` from the events before it. */
static void
terms_of(double term[PZ_INTENSITY_TERMS], const struct pz_intensity *in,
         const struct pz_events *e, uint32_t u, int64_t end, double mean)
{
    double n = 0;
    for (int k = 0; k < PZ_INTENSITY_TERMS; k++)
        term[k] = 0;
    for (uint64_t i = e->offsets[u]; i < e->offsets[u + 1]; i++) {
        if (e->time[i] > end)
            break;
        double days = (double)(end - e->time[i]) / DAY;
        n++;
        for (int k = LAST; k < PZ_INTENSITY_TERMS; k++)
            term[k] += exp(-days / in->days[k]) / in->days[k];
    }
    term[ALL] = n > 0 ? mean : 0;
    term[OWN] = n / in->span;
}

/* The time behind which the newest SHARE-th of the events lies, and first and last. */
static int
find_times(const struct pz_events *e, int64_t *first, int64_t *cut, int64_t *last,
           struct pz_err *err)
{
    int64_t *time;
    if (pz_new(&time, e->n, sizeof *time, "times", err))
        return err->status;
    for (uint64_t i = 0; i < e->n; i++)
        time[i] = e->time[i];
    qsort(time, e->n, sizeof *time, pz_order_i64);
    *first = e->n ? time[0] : 0;
    *last = e->n ? time[e->n - 1] : 0;
    *cut = e->n ? time[e->n - 1 - e->n / SHARE] : 0;
    if (*cut >= *last) // many at the very end
        *cut = *last - 1;
    free(time);
    return PZ_OK;
}

static void
set_days(struct pz_intensity *in, double span)
{
    in->span = span > 1 ? span : 1;
    for (int k = LAST; k < PZ_INTENSITY_TERMS; k++) // span/4, /16, /64
        in->days[k] = fmax(in->span / pow(4, k - LAST + 1), 1.0 / 24);
}

/* One round of expectation maximisation: each user's later events are shared out over
 * the terms as these foretold them. */
static void
improve(double share[PZ_INTENSITY_TERMS], const double (*term)[PZ_INTENSITY_TERMS],
        const double *seen, size_t n, double days)
{
    double credit[PZ_INTENSITY_TERMS] = {0}, mass[PZ_INTENSITY_TERMS] = {0};
    for (size_t v = 0; v < n; v++) {
        double rate = 0;
        for (int k = 0; k < PZ_INTENSITY_TERMS; k++) {
            rate += share[k] * term[v][k];
            mass[k] += term[v][k] * days;
        }
        for (int k = 0; k < PZ_INTENSITY_TERMS && rate > 0; k++)
            credit[k] += seen[v] * share[k] * term[v][k] / rate;
    }
    for (int k = 0; k < PZ_INTENSITY_TERMS; k++)
        share[k] = mass[k] > 0 ? credit[k] / mass[k] : 0;
}

static int
fit_shares(struct pz_intensity *in, const struct pz_events *e, int64_t first, int64_t cut,
           struct pz_err *err)
{
    static const char what[] = "rates";
    double(*term)[PZ_INTENSITY_TERMS] = NULL, *seen = NULL;
    struct pz_intensity then = *in;
    size_t n = 0, n_before = 0, n_users = 0;
    set_days(&then, (double)(cut - first) / DAY);
    if (pz_new(&term, e->n_users, sizeof *term, what, err) ||
        pz_new(&seen, e->n_users, sizeof *seen, what, err))
        goto done;
    for (uint32_t u = 0; u < e->n_users; u++) {
        uint64_t i = e->offsets[u];
        while (i < e->offsets[u + 1] && e->time[i] <= cut)
            i++;
        n_before += i - e->offsets[u];
        n_users += i > e->offsets[u];
    }
    double mean = n_users ? (double)n_before / (double)n_users / then.span : 0;
    for (uint32_t u = 0; u < e->n_users; u++) {
        if (e->offsets[u] == e->offsets[u + 1] || e->time[e->offsets[u]] > cut)
            continue; // nothing was known of them then
        terms_of(term[n], &then, e, u, cut, mean);
        for (uint64_t i = e->offsets[u]; i < e->offsets[u + 1]; i++)
            seen[n] += e->time[i] > cut;
        n++;
    }
    double days = (double)(in->end - cut) / DAY;
    for (int k = 0; k < PZ_INTENSITY_TERMS; k++)
        in->share[k] = 1.0 / PZ_INTENSITY_TERMS;
    for (int round = 0; round < ROUNDS; round++)
        improve(in->share, (const double(*)[PZ_INTENSITY_TERMS])term, seen, n, days);
    double sum = 0;
    for (int k = 0; k < PZ_INTENSITY_TERMS; k++)
        sum += in->share[k];
    if (!(sum > 0)) // nobody came back
        in->share[ALL] = 1;
done:
    free(term);
    free(seen);
    return err->status;
}

int
pz_intensity_fit(struct pz_intensity *out, const struct pz_events *e,
                 enum pz_intensity_kind kind, struct pz_err *err)
{
    int64_t first = 0, cut = 0, last = 0;
    *out = (struct pz_intensity){.span = 1};
    if (find_times(e, &first, &cut, &last, err))
        return err->status;
    double span = (double)(last - first) / DAY;
    cut = cut < first ? first : cut;
    out->end = last;
    set_days(out, span < 1 ? PZ_INTENSITY_DAYS : span);
    if (kind == PZ_INTENSITY_FIT && span >= 1 && last - cut >= HOUR)
        return fit_shares(out, e, first, cut, err);
    out->share[kind == PZ_INTENSITY_EVEN ? ALL : OWN] = 1;
    return PZ_OK;
}

int
pz_intensity_users(float **rate, const struct pz_intensity *in, const struct pz_events *e,
                   struct pz_err *err)
{
    uint32_t n_users = 0;
    double term[PZ_INTENSITY_TERMS];
    if (pz_new(rate, e->n_users, sizeof **rate, "rates", err))
        return err->status;
    for (uint32_t u = 0; u < e->n_users; u++)
        n_users += e->offsets[u] < e->offsets[u + 1];
    double mean = n_users ? (double)e->n / n_users / in->span : 0;
    for (uint32_t u = 0; u < e->n_users; u++) {
        double sum = 0;
        terms_of(term, in, e, u, in->end, mean);
        for (int k = 0; k < PZ_INTENSITY_TERMS; k++)
            sum += in->share[k] * term[k];
        (*rate)[u] = (float)sum;
    }
    return PZ_OK;
}
