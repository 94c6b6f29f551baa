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

enum { GUESSES = 32, GUESS_NAME = 40 };

/* Objects of one stream have their keys in one order: what the k-th was last time. */
struct guess {
    char name[GUESS_NAME];
    size_t n; // 0: none
    int slot;
};

enum place { TOP, ELEMENT, PROPERTIES, N_PLACES };

struct pz_put {
    struct pz_put_batch batch;
    struct pz_put_table table[PZ_N_SETS];
    struct guess guess[PZ_N_SETS][N_PLACES][GUESSES];
    struct pz_scan scan, inner; // inner: properties in a string
    struct pz_held held;        // texts of the line
    size_t cap_held;
    struct pz_cell *cell, *top; // as many as the widest table has slots
    const char *line;           // what is being read
    // What the top of the line told.
    enum pz_set list; // the set of its list, PZ_N_SETS: none
    size_t list_from, list_to;
    bool tracked;     // it has a tracking id
    char unknown[64]; // its first key that means nothing
};

/* ---- tables ---- */

/* Lower case, without '_'; false when it is too long for any name. */
static bool
fold(char *out, size_t cap, const char *s, size_t n)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '_')
            continue;
        if (len + 1 >= cap)
            return false;
        out[len++] = s[i] >= 'A' && s[i] <= 'Z' ? (char)(s[i] + 32) : s[i];
    }
    out[len] = '\0';
    return len > 0;
}

static const char *const event_slots[N_PUT] = {"EVENT_ID",   "USER_ID",
                                               "SESSION_ID", "ITEM_ID",
                                               "EVENT_TYPE", "EVENT_VALUE",
                                               "TIMESTAMP",  "RECOMMENDATION_ID",
                                               "IMPRESSION", "EVENT_ATTRIBUTION_SOURCE"};

/* What the schema calls one of the fixed slots. */
static int
fixed_slot(enum pz_set set, enum pz_role role)
{
    static const int slot[PZ_N_ROLES] = {
        [PZ_ROLE_USER] = PUT_USER,
        [PZ_ROLE_ITEM] = PUT_ITEM,
        [PZ_ROLE_ACTION] = PUT_ITEM,
        [PZ_ROLE_TIMESTAMP] = PUT_TIME,
        [PZ_ROLE_EVENT_TYPE] = PUT_TYPE,
        [PZ_ROLE_EVENT_VALUE] = PUT_VALUE,
        [PZ_ROLE_IMPRESSION] = PUT_IMPRESSION,
        [PZ_ROLE_RECOMMENDATION] = PUT_RECOMMENDATION,
        [PZ_ROLE_ATTRIBUTION] = PUT_SOURCE,
    };
    if (set == PZ_INTERACTIONS || set == PZ_ACTION_INTERACTIONS)
        return role != PZ_ROLE_NONE && role != PZ_ROLE_CREATION ? slot[role] : -1;
    enum pz_role id = set == PZ_ITEMS   ? PZ_ROLE_ITEM
                      : set == PZ_USERS ? PZ_ROLE_USER
                                        : PZ_ROLE_ACTION;
    return role == id ? PUT_ITEM : -1;
}

static int
table_init(struct pz_put_table *t, enum pz_set set, const struct pz_schema *schema,
           struct pz_err *err)
{
    static const char *const ids[PZ_N_SETS] = {"ITEM_ID", "ITEM_ID", "USER_ID",
                                               "ACTION_ID", "ACTION_ID"};
    size_t n_fields = schema ? schema->n_fields : 0;
    *t = (struct pz_put_table){.set = set, .schema = schema, .n_slots = N_PUT};
    t->events = set == PZ_INTERACTIONS || set == PZ_ACTION_INTERACTIONS;
    if (pz_new(&t->slot, N_PUT + n_fields, sizeof *t->slot, "columns", err))
        return err->status;
    for (int i = 0; i < N_PUT; i++) {
        struct pz_put_slot *s = &t->slot[i];
        s->name = i == PUT_ITEM ? ids[set] : event_slots[i];
        if (t->events || i == PUT_ITEM)
            fold(s->key, sizeof s->key, s->name, strlen(s->name));
    }
    for (size_t f = 0; f < n_fields; f++) {
        const struct pz_field *field = &schema->field[f];
        int fixed = fixed_slot(set, field->role);
        struct pz_put_slot *s = &t->slot[fixed < 0 ? t->n_slots++ : (size_t)fixed];
        s->name = field->name;
        s->field = field;
        if (!fold(s->key, sizeof s->key, field->name, strlen(field->name)))
            return pz_err_set(err, PZ_FORMAT, "column name '%.40s' is too long",
                              field->name);
    }
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
        r = table_init(&p->table[set], (enum pz_set)set, o->schema[set], err);
        if (p->table[set].n_slots > most)
            most = p->table[set].n_slots;
    }
    if (!r)
        r = pz_new(&p->cell, most, sizeof *p->cell, "columns", err);
    if (!r)
        r = pz_new(&p->top, most, sizeof *p->top, "columns", err);
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
    free(p);
}

/* ---- keys ---- */

/* Slot or KEY_ of a key that was not seen at this place. */
static int
look_up(const struct pz_put_table *t, enum place place, const char *key, size_t n)
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
    char folded[160];
    if (!fold(folded, sizeof folded, key, n))
        return KEY_UNKNOWN;
    for (size_t i = 0; i < t->n_slots; i++)
        if (strcmp(folded, t->slot[i].key) == 0)
            return (int)i;
    if (t->events && strcmp(folded, "sentat") == 0)
        return PUT_TIME;
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        if ((other[i].places & 1u << place) && strcmp(folded, other[i].key) == 0)
            return other[i].slot;
    return KEY_UNKNOWN;
}

static int
find_key(struct pz_put *p, const struct pz_put_table *t, enum place place, size_t k,
         const char *key, size_t n)
{
    struct guess *g = &p->guess[t->set][place][k % GUESSES];
    if (n && g->n == n && memcmp(g->name, key, n) == 0)
        return g->slot;
    int slot = look_up(t, place, key, n);
    if (n <= GUESS_NAME) {
        memcpy(g->name, key, n);
        g->n = n;
        g->slot = slot;
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
        int slot = find_key(p, t, PROPERTIES, k, scan->s, scan->len);
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
        bool source = look_up(t, ELEMENT, scan->s, scan->len) == PUT_SOURCE;
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

/* The list of a request: where it stands; it is read when the rest is known. */
static int
take_list(struct pz_put *p, struct pz_scan *scan, enum pz_set set, struct pz_err *err)
{
    enum pz_tok tok = pz_scan_next(scan);
    size_t from = scan->start;
    if (tok == PZ_TOK_ARRAY) {
        if (p->list != PZ_N_SETS)
            return pz_err_set(err, PZ_DATA, "the request has two lists");
        p->list = set;
        p->list_from = from;
    }
    if (!pz_scan_skip(scan, tok))
        return bad_json(scan, err);
    if (tok == PZ_TOK_ARRAY)
        p->list_to = scan->at;
    return PZ_OK;
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
        int r, slot = find_key(p, t, place, k, scan->s, scan->len);
        if (slot >= 0) {
            r = read_value(p, scan, t, (size_t)slot, cell, err);
        } else if (slot == KEY_PROPERTIES) {
            r = take_properties(p, scan, t, cell, err);
        } else if (slot == KEY_ATTRIBUTION && t->events) {
            r = take_attribution(p, scan, t, cell, err);
        } else if (slot == KEY_TRACKING) {
            r = take_tracking(p, scan, err);
        } else if (slot <= KEY_LIST) {
            r = take_list(p, scan, (enum pz_set)(KEY_LIST - slot), err);
        } else {
            bool arn = scan->len == 10 && memcmp(scan->s, "datasetArn", 10) == 0;
            if (!arn && place == TOP && !*p->unknown)
                snprintf(p->unknown, sizeof p->unknown, "%.*s",
                         (int)(scan->len < 60 ? scan->len : 60), scan->s);
            else if (!arn && place != TOP)
                warn_unknown(p, t, scan->s, scan->len);
            r = skip(scan, err);
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
    for (size_t c = 0; c < n; c++) {
        slot[c] = look_up(t, PROPERTIES, name[c].s, name[c].n);
        if (slot[c] < 0) {
            pz_put_warn(&p->batch, "column '%.*s' is none of the %s: ignored",
                        (int)(name[c].n < 60 ? name[c].n : 60), name[c].s,
                        pz_set_name(t->set));
            continue;
        }
        if (p->cell[slot[c]].kind != PZ_CELL_ABSENT)
            return pz_err_set(err, PZ_DATA, "%zu: column '%s' stands twice", c + 1,
                              t->slot[slot[c]].name);
        p->cell[slot[c]].kind = PZ_CELL_NULL;
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
