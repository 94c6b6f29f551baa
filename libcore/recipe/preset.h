/*
 * preset: a recipe under another name, with hyperparameters, events and a filter that go
 * with it. The recommenders of Amazon's domains are presets; a JSON file makes one too
 * (pz-recipes(7)).
 */
#ifndef PZ_RECIPE_PRESET_H
#define PZ_RECIPE_PRESET_H

#include "recipe/events.h"

#define PZ_PRESET_EVENTS 10 // event types of one preset

struct pz_preset {
    const char *name, *title, *summary; // title: the use case; NULL: none
    const char *domain;                 // "ECOMMERCE", "VIDEO_ON_DEMAND"; NULL: any
    const char *recipe;                 // what is learned, pz_recipe_find()
    const char *const *param;           // "NAME=VALUE", NULL at the end; NULL: none
    struct pz_event_rule event[PZ_PRESET_EVENTS];
    size_t n_events; // 0: all types
    bool has_threshold;
    double threshold;   // of EVENT_VALUE, for all types
    const char *filter; // goes with every answer; NULL: none
    bool needs_items;   // the items dataset must be there
    bool no_scores;     // answers have none
};

/* Those of Amazon's domains, in the order of the man page, and other names of its recipes;
 * name NULL at the end. */
extern const struct pz_preset pz_presets[];
const struct pz_preset *pz_preset_find(const char *name); // name or ARN; NULL

/*
 * A preset from a JSON file: new memory in *p, for pz_preset_free(). PZ_DATA: what is
 * wrong with it; PZ_SYSTEM: it cannot be read.
 */
int pz_preset_load(struct pz_preset **p, const char *path, struct pz_err *err);
void pz_preset_free(struct pz_preset *p); // accepts NULL

#endif
