/*
 * softmax: the next item by a log-bilinear model (after Mnih and Hinton 2007, there for
 * words), learned by gradient descent on the cross-entropy of what came next.
 *
 * With i_1, i_2 ... the latest events of a history, newest first, * element by element,
 *
 *   h    = sum over k <= reach of  w_k P_k * E[i_k]          P_k, E[i], O[j]: d numbers
 *   z_j  = h . O[j]
 *   loss = sum over events of  weight * -log( e^z_next / sum over items j of e^z_j )
 *
 * In training the sum over all items is estimated from those of a batch of events and
 * some drawn evenly, the same for all of the batch: z_j gains -log(chance that j is
 * there), but not where j is what came next. (All items where there are few.) Events of a
 * history are left out at random, all but a lone one, and elements of h; what remains
 * counts as much more. Steps are Adam's, their length rises over the first round and then
 * falls to 0; rows of E and O that a batch does not touch stay as they are.
 *
 * Several such models that differ in what is random, and where events are few also in
 * that E and O are one table in every other one of them, tell more together than each
 * alone: their z are added up. That is one model with all their numbers side by side,
 * which is how it is kept.
 *
 * Items that nobody had share a last row of O. Training has it as one more item that
 * never comes next; what is kept in its place is the mean of all other rows, and that is
 * taken from all of them: probabilities stay as they are, and z is 0 for what is not
 * known, above 0 for what is likelier than items are on average.
 */
#ifndef PZ_RECIPE_SOFTMAX_H
#define PZ_RECIPE_SOFTMAX_H

#include "recipe/part.h"

enum { PZ_SOFTMAX_MEMBERS = 16 };

struct pz_softmax_net {
    size_t n_in, n_out; // rows: items in a history, items that may come next
    size_t d, reach;    // d is a multiple of 16
    float *input;       // E, n_in x d
    float *output;      // O, n_out x d; of a tied net input
    float *place;       // P, reach x d
};

/* A batch of events to learn from; all of it borrowed. */
struct pz_softmax_batch {
    size_t n;
    const uint32_t *item; // n x reach, newest first: rows of E; PZ_NO_ID: none
    const float *gain;    // n x reach: w_k
    const float *mask;    // n x d, times h
    const float *weight;  // n: of the event
    size_t n_candidates;
    const uint32_t *candidate; // rows of O, distinct
    const float *shift;        // n_candidates: what z gains
    const uint32_t *own;       // n: which candidate came next, without its shift
};

/* What the loss grows by with each number; as the net, output is input where it is so
 * there. */
struct pz_softmax_slope {
    float *input, *output, *place;
};

/* Memory for batches of up to n events and n_candidates. */
struct pz_softmax_room;
int pz_softmax_room_new(struct pz_softmax_room **r, size_t n, size_t n_candidates,
                        size_t d, struct pz_err *err);
void pz_softmax_room_free(struct pz_softmax_room *r); // accepts NULL

/*
 * Adds the slope of the loss of a batch to *slope, at the rows of E in the histories, the
 * candidates' rows of O and all of P, and the loss to *loss. 6 n n_candidates d flops,
 * and 6 n reach d. On the calling thread alone; the same bits at every level.
 */
int pz_softmax_learn(const struct pz_softmax_net *net, const struct pz_softmax_batch *b,
                     struct pz_softmax_room *r, const struct pz_softmax_slope *slope,
                     double *loss, struct pz_err *err);

struct pz_softmax_config {
    uint32_t members;                // 1..PZ_SOFTMAX_MEMBERS
    uint32_t d, reach;               // of each; d a multiple of 16
    uint32_t rounds;                 // over all events
    uint32_t batch;                  // events
    uint32_t negatives;              // drawn a batch; all items where there are not more
    double rate;                     // of Adam
    double drop_items, drop_numbers; // 0 <= .. < 1
    bool tie;                        // E and O are one table in every other member
    uint64_t seed;
    int threads;
};

struct pz_softmax_made {
    size_t n, d, reach; // items with events; of all members together
    uint32_t *row;      // of every item; n: nobody had it
    float *input;       // n x d
    float *output;      // (n + 1) x d; the last row, and each column's sum, 0
    float *place;       // reach x d
    double loss[PZ_SOFTMAX_MEMBERS]; // an event, in the last round
};

/*
 * New memory in *out, released by the caller, also after a failure. members * rounds *
 * events * 6 d (batch + negatives) flops; 16 bytes for each number of a member and thread
 * beside the result. Members are spread over threads, each on one: the same bits for any
 * number of them. PZ_DATA when nobody has two events.
 */
int pz_softmax_train(struct pz_softmax_made *out, const struct pz_events *events,
                     const struct pz_softmax_config *c, struct pz_err *err);
void pz_softmax_release(struct pz_softmax_made *m); // accepts {0}

/*
 * The part "softmax". Of a recipe's parameters it reads, where the table has them
 * (PZ_PARAMS_SOFTMAX), those below, and time_budget for the number of members.
 */
extern const struct pz_part pz_part_softmax;

/* clang-format off */
#define PZ_PARAMS_SOFTMAX                                                                \
    {.name = "softmax_members", .kind = PZ_PARAM_INT, .place = PZ_PLACE_OURS,            \
     .def = 0, .min = 0, .max = PZ_SOFTMAX_MEMBERS,                                      \
     .help = "of softmax: models whose scores are added up; 0: 8, or as many as "        \
             "half of time_budget allows"},                                              \
    {.name = "softmax_dimension", .kind = PZ_PARAM_INT, .place = PZ_PLACE_OURS,          \
     .def = 64, .min = 16, .max = 256,                                                   \
     .help = "of softmax: numbers of an item in each of them, in steps of 16"},          \
    {.name = "softmax_rounds", .kind = PZ_PARAM_INT, .place = PZ_PLACE_OURS,             \
     .def = 0, .min = 0, .max = 1000, .tunable = true,                                   \
     .tune_min = 5, .tune_max = 50,                                                      \
     .help = "of softmax: times that every event is learned from; 0: 20, of more than "  \
             "200000 events fewer, by the root of their number"},                        \
    {.name = "softmax_rate", .kind = PZ_PARAM_REAL, .place = PZ_PLACE_OURS,              \
     .def = 0.005, .min = 1e-5, .max = 1, .tunable = true,                               \
     .tune_min = 0.001, .tune_max = 0.02,                                                \
     .help = "of softmax: length of the longest steps"},                                 \
    {.name = "softmax_negatives", .kind = PZ_PARAM_INT, .place = PZ_PLACE_OURS,          \
     .def = 256, .min = 1, .max = 1000000,                                               \
     .help = "of softmax: items drawn to compare with, for each 256 events"},            \
    {.name = "softmax_drop_items", .kind = PZ_PARAM_REAL, .place = PZ_PLACE_OURS,        \
     .def = -1, .min = -1, .max = 0.95, .tunable = true, .tune_min = 0,                  \
     .tune_max = 0.7,                                                                    \
     .help = "of softmax: share of a history that training leaves out at random; below " \
             "0: 0.1 where an item has 30 events or more on average, else 0.5"},         \
    {.name = "softmax_drop_numbers", .kind = PZ_PARAM_REAL, .place = PZ_PLACE_OURS,      \
     .def = -1, .min = -1, .max = 0.95, .tunable = true, .tune_min = 0,                  \
     .tune_max = 0.7,                                                                    \
     .help = "of softmax: the same of the numbers that stand for a history"}
/* clang-format on */

#endif
