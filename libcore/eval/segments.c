#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/order.h"
#include "base/par.h"
#include "base/rng.h"
#include "eval/figures.h"
#include "recipe/facets.h"

enum { SHARE = 5, MOST_ITEMS = 2000, MOST_FACETS = 500, ASKS_A_TASK = 4 };
enum { COVERAGE, HITS, RECALL, N_VALUES };

/* A question: the items, and who had one of them in the truth. */
struct ask {
    const uint32_t *about;
    size_t n_about;
    uint32_t item; // what about points to, of questions about an item
};

struct exam {
    const struct pz_eval *e;
    bool by_time; // the newest fifth of all events is the truth, not of each user's
    int64_t cut;  // by_time: older events are trained on
    struct pz_events part;  // what is trained on
    struct pz_events truth; // the newest events; offsets and items only
    uint64_t *offsets;      // n_items+1: users of each item in the truth
    uint32_t *user;
    struct pz_trained trial;
    struct pz_facets facet;
    struct ask *ask;
    size_t n;
    size_t n_top;     // users wanted
    uint32_t n_users; // with events
    uint32_t *list;   // n x n_top
    uint32_t *n_list;
    uint32_t *active;             // n_top: the users who had most events
    double (*value)[2][N_VALUES]; // of each question: model, baseline
};

/* ---- the split ---- */

/* The time at which the newest fifth of all events begins. */
static int
find_cut(struct exam *x, struct pz_err *err)
{
    const struct pz_events *e = x->e->events;
    int64_t *time;
    if (pz_new(&time, e->n, sizeof *time, "times", err))
        return err->status;
    memcpy(time, e->time, e->n * sizeof *time);
    qsort(time, e->n, sizeof *time, pz_order_i64);
    x->cut = e->n ? time[e->n - 1 - e->n / SHARE] : 0;
    free(time);
    return PZ_OK;
}

/* How many of the newest events of user u are the truth. */
static uint64_t
n_newest(const struct exam *x, uint32_t u)
{
    const struct pz_events *e = x->e->events;
    uint64_t from = e->offsets[u], n = e->offsets[u + 1] - from, newest = 0;
    if (!x->by_time)
        return n < 2 ? 0 : n / SHARE ? n / SHARE : 1;
    while (newest < n && e->time[from + n - 1 - newest] >= x->cut)
        newest++;
    return newest;
}

static int
split(struct exam *x, struct pz_err *err)
{
    static const char what[] = "events";
    const struct pz_events *e = x->e->events;
    struct pz_events *p = &x->part, *t = &x->truth;
    *p = *t = (struct pz_events){.n_users = e->n_users, .n_items = e->n_items};
    size_t n = (size_t)e->n_users + 1;
    if (pz_new(&p->offsets, n, sizeof *p->offsets, what, err) ||
        pz_new(&t->offsets, n, sizeof *t->offsets, what, err) ||
        pz_new_aligned(&p->item, e->n, sizeof *p->item, what, err) ||
        pz_new_aligned(&p->time, e->n, sizeof *p->time, what, err) ||
        pz_new_aligned(&t->item, e->n, sizeof *t->item, what, err) ||
        (e->weight && pz_new_aligned(&p->weight, e->n, sizeof *p->weight, what, err)))
        return err->status;
    for (uint32_t u = 0; u < e->n_users; u++) {
        uint64_t from = e->offsets[u], all = e->offsets[u + 1] - from;
        uint64_t last = n_newest(x, u), first = all - last;
        memcpy(p->item + p->n, e->item + from, first * sizeof *p->item);
        memcpy(p->time + p->n, e->time + from, first * sizeof *p->time);
        if (p->weight)
            memcpy(p->weight + p->n, e->weight + from, first * sizeof *p->weight);
        last = first ? last : 0; // of strangers nothing can be foretold
        memcpy(t->item + t->n, e->item + from + first, last * sizeof *t->item);
        p->n += first;
        t->n += last;
        p->offsets[u + 1] = p->n;
        t->offsets[u + 1] = t->n;
        x->n_users += first > 0;
    }
    x->n_top = (x->n_users + 99) / 100;
    return PZ_OK;
}

/* Users of each item in the truth, ascending, each once. */
static int
turn_truth(struct exam *x, struct pz_err *err)
{
    const struct pz_events *t = &x->truth;
    uint64_t *at = NULL, to = 0;
    if (pz_new(&x->offsets, (size_t)t->n_items + 1, sizeof *x->offsets, "users", err) ||
        pz_new(&x->user, t->n, sizeof *x->user, "users", err) ||
        pz_new(&at, (size_t)t->n_items + 1, sizeof *at, "users", err))
        goto done;
    for (uint64_t i = 0; i < t->n; i++)
        at[t->item[i] + 1]++;
    for (uint32_t i = 0; i < t->n_items; i++)
        at[i + 1] += at[i];
    for (uint32_t u = 0; u < t->n_users; u++)
        for (uint64_t i = t->offsets[u]; i < t->offsets[u + 1]; i++)
            x->user[at[t->item[i]]++] = u; // at[i] ends as the end of row i
    uint64_t from = 0;
    for (uint32_t i = 0; i < t->n_items; i++) {
        uint64_t first = to;
        for (; from < at[i]; from++)
            if (to == first || x->user[to - 1] != x->user[from])
                x->user[to++] = x->user[from];
        x->offsets[i + 1] = to;
    }
done:
    free(at);
    return err->status;
}

/* ---- questions ---- */

static bool
has_truth(const struct exam *x, const uint32_t *about, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (x->offsets[about[i] + 1] > x->offsets[about[i]])
            return true;
    return false;
}

/* Of n things those that are asked about; at most `most`, drawn by seed. */
static int
draw(struct exam *x, uint32_t n, size_t most, struct pz_drawn **out, size_t *n_out,
     struct pz_err *err)
{
    struct pz_drawn *d;
    uint64_t salt = pz_mix64(x->e->seed + 7);
    *n_out = 0;
    if (pz_new(&d, n, sizeof *d, "questions", err))
        return err->status;
    for (uint32_t i = 0; i < n; i++) {
        const struct pz_facets *f = &x->facet;
        uint32_t one = i;
        bool asked = x->e->recipe->find_items
                         ? has_truth(x, f->in + f->in_offsets[i],
                                     (size_t)(f->in_offsets[i + 1] - f->in_offsets[i]))
                         : has_truth(x, &one, 1);
        if (asked)
            d[(*n_out)++] = pz_drawn_of(salt, i);
    }
    pz_drawn_sort(d, *n_out);
    *n_out = *n_out < most ? *n_out : most;
    *out = d;
    return PZ_OK;
}

static int
make_asks(struct exam *x, struct pz_err *err)
{
    struct pz_drawn *d = NULL;
    bool facets = x->e->recipe->find_items;
    const struct pz_world *w = x->e->world;
    if (facets &&
        pz_facets_make(&x->facet, w->items, w->item_row, x->part.n_items, false, err))
        return err->status;
    uint32_t n = facets ? x->facet.n : x->part.n_items;
    if (draw(x, n, facets ? MOST_FACETS : MOST_ITEMS, &d, &x->n, err) ||
        pz_new(&x->ask, x->n, sizeof *x->ask, "questions", err))
        goto done;
    for (size_t i = 0; i < x->n; i++) {
        struct ask *a = &x->ask[i];
        a->item = d[i].number;
        a->about = &a->item;
        a->n_about = 1;
        if (facets) {
            uint64_t from = x->facet.in_offsets[d[i].number];
            a->about = x->facet.in + from;
            a->n_about = (size_t)(x->facet.in_offsets[d[i].number + 1] - from);
        }
    }
done:
    free(d);
    return err->status;
}

/* ---- answers ---- */

/* The distinct users who had one of the items in the truth, ascending; new memory. */
static int
truth_of(const struct exam *x, const struct ask *a, uint32_t **user, size_t *n,
         struct pz_err *err)
{
    size_t all = 0;
    *n = 0;
    for (size_t i = 0; i < a->n_about; i++)
        all += (size_t)(x->offsets[a->about[i] + 1] - x->offsets[a->about[i]]);
    if (pz_new(user, all, sizeof **user, "a truth", err))
        return err->status;
    all = 0;
    for (size_t i = 0; i < a->n_about; i++)
        for (uint64_t k = x->offsets[a->about[i]]; k < x->offsets[a->about[i] + 1]; k++)
            (*user)[all++] = x->user[k];
    *n = pz_distinct_u32(*user, all);
    return PZ_OK;
}

static void
judge(double value[N_VALUES], const uint32_t *list, size_t n_list, const uint32_t *truth,
      size_t n_truth)
{
    size_t hits = 0;
    for (size_t i = 0; i < n_list; i++)
        hits += bsearch(&list[i], truth, n_truth, sizeof *truth, pz_order_u32) != NULL;
    value[HITS] = (double)hits;
    value[RECALL] = n_truth ? (double)hits / (double)n_truth : 0;
}

static int
answer(void *ctx, size_t task, int thread, struct pz_err *err)
{
    struct exam *x = ctx;
    struct pz_query q[ASKS_A_TASK];
    struct pz_ranked out[ASKS_A_TASK];
    size_t first = task * ASKS_A_TASK;
    size_t n = x->n - first < ASKS_A_TASK ? x->n - first : ASKS_A_TASK;
    float *score;
    (void)thread;
    if (pz_new(&score, n * x->n_top, sizeof *score, "answers", err))
        return err->status;
    for (size_t i = 0; i < n; i++) {
        const struct ask *a = &x->ask[first + i];
        q[i] = (struct pz_query){.user = PZ_NO_ID,
                                 .item = a->n_about == 1 ? a->about[0] : PZ_NO_ID,
                                 .about = a->about,
                                 .n_about = a->n_about,
                                 .n = x->n_top};
        out[i] = (struct pz_ranked){.item = x->list + (first + i) * x->n_top,
                                    .score = score + i * x->n_top};
    }
    int status = x->e->recipe->rank(x->trial.model.state, q, n, out, err);
    for (size_t i = 0; i < n && !status; i++) {
        uint32_t *truth;
        size_t n_truth;
        status = truth_of(x, &x->ask[first + i], &truth, &n_truth, err);
        if (status)
            break;
        x->n_list[first + i] = (uint32_t)out[i].n;
        judge(x->value[first + i][0], out[i].item, out[i].n, truth, n_truth);
        judge(x->value[first + i][1], x->active, x->n_top, truth, n_truth);
        free(truth);
    }
    free(score);
    return status;
}

static int
find_active(struct exam *x, struct pz_err *err)
{
    struct pz_counted *a;
    if (pz_new(&x->active, x->n_top, sizeof *x->active, "users", err) ||
        pz_new(&a, x->part.n_users, sizeof *a, "users", err))
        return err->status;
    for (uint32_t u = 0; u < x->part.n_users; u++)
        a[u] = (struct pz_counted){x->part.offsets[u + 1] - x->part.offsets[u], u};
    qsort(a, x->part.n_users, sizeof *a, pz_order_most_first);
    for (size_t i = 0; i < x->n_top; i++)
        x->active[i] = a[i].id;
    free(a);
    return PZ_OK;
}

static int
summarize(const struct exam *x, struct pz_figure *figure, struct pz_err *err)
{
    uint8_t *seen;
    size_t n_seen = 0;
    if (pz_new(&seen, x->part.n_users, 1, "coverage", err))
        return err->status;
    for (size_t i = 0; i < x->n; i++)
        for (uint32_t k = 0; k < x->n_list[i]; k++) {
            uint32_t u = x->list[i * x->n_top + k];
            n_seen += !seen[u];
            seen[u] = 1;
        }
    free(seen);
    for (int m = 0; m < N_VALUES; m++) {
        double sum[2] = {0, 0};
        for (size_t i = 0; i < x->n && m != COVERAGE; i++) {
            sum[0] += x->value[i][0][m];
            sum[1] += x->value[i][1][m];
        }
        figure[m].value = sum[0] / (double)x->n;
        figure[m].baseline = sum[1] / (double)x->n;
    }
    figure[COVERAGE].value = (double)n_seen / x->n_users;
    figure[COVERAGE].baseline = (double)x->n_top / x->n_users;
    return PZ_OK;
}

/* One of the splits: its values, and the number of questions. */
static int
examine(const struct pz_eval *e, bool by_time, struct pz_figure *figure,
        uint64_t *n_asked, struct pz_err *err)
{
    static const char what[] = "answers";
    struct exam x = {.e = e, .by_time = by_time};
    struct pz_train learn = {.events = &x.part,
                             .params = e->params,
                             .world = e->world,
                             .seed = e->seed,
                             .threads = e->threads};
    if ((by_time && find_cut(&x, err)) || split(&x, err) || turn_truth(&x, err) ||
        !x.part.n || make_asks(&x, err) || !x.n)
        goto done;
    if (pz_trained_open(&x.trial, e->recipe, &learn, err) || find_active(&x, err) ||
        pz_new(&x.list, x.n * x.n_top, sizeof *x.list, what, err) ||
        pz_new(&x.n_list, x.n, sizeof *x.n_list, what, err) ||
        pz_new(&x.value, x.n, sizeof *x.value, what, err) ||
        pz_par(pz_threads(e->threads), (x.n + ASKS_A_TASK - 1) / ASKS_A_TASK, answer, &x,
               err))
        goto done;
    if (!summarize(&x, figure, err))
        *n_asked = x.n;
done:
    pz_trained_close(&x.trial);
    pz_events_release(&x.part);
    pz_events_release(&x.truth);
    pz_facets_release(&x.facet);
    free(x.offsets);
    free(x.user);
    free(x.ask);
    free(x.list);
    free(x.n_list);
    free(x.active);
    free(x.value);
    return err->status;
}

int
pz_eval_segments(const struct pz_eval *e, struct pz_figures *out, struct pz_err *err)
{
    struct pz_figure later[N_VALUES] = {{0}};
    uint64_t n_later = 0;
    *out = (struct pz_figures){.asked = e->recipe->find_items ? "test attributes"
                                                              : "test items",
                               .baseline = "most active users"};
    out->figure[COVERAGE].name = "coverage";
    out->figure[HITS].name = "hits_at_1_percent";
    out->figure[RECALL].name = "recall_at_1_percent";
    if (examine(e, false, out->figure, &out->n_asked, err) || !out->n_asked)
        return err->status;
    out->n = N_VALUES;
    if (examine(e, true, later, &n_later, err) || !n_later)
        return err->status;
    later[HITS].name = "hits_at_1_percent_by_time";
    later[RECALL].name = "recall_at_1_percent_by_time";
    out->figure[out->n++] = later[HITS];
    out->figure[out->n++] = later[RECALL];
    return PZ_OK;
}
