/* Recipes, and what AWS calls their algorithms and feature transformations. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"
#include "recipe/custom.h"
#include "serve/control.h"
#include "serve/server.h"

/* ---- names ---- */

/* Names of AWS's that are not those of the recipe; of two recipes with one name, the
 * first is described. */
static const struct {
    const char *recipe, *algorithm, *transformation;
} aliases[] = {
    {"aws-personalized-ranking", NULL, "JSON-percentile-filtering"},
    {"aws-sims", NULL, "sims"},
    {"aws-popularity-count", NULL, "sims"},
    {"aws-trending-now", "aws-trending-now-custom", NULL},
    {"aws-item-affinity", NULL, "item-affinity"},
    {"aws-item-attribute-affinity", NULL, "item-attribute-affinity"},
};

static const char *
alias(const struct pz_recipe *r, bool algorithm)
{
    const char *found = NULL;
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++)
        if (strcmp(aliases[i].recipe, r->name) == 0)
            found = algorithm ? aliases[i].algorithm : aliases[i].transformation;
    return found ? found : r->name;
}

bool
pz_desk_recipe(struct pz_desk_call *d, const char *arn, struct pz_desk_recipe *out)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_arn a;
    bool good = arn && pz_arn_parse(&a, arn) && pz_arn_is(&a, "recipe");
    *out = (struct pz_desk_recipe){NULL, NULL, NULL};
    // A name with '/' would be a file.
    if (good && !strchr(a.name, '/') &&
        !pz_recipe_need(a.name, &out->recipe, &out->preset, &err)) {
        out->name = out->preset ? out->preset->name : out->recipe->name;
        return true;
    }
    if (arn && !good)
        return INVALID("'%s' is not the ARN of a recipe", arn);
    if (err.status && err.status != PZ_USAGE) {
        pz_api_fail_err(d->call, &err);
        return false;
    }
    pz_api_fail(d->call, PZ_FAULT_NOT_FOUND, "Recipe %s does not exist", arn ? arn : "");
    return false;
}

/* ---- recipes ---- */

/* Recipes are as old as the program. */
static void
add_times(struct pz_desk_call *d, bool *first)
{
    struct pz_buf *out = &d->call->http->out;
    struct stat st = {0};
    stat("/proc/self/exe", &st);
    pz_out_i64(out, first, "creationDateTime", st.st_mtim.tv_sec);
    pz_out_i64(out, first, "lastUpdatedDateTime", st.st_mtim.tv_sec);
}

struct listed {
    const char *name, *domain;
};

struct listing {
    struct pz_desk_call *d;
    const char *domain; // that is asked for; NULL: recipes of none
    struct listed *row;
    size_t n, cap;
};

/* Adds one of the domain, unless there is one of that name. */
static void
list_one(struct listing *l, const char *name, const char *domain)
{
    if (l->domain ? !domain || strcmp(domain, l->domain) != 0 : domain != NULL)
        return;
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->row[i].name, name) == 0)
            return;
    if (!pz_grow(&l->row, &l->cap, l->n + 1, sizeof *l->row, "recipes", &l->d->err))
        l->row[l->n++] = (struct listed){name, domain};
}

static void
list_found(void *ctx, const struct pz_recipe *recipe, const struct pz_preset *preset,
           const char *path)
{
    (void)path;
    list_one(ctx, preset ? preset->name : recipe->name, preset ? preset->domain : NULL);
}

void
pz_op_list_recipes(struct pz_desk_call *d)
{
    struct pz_buf *out = &d->call->http->out;
    struct listing l = {.d = d, .domain = pz_desk_member(d, "domain")};
    size_t from, to;
    for (size_t i = 0; pz_recipes[i]; i++)
        list_one(&l, pz_recipes[i]->name, NULL);
    for (const struct pz_preset *p = pz_presets; p->name; p++)
        list_one(&l, p->name, p->domain);
    if (pz_recipes_found(list_found, &l, &d->err) || d->err.status) {
        pz_desk_fail(d);
    } else if (pz_desk_page(d, l.n, &from, &to)) {
        pz_buf_addz(out, "{\"recipes\":[");
        for (size_t i = from; i < to; i++) {
            bool first = true;
            pz_buf_addz(out, i > from ? ",{" : "{");
            pz_out_text(out, &first, "name", l.row[i].name);
            pz_out_arn(out, &first, "recipeArn", pz_api_home(d->call), "recipe",
                       l.row[i].name);
            pz_out_text(out, &first, "status", "ACTIVE");
            pz_out_text(out, &first, "domain", l.row[i].domain);
            add_times(d, &first);
            pz_buf_addc(out, '}');
        }
        pz_desk_end_page(d, l.n, to);
    }
    free(l.row);
}

void
pz_op_describe_recipe(struct pz_desk_call *d)
{
    struct pz_buf *out = &d->call->http->out;
    const struct pz_arn_home *home = pz_api_home(d->call);
    struct pz_desk_recipe r;
    bool first = true;
    const char *arn = pz_desk_needed(d, "recipeArn");
    if (!arn || !pz_desk_recipe(d, arn, &r))
        return;
    // AWS lists this recipe as one of popular items and describes it as one for users.
    enum pz_recipe_type type = r.recipe == &pz_recipe_popularity && !r.preset
                                   ? PZ_USER_PERSONALIZATION
                                   : r.recipe->type;
    pz_buf_addz(out, "{\"recipe\":{");
    pz_out_text(out, &first, "name", r.name);
    pz_out_arn(out, &first, "recipeArn", home, "recipe", r.name);
    pz_out_arn(out, &first, "algorithmArn", home, "algorithm", alias(r.recipe, true));
    pz_out_arn(out, &first, "featureTransformationArn", home, "feature-transformation",
               alias(r.recipe, false));
    pz_out_text(out, &first, "status", "ACTIVE");
    pz_out_text(out, &first, "description",
                r.preset ? r.preset->summary : r.recipe->summary);
    pz_out_text(out, &first, "recipeType", pz_recipe_type_name(type));
    add_times(d, &first);
    pz_buf_addz(out, "}}");
    pz_desk_good(d);
}

/* ---- algorithms and feature transformations ---- */

/* The recipe whose algorithm, or transformation, the member `key` names; the first where
 * several have one. NULL: the call has failed. */
static const struct pz_recipe *
recipe_behind(struct pz_desk_call *d, const char *key, const char *kind,
              const char **name)
{
    const char *arn = pz_desk_needed(d, key);
    struct pz_err err = PZ_ERR_INIT;
    const struct pz_recipe *r = NULL;
    struct pz_arn a;
    if (!arn)
        return NULL;
    if (!pz_arn_parse(&a, arn) || !pz_arn_is(&a, kind)) {
        INVALID("'%s' is not the ARN of %s", arn,
                kind[0] == 'a' ? "an algorithm" : "a feature transformation");
        return NULL;
    }
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases && !r; i++) {
        const char *s = kind[0] == 'a' ? aliases[i].algorithm : aliases[i].transformation;
        if (s && strcmp(s, a.name) == 0)
            r = pz_recipe_find(aliases[i].recipe);
    }
    if (!r && !strchr(a.name, '/') && pz_recipe_of_model(a.name, &r, &err))
        r = NULL;
    if (!r)
        pz_api_fail(d->call, PZ_FAULT_NOT_FOUND,
                    "Could not find the resource with given identifier %s", arn);
    *name = r ? pz_desk_text(d, "%s", a.name) : NULL;
    return r;
}

static bool
is_of(const struct pz_param_def *p, bool features)
{
    return features ? p->place == PZ_PLACE_FEATURE
                    : p->place == PZ_PLACE_ALGORITHM || p->place == PZ_PLACE_OURS;
}

static void
add_defaults(struct pz_buf *out, const struct pz_recipe *r, bool features)
{
    bool first = true;
    pz_buf_addc(out, '{');
    for (const struct pz_param_def *p = r->params; p->name; p++) {
        struct pz_buf text = PZ_BUF_INIT;
        if (!is_of(p, features))
            continue;
        pz_param_text(p, p->def, &text);
        pz_out_text(out, &first, p->name, text.data ? text.data : "");
        pz_buf_release(&text);
    }
    pz_buf_addc(out, '}');
}

/* The values of a choice, or of what is true or false. */
static void
add_values(struct pz_buf *out, const struct pz_param_def *p)
{
    const char *s = p->kind == PZ_PARAM_CHOICE ? p->choices : "True|False";
    pz_buf_addc(out, '[');
    for (;; s++) {
        size_t n = strcspn(s, "|");
        pz_json_add_string(out, s, n);
        s += n;
        if (!*s)
            break;
        pz_buf_addc(out, ',');
    }
    pz_buf_addc(out, ']');
}

/* One of the three lists of ranges, by the kind of parameters. */
static void
add_ranges(struct pz_buf *out, const struct pz_recipe *r, enum pz_param_kind kind)
{
    bool lead = true;
    pz_buf_addc(out, '[');
    for (const struct pz_param_def *p = r->params; p->name; p++) {
        bool first = true;
        bool listed = p->kind == PZ_PARAM_CHOICE || p->kind == PZ_PARAM_BOOL;
        if (!is_of(p, false) || (kind == PZ_PARAM_CHOICE ? !listed : p->kind != kind))
            continue;
        pz_buf_addz(out, lead ? "{" : ",{");
        lead = false;
        pz_out_text(out, &first, "name", p->name);
        if (listed) {
            pz_out_key(out, &first, "values");
            add_values(out, p);
        } else {
            pz_buf_addf(out, ",\"minValue\":%.15g,\"maxValue\":%.15g", p->min, p->max);
        }
        pz_out_bool(out, &first, "isTunable", p->tunable);
        pz_buf_addc(out, '}');
    }
    pz_buf_addc(out, ']');
}

void
pz_op_describe_algorithm(struct pz_desk_call *d)
{
    struct pz_buf *out = &d->call->http->out;
    bool first = true;
    const char *name;
    const struct pz_recipe *r = recipe_behind(d, "algorithmArn", "algorithm", &name);
    if (!r)
        return;
    pz_buf_addz(out, "{\"algorithm\":{");
    pz_out_text(out, &first, "name", name);
    pz_out_arn(out, &first, "algorithmArn", pz_api_home(d->call), "algorithm", name);
    pz_buf_addz(out, ",\"defaultHyperParameters\":");
    add_defaults(out, r, false);
    pz_buf_addz(out,
                ",\"defaultHyperParameterRanges\":{\"integerHyperParameterRanges\":");
    add_ranges(out, r, PZ_PARAM_INT);
    pz_buf_addz(out, ",\"continuousHyperParameterRanges\":");
    add_ranges(out, r, PZ_PARAM_REAL);
    pz_buf_addz(out, ",\"categoricalHyperParameterRanges\":");
    add_ranges(out, r, PZ_PARAM_CHOICE);
    pz_buf_addc(out, '}');
    add_times(d, &first);
    pz_buf_addz(out, "}}");
    pz_desk_good(d);
}

void
pz_op_describe_transformation(struct pz_desk_call *d)
{
    struct pz_buf *out = &d->call->http->out;
    bool first = true;
    const char *name, *kind = "feature-transformation";
    const struct pz_recipe *r = recipe_behind(d, "featureTransformationArn", kind, &name);
    if (!r)
        return;
    pz_buf_addz(out, "{\"featureTransformation\":{");
    pz_out_text(out, &first, "name", name);
    pz_out_arn(out, &first, "featureTransformationArn", pz_api_home(d->call), kind, name);
    pz_buf_addz(out, ",\"defaultParameters\":");
    add_defaults(out, r, true);
    pz_out_text(out, &first, "status", "ACTIVE");
    add_times(d, &first);
    pz_buf_addz(out, "}}");
    pz_desk_good(d);
}
