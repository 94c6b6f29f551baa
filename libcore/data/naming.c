#include "data/naming.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "data/ids.h"

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

/* Names, without case: those of columns, and those that numbers went behind. */
struct used {
    struct pz_dict name; // in lower case
    struct use {
        bool is_taken;   // by a column
        unsigned number; // to try next behind it
    } * use;             // one a name
    size_t cap;
};

/* What is known of s[0..n); *use is valid until the next call. */
static int
find_use(struct used *u, const char *s, size_t n, struct use **use, struct pz_err *err)
{
    char lower[PZ_NAME_MAX];
    uint32_t index;
    size_t before = u->name.n;
    for (size_t i = 0; i < n; i++)
        lower[i] = (char)(s[i] >= 'A' && s[i] <= 'Z' ? s[i] - 'A' + 'a' : s[i]);
    int r = pz_dict_intern(&u->name, lower, n, &index, err);
    if (r == PZ_OK)
        r = pz_grow(&u->use, &u->cap, u->name.n, sizeof *u->use, "names", err);
    if (r)
        return r;
    if (index == before)
        u->use[index] = (struct use){.number = 2};
    *use = &u->use[index];
    return PZ_OK;
}

/* Makes name[0..*len) one that no column has, with a number behind it if need be. */
static int
take_name(struct used *u, char name[PZ_NAME_MAX], size_t *len, struct pz_err *err)
{
    enum { DIGITS = 12 }; // room for '_' and a number
    struct use *use;
    int r = find_use(u, name, *len, &use, err);
    size_t stem = *len < PZ_NAME_MAX - DIGITS ? *len : PZ_NAME_MAX - DIGITS;
    while (r == PZ_OK && use->is_taken) {
        r = find_use(u, name, stem, &use, err);
        if (r)
            break;
        char number[DIGITS];
        int n = snprintf(number, sizeof number, "_%u", use->number++);
        memcpy(name + stem, number, (size_t)n);
        *len = stem + (size_t)n;
        r = find_use(u, name, *len, &use, err);
    }
    if (r == PZ_OK)
        use->is_taken = true;
    return r;
}

int
pz_names_tidy(struct pz_cell *name, size_t n, struct pz_arena *text, struct pz_err *err)
{
    struct used used = {0};
    struct use *use;
    size_t number = 0; // of those that have a name
    int r = pz_dict_init(&used.name, err);
    for (size_t c = 0; c < n && r == PZ_OK; c++)
        if (is_right(&name[c])) {
            r = find_use(&used, name[c].s, name[c].n, &use, err);
            if (r == PZ_OK)
                use->is_taken = true;
        }
    for (size_t c = 0; c < n && r == PZ_OK; c++) {
        char tidy[PZ_NAME_MAX];
        number += name[c].n > 0;
        if (name[c].n == 0 || is_right(&name[c]))
            continue;
        size_t len = pz_name_tidy(tidy, name[c].s, name[c].n);
        if (len == 0)
            len = (size_t)snprintf(tidy, sizeof tidy, "column_%zu", number);
        r = take_name(&used, tidy, &len, err);
        if (r == PZ_OK)
            r = pz_arena_copy(text, &name[c].s, tidy, len, "a name", err);
        if (r == PZ_OK)
            name[c].n = (uint32_t)len;
    }
    pz_dict_release(&used.name);
    free(used.use);
    return r;
}
