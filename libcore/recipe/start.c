#include "recipe/start.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "math/keys.h"
#include "recipe/events.h"

enum {
    EARLY = 4,
    AGES = 5,
    DEPTH = 32,   // items of a user behind which k makes no difference
    TRIED = 1000, // newest users, at most
    FEWEST = 20,  // ... and at least
    FIRST = 5,    // their items that count
    PLACES = 25,
};
/* From plain popularity on. */
static const double early[EARLY] = {INFINITY, 8, 2, 0.5};
static const double age[AGES] = {INFINITY, 4, 1, 0.25, 0.0625};

static const char what[] = "first items";

struct job {
    const struct pz_events *e;
    double weight[EARLY][DEPTH]; // 2^(-k/f)
    double newest_tenth;         // seconds
    double *count[EARLY];
    uint32_t *stamp;
    uint32_t *user; // the newest ones, and their first items
    size_t n_users;
    uint32_t *truth;
    size_t *n_truth;
    uint64_t *key;
};

static int64_t
newest_before(const struct pz_events *e, int64_t limit)
{
    int64_t newest = INT64_MIN;
    for (uint64_t k = 0; k < e->n; k++)
        newest = e->time[k] < limit && e->time[k] > newest ? e->time[k] : newest;
    return newest;
}

/* Sums of all earlinesses at once, over the events before `limit`. */
static void
sum_up(struct job *j, double halflife, int64_t limit, int64_t end)
{
    const struct pz_events *e = j->e;
    for (int f = 0; f < EARLY; f++)
        memset(j->count[f], 0, e->n_items * sizeof *j->count[f]);
    memset(j->stamp, 0xff, e->n_items * sizeof *j->stamp);
    for (uint32_t u = 0; u < e->n_users; u++) {
        size_t depth = 0;
        for (uint64_t k = e->offsets[u]; k < e->offsets[u + 1]; k++) {
            uint32_t it = e->item[k];
            if (e->time[k] >= limit || j->stamp[it] == u)
                continue;
            j->stamp[it] = u;
            double a = (double)((uint64_t)end - (uint64_t)e->time[k]);
            double x = isinf(halflife) ? 1 : exp2(-a / halflife);
            size_t d = depth < DEPTH - 1 ? depth : DEPTH - 1;
            for (int f = 0; f < EARLY; f++)
                j->count[f][it] += x * j->weight[f][d];
            depth++;
        }
    }
}

/* ---- choosing ---- */

struct first {
    int64_t time;
    uint32_t user;
};

static int
latest_first(const void *a, const void *b)
{
    const struct first *x = a, *y = b;
    if (x->time != y->time)
        return x->time > y->time ? -1 : 1;
    return (x->user > y->user) - (x->user < y->user);
}

/* The newest users and what they began with; *limit: the first event of the oldest. */
static int
find_newest(struct job *j, int64_t *limit, struct pz_err *err)
{
    const struct pz_events *e = j->e;
    struct first *first;
    size_t n = 0;
    if (pz_new(&first, e->n_users, sizeof *first, what, err))
        return err->status;
    for (uint32_t u = 0; u < e->n_users; u++)
        if (e->offsets[u] < e->offsets[u + 1])
            first[n++] = (struct first){e->time[e->offsets[u]], u};
    if (n)
        qsort(first, n, sizeof *first, latest_first);
    j->n_users = n / 10 < TRIED ? n / 10 : TRIED;
    if (j->n_users < FEWEST)
        j->n_users = 0;
    for (size_t i = 0; i < j->n_users; i++) {
        size_t len = 0;
        uint32_t u = j->user[i] = first[i].user, *truth = j->truth + i * FIRST;
        for (uint64_t k = e->offsets[u]; k < e->offsets[u + 1] && len < FIRST; k++) {
            bool again = false;
            for (size_t x = 0; x < len; x++)
                again |= truth[x] == e->item[k];
            if (!again)
                truth[len++] = e->item[k];
        }
        j->n_truth[i] = len;
        *limit = first[i].time;
    }
    free(first);
    return PZ_OK;
}

/* Items with a count, best first, as keys; their number, at most `most`. */
static size_t
best(struct job *j, const double *count, size_t most)
{
    size_t n = 0;
    for (uint32_t i = 0; i < j->e->n_items; i++)
        if (count[i] > 0)
            j->key[n++] = pz_key((float)log1p(count[i]), i);
    if (n > most) {
        pz_keys_cut(j->key, n, most);
        n = most;
    }
    pz_keys_sort(j->key, n);
    return n;
}

static double
worth(struct job *j, const double *count)
{
    size_t n = best(j, count, PLACES);
    double total = 0;
    for (size_t i = 0; i < j->n_users; i++) {
        double sum = 0, ideal = 0;
        for (size_t k = 0; k < j->n_truth[i]; k++) {
            ideal += 1 / log2((double)k + 2);
            for (size_t p = 0; p < n; p++)
                if (pz_key_number(j->key[p]) == j->truth[i * FIRST + k])
                    sum += 1 / log2((double)p + 2);
        }
        total += sum / ideal;
    }
    return total / (double)j->n_users;
}

struct choice {
    int early, age;
    double worth, popularity;
};

static int
choose(struct job *j, struct choice *c, struct pz_err *err)
{
    int64_t limit = INT64_MAX;
    *c = (struct choice){.worth = -1};
    if (find_newest(j, &limit, err))
        return err->status;
    int64_t end = newest_before(j->e, limit);
    if (!j->n_users || end == INT64_MIN) { // or all came at one time
        j->n_users = 0;
        return PZ_OK;
    }
    for (int a = 0; a < AGES; a++) {
        sum_up(j, age[a] * j->newest_tenth, limit, end);
        for (int f = 0; f < EARLY; f++) {
            double x = worth(j, j->count[f]);
            if (a == 0 && f == 0)
                c->popularity = x;
            if (x > c->worth)
                *c = (struct choice){f, a, x, c->popularity};
        }
    }
    return PZ_OK;
}

/* ---- all of it ---- */

static int
set_up(struct job *j, const struct pz_events *e, struct pz_err *err)
{
    j->e = e;
    for (int f = 0; f < EARLY; f++)
        for (int k = 0; k < DEPTH; k++)
            j->weight[f][k] = isinf(early[f]) ? 1 : exp2(-k / early[f]);
    for (int f = 0; f < EARLY; f++)
        if (pz_new(&j->count[f], e->n_items, sizeof *j->count[f], what, err))
            return err->status;
    if (pz_new(&j->stamp, e->n_items, sizeof *j->stamp, what, err) ||
        pz_new(&j->key, e->n_items, sizeof *j->key, what, err) ||
        pz_new(&j->user, TRIED, sizeof *j->user, what, err) ||
        pz_new(&j->n_truth, TRIED, sizeof *j->n_truth, what, err) ||
        pz_new(&j->truth, TRIED, FIRST * sizeof *j->truth, what, err))
        return err->status;
    return PZ_OK;
}

static void
put_number(struct pz_builder *b, const char *key, double value)
{
    if (isinf(value))
        pz_builder_meta(b, key, "none");
    else
        pz_builder_meta_f64(b, key, value);
}

static int
put(struct job *j, const struct choice *c, struct pz_builder *b, struct pz_err *err)
{
    uint32_t *item;
    float *score;
    size_t n = best(j, j->count[c->early], j->e->n_items);
    if (pz_new(&item, n, sizeof *item, what, err))
        return err->status;
    if (pz_new(&score, n, sizeof *score, what, err)) {
        free(item);
        return err->status;
    }
    for (size_t i = 0; i < n; i++) {
        item[i] = pz_key_number(j->key[i]);
        score[i] = pz_key_score(j->key[i]);
    }
    pz_builder_take1(b, "start.item", PZ_U32, n, item);
    pz_builder_take1(b, "start.score", PZ_F32, n, score);
    put_number(b, "train.start.early", early[c->early]);
    put_number(b, "train.start.halflife", age[c->age] * j->newest_tenth);
    pz_builder_metaf(b, "train.start.users", "%zu", j->n_users);
    if (j->n_users) {
        put_number(b, "train.start.validation", c->worth);
        put_number(b, "train.start.popularity", c->popularity);
        pz_log(PZ_LOG_NOTE,
               "new users: NDCG@25 %.4f of what %zu began with, by popularity %.4f",
               c->worth, j->n_users, c->popularity);
    }
    return PZ_OK;
}

int
pz_start_train(const struct pz_train *t, struct pz_err *err)
{
    const struct pz_events *e = t->events;
    struct choice c;
    struct job *j;
    if (!e->time || pz_new(&j, 1, sizeof *j, what, err))
        return err->status;
    if (!set_up(j, e, err)) {
        int64_t end = pz_events_newest(e);
        j->newest_tenth = pz_events_newest_tenth(e, end);
        if (!choose(j, &c, err)) {
            sum_up(j, age[c.age] * j->newest_tenth, INT64_MAX, end);
            put(j, &c, t->model, err);
        }
    }
    for (int f = 0; f < EARLY; f++)
        free(j->count[f]);
    free(j->stamp);
    free(j->key);
    free(j->user);
    free(j->n_truth);
    free(j->truth);
    free(j);
    return err->status;
}

int
pz_start_open(struct pz_start *s, const struct pz_model *m, struct pz_err *err)
{
    const struct pz_tensors *f = &m->file;
    *s = (struct pz_start){.n = 0};
    if (!pz_tensors_find(f, "start.item"))
        return PZ_OK;
    s->n = UINT64_MAX;
    if (pz_tensors_get1(f, "start.item", PZ_U32, &s->n, &s->item, err) ||
        pz_tensors_get1(f, "start.score", PZ_F32, &s->n, &s->score, err))
        return err->status;
    for (uint64_t i = 0; i < s->n; i++)
        if (s->item[i] >= m->n_items || !(s->score[i] >= 0 && s->score[i] < 1e6f))
            return pz_tensors_bad(f, "start.item", err, "entry %" PRIu64 " is wrong", i);
    return PZ_OK;
}
