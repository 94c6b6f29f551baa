/* The console asks a model, with titles and reasons; and tries a filter. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/num.h"
#include "infer/infer.h"
#include "infer/scope.h"
#include "serve/console.h"
#include "serve/server.h"
#include "store/catalog_filter.h"

enum {
    STANDARD = 10,
    RESULTS_MAX = 500,
    VALUES_MAX = 25,
    COLUMNS_MAX = 16,
    REASONS_MAX = 8, // of an item; the others are added up
    SAMPLE = 5,      // items that a filter keeps
};

static const struct pz_shape id_shape = {.kind = PZ_SHAPE_STRING, .max = 1000};
static const struct pz_shape list_shape = {
    .kind = PZ_SHAPE_LIST, .max = RESULTS_MAX, .item = &id_shape};
static const struct pz_shape results_shape = {
    .kind = PZ_SHAPE_INTEGER, .bounded = true, .min = 1, .max = RESULTS_MAX};
static const struct pz_shape value_key = {
    .kind = PZ_SHAPE_STRING, .max = 50, .pattern = &pz_pattern_word};
static const struct pz_shape value_text = {.kind = PZ_SHAPE_STRING, .max = 1000};
static const struct pz_shape values_shape = {
    .kind = PZ_SHAPE_MAP, .max = VALUES_MAX, .key = &value_key, .item = &value_text};
static const struct pz_shape expression_shape = {.kind = PZ_SHAPE_STRING,
                                                 .max = PZ_FILTER_MAX_TEXT};
static const struct pz_shape percent_shape = {
    .kind = PZ_SHAPE_INTEGER, .bounded = true, .min = 1, .max = 100};
static const struct pz_member promotion_members[] = {
    {"filter", &expression_shape, true},
    {"percent", &percent_shape, true},
    {NULL, NULL, false},
};
static const struct pz_shape promotion_shape = {.kind = PZ_SHAPE_STRUCT,
                                                .member = promotion_members};
static const struct pz_member recommend_members[] = {
    {"groupName", &pz_shape_string, true},  {"campaign", &pz_shape_string, true},
    {"userId", &id_shape, false},           {"itemId", &id_shape, false},
    {"numResults", &results_shape, false},  {"filter", &expression_shape, false},
    {"filterValues", &values_shape, false}, {"itemList", &list_shape, false},
    {"promotion", &promotion_shape, false}, {NULL, NULL, false},
};
static const struct pz_member check_members[] = {
    {"groupName", &pz_shape_string, true},
    {"expression", &expression_shape, true},
    {"filterValues", &values_shape, false},
    {"userId", &id_shape, false},
    {"itemId", &id_shape, false},
    {"candidateId", &id_shape, false},
    {NULL, NULL, false},
};
const struct pz_shape pz_console_recommend_shape = {.kind = PZ_SHAPE_STRUCT,
                                                    .member = recommend_members};
const struct pz_shape pz_console_check_shape = {.kind = PZ_SHAPE_STRUCT,
                                                .member = check_members};

static struct pz_text
text_of(const char *s)
{
    return (struct pz_text){s, s ? strlen(s) : 0};
}

static size_t
read_values(const pz_json *map, struct pz_filter_value out[VALUES_MAX])
{
    size_t n = 0;
    for (const pz_json *v = map ? pz_json_first(map) : NULL; v && n < VALUES_MAX;
         v = pz_json_next(v)) {
        struct pz_text name = text_of(pz_json_key(v)), text = text_of(pz_json_string(v));
        out[n++] = (struct pz_filter_value){name.s, name.n, text.s, text.n};
    }
    return n;
}

/* ---- recommendations ---- */

struct question {
    struct pz_console_call *c;
    const struct pz_campaign *campaign;
    const struct pz_model *model;
    struct pz_request q;
    struct pz_text *input; // of itemList: rank these
    struct pz_filter_value value[VALUES_MAX];
    const struct pz_field *column[COLUMNS_MAX];
    size_t n_columns, title; // title: index of column, or n_columns
    struct pz_gate *gate, *promotion;
    struct pz_answered *promoted; // the best of what is to be promoted
    size_t n_promoted;
    struct pz_scope scope;
    struct pz_scope_run *run;
    struct pz_session *session;
    struct pz_buf hold;
};

static void
find_campaign(struct question *a)
{
    const char *name = pz_body_string(a->c->call->body, "campaign");
    const struct pz_group *g = a->c->group;
    for (size_t i = 0; i < g->n_campaigns && !a->campaign; i++)
        if (strcmp(g->campaign[i].name, name) == 0)
            a->campaign = &g->campaign[i];
    if (!a->campaign)
        pz_api_fail(a->c->call, PZ_FAULT_NOT_FOUND, "there is no campaign '%s'", name);
    else if (!a->campaign->deploy)
        pz_api_fail(a->c->call, PZ_FAULT_NOT_FOUND, "campaign '%s' cannot answer: %s",
                    name, a->campaign->why ? a->campaign->why : "it has no model");
    else
        a->model = &a->campaign->deploy->model;
}

/* What an expression, or the name of a filter, stands for. NULL: there is none such. */
static const char *
expression_of(struct question *a, const char *asked, struct pz_err *err)
{
    if (!pz_filter_name_valid(asked))
        return asked;
    const struct pz_named *f = pz_group_filter(a->c->group, asked, strlen(asked));
    if (!f)
        pz_err_set(err, PZ_DATA, "there is no filter '%s'", asked);
    return f ? f->expression : NULL;
}

static int
open_gate(struct question *a, struct pz_err *err)
{
    struct pz_filter_options o = {.strict = pz_api_strict(a->c->call)};
    const char *asked = pz_body_string(a->c->call->body, "filter");
    char *text = NULL;
    asked = asked && *asked ? expression_of(a, asked, err) : NULL;
    if (!err->status && !pz_scope_filter_text(&text, a->model, asked, err) && text)
        pz_gate_new(&a->gate, text, a->scope.data, &o, a->model, err);
    free(text);
    a->scope.filter = a->gate;
    return err->status;
}

static int
open_promotion(struct question *a, struct pz_err *err)
{
    struct pz_filter_options o = {.strict = pz_api_strict(a->c->call)};
    const pz_json *p = pz_body_get(a->c->call->body, "promotion");
    const char *text = p ? expression_of(a, pz_body_string(p, "filter"), err) : NULL;
    int64_t percent = 0;
    if (!text || pz_gate_new(&a->promotion, text, a->scope.data, &o, a->model, err))
        return err->status;
    pz_body_i64(p, "percent", &percent);
    a->scope.promotion = a->promotion;
    a->scope.percent = (double)percent;
    return PZ_OK;
}

/* All columns of what is answered, as far as there is room. */
static void
take_columns(struct question *a)
{
    const struct pz_dataset *d = a->scope.data->set[pz_model_answer_set(a->model)];
    const struct pz_field *title = pz_console_title(d);
    for (size_t i = 0; d && i < d->schema.n_fields; i++) {
        const struct pz_field *f = &d->schema.field[i];
        if (f->role == PZ_ROLE_ITEM || f->role == PZ_ROLE_USER ||
            f->role == PZ_ROLE_ACTION || (a->n_columns == COLUMNS_MAX && f != title))
            continue;
        a->column[a->n_columns == COLUMNS_MAX ? COLUMNS_MAX - 1 : a->n_columns++] = f;
    }
    a->title = a->n_columns;
    for (size_t i = 0; i < a->n_columns; i++)
        if (a->column[i] == title)
            a->title = i;
    a->scope.column = a->column;
    a->scope.n_columns = a->n_columns;
}

static int
open_scope(struct question *a, struct pz_err *err)
{
    struct pz_deploy *d = a->campaign->deploy;
    a->scope = (struct pz_scope){.model = a->model,
                                 .group = d->group,
                                 .data = &d->sets->g.data,
                                 .value = a->value,
                                 .seed = a->c->call->server->o.seed};
    a->scope.n_values =
        read_values(pz_body_get(a->c->call->body, "filterValues"), a->value);
    take_columns(a);
    return open_gate(a, err) || open_promotion(a, err) ||
                   pz_scope_run_new(&a->run, &a->scope, err) ||
                   pz_scope_begin(a->run, err) ||
                   pz_session_new(&a->session, a->model, err)
               ? err->status
               : PZ_OK;
}

static void
read_input(struct question *a)
{
    const pz_json *list = pz_body_get(a->c->call->body, "itemList");
    size_t n = 0;
    if (!list ||
        pz_new(&a->input, pz_json_count(list), sizeof *a->input, "items", &a->c->err))
        return;
    for (const pz_json *j = pz_json_first(list); j; j = pz_json_next(j))
        a->input[n++] = text_of(pz_json_string(j));
    a->q.candidate = a->input;
    a->q.n_candidates = n;
    a->q.has_candidates = true;
}

static void
read_request(struct question *a)
{
    const pz_json *body = a->c->call->body;
    const struct pz_model *m = a->model;
    int64_t n = STANDARD;
    a->q.user = text_of(pz_body_string(body, "userId"));
    a->q.item = text_of(pz_body_string(body, "itemId"));
    a->q.has_user = a->q.user.n > 0;
    a->q.has_item = a->q.item.n > 0;
    pz_body_i64(body, "numResults", &n);
    a->q.n = (size_t)n;
    read_input(a);
    if (pz_model_asks_item(m) && !a->q.has_item)
        pz_api_fail(a->c->call, PZ_FAULT_INVALID_INPUT,
                    "campaign '%s' is asked about an item: itemId is required",
                    a->campaign->name);
    else if (!pz_model_asks_item(m) && !a->q.has_user &&
             m->recipe->type != PZ_POPULAR_ITEMS)
        pz_api_fail(a->c->call, PZ_FAULT_INVALID_INPUT,
                    "campaign '%s' is asked about a user: userId is required",
                    a->campaign->name);
    else if (pz_model_asks_attributes(m))
        pz_model_check_attributes(m, &a->q.item, &a->c->err);
}

static void
add_columns(struct question *a, const struct pz_text *item)
{
    struct pz_buf *out = &a->c->call->http->out;
    bool first = true;
    pz_buf_addz(out, ",\"columns\":{");
    for (size_t i = 0; i < a->n_columns; i++) {
        pz_buf_clear(&a->hold);
        if (!pz_scope_column(a->run, item, i, &a->hold))
            continue;
        pz_out_key(out, &first, a->column[i]->name);
        pz_json_add_string(out, a->hold.data ? a->hold.data : "", a->hold.len);
    }
    pz_buf_addc(out, '}');
}

/* Of what is answered; or, where that is users, of an item that is a reason. */
static void
add_title(struct question *a, const struct pz_text *item, bool reason)
{
    struct pz_buf *out = &a->c->call->http->out;
    const char *text = NULL;
    size_t n = 0;
    pz_buf_clear(&a->hold);
    if (reason && pz_model_answers_users(a->model)) {
        text = pz_console_title_of(a->scope.data->set[PZ_ITEMS], item->s, item->n, &n);
    } else if (a->title < a->n_columns &&
               pz_scope_column(a->run, item, a->title, &a->hold)) {
        text = a->hold.data;
        n = a->hold.len;
    }
    if (!text || !n)
        return;
    pz_buf_addz(out, ",\"title\":");
    pz_json_add_string(out, text, n);
}

/* A number, or null: ,"KEY":VALUE */
static void
add_number(struct pz_buf *out, const char *key, double value)
{
    char text[PZ_NUM_TEXT];
    pz_buf_addf(out, ",\"%s\":", key);
    if (isfinite(value))
        pz_buf_add(out, text, pz_format_f64(text, value));
    else
        pz_buf_addz(out, "null");
}

static int
add_reasons(struct question *a, uint32_t index, struct pz_err *err)
{
    struct pz_buf *out = &a->c->call->http->out;
    struct pz_explanation e;
    double rest = 0;
    if (!a->model->recipe->explain || index == PZ_NO_ID)
        return PZ_OK;
    if (pz_infer_explain(a->session, 0, index, &e, err))
        return err->status;
    if (!e.n)
        return PZ_OK;
    add_number(out, "rawScore", e.raw);
    pz_buf_addz(out, ",\"because\":[");
    for (size_t i = 0; i < e.n; i++) {
        if (i >= REASONS_MAX) {
            rest += e.why[i].contribution;
            continue;
        }
        pz_buf_addz(out, i ? ",{\"itemId\":" : "{\"itemId\":");
        pz_json_add_string(out, e.why[i].item.s, e.why[i].item.n);
        add_title(a, &e.why[i].item, true);
        add_number(out, "contribution", e.why[i].contribution);
        pz_buf_addc(out, '}');
    }
    pz_buf_addc(out, ']');
    if (e.n > REASONS_MAX) {
        pz_buf_addf(out, ",\"others\":%zu", e.n - REASONS_MAX);
        add_number(out, "othersContribution", rest);
    }
    return PZ_OK;
}

static int
add_item(struct question *a, const struct pz_answered *item, bool promoted,
         struct pz_err *err)
{
    struct pz_buf *out = &a->c->call->http->out;
    char text[PZ_NUM_TEXT];
    pz_buf_addz(out, "{\"id\":");
    pz_json_add_string(out, item->item.s, item->item.n);
    add_title(a, &item->item, false);
    if (a->model->has_scores && isfinite(item->score)) {
        pz_buf_addz(out, ",\"score\":");
        pz_buf_add(out, text, pz_format_f32(text, item->score));
    }
    if (promoted)
        pz_buf_addz(out, ",\"promoted\":true");
    add_columns(a, &item->item);
    if (add_reasons(a, item->index, err))
        return err->status;
    pz_buf_addc(out, '}');
    return PZ_OK;
}

/* What is to be promoted: asked for first, as its answer does not last. */
static int
find_promoted(struct question *a, const struct pz_promotion *p, struct pz_err *err)
{
    const struct pz_answer *answer = NULL;
    size_t n_done;
    if (!p->request.n)
        return PZ_OK;
    if (pz_infer(a->session, &p->request, 1, &answer, &n_done, err) ||
        pz_new(&a->promoted, answer->n + p->n_fresh, sizeof *a->promoted, "answers", err))
        return err->status;
    for (size_t i = 0; i < answer->n; i++)
        a->promoted[a->n_promoted++] = answer->item[i];
    for (size_t i = 0; i < p->n_fresh && a->n_promoted < p->request.n; i++)
        a->promoted[a->n_promoted++] =
            (struct pz_answered){p->fresh[i], PZ_NO_ID, NAN, false};
    return PZ_OK;
}

static int
ask(struct question *a, struct pz_err *err)
{
    struct pz_buf *out = &a->c->call->http->out;
    const struct pz_answer *found = NULL;
    struct pz_promotion promotion;
    const bool *mark = NULL;
    size_t n_done;
    bool first = true;
    double began = pz_seconds_wall();
    if (pz_scope_complete(a->run, &a->q, &promotion, err) ||
        find_promoted(a, &promotion, err) ||
        pz_infer(a->session, &a->q, 1, &found, &n_done, err))
        return err->status;
    struct pz_answer whole = *found, *answer = &whole;
    if (a->n_promoted &&
        pz_scope_promote(a->run, &a->q, a->promoted, a->n_promoted, &whole, &mark, err))
        return err->status;
    double took = pz_seconds_wall() - began;
    pz_buf_addc(out, '{');
    pz_out_bool(out, &first, "fallback", answer->fallback);
    pz_out_i64(out, &first, "unknown", (int64_t)answer->n_unknown);
    pz_out_bool(out, &first, "scores", a->model->has_scores);
    pz_out_bool(out, &first, "explains", a->model->recipe->explain != NULL);
    pz_console_real(out, &first, "seconds", took);
    pz_out_key(out, &first, "items");
    pz_buf_addc(out, '[');
    for (size_t i = 0; i < answer->n; i++) {
        if (i)
            pz_buf_addc(out, ',');
        if (add_item(a, &answer->item[i], mark && mark[i], err))
            return err->status;
    }
    pz_buf_addz(out, "]}");
    return pz_buf_status(&a->hold, "an answer", err);
}

bool
pz_console_recommend(struct pz_console_call *c)
{
    struct question a = {.c = c};
    find_campaign(&a);
    if (a.model)
        read_request(&a);
    if (a.model && !c->call->http->status && !c->err.status && !open_scope(&a, &c->err))
        ask(&a, &c->err);
    pz_session_free(a.session);
    pz_scope_run_free(a.run);
    pz_gate_free(a.gate);
    pz_gate_free(a.promotion);
    free(a.promoted);
    free(a.input);
    pz_buf_release(&a.hold);
    return true;
}

/* ---- filters ---- */

static void
add_list(struct pz_buf *out, bool *first, const char *key, const struct pz_filter *f,
         const char *(*get)(const struct pz_filter *f, size_t i))
{
    const char *s;
    pz_out_key(out, first, key);
    pz_buf_addc(out, '[');
    for (size_t i = 0; (s = get(f, i)); i++) {
        if (i)
            pz_buf_addc(out, ',');
        pz_json_add_string(out, s, strlen(s));
    }
    pz_buf_addc(out, ']');
}

/* How many pass, and the first of them. */
static int
add_kept(struct pz_buf *out, bool *first, struct pz_filter_run *r,
         const struct pz_filter_space *s, const struct pz_ids *ids,
         const struct pz_dataset *titles, struct pz_err *err)
{
    uint64_t *bits, kept = 0;
    size_t n_words = (size_t)((ids->n + 63) / 64), n, len;
    if (pz_new(&bits, n_words, sizeof *bits, "a bitmap", err))
        return err->status;
    if (!pz_filter_items(r, s, bits, err)) {
        pz_out_key(out, first, "sample");
        pz_buf_addc(out, '[');
        for (uint64_t i = 0; i < ids->n; i++) {
            if (!(bits[i / 64] >> (i % 64) & 1) || kept++ >= SAMPLE)
                continue;
            const char *id = pz_ids_get(ids, (uint32_t)i, &n);
            const char *title = id ? pz_console_title_of(titles, id, n, &len) : NULL;
            if (kept > 1)
                pz_buf_addc(out, ',');
            pz_json_add_string(out,
                               title ? title
                               : id  ? id
                                     : "",
                               title ? len
                               : id  ? n
                                     : 0);
        }
        pz_buf_addc(out, ']');
        pz_out_i64(out, first, "kept", (int64_t)kept);
        pz_out_i64(out, first, "of", (int64_t)ids->n);
    }
    free(bits);
    return err->status;
}

/* Whether one passes, and why. */
static void
add_candidate(struct pz_buf *out, bool *first, struct pz_filter_run *r, const char *id)
{
    struct pz_buf why = PZ_BUF_INIT;
    struct pz_candidate candidate = {id, id ? strlen(id) : 0, NULL};
    if (!id || !*id)
        return;
    pz_out_bool(out, first, "passes", pz_filter_explain_test(r, &candidate, &why));
    pz_out_text(out, first, "why", why.data ? why.data : "");
    out->failed |= why.failed;
    pz_buf_release(&why);
}

/* How many pass, and the compiled form. Values that are missing only make counts
 * impossible. */
static void
add_counts(struct pz_console_call *c, bool *first, const struct pz_filter *f,
           const struct pz_filter_data *data)
{
    struct pz_buf *out = &c->call->http->out, text = PZ_BUF_INIT;
    struct pz_text user = text_of(pz_body_string(c->call->body, "userId")),
                   item = text_of(pz_body_string(c->call->body, "itemId"));
    struct pz_filter_value value[VALUES_MAX];
    struct pz_filter_request q = {.user = user.n ? user.s : NULL,
                                  .n_user = user.n,
                                  .item = item.n ? item.s : NULL,
                                  .n_item = item.n,
                                  .value = value};
    const struct pz_ids *ids = pz_filter_candidates(f, data);
    struct pz_err why = PZ_ERR_INIT;
    struct pz_filter_run *r = NULL;
    struct pz_filter_space *s = NULL;
    const struct pz_dataset *titles =
        pz_filter_subject(f) == PZ_SUBJECT_ITEM ? data->set[PZ_ITEMS] : NULL;
    q.n_values = read_values(pz_body_get(c->call->body, "filterValues"), value);
    if (pz_filter_run_new(&r, f, &c->err))
        return;
    if (pz_filter_run_begin(r, &q, &why)) {
        pz_out_text(out, first, "noCounts", why.msg);
    } else if (ids && !pz_filter_space_new(&s, f, ids, &c->err)) {
        add_kept(out, first, r, s, ids, titles, &c->err);
        add_candidate(out, first, r, pz_body_string(c->call->body, "candidateId"));
    }
    if (!c->err.status && !pz_filter_explain(r, s, &text, &c->err))
        pz_out_text(out, first, "compiled", text.data);
    pz_buf_release(&text);
    pz_filter_space_free(s);
    pz_filter_run_free(r);
}

/* "filter:LINE:COLUMN: MESSAGE" */
static void
add_place(struct pz_buf *out, bool *first, const char *msg)
{
    static const char head[] = "filter:";
    int64_t line, column;
    const char *a = msg + sizeof head - 1, *colon, *end;
    if (strncmp(msg, head, sizeof head - 1) == 0 && (colon = strchr(a, ':')) &&
        (end = strchr(colon + 1, ':')) && !pz_parse_i64(a, (size_t)(colon - a), &line) &&
        !pz_parse_i64(colon + 1, (size_t)(end - colon - 1), &column)) {
        pz_out_i64(out, first, "line", line);
        pz_out_i64(out, first, "column", column);
        msg = end + 1 + (end[1] == ' ');
    }
    pz_out_text(out, first, "message", msg);
}

bool
pz_console_check(struct pz_console_call *c)
{
    struct pz_buf *out = &c->call->http->out;
    const char *text = pz_body_string(c->call->body, "expression");
    static const struct pz_filter_data no_data;
    const struct pz_filter_data *data =
        c->group->sets ? &c->group->sets->g.data : &no_data;
    struct pz_filter_options o = {.strict = pz_api_strict(c->call)};
    struct pz_filter *f = NULL;
    bool first = true;
    pz_buf_addc(out, '{');
    if (pz_filter_compile(&f, text, strlen(text), data, &o, &c->err)) {
        if (c->err.status != PZ_DATA)
            return true;
        pz_out_bool(out, &first, "valid", false);
        add_place(out, &first, c->err.msg);
        c->err = (struct pz_err)PZ_ERR_INIT;
    } else {
        pz_out_bool(out, &first, "valid", true);
        pz_out_text(out, &first, "subject", pz_subject_name(pz_filter_subject(f)));
        pz_out_bool(out, &first, "needsUser", pz_filter_needs_user(f));
        pz_out_bool(out, &first, "needsItem", pz_filter_needs_item(f));
        add_list(out, &first, "warnings", f, pz_filter_warning);
        add_list(out, &first, "parameters", f, pz_filter_param);
        add_list(out, &first, "fields", f, pz_filter_field);
        add_counts(c, &first, f, data);
    }
    pz_buf_addc(out, '}');
    pz_filter_free(f);
    return true;
}
