/*
 * Bodies, flat lines and CSV: whatever comes in, a line gives whole rows or none, rows
 * hold what the store needs (ids, valid UTF-8, properties that are JSON), and they do
 * not depend on what was read before.
 */
#include "base/buf.h"
#include "base/json.h"
#include "data/csv.h"
#include "data/putevents.h"
#include "fuzz.h"

static struct pz_field event_fields[] = {
    {.name = (char[]){"USER_ID"}, .role = PZ_ROLE_USER},
    {.name = (char[]){"ITEM_ID"}, .role = PZ_ROLE_ITEM},
    {.name = (char[]){"TIMESTAMP"}, .type = PZ_LONG, .role = PZ_ROLE_TIMESTAMP},
    {.name = (char[]){"NUM_SEEN"}, .type = PZ_INT, .nullable = true},
    {.name = (char[]){"HD"}, .type = PZ_BOOLEAN, .nullable = true},
    {.name = (char[]){"TAGS"}, .type = PZ_STRING, .nullable = true},
};
static struct pz_field item_fields[] = {
    {.name = (char[]){"ITEM_ID"}, .role = PZ_ROLE_ITEM},
    {.name = (char[]){"PRICE"}, .type = PZ_DOUBLE},
    {.name = (char[]){"CREATION_TIMESTAMP"},
     .type = PZ_LONG,
     .role = PZ_ROLE_CREATION,
     .nullable = true},
};
static const struct pz_schema events = {
    .set = PZ_INTERACTIONS, .field = event_fields, .n_fields = 6};
static const struct pz_schema items = {
    .set = PZ_ITEMS, .field = item_fields, .n_fields = 3};

static void
add(struct pz_buf *b, const char *s)
{
    require(!s || pz_utf8_valid(s, strlen(s)) == strlen(s));
    pz_buf_addz(b, s ? s : "-");
    pz_buf_addc(b, '\n');
}

/* Checks row k on and appends it as text. */
static void
check_rows(const struct pz_put *p, size_t k, struct pz_buf *out)
{
    struct pz_err err = PZ_ERR_INIT;
    size_t n;
    const struct pz_put_row *row = pz_put_rows(p, &n);
    for (; k < n; k++) {
        const struct pz_event *e = &row[k].event;
        bool event =
            row[k].set == PZ_INTERACTIONS || row[k].set == PZ_ACTION_INTERACTIONS;
        const char *text[] = {e->id,     e->user,       e->session,
                              e->item,   e->type,       e->recommendation,
                              e->source, e->impression, e->properties};
        require(e->item && *e->item);
        require(!event || e->user || e->session);
        require(event || e->properties);
        for (size_t i = 0; i < sizeof text / sizeof *text; i++)
            add(out, text[i]);
        pz_buf_add_i64(out, e->time);
        pz_buf_addf(out, " %d %a\n", e->has_value, e->value);
        if (e->properties) {
            pz_json *tree;
            require(pz_json_parse(&tree, e->properties, strlen(e->properties), &err) ==
                    0);
            require(pz_json_is_object(tree));
            pz_json_free(tree);
        }
    }
}

static void
read_line(struct pz_put *p, const char *text, size_t n, struct pz_buf *out)
{
    struct pz_err err = PZ_ERR_INIT;
    size_t before, after;
    pz_put_rows(p, &before);
    int r = pz_put_line(p, text, n, "f", 1, &err);
    pz_put_rows(p, &after);
    require(r == PZ_OK ? after > before : after == before && r == PZ_DATA);
    if (r)
        add(out, err.msg);
    check_rows(p, before, out);
}

static void
read_csv(struct pz_put *p, const char *text, size_t n, struct pz_buf *out)
{
    enum { COLUMNS = 64 };
    struct pz_err err = PZ_ERR_INIT;
    struct pz_cell name[COLUMNS];
    struct pz_row_at at;
    struct pz_csv *csv;
    int slot[COLUMNS];
    size_t found, n_cells, before;
    enum pz_row r;
    require(pz_csv_new(&csv, &err) == PZ_OK);
    pz_csv_start(csv, text, n, 1, NULL, COLUMNS);
    if (pz_csv_next(csv, name, COLUMNS, &found, &at) == PZ_ROW &&
        pz_put_header(p, name, found, slot, "f", &err) == PZ_OK) {
        size_t from = (size_t)(at.raw + at.n_raw - text);
        struct pz_cell *cell = pz_put_cells(p, &n_cells);
        pz_csv_start(csv, text + from, n - from, 2, slot, found);
        while ((r = pz_csv_next(csv, cell, n_cells, NULL, &at)) != PZ_ROW_END) {
            pz_put_rows(p, &before);
            if (r == PZ_ROW)
                pz_put_record(p, "f", at.line, &err);
            check_rows(p, before, out);
        }
    }
    pz_csv_free(csv);
}

/* The first byte tells the set, whether limits are errors and whether there are other
 * names, the second whether it is
 * CSV. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char *const id = "id";
    if (n < 2)
        return 0;
    setenv("PZ_NOW", "1700000000", 1); // the time of events without one
    static const struct pz_naming_pair pair = {"who.id", "ITEM_ID"};
    static const struct pz_naming naming = {&pair, 1};
    struct pz_put_options o = {
        .set = (enum pz_set)(data[0] % PZ_N_SETS),
        .naming = data[0] & 128 && data[0] % PZ_N_SETS != PZ_USERS ? &naming : NULL,
        .strict = data[0] & 64,
        .schema = {[PZ_INTERACTIONS] = &events, [PZ_ITEMS] = &items},
        .tracking_id = &id,
        .n_tracking_ids = data[0] & 32 ? 1 : 0};
    struct pz_err err = PZ_ERR_INIT;
    struct pz_buf once = PZ_BUF_INIT, again = PZ_BUF_INIT;
    struct pz_put *p;
    const char *text = (const char *)data + 2;
    require(pz_put_new(&p, &o, &err) == PZ_OK);
    for (int pass = 0; pass < 2; pass++) {
        struct pz_buf *out = pass ? &again : &once;
        if (data[1] == 'c') {
            read_csv(p, text, n - 2, out);
        } else {
            for (size_t from = 0; from < n - 2;) {
                const char *feed = memchr(text + from, '\n', n - 2 - from);
                size_t to = feed ? (size_t)(feed - text) : n - 2;
                read_line(p, text + from, to - from, out);
                from = to + 1;
            }
        }
        if (pass == 0)
            pz_put_clear(p);
    }
    require(once.len == again.len &&
            (!once.len || !memcmp(once.data, again.data, once.len)));
    pz_buf_release(&once);
    pz_buf_release(&again);
    pz_put_free(p);
    return 0;
}
