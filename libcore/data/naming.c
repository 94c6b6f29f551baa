#include "data/naming.h"

#include <stdbool.h>
#include <stdio.h>

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
can_stand(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || is_digit(c) || c == '_';
}

size_t
pz_name_tidy(char out[PZ_NAME_MAX], const char *s, size_t n)
{
    size_t len = 0;
    bool any = false;
    for (size_t i = 0; i < n && len < PZ_NAME_MAX; i++) {
        if (len == 0 && is_digit(s[i]))
            out[len++] = '_';
        if (can_stand(s[i])) {
            any |= s[i] != '_';
            out[len++] = s[i];
        } else if (i == 0 || can_stand(s[i - 1])) {
            out[len++] = '_';
        }
    }
    if (n && !can_stand(s[n - 1]))
        while (len && out[len - 1] == '_')
            len--;
    return any ? len : 0;
}

static bool
is_right(const struct pz_cell *name)
{
    bool right = name->n <= PZ_NAME_MAX && name->n && !is_digit(name->s[0]);
    for (size_t i = 0; i < name->n && right; i++)
        right = can_stand(name->s[i]);
    return right;
}

/* Has a column other than c this name? Those behind c count when they keep theirs. */
static bool
is_taken(const struct pz_cell *name, size_t n, size_t c, const char *s, size_t len)
{
    for (size_t k = 0; k < n; k++)
        if (k != c && name[k].n == len && strncasecmp(name[k].s, s, len) == 0)
            return true;
    return false;
}

int
pz_names_tidy(struct pz_cell *name, size_t n, struct pz_arena *text, struct pz_err *err)
{
    size_t number = 0; // of those that have a name
    for (size_t c = 0; c < n; c++) {
        char tidy[PZ_NAME_MAX], with[PZ_NAME_MAX + 24];
        number += name[c].n > 0;
        if (name[c].n == 0 || is_right(&name[c]))
            continue;
        int len = (int)pz_name_tidy(tidy, name[c].s, name[c].n);
        if (len == 0)
            len = snprintf(tidy, sizeof tidy, "column_%zu", number);
        int all = snprintf(with, sizeof with, "%.*s", len, tidy);
        for (unsigned k = 2; is_taken(name, n, c, with, (size_t)all); k++) {
            len = len < PZ_NAME_MAX - 12 ? len : PZ_NAME_MAX - 12;
            all = snprintf(with, sizeof with, "%.*s_%u", len, tidy, k);
        }
        int r = pz_arena_copy(text, &name[c].s, with, (size_t)all, "a name", err);
        if (r)
            return r;
        name[c].n = (uint32_t)all;
    }
    return PZ_OK;
}
