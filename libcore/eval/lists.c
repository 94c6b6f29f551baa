#include "eval/lists.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "eval/pairs.h"

/* ---- the truth, as a split without training ---- */

struct reading {
    struct pz_lists *names;
    struct pz_pair *pair; // of the truth
    size_t n, cap;
};

static int
take_truth(void *ctx, const struct pz_cell *cell, size_t n, struct pz_err *err)
{
    struct reading *t = ctx;
    struct pz_pair p;
    (void)n;
    if (pz_dict_intern(&t->names->user, cell[0].s, cell[0].n, &p.user, err) ||
        pz_dict_intern(&t->names->item, cell[1].s, cell[1].n, &p.item, err) ||
        pz_grow(&t->pair, &t->cap, t->n + 1, sizeof p, "the truth", err))
        return err->status;
    t->pair[t->n++] = p;
    return PZ_OK;
}

/* User u is case u. */
static int
make_split(struct pz_split *s, struct reading *t, struct pz_err *err)
{
    s->n_cases = (uint32_t)t->names->user.n;
    if (pz_new(&s->cases, s->n_cases, sizeof *s->cases, "users", err) ||
        pz_new(&s->truth, t->n, sizeof *s->truth, "the truth", err))
        return err->status;
    if (t->n)
        qsort(t->pair, t->n, sizeof *t->pair, pz_pair_order);
    for (size_t i = 0; i < t->n; i++) {
        if (i > 0 && pz_pair_order(&t->pair[i - 1], &t->pair[i]) == 0)
            continue;
        struct pz_case *c = &s->cases[t->pair[i].user];
        if (c->n_truth == 0)
            *c = (struct pz_case){.user = t->pair[i].user, .truth = s->n_truth};
        c->n_truth++;
        s->truth[s->n_truth++] = t->pair[i].item;
    }
    return PZ_OK;
}

/* ---- lists ---- */

struct listing {
    struct pz_lists *names;
    const struct pz_split *split;
    struct pz_answers *answers;
    uint32_t most;
    uint8_t *had;  // users whose list is complete
    uint32_t user; // of the list at hand; PZ_NO_ID: none, or none of the truth
    char *id;      // its id
    size_t n_id, cap_id;
    uint32_t *item;
    double *score;
    float *level; // score as a number that only tells equal from unequal
    size_t n, cap_item, cap_score, cap_level;
    uint32_t *place; // of each item, the list that it was in last
    size_t cap_place, n_place;
    uint32_t n_lists;
    uint64_t n_strange; // lists of users without a truth
};

/* The list at hand is complete. */
static int
close_list(struct listing *l, struct pz_err *err)
{
    if (l->user != PZ_NO_ID) {
        if (pz_grow(&l->level, &l->cap_level, l->n, sizeof *l->level, "a list", err))
            return err->status;
        float level = 0;
        for (size_t i = 0; i < l->n; i++) {
            if (i > 0 && !(l->score[i] == l->score[i - 1]))
                level--;
            l->level[i] = isnan(l->score[i]) ? NAN : level;
        }
        pz_answer_take(l->answers, l->split, l->user, l->item, l->level, l->n, false,
                       l->most);
        l->had[l->user] = 1;
    }
    l->n = 0;
    l->user = PZ_NO_ID;
    return PZ_OK;
}

static int
open_list(struct listing *l, const struct pz_cell *id, struct pz_err *err)
{
    if (pz_grow(&l->id, &l->cap_id, id->n + 1, 1, "a list", err))
        return err->status;
    memcpy(l->id, id->s, id->n);
    l->n_id = id->n;
    l->n_lists++;
    l->user = pz_dict_find(&l->names->user, id->s, id->n);
    if (l->user == PZ_NO_ID)
        l->n_strange++;
    else if (l->had[l->user])
        return pz_err_set(err, PZ_DATA, "the rows of '%.*s' do not stand together",
                          (int)id->n, id->s);
    return PZ_OK;
}

/* Has the list at hand the item already? Notes that it has it now. */
static int
check_twice(struct listing *l, uint32_t it, const struct pz_cell *id, struct pz_err *err)
{
    if (pz_grow(&l->place, &l->cap_place, (size_t)it + 1, sizeof *l->place, "a list",
                err))
        return err->status;
    while (l->n_place <= it)
        l->place[l->n_place++] = 0;
    if (l->place[it] == l->n_lists)
        return pz_err_set(err, PZ_DATA, "item '%.*s' is in the list of '%.*s' twice",
                          (int)id->n, id->s, (int)l->n_id, l->id);
    l->place[it] = l->n_lists;
    return PZ_OK;
}

static int
take_row(void *ctx, const struct pz_cell *cell, size_t n, struct pz_err *err)
{
    struct listing *l = ctx;
    uint32_t it;
    double score = NAN;
    bool same =
        l->n_lists && cell[0].n == l->n_id && memcmp(cell[0].s, l->id, l->n_id) == 0;
    if (!same && (close_list(l, err) || open_list(l, &cell[0], err)))
        return err->status;
    if (n > 2 && cell[2].n) {
        enum pz_num bad = pz_parse_f64(cell[2].s, cell[2].n, &score);
        if (bad)
            return pz_err_set(err, PZ_DATA, "score '%.*s' %s", (int)cell[2].n, cell[2].s,
                              pz_num_text(bad));
    }
    if (l->user == PZ_NO_ID)
        return PZ_OK;
    if (pz_dict_intern(&l->names->item, cell[1].s, cell[1].n, &it, err) ||
        check_twice(l, it, &cell[1], err) ||
        pz_grow(&l->item, &l->cap_item, l->n + 1, sizeof *l->item, "a list", err) ||
        pz_grow(&l->score, &l->cap_score, l->n + 1, sizeof *l->score, "a list", err))
        return err->status;
    l->item[l->n] = it;
    l->score[l->n++] = score;
    return PZ_OK;
}

static int
read_lists(struct pz_answers *a, struct pz_lists *names, const struct pz_split *s,
           const char *path, uint32_t most, struct pz_err *err)
{
    struct listing l = {
        .names = names, .split = s, .answers = a, .most = most, .user = PZ_NO_ID};
    uint32_t n_none = 0;
    int r = pz_answers_init(a, s, most, err);
    if (r == PZ_OK && (r = pz_new(&l.had, s->n_cases, 1, "lists", err)) == PZ_OK &&
        (r = pz_tsv_read(path, 2, 3, take_row, &l, err)) == PZ_OK)
        r = close_list(&l, err);
    for (uint32_t u = 0; r == PZ_OK && u < s->n_cases; u++)
        n_none += !l.had[u];
    if (r == PZ_OK && n_none)
        pz_log(PZ_LOG_WARN, "'%s': %" PRIu32 " of %" PRIu32 " users have no list", path,
               n_none, s->n_cases);
    if (r == PZ_OK && l.n_strange)
        pz_log(PZ_LOG_NOTE, "'%s': %" PRIu64 " lists are of users without a truth", path,
               l.n_strange);
    void *owned[] = {l.had, l.id, l.item, l.score, l.level, l.place};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    return r;
}

/* ---- all of it ---- */

static int
compare(struct pz_compared *o, struct pz_lists *names, const char *truth,
        const char *const *file, const struct pz_at *at, uint64_t seed, int threads,
        struct pz_err *err)
{
    struct reading t = {.names = names};
    int r = pz_pairs_read(truth, take_truth, &t, err);
    if (r == PZ_OK &&
        (r = pz_new(&o->split, 1, sizeof *o->split, "users", err)) == PZ_OK) {
        o->n_draws = 1;
        r = make_split(&o->split[0], &t, err);
    }
    free(t.pair);
    if (r)
        return r;
    o->n_cases = o->split[0].n_cases;
    if (o->n_cases == 0)
        return pz_err_set(err, PZ_DATA, "'%s' has no rows", truth);
    if ((r = pz_compared_room(o, names->entries.n, at, err)) != PZ_OK)
        return r;
    for (size_t i = 0; i < o->n_entries; i++)
        if ((r = read_lists(&o->answer[i][0], names, &o->split[0], file[i], at->most,
                            err)) ||
            (r = pz_values(o->value[i], o->n_values, &o->answer[i][0], &o->split[0], at,
                           NULL, threads, err)))
            return r;
    return pz_compared_finish(o, 0, seed, threads, err);
}

int
pz_lists_compare(struct pz_compared *out, struct pz_lists *names, const char *truth,
                 const char *const *file, size_t n_files, const struct pz_at *at,
                 uint64_t seed, int threads, struct pz_err *err)
{
    *out = (struct pz_compared){0};
    *names = (struct pz_lists){.entries = {0}};
    int r;
    if ((r = pz_dict_init(&names->user, err)) || (r = pz_dict_init(&names->item, err)))
        goto done;
    for (size_t i = 0; i < n_files && r == PZ_OK; i++)
        r = pz_entries_label(&names->entries,
                             strcmp(file[i], "-") == 0 ? "(stdin)" : file[i], err);
    if (r == PZ_OK)
        r = compare(out, names, truth, file, at, seed, threads, err);
done:
    if (r) {
        pz_compared_release(out);
        pz_lists_release(names);
    }
    return r;
}

void
pz_lists_release(struct pz_lists *l)
{
    pz_dict_release(&l->user);
    pz_dict_release(&l->item);
    pz_entries_release(&l->entries);
}
