#include "data/put_rows.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "data/times.h"

enum { BLOCK = 1 << 18 };

/* ---- the batch ---- */

struct pz_put_block {
    struct pz_put_block *next;
    size_t n, cap;
    char data[];
};

void
pz_put_batch_release(struct pz_put_batch *b)
{
    for (struct pz_put_block *k = b->block, *next; k; k = next) {
        next = k->next;
        free(k);
    }
    free(b->row);
    pz_buf_release(&b->json);
    *b = (struct pz_put_batch){0};
}

void
pz_put_batch_clear(struct pz_put_batch *b)
{
    struct pz_put_block *usual = NULL; // one of the usual size is kept
    for (struct pz_put_block *k = b->block, *next; k; k = next) {
        next = k->next;
        if (!usual && k->cap == BLOCK)
            usual = k;
        else
            free(k);
    }
    if (usual) {
        usual->next = NULL;
        usual->n = 0;
    }
    b->block = usual;
    b->n = 0;
}

/* A copy with its NUL that lives as long as the batch; NULL without memory. */
static const char *
keep(struct pz_put_batch *b, const char *s, size_t n)
{
    if (!b->block || b->block->cap - b->block->n < n + 1) {
        size_t cap = n + 1 > BLOCK ? n + 1 : BLOCK;
        struct pz_err err = PZ_ERR_INIT;
        struct pz_put_block *k;
        size_t size;
        if (!pz_size_add(cap, sizeof *k, &size) || pz_new(&k, 1, size, "events", &err))
            return NULL;
        *k = (struct pz_put_block){.next = b->block, .cap = cap};
        b->block = k;
    }
    char *to = b->block->data + b->block->n;
    memcpy(to, s, n);
    to[n] = '\0';
    b->block->n += n + 1;
    return to;
}

/* ---- limits ---- */

/* true the first time for this format. */
static bool
first_time(struct pz_put_batch *b, const char *fmt)
{
    for (int i = 0; i < PUT_WARNINGS; i++) {
        if (b->said[i] == fmt)
            return false;
        if (!b->said[i]) {
            b->said[i] = fmt;
            return true;
        }
    }
    return false;
}

static void
say(const struct pz_put_batch *b, const char *text, const char *tail)
{
    pz_log(PZ_LOG_WARN, "%s:%llu: %s%s", b->name, (unsigned long long)b->line, text,
           tail);
}

void
pz_put_warn(struct pz_put_batch *b, const char *fmt, ...)
{
    va_list ap;
    char text[512];
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (first_time(b, fmt))
        say(b, text, " (said once)");
}

int
pz_put_limit(struct pz_put_batch *b, struct pz_err *err, const char *fmt, ...)
{
    va_list ap;
    char text[512];
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (b->o.strict)
        return pz_err_set(err, PZ_DATA, "%s (--strict)", text);
    if (first_time(b, fmt))
        say(b, text, " in Amazon Personalize (--strict refuses it; said once)");
    return PZ_OK;
}

int
pz_put_length(struct pz_put_batch *b, const char *what, const char *s, size_t n,
              size_t max, struct pz_err *err)
{
    size_t chars = 0;
    if (n <= max)
        return PZ_OK;
    for (size_t i = 0; i < n; i++)
        chars += ((unsigned char)s[i] & 0xc0) != 0x80;
    if (chars <= max)
        return PZ_OK;
    return pz_put_limit(b, err, "%s has %zu characters; at most %zu are allowed", what,
                        chars, max);
}

/* ---- cells ---- */

/* "NAME 'value' WHAT", the value shortened and made printable. */
static int
bad(const struct pz_put_slot *s, const struct pz_cell *cell, const char *what,
    struct pz_err *err)
{
    char shown[PZ_CELL_SHOWN];
    size_t n = pz_cell_show(shown, cell);
    if (!n)
        return pz_err_set(err, PZ_DATA, "%s %s", s->name, what);
    return pz_err_set(err, PZ_DATA, "%s '%s' %s", s->name, shown, what);
}

static bool
is_null(const struct pz_cell *c)
{
    return c->kind == PZ_CELL_ABSENT || c->kind == PZ_CELL_NULL ||
           (c->kind == PZ_CELL_TEXT && c->n == 0);
}

/* A text of the row, NULL when null. */
static int
take(struct pz_put_batch *b, const struct pz_put_slot *s, const struct pz_cell *cell,
     size_t max, const char **out, struct pz_err *err)
{
    *out = NULL;
    if (is_null(cell))
        return PZ_OK;
    if (pz_put_length(b, s->name, cell->s, cell->n, max, err))
        return err->status;
    *out = keep(b, cell->s, cell->n);
    return *out ? PZ_OK : pz_err_nomem(err, "an event", cell->n);
}

/* Whole seconds as `times` says; else out of a number, a number in a string, or an ISO
 * 8601 time. */
static int
take_time(const struct pz_times *times, const struct pz_put_slot *s,
          const struct pz_cell *cell, int64_t *out, struct pz_err *err)
{
    struct pz_cell t = pz_cell_trim(*cell);
    const char *why;
    double real;
    if (times)
        return pz_times_read(times, t.s, t.n, out, &why) ? bad(s, cell, why, err) : PZ_OK;
    enum pz_num how = pz_parse_i64(t.s, t.n, out);
    if (how == PZ_NUM_FRACTION || how == PZ_NUM_GARBAGE) {
        if (pz_parse_f64(t.s, t.n, &real) == PZ_NUM_OK) {
            if (fabs(real) >= 1e15)
                return bad(s, cell, "is out of range: seconds since 1970 are wanted",
                           err);
            *out = (int64_t)floor(real);
        } else if (cell->kind != PZ_CELL_TEXT || pz_time_parse(t.s, t.n, out)) {
            return bad(s, cell,
                       "is no time: seconds since 1970 or ISO 8601, such as "
                       "2026-11-22T05:04:03Z, are wanted",
                       err);
        } else if (!pz_time_within(*out, PZ_TIME_LIMIT)) {
            return bad(s, cell, "is out of range: beyond the year 5138", err);
        }
    } else if (how) {
        return bad(s, cell, pz_num_text(how), err);
    }
    if (!pz_time_within(*out, 1000 * PZ_TIME_LIMIT))
        return bad(s, cell, "is too large for seconds since 1970: microseconds?", err);
    if (!pz_time_within(*out, PZ_TIME_LIMIT))
        return bad(s, cell, "is too large for seconds since 1970: milliseconds?", err);
    return PZ_OK;
}

static int
take_number(const struct pz_put_slot *s, const struct pz_cell *cell, double *out,
            struct pz_err *err)
{
    struct pz_cell t = pz_cell_trim(*cell);
    enum pz_num how = cell->kind == PZ_CELL_TRUE || cell->kind == PZ_CELL_FALSE
                          ? PZ_NUM_GARBAGE
                          : pz_parse_f64(t.s, t.n, out);
    return how ? bad(s, cell, pz_num_text(how), err) : PZ_OK;
}

/* ---- other columns ---- */

static int
add_whole(struct pz_buf *json, const struct pz_times *times, const struct pz_put_slot *s,
          const struct pz_cell *cell, struct pz_err *err)
{
    int64_t v;
    struct pz_cell t = pz_cell_trim(*cell);
    if (s->field->role == PZ_ROLE_CREATION) {
        if (take_time(times, s, cell, &v, err))
            return err->status;
    } else {
        enum pz_num how = pz_parse_i64(t.s, t.n, &v);
        if (how == PZ_NUM_OK && s->field->type == PZ_INT &&
            (v < INT32_MIN || v > INT32_MAX))
            how = PZ_NUM_RANGE;
        if (how)
            return bad(s, cell, pz_num_text(how), err);
    }
    pz_buf_add_i64(json, v);
    return PZ_OK;
}

static int
add_bool(struct pz_buf *json, const struct pz_put_slot *s, const struct pz_cell *cell,
         struct pz_err *err)
{
    static const char *const word[] = {"false", "true", "False", "True",
                                       "FALSE", "TRUE", "0",     "1"};
    for (size_t k = 0; k < sizeof word / sizeof *word; k++)
        if (strlen(word[k]) == cell->n && memcmp(word[k], cell->s, cell->n) == 0) {
            pz_buf_addz(json, k % 2 ? "true" : "false");
            return PZ_OK;
        }
    return bad(s, cell, "is no boolean: true or false", err);
}

static int
add_value(struct pz_buf *json, const struct pz_times *times, const struct pz_put_slot *s,
          const struct pz_cell *cell, struct pz_err *err)
{
    char text[PZ_NUM_TEXT];
    double v;
    switch (s->field->type) {
    case PZ_STRING:
        pz_json_add_string(json, cell->s, cell->n);
        return PZ_OK;
    case PZ_INT:
    case PZ_LONG:
        return add_whole(json, times, s, cell, err);
    case PZ_FLOAT:
    case PZ_DOUBLE:
        if (take_number(s, cell, &v, err))
            return err->status;
        pz_buf_add(json, text, pz_format_f64(text, v + 0.0));
        return PZ_OK;
    case PZ_BOOLEAN:
        return add_bool(json, s, cell, err);
    }
    return PZ_OK;
}

/* The columns behind the fixed ones as a JSON object; *out NULL when all are null. */
static int
take_properties(struct pz_put_batch *b, const struct pz_put_table *t,
                const struct pz_cell *cell, const struct pz_times *times,
                const char **out, struct pz_err *err)
{
    struct pz_buf *json = &b->json;
    pz_buf_clear(json);
    for (size_t k = N_PUT; k < t->n_slots; k++) {
        const struct pz_put_slot *s = &t->slot[k];
        bool text = s->field->type == PZ_STRING;
        if (cell[k].kind == PZ_CELL_TEXT && cell[k].n == 0 && text &&
            !s->field->nullable) {
            // the empty string, as in an import
        } else if (is_null(&cell[k])) {
            if (!s->field->nullable)
                return bad(s, &cell[k], "is missing, and the schema does not allow null",
                           err);
            continue;
        }
        if (text && pz_put_length(b, s->name, cell[k].s, cell[k].n,
                                  s->field->textual ? 20000 : 1000, err))
            return err->status;
        pz_buf_addc(json, json->len ? ',' : '{');
        pz_json_add_string(json, s->field->name, strlen(s->field->name));
        pz_buf_addc(json, ':');
        if (add_value(json, times, s, &cell[k], err))
            return err->status;
    }
    *out = NULL;
    if (!json->len)
        return PZ_OK;
    pz_buf_addc(json, '}');
    if (pz_buf_status(json, "properties", err))
        return err->status;
    *out = keep(b, json->data, json->len);
    return *out ? PZ_OK : pz_err_nomem(err, "properties", json->len);
}

/* ---- rows ---- */

static int
check_impression(struct pz_put_batch *b, const struct pz_event *e, struct pz_err *err)
{
    size_t n = 1;
    for (const char *p = e->impression; *p; p++)
        n += *p == '|';
    return n > 25 ? pz_put_limit(b, err,
                                 "impression has %zu items; at most 25 are allowed", n)
                  : PZ_OK;
}

static int
check_source(struct pz_put_batch *b, const struct pz_event *e, struct pz_err *err)
{
    bool graph = false;
    for (const char *p = e->source; *p; p++) {
        if (*p < 0x20 || *p > 0x7e)
            return pz_put_limit(
                b, err,
                "eventAttributionSource must be printable ASCII; others are refused");
        graph |= *p != ' ';
    }
    return graph ? PZ_OK
                 : pz_err_set(err, PZ_DATA, "eventAttributionSource consists of blanks");
}

/* "NAME is missing" for a demand that only bodies have, or the schema too. */
static int
demand(const struct pz_put_slot *s, const char *value, bool in_body, const char *name,
       struct pz_err *err)
{
    if (value)
        return PZ_OK;
    if (in_body)
        return pz_err_set(err, PZ_DATA, "%s is missing", name);
    if (s->field && !s->field->nullable)
        return pz_err_set(err, PZ_DATA,
                          "%s is missing, and the schema does not allow null", s->name);
    return PZ_OK;
}

static int
check_event(struct pz_put_batch *b, const struct pz_put_table *t,
            const struct pz_event *e, bool in_body, struct pz_err *err)
{
    static const char *const taken[] = {"Taken", "Not Taken", "Not taken", "NOT_TAKEN",
                                        "Viewed"};
    const struct pz_put_slot *s = t->slot;
    bool action = t->set == PZ_ACTION_INTERACTIONS, known = !action || !e->type;
    if (!e->item)
        return pz_err_set(err, PZ_DATA, "%s is missing", action ? "actionId" : "itemId");
    if (!e->user && !e->session)
        return pz_err_set(err, PZ_DATA, "userId or sessionId is missing");
    if (in_body && !e->session)
        return pz_err_set(err, PZ_DATA, "sessionId is missing");
    if (demand(&s[PUT_TYPE], e->type, in_body, "eventType", err) ||
        demand(&s[PUT_RECOMMENDATION], e->recommendation, false, "", err) ||
        demand(&s[PUT_IMPRESSION], e->impression, false, "", err) ||
        demand(&s[PUT_SOURCE], e->source, false, "", err) ||
        demand(&s[PUT_VALUE], e->has_value ? "" : NULL, false, "", err))
        return err->status;
    for (size_t i = 0; i < sizeof taken / sizeof *taken && !known; i++)
        known = strcmp(e->type, taken[i]) == 0;
    if (!known)
        return pz_err_set(err, PZ_DATA,
                          "eventType '%.40s' of an action is none of Taken, Not Taken, "
                          "Viewed",
                          e->type);
    if ((e->impression && !e->implicit && check_impression(b, e, err)) ||
        (e->source && check_source(b, e, err)))
        return err->status;
    return PZ_OK;
}

/* What was shown, for an event that names the recommendation alone. */
static int
take_shown(struct pz_put_batch *b, struct pz_event *e, struct pz_err *err)
{
    struct pz_buf *text = &b->json;
    if (!b->o.shown || !e->recommendation || e->impression || e->kind != PZ_EVENT_ITEM)
        return PZ_OK;
    pz_buf_clear(text);
    e->implicit = b->o.shown(b->o.shown_ctx, e->recommendation, text);
    if (pz_buf_status(text, "an impression", err) || !e->implicit)
        return err->status;
    e->impression = keep(b, text->data, text->len);
    return e->impression ? PZ_OK : pz_err_nomem(err, "an impression", text->len);
}

static int
event_row(struct pz_put_batch *b, const struct pz_put_table *t,
          const struct pz_cell *cell, bool in_body, struct pz_event *e,
          struct pz_err *err)
{
    const struct pz_put_slot *s = t->slot;
    const struct {
        int slot;
        size_t max;
        const char **to;
    } text[] = {
        {PUT_ID, 256, &e->id},           {PUT_USER, 256, &e->user},
        {PUT_SESSION, 256, &e->session}, {PUT_ITEM, 256, &e->item},
        {PUT_TYPE, 256, &e->type},       {PUT_RECOMMENDATION, 40, &e->recommendation},
        {PUT_SOURCE, 1024, &e->source},  {PUT_IMPRESSION, 25 * 257, &e->impression},
    };
    e->kind = t->set == PZ_INTERACTIONS ? PZ_EVENT_ITEM : PZ_EVENT_ACTION;
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        if (take(b, &s[text[i].slot], &cell[text[i].slot], text[i].max, text[i].to, err))
            return err->status;
    if (!is_null(&cell[PUT_TIME])) {
        if (take_time(in_body ? NULL : b->o.times, &s[PUT_TIME], &cell[PUT_TIME],
                      &e->time, err))
            return err->status;
    } else if (!in_body && cell[PUT_TIME].kind == PZ_CELL_ABSENT) {
        e->time = pz_now();
    } else {
        return pz_err_set(err, PZ_DATA, "%s is missing",
                          t->set == PZ_INTERACTIONS ? "sentAt" : "timestamp");
    }
    e->has_value = !is_null(&cell[PUT_VALUE]);
    if (e->has_value && take_number(&s[PUT_VALUE], &cell[PUT_VALUE], &e->value, err))
        return err->status;
    if (take_shown(b, e, err))
        return err->status;
    return check_event(b, t, e, in_body, err);
}

int
pz_put_row(struct pz_put_batch *b, const struct pz_put_table *t,
           const struct pz_cell *cell, bool in_body, struct pz_err *err)
{
    struct pz_put_row row = {.set = t->set, .line = b->line};
    if (t->events
            ? event_row(b, t, cell, in_body, &row.event, err)
            : take(b, &t->slot[PUT_ITEM], &cell[PUT_ITEM], 256, &row.event.item, err))
        return err->status;
    if (!row.event.item)
        return pz_err_set(err, PZ_DATA, "%s is missing", t->slot[PUT_ITEM].name);
    if (take_properties(b, t, cell, in_body ? NULL : b->o.times, &row.event.properties,
                        err))
        return err->status;
    if (!t->events && !row.event.properties)
        row.event.properties = "{}";
    if (pz_grow(&b->row, &b->cap, b->n + 1, sizeof *b->row, "events", err))
        return err->status;
    b->row[b->n++] = row;
    return PZ_OK;
}
