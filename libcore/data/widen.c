#include "data/widen.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"

void
pz_widening_init(struct pz_widening *w, const struct pz_import *p)
{
    struct stat st;
    *w = (struct pz_widening){.possible =
                                  !p->feed && p->n_paths > 0 && p->max_rejects == 0};
    for (size_t k = 0; k < p->n_paths && w->possible; k++)
        w->possible = stat(p->path[k], &st) == 0 && S_ISREG(st.st_mode);
}

void
pz_widening_release(struct pz_widening *w)
{
    free(w->type);
}

void
pz_widening_apply(const struct pz_widening *w, struct pz_schema *schema)
{
    for (size_t f = 0; f < w->n && f < schema->n_fields; f++)
        if (w->type[f])
            schema->field[f].type = (enum pz_type)(w->type[f] - 1);
}

void
pz_widening_note(struct pz_widening *w, const struct pz_cell *cell, size_t field,
                 enum pz_type type)
{
    int64_t whole;
    double real;
    if (w->alone && !w->found) {
        w->field = field;
        w->to = type == PZ_LONG && cell->kind != PZ_CELL_ABSENT && cell->n &&
                        pz_parse_i64(cell->s, cell->n, &whole) != PZ_NUM_RANGE &&
                        pz_parse_f64(cell->s, cell->n, &real) == PZ_NUM_OK
                    ? PZ_DOUBLE
                    : PZ_STRING;
    }
    __atomic_store_n(&w->found, true, __ATOMIC_RELAXED);
}

/* The column's wider type, for the next attempt; *err says why, and is settled. */
static int
take(struct pz_widening *w, struct pz_err *err)
{
    pz_log(PZ_LOG_NOTE, "%s: the column is taken for %s", err->msg,
           w->to == PZ_DOUBLE ? "reals" : "strings");
    *err = (struct pz_err)PZ_ERR_INIT;
    if (w->field >= w->n) {
        uint8_t *type;
        if (pz_new(&type, w->field + 1, 1, "a schema", err))
            return err->status;
        if (w->n)
            memcpy(type, w->type, w->n);
        free(w->type);
        w->type = type;
        w->n = w->field + 1;
    }
    w->type[w->field] = (uint8_t)(w->to + 1);
    return PZ_OK;
}

bool
pz_widening_again(struct pz_widening *w, struct pz_err *err)
{
    if (err->status != PZ_DATA || !w->found || !w->possible)
        return false;
    if (w->alone && take(w, err))
        return false;
    *err = (struct pz_err)PZ_ERR_INIT;
    w->alone = !w->alone;
    w->found = false;
    return true;
}
