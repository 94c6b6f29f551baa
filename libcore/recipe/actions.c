#include "recipe/actions.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "recipe/logistic.h"

#define DAY 86400.0

/* Offers that an estimate of rates is worth beforehand: Beta priors around the rate of
 * what is one step more general. */
enum { PRIOR_ACTION = 10, PRIOR_USER = 5, PRIOR_TRAIT = 20 };

float
pz_action_weight(const char *type, size_t n)
{
    static const struct {
        const char *name;
        float weight;
    } known[] = {{"taken", PZ_ACTION_TAKEN},
                 {"viewed", PZ_ACTION_VIEWED},
                 {"nottaken", PZ_ACTION_NOT_TAKEN}};
    char text[16];
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        char c = type[i];
        if (c == ' ' || c == '_' || c == '-')
            continue;
        if (len + 1 == sizeof text)
            return 0;
        text[len++] = (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
    text[len] = 0;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(text, known[i].name) == 0)
            return known[i].weight;
    return 0;
}

/* ---- offers ---- */

int
pz_offers_make(struct pz_offer **offer, size_t *n, const struct pz_events *e,
               int64_t period, struct pz_err *err)
{
    size_t *open = NULL; // of each action, the user's latest offer + 1
    *n = 0;
    *offer = NULL;
    if (pz_new(offer, e->n, sizeof **offer, "offers", err) ||
        pz_new(&open, e->n_items, sizeof *open, "offers", err)) {
        free(*offer);
        *offer = NULL;
        return err->status;
    }
    for (uint32_t u = 0; u < e->n_users; u++) {
        uint64_t from = e->offsets[u], before = 0;
        size_t first = *n;
        for (uint64_t i = from; i < e->offsets[u + 1]; i++) {
            uint32_t a = e->item[i];
            float w = e->weight ? e->weight[i] : PZ_ACTION_TAKEN;
            // Events of the same second know nothing of each other.
            if (i > from && e->time[i] != e->time[i - 1])
                before = i - from;
            struct pz_offer *o = open[a] > first ? &(*offer)[open[a] - 1] : NULL;
            if (!o || e->time[i] - o->time > period) {
                o = &(*offer)[*n];
                *o = (struct pz_offer){u, a, e->time[i], before, false};
                open[a] = ++*n;
            }
            o->taken |= w == PZ_ACTION_TAKEN;
        }
    }
    free(open);
    return PZ_OK;
}

/* ---- sums ---- */

int
pz_action_sums_new(struct pz_action_sums *s, uint32_t n_actions, struct pz_err *err)
{
    static const char what[] = "a history of actions";
    *s = (struct pz_action_sums){.n_actions = n_actions};
    if (pz_new(&s->taken, n_actions, sizeof *s->taken, what, err) ||
        pz_new(&s->not_taken, n_actions, sizeof *s->not_taken, what, err) ||
        pz_new(&s->viewed, n_actions, sizeof *s->viewed, what, err) ||
        pz_new(&s->last, n_actions, sizeof *s->last, what, err)) {
        pz_action_sums_release(s);
        return err->status;
    }
    for (uint32_t a = 0; a < n_actions; a++)
        s->last[a] = INT64_MIN;
    return PZ_OK;
}

void
pz_action_sums_release(struct pz_action_sums *s)
{
    void *owned[] = {s->taken, s->not_taken, s->viewed, s->last, s->met};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    *s = (struct pz_action_sums){0};
}

int
pz_action_sums_set(struct pz_action_sums *s, const struct pz_action_history *h,
                   struct pz_err *err)
{
    for (size_t i = 0; i < s->n_met; i++) {
        uint32_t a = s->met[i];
        s->taken[a] = s->not_taken[a] = s->viewed[a] = 0;
        s->last[a] = INT64_MIN;
    }
    s->n_met = 0;
    s->all = s->all_taken = 0;
    return pz_action_sums_more(s, h, err);
}

int
pz_action_sums_more(struct pz_action_sums *s, const struct pz_action_history *h,
                    struct pz_err *err)
{
    if (pz_grow(&s->met, &s->cap_met, h->n + 1, sizeof *s->met, "a history of actions",
                err))
        return err->status;
    for (size_t i = s->n_met; i < h->n; i++) {
        uint32_t a = h->action[i];
        float w = h->weight ? h->weight[i] : PZ_ACTION_TAKEN;
        s->met[s->n_met++] = a;
        s->all++;
        s->all_taken += w == PZ_ACTION_TAKEN;
        float *of = w == PZ_ACTION_TAKEN    ? s->taken
                    : w == PZ_ACTION_VIEWED ? s->viewed
                                            : s->not_taken;
        of[a]++;
        if (h->time && h->time[i] > s->last[a])
            s->last[a] = h->time[i];
    }
    return PZ_OK;
}

/* ---- terms ---- */

/* The mean of Beta(k + m p, n - k + m (1 - p)). */
static double
posterior(double k, double n, double m, double p)
{
    return (k + m * p) / (n + m);
}

/* Mean over the user's traits of how much readier people with them are. */
static double
trait_term(const struct pz_action_counts *c, const struct pz_action_history *h,
           uint32_t action, double rate, const struct pz_offer *out)
{
    double sum = 0;
    size_t n = 0;
    for (size_t i = 0; i < h->n_traits; i++) {
        if (h->trait[i] >= c->n_traits)
            continue;
        size_t at = (size_t)h->trait[i] * c->n_actions + action;
        double k = (double)c->trait_taken[at] - (out ? out->taken : 0);
        double m = (double)c->trait_offered[at] - (out ? 1 : 0);
        sum += pz_logit(posterior(k, m, PRIOR_TRAIT, rate)) - pz_logit(rate);
        n++;
    }
    return n ? sum / (double)n : 0;
}

/* Half an offer taken and half one not: nothing is certain. */
static double
rate_of_all(const struct pz_action_counts *c, const struct pz_offer *out)
{
    return (c->takes - (out ? out->taken : 0) + 0.5) / (c->offers - (out ? 1 : 0) + 1);
}

double
pz_action_rate(const struct pz_action_counts *c, uint32_t action,
               const struct pz_offer *out)
{
    return posterior((double)c->taken[action] - (out ? out->taken : 0),
                     (double)c->offered[action] - (out ? 1 : 0), PRIOR_ACTION,
                     rate_of_all(c, out));
}

void
pz_action_terms(double term[PZ_ACTION_TERMS], const struct pz_action_counts *c,
                const struct pz_action_sums *s, const struct pz_action_history *h,
                uint32_t action, int64_t now, const struct pz_offer *out)
{
    double all = rate_of_all(c, out), rate = pz_action_rate(c, action, out);
    double days = s->last[action] == INT64_MIN
                      ? INFINITY
                      : fmax(((double)now - (double)s->last[action]) / DAY, 0);
    term[PZ_TERM_ACTION] = pz_logit(rate);
    term[PZ_TERM_USER] =
        pz_logit(posterior(s->all_taken, s->all, PRIOR_USER, all)) - pz_logit(all);
    term[PZ_TERM_TRAITS] = trait_term(c, h, action, rate, out);
    term[PZ_TERM_TAKEN] = log1p((double)s->taken[action]);
    term[PZ_TERM_NOT] = log1p((double)s->not_taken[action]);
    term[PZ_TERM_VIEWED] = log1p((double)s->viewed[action]);
    term[PZ_TERM_RECENT] = exp(-days / 7);
    term[PZ_TERM_ACTIVE] = log1p(s->all);
    term[PZ_TERM_ONE] = 1;
}
