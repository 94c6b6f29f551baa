/*
 * tiny: a model in memory for tests of what lies above the recipes. Its recipe is made
 * for reading: item i scores the sum of 1 / (1 + |h - i|) over the distinct items h of
 * the history (for related items: of the item asked for), and says so.
 *
 *   items  0 "a\tb"  1 "i1"  2 "i2"  3 "i3"  4 "i4"  5 "q\"\\"  6 "\xff\x01"
 *   users  0 "u1": i1 i1 i3      1 "u2": i2      2 "u3": nothing
 *   popular, most first: i1 i2 i3
 */
#ifndef PZ_TESTS_TINY_H
#define PZ_TESTS_TINY_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "recipe/model.h"

static const char *const tiny_items[] = {"a\tb", "i1",    "i2",      "i3",
                                         "i4",   "q\"\\", "\xff\x01"};
enum { TINY_ITEMS = 7, TINY_USERS = 3 };

static bool
tiny_in(uint32_t it, const uint32_t *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (list[i] == it)
            return true;
    return false;
}

/* What q is answered from: its history without repetition, or its item. */
static size_t
tiny_basis(const struct pz_query *q, uint32_t basis[TINY_ITEMS])
{
    size_t n = 0;
    if (q->item != PZ_NO_ID)
        basis[n++] = q->item;
    for (size_t i = 0; i < q->n_history; i++)
        if (!tiny_in(q->history[i], basis, n))
            basis[n++] = q->history[i];
    return n;
}

static double
tiny_term(uint32_t h, uint32_t it)
{
    return 1 / (1 + fabs((double)h - (double)it));
}

static double
tiny_score(const struct pz_query *q, uint32_t it)
{
    uint32_t basis[TINY_ITEMS];
    size_t n = tiny_basis(q, basis);
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += tiny_term(basis[i], it);
    return sum;
}

static void
tiny_insert(struct pz_ranked *r, size_t room, uint32_t it, float score)
{
    size_t i = r->n;
    while (i > 0 &&
           (r->score[i - 1] < score || (r->score[i - 1] == score && r->item[i - 1] > it)))
        i--;
    if (i >= room)
        return;
    size_t last = r->n < room ? r->n++ : room - 1;
    memmove(r->item + i + 1, r->item + i, (last - i) * sizeof *r->item);
    memmove(r->score + i + 1, r->score + i, (last - i) * sizeof *r->score);
    r->item[i] = it;
    r->score[i] = score;
}

static int
tiny_rank(const void *state, const struct pz_query *q, size_t n, struct pz_ranked *out,
          struct pz_err *err)
{
    (void)err;
    for (size_t k = 0; k < n; k++, q++, out++) {
        uint32_t basis[TINY_ITEMS];
        out->n = 0;
        if (tiny_basis(q, basis) == 0) {
            pz_model_popular(state, q, out);
            continue;
        }
        for (uint32_t it = 0; it < TINY_ITEMS; it++)
            if (!tiny_in(it, q->exclude, q->n_exclude) &&
                (!q->allow || q->allow[0] >> it & 1) &&
                (!q->candidate || tiny_in(it, q->candidate, q->n_candidates)))
                tiny_insert(out, q->n, it, (float)tiny_score(q, it));
    }
    return PZ_OK;
}

static int
tiny_explain(const void *state, const struct pz_query *q, uint32_t item,
             struct pz_explained *out, struct pz_err *err)
{
    (void)state;
    (void)err;
    uint32_t basis[TINY_ITEMS];
    out->n = tiny_basis(q, basis);
    out->raw = tiny_score(q, item);
    for (size_t i = 0; i < out->n; i++)
        out->reason[i] = (struct pz_reason){.item = basis[i],
                                            .contribution = tiny_term(basis[i], item)};
    return PZ_OK;
}

static void
tiny_close(void *state)
{
    (void)state;
}

static const struct pz_recipe tiny_user = {.name = "tiny-user",
                                           .type = PZ_USER_PERSONALIZATION,
                                           .has_scores = true,
                                           .close = tiny_close,
                                           .rank = tiny_rank,
                                           .explain = tiny_explain};
static const struct pz_recipe tiny_related = {.name = "tiny-related",
                                              .type = PZ_RELATED_ITEMS,
                                              .close = tiny_close,
                                              .rank = tiny_rank,
                                              .explain = tiny_explain};

struct tiny {
    struct pz_builder *builder;
    struct pz_model model;
};

static int
tiny_open(struct tiny *t, const struct pz_recipe *recipe, struct pz_err *err)
{
    static const uint8_t user_bytes[] = "u1u2u3";
    static const int64_t user_offsets[] = {0, 2, 4, 6};
    static uint8_t item_bytes[32];
    static int64_t item_offsets[TINY_ITEMS + 1];
    static uint64_t offsets[] = {0, 3, 4, 4};
    static uint32_t item[] = {1, 1, 3, 2};
    static int64_t time[] = {30, 31, 10, 20};
    static const struct pz_param_def none[] = {{.name = NULL}};
    for (size_t i = 0; i < TINY_ITEMS; i++) {
        size_t n = strlen(tiny_items[i]);
        memcpy(item_bytes + item_offsets[i], tiny_items[i], n);
        item_offsets[i + 1] = item_offsets[i] + (int64_t)n;
    }
    struct pz_dataset data = {.user = {user_bytes, user_offsets, NULL, TINY_USERS, 6, 0},
                              .item = {item_bytes, item_offsets, NULL, TINY_ITEMS,
                                       (uint64_t)item_offsets[TINY_ITEMS], 0}};
    struct pz_events events = {.n_users = TINY_USERS,
                               .n_items = TINY_ITEMS,
                               .n = 4,
                               .offsets = offsets,
                               .item = item,
                               .time = time};
    struct pz_params params = {.def = none};
    struct pz_world world;
    struct pz_train train = {.events = &events, .params = &params, .world = &world};
    struct pz_tensors tensors;
    pz_world_of(&world, &data);
    if (pz_builder_new(&train.model, err))
        return err->status;
    t->builder = train.model;
    if (pz_model_begin(pz_recipe_find("aws-popularity-count"), &train, err) ||
        pz_builder_view(t->builder, &tensors, err) ||
        pz_model_open_tensors(&t->model, &tensors, err))
        return err->status;
    t->model.recipe->close(t->model.state);
    t->model.recipe = recipe;
    t->model.has_scores = recipe->has_scores;
    t->model.state = &t->model;
    return PZ_OK;
}

static inline void
tiny_release(struct tiny *t)
{
    pz_model_close(&t->model);
    pz_builder_free(t->builder);
}

#endif
