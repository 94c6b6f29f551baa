/*
 * round: requests for recommendations that are there at one time, answered together.
 *
 * Nothing waits for company: what a thread's event loop has read in one turn is a round,
 * be it one request or many. Those for one deployment go through one pz_infer(), which
 * reads the items of a model once for several of them; it is what bounds the rate of a
 * busy server. An answer, and an error, is what it would be without the others.
 */
#ifndef PZ_SERVE_ROUND_H
#define PZ_SERVE_ROUND_H

#include "serve/api.h"
#include "serve/desk.h"

enum {
    PZ_ROUND = PZ_DESK_SCOPES, // answered at once, at most: each may have its own scope
    PZ_FILTER_VALUES = 25,
};

/* A request. What it points to is in the site of the round, in the body of its call and
 * in itself. */
struct pz_inquiry {
    struct pz_call call;
    const char *list; // the answer's member with the items
    const struct pz_group *group;
    const struct pz_campaign *campaign; // NULL: not found
    struct pz_deploy *deploy;
    struct pz_request q;
    struct pz_scope_key key;
    struct pz_filter_value value[PZ_FILTER_VALUES], promotion_value[PZ_FILTER_VALUES];
    const char *promotion; // its name; NULL: there is none
    struct pz_text *input; // of inputList; the inquiry's own
    bool actions;
    // The rest is the round's.
    struct pz_scope_run *run;
    struct pz_answered *promoted;
    size_t n_promoted;
    bool done;
};

/* Those of one thread. */
struct pz_round;
void pz_round_free(struct pz_round *r); // accepts NULL

/* An empty inquiry for a call; what was added is answered first when there is no room.
 * NULL: no memory, the call has failed. */
struct pz_inquiry *pz_round_take(struct pz_call *call, const char *list);
/* The inquiry is filled in, or its call has failed: then it is answered. Else it is put
 * off, and the body is no longer the call's. `call` is the one it was taken for. */
enum pz_http_when pz_round_add(struct pz_inquiry *a, struct pz_call *call);
/* Answers all that were added. Before the thread takes another site. NULL: none. */
void pz_round_answer(struct pz_round *r);

#endif
