/*
 * gate: a filter as a bitmap over what a model answers with, for pz_request.allow: items,
 * users (segments) or actions, called items below.
 *
 * A gate is compiled once and shared by threads; each has a run of its own. Bitmaps of
 * expressions that look at neither the user nor the current item depend on the values of
 * placeholders alone and are kept: the next request with the same values costs a lookup.
 */
#ifndef PZ_INFER_GATE_H
#define PZ_INFER_GATE_H

#include "filter/filter.h"
#include "infer/infer.h"

/* An item as it was put one by one, newer than the datasets. */
struct pz_live_item {
    const char *id;
    size_t n;
    uint32_t index;               // in the model; PZ_NO_ID
    const struct pz_fcell *field; // one for each field of the items schema
    int64_t seq;
};
struct pz_live_items {
    const struct pz_live_item *item; // by id, each once
    size_t n;
    uint64_t version; // another one when anything changed
};

struct pz_gate;
/* PZ_DATA: the expression (pz_filter_compile). PZ_USAGE: it is not about
 * what the model answers with. */
int pz_gate_new(struct pz_gate **g, const char *text, const struct pz_filter_data *data,
                const struct pz_filter_options *o, const struct pz_model *m,
                struct pz_err *err);
void pz_gate_free(struct pz_gate *g); // accepts NULL
const struct pz_filter *pz_gate_filter(const struct pz_gate *g);
/* Has the expression a placeholder of this name? */
bool pz_gate_has_param(const struct pz_gate *g, const char *name, size_t n);

struct pz_gate_run;
int pz_gate_run_new(struct pz_gate_run **r, const struct pz_gate *g, struct pz_err *err);
void pz_gate_run_free(struct pz_gate_run *r); // accepts NULL
/* Bitmaps handed out so far are no longer looked at. */
void pz_gate_begin(struct pz_gate_run *r);
/*
 * The items that may be returned; valid until the next pz_gate_begin. PZ_NEGATIVE without
 * a message: too many bitmaps are in use, begin first. PZ_DATA: pz_filter_run_begin.
 */
int pz_gate_open(struct pz_gate_run *r, const struct pz_filter_request *q,
                 const struct pz_live_items *live, const uint64_t **allow,
                 struct pz_err *err);
/* An item that the model does not know, for the request of the last pz_gate_open. */
bool pz_gate_passes(struct pz_gate_run *r, const char *id, size_t n,
                    const struct pz_live_items *live);

/* NULL when it was not put. */
const struct pz_live_item *pz_live_item_find(const struct pz_live_items *live,
                                             const char *id, size_t n);

#endif
