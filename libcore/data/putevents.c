#include "data/putevents.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "data/json_cell.h"
#include "data/put_rows.h"

/* Keys that are no column. */
enum {
    KEY_UNKNOWN = -1,
    KEY_PROPERTIES = -2,
    KEY_ATTRIBUTION = -3,
    KEY_TRACKING = -4,
    KEY_LIST = -16, // minus the set
};

enum {
    GUESSES = 32,
    GUESS_NAME = 40,
    PATH = 256, // bytes of a key with those of the objects around it
};

/* Objects of one stream have their keys in one order: what the k-th was last time. */
struct guess {
    char name[GUESS_NAME];
    size_t n; // 0: none
    int slot;
    bool loose;
};

/* NESTED: a member of an object in a flat one, or a column of CSV. */
enum place { TOP, ELEMENT, PROPERTIES, NESTED, N_PLACES };

struct pz_put {
    struct pz_put_batch batch;
    struct pz_put_table table[PZ_N_SETS];
    struct guess guess[PZ_N_SETS][N_PLACES][GUESSES];
    struct pz_scan scan, inner; // inner: properties in a string
    struct pz_held held;        // texts of the line
    size_t cap_held;
    struct pz_cell *cell, *top; // as many as the widest table has slots
    bool *loose;                // those of top that a tidied name gave
    size_t n_loose;             // how many
    char path[PATH + 1];
    const char *line; // what is being read
    // What the top of the line told.
    enum pz_set list; // the set of its list, PZ_N_SETS: none
    size_t list_from, list_to;
    bool tracked;     // it has a tracking id
    char unknown[64]; // its first key that means nothing
};

/* ---- the reader ---- */

static int look_up(const struct pz_put *p, const struct pz_put_table *t, enum place place,
                   const char *key, size_t n, bool *loose);

/* What is to be a column is one. */
static int
check_naming(const struct pz_put *p, struct pz_err *err)
{
    const struct pz_put_table *t = &p->table[p->batch.o.set];
    const struct pz_naming *w = p->batch.o.naming;
    bool loose;
    for (size_t k = 0; w && k < w->n; k++)
        if (look_up(p, t, PROPERTIES, w->pair[k].name, strlen(w->pair[k].name), &loose) <
            0)
            return pz_err_set(err, PZ_USAGE,
                              "'%s' is to be %s, which is no column of the %s",
                              w->pair[k].input, w->pair[k].name, pz_set_name(t->set));
    return PZ_OK;
}

int
pz_put_new(struct pz_put **out, const struct pz_put_options *o, struct pz_err *err)
{
    struct pz_put *p;
    size_t most = 0;
    *out = NULL;
    if (pz_new(&p, 1, sizeof *p, "a reader of events", err))
        return err->status;
    pz_scan_init(&p->scan);
    pz_scan_init(&p->inner);
    p->batch.o = *o;
    int r = PZ_OK;
    for (int set = 0; set < PZ_N_SETS && !r; set++) {
        r = pz_put_table_init(&p->table[set], (enum pz_set)set, o->schema[set], err);
        if (p->table[set].n_slots > most)
            most = p->table[set].n_slots;
    }
    if (!r)
        r = pz_new(&p->cell, most, sizeof *p->cell, "columns", err);
    if (!r)
        r = pz_new(&p->top, most, sizeof *p->top, "columns", err);
    if (!r)
        r = pz_new(&p->loose, most, sizeof *p->loose, "columns", err);
    if (!r)
        r = check_naming(p, err);
    if (r) {
        pz_put_free(p);
        return r;
    }
    *out = p;
    return PZ_OK;
}

void
pz_put_free(struct pz_put *p)
{
    if (!p)
        return;
    for (int set = 0; set < PZ_N_SETS; set++)
        free(p->table[set].slot);
    pz_put_batch_release(&p->batch);
    pz_scan_release(&p->scan);
    pz_scan_release(&p->inner);
    free(p->held.text);
    free(p->cell);
    free(p->top);
    free(p->loose);
    free(p);
}

/* ---- keys ---- */

/* Slot or KEY_ of a key that was not seen at this place; *loose: as what is left of it
 * when it is tidied. */
static int
look_up(const struct pz_put *p, const struct pz_put_table *t, enum place place,
        const char *key, size_t n, bool *loose)
{
    static const struct {
        const char *key;
        int slot;
        unsigned places;
    } other[] = {
        {"properties", KEY_PROPERTIES, 1 << TOP | 1 << ELEMENT},
        {"metricattribution", KEY_ATTRIBUTION, 1 << TOP | 1 << ELEMENT},
        {"trackingid", KEY_TRACKING, 1 << TOP},
        {"eventlist", KEY_LIST - PZ_INTERACTIONS, 1 << TOP},
        {"items", KEY_LIST - PZ_ITEMS, 1 << TOP},
        {"users", KEY_LIST - PZ_USERS, 1 << TOP},
        {"actions", KEY_LIST - PZ_ACTIONS, 1 << TOP},
        {"actioninteractions", KEY_LIST - PZ_ACTION_INTERACTIONS, 1 << TOP},
    };
    const struct pz_naming *w = p->batch.o.naming;
    bool flat = place == TOP || place == NESTED;
    char folded[160], tidy[PZ_NAME_MAX];
    size_t named =
        w && flat && t->set == p->batch.o.set ? pz_naming_find(w, key, n) : SIZE_MAX;
    *loose = false;
    if (named != SIZE_MAX && named < w->n) {
        key = w->pair[named].name;
        n = strlen(key);
    }
    if (!pz_put_fold(folded, sizeof folded, key, n))
        return KEY_UNKNOWN;
    int slot = pz_put_find_slot(t, folded);
    for (size_t i = 0; i < sizeof other / sizeof *other && slot < 0; i++)
        if ((other[i].places & 1u << place) && strcmp(folded, other[i].key) == 0)
            return other[i].slot;
    if (slot >= 0 || !flat)
        return slot;
    *loose = true;
    n = pz_name_tidy(tidy, key, n);
    return pz_put_fold(folded, sizeof folded, tidy, n) ? pz_put_find_slot(t, folded)
                                                       : KEY_UNKNOWN;
}

static int
find_key(struct pz_put *p, const struct pz_put_table *t, enum place place, size_t k,
         const char *key, size_t n, bool *loose)
{
    struct guess *g = &p->guess[t->set][place][k % GUESSES];
    *loose = g->loose;
    if (n && g->n == n && memcmp(g->name, key, n) == 0)
        return g->slot;
    int slot = look_up(p, t, place, key, n, loose);
    if (n <= GUESS_NAME) {
        memcpy(g->name, key, n);
        g->n = n;
        g->slot = slot;
        g->loose = *loose;
    }
    return slot;
}

/* ---- values ---- */

static int
bad_json(const struct pz_scan *scan, struct pz_err *err)
{
    return pz_err_set(err, PZ_DATA, "%zu: is not valid JSON: %s", scan->at + 1,
                      scan->error);
}

/* May an array stand for several values of this slot? */
static bool
takes_array(const struct pz_put_slot *s, size_t slot)
{
    return slot == PUT_IMPRESSION || (slot >= N_PUT && s->field->type == PZ_STRING);
}

/* The value of a column. Clients that give one in an event and in its properties, too,
 * mean no harm: it may stand twice when both are the same. */
static int
read_value(struct pz_put *p, struct pz_scan *scan, const struct pz_put_table *t,
           size_t slot, struct pz_cell *cell, struct pz_err *err)
{
    const struct pz_put_slot *s = &t->slot[slot];
    struct pz_cell before = cell[slot];
    const char *why;
    if (!pz_json_cell(scan, &p->held, takes_array(s, slot), &cell[slot], &why))
        return why ? pz_err_set(err, PZ_DATA, "%s %s", s->name, why)
                   : bad_json(scan, err);
    if (before.kind != PZ_CELL_ABSENT &&
        (before.kind != cell[slot].kind || before.n != cell[slot].n ||
         (before.n && memcmp(before.s, cell[slot].s, before.n) != 0)))
        return pz_err_set(err, PZ_DATA, "%s stands twice, with different values",
                          s->name);
    return PZ_OK;
}

/* ---- objects ---- */

static int
skip(struct pz_scan *scan, struct pz_err *err)
{
    return pz_scan_skip(scan, pz_scan_next(scan)) ? PZ_OK : bad_json(scan, err);
}

/* The value of a column of p->top: one under a name of its own goes before one under a
 * name that had to be tidied, and of those the first. */
static int
read_flat(struct pz_put *p, struct pz_scan *scan, const struct pz_put_table *t,
          size_t slot, bool loose, struct pz_err *err)
{
    if (loose && p->top[slot].kind != PZ_CELL_ABSENT)
        return skip(scan, err);
    if (p->n_loose && p->loose[slot])
        p->top[slot].kind = PZ_CELL_ABSENT;
    if (loose || p->n_loose) {
        p->loose[slot] = loose;
        p->n_loose += loose;
    }
    return read_value(p, scan, t, slot, p->top, err);
}

static int read_nested(struct pz_put *p, struct pz_scan *scan,
                       const struct pz_put_table *t, size_t n_path, struct pz_err *err);

/* What stands under a key that is no column, p->path[0..n), and begins with tok: the
 * members of an object may be columns. */
static int
read_unknown(struct pz_put *p, struct pz_scan *scan, enum pz_tok tok,
             const struct pz_put_table *t, size_t n, struct pz_err *err)
{
    if (tok == PZ_TOK_OBJECT && n < PATH) {
        p->path[n] = '.';
        return read_nested(p, scan, t, n + 1, err);
    }
    if (!*p->unknown)
        snprintf(p->unknown, sizeof p->unknown, "%.*s", (int)(n < 60 ? n : 60), p->path);
    return pz_scan_skip(scan, tok) ? PZ_OK : bad_json(scan, err);
}

/* Puts a key behind p->path[0..n_path); the length of both, as far as there is room. */
static size_t
add_path(struct pz_put *p, size_t n_path, const char *key, size_t n)
{
    n = n < PATH - n_path ? n : PATH - n_path;
    memcpy(p->path + n_path, key, n);
    return n_path + n;
}

/* The members of an object in a flat one, whose '{' was read; p->path[0..n_path) goes
 * before their keys. As deep as the scanner lets it be. */
static int
read_nested(struct pz_put *p, struct pz_scan *scan, const struct pz_put_table *t,
            size_t n_path, struct pz_err *err)
{
    for (size_t k = n_path;; k++) { // by the path, so that objects differ in guesses
        enum pz_tok tok = pz_scan_next(scan);
        if (tok == PZ_TOK_ERROR)
            return bad_json(scan, err);
        if (tok == PZ_TOK_OBJECT_END)
            return PZ_OK;
        bool loose;
        size_t n = add_path(p, n_path, scan->s, scan->len);
        int slot = find_key(p, t, NESTED, k, p->path, n, &loose);
        if (slot >= 0 ? read_flat(p, scan, t, (size_t)slot, loose, err)
                      : read_unknown(p, scan, pz_scan_next(scan), t, n, err))
            return err->status;
    }
}

static void
warn_unknown(struct pz_put *p, const struct pz_put_table *t, const char *key, size_t n)
{
    pz_put_warn(&p->batch, "key '%.*s' is no column of the %s: ignored",
                (int)(n < 60 ? n : 60), key, pz_set_name(t->set));
}

/* The members of a properties object whose '{' was read. */
static int
read_properties(struct pz_put *p, struct pz_scan *scan, const struct pz_put_table *t,
                struct pz_cell *cell, struct pz_err *err)
{
    static const unsigned forbidden = 1u << PUT_USER | 1u << PUT_SESSION |
                                      1u << PUT_TYPE | 1u << PUT_TIME |
                                      1u << PUT_RECOMMENDATION | 1u << PUT_IMPRESSION;
    for (size_t k = 0;; k++) {
        enum pz_tok tok = pz_scan_next(scan);
        if (tok == PZ_TOK_ERROR)
            return bad_json(scan, err);
        if (tok == PZ_TOK_OBJECT_END)
            return PZ_OK;
        bool loose;
        int slot = find_key(p, t, PROPERTIES, k, scan->s, scan->len, &loose);
        if (slot >= 0 && slot < N_PUT && (!t->events || forbidden >> slot & 1))
            return pz_err_set(err, PZ_DATA, "properties must not hold '%.*s'",
                              (int)(scan->len < 60 ? scan->len : 60), scan->s);
        if (slot < 0)
            warn_unknown(p, t, scan->s, scan->len);
        if (slot < 0 ? skip(scan, err) : read_value(p, scan, t, (size_t)slot, cell, err))
            return err->status;
    }
}

/* The value of "properties": an object, or a string that holds one, as the SDKs send it.
 */
static int
take_properties(struct pz_put *p, struct pz_scan *scan, const struct pz_put_table *t,
                struct pz_cell *cell, struct pz_err *err)
{
    size_t max = t->events ? 1024 : t->set == PZ_USERS ? 24000 : 32000;
    enum pz_tok tok = pz_scan_next(scan);
    size_t from = scan->start;
    if (tok == PZ_TOK_NULL)
        return PZ_OK;
    if (tok == PZ_TOK_OBJECT) {
        if (read_properties(p, scan, t, cell, err))
            return err->status;
        return pz_put_length(&p->batch, "properties", p->line + from, scan->at - from,
                             max, err);
    }
    if (tok == PZ_TOK_ERROR)
        return bad_json(scan, err);
    if (tok != PZ_TOK_STRING)
        return pz_err_set(err, PZ_DATA,
                          "properties must be an object, or a string that holds one");
    const char *s = scan->s;
    size_t n = scan->len;
    if (s == scan->hold.data)
        s = pz_held_add(&p->held, s, n);
    if (n == 0)
        return PZ_OK;
    if (pz_put_length(&p->batch, "properties", s, n, max, err))
        return err->status;
    pz_scan_start(&p->inner, s, n);
    tok = pz_scan_next(&p->inner);
    if (tok != PZ_TOK_OBJECT)
        return pz_err_set(err, PZ_DATA, "Error parsing properties json: %s",
                          tok == PZ_TOK_ERROR ? p->inner.error : "it is no object");
    if (read_properties(p, &p->inner, t, cell, err)) {
        if (p->inner.error)
            return pz_err_set(err, PZ_DATA, "Error parsing properties json: %s",
                              p->inner.error);
        return err->status;
    }
    return pz_scan_next(&p->inner) == PZ_TOK_END
               ? PZ_OK
               : pz_err_set(err, PZ_DATA, "Error parsing properties json: %s",
                            p->inner.error);
}

/* The value of "metricAttribution": an object with eventAttributionSource. */
static int
take_attribution(struct pz_put *p, struct pz_scan *scan, const struct pz_put_table *t,
                 struct pz_cell *cell, struct pz_err *err)
{
    enum pz_tok tok = pz_scan_next(scan);
    if (tok == PZ_TOK_NULL)
        return PZ_OK;
    if (tok == PZ_TOK_ERROR)
        return bad_json(scan, err);
    if (tok != PZ_TOK_OBJECT)
        return pz_err_set(err, PZ_DATA, "metricAttribution must be an object");
    for (;;) {
        tok = pz_scan_next(scan);
        if (tok == PZ_TOK_ERROR)
            return bad_json(scan, err);
        if (tok == PZ_TOK_OBJECT_END)
            return PZ_OK;
        bool loose,
            source = look_up(p, t, ELEMENT, scan->s, scan->len, &loose) == PUT_SOURCE;
        if (source ? read_value(p, scan, t, PUT_SOURCE, cell, err) : skip(scan, err))
            return err->status;
    }
}

static int
take_tracking(struct pz_put *p, struct pz_scan *scan, struct pz_err *err)
{
    const struct pz_put_options *o = &p->batch.o;
    enum pz_tok tok = pz_scan_next(scan);
    p->tracked = true;
    if (tok == PZ_TOK_ERROR)
        return bad_json(scan, err);
    if (tok != PZ_TOK_STRING)
        return pz_err_set(err, PZ_DATA, "trackingId must be a string");
    for (size_t i = 0; i < o->n_tracking_ids; i++)
        if (strlen(o->tracking_id[i]) == scan->len &&
            memcmp(o->tracking_id[i], scan->s, scan->len) == 0)
            return PZ_OK;
    if (!o->n_tracking_ids && !o->strict)
        return PZ_OK;
    return pz_err_set(err, PZ_DATA, "trackingId '%.*s' is not of this group",
                      (int)(scan->len < 60 ? scan->len : 60), scan->s);
}

/* The list of a request: where it stands; it is read when the rest is known. An object
 * is none: its key, p->path[0..n), is like any other. */
static int
take_list(struct pz_put *p, struct pz_scan *scan, const struct pz_put_table *t,
          enum pz_set set, size_t n, struct pz_err *err)
{
    enum pz_tok tok = pz_scan_next(scan);
    size_t from = scan->start;
    if (tok == PZ_TOK_ARRAY) {
        if (p->list != PZ_N_SETS)
            return pz_err_set(err, PZ_DATA, "the request has two lists");
        p->list = set;
        p->list_from = from;
    }
    if (tok == PZ_TOK_OBJECT)
        return read_unknown(p, scan, tok, t, n, err);
    if (!pz_scan_skip(scan, tok))
        return bad_json(scan, err);
    if (tok == PZ_TOK_ARRAY)
        p->list_to = scan->at;
    return PZ_OK;
}

/* What stands under a key that is no column, at the top of a line or in a list. */
static int
pass_over(struct pz_put *p, struct pz_scan *scan, const struct pz_put_table *t,
          enum place place, struct pz_err *err)
{
    bool arn = scan->len == 10 && memcmp(scan->s, "datasetArn", 10) == 0;
    if (place == TOP && !arn) {
        size_t n = add_path(p, 0, scan->s, scan->len);
        return read_unknown(p, scan, pz_scan_next(scan), t, n, err);
    }
    if (!arn)
        warn_unknown(p, t, scan->s, scan->len);
    return skip(scan, err);
}

/* The members of an object whose '{' was read. */
static int
read_object(struct pz_put *p, struct pz_scan *scan, const struct pz_put_table *t,
            enum place place, struct pz_cell *cell, struct pz_err *err)
{
    for (size_t k = 0;; k++) {
        enum pz_tok tok = pz_scan_next(scan);
        if (tok == PZ_TOK_ERROR)
            return bad_json(scan, err);
        if (tok == PZ_TOK_OBJECT_END)
            return PZ_OK;
        bool loose;
        int r, slot = find_key(p, t, place, k, scan->s, scan->len, &loose);
        if (slot >= 0 && place == TOP) {
            r = read_flat(p, scan, t, (size_t)slot, loose, err);
        } else if (slot >= 0) {
            r = read_value(p, scan, t, (size_t)slot, cell, err);
        } else if (slot == KEY_PROPERTIES) {
            r = take_properties(p, scan, t, cell, err);
        } else if (slot == KEY_ATTRIBUTION && t->events) {
            r = take_attribution(p, scan, t, cell, err);
        } else if (slot == KEY_TRACKING) {
            r = take_tracking(p, scan, err);
        } else if (slot <= KEY_LIST) {
            size_t n = add_path(p, 0, scan->s, scan->len);
            r = take_list(p, scan, t, (enum pz_set)(KEY_LIST - slot), n, err);
        } else {
            r = pass_over(p, scan, t, place, err);
        }
        if (r)
            return r;
    }
}

static void
clear_cells(struct pz_cell *cell, const struct pz_put_table *t)
{
    for (size_t i = 0; i < t->n_slots; i++)
        cell[i] = (struct pz_cell){"", 0, PZ_CELL_ABSENT};
}

/* The top of a line, as an object of the set. */
static int
read_top(struct pz_put *p, const char *text, size_t n, enum pz_set set,
         struct pz_err *err)
{
    struct pz_scan *scan = &p->scan;
    const struct pz_put_table *t = &p->table[set];
    p->held.n = 0;
    p->list = PZ_N_SETS;
    p->tracked = false;
    *p->unknown = '\0';
    clear_cells(p->top, t);
    if (p->n_loose)
        memset(p->loose, 0, t->n_slots * sizeof *p->loose);
    p->n_loose = 0;
    pz_scan_start(scan, text, n);
    enum pz_tok tok = pz_scan_next(scan);
    if (tok == PZ_TOK_ERROR)
        return bad_json(scan, err);
    if (tok != PZ_TOK_OBJECT)
        return pz_err_set(err, PZ_DATA, "1: is not a JSON object");
    if (read_object(p, scan, t, TOP, p->top, err))
        return err->status;
    return pz_scan_next(scan) == PZ_TOK_END ? PZ_OK : bad_json(scan, err);
}

/* ---- lines ---- */

static int
need_dataset(const struct pz_put_table *t, struct pz_err *err)
{
    if (t->schema || t->set == PZ_INTERACTIONS || t->set == PZ_ACTION_INTERACTIONS)
        return PZ_OK;
    const char *name = pz_set_name(t->set);
    return pz_err_set(err, PZ_DATA,
                      "the group has no dataset '%s': make it with pz-import -t %s", name,
                      name);
}

/* The elements of the list that read_top found. */
static int
read_list(struct pz_put *p, const char *text, struct pz_err *err)
{
    struct pz_scan *scan = &p->scan;
    const struct pz_put_table *t = &p->table[p->list];
    size_t n = 0;
    pz_scan_start(scan, text + p->list_from, p->list_to - p->list_from);
    pz_scan_next(scan); // '['
    for (;; n++) {
        enum pz_tok tok = pz_scan_next(scan);
        if (tok == PZ_TOK_ARRAY_END)
            break;
        if (tok != PZ_TOK_OBJECT)
            return pz_err_set(err, PZ_DATA, "element %zu of the list is no object",
                              n + 1);
        size_t from = scan->start;
        p->line = text + p->list_from;
        clear_cells(p->cell, t);
        int r = read_object(p, scan, t, ELEMENT, p->cell, err);
        for (int k = PUT_USER; k <= PUT_SESSION && t->events && !r; k++)
            if (p->cell[k].kind == PZ_CELL_ABSENT)
                p->cell[k] = p->top[k];
        if (!r)
            r = pz_put_length(&p->batch, "an event or record", p->line + from,
                              scan->at - from, t->events ? 10240 : 40000, err);
        if (!r)
            r = pz_put_row(&p->batch, t, p->cell, true, err);
        if (r)
            return pz_err_prefix(err, "element %zu of the list: ", n + 1);
    }
    if (n == 0)
        return pz_err_set(err, PZ_DATA, "the list is empty");
    if (n > 10)
        return pz_put_limit(&p->batch, err,
                            "the list has %zu elements; at most 10 are allowed", n);
    return PZ_OK;
}

static int
read_line(struct pz_put *p, const char *text, size_t n, struct pz_err *err)
{
    enum pz_set set = p->batch.o.set;
    size_t need;
    // An escaped text, such texts inside it, and separators where the line has commas.
    if (!pz_size_mul(n, 3, &need) || !pz_size_add(need, 64, &need) || n > PZ_ROW_MAX)
        return pz_err_set(err, PZ_DATA, "is longer than 16 MiB");
    if (pz_grow(&p->held.text, &p->cap_held, need, 1, "an event", err))
        return err->status;
    p->line = text;
    int r = read_top(p, text, n, set, err);
    // The list tells what the line is about; its other keys are then read as such.
    if (p->list != PZ_N_SETS && p->list != set)
        r = read_top(p, text, n, p->list, err);
    if (r)
        return r;
    if (*p->unknown)
        warn_unknown(p, &p->table[p->list == PZ_N_SETS ? set : p->list], p->unknown,
                     strlen(p->unknown));
    if (p->list == PZ_N_SETS) {
        r = need_dataset(&p->table[set], err);
        return r ? r : pz_put_row(&p->batch, &p->table[set], p->top, false, err);
    }
    if (need_dataset(&p->table[p->list], err))
        return err->status;
    if (p->table[p->list].events && !p->tracked && p->batch.o.strict)
        return pz_err_set(err, PZ_DATA, "trackingId is missing (--strict)");
    return read_list(p, text, err);
}

int
pz_put_line(struct pz_put *p, const char *text, size_t n, const char *name, uint64_t line,
            struct pz_err *err)
{
    size_t before = p->batch.n;
    p->batch.name = name;
    p->batch.line = line;
    int r = read_line(p, text, n, err);
    if (r)
        p->batch.n = before;
    return r;
}

/* ---- CSV ---- */

/* Every name of the naming stands in the header. */
static int
find_named(const struct pz_put *p, const struct pz_cell *name, size_t n,
           struct pz_err *err)
{
    const struct pz_naming *w = p->batch.o.naming;
    for (size_t k = 0; w && k < w->n; k++) {
        size_t c = 0;
        while (c < n && pz_naming_find(w, name[c].s, name[c].n) != k)
            c++;
        if (c == n)
            return pz_err_set(err, PZ_DATA, "there is no column '%s', which was to be %s",
                              w->pair[k].input, w->pair[k].name);
    }
    return PZ_OK;
}

int
pz_put_header(struct pz_put *p, const struct pz_cell *name, size_t n, int *slot,
              const char *file, struct pz_err *err)
{
    const struct pz_put_table *t = &p->table[p->batch.o.set];
    p->batch.name = file;
    p->batch.line = 1;
    if (need_dataset(t, err))
        return err->status;
    clear_cells(p->cell, t);
    if (find_named(p, name, n, err))
        return err->status;
    for (size_t c = 0; c < n; c++) {
        bool loose;
        slot[c] = look_up(p, t, NESTED, name[c].s, name[c].n, &loose);
        if (slot[c] < 0 || loose)
            continue;
        if (p->cell[slot[c]].kind != PZ_CELL_ABSENT)
            return pz_err_set(err, PZ_DATA, "%zu: column '%s' stands twice", c + 1,
                              t->slot[slot[c]].name);
        p->cell[slot[c]].kind = PZ_CELL_NULL;
    }
    for (size_t c = 0; c < n; c++) { // tidied names get what is left
        bool loose;
        int k = look_up(p, t, NESTED, name[c].s, name[c].n, &loose);
        if (k >= 0 && loose)
            slot[c] = p->cell[k].kind == PZ_CELL_ABSENT ? k : -1;
        if (k >= 0 && slot[c] >= 0)
            p->cell[k].kind = PZ_CELL_NULL;
        if (slot[c] < 0)
            pz_put_warn(&p->batch, "column '%.*s' is none of the %s: ignored",
                        (int)(name[c].n < 60 ? name[c].n : 60), name[c].s,
                        pz_set_name(t->set));
    }
    if (p->cell[PUT_ITEM].kind == PZ_CELL_ABSENT)
        return pz_err_set(err, PZ_DATA, "the header has no column '%s'",
                          t->slot[PUT_ITEM].name);
    if (t->events && p->cell[PUT_USER].kind == PZ_CELL_ABSENT &&
        p->cell[PUT_SESSION].kind == PZ_CELL_ABSENT)
        return pz_err_set(err, PZ_DATA,
                          "the header has neither 'USER_ID' nor 'SESSION_ID'");
    clear_cells(p->cell, t);
    return PZ_OK;
}

struct pz_cell *
pz_put_cells(struct pz_put *p, size_t *n_cells)
{
    *n_cells = p->table[p->batch.o.set].n_slots;
    return p->cell;
}

int
pz_put_record(struct pz_put *p, const char *name, uint64_t line, struct pz_err *err)
{
    p->batch.name = name;
    p->batch.line = line;
    return pz_put_row(&p->batch, &p->table[p->batch.o.set], p->cell, false, err);
}

/* ---- rows ---- */

const struct pz_put_row *
pz_put_rows(const struct pz_put *p, size_t *n)
{
    *n = p->batch.n;
    return p->batch.row;
}

void
pz_put_clear(struct pz_put *p)
{
    pz_put_batch_clear(&p->batch);
}
