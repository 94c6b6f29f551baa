#include "eval/groups.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/num.h"
#include "base/order.h"
#include "data/parts.h"
#include "recipe/events.h"

enum { NEW_USER = 5, MOST_VALUES = 20 };

void
pz_groups_release(struct pz_groups *g)
{
    for (size_t i = 0; i < g->n; i++)
        free(g->name[i]);
    free(g->name);
    free(g->offsets);
    free(g->code);
    *g = (struct pz_groups){.n = 0};
}

static int
add_name(struct pz_groups *g, const char *s, size_t n, struct pz_err *err)
{
    int r = pz_strndup(&g->name[g->n], s, n, err);
    g->n += r == PZ_OK;
    return r;
}

/* Room for n members, each in one group, and for n_names. */
static int
groups_room(struct pz_groups *g, size_t n, size_t n_codes, size_t n_names,
            struct pz_err *err)
{
    if (pz_new(&g->offsets, n + 1, sizeof *g->offsets, "segments", err) ||
        pz_new(&g->code, n_codes, sizeof *g->code, "segments", err) ||
        pz_new(&g->name, n_names, sizeof *g->name, "segments", err))
        return err->status;
    return PZ_OK;
}

/* ---- by history ---- */

static int
by_history(struct pz_groups *g, const struct pz_compared *o, size_t draw,
           struct pz_err *err)
{
    const struct pz_split *s = &o->split[draw];
    double *len;
    size_t n = 0;
    g->of = PZ_GROUP_CASES;
    if (groups_room(g, s->n_cases, s->n_cases, 3, err))
        return err->status;
    int r = pz_new(&len, o->n_cases, sizeof *len, "segments", err);
    if (r)
        return r;
    for (size_t d = 0; d < o->n_draws; d++) // the median of all draws, the same in each
        for (uint32_t c = 0; c < o->split[d].n_cases; c++)
            if (o->split[d].cases[c].n_given > NEW_USER)
                len[n++] = o->split[d].cases[c].n_given;
    qsort(len, n, sizeof *len, pz_order_f64);
    uint32_t median = n ? (uint32_t)len[n / 2] : NEW_USER + 1;
    free(len);
    char text[3][64];
    snprintf(text[0], sizeof text[0], "new (0-%d events)", NEW_USER);
    snprintf(text[1], sizeof text[1], "light (%d-%" PRIu32 ")", NEW_USER + 1, median - 1);
    snprintf(text[2], sizeof text[2], "heavy (%" PRIu32 "-)", median);
    for (int i = 0; r == PZ_OK && i < 3; i++)
        r = add_name(g, text[i], strlen(text[i]), err);
    for (uint32_t c = 0; c < s->n_cases; c++) {
        uint32_t given = s->cases[c].n_given;
        g->code[c] = given <= NEW_USER ? 0 : given < median ? 1 : 2;
        g->offsets[c + 1] = c + 1;
    }
    return r;
}

/* ---- by popularity ---- */

static int
by_popularity(struct pz_groups *g, const struct pz_compared *o, size_t draw,
              struct pz_err *err)
{
    static const char *const name[] = {"head", "mid", "tail"};
    const struct pz_events *t = &o->split[draw].train;
    struct pz_counted *count;
    uint64_t sum = 0;
    g->of = PZ_GROUP_ITEMS;
    if (groups_room(g, t->n_items, t->n_items, 3, err))
        return err->status;
    int r = pz_events_by_count(&count, t, err);
    if (r)
        return r;
    for (uint32_t i = 0; i < t->n_items; i++) {
        g->offsets[i + 1] = i + 1;
        g->code[count[i].id] = 3 * sum < t->n ? 0 : 3 * sum < 2 * t->n ? 1 : 2;
        sum += count[i].n;
    }
    free(count);
    for (int i = 0; r == PZ_OK && i < 3; i++)
        r = add_name(g, name[i], strlen(name[i]), err);
    return r;
}

/* ---- by a column ---- */

struct source {
    const struct pz_column *column;
    const uint32_t *row; // of each member; NULL: the same
    uint64_t n;          // members
};

static uint64_t
row_of(const struct source *s, uint64_t member)
{
    return s->row ? s->row[member] : member;
}

static bool
missing(const struct source *s, uint64_t member)
{
    uint64_t row = row_of(s, member);
    return row == PZ_NO_ID || (s->column->valid && !s->column->valid[row]);
}

/* Counts the members of each value; the most frequent ones get names and numbers. */
static int
name_values(struct pz_groups *g, const struct source *s, struct pz_dict *dict,
            uint32_t **number, struct pz_err *err)
{
    struct pz_counted *count = NULL;
    size_t cap = 0, n_old = 0;
    int r = PZ_OK;
    for (uint64_t m = 0; m < s->n && r == PZ_OK; m++) {
        size_t n = 0;
        const char *text =
            missing(s, m) ? NULL : pz_column_text(s->column, row_of(s, m), &n);
        if (!text)
            continue;
        for (struct pz_parts parts = pz_parts_of(text, n);
             pz_parts_next(&parts, &text, &n);) {
            uint32_t i;
            if ((r = pz_dict_intern(dict, text, n, &i, err)) ||
                (r = pz_grow(&count, &cap, dict->n, sizeof *count, "segments", err)))
                break;
            for (; n_old < dict->n; n_old++)
                count[n_old] = (struct pz_counted){0, (uint32_t)n_old};
            count[i].n++;
        }
    }
    if (r == PZ_OK)
        r = pz_new(number, dict->n, sizeof **number, "segments", err);
    if (r == PZ_OK && dict->n)
        qsort(count, dict->n, sizeof *count, pz_order_most_first);
    for (size_t i = 0; r == PZ_OK && i < dict->n; i++) {
        size_t n;
        const char *text = pz_dict_get(dict, count[i].id, &n);
        (*number)[count[i].id] = i < MOST_VALUES ? (uint32_t)i : PZ_NO_ID;
        if (i < MOST_VALUES)
            r = add_name(g, text, n, err);
    }
    free(count);
    return r;
}

static int
by_values(struct pz_groups *g, const struct source *s, struct pz_err *err)
{
    struct pz_dict dict;
    uint32_t *number = NULL;
    size_t cap = 0, n_codes = 0;
    int r = groups_room(g, s->n, 0, MOST_VALUES, err);
    if (r || (r = pz_dict_init(&dict, err)))
        return r;
    r = name_values(g, s, &dict, &number, err);
    for (uint64_t m = 0; m < s->n && r == PZ_OK; m++) {
        size_t n = 0;
        const char *text =
            missing(s, m) ? NULL : pz_column_text(s->column, row_of(s, m), &n);
        struct pz_parts parts = pz_parts_of(text, text ? n : 0);
        while (pz_parts_next(&parts, &text, &n)) {
            uint32_t i = pz_dict_find(&dict, text, n);
            if (i == PZ_NO_ID || number[i] == PZ_NO_ID)
                continue;
            if ((r = pz_grow(&g->code, &cap, n_codes + 1, sizeof *g->code, "segments",
                             err)))
                break;
            g->code[n_codes++] = number[i];
        }
        g->offsets[m + 1] = n_codes;
    }
    pz_dict_release(&dict);
    free(number);
    return r;
}

static int
by_ranges(struct pz_groups *g, const struct source *s, struct pz_err *err)
{
    double *value, x;
    size_t n = 0;
    if (groups_room(g, s->n, s->n, 3, err))
        return err->status;
    int r = pz_new(&value, s->n, sizeof *value, "segments", err);
    if (r)
        return r;
    for (uint64_t m = 0; m < s->n; m++)
        if (!missing(s, m) && pz_column_f64(s->column, row_of(s, m), &x))
            value[n++] = x;
    qsort(value, n, sizeof *value, pz_order_f64);
    double edge[2] = {n ? value[n / 3] : 0, n ? value[2 * n / 3] : 0};
    for (size_t i = 0, from = 0; i < 3 && r == PZ_OK; i++) {
        char low[PZ_NUM_TEXT], high[PZ_NUM_TEXT], text[2 * PZ_NUM_TEXT + 8];
        size_t to = from;
        while (to < n && (i == 2 || value[to] < edge[i]))
            to++;
        pz_format_f64(low, from < to ? value[from] : 0);
        pz_format_f64(high, from < to ? value[to - 1] : 0);
        snprintf(text, sizeof text, from < to ? "%s to %s" : "-", low, high);
        r = add_name(g, text, strlen(text), err);
        from = to;
    }
    free(value);
    uint64_t n_codes = 0;
    for (uint64_t m = 0; m < s->n; m++) {
        if (!missing(s, m) && pz_column_f64(s->column, row_of(s, m), &x))
            g->code[n_codes++] = x < edge[0] ? 0 : x < edge[1] ? 1 : 2;
        g->offsets[m + 1] = n_codes;
    }
    return r;
}

static int
no_column(const char *by, const struct pz_world *w, struct pz_err *err)
{
    const struct pz_dataset *set[] = {w->users, w->items};
    struct pz_buf list = PZ_BUF_INIT;
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; set[k] && i < set[k]->n_columns; i++)
            pz_buf_addf(&list, ", %s", set[k]->column[i].name);
    if (pz_buf_status(&list, "a message", err) == PZ_OK)
        pz_err_set(err, PZ_USAGE,
                   "no column '%s' of users or items: there are history, popularity%s",
                   by, list.len ? list.data : "");
    pz_buf_release(&list);
    return err->status;
}

static int
by_column(struct pz_groups *g, const char *by, const struct pz_world *w,
          struct pz_err *err)
{
    struct source s = {.column = w->users ? pz_dataset_column(w->users, by) : NULL,
                       .row = w->user_row,
                       .n = w->user.n};
    g->of = PZ_GROUP_USERS;
    if (!s.column) {
        g->of = PZ_GROUP_ITEMS;
        s = (struct source){.column = w->items ? pz_dataset_column(w->items, by) : NULL,
                            .row = w->item_row,
                            .n = w->item.n};
    }
    if (!s.column)
        return no_column(by, w, err);
    return s.column->dict.offsets ? by_values(g, &s, err) : by_ranges(g, &s, err);
}

int
pz_groups_make(struct pz_groups *g, const char *by, const struct pz_compared *o,
               size_t draw, const struct pz_world *w, struct pz_err *err)
{
    *g = (struct pz_groups){.n = 0};
    int r = strcasecmp(by, "history") == 0      ? by_history(g, o, draw, err)
            : strcasecmp(by, "popularity") == 0 ? by_popularity(g, o, draw, err)
                                                : by_column(g, by, w, err);
    if (r)
        pz_groups_release(g);
    return r;
}
