#include "eval/examples.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "eval/protocol.h"
#include "recipe/objective.h"

static bool
is_true(const struct pz_split *s, const struct pz_case *k, uint32_t item)
{
    for (uint32_t i = 0; i < k->n_truth; i++)
        if (s->truth[k->truth + i] == item)
            return true;
    return false;
}

/* The model's memory goes with it: labels are copied. */
static void
take_reasons(struct pz_example *x, uint32_t i, const struct pz_explained *e)
{
    x->raw[i] = e->raw;
    x->n_reasons[i] = e->n < PZ_EXAMPLE_REASONS ? (uint32_t)e->n : PZ_EXAMPLE_REASONS;
    for (uint32_t k = 0; k < x->n_reasons[i]; k++) {
        struct pz_example_reason *to = &x->reason[i][k];
        to->item = e->reason[k].item;
        to->contribution = e->reason[k].contribution;
        if (e->reason[k].label) {
            size_t n = e->reason[k].n_label, most = sizeof to->label - 1;
            n = n <= most ? n : pz_utf8_valid(e->reason[k].label, most);
            memcpy(to->label, e->reason[k].label, n);
            to->label[n] = 0;
        }
    }
}

static int
explain_items(struct pz_example *x, const struct pz_model *m, const struct pz_query *q,
              struct pz_err *err)
{
    struct pz_explained e = {.n = 0};
    int r = pz_new(&e.reason, q->n_history + PZ_REASON_LABELS + 1, sizeof *e.reason,
                   "reasons", err);
    for (uint32_t i = 0; r == PZ_OK && m->recipe->explain && i < x->n_items; i++) {
        r = pz_model_explain(m, q, x->item[i], &e, err);
        if (r == PZ_OK)
            take_reasons(x, i, &e);
    }
    free(e.reason);
    return r;
}

static int
ask_one(struct pz_example *x, const struct pz_model *m, const struct pz_split *s,
        struct pz_err *err)
{
    const struct pz_case *k = &s->cases[x->of];
    struct pz_query q = pz_question(s, x->of, m->recipe->type);
    struct pz_ranked out = {.n = 0};
    q.n = q.n_candidates ? q.n_candidates : PZ_EXAMPLE_ITEMS;
    int r;
    if ((r = pz_new(&out.item, q.n, sizeof *out.item, "an answer", err)) ||
        (r = pz_new(&out.score, q.n, sizeof *out.score, "an answer", err)) ||
        (r = pz_model_rank(m, &q, 1, &out, err)))
        goto done;
    x->n_items = out.n < PZ_EXAMPLE_ITEMS ? (uint32_t)out.n : PZ_EXAMPLE_ITEMS;
    for (uint32_t i = 0; i < x->n_items; i++) {
        x->item[i] = out.item[i];
        x->hit[i] = is_true(s, k, out.item[i]);
    }
    if (!out.fallback)
        r = explain_items(x, m, &q, err);
done:
    free(out.item);
    free(out.score);
    return r;
}

int
pz_examples_make(struct pz_examples *x, const struct pz_compared *o,
                 const struct pz_compare *c, size_t entry, size_t n, struct pz_err *err)
{
    const struct pz_split *s = &o->split[0];
    const struct pz_entry *e = &c->entries->entry[entry];
    struct pz_train learn = {.events = &s->train,
                             .params = &e->params,
                             .world = c->world,
                             .seed = c->seed,
                             .threads = c->threads};
    if (c->objective && pz_objective_fits(e->recipe))
        learn.objective = c->objective;
    struct pz_trained own = {0};
    const struct pz_model *m = e->model ? e->model : &own.model;
    *x = (struct pz_examples){.entry = entry, .n = n < s->n_cases ? n : s->n_cases};
    int r = pz_new(&x->example, x->n, sizeof *x->example, "examples", err);
    if (r == PZ_OK && !e->model)
        r = pz_trained_open(&own, e->recipe, &learn, err);
    for (size_t i = 0; r == PZ_OK && i < x->n; i++) {
        x->example[i].of = (uint32_t)((uint64_t)i * s->n_cases / x->n);
        r = ask_one(&x->example[i], m, s, err);
    }
    pz_trained_close(&own);
    if (r)
        pz_examples_release(x);
    return r;
}

void
pz_examples_release(struct pz_examples *x)
{
    free(x->example);
    *x = (struct pz_examples){.n = 0};
}
