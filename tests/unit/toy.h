/* Small interactions in memory, as an opened dataset would show them. */
#ifndef PZ_TESTS_TOY_H
#define PZ_TESTS_TOY_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "recipe/events.h"

/* Users "u00000", "u00001", ..., items "i00000", ...; a row is (user, item, time),
 * grouped by user. Event types 0, 1, ... are "buy", "cart", "view"; value NaN is null. */
struct toy_row {
    uint32_t user, item;
    int64_t time;
    uint8_t type;
    float value;
};

static inline void
toy_ids(struct pz_ids *ids, char letter, uint32_t n)
{
    char *bytes = malloc((size_t)n * 6 + 7);
    int64_t *offsets = malloc(((size_t)n + 1) * sizeof *offsets);
    for (uint32_t i = 0; i < n; i++) {
        snprintf(bytes + (size_t)i * 6, 7, "%c%05u", letter, i % 100000);
        offsets[i] = (int64_t)i * 6;
    }
    offsets[n] = (int64_t)n * 6;
    *ids = (struct pz_ids){(uint8_t *)bytes, offsets, NULL, n, (uint64_t)n * 6, 0};
}

static inline void
toy_dataset(struct pz_dataset *d, uint32_t n_users, uint32_t n_items,
            const struct toy_row *row, size_t n)
{
    static struct pz_field field[] = {
        {.name = (char *)"TIMESTAMP", .type = PZ_LONG, .role = PZ_ROLE_TIMESTAMP},
        {.name = (char *)"EVENT_TYPE", .type = PZ_STRING, .role = PZ_ROLE_EVENT_TYPE},
        {.name = (char *)"EVENT_VALUE", .type = PZ_FLOAT, .role = PZ_ROLE_EVENT_VALUE},
    };
    static const char words[] = "buycartview";
    static const int64_t word_at[] = {0, 3, 7, 11};
    uint64_t *offsets = calloc((size_t)n_users + 1, sizeof *offsets);
    uint32_t *item = calloc(n + 1, sizeof *item);
    int64_t *time = calloc(n + 1, sizeof *time);
    uint8_t *type = calloc(n + 1, 1), *valid = calloc(n + 1, 1);
    float *value = calloc(n + 1, sizeof *value);
    for (size_t i = 0; i < n; i++) {
        offsets[row[i].user + 1]++;
        item[i] = row[i].item;
        time[i] = row[i].time;
        type[i] = row[i].type;
        valid[i] = row[i].value == row[i].value;
        value[i] = valid[i] ? row[i].value : 0;
    }
    for (uint32_t u = 0; u < n_users; u++)
        offsets[u + 1] += offsets[u];
    *d = (struct pz_dataset){
        .n_rows = n, .row_offsets = offsets, .row_item = item, .item_dtype = PZ_U32};
    d->file.path = (char *)"toy";
    toy_ids(&d->user, 'u', n_users);
    toy_ids(&d->item, 'i', n_items);
    d->column = calloc(3, sizeof *d->column);
    d->n_columns = 3;
    d->column[0] = (struct pz_column){field[0].name, &field[0], PZ_I64, time, NULL, {0}};
    d->column[1] = (struct pz_column){field[1].name, &field[1], PZ_U8, type, NULL, {0}};
    d->column[1].dict = (struct pz_ids){(const uint8_t *)words, word_at, NULL, 3, 11, 0};
    d->column[2] =
        (struct pz_column){field[2].name, &field[2], PZ_F32, value, valid, {0}};
}

static inline void
toy_release(struct pz_dataset *d)
{
    free((void *)(uintptr_t)d->row_offsets);
    free((void *)(uintptr_t)d->row_item);
    for (size_t i = 0; i < d->n_columns; i++) {
        free((void *)(uintptr_t)d->column[i].data);
        free((void *)(uintptr_t)d->column[i].valid);
    }
    free(d->column);
    free((void *)(uintptr_t)d->user.bytes);
    free((void *)(uintptr_t)d->user.offsets);
    free((void *)(uintptr_t)d->item.bytes);
    free((void *)(uintptr_t)d->item.offsets);
    *d = (struct pz_dataset){0};
}

/* Items "i00000", ... with a NAME, a KIND (categories) and a PRICE. */
static inline void
toy_items(struct pz_dataset *d, uint32_t n)
{
    static struct pz_field field[] = {
        {.name = (char *)"NAME", .type = PZ_STRING, .item_name = true},
        {.name = (char *)"KIND", .type = PZ_STRING, .categorical = true},
        {.name = (char *)"PRICE", .type = PZ_FLOAT},
    };
    static const char name[] = "blue lampgreen lampold chairred chairred lamp";
    static const int64_t name_at[] = {0, 9, 19, 28, 37, 45};
    static const char kind[] = "a|bbc";
    static const int64_t kind_at[] = {0, 3, 4, 5};
    uint8_t *code = calloc((size_t)n + 1, 1), *code_2 = calloc((size_t)n + 1, 1);
    float *price = calloc((size_t)n + 1, sizeof *price);
    for (uint32_t i = 0; i < n; i++) {
        code[i] = (uint8_t)(i % 5);
        code_2[i] = (uint8_t)(i * 7 % 3);
        price[i] = (float)(i * i % 101);
    }
    *d = (struct pz_dataset){.n_rows = n};
    d->file.path = (char *)"toy";
    for (int role = 0; role < PZ_N_ROLES; role++)
        d->schema.at[role] = -1;
    toy_ids(&d->item, 'i', n);
    d->column = calloc(3, sizeof *d->column);
    d->n_columns = 3;
    d->column[0] = (struct pz_column){field[0].name, &field[0], PZ_U8, code, NULL, {0}};
    d->column[0].dict = (struct pz_ids){(const uint8_t *)name, name_at, NULL, 5, 45, 0};
    d->column[1] = (struct pz_column){field[1].name, &field[1], PZ_U8, code_2, NULL, {0}};
    d->column[1].dict = (struct pz_ids){(const uint8_t *)kind, kind_at, NULL, 3, 5, 0};
    d->column[2] = (struct pz_column){field[2].name, &field[2], PZ_F32, price, NULL, {0}};
}

/* What items or users with these ids are: "A", "B" and "A|B" in turns, a category. At
 * most 1024 of them; needs no release. */
static inline void
toy_kinds(struct pz_dataset *d, const struct pz_ids *item, const struct pz_ids *user)
{
    static struct pz_field field = {
        .name = (char *)"KIND", .type = PZ_STRING, .categorical = true};
    static struct pz_column column;
    static const char words[] = "AA|BB";
    static const int64_t word_at[] = {0, 1, 4, 5};
    const struct pz_ids *ids = item ? item : user;
    static uint8_t code[1024];
    for (size_t i = 0; i < sizeof code; i++)
        code[i] = (uint8_t)(i % 3);
    column = (struct pz_column){field.name, &field, PZ_U8, code, NULL, {0}};
    column.dict = (struct pz_ids){(const uint8_t *)words, word_at, NULL, 3, 5, 0};
    *d = (struct pz_dataset){.n_rows = ids->n, .column = &column, .n_columns = 1};
    if (item)
        d->item = *item;
    if (user)
        d->user = *user;
}

/* Random events: user u has 0 to `most`, low items more often than high ones, repeats
 * too. */
static inline struct toy_row *
toy_random(uint64_t seed, uint32_t n_users, uint32_t n_items, uint32_t most, size_t *n)
{
    struct pz_rng rng;
    struct toy_row *row = calloc((size_t)n_users * most + 1, sizeof *row);
    pz_rng_seed(&rng, seed, 0);
    *n = 0;
    for (uint32_t u = 0; u < n_users; u++) {
        uint32_t len = (uint32_t)pz_rng_below(&rng, most + 1);
        for (uint32_t i = 0; i < len; i++) {
            double x = pz_rng_unit(&rng);
            row[*n] = (struct toy_row){.user = u,
                                       .item = (uint32_t)(x * x * x * n_items),
                                       .time = 1000 + (int64_t)*n,
                                       .type = (uint8_t)pz_rng_below(&rng, 3),
                                       .value = (float)pz_rng_below(&rng, 5)};
            ++*n;
        }
    }
    return row;
}

#endif
