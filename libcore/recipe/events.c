#include "recipe/events.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/order.h"
#include "base/rng.h"

void
pz_events_release(struct pz_events *e)
{
    if (!e->view) {
        free(e->offsets);
        free(e->item);
        free(e->time);
        free(e->weight);
    }
    free(e->hidden); // a view's own
    *e = (struct pz_events){0};
}

/* Arrays for n events; offsets stay 0. */
static int
events_new(struct pz_events *e, uint32_t n_users, uint32_t n_items, uint64_t n,
           bool weighted, struct pz_err *err)
{
    *e = (struct pz_events){.n_users = n_users, .n_items = n_items};
    if (pz_new(&e->offsets, (size_t)n_users + 1, sizeof *e->offsets, "event offsets",
               err) ||
        pz_new_aligned(&e->item, n, sizeof *e->item, "events", err) ||
        pz_new_aligned(&e->time, n, sizeof *e->time, "events", err) ||
        (weighted &&
         pz_new_aligned(&e->weight, n, sizeof *e->weight, "event weights", err))) {
        pz_events_release(e);
        return err->status;
    }
    return PZ_OK;
}

/* ---- selection ---- */

static const struct pz_column *
column_of_role(const struct pz_dataset *d, enum pz_role role)
{
    for (size_t i = 0; i < d->n_columns; i++)
        if (d->column[i].field->role == role)
            return &d->column[i];
    return NULL;
}

/* What a rule comes down to, an entry for each code of the type's dictionary. */
struct code_rule {
    bool listed, has_threshold;
    float weight;
    double threshold;
};

struct filter {
    const struct pz_column *type, *value, *time;
    const struct pz_selection *s;
    struct code_rule *code; // NULL: all types
    bool weighted;
};

static int
unknown_type(const struct pz_column *type, const char *name, struct pz_err *err)
{
    struct pz_buf list = PZ_BUF_INIT;
    for (uint32_t i = 0; i < type->dict.n && i < 20; i++) {
        size_t len;
        const char *s = pz_ids_get(&type->dict, i, &len);
        pz_buf_addf(&list, "%s'%.*s'", i ? ", " : "", s ? (int)len : 0, s ? s : "");
    }
    if (pz_buf_status(&list, "a message", err) == PZ_OK)
        pz_err_set(err, PZ_USAGE, "event type '%s' is not in the dataset, which has %s%s",
                   name, list.len ? list.data : "none", type->dict.n > 20 ? ", ..." : "");
    pz_buf_release(&list);
    return err->status;
}

/* The code of the rule's type, at least `from`; PZ_NO_ID: there is none any more. */
static uint32_t
next_code(const struct pz_column *type, const struct pz_event_rule *rule, uint32_t from)
{
    size_t n = strlen(rule->type), len;
    for (uint32_t c = from; c < type->dict.n; c++) {
        const char *s = pz_ids_get(&type->dict, c, &len);
        if (s && len == n &&
            (rule->any_case ? strncasecmp(s, rule->type, n) : memcmp(s, rule->type, n)) ==
                0)
            return c;
    }
    return PZ_NO_ID;
}

static int
compile_rules(struct filter *f, struct pz_err *err)
{
    const struct pz_selection *s = f->s;
    if (!f->type)
        return pz_err_set(err, PZ_USAGE,
                          "event type '%s': the dataset has no EVENT_TYPE column",
                          s->rule[0].type);
    if (pz_new(&f->code, f->type->dict.n, sizeof *f->code, "event types", err))
        return err->status;
    double greatest = 0, least = INFINITY;
    for (size_t i = 0; i < s->n_rules; i++) {
        const struct pz_event_rule *rule = &s->rule[i];
        double weight = rule->has_weight ? rule->weight : 1;
        uint32_t c = next_code(f->type, rule, 0);
        if (c == PZ_NO_ID)
            return unknown_type(f->type, rule->type, err);
        if (!(weight >= 0) || !isfinite(weight))
            return pz_err_set(err, PZ_USAGE,
                              "event type '%s': its weight is not a number of at least 0",
                              rule->type);
        for (; c != PZ_NO_ID; c = next_code(f->type, rule, c + 1)) {
            if (f->code[c].listed)
                return pz_err_set(err, PZ_USAGE, "event type '%s' is given twice",
                                  rule->type);
            f->code[c] =
                (struct code_rule){weight > 0, rule->has_threshold, 1, rule->threshold};
        }
        if (weight > 0) {
            greatest = fmax(greatest, weight);
            least = fmin(least, weight);
        }
    }
    if (!(greatest > 0))
        return pz_err_set(err, PZ_USAGE, "all event types have weight 0");
    f->weighted = least != greatest;
    for (size_t i = 0; i < s->n_rules; i++) {
        const struct pz_event_rule *rule = &s->rule[i];
        double given = rule->has_weight ? rule->weight : 1;
        float weight = (float)(given / greatest);
        if (given > 0 && !(weight > 0))
            return pz_err_set(err, PZ_USAGE,
                              "event type '%s': its weight %g is nothing beside the "
                              "greatest, %g; 0 leaves the type out",
                              rule->type, given, greatest);
        for (uint32_t c = next_code(f->type, rule, 0); c != PZ_NO_ID;
             c = next_code(f->type, rule, c + 1))
            f->code[c].weight = weight;
    }
    return PZ_OK;
}

static int
compile(struct filter *f, const struct pz_dataset *d, const struct pz_selection *s,
        struct pz_err *err)
{
    *f = (struct filter){.type = column_of_role(d, PZ_ROLE_EVENT_TYPE),
                         .value = column_of_role(d, PZ_ROLE_EVENT_VALUE),
                         .time = column_of_role(d, PZ_ROLE_TIMESTAMP),
                         .s = s};
    bool threshold = s->has_threshold;
    for (size_t i = 0; i < s->n_rules; i++)
        threshold |= s->rule[i].has_threshold;
    if (!d->row_offsets || !f->time)
        return pz_err_set(err, PZ_DATA, "'%s' holds no interactions with times",
                          d->file.path);
    if (d->user.n >= PZ_NO_ID || d->item.n >= PZ_NO_ID)
        return pz_err_set(err, PZ_DATA, "'%s' has more than %" PRIu32 " users or items",
                          d->file.path, PZ_NO_ID - 1);
    if (threshold && !f->value)
        return pz_err_set(err, PZ_USAGE,
                          "an event value threshold is given, but the dataset has no "
                          "EVENT_VALUE column");
    return s->n_rules ? compile_rules(f, err) : PZ_OK;
}

/* The weight of row r, 0 when it is not selected. */
static float
row_weight(const struct filter *f, uint64_t r)
{
    double value, threshold = f->s->threshold;
    bool has_threshold = f->s->has_threshold;
    float weight = 1;
    if (f->code) {
        uint32_t c = pz_column_code(f->type, r);
        if (c >= f->type->dict.n || !f->code[c].listed)
            return 0;
        weight = f->code[c].weight;
        if (f->code[c].has_threshold) {
            has_threshold = true;
            threshold = f->code[c].threshold;
        }
    }
    if (has_threshold && (!pz_column_f64(f->value, r, &value) || !(value >= threshold)))
        return 0;
    return weight;
}

static int
fill(const struct pz_dataset *d, const struct filter *f, struct pz_events *e,
     struct pz_err *err)
{
    for (uint32_t u = 0; u < e->n_users; u++) {
        for (uint64_t r = d->row_offsets[u]; r < d->row_offsets[u + 1]; r++) {
            float weight = row_weight(f, r);
            if (!(weight > 0))
                continue;
            if (!pz_column_i64(f->time, r, &e->time[e->n]))
                return pz_err_set(err, PZ_DATA, "'%s': row %" PRIu64 " has no time",
                                  d->file.path, r);
            e->item[e->n] = pz_dataset_item(d, r);
            if (e->weight)
                e->weight[e->n] = weight;
            e->n++;
        }
        e->offsets[u + 1] = e->n;
    }
    return PZ_OK;
}

static void
join_types(const struct pz_selection *s, char *out, size_t size)
{
    out[0] = 0;
    for (size_t i = 0, at = 0; i < s->n_rules && at < size; i++) {
        int n = snprintf(out + at, size - at, "%s%s", i ? ", " : "", s->rule[i].type);
        at += n < 0 ? 0 : (size_t)n;
    }
}

/* AWS's minimums, in AWS's words, of which there are none for the share of users. */
static void
check_minimums(const struct pz_selection *s, uint64_t all_users,
               struct pz_selection_report *r)
{
    char types[256];
    if (r->n_events < 1000) {
        join_types(s, types, sizeof types);
        snprintf(
            r->warning, sizeof r->warning,
            "Dataset has fewer than 1000 interactions after filtering by event type: %s",
            s->n_rules ? types : "(all)");
    } else if (r->n_users_2 < 25) {
        snprintf(
            r->warning, sizeof r->warning,
            "Create failed. Dataset has fewer than 25 users with at least 2 interactions "
            "each.");
    } else if ((double)r->n_users_2 < 0.01 * (double)all_users) {
        snprintf(r->warning, sizeof r->warning,
                 "only %" PRIu32 " of %" PRIu64 " users have 2 interactions or more; "
                 "at least 1 %% should",
                 r->n_users_2, all_users);
    }
}

static int
describe(const struct pz_events *e, struct pz_selection_report *r, struct pz_err *err)
{
    uint8_t *seen;
    if (pz_new(&seen, e->n_items, 1, "items", err))
        return err->status;
    for (uint64_t i = 0; i < e->n; i++)
        seen[e->item[i]] = 1;
    for (uint32_t it = 0; it < e->n_items; it++)
        r->n_items += seen[it];
    free(seen);
    for (uint32_t u = 0; u < e->n_users; u++) {
        uint64_t n = e->offsets[u + 1] - e->offsets[u];
        r->n_users += n >= 1;
        r->n_users_2 += n >= 2;
    }
    r->n_events = e->n;
    return PZ_OK;
}

int
pz_events_select(const struct pz_dataset *d, const struct pz_selection *s,
                 struct pz_events *out, struct pz_selection_report *report,
                 struct pz_err *err)
{
    struct filter f;
    *out = (struct pz_events){0};
    *report = (struct pz_selection_report){.n_rows = d->n_rows};
    int r = compile(&f, d, s, err);
    if (r == PZ_OK)
        r = events_new(out, (uint32_t)d->user.n, (uint32_t)d->item.n, d->n_rows,
                       f.weighted, err);
    if (r == PZ_OK)
        r = fill(d, &f, out, err);
    free(f.code);
    if (r == PZ_OK)
        r = describe(out, report, err);
    if (r == PZ_OK) {
        check_minimums(s, d->user.n, report);
        if (s->strict && report->warning[0])
            r = pz_err_set(err, PZ_DATA, "%s", report->warning);
        else if (out->n == 0)
            r = pz_err_set(err, PZ_DATA,
                           "no interactions are left of %" PRIu64 " after the "
                           "selection by event type and value",
                           d->n_rows);
    }
    if (r)
        pz_events_release(out);
    return r;
}

/* ---- cut ---- */

struct pz_cut
pz_cut_of_params(const struct pz_params *p)
{
    struct pz_cut cut = PZ_CUT_NONE;
    const struct {
        const char *name;
        double *to;
    } map[] = {
        {"min_user_history_length_percentile", &cut.min_user},
        {"max_user_history_length_percentile", &cut.max_user},
        {"min_item_interaction_count_percentile", &cut.min_item},
        {"max_item_interaction_count_percentile", &cut.max_item},
    };
    for (size_t k = 0; k < sizeof map / sizeof *map; k++) {
        int i = pz_param_find(p->def, map[k].name);
        if (i >= 0)
            *map[k].to = p->value[i];
    }
    return cut;
}

/* Nearest rank, 1..n. The small term takes back what rounding adds: 0.07 * 100 is
 * above 7. */
static size_t
rank_of(double p, size_t n)
{
    double rank = ceil(p * (double)n - 1e-9);
    return rank < 1 ? 1 : rank > (double)n ? n : (size_t)rank;
}

/* The nearest-rank percentiles p and q of the lengths that are not 0; reorders len. */
static void
bounds(uint64_t *len, size_t n_len, double p, double q, uint64_t *lo, uint64_t *hi)
{
    size_t n = 0;
    for (size_t i = 0; i < n_len; i++)
        if (len[i])
            len[n++] = len[i];
    *lo = *hi = 0;
    if (n == 0)
        return;
    qsort(len, n, sizeof *len, pz_order_u64);
    size_t at_p = rank_of(p, n), at_q = rank_of(q, n);
    *lo = len[at_p - 1];
    *hi = len[at_q - 1];
}

struct cutter {
    uint64_t *user, *item; // numbers of events
    uint64_t *sorted;      // scratch
};

static int
count(struct cutter *c, const struct pz_events *e, struct pz_err *err)
{
    size_t most = e->n_users > e->n_items ? e->n_users : e->n_items;
    if (pz_new(&c->user, e->n_users, sizeof *c->user, "history lengths", err) ||
        pz_new(&c->item, e->n_items, sizeof *c->item, "item counts", err) ||
        pz_new(&c->sorted, most, sizeof *c->sorted, "percentiles", err))
        return err->status;
    for (uint32_t u = 0; u < e->n_users; u++)
        c->user[u] = e->offsets[u + 1] - e->offsets[u];
    for (uint64_t i = 0; i < e->n; i++)
        c->item[e->item[i]]++;
    return PZ_OK;
}

static bool
inside(uint64_t n, uint64_t lo, uint64_t hi)
{
    return n >= lo && n <= hi;
}

static void
measure(struct cutter *c, const struct pz_events *e, const struct pz_cut *cut,
        struct pz_cut_report *r)
{
    memcpy(c->sorted, c->user, e->n_users * sizeof *c->user);
    bounds(c->sorted, e->n_users, cut->min_user, cut->max_user, &r->user_lo, &r->user_hi);
    memcpy(c->sorted, c->item, e->n_items * sizeof *c->item);
    bounds(c->sorted, e->n_items, cut->min_item, cut->max_item, &r->item_lo, &r->item_hi);
    for (uint32_t u = 0; u < e->n_users; u++)
        r->users_dropped += c->user[u] && !inside(c->user[u], r->user_lo, r->user_hi);
    for (uint32_t it = 0; it < e->n_items; it++)
        r->items_dropped += c->item[it] && c->item[it] < r->item_lo;
    for (uint32_t it = 0; it < e->n_items; it++)
        r->items_hidden += c->item[it] > r->item_hi;
}

static void
copy_inside(const struct cutter *c, const struct pz_events *e,
            const struct pz_cut_report *r, struct pz_events *out)
{
    for (uint32_t u = 0; u < e->n_users; u++) {
        bool keep = inside(c->user[u], r->user_lo, r->user_hi);
        for (uint64_t i = e->offsets[u]; keep && i < e->offsets[u + 1]; i++) {
            if (c->item[e->item[i]] < r->item_lo)
                continue;
            out->item[out->n] = e->item[i];
            out->time[out->n] = e->time[i];
            if (out->weight)
                out->weight[out->n] = e->weight[i];
            out->n++;
        }
        out->offsets[u + 1] = out->n;
    }
}

static int
hide(const struct cutter *c, const struct pz_cut_report *r, struct pz_events *out,
     struct pz_err *err)
{
    int status = pz_new(&out->hidden, out->n_items, 1, "hidden items", err);
    for (uint32_t it = 0; it < out->n_items && !status; it++)
        out->hidden[it] = c->item[it] > r->item_hi;
    if (status)
        pz_events_release(out);
    return status;
}

int
pz_events_cut(const struct pz_events *e, const struct pz_cut *cut, struct pz_events *out,
              struct pz_cut_report *report, struct pz_err *err)
{
    struct cutter c = {0};
    *report = (struct pz_cut_report){0};
    *out = (struct pz_events){0};
    int r = count(&c, e, err);
    if (r == PZ_OK)
        measure(&c, e, cut, report);
    if (r == PZ_OK && report->users_dropped == 0 && report->items_dropped == 0) {
        *out = *e;
        out->view = true;
    } else if (r == PZ_OK) {
        r = events_new(out, e->n_users, e->n_items, e->n, e->weight != NULL, err);
        if (r == PZ_OK)
            copy_inside(&c, e, report, out);
    }
    if (r == PZ_OK && report->items_hidden)
        r = hide(&c, report, out, err);
    if (r == PZ_OK)
        report->events_dropped = e->n - out->n;
    if (r == PZ_OK && out->n == 0 && e->n > 0) {
        pz_events_release(out);
        r = pz_err_set(
            err, PZ_DATA,
            "no interactions are left inside the history length and item count "
            "percentiles");
    }
    free(c.user);
    free(c.item);
    free(c.sorted);
    return r;
}

/* ---- parts ---- */

int
pz_events_take(const struct pz_events *e, pz_events_keep_fn keep, const void *ctx,
               struct pz_events *out, struct pz_err *err)
{
    if (events_new(out, e->n_users, e->n_items, e->n, e->weight != NULL, err))
        return err->status;
    for (uint32_t u = 0; u < e->n_users; u++) {
        uint64_t from = e->offsets[u], n = keep(ctx, e, u);
        memcpy(out->item + out->n, e->item + from, n * sizeof *out->item);
        memcpy(out->time + out->n, e->time + from, n * sizeof *out->time);
        if (out->weight)
            memcpy(out->weight + out->n, e->weight + from, n * sizeof *out->weight);
        out->n += n;
        out->offsets[u + 1] = out->n;
    }
    return PZ_OK;
}

struct drawn_share {
    double share;
    uint64_t salt;
};

static uint64_t
all_if_drawn(const void *ctx, const struct pz_events *e, uint32_t u)
{
    const struct drawn_share *d = ctx;
    double x = pz_unit(pz_mix64(d->salt ^ pz_mix64(u)));
    return x < d->share ? e->offsets[u + 1] - e->offsets[u] : 0;
}

int
pz_events_share(const struct pz_events *e, double share, uint64_t salt,
                struct pz_events *out, struct pz_err *err)
{
    struct drawn_share d = {share, pz_mix64(salt)};
    return pz_events_take(e, all_if_drawn, &d, out, err);
}

/* ---- counts ---- */

int64_t
pz_events_newest(const struct pz_events *e)
{
    int64_t newest = INT64_MIN;
    for (uint64_t i = 0; i < e->n; i++)
        newest = e->time[i] > newest ? e->time[i] : newest;
    return newest;
}

static uint64_t
age_of(const struct pz_events *e, uint64_t i, int64_t end)
{
    return (uint64_t)end - (uint64_t)e->time[i]; // never negative
}

/* By halving: ages are not worth sorting. */
double
pz_events_newest_tenth(const struct pz_events *e, int64_t end)
{
    uint64_t lo = 1, hi = 1, need = (e->n + 9) / 10;
    for (uint64_t i = 0; i < e->n; i++)
        hi = age_of(e, i, end) > hi ? age_of(e, i, end) : hi;
    while (lo < hi) {
        uint64_t mid = lo + (hi - lo) / 2, newer = 0;
        for (uint64_t i = 0; i < e->n; i++)
            newer += age_of(e, i, end) <= mid;
        if (newer >= need)
            hi = mid;
        else
            lo = mid + 1;
    }
    return (double)lo;
}

int
pz_events_users(uint32_t **users, const struct pz_events *e, struct pz_err *err)
{
    uint32_t *last; // user seen with an item, +1
    if (pz_new(users, e->n_items, sizeof **users, "users of items", err))
        return err->status;
    if (pz_new(&last, e->n_items, sizeof *last, "users of items", err)) {
        free(*users);
        return err->status;
    }
    for (uint32_t u = 0; u < e->n_users; u++)
        for (uint64_t i = e->offsets[u]; i < e->offsets[u + 1]; i++) {
            uint32_t it = e->item[i];
            (*users)[it] += last[it] != u + 1;
            last[it] = u + 1;
        }
    free(last);
    return PZ_OK;
}

int
pz_events_by_count(struct pz_counted **item, const struct pz_events *e,
                   struct pz_err *err)
{
    struct pz_counted *c;
    if (pz_new(&c, e->n_items, sizeof *c, "counts of items", err))
        return err->status;
    for (uint32_t it = 0; it < e->n_items; it++)
        c[it].id = it;
    for (uint64_t i = 0; i < e->n; i++)
        c[e->item[i]].n++;
    qsort(c, e->n_items, sizeof *c, pz_order_most_first);
    *item = c;
    return PZ_OK;
}
