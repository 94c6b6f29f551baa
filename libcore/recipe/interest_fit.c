#include "recipe/interest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "math/kernels.h"
#include "recipe/events.h"

enum {
    SHARE = 5, // of a user's events the newest n/SHARE, at least one, are unknown
    MOST_TARGETS = 60000,
    MOST_PAIRS = 20000, // (user, item of the history) that `again` is expected from
    ROUNDS = 100,
    // Events of a user that are read for all targets of the user: one with a history of
    // thousands is asked about less, and does not decide for all.
    MOST_READ = 4000000,
};
static const char what[] = "a sample of events";

struct target {
    uint32_t user, item;
    bool had;
    float part[PZ_INTEREST_PARTS];
};

struct fit {
    const struct pz_events *all; // with the unknown events
    struct pz_events known;
    struct pz_interest x;
    struct pz_interest_ask ask;
    struct target *target; // by item, then user
    size_t n;
};

static uint64_t
n_unknown(const struct pz_events *e, uint32_t u)
{
    uint64_t n = e->offsets[u + 1] - e->offsets[u];
    return n < 2 ? 0 : n / SHARE ? n / SHARE : 1;
}

static uint64_t
n_known(const void *ctx, const struct pz_events *e, uint32_t u)
{
    (void)ctx;
    return e->offsets[u + 1] - e->offsets[u] - n_unknown(e, u);
}

/* How many of these are targets. */
static uint64_t
n_asked(const struct pz_events *e, uint32_t u)
{
    uint64_t unknown = n_unknown(e, u), known = n_known(NULL, e, u);
    return unknown * known <= MOST_READ ? unknown : MOST_READ / known + 1;
}

static int
by_item(const void *a, const void *b)
{
    const struct target *x = a, *y = b;
    if (x->item != y->item)
        return x->item > y->item ? 1 : -1;
    return (x->user > y->user) - (x->user < y->user);
}

/* Unknown events of users drawn by seed, whole users at a time. */
static int
choose_targets(struct fit *f, uint64_t seed, struct pz_err *err)
{
    const struct pz_events *e = f->all;
    uint64_t n = 0, salt = pz_mix64(seed + 0x5e9);
    for (uint32_t u = 0; u < e->n_users; u++)
        n += n_asked(e, u);
    if (pz_new(&f->target, n < MOST_TARGETS ? n : MOST_TARGETS, sizeof *f->target, what,
               err))
        return err->status;
    double share = n > MOST_TARGETS ? (double)MOST_TARGETS / (double)n : 2;
    for (uint32_t u = 0; u < e->n_users; u++) {
        double draw = pz_unit(pz_mix64(salt ^ pz_mix64(u)));
        if (draw >= share)
            continue;
        uint64_t all = n_unknown(e, u), asked = n_asked(e, u);
        for (uint64_t k = 0; k < asked && f->n < MOST_TARGETS; k++) {
            uint64_t i = e->offsets[u + 1] - all + k * all / asked; // evenly
            f->target[f->n++] = (struct target){.user = u, .item = e->item[i]};
        }
    }
    qsort(f->target, f->n, sizeof *f->target, by_item);
    return PZ_OK;
}

/* All parts of p(item|u), the item being the one that is asked about. */
static int
parts_of(struct fit *f, uint32_t u, double part[PZ_INTEREST_PARTS], bool *had,
         struct pz_err *err)
{
    const struct pz_interest *x = &f->x;
    if (pz_interest_of(&f->ask, u, part, had, err))
        return err->status;
    float dot = pz_kernels()->dot(x->user + (size_t)u * x->d, f->ask.vector, x->d);
    part[PZ_PART_FACTORS] = exp((double)dot * x->rate - (double)x->log_sum[u]);
    return PZ_OK;
}

static int
find_parts(struct fit *f, struct pz_err *err)
{
    for (size_t i = 0; i < f->n; i++) {
        struct target *t = &f->target[i];
        double part[PZ_INTEREST_PARTS];
        if ((i == 0 || f->target[i - 1].item != t->item) &&
            pz_interest_ask_set(&f->ask, &t->item, 1, err))
            return err->status;
        if (parts_of(f, t->user, part, &t->had, err))
            return err->status;
        for (int k = 0; k < PZ_INTEREST_PARTS; k++)
            t->part[k] = (float)part[k];
    }
    return PZ_OK;
}

/* One round of expectation maximisation. */
static void
improve(const struct fit *f, double share[PZ_INTEREST_PARTS])
{
    double credit[PZ_INTEREST_PARTS] = {0}, all = 0;
    for (size_t i = 0; i < f->n; i++) {
        const struct target *t = &f->target[i];
        double p = 0;
        for (int k = 0; k < PZ_INTEREST_PARTS; k++)
            p += share[k] * (double)t->part[k];
        for (int k = 0; k < PZ_INTEREST_PARTS && p > 0; k++)
            credit[k] += share[k] * (double)t->part[k] / p;
        all += p > 0;
    }
    for (int k = 0; k < PZ_INTEREST_PARTS && all > 0; k++)
        share[k] = credit[k] / all;
}

struct pair {
    uint32_t item, user;
};

static int
by_pair(const void *a, const void *b)
{
    const struct pair *x = a, *y = b;
    if (x->item != y->item)
        return x->item > y->item ? 1 : -1;
    return (x->user > y->user) - (x->user < y->user);
}

/* Distinct (item, user) of the histories of the users of the first targets, all of whose
 * unknown events are targets. */
static int
choose_pairs(const struct fit *f, struct pair **out, size_t *n, uint8_t *user,
             struct pz_err *err)
{
    const struct pz_events *e = &f->known;
    struct pair *pair;
    size_t room = 0, all = 0;
    for (size_t i = 0; i < f->n && room < MOST_PAIRS; i++) {
        uint32_t u = f->target[i].user;
        if (user[u] || n_asked(f->all, u) < n_unknown(f->all, u))
            continue;
        room += e->offsets[u + 1] - e->offsets[u];
        user[u] = 1;
    }
    if (pz_new(&pair, room, sizeof *pair, what, err))
        return err->status;
    *out = pair;
    for (uint32_t u = 0; u < e->n_users; u++)
        for (uint64_t i = e->offsets[u]; user[u] && i < e->offsets[u + 1]; i++)
            pair[all++] = (struct pair){e->item[i], u};
    qsort(pair, all, sizeof *pair, by_pair);
    *n = 0;
    for (size_t i = 0; i < all; i++)
        if (*n == 0 || by_pair(&pair[*n - 1], &pair[i]))
            pair[(*n)++] = pair[i];
    return PZ_OK;
}

/* Events of items that their users had, by the other parts: found, over expected. */
static int
fit_again(struct fit *f, const double share[PZ_INTEREST_PARTS], double *again,
          struct pz_err *err)
{
    struct pair *pair = NULL;
    uint8_t *user = NULL;
    size_t n_pairs = 0;
    double found = 0, expected = 0;
    if (pz_new(&user, f->all->n_users, 1, what, err) ||
        choose_pairs(f, &pair, &n_pairs, user, err))
        goto done;
    for (size_t i = 0; i < f->n; i++) {
        const struct target *t = &f->target[i];
        double other = 0, own = share[PZ_PART_OWN] * (double)t->part[PZ_PART_OWN];
        for (int k = PZ_PART_OWN + 1; k < PZ_INTEREST_PARTS; k++)
            other += share[k] * (double)t->part[k];
        if (user[t->user] && t->had && own + other > 0)
            found += other / (own + other);
    }
    for (size_t i = 0; i < n_pairs; i++) {
        double part[PZ_INTEREST_PARTS], other = 0;
        bool had;
        if ((i == 0 || pair[i - 1].item != pair[i].item) &&
            pz_interest_ask_set(&f->ask, &pair[i].item, 1, err))
            goto done;
        if (parts_of(f, pair[i].user, part, &had, err))
            goto done;
        for (int k = PZ_PART_OWN + 1; k < PZ_INTEREST_PARTS; k++)
            other += share[k] * part[k];
        expected += other * (double)n_unknown(f->all, pair[i].user);
    }
    // A weak prior for 1: one event found and one expected.
    *again = (found + 1) / (expected + 1);
done:
    free(pair);
    free(user);
    return err->status;
}

int
pz_interest_fit(double share[PZ_INTEREST_PARTS], double *again, const struct pz_train *t,
                struct pz_err *err)
{
    struct fit f = {.all = t->events};
    struct pz_train learn = *t;
    learn.events = &f.known;
    *again = 1;
    for (int k = 0; k < PZ_INTEREST_PARTS; k++)
        share[k] = 1.0 / PZ_INTEREST_PARTS;
    if (choose_targets(&f, t->seed, err) || !f.n ||
        pz_events_take(f.all, n_known, NULL, &f.known, err) ||
        pz_interest_learn(&f.x, &learn, err) || pz_interest_ask_new(&f.ask, &f.x, err))
        goto done;
    f.ask.few = true;
    if (find_parts(&f, err))
        goto done;
    for (int round = 0; round < ROUNDS; round++)
        improve(&f, share);
    fit_again(&f, share, again, err);
done:
    pz_interest_ask_release(&f.ask);
    pz_interest_release(&f.x);
    pz_events_release(&f.known);
    free(f.target);
    return err->status;
}
