/*
 * draft: what a group consists of, as its catalogue and its files tell it, before
 * anything is opened (serve/site.h).
 */
#ifndef PZ_SERVE_DRAFT_H
#define PZ_SERVE_DRAFT_H

#include "serve/site.h"
#include "store/estore.h"

/* Another file, or another state of it, has another number, which is odd; or: */
enum { PZ_FILE_NONE = 0, PZ_FILE_UNKNOWN = 2 }; // that cannot be told, for now
uint64_t pz_file_number(const char *path);
/* Only which file it is, whatever is in it. */
uint64_t pz_file_identity(const char *path);
/* Which of the two, by errno, after the file could not be looked at. */
uint64_t pz_file_missing(void);

/*
 * Fills in campaigns (name, solution, version, config; of recommenders also stopped and
 * why), filters and tracking ids of g, which has its path. A campaign without a version
 * gets the latest of its solution, and a solution without a campaign of its name is one.
 * c NULL: there is no catalogue. What was filled in is freed with the group, also on
 * failure.
 */
int pz_draft_read(struct pz_group *g, struct pz_catalog *c, struct pz_estore *trackers,
                  struct pz_err *err);
/* g->print: equal prints, equal groups. The datasets come first, a line each. */
int pz_draft_print(struct pz_group *g, struct pz_err *err);
/* The model file of a campaign; new memory. */
int pz_campaign_path(char **path, const struct pz_group *g, const struct pz_campaign *c,
                     struct pz_err *err);

#endif
