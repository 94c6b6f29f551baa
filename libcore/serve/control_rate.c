/* minProvisionedTPS: a promise that is measured before it is made. */
#include <stdlib.h>

#include "infer/infer.h"
#include "infer/locate.h"
#include "infer/measure.h"
#include "serve/control.h"
#include "serve/server.h"

#define MEASURE_SECONDS 0.2

/* What all threads answer together from the version, HTTP left aside; negative: there is
 * nothing to measure. */
static bool
measure(struct pz_desk_call *d, const char *name, double *rate)
{
    struct pz_model m;
    char *path;
    *rate = -1;
    if (pz_locate_model(&path, d->group, name, &d->err)) {
        if (d->err.status != PZ_USAGE)
            return false;
        d->err = (struct pz_err)PZ_ERR_INIT; // no version yet: nothing to measure
        return true;
    }
    if (!pz_model_open(&m, path, &d->err)) {
        if (!pz_model_answers_users(&m)) // in batches only
            pz_measure_rate(&m, MEASURE_SECONDS, d->call->server->o.seed, rate, &d->err);
        *rate *= d->call->server->o.threads;
        pz_model_close(&m);
    }
    free(path);
    return !d->err.status;
}

bool
pz_desk_rate_fits(struct pz_desk_call *d, const char *solution, const char *version)
{
    int64_t least = 1;
    double rate = 0;
    pz_body_i64(d->call->body, "minProvisionedTPS", &least);
    if (least <= 1) // who asks for no more is not kept waiting
        return true;
    const char *name = pz_desk_text(d, version ? "%s/%s" : "%s", solution, version);
    if (!name || !measure(d, name, &rate))
        return pz_desk_lost(d);
    if (rate < 0 || rate >= (double)least)
        return true;
    pz_api_fail(
        d->call, PZ_FAULT_LIMIT,
        "minProvisionedTPS %lld: this server answers at most %.0f requests a second "
        "from solution version %s",
        (long long)least, rate, name);
    return false;
}
