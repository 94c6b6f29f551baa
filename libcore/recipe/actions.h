/*
 * actions: events of actions as a training sees them.
 *
 * What became of an action stands in the weight of its event, so that it goes wherever
 * events go: into histories, splits and live events.
 */
#ifndef PZ_RECIPE_ACTIONS_H
#define PZ_RECIPE_ACTIONS_H

#include "recipe/facets.h"
#include "recipe/recipe.h"

#define PZ_ACTION_TAKEN     1.0F
#define PZ_ACTION_VIEWED    0.5F
#define PZ_ACTION_NOT_TAKEN 0.25F

/* Of an EVENT_TYPE: Taken, Viewed or Not Taken, in any case, with blanks, '_' or '-'.
 * 0: none of them. */
float pz_action_weight(const char *type, size_t n);

/*
 * An offer: the events of a user with an action from one on, as far as they follow within
 * `period` seconds of it. It is taken when one of them says so.
 */
struct pz_offer {
    uint32_t user, action;
    int64_t time;
    uint64_t before; // the user's events before it, from the user's first
    bool taken;
};
/* All offers, by user and then as they begin. New memory. Events are each user's, oldest
 * first. */
int pz_offers_make(struct pz_offer **offer, size_t *n, const struct pz_events *e,
                   int64_t period, struct pz_err *err);

/* ---- what is known when an action is offered ---- */

/* How often each action was offered and taken, also among users with each trait. */
struct pz_action_counts {
    uint32_t n_actions, n_traits;
    const uint32_t *offered, *taken;             // n_actions
    const uint32_t *trait_offered, *trait_taken; // n_traits x n_actions
    double offers, takes;                        // of all
};

enum pz_action_term {
    PZ_TERM_ACTION, // how readily people take the action
    PZ_TERM_USER,   // how readily the user takes actions
    PZ_TERM_TRAITS, // how readily people like the user take it
    PZ_TERM_TAKEN,  // the user's events with the action
    PZ_TERM_NOT,
    PZ_TERM_VIEWED,
    PZ_TERM_RECENT, // how lately
    PZ_TERM_ACTIVE, // all of the user's events
    PZ_TERM_ONE,
    PZ_ACTION_TERMS,
};

/* A user's history as far as it is known. */
struct pz_action_history {
    const uint32_t *action;
    const float *weight;
    const int64_t *time; // NULL: not known
    size_t n;
    const uint32_t *trait;
    size_t n_traits;
};

/* Sums over a history that all actions share, and those of each action. */
struct pz_action_sums {
    uint32_t n_actions;
    float *taken, *not_taken, *viewed; // n_actions
    int64_t *last;                     // of each action; INT64_MIN: never
    double all_taken, all;
    uint32_t *met; // the actions of the events, to be cleared
    size_t n_met, cap_met;
};
int pz_action_sums_new(struct pz_action_sums *s, uint32_t n_actions, struct pz_err *err);
void pz_action_sums_release(struct pz_action_sums *s); // accepts {0}
int pz_action_sums_set(struct pz_action_sums *s, const struct pz_action_history *h,
                       struct pz_err *err);
/* The same where h goes on from the history that was set last and may be longer: only
 * what is new is read. */
int pz_action_sums_more(struct pz_action_sums *s, const struct pz_action_history *h,
                        struct pz_err *err);

/* The rate of an action: the mean of a Beta distribution around that of all actions.
 * `out` as below. */
double pz_action_rate(const struct pz_action_counts *c, uint32_t action,
                      const struct pz_offer *out);

/*
 * The terms for offering `action` at time `now`. `out`: an offer that the counts hold and
 * that is not to be known here (NULL: none), so that nothing is foretold from itself.
 */
void pz_action_terms(double term[PZ_ACTION_TERMS], const struct pz_action_counts *c,
                     const struct pz_action_sums *s, const struct pz_action_history *h,
                     uint32_t action, int64_t now, const struct pz_offer *out);

#endif
