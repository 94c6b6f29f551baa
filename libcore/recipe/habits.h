/*
 * habits: what users did with items, as far as it tells which actions they will take.
 *
 * At time t a user's activity of one type of event is
 *
 *     sum over the user's events of that type before t of 2^(-(t - t_i) / halflife)
 *
 * and the user's level of it 0 without any such event, else 1 to 4: split at the
 * quartiles of the activities above 0 that users had when actions were offered to them.
 * The four most frequent types count, the newest PZ_HABIT_EVENTS of a user.
 *
 * Like rates among people of one category (recipe/actions.h) those among people of one
 * level say more or less about each action. The terms of an offer are, for each type, how
 * much readier people of the user's level are to take the action,
 *
 *     logit((k + 20 p) / (n + 20)) - logit(p)
 *
 * with n offers to them, k of these taken and p the rate of the action; and
 * log(1 + a), a being the sum of all activities. All are 0 for users of whom nothing is
 * known.
 *
 * A model holds habit.offsets U64 [n_users+1], habit.time I64 and habit.type U8 [n], by
 * user and then time, habit.edge F64 [types, 3], habit.offered and habit.taken U32
 * [types * 5, n_actions], habit.coef F64 [5], and the halflife in seconds as metadata
 * train.habits.halflife; none of it where it does not foretell better.
 */
#ifndef PZ_RECIPE_HABITS_H
#define PZ_RECIPE_HABITS_H

#include "recipe/actions.h"
#include "recipe/model.h"

enum {
    PZ_HABIT_TYPES = 4,
    PZ_HABIT_EDGES = 3,
    PZ_HABIT_LEVELS = PZ_HABIT_EDGES + 2,
    PZ_HABIT_TERMS = PZ_HABIT_TYPES + 1,
    PZ_HABIT_EVENTS = 1000,
};

struct pz_habits {
    uint32_t n_users, n_types, n_actions; // n_types 0: nothing is known
    const uint64_t *offsets;              // n_users + 1
    const int64_t *time;                  // of a user: ascending
    const uint8_t *type;
    uint64_t n;
    const double *edge;              // n_types x PZ_HABIT_EDGES
    const uint32_t *offered, *taken; // n_types x PZ_HABIT_LEVELS, each n_actions
    const double *coef;              // PZ_HABIT_TERMS; NULL while learning
    const struct pz_tensors *file;   // for messages; NULL while learning
    double halflife;                 // seconds
    void *own[6];                    // of pz_habits_learn
};

/*
 * Learns from w->with_items and the n offers, all but coef. n_types 0: the world has no
 * such events of these users. The same for any number of threads.
 */
int pz_habits_learn(struct pz_habits *h, const struct pz_world *w,
                    const struct pz_offer *offer, size_t n, double halflife,
                    struct pz_err *err);
void pz_habits_release(struct pz_habits *h); // accepts {0}; of pz_habits_learn
/* Hands the tensors to the builder, with these coefficients. */
int pz_habits_give(struct pz_habits *h, const double coef[PZ_HABIT_TERMS],
                   struct pz_builder *b, struct pz_err *err);
/* Views of a model's; n_types 0: it has none. PZ_FORMAT: damaged. */
int pz_habits_open(struct pz_habits *h, const struct pz_model *m, struct pz_err *err);

/* A user's levels at a time; `known` is false, and the rest 0, when nothing is. */
struct pz_habit_levels {
    uint8_t of[PZ_HABIT_TYPES];
    double all; // sum of the activities
    bool known;
};
/* O(events of the user). PZ_FORMAT: damaged. */
int pz_habits_at(struct pz_habit_levels *l, const struct pz_habits *h, uint32_t user,
                 int64_t time, struct pz_err *err);

/* rate: of the action. `out` as in pz_action_terms(). */
void pz_habit_terms(double term[PZ_HABIT_TERMS], const struct pz_habits *h,
                    const struct pz_habit_levels *l, uint32_t action, double rate,
                    const struct pz_offer *out);

#endif
