/*
 * split: a protocol applied to events: what is trained on, and the questions with their
 * true answers.
 *
 *   aws     a tenth of the users with two events or more, drawn by seed, is kept from
 *           training. The oldest events of such a user are given, the newest
 *           max(1, round(n/10)) (`last`: the last one) are the truth.
 *   loo     the last event of each user with three events or more is the truth, the one
 *           before it the validation; training has the rest of all users. The validation
 *           event is given at test time (`refit`: and trained on).
 *   strong  strong generalization (Liang et al. 2018): repeated (user, item) pairs count
 *           once; of the users with five items, drawn by numpy's RandomState(98765) +
 * seed, a tenth (at most 10,000) validates, a tenth tests, and the rest is trained on. A
 * fifth of the items of such a user that training knows, drawn too, is the truth (users
 * with fewer than five of them are left out), the others are given. split   all events
 * are trained on; a file holds the truth. time    what happened before a moment is
 * trained on and given; the truth is what each user did from then on. Users without
 * anything before ask too. ncf     a file has a line a user: the true item, which
 * training does not see, and the items that it is ranked among.
 *
 * Where given items are hidden they are no truth either, and a user without another one
 * is not asked.
 *
 * `valid` asks for validation data, which the test part has no say in: aws: as many other
 * users; loo: the validation event; strong: the validation users; split: a tenth of each
 * user's events, drawn by seed; time: the events before the moment are cut again, by
 * share; ncf: the last event that training has, beside the file's other items.
 */
#ifndef PZ_EVAL_SPLIT_H
#define PZ_EVAL_SPLIT_H

#include "recipe/world.h"

enum pz_protocol { PZ_AWS, PZ_LOO, PZ_STRONG, PZ_SPLIT, PZ_TIME, PZ_NCF, PZ_N_PROTOCOLS };

const char *pz_protocol_name(enum pz_protocol p);
int pz_protocol_parse(enum pz_protocol *p, const char *name, struct pz_err *err);
/* Are items that were given left out of the answers, unless the caller wants otherwise?
 */
bool pz_protocol_hides_seen(enum pz_protocol p);

struct pz_split_spec {
    enum pz_protocol protocol;
    bool valid, refit, last;
    bool hide_seen;
    bool has_cut;         // time: at `cut`, else behind `share` of the events
    int64_t cut;          // Unix seconds; its own second belongs to the truth
    double share;         // time: in (0,1)
    const char *file;     // split, ncf: truth
    const double *reward; // of each item of the world, NULL: none; borrowed by the split
    uint64_t seed;
};

/* One question. Spans are of the split's arrays. */
struct pz_case {
    uint32_t user;  // index
    bool known;     // training has events of the user
    bool stored;    // the history is exactly what training has
    uint64_t given; // first of n_given events, oldest first
    uint64_t truth; // first of n_truth items, ascending, distinct; at least one
    uint64_t among; // first of n_among candidates
    uint32_t n_given, n_truth, n_among; // n_among 0: all items
};

struct pz_split {
    struct pz_events train;
    struct pz_case *cases; // by user
    uint32_t n_cases;
    uint32_t *given; // items
    int64_t *time;   // of given
    float *weight;   // of given; NULL: all 1
    uint32_t *truth;
    float *truth_weight;  // of truth: the greatest of its events; NULL: all 1
    const double *reward; // of the spec
    uint32_t *among;
    uint64_t n_given, n_truth, n_among;
    bool hide_seen;
    uint64_t strangers; // users or items of the file that the data does not have: rows
                        // left out
};

/* PZ_DATA: nothing to ask, or to learn from; bad rows of the file. */
int pz_split_make(struct pz_split *s, const struct pz_events *e, const struct pz_world *w,
                  const struct pz_split_spec *spec, struct pz_err *err);
void pz_split_release(struct pz_split *s); // accepts {0}

/* Which users `aws` tests: n_users flags, new memory in *test; their number in *n. */
int pz_eval_draw(const struct pz_events *e, uint64_t seed, uint8_t **test, uint32_t *n,
                 struct pz_err *err);

#endif
