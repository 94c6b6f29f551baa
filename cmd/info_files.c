#include "cmd/info_files.h"

#include <string.h>

#include "cmd/opt.h"

char *
pz_info_dataset_path(const char *group, enum pz_set set)
{
    struct pz_err err = PZ_ERR_INIT;
    char *path;
    if (pz_dataset_path(&path, group, set, &err))
        pz_die_err(&err);
    return path;
}

void
pz_info_each_model(const char *group, pz_locate_fn fn, void *ctx)
{
    struct pz_err err = PZ_ERR_INIT;
    if (pz_locate_models(group, false, fn, ctx, &err))
        pz_die_err(&err);
}

const char *
pz_info_message(const struct pz_err *err, const char *path)
{
    size_t n = strlen(path);
    if (strncmp(err->msg, path, n) == 0 && strncmp(err->msg + n, ": ", 2) == 0)
        return err->msg + n + 2;
    return err->msg;
}
