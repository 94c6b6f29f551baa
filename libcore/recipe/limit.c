#include "recipe/limit.h"

#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"

enum { N_DATASETS = 3 };

/* A dataset, and what was said of each of its columns. */
struct chosen {
    const struct pz_dataset *whole; // NULL: the group has none
    bool *included, *excluded;
    bool some; // columns of it are included
};

/* What stands behind the dataset's name and a dot, or the name alone; NULL: that is
 * another dataset's. */
static const char *
column_part(const struct pz_dataset *d, const char *name)
{
    const char *dot = strchr(name, '.');
    struct pz_err ignored = PZ_ERR_INIT;
    enum pz_set set;
    char *word;
    if (!dot)
        return name;
    if (pz_strndup(&word, name, (size_t)(dot - name), &ignored))
        return NULL;
    bool same = pz_set_parse(&set, word, &ignored) == PZ_OK && set == d->schema.set;
    free(word);
    return same ? dot + 1 : NULL;
}

static int
no_column(const struct chosen *set, const char *option, const char *name,
          struct pz_err *err)
{
    struct pz_buf list = PZ_BUF_INIT;
    for (size_t s = 0; s < N_DATASETS; s++)
        for (size_t i = 0; set[s].whole && i < set[s].whole->n_columns; i++)
            pz_buf_addf(&list, "%s%s.%s", list.len ? ", " : "",
                        pz_set_name(set[s].whole->schema.set),
                        set[s].whole->column[i].name);
    if (pz_buf_status(&list, "a message", err) == PZ_OK)
        pz_err_set(err, PZ_USAGE, "--%s %s: there is no such column; there are %s",
                   option, name, list.data);
    pz_buf_release(&list);
    return err->status;
}

static bool
is_needed(const struct pz_field *f)
{
    return f->role == PZ_ROLE_TIMESTAMP || f->role == PZ_ROLE_EVENT_TYPE;
}

static int
choose(struct chosen *set, bool include, const char *name, struct pz_err *err)
{
    static const char *const options[] = {"exclude", "include"};
    const char *option = options[include];
    struct chosen *of = NULL;
    size_t at = 0;
    for (size_t s = 0; s < N_DATASETS; s++) {
        const struct pz_dataset *d = set[s].whole;
        const char *column = d ? column_part(d, name) : NULL;
        const struct pz_column *c = column ? pz_dataset_column(d, column) : NULL;
        if (c && of)
            return pz_err_set(err, PZ_USAGE,
                              "--%s %s: several datasets have this column; name one of "
                              "them, as in %s.%s",
                              option, name, pz_set_name(d->schema.set), name);
        if (!c)
            continue;
        of = &set[s];
        at = (size_t)(c - d->column);
    }
    if (!of)
        return no_column(set, option, name, err);
    if (!include && is_needed(of->whole->column[at].field))
        return pz_err_set(err, PZ_USAGE,
                          "--exclude %s: nothing can be learned without it", name);
    if (include)
        of->included[at] = of->some = true;
    else
        of->excluded[at] = true;
    return PZ_OK;
}

/* Columns with a reserved name are not what an inclusion of others is about. */
static bool
is_used(const struct chosen *c, size_t i)
{
    return !c->excluded[i] && (!c->some || c->included[i] ||
                               c->whole->column[i].field->role != PZ_ROLE_NONE);
}

static int
make_view(struct pz_dataset *view, const struct chosen *c, struct pz_err *err)
{
    *view = *c->whole;
    view->n_columns = 0;
    if (pz_new(&view->column, c->whole->n_columns, sizeof *view->column, "columns", err))
        return err->status;
    for (size_t i = 0; i < c->whole->n_columns; i++)
        if (is_used(c, i))
            view->column[view->n_columns++] = c->whole->column[i];
    return PZ_OK;
}

static int
choose_all(struct chosen *set, const struct pz_column_choice *c, struct pz_err *err)
{
    for (size_t i = 0; i < c->n_include; i++)
        if (choose(set, true, c->include[i], err))
            return err->status;
    for (size_t i = 0; i < c->n_exclude; i++)
        if (choose(set, false, c->exclude[i], err))
            return err->status;
    return PZ_OK;
}

int
pz_world_limit(struct pz_limited *l, const struct pz_world *w,
               const struct pz_column_choice *c, struct pz_err *err)
{
    struct chosen set[N_DATASETS] = {
        {.whole = w->interactions}, {.whole = w->items}, {.whole = w->users}};
    struct pz_dataset *view[N_DATASETS] = {&l->interactions, &l->items, &l->users};
    const struct pz_dataset **seen[N_DATASETS] = {&l->world.interactions, &l->world.items,
                                                  &l->world.users};
    *l = (struct pz_limited){.world = *w};
    if (!c->n_include && !c->n_exclude)
        return PZ_OK;
    for (size_t s = 0; s < N_DATASETS; s++)
        if (set[s].whole &&
            (pz_new(&set[s].included, set[s].whole->n_columns, 1, "columns", err) ||
             pz_new(&set[s].excluded, set[s].whole->n_columns, 1, "columns", err)))
            goto done;
    if (choose_all(set, c, err))
        goto done;
    for (size_t s = 0; s < N_DATASETS; s++) {
        if (!set[s].whole)
            continue;
        if (make_view(view[s], &set[s], err))
            goto done;
        *seen[s] = view[s];
    }
done:
    for (size_t s = 0; s < N_DATASETS; s++) {
        free(set[s].included);
        free(set[s].excluded);
    }
    if (err->status)
        pz_limited_release(l);
    return err->status;
}

void
pz_limited_release(struct pz_limited *l)
{
    free(l->interactions.column);
    free(l->items.column);
    free(l->users.column);
    *l = (struct pz_limited){.world = {.interactions = NULL}};
}

static void
add_names(struct pz_buf *out, const char *key, const char *const *name, size_t n)
{
    pz_buf_addf(out, "\"%s\":[", key);
    for (size_t i = 0; i < n; i++) {
        if (i)
            pz_buf_addc(out, ',');
        pz_json_add_string(out, name[i], strlen(name[i]));
    }
    pz_buf_addc(out, ']');
}

void
pz_column_choice_json(const struct pz_column_choice *c, struct pz_buf *out)
{
    pz_buf_addc(out, '{');
    add_names(out, "include", c->include, c->n_include);
    pz_buf_addc(out, ',');
    add_names(out, "exclude", c->exclude, c->n_exclude);
    pz_buf_addc(out, '}');
}
