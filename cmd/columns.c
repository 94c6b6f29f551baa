#include "cmd/columns.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"

struct pz_naming
pz_columns_naming(const struct pz_opt_list *list)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_naming_pair *pair;
    if (pz_new(&pair, list->n, sizeof *pair, "columns", &err))
        pz_die_err(&err);
    struct pz_naming w = {.pair = pair};
    for (size_t k = 0; k < list->n; k++) {
        const char *text = list->item[k], *eq = strchr(text, '=');
        if (!eq || eq == text || !eq[1])
            pz_die(PZ_USAGE, "--column '%s' is not of the form NAME=HEADER", text);
        char *name;
        if (pz_strndup(&name, text, (size_t)(eq - text), &err))
            pz_die_err(&err);
        for (size_t i = 0; i < k; i++)
            if (!strcasecmp(pair[i].name, name) || !strcasecmp(pair[i].input, eq + 1))
                pz_die(PZ_USAGE, "--column '%s' contradicts --column '%s'", text,
                       list->item[i]);
        pair[w.n++] = (struct pz_naming_pair){eq + 1, name};
    }
    return w;
}

void
pz_columns_release(struct pz_naming *w)
{
    for (size_t k = 0; k < w->n; k++)
        free((void *)(uintptr_t)w->pair[k].name);
    free((void *)(uintptr_t)w->pair);
}
