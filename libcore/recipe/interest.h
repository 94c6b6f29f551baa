/*
 * interest: of all that a user will do next, the share that goes to an item.
 *
 * p(i|u) is a mixture of six simple models, each a distribution over the items:
 *
 *   own      share of i in the user's history
 *   near     P(i|h) over the items h of the history: users of h who had i too, the score
 *            of aws-sims brought to sum 1
 *   factors  softmax of x_u.y_i / t over all items (recipe/ials.h)
 *   traits   share of i in what users with the same category (age group ...) did, mean
 *            over the user's categories
 *   content  the user's history by the categories of its items, and i's share of each
 *   popular  share of i in all events
 *
 * Its six shares maximise the likelihood of the newest fifth of each user's events given
 * the rest (expectation maximisation); people who come back to what they had and people
 * who never do are told apart by `again`, which multiplies all but `own` where the user
 * had the item: the ratio of such events to those expected.
 */
#ifndef PZ_RECIPE_INTEREST_H
#define PZ_RECIPE_INTEREST_H

#include "recipe/facets.h"
#include "recipe/model.h"

enum pz_interest_part {
    PZ_PART_OWN,
    PZ_PART_NEAR,
    PZ_PART_FACTORS,
    PZ_PART_TRAITS,
    PZ_PART_CONTENT,
    PZ_PART_POPULAR,
    PZ_INTEREST_PARTS,
};

struct pz_interest {
    uint32_t n_users, n_items;
    // Histories; of the events it was learned from, or of the model.
    const uint64_t *offsets;
    const uint32_t *item;
    const float *weight; // NULL: all 1
    uint64_t n;
    // near: for an item i, the items h with a chance of leading to it, P(i|h).
    const uint64_t *near_offsets; // n_items+1
    const uint32_t *near_item;
    const float *near_share;
    uint64_t n_near;
    // factors
    size_t d;
    const float *user, *factor; // n_users x d, n_items x d
    const float *log_sum;       // n_users: log of the softmax's denominator
    double rate;                // 1 / temperature
    // traits: facets of users, and the items' shares in each
    struct pz_facet_view trait;
    const uint64_t *trait_offsets; // trait.n+1
    const uint32_t *trait_item;    // ascending in a row
    const float *trait_share;
    uint64_t n_trait;
    struct pz_facet_view content; // facets of items
    const float *popular;         // n_items
    double share[PZ_INTEREST_PARTS];
    double again;
    const struct pz_tensors *file; // for messages; NULL while learning
    struct {                       // of pz_interest_learn
        struct pz_facets trait, content;
        void *array[16];
        size_t n;
    } own;
};

/*
 * Learns from t->events with t->world's columns: the parameters hidden_dimension,
 * iterations and neighbours. The histories stay those of t->events, which must outlive
 * it. Byte-identical for any t->threads.
 */
int pz_interest_learn(struct pz_interest *x, const struct pz_train *t,
                      struct pz_err *err);
void pz_interest_release(struct pz_interest *x); // accepts {0}
/*
 * The shares and `again`, from a model of its own that does not see the newest fifth of
 * each user's events (those of a sample of users at most). All alike when no user has two
 * events.
 */
int pz_interest_fit(double share[PZ_INTEREST_PARTS], double *again,
                    const struct pz_train *t, struct pz_err *err);
/* Hands the tensors "near.*", "factor.*", "trait.*", "content.*" and "popular" to the
 * builder, and the shares to its metadata. */
void pz_interest_give(struct pz_interest *x, struct pz_builder *b);
/* The same of a model; views. */
int pz_interest_open(struct pz_interest *x, const struct pz_model *m, struct pz_err *err);

/* ---- asking about items ---- */

/*
 * Working memory of one thread for questions about a set of items. What the categories of
 * an item say is looked up when a history is read, or, where that is less work, worked
 * out for all items of the categories asked about; the sums are the same.
 */
struct pz_interest_ask {
    const struct pz_interest *x;
    bool few;        // set by the caller: questions are about few users
    uint32_t *about; // n_about items, ascending
    size_t n_about, cap_about;
    uint8_t *asked;        // n_items: is it one of them?
    float *near, *content; // n_items: what an event of the item says for them
    bool listed;           // content is there; else pz_interest_content() finds it
    float *trait;          // of each trait
    double popular;
    uint32_t *touched; // items whose near or content is not 0
    size_t n_touched, cap_touched;
    float *weight;   // of each content facet: the share that is asked about
    uint32_t *facet; // those with a weight
    size_t n_facets, cap_facet;
    float *vector, *tiled;   // of the items asked about
    float *packed, *product; // of a block of users
    size_t cap_vector, cap_tiled, cap_product;
};
int pz_interest_ask_new(struct pz_interest_ask *a, const struct pz_interest *x,
                        struct pz_err *err);
void pz_interest_ask_release(struct pz_interest_ask *a); // accepts {0}
/* PZ_FORMAT: damage. */
int pz_interest_ask_set(struct pz_interest_ask *a, const uint32_t *about, size_t n,
                        struct pz_err *err);
/* What an event of the item says for them by its categories. PZ_FORMAT: damage. */
int pz_interest_content(const struct pz_interest_ask *a, uint32_t item, float *content,
                        struct pz_err *err);
/*
 * The parts of p(about|u), without factors (0); *had: the user had one of them.
 * PZ_FORMAT: damage.
 */
int pz_interest_of(const struct pz_interest_ask *a, uint32_t u,
                   double part[PZ_INTEREST_PARTS], bool *had, struct pz_err *err);
/* The part of factors for users [first, first + n), n <= PZ_PACK. */
void pz_interest_factors(struct pz_interest_ask *a, uint32_t first, size_t n,
                         double *mass);
/* p of its parts. */
double pz_interest_mix(const struct pz_interest_ask *a,
                       const double part[PZ_INTEREST_PARTS], bool had);

#endif
