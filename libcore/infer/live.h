/*
 * live: what was put one by one since the model was trained (pz-event(1)), for answers.
 *
 * A group whose event store was never used costs a look for one file: SQLite is not
 * touched. One thread has one view. What a view hands out is valid until the next
 * pz_live_begin().
 */
#ifndef PZ_INFER_LIVE_H
#define PZ_INFER_LIVE_H

#include "base/arena.h"
#include "infer/gate.h"
#include "infer/infer.h"

struct pz_live_options {
    const char *group; // NULL: nothing is live
    const struct pz_model *model;
    // Borrowed. What is NULL is not read: fields of events, of what the model answers
    // with (called items here), of users.
    const struct pz_schema *events, *items, *users;
};

/* A user's events, oldest first. */
struct pz_live_user {
    const struct pz_text *recent; // those the model has not learned, for pz_request
    const float *weight;          // NULL: all 1
    const int64_t *time;          // Unix seconds
    size_t n_recent;
    const struct pz_filter_event *event; // all of them, where options.events is there
    size_t n_events;
    const struct pz_fcell *record; // the user as it was put; NULL
};

struct pz_live;
int pz_live_new(struct pz_live **l, const struct pz_live_options *o, struct pz_err *err);
void pz_live_free(struct pz_live *l); // accepts NULL
/* Lets go of all users and looks for what is new: cheap when nothing is. */
int pz_live_begin(struct pz_live *l, struct pz_err *err);
/* Is there anything at all? */
bool pz_live_any(const struct pz_live *l);
/* Of a user, or of a session that is named in its place. */
int pz_live_user(struct pz_live *l, const char *id, size_t n, struct pz_live_user *out,
                 struct pz_err *err);
/* What happened to the items since the model was trained, for answers that explore; NULL:
 * nothing. Read at the first call after pz_live_begin(). */
int pz_live_lately(struct pz_live *l, const struct pz_lately **out, struct pz_err *err);
/* Items that were put, where options.items is there. */
const struct pz_live_items *pz_live_items(const struct pz_live *l);

#endif
