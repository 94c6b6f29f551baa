/*
 * rejects: bad rows of a parallel import, handled as if one thread had read the files.
 *
 * Each chunk's bad rows are handed in when the chunk is done; they take effect in chunk
 * order, so that the row that exceeds the limit, the order of messages and the rejects
 * file do not depend on threads.
 */
#ifndef PZ_DATA_REJECTS_H
#define PZ_DATA_REJECTS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/file.h"

/* The bad rows of one chunk: messages, each with its NUL, and the rows as they stood. */
struct pz_rejected {
    struct pz_buf messages, raw;
    size_t *raw_end; // of each row in raw
    size_t n, cap;
};

struct pz_rejects {
    pthread_mutex_t lock;
    uint64_t next; // chunk whose turn it is
    struct pz_rejects_wait *waiting;
    int64_t max; // -1: any number
    uint64_t n;
    bool stop; // the limit is exceeded (or writing failed): status and err say how
    struct pz_err err;
    struct pz_out out; // the rejects file
    bool writing;
    void (*bad_row)(void *ctx, const char *message);
    void *ctx;
};

/* path NULL: no rejects file. `header` (may be empty) becomes its first line. */
int pz_rejects_open(struct pz_rejects *r, const char *path, int64_t max,
                    void (*bad_row)(void *ctx, const char *message), void *ctx,
                    struct pz_err *err);
int pz_rejects_header(struct pz_rejects *r, const char *header, size_t n,
                      struct pz_err *err);
void pz_rejects_close(struct pz_rejects *r);
/* Makes the rejects file; nothing when no row was rejected. */
int pz_rejects_commit(struct pz_rejects *r, struct pz_err *err);
/* When no row was rejected: removes the rejects file of an earlier import, so that the
 * file tells what the last one rejected. For the end of an import, because the file may
 * have been its input. PZ_SYSTEM when it is there and cannot be removed. */
int pz_rejects_clear(struct pz_rejects *r, struct pz_err *err);

int pz_rejected_add(struct pz_rejected *c, const char *message, const char *raw,
                    size_t n_raw, struct pz_err *err);
void pz_rejected_release(struct pz_rejected *c);
/* Chunk `seq` is done; takes the content of *c over and empties it. Every chunk must be
 * handed in once, also those without bad rows. True: stop reading. */
bool pz_rejects_done(struct pz_rejects *r, uint64_t seq, struct pz_rejected *c);

#endif
