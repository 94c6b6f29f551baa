/*
 * text: what a comparison found, as tables and JSON lines.
 */
#ifndef PZ_REPORT_TEXT_H
#define PZ_REPORT_TEXT_H

#include "eval/compare.h"
#include "eval/figures.h"
#include "eval/segment.h"
#include "eval/shown.h"

struct pz_findings {
    const struct pz_compared *compared;
    const struct pz_entries *entries;
    const struct pz_shown *shown;
    const struct pz_segments *segments; // NULL: none
    const char *protocol;               // NULL: lists from elsewhere
    const char *part;                   // "test" or "validation"
    size_t base;
    /* The id of a user, which draws name by their index. */
    const char *(*user_id)(const void *ids, uint32_t user, size_t *n);
    const void *ids;
};

/*
 * Tables have a header and cells separated by tabs; `aligned`, for people, by blanks.
 * NaN is "-". Failures are in the buffer's status.
 */

/* A row an entry; with segments a row each behind it. */
void pz_text_means(struct pz_buf *out, const struct pz_findings *f, bool aligned);
/* A row an entry and metric, with intervals and differences. */
void pz_text_intervals(struct pz_buf *out, const struct pz_findings *f, bool aligned);
/* A line of JSON an entry. */
void pz_text_json(struct pz_buf *out, const struct pz_findings *f);
/* A row an entry, draw and user: events given, true items, first rank (0: not found) and
 * the shown metrics of single users in full precision. */
void pz_text_users(struct pz_buf *out, const struct pz_findings *f);

/* Of recipes that do not answer with items: a row an entry, and below it its baseline. */
void pz_text_figures(struct pz_buf *out, const struct pz_entries *entries,
                     const struct pz_figures *figures, bool aligned);
/* A line of JSON an entry. */
void pz_text_figures_json(struct pz_buf *out, const struct pz_entries *entries,
                          const struct pz_figures *figures);

#endif
