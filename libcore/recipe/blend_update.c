/* blend_update: an earlier blend (recipe/blend.h) for the items and events of now. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "recipe/blend.h"
#include "recipe/cold.h"
#include "recipe/repeat.h"

static const double CHEAP = 1.0 / 60; // of the budget: learned anew

/* The number now of each item of the model; both lists are sorted. */
static int
find_items(uint32_t **now, const struct pz_train *t, const struct pz_model *m,
           struct pz_err *err)
{
    if (pz_new(now, m->n_items, sizeof **now, "items", err))
        return err->status;
    for (uint32_t i = 0; i < m->n_items; i++) {
        size_t n = 0;
        const char *s = pz_ids_get(&m->item, i, &n);
        uint32_t at = s ? pz_ids_find(&t->world->item, s, n) : PZ_NO_ID;
        (*now)[i] = at < t->world->item.n ? at : PZ_NO_ID;
    }
    return PZ_OK;
}

/* What was found by validation, as it was. */
static void
copy_found(struct pz_builder *b, const struct pz_model *m)
{
    static const char *const prefix[] = {"train.parts", "train.weight",
                                         "train.temperature", "train.validation"};
    const struct pz_tensors *f = &m->file;
    for (size_t i = 0; i < f->n_meta; i++)
        for (size_t k = 0; k < sizeof prefix / sizeof *prefix; k++)
            if (!strncmp(f->meta[2 * i], prefix[k], strlen(prefix[k])))
                pz_builder_meta(b, f->meta[2 * i], f->meta[2 * i + 1]);
}

static int
copy_repeat(struct pz_builder *b, const struct pz_model *m, struct pz_err *err)
{
    uint64_t n = PZ_REPEAT_CELLS;
    const float *repeat;
    float *own;
    if (pz_tensors_get1(&m->file, "repeat", PZ_F32, &n, &repeat, err) ||
        pz_new(&own, n, sizeof *own, "a table", err))
        return err->status;
    memcpy(own, repeat, n * sizeof *own);
    pz_builder_take1(b, "repeat", PZ_F32, n, own);
    return PZ_OK;
}

/* One part after the other; kept: "next,ease". */
static int
update_parts(const struct pz_train *t, const struct pz_blend_config *c,
             const struct pz_kept *k, char *kept, size_t room, struct pz_err *err)
{
    const char *list = pz_tensors_meta(&k->model->file, "train.parts");
    int status = PZ_OK;
    size_t len = 0;
    kept[0] = 0;
    for (; list && *list && !status; list += *list == ',') {
        char name[32];
        size_t n = strcspn(list, ",");
        snprintf(name, sizeof name, "%.*s", (int)(n < 31 ? n : 31), list);
        list += n;
        const struct pz_part *part = pz_part_find(name);
        if (!part)
            return pz_err_set(err, PZ_FORMAT, "'%s': it has a part '%s', unknown here",
                              k->model->file.path, name);
        bool keep = part->keep && part->cost(t) > CHEAP * c->budget;
        pz_log(PZ_LOG_NOTE, "%s: %s", name, keep ? "kept" : "learned anew");
        if (keep && len < room)
            len += (size_t)snprintf(kept + len, room - len, "%s%s", len ? "," : "", name);
        status = keep ? part->keep(t, k, err) : part->train(t, err);
    }
    return status;
}

int
pz_blend_update(const struct pz_train *t, const struct pz_blend_config *c,
                struct pz_err *err)
{
    struct pz_kept k = {.model = t->before};
    uint32_t *now = NULL;
    char kept[256];
    int status = find_items(&now, t, t->before, err);
    k.now = now;
    if (!status)
        status = update_parts(t, c, &k, kept, sizeof kept, err);
    if (!status && c->cold > 0)
        status = pz_cold_train(t, c->cold, err);
    if (!status)
        status = copy_repeat(t->model, t->before, err);
    if (!status) {
        copy_found(t->model, t->before); // over what parts say of themselves when alone
        pz_builder_meta(t->model, "update.kept", kept);
    }
    free(now);
    return status;
}

int
pz_part_update(const struct pz_part *part, const struct pz_train *t, struct pz_err *err)
{
    struct pz_kept k = {.model = t->before};
    uint32_t *now = NULL;
    int status = find_items(&now, t, t->before, err);
    k.now = now;
    if (!status)
        status = part->keep(t, &k, err);
    if (!status)
        pz_builder_meta(t->model, "update.kept", part->name);
    free(now);
    return status;
}
