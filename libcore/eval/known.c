#include "eval/known.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static int
take_histories(struct pz_known *k, struct pz_err *err)
{
    const struct pz_model *m = &k->model;
    struct pz_events *e = &k->events;
    *e = (struct pz_events){.n_users = m->n_users, .n_items = m->n_items};
    if (pz_new(&e->offsets, (size_t)m->n_users + 1, sizeof *e->offsets, "events", err) ||
        pz_new_aligned(&e->item, m->n_history, sizeof *e->item, "events", err) ||
        pz_new_aligned(&e->time, m->n_history, sizeof *e->time, "events", err) ||
        (m->history_weight &&
         pz_new_aligned(&e->weight, m->n_history, sizeof *e->weight, "events", err)))
        return err->status;
    for (uint32_t u = 0; u < m->n_users; u++) {
        struct pz_history h;
        if (pz_model_history(m, u, &h, err))
            return err->status;
        if (h.n > m->n_history - e->n)
            return pz_err_set(err, PZ_FORMAT, "'%s': histories overlap", m->file.path);
        for (size_t i = 0; i < h.n; i++) {
            e->item[e->n] = h.item[i];
            e->time[e->n] = h.time ? h.time[i] : 0;
            if (e->weight)
                e->weight[e->n] = h.weight[i];
            e->n++;
        }
        e->offsets[u + 1] = e->n;
    }
    return PZ_OK;
}

int
pz_known_open(struct pz_known *k, const char *path, struct pz_err *err)
{
    *k = (struct pz_known){.events = {0}};
    int r = pz_model_open(&k->model, path, err);
    if (r)
        return r;
    k->world.user = k->model.user;
    k->world.item = k->model.item;
    if ((r = take_histories(k, err)) != PZ_OK)
        pz_known_close(k);
    return r;
}

void
pz_known_close(struct pz_known *k)
{
    pz_events_release(&k->events);
    pz_model_close(&k->model);
}

int
pz_known_add(const struct pz_known *k, const char *label, struct pz_entries *e,
             struct pz_err *err)
{
    int r = pz_entries_label(e, label, err);
    if (r == PZ_OK) {
        e->entry[e->n - 1].recipe = k->model.recipe;
        e->entry[e->n - 1].model = &k->model;
        pz_params_init(&e->entry[e->n - 1].params, k->model.recipe->params);
    }
    return r;
}
