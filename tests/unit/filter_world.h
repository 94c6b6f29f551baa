/*
 * filter_world: a small group for tests of filters, as tables of text from which both the
 * datasets (by pz-import's own code) and the naive interpreter (naive_filter.h) read. An
 * empty string is a missing value.
 *
 *   items   i1-i9; i7 has next to no values; "i9" was never touched
 *   users   u1-u4; u4 did nothing, u5 is in no users dataset
 *   events  also with "x1", which is in no items dataset
 */
#ifndef PZ_TESTS_FILTER_WORLD_H
#define PZ_TESTS_FILTER_WORLD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/import.h"
#include "filter/group.h"

enum { WORLD_FIELDS = 16 };

/* Types: s string, S categorical, T textual, i int, l long, f float, d double, b boolean.
 */
struct world_field {
    const char *name;
    char type;
    bool null;
};

struct world_table {
    enum pz_set set;
    const char *record;
    struct world_field field[WORLD_FIELDS];
    const char *const (*row)[WORLD_FIELDS];
    size_t n_rows;
};

static const char *const world_items[][WORLD_FIELDS] = {
    {"i1", "drama|comedy", "shoes", "boots", "10", "1979", "3", "0", "R", "true", "1000",
     "x", "", "-5", "0.1", "words of i1"},
    {"i2", "comedy", "shoes", "sandals", "20.5", "1980", "0", "1", "PG", "false", "2000",
     "y", "y", "9007199254740993", "0.2", ""},
    {"i3", "horror", "bags", "", "30", "1985", "0", "0", "", "true", "3000", "x|y", "n",
     "0", "1e300", "words of i3"},
    {"i4", "", "cold food", "boots", "", "1989", "7", "0", "R", "", "4000", "z", "y", "1",
     "-0.5", "more"},
    {"i5", "horror|drama|comedy", "hot food", "", "5.25", "1990", "1", "1", "G", "false",
     "5000", "x", "", "255", "3", ""},
    {"i6", "Drama", "SHOES", "boots", "10", "1980", "0", "0", "R", "true", "6000", "", "",
     "-300", "2.5", ""},
    {"i7", "", "", "", "", "", "", "", "", "", "", "", "", "", "", ""},
    {"i8", "west|ern||", "bags", "boots|bags", "0", "2020", "-1", "0", "*", "false",
     "1700000000", "y", "y", "70000", "0", "x"},
    {"i9", "drama", "shoes", "sandals", "99.99", "1999", "2", "1", "$G", "true", "7000",
     "Japan購入", "n", "5000000000", "1e-5", ""},
};

static const char *const world_users[][WORLD_FIELDS] = {
    {"u1", "25", "kids", "gold", "England", "1", "true"},
    {"u2", "12", "kids", "silver", "Japan購入", "2.5", "false"},
    {"u3", "", "", "", "", "", ""},
    {"u4", "70", "adult", "gold|silver", "France", "-1", "true"},
};

static const char *const world_events[][WORLD_FIELDS] = {
    {"u1", "i1", "100", "view", "", "phone"},
    {"u1", "i1", "200", "Purchase", "9.5", ""},
    {"u1", "i2", "150", "VIEW", "", "tablet"},
    {"u1", "i3", "300", "watch", "0.5", "phone"},
    {"u1", "x1", "310", "purchase", "3", "phone"},
    {"u1", "i5", "320", "fav", "", ""},
    {"u1", "i6", "50", "view", "", "phone"},
    {"u1", "i7", "330", "bookmark", "", "tablet"},
    {"u2", "i1", "110", "click", "1", "phone"},
    {"u2", "i4", "400", "rating", "4", "tablet"},
    {"u2", "i4", "410", "click", "", "phone"},
    {"u2", "i8", "90", "Click", "", ""},
    {"u3", "i8", "500", "purchase", "2", "tablet"},
    {"u3", "i8", "500", "view", "", "phone"},
    {"u5", "i2", "600", "purchase", "7", "phone"},
    {"u5", "i3", "610", "", "", ""},
};

static const char *const world_actions[][WORLD_FIELDS] = {
    {"a1", "10", "100", "5", "join"},
    {"a2", "20", "", "", "app"},
    {"a3", "", "", "1", "join|app"},
};

static const char *const world_action_events[][WORLD_FIELDS] = {
    {"u1", "a1", "100", "taken"},
    {"u1", "a2", "110", "viewed"},
    {"u2", "a3", "120", "Taken"},
};

#define WORLD_ROWS(t) (t), sizeof(t) / sizeof *(t)

static const struct world_table world_tables[] = {
    {PZ_ITEMS,
     "Items",
     {{"ITEM_ID", 's', false},
      {"GENRES", 'S', true},
      {"CATEGORY_L1", 'S', true},
      {"CATEGORY_L2", 'S', true},
      {"PRICE", 'f', true},
      {"YEAR", 'i', true},
      {"STOCK", 'i', true},
      {"PREORDER", 'i', true},
      {"RATING", 's', true},
      {"ACTIVE", 'b', true},
      {"CREATION_TIMESTAMP", 'l', true},
      {"A", 'S', true},
      {"B", 's', true},
      {"BIG", 'l', true},
      {"REAL", 'd', true},
      {"PRODUCT_DESCRIPTION", 'T', true}},
     WORLD_ROWS(world_items)},
    {PZ_USERS,
     "Users",
     {{"USER_ID", 's', false},
      {"AGE", 'i', true},
      {"PLAN", 'S', true},
      {"MEMBERSHIP", 'S', true},
      {"COUNTRY", 'S', true},
      {"TIER", 'd', true},
      {"ADULT", 'b', true}},
     WORLD_ROWS(world_users)},
    {PZ_INTERACTIONS,
     "Interactions",
     {{"USER_ID", 's', false},
      {"ITEM_ID", 's', false},
      {"TIMESTAMP", 'l', false},
      {"EVENT_TYPE", 's', true},
      {"EVENT_VALUE", 'f', true},
      {"DEVICE", 'S', true}},
     WORLD_ROWS(world_events)},
    {PZ_ACTIONS,
     "Actions",
     {{"ACTION_ID", 's', false},
      {"VALUE", 'l', true},
      {"EXPIRATION_TIMESTAMP", 'l', true},
      {"REPEAT_FREQUENCY", 'l', true},
      {"KIND", 'S', true}},
     WORLD_ROWS(world_actions)},
    {PZ_ACTION_INTERACTIONS,
     "ActionInteractions",
     {{"USER_ID", 's', false},
      {"ACTION_ID", 's', false},
      {"TIMESTAMP", 'l', false},
      {"EVENT_TYPE", 's', false}},
     WORLD_ROWS(world_action_events)},
};
enum { WORLD_TABLES = sizeof world_tables / sizeof *world_tables };

static inline const struct world_table *
world_table(enum pz_set set)
{
    for (size_t i = 0; i < WORLD_TABLES; i++)
        if (world_tables[i].set == set)
            return &world_tables[i];
    return NULL;
}

static inline void
world_write_schema(FILE *f, const struct world_table *t)
{
    static const char *const type[128] = {
        ['s'] = "string", ['S'] = "string", ['T'] = "string", ['i'] = "int",
        ['l'] = "long",   ['f'] = "float",  ['d'] = "double", ['b'] = "boolean",
    };
    fprintf(f,
            "{\"type\":\"record\",\"name\":\"%s\",\"version\":\"1.0\","
            "\"namespace\":\"com.amazonaws.personalize.schema\",\"fields\":[",
            t->record);
    for (size_t i = 0; i < WORLD_FIELDS && t->field[i].name; i++) {
        const struct world_field *w = &t->field[i];
        const char *name = type[(unsigned char)w->type];
        fprintf(f, "%s{\"name\":\"%s\",\"type\":", i ? "," : "", w->name);
        fprintf(f, w->null ? "[\"null\",\"%s\"]" : "\"%s\"", name);
        fprintf(f, "%s}",
                w->type == 'S'   ? ",\"categorical\":true"
                : w->type == 'T' ? ",\"textual\":true"
                                 : "");
    }
    fprintf(f, "]}\n");
}

static inline void
world_write_rows(FILE *f, const struct world_table *t)
{
    for (size_t i = 0; i < WORLD_FIELDS && t->field[i].name; i++)
        fprintf(f, "%s%s", i ? "," : "", t->field[i].name);
    for (size_t r = 0; r < t->n_rows; r++)
        for (size_t i = 0; i < WORLD_FIELDS && t->field[i].name; i++)
            fprintf(f, "%s%s", i ? "," : "\n", t->row[r][i]);
    fprintf(f, "\n");
}

static inline int
world_import(const char *dir, const struct world_table *t, struct pz_err *err)
{
    char csv[256], schema[256];
    snprintf(csv, sizeof csv, "%s/data.csv", dir);
    snprintf(schema, sizeof schema, "%s/schema.json", dir);
    FILE *f = fopen(csv, "w"), *g = fopen(schema, "w");
    if (!f || !g)
        abort();
    world_write_rows(f, t);
    world_write_schema(g, t);
    if (fclose(f) || fclose(g))
        abort();
    const char *path[] = {csv};
    struct pz_import p = {.group = dir,
                          .set = t->set,
                          .schema_path = schema,
                          .path = path,
                          .n_paths = 1,
                          .threads = 1};
    struct pz_import_result result = {0};
    int status = pz_import_run(&p, &result, err);
    pz_import_result_release(&result);
    unlink(csv);
    unlink(schema);
    return status;
}

/* Makes the group in a directory that is gone again when it returns. */
static inline int
world_open(struct pz_filter_group *group, struct pz_err *err)
{
    char dir[] = "/tmp/pz-test-filter-XXXXXX", command[64];
    if (!mkdtemp(dir))
        abort();
    for (size_t i = 0; i < WORLD_TABLES && !err->status; i++)
        world_import(dir, &world_tables[i], err);
    if (!err->status)
        pz_filter_group_open(group, dir, err);
    snprintf(command, sizeof command, "rm -r %s", dir);
    if (system(command))
        abort();
    return err->status;
}

/* What an expression is asked about: all of its subject that the catalogue has or, with
 * `touched`, all that events have. */
static inline const struct pz_ids *
world_candidates(const struct pz_filter_group *group, const struct pz_filter *f,
                 bool touched)
{
    const struct pz_dataset *const *set = group->data.set;
    switch (pz_filter_subject(f)) {
    case PZ_SUBJECT_USER:
        return touched ? &set[PZ_INTERACTIONS]->user : &set[PZ_USERS]->user;
    case PZ_SUBJECT_ACTION:
        return touched ? &set[PZ_ACTION_INTERACTIONS]->item : &set[PZ_ACTIONS]->item;
    default:
        return touched ? &set[PZ_INTERACTIONS]->item : &set[PZ_ITEMS]->item;
    }
}

#endif
