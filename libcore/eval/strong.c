/*
 * strong generalization, drawn exactly as the programs of other authors draw it, so that
 * their figures and ours come from the same users and items. Those use numpy's
 * RandomState: the Mersenne Twister MT19937 (Matsumoto and Nishimura 1998) with its first
 * seeding, and shuffles from the back by masked rejection.
 */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "eval/mark.h"

enum { STATE = 624, MIDDLE = 397, SEED = 98765 };

struct twister {
    uint32_t x[STATE];
    uint32_t at;
};

static void
twister_seed(struct twister *t, uint32_t seed)
{
    t->x[0] = seed;
    for (uint32_t i = 1; i < STATE; i++)
        t->x[i] = 1812433253u * (t->x[i - 1] ^ t->x[i - 1] >> 30) + i;
    t->at = STATE;
}

static void
twist(struct twister *t)
{
    for (uint32_t i = 0; i < STATE; i++) {
        uint32_t y = (t->x[i] & 0x80000000u) | (t->x[(i + 1) % STATE] & 0x7fffffffu);
        t->x[i] = t->x[(i + MIDDLE) % STATE] ^ y >> 1 ^ (y & 1 ? 0x9908b0dfu : 0);
    }
    t->at = 0;
}

static uint32_t
twister_u32(struct twister *t)
{
    if (t->at == STATE)
        twist(t);
    uint32_t y = t->x[t->at++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680u;
    y ^= y << 15 & 0xefc60000u;
    return y ^ y >> 18;
}

/* 0..most, each as likely. */
static uint32_t
twister_upto(struct twister *t, uint32_t most)
{
    uint32_t mask = most, v;
    for (int shift = 1; shift < 32; shift *= 2)
        mask |= mask >> shift;
    do
        v = twister_u32(t) & mask;
    while (v > most);
    return v;
}

static void
permute(struct twister *t, uint32_t *a, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        a[i] = i;
    for (uint32_t i = n; i-- > 1;) {
        uint32_t j = twister_upto(t, i), keep = a[i];
        a[i] = a[j];
        a[j] = keep;
    }
}

struct draw {
    const struct pz_marking *m;
    struct twister rng;
    uint8_t *known;  // items that training has
    uint32_t *place; // of an item's last user +1, to find repeats
    uint64_t *mine;  // events of the user at hand
    uint32_t *order; // a permutation of them
};

/* The first event of each item of u, into d->mine; their number. */
static uint32_t
distinct_events(struct draw *d, uint32_t u)
{
    const struct pz_events *e = d->m->events;
    uint32_t n = 0;
    for (uint64_t i = e->offsets[u]; i < e->offsets[u + 1]; i++)
        if (d->place[e->item[i]] != u + 1) {
            d->place[e->item[i]] = u + 1;
            d->mine[n++] = i;
        }
    return n;
}

/* A held-out user: a fifth of the items drawn. `asked` false: drawn all the same, since
 * the next user's draw depends on it. */
static void
hold_out(struct draw *d, uint32_t u, bool asked)
{
    const struct pz_events *e = d->m->events;
    uint32_t n = 0, all = distinct_events(d, u);
    for (uint32_t i = 0; i < all; i++)
        if (d->known[e->item[d->mine[i]]])
            d->mine[n++] = d->mine[i];
    if (n < 5)
        return;
    permute(&d->rng, d->order, n);
    uint32_t n_hidden = (uint32_t)(0.2 * n);
    for (uint32_t i = 0; asked && i < n; i++)
        d->m->mark[d->mine[d->order[i]]] = i < n_hidden ? PZ_MARK_TRUTH : PZ_MARK_GIVEN;
}

static void
draw_all(struct draw *d, uint32_t *user, uint32_t n, uint32_t *order)
{
    const struct pz_events *e = d->m->events;
    permute(&d->rng, order, n);
    uint32_t held = n / 10 < 10000 ? n / 10 : 10000;
    for (uint32_t i = 2 * held; i < n; i++) {
        uint32_t u = user[order[i]], k = distinct_events(d, u);
        while (k--) {
            d->m->mark[d->mine[k]] = PZ_MARK_TRAIN;
            d->known[e->item[d->mine[k]]] = 1;
        }
    }
    memset(d->place, 0, e->n_items * sizeof *d->place);
    for (uint32_t i = 0; i < 2 * held; i++)
        hold_out(d, user[order[i]], (i < held) == d->m->spec->valid);
}

int
pz_mark_strong(const struct pz_marking *m, struct pz_err *err)
{
    const struct pz_events *e = m->events;
    struct draw d = {.m = m};
    uint32_t *user = NULL, *order = NULL, n = 0;
    uint64_t most = 0;
    int r = PZ_OK;
    for (uint32_t u = 0; u < e->n_users; u++)
        if (e->offsets[u + 1] - e->offsets[u] > most)
            most = e->offsets[u + 1] - e->offsets[u];
    if ((r = pz_new(&user, e->n_users, sizeof *user, "users", err)) ||
        (r = pz_new(&order, e->n_users, sizeof *order, "users", err)) ||
        (r = pz_new(&d.known, e->n_items, 1, "items", err)) ||
        (r = pz_new(&d.place, e->n_items, sizeof *d.place, "items", err)) ||
        (r = pz_new(&d.mine, most, sizeof *d.mine, "a history", err)) ||
        (r = pz_new(&d.order, most, sizeof *d.order, "a history", err)))
        goto done;
    for (uint32_t u = 0; u < e->n_users; u++)
        if (distinct_events(&d, u) >= 5)
            user[n++] = u;
    memset(d.place, 0, e->n_items * sizeof *d.place);
    twister_seed(&d.rng, (uint32_t)(SEED + m->spec->seed));
    draw_all(&d, user, n, order);
done:
    free(user);
    free(order);
    free(d.known);
    free(d.place);
    free(d.mine);
    free(d.order);
    return r;
}
