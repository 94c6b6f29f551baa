/*
 * attribution: what stored events add up to, by source and window of time: the metric
 * attribution of Amazon Personalize.
 *
 * The source of an event is its eventAttributionSource; else what gave the answer that
 * its recommendationId names, as a log of pz-recommend or `giver` tells; else
 * "pz-recommend" when it has a recommendationId that no log knows, and
 * "SOURCE_NAME_UNDEFINED" when it has none.
 */
#ifndef PZ_DATA_ATTRIBUTION_H
#define PZ_DATA_ATTRIBUTION_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum pz_metric_of {
    PZ_METRIC_COUNT,  // SAMPLECOUNT()
    PZ_METRIC_EVENTS, // SUM(Interactions.COLUMN)
    PZ_METRIC_ITEMS,  // SUM(Items.COLUMN), of the item of the event
};

struct pz_metric {
    char *name;
    char *type; // of the events that count; NULL: each type by itself
    enum pz_metric_of of;
    char *column; // NULL: SAMPLECOUNT()
};

/* "NAME:EVENT_TYPE:EXPRESSION"; the event type may hold ':'. PZ_USAGE. */
int pz_metric_parse(struct pz_metric *m, const char *text, struct pz_err *err);
void pz_metric_release(struct pz_metric *m); // accepts {0}

struct pz_attribution {
    const char *group;
    int64_t window; // seconds, at least 1
    const struct pz_metric *metric;
    size_t n_metrics;       // 0: EVENTS and EVENT_VALUE of each type
    const char *const *log; // files of pz-recommend --log, plain, gzip or zstd
    size_t n_logs;
    /* Who gave the answer that no log knows; NULL: this one does not know either. May be
     * NULL itself. */
    const char *(*giver)(void *ctx, const char *recommendation);
    void *ctx;
    int64_t after, upto; // events with these seqs (store/estore.h), after < seq <= upto;
                         // upto 0: all
    int threads;
};

struct pz_attributed {
    int64_t start; // of the window, a multiple of its length
    const char *metric, *type, *source;
    const char *function; // "samplecount" or "sum"
    double value;
};

/* Reports as Amazon Personalize writes them, CSV: the first line, and one of the others,
 * as what pz_attribution() calls: ctx is a struct pz_buf, whose status tells of memory.
 */
#define PZ_ATTRIBUTED_HEAD                                                               \
    "METRIC_NAME,EVENT_TYPE,VALUE,MATH_FUNCTION,EVENT_ATTRIBUTION_SOURCE,TIMESTAMP\n"
int pz_attributed_csv(void *ctx, const struct pz_attributed *line);

/*
 * One call a metric, type, source and window in which there is something to count or, for
 * sums, a value; by start, type, source and the order of the metrics. fn's nonzero
 * return ends it and is returned. PZ_USAGE: a metric's column is no numeric one; PZ_DATA:
 * a log is none.
 */
int pz_attribution(const struct pz_attribution *a,
                   int (*fn)(void *ctx, const struct pz_attributed *line), void *ctx,
                   struct pz_err *err);

#endif
