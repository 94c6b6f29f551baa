#include "filter/group.h"
#include "store/group.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>

int
pz_filter_group_open(struct pz_filter_group *g, const char *group, struct pz_err *err)
{
    struct stat st;
    *g = (struct pz_filter_group){0};
    if (pz_group_need(group, err))
        return err->status;
    for (int set = 0; set < PZ_N_SETS && !err->status; set++) {
        char *path = NULL;
        if (pz_dataset_path(&path, group, (enum pz_set)set, err))
            break;
        if (!stat(path, &st)) {
            if (!pz_dataset_open(&g->set[set], path, err))
                g->data.set[set] = &g->set[set];
        } else if (errno != ENOENT) {
            pz_err_sys(err, "cannot open '%s'", path);
        }
        free(path);
    }
    if (err->status)
        pz_filter_group_close(g);
    return err->status;
}

void
pz_filter_group_close(struct pz_filter_group *g)
{
    for (int set = 0; set < PZ_N_SETS; set++)
        if (g->data.set[set])
            pz_dataset_close(&g->set[set]);
    *g = (struct pz_filter_group){0};
}

const struct pz_ids *
pz_filter_candidates(const struct pz_filter *f, const struct pz_filter_data *data)
{
    static const enum pz_set sets[][2] = {
        [PZ_SUBJECT_ITEM] = {PZ_ITEMS, PZ_INTERACTIONS},
        [PZ_SUBJECT_USER] = {PZ_USERS, PZ_INTERACTIONS},
        [PZ_SUBJECT_ACTION] = {PZ_ACTIONS, PZ_ACTION_INTERACTIONS},
    };
    enum pz_subject s = pz_filter_subject(f);
    for (int i = 0; i < 2; i++) {
        const struct pz_dataset *d = data->set[sets[s][i]];
        if (d)
            return s == PZ_SUBJECT_USER ? &d->user : &d->item;
    }
    return NULL;
}
