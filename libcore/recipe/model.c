#include "recipe/model.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/pz.h"
#include "recipe/admit.h"
#include "recipe/custom.h"
#include "recipe/events.h"
#include "recipe/objective.h"
#include "recipe/preset.h"

/* ---- opening ---- */

static int
open_kind(struct pz_model *m, struct pz_err *err)
{
    const char *kind = pz_tensors_meta(&m->file, "pz.kind");
    if (!kind || strcmp(kind, "model") != 0)
        return pz_err_set(err, PZ_FORMAT, "'%s' is no pz model%s%s%s", m->file.path,
                          kind ? " but a pz " : "", kind ? kind : "",
                          kind ? "" : ": its metadata lack pz.kind");
    const char *name = pz_tensors_meta(&m->file, "recipe");
    if (!name)
        return pz_err_set(err, PZ_FORMAT, "'%s': its metadata lack the recipe",
                          m->file.path);
    if (pz_recipe_of_model(name, &m->recipe, err))
        return pz_err_prefix(err, "'%s': ", m->file.path);
    const char *scores = pz_tensors_meta(&m->file, "scores");
    m->preset = pz_tensors_meta(&m->file, "preset");
    m->filter = pz_tensors_meta(&m->file, "filter");
    m->has_scores = m->recipe->has_scores && !(scores && !strcmp(scores, "none"));
    return PZ_OK;
}

static int
open_history(struct pz_model *m, struct pz_err *err)
{
    uint64_t n = (uint64_t)m->n_users + 1;
    m->n_history = UINT64_MAX;
    if (pz_tensors_get1(&m->file, "history.offsets", PZ_U64, &n, &m->history_offsets,
                        err) ||
        pz_tensors_get1(&m->file, "history.item", PZ_U32, &m->n_history, &m->history_item,
                        err))
        return err->status;
    if (m->history_offsets[0] != 0 || m->history_offsets[m->n_users] != m->n_history)
        return pz_tensors_bad(&m->file, "history.offsets", err,
                              "does not span the %" PRIu64 " entries of 'history.item'",
                              m->n_history);
    if (pz_tensors_find(&m->file, "history.weight") &&
        pz_tensors_get1(&m->file, "history.weight", PZ_F32, &m->n_history,
                        &m->history_weight, err))
        return err->status;
    if (pz_tensors_find(&m->file, "history.time"))
        return pz_tensors_get1(&m->file, "history.time", PZ_I64, &m->n_history,
                               &m->history_time, err);
    return PZ_OK;
}

static int
open_popularity(struct pz_model *m, struct pz_err *err)
{
    m->n_popular = UINT64_MAX;
    if (pz_tensors_get1(&m->file, "popularity.item", PZ_U32, &m->n_popular, &m->popular,
                        err) ||
        pz_tensors_get1(&m->file, "popularity.users", PZ_U32, &m->n_popular,
                        &m->popular_users, err))
        return err->status;
    // Whoever answers from the list cannot fail any more, so that it is read through
    // here.
    for (uint64_t i = 0; i < m->n_popular; i++)
        if (m->popular[i] >= m->n_items)
            return pz_tensors_bad(&m->file, "popularity.item", err,
                                  "entry %" PRIu64 " is %" PRIu32
                                  ", but there are %" PRIu32 " items",
                                  i, m->popular[i], m->n_items);
    return PZ_OK;
}

static int
open_ids(struct pz_model *m, struct pz_err *err)
{
    if (pz_ids_open(&m->user, &m->file, "user", err) ||
        pz_ids_open(&m->item, &m->file, "item", err))
        return err->status;
    if (m->user.n >= PZ_NO_ID)
        return pz_tensors_bad(&m->file, "user.offsets", err,
                              "%" PRIu64 " users are too many", m->user.n);
    if (m->item.n >= PZ_NO_ID)
        return pz_tensors_bad(&m->file, "item.offsets", err,
                              "%" PRIu64 " items are too many", m->item.n);
    m->n_users = (uint32_t)m->user.n;
    m->n_items = (uint32_t)m->item.n;
    return PZ_OK;
}

int
pz_model_open_tensors(struct pz_model *m, struct pz_tensors *t, struct pz_err *err)
{
    *m = (struct pz_model){.file = *t};
    *t = (struct pz_tensors){0};
    if (open_kind(m, err) || open_ids(m, err) || open_history(m, err) ||
        open_popularity(m, err) || pz_objective_bind(m, err) ||
        m->recipe->open(&m->state, m, err)) {
        int status = err->status;
        pz_model_close(m);
        return status;
    }
    return PZ_OK;
}

int
pz_model_open(struct pz_model *m, const char *path, struct pz_err *err)
{
    struct pz_tensors t;
    *m = (struct pz_model){0};
    int r = pz_tensors_open(&t, path, err);
    return r ? r : pz_model_open_tensors(m, &t, err);
}

void
pz_model_close(struct pz_model *m)
{
    if (m->recipe && m->state)
        m->recipe->close(m->state);
    pz_tensors_close(&m->file);
    *m = (struct pz_model){0};
}

int
pz_model_lacks(const struct pz_model *m, const char *key, struct pz_err *err)
{
    return pz_err_set(err, PZ_FORMAT, "'%s': its metadata lack a valid '%s'",
                      m->file.path, key);
}

int
pz_model_number(const struct pz_model *m, const char *key, double min, double max,
                double *out, struct pz_err *err)
{
    const char *text = pz_tensors_meta(&m->file, key);
    if (!text || pz_parse_f64(text, strlen(text), out) || *out < min || *out > max)
        return pz_model_lacks(m, key, err);
    return PZ_OK;
}

int
pz_model_history(const struct pz_model *m, uint32_t u, struct pz_history *h,
                 struct pz_err *err)
{
    *h = (struct pz_history){.n = 0};
    if (u >= m->n_users)
        return PZ_OK;
    uint64_t from, to;
    if (pz_tensors_row(&m->file, "history.offsets", m->history_offsets, u, m->n_history,
                       &from, &to, err))
        return err->status;
    for (uint64_t i = from; i < to; i++)
        if (m->history_item[i] >= m->n_items)
            return pz_tensors_bad(&m->file, "history.item", err,
                                  "entry %" PRIu64 " is %" PRIu32
                                  ", but there are %" PRIu32 " items",
                                  i, m->history_item[i], m->n_items);
    h->item = m->history_item + from;
    h->weight = m->history_weight ? m->history_weight + from : NULL;
    h->time = m->history_time ? m->history_time + from : NULL;
    h->n = (size_t)(to - from);
    return PZ_OK;
}

/* ---- building ---- */

struct popular {
    uint32_t item, users;
    int64_t last;
};

static int
by_popularity(const void *a, const void *b)
{
    const struct popular *x = a, *y = b;
    if (x->users != y->users)
        return x->users > y->users ? -1 : 1;
    if (x->last != y->last)
        return x->last > y->last ? -1 : 1;
    return (x->item > y->item) - (x->item < y->item);
}

/* Counts each item's distinct users; `stamp` is n_items of scratch. */
static void
count_users(const struct pz_events *e, struct popular *p, uint32_t *stamp)
{
    for (uint32_t it = 0; it < e->n_items; it++)
        p[it] = (struct popular){it, 0, INT64_MIN};
    for (uint32_t u = 0; u < e->n_users; u++) {
        for (uint64_t i = e->offsets[u]; i < e->offsets[u + 1]; i++) {
            uint32_t it = e->item[i];
            p[it].users += stamp[it] != u + 1;
            stamp[it] = u + 1;
            if (e->time[i] > p[it].last)
                p[it].last = e->time[i];
        }
    }
}

static int
add_popularity(struct pz_builder *b, const struct pz_events *e, struct pz_err *err)
{
    struct popular *p = NULL;
    uint32_t *stamp = NULL, *item = NULL, *users = NULL;
    uint32_t n = 0;
    int r;
    if ((r = pz_new(&p, e->n_items, sizeof *p, "popularity", err)) ||
        (r = pz_new(&stamp, e->n_items, sizeof *stamp, "popularity", err)))
        goto done;
    count_users(e, p, stamp);
    qsort(p, e->n_items, sizeof *p, by_popularity);
    while (n < e->n_items && p[n].users > 0)
        n++;
    if ((r = pz_new(&item, n, sizeof *item, "popularity", err)) ||
        (r = pz_new(&users, n, sizeof *users, "popularity", err)))
        goto done;
    for (uint32_t i = 0; i < n; i++) {
        item[i] = p[i].item;
        users[i] = p[i].users;
    }
    pz_builder_take1(b, "popularity.item", PZ_U32, n, item);
    pz_builder_take1(b, "popularity.users", PZ_U32, n, users);
    item = users = NULL;
done:
    free(p);
    free(stamp);
    free(item);
    free(users);
    return r;
}

int
pz_model_begin(const struct pz_recipe *recipe, const struct pz_train *t,
               struct pz_err *err)
{
    struct pz_builder *b = t->model;
    const struct pz_events *events = t->events;
    const struct pz_ids *user = &t->world->user, *item = &t->world->item;
    struct pz_buf text = PZ_BUF_INIT;
    pz_params_json(t->params, &text);
    int r = pz_buf_status(&text, "hyperparameters", err);
    if (r == PZ_OK) {
        pz_builder_meta(b, "pz.kind", "model");
        pz_builder_meta(b, "pz.format", PZ_FORMAT_VERSION);
        pz_builder_meta(b, "pz.version", PZ_VERSION);
        pz_builder_meta(b, "recipe", recipe->name);
        pz_builder_meta(b, "params", text.data);
        pz_builder_metaf(b, "seed", "%" PRIu64, t->seed);
        pz_builder_metaf(b, "n_catalogue", "%" PRIu64, item->n);
    }
    pz_buf_release(&text);
    if (r ||
        (r = pz_ids_add(b, "user", user->n, user->bytes, user->offsets, true, err)) ||
        (r = pz_ids_add(b, "item", item->n, item->bytes, item->offsets, true, err)))
        return r;
    pz_builder_borrow1(b, "history.offsets", PZ_U64, (uint64_t)events->n_users + 1,
                       events->offsets);
    pz_builder_borrow1(b, "history.item", PZ_U32, events->n, events->item);
    if (events->weight)
        pz_builder_borrow1(b, "history.weight", PZ_F32, events->n, events->weight);
    if (recipe->timed)
        pz_builder_borrow1(b, "history.time", PZ_I64, events->n, events->time);
    return add_popularity(b, events, err);
}

void
pz_model_preset(struct pz_builder *b, const struct pz_preset *preset)
{
    pz_builder_meta(b, "preset", preset->name);
    if (preset->filter)
        pz_builder_meta(b, "filter", preset->filter);
    if (preset->no_scores)
        pz_builder_meta(b, "scores", "none");
}

int
pz_model_learn(const struct pz_recipe *recipe, const struct pz_train *whole,
               struct pz_err *err)
{
    struct pz_cut cut = pz_cut_of_params(whole->params);
    struct pz_cut_report report;
    struct pz_events kept;
    struct pz_train t = *whole;
    int r = pz_model_begin(recipe, whole, err);
    if (r || (r = pz_events_cut(whole->events, &cut, &kept, &report, err)))
        return r;
    t.events = &kept;
    pz_builder_metaf(t.model, "train.events", "%" PRIu64, kept.n);
    pz_builder_metaf(t.model, "train.users_cut", "%" PRIu32, report.users_dropped);
    pz_builder_metaf(t.model, "train.items_cut", "%" PRIu32, report.items_dropped);
    pz_builder_metaf(t.model, "train.items_hidden", "%" PRIu32, report.items_hidden);
    r = recipe->train(&t, err);
    if (r == PZ_OK && t.objective)
        r = pz_objective_add(t.objective, t.model, err);
    pz_events_release(&kept);
    return r;
}

int
pz_trained_open(struct pz_trained *m, const struct pz_recipe *recipe,
                const struct pz_train *t, struct pz_err *err)
{
    struct pz_train learn = *t;
    struct pz_tensors view;
    *m = (struct pz_trained){0};
    int r = pz_builder_new(&m->builder, err);
    if (r)
        return r;
    learn.model = m->builder;
    if ((r = pz_model_learn(recipe, &learn, err)) ||
        (r = pz_builder_view(m->builder, &view, err)) ||
        (r = pz_model_open_tensors(&m->model, &view, err)))
        pz_trained_close(m);
    return r;
}

void
pz_trained_close(struct pz_trained *m)
{
    pz_model_close(&m->model);
    pz_builder_free(m->builder);
    *m = (struct pz_trained){0};
}

/* ---- answers ---- */

int
pz_model_rank(const struct pz_model *m, const struct pz_query *q, size_t n,
              struct pz_ranked *out, struct pz_err *err)
{
    return m->objective.place ? pz_objective_rank(m, q, n, out, err)
                              : m->recipe->rank(m->state, q, n, out, err);
}

int
pz_model_explain(const struct pz_model *m, const struct pz_query *q, uint32_t item,
                 struct pz_explained *out, struct pz_err *err)
{
    return m->objective.place ? pz_objective_explain(m, q, item, out, err)
                              : m->recipe->explain(m->state, q, item, out, err);
}

/* ---- the cold answer ---- */

/* Candidates in the order of popularity: each one's place in the list is not stored, so
 * that the list is walked and the candidates looked up. */
static void
popular_candidates(const struct pz_model *m, const struct pz_query *q,
                   const struct pz_admit *admit, struct pz_ranked *out)
{
    struct pz_query only = {.exclude = q->candidate, .n_exclude = q->n_candidates};
    struct pz_admit not_listed;
    pz_admit_init(&not_listed, &only);
    for (uint64_t i = 0; i < m->n_popular && out->n < q->n_candidates; i++)
        if (!pz_admits(&not_listed, m->popular[i]) && pz_admits(admit, m->popular[i]))
            out->item[out->n++] = m->popular[i];
    size_t n_popular = out->n;
    for (size_t i = 0; i < q->n_candidates && out->n < q->n_candidates; i++) {
        uint32_t it = q->candidate[i];
        bool listed = !pz_admits(admit, it);
        for (size_t j = 0; j < n_popular && !listed; j++)
            listed = out->item[j] == it;
        if (!listed)
            out->item[out->n++] = it;
    }
}

void
pz_model_popular(const struct pz_model *m, const struct pz_query *q,
                 struct pz_ranked *out)
{
    struct pz_admit admit;
    pz_admit_init(&admit, q);
    out->n = 0;
    out->fallback = true;
    if (q->candidate) {
        popular_candidates(m, q, &admit, out);
    } else {
        for (uint64_t i = 0; i < m->n_popular && out->n < q->n; i++)
            if (pz_admits(&admit, m->popular[i]))
                out->item[out->n++] = m->popular[i];
    }
    for (size_t i = 0; i < out->n; i++)
        out->score[i] = NAN;
}

int
pz_model_complete(const struct pz_model *m, const struct pz_query *q, size_t wanted,
                  struct pz_ranked *out, struct pz_err *err)
{
    struct pz_query rest = *q;
    struct pz_ranked more = {.item = out->item + out->n, .score = out->score + out->n};
    uint32_t *exclude;
    if (out->n >= wanted)
        return PZ_OK;
    int r =
        pz_new(&exclude, q->n_exclude + out->n + 1, sizeof *exclude, "an answer", err);
    if (r)
        return r;
    size_t n = q->n_exclude;
    if (n)
        memcpy(exclude, q->exclude, n * sizeof *exclude);
    memcpy(exclude + n, out->item, out->n * sizeof *exclude);
    n += out->n;
    if (!q->candidate && q->item != PZ_NO_ID)
        exclude[n++] = q->item;
    rest.exclude = exclude;
    rest.n_exclude = n;
    rest.n = wanted - out->n;
    pz_model_popular(m, &rest, &more);
    out->n += more.n;
    free(exclude);
    return PZ_OK;
}
