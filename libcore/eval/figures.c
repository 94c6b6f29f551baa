#include "eval/figures.h"
#include "base/json.h"

static const struct {
    enum pz_recipe_type type;
    int (*measure)(const struct pz_eval *e, struct pz_figures *out, struct pz_err *err);
} protocol[] = {
    {PZ_USER_SEGMENTATION, pz_eval_segments},
    {PZ_PERSONALIZED_ACTIONS, pz_eval_actions},
};
enum { N_PROTOCOLS = sizeof protocol / sizeof *protocol };

bool
pz_has_figures(const struct pz_recipe *r)
{
    for (size_t i = 0; i < N_PROTOCOLS; i++)
        if (protocol[i].type == r->type)
            return true;
    return false;
}

int
pz_figures_measure(const struct pz_eval *e, struct pz_figures *out, struct pz_err *err)
{
    *out = (struct pz_figures){.n = 0};
    for (size_t i = 0; i < N_PROTOCOLS; i++)
        if (protocol[i].type == e->recipe->type)
            return protocol[i].measure(e, out, err);
    return PZ_OK;
}

void
pz_figures_json(const struct pz_figures *f, bool baseline, struct pz_buf *out)
{
    pz_buf_addc(out, '{');
    for (size_t i = 0; i < f->n; i++) {
        pz_buf_addf(out, "%s\"%s\":", i ? "," : "", f->figure[i].name);
        pz_json_add_f64(out, baseline ? f->figure[i].baseline : f->figure[i].value);
    }
    pz_buf_addc(out, '}');
}
