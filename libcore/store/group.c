#include "store/group.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

int
pz_group_need(const char *group, struct pz_err *err)
{
    struct stat st;
    if (stat(group, &st) == 0)
        return S_ISDIR(st.st_mode)
                   ? PZ_OK
                   : pz_err_set(err, PZ_USAGE, "'%s' is no group: it is not a directory",
                                group);
    if (errno != ENOENT && errno != ENOTDIR)
        return pz_err_set(err, PZ_SYSTEM, "cannot open group '%s': %s", group,
                          strerror(errno));
    return pz_err_set(err, PZ_USAGE,
                      "there is no group '%s'; pz-import -g %s -t interactions makes it",
                      group, *group ? group : "DIR");
}
