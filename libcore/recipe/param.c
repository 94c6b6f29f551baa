#include "recipe/param.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/nearest.h"
#include "base/num.h"

static const char *const kind_name[] = {"integer", "real", "boolean", "choice"};

int
pz_param_find(const struct pz_param_def *def, const char *name)
{
    for (int i = 0; def[i].name; i++)
        if (!strcmp(def[i].name, name))
            return i;
    return -1;
}

void
pz_params_init(struct pz_params *p, const struct pz_param_def *def)
{
    *p = (struct pz_params){.def = def};
    for (int i = 0; def[i].name; i++) {
        assert(i < PZ_MAX_PARAMS);
        p->value[i] = def[i].def;
    }
}

double
pz_param(const struct pz_params *p, const char *name)
{
    int i = pz_param_find(p->def, name);
    assert(i >= 0);
    return p->value[i];
}

double
pz_param_or(const struct pz_params *p, const char *name, double otherwise)
{
    int i = pz_param_find(p->def, name);
    return i < 0 ? otherwise : p->value[i];
}

/* The name nearest to s[0..n), NULL when none is near: a third of it may be wrong, or it
 * is the start of a single name. */
static const char *
nearest(const struct pz_param_def *def, const char *s, size_t n)
{
    const char *best = NULL;
    size_t least = n / 3 + 2;
    for (; def->name; def++) {
        size_t d = pz_edit_distance(s, n, def->name);
        if (n >= 3 && !strncmp(def->name, s, n))
            d = 0;
        if (d < least) {
            least = d;
            best = def->name;
        }
    }
    return best;
}

static int
unknown(const struct pz_param_def *def, const char *s, size_t n, struct pz_err *err)
{
    if (!def->name)
        return pz_err_set(err, PZ_USAGE,
                          "unknown hyperparameter '%.*s': the recipe has none", (int)n,
                          s);
    struct pz_buf list = PZ_BUF_INIT;
    for (const struct pz_param_def *d = def; d->name; d++)
        pz_buf_addf(&list, "%s%s", d == def ? "" : ", ", d->name);
    if (pz_buf_status(&list, "a message", err) != PZ_OK) {
        pz_buf_release(&list);
        return err->status;
    }
    const char *near = nearest(def, s, n);
    if (near)
        pz_err_set(err, PZ_USAGE,
                   "unknown hyperparameter '%.*s': did you mean '%s'? the recipe has %s",
                   (int)n, s, near, list.data);
    else
        pz_err_set(err, PZ_USAGE, "unknown hyperparameter '%.*s': the recipe has %s",
                   (int)n, s, list.data);
    pz_buf_release(&list);
    return err->status;
}

/* "1 to 5", "at least 1", ... of the definition. */
static void
range_text(const struct pz_param_def *d, struct pz_buf *b)
{
    char lo[PZ_NUM_TEXT], hi[PZ_NUM_TEXT];
    switch (d->kind) {
    case PZ_PARAM_BOOL:
        pz_buf_addz(b, "True or False");
        return;
    case PZ_PARAM_CHOICE:
        pz_buf_addf(b, "one of %s", d->choices);
        return;
    case PZ_PARAM_INT:
    case PZ_PARAM_REAL:
        break;
    }
    pz_format_f64(lo, isfinite(d->min) ? d->min : 0);
    pz_format_f64(hi, isfinite(d->max) ? d->max : 0);
    pz_buf_addz(b, d->kind == PZ_PARAM_INT ? "a whole number" : "a number");
    if (isfinite(d->min) && isfinite(d->max))
        pz_buf_addf(b, " from %s to %s", lo, hi);
    else if (isfinite(d->min))
        pz_buf_addf(b, " of at least %s", lo);
    else if (isfinite(d->max))
        pz_buf_addf(b, " of at most %s", hi);
}

static int
refuse(const struct pz_param_def *d, const char *value, struct pz_err *err)
{
    struct pz_buf range = PZ_BUF_INIT;
    range_text(d, &range);
    if (pz_buf_status(&range, "a message", err) == PZ_OK)
        pz_err_set(err, PZ_USAGE, "hyperparameter '%s': '%s' is not %s", d->name, value,
                   range.data);
    pz_buf_release(&range);
    return err->status;
}

/* The name of a choice, in which '_' may stand for a blank. */
static bool
is_choice(const char *name, const char *value, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (name[i] != value[i] && !(name[i] == ' ' && value[i] == '_'))
            return false;
    return true;
}

static bool
parse_choice(const char *choices, const char *value, double *out)
{
    size_t n = strlen(value);
    for (int k = 0; *choices; k++) {
        size_t len = strcspn(choices, "|");
        if (len == n && is_choice(choices, value, n)) {
            *out = k;
            return true;
        }
        choices += len + (choices[len] == '|');
    }
    return false;
}

static bool
parse_value(const struct pz_param_def *d, const char *value, double *out)
{
    int64_t whole;
    switch (d->kind) {
    case PZ_PARAM_INT:
        if (pz_parse_i64(value, strlen(value), &whole) != PZ_NUM_OK)
            return false;
        *out = (double)whole;
        return *out >= d->min && *out <= d->max;
    case PZ_PARAM_REAL:
        return pz_parse_f64(value, strlen(value), out) == PZ_NUM_OK && *out >= d->min &&
               *out <= d->max;
    case PZ_PARAM_BOOL:
        *out = !strcasecmp(value, "true");
        return *out != 0 || !strcasecmp(value, "false");
    case PZ_PARAM_CHOICE:
        return parse_choice(d->choices, value, out);
    }
    return false;
}

int
pz_params_set(struct pz_params *p, const char *assignment, struct pz_err *err)
{
    const char *equals = strchr(assignment, '=');
    if (!equals)
        return pz_err_set(err, PZ_USAGE,
                          "hyperparameter '%s': not of the form NAME=VALUE", assignment);
    size_t n = (size_t)(equals - assignment);
    int i = 0;
    while (p->def[i].name &&
           (strncmp(p->def[i].name, assignment, n) || p->def[i].name[n]))
        i++;
    if (!p->def[i].name)
        return unknown(p->def, assignment, n, err);
    double value;
    if (!parse_value(&p->def[i], equals + 1, &value))
        return refuse(&p->def[i], equals + 1, err);
    p->value[i] = value;
    p->given[i] = true;
    return PZ_OK;
}

void
pz_param_text(const struct pz_param_def *d, double v, struct pz_buf *out)
{
    char text[PZ_NUM_TEXT];
    const char *c = d->choices;
    switch (d->kind) {
    case PZ_PARAM_INT:
    case PZ_PARAM_REAL:
        pz_format_f64(text, v);
        pz_buf_addz(out, text);
        return;
    case PZ_PARAM_BOOL:
        pz_buf_addz(out, v != 0 ? "True" : "False");
        return;
    case PZ_PARAM_CHOICE:
        for (int k = (int)v; k > 0; k--)
            c += strcspn(c, "|") + 1;
        pz_buf_add(out, c, strcspn(c, "|"));
        return;
    }
}

void
pz_params_json(const struct pz_params *p, struct pz_buf *out)
{
    // Names and values are letters, digits and "._+-" by construction: nothing to escape.
    pz_buf_addc(out, '{');
    for (int i = 0; p->def[i].name; i++) {
        pz_buf_addf(out, "%s\"%s\":\"", i ? "," : "", p->def[i].name);
        pz_param_text(&p->def[i], p->value[i], out);
        pz_buf_addc(out, '"');
    }
    pz_buf_addc(out, '}');
}

void
pz_params_help(const struct pz_param_def *def, struct pz_buf *out)
{
    for (; def->name; def++) {
        pz_buf_addf(out, "%s %s ", def->name, kind_name[def->kind]);
        size_t from = out->len;
        pz_param_text(def, def->def, out);
        char lo[PZ_NUM_TEXT], hi[PZ_NUM_TEXT];
        if (def->kind == PZ_PARAM_CHOICE) {
            for (size_t i = from; i < out->len; i++)
                out->data[i] = out->data[i] == ' ' ? '_' : out->data[i];
            pz_buf_addc(out, ' ');
            for (const char *c = def->choices; *c; c++)
                pz_buf_addc(out, *c == ' ' ? '_' : *c);
        } else if (def->kind == PZ_PARAM_BOOL) {
            pz_buf_addz(out, " True|False");
        } else {
            bool low = isfinite(def->min), high = isfinite(def->max);
            pz_format_f64(lo, low ? def->min : 0);
            pz_format_f64(hi, high ? def->max : 0);
            pz_buf_addf(out, " [%s,%s]", low ? lo : "", high ? hi : "");
        }
        pz_buf_addf(out, " %s\n", def->help);
    }
}
