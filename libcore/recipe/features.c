#include "recipe/features.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/order.h"
#include "base/par.h"
#include "data/parts.h"
#include "recipe/words.h"

enum {
    BUCKETS = 16,
    NAME_WEIGHT = 2,
    PREFIX = 2,          // bytes in front of a value: its group
    TEXT_GROUP = 0xffff, // behind all columns
    MAX_LANES = 64,
};

/* A column as a source of features. */
struct source {
    const struct pz_column *column;
    enum pz_feature_sort sort;
    uint16_t group;      // number of the column, or TEXT_GROUP
    double cut[BUCKETS]; // numbers: bucket b holds cut[b-1] < x <= cut[b]
    size_t n_cuts;       // buckets - 1
    double length;       // of its part of an item's vector
};

struct entry {
    uint32_t feature;
    float value; // how often, then the weight
};

/* The rows of items first..end, made by one thread. */
struct lane {
    struct job *job;
    uint32_t first, end;
    struct pz_dict dict; // keys: group, big-endian, and value
    uint32_t *map;       // to the merged numbers
    uint64_t *n_row;     // entries of each row: first..end
    struct entry *entry;
    size_t n, cap;
    size_t row;     // where the row at hand begins
    uint16_t group; // of the words at hand
    float times;    // what one of them counts
};

struct job {
    const struct pz_world *w;
    struct source *source;
    size_t n_sources, keep;
    struct lane *lane;
    size_t n_lanes;
    uint8_t *key_bytes; // merged keys
    int64_t *key_offsets;
    uint64_t n_keys;
    uint32_t *df;
    uint32_t *number; // of a key among the features that stay, or PZ_NO_ID
    double mean_words;
    uint32_t n_some; // items with features
};

/* ---- sources ---- */

static bool
is_text(const struct pz_field *f)
{
    return f->textual || f->item_name || !f->categorical;
}

static enum pz_feature_sort
sort_of(const struct pz_field *f)
{
    if (f->type == PZ_STRING)
        return is_text(f) ? PZ_FEATURE_TEXT : PZ_FEATURE_CATEGORY;
    return f->type == PZ_BOOLEAN || f->categorical ? PZ_FEATURE_CATEGORY
                                                   : PZ_FEATURE_NUMBER;
}

/* Up to BUCKETS - 1 distinct values that part the column's values into equal numbers. */
static int
find_cuts(struct source *s, uint64_t n_rows, struct pz_err *err)
{
    double *value;
    size_t n = 0;
    int r = pz_new(&value, n_rows, sizeof *value, "a column", err);
    if (r)
        return r;
    for (uint64_t i = 0; i < n_rows; i++)
        n += pz_column_f64(s->column, i, &value[n]) && isfinite(value[n]);
    qsort(value, n, sizeof *value, pz_order_f64);
    for (size_t b = 1; b < BUCKETS && n; b++) {
        double cut = value[(n - 1) * b / BUCKETS];
        if (cut < value[n - 1] && (!s->n_cuts || cut > s->cut[s->n_cuts - 1]))
            s->cut[s->n_cuts++] = cut;
    }
    free(value);
    return PZ_OK;
}

static int
find_sources(struct job *job, const struct pz_features_spec *spec, struct pz_err *err)
{
    const struct pz_dataset *items = job->w->items;
    int r = pz_new(&job->source, items->n_columns, sizeof *job->source, "columns", err);
    for (size_t i = 0; r == PZ_OK && i < items->n_columns && i < TEXT_GROUP; i++) {
        const struct pz_column *c = &items->column[i];
        enum pz_feature_sort sort = sort_of(c->field);
        if (c->field->role != PZ_ROLE_NONE || !(spec->sorts & sort))
            continue;
        struct source *s = &job->source[job->n_sources++];
        *s = (struct source){.column = c, .sort = sort, .group = (uint16_t)i};
        if (sort == PZ_FEATURE_TEXT)
            s->group = TEXT_GROUP;
        if (sort == PZ_FEATURE_NUMBER)
            r = find_cuts(s, items->n_rows, err);
    }
    return r;
}

/* ---- rows ---- */

static int
put(struct lane *l, const char *value, size_t n, float times, struct pz_err *err)
{
    char key[PREFIX + 1024];
    uint32_t feature;
    n = n < sizeof key - PREFIX ? n : sizeof key - PREFIX;
    key[0] = (char)(l->group >> 8);
    key[1] = (char)l->group;
    memcpy(key + PREFIX, value, n);
    int r = pz_dict_intern(&l->dict, key, n + PREFIX, &feature, err);
    if (r == PZ_OK)
        r = pz_grow(&l->entry, &l->cap, l->n + 1, sizeof *l->entry, "features", err);
    if (r == PZ_OK)
        l->entry[l->n++] = (struct entry){feature, times};
    return r;
}

static int
put_word(void *ctx, const char *word, size_t n, struct pz_err *err)
{
    struct lane *l = ctx;
    return put(l, word, n, l->times, err);
}

static int
put_categories(struct lane *l, const char *s, size_t n, struct pz_err *err)
{
    struct pz_parts parts = pz_parts_of(s, n);
    int r = PZ_OK;
    while (r == PZ_OK && pz_parts_next(&parts, &s, &n))
        if (n)
            r = put(l, s, n, 1, err);
    return r;
}

static int
put_bucket(struct lane *l, const struct source *s, double x, struct pz_err *err)
{
    size_t b = 0;
    while (b < s->n_cuts && x > s->cut[b])
        b++;
    int r = PZ_OK;
    for (size_t k = b ? b - 1 : 0; k <= b + 1 && k <= s->n_cuts && r == PZ_OK; k++) {
        char byte = (char)k;
        r = put(l, &byte, 1, k == b ? 1.0f : 0.5f, err);
    }
    return r;
}

static int
put_cell(struct lane *l, const struct source *s, uint64_t row, struct pz_err *err)
{
    const struct pz_field *f = s->column->field;
    double x;
    int64_t whole;
    size_t n;
    l->group = s->group;
    if (s->sort == PZ_FEATURE_NUMBER)
        return pz_column_f64(s->column, row, &x) && isfinite(x) ? put_bucket(l, s, x, err)
                                                                : PZ_OK;
    if (f->type != PZ_STRING) {
        char text[PZ_NUM_TEXT];
        if (!pz_column_i64(s->column, row, &whole))
            return PZ_OK;
        snprintf(text, sizeof text, "%lld", (long long)whole);
        return put(l, text, strlen(text), 1, err);
    }
    const char *cell = pz_column_text(s->column, row, &n);
    if (!cell)
        return PZ_OK;
    l->times = f->item_name ? NAME_WEIGHT : 1;
    return s->sort == PZ_FEATURE_TEXT ? pz_words(cell, n, put_word, l, err)
                                      : put_categories(l, cell, n, err);
}

static int
by_feature(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    return (x->feature > y->feature) - (x->feature < y->feature);
}

/* The row at hand with each feature once; sums are of halves and whole numbers: exact. */
static void
end_row(struct lane *l, uint32_t item)
{
    struct entry *e = l->entry + l->row;
    size_t n = l->n - l->row, k = 0;
    if (n)
        qsort(e, n, sizeof *e, by_feature);
    for (size_t i = 0; i < n; i++) {
        if (k && e[k - 1].feature == e[i].feature)
            e[k - 1].value += e[i].value;
        else
            e[k++] = e[i];
    }
    l->n = l->row + k;
    l->n_row[item - l->first] = k;
    l->row = l->n;
}

static int
read_rows(void *ctx, size_t task, int thread, struct pz_err *err)
{
    (void)thread;
    struct job *job = ctx;
    struct lane *l = &job->lane[task];
    int r = pz_dict_init(&l->dict, err);
    if (r == PZ_OK)
        r = pz_new(&l->n_row, l->end - l->first, sizeof *l->n_row, "features", err);
    for (uint32_t it = l->first; it < l->end && r == PZ_OK; it++) {
        uint32_t row = job->w->item_row[it];
        for (size_t i = 0; i < job->n_sources && row != PZ_NO_ID && r == PZ_OK; i++)
            r = put_cell(l, &job->source[i], row, err);
        if (r == PZ_OK)
            end_row(l, it);
    }
    return r;
}

/* ---- one numbering ---- */

static uint16_t
group_of(const struct job *job, uint32_t key)
{
    const uint8_t *k = job->key_bytes + job->key_offsets[key];
    return (uint16_t)(k[0] << 8 | k[1]);
}

static int
merge_keys(struct job *job, struct pz_err *err)
{
    struct pz_dict *dict[MAX_LANES];
    uint32_t *map[MAX_LANES] = {NULL};
    double words = 0;
    uint32_t n_texts = 0;
    for (size_t k = 0; k < job->n_lanes; k++)
        dict[k] = &job->lane[k].dict;
    int r = pz_dict_merge(dict, job->n_lanes, &job->n_keys, &job->key_bytes,
                          &job->key_offsets, map, err);
    for (size_t k = 0; k < job->n_lanes; k++)
        job->lane[k].map = map[k];
    if (r || (r = pz_new(&job->df, job->n_keys, sizeof *job->df, "features", err)) ||
        (r = pz_new(&job->number, job->n_keys, sizeof *job->number, "features", err)))
        return r;
    for (size_t k = 0; k < job->n_lanes; k++) {
        struct lane *l = &job->lane[k];
        struct entry *e = l->entry;
        for (uint32_t it = l->first; it < l->end; it++) {
            uint64_t n = l->n_row[it - l->first];
            double len = 0;
            for (uint64_t i = 0; i < n; i++, e++) {
                e->feature = l->map[e->feature];
                job->df[e->feature]++;
                len += group_of(job, e->feature) == TEXT_GROUP ? (double)e->value : 0;
            }
            if (n)
                qsort(e - n, n, sizeof *e, by_feature);
            job->n_some += n > 0;
            n_texts += len > 0;
            words += len;
        }
    }
    job->mean_words = n_texts ? words / n_texts : 1;
    return PZ_OK;
}

/* ---- weights ---- */

static void
find_lengths(struct job *job)
{
    for (size_t i = 0; i < job->n_sources; i++) {
        struct source *s = &job->source[i];
        double alike = 0;
        s->length = s->sort == PZ_FEATURE_NUMBER ? (s->n_cuts ? 0.5 : 0) : 1;
        if (s->sort != PZ_FEATURE_CATEGORY)
            continue;
        for (uint64_t k = 0; k < job->n_keys; k++)
            if (group_of(job, (uint32_t)k) == s->group)
                alike += pow((double)job->df[k] / job->n_some, 2);
        s->length = alike < 1 ? sqrt(fmin(1, -log(alike) / 2)) : 0;
    }
}

static double
length_of(const struct job *job, uint16_t group)
{
    const struct source *s = job->source;
    while (s->group != group)
        s++;
    return s->length;
}

/* Weights of e[0..n), all of one group, brought to the group's length; returns its
 * square. */
static double
weigh_group(const struct job *job, struct entry *e, size_t n)
{
    uint16_t group = group_of(job, e->feature);
    double len = 0, square = 0, some = job->n_some;
    for (size_t i = 0; i < n; i++)
        len += (double)e[i].value;
    for (size_t i = 0; i < n; i++) {
        double df = job->df[e[i].feature], tf = (double)e[i].value;
        double w = log(1 + (some - df + 0.5) / (df + 0.5));
        if (group == TEXT_GROUP)
            w *= 2.2 * tf / (tf + 1.2 * (0.25 + 0.75 * len / job->mean_words));
        else
            w *= tf;
        e[i].value = (float)w;
        square += (double)e[i].value * (double)e[i].value;
    }
    double want = length_of(job, group), scale = want / sqrt(square);
    for (size_t i = 0; i < n; i++)
        e[i].value = (float)((double)e[i].value * scale);
    return want * want;
}

static int
by_weight(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->value != y->value)
        return x->value > y->value ? -1 : 1;
    return by_feature(a, b);
}

/* Weights of all rows; those that stay move to the front of their row, n_row is theirs.
 */
static int
weigh_rows(void *ctx, size_t task, int thread, struct pz_err *err)
{
    (void)thread;
    (void)err;
    struct job *job = ctx;
    struct lane *l = &job->lane[task];
    struct entry *e = l->entry, *to = l->entry;
    for (uint32_t it = l->first; it < l->end; it++) {
        size_t n = l->n_row[it - l->first], kept = 0;
        double square = 0;
        for (size_t from = 0, i = 1; i <= n; i++)
            if (i == n || group_of(job, e[i].feature) != group_of(job, e[from].feature)) {
                square += weigh_group(job, e + from, i - from);
                from = i;
            }
        for (size_t i = 0; i < n; i++) {
            if (job->df[e[i].feature] < 2 || e[i].value <= 0)
                continue;
            to[kept] = e[i];
            to[kept++].value = (float)((double)e[i].value / sqrt(square));
        }
        if (job->keep && kept > job->keep) {
            qsort(to, kept, sizeof *to, by_weight);
            kept = job->keep;
        }
        l->n_row[it - l->first] = kept;
        e += n;
        to += kept;
    }
    l->n = (size_t)(to - l->entry);
    return PZ_OK;
}

/* ---- the result ---- */

/* Only features that some item still has get a number. */
static uint32_t
number_features(struct job *job)
{
    uint32_t n = 0;
    memset(job->df, 0, job->n_keys * sizeof *job->df);
    for (size_t k = 0; k < job->n_lanes; k++)
        for (size_t i = 0; i < job->lane[k].n; i++)
            job->df[job->lane[k].entry[i].feature] = 1;
    for (uint64_t k = 0; k < job->n_keys; k++)
        job->number[k] = job->df[k] ? n++ : PZ_NO_ID;
    return n;
}

static void
name_bucket(const struct source *s, uint8_t b, struct pz_buf *out)
{
    char low[PZ_NUM_TEXT], high[PZ_NUM_TEXT];
    pz_format_f64(low, b ? s->cut[b - 1] : 0);
    pz_format_f64(high, b < s->n_cuts ? s->cut[b] : 0);
    if (!s->n_cuts)
        pz_buf_addz(out, "any");
    else if (b == 0)
        pz_buf_addf(out, "up to %s", high);
    else if (b == s->n_cuts)
        pz_buf_addf(out, "above %s", low);
    else
        pz_buf_addf(out, "%s to %s", low, high);
}

static void
name_feature(const struct job *job, uint32_t key, struct pz_buf *out)
{
    uint16_t group = group_of(job, key);
    const char *value = (const char *)job->key_bytes + job->key_offsets[key] + PREFIX;
    size_t n = (size_t)(job->key_offsets[key + 1] - job->key_offsets[key]) - PREFIX;
    const struct source *s = job->source;
    while (s->group != group)
        s++;
    if (group != TEXT_GROUP)
        pz_buf_addf(out, "%s=", s->column->name);
    if (s->sort == PZ_FEATURE_NUMBER)
        name_bucket(s, (uint8_t)*value, out);
    else
        pz_buf_add(out, value, n);
}

static int
name_features(const struct job *job, struct pz_features *out, uint32_t n,
              struct pz_err *err)
{
    struct pz_buf text = PZ_BUF_INIT;
    int r = pz_new(&out->name_offsets, (size_t)n + 1, sizeof *out->name_offsets,
                   "features", err);
    for (uint64_t k = 0; r == PZ_OK && k < job->n_keys; k++)
        if (job->number[k] != PZ_NO_ID) {
            name_feature(job, (uint32_t)k, &text);
            out->name_offsets[job->number[k] + 1] = (int64_t)text.len;
        }
    if (r == PZ_OK)
        r = pz_buf_status(&text, "features", err);
    if (r == PZ_OK)
        r = pz_new(&out->name_bytes, text.len, 1, "features", err);
    if (r == PZ_OK && text.len)
        memcpy(out->name_bytes, text.data, text.len);
    pz_buf_release(&text);
    return r;
}

static int
collect(struct job *job, struct pz_features *out, struct pz_err *err)
{
    uint32_t n_items = (uint32_t)job->w->item.n, n_features = number_features(job);
    uint64_t *offsets = NULL, total = 0;
    uint32_t *col = NULL;
    float *value = NULL;
    for (size_t k = 0; k < job->n_lanes; k++)
        total += job->lane[k].n;
    int r = pz_new(&offsets, (size_t)n_items + 1, sizeof *offsets, "features", err);
    if (r == PZ_OK)
        r = pz_new(&col, total, sizeof *col, "features", err);
    if (r == PZ_OK)
        r = pz_new(&value, total, sizeof *value, "features", err);
    for (size_t k = 0; k < job->n_lanes && r == PZ_OK; k++) {
        const struct lane *l = &job->lane[k];
        uint64_t at = offsets[l->first];
        for (size_t i = 0; i < l->n; i++) {
            col[at + i] = job->number[l->entry[i].feature];
            value[at + i] = l->entry[i].value;
        }
        for (uint32_t it = l->first; it < l->end; it++)
            offsets[it + 1] = offsets[it] + l->n_row[it - l->first];
    }
    if (r == PZ_OK)
        r = name_features(job, out, n_features, err);
    if (r == PZ_OK)
        r = pz_csr_make(&out->by_item, &out->by_feature, n_items, n_features, offsets,
                        col, value, false, err);
    free(offsets);
    free(col);
    free(value);
    out->n_columns = job->n_sources;
    return r;
}

/* ---- all of it ---- */

static int
make_lanes(struct job *job, size_t n, struct pz_err *err)
{
    uint32_t n_items = (uint32_t)job->w->item.n;
    job->n_lanes = n < MAX_LANES ? n : MAX_LANES;
    int r = pz_new(&job->lane, job->n_lanes, sizeof *job->lane, "features", err);
    for (size_t k = 0; r == PZ_OK && k < job->n_lanes; k++) {
        job->lane[k].job = job;
        job->lane[k].first = (uint32_t)((uint64_t)n_items * k / job->n_lanes);
        job->lane[k].end = (uint32_t)((uint64_t)n_items * (k + 1) / job->n_lanes);
    }
    return r;
}

static void
release(struct job *job)
{
    for (size_t k = 0; job->lane && k < job->n_lanes; k++) {
        pz_dict_release(&job->lane[k].dict);
        free(job->lane[k].map);
        free(job->lane[k].n_row);
        free(job->lane[k].entry);
    }
    free(job->lane);
    free(job->source);
    free(job->key_bytes);
    free(job->key_offsets);
    free(job->df);
    free(job->number);
}

static int
nothing(struct pz_features *out, uint32_t n_items, struct pz_err *err)
{
    int r = pz_new(&out->name_offsets, 1, sizeof *out->name_offsets, "features", err);
    if (r == PZ_OK)
        r = pz_new(&out->name_bytes, 0, 1, "features", err);
    if (r == PZ_OK)
        r = pz_new(&out->by_item.offsets, (size_t)n_items + 1, sizeof(uint64_t),
                   "features", err);
    if (r == PZ_OK)
        r = pz_new(&out->by_item.col, 0, sizeof(uint32_t), "features", err);
    if (r == PZ_OK)
        r = pz_new(&out->by_item.value, 0, sizeof(float), "features", err);
    if (r == PZ_OK)
        r = pz_new(&out->by_feature.offsets, 1, sizeof(uint64_t), "features", err);
    if (r == PZ_OK)
        r = pz_new(&out->by_feature.col, 0, sizeof(uint32_t), "features", err);
    if (r == PZ_OK)
        r = pz_new(&out->by_feature.value, 0, sizeof(float), "features", err);
    out->by_item.n_rows = out->by_feature.n_cols = n_items;
    return r;
}

int
pz_features_make(struct pz_features *out, const struct pz_world *w,
                 const struct pz_features_spec *spec, struct pz_err *err)
{
    struct job job = {.w = w, .keep = spec->keep};
    int n_threads = pz_threads(spec->threads), r = PZ_OK;
    *out = (struct pz_features){0};
    if (w->items)
        r = find_sources(&job, spec, err);
    if (r == PZ_OK && job.n_sources == 0)
        r = nothing(out, (uint32_t)w->item.n, err);
    else if (r == PZ_OK && (r = make_lanes(&job, (size_t)n_threads, err)) == PZ_OK &&
             (r = pz_par(n_threads, job.n_lanes, read_rows, &job, err)) == PZ_OK &&
             (r = merge_keys(&job, err)) == PZ_OK) {
        find_lengths(&job);
        r = pz_par(n_threads, job.n_lanes, weigh_rows, &job, err);
        if (r == PZ_OK)
            r = collect(&job, out, err);
    }
    release(&job);
    if (r)
        pz_features_release(out);
    return r;
}

void
pz_features_release(struct pz_features *f)
{
    pz_csr_release(&f->by_item);
    pz_csr_release(&f->by_feature);
    free(f->name_bytes);
    free(f->name_offsets);
    *f = (struct pz_features){0};
}
