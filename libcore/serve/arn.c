#include "serve/arn.h"

#include <string.h>

bool
pz_arn_parse(struct pz_arn *out, const char *text)
{
    const char *part[6];
    const char *p = text;
    for (int i = 0; i < 6; i++) {
        part[i] = p;
        if (i < 5) {
            p = strchr(p, ':');
            if (!p)
                return false;
            p++;
        }
    }
    if (strncmp(part[0], "arn:", 4) || strncmp(part[2], "personalize:", 12))
        return false;
    const char *slash = strchr(part[5], '/');
    if (!slash || slash == part[5] || !slash[1])
        return false;
    *out =
        (struct pz_arn){part[5], (size_t)(slash - part[5]), slash + 1, strlen(slash + 1)};
    return true;
}

bool
pz_arn_is(const struct pz_arn *arn, const char *kind)
{
    return strlen(kind) == arn->n_kind && memcmp(kind, arn->kind, arn->n_kind) == 0;
}

void
pz_arn_add(struct pz_buf *out, const struct pz_arn_home *home, const char *kind,
           const char *name)
{
    bool ours = strcmp(kind, "recipe") && strcmp(kind, "algorithm") &&
                strcmp(kind, "feature-transformation");
    pz_buf_addf(out, "arn:aws:personalize:%s:%s:%s/%s", ours ? home->region : "",
                ours ? home->account : "", kind, name);
}
