/* What each kind of resource is made of, and what making and deleting one does. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/order.h"
#include "recipe/recipe.h"
#include "serve/control.h"
#include "serve/server.h"
#include "store/catalog_campaign.h"
#include "store/catalog_filter.h"
#include "store/estore.h"

/* A call that failed. */
bool
pz_desk_no(enum pz_http_when when)
{
    (void)when;
    return false;
}
/* With d->err: the call has failed. */
bool
pz_desk_lost(struct pz_desk_call *d)
{
    pz_desk_fail(d);
    return false;
}

const char *
pz_desk_member(const struct pz_desk_call *d, const char *key)
{
    return pz_body_string(d->call->body, key);
}

bool
pz_desk_flag(const pz_json *object, const char *key)
{
    const pz_json *j = pz_body_get(object, key);
    bool value = false;
    return j && pz_json_is_bool(j, &value) && value;
}

const char *
pz_desk_needed(struct pz_desk_call *d, const char *key)
{
    const char *s = pz_desk_member(d, key);
    if (!s)
        pz_api_fail(d->call, PZ_FAULT_VALIDATION,
                    "1 validation error detected: Value null at '%s' failed to satisfy "
                    "constraint: Member must not be null",
                    key);
    return s;
}

/* ---- files of S3 ---- */

static bool
safe_part(const char *s, size_t n)
{
    return n > 0 && s[0] != '.' && !memchr(s, '\\', n);
}

/* Below the root, whatever links there are on the way, as far as it exists. */
static bool
is_below(const char *root, const char *path)
{
    char up[4096];
    if ((size_t)snprintf(up, sizeof up, "%s", path) >= sizeof up)
        return false;
    for (;;) {
        char *real = realpath(up, NULL);
        if (real) {
            size_t n = strlen(root);
            bool good = strncmp(real, root, n) == 0 && (real[n] == '/' || !real[n]);
            free(real);
            return good;
        }
        char *slash = strrchr(up, '/');
        if (errno != ENOENT || !slash || slash == up)
            return false;
        *slash = '\0';
    }
}

const char *
pz_desk_s3(struct pz_desk_call *d, const char *url)
{
    const char *root = d->call->server->o.s3_root, *out = NULL;
    bool good = url && strncmp(url, "s3://", 5) == 0;
    if (!root) {
        INVALID("this server has no files: start it with --s3-root DIR");
        return NULL;
    }
    for (const char *p = good ? url + 5 : ""; good && *p;) {
        size_t n = strcspn(p, "/");
        good = safe_part(p, n);
        p += n + (p[n] == '/');
    }
    if (!good || !url[5]) {
        INVALID("Invalid S3 path '%s': it is not s3://BUCKET/KEY", url ? url : "");
        return NULL;
    }
    size_t n = strlen(url);
    while (url[n - 1] == '/')
        n--;
    out = pz_desk_text(d, "%s/%.*s", root, (int)(n - 5), url + 5);
    if (!out)
        pz_desk_lost(d);
    else if (!is_below(root, out)) {
        INVALID("Invalid S3 path '%s'", url);
        out = NULL;
    }
    return out;
}

/* The path of an object {"s3DataSource": {"path": ...}} and the like. */
const char *
pz_desk_path(struct pz_desk_call *d, const char *member, const char *inner)
{
    const pz_json *j = pz_body_get(d->call->body, member);
    if (j && inner)
        j = pz_body_get(j, inner);
    return j ? pz_body_string(j, inner ? "path" : "dataLocation") : NULL;
}

/* A FIFO would be waited for. */
static bool
is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* Adds a file, or the files of a folder. */
static bool
add_files(struct pz_desk_call *d, struct pz_job *j, const char *path, const char *url)
{
    struct dirent *e;
    size_t first = j->n_args;
    if (access(path, F_OK))
        return INVALID("The following S3 location does not exist: %s", url);
    if (is_file(path))
        return pz_job_arg(d, j, "%s", path) || pz_desk_lost(d);
    DIR *dir = opendir(path);
    if (!dir)
        return INVALID("%s cannot be read: %s", url, strerror(errno));
    bool good = true;
    while (good && (e = readdir(dir))) {
        const char *full = pz_desk_text(d, "%s/%s", path, e->d_name);
        if (e->d_name[0] == '.' || !strstr(e->d_name, ".csv") || !full ||
            !is_below(d->call->server->o.s3_root, full) || !is_file(full))
            continue;
        good = pz_job_arg(d, j, "%s", full);
    }
    closedir(dir);
    if (!good)
        return pz_desk_lost(d);
    if (j->n_args == first)
        return INVALID("There is no .csv file in %s", url);
    qsort(j->arg + first, j->n_args - first, sizeof *j->arg, pz_order_text);
    return true;
}

/* ---- groups, schemas, datasets ---- */

bool
pz_desk_group(struct pz_desk_call *d)
{
    const struct pz_thing *g =
        pz_thing_find(d, PZ_KIND_GROUP, pz_desk_member(d, "datasetGroupArn"));
    if (g)
        d->group = g->group;
    return g != NULL;
}

bool
pz_make_group(struct pz_desk_call *d)
{
    const char *root = d->call->server->o.root;
    if (!root) {
        pz_api_fail(d->call, PZ_FAULT_LIMIT,
                    "this server has one group; pz-serve --root DIR has many");
        return false;
    }
    d->group = pz_desk_text(d, "%s/%s", root, d->name);
    if (d->group &&
        access(d->group, F_OK) == 0) { // a group that cannot be read, or a file
        if (!pz_api_blind(d->call))
            pz_api_fail(d->call, PZ_FAULT_EXISTS, "There is a '%s' already", d->name);
        return false;
    }
    if (!d->group || pz_mkdirs(d->group, &d->err))
        return pz_desk_lost(d);
    const char *domain = pz_desk_member(d, "domain");
    if (domain) {
        bool first = d->answer.len == 0;
        pz_out_text(&d->answer, &first, "domain", domain);
    }
    return true;
}

/* What a schema describes, by its name. */
static bool
check_schema(struct pz_desk_call *d, const char *schema, const char *set_name,
             const char *domain_name)
{
    struct pz_schema s;
    enum pz_set set;
    enum pz_domain domain = PZ_CUSTOM;
    if (pz_set_parse(&set, set_name, &d->err) ||
        (domain_name && pz_domain_parse(&domain, domain_name, &d->err)) ||
        pz_schema_parse(&s, set, domain, schema, strlen(schema), &d->err))
        return pz_desk_lost(d);
    pz_schema_release(&s);
    return true;
}

bool
pz_make_schema(struct pz_desk_call *d)
{
    const char *schema = pz_desk_member(d, "schema");
    pz_json *j = NULL;
    if (pz_json_parse(&j, schema, strlen(schema), &d->err))
        return pz_desk_lost(d);
    const char *name = pz_json_get_string(j, "name");
    bool good = name ? check_schema(d, schema, name, pz_desk_member(d, "domain"))
                     : INVALID("the schema has no name");
    pz_json_free(j);
    d->group =
        d->call->server->o.root ? d->call->server->o.root : d->call->site->group[0]->path;
    return good;
}

bool
pz_drop_schema(struct pz_desk_call *d, const struct pz_thing *t)
{
    struct pz_things list;
    bool used = false;
    pz_things_all(d, PZ_KIND_DATASET, &list);
    for (size_t i = 0; i < list.n && !used && !d->err.status; i++) {
        struct pz_arn a;
        pz_json *doc = pz_thing_doc(d, &list.thing[i]);
        const char *arn = doc ? pz_json_get_string(doc, "schemaArn") : NULL;
        used = arn && pz_arn_parse(&a, arn) && strcmp(a.name, t->name) == 0;
        pz_json_free(doc);
    }
    free(list.thing);
    if (d->err.status)
        return pz_desk_lost(d);
    return used ? IN_USE("Schema %s is in use by a dataset", t->name) : true;
}

bool
pz_desk_schema_fits(struct pz_desk_call *d, const struct pz_thing *s, const char *type)
{
    enum pz_set set;
    if (pz_set_parse(&set, type, &d->err))
        return pz_desk_lost(d);
    pz_json *doc = pz_thing_doc(d, s);
    if (!doc)
        return pz_desk_lost(d);
    bool good = check_schema(d, pz_json_get_string(doc, "schema"), pz_set_name(set),
                             pz_json_get_string(doc, "domain"));
    pz_json_free(doc);
    return good;
}

bool
pz_make_dataset(struct pz_desk_call *d)
{
    enum pz_set set;
    char type[40];
    const char *arn = pz_desk_member(d, "schemaArn");
    if (!pz_desk_group(d))
        return false;
    const struct pz_thing *s = pz_thing_find(d, PZ_KIND_SCHEMA, arn);
    if (!s || !pz_desk_schema_fits(d, s, pz_desk_member(d, "datasetType")) ||
        pz_set_parse(&set, pz_desk_member(d, "datasetType"), &d->err))
        return false;
    snprintf(type, sizeof type, "%s", pz_set_name(set));
    for (char *p = type; *p; p++)
        *p = (char)(*p == '-' ? '_' : *p & ~0x20);
    d->name = pz_desk_text(d, "%s/%s", pz_desk_base(d->group), type);
    return d->name ? true : pz_desk_lost(d);
}

/* The dataset that the body names, and what of its name tells the type. */
static const struct pz_thing *
take_dataset(struct pz_desk_call *d, const char **type)
{
    const struct pz_thing *t =
        pz_thing_find(d, PZ_KIND_DATASET, pz_desk_member(d, "datasetArn"));
    enum pz_set set;
    if (!t)
        return NULL;
    d->group = t->group;
    if (strcmp(t->status, PZ_DELETING) == 0) { // the rest of it may go at any time
        IN_USE("Dataset %s is being deleted: DeleteDataset ends that", t->name);
        return NULL;
    }
    if (pz_set_parse(&set, pz_desk_base(t->name), &d->err)) {
        pz_desk_lost(d);
        return NULL;
    }
    *type = pz_set_name(set);
    return t;
}

bool
pz_desk_busy(struct pz_desk_call *d, const char *group)
{
    // One that is over and cannot be stored, as on a full disk, holds up nothing.
    for (struct pz_job *j = *pz_control_jobs(d->control); j; j = j->next)
        if (!j->over && strcmp(j->group, group) == 0)
            return true;
    return false;
}

/* Are there things of a kind in a group? */
bool
pz_desk_any(struct pz_desk_call *d, enum pz_kind_id kind, const char *group)
{
    struct pz_things list;
    bool found = false;
    pz_things_all(d, kind, &list);
    for (size_t i = 0; i < list.n; i++)
        found |= strcmp(list.thing[i].group, group) == 0;
    free(list.thing);
    return found;
}

/* ---- jobs on datasets ---- */

bool
pz_make_import(struct pz_desk_call *d)
{
    const char *type, *url = pz_desk_path(d, "dataSource", NULL);
    const char *mode = pz_desk_member(d, "importMode");
    const struct pz_thing *t = take_dataset(d, &type);
    const char *path = t ? pz_desk_s3(d, url) : NULL;
    if (path && pz_desk_flag(d->call->body, "publishAttributionMetricsToS3") &&
        !pz_desk_any(d, PZ_KIND_ATTRIBUTION, d->group))
        return INVALID("publishAttributionMetricsToS3: dataset group %s has no metric "
                       "attribution",
                       pz_desk_base(d->group));
    pz_json *doc = path ? pz_thing_doc(d, t) : NULL;
    if (!doc)
        return d->err.status ? pz_desk_lost(d) : false;
    const struct pz_thing *s =
        pz_thing_find(d, PZ_KIND_SCHEMA, pz_json_get_string(doc, "schemaArn"));
    pz_json_free(doc);
    if (!s)
        return false;
    doc = pz_thing_doc(d, s);
    d->job = doc ? pz_job_new(d, PZ_KIND_IMPORT, "pz-import") : NULL;
    struct pz_job *j = d->job;
    bool good = j && pz_job_input(d, j, pz_json_get_string(doc, "schema")) &&
                pz_job_arg(d, j, "-t") && pz_job_arg(d, j, "%s", type) &&
                pz_job_arg(d, j, "-s") && pz_job_arg(d, j, "/dev/fd/3") &&
                pz_job_arg(d, j, "-m") &&
                pz_job_arg(d, j, mode && mode[0] == 'I' ? "incremental" : "full");
    const char *domain = good ? pz_json_get_string(doc, "domain") : NULL;
    if (domain)
        good = pz_job_arg(d, j, "--domain") &&
               pz_job_arg(d, j, domain[0] == 'E' ? "ecommerce" : "video-on-demand");
    if (good)
        good = pz_job_arg(d, j, "--");
    pz_json_free(doc);
    if (good)
        j->publish = pz_desk_flag(d->call->body, "publishAttributionMetricsToS3");
    return good ? add_files(d, j, path, url) : pz_desk_lost(d);
}

/* Its answers go into a file of the folder that the body names. */
bool
pz_job_target(struct pz_desk_call *d, struct pz_job *j, const char *folder,
              const char *name)
{
    if (pz_mkdirs(folder, &d->err) || pz_path_join(&j->target, folder, name, &d->err))
        return pz_desk_lost(d);
    return true;
}

bool
pz_make_export(struct pz_desk_call *d)
{
    const char *type, *mode = pz_desk_member(d, "ingestionMode");
    const char *source = !mode || mode[0] == 'P' ? "put"
                         : mode[0] == 'B'        ? "bulk"
                                                 : "all";
    const char *url = pz_desk_path(d, "jobOutput", "s3DataDestination");
    const struct pz_thing *t = take_dataset(d, &type);
    const char *path = t ? pz_desk_s3(d, url) : NULL;
    const char *name = path ? pz_desk_text(d, "%s.csv", d->name) : NULL;
    if (!name)
        return d->err.status ? pz_desk_lost(d) : false;
    d->job = pz_job_new(d, PZ_KIND_EXPORT, "pz-info");
    if (!d->job || !pz_job_arg(d, d->job, "--export") ||
        !pz_job_arg(d, d->job, "%s", type) || !pz_job_arg(d, d->job, "--source") ||
        !pz_job_arg(d, d->job, "%s", source))
        return pz_desk_lost(d);
    return pz_job_target(d, d->job, path, name);
}

enum { DELETION_MAX = 100 << 20 };
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

/* The ids of a file of one column with the header USER_ID. */
bool
pz_make_deletion(struct pz_desk_call *d)
{
    struct pz_buf b = PZ_BUF_INIT;
    const char *url = pz_desk_path(d, "dataSource", NULL);
    const char *path = pz_desk_group(d) ? pz_desk_s3(d, url) : NULL;
    if (!path)
        return false;
    if (!is_file(path))
        return INVALID("%s is not a file", url);
    if (pz_read_all(&b, path, DELETION_MAX, &d->err)) {
        pz_buf_release(&b);
        return INVALID("%s cannot be read", url);
    }
    if (b.len && memchr(b.data, 0, b.len)) { // nobody is left out behind it
        pz_buf_release(&b);
        return INVALID("%s holds NUL bytes", url);
    }
    const char *text = b.data ? b.data : "";
    text += strncmp(text, BYTE_ORDER_MARK, 3) == 0 ? 3 : 0;
    size_t line = strcspn(text, "\r\n");
    bool good = line == 7 && memcmp(text, "USER_ID", 7) == 0;
    if (good) {
        d->job = pz_job_new(d, PZ_KIND_DELETION, "pz-import");
        text += line;
        text += *text == '\r';
        text += *text == '\n';
        good = (d->job && pz_job_arg(d, d->job, "--forget") &&
                pz_job_arg(d, d->job, "--json") && pz_job_input(d, d->job, text)) ||
               pz_desk_lost(d);
        if (d->job)
            d->job->reads = true;
    } else {
        INVALID("%s has no column USER_ID", url);
    }
    d->status = "PENDING";
    pz_buf_release(&b);
    return good;
}
