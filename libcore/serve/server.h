/*
 * server: the parts of pz-serve(1) put together: listening (http), groups (site), the
 * event stores (intake), and for each thread what it answers with.
 */
#ifndef PZ_SERVE_SERVER_H
#define PZ_SERVE_SERVER_H

#include "base/rng.h"
#include "serve/api.h"
#include "serve/desk.h"
#include "serve/intake.h"
#include "serve/round.h"
#include "serve/seen.h"
#include "serve/shown.h"
#include "serve/sigv4.h"

struct pz_server_options {
    const char *group, *root;     // as pz_keeper_options
    const char *listen;           // "ADDRESS:PORT"
    const char *region, *account; // of ARNs
    const char *s3_root;          // s3://BUCKET/KEY is BUCKET/KEY below it; NULL: none
    int threads;
    unsigned max_connections;
    size_t max_queue;           // Put* requests that may wait for the disk
    size_t shown_bytes;         // of lists that were answered; 0: none is remembered
    uint64_t seed;              // of the places of promoted items
    bool strict;                // AWS's limits
    int access_log;             // descriptor; -1: none
    bool access_json;           // as JSON lines, else logfmt
    double late_seconds;        // as pz_http_options
    const struct pz_keys *keys; // requests must be signed; NULL: need not
    int64_t max_skew;           // seconds between a request's clock and ours
};

/* What a thread has. Only its own thread looks into it. */
struct pz_worker {
    struct pz_server *server;
    int index;
    struct pz_site *site;
    struct pz_site **old; // that calls of this batch may look into
    size_t n_old, cap_old;
    const struct pz_site *swept; // when desks were last cleared away
    struct pz_rng rng;           // of request ids
    struct pz_desk *desks;
    struct pz_round *round; // NULL: nothing was asked yet
    struct pz_putter *putters;
    struct pz_buf text; // scratch for messages
    struct pz_sig_cache sign;
    struct pz_buf log; // lines of the access log that wait for the end of the batch
};

struct pz_server {
    struct pz_server_options o;
    struct pz_arn_home home;
    struct pz_keeper *keeper;
    struct pz_control *control;
    struct pz_console *console;
    struct pz_intakes *intakes;
    struct pz_http *http;
    struct pz_worker *worker; // o.threads
    struct pz_seen *seen;     // signatures of Put* requests
    struct pz_shown *shown;   // what was answered, for impressions; or NULL
    double began;
    _Atomic uint64_t requests[PZ_N_SERVICES], faults[PZ_N_FAULTS];
    _Atomic bool stopping;
};

int pz_server_new(struct pz_server **s, const struct pz_server_options *o,
                  struct pz_err *err);
int pz_server_start(struct pz_server *s, struct pz_err *err);
const char *pz_server_address(const struct pz_server *s);
/* Looks at the groups now. */
void pz_server_look(struct pz_server *s);
/* Ends what was begun, for `seconds` at most; what was acknowledged is on disk. */
void pz_server_stop(struct pz_server *s, double seconds);
void pz_server_free(struct pz_server *s); // accepts NULL; after stop, if it was started

#endif
