/*
 * scope: what requests are answered within, beside the model: the group's filters, what
 * was put since training, promotions, columns of the items. pz_infer() answers requests;
 * a scope completes them before and adds to the answers behind.
 *
 * The scope is shared by threads and does not change; each thread has a run of its own.
 */
#ifndef PZ_INFER_SCOPE_H
#define PZ_INFER_SCOPE_H

#include "infer/live.h"

struct pz_scope {
    const struct pz_model *model;
    const char *group;                 // NULL: no group, nothing live
    const struct pz_filter_data *data; // of the group; all NULL when nothing looks at it
    const struct pz_gate *filter;      // NULL: none
    const struct pz_filter_value *value; // of placeholders, for all requests
    size_t n_values;
    const struct pz_gate *promotion;      // NULL: none
    const char *promotion_name;           // shown with the items
    double percent;                       // of the items wanted, 0 < percent <= 100
    uint64_t seed;                        // of the places of promoted items
    const struct pz_field *const *column; // of items, shown with the answers
    size_t n_columns;
};

/* What is to be promoted in an answer. */
struct pz_promotion {
    struct pz_request request;   // for the items; n is 0 when there are none
    const struct pz_text *fresh; // items that pass and that the model does not know, for
    size_t n_fresh;              // the places that the request leaves open
};

/* The text of the filter that answers of the model take: what was asked for (or NULL),
 * and what the model's preset adds. New memory; NULL: none. */
int pz_scope_filter_text(char **text, const struct pz_model *m, const char *asked,
                         struct pz_err *err);

struct pz_scope_run;
int pz_scope_run_new(struct pz_scope_run **r, const struct pz_scope *s,
                     struct pz_err *err);
/* The same over a view of the caller's, which several runs of a thread may share, one
 * request at a time, and which outlives them. It must read what the scope looks at:
 * events and users where a filter does, items where there is a filter or a column. */
int pz_scope_run_over(struct pz_scope_run **r, const struct pz_scope *s,
                      struct pz_live *live, struct pz_err *err);
void pz_scope_run_free(struct pz_scope_run *r); // accepts NULL

/* Lets go of all requests and looks for what is new in the group. */
int pz_scope_begin(struct pz_scope_run *r, struct pz_err *err);
/* What completed requests point to stays, but their bitmaps: there is room again. */
void pz_scope_flush(struct pz_scope_run *r);
/*
 * Completes a request. *promoted tells which items to promote. PZ_NEGATIVE without a
 * message: no room, answer those completed and flush. PZ_DATA: a filter cannot take it.
 */
int pz_scope_complete(struct pz_scope_run *r, struct pz_request *q,
                      struct pz_promotion *promoted, struct pz_err *err);
/*
 * Puts promoted items, best first, at random places of an answer to q. *out is valid
 * until the next call. An item's mark in *is_promoted.
 */
int pz_scope_promote(struct pz_scope_run *r, const struct pz_request *q,
                     const struct pz_answered *item, size_t n, struct pz_answer *answer,
                     const bool **is_promoted, struct pz_err *err);
/* Column c of an item as text, appended; false: there is no value. */
bool pz_scope_column(struct pz_scope_run *r, const struct pz_text *item, size_t c,
                     struct pz_buf *out);

#endif
