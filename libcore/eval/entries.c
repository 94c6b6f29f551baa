#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "eval/compare.h"
#include "recipe/custom.h"

/* A preset's hyperparameters. What it learns from is said for all recipes of a run. */
static int
set_preset(struct pz_entry *e, const struct pz_preset *p, struct pz_err *err)
{
    if (p->n_events || p->has_threshold)
        return pz_err_set(err, PZ_USAGE,
                          "preset %s has events of its own, and recipes are compared on "
                          "the same: give its recipe, %s, and the events",
                          p->name, e->recipe->name);
    for (const char *const *a = p->param; a && *a; a++)
        if (pz_params_set(&e->params, *a, err))
            return pz_err_prefix(err, "preset %s: ", p->name);
    return PZ_OK;
}

static int
add_one(struct pz_entries *e, const char *text, size_t n, struct pz_err *err)
{
    struct pz_entry add = {.label = NULL};
    // An ARN has colons of its own, and its recipe behind the last slash.
    size_t arn = 0;
    for (size_t i = 0; n > 4 && memcmp(text, "arn:", 4) == 0 && i < n; i++)
        if (text[i] == '/')
            arn = i + 1;
    const char *colon = memchr(text + arn, ':', n - arn);
    size_t n_name = colon ? (size_t)(colon - text) : n;
    char *name;
    if (pz_strndup(&name, text, n_name, err))
        return err->status;
    const struct pz_preset *preset;
    int r = pz_recipe_need(name, &add.recipe, &preset, err);
    free(name);
    if (r)
        return r;
    pz_params_init(&add.params, add.recipe->params);
    if (preset && set_preset(&add, preset, err))
        return err->status;
    if (pz_grow(&e->entry, &e->cap, e->n + 1, sizeof *e->entry, "recipes", err) ||
        pz_strndup(&add.label, text + arn, n - arn, err))
        return err->status;
    e->entry[e->n++] = add;
    return PZ_OK;
}

int
pz_entries_add(struct pz_entries *e, const char *list, struct pz_err *err)
{
    for (const char *s = list;; s++) {
        size_t n = strcspn(s, ",");
        if (add_one(e, s, n, err))
            return err->status;
        s += n;
        if (!*s)
            return PZ_OK;
    }
}

int
pz_entries_set(struct pz_entries *e, const char *assignment, struct pz_err *err)
{
    char *name;
    bool found = false;
    int r = pz_strndup(&name, assignment, strcspn(assignment, "="), err);
    if (r)
        return r;
    for (size_t i = 0; i < e->n && r == PZ_OK; i++) {
        struct pz_entry *x = &e->entry[i];
        if (pz_param_find(x->recipe->params, name) < 0)
            continue;
        found = true;
        if ((r = pz_params_set(&x->params, assignment, err)) != PZ_OK)
            pz_err_prefix(err, "recipe %s: ", x->recipe->name);
    }
    if (r == PZ_OK && !found)
        r = pz_err_set(err, PZ_USAGE,
                       "no recipe here has a hyperparameter '%s'; pz-train "
                       "--list-recipes -r RECIPE prints them",
                       name);
    free(name);
    return r;
}

static int
resolve_one(struct pz_entry *e, struct pz_err *err)
{
    for (const char *s = strchr(e->label, ':'); s;) {
        const char *next = strchr(++s, ':');
        char *assignment;
        if (pz_strndup(&assignment, s, next ? (size_t)(next - s) : strlen(s), err))
            return err->status;
        int r = pz_params_set(&e->params, assignment, err);
        free(assignment);
        if (r)
            return pz_err_prefix(err, "recipe %s: ", e->recipe->name);
        s = next;
    }
    return PZ_OK;
}

int
pz_entries_resolve(struct pz_entries *e, struct pz_err *err)
{
    for (size_t i = 0; i < e->n; i++)
        if (resolve_one(&e->entry[i], err))
            return err->status;
    return PZ_OK;
}

int
pz_entries_label(struct pz_entries *e, const char *label, struct pz_err *err)
{
    struct pz_entry add = {.label = NULL};
    if (pz_grow(&e->entry, &e->cap, e->n + 1, sizeof *e->entry, "lists", err) ||
        pz_strndup(&add.label, label, strlen(label), err))
        return err->status;
    e->entry[e->n++] = add;
    return PZ_OK;
}

void
pz_entries_release(struct pz_entries *e)
{
    for (size_t i = 0; i < e->n; i++)
        free(e->entry[i].label);
    free(e->entry);
    *e = (struct pz_entries){0};
}
