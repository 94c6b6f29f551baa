/*
 * giver: the ids of answers, and whose answer an id names.
 *
 * An id is "RID-" and a UUID. In those that campaigns and recommenders of pz-serve give,
 * the last digits are a mark of the campaign, so that an event which names the id tells
 * its source without a log.
 */
#ifndef PZ_INFER_GIVER_H
#define PZ_INFER_GIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

#define PZ_RECOMMENDATION_ID 41 // room for an id and its NUL
int pz_recommendation_id(char out[PZ_RECOMMENDATION_ID], struct pz_err *err);
/* Puts a mark into an id, in the place of random bits, and reads it; false: it is no such
 * id. Of an id without a mark any number comes. */
void pz_recommendation_mark(char id[PZ_RECOMMENDATION_ID], uint32_t mark);
bool pz_recommendation_marked(const char *id, uint32_t *mark);
/* That of a campaign, or of a recommender: a number for each name and kind. Of 300 of
 * them two are the same with a chance of 1e-5. */
uint32_t pz_recommendation_mark_of(const char *name, bool recommender);

/* Who may have given an answer; {0} is nobody. */
struct pz_givers {
    struct pz_giver *row;
    size_t n, cap;
};
/* `source`, which is copied, is what events of its answers are counted for. */
int pz_givers_add(struct pz_givers *g, const char *name, bool recommender,
                  const char *source, struct pz_err *err);
/* Campaigns, recommenders and solutions of a group, for which pz-serve answers too, by
 * their names. */
int pz_givers_add_group(struct pz_givers *g, const char *group, struct pz_err *err);
/* The source of an id, of a struct pz_givers: the giver of a struct pz_attribution
 * (data/attribution.h). NULL: nobody's. Looks at each: O(n). */
const char *pz_givers_find(void *givers, const char *recommendation);
void pz_givers_release(struct pz_givers *g); // accepts {0}

#endif
