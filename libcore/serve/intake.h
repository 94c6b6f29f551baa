/*
 * intake: the way of Put* requests to the disk. Requests of all connections wait in a
 * queue, one for each group; its writer takes all that wait into one transaction, and
 * they are answered when it is on disk. So each waits for the transaction before its own
 * and for its own, however many there are.
 */
#ifndef PZ_SERVE_INTAKE_H
#define PZ_SERVE_INTAKE_H

#include "data/putevents.h"
#include "serve/api.h"
#include "serve/shown.h"

struct pz_intakes;
/* max_queue: requests that may wait for each group. */
int pz_intakes_new(struct pz_intakes **in, size_t max_queue, struct pz_err *err);
/* Writes what waits, then ends the writers. */
void pz_intakes_stop(struct pz_intakes *in);
void pz_intakes_free(struct pz_intakes *in); // accepts NULL; stops if need be

struct pz_intake_counts {
    uint64_t requests, events, repeated, records, commits, failures, refused;
    uint64_t waiting;
    double slowest; // seconds of a transaction, since the counts were last read
};
void pz_intakes_count(struct pz_intakes *in, struct pz_intake_counts *n);

/* A request on its way. Belongs to the thread of its connection, but between submit and
 * resume. */
struct pz_put_job {
    struct pz_put *put; // with the rows
    struct pz_http_call *http;
    struct pz_putter *home; // takes it back
    struct pz_put_job *next;
};

/* What a thread reads the requests of one group with. */
struct pz_putter {
    struct pz_putter *next;
    char *group;
    struct pz_shown *shown; // NULL: none
    struct pz_sets *sets;
    char **tracking_id; // copies
    size_t n_tracking_ids;
    struct pz_put_job *idle;
    size_t out;   // jobs on their way
    bool retired; // goes away when all are back
};

/* The putter for a group as it is now, made if need be. `shown` outlives it. */
int pz_putter_get(struct pz_putter **out, struct pz_putter **all,
                  const struct pz_group *g, struct pz_shown *shown, struct pz_err *err);
/* An idle job, made if need be. */
int pz_putter_job(struct pz_put_job **job, struct pz_putter *p, bool strict,
                  struct pz_err *err);
/* Takes a job back; may free the putter. */
void pz_putter_return(struct pz_putter **all, struct pz_put_job *job);
/* Clears away those of groups that the site has no longer, or has otherwise. */
void pz_putters_sweep(struct pz_putter **all, const struct pz_site *site);
void pz_putters_free(struct pz_putter **all);

/*
 * Sends a job, whose call is suspended here, on its way; the writer sets the answer and
 * resumes the call. PZ_NEGATIVE without a message: too many wait, or the end has begun;
 * then the job stays the caller's and the call is not suspended.
 */
int pz_intake_submit(struct pz_intakes *in, const char *group, struct pz_put_job *job,
                     struct pz_err *err);

#endif
