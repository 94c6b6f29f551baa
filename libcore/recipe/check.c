#include "recipe/check.h"

/* Asks for one item, which makes the recipe look at all it has of `q`'s item or user. */
static int
ask(const struct pz_model *m, const struct pz_query *q, struct pz_err *err)
{
    uint32_t item;
    float score;
    struct pz_ranked out = {.item = &item, .score = &score};
    if (m->recipe->rank(m->state, q, 1, &out, err))
        return err->status;
    uint32_t limit = m->recipe->type == PZ_USER_SEGMENTATION ? m->n_users : m->n_items;
    if (out.n > q->n || (out.n && item >= limit))
        return pz_err_set(err, PZ_FORMAT, "'%s': an answer lies outside of the model",
                          m->file.path);
    return PZ_OK;
}

int
pz_model_check(const struct pz_model *m, struct pz_err *err)
{
    struct pz_history h = {.n = 0};
    if (pz_ids_check(&m->user, &m->file, "user", err) ||
        pz_ids_check(&m->item, &m->file, "item", err))
        return err->status;
    for (uint32_t u = 0; u < m->n_users; u++)
        if (pz_model_history(m, u, &h, err))
            return err->status;
    // Related items are rows of the file; what users get is computed, one shows it.
    bool items = m->recipe->type == PZ_RELATED_ITEMS;
    uint32_t n = items ? m->n_items : m->n_users ? 1 : 0;
    for (uint32_t k = 0; k < n; k++) {
        struct pz_query q = {
            .user = items ? PZ_NO_ID : k, .item = items ? k : PZ_NO_ID, .n = 1};
        if (!items) {
            if (pz_model_history(m, k, &h, err))
                return err->status;
            q.history = h.item;
            q.weight = h.weight;
            q.time = h.time;
            q.n_history = h.n;
            q.stored = true;
        }
        if (ask(m, &q, err))
            return err->status;
    }
    return PZ_OK;
}

int
pz_model_check_file(const char *path, struct pz_err *err)
{
    struct pz_model m;
    if (pz_model_open(&m, path, err))
        return err->status;
    int status = pz_model_check(&m, err);
    pz_model_close(&m);
    return status;
}
