#include "eval/split.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/order.h"
#include "base/rng.h"
#include "eval/mark.h"
#include "eval/pairs.h"
#include "recipe/events.h"

static const struct {
    const char *name;
    bool hides_seen;
} protocol[PZ_N_PROTOCOLS] = {
    [PZ_AWS] = {"aws", false},      [PZ_LOO] = {"loo", true},
    [PZ_STRONG] = {"strong", true}, [PZ_SPLIT] = {"split", true},
    [PZ_TIME] = {"time", false},    [PZ_NCF] = {"ncf", false},
};

const char *
pz_protocol_name(enum pz_protocol p)
{
    return protocol[p].name;
}

bool
pz_protocol_hides_seen(enum pz_protocol p)
{
    return protocol[p].hides_seen;
}

int
pz_protocol_parse(enum pz_protocol *p, const char *name, struct pz_err *err)
{
    for (int i = 0; i < PZ_N_PROTOCOLS; i++)
        if (strcmp(protocol[i].name, name) == 0) {
            *p = (enum pz_protocol)i;
            return PZ_OK;
        }
    return pz_err_set(err, PZ_USAGE,
                      "unknown protocol '%s': the protocols are aws, loo, strong, split, "
                      "time, ncf",
                      name);
}

/* ---- marks that need no more than the events ---- */

/* The users of the draw numbered `part` (0, 1, ...): no user is in two of them. */
static int
draw_users(const struct pz_events *e, uint64_t seed, uint32_t part, uint8_t *drawn,
           uint32_t *n, struct pz_err *err)
{
    struct pz_drawn *d;
    uint32_t n_able = 0;
    int r = pz_new(&d, e->n_users, sizeof *d, "test users", err);
    if (r)
        return r;
    uint64_t salt = pz_mix64(seed + 1);
    for (uint32_t u = 0; u < e->n_users; u++)
        if (e->offsets[u + 1] - e->offsets[u] >= 2)
            d[n_able++] = pz_drawn_of(salt, u);
    pz_drawn_sort(d, n_able);
    // One user must be left to learn from.
    *n = n_able < 2 + part ? 0 : n_able < 5 ? 1 : (n_able + 5) / 10;
    for (uint32_t i = 0; i < *n; i++)
        drawn[d[part * *n + i].number] = 1;
    free(d);
    return PZ_OK;
}

int
pz_eval_draw(const struct pz_events *e, uint64_t seed, uint8_t **test, uint32_t *n,
             struct pz_err *err)
{
    *n = 0;
    int r = pz_new(test, e->n_users, 1, "test users", err);
    if (r == PZ_OK && (r = draw_users(e, seed, 0, *test, n, err)) != PZ_OK) {
        free(*test);
        *test = NULL;
    }
    return r;
}

static uint64_t
newest_tenth(uint64_t n)
{
    uint64_t tenth = (uint64_t)floor(0.1 * (double)n + 0.5);
    return tenth < 1 ? 1 : tenth;
}

static int
mark_aws(const struct pz_marking *m, struct pz_err *err)
{
    const struct pz_events *e = m->events;
    uint8_t *test, *valid;
    uint32_t n;
    int r = pz_new(&test, e->n_users, 1, "test users", err);
    if (r)
        return r;
    if ((r = pz_new(&valid, e->n_users, 1, "test users", err)) != PZ_OK)
        goto done;
    if ((r = draw_users(e, m->spec->seed, 0, test, &n, err)) ||
        (m->spec->valid && (r = draw_users(e, m->spec->seed, 1, valid, &n, err))))
        goto fail;
    const uint8_t *asked = m->spec->valid ? valid : test;
    for (uint32_t u = 0; u < e->n_users; u++) {
        uint64_t from = e->offsets[u], to = e->offsets[u + 1];
        if (asked[u]) {
            uint64_t cut = to - (m->spec->last ? 1 : newest_tenth(to - from));
            memset(m->mark + from, PZ_MARK_GIVEN, cut - from);
            memset(m->mark + cut, PZ_MARK_TRUTH, to - cut);
        } else if (!test[u]) {
            memset(m->mark + from, PZ_MARK_TRAIN, to - from);
        }
    }
fail:
    free(valid);
done:
    free(test);
    return r;
}

static int
mark_loo(const struct pz_marking *m, struct pz_err *err)
{
    (void)err;
    const struct pz_events *e = m->events;
    for (uint32_t u = 0; u < e->n_users; u++) {
        uint64_t from = e->offsets[u], to = e->offsets[u + 1];
        memset(m->mark + from, PZ_MARK_TRAIN, to - from);
        if (to - from < 3)
            continue;
        memset(m->mark + from, PZ_MARK_TRAIN | PZ_MARK_GIVEN, to - from);
        m->mark[to - 1] = m->spec->valid ? 0 : PZ_MARK_TRUTH;
        if (m->spec->valid)
            m->mark[to - 2] = PZ_MARK_TRUTH;
        else if (!m->spec->refit)
            m->mark[to - 2] = PZ_MARK_GIVEN;
    }
    return PZ_OK;
}

/* The time of the event behind `share` of those before `end`. */
static int
time_at(const struct pz_events *e, double share, int64_t end, int64_t *at,
        struct pz_err *err)
{
    int64_t *time;
    uint64_t n = 0;
    int r = pz_new(&time, e->n, sizeof *time, "times", err);
    if (r)
        return r;
    for (uint64_t i = 0; i < e->n; i++)
        if (e->time[i] < end)
            time[n++] = e->time[i];
    qsort(time, n, sizeof *time, pz_order_i64);
    *at = n ? time[(uint64_t)(share * (double)n)] : end;
    free(time);
    return PZ_OK;
}

static int
mark_time(const struct pz_marking *m, struct pz_err *err)
{
    const struct pz_events *e = m->events;
    int64_t cut = m->spec->cut, end = INT64_MAX;
    int r = m->spec->has_cut ? PZ_OK : time_at(e, m->spec->share, end, &cut, err);
    if (r == PZ_OK && m->spec->valid) {
        end = cut;
        r = time_at(e, m->spec->share, end, &cut, err);
    }
    for (uint64_t i = 0; r == PZ_OK && i < e->n; i++)
        if (e->time[i] < cut)
            m->mark[i] = PZ_MARK_TRAIN | PZ_MARK_GIVEN;
        else if (e->time[i] < end)
            m->mark[i] = PZ_MARK_TRUTH;
    return r;
}

/* ---- truth from a file ---- */

/* Rows of a file: pairs, and for ncf the items among which the pair's is ranked. */
struct told {
    const struct pz_world *world;
    struct pz_pair *pair;
    size_t n, cap;
    uint32_t *among;
    size_t n_among, cap_among;
    size_t *first; // of each pair, in among
    size_t cap_first;
    uint64_t strangers;
};

static int
add_told(struct told *t, const struct pz_cell *user, const struct pz_cell *item,
         bool *known, struct pz_err *err)
{
    struct pz_pair p = {pz_ids_find(&t->world->user, user->s, user->n),
                        pz_ids_find(&t->world->item, item->s, item->n)};
    *known = p.user != PZ_NO_ID && p.item != PZ_NO_ID;
    if (!*known) {
        t->strangers++;
        return PZ_OK;
    }
    int r = pz_grow(&t->pair, &t->cap, t->n + 1, sizeof p, "the truth", err);
    if (r == PZ_OK)
        t->pair[t->n++] = p;
    return r;
}

static int
take_pair(void *ctx, const struct pz_cell *cell, size_t n, struct pz_err *err)
{
    bool known;
    (void)n;
    return add_told(ctx, &cell[0], &cell[1], &known, err);
}

/* "(user,item)" as one cell, the way the files of NCF have it, into two. */
static bool
unfold(const struct pz_cell *c, struct pz_cell part[2])
{
    const char *comma = memchr(c->s, ',', c->n);
    if (c->n < 5 || c->s[0] != '(' || c->s[c->n - 1] != ')' || !comma)
        return false;
    const char *end = c->s + c->n - 1;
    part[0] = (struct pz_cell){c->s + 1, (uint32_t)(comma - c->s - 1), PZ_CELL_TEXT};
    part[1] = (struct pz_cell){comma + 1, (uint32_t)(end - comma - 1), PZ_CELL_TEXT};
    return true;
}

static int
take_choice(void *ctx, const struct pz_cell *cell, size_t n, struct pz_err *err)
{
    struct told *t = ctx;
    struct pz_cell part[2] = {cell[0], cell[1]};
    size_t at = unfold(&cell[0], part) ? 1 : 2;
    bool known;
    if (add_told(t, &part[0], &part[1], &known, err))
        return err->status;
    if (!known)
        return PZ_OK;
    if (pz_grow(&t->first, &t->cap_first, t->n, sizeof *t->first, "candidates", err) ||
        pz_grow(&t->among, &t->cap_among, t->n_among + n + 1, sizeof *t->among,
                "candidates", err))
        return err->status;
    t->first[t->n - 1] = t->n_among;
    t->among[t->n_among++] = t->pair[t->n - 1].item;
    for (; at < n; at++) {
        uint32_t it = pz_ids_find(&t->world->item, cell[at].s, cell[at].n);
        if (it != PZ_NO_ID)
            t->among[t->n_among++] = it;
    }
    return PZ_OK;
}

/* ---- from marks to cases ---- */

static int
make_train(struct pz_split *s, const struct pz_events *e, const uint8_t *mark,
           struct pz_err *err)
{
    struct pz_events *t = &s->train;
    uint64_t n = 0;
    for (uint64_t i = 0; i < e->n; i++)
        n += (mark[i] & PZ_MARK_TRAIN) != 0;
    *t = (struct pz_events){.n_users = e->n_users, .n_items = e->n_items};
    if (pz_new(&t->offsets, (size_t)e->n_users + 1, sizeof *t->offsets, "events", err) ||
        pz_new_aligned(&t->item, n, sizeof *t->item, "events", err) ||
        pz_new_aligned(&t->time, n, sizeof *t->time, "events", err) ||
        (e->weight && pz_new_aligned(&t->weight, n, sizeof *t->weight, "events", err)))
        return err->status;
    for (uint32_t u = 0; u < e->n_users; u++) {
        for (uint64_t i = e->offsets[u]; i < e->offsets[u + 1]; i++) {
            if (!(mark[i] & PZ_MARK_TRAIN))
                continue;
            t->item[t->n] = e->item[i];
            t->time[t->n] = e->time[i];
            if (t->weight)
                t->weight[t->n] = e->weight[i];
            t->n++;
        }
        t->offsets[u + 1] = t->n;
    }
    return PZ_OK;
}

/* Room for cases, and for n_told truths beside those that are marked. */
static int
make_room(struct pz_split *s, const struct pz_events *e, const uint8_t *mark,
          uint64_t n_told, struct pz_err *err)
{
    uint64_t n_given = 0, n_truth = n_told, n_cases = 0;
    for (uint32_t u = 0; u < e->n_users; u++)
        for (uint64_t i = e->offsets[u]; i < e->offsets[u + 1]; i++) {
            n_given += (mark[i] & PZ_MARK_GIVEN) != 0;
            n_truth += (mark[i] & PZ_MARK_TRUTH) != 0;
        }
    n_cases = n_truth < e->n_users ? n_truth : e->n_users;
    if (pz_new(&s->cases, n_cases, sizeof *s->cases, "test users", err) ||
        pz_new(&s->given, n_given, sizeof *s->given, "histories", err) ||
        pz_new(&s->time, n_given, sizeof *s->time, "histories", err) ||
        (e->weight && pz_new(&s->weight, n_given, sizeof *s->weight, "histories", err)) ||
        pz_new(&s->truth, n_truth, sizeof *s->truth, "truths", err) ||
        (e->weight &&
         pz_new(&s->truth_weight, n_truth, sizeof *s->truth_weight, "truths", err)))
        return err->status;
    return PZ_OK;
}

/* A truth that was given, and is hidden, is no question: it cannot be found. `had` is
 * n_items of scratch, 0 before and after. */
static uint32_t
without_given(uint32_t *truth, uint32_t n, const uint32_t *given, size_t n_given,
              uint8_t *had)
{
    uint32_t k = 0;
    for (size_t j = 0; j < n_given; j++)
        had[given[j]] = 1;
    for (uint32_t i = 0; i < n; i++)
        if (!had[truth[i]])
            truth[k++] = truth[i];
    for (size_t j = 0; j < n_given; j++)
        had[given[j]] = 0;
    return k;
}

/* The greatest weight of a truth's events; 1 where a file told it. */
static void
weigh_truths(struct pz_split *s, const struct pz_events *e, const uint8_t *mark,
             const struct pz_case *c)
{
    const uint32_t *truth = s->truth + c->truth;
    float *weight = s->truth_weight + c->truth;
    for (uint32_t i = 0; i < c->n_truth; i++)
        weight[i] = 0;
    for (uint64_t i = e->offsets[c->user]; i < e->offsets[c->user + 1]; i++) {
        const uint32_t *at =
            !(mark[i] & PZ_MARK_TRUTH)
                ? NULL
                : bsearch(&e->item[i], truth, c->n_truth, sizeof *truth, pz_order_u32);
        if (at && weight[at - truth] < e->weight[i])
            weight[at - truth] = e->weight[i];
    }
    for (uint32_t i = 0; i < c->n_truth; i++)
        weight[i] = weight[i] > 0 ? weight[i] : 1;
}

/* The case of a user, told[0..n_told) being truths from elsewhere; `had` as above. */
static void
add_case(struct pz_split *s, const struct pz_events *e, const uint8_t *mark, uint32_t u,
         const struct pz_pair *told, size_t n_told, uint8_t *had)
{
    struct pz_case c = {.user = u, .given = s->n_given, .truth = s->n_truth};
    bool same = true;
    size_t n = 0;
    for (uint64_t i = e->offsets[u]; i < e->offsets[u + 1]; i++) {
        bool train = mark[i] & PZ_MARK_TRAIN, given = mark[i] & PZ_MARK_GIVEN;
        c.known |= train;
        same &= train == given;
        if (mark[i] & PZ_MARK_TRUTH)
            s->truth[c.truth + n++] = e->item[i];
        if (!given)
            continue;
        s->given[c.given + c.n_given] = e->item[i];
        s->time[c.given + c.n_given] = e->time[i];
        if (s->weight)
            s->weight[c.given + c.n_given] = e->weight[i];
        c.n_given++;
    }
    for (size_t i = 0; i < n_told; i++)
        s->truth[c.truth + n++] = told[i].item;
    c.n_truth = (uint32_t)pz_distinct_u32(s->truth + c.truth, n);
    if (s->hide_seen)
        c.n_truth = without_given(s->truth + c.truth, c.n_truth, s->given + c.given,
                                  c.n_given, had);
    if (c.n_truth == 0)
        return;
    if (s->truth_weight)
        weigh_truths(s, e, mark, &c);
    c.stored = c.known && same;
    s->n_given += c.n_given;
    s->n_truth += c.n_truth;
    s->cases[s->n_cases++] = c;
}

static int
assemble(struct pz_split *s, const struct pz_events *e, const uint8_t *mark,
         const struct told *told, struct pz_err *err)
{
    uint8_t *had;
    if (make_train(s, e, mark, err) || make_room(s, e, mark, told->n, err) ||
        pz_new(&had, e->n_items, 1, "a split", err))
        return err->status;
    size_t at = 0;
    for (uint32_t u = 0; u < e->n_users; u++) {
        size_t from = at;
        while (at < told->n && told->pair[at].user == u)
            at++;
        add_case(s, e, mark, u, told->pair + from, at - from, had);
    }
    free(had);
    s->strangers = told->strangers;
    return PZ_OK;
}

/* ---- the two protocols with files ---- */

static int
mark_split(struct pz_split *s, const struct pz_marking *m, struct told *told,
           struct pz_err *err)
{
    const struct pz_events *e = m->events;
    memset(m->mark, PZ_MARK_TRAIN | PZ_MARK_GIVEN, e->n);
    for (uint32_t u = 0; m->spec->valid && u < e->n_users; u++) {
        struct pz_rng rng;
        uint64_t from = e->offsets[u], n = e->offsets[u + 1] - from;
        pz_rng_seed(&rng, m->spec->seed, u);
        for (uint64_t left = n / 10, i = 0; left; i++) // of those left, each as likely
            if (pz_rng_below(&rng, n - i) < left) {
                m->mark[from + i] = PZ_MARK_TRUTH;
                left--;
            }
    }
    if (!m->spec->valid) {
        int r = pz_pairs_read(m->spec->file, take_pair, told, err);
        if (r)
            return r;
        qsort(told->pair, told->n, sizeof *told->pair, pz_pair_order);
    }
    return assemble(s, e, m->mark, told, err);
}

/* Marks the truth of one line: the item told, or for validation the newest other one. */
static bool
mark_choice(const struct pz_marking *m, struct pz_pair *p)
{
    const struct pz_events *e = m->events;
    uint64_t from = e->offsets[p->user], to = e->offsets[p->user + 1], newest = to;
    for (uint64_t i = from; i < to; i++)
        if (e->item[i] == p->item)
            m->mark[i] = 0;
        else
            newest = i;
    if (!m->spec->valid)
        return true;
    if (newest == to)
        return false;
    p->item = e->item[newest];
    m->mark[newest] = 0;
    return true;
}

static int
mark_ncf(struct pz_split *s, const struct pz_marking *m, struct told *told,
         struct pz_err *err)
{
    enum { MOST = 100000 }; // candidates a line
    const struct pz_events *e = m->events;
    uint32_t *line; // of each user, +1
    memset(m->mark, PZ_MARK_TRAIN | PZ_MARK_GIVEN, e->n);
    if (pz_tsv_read(m->spec->file, 2, MOST, take_choice, told, err) ||
        pz_new(&line, e->n_users, sizeof *line, "candidates", err))
        return err->status;
    size_t n = 0;
    for (size_t i = 0; i < told->n; i++) {
        struct pz_pair p = told->pair[i];
        if (line[p.user]) {
            free(line);
            return pz_err_set(err, PZ_DATA, "'%s' has a user twice", m->spec->file);
        }
        if (!mark_choice(m, &p))
            continue;
        line[p.user] = (uint32_t)i + 1;
        told->among[told->first[i]] = p.item;
        told->pair[n++] = p;
    }
    size_t n_lines = told->n;
    told->n = n;
    qsort(told->pair, told->n, sizeof *told->pair, pz_pair_order);
    int r = assemble(s, e, m->mark, told, err);
    for (uint32_t k = 0; k < s->n_cases; k++) {
        struct pz_case *c = &s->cases[k];
        size_t i = line[c->user] - 1;
        size_t end = i + 1 < n_lines ? told->first[i + 1] : told->n_among;
        c->among = told->first[i];
        c->n_among =
            (uint32_t)pz_distinct_u32(told->among + c->among, end - told->first[i]);
    }
    s->among = told->among;
    s->n_among = told->n_among;
    told->among = NULL;
    free(line);
    return r;
}

/* ---- all of it ---- */

static int
mark_all(struct pz_split *s, const struct pz_marking *m, struct told *told,
         struct pz_err *err)
{
    int r = PZ_OK;
    switch (m->spec->protocol) {
    case PZ_AWS:
        r = mark_aws(m, err);
        break;
    case PZ_LOO:
        r = mark_loo(m, err);
        break;
    case PZ_STRONG:
        r = pz_mark_strong(m, err);
        break;
    case PZ_TIME:
        r = mark_time(m, err);
        break;
    case PZ_SPLIT:
        return mark_split(s, m, told, err);
    case PZ_NCF:
        return mark_ncf(s, m, told, err);
    case PZ_N_PROTOCOLS:
        break;
    }
    return r ? r : assemble(s, m->events, m->mark, told, err);
}

int
pz_split_make(struct pz_split *s, const struct pz_events *e, const struct pz_world *w,
              const struct pz_split_spec *spec, struct pz_err *err)
{
    *s = (struct pz_split){.hide_seen = spec->hide_seen, .reward = spec->reward};
    struct told told = {.world = w};
    struct pz_marking m = {.events = e, .spec = spec};
    int r = pz_new(&m.mark, e->n, 1, "a split", err);
    if (r)
        return r;
    r = mark_all(s, &m, &told, err);
    free(m.mark);
    free(told.pair);
    free(told.among);
    free(told.first);
    if (r == PZ_OK && (s->n_cases == 0 || s->train.n == 0))
        r = pz_err_set(err, PZ_DATA, "protocol %s: %s", pz_protocol_name(spec->protocol),
                       s->n_cases ? "there is nothing left to learn from"
                                  : "there is no user to ask about");
    if (r)
        pz_split_release(s);
    return r;
}

void
pz_split_release(struct pz_split *s)
{
    pz_events_release(&s->train);
    free(s->cases);
    free(s->given);
    free(s->time);
    free(s->weight);
    free(s->truth);
    free(s->truth_weight);
    free(s->among);
    *s = (struct pz_split){.n_cases = 0};
}
