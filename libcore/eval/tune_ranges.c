/* What hyperparameters may be: a recipe's own ranges, and those of AWS's hpoConfig. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/num.h"
#include "eval/tune.h"

/* Ranges over so many times their lower end are looked at by orders of magnitude. */
static const double LOG_FROM = 50;

static void
set_bounds(struct pz_range *r, double min, double max)
{
    r->min = min;
    r->max = max;
    r->log = min > 0 && max / min >= LOG_FROM;
}

void
pz_ranges_of(struct pz_ranges *out, const struct pz_recipe *recipe)
{
    *out = (struct pz_ranges){.n = 0};
    for (int i = 0; recipe->params[i].name; i++) {
        const struct pz_param_def *d = &recipe->params[i];
        if (!d->tunable)
            continue;
        struct pz_range *r = &out->range[out->n++];
        *r = (struct pz_range){.param = i};
        if (d->kind == PZ_PARAM_INT || d->kind == PZ_PARAM_REAL) {
            bool own = d->tune_min != 0 || d->tune_max != 0;
            set_bounds(r, own ? d->tune_min : d->min, own ? d->tune_max : d->max);
            continue;
        }
        size_t n = 2;
        for (const char *c = d->kind == PZ_PARAM_CHOICE ? d->choices : ""; *c; c++)
            n += *c == '|';
        r->n_values = d->kind == PZ_PARAM_CHOICE ? n - 1 : 2;
        for (size_t k = 0; k < r->n_values && k < PZ_RANGE_VALUES; k++)
            r->value[k] = (double)k;
    }
}

int
pz_offline_metric_parse(enum pz_metric *m, const char *name, struct pz_err *err)
{
    struct pz_buf all = PZ_BUF_INIT;
    for (int k = 0; k < PZ_N_METRICS; k++) {
        if (strcmp(pz_metric_name((enum pz_metric)k), name) == 0) {
            *m = (enum pz_metric)k;
            pz_buf_release(&all);
            return PZ_OK;
        }
        pz_buf_addf(&all, "%s%s", k ? ", " : "", pz_metric_name((enum pz_metric)k));
    }
    if (pz_buf_status(&all, "a message", err) == PZ_OK)
        pz_err_set(err, PZ_USAGE, "unknown metric '%s': the metrics are %s", name,
                   all.data);
    pz_buf_release(&all);
    return err->status;
}

/* ---- JSON ---- */

/* One member of an object as text, a number or a string; NULL when it is not there. */
static const char *
text_of(const pz_json *j, struct pz_buf *hold)
{
    double x;
    if (!j || pz_json_string(j))
        return j ? pz_json_string(j) : NULL;
    if (!pz_json_number(j, &x))
        return NULL;
    pz_buf_clear(hold);
    pz_json_add(hold, j);
    return hold->data;
}

/* A value as the recipe reads it. */
static int
read_value(double *out, const struct pz_recipe *recipe, int param, const char *text,
           struct pz_err *err)
{
    struct pz_params p;
    struct pz_buf assignment = PZ_BUF_INIT;
    pz_params_init(&p, recipe->params);
    pz_buf_addf(&assignment, "%s=%s", recipe->params[param].name, text);
    int r = pz_buf_status(&assignment, "a range", err);
    if (r == PZ_OK)
        r = pz_params_set(&p, assignment.data, err);
    pz_buf_release(&assignment);
    *out = p.value[param];
    return r;
}

static int
read_bounds(struct pz_range *out, const struct pz_recipe *recipe, const pz_json *j,
            struct pz_err *err)
{
    static const char *const key[] = {"minValue", "maxValue"};
    struct pz_buf hold = PZ_BUF_INIT;
    double bound[2] = {0, 0};
    const char *name = recipe->params[out->param].name;
    enum pz_param_kind kind = recipe->params[out->param].kind;
    int r = PZ_OK;
    if (kind != PZ_PARAM_INT && kind != PZ_PARAM_REAL)
        return pz_err_set(err, PZ_DATA, "'%s' is no number: its range is categorical",
                          name);
    for (int k = 0; k < 2 && r == PZ_OK; k++) {
        const char *text = text_of(pz_json_get(j, key[k]), &hold);
        r = text ? read_value(&bound[k], recipe, out->param, text, err)
                 : pz_err_set(err, PZ_DATA, "the range of '%s' has no number '%s'", name,
                              key[k]);
    }
    pz_buf_release(&hold);
    if (r == PZ_OK && bound[0] > bound[1])
        r = pz_err_set(err, PZ_DATA, "the range of '%s' ends before it starts", name);
    set_bounds(out, bound[0], bound[1]);
    return r;
}

static int
read_values(struct pz_range *out, const struct pz_recipe *recipe, const pz_json *j,
            struct pz_err *err)
{
    const pz_json *values = pz_json_get(j, "values");
    struct pz_buf hold = PZ_BUF_INIT;
    const char *name = recipe->params[out->param].name;
    int r = PZ_OK;
    if (!pz_json_is_array(values) || pz_json_count(values) < 1 ||
        pz_json_count(values) > PZ_RANGE_VALUES)
        return pz_err_set(err, PZ_DATA, "the range of '%s' must have 1 to %d 'values'",
                          name, PZ_RANGE_VALUES);
    for (const pz_json *c = pz_json_first(values); c && r == PZ_OK; c = pz_json_next(c)) {
        const char *text = text_of(c, &hold);
        r = text ? read_value(&out->value[out->n_values++], recipe, out->param, text, err)
                 : pz_err_set(err, PZ_DATA, "a value of '%s' is neither text nor number",
                              name);
    }
    pz_buf_release(&hold);
    return r;
}

static int
read_list(struct pz_ranges *out, const struct pz_recipe *recipe, const pz_json *list,
          bool categorical, struct pz_err *err)
{
    if (list && !pz_json_is_array(list))
        return pz_err_set(err, PZ_DATA, "'%s' must be an array", pz_json_key(list));
    for (const pz_json *j = list ? pz_json_first(list) : NULL; j; j = pz_json_next(j)) {
        const char *name = pz_json_get_string(j, "name"), *dot;
        if (!name)
            return pz_err_set(err, PZ_DATA, "a range must be an object with a 'name'");
        // Amazon gives names back as "training.bptt".
        if ((dot = strchr(name, '.')))
            name = dot + 1;
        int param = pz_param_find(recipe->params, name);
        if (param < 0)
            return pz_err_set(err, PZ_DATA, "recipe %s has no hyperparameter '%s'",
                              recipe->name, name);
        for (size_t k = 0; k < out->n; k++)
            if (out->range[k].param == param)
                return pz_err_set(err, PZ_DATA, "'%s' has two ranges", name);
        struct pz_range *r = &out->range[out->n++];
        *r = (struct pz_range){.param = param};
        if (categorical ? read_values(r, recipe, j, err) : read_bounds(r, recipe, j, err))
            return err->status;
    }
    return PZ_OK;
}

/* A number of hpoResourceConfig; 0: not given. */
static int
read_resource(uint32_t *out, const pz_json *resource, const char *key, struct pz_err *err)
{
    struct pz_buf hold = PZ_BUF_INIT;
    const pz_json *j = resource ? pz_json_get(resource, key) : NULL;
    const char *text = text_of(j, &hold);
    int64_t n = 0;
    int r = PZ_OK;
    if (j &&
        (!text || pz_parse_i64(text, strlen(text), &n) || n < 1 || n > PZ_MAX_TRIALS))
        r = pz_err_set(err, PZ_DATA, "'%s' must be a whole number from 1 to %d", key,
                       PZ_MAX_TRIALS);
    pz_buf_release(&hold);
    *out = (uint32_t)n;
    return r;
}

static int
read_config(struct pz_ranges *out, const struct pz_recipe *recipe, const pz_json *j,
            struct pz_err *err)
{
    static const char *const known[] = {"algorithmHyperParameterRanges",
                                        "hpoResourceConfig", "hpoObjective"};
    static const struct {
        const char *key;
        bool categorical;
    } lists[] = {{"integerHyperParameterRanges", false},
                 {"continuousHyperParameterRanges", false},
                 {"categoricalHyperParameterRanges", true}};
    if (!pz_json_is_object(j))
        return pz_err_set(err, PZ_DATA, "an hpoConfig must be a JSON object");
    for (const pz_json *c = pz_json_first(j); c; c = pz_json_next(c)) {
        size_t k = 0;
        while (k < 3 && strcmp(known[k], pz_json_key(c)) != 0)
            k++;
        if (k == 3)
            return pz_err_set(err, PZ_DATA, "an hpoConfig has no '%s'; it has %s, %s, %s",
                              pz_json_key(c), known[0], known[1], known[2]);
    }
    const pz_json *ranges = pz_json_get(j, known[0]);
    const pz_json *objective = pz_json_get(j, known[2]);
    const char *metric = objective ? pz_json_get_string(objective, "metricName") : NULL;
    if (!ranges) {
        pz_ranges_of(out, recipe);
    } else {
        for (size_t k = 0; k < sizeof lists / sizeof *lists; k++)
            if (read_list(out, recipe, pz_json_get(ranges, lists[k].key),
                          lists[k].categorical, err))
                return err->status;
    }
    if (metric && metric[0]) {
        if (pz_offline_metric_parse(&out->metric, metric, err))
            return err->status = PZ_DATA;
        out->has_metric = true;
    }
    const pz_json *resource = pz_json_get(j, known[1]);
    int r = read_resource(&out->trials, resource, "maxNumberOfTrainingJobs", err);
    return r ? r : read_resource(&out->at_once, resource, "maxParallelTrainingJobs", err);
}

int
pz_ranges_parse(struct pz_ranges *out, const struct pz_recipe *recipe, const char *text,
                size_t n, struct pz_err *err)
{
    pz_json *j;
    *out = (struct pz_ranges){.n = 0};
    int r = pz_json_parse(&j, text, n, err);
    if (r)
        return r;
    r = read_config(out, recipe, j, err);
    pz_json_free(j);
    return r == PZ_USAGE ? err->status = PZ_DATA : r;
}
