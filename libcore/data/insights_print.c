#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "data/insights_report.h"
#include "data/schema_rules.h"

static const char *const level_name[] = {"error", "warning", "advice"};

static double
share(uint64_t part, uint64_t all)
{
    return all ? 100.0 * (double)part / (double)all : 0;
}

static bool
is_number(const struct pz_field *f)
{
    return f->type == PZ_INT || f->type == PZ_LONG || f->type == PZ_FLOAT ||
           f->type == PZ_DOUBLE;
}

/* ---- text ---- */

/* An id for a terminal: control characters become '?', long ones are cut at a character.
 */
static void
add_id(struct pz_buf *b, const struct pz_ids *ids, uint32_t id)
{
    size_t n = 0;
    const char *s = pz_ids_get(ids, id, &n);
    bool cut = n > 60;
    n = cut ? 60 : n;
    while (cut && n && ((unsigned char)s[n] & 0xC0) == 0x80)
        n--;
    for (size_t i = 0; s && i < n; i++)
        pz_buf_addc(b, (unsigned char)s[i] < 0x20 || s[i] == 0x7F ? '?' : s[i]);
    if (cut)
        pz_buf_addz(b, "...");
}

static void
add_spread(struct pz_buf *b, const char *label, const struct pz_spread *s)
{
    pz_buf_addf(b,
                "  %s: %.6g least, %.6g median, %.4g mean, %.6g at 90 %%, %.6g at 99 %%, "
                "%.6g most\n",
                label, s->min, s->median, s->mean, s->q90, s->q99, s->max);
}

static void
text_counts(struct pz_buf *b, const char *title, const struct pz_ids *ids,
            const struct pz_count *count, size_t n)
{
    if (n)
        pz_buf_addf(b, "  %s:\n", title);
    for (size_t i = 0; i < n; i++) {
        pz_buf_addf(b, "    %10llu  ", (unsigned long long)count[i].n);
        add_id(b, ids, count[i].id);
        pz_buf_addc(b, '\n');
    }
}

/* A time that went through a double. */
static void
time_text(char out[PZ_TIME_TEXT], double t)
{
    pz_time_text(out, (int64_t)fmax(fmin(t, 9e18), -9e18));
}

static void
text_column(struct pz_buf *b, const struct pz_column_report *c, uint64_t n_rows)
{
    const struct pz_field *f = c->column->field;
    const struct pz_spread *s = &c->spread;
    char first[PZ_TIME_TEXT], last[PZ_TIME_TEXT];
    pz_buf_addf(b, "    %-24s %-8s %5.1f %% filled", f->name, pz_type_name(f->type),
                share(c->filled, n_rows));
    if (f->type == PZ_STRING) {
        pz_buf_addf(b, ", %llu different %s", (unsigned long long)c->distinct,
                    f->categorical ? "categories" : "values");
    } else if (f->role == PZ_ROLE_TIMESTAMP || f->role == PZ_ROLE_CREATION) {
        time_text(first, s->min);
        time_text(last, s->max);
        if (s->n)
            pz_buf_addf(b, ", %s to %s", first, last);
    } else if (is_number(f) && s->n) {
        pz_buf_addf(b,
                    ", %.6g to %.6g, quartiles %.6g %.6g %.6g, mean %.6g, skew %.1f, "
                    "%llu outliers%s",
                    s->min, s->max, s->q25, s->median, s->q75, s->mean, s->skew,
                    (unsigned long long)s->outliers,
                    s->sampled ? " (quartiles of a sample)" : "");
    }
    pz_buf_addc(b, '\n');
}

static void
text_columns(struct pz_buf *b, const struct pz_set_report *s)
{
    if (s->d->n_columns)
        pz_buf_addz(b, "  columns:\n");
    for (size_t c = 0; c < s->d->n_columns; c++)
        text_column(b, &s->column[c], s->d->n_rows);
}

static void
text_interactions(struct pz_buf *b, const struct pz_report *r)
{
    const struct pz_dataset *d = r->interactions.d;
    char first[PZ_TIME_TEXT], last[PZ_TIME_TEXT];
    pz_buf_addf(b, "interactions: %llu rows, %llu users, %llu items\n",
                (unsigned long long)d->n_rows, (unsigned long long)d->user.n,
                (unsigned long long)d->item.n);
    pz_time_text(first, r->first);
    pz_time_text(last, r->last);
    if (d->n_rows)
        pz_buf_addf(b, "  time: %s to %s, %.1f days\n", first, last,
                    ((double)r->last - (double)r->first) / 86400);
    add_spread(b, "rows of a user", &r->per_user);
    add_spread(b, "rows of an item", &r->per_item);
    pz_buf_addf(b, "  rows with the user and second of the row before: %llu (%.1f %%)\n",
                (unsigned long long)r->same_second, share(r->same_second, d->n_rows));
    if (r->event_column)
        text_counts(b, "event types", &r->event_column->dict, r->event_type,
                    r->n_event_types < 20 ? r->n_event_types : 20);
    if (r->n_event_types > 20)
        pz_buf_addf(b, "    and %zu more\n", r->n_event_types - 20);
    text_counts(b, "most frequent items", &d->item, r->top, r->n_top);
    text_columns(b, &r->interactions);
}

static void
text_metadata(struct pz_buf *b, const struct pz_set_report *s, bool matched)
{
    const char *set = pz_set_name(s->d->schema.set);
    pz_buf_addf(b, "%s: %llu", set, (unsigned long long)s->d->n_rows);
    if (matched)
        pz_buf_addf(
            b, ", %llu (%.1f %%) without interactions, %llu only in the interactions",
            (unsigned long long)s->orphans, share(s->orphans, s->d->n_rows),
            (unsigned long long)s->strangers);
    pz_buf_addc(b, '\n');
    text_columns(b, s);
}

static void
text_minimums(struct pz_buf *b, const struct pz_report *r)
{
    if (r->n_minimums)
        pz_buf_addz(b, "to train any recipe:\n");
    for (size_t m = 0; m < r->n_minimums; m++) {
        const struct pz_minimum *x = &r->minimum[m];
        pz_buf_addf(b, "  %-24s %10.*f", x->label, x->have != floor(x->have), x->have);
        if (x->need > 0)
            pz_buf_addf(b, "  %.6g needed", x->need);
        if (x->have < x->need)
            pz_buf_addf(b, " (%.6g missing)", x->need - x->have);
        if (x->advised > 0)
            pz_buf_addf(b, "%s %.6g advised", x->need > 0 ? "," : " ", x->advised);
        pz_buf_addc(b, '\n');
    }
}

void
pz_report_text(const struct pz_report *r, struct pz_buf *out)
{
    bool events = r->interactions.d != NULL;
    if (events)
        text_interactions(out, r);
    if (r->items.d)
        text_metadata(out, &r->items, events);
    if (r->users.d)
        text_metadata(out, &r->users, events);
    text_minimums(out, r);
    pz_buf_addf(out, "findings: %zu\n", r->n_findings);
    for (size_t f = 0; f < r->n_findings; f++)
        pz_buf_addf(out, "  %-8s %s\n", level_name[r->finding[f].level],
                    r->finding[f].text);
}

/* ---- JSON ---- */

static void
add_key(struct pz_buf *b, const char *key)
{
    char last = b->len ? b->data[b->len - 1] : 0;
    pz_buf_addf(b, "%s\"%s\":", last && last != '{' ? "," : "", key);
}

static void
add_u64(struct pz_buf *b, const char *key, uint64_t v)
{
    add_key(b, key);
    pz_buf_addf(b, "%llu", (unsigned long long)v);
}

static void
add_f64(struct pz_buf *b, const char *key, double v)
{
    add_key(b, key);
    pz_json_add_f64(b, v); // null: of a damaged file
}

static void
add_text(struct pz_buf *b, const char *key, const char *s, size_t n)
{
    add_key(b, key);
    pz_json_add_string(b, s ? s : "", s ? n : 0);
}

static void
json_spread(struct pz_buf *b, const char *key, const struct pz_spread *s)
{
    add_key(b, key);
    pz_buf_addc(b, '{');
    add_u64(b, "count", s->n);
    add_f64(b, "min", s->min);
    add_f64(b, "p25", s->q25);
    add_f64(b, "p50", s->median);
    add_f64(b, "p75", s->q75);
    add_f64(b, "p90", s->q90);
    add_f64(b, "p99", s->q99);
    add_f64(b, "max", s->max);
    add_f64(b, "mean", s->mean);
    add_f64(b, "skew", s->skew);
    add_u64(b, "outliers", s->outliers);
    pz_buf_addc(b, '}');
}

static void
json_counts(struct pz_buf *b, const char *key, const char *name, const struct pz_ids *ids,
            const struct pz_count *count, size_t n)
{
    add_key(b, key);
    pz_buf_addc(b, '[');
    for (size_t i = 0; i < n; i++) {
        size_t len = 0;
        const char *s = pz_ids_get(ids, count[i].id, &len);
        pz_buf_addz(b, i ? ",{" : "{");
        add_text(b, name, s, len);
        add_u64(b, "count", count[i].n);
        pz_buf_addc(b, '}');
    }
    pz_buf_addc(b, ']');
}

static void
json_columns(struct pz_buf *b, const struct pz_set_report *s)
{
    add_key(b, "columns");
    pz_buf_addc(b, '[');
    for (size_t i = 0; i < s->d->n_columns; i++) {
        const struct pz_column_report *c = &s->column[i];
        const struct pz_field *f = c->column->field;
        pz_buf_addz(b, i ? ",{" : "{");
        add_text(b, "name", f->name, strlen(f->name));
        add_text(b, "type", pz_type_name(f->type), strlen(pz_type_name(f->type)));
        add_u64(b, "filled", c->filled);
        add_f64(b, "filledPercent", share(c->filled, s->d->n_rows));
        if (f->type == PZ_STRING) {
            add_u64(b, "distinct", c->distinct);
            add_u64(b, "longest", c->longest);
        }
        if (is_number(f))
            json_spread(b, "values", &c->spread);
        pz_buf_addc(b, '}');
    }
    pz_buf_addc(b, ']');
}

static void
json_interactions(struct pz_buf *b, const struct pz_report *r)
{
    const struct pz_dataset *d = r->interactions.d;
    char first[PZ_TIME_TEXT], last[PZ_TIME_TEXT];
    add_key(b, "interactions");
    pz_buf_addc(b, '{');
    add_u64(b, "rows", d->n_rows);
    add_u64(b, "users", d->user.n);
    add_u64(b, "items", d->item.n);
    if (d->n_rows) {
        pz_time_text(first, r->first);
        pz_time_text(last, r->last);
        add_text(b, "first", first, strlen(first));
        add_text(b, "last", last, strlen(last));
    }
    json_spread(b, "rowsPerUser", &r->per_user);
    json_spread(b, "rowsPerItem", &r->per_item);
    add_u64(b, "sameSecond", r->same_second);
    if (r->event_column)
        json_counts(b, "eventTypes", "eventType", &r->event_column->dict, r->event_type,
                    r->n_event_types);
    json_counts(b, "topItems", "itemId", &d->item, r->top, r->n_top);
    json_columns(b, &r->interactions);
    pz_buf_addc(b, '}');
}

static void
json_metadata(struct pz_buf *b, const struct pz_set_report *s, bool matched)
{
    add_key(b, pz_set_name(s->d->schema.set));
    pz_buf_addc(b, '{');
    add_u64(b, "rows", s->d->n_rows);
    if (matched) {
        add_u64(b, "withoutInteractions", s->orphans);
        add_u64(b, "withoutMetadata", s->strangers);
    }
    json_columns(b, s);
    pz_buf_addc(b, '}');
}

static void
json_minimums(struct pz_buf *b, const struct pz_report *r)
{
    add_key(b, "minimums");
    pz_buf_addc(b, '[');
    for (size_t m = 0; m < r->n_minimums; m++) {
        const struct pz_minimum *x = &r->minimum[m];
        pz_buf_addz(b, m ? ",{" : "{");
        add_text(b, "name", x->key, strlen(x->key));
        add_f64(b, "have", x->have);
        add_f64(b, "needed", x->need);
        add_f64(b, "advised", x->advised);
        add_f64(b, "missing", x->have < x->need ? x->need - x->have : 0);
        pz_buf_addc(b, '}');
    }
    pz_buf_addc(b, ']');
}

void
pz_report_json(const struct pz_report *r, struct pz_buf *out)
{
    bool events = r->interactions.d != NULL;
    pz_buf_addc(out, '{');
    if (events)
        json_interactions(out, r);
    if (r->items.d)
        json_metadata(out, &r->items, events);
    if (r->users.d)
        json_metadata(out, &r->users, events);
    json_minimums(out, r);
    add_key(out, "findings");
    pz_buf_addc(out, '[');
    for (size_t f = 0; f < r->n_findings; f++) {
        const struct pz_finding *x = &r->finding[f];
        pz_buf_addz(out, f ? ",{" : "{");
        add_text(out, "level", level_name[x->level], strlen(level_name[x->level]));
        add_text(out, "check", x->check, strlen(x->check));
        add_text(out, "message", x->text, strlen(x->text));
        pz_buf_addc(out, '}');
    }
    pz_buf_addz(out, "]}");
}
