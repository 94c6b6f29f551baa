/*
 * event_jobs: what pz-event(1) does beside recording: event trackers, moving the store
 * into the datasets, and the report of what events add up to.
 *
 * Each prints what it has to say; a mistake or a failure ends the process.
 */
#ifndef PZ_CMD_EVENT_JOBS_H
#define PZ_CMD_EVENT_JOBS_H

#include <stdbool.h>

#include "cmd/opt.h"

void pz_event_list_trackers(const char *group);
/* `only`: the group must have none. */
void pz_event_create_tracker(const char *group, const char *name, bool only);

/* older_than: "90s", "12h" ...; NULL: all. */
void pz_event_compact(const char *group, const char *older_than);

struct pz_event_report {
    const char *window;                     // "15m"
    const struct pz_opt_list *metric, *log; // of --metric and --log
    bool strict;                            // AWS's number of metrics is the most
};
void pz_event_attribution(const char *group, const struct pz_event_report *r);

#endif
