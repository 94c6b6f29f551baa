#include "serve/desk.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

struct pz_desk_scope {
    struct pz_scope_key key;
    struct pz_scope scope;
    struct pz_scope_run *run;
    struct pz_desk_scope *next;
};

static void
scope_free(struct pz_desk_scope *s)
{
    pz_scope_run_free(s->run);
    free(s);
}

static void
desk_free(struct pz_desk *d)
{
    while (d->scope) {
        struct pz_desk_scope *s = d->scope;
        d->scope = s->next;
        scope_free(s);
    }
    pz_session_free(d->session);
    pz_live_free(d->live);
    pz_live_free(d->bare);
    pz_deploy_free(d->deploy);
    free(d);
}

int
pz_desk_get(struct pz_desk **out, struct pz_desk **desks, struct pz_deploy *deploy,
            struct pz_err *err)
{
    struct pz_desk *d;
    *out = NULL;
    for (d = *desks; d && d->deploy != deploy; d = d->next)
        ;
    if (!d) {
        if (pz_new(&d, 1, sizeof *d, "a session", err))
            return err->status;
        d->deploy = deploy;
        pz_deploy_keep(deploy);
        if (pz_session_new(&d->session, &deploy->model, err)) {
            desk_free(d);
            return err->status;
        }
        d->next = *desks;
        *desks = d;
    }
    *out = d;
    return PZ_OK;
}

static bool
same_key(const struct pz_scope_key *a, const struct pz_scope_key *b)
{
    return a->filter == b->filter && a->promotion == b->promotion &&
           (!a->promotion || a->percent == b->percent) && a->n_columns == b->n_columns &&
           memcmp(a->column, b->column, a->n_columns * sizeof *a->column) == 0;
}

static const struct pz_schema *
schema_of(const struct pz_deploy *d, enum pz_set set)
{
    return d->sets->g.data.set[set] ? &d->sets->g.data.set[set]->schema : NULL;
}

/* The view that a scope with this key wants. */
static int
get_live(struct pz_desk *d, const struct pz_scope_key *key, struct pz_live **live,
         struct pz_err *err)
{
    bool bare = !key->filter && !key->promotion && !key->n_columns;
    struct pz_live **slot = bare ? &d->bare : &d->live;
    struct pz_live_options o = {.group = d->deploy->group, .model = &d->deploy->model};
    if (!bare) {
        o.events = schema_of(d->deploy, pz_model_event_set(&d->deploy->model));
        o.items = schema_of(d->deploy, pz_model_answer_set(&d->deploy->model));
        o.users = schema_of(d->deploy, PZ_USERS);
    }
    if (!*slot && pz_live_new(slot, &o, err))
        return err->status;
    *live = *slot;
    return PZ_OK;
}

static int
new_scope(struct pz_desk *d, const struct pz_scope_key *key, uint64_t seed,
          struct pz_err *err)
{
    struct pz_desk_scope *s;
    struct pz_live *live = NULL;
    if (get_live(d, key, &live, err) || pz_new(&s, 1, sizeof *s, "a session", err))
        return err->status;
    s->key = *key;
    s->scope = (struct pz_scope){.model = &d->deploy->model,
                                 .group = d->deploy->group,
                                 .data = &d->deploy->sets->g.data,
                                 .filter = key->filter,
                                 .promotion = key->promotion,
                                 .percent = key->percent,
                                 .seed = seed,
                                 .column = s->key.column,
                                 .n_columns = key->n_columns};
    if (pz_scope_run_over(&s->run, &s->scope, live, err)) {
        free(s);
        return err->status;
    }
    s->next = d->scope;
    d->scope = s;
    d->n_scopes++;
    return PZ_OK;
}

int
pz_desk_scope(struct pz_desk *d, const struct pz_scope_key *key, uint64_t seed,
              struct pz_scope_run **run, struct pz_err *err)
{
    struct pz_desk_scope **at = &d->scope;
    while (*at && !same_key(&(*at)->key, key))
        at = &(*at)->next;
    struct pz_desk_scope *s = *at;
    if (s) { // to the front
        *at = s->next;
        s->next = d->scope;
        d->scope = s;
    } else {
        if (new_scope(d, key, seed, err))
            return err->status;
        if (d->n_scopes > PZ_DESK_SCOPES) {
            for (at = &d->scope; (*at)->next; at = &(*at)->next)
                ;
            scope_free(*at);
            *at = NULL;
            d->n_scopes--;
        }
    }
    *run = d->scope->run;
    return PZ_OK;
}

void
pz_desks_sweep(struct pz_desk **desks, const struct pz_site *w)
{
    for (struct pz_desk **at = desks; *at;) {
        struct pz_desk *d = *at;
        d->used = false;
        for (size_t i = 0; i < w->n_groups && !d->used; i++)
            for (size_t k = 0; k < w->group[i]->n_campaigns && !d->used; k++)
                d->used = w->group[i]->campaign[k].deploy == d->deploy;
        if (d->used) {
            at = &d->next;
        } else {
            *at = d->next;
            desk_free(d);
        }
    }
}

void
pz_desks_free(struct pz_desk **desks)
{
    while (*desks) {
        struct pz_desk *d = *desks;
        *desks = d->next;
        desk_free(d);
    }
}
