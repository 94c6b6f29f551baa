#include "data/insights.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/order.h"
#include "data/insights_report.h"
#include "data/parts.h"

#define SAMPLE          1000000 // values that quantiles are taken from
#define MAX_CATEGORIES  1000
#define MAX_CELL        1000  // characters of a category or a string
#define MAX_TEXT        20000 // characters of a textual cell
#define MAX_EVENT_NAMES 10    // event types and metadata columns together
#define MIN_ROWS        1000  // also of one event type
#define FILLED          0.70
#define TEXT_FILLED     0.85
#define SKEWED          3.0
#define SAME_SECOND     0.05
#define YEAR_1980       INT64_C(315532800)

/* ---- findings ---- */

static int finding(struct pz_report *r, struct pz_err *err, enum pz_level level,
                   const char *check, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

static int
finding(struct pz_report *r, struct pz_err *err, enum pz_level level, const char *check,
        const char *fmt, ...)
{
    if (pz_grow(&r->finding, &r->cap_findings, r->n_findings + 1, sizeof *r->finding,
                "findings", err))
        return err->status;
    struct pz_finding *f = &r->finding[r->n_findings++];
    f->level = level;
    f->check = check;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(f->text, sizeof f->text, fmt, ap);
    va_end(ap);
    return PZ_OK;
}

static double
percent(uint64_t part, uint64_t all)
{
    return all ? 100.0 * (double)part / (double)all : 0;
}

/* ---- numbers ---- */

/* The k-th number of something; false when it is null. */
typedef bool (*get_fn)(const void *of, uint64_t k, double *out);

static bool
get_cell(const void *of, uint64_t k, double *out)
{
    return pz_column_f64(of, k, out);
}

static bool
get_row_count(const void *of, uint64_t k, double *out)
{
    const uint64_t *offsets = of;
    *out = (double)(offsets[k + 1] - offsets[k]);
    return true;
}

static bool
get_count(const void *of, uint64_t k, double *out)
{
    *out = (double)((const uint64_t *)of)[k];
    return true;
}

static double
rank(const double *sorted, size_t n, double q)
{
    size_t k = (size_t)ceil(q * (double)n);
    return sorted[k ? k - 1 : 0];
}

/* Quantiles of every step-th value, where step keeps them within the sample. */
static int
quantiles(struct pz_spread *s, const void *of, uint64_t n, get_fn get, struct pz_err *err)
{
    uint64_t step = (s->n + SAMPLE - 1) / SAMPLE, seen = 0;
    size_t kept = 0, room = (size_t)((s->n + step - 1) / step);
    double *v, x;
    if (pz_new(&v, room, sizeof *v, "a sample of a column", err))
        return err->status;
    for (uint64_t k = 0; k < n; k++)
        if (get(of, k, &x) && seen++ % step == 0 && kept < room)
            v[kept++] = x;
    qsort(v, kept, sizeof *v, pz_order_f64);
    s->sampled = step > 1;
    s->q25 = rank(v, kept, 0.25);
    s->median = rank(v, kept, 0.5);
    s->q75 = rank(v, kept, 0.75);
    s->q90 = rank(v, kept, 0.9);
    s->q99 = rank(v, kept, 0.99);
    free(v);
    return PZ_OK;
}

static int
measure(struct pz_spread *s, const void *of, uint64_t n, get_fn get, struct pz_err *err)
{
    double x, sum = 0, m2 = 0, m3 = 0;
    *s = (struct pz_spread){.min = INFINITY, .max = -INFINITY};
    for (uint64_t k = 0; k < n; k++)
        if (get(of, k, &x)) {
            s->n++;
            sum += x;
            s->min = fmin(s->min, x);
            s->max = fmax(s->max, x);
        }
    if (s->n == 0) {
        s->min = s->max = 0;
        return PZ_OK;
    }
    s->mean = sum / (double)s->n;
    if (quantiles(s, of, n, get, err))
        return err->status;
    double fence = 3 * (s->q75 - s->q25);
    for (uint64_t k = 0; k < n; k++)
        if (get(of, k, &x)) {
            double d = x - s->mean;
            m2 += d * d;
            m3 += d * d * d;
            s->outliers += fence > 0 && (x < s->q25 - fence || x > s->q75 + fence);
        }
    if (s->max > s->min && m2 > 0)
        s->skew = sqrt((double)s->n) * m3 / pow(m2, 1.5);
    return PZ_OK;
}

/* ---- columns ---- */

static bool
is_number(const struct pz_field *f)
{
    return f->type == PZ_INT || f->type == PZ_LONG || f->type == PZ_FLOAT ||
           f->type == PZ_DOUBLE;
}

static uint64_t
characters(const char *s, size_t n)
{
    uint64_t count = 0;
    for (size_t i = 0; i < n; i++)
        count += ((unsigned char)s[i] & 0xC0) != 0x80;
    return count;
}

/* Longest value, and for categories the number of different parts between bars. */
static int
measure_values(struct pz_column_report *c, struct pz_err *err)
{
    const struct pz_ids *values = &c->column->dict;
    struct pz_dict parts;
    uint32_t ignored;
    size_t n = 0;
    if (pz_dict_init(&parts, err))
        return err->status;
    int status = PZ_OK;
    c->distinct = values->n;
    for (uint64_t k = 0; k < values->n && !status; k++) {
        const char *s = pz_ids_get(values, (uint32_t)k, &n);
        if (!s)
            continue;
        uint64_t length = characters(s, n);
        c->longest = length > c->longest ? length : c->longest;
        if (!c->column->field->categorical)
            continue;
        struct pz_parts list = pz_parts_of(s, n);
        while (!status && pz_parts_next(&list, &s, &n))
            status = pz_dict_intern(&parts, s, n, &ignored, err);
    }
    if (c->column->field->categorical)
        c->distinct = parts.n;
    pz_dict_release(&parts);
    return status;
}

static int
measure_column(struct pz_column_report *c, uint64_t n_rows, struct pz_err *err)
{
    c->filled = n_rows;
    if (c->column->valid)
        for (uint64_t k = 0; k < n_rows; k++)
            c->filled -= !c->column->valid[k];
    if (c->column->field->type == PZ_STRING)
        return measure_values(c, err);
    if (is_number(c->column->field))
        return measure(&c->spread, c->column, n_rows, get_cell, err);
    return PZ_OK;
}

static int
measure_columns(struct pz_set_report *s, struct pz_err *err)
{
    if (pz_new(&s->column, s->d->n_columns, sizeof *s->column, "a report", err))
        return err->status;
    for (size_t c = 0; c < s->d->n_columns; c++) {
        s->column[c].column = &s->d->column[c];
        if (measure_column(&s->column[c], s->d->n_rows, err))
            return err->status;
    }
    return PZ_OK;
}

static int
judge_column(struct pz_report *r, const struct pz_set_report *s,
             const struct pz_column_report *c, struct pz_err *err)
{
    const struct pz_field *f = c->column->field;
    const char *set = pz_set_name(s->d->schema.set);
    double filled = percent(c->filled, s->d->n_rows) / 100;
    int status = PZ_OK;
    if (s->d->n_rows == 0)
        return PZ_OK;
    if (f->textual && filled < TEXT_FILLED)
        status =
            finding(r, err, PZ_LEVEL_WARNING, "completeness",
                    "%s: text '%s' is filled in %.1f %% of the rows; below 85 %% it is "
                    "not used in training",
                    set, f->name, 100 * filled);
    else if (filled < FILLED)
        status = finding(
            r, err, PZ_LEVEL_WARNING, "completeness",
            "%s: '%s' is filled in %.1f %% of the rows; 70 %% or more are advised", set,
            f->name, 100 * filled);
    if (!status && f->categorical && c->distinct > MAX_CATEGORIES)
        status =
            finding(r, err, PZ_LEVEL_WARNING, "categories",
                    "%s: '%s' has %llu different categories; at most 1000 are advised",
                    set, f->name, (unsigned long long)c->distinct);
    uint64_t longest = f->textual ? MAX_TEXT : MAX_CELL;
    if (!status && c->longest > longest)
        status = finding(
            r, err, PZ_LEVEL_WARNING, "length",
            "%s: '%s' has a value of %llu characters; the service takes %llu", set,
            f->name, (unsigned long long)c->longest, (unsigned long long)longest);
    if (!status && is_number(f) && f->role == PZ_ROLE_NONE &&
        fabs(c->spread.skew) > SKEWED)
        status =
            finding(r, err, PZ_LEVEL_ADVICE, "skew",
                    "%s: '%s' is skewed (%.1f), from %.6g over %.6g in the middle to "
                    "%.6g, with %llu outliers; clip it or take its logarithm",
                    set, f->name, c->spread.skew, c->spread.min, c->spread.median,
                    c->spread.max, (unsigned long long)c->spread.outliers);
    return status;
}

/* Models learn from strings only where a flag says that they are categories or text. */
static int
judge_plain_strings(struct pz_report *r, const struct pz_set_report *s,
                    struct pz_err *err)
{
    struct pz_buf names = PZ_BUF_INIT;
    for (size_t c = 0; c < s->d->n_columns; c++) {
        const struct pz_field *f = s->d->column[c].field;
        if (f->type == PZ_STRING && f->role == PZ_ROLE_NONE && !f->categorical &&
            !f->textual)
            pz_buf_addf(&names, "%s%s", names.len ? ", " : "", f->name);
    }
    int status = pz_buf_status(&names, "a report", err);
    if (!status && names.len)
        status = finding(r, err, PZ_LEVEL_ADVICE, "plainStrings",
                         "%s: plain strings, which no model learns from: %.300s",
                         pz_set_name(s->d->schema.set), names.data);
    pz_buf_release(&names);
    return status;
}

static int
judge_columns(struct pz_report *r, const struct pz_set_report *s, struct pz_err *err)
{
    for (size_t c = 0; s->d && c < s->d->n_columns; c++)
        if (judge_column(r, s, &s->column[c], err))
            return err->status;
    return s->d ? judge_plain_strings(r, s, err) : PZ_OK;
}

/* ---- interactions ---- */

/* More first; where equal, the smaller id, which is the smaller name. */
static int
compare_counts(const void *a, const void *b)
{
    const struct pz_count *x = a, *y = b;
    if (x->n != y->n)
        return x->n > y->n ? -1 : 1;
    return (x->id > y->id) - (x->id < y->id);
}

static int
count_items(struct pz_report *r, struct pz_err *err)
{
    const struct pz_dataset *d = r->interactions.d;
    uint64_t *count;
    if (pz_new(&count, d->item.n, sizeof *count, "item counts", err))
        return err->status;
    for (uint64_t k = 0; k < d->n_rows; k++)
        count[pz_dataset_item(d, k)]++;
    for (uint64_t it = 0; it < d->item.n; it++) {
        struct pz_count c = {(uint32_t)it, count[it]};
        size_t at = r->n_top;
        while (at > 0 && compare_counts(&c, &r->top[at - 1]) < 0)
            at--;
        if (at == PZ_TOP)
            continue;
        size_t n = r->n_top < PZ_TOP ? r->n_top++ : PZ_TOP - 1;
        memmove(&r->top[at + 1], &r->top[at], (n - at) * sizeof c);
        r->top[at] = c;
    }
    int status = measure(&r->per_item, count, d->item.n, get_count, err);
    free(count);
    return status;
}

static const struct pz_column *
column_of(const struct pz_dataset *d, enum pz_role role)
{
    int f = d->schema.at[role];
    for (size_t c = 0; f >= 0 && c < d->n_columns; c++)
        if (d->column[c].field == &d->schema.field[f])
            return &d->column[c];
    return NULL;
}

static int
count_event_types(struct pz_report *r, struct pz_err *err)
{
    const struct pz_dataset *d = r->interactions.d;
    const struct pz_column *c = column_of(d, PZ_ROLE_EVENT_TYPE);
    if (!c)
        return PZ_OK;
    if (pz_new(&r->event_type, c->dict.n, sizeof *r->event_type, "event types", err))
        return err->status;
    r->event_column = c;
    r->n_event_types = c->dict.n;
    for (size_t t = 0; t < r->n_event_types; t++)
        r->event_type[t].id = (uint32_t)t;
    for (uint64_t k = 0; k < d->n_rows; k++) {
        uint32_t code = pz_column_code(c, k);
        if (code != PZ_NO_ID)
            r->event_type[code].n++;
    }
    if (r->n_event_types)
        qsort(r->event_type, r->n_event_types, sizeof *r->event_type, compare_counts);
    return PZ_OK;
}

static void
measure_times(struct pz_report *r)
{
    const struct pz_dataset *d = r->interactions.d;
    const struct pz_column *c = column_of(d, PZ_ROLE_TIMESTAMP);
    r->first = INT64_MAX;
    r->last = INT64_MIN;
    for (uint64_t u = 0; c && u < d->user.n; u++) {
        int64_t t = 0, before = 0;
        for (uint64_t k = d->row_offsets[u]; k < d->row_offsets[u + 1]; k++) {
            pz_column_i64(c, k, &t);
            r->first = t < r->first ? t : r->first;
            r->last = t > r->last ? t : r->last;
            r->same_second += k > d->row_offsets[u] && t == before;
            before = t;
        }
    }
    if (r->first > r->last)
        r->first = r->last = 0;
}

static void
add_minimum(struct pz_report *r, const char *key, const char *label, double have,
            double need, double advised)
{
    r->minimum[r->n_minimums++] = (struct pz_minimum){key, label, have, need, advised};
}

static int
judge_minimums(struct pz_report *r, struct pz_err *err)
{
    const struct pz_dataset *d = r->interactions.d;
    uint64_t active = 0;
    for (uint64_t u = 0; u < d->user.n; u++)
        active += d->row_offsets[u + 1] - d->row_offsets[u] >= 2;
    add_minimum(r, "interactions", "interactions", (double)d->n_rows, MIN_ROWS, 50000);
    add_minimum(r, "activeUsers", "users with two or more", (double)active, 25, 1000);
    add_minimum(r, "activeUserPercent", "percent of all users",
                percent(active, d->user.n), 1, 0);
    add_minimum(r, "interactedItems", "items with interactions", (double)d->item.n, 0,
                50);
    for (size_t m = 0; m < r->n_minimums; m++) {
        const struct pz_minimum *x = &r->minimum[m];
        int status = PZ_OK;
        if (x->have < x->need)
            status = finding(r, err, PZ_LEVEL_ERROR, x->key,
                             "%s: %.6g of at least %.6g that training needs", x->label,
                             x->have, x->need);
        else if (x->have < x->advised)
            status = finding(r, err, PZ_LEVEL_ADVICE, x->key,
                             "%s: %.6g of %.6g that are advised", x->label, x->have,
                             x->advised);
        if (status)
            return status;
    }
    return PZ_OK;
}

static int
judge_event_types(struct pz_report *r, struct pz_err *err)
{
    const struct pz_dataset *d = r->interactions.d;
    size_t metadata = 0, n = 0;
    for (size_t c = 0; c < d->n_columns; c++)
        metadata += d->column[c].field->role == PZ_ROLE_NONE;
    if (r->n_event_types + metadata > MAX_EVENT_NAMES &&
        finding(r, err, PZ_LEVEL_WARNING, "eventTypes",
                "%zu event types and %zu metadata columns are more than the %d that the "
                "service "
                "trains with; pz-train takes them",
                r->n_event_types, metadata, MAX_EVENT_NAMES))
        return err->status;
    for (size_t t = 0; t < r->n_event_types && d->n_rows >= MIN_ROWS; t++) {
        const char *name = pz_ids_get(&r->event_column->dict, r->event_type[t].id, &n);
        if (r->event_type[t].n < MIN_ROWS &&
            finding(r, err, PZ_LEVEL_ADVICE, "eventTypeRows",
                    "event type '%.*s' has %llu rows; a model of it alone needs 1000",
                    (int)(n > 100 ? 100 : n), name ? name : "",
                    (unsigned long long)r->event_type[t].n))
            return err->status;
    }
    return PZ_OK;
}

static int
judge_times(struct pz_report *r, struct pz_err *err)
{
    const struct pz_dataset *d = r->interactions.d;
    int status = PZ_OK;
    if (d->n_rows < 2)
        return PZ_OK;
    if (r->first == r->last)
        status =
            finding(r, err, PZ_LEVEL_WARNING, "equalTimes",
                    "all interactions have one time; the order of events is unknown and "
                    "the service cannot segment users");
    if (!status && r->last < YEAR_1980)
        status = finding(
            r, err, PZ_LEVEL_ADVICE, "oldTimes",
            "the newest interaction is before 1980; a time is seconds since 1970");
    if (!status && (double)r->same_second > SAME_SECOND * (double)d->n_rows)
        status =
            finding(r, err, PZ_LEVEL_ADVICE, "sameSecond",
                    "%.1f %% of the rows have the user and the second of the row before; "
                    "their order is that of the item ids",
                    percent(r->same_second, d->n_rows));
    return status;
}

/* ---- metadata against interactions ---- */

static int
compare_ids(const struct pz_ids *a, uint64_t i, const struct pz_ids *b, uint64_t j)
{
    size_t n = 0, m = 0;
    const char *s = pz_ids_get(a, (uint32_t)i, &n), *t = pz_ids_get(b, (uint32_t)j, &m);
    size_t shorter = n < m ? n : m;
    int c = s && t && shorter ? memcmp(s, t, shorter) : 0;
    return c ? c : (n > m) - (n < m);
}

/* Both lists are sorted bytewise. */
static void
match(struct pz_set_report *s, const struct pz_ids *here, const struct pz_ids *there)
{
    uint64_t i = 0, j = 0, both = 0;
    while (i < here->n && j < there->n) {
        int c = compare_ids(here, i, there, j);
        both += c == 0;
        i += c <= 0;
        j += c >= 0;
    }
    s->orphans = here->n - both;
    s->strangers = there->n - both;
}

static int
judge_match(struct pz_report *r, struct pz_set_report *s, const struct pz_ids *here,
            const struct pz_ids *there, struct pz_err *err)
{
    const char *set = pz_set_name(s->d->schema.set);
    match(s, here, there);
    int status = PZ_OK;
    if (s->orphans)
        status = finding(r, err, PZ_LEVEL_ADVICE, "withoutInteractions",
                         "%s without interactions: %llu (%.1f %%)", set,
                         (unsigned long long)s->orphans, percent(s->orphans, here->n));
    if (!status && s->strangers)
        status = finding(
            r, err, PZ_LEVEL_ADVICE, "withoutMetadata",
            "%s of the interactions that the %s dataset lacks: %llu (%.1f %%)", set, set,
            (unsigned long long)s->strangers, percent(s->strangers, there->n));
    return status;
}

/* ---- all of it ---- */

static int
check_dataset(struct pz_set_report *s, const struct pz_dataset *d, struct pz_err *err)
{
    s->d = d;
    if (!d)
        return PZ_OK;
    int status = pz_dataset_check(d, err);
    return status ? status : measure_columns(s, err);
}

static int
look_at_interactions(struct pz_report *r, struct pz_err *err)
{
    const struct pz_dataset *d = r->interactions.d;
    if (!d)
        return PZ_OK;
    if (measure(&r->per_user, d->row_offsets, d->user.n, get_row_count, err) ||
        count_items(r, err) || count_event_types(r, err))
        return err->status;
    measure_times(r);
    if (judge_minimums(r, err) || judge_event_types(r, err) || judge_times(r, err))
        return err->status;
    return PZ_OK;
}

static int
compare_findings(const void *a, const void *b)
{
    const struct pz_finding *x = *(struct pz_finding *const *)a,
                            *y = *(struct pz_finding *const *)b;
    if (x->level != y->level)
        return x->level < y->level ? -1 : 1;
    return (x > y) - (x < y);
}

/* Errors first, and otherwise as they came. */
static int
sort_findings(struct pz_report *r, struct pz_err *err)
{
    struct pz_finding **order, *sorted;
    if (r->n_findings == 0)
        return PZ_OK;
    if (pz_new(&order, r->n_findings, sizeof *order, "findings", err))
        return err->status;
    int status = pz_new(&sorted, r->n_findings, sizeof *sorted, "findings", err);
    if (!status) {
        for (size_t i = 0; i < r->n_findings; i++)
            order[i] = &r->finding[i];
        qsort(order, r->n_findings, sizeof *order, compare_findings);
        for (size_t i = 0; i < r->n_findings; i++)
            sorted[i] = *order[i];
        free(r->finding);
        r->finding = sorted;
        r->cap_findings = r->n_findings;
    }
    free(order);
    return status;
}

static int
look(struct pz_report *r, struct pz_err *err)
{
    const struct pz_dataset *events = r->interactions.d;
    if (look_at_interactions(r, err) || judge_columns(r, &r->interactions, err))
        return err->status;
    if (events && r->items.d &&
        judge_match(r, &r->items, &r->items.d->item, &events->item, err))
        return err->status;
    if (judge_columns(r, &r->items, err))
        return err->status;
    if (events && r->users.d &&
        judge_match(r, &r->users, &r->users.d->user, &events->user, err))
        return err->status;
    if (judge_columns(r, &r->users, err))
        return err->status;
    return sort_findings(r, err);
}

int
pz_insights(const struct pz_dataset *interactions, const struct pz_dataset *items,
            const struct pz_dataset *users, struct pz_buf *text_out,
            struct pz_buf *json_out, struct pz_err *err)
{
    struct pz_report r = {0};
    int status = check_dataset(&r.interactions, interactions, err);
    if (!status)
        status = check_dataset(&r.items, items, err);
    if (!status)
        status = check_dataset(&r.users, users, err);
    if (!status)
        status = look(&r, err);
    if (!status && text_out) {
        pz_report_text(&r, text_out);
        status = pz_buf_status(text_out, "the report", err);
    }
    if (!status && json_out) {
        pz_report_json(&r, json_out);
        status = pz_buf_status(json_out, "the report", err);
    }
    free(r.interactions.column);
    free(r.items.column);
    free(r.users.column);
    free(r.event_type);
    free(r.finding);
    return status;
}
