/*
 * svg: small charts as inline SVG, readable at the width of a phone. Colours are classes
 * (c0, c1, ... for series; ink, faint, grid) that the page's style sheet sets for light
 * and dark. Series beyond the eighth take the first colours again.
 */
#ifndef PZ_REPORT_SVG_H
#define PZ_REPORT_SVG_H

#include "base/buf.h"

enum { PZ_SVG_COLOURS = 8 };

/* Text for HTML and SVG, with &, <, > and quotes escaped; control characters and bytes
 * that are not UTF-8 as '?'. */
void pz_svg_text(struct pz_buf *out, const char *s, size_t n);
/* The same of the first `most` bytes, whole characters, with an ellipsis for the rest. */
void pz_svg_text_cut(struct pz_buf *out, const char *s, size_t n, size_t most);

struct pz_svg_mark {
    double value, low, high; // low NaN: no interval; value NaN: nothing
    size_t series;           // colour
};

struct pz_svg_row {
    const char *label;
    const struct pz_svg_mark *mark;
    size_t n;
};

/* Rows of dots with intervals on one axis from 0; with one mark a row its value stands at
 * the right. */
void pz_svg_dots(struct pz_buf *out, const char *title, const struct pz_svg_row *row,
                 size_t n);

struct pz_svg_line {
    const double *x, *y;
    const double *low, *high; // NULL: no band
    size_t n, series;
    bool dots, dashed;
};

struct pz_svg_axis {
    const char *label;
    double low, high; // low == high: from the data, with 0
    bool percent;
};

void pz_svg_lines(struct pz_buf *out, const char *title, const struct pz_svg_axis *x,
                  const struct pz_svg_axis *y, const struct pz_svg_line *line, size_t n);

struct pz_svg_point {
    const char *label;
    double x, y;
    size_t series;
};

void pz_svg_scatter(struct pz_buf *out, const char *title, const struct pz_svg_axis *x,
                    const struct pz_svg_axis *y, const struct pz_svg_point *point,
                    size_t n);

#endif
