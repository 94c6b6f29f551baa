/*
 * made_events: interactions in the shape s20m: power laws of items and of users, three of
 * 64 tastes a user, some 132 events a user. Each item at most once a user.
 */
#ifndef PZ_BENCH_MADE_EVENTS_H
#define PZ_BENCH_MADE_EVENTS_H

#include <math.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/rng.h"
#include "recipe/recipe.h"

enum { CLUSTERS = 64, TRIES = 24, MAX_EVENTS = 3377 };

/* An item by Zipf-Mandelbrot popularity (exponent 2), moved to a cluster or not. */
static uint32_t
draw_item(struct pz_rng *rng, uint32_t n_items, int cluster)
{
    double q = n_items / 120.0, top = n_items / (n_items + q);
    double u = pz_rng_unit(rng) * top;
    uint32_t r = (uint32_t)(q * u / (1 - u));
    if (cluster >= 0)
        r = r / CLUSTERS * CLUSTERS + (uint32_t)cluster;
    return r < n_items ? r : n_items - 1;
}

static int
make_events(struct pz_events *e, uint32_t n_users, uint32_t n_items, struct pz_err *err)
{
    *e = (struct pz_events){.n_users = n_users, .n_items = n_items};
    uint32_t *stamp = NULL;
    if (pz_new(&e->offsets, (size_t)n_users + 1, sizeof *e->offsets, "events", err) ||
        pz_new(&e->item, (size_t)n_users * 200 + MAX_EVENTS, sizeof *e->item, "events",
               err) ||
        pz_new(&stamp, n_items, sizeof *stamp, "events", err))
        return err->status;
    for (uint32_t u = 0; u < n_users; u++) {
        struct pz_rng rng;
        pz_rng_seed(&rng, 20, u);
        int n = (int)(70 * exp(1.135 * pz_rng_normal(&rng)));
        n = n < 1 ? 1 : n > MAX_EVENTS ? MAX_EVENTS : n;
        int cluster[3];
        for (int c = 0; c < 3; c++)
            cluster[c] = (int)pz_rng_below(&rng, CLUSTERS);
        for (int k = 0; k < n && e->n < (uint64_t)n_users * 200; k++) {
            for (int tries = 0; tries < TRIES; tries++) {
                bool taste = pz_rng_unit(&rng) < 0.6;
                uint32_t i =
                    draw_item(&rng, n_items, taste ? cluster[pz_rng_below(&rng, 3)] : -1);
                if (stamp[i] == u + 1)
                    continue;
                stamp[i] = u + 1;
                e->item[e->n++] =
                    i * 7919u % n_items; // popularity has nothing to do with the number
                break;
            }
        }
        e->offsets[u + 1] = e->n;
    }
    free(stamp);
    return PZ_OK;
}

#endif
