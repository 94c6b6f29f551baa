#include "eval/protocol.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/par.h"
#include "base/rng.h"
#include "recipe/events.h"
#include "recipe/model.h"

enum { USERS_PER_TASK = 32 };

/* ---- the split ---- */

struct drawn {
    uint64_t hash;
    uint32_t user;
};

static int
by_hash(const void *a, const void *b)
{
    const struct drawn *x = a, *y = b;
    if (x->hash != y->hash)
        return x->hash > y->hash ? 1 : -1;
    return (x->user > y->user) - (x->user < y->user);
}

int
pz_eval_draw(const struct pz_events *e, uint64_t seed, uint8_t **test, uint32_t *n,
             struct pz_err *err)
{
    struct drawn *d;
    uint32_t n_able = 0;
    *n = 0;
    *test = NULL;
    int r = pz_new(test, e->n_users, 1, "test users", err);
    if (r)
        return r;
    r = pz_new(&d, e->n_users, sizeof *d, "test users", err);
    if (r) {
        free(*test);
        *test = NULL;
        return r;
    }
    uint64_t salt = pz_mix64(seed + 1);
    for (uint32_t u = 0; u < e->n_users; u++)
        if (e->offsets[u + 1] - e->offsets[u] >= 2)
            d[n_able++] = (struct drawn){pz_mix64(salt ^ pz_mix64(u)), u};
    qsort(d, n_able, sizeof *d, by_hash);
    // One user must be left to learn from.
    *n = n_able < 2 ? 0 : n_able < 5 ? 1 : (n_able + 5) / 10;
    for (uint32_t i = 0; i < *n; i++)
        (*test)[d[i].user] = 1;
    free(d);
    return PZ_OK;
}

/* The events of the users that are not tested. */
static int
training_part(const struct pz_events *e, const uint8_t *test, struct pz_events *out,
              struct pz_err *err)
{
    *out = (struct pz_events){.n_users = e->n_users, .n_items = e->n_items};
    if (pz_new(&out->offsets, (size_t)e->n_users + 1, sizeof *out->offsets, "events",
               err) ||
        pz_new_aligned(&out->item, e->n, sizeof *out->item, "events", err) ||
        pz_new_aligned(&out->time, e->n, sizeof *out->time, "events", err) ||
        (e->weight &&
         pz_new_aligned(&out->weight, e->n, sizeof *out->weight, "events", err))) {
        pz_events_release(out);
        return err->status;
    }
    for (uint32_t u = 0; u < e->n_users; u++) {
        uint64_t from = e->offsets[u], n = test[u] ? 0 : e->offsets[u + 1] - from;
        memcpy(out->item + out->n, e->item + from, n * sizeof *out->item);
        memcpy(out->time + out->n, e->time + from, n * sizeof *out->time);
        if (out->weight)
            memcpy(out->weight + out->n, e->weight + from, n * sizeof *out->weight);
        out->n += n;
        out->offsets[u + 1] = out->n;
    }
    return PZ_OK;
}

/* ---- asking ---- */

struct exam {
    const struct pz_eval *e;
    const struct pz_model *model;
    uint32_t *user; // the test users
    uint32_t n_users;
    double (*value)[PZ_N_METRICS]; // per test user
    uint32_t *answer;              // per test user: PZ_METRICS_LIST items
    uint32_t *n_answer;
};

static int
by_number(const void *a, const void *b)
{
    const uint32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static uint64_t
n_truth(uint64_t n)
{
    uint64_t tenth = (uint64_t)floor(0.1 * (double)n + 0.5);
    return tenth < 1 ? 1 : tenth;
}

/* The distinct items among the newest events of u, sorted; new memory. */
static int
truth_of(const struct pz_events *e, uint32_t u, uint32_t **truth, size_t *n,
         struct pz_err *err)
{
    uint64_t len = n_truth(e->offsets[u + 1] - e->offsets[u]);
    int r = pz_new(truth, len, sizeof **truth, "a truth", err);
    if (r)
        return r;
    memcpy(*truth, e->item + e->offsets[u + 1] - len, len * sizeof **truth);
    qsort(*truth, len, sizeof **truth, by_number);
    *n = 0;
    for (uint64_t i = 0; i < len; i++)
        if (*n == 0 || (*truth)[*n - 1] != (*truth)[i])
            (*truth)[(*n)++] = (*truth)[i];
    return PZ_OK;
}

static struct pz_query
question(const struct pz_eval *e, uint32_t u)
{
    const struct pz_events *ev = e->events;
    uint64_t from = ev->offsets[u], n = ev->offsets[u + 1] - from;
    struct pz_query q = {.user = PZ_NO_ID, .item = PZ_NO_ID, .n = PZ_METRICS_LIST};
    q.history = ev->item + from;
    q.weight = ev->weight ? ev->weight + from : NULL;
    q.time = ev->time + from;
    q.n_history = (size_t)(n - n_truth(n));
    if (e->recipe->type == PZ_RELATED_ITEMS && q.n_history)
        q.item = q.history[q.n_history - 1];
    return q;
}

static int
ask(void *ctx, size_t task, int thread, struct pz_err *err)
{
    (void)thread;
    struct exam *x = ctx;
    size_t first = task * USERS_PER_TASK, n = x->n_users - first;
    n = n < USERS_PER_TASK ? n : USERS_PER_TASK;
    struct pz_query q[USERS_PER_TASK] = {{0}};
    struct pz_ranked out[USERS_PER_TASK];
    float score[USERS_PER_TASK * PZ_METRICS_LIST];
    for (size_t i = 0; i < n; i++) {
        q[i] = question(x->e, x->user[first + i]);
        out[i] = (struct pz_ranked){.item = x->answer + (first + i) * PZ_METRICS_LIST,
                                    .score = score + i * PZ_METRICS_LIST};
    }
    if (x->e->recipe->rank(x->model->state, q, n, out, err) != PZ_OK)
        return err->status;
    for (size_t i = 0; i < n; i++) {
        uint32_t *truth;
        size_t n_relevant;
        if (truth_of(x->e->events, x->user[first + i], &truth, &n_relevant, err) != PZ_OK)
            return err->status;
        pz_metrics_of(x->value[first + i], out[i].item, out[i].n, truth, n_relevant);
        x->n_answer[first + i] = (uint32_t)out[i].n;
        free(truth);
    }
    return PZ_OK;
}

/* Sums in the order of the users, whoever answered. */
static int
summarize(const struct exam *x, struct pz_metrics *out, struct pz_err *err)
{
    uint8_t *seen;
    uint64_t n_seen = 0, n_catalogue = x->model->n_items;
    int r = pz_new(&seen, x->model->n_items, 1, "coverage", err);
    if (r)
        return r;
    for (uint32_t i = 0; i < x->n_users; i++) {
        for (int m = 0; m < PZ_N_METRICS; m++)
            out->value[m] += x->value[i][m];
        for (uint32_t k = 0; k < x->n_answer[i]; k++) {
            uint32_t it = x->answer[(size_t)i * PZ_METRICS_LIST + k];
            n_seen += !seen[it];
            seen[it] = 1;
        }
    }
    free(seen);
    out->n_users = x->n_users;
    for (int m = 0; m < PZ_N_METRICS; m++)
        out->value[m] /= x->n_users;
    out->value[PZ_COVERAGE] = n_catalogue ? (double)n_seen / (double)n_catalogue : 0;
    return PZ_OK;
}

static int
examine(struct exam *x, const uint8_t *test, struct pz_metrics *out, struct pz_err *err)
{
    size_t n = x->n_users;
    int r;
    if ((r = pz_new(&x->user, n, sizeof *x->user, "test users", err)) ||
        (r = pz_new(&x->value, n, sizeof *x->value, "metrics", err)) ||
        (r = pz_new(&x->answer, n * PZ_METRICS_LIST, sizeof *x->answer, "answers",
                    err)) ||
        (r = pz_new(&x->n_answer, n, sizeof *x->n_answer, "answers", err)))
        goto done;
    for (uint32_t u = 0, k = 0; u < x->e->events->n_users; u++)
        if (test[u])
            x->user[k++] = u;
    r = pz_par(pz_threads(x->e->threads), (n + USERS_PER_TASK - 1) / USERS_PER_TASK, ask,
               x, err);
    if (r == PZ_OK)
        r = summarize(x, out, err);
done:
    free(x->user);
    free(x->value);
    free(x->answer);
    free(x->n_answer);
    return r;
}

int
pz_eval_aws(const struct pz_eval *e, struct pz_metrics *out, struct pz_err *err)
{
    *out = (struct pz_metrics){.n_users = 0};
    uint8_t *test = NULL;
    struct pz_events part = {0};
    struct pz_builder *b = NULL;
    struct pz_tensors t = {0};
    struct pz_model model = {0};
    struct exam x = {.e = e, .model = &model};
    struct pz_train learn = {.events = &part,
                             .params = e->params,
                             .world = e->world,
                             .seed = e->seed,
                             .threads = e->threads};
    int r = pz_eval_draw(e->events, e->seed, &test, &x.n_users, err);
    if (r || x.n_users == 0)
        goto done;
    if ((r = training_part(e->events, test, &part, err)) || (r = pz_builder_new(&b, err)))
        goto done;
    learn.model = b;
    if ((r = pz_model_learn(e->recipe, &learn, err)) ||
        (r = pz_builder_view(b, &t, err)) || (r = pz_model_open_tensors(&model, &t, err)))
        goto done;
    r = examine(&x, test, out, err);
done:
    pz_model_close(&model);
    pz_builder_free(b);
    pz_events_release(&part);
    free(test);
    return r;
}
