/*
 * filter: the filter language of pz-filter(7), compiled against a group's datasets.
 *
 * Four objects, from the one that lives longest to the shortest:
 *
 *   struct pz_filter        a compiled expression. Immutable, shared by threads.
 *   struct pz_filter_space  a list of candidate ids (the model's items), mapped once to
 *                           the rows of the group's datasets. Immutable, shared.
 *   struct pz_filter_run    one thread's working memory. pz_filter_run_begin() takes a
 *                           request; all that can go wrong goes wrong there.
 *   bitmap or test          after begin: every candidate of a space into a bitmap, or one
 *                           candidate at a time. These cannot fail.
 *
 * A candidate is what the expression's subject names: an item, a user or an action.
 * Conditions on Items (Users, Actions) look at the candidate's row; conditions on
 * Interactions (Action_Interactions) look at the events that the requesting user had with
 * the candidate, or for subject UserID at the candidate's own events. CurrentUser and
 * CurrentItem are the request's.
 *
 * Truth: a comparison with a missing value is unknown, IN of a missing value is false and
 * NOT IN is true; AND is the lesser and OR the greater of false < unknown < true. Only
 * what is true matches. As the language has no negation beyond NOT IN and !=, "is it
 * true" alone is carried through AND and OR with the same result (pz-filter(7)).
 */
#ifndef PZ_FILTER_FILTER_H
#define PZ_FILTER_FILTER_H

#include "data/dataset.h"

enum {
    PZ_FILTER_MAX_TEXT = 65536, // bytes in an expression
    PZ_FILTER_MAX_NODES = 1000, // conditions
    PZ_FILTER_MAX_DEPTH = 32,   // parentheses in parentheses
    PZ_AWS_FILTER_TEXT = 2500,  // AWS's limits, for strict
    PZ_AWS_FILTER_FIELDS = 10,
    PZ_AWS_FILTER_VALUES = 25,
    PZ_AWS_FILTER_VALUE = 1000,
    PZ_AWS_FILTER_NAME = 50,
    PZ_AWS_FILTERS = 30,        // of a group
    PZ_AWS_FILTERS_FIELDS = 20, // of all filters of a group
    PZ_AWS_FILTER_WINDOW = 100, // newest events of each type
    PZ_AWS_ACTION_FILTER_WINDOW = 300,
};

enum pz_subject { PZ_SUBJECT_ITEM, PZ_SUBJECT_USER, PZ_SUBJECT_ACTION };

/* The group's datasets by enum pz_set; NULL: it has none. They must outlive the filter.
 * pz_dataset_check() is not needed: codes and offsets are checked where they are used. */
struct pz_filter_data {
    const struct pz_dataset *set[PZ_N_SETS];
};

struct pz_filter_options {
    bool strict; // AWS's language, limits and window; nothing else
    uint32_t
        window; // newest events of each type that are looked at; 0: all (strict: AWS's)
};

/* ---- compiling ---- */

struct pz_filter;

/*
 * Compiles text[0..n). PZ_DATA "filter:LINE:COLUMN: ..." with AWS's text where there is
 * one and what would be right; columns count bytes from 1.
 */
int pz_filter_compile(struct pz_filter **f, const char *text, size_t n,
                      const struct pz_filter_data *data,
                      const struct pz_filter_options *options, struct pz_err *err);
void pz_filter_free(struct pz_filter *f); // accepts NULL

enum pz_subject pz_filter_subject(const struct pz_filter *f);
/* The subject's column name in AWS's spelling: "ItemID", ... */
const char *pz_subject_name(enum pz_subject s);
/* What the expression looks at in a request. */
bool pz_filter_needs_user(const struct pz_filter *f);
bool pz_filter_needs_item(const struct pz_filter *f);
/* Warnings of the compilation (AND mixed with OR, a quoted placeholder), NULL behind the
 * last. Views into f. */
const char *pz_filter_warning(const struct pz_filter *f, size_t i);
/* Placeholders in order of appearance, without '$'; NULL behind the last. */
const char *pz_filter_param(const struct pz_filter *f, size_t i);
/* Dataset fields that the expression names, "Items.PRICE", in the schemas' spelling and
 * each once; NULL behind the last. */
const char *pz_filter_field(const struct pz_filter *f, size_t i);

/* ---- requests ---- */

/* A value that is not in a dataset: of a streamed event, item or user. */
enum pz_fcell_kind { PZ_FCELL_NULL, PZ_FCELL_INT, PZ_FCELL_REAL, PZ_FCELL_TEXT };
struct pz_fcell {
    enum pz_fcell_kind kind; // as the field's type wants: booleans are INT 0 and 1
    int64_t i;
    double f;
    const char *s;
    size_t n;
};

/* A streamed event of the requesting user. */
struct pz_filter_event {
    const char *item; // its item or action
    size_t n_item;
    const struct pz_fcell *field; // one for each field of the interactions schema
};

/* "NAME" and the text of its values: "a","b" or a number (pz-filter(7)). */
struct pz_filter_value {
    const char *name;
    size_t n_name;
    const char *text;
    size_t n_text;
};

/* Everything is borrowed from pz_filter_run_begin() to the next one. {0}: nobody. */
struct pz_filter_request {
    const char *user; // NULL: nobody; need not be known
    size_t n_user;
    const char *item; // CurrentItem; NULL: none
    size_t n_item;
    const struct pz_filter_value *value;
    size_t n_values;
    const struct pz_filter_event *event; // beside the stored ones, oldest first
    size_t n_events;
    const struct pz_fcell *user_record; // one for each field of the users schema: goes
                                        // before the stored row; NULL: the stored row
};

struct pz_filter_run;
int pz_filter_run_new(struct pz_filter_run **r, const struct pz_filter *f,
                      struct pz_err *err);
void pz_filter_run_free(struct pz_filter_run *r); // accepts NULL

/*
 * Takes a request. PZ_DATA: an INCLUDE lacks a value, a value has another type than the
 * column, a value is not of the expression; strict also: no user or item where one is
 * looked at, AWS's limits. Cheap when only the user differs from the call before.
 */
int pz_filter_run_begin(struct pz_filter_run *r, const struct pz_filter_request *q,
                        struct pz_err *err);

/* ---- one candidate ---- */

struct pz_candidate {
    const char *id;
    size_t n;
    const struct pz_fcell *record; // streamed: one for each field of the subject's
                                   // schema, goes before the stored row; or NULL
};

/*
 * Does the request's answer keep it? A candidate that no dataset knows (and that has no
 * record and no event) matches nothing: INCLUDE drops it, EXCLUDE keeps it.
 */
bool pz_filter_test(struct pz_filter_run *r, const struct pz_candidate *c);

/* ---- all candidates ---- */

/* Maps ids (sorted bytewise, as all pz_ids are; they must outlive it) to rows and
 * evaluates what no request can change. */
struct pz_filter_space;
int pz_filter_space_new(struct pz_filter_space **s, const struct pz_filter *f,
                        const struct pz_ids *ids, struct pz_err *err);
void pz_filter_space_free(struct pz_filter_space *s); // accepts NULL

/*
 * Bit i of bitmap: is candidate i of the space kept? (n+63)/64 words; bits behind n are
 * 0. Fails for lack of memory only, when it is called for a space for the first time.
 */
int pz_filter_items(struct pz_filter_run *r, const struct pz_filter_space *s,
                    uint64_t *bitmap, struct pz_err *err);

/* ---- explaining ---- */

/* The compiled form, a line an instruction; with a space also how many candidates each
 * clause matches (0 and n are worth a thought). r: after a begin. */
int pz_filter_explain(struct pz_filter_run *r, const struct pz_filter_space *s,
                      struct pz_buf *out, struct pz_err *err);
/* Appends why the candidate is kept or dropped, one line without line end. */
bool pz_filter_explain_test(struct pz_filter_run *r, const struct pz_candidate *c,
                            struct pz_buf *out);

#endif
