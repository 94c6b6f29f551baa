/*
 * batch: a stream of requests -> a stream of answers, in the order of the requests.
 *
 * Blocks of lines are read, answered by a pool of threads and written in order. What has
 * arrived on a pipe is answered when nothing more is there to be read, so that a program
 * at the other end may wait for its answer. Threads are started when the first full block
 * comes, not before.
 */
#ifndef PZ_INFER_BATCH_H
#define PZ_INFER_BATCH_H

#include "infer/request.h"
#include "infer/scope.h"

struct pz_batch {
    struct pz_ask_rules rules;
    bool json;    // answers to ids as JSON lines too (JSON lines always get them)
    bool explain; // with reasons
    int threads;  // as pz_threads() takes it
    int out;      // descriptor
    const struct pz_scope *scope; // of the same model; NULL: the model alone
    bool has_log;                 // descriptor `log` gets what is shown:
    int log; // a JSON line an answer, in one write a block, before the block is shown
    const char *origin; // of its lines, as struct pz_answer_form has it
};

struct pz_batch_counts {
    uint64_t requests;
    uint64_t bad;       // lines that were no request
    uint64_t unknown;   // ids that the model does not know
    uint64_t strangers; // requests for a user or item that it does not know, without a
                        // history
};

/* Answers the lines of descriptor `in`, JSON or ids as lines.h tells them apart. */
int pz_batch_stream(const struct pz_batch *b, int in, struct pz_batch_counts *counts,
                    struct pz_err *err);
/* Answers n ids; n 0: the one request that rules.base makes by itself. */
int pz_batch_ids(const struct pz_batch *b, const struct pz_text *id, size_t n,
                 struct pz_batch_counts *counts, struct pz_err *err);

#endif
