#include "eval/update.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "recipe/custom.h"

static int
bad(const struct pz_update *u, const char *key, struct pz_err *err)
{
    return pz_err_set(err, PZ_FORMAT, "'%s': its metadata lack a valid '%s'",
                      u->before.file.path, key);
}

/* A JSON object of the metadata; NULL when there is none. */
static int
parse(const struct pz_update *u, const char *key, pz_json **j, struct pz_err *err)
{
    const char *text = pz_tensors_meta(&u->before.file, key);
    *j = NULL;
    if (text && pz_json_parse(j, text, strlen(text), err)) {
        *err = (struct pz_err)PZ_ERR_INIT;
        return bad(u, key, err);
    }
    return PZ_OK;
}

static int
take_recipe(struct pz_update *u, struct pz_err *err)
{
    const struct pz_model *m = &u->before;
    const struct pz_recipe *r;
    u->recipe = m->recipe;
    if (m->preset && pz_recipe_need(m->preset, &r, &u->preset, err))
        return pz_err_prefix(err, "'%s': ", m->file.path);
    if (!u->recipe->updates)
        return pz_err_set(err, PZ_USAGE,
                          "recipe %s has no update; train it in full (--mode full)",
                          u->recipe->name);
    return PZ_OK;
}

static int
take_params(struct pz_update *u, struct pz_err *err)
{
    pz_json *j;
    if (parse(u, "params", &j, err))
        return err->status;
    pz_params_init(&u->params, u->recipe->params);
    for (const pz_json *p = pz_json_first(j); p && !err->status; p = pz_json_next(p)) {
        struct pz_buf b = PZ_BUF_INIT;
        pz_buf_addf(&b, "%s=%s", pz_json_key(p),
                    pz_json_string(p) ? pz_json_string(p) : "");
        if (!pz_buf_status(&b, "hyperparameters", err) &&
            pz_params_set(&u->params, b.data, err)) {
            err->status = PZ_FORMAT;
            pz_err_prefix(err, "'%s': ", u->before.file.path);
        }
        pz_buf_release(&b);
    }
    pz_json_free(j);
    return err->status;
}

static int
take_selection(struct pz_update *u, struct pz_err *err)
{
    struct pz_selection *s = &u->selection;
    if (parse(u, "selection", &u->json[0], err) || !u->json[0])
        return err->status;
    const pz_json *types = pz_json_get(u->json[0], "eventTypes");
    if (!pz_json_is_array(types))
        return bad(u, "selection", err);
    if (pz_new(&u->rule, pz_json_count(types), sizeof *u->rule, "event types", err))
        return err->status;
    s->has_threshold =
        pz_json_number(pz_json_get(u->json[0], "eventValueThreshold"), &s->threshold);
    for (const pz_json *t = pz_json_first(types); t; t = pz_json_next(t)) {
        struct pz_event_rule *r = &u->rule[s->n_rules++];
        r->type = pz_json_get_string(t, "type");
        r->has_weight = pz_json_number(pz_json_get(t, "weight"), &r->weight);
        r->has_threshold =
            pz_json_number(pz_json_get(t, "eventValueThreshold"), &r->threshold);
        pz_json_is_bool(pz_json_get(t, "anyCase"), &r->any_case);
        if (!r->type)
            return bad(u, "selection", err);
    }
    s->rule = u->rule;
    return PZ_OK;
}

/* The names of one list, behind the n that are there; *list is where they are. */
static int
take_names_of(struct pz_update *u, const char *key, const char *const **list, size_t *n,
              size_t *at, struct pz_err *err)
{
    const pz_json *all = pz_json_get(u->json[1], key);
    if (!pz_json_is_array(all))
        return bad(u, "columns", err);
    *list = u->name + *at;
    for (const pz_json *c = pz_json_first(all); c; c = pz_json_next(c)) {
        if (!pz_json_string(c))
            return bad(u, "columns", err);
        u->name[(*at)++] = pz_json_string(c);
        ++*n;
    }
    return PZ_OK;
}

static int
take_columns(struct pz_update *u, struct pz_err *err)
{
    struct pz_column_choice *c = &u->columns;
    size_t at = 0;
    if (parse(u, "columns", &u->json[1], err) || !u->json[1])
        return err->status;
    const pz_json *include = pz_json_get(u->json[1], "include");
    const pz_json *exclude = pz_json_get(u->json[1], "exclude");
    size_t n = (pz_json_is_array(include) ? pz_json_count(include) : 0) +
               (pz_json_is_array(exclude) ? pz_json_count(exclude) : 0);
    if (pz_new(&u->name, n, sizeof *u->name, "columns", err) ||
        take_names_of(u, "include", &c->include, &c->n_include, &at, err))
        return err->status;
    return take_names_of(u, "exclude", &c->exclude, &c->n_exclude, &at, err);
}

static int
take_objective(struct pz_update *u, struct pz_err *err)
{
    const char *column = pz_tensors_meta(&u->before.file, "objective.column");
    const char *level = pz_tensors_meta(&u->before.file, "objective");
    struct pz_buf text = PZ_BUF_INIT;
    if (!level)
        return PZ_OK;
    pz_buf_addf(&text, "%s:%s", column ? column : "", level); // opening it looked at both
    if (pz_buf_status(&text, "the objective", err) == PZ_OK)
        pz_strndup(&u->objective, text.data, text.len, err);
    pz_buf_release(&text);
    return err->status;
}

/* .../SOLUTION/VERSION.safetensors */
static void
take_names(struct pz_update *u, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    const char *dir = slash ? slash : path;
    size_t n = strcspn(name, ".");
    while (dir > path && dir[-1] != '/')
        dir--;
    size_t n_dir = slash ? (size_t)(slash - dir) : 0;
    snprintf(u->version, sizeof u->version, "%.*s", (int)(n < 31 ? n : 31), name);
    snprintf(u->solution, sizeof u->solution, "%.*s", (int)(n_dir < 63 ? n_dir : 63),
             dir);
}

int
pz_update_open(struct pz_update *u, const char *path, struct pz_err *err)
{
    *u = (struct pz_update){.rule = NULL};
    if (pz_model_open(&u->before, path, err))
        return err->status;
    take_names(u, path);
    if (take_recipe(u, err) || take_params(u, err) || take_selection(u, err) ||
        take_columns(u, err) || take_objective(u, err)) {
        int status = err->status;
        pz_update_close(u);
        return status;
    }
    return PZ_OK;
}

void
pz_update_close(struct pz_update *u)
{
    free(u->rule);
    free(u->name);
    free(u->objective);
    pz_json_free(u->json[0]);
    pz_json_free(u->json[1]);
    pz_model_close(&u->before);
    *u = (struct pz_update){.rule = NULL};
}
