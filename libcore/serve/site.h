/*
 * site: what is there to be answered from: groups, and of each its datasets, filters,
 * event trackers, and campaigns with their models.
 *
 * A site is a snapshot that does not change; threads share it without locks. The keeper
 * looks several times a second whether catalogue, datasets or model files have changed,
 * opens what is new beside what is in use, and then makes a new site. Requests that are
 * being answered go on with the old one, so that no request meets half of a change, and
 * none fails for one. What cannot be opened does not come into the site: a campaign
 * keeps the version it had, and a group that cannot be looked at all that it had, until a
 * look at it succeeds. When that is for want of something that comes and goes, the site
 * is partial: what is not in it may be there all the same.
 */
#ifndef PZ_SERVE_SITE_H
#define PZ_SERVE_SITE_H

#include <pthread.h>
#include <stdatomic.h>

#include "filter/group.h"
#include "infer/gate.h"
#include "infer/infer.h"
#include "store/catalog.h"

/* The datasets of a group as they were when they were opened. */
struct pz_sets {
    _Atomic int refs;
    struct pz_filter_group g;
};

/* A filter, compiled for a model. Lives as long as the deployment. */
struct pz_compiled {
    struct pz_compiled *next;
    char *expression;
    struct pz_gate *gate;
};

/* A solution version in service. */
struct pz_deploy {
    _Atomic int refs;
    char *group;   // directory
    char *path;    // of the model
    uint64_t file; // tells apart files that had one name
    struct pz_sets *sets;
    struct pz_model model;
    pthread_mutex_t lock;
    struct pz_compiled *compiled; // guarded by lock
};

enum { PZ_LATENCIES = 12 };
extern const double pz_latency_bound[PZ_LATENCIES]; // seconds; the last is infinite

/* What was asked of a campaign since the start. Never freed. */
struct pz_usage {
    struct pz_usage *next;
    char *group, *campaign;
    _Atomic uint64_t requests, errors, cold, filtered, short_lists;
    _Atomic uint64_t latency[PZ_LATENCIES], nanoseconds;
};

struct pz_campaign { // or recommender
    char *name;
    bool recommender;         // pz-serve made it; its solution has the same name
    bool stopped;             // a recommender that is not ACTIVE
    char *solution, *version; // version NULL: the latest
    char *config; // campaignConfig, JSON; NULL: a solution that has no campaign
    struct pz_explore explore; // weight 0: answers do not explore
    bool has_influence;
    struct pz_influence influence;
    struct pz_deploy *deploy; // NULL: nothing to answer from, and
    char *why;                // why
    bool lost;                // ... which may be over soon: no memory, no descriptor
    struct pz_usage *usage;
};

struct pz_named { // a filter
    char *name, *expression;
};

struct pz_house; // what of a group lasts from site to site
struct pz_group {
    _Atomic int refs;
    const char *name, *path;
    struct pz_house *house;
    struct pz_sets *sets;
    struct pz_campaign
        *campaign; // by name; solutions without a campaign of their name too
    size_t n_campaigns, cap_campaigns;
    struct pz_named *filter;
    size_t n_filters, cap_filters;
    char **tracking_id;
    size_t n_tracking_ids, cap_tracking_ids;
    struct pz_buf print; // of all that it was made from
};

struct pz_site {
    _Atomic int refs;
    struct pz_group **group;
    size_t n_groups;
    bool partial; // a group could not be looked at, for now
};

struct pz_keeper;
struct pz_keeper_options {
    const char *group; // one group; or
    const char *root;  // a directory of groups
    double seconds;    // between looks
    bool strict;       // filters as AWS takes them
};

/* Makes the first site. Fails when the directory cannot be read; a group that is damaged
 * is told of in the log. */
int pz_keeper_new(struct pz_keeper **k, const struct pz_keeper_options *o,
                  struct pz_err *err);
int pz_keeper_start(struct pz_keeper *k, struct pz_err *err); // its thread
void pz_keeper_free(struct pz_keeper *k); // accepts NULL; sites must have been let go of

/* The site as it is now, in place of `old` (NULL: none), which is let go of. Cheap when
 * nothing changed. */
struct pz_site *pz_keeper_site(struct pz_keeper *k, struct pz_site *old);
void pz_site_free(struct pz_site *w); // lets go; accepts NULL
/* Looks now, and not when it is time: before something is said not to exist, and after
 * the catalogue was changed. */
int pz_keeper_look(struct pz_keeper *k, struct pz_err *err);
/* Calls fn for the usage of each campaign that there is; not guarded against one another.
 */
void pz_keeper_usages(struct pz_keeper *k,
                      void (*fn)(void *ctx, const struct pz_usage *u), void *ctx);
void pz_usage_add(struct pz_usage *u, double seconds);

const struct pz_group *pz_site_group(const struct pz_site *w, const char *name, size_t n);
/* The campaign or the recommender of that name, of all groups; or else the solution.
 * NULL: none or, with *several true, more than one. */
const struct pz_campaign *pz_site_campaign(const struct pz_site *w, bool recommender,
                                           const char *name, size_t n,
                                           const struct pz_group **group, bool *several);
const struct pz_group *pz_site_tracker(const struct pz_site *w, const char *id);
const struct pz_named *pz_group_filter(const struct pz_group *g, const char *name,
                                       size_t n);

void pz_deploy_keep(struct pz_deploy *d);
void pz_deploy_free(struct pz_deploy *d); // lets go; accepts NULL
void pz_sets_keep(struct pz_sets *s);
void pz_sets_free(struct pz_sets *s);
/* The filter as a gate over the model's items; compiled once. PZ_DATA: pz_gate_new. */
int pz_deploy_gate(struct pz_deploy *d, const char *expression, bool strict,
                   const struct pz_gate **gate, struct pz_err *err);

#endif
