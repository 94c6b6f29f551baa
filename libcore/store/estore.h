/*
 * estore: the group's event store, what was put one by one since the last bulk import
 * (pz-group(5)): events of users with items and actions, and records of items, users and
 * actions. It lives in GROUP/group.db.
 *
 * Writing: pz_estore_begin(), any number of pz_estore_add() and pz_estore_put(), then
 * pz_estore_commit(). When commit returns PZ_OK all of it is on disk; until then none of
 * it is there for anyone. One process writes at a time, the others wait for it; readers
 * wait for nobody and see what was committed when their call began (or, between
 * pz_estore_hold and pz_estore_let_go, when the hold's first call began).
 *
 * An event is stored once: of two with one id, or with the same content (kind, user (or
 * session, without user), item, type, time, value, impression, recommendation, source
 * and properties), the first stays. An event without an id has one that derives from time
 * and content.
 *
 * Sessions: the first event that carries a session and a user links them. Events of the
 * session without a user are that user's from then on, those before the link too.
 *
 * Errors are those of catalog.h. A handle is used by one thread at a time.
 */
#ifndef PZ_STORE_ESTORE_H
#define PZ_STORE_ESTORE_H

#include <stdbool.h>
#include <stdint.h>

#include "store/catalog.h"

enum pz_event_kind { PZ_EVENT_ITEM, PZ_EVENT_ACTION };
/* Records; what is put under an id that is there replaces it. */
enum pz_record_kind { PZ_RECORD_ITEM, PZ_RECORD_USER, PZ_RECORD_ACTION };

#define PZ_EVENT_ID_TEXT 40 // room for a derived id

/* NULL: absent. When reading, strings are valid until the callback returns. */
struct pz_event {
    enum pz_event_kind kind;
    const char *id;   // writing: NULL derives one; reading: never NULL
    const char *user; // user or session is there; reading: also the linked user
    const char *session;
    const char *item; // or action
    const char *type;
    const char *recommendation, *source;
    const char *impression; // '|' between item ids
    bool implicit; // writing: the impression is that of the recommendation, as far as it
                   // is known: events that differ in it alone are the same
    const char *properties; // JSON object: other columns of the schema, by their names
    bool linked;            // reading: the user is not the event's own
    bool has_value;
    double value;
    int64_t time; // Unix seconds
    int64_t seq;  // reading: rises with every event that is stored, in order of commits
};

struct pz_estore;

/*
 * Was anything ever put? Looks for one file, GROUP/events.mark, which the first writer
 * makes before its first commit, so that readers of a group without events need not open
 * a database. PZ_SYSTEM.
 */
int pz_estore_used(const char *group, bool *used, struct pz_err *err);

/* READ works on a group without an event store: it is empty. */
int pz_estore_open(struct pz_estore **s, const char *group, enum pz_catalog_mode mode,
                   struct pz_err *err);
void pz_estore_close(struct pz_estore *s); // accepts NULL; undoes what was not committed

/* ---- writing ---- */

int pz_estore_begin(struct pz_estore *s, struct pz_err *err);
/* *stored false: it was there already. id (may be NULL) becomes the derived id of an
 * event without one, as a UUID (version 8), and stays as it is for others. */
int pz_estore_add(struct pz_estore *s, const struct pz_event *e, bool *stored,
                  char id[PZ_EVENT_ID_TEXT], struct pz_err *err);
/* properties: a JSON object, columns by name. time: Unix seconds of the put. */
int pz_estore_put(struct pz_estore *s, enum pz_record_kind kind, const char *id,
                  const char *properties, int64_t time, struct pz_err *err);
int pz_estore_commit(struct pz_estore *s, struct pz_err *err);
void pz_estore_rollback(struct pz_estore *s);
/* Removes all that is stored of users, in a transaction of its own: events, those of
 * linked sessions too, links and records; then writes the file anew without a byte of
 * what was ever removed. *events counts the events. */
int pz_estore_forget(struct pz_estore *s, const char *const *user, size_t n,
                     uint64_t *events, struct pz_err *err);
/* Removes events by their seq, in a transaction of its own. */
int pz_estore_drop_events(struct pz_estore *s, const int64_t *seq, size_t n,
                          struct pz_err *err);
/* Removes records by their ids (n of them, each with its NUL) as far as they were not put
 * again after seq `last`. A transaction of its own. */
int pz_estore_drop_records(struct pz_estore *s, enum pz_record_kind kind, const char *ids,
                           size_t n, int64_t last, struct pz_err *err);

/* Removes all events, or all records, of a kind, between pz_catalog_begin() and commit:
 * deleting a dataset. */
int pz_estore_clear_events(struct pz_catalog *c, enum pz_event_kind kind,
                           struct pz_err *err);
int pz_estore_clear_records(struct pz_catalog *c, enum pz_record_kind kind,
                            struct pz_err *err);

/* ---- reading ---- */

/* A nonzero return ends the walk and is returned. */
typedef int (*pz_event_fn)(void *ctx, const struct pz_event *e);

/* All calls until let_go see one state. */
int pz_estore_hold(struct pz_estore *s, struct pz_err *err);
void pz_estore_let_go(struct pz_estore *s);

/* Events of a user (with linked sessions) or of a session with seq > after, oldest first;
 * the last `limit` (0: all). Costs a step in an index for each event of theirs, and some
 * fifty times that for each one with seq > after, which is sorted. */
int pz_estore_user(struct pz_estore *s, enum pz_event_kind kind, const char *user,
                   int64_t after, uint64_t limit, pz_event_fn fn, void *ctx,
                   struct pz_err *err);
int pz_estore_session(struct pz_estore *s, enum pz_event_kind kind, const char *session,
                      int64_t after, uint64_t limit, pz_event_fn fn, void *ctx,
                      struct pz_err *err);
/* All events with seq > after, in order of seq. The user is the linked one where an event
 * has a session only, and NULL where none is known. */
int pz_estore_walk(struct pz_estore *s, enum pz_event_kind kind, int64_t after,
                   pz_event_fn fn, void *ctx, struct pz_err *err);

/* The newest record of an id: PZ_NEGATIVE (without a message) when there is none. */
typedef int (*pz_record_fn)(void *ctx, const char *id, const char *properties,
                            int64_t time);
int pz_estore_record(struct pz_estore *s, enum pz_record_kind kind, const char *id,
                     pz_record_fn fn, void *ctx, struct pz_err *err);
/* All records of a kind, in the order of their ids; with seq > after. */
int pz_estore_records(struct pz_estore *s, enum pz_record_kind kind, int64_t after,
                      pz_record_fn fn, void *ctx, struct pz_err *err);

/* Opens what is there now: a catalogue where there was none, or one that has become stale
 * (pz_catalog_stale). Cheap when nothing has happened; not between hold and let_go. */
int pz_estore_renew(struct pz_estore *s, struct pz_err *err);
/* Has another process committed anything since the last call (the first says yes)? Costs
 * a look into shared memory: cheap enough for every request. */
int pz_estore_changed(struct pz_estore *s, bool *changed, struct pz_err *err);
/* The highest seq given to an event or a record; 0 when nothing was ever stored. */
int pz_estore_last(struct pz_estore *s, int64_t *seq, struct pz_err *err);

struct pz_estore_counts {
    uint64_t events, anonymous; // anonymous: of sessions that no user is linked to
    uint64_t action_events, sessions, linked_sessions;
    uint64_t items, users, actions; // records
    int64_t first, last;            // times of events; 0 without events
};
int pz_estore_count(struct pz_estore *s, struct pz_estore_counts *n, struct pz_err *err);
/* Events by type, most first. type "": without. */
int pz_estore_types(struct pz_estore *s, enum pz_event_kind kind,
                    int (*fn)(void *ctx, const char *type, uint64_t n), void *ctx,
                    struct pz_err *err);

/* How often a user's id occurs. */
struct pz_estore_trace {
    uint64_t events, sessions, records;
};
int pz_estore_trace(struct pz_estore *s, const char *user, struct pz_estore_trace *n,
                    struct pz_err *err);

/* ---- event trackers ---- */

struct pz_tracker {
    const char *name, *tracking_id;
    int64_t created;
};
/* PZ_USAGE when the name (or id) is taken. */
int pz_estore_add_tracker(struct pz_estore *s, const struct pz_tracker *t,
                          struct pz_err *err);
int pz_estore_trackers(struct pz_estore *s,
                       int (*fn)(void *ctx, const struct pz_tracker *t), void *ctx,
                       struct pz_err *err);

#endif
