#include "infer/answer.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/num.h"

/* ---- TSV ---- */

static const char escape_of[256] = {
    ['\t'] = 't', ['\n'] = 'n', ['\r'] = 'r', ['\\'] = '\\'};

/* Writes t, which needs at most 2 * t.n bytes; returns the end. */
static char *
put_escaped(char *p, const struct pz_text *t)
{
    for (size_t i = 0; i < t->n; i++) {
        char c = t->s[i], e = escape_of[(unsigned char)c];
        if (e) {
            *p++ = '\\';
            c = e;
        }
        *p++ = c;
    }
    return p;
}

static char *
put_copy(char *p, const struct pz_text *t)
{
    if (t->n)
        memcpy(p, t->s, t->n);
    return p + t->n;
}

/* What was written behind out->len up to p belongs to it. */
static void
close_at(struct pz_buf *out, char *p)
{
    *p = 0;
    out->len = (size_t)(p - out->data);
}

/* "REQUEST\tITEM\tSCORE", where `name` is the request id, already escaped. */
static char *
put_row(char *p, const struct pz_text *name, const struct pz_answered *row)
{
    p = put_copy(p, name);
    *p++ = '\t';
    p = put_escaped(p, &row->item);
    *p++ = '\t';
    if (!isnan(row->score))
        p += pz_format_f32(p, row->score);
    return p;
}

/* As AWS has it. */
static const char exploration[] = "Exploration";

/* What follows the score: promotion, reason and columns. What it needs is reserved. */
static void
add_extra(struct pz_buf *out, const struct pz_answer_form *form,
          const struct pz_answer *answer, size_t i, struct pz_buf *hold)
{
    for (size_t c = 0; c < form->n_columns + 2; c++) {
        struct pz_text t = {NULL, 0};
        if ((c == 0 && !form->promotion) || (c == 1 && !form->explores))
            continue;
        if (c == 0 && form->promoted && form->promoted[i])
            t = (struct pz_text){form->promotion, strlen(form->promotion)};
        if (c == 1 && answer->item[i].explored)
            t = (struct pz_text){exploration, sizeof exploration - 1};
        if (c > 1) {
            pz_buf_clear(hold);
            form->get_column(form->ctx, &answer->item[i].item, c - 2, hold);
            if (hold->failed)
                out->failed = true;
            t = (struct pz_text){hold->data, hold->len};
        }
        char *p = pz_buf_reserve(out, 2 * t.n + 1);
        if (!p)
            return;
        *p++ = '\t';
        close_at(out, put_escaped(p, &t));
    }
}

static int
tsv_explained(struct pz_buf *out, const struct pz_answer_form *form,
              const struct pz_text *name, const struct pz_answer *answer, size_t at,
              struct pz_buf *hold, struct pz_err *err)
{
    const struct pz_answered *row = &answer->item[at];
    static const struct pz_why none = {{"", 0}, NAN};
    struct pz_explanation e;
    if (form->explain(form->ctx, row->index, &e, err))
        return err->status;
    for (size_t i = 0; i < (e.n ? e.n : 1); i++) {
        const struct pz_why *why = e.n ? &e.why[i] : &none;
        char *p = pz_buf_reserve(out, name->n + 2 * row->item.n + PZ_NUM_TEXT + 4);
        if (!p)
            return pz_buf_status(out, "the answers", err);
        close_at(out, put_row(p, name, row));
        add_extra(out, form, answer, at, hold);
        p = pz_buf_reserve(out, 2 * why->item.n + PZ_NUM_TEXT + 4);
        if (!p)
            return pz_buf_status(out, "the answers", err);
        *p++ = '\t';
        p = put_escaped(p, &why->item);
        *p++ = '\t';
        if (e.n)
            p += pz_format_f64(p, why->contribution);
        *p++ = '\n';
        close_at(out, p);
    }
    return PZ_OK;
}

int
pz_answer_tsv(struct pz_buf *out, const struct pz_answer_form *form,
              const struct pz_ask *ask, const struct pz_answer *answer,
              struct pz_err *err)
{
    const struct pz_request *q = &ask->request;
    const struct pz_text *id = pz_model_asks_item(form->model) ? &q->item : &q->user;
    char small[1024];
    struct pz_buf large = PZ_BUF_INIT, hold = PZ_BUF_INIT;
    char *escaped = id->n <= sizeof small / 2 ? small : pz_buf_reserve(&large, 2 * id->n);
    if (!escaped)
        return pz_buf_status(&large, "a request", err);
    struct pz_text name = {escaped, (size_t)(put_escaped(escaped, id) - escaped)};
    for (size_t i = 0; i < answer->n; i++) {
        const struct pz_answered *row = &answer->item[i];
        if (form->explain) {
            if (tsv_explained(out, form, &name, answer, i, &hold, err))
                break;
            continue;
        }
        char *p = pz_buf_reserve(out, name.n + 2 * row->item.n + PZ_NUM_TEXT + 4);
        if (!p)
            break;
        p = put_row(p, &name, row);
        if (form->promotion || form->explores || form->n_columns) {
            close_at(out, p);
            add_extra(out, form, answer, i, &hold);
            if (!(p = pz_buf_reserve(out, 1)))
                break;
        }
        *p++ = '\n';
        close_at(out, p);
    }
    pz_buf_release(&hold);
    pz_buf_release(&large);
    return err->status ? err->status : pz_buf_status(out, "the answers", err);
}

/* ---- JSON ---- */

void
pz_json_compact(struct pz_buf *out, const char *s, size_t n)
{
    char *p = pz_buf_reserve(out, n);
    if (!p)
        return;
    bool inside = false;
    for (size_t i = 0; i < n; i++) {
        char c = s[i];
        if (!inside && (c == ' ' || c == '\t' || c == '\n' || c == '\r'))
            continue;
        *p++ = c;
        if (c == '"')
            inside = !inside;
        else if (inside && c == '\\' && i + 1 < n)
            *p++ = s[++i];
    }
    close_at(out, p);
}

static void
add_text(struct pz_buf *out, const struct pz_text *t)
{
    pz_json_add_string(out, t->s, t->n);
}

/* ,"KEY": or {"KEY": */
static void
add_key(struct pz_buf *out, const char *key, bool *first)
{
    pz_buf_addz(out, *first ? "{\"" : ",\"");
    pz_buf_addz(out, key);
    pz_buf_addz(out, "\":");
    *first = false;
}

static void
add_list(struct pz_buf *out, const struct pz_text *t, size_t n)
{
    pz_buf_addc(out, '[');
    for (size_t i = 0; i < n; i++) {
        if (i)
            pz_buf_addc(out, ',');
        add_text(out, &t[i]);
    }
    pz_buf_addc(out, ']');
}

static void
add_input(struct pz_buf *out, const struct pz_ask *ask)
{
    const struct pz_request *q = &ask->request;
    bool first = true;
    if (ask->echo) {
        pz_json_compact(out, ask->line.s, ask->line.n);
        return;
    }
    if (q->has_user) {
        add_key(out, "userId", &first);
        add_text(out, &q->user);
    }
    if (q->has_item) {
        add_key(out, ask->attributes ? "itemAttributes" : "itemId", &first);
        add_text(out, &q->item);
    }
    if (q->has_candidates) {
        add_key(out, "itemList", &first);
        add_list(out, q->candidate, q->n_candidates);
    }
    if (q->has_history) {
        add_key(out, "history", &first);
        add_list(out, q->history, q->n_history);
    }
    pz_buf_addz(out, first ? "{}" : "}");
}

/* A recipe with scores shows them, null where an item has none; popular items have no
 * scores. */
static bool
shows_scores(const struct pz_answer_form *form, const struct pz_answer *answer)
{
    if (!form->model->has_scores)
        return false;
    for (size_t i = 0; i < answer->n; i++)
        if (!isnan(answer->item[i].score))
            return true;
    return answer->n == 0;
}

static int
add_explanation(struct pz_buf *out, const struct pz_answer_form *form,
                const struct pz_answer *answer, struct pz_err *err)
{
    pz_buf_addz(out, ",\"explanation\":[");
    for (size_t i = 0; i < answer->n; i++) {
        struct pz_explanation e;
        if (form->explain(form->ctx, answer->item[i].index, &e, err))
            return err->status;
        pz_buf_addz(out, i ? ",{\"rawScore\":" : "{\"rawScore\":");
        pz_json_add_f64(out, e.n ? e.raw : NAN);
        pz_buf_addz(out, ",\"because\":[");
        for (size_t j = 0; j < e.n; j++) {
            pz_buf_addz(out, j ? ",{\"itemId\":" : "{\"itemId\":");
            add_text(out, &e.why[j].item);
            pz_buf_addz(out, ",\"contribution\":");
            pz_json_add_f64(out, e.why[j].contribution);
            pz_buf_addc(out, '}');
        }
        pz_buf_addz(out, "]}");
    }
    pz_buf_addc(out, ']');
    return PZ_OK;
}

void
pz_json_add_camel(struct pz_buf *out, const char *name)
{
    bool up = false;
    for (const char *s = name; *s; s++) {
        char c = *s;
        if (c == '_') {
            up = true;
            continue;
        }
        if (!up && c >= 'A' && c <= 'Z')
            c = (char)(c - 'A' + 'a');
        else if (up && c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        pz_buf_addc(out, c);
        up = false;
    }
}

/* Arrays as long as the list of items, beside it. */
static int
add_beside(struct pz_buf *out, const struct pz_answer_form *form,
           const struct pz_answer *answer, struct pz_err *err)
{
    struct pz_buf hold = PZ_BUF_INIT;
    if (form->promotion) {
        pz_buf_addz(out, ",\"promotionNames\":[");
        for (size_t i = 0; i < answer->n; i++) {
            pz_buf_addz(out, i ? "," : "");
            if (form->promoted && form->promoted[i])
                pz_json_add_string(out, form->promotion, strlen(form->promotion));
            else
                pz_buf_addz(out, "null");
        }
        pz_buf_addc(out, ']');
    }
    if (form->explores) {
        pz_buf_addz(out, ",\"reasons\":[");
        for (size_t i = 0; i < answer->n; i++)
            pz_buf_addf(out, answer->item[i].explored ? "%s[\"%s\"]" : "%s[]",
                        i ? "," : "", exploration);
        pz_buf_addc(out, ']');
    }
    for (size_t i = 0; form->n_columns && i < answer->n; i++) {
        bool first = true;
        pz_buf_addz(out, i ? "," : ",\"metadata\":[");
        for (size_t c = 0; c < form->n_columns; c++) {
            pz_buf_clear(&hold);
            if (!form->get_column(form->ctx, &answer->item[i].item, c, &hold))
                continue;
            pz_buf_addz(out, first ? "{\"" : ",\"");
            pz_json_add_camel(out, form->column[c]->name);
            pz_buf_addz(out, "\":");
            pz_json_add_string(out, hold.data ? hold.data : "", hold.len);
            first = false;
        }
        pz_buf_addz(out, first ? "{}" : "}");
    }
    if (form->n_columns)
        pz_buf_addz(out, answer->n ? "]" : ",\"metadata\":[]");
    int status = pz_buf_status(&hold, "the answers", err);
    pz_buf_release(&hold);
    return status;
}

/* Actions, as AWS's GetActionRecommendations has them. */
static void
add_actions(struct pz_buf *out, const struct pz_answer *answer)
{
    pz_buf_addz(out, "\"actionList\":[");
    for (size_t i = 0; i < answer->n; i++) {
        pz_buf_addz(out, i ? ",{\"actionId\":" : "{\"actionId\":");
        add_text(out, &answer->item[i].item);
        pz_buf_addz(out, ",\"score\":");
        pz_json_add_f32(out, answer->item[i].score);
        pz_buf_addc(out, '}');
    }
    pz_buf_addc(out, ']');
}

static void
add_items(struct pz_buf *out, const struct pz_answer_form *form,
          const struct pz_answer *answer)
{
    if (pz_model_answer_set(form->model) == PZ_ACTIONS) {
        add_actions(out, answer);
        return;
    }
    pz_buf_addz(out, pz_model_answers_users(form->model) ? "\"usersList\":["
                                                         : "\"recommendedItems\":[");
    for (size_t i = 0; i < answer->n; i++) {
        if (i)
            pz_buf_addc(out, ',');
        add_text(out, &answer->item[i].item);
    }
    pz_buf_addc(out, ']');
}

static void
add_scores(struct pz_buf *out, const struct pz_answer_form *form,
           const struct pz_answer *answer)
{
    // AWS has none beside users; those of actions stand with them.
    if (pz_model_answer_set(form->model) != PZ_ITEMS || !shows_scores(form, answer))
        return;
    pz_buf_addz(out, ",\"scores\":[");
    for (size_t i = 0; i < answer->n; i++) {
        if (i)
            pz_buf_addc(out, ',');
        pz_json_add_f32(out, answer->item[i].score);
    }
    pz_buf_addc(out, ']');
}

int
pz_answer_json(struct pz_buf *out, const struct pz_answer_form *form,
               const struct pz_ask *ask, const struct pz_answer *answer,
               struct pz_err *err)
{
    pz_buf_addz(out, "{\"input\":");
    add_input(out, ask);
    pz_buf_addz(out, ",\"output\":{");
    add_items(out, form, answer);
    add_scores(out, form, answer);
    if (add_beside(out, form, answer, err) ||
        (form->explain && add_explanation(out, form, answer, err)))
        return err->status;
    if (form->id)
        pz_buf_addf(out, ",\"recommendationId\":\"%s\"", form->id);
    pz_buf_addz(out, "},\"error\":null}\n");
    return pz_buf_status(out, "the answers", err);
}

int
pz_answer_log(struct pz_buf *out, const struct pz_answer_form *form,
              const struct pz_ask *ask, const struct pz_answer *answer,
              struct pz_err *err)
{
    const struct pz_request *q = &ask->request;
    pz_buf_addf(out, "{\"recommendationId\":\"%s\",\"time\":", form->id);
    pz_buf_add_i64(out, pz_now());
    if (form->origin)
        pz_buf_addf(out, ",%s", form->origin);
    if (q->has_user) {
        pz_buf_addz(out, ",\"userId\":");
        add_text(out, &q->user);
    }
    if (q->has_item) {
        pz_buf_addz(out, ",\"itemId\":");
        add_text(out, &q->item);
    }
    pz_buf_addc(out, ',');
    add_items(out, form, answer);
    add_scores(out, form, answer);
    if ((form->promoted || form->explores) &&
        add_beside(
            out,
            &(struct pz_answer_form){.promotion = form->promoted ? form->promotion : NULL,
                                     .promoted = form->promoted,
                                     .explores = form->explores},
            answer, err))
        return err->status;
    pz_buf_addz(out, "}\n");
    return pz_buf_status(out, "the log", err);
}

void
pz_answer_json_error(struct pz_buf *out, const struct pz_ask *ask)
{
    enum { SHOWN = 4096 }; // of a line that is not JSON
    pz_buf_addz(out, "{\"input\":");
    if (ask->echo)
        pz_json_compact(out, ask->line.s, ask->line.n);
    else
        pz_json_add_string(out, ask->line.s, ask->line.n < SHOWN ? ask->line.n : SHOWN);
    pz_buf_addz(out, ",\"output\":null,\"error\":");
    pz_json_add_string(out, ask->error, strlen(ask->error));
    pz_buf_addz(out, "}\n");
}
