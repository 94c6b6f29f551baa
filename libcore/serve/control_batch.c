/* Batch inference and batch segment jobs: pz-recommend over a file of requests. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/num.h"
#include "serve/control.h"
#include "serve/server.h"

enum { STANDARD_RESULTS = 25, SEGMENT_MAX = 5000000 };

/* The version's recipe makes segments of users, or it does not: as the job needs it. */
static bool
check_recipe(struct pz_desk_call *d, const struct pz_thing *v, bool segments)
{
    pz_json *doc = pz_thing_doc(d, v);
    struct pz_desk_recipe r;
    if (!doc)
        return pz_desk_lost(d);
    const char *arn = pz_json_get_string(doc, "recipeArn");
    bool good = !arn || pz_desk_recipe(d, arn, &r);
    if (good && arn && (r.recipe->type == PZ_USER_SEGMENTATION) != segments)
        good = INVALID("Recipe %s is %s", arn,
                       segments ? "not of type USER_SEGMENTATION: create a batch "
                                  "inference job"
                                : "of type USER_SEGMENTATION: create a batch segment "
                                  "job");
    pz_json_free(doc);
    return good;
}

/* Opens what the job reads. */
static bool
open_input(struct pz_desk_call *d, struct pz_job *j, const char *path, const char *url)
{
    struct stat st;
    j->reads = true;
    j->in = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); // a FIFO is not waited for
    if (j->in < 0 || fstat(j->in, &st) || !S_ISREG(st.st_mode))
        return INVALID("Invalid S3 input path: %s is not a file", url);
    return true;
}

/* What asks for another answer than the model gives by itself. */
static bool
check_settings(struct pz_desk_call *d)
{
    const pz_json *config = pz_body_get(d->call->body, "batchInferenceJobConfig");
    const char *mode = pz_desk_member(d, "batchInferenceJobMode");
    if ((mode && mode[0] == 'T') || pz_body_get(d->call->body, "themeGenerationConfig"))
        return INVALID("themes are not available on this server");
    return !config || pz_desk_settings_fit(d, config);
}

/* An itemExplorationConfig as options. Recipes that do not explore take a weight of 0. */
static bool
add_exploration(struct pz_desk_call *d, struct pz_job *j, const struct pz_thing *v)
{
    static const char *const key[] = {"explorationWeight", "explorationItemAgeCutOff"};
    static const char *const option[] = {"--exploration-weight",
                                         "--exploration-item-age-cut-off"};
    const pz_json *config = pz_body_get(d->call->body, "batchInferenceJobConfig");
    const pz_json *map = config ? pz_body_get(config, "itemExplorationConfig") : NULL;
    const char *weight = map ? pz_body_string(map, key[0]) : NULL;
    struct pz_desk_recipe r;
    double w = 0;
    if (!weight || pz_parse_f64(weight, strlen(weight), &w) || w == 0)
        return true;
    pz_json *doc = pz_thing_doc(d, v);
    const char *arn = doc ? pz_json_get_string(doc, "recipeArn") : NULL;
    bool known = arn && pz_desk_recipe(d, arn, &r);
    pz_json_free(doc);
    if (known && r.recipe->type != PZ_USER_PERSONALIZATION)
        return INVALID("Recipe %s does not explore", r.name);
    for (size_t i = 0; i < sizeof key / sizeof *key; i++) {
        const char *value = pz_body_string(map, key[i]);
        if (value &&
            (!pz_job_arg(d, j, "%s", option[i]) || !pz_job_arg(d, j, "%s", value)))
            return pz_desk_lost(d);
    }
    return true;
}

static bool
check_influence(struct pz_desk_call *d, const struct pz_thing *version)
{
    const pz_json *config = pz_body_get(d->call->body, "batchInferenceJobConfig");
    const char *solution =
        pz_desk_text(d, "%.*s", (int)strcspn(version->name, "/"), version->name);
    return !config ||
           (solution ? pz_desk_influence_fits(d, config, solution) : pz_desk_lost(d));
}

static bool
add_influence(struct pz_desk_call *d, struct pz_job *j)
{
    const pz_json *config = pz_body_get(d->call->body, "batchInferenceJobConfig");
    const pz_json *ranking = config ? pz_body_get(config, "rankingInfluence") : NULL;
    for (const pz_json *v = ranking ? pz_json_first(ranking) : NULL; v;
         v = pz_json_next(v)) {
        double x = 0;
        pz_json_number(v, &x);
        if (!pz_job_arg(d, j, "--influence") ||
            !pz_job_arg(d, j, "%s=%.17g", pz_json_key(v), x))
            return pz_desk_lost(d);
    }
    return true;
}

static bool
make(struct pz_desk_call *d, enum pz_kind_id kind)
{
    bool segments = kind == PZ_KIND_SEGMENT;
    int64_t n = STANDARD_RESULTS;
    struct pz_arn a;
    const char *version = pz_desk_member(d, "solutionVersionArn");
    const struct pz_thing *v = pz_thing_find(d, PZ_KIND_VERSION, version);
    const char *filter = pz_desk_member(d, "filterArn");
    const char *from = pz_desk_path(d, "jobInput", "s3DataSource");
    const char *to = pz_desk_path(d, "jobOutput", "s3DataDestination");
    const char *in = v ? pz_desk_s3(d, from) : NULL;
    const char *out = in ? pz_desk_s3(d, to) : NULL;
    if (!out || !check_settings(d))
        return false;
    if (strcmp(v->status, "ACTIVE") != 0 || !v->pz)
        return IN_USE("Solution version %s is not ACTIVE", v->name);
    if (!check_recipe(d, v, segments) || !check_influence(d, v) ||
        (filter && !pz_thing_find(d, PZ_KIND_FILTER, filter)))
        return false;
    pz_body_i64(d->call->body, "numResults", &n);
    if (pz_api_strict(d->call) && n > (segments ? SEGMENT_MAX : 500))
        return INVALID("numResults must be %d at most", segments ? SEGMENT_MAX : 500);
    d->group = v->group;
    const char *name = pz_desk_text(d, "%s.out", pz_desk_base(in));
    struct pz_job *j = d->job = name ? pz_job_new(d, kind, "pz-recommend") : NULL;
    if (!j || !pz_job_arg(d, j, "--json") || !pz_job_arg(d, j, "-S") ||
        !pz_job_arg(d, j, "%s", v->pz) || !pz_job_arg(d, j, "-n") ||
        !pz_job_arg(d, j, "%lld", (long long)n))
        return pz_desk_lost(d);
    if (filter && pz_arn_parse(&a, filter) &&
        (!pz_job_arg(d, j, "-F") || !pz_job_arg(d, j, "%s", a.name)))
        return pz_desk_lost(d);
    return add_exploration(d, j, v) && add_influence(d, j) &&
           open_input(d, j, in, from) && pz_job_target(d, j, out, name);
}

bool
pz_make_inference(struct pz_desk_call *d)
{
    return make(d, PZ_KIND_INFERENCE);
}

bool
pz_make_segment(struct pz_desk_call *d)
{
    return make(d, PZ_KIND_SEGMENT);
}
