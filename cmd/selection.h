/*
 * selection: the options that say which events and columns count, the same in every tool
 * that learns.
 */
#ifndef PZ_CMD_SELECTION_H
#define PZ_CMD_SELECTION_H

#include "cmd/opt.h"
#include "recipe/limit.h"
#include "recipe/preset.h"

struct pz_selection_opts {
    struct pz_opt_list types; // TYPE[=WEIGHT][>=X]
    double threshold;         // NaN: not given
    struct pz_opt_list include, exclude;
};

/* For a tool's table of options; `o` is a struct pz_selection_opts. */
#define PZ_SELECTION_OPTIONS(o)                                                          \
    {"event-type",                                                                       \
     0,                                                                                  \
     PZ_OPT_LIST,                                                                        \
     &(o).types,                                                                         \
     "TYPE[=WEIGHT][>=X]",                                                               \
     "learn from this type only, may be repeated (default: all)",                        \
     0,                                                                                  \
     0},                                                                                 \
        {"include",                                                                      \
         0,                                                                              \
         PZ_OPT_LIST,                                                                    \
         &(o).include,                                                                   \
         "[DATASET.]COLUMN",                                                             \
         "learn from this column of its dataset only, may be repeated (default: all)",   \
         0,                                                                              \
         0},                                                                             \
        {"exclude",                                                                      \
         0,                                                                              \
         PZ_OPT_LIST,                                                                    \
         &(o).exclude,                                                                   \
         "[DATASET.]COLUMN",                                                             \
         "do not learn from this column, may be repeated",                               \
         0,                                                                              \
         0},                                                                             \
    {                                                                                    \
        "event-value-threshold", 0, PZ_OPT_REAL, &(o).threshold, "X",                    \
            "learn from events with EVENT_VALUE of at least X (default: all)",           \
            -INFINITY, INFINITY                                                          \
    }

/* What was given, else what the preset (or NULL) says; lives as long as the process. A
 * mistake ends it. */
struct pz_selection pz_selection_of(const struct pz_selection_opts *o,
                                    const struct pz_preset *preset, bool strict);
/* The columns; a view of the options. */
struct pz_column_choice pz_columns_of(const struct pz_selection_opts *o);

#endif
