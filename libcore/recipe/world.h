/*
 * world: a group as a training sees it: its datasets together with what was put since
 * they were imported, and the two id lists that a model will have.
 *
 * Users are those of the interactions. Items are those of the interactions and of the
 * items dataset, so that a recipe may learn from columns of items that nobody had yet,
 * and a model can answer with them.
 */
#ifndef PZ_RECIPE_WORLD_H
#define PZ_RECIPE_WORLD_H

#include "data/stored.h"
#include "recipe/events.h"

struct pz_world {
    const struct pz_dataset *interactions; // or action interactions
    const struct pz_dataset *items;        // or actions; NULL: there are none
    const struct pz_dataset *users;        // NULL: there are none
    const struct pz_dataset *with_items;   // of a world of actions: the interactions with
                                           // items; NULL: there are none
    struct pz_ids user, item;              // of the model, sorted bytewise; no tables
    const uint32_t *item_of;  // an item of interactions -> of the model; NULL: the same
    const uint32_t *item_row; // an item of the model -> row of `items` or PZ_NO_ID; NULL
    const uint32_t *user_row; // a user of the model -> row of `users` or PZ_NO_ID; NULL
    const uint32_t *with_items_user; // -> user of `with_items` or PZ_NO_ID; NULL
    struct pz_stored_report put;     // of the interactions
    bool alone;                      // there are no interactions
    struct {                         // what a world made by pz_world_open owns
        struct pz_dataset interactions, items, users, with_items;
        uint8_t *bytes;
        int64_t *offsets;
        uint32_t *item_of, *item_row, *user_row, *with_items_user;
    } own;
};

/*
 * Opens a group, checks its datasets (hashes, and every index that is used as one) and
 * numbers the items: O(bytes of the datasets). `set` is PZ_INTERACTIONS or
 * PZ_ACTION_INTERACTIONS (items are actions then). PZ_NEGATIVE without a message: it has
 * no such interactions. PZ_FORMAT: a damaged dataset.
 */
int pz_world_open(struct pz_world *w, const char *group, enum pz_set set, int threads,
                  struct pz_err *err);
/* The same of a group that has items and no interactions: no users, no events, `alone`.
 * PZ_NEGATIVE without a message: it has no items either. */
int pz_world_open_items(struct pz_world *w, const char *group, int threads,
                        struct pz_err *err);
/* The world of interactions alone, borrowed; needs no close. */
void pz_world_of(struct pz_world *w, const struct pz_dataset *interactions);
/* Of its datasets hardly anything is read any more: their pages go out of memory. */
void pz_world_rest(const struct pz_world *w);
void pz_world_close(struct pz_world *w); // accepts {0}

/* pz_events_select with the items numbered as in the model. Of items alone no events are
 * selected; PZ_USAGE: some were wanted. */
int pz_world_select(const struct pz_world *w, const struct pz_selection *s,
                    struct pz_events *out, struct pz_selection_report *report,
                    struct pz_err *err);

#endif
