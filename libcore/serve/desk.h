/*
 * desk: what one thread needs to answer from a deployment: a session of the model, a view
 * of what was put since, and a scope for each combination of filters and columns that was
 * asked for lately. Desks are kept from request to request; those of deployments that are
 * gone are cleared away.
 */
#ifndef PZ_SERVE_DESK_H
#define PZ_SERVE_DESK_H

#include "infer/infer.h"
#include "infer/scope.h"
#include "serve/site.h"

enum {
    PZ_COLUMNS = 16,     // shown with an item, at most
    PZ_DESK_SCOPES = 32, // that a desk keeps
};

/* What tells scopes apart. */
struct pz_scope_key {
    const struct pz_gate *filter, *promotion; // NULL: none
    double percent;
    const struct pz_field *column[PZ_COLUMNS];
    size_t n_columns;
};

struct pz_desk {
    struct pz_deploy *deploy;
    struct pz_session *session;
    struct pz_desk_scope *scope; // the latest first
    size_t n_scopes;
    struct pz_live *live, *bare; // with the fields of events, items, users, and without
    struct pz_desk *next;
    bool used; // by the site of this thread
};

/* The desk of a deployment among *desks; makes one if there is none. */
int pz_desk_get(struct pz_desk **out, struct pz_desk **desks, struct pz_deploy *d,
                struct pz_err *err);
/* The run of the scope with that key; valid until PZ_DESK_SCOPES others were asked for.
 * The runs of a desk share two views: beginning one lets go of what all handed out. */
int pz_desk_scope(struct pz_desk *desk, const struct pz_scope_key *key, uint64_t seed,
                  struct pz_scope_run **run, struct pz_err *err);
/* Clears away the desks whose deployments no campaign of the site has. */
void pz_desks_sweep(struct pz_desk **desks, const struct pz_site *w);
void pz_desks_free(struct pz_desk **desks);

#endif
