#include "infer/infer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/rng.h"

/* Result rows that one call of pz_infer() holds at most, beyond its first request's. */
enum { MAX_ROWS = 1 << 20, DAY = 86400 };

/* Where a request's parts lie in the session's arrays. */
struct slot {
    size_t history, candidate; // first in ids
    size_t unknown;            // first in order: unknown candidates, by position
    size_t n_unknown;
    size_t row, n_rows; // first in room and rows; rows reserved
    size_t query;       // SIZE_MAX: nothing to ask the recipe
    struct pz_explore explore;
    struct pz_influence influence;
};

struct pz_session {
    const struct pz_model *m;
    struct slot *slot;
    size_t cap_slot;
    struct pz_query *query; // n_queries, in the order of the requests
    size_t cap_query;
    struct pz_ranked *ranked;
    size_t cap_ranked;
    struct pz_answer *answer;
    size_t cap_answer;
    uint32_t *ids; // resolved histories and candidates
    size_t cap_ids;
    float *weight; // of the histories in ids that were put together
    size_t cap_weight;
    int64_t *time; // the same
    size_t cap_time;
    size_t *order; // positions of unknown candidates
    size_t cap_order;
    uint32_t *item; // the recipe's room
    size_t cap_item;
    float *score;
    size_t cap_score;
    bool *explored;
    size_t cap_explored;
    struct pz_answered *row;
    size_t cap_row;
    uint32_t *mark; // n_items, made when candidates first come: the stamp that saw it
    uint32_t stamp;
    struct pz_reason *reason;
    size_t cap_reason;
    struct pz_why *why;
    size_t cap_why;
    uint32_t **about; // of each query: items that attributes mean, owned
    size_t n_about, cap_about;
};

int
pz_session_new(struct pz_session **out, const struct pz_model *m, struct pz_err *err)
{
    struct pz_session *s;
    if (pz_new(&s, 1, sizeof *s, "a session", err))
        return err->status;
    s->m = m;
    *out = s;
    return PZ_OK;
}

static void
forget_about(struct pz_session *s)
{
    for (size_t i = 0; i < s->n_about; i++)
        free(s->about[i]);
    s->n_about = 0;
}

void
pz_session_free(struct pz_session *s)
{
    if (!s)
        return;
    void *owned[] = {s->slot,   s->query, s->ranked, s->answer, s->ids,
                     s->order,  s->item,  s->score,  s->row,    s->mark,
                     s->reason, s->why,   s->weight, s->time,   s->explored};
    forget_about(s);
    free(s->about);
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    free(s);
}

bool
pz_model_asks_item(const struct pz_model *m)
{
    return m->recipe->type == PZ_RELATED_ITEMS || m->recipe->type == PZ_USER_SEGMENTATION;
}

bool
pz_model_asks_attributes(const struct pz_model *m)
{
    return m->recipe->find_items != NULL;
}

bool
pz_model_answers_users(const struct pz_model *m)
{
    return m->recipe->type == PZ_USER_SEGMENTATION;
}

const struct pz_ids *
pz_model_answers(const struct pz_model *m)
{
    return pz_model_answers_users(m) ? &m->user : &m->item;
}

enum pz_set
pz_model_answer_set(const struct pz_model *m)
{
    return pz_model_answers_users(m)                    ? PZ_USERS
           : m->recipe->type == PZ_PERSONALIZED_ACTIONS ? PZ_ACTIONS
                                                        : PZ_ITEMS;
}

bool
pz_model_explores(const struct pz_model *m)
{
    return m->recipe->type == PZ_USER_PERSONALIZATION &&
           pz_param_find(m->recipe->params, "exploration_weight") >= 0;
}

bool
pz_model_takes_influence(const struct pz_model *m)
{
    return m->recipe == &pz_recipe_semantic_similarity;
}

static int
get_param(const pz_json *params, const char *name, double most, double *out)
{
    const char *text = pz_json_get_string(params, name);
    return !text || pz_parse_f64(text, strlen(text), out) || !(*out >= 0 && *out <= most);
}

int
pz_model_explore(struct pz_explore *e, const struct pz_model *m, struct pz_err *err)
{
    const char *text = pz_tensors_meta(&m->file, "params");
    pz_json *params = NULL;
    *e = (struct pz_explore){.weight = 0};
    if (!pz_model_explores(m))
        return PZ_OK;
    if (!text || pz_json_parse(&params, text, strlen(text), err) ||
        get_param(params, "exploration_weight", 1, &e->weight) ||
        get_param(params, "exploration_item_age_cut_off", 1e9, &e->days))
        pz_err_set(err, PZ_FORMAT, "'%s': its parameters lack those of exploration",
                   m->file.path);
    pz_json_free(params);
    return err->status;
}

enum pz_set
pz_model_event_set(const struct pz_model *m)
{
    return pz_model_answer_set(m) == PZ_ACTIONS ? PZ_ACTION_INTERACTIONS
                                                : PZ_INTERACTIONS;
}

int
pz_model_check_attributes(const struct pz_model *m, const struct pz_text *text,
                          struct pz_err *err)
{
    uint32_t *item;
    size_t n, unknown;
    if (m->recipe->find_items(m->state, text->s, text->n, &item, &n, &unknown, err))
        return err->status;
    free(item);
    return PZ_OK;
}

static uint32_t
find(const struct pz_ids *ids, const struct pz_text *t)
{
    return pz_ids_find(ids, t->s, t->n);
}

/* Rows that the answer to q can have; every item (or user) is there once. */
static size_t
rows_wanted(const struct pz_session *s, const struct pz_request *q)
{
    size_t n = (size_t)pz_model_answers(s->m)->n;
    size_t most = q->has_candidates ? q->n_candidates : n;
    return q->n < most ? q->n : most;
}

/*
 * The recipe's room for q: it ranks all candidates, so that a softmax over them does not
 * depend on how many are wanted.
 */
static size_t
room_wanted(const struct pz_session *s, const struct pz_request *q)
{
    return q->has_candidates ? q->n_candidates : rows_wanted(s, q);
}

/* Ids that the history of q may need in s->ids. */
static size_t
history_room(const struct pz_session *s, const struct pz_request *q)
{
    const struct pz_model *m = s->m;
    if (q->has_history)
        return q->n_history;
    if (!q->n_recent || !q->has_user)
        return 0;
    uint32_t u = find(&m->user, &q->user);
    // Damaged offsets are found when the history is taken.
    return q->n_recent + (u < m->n_users && m->history_offsets[u + 1] <= m->n_history &&
                                  m->history_offsets[u] <= m->history_offsets[u + 1]
                              ? m->history_offsets[u + 1] - m->history_offsets[u]
                              : 0);
}

/* How many of the n requests one call takes, and memory for them. */
static int
reserve(struct pz_session *s, const struct pz_request *q, size_t n, size_t *n_done,
        struct pz_err *err)
{
    static const char what[] = "answers";
    size_t rows = 0, ids = 1, unknown = 1, weights = 1, k = 0; // never NULL
    for (; k < n; k++) {
        size_t r = room_wanted(s, &q[k]);
        if (k > 0 && rows + r > MAX_ROWS)
            break;
        rows += r;
        size_t history = history_room(s, &q[k]);
        ids += history + q[k].n_candidates;
        weights = ids;
        unknown += q[k].n_candidates;
    }
    *n_done = k;
    rows++;
    if (pz_grow(&s->slot, &s->cap_slot, k, sizeof *s->slot, what, err) ||
        pz_grow(&s->query, &s->cap_query, k, sizeof *s->query, what, err) ||
        pz_grow(&s->ranked, &s->cap_ranked, k, sizeof *s->ranked, what, err) ||
        pz_grow(&s->answer, &s->cap_answer, k, sizeof *s->answer, what, err) ||
        pz_grow(&s->ids, &s->cap_ids, ids, sizeof *s->ids, what, err) ||
        pz_grow(&s->weight, &s->cap_weight, weights, sizeof *s->weight, what, err) ||
        pz_grow(&s->time, &s->cap_time, weights, sizeof *s->time, what, err) ||
        pz_grow(&s->order, &s->cap_order, unknown, sizeof *s->order, what, err) ||
        pz_grow(&s->item, &s->cap_item, rows, sizeof *s->item, what, err) ||
        pz_grow(&s->score, &s->cap_score, rows, sizeof *s->score, what, err) ||
        pz_grow(&s->explored, &s->cap_explored, rows, sizeof *s->explored, what, err) ||
        pz_grow(&s->row, &s->cap_row, rows, sizeof *s->row, what, err))
        return err->status;
    memset(s->explored, 0, rows * sizeof *s->explored);
    return PZ_OK;
}

static int
compare_text(const struct pz_text *a, const struct pz_text *b)
{
    size_t n = a->n < b->n ? a->n : b->n;
    int c = n ? memcmp(a->s, b->s, n) : 0;
    return c ? c : (a->n > b->n) - (a->n < b->n);
}

static int
by_text_then_position(const void *a, const void *b, void *ctx)
{
    const struct pz_text *t = ctx;
    size_t i = *(const size_t *)a, j = *(const size_t *)b;
    int c = compare_text(&t[i], &t[j]);
    return c ? c : (i > j) - (i < j);
}

static int
by_position(const void *a, const void *b)
{
    size_t i = *(const size_t *)a, j = *(const size_t *)b;
    return (i > j) - (i < j);
}

/* Leaves each unknown candidate once, at its first position. Sorts: lists may be hostile.
 */
static size_t
unique_unknown(const struct pz_text *text, size_t *order, size_t n)
{
    if (n < 2)
        return n;
    qsort_r(order, n, sizeof *order, by_text_then_position, (void *)(uintptr_t)text);
    size_t k = 1;
    for (size_t i = 1; i < n; i++)
        if (compare_text(&text[order[i]], &text[order[k - 1]]))
            order[k++] = order[i];
    qsort(order, k, sizeof *order, by_position);
    return k;
}

/* Candidates to indexes at ids[at], each once; the unknown to the slot's order. */
static int
resolve_candidates(struct pz_session *s, const struct pz_request *q, struct slot *slot,
                   struct pz_query *query, size_t *at, size_t *at_order,
                   struct pz_err *err)
{
    if (!s->mark && pz_new(&s->mark, s->m->n_items, sizeof *s->mark, "candidates", err))
        return err->status;
    if (++s->stamp == 0) {
        memset(s->mark, 0, s->m->n_items * sizeof *s->mark);
        s->stamp = 1;
    }
    slot->candidate = *at;
    slot->unknown = *at_order;
    size_t n_unknown = 0;
    for (size_t i = 0; i < q->n_candidates; i++) {
        uint32_t it = find(&s->m->item, &q->candidate[i]);
        if (it >= s->m->n_items) {
            s->order[slot->unknown + n_unknown++] = i;
        } else if (s->mark[it] != s->stamp) {
            s->mark[it] = s->stamp;
            s->ids[(*at)++] = it;
        }
    }
    slot->n_unknown = unique_unknown(q->candidate, s->order + slot->unknown, n_unknown);
    *at_order += slot->n_unknown;
    query->candidate = s->ids + slot->candidate;
    query->n_candidates = *at - slot->candidate;
    query->n = query->n_candidates;
    return PZ_OK;
}

/* The stored history, if any, and the recent events behind it, in s->ids[at...]. */
static int
join_recent(struct pz_session *s, const struct pz_request *q, struct pz_query *query,
            struct pz_history *h, size_t *at, struct pz_err *err)
{
    const struct pz_model *m = s->m;
    struct pz_history stored;
    size_t first = *at;
    if (pz_model_history(m, query->user, &stored, err))
        return err->status;
    bool weighted = stored.weight || q->recent_weight;
    bool timed = (stored.time || !stored.n) && q->recent_time;
    for (size_t i = 0; i < stored.n; i++) {
        s->weight[*at] = stored.weight ? stored.weight[i] : 1;
        s->time[*at] = stored.time ? stored.time[i] : 0;
        s->ids[(*at)++] = stored.item[i];
    }
    for (size_t i = 0; i < q->n_recent; i++) {
        uint32_t it = find(&m->item, &q->recent[i]);
        if (it >= m->n_items)
            continue; // newer than the model
        s->weight[*at] = q->recent_weight ? q->recent_weight[i] : 1;
        s->time[*at] = q->recent_time ? q->recent_time[i] : 0;
        s->ids[(*at)++] = it;
    }
    *h = (struct pz_history){s->ids + first, weighted ? s->weight + first : NULL,
                             timed ? s->time + first : NULL, *at - first};
    return PZ_OK;
}

/* The history that q is answered from, and what it must not return. */
static int
resolve_history(struct pz_session *s, const struct pz_request *q, struct slot *slot,
                struct pz_query *query, size_t *n_unknown, size_t *at, struct pz_err *err)
{
    const struct pz_model *m = s->m;
    struct pz_history h = {.n = 0};
    slot->history = *at;
    if (q->has_history) {
        for (size_t i = 0; i < q->n_history; i++) {
            uint32_t it = find(&m->item, &q->history[i]);
            if (it < m->n_items)
                s->ids[(*at)++] = it;
            else
                ++*n_unknown;
        }
        h.item = s->ids + slot->history;
        h.n = *at - slot->history;
    } else if (q->n_recent ? join_recent(s, q, query, &h, at, err)
                           : pz_model_history(m, query->user, &h, err)) {
        return err->status;
    }
    if (q->exclude_seen) {
        query->exclude = h.item;
        query->n_exclude = h.n;
    }
    // Related items follow from the item; a history beside it only says what was seen.
    if (pz_model_asks_item(m))
        return PZ_OK;
    query->history = h.item;
    query->weight = h.weight;
    query->time = h.time;
    query->n_history = h.n;
    query->stored = !q->has_history && !q->n_recent && query->user != PZ_NO_ID;
    return PZ_OK;
}

/* The items that a segment is asked for: one, or those with the attributes. */
static int
resolve_about(struct pz_session *s, const struct pz_request *q, struct pz_query *query,
              struct pz_answer *answer, struct pz_err *err)
{
    const struct pz_model *m = s->m;
    uint32_t *item = NULL;
    size_t n = 0, unknown = 0;
    if (pz_grow(&s->about, &s->cap_about, s->n_about + 1, sizeof *s->about, "items", err))
        return err->status;
    if (pz_model_asks_attributes(m)) {
        if (m->recipe->find_items(m->state, q->item.s, q->item.n, &item, &n, &unknown,
                                  err))
            return err->status;
    } else {
        if (pz_new(&item, 1, sizeof *item, "items", err))
            return err->status;
        *item = find(&m->item, &q->item);
        n = *item < m->n_items;
        unknown = !n;
        query->item = n ? *item : PZ_NO_ID;
    }
    s->about[s->n_about++] = item;
    query->about = item;
    query->n_about = n;
    answer->no_item = answer->stranger = n == 0;
    answer->n_unknown += n == 0 && unknown == 0 ? 1 : unknown;
    return PZ_OK;
}

/* Whose answers agree: the same user's of one day. */
static void
set_explore(const struct pz_request *q, struct slot *slot, struct pz_query *query)
{
    if (!(q->explore.weight > 0) || q->has_candidates)
        return;
    uint64_t who = XXH3_64bits(q->has_user ? q->user.s : "", q->has_user ? q->user.n : 0);
    uint64_t day = pz_mix64((uint64_t)(query->now / DAY) + 1);
    slot->explore = q->explore;
    slot->explore.key = pz_mix64(q->explore.key ^ pz_mix64(who ^ day));
    query->explore = &slot->explore;
}

static int
resolve(struct pz_session *s, const struct pz_request *q, struct slot *slot,
        struct pz_query *query, struct pz_answer *answer, size_t *at, size_t *at_order,
        struct pz_err *err)
{
    const struct pz_model *m = s->m;
    *slot = (struct slot){.n_rows = 0};
    *query = (struct pz_query){
        .user = PZ_NO_ID, .item = PZ_NO_ID, .n = rows_wanted(s, q), .allow = q->allow};
    query->now = pz_now();
    query->dated = true;
    *answer = (struct pz_answer){.n = 0};
    if (q->has_user) {
        query->user = find(&m->user, &q->user);
        if (query->user >= m->n_users)
            query->user = PZ_NO_ID;
        bool unknown = query->user == PZ_NO_ID && !q->n_recent && !pz_model_asks_item(m);
        answer->n_unknown += unknown;
        answer->stranger = unknown && !q->has_history;
    }
    if (pz_model_answers_users(m))
        return q->has_item ? resolve_about(s, q, query, answer, err) : PZ_OK;
    if (q->has_item && pz_model_asks_item(m)) {
        query->item = find(&m->item, &q->item);
        if (query->item >= m->n_items)
            query->item = PZ_NO_ID;
        answer->stranger = query->item == PZ_NO_ID;
        answer->n_unknown += answer->stranger;
    }
    if (resolve_history(s, q, slot, query, &answer->n_unknown, at, err))
        return err->status;
    if (q->has_candidates && resolve_candidates(s, q, slot, query, at, at_order, err))
        return err->status;
    set_explore(q, slot, query);
    slot->influence = q->influence;
    if (q->has_influence)
        query->influence = &slot->influence;
    answer->n_unknown += slot->n_unknown;
    return PZ_OK;
}

/* What the recipe ranked, as text, and the unknown candidates behind it. */
static int
finish(struct pz_session *s, const struct pz_request *q, const struct slot *slot,
       const struct pz_ranked *ranked, struct pz_answer *answer, struct pz_err *err)
{
    const struct pz_model *m = s->m;
    struct pz_answered *row = s->row + slot->row;
    size_t want = rows_wanted(s, q), n = 0;
    for (size_t i = 0; ranked && i < ranked->n && n < want; i++) {
        uint32_t it = ranked->item[i];
        size_t len;
        const char *text = pz_ids_get(pz_model_answers(m), it, &len);
        if (!text)
            return pz_tensors_bad(
                &m->file, pz_model_answers_users(m) ? "user.offsets" : "item.offsets",
                err, "number %u has no id", it);
        row[n++] = (struct pz_answered){{text, len},
                                        it,
                                        m->has_scores ? ranked->score[i] : NAN,
                                        ranked->explored && ranked->explored[i]};
    }
    for (size_t i = 0; i < slot->n_unknown && n < want; i++)
        row[n++] = (struct pz_answered){q->candidate[s->order[slot->unknown + i]],
                                        PZ_NO_ID, NAN, false};
    answer->item = row;
    answer->n = n;
    answer->fallback = ranked && ranked->fallback;
    return PZ_OK;
}

int
pz_infer(struct pz_session *s, const struct pz_request *q, size_t n,
         const struct pz_answer **answer, size_t *n_done, struct pz_err *err)
{
    size_t k, n_queries = 0, at = 0, at_order = 0, rows = 0;
    *n_done = 0;
    *answer = NULL;
    if (n == 0)
        return PZ_OK;
    forget_about(s);
    if (reserve(s, q, n, &k, err))
        return err->status;
    for (size_t i = 0; i < k; i++) {
        struct slot *slot = &s->slot[i];
        struct pz_query *query = &s->query[n_queries];
        if (resolve(s, &q[i], slot, query, &s->answer[i], &at, &at_order, err))
            return err->status;
        slot->row = rows;
        slot->query = n_queries;
        s->ranked[n_queries] = (struct pz_ranked){.item = s->item + rows,
                                                  .score = s->score + rows,
                                                  .explored = s->explored + rows};
        rows += room_wanted(s, &q[i]);
        if (query->n == 0)
            slot->query = SIZE_MAX; // no room, or no candidate that the model knows
        else
            n_queries++;
    }
    if (n_queries && pz_model_rank(s->m, s->query, n_queries, s->ranked, err))
        return err->status;
    for (size_t i = 0; i < k; i++) {
        const struct slot *slot = &s->slot[i];
        const struct pz_ranked *r =
            slot->query == SIZE_MAX ? NULL : &s->ranked[slot->query];
        if (finish(s, &q[i], slot, r, &s->answer[i], err))
            return err->status;
    }
    *answer = s->answer;
    *n_done = k;
    return PZ_OK;
}

int
pz_infer_explain(struct pz_session *s, size_t i, uint32_t index,
                 struct pz_explanation *out, struct pz_err *err)
{
    const struct pz_model *m = s->m;
    *out = (struct pz_explanation){.n = 0};
    if (!m->recipe->explain || index == PZ_NO_ID || s->slot[i].query == SIZE_MAX ||
        s->answer[i].fallback)
        return PZ_OK;
    const struct pz_query *q = &s->query[s->slot[i].query];
    // One term an item of the history; related items have the item itself, and labels.
    struct pz_history h = {.n = q->n_history};
    if (pz_model_answers_users(m) && pz_model_history(m, index, &h, err))
        return err->status;
    size_t room = h.n + 1 + PZ_REASON_LABELS;
    if (pz_grow(&s->reason, &s->cap_reason, room, sizeof *s->reason, "reasons", err) ||
        pz_grow(&s->why, &s->cap_why, room, sizeof *s->why, "reasons", err))
        return err->status;
    struct pz_explained explained = {.reason = s->reason};
    if (pz_model_explain(m, q, index, &explained, err))
        return err->status;
    for (size_t j = 0; j < explained.n; j++) {
        uint32_t it = s->reason[j].item;
        size_t len = s->reason[j].n_label;
        const char *text = s->reason[j].label;
        if (!text)
            text = pz_ids_get(&m->item, it, &len);
        if (!text)
            return pz_tensors_bad(&m->file, "item.offsets", err, "item %u has no id", it);
        s->why[j] = (struct pz_why){{text, len}, s->reason[j].contribution};
    }
    *out = (struct pz_explanation){s->why, explained.n, explained.raw};
    return PZ_OK;
}
