#include "cmd/event_jobs.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/rng.h"
#include "data/attribution.h"
#include "data/stored.h"
#include "infer/giver.h"
#include "store/estore.h"
#include "store/group.h"

/* ---- trackers ---- */

static int
print_tracker(void *ctx, const struct pz_tracker *t)
{
    char when[PZ_TIME_TEXT];
    struct pz_buf b = PZ_BUF_INIT;
    (void)ctx;
    pz_time_text(when, t->created);
    if (pz_common.json) {
        pz_buf_addz(&b, "{\"name\":");
        pz_json_add_string(&b, t->name, strlen(t->name));
        pz_buf_addz(&b, ",\"trackingId\":");
        pz_json_add_string(&b, t->tracking_id, strlen(t->tracking_id));
        pz_buf_addf(&b, ",\"created\":\"%s\"}\n", when);
    } else {
        pz_buf_addf(&b, "%s\t%s\t%s\n", t->name, t->tracking_id, when);
    }
    fwrite(b.data ? b.data : "", 1, b.len, stdout);
    pz_buf_release(&b);
    return 0;
}

void
pz_event_list_trackers(const char *group)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_estore *s;
    if (pz_estore_open(&s, group, PZ_CATALOG_READ, &err) ||
        pz_estore_trackers(s, print_tracker, NULL, &err))
        pz_die_err(&err);
    pz_estore_close(s);
}

/* AWS's rule for names. */
static void
check_name(const char *name)
{
    size_t n = strlen(name);
    bool good = n > 0 && n <= 63 && name[0] != '-' && name[0] != '_';
    for (size_t i = 0; i < n; i++)
        good &= (name[i] >= 'a' && name[i] <= 'z') ||
                (name[i] >= 'A' && name[i] <= 'Z') ||
                (name[i] >= '0' && name[i] <= '9') || name[i] == '-' || name[i] == '_';
    if (!good)
        pz_die(PZ_USAGE,
               "tracker name '%s' is not 1 to 63 letters, digits, '-' and '_', the first "
               "a letter or digit",
               name);
}

static int
count_tracker(void *ctx, const struct pz_tracker *t)
{
    size_t *n = ctx;
    (void)t;
    ++*n;
    return 0;
}

void
pz_event_create_tracker(const char *group, const char *name, bool only)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_estore *s;
    char id[PZ_UUID_TEXT];
    size_t n = 0;
    check_name(name);
    if (pz_uuid(id, &err))
        pz_die_err(&err);
    const struct pz_tracker t = {name, id, pz_now()};
    if (pz_estore_open(&s, group, PZ_CATALOG_WRITE, &err) ||
        (only && pz_estore_trackers(s, count_tracker, &n, &err)))
        pz_die_err(&err);
    if (n)
        pz_die(PZ_USAGE, "group '%s' has an event tracker already (--strict)", group);
    if (pz_estore_add_tracker(s, &t, &err))
        pz_die_err(&err);
    pz_estore_close(s);
    if (pz_common.json)
        print_tracker(NULL, &t);
    else
        printf("%s\n", id);
}

/* ---- compaction ---- */

/* Seconds of "90", "90s", "15m", "12h" or "7d". */
static int64_t
seconds_of(const char *option, const char *text)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    size_t n = strlen(text);
    int64_t v, factor = 1;
    for (size_t i = 0; n && i < sizeof units / sizeof *units; i++)
        if (text[n - 1] == units[i].unit) {
            factor = units[i].seconds;
            n--;
            break;
        }
    if (pz_parse_i64(text, n, &v) || v < 0 || v > INT32_MAX)
        pz_die(PZ_USAGE, "%s '%s' is no length of time such as 90s, 15m, 12h or 7d",
               option, text);
    return v * factor;
}

static void
compact_set(const char *group, enum pz_set set, int64_t before)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_stored_report r;
    if (pz_stored_compact(group, set, before, (int)pz_common.threads, &r, &err))
        pz_die(err.status, "%s: %s", pz_set_name(set), err.msg);
    if (r.anonymous)
        pz_log(PZ_LOG_NOTE,
               "%s: %" PRIu64 " events of sessions without a user stay in the store",
               pz_set_name(set), r.anonymous);
    if (r.unfit)
        pz_log(PZ_LOG_WARN,
               "%s: %" PRIu64 " rows do not fit the schema and stay in the store: %s",
               pz_set_name(set), r.unfit, r.reason);
    if (!r.put)
        return;
    printf(pz_common.json ? "{\"dataset\":\"%s\",\"moved\":%" PRIu64
                            ",\"duplicates\":%" PRIu64 ",\"rows\":%" PRIu64 "}\n"
                          : "%s: %" PRIu64 " moved from the store, %" PRIu64
                            " duplicates, %" PRIu64 " rows\n",
           pz_set_name(set), r.put, r.duplicates, r.rows);
}

void
pz_event_compact(const char *group, const char *older_than)
{
    struct pz_err err = PZ_ERR_INIT;
    int64_t before = INT64_MAX;
    if (pz_group_need(group, &err))
        pz_die_err(&err);
    if (older_than)
        before = pz_now() - seconds_of("--older-than", older_than);
    for (int set = 0; set < PZ_N_SETS; set++)
        compact_set(group, (enum pz_set)set, before);
}

/* ---- attribution ---- */

void
pz_event_attribution(const char *group, const struct pz_event_report *r)
{
    enum { METRICS = 10 }; // of AWS
    struct pz_err err = PZ_ERR_INIT;
    struct pz_buf text = PZ_BUF_INIT;
    struct pz_metric *metric;
    struct pz_givers givers = {0};
    struct pz_attribution a = {.group = group,
                               .giver = pz_givers_find,
                               .ctx = &givers,
                               .window = seconds_of("--window", r->window),
                               .log = r->log->item,
                               .n_logs = r->log->n,
                               .threads = (int)pz_common.threads};
    if (a.window == 0)
        pz_die(PZ_USAGE, "--window 0 has no length");
    if (r->strict && r->metric->n > METRICS)
        pz_die(PZ_USAGE, "%zu metrics are more than %d (--strict)", r->metric->n,
               METRICS);
    if (pz_new(&metric, r->metric->n, sizeof *metric, "metrics", &err))
        pz_die_err(&err);
    for (; a.n_metrics < r->metric->n; a.n_metrics++)
        if (pz_metric_parse(&metric[a.n_metrics], r->metric->item[a.n_metrics], &err))
            pz_die_err(&err);
    a.metric = metric;
    pz_buf_addz(&text, PZ_ATTRIBUTED_HEAD);
    if (pz_givers_add_group(&givers, group, &err) ||
        pz_attribution(&a, pz_attributed_csv, &text, &err) ||
        pz_buf_status(&text, "the report", &err))
        pz_die_err(&err);
    fwrite(text.data, 1, text.len, stdout);
    pz_buf_release(&text);
    for (size_t i = 0; i < a.n_metrics; i++)
        pz_metric_release(&metric[i]);
    pz_givers_release(&givers);
    free(metric);
}
