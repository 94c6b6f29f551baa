/*
 * arn: names of things as AWS writes them, arn:aws:personalize:REGION:ACCOUNT:KIND/NAME.
 * Region and account of a given ARN are not looked at: there is one account here.
 */
#ifndef PZ_SERVE_ARN_H
#define PZ_SERVE_ARN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct pz_arn {
    const char *kind; // "campaign"; views into the text
    size_t n_kind;
    const char *name; // what stands behind the first '/', "shop/ITEMS" too
    size_t n_name;
};

/* False: it is no ARN of Personalize, or has no KIND/NAME. */
bool pz_arn_parse(struct pz_arn *out, const char *text);
bool pz_arn_is(const struct pz_arn *arn, const char *kind);

struct pz_arn_home {
    const char *region, *account; // of the ARNs that are made here
};
/* Appends an ARN without quotes; recipes, algorithms and the like have neither region nor
 * account. */
void pz_arn_add(struct pz_buf *out, const struct pz_arn_home *home, const char *kind,
                const char *name);

#endif
