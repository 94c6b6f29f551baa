#include "recipe/explore.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/rng.h"
#include "data/showing.h"
#include "math/kernels.h"
#include "recipe/blend_mix.h"

#define DAY 86400.0

static const double SHOWN = 0.1; // of an event: what having been shown tells
/* Beside the new items' weights, that of the mean of all. */
static const double AVERAGE = 0.1;
/* What is left of an established item's score at weight 1: its order among its like. */
static const double LEAST = 1e-6;

/* ---- training ---- */

struct birth {
    int64_t born;
    uint32_t item, events, shown;
};

static int
newest_first(const void *a, const void *b)
{
    const struct birth *x = a, *y = b;
    if (x->born != y->born)
        return x->born > y->born ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

static const struct pz_column *
column_of(const struct pz_dataset *d, enum pz_role role)
{
    for (size_t c = 0; d && c < d->n_columns; c++)
        if (d->column[c].field->role == role)
            return &d->column[c];
    return NULL;
}

static uint32_t
item_at(const struct pz_world *w, uint64_t row)
{
    uint32_t it = pz_dataset_item(w->interactions, row);
    return w->item_of ? w->item_of[it] : it;
}

/* Events of each item, its oldest one, and the newest of all. */
static int64_t
count_events(const struct pz_world *w, struct birth *birth)
{
    const struct pz_dataset *d = w->interactions;
    const struct pz_column *time = column_of(d, PZ_ROLE_TIMESTAMP);
    int64_t newest = INT64_MIN, t;
    for (uint64_t r = 0; r < d->n_rows; r++) {
        struct birth *b = &birth[item_at(w, r)];
        b->events += b->events < UINT32_MAX;
        if (!time || !pz_column_i64(time, r, &t))
            continue;
        b->born = t < b->born ? t : b->born;
        newest = t > newest ? t : newest;
    }
    return newest == INT64_MIN ? 0 : newest;
}

static void
take_births(const struct pz_world *w, struct birth *birth, int64_t newest)
{
    const struct pz_column *creation = column_of(w->items, PZ_ROLE_CREATION);
    for (uint32_t i = 0; i < w->item.n; i++) {
        int64_t t;
        uint32_t row = w->item_row ? w->item_row[i] : PZ_NO_ID;
        if (creation && row != PZ_NO_ID && pz_column_i64(creation, row, &t))
            birth[i].born = t;
        else if (birth[i].born == INT64_MAX)
            birth[i].born = newest;
    }
}

/* Counts what a list shows, but for items that the user had: had[i] is then `stamp`. */
static void
count_shown(const struct pz_world *w, const char *list, size_t n, const uint32_t *had,
            uint32_t stamp, struct birth *birth)
{
    while (n) {
        const char *bar = memchr(list, '|', n);
        size_t len = bar ? (size_t)(bar - list) : n;
        uint32_t it = pz_ids_find(&w->item, list, len);
        if (it < w->item.n && had[it] != stamp && birth[it].shown < UINT32_MAX)
            birth[it].shown++;
        list += len + (bar != NULL);
        n -= len + (bar != NULL);
    }
}

/* What row r says was shown: the list itself, which counts more, or the answer that it
 * names. A number tells one from the next; NULL: nothing. */
static const char *
list_of(const struct pz_column *shown, const struct pz_column *answer,
        const struct pz_showings *known, uint64_t r, size_t *n, uint64_t *number)
{
    size_t n_id = 0;
    uint32_t code = shown ? pz_column_code(shown, r) : PZ_NO_ID;
    const char *list = code != PZ_NO_ID ? pz_column_text(shown, r, n) : NULL, *id;
    *number = code;
    if (list || !answer || !known)
        return list;
    code = pz_column_code(answer, r);
    *number = UINT64_C(1) << 32 | code;
    id = code != PZ_NO_ID ? pz_column_text(answer, r, &n_id) : NULL;
    list = id ? pz_showings_find(known, id, n_id) : NULL;
    *n = list ? strlen(list) : 0;
    return list;
}

static int
count_impressions(const struct pz_world *w, const struct pz_showings *known,
                  struct birth *birth, struct pz_err *err)
{
    const struct pz_dataset *d = w->interactions;
    const struct pz_column *shown = column_of(d, PZ_ROLE_IMPRESSION);
    const struct pz_column *answer = column_of(d, PZ_ROLE_RECOMMENDATION);
    uint32_t *had;
    if (!shown && !(answer && known))
        return PZ_OK;
    int status = pz_new(&had, w->item.n, sizeof *had, "impressions", err);
    for (uint32_t u = 0; u < d->user.n && !status; u++) {
        uint64_t last = UINT64_MAX, number;
        for (uint64_t r = d->row_offsets[u]; r < d->row_offsets[u + 1]; r++)
            had[item_at(w, r)] = u + 1;
        for (uint64_t r = d->row_offsets[u]; r < d->row_offsets[u + 1]; r++) {
            size_t n = 0;
            const char *list = list_of(shown, answer, known, r, &n, &number);
            if (list && number != last)
                count_shown(w, list, n, had, u + 1, birth);
            last = number;
        }
    }
    if (!status)
        free(had);
    return status;
}

static int
put(struct pz_builder *b, const struct birth *birth, uint64_t n, struct pz_err *err)
{
    static const char what[] = "new items";
    uint32_t *item = NULL, *events = NULL, *shown = NULL;
    int64_t *born = NULL;
    if (pz_new(&item, n, sizeof *item, what, err) ||
        pz_new(&events, n, sizeof *events, what, err) ||
        pz_new(&shown, n, sizeof *shown, what, err) ||
        pz_new(&born, n, sizeof *born, what, err)) {
        free(item);
        free(events);
        free(shown);
        return err->status;
    }
    for (uint64_t i = 0; i < n; i++) {
        item[i] = birth[i].item;
        events[i] = birth[i].events;
        shown[i] = birth[i].shown;
        born[i] = birth[i].born;
    }
    pz_builder_take1(b, "explore.item", PZ_U32, n, item);
    pz_builder_take1(b, "explore.born", PZ_I64, n, born);
    pz_builder_take1(b, "explore.events", PZ_U32, n, events);
    pz_builder_take1(b, "explore.shown", PZ_U32, n, shown);
    return PZ_OK;
}

int
pz_explore_train(const struct pz_train *t, struct pz_err *err)
{
    const struct pz_world *w = t->world;
    struct birth *birth;
    int status = pz_new(&birth, w->item.n, sizeof *birth, "new items", err);
    if (status)
        return status;
    for (uint32_t i = 0; i < w->item.n; i++)
        birth[i] = (struct birth){.born = INT64_MAX, .item = i};
    int64_t newest = count_events(w, birth);
    take_births(w, birth, newest);
    status = count_impressions(w, t->shown, birth, err);
    if (!status) {
        qsort(birth, w->item.n, sizeof *birth, newest_first);
        status = put(t->model, birth, w->item.n, err);
        pz_builder_metaf(t->model, "explore.newest", "%" PRId64, newest);
    }
    free(birth);
    return status;
}

/* ---- opening ---- */

int
pz_explore_open(struct pz_explorer *x, const struct pz_model *m, struct pz_err *err)
{
    const struct pz_tensors *f = &m->file;
    const char *newest = pz_tensors_meta(f, "explore.newest");
    uint64_t n = m->n_items;
    *x = (struct pz_explorer){.n = 0};
    if (!newest)
        return PZ_OK;
    if (pz_parse_i64(newest, strlen(newest), &x->newest))
        return pz_err_set(err, PZ_FORMAT, "'%s': metadata 'explore.newest' is no number",
                          f->path);
    if (pz_tensors_get1(f, "explore.item", PZ_U32, &n, &x->item, err) ||
        pz_tensors_get1(f, "explore.born", PZ_I64, &n, &x->born, err) ||
        pz_tensors_get1(f, "explore.events", PZ_U32, &n, &x->events, err) ||
        pz_tensors_get1(f, "explore.shown", PZ_U32, &n, &x->shown, err))
        return err->status;
    x->n = n;
    return PZ_OK;
}

/* ---- answers ---- */

/* Items up to that age: the first so many. Entries out of order make it shorter or
 * longer and do no other harm. */
static uint64_t
n_new(const struct pz_explorer *x, double days)
{
    uint64_t lo = 0, hi = x->n;
    while (lo < hi) {
        uint64_t mid = lo + (hi - lo) / 2;
        if ((double)x->newest - (double)x->born[mid] <= days * DAY)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* A draw from N(0,1) that is the item's under this key (Box and Muller). */
static double
draw(uint64_t key, uint32_t item)
{
    uint64_t a = pz_mix64(key ^ pz_mix64((uint64_t)item + 1));
    double u = pz_unit(a) + 0x1p-53; // (0,1]
    double v = pz_unit(pz_mix64(a));
    return sqrt(-2 * log(u)) * cos(2 * 3.14159265358979323846 * v);
}

static double
variance(const struct pz_explorer *x, const struct pz_lately *lately, uint64_t i)
{
    double events = (double)x->events[i], shown = (double)x->shown[i];
    uint32_t it = x->item[i];
    if (lately && it < x->n) { // as many as the model has items
        events += (double)lately->events[it];
        shown += (double)lately->shown[it];
    }
    return 1 / (1 + events + SHOWN * shown);
}

/* How scores become S, and draws noise. */
struct scale {
    uint64_t n;                       // new items
    double middle, rate, keep, width; // keep: of what is not new
};

static struct scale
scale_of(const struct pz_explorer *x, const struct pz_query *q, const float *score,
         uint32_t n_items)
{
    struct scale s = {.n = n_new(x, q->explore->days),
                      .keep = fmax(1 - q->explore->weight, LEAST)};
    double top = (double)pz_kernels()->greatest(score, PZ_PAD(n_items)), all = 0, sum = 0;
    double mean = 0;
    for (uint32_t i = 0; i < n_items; i++)
        mean += (double)score[i] / n_items;
    for (uint64_t i = 0; i < s.n; i++) {
        uint32_t it = x->item[i];
        double v = variance(x, q->explore->lately, i);
        sum += it < n_items ? v * (double)score[it] : 0;
        all += v;
    }
    s.middle = (sum + AVERAGE * mean) / (all + AVERAGE);
    s.rate = top > s.middle ? 1 / (top - s.middle) : 0;
    s.width = 1 / (2 * log(2 + all));
    return s;
}

static float
established(const struct scale *s, float score)
{
    return (float)(s->keep * s->rate * ((double)score - s->middle));
}

/* What the order goes by, in place of the scores. */
static void
perturb(const struct pz_explorer *x, const struct pz_query *q, const struct scale *s,
        const float *score, float *work, uint32_t n_items)
{
    const struct pz_explore *e = q->explore;
    for (uint32_t i = 0; i < n_items; i++)
        work[i] = established(s, score[i]);
    for (size_t i = n_items; i < PZ_PAD(n_items); i++)
        work[i] = -INFINITY;
    for (uint64_t i = 0; i < s->n; i++) {
        uint32_t it = x->item[i];
        if (it >= n_items)
            continue;
        double noise = sqrt(s->width * variance(x, e->lately, i)) * draw(e->key, it);
        work[it] = (float)(s->rate * ((double)score[it] - s->middle) + e->weight * noise);
    }
}

void
pz_explore_pick(const struct pz_explorer *x, const struct pz_query *q, const float *score,
                float *work, uint32_t n_items, uint64_t *key, struct pz_ranked *out)
{
    size_t n = q->n < n_items ? q->n : n_items;
    size_t best = pz_mix_pick(score, n_items, q, n, key, out->item, out->score);
    float least = best ? out->score[best - 1] : 0;
    uint32_t last = best ? out->item[best - 1] : 0;
    struct scale s = scale_of(x, q, score, n_items);
    perturb(x, q, &s, score, work, n_items);
    out->n = pz_mix_pick(work, n_items, q, n, key, out->item, NULL);
    for (size_t i = 0; i < out->n; i++) {
        uint32_t it = out->item[i];
        out->score[i] = score[it];
        // What came in because new items went down is none of them.
        bool behind = score[it] < least || (score[it] == least && it > last);
        if (out->explored)
            out->explored[i] = behind && work[it] != established(&s, score[it]);
    }
}
