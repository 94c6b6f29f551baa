#include "recipe/objective.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/order.h"
#include "recipe/reasons.h"

enum { RANKED_ANEW = 500, QUERIES_AT_A_TIME = 32 };

static const struct {
    const char *name;
    double weight;
} level[] = {
    [PZ_OBJECTIVE_OFF] = {"OFF", 0},
    [PZ_OBJECTIVE_LOW] = {"LOW", 1.0 / 3},
    [PZ_OBJECTIVE_MEDIUM] = {"MEDIUM", 1},
    [PZ_OBJECTIVE_HIGH] = {"HIGH", 3},
};
enum { N_LEVELS = sizeof level / sizeof *level };

/* ---- what is wanted ---- */

static int
find_level(const char *name)
{
    for (int i = 0; i < N_LEVELS; i++)
        if (strcasecmp(level[i].name, name) == 0)
            return i;
    return -1;
}

int
pz_objective_parse(struct pz_objective *o, const char *text, struct pz_err *err)
{
    const char *colon = strrchr(text, ':');
    int at = colon ? find_level(colon + 1) : -1;
    *o = (struct pz_objective){.column = NULL};
    if (!colon || colon == text)
        return pz_err_set(err, PZ_USAGE,
                          "objective '%s' is not COLUMN:LEVEL, such as PRICE:LOW", text);
    if (at < 0)
        return pz_err_set(err, PZ_USAGE,
                          "objective '%s': the levels are OFF, LOW, MEDIUM and HIGH",
                          text);
    o->sensitivity = (enum pz_sensitivity)at;
    return pz_strndup(&o->column, text, (size_t)(colon - text), err);
}

void
pz_objective_release(struct pz_objective *o)
{
    free(o->column);
    free(o->value);
    *o = (struct pz_objective){.column = NULL};
}

bool
pz_objective_fits(const struct pz_recipe *recipe)
{
    bool for_users = recipe->type == PZ_USER_PERSONALIZATION ||
                     recipe->type == PZ_PERSONALIZED_RANKING;
    return for_users && recipe->softmax;
}

/* ---- the column ---- */

static bool
is_number(const struct pz_field *f)
{
    return f->type == PZ_INT || f->type == PZ_LONG || f->type == PZ_FLOAT ||
           f->type == PZ_DOUBLE;
}

static int
no_column(const struct pz_dataset *d, const char *name, struct pz_err *err)
{
    struct pz_buf list = PZ_BUF_INIT;
    for (size_t i = 0; i < d->n_columns; i++)
        if (is_number(d->column[i].field))
            pz_buf_addf(&list, "%s%s", list.len ? ", " : "", d->column[i].name);
    if (pz_buf_status(&list, "a message", err) == PZ_OK)
        pz_err_set(err, PZ_USAGE, "the items have no column '%s' of numbers%s%s", name,
                   list.len ? "; they have " : "", list.len ? list.data : "");
    pz_buf_release(&list);
    return err->status;
}

/* Puts the median of the values that are there in the place of NaN. */
static int
fill_gaps(struct pz_objective *o, struct pz_err *err)
{
    double *sorted;
    uint32_t n = 0;
    if (pz_new(&sorted, o->n_items, sizeof *sorted, "an objective", err))
        return err->status;
    for (uint32_t i = 0; i < o->n_items; i++)
        if (!isnan(o->value[i]))
            sorted[n++] = o->value[i];
    qsort(sorted, n, sizeof *sorted, pz_order_f64);
    double median = n ? (sorted[(n - 1) / 2] + sorted[n / 2]) / 2 : 0;
    free(sorted);
    if (!n)
        return pz_err_set(err, PZ_DATA, "no item has a value in column %s", o->column);
    for (uint32_t i = 0; i < o->n_items; i++)
        if (isnan(o->value[i]))
            o->value[i] = median;
    if (n < o->n_items)
        pz_log(PZ_LOG_NOTE,
               "%" PRIu32 " of %" PRIu32 " items have no %s and count as the median, %g",
               o->n_items - n, o->n_items, o->column, median);
    return PZ_OK;
}

int
pz_objective_open(struct pz_objective *o, const struct pz_world *w, struct pz_err *err)
{
    if (!w->items)
        return pz_err_set(err, PZ_DATA,
                          "an objective is a column of the items dataset, which the "
                          "group does not have");
    const struct pz_column *c = pz_dataset_column(w->items, o->column);
    if (!c || !is_number(c->field))
        return no_column(w->items, o->column, err);
    char *name;
    if (pz_strndup(&name, c->name, strlen(c->name), err))
        return err->status;
    free(o->column);
    o->column = name;
    o->n_items = (uint32_t)w->item.n;
    if (pz_new(&o->value, o->n_items, sizeof *o->value, "an objective", err))
        return err->status;
    for (uint32_t i = 0; i < o->n_items; i++) {
        uint32_t row = w->item_row ? w->item_row[i] : i;
        double x;
        bool filled = row != PZ_NO_ID && pz_column_f64(c, row, &x) && isfinite(x);
        o->value[i] = filled ? x : NAN;
    }
    return fill_gaps(o, err);
}

/* ---- training ---- */

struct placed {
    double value;
    uint32_t item;
};

static int
by_place(const void *a, const void *b)
{
    const struct placed *x = a, *y = b;
    return (x->value > y->value) - (x->value < y->value);
}

/* Of each item the share of items with lesser values, equal ones counting half. */
static int
make_places(const struct pz_objective *o, float *place, struct pz_err *err)
{
    struct placed *p;
    uint32_t n = o->n_items;
    if (pz_new(&p, n, sizeof *p, "an objective", err))
        return err->status;
    for (uint32_t i = 0; i < n; i++)
        p[i] = (struct placed){o->value[i], i};
    qsort(p, n, sizeof *p, by_place);
    for (uint32_t from = 0, to; from < n; from = to) {
        for (to = from; to < n && p[to].value == p[from].value; to++)
            ;
        for (uint32_t i = from; i < to; i++)
            place[p[i].item] = (float)(((double)from + to) / 2 / n);
    }
    free(p);
    return PZ_OK;
}

int
pz_objective_add(const struct pz_objective *o, struct pz_builder *b, struct pz_err *err)
{
    float *place;
    if (o->sensitivity == PZ_OBJECTIVE_OFF)
        return PZ_OK;
    if (pz_new_aligned(&place, o->n_items, sizeof *place, "an objective", err))
        return err->status;
    if (make_places(o, place, err)) {
        free(place);
        return err->status;
    }
    pz_builder_take1(b, "objective.place", PZ_F32, o->n_items, place);
    pz_builder_meta(b, "objective", level[o->sensitivity].name);
    pz_builder_meta(b, "objective.column", o->column);
    return PZ_OK;
}

int
pz_objective_bind(struct pz_model *m, struct pz_err *err)
{
    const char *name = pz_tensors_meta(&m->file, "objective");
    uint64_t n = m->n_items;
    if (!name)
        return PZ_OK;
    int at = find_level(name);
    m->objective.column = pz_tensors_meta(&m->file, "objective.column");
    if (at <= PZ_OBJECTIVE_OFF || !m->objective.column)
        return pz_model_lacks(m, "objective", err);
    m->objective.weight = level[at].weight;
    const char *scale = pz_tensors_meta(&m->file, "train.temperature");
    if (!scale || pz_parse_f64(scale, strlen(scale), &m->objective.temperature))
        m->objective.temperature = 1;
    return pz_tensors_get1(&m->file, "objective.place", PZ_F32, &n, &m->objective.place,
                           err);
}

/* ---- answers ---- */

/* The items that are ranked anew: how much their relevance and places spread. */
struct pool {
    size_t n;
    double mean_place, rate; // rate: what 1 of place is worth in log p
    double mass;             // sum of p
};

static double
place_of(const struct pz_model *m, uint32_t item)
{
    double v = (double)m->objective.place[item];
    return v >= 0 && v <= 1 ? v : 0.5; // a damaged file's
}

static double
deviation(double sum, double square, double n)
{
    double rest = square / n - (sum / n) * (sum / n);
    return rest > 0 ? sqrt(rest) : 0;
}

/* Of an answer with n items, best first; `most` may be ranked anew. */
static struct pool
make_pool(const struct pz_model *m, const struct pz_ranked *r, size_t most)
{
    struct pool p = {.n = 0};
    double log_sum = 0, log_square = 0, sum = 0, square = 0;
    for (; p.n < r->n && p.n < most && r->score[p.n] > 0; p.n++) {
        double x = log((double)r->score[p.n]), v = place_of(m, r->item[p.n]);
        p.mass += (double)r->score[p.n];
        log_sum += x;
        log_square += x * x;
        sum += v;
        square += v * v;
    }
    if (!p.n)
        return p;
    double n = (double)p.n, sd = deviation(sum, square, n);
    p.mean_place = sum / n;
    p.rate = sd > 0 ? m->objective.weight * deviation(log_sum, log_square, n) / sd : 0;
    return p;
}

struct ranked {
    double score;
    uint32_t item;
};

static int
by_score(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

/* The answer of n items out of `r`, which the recipe gave; `work` has room for r->n. */
static void
rank_anew(const struct pz_model *m, const struct pz_ranked *r, size_t most, size_t n,
          struct ranked *work, struct pz_ranked *out)
{
    struct pool p = make_pool(m, r, most);
    size_t scored = 0;
    double top = -INFINITY, sum = 0;
    for (size_t i = 0; i < p.n; i++) {
        double v = place_of(m, r->item[i]);
        work[i].item = r->item[i];
        work[i].score = log((double)r->score[i]) + p.rate * (v - p.mean_place);
        top = work[i].score > top ? work[i].score : top;
    }
    for (size_t i = 0; i < p.n; i++)
        sum += work[i].score = exp(work[i].score - top);
    for (size_t i = 0; i < p.n; i++) // as it will be shown, so that equal ones are equal
        work[i].score = (double)(float)(p.mass * work[i].score / sum);
    for (scored = p.n; scored < r->n && !isnan(r->score[scored]); scored++)
        work[scored] = (struct ranked){(double)r->score[scored], r->item[scored]};
    qsort(work, scored, sizeof *work, by_score);
    out->fallback = r->fallback;
    out->n = r->n < n ? r->n : n;
    for (size_t i = 0; i < out->n; i++) {
        out->item[i] = i < scored ? work[i].item : r->item[i];
        out->score[i] = i < scored ? (float)work[i].score : NAN;
    }
}

/* What the recipe is asked for, so that the first n of it ranked anew are known. */
static struct pz_query
wider(const struct pz_model *m, const struct pz_query *q, size_t *most)
{
    struct pz_query w = *q;
    w.explore = NULL;
    *most = q->candidate ? q->n_candidates : RANKED_ANEW;
    if (!q->candidate)
        w.n = q->n < m->n_items ? q->n + RANKED_ANEW : m->n_items;
    if (w.n > m->n_items)
        w.n = m->n_items;
    if (q->candidate)
        w.n = q->n_candidates;
    return w;
}

struct wide {
    struct pz_query q[QUERIES_AT_A_TIME];
    struct pz_ranked r[QUERIES_AT_A_TIME];
    size_t most[QUERIES_AT_A_TIME];
    uint32_t *item;
    float *score;
    struct ranked *work;
};

static void
wide_release(struct wide *w)
{
    free(w->item);
    free(w->score);
    free(w->work);
}

/* The recipe's answers to n queries at a time, wide enough. */
static int
ask_wide(struct wide *w, const struct pz_model *m, const struct pz_query *q, size_t n,
         struct pz_err *err)
{
    size_t room = 0, widest = 0;
    for (size_t i = 0; i < n; i++) {
        w->q[i] = wider(m, &q[i], &w->most[i]);
        room += w->q[i].n;
        widest = w->q[i].n > widest ? w->q[i].n : widest;
    }
    if (pz_new(&w->item, room, sizeof *w->item, "an answer", err) ||
        pz_new(&w->score, room, sizeof *w->score, "an answer", err) ||
        pz_new(&w->work, widest, sizeof *w->work, "an answer", err))
        return err->status;
    room = 0;
    for (size_t i = 0; i < n; i++) {
        w->r[i] = (struct pz_ranked){.item = w->item + room, .score = w->score + room};
        room += w->q[i].n;
    }
    return m->recipe->rank(m->state, w->q, n, w->r, err);
}

static bool
is_among(const struct pz_ranked *r, const bool *which, uint32_t item)
{
    for (size_t i = 0; i < r->n; i++)
        if (which[i] && r->item[i] == item)
            return true;
    return false;
}

/* Puts what only exploring shows into its places, before what has been ranked anew. */
static int
explore(const struct pz_model *m, const struct pz_query *q, struct pz_ranked *out,
        struct pz_err *err)
{
    struct pz_ranked tried = {.n = 0}, best = *out;
    if (pz_new(&tried.item, q->n, sizeof *tried.item, "an answer", err) ||
        pz_new(&tried.score, q->n, sizeof *tried.score, "an answer", err) ||
        pz_new(&tried.explored, q->n, sizeof *tried.explored, "an answer", err) ||
        m->recipe->rank(m->state, q, 1, &tried, err))
        goto done;
    for (size_t i = 0, next = 0; i < tried.n && !tried.fallback; i++) {
        if (tried.explored[i])
            continue;
        while (next < best.n && is_among(&tried, tried.explored, best.item[next]))
            next++;
        if (next == best.n)
            break;
        tried.item[i] = best.item[next];
        tried.score[i] = best.score[next++];
    }
    for (size_t i = 0; i < tried.n && !tried.fallback; i++) {
        out->item[i] = tried.item[i];
        out->score[i] = tried.score[i];
        if (out->explored)
            out->explored[i] = tried.explored[i];
    }
    out->n = tried.fallback ? out->n : tried.n;
done:
    free(tried.item);
    free(tried.score);
    free(tried.explored);
    return err->status;
}

int
pz_objective_rank(const struct pz_model *m, const struct pz_query *q, size_t n,
                  struct pz_ranked *out, struct pz_err *err)
{
    for (size_t at = 0; at < n; at += QUERIES_AT_A_TIME) {
        size_t k = n - at < QUERIES_AT_A_TIME ? n - at : QUERIES_AT_A_TIME;
        struct wide w = {.item = NULL};
        int r = ask_wide(&w, m, q + at, k, err);
        for (size_t i = 0; i < k && r == PZ_OK; i++)
            rank_anew(m, &w.r[i], w.most[i], q[at + i].n, w.work, &out[at + i]);
        for (size_t i = 0; i < k && r == PZ_OK; i++)
            if (q[at + i].explore)
                r = explore(m, &q[at + i], &out[at + i], err);
        wide_release(&w);
        if (r)
            return r;
    }
    return PZ_OK;
}

/* What the recipe says, and what the column added. */
int
pz_objective_explain(const struct pz_model *m, const struct pz_query *q, uint32_t item,
                     struct pz_explained *out, struct pz_err *err)
{
    struct wide w = {.item = NULL};
    int r = m->recipe->explain(m->state, q, item, out, err);
    if (r || !out->n)
        return r;
    if ((r = ask_wide(&w, m, q, 1, err)) == PZ_OK) {
        struct pool p = make_pool(m, &w.r[0], w.most[0]);
        size_t i = 0;
        while (i < p.n && w.r[0].item[i] != item)
            i++;
        if (i < p.n) {
            // Reasons add up to the score before the recipe's own scale.
            double x =
                p.rate * (place_of(m, item) - p.mean_place) * m->objective.temperature;
            out->reason[out->n++] =
                (struct pz_reason){.item = item,
                                   .contribution = x,
                                   .label = m->objective.column,
                                   .n_label = strlen(m->objective.column)};
            out->raw += x;
            pz_reasons_sort(out);
        }
    }
    wide_release(&w);
    return r;
}
