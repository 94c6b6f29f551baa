#include "cmd/filters.h"

#include <string.h>

#include "base/mem.h"
#include "store/catalog_filter.h"

int
pz_filter_text(char **text, const char *arg, struct pz_err *err)
{
    struct pz_catalog *c;
    if (!pz_filter_name_valid(arg))
        return pz_strndup(text, arg, strlen(arg), err);
    if (pz_catalog_open(&c, pz_need_group(), PZ_CATALOG_READ, err))
        return err->status;
    pz_catalog_find_filter(c, arg, text, err);
    pz_catalog_close(c);
    return err->status;
}

int
pz_filter_values(struct pz_filter_value **out, const struct pz_opt_list *list,
                 struct pz_err *err)
{
    if (pz_new(out, list->n, sizeof **out, "filter values", err))
        return err->status;
    for (size_t i = 0; i < list->n; i++) {
        const char *s = list->item[i], *eq = strchr(s, '=');
        if (s[0] == '$')
            s++;
        if (!eq || eq == s)
            return pz_err_set(err, PZ_USAGE, "-V wants NAME=VALUE, not '%s'",
                              list->item[i]);
        (*out)[i] = (struct pz_filter_value){s, (size_t)(eq - s), eq + 1, strlen(eq + 1)};
    }
    return PZ_OK;
}
