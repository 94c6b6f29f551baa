#include "report/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/num.h"
#include "eval/special.h"

/* ---- tables ---- */

struct table {
    struct pz_buf text; // cells, a NUL behind each
    size_t n_columns;
    size_t n_left; // first columns, which hold words
};

/* Ids and labels are whoever's: nothing in them may look like another cell or line. */
static void
add_cell(struct table *t, const char *s)
{
    for (; *s; s++)
        pz_buf_addc(&t->text, (unsigned char)*s < 0x20 || *s == 0x7f ? '?' : *s);
    pz_buf_addc(&t->text, '\0');
}

static void
add_count(struct table *t, uint64_t n)
{
    char text[PZ_NUM_TEXT];
    snprintf(text, sizeof text, "%" PRIu64, n);
    add_cell(t, text);
}

static void
add_value(struct table *t, double v)
{
    char text[PZ_NUM_TEXT];
    snprintf(text, sizeof text, "%.4f", v);
    add_cell(t, isnan(v) ? "-" : text);
}

/* Width on a terminal. */
static size_t
width_of(const char *s)
{
    size_t n = 0;
    for (; *s; s++)
        n += ((unsigned char)*s & 0xc0) != 0x80;
    return n;
}

static size_t
column_width(const struct table *t, size_t column)
{
    size_t most = 0, i = 0;
    for (const char *s = t->text.data, *end = s + t->text.len; s < end;
         s += strlen(s) + 1, i++)
        if (i % t->n_columns == column && width_of(s) > most)
            most = width_of(s);
    return most;
}

static void
add_blanks(struct pz_buf *out, size_t n)
{
    while (n--)
        pz_buf_addc(out, ' ');
}

static void
print_table(struct pz_buf *out, struct table *t, bool aligned)
{
    size_t width[PZ_MAX_SHOWN + PZ_N_SPECIAL + 8] = {0}, i = 0, owed = 0;
    out->failed |= t->text.failed;
    for (size_t c = 0; aligned && !out->failed && c < t->n_columns; c++)
        width[c] = column_width(t, c);
    const char *s = t->text.data, *end = s ? s + t->text.len : s;
    for (; !out->failed && s < end; s += strlen(s) + 1, i++) {
        size_t c = i % t->n_columns, fill = aligned ? width[c] - width_of(s) : 0;
        if (c && !aligned)
            pz_buf_addc(out, '\t');
        add_blanks(out, owed + (c < t->n_left ? 0 : fill));
        pz_buf_addz(out, s);
        owed = aligned ? 2 + (c < t->n_left ? fill : 0) : 0;
        if (c + 1 == t->n_columns) {
            pz_buf_addc(out, '\n');
            owed = 0;
        }
    }
    pz_buf_release(&t->text);
}

static void
add_metric_name(struct table *t, const struct pz_shown *s, size_t i)
{
    char text[64];
    snprintf(text, sizeof text, "%s@%" PRIu32, pz_measure_name(s->item[i].measure),
             s->item[i].k);
    add_cell(t, text);
}

static size_t
count_special(const struct pz_compared *o)
{
    size_t n = 0;
    for (int k = 0; k < PZ_N_SPECIAL; k++)
        n += pz_special_has(o, k);
    return n;
}

/* Segments have none of them: `e` is then n_entries. */
static void
add_special(struct table *t, const struct pz_compared *o, size_t e)
{
    for (int k = 0; k < PZ_N_SPECIAL; k++)
        if (pz_special_has(o, k))
            add_value(t,
                      e < o->n_entries ? o->special[e * PZ_N_SPECIAL + (size_t)k] : NAN);
}

static void
add_segment_rows(struct table *t, const struct pz_findings *f, size_t e)
{
    const struct pz_shown *s = f->shown;
    size_t n = f->compared->n_values;
    for (size_t g = 0; g < f->segments->n; g++) {
        const struct pz_segment *x = &f->segments->segment[g];
        char text[256];
        snprintf(text, sizeof text, "%.100s: %.150s", x->by, x->name);
        add_cell(t, f->entries->entry[e].label);
        add_cell(t, text);
        add_count(t, x->n_users);
        for (size_t i = 0; i < s->n; i++)
            add_value(t,
                      s->item[i].column < n ? x->mean[e * n + s->item[i].column] : NAN);
        add_special(t, f->compared, f->compared->n_entries);
    }
}

void
pz_text_means(struct pz_buf *out, const struct pz_findings *f, bool aligned)
{
    const struct pz_compared *o = f->compared;
    bool parts = f->segments && f->segments->n;
    struct table t = {.n_columns = f->shown->n + 2 + parts + count_special(o),
                      .n_left = 1 + parts};
    add_cell(&t, f->protocol ? "recipe" : "lists");
    if (parts)
        add_cell(&t, "segment");
    add_cell(&t, "users");
    for (size_t i = 0; i < f->shown->n; i++)
        add_metric_name(&t, f->shown, i);
    for (int k = 0; k < PZ_N_SPECIAL; k++)
        if (pz_special_has(o, k))
            add_cell(&t, pz_special_name(k));
    for (size_t e = 0; e < o->n_entries; e++) {
        add_cell(&t, f->entries->entry[e].label);
        if (parts)
            add_cell(&t, "all");
        add_count(&t, o->n_cases);
        for (size_t i = 0; i < f->shown->n; i++)
            add_value(&t, o->mean[e * o->n_columns + f->shown->item[i].column]);
        add_special(&t, o, e);
        if (parts)
            add_segment_rows(&t, f, e);
    }
    print_table(out, &t, aligned);
}

/* Rows of a mean alone, for what the entry has. */
static void
add_special_rows(struct table *t, const struct pz_findings *f, size_t e)
{
    const struct pz_compared *o = f->compared;
    for (size_t k = 0; o->special && k < PZ_N_SPECIAL; k++) {
        double here = o->special[e * PZ_N_SPECIAL + k];
        double base = o->special[f->base * PZ_N_SPECIAL + k];
        if (isnan(here))
            continue;
        add_cell(t, f->entries->entry[e].label);
        add_cell(t, pz_special_name((int)k));
        add_value(t, here);
        for (int i = 0; i < 3; i++)
            add_value(t, NAN);
        add_value(t, e != f->base ? here - base : NAN);
        for (int i = 0; i < 2; i++)
            add_value(t, NAN);
    }
}

void
pz_text_intervals(struct pz_buf *out, const struct pz_findings *f, bool aligned)
{
    static const char *const head[] = {"metric", "mean",       "low", "high",
                                       "sd",     "difference", "low", "high"};
    const struct pz_compared *o = f->compared;
    const struct pz_bounds none = {NAN, NAN};
    struct table t = {.n_columns = 9, .n_left = 2};
    add_cell(&t, f->protocol ? "recipe" : "lists");
    for (size_t i = 0; i < sizeof head / sizeof *head; i++)
        add_cell(&t, head[i]);
    for (size_t e = 0; e < o->n_entries; e++) {
        for (size_t i = 0; i < f->shown->n; i++) {
            size_t v = f->shown->item[i].column, at = e * o->n_values + v;
            bool user = v < o->n_values, other = e != f->base;
            struct pz_bounds mean = user ? o->interval[at] : none;
            struct pz_bounds gap = user && other ? o->differ[at] : none;
            double here = o->mean[e * o->n_columns + v];
            add_cell(&t, f->entries->entry[e].label);
            add_metric_name(&t, f->shown, i);
            add_value(&t, here);
            add_value(&t, mean.low);
            add_value(&t, mean.high);
            add_value(&t, o->sd[e * o->n_columns + v]);
            add_value(&t, other ? here - o->mean[f->base * o->n_columns + v] : NAN);
            add_value(&t, gap.low);
            add_value(&t, gap.high);
        }
        add_special_rows(&t, f, e);
    }
    print_table(out, &t, aligned);
}

/* ---- JSON ---- */

static void
add_text(struct pz_buf *b, const char *key, const char *value)
{
    pz_buf_addf(b, "\"%s\":", key);
    pz_json_add_string(b, value, strlen(value));
}

static void
add_key(struct pz_buf *b, const struct pz_shown *s, size_t i, bool first)
{
    pz_buf_addz(b, first ? "\"" : ",\"");
    pz_measure_long_name(b, s->item[i].measure, s->item[i].k);
    pz_buf_addz(b, "\":");
}

/* ,"KEY":{"NAME":VALUE,...} of the first n columns, and of `special` (or NULL) what is
 * there. */
static void
add_values(struct pz_buf *b, const char *key, const struct pz_shown *s,
           const double *value, size_t n, const double *special)
{
    bool first = true;
    pz_buf_addf(b, ",\"%s\":{", key);
    for (size_t i = 0; i < s->n; i++) {
        if (s->item[i].column >= n)
            continue;
        add_key(b, s, i, first);
        pz_json_add_f64(b, value[s->item[i].column]);
        first = false;
    }
    for (int k = 0; special && k < PZ_N_SPECIAL; k++)
        if (!isnan(special[k])) {
            pz_buf_addf(b, first ? "\"%s\":" : ",\"%s\":", pz_special_name(k));
            pz_json_add_f64(b, special[k]);
            first = false;
        }
    pz_buf_addc(b, '}');
}

static void
add_bounds(struct pz_buf *b, const char *key, const struct pz_shown *s,
           const struct pz_bounds *bounds, size_t n)
{
    bool first = true;
    pz_buf_addf(b, ",\"%s\":{", key);
    for (size_t i = 0; i < s->n; i++) {
        if (s->item[i].column >= n)
            continue;
        add_key(b, s, i, first);
        pz_buf_addc(b, '[');
        pz_json_add_f64(b, bounds[s->item[i].column].low);
        pz_buf_addc(b, ',');
        pz_json_add_f64(b, bounds[s->item[i].column].high);
        pz_buf_addc(b, ']');
        first = false;
    }
    pz_buf_addc(b, '}');
}

static void
add_segments(struct pz_buf *b, const struct pz_findings *f, size_t e)
{
    size_t n = f->compared->n_values;
    pz_buf_addz(b, ",\"segments\":[");
    for (size_t g = 0; g < f->segments->n; g++) {
        const struct pz_segment *x = &f->segments->segment[g];
        pz_buf_addz(b, g ? ",{" : "{");
        add_text(b, "by", x->by);
        pz_buf_addc(b, ',');
        add_text(b, "segment", x->name);
        pz_buf_addf(b, ",\"users\":%" PRIu64, x->n_users);
        add_values(b, "metrics", f->shown, x->mean + e * n, n, NULL);
        pz_buf_addc(b, '}');
    }
    pz_buf_addc(b, ']');
}

static void
add_what(struct pz_buf *b, const struct pz_findings *f, size_t e)
{
    const struct pz_entry *x = &f->entries->entry[e];
    pz_buf_addc(b, '{');
    if (!f->protocol) {
        add_text(b, "lists", x->label);
        return;
    }
    add_text(b, "recipe", x->recipe->name);
    pz_buf_addc(b, ',');
    add_text(b, "label", x->label);
    if (!x->model) {
        pz_buf_addz(b, ",\"params\":");
        pz_params_json(&x->params, b);
    }
    pz_buf_addf(b, ",\"protocol\":\"%s\",\"part\":\"%s\",\"draws\":%zu", f->protocol,
                f->part, f->compared->n_draws);
}

void
pz_text_json(struct pz_buf *out, const struct pz_findings *f)
{
    const struct pz_compared *o = f->compared;
    const struct pz_shown *s = f->shown;
    for (size_t e = 0; e < o->n_entries; e++) {
        add_what(out, f, e);
        pz_buf_addf(out, ",\"users\":%zu", o->n_cases);
        add_values(out, "metrics", s, o->mean + e * o->n_columns, o->n_columns,
                   o->special ? o->special + e * PZ_N_SPECIAL : NULL);
        if (o->n_draws > 1)
            add_values(out, "deviations", s, o->sd + e * o->n_columns, o->n_columns,
                       NULL);
        add_bounds(out, "intervals", s, o->interval + e * o->n_values, o->n_values);
        if (e != f->base) {
            pz_buf_addc(out, ',');
            add_text(out, "baseline", f->entries->entry[f->base].label);
            add_bounds(out, "differences", s, o->differ + e * o->n_values, o->n_values);
        }
        if (f->segments && f->segments->n)
            add_segments(out, f, e);
        pz_buf_addz(out, "}\n");
    }
}

/* ---- users ---- */

static void
add_user(struct pz_buf *b, const struct pz_findings *f, size_t e, size_t d, uint32_t c,
         const double *value)
{
    const struct pz_case *k = &f->compared->split[d].cases[c];
    const uint32_t *rank = f->compared->answer[e][d].rank + k->truth;
    uint32_t first = 0;
    size_t n = 0;
    const char *id = f->user_id(f->ids, k->user, &n);
    for (uint32_t i = 0; i < k->n_truth; i++)
        if (rank[i] && (!first || rank[i] < first))
            first = rank[i];
    pz_buf_addf(b, "%s\t%zu\t", f->entries->entry[e].label, d);
    for (size_t i = 0; id && i < n; i++)
        pz_buf_addc(b, (unsigned char)id[i] < 0x20 || id[i] == 0x7f ? '?' : id[i]);
    pz_buf_addf(b, "\t%" PRIu32 "\t%" PRIu32 "\t%" PRIu32, k->n_given, k->n_truth, first);
    for (size_t i = 0; i < f->shown->n; i++) {
        char text[PZ_NUM_TEXT];
        if (f->shown->item[i].column >= f->compared->n_values)
            continue;
        double v = value[f->shown->item[i].column];
        pz_format_f64(text, isnan(v) ? 0 : v);
        pz_buf_addf(b, "\t%s", isnan(v) ? "-" : text);
    }
    pz_buf_addc(b, '\n');
}

void
pz_text_users(struct pz_buf *out, const struct pz_findings *f)
{
    const struct pz_compared *o = f->compared;
    pz_buf_addf(out, "%s\tdraw\tuser\tgiven\trelevant\trank",
                f->protocol ? "recipe" : "lists");
    for (size_t i = 0; i < f->shown->n; i++)
        if (f->shown->item[i].column < o->n_values)
            pz_buf_addf(out, "\t%s@%" PRIu32, pz_measure_name(f->shown->item[i].measure),
                        f->shown->item[i].k);
    pz_buf_addc(out, '\n');
    for (size_t e = 0; e < o->n_entries; e++)
        for (size_t d = 0, row = 0; d < o->n_draws; d++)
            for (uint32_t c = 0; c < o->split[d].n_cases; c++, row++)
                add_user(out, f, e, d, c, o->value[e] + row * o->n_values);
}

/* ---- what is no list of items ---- */

void
pz_text_figures(struct pz_buf *out, const struct pz_entries *entries,
                const struct pz_figures *figures, bool aligned)
{
    struct table t = {.n_columns = figures[0].n + 2, .n_left = 1};
    add_cell(&t, "recipe");
    add_cell(&t, "asked");
    for (size_t i = 0; i < figures[0].n; i++)
        add_cell(&t, figures[0].figure[i].name);
    for (size_t e = 0; e < entries->n; e++)
        for (int baseline = 0; baseline < 2; baseline++) {
            const struct pz_figures *f = &figures[e];
            add_cell(&t, baseline ? f->baseline : entries->entry[e].label);
            add_count(&t, f->n_asked);
            for (size_t i = 0; i < figures[0].n; i++)
                add_value(&t, i >= f->n  ? NAN
                              : baseline ? f->figure[i].baseline
                                         : f->figure[i].value);
        }
    print_table(out, &t, aligned);
}

void
pz_text_figures_json(struct pz_buf *out, const struct pz_entries *entries,
                     const struct pz_figures *figures)
{
    for (size_t e = 0; e < entries->n; e++) {
        const struct pz_entry *x = &entries->entry[e];
        pz_buf_addc(out, '{');
        add_text(out, "recipe", x->recipe->name);
        pz_buf_addc(out, ',');
        add_text(out, "label", x->label);
        pz_buf_addz(out, ",\"params\":");
        pz_params_json(&x->params, out);
        pz_buf_addf(out, ",\"asked\":%" PRIu64 ",\"metrics\":", figures[e].n_asked);
        pz_figures_json(&figures[e], false, out);
        pz_buf_addc(out, ',');
        add_text(out, "baseline", figures[e].baseline);
        pz_buf_addz(out, ",\"baselineMetrics\":");
        pz_figures_json(&figures[e], true, out);
        pz_buf_addz(out, "}\n");
    }
}
