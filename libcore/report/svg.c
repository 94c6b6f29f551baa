#include "report/svg.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"

enum { WIDTH = 360, HEIGHT = 230, LEFT = 46, RIGHT = 20, TOP = 12, BOTTOM = 40 };
enum { ROW = 36, MOST_TICKS = 8 };

void
pz_svg_text(struct pz_buf *out, const char *s, size_t n)
{
    static const char special[] = "&<>\"'";
    static const char *const name[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;"};
    size_t valid = pz_utf8_valid(s, n);
    for (size_t i = 0; i < n; i++) {
        const char *at = s[i] ? strchr(special, s[i]) : NULL;
        bool bad = (unsigned char)s[i] < 0x20 || s[i] == 0x7f || i == valid;
        if (i == valid) // what follows may be good again
            valid = i + 1 + pz_utf8_valid(s + i + 1, n - i - 1);
        if (at)
            pz_buf_addz(out, name[at - special]);
        else
            pz_buf_addc(out, bad ? '?' : s[i]);
    }
}

void
pz_svg_text_cut(struct pz_buf *out, const char *s, size_t n, size_t most)
{
    size_t whole = n <= most ? n : pz_utf8_valid(s, most);
    pz_svg_text(out, s, whole);
    if (whole < n)
        pz_buf_addz(out, "&hellip;");
}

static void
add_text(struct pz_buf *out, const char *s)
{
    pz_svg_text(out, s, strlen(s));
}

static void
begin(struct pz_buf *out, const char *title, double height)
{
    pz_buf_addf(out, "<svg viewBox=\"0 0 %d %.0f\" role=\"img\" aria-label=\"", WIDTH,
                height);
    add_text(out, title);
    pz_buf_addz(out, "\">\n");
}

/* ---- axes ---- */

struct scale {
    double low, high, from, to; // values, and where they are drawn
    double tick[MOST_TICKS + 2];
    size_t n_ticks;
    int digits;
    bool percent;
};

static double
at(const struct scale *s, double v)
{
    return s->from + (v - s->low) / (s->high - s->low) * (s->to - s->from);
}

/* About four steps of 1, 2 or 5 times a power of ten. */
static struct scale
scale_of(double low, double high, double from, double to, bool percent)
{
    struct scale s = {
        .low = low, .high = high, .from = from, .to = to, .percent = percent};
    if (!(high > low))
        s.high = low + 1;
    double unit = percent ? 0.01 : 1, rough = (s.high - s.low) / 5 / unit;
    double power = pow(10, floor(log10(rough))), step = power * 10;
    for (int k = 5; k >= 1; k -= k == 5 ? 3 : 1)
        if (power * k >= rough)
            step = power * k;
    step *= unit;
    s.digits = (int)fmax(0, ceil(-log10(step / unit) - 1e-9));
    for (double v = ceil(s.low / step - 1e-9) * step;
         v <= s.high + step * 1e-6 && s.n_ticks < MOST_TICKS; v += step)
        s.tick[s.n_ticks++] = v;
    return s;
}

static void
add_tick_text(struct pz_buf *out, const struct scale *s, double v)
{
    v = fabs(v) < 1e-12 ? 0 : v; // no minus before a zero
    if (s->percent)
        pz_buf_addf(out, "%.*f%%", s->digits, v * 100);
    else
        pz_buf_addf(out, "%.*f", s->digits, v);
}

static void
x_axis(struct pz_buf *out, const struct scale *s, double top, double bottom,
       const char *label)
{
    for (size_t i = 0; i < s->n_ticks; i++) {
        double x = at(s, s->tick[i]);
        pz_buf_addf(out,
                    "<path class=\"grid\" d=\"M%.1f %.1fV%.1f\"/>"
                    "<text class=\"faint mid\" x=\"%.1f\" y=\"%.1f\">",
                    x, top, bottom, x, bottom + 14);
        add_tick_text(out, s, s->tick[i]);
        pz_buf_addz(out, "</text>\n");
    }
    if (!label)
        return;
    pz_buf_addf(out, "<text class=\"faint mid\" x=\"%.1f\" y=\"%.1f\">",
                (s->from + s->to) / 2, bottom + 31);
    add_text(out, label);
    pz_buf_addz(out, "</text>\n");
}

static void
y_axis(struct pz_buf *out, const struct scale *s, double left, double right)
{
    for (size_t i = 0; i < s->n_ticks; i++) {
        double y = at(s, s->tick[i]);
        pz_buf_addf(out,
                    "<path class=\"grid\" d=\"M%.1f %.1fH%.1f\"/>"
                    "<text class=\"faint end\" x=\"%.1f\" y=\"%.1f\">",
                    left, y, right, left - 5, y + 4);
        add_tick_text(out, s, s->tick[i]);
        pz_buf_addz(out, "</text>\n");
    }
}

static void
dot(struct pz_buf *out, double x, double y, size_t series)
{
    pz_buf_addf(out, "<circle class=\"c%zu\" cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\"/>\n",
                series % PZ_SVG_COLOURS, x, y);
}

/* ---- dots ---- */

void
pz_svg_dots(struct pz_buf *out, const char *title, const struct pz_svg_row *row, size_t n)
{
    double most = 0;
    for (size_t r = 0; r < n; r++)
        for (size_t i = 0; i < row[r].n; i++) {
            const struct pz_svg_mark *m = &row[r].mark[i];
            most = fmax(most, isnan(m->value) ? 0 : m->value);
            most = fmax(most, isnan(m->high) ? 0 : m->high);
        }
    double bottom = TOP + (double)n * ROW;
    struct scale s = scale_of(0, most > 0 ? most * 1.02 : 1, 14, WIDTH - 14, false);
    begin(out, title, bottom + 22);
    x_axis(out, &s, TOP, bottom, NULL);
    for (size_t r = 0; r < n; r++) {
        double y = TOP + (double)r * ROW;
        pz_buf_addf(out, "<text class=\"ink halo\" x=\"8\" y=\"%.1f\">", y + 13);
        add_text(out, row[r].label);
        pz_buf_addz(out, "</text>\n");
        if (row[r].n == 1 && !isnan(row[r].mark->value))
            pz_buf_addf(out,
                        "<text class=\"ink end halo\" x=\"%d\" y=\"%.1f\">%.4f</text>\n",
                        WIDTH - 14, y + 13, row[r].mark->value);
        for (size_t i = 0; i < row[r].n; i++) {
            const struct pz_svg_mark *m = &row[r].mark[i];
            if (!isnan(m->low))
                pz_buf_addf(out, "<path class=\"l%zu\" d=\"M%.1f %.1fH%.1f\"/>\n",
                            m->series % PZ_SVG_COLOURS, at(&s, m->low), y + 25,
                            at(&s, m->high));
            if (!isnan(m->value))
                dot(out, at(&s, m->value), y + 25, m->series);
        }
    }
    pz_buf_addz(out, "</svg>\n");
}

/* ---- lines ---- */

static void
widen(double *low, double *high, double v)
{
    if (isnan(v))
        return;
    *low = fmin(*low, v);
    *high = fmax(*high, v);
}

static void
path(struct pz_buf *out, const struct scale *sx, const struct scale *sy, const double *x,
     const double *y, size_t n)
{
    bool pen = false;
    for (size_t i = 0; i < n; i++) {
        if (isnan(y[i])) {
            pen = false;
            continue;
        }
        pz_buf_addf(out, "%c%.1f %.1f", pen ? 'L' : 'M', at(sx, x[i]), at(sy, y[i]));
        pen = true;
    }
}

/* Between low and high, where both are there. */
static void
band(struct pz_buf *out, const struct scale *sx, const struct scale *sy,
     const struct pz_svg_line *l)
{
    bool pen = false;
    pz_buf_addf(out, "<path class=\"b%zu\" d=\"", l->series % PZ_SVG_COLOURS);
    for (size_t i = 0; i < l->n; i++)
        if (!isnan(l->high[i])) {
            pz_buf_addf(out, "%c%.1f %.1f", pen ? 'L' : 'M', at(sx, l->x[i]),
                        at(sy, l->high[i]));
            pen = true;
        }
    for (size_t i = l->n; i-- > 0;)
        if (!isnan(l->low[i]))
            pz_buf_addf(out, "L%.1f %.1f", at(sx, l->x[i]), at(sy, l->low[i]));
    pz_buf_addz(out, pen ? "Z\"/>\n" : "\"/>\n");
}

void
pz_svg_lines(struct pz_buf *out, const char *title, const struct pz_svg_axis *x,
             const struct pz_svg_axis *y, const struct pz_svg_line *line, size_t n)
{
    double low = 0, high = 0, left = 0, right = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < line[i].n; k++) {
            widen(&left, &right, line[i].x[k]);
            widen(&low, &high, line[i].y[k]);
            if (line[i].high)
                widen(&low, &high, line[i].high[k]);
        }
    if (x->low < x->high)
        left = x->low, right = x->high;
    if (y->low < y->high)
        low = y->low, high = y->high;
    struct scale sx = scale_of(left, right, LEFT, WIDTH - RIGHT, x->percent);
    struct scale sy = scale_of(low, high, HEIGHT - BOTTOM, TOP, y->percent);
    begin(out, title, HEIGHT);
    x_axis(out, &sx, TOP, HEIGHT - BOTTOM, x->label);
    y_axis(out, &sy, LEFT, WIDTH - RIGHT);
    for (size_t i = 0; i < n; i++)
        if (line[i].low)
            band(out, &sx, &sy, &line[i]);
    for (size_t i = 0; i < n; i++) {
        pz_buf_addf(out, "<path class=\"l%zu%s\" d=\"", line[i].series % PZ_SVG_COLOURS,
                    line[i].dashed ? " dash" : "");
        path(out, &sx, &sy, line[i].x, line[i].y, line[i].n);
        pz_buf_addz(out, "\"/>\n");
        for (size_t k = 0; line[i].dots && k < line[i].n; k++)
            if (!isnan(line[i].y[k]))
                dot(out, at(&sx, line[i].x[k]), at(&sy, line[i].y[k]), line[i].series);
    }
    pz_buf_addz(out, "</svg>\n");
}

/* ---- scatter ---- */

void
pz_svg_scatter(struct pz_buf *out, const char *title, const struct pz_svg_axis *x,
               const struct pz_svg_axis *y, const struct pz_svg_point *point, size_t n)
{
    double low = 0, high = 0, left = 0, right = 0;
    for (size_t i = 0; i < n; i++) {
        widen(&left, &right, point[i].x);
        widen(&low, &high, point[i].y);
    }
    struct scale sx =
        scale_of(0, right > 0 ? right * 1.08 : 1, LEFT, WIDTH - RIGHT, x->percent);
    struct scale sy =
        scale_of(0, high > 0 ? high * 1.15 : 1, HEIGHT - BOTTOM, TOP, y->percent);
    begin(out, title, HEIGHT);
    x_axis(out, &sx, TOP, HEIGHT - BOTTOM, x->label);
    y_axis(out, &sy, LEFT, WIDTH - RIGHT);
    for (size_t i = 0; i < n; i++) {
        if (isnan(point[i].x) || isnan(point[i].y))
            continue;
        double px = at(&sx, point[i].x), py = at(&sy, point[i].y);
        bool flip = px > WIDTH * 0.55; // the label on the side with room
        dot(out, px, py, point[i].series);
        pz_buf_addf(out, "<text class=\"ink halo%s\" x=\"%.1f\" y=\"%.1f\">",
                    flip ? " end" : "", px + (flip ? -8 : 8), py - 5);
        add_text(out, point[i].label);
        pz_buf_addz(out, "</text>\n");
    }
    pz_buf_addz(out, "</svg>\n");
}
