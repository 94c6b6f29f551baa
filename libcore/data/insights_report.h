/* insights_report: the figures between insights.c and insights_print.c; private to them.
 */
#ifndef PZ_DATA_INSIGHTS_REPORT_H
#define PZ_DATA_INSIGHTS_REPORT_H

#include "data/insights.h"

/* Quantiles are values that occur (nearest rank). */
struct pz_spread {
    uint64_t n;
    double min, q25, median, q75, q90, q99, max, mean;
    double skew;       // third standardized moment; 0 when all are equal
    uint64_t outliers; // more than 3 interquartile ranges outside of the quartiles
    bool sampled;      // the quantiles are those of evenly spaced values
};

struct pz_column_report {
    const struct pz_column *column;
    uint64_t filled;         // not null
    uint64_t distinct;       // strings: values; categorical ones: parts between '|'
    uint64_t longest;        // strings: characters
    struct pz_spread spread; // numbers
};

struct pz_count { // of an id or a dictionary code
    uint32_t id;
    uint64_t n;
};

enum { PZ_TOP = 10, PZ_MAX_MINIMUMS = 4 };

struct pz_set_report {
    const struct pz_dataset *d; // NULL: not there
    struct pz_column_report *column;
    uint64_t orphans;   // items, users: those without interactions
    uint64_t strangers; // ids in the interactions that are not here
};

struct pz_minimum {
    const char *key, *label;
    double have, need, advised; // advised 0: nothing
};

enum pz_level { PZ_LEVEL_ERROR, PZ_LEVEL_WARNING, PZ_LEVEL_ADVICE };

struct pz_finding {
    enum pz_level level;
    const char *check;
    char text[512];
};

struct pz_report {
    struct pz_set_report interactions, items, users;
    struct pz_spread per_user, per_item; // interactions
    int64_t first, last;                 // times
    uint64_t same_second;        // rows with the user and the time of the row before
    struct pz_count *event_type; // by falling count, then by name
    size_t n_event_types;
    const struct pz_column *event_column;
    struct pz_count top[PZ_TOP]; // items
    size_t n_top;
    struct pz_minimum minimum[PZ_MAX_MINIMUMS];
    size_t n_minimums;
    struct pz_finding *finding;
    size_t n_findings, cap_findings;
};

void pz_report_text(const struct pz_report *r, struct pz_buf *out);
void pz_report_json(const struct pz_report *r, struct pz_buf *out);

#endif
