#include "report/html.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "eval/special.h"
#include "recipe/events.h"
#include "report/page.h"
#include "report/svg.h"

enum { TAIL_POINTS = 60, MOST_SHOWN = 6, SOME_ITEMS = 8 };

static void
add_text(struct pz_buf *out, const char *s)
{
    pz_svg_text(out, s, strlen(s));
}

static const char *
label_of(const struct pz_page *p, size_t entry)
{
    return p->findings->entries->entry[entry].label;
}

/* Which colour is which recipe; for charts of several. */
static void
legend(struct pz_buf *out, const struct pz_page *p, const char *also)
{
    pz_buf_addz(out, "<p class=\"legend\">");
    for (size_t e = 0; e < p->findings->compared->n_entries; e++) {
        pz_buf_addf(out, "<span><i class=\"s%zu\"></i>", e % PZ_SVG_COLOURS);
        add_text(out, label_of(p, e));
        pz_buf_addz(out, "</span> ");
    }
    if (also)
        pz_buf_addf(out, "<span><i class=\"dashed\"></i>%s</span>", also);
    pz_buf_addz(out, "</p>\n");
}

static void
section(struct pz_buf *out, const char *title, const char *text)
{
    pz_buf_addf(out, "<section><h2>%s</h2>\n<p>%s</p>\n", title, text);
}

static void
metric_name(char text[64], const struct pz_shown *s, size_t i)
{
    snprintf(text, 64, "%s@%" PRIu32, pz_measure_name(s->item[i].measure), s->item[i].k);
}

/* ---- head and table ---- */

static void
head(struct pz_buf *out, const struct pz_page *p)
{
    const struct pz_compared *o = p->findings->compared;
    const struct pz_split *s = &o->split[0];
    pz_buf_addz(out, pz_page_head);
    pz_buf_addz(out, "<h1>");
    add_text(out, p->group);
    pz_buf_addf(out,
                "</h1>\n<p>%zu recipes on protocol <b>%s</b>, %s data, asked about "
                "<b>%zu</b> users%s. They learned from %" PRIu64
                " events and rank %" PRIu64 " items.</p>\n",
                o->n_entries, p->findings->protocol, p->findings->part, o->n_cases,
                o->n_draws > 1 ? " in all draws" : "", s->train.n, p->world->item.n);
}

static void
table(struct pz_buf *out, const struct pz_page *p)
{
    const struct pz_findings *f = p->findings;
    const struct pz_compared *o = f->compared;
    pz_buf_addz(out, "<div class=\"wide\"><table><tr><th>recipe</th>");
    for (size_t i = 0; i < f->shown->n; i++) {
        char text[64];
        metric_name(text, f->shown, i);
        pz_buf_addf(out, "<th>%s</th>", text);
    }
    pz_buf_addz(out, "</tr>\n");
    for (size_t e = 0; e < o->n_entries; e++) {
        pz_buf_addz(out, "<tr><td>");
        add_text(out, label_of(p, e));
        pz_buf_addz(out, "</td>");
        for (size_t i = 0; i < f->shown->n; i++) {
            double v = o->mean[e * o->n_columns + f->shown->item[i].column], best = -1;
            for (size_t k = 0; k < o->n_entries; k++)
                best = fmax(best, o->mean[k * o->n_columns + f->shown->item[i].column]);
            bool lists = f->shown->item[i].measure >= PZ_N_RANK_MEASURES;
            pz_buf_addf(
                out, v == best && !lists ? "<td><b>%.4f</b></td>" : "<td>%.4f</td>", v);
        }
        pz_buf_addz(out, "</tr>\n");
    }
    pz_buf_addz(out, "</table></div>\n");
}

/* ---- charts ---- */

static int
quality(struct pz_buf *out, const struct pz_page *p, struct pz_err *err)
{
    const struct pz_findings *f = p->findings;
    const struct pz_compared *o = f->compared;
    struct pz_svg_row *row = NULL;
    struct pz_svg_mark *mark = NULL;
    int r = pz_new(&row, o->n_entries, sizeof *row, "a page", err);
    if (r || (r = pz_new(&mark, o->n_entries, sizeof *mark, "a page", err)))
        goto done;
    section(out, "Quality",
            "The mean over the users, and where it lies with a probability of 95 %.");
    table(out, p);
    pz_buf_addz(out, "<div class=\"charts\">\n");
    for (size_t i = 0, n = 0; i < f->shown->n && n < MOST_SHOWN; i++) {
        size_t v = f->shown->item[i].column;
        char text[64];
        if (v >= o->n_values)
            continue;
        for (size_t e = 0; e < o->n_entries; e++) {
            struct pz_bounds b = o->interval[e * o->n_values + v];
            mark[e] =
                (struct pz_svg_mark){o->mean[e * o->n_columns + v], b.low, b.high, e};
            row[e] = (struct pz_svg_row){label_of(p, e), &mark[e], 1};
        }
        metric_name(text, f->shown, i);
        pz_buf_addf(out, "<figure><figcaption>%s</figcaption>\n", text);
        pz_svg_dots(out, text, row, o->n_entries);
        pz_buf_addz(out, "</figure>\n");
        n++;
    }
    pz_buf_addz(out, "</div></section>\n");
done:
    free(row);
    free(mark);
    return r;
}

/* Metrics that only some recipes have, in words. */
static const char *const special_text[PZ_N_SPECIAL] = {
    [PZ_TREND_ACCURACY - PZ_FIRST_SPECIAL] =
        "The rise of 25 foretold items, as a part of that of the 25 that rose most.",
    [PZ_ITEM_POPULARITY - PZ_FIRST_SPECIAL] =
        "How many users the similar items have, by orders of magnitude: 1 is the most "
        "popular item.",
    [PZ_ITEM_FRESHNESS - PZ_FIRST_SPECIAL] =
        "The share of all items that were not created after the similar ones.",
    [PZ_ITEM_SIMILARITY - PZ_FIRST_SPECIAL] =
        "The cosine of the words of the similar items with those of the item asked "
        "about.",
};

static int
special(struct pz_buf *out, const struct pz_page *p, struct pz_err *err)
{
    const struct pz_compared *o = p->findings->compared;
    struct pz_svg_row *row = NULL;
    struct pz_svg_mark *mark = NULL;
    bool open = false;
    int r = pz_new(&row, o->n_entries, sizeof *row, "a page", err);
    if (r || (r = pz_new(&mark, o->n_entries, sizeof *mark, "a page", err)))
        goto done;
    for (int k = 0; k < PZ_N_SPECIAL; k++) {
        size_t n = 0;
        if (!pz_special_has(o, k))
            continue;
        for (size_t e = 0; e < o->n_entries; e++) {
            double v = o->special[e * PZ_N_SPECIAL + (size_t)k];
            if (isnan(v))
                continue;
            mark[n] = (struct pz_svg_mark){v, NAN, NAN, e};
            row[n] = (struct pz_svg_row){label_of(p, e), &mark[n], 1};
            n++;
        }
        if (!open) {
            section(out, "Of single recipes",
                    "What only some recipes can be measured by; not by users, and so "
                    "without intervals.");
            pz_buf_addz(out, "<div class=\"charts\">\n");
            open = true;
        }
        pz_buf_addf(out,
                    "<figure><figcaption>%s</figcaption>\n<p class=\"legend\">%s</p>\n",
                    pz_special_name(k), special_text[k]);
        pz_svg_dots(out, pz_special_name(k), row, n);
        pz_buf_addz(out, "</figure>\n");
    }
    if (open)
        pz_buf_addz(out, "</div></section>\n");
done:
    free(row);
    free(mark);
    return r;
}

static int
curves(struct pz_buf *out, const struct pz_page *p, struct pz_err *err)
{
    const struct pz_curve *c = p->curve;
    double *bound = NULL;
    struct pz_svg_line *line = NULL;
    size_t n = c ? c->n_entries : 0;
    if (!n)
        return PZ_OK;
    int r = pz_new(&bound, 2 * n * PZ_CURVE_POINTS, sizeof *bound, "a page", err);
    if (r || (r = pz_new(&line, n, sizeof *line, "a page", err)))
        goto done;
    for (size_t e = 0; e < n; e++) {
        double *low = bound + 2 * e * PZ_CURVE_POINTS, *high = low + PZ_CURVE_POINTS;
        for (size_t i = 0; i < PZ_CURVE_POINTS; i++) {
            low[i] = c->interval[e * PZ_CURVE_POINTS + i].low;
            high[i] = c->interval[e * PZ_CURVE_POINTS + i].high;
        }
        line[e] = (struct pz_svg_line){.x = c->share,
                                       .y = c->mean + e * PZ_CURVE_POINTS,
                                       .low = low,
                                       .high = high,
                                       .n = PZ_CURVE_POINTS,
                                       .series = e,
                                       .dots = true};
    }
    section(
        out, "Learning curves",
        "Learning from a part of the users only: where a curve still climbs, more data "
        "would help.");
    legend(out, p, NULL);
    pz_buf_addf(out,
                "<figure><figcaption>%s by share of the users learned from"
                "</figcaption>\n",
                p->metric);
    pz_svg_lines(out, "learning curves",
                 &(struct pz_svg_axis){"share of the users", 0, 1, true},
                 &(struct pz_svg_axis){NULL, 0, 0, false}, line, n);
    pz_buf_addz(out, "</figure></section>\n");
done:
    free(bound);
    free(line);
    return r;
}

/* What the first items of an order have of all counts, at TAIL_POINTS + 1 shares. */
static void
cumulate(double *y, const struct pz_counted *order, const uint32_t *count, uint32_t n)
{
    double all = 0, sum = 0;
    for (uint32_t i = 0; i < n; i++)
        all += count[i];
    for (uint32_t i = 0, at = 0; at <= TAIL_POINTS; at++) {
        for (; i < (uint64_t)n * at / TAIL_POINTS; i++)
            sum += count[order[i].id];
        y[at] = all > 0 ? sum / all : NAN;
    }
}

static void
count_places(uint32_t *count, uint32_t n_items, const struct pz_answers *a)
{
    memset(count, 0, n_items * sizeof *count);
    for (uint32_t c = 0; c < a->n_cases; c++)
        for (uint32_t k = 0; k < a->n_item[c]; k++)
            count[a->item[(size_t)c * a->room + k]]++;
}

static void
long_tail_chart(struct pz_buf *out, const struct pz_page *p, const double *x,
                const double *y, struct pz_svg_line *line)
{
    size_t n = p->findings->compared->n_entries;
    for (size_t e = 0; e <= n; e++) // the data first, below the others
        line[e] = (struct pz_svg_line){.x = x,
                                       .y = y + (e ? e - 1 : n) * (TAIL_POINTS + 1),
                                       .n = TAIL_POINTS + 1,
                                       .series = e ? e - 1 : 0,
                                       .dashed = e == 0};
    section(
        out, "Long tail",
        "Items from the most to the least popular, and what share of all events, and of "
        "all recommended places, the first of them have. A curve above the dashed one "
        "recommends popular items more than people use them.");
    legend(out, p, "events");
    pz_buf_addz(out, "<figure><figcaption>share of recommended places</figcaption>\n");
    pz_svg_lines(out, "long tail",
                 &(struct pz_svg_axis){"share of the items", 0, 1, true},
                 &(struct pz_svg_axis){NULL, 0, 1, true}, line, n + 1);
    pz_buf_addz(out, "</figure></section>\n");
}

static int
long_tail(struct pz_buf *out, const struct pz_page *p, struct pz_err *err)
{
    const struct pz_compared *o = p->findings->compared;
    const struct pz_events *t = &o->split[0].train;
    size_t n = o->n_entries, points = TAIL_POINTS + 1;
    struct pz_counted *order = NULL;
    uint32_t *count = NULL;
    double *y = NULL, x[TAIL_POINTS + 1];
    struct pz_svg_line *line = NULL;
    int r = pz_events_by_count(&order, t, err);
    if (r || (r = pz_new(&count, t->n_items, sizeof *count, "a page", err)) ||
        (r = pz_new(&y, (n + 1) * points, sizeof *y, "a page", err)) ||
        (r = pz_new(&line, n + 1, sizeof *line, "a page", err)))
        goto done;
    for (uint64_t i = 0; i < t->n; i++)
        count[t->item[i]]++;
    for (size_t i = 0; i < points; i++)
        x[i] = (double)i / TAIL_POINTS;
    cumulate(y + n * points, order, count, t->n_items);
    for (size_t e = 0; e < n; e++) {
        count_places(count, t->n_items, &o->answer[e][0]);
        cumulate(y + e * points, order, count, t->n_items);
    }
    long_tail_chart(out, p, x, y, line);
done:
    free(order);
    free(count);
    free(y);
    free(line);
    return r;
}

/* The segments from `from` on that belong together; where the next ones begin. */
static size_t
segment_chart(struct pz_buf *out, const struct pz_page *p, size_t from,
              struct pz_svg_row *row, struct pz_svg_mark *mark)
{
    const struct pz_segments *g = p->findings->segments;
    const struct pz_compared *o = p->findings->compared;
    size_t to = from;
    while (to < g->n && strcmp(g->segment[to].by, g->segment[from].by) == 0) {
        const struct pz_segment *s = &g->segment[to];
        struct pz_svg_mark *m = mark + (to - from) * o->n_entries;
        for (size_t e = 0; e < o->n_entries; e++)
            m[e] =
                (struct pz_svg_mark){s->mean[e * o->n_values + p->column], NAN, NAN, e};
        row[to - from] = (struct pz_svg_row){s->name, m, o->n_entries};
        to++;
    }
    pz_buf_addf(out, "<figure><figcaption>%s by ", p->metric);
    add_text(out, g->segment[from].by);
    pz_buf_addz(out, "</figcaption>\n");
    pz_svg_dots(out, g->segment[from].by, row, to - from);
    pz_buf_addz(out, "</figure>\n");
    return to;
}

static int
segments(struct pz_buf *out, const struct pz_page *p, struct pz_err *err)
{
    const struct pz_segments *g = p->findings->segments;
    size_t n = p->findings->compared->n_entries;
    struct pz_svg_row *row = NULL;
    struct pz_svg_mark *mark = NULL;
    if (!g || !g->n)
        return PZ_OK;
    int r = pz_new(&row, g->n, sizeof *row, "a page", err);
    if (r || (r = pz_new(&mark, g->n * n, sizeof *mark, "a page", err)))
        goto done;
    section(out, "Segments",
            "The same figure for some of the users, or for some of the items that they "
            "took.");
    legend(out, p, NULL);
    pz_buf_addz(out, "<div class=\"charts\">\n");
    for (size_t i = 0; i < g->n;)
        i = segment_chart(out, p, i, row, mark);
    pz_buf_addz(out, "</div></section>\n");
done:
    free(row);
    free(mark);
    return r;
}

static int
coverage(struct pz_buf *out, const struct pz_page *p, struct pz_err *err)
{
    const struct pz_compared *o = p->findings->compared;
    size_t n_at = p->findings->shown->at.n, at = p->column % n_at;
    struct pz_svg_point *point;
    int r = pz_new(&point, o->n_entries, sizeof *point, "a page", err);
    if (r)
        return r;
    for (size_t e = 0; e < o->n_entries; e++)
        point[e] = (struct pz_svg_point){
            label_of(p, e), o->mean[e * o->n_columns + PZ_M_COVERAGE * n_at + at],
            o->mean[e * o->n_columns + p->column], e};
    section(out, "Coverage against accuracy",
            "How much of the catalogue comes up in any list, and how good the lists are: "
            "up and to the right is better.");
    pz_buf_addf(out, "<figure><figcaption>%s</figcaption>\n", p->metric);
    pz_svg_scatter(
        out, "coverage against accuracy",
        &(struct pz_svg_axis){"share of the catalogue recommended", 0, 0, true},
        &(struct pz_svg_axis){NULL, 0, 0, false}, point, o->n_entries);
    pz_buf_addz(out, "</figure></section>\n");
    free(point);
    return r;
}

/* ---- examples ---- */

static const struct pz_column *
name_column(const struct pz_world *w)
{
    static const char *const usual[] = {"ITEM_NAME", "NAME", "TITLE", "PRODUCT_NAME"};
    const struct pz_column *c = NULL;
    for (size_t i = 0; w->items && i < w->items->n_columns; i++)
        if (w->items->column[i].field->item_name)
            return &w->items->column[i];
    for (size_t i = 0; w->items && !c && i < sizeof usual / sizeof *usual; i++)
        c = pz_dataset_column(w->items, usual[i]);
    return c && c->dict.offsets ? c : NULL;
}

static void
add_item(struct pz_buf *out, const struct pz_page *p, uint32_t item)
{
    const struct pz_column *c = name_column(p->world);
    uint64_t row = p->world->item_row ? p->world->item_row[item] : item;
    size_t n = 0;
    const char *text = c && row != PZ_NO_ID && row < p->world->items->n_rows
                           ? pz_column_text(c, row, &n)
                           : NULL;
    if (!text || !n)
        text = pz_ids_get(&p->world->item, item, &n);
    if (text)
        pz_svg_text_cut(out, text, n, 60);
}

static void
add_items(struct pz_buf *out, const struct pz_page *p, const uint32_t *item, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        pz_buf_addz(out, "<span class=\"item\">");
        add_item(out, p, item[i]);
        pz_buf_addz(out, "</span> ");
    }
}

/* The last items of a history, the newest first, without repeats. */
static size_t
latest(uint32_t out[SOME_ITEMS], const uint32_t *item, size_t n)
{
    size_t k = 0;
    while (n-- > 0 && k < SOME_ITEMS) {
        size_t i = 0;
        while (i < k && out[i] != item[n])
            i++;
        if (i == k)
            out[k++] = item[n];
    }
    return k;
}

static void
add_reasons(struct pz_buf *out, const struct pz_page *p, const struct pz_example *x,
            uint32_t i)
{
    double all = x->raw[i] > 0 ? x->raw[i] : 0;
    bool first = true;
    for (uint32_t k = 0; k < x->n_reasons[i]; k++) {
        double c = x->reason[i][k].contribution;
        if (!(c > 0.005 * all)) // what rounds to nothing says nothing
            continue;
        pz_buf_addz(out, first ? "<small>because of " : ", ");
        if (x->reason[i][k].label[0])
            add_text(out, x->reason[i][k].label);
        else
            add_item(out, p, x->reason[i][k].item);
        if (all > 0)
            pz_buf_addf(out, " (%.0f&#8239;%%)", 100 * fmin(c / all, 1));
        first = false;
    }
    if (!first)
        pz_buf_addz(out, "</small>");
}

static void
example(struct pz_buf *out, const struct pz_page *p, const struct pz_example *x)
{
    const struct pz_split *s = &p->findings->compared->split[0];
    const struct pz_case *k = &s->cases[x->of];
    uint32_t recent[SOME_ITEMS];
    size_t n = 0, n_hits = 0;
    const char *id = p->findings->user_id(p->findings->ids, k->user, &n);
    for (uint32_t i = 0; i < x->n_items; i++)
        n_hits += x->hit[i];
    pz_buf_addz(out, "<details><summary><b>");
    pz_svg_text(out, id ? id : "", id ? n : 0);
    pz_buf_addf(out,
                "</b> &middot; %" PRIu32 " events &middot; %zu of %" PRIu32
                " found</summary>\n",
                k->n_given, n_hits, k->n_truth);
    pz_buf_addz(out, "<p><em>had, newest first</em> ");
    add_items(out, p, recent, latest(recent, s->given + k->given, k->n_given));
    pz_buf_addz(out, "</p><p><em>then took</em> ");
    add_items(out, p, s->truth + k->truth,
              k->n_truth < SOME_ITEMS ? k->n_truth : SOME_ITEMS);
    pz_buf_addz(out, "</p><ol>");
    for (uint32_t i = 0; i < x->n_items; i++) {
        pz_buf_addz(out, x->hit[i] ? "<li class=\"hit\"><b>" : "<li><b>");
        add_item(out, p, x->item[i]);
        pz_buf_addz(out, x->hit[i] ? "</b> &#10003; " : "</b> ");
        add_reasons(out, p, x, i);
        pz_buf_addz(out, "</li>\n");
    }
    pz_buf_addz(out, "</ol></details>\n");
}

static void
examples(struct pz_buf *out, const struct pz_page *p)
{
    const struct pz_examples *x = p->examples;
    if (!x || !x->n)
        return;
    pz_buf_addf(out, "<section><h2>%zu users</h2>\n<p>What ", x->n);
    add_text(out, label_of(p, x->entry));
    pz_buf_addz(out, " gives them, and why: the share of an item's score that comes from "
                     "each item of the history. What they took is ticked.</p>\n");
    for (size_t i = 0; i < x->n; i++)
        example(out, p, &x->example[i]);
    pz_buf_addz(out, "</section>\n");
}

int
pz_html_page(struct pz_buf *out, const struct pz_page *p, struct pz_err *err)
{
    head(out, p);
    if (quality(out, p, err) || special(out, p, err) || curves(out, p, err) ||
        coverage(out, p, err) || long_tail(out, p, err) || segments(out, p, err))
        return err->status;
    examples(out, p);
    pz_buf_addz(out, pz_page_foot);
    return pz_buf_status(out, "a page", err);
}
