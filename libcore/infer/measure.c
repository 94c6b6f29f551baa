#include "infer/measure.h"

#include "base/clock.h"
#include "base/rng.h"
#include "infer/infer.h"

int
pz_measure_rate(const struct pz_model *m, double seconds, uint64_t seed, double *rate,
                struct pz_err *err)
{
    const struct pz_answer *answer;
    const struct pz_ids *ids = pz_model_asks_item(m) ? &m->item : &m->user;
    uint32_t n_ids = pz_model_asks_item(m) ? m->n_items : m->n_users;
    struct pz_session *s;
    struct pz_rng rng;
    size_t n = 0, n_done;
    *rate = 0;
    if (pz_model_answers_users(m))
        return pz_err_set(err, PZ_DATA, "recipe %s answers in batches only",
                          m->recipe->name);
    if (pz_session_new(&s, m, err))
        return err->status;
    pz_rng_seed(&rng, seed, 0);
    double began = pz_seconds_wall(), took = 0;
    while (!err->status && took < seconds) {
        struct pz_request q = {.n = 25};
        struct pz_text id = {"", 0};
        if (n_ids)
            id.s = pz_ids_get(ids, (uint32_t)(pz_rng_u64(&rng) % n_ids), &id.n);
        q.has_item = pz_model_asks_item(m);
        q.has_user = !q.has_item;
        if (q.has_item)
            q.item = id;
        else
            q.user = id;
        n += !pz_infer(s, &q, 1, &answer, &n_done, err);
        took = pz_seconds_wall() - began;
    }
    pz_session_free(s);
    if (!err->status && took > 0)
        *rate = (double)n / took;
    return err->status;
}
