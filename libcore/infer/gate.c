#include "infer/gate.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    MAX_MAPS = 300,       // a block of requests and some to keep
    MAX_BYTES = 64 << 20, // of bitmaps, more or less
};

struct pz_gate {
    struct pz_filter *filter;
    struct pz_filter_space *space;
    uint32_t n_items;
    bool personal; // depends on more than values
};

/* A bitmap and what it was made for. */
struct map {
    uint64_t *bits;
    struct pz_buf key; // values; empty and not kept: of one request alone
    bool kept;
    uint64_t live;  // version of the live items
    uint64_t round; // of begin, when it was handed out last
};

struct pz_gate_run {
    const struct pz_gate *g;
    struct pz_filter_run *run;
    struct map *map;
    size_t n_maps, max_maps;
    uint64_t round;
    struct pz_buf key;
};

/* ---- gates ---- */

int
pz_gate_new(struct pz_gate **out, const char *text, const struct pz_filter_data *data,
            const struct pz_filter_options *o, const struct pz_model *m,
            struct pz_err *err)
{
    struct pz_gate *g;
    *out = NULL;
    if (pz_new(&g, 1, sizeof *g, "a filter", err))
        return err->status;
    g->n_items = (uint32_t)pz_model_answers(m)->n;
    if (pz_filter_compile(&g->filter, text, strlen(text), data, o, err)) {
        pz_gate_free(g);
        return err->status;
    }
    static const enum pz_subject subject[PZ_N_SETS] = {[PZ_ITEMS] = PZ_SUBJECT_ITEM,
                                                       [PZ_USERS] = PZ_SUBJECT_USER,
                                                       [PZ_ACTIONS] = PZ_SUBJECT_ACTION};
    enum pz_subject s = pz_filter_subject(g->filter),
                    wanted = subject[pz_model_answer_set(m)];
    g->personal = pz_filter_needs_user(g->filter) || pz_filter_needs_item(g->filter);
    if (s != wanted)
        pz_err_set(err, PZ_USAGE, "the filter is about %s; %s is wanted here",
                   pz_subject_name(s), pz_subject_name(wanted));
    else
        pz_filter_space_new(&g->space, g->filter, pz_model_answers(m), err);
    if (err->status) {
        pz_gate_free(g);
        return err->status;
    }
    *out = g;
    return PZ_OK;
}

void
pz_gate_free(struct pz_gate *g)
{
    if (!g)
        return;
    pz_filter_space_free(g->space);
    pz_filter_free(g->filter);
    free(g);
}

const struct pz_filter *
pz_gate_filter(const struct pz_gate *g)
{
    return g->filter;
}

bool
pz_gate_has_param(const struct pz_gate *g, const char *name, size_t n)
{
    const char *p;
    for (size_t i = 0; (p = pz_filter_param(g->filter, i)); i++)
        if (strlen(p) == n && !memcmp(p, name, n))
            return true;
    return false;
}

/* ---- runs ---- */

int
pz_gate_run_new(struct pz_gate_run **out, const struct pz_gate *g, struct pz_err *err)
{
    struct pz_gate_run *r;
    size_t bytes = ((size_t)g->n_items + 63) / 64 * 8;
    *out = NULL;
    if (pz_new(&r, 1, sizeof *r, "a filter", err))
        return err->status;
    r->g = g;
    r->round = 1;
    r->max_maps = bytes * MAX_MAPS > MAX_BYTES ? MAX_BYTES / bytes : MAX_MAPS;
    r->max_maps = r->max_maps > 4 ? r->max_maps : 4;
    if (pz_new(&r->map, r->max_maps, sizeof *r->map, "a filter", err) ||
        pz_filter_run_new(&r->run, g->filter, err)) {
        pz_gate_run_free(r);
        return err->status;
    }
    *out = r;
    return PZ_OK;
}

void
pz_gate_run_free(struct pz_gate_run *r)
{
    if (!r)
        return;
    for (size_t i = 0; i < r->n_maps; i++) {
        free(r->map[i].bits);
        pz_buf_release(&r->map[i].key);
    }
    free(r->map);
    pz_filter_run_free(r->run);
    pz_buf_release(&r->key);
    free(r);
}

void
pz_gate_begin(struct pz_gate_run *r)
{
    r->round++;
}

static int
make_key(struct pz_gate_run *r, const struct pz_filter_request *q, struct pz_err *err)
{
    struct pz_buf *key = &r->key;
    pz_buf_clear(key);
    for (size_t i = 0; i < q->n_values; i++) {
        const struct pz_filter_value *v = &q->value[i];
        pz_buf_add(key, &v->n_name, sizeof v->n_name);
        pz_buf_add(key, &v->n_text, sizeof v->n_text);
        pz_buf_add(key, v->name, v->n_name);
        pz_buf_add(key, v->text, v->n_text);
    }
    return pz_buf_status(key, "filter values", err);
}

static struct map *
find_map(struct pz_gate_run *r, uint64_t live)
{
    for (size_t i = 0; i < r->n_maps; i++) {
        struct map *m = &r->map[i];
        if (m->kept && m->live == live && m->key.len == r->key.len &&
            (!r->key.len || !memcmp(m->key.data, r->key.data, r->key.len)))
            return m;
    }
    return NULL;
}

/* A map that nobody looks at: the one that was used longest ago, or a new one. */
static struct map *
free_map(struct pz_gate_run *r, struct pz_err *err)
{
    struct map *oldest = NULL;
    for (size_t i = 0; i < r->n_maps; i++) {
        struct map *m = &r->map[i];
        if (m->round != r->round && (!oldest || m->round < oldest->round))
            oldest = m;
    }
    // Maps of single requests are of no use to others: only kept ones make it grow.
    if (r->n_maps < r->max_maps && (!oldest || oldest->kept)) {
        struct map *m = &r->map[r->n_maps];
        if (pz_new(&m->bits, ((size_t)r->g->n_items + 63) / 64, 8, "a bitmap", err))
            return NULL;
        r->n_maps++;
        return m;
    }
    return oldest;
}

static void
put_live(struct pz_gate_run *r, const struct pz_live_items *live, uint64_t *bits)
{
    for (size_t i = 0; i < live->n; i++) {
        const struct pz_live_item *it = &live->item[i];
        if (it->index >= r->g->n_items)
            continue;
        const struct pz_candidate c = {it->id, it->n, it->field};
        uint64_t bit = (uint64_t)1 << it->index % 64;
        if (pz_filter_test(r->run, &c))
            bits[it->index / 64] |= bit;
        else
            bits[it->index / 64] &= ~bit;
    }
}

int
pz_gate_open(struct pz_gate_run *r, const struct pz_filter_request *q,
             const struct pz_live_items *live, const uint64_t **allow, struct pz_err *err)
{
    struct map *m = NULL;
    *allow = NULL;
    if (!r->g->personal && make_key(r, q, err))
        return err->status;
    // Also with a bitmap at hand: the run looks into the request when items are tested.
    if (pz_filter_run_begin(r->run, q, err))
        return err->status;
    if (!r->g->personal)
        m = find_map(r, live->version);
    if (!m) {
        m = free_map(r, err);
        if (!m)
            return err->status ? err->status : PZ_NEGATIVE;
        m->kept = false;
        if (pz_filter_items(r->run, r->g->space, m->bits, err))
            return err->status;
        put_live(r, live, m->bits);
        m->live = live->version;
        pz_buf_clear(&m->key);
        pz_buf_add(&m->key, r->key.data, r->key.len);
        if (pz_buf_status(&m->key, "filter values", err))
            return err->status;
        m->kept = !r->g->personal;
    }
    m->round = r->round;
    *allow = m->bits;
    return PZ_OK;
}

bool
pz_gate_passes(struct pz_gate_run *r, const char *id, size_t n,
               const struct pz_live_items *live)
{
    const struct pz_live_item *it = pz_live_item_find(live, id, n);
    const struct pz_candidate c = {id, n, it ? it->field : NULL};
    return pz_filter_test(r->run, &c);
}

const struct pz_live_item *
pz_live_item_find(const struct pz_live_items *live, const char *id, size_t n)
{
    size_t lo = 0, hi = live->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const struct pz_live_item *it = &live->item[mid];
        size_t len = it->n < n ? it->n : n;
        int c = len ? memcmp(it->id, id, len) : 0;
        c = c ? c : (it->n > n) - (it->n < n);
        if (c == 0)
            return it;
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}
