/*
 * locate: which model file is meant. Looks at the folders GROUP/models/SOLUTION/ only, so
 * that answering needs no catalogue and a group that was copied works at once.
 */
#ifndef PZ_INFER_LOCATE_H
#define PZ_INFER_LOCATE_H

#include <stdbool.h>

#include "base/err.h"

/*
 * The path of a solution version, a new string. `solution` is "SOLUTION/VERSION", or
 * "SOLUTION" for its latest version (versions sort by time), or NULL for the only
 * solution of the group. PZ_USAGE, naming those that exist, when there is none such.
 */
int pz_locate_model(char **path, const char *group, const char *solution,
                    struct pz_err *err);

/* Calls fn for each solution of the group that has a version, with the name of its latest
 * one; a nonzero return ends the walk and is returned. */
int pz_locate_solutions(const char *group,
                        int (*fn)(void *ctx, const char *solution, const char *version),
                        void *ctx, struct pz_err *err);

/* Calls fn for each version of each solution and the path of its file, in order of their
 * names; or, of the versions of a solution, the latest first. A nonzero return ends the
 * walk and is returned. */
typedef int (*pz_locate_fn)(void *ctx, const char *path, const char *solution,
                            const char *version);
int pz_locate_models(const char *group, bool latest_first, pz_locate_fn fn, void *ctx,
                     struct pz_err *err);

#endif
