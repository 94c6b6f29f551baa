/*
 * infer: requests in external ids -> answers in external ids. The one path through which
 * pz-recommend and pz-serve answer: it resolves ids, history and candidates, asks the
 * recipe, and hands back text.
 *
 * A session is one thread's working memory over a model that any number of sessions
 * share. It grows to what the largest call needed and is then reused, so that a steady
 * stream of requests allocates nothing.
 */
#ifndef PZ_INFER_INFER_H
#define PZ_INFER_INFER_H

#include "filter/filter.h"
#include "recipe/model.h"

struct pz_text {
    const char *s;
    size_t n;
};

/* A question in external ids. Everything is borrowed until the answer has been used. */
struct pz_request {
    struct pz_text user, item;     // the recipe's type decides which is asked for; where
    bool has_user, has_item;       // that is attributes, item is their expression
    const struct pz_text *history; // replaces the stored history, oldest first
    size_t n_history;
    bool has_history;
    const struct pz_text *candidate; // rank these only
    size_t n_candidates;
    bool has_candidates;
    size_t n;              // items wanted, any number
    bool exclude_seen;     // leave out what is in the history
    const uint64_t *allow; // bit i: item i of the model may be returned; NULL: all
    const struct pz_text
        *recent;                // items of events behind the stored history, oldest first
    const float *recent_weight; // NULL: all 1
    const int64_t *recent_time; // Unix seconds; NULL: not known
    size_t n_recent;
    const struct pz_filter_value *value; // of placeholders, the line's own
    size_t n_values;
    bool has_influence; // else as the model was trained with
    struct pz_influence influence;
    struct pz_explore explore; // weight 0: the best answer; key: the seed of the draws;
                               // lately: filled in by pz_scope_complete()
    bool split_values;         // those are the filter's alone, and these the promotion's:
    const struct pz_filter_value *promotion_value;
    size_t n_promotion_values;
};

struct pz_answered {
    struct pz_text item; // a view into the model, or into the request (unknown
                         // candidates); of segments: a user
    uint32_t index;      // PZ_NO_ID: not in the model
    float score;         // NaN: none
    bool explored;       // only exploring put it there
};

/* Best first; candidates that the model does not know behind, in the order of the
 * request. */
struct pz_answer {
    const struct pz_answered *item;
    size_t n;
    size_t n_unknown; // ids of the request that are not in the model
    bool no_item;  // of a segment: nothing is asked about, the most active users answer
    bool fallback; // popular items: nothing is known of the user or item
    bool stranger; // the user or item is not in the model, and no history came with it
};

struct pz_why {
    struct pz_text item; // of the history; or what counted, such as "GENRE=Drama"
    double contribution;
};

struct pz_explanation {
    const struct pz_why *why; // greatest contribution first
    size_t n;
    double raw; // what the contributions add up to: the score before softmax
};

struct pz_session;
int pz_session_new(struct pz_session **s, const struct pz_model *m, struct pz_err *err);
void pz_session_free(struct pz_session *s); // accepts NULL

/* Is a request of this model about an item (and not about a user)? */
bool pz_model_asks_item(const struct pz_model *m);
/* Is it about attributes of items, an expression in the place of the item? */
bool pz_model_asks_attributes(const struct pz_model *m);
/* Are users what is answered, as segments are? */
bool pz_model_answers_users(const struct pz_model *m);
/* The ids of what is answered, and the dataset that describes it: items, users or
 * actions. */
const struct pz_ids *pz_model_answers(const struct pz_model *m);
enum pz_set pz_model_answer_set(const struct pz_model *m);
/* The events that histories are made of: interactions or action interactions. */
enum pz_set pz_model_event_set(const struct pz_model *m);
/* PZ_DATA: the model cannot take the expression of attributes. */
int pz_model_check_attributes(const struct pz_model *m, const struct pz_text *text,
                              struct pz_err *err);

/* Do answers of the model explore when asked to? */
bool pz_model_explores(const struct pz_model *m);
/* How, as it was trained to: the weight and days among its hyperparameters. Weight 0 for
 * a model that does not explore. PZ_FORMAT. */
int pz_model_explore(struct pz_explore *e, const struct pz_model *m, struct pz_err *err);
/* Do popularity and freshness count in its answers as a request says? */
bool pz_model_takes_influence(const struct pz_model *m);

/*
 * Answers the first *n_done of n requests, at least one and as many as a bounded amount
 * of memory allows, into *answer[0..*n_done), which is valid until the next call. Unknown
 * ids are no error: they get the answer of a new user or the popular items. An answer
 * does not depend on the requests beside it.
 *
 * The history of a user is the given one, else the stored one and the recent events
 * behind it; ids that the model does not know are ignored in it. Related items need no
 * user; if one is given, it says what is seen. Candidates that repeat count once; those
 * to be excluded are left out.
 *
 * An answer that explores draws from its seed, the user's id and the day (UTC): all that
 * a user is shown in a day agrees. Given candidates are ranked as they are.
 */
int pz_infer(struct pz_session *s, const struct pz_request *q, size_t n,
             const struct pz_answer **answer, size_t *n_done, struct pz_err *err);

/*
 * Why request i of the last pz_infer() got item `index`; valid until the next call. n is
 * 0 when the recipe cannot tell or had nothing to go by.
 */
int pz_infer_explain(struct pz_session *s, size_t i, uint32_t index,
                     struct pz_explanation *out, struct pz_err *err);

#endif
