/*
 * html: a comparison as one page: self-contained, inline SVG, no script, light and dark.
 */
#ifndef PZ_REPORT_HTML_H
#define PZ_REPORT_HTML_H

#include "eval/curve.h"
#include "eval/examples.h"
#include "report/text.h"

struct pz_page {
    const struct pz_findings *findings; // of recipes or a model
    const struct pz_world *world;
    const char *group;                  // for the title
    size_t column;                      // the metric in front: a value of users
    const char *metric;                 // its name
    const struct pz_curve *curve;       // NULL: none
    const struct pz_examples *examples; // NULL: none
};

/* Appends the page. PZ_SYSTEM. */
int pz_html_page(struct pz_buf *out, const struct pz_page *p, struct pz_err *err);

#endif
