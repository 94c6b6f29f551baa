/*
 * Filters over a million items, beside a bare scan of the same columns' bytes.
 *
 * Prints KEY=VALUE lines, all in seconds of processor time for one evaluation (the median
 * of many, caches warm for both):
 *   floor_text2, filter_text2   two text columns of 1-byte codes
 *   floor_wide2, filter_wide2   two text columns of 2-byte codes
 *   floor_many2, filter_many2   the same, each against a list of 300 values
 *   floor_all2, filter_all2     the same, all over 60,000 values each
 *   floor_num2, filter_num2     two columns of numbers, 4 bytes each
 *   filter_events               an exclusion of 200 events, no column
 *   compile                     from text, tables included
 *
 * The floor reads every byte of the columns once and adds them up, as 64-bit words.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/order.h"
#include "base/rng.h"
#include "data/import.h"
#include "filter/group.h"

enum { ITEMS = 1000000, ROUNDS = 201, EVENTS = 200 };

static void
check(int status, const struct pz_err *err)
{
    if (!status)
        return;
    fprintf(stderr, "bench_filter: %s\n", err->msg);
    exit(status);
}

static void
import(const char *dir, enum pz_set set, const char *csv, const char *schema)
{
    struct pz_err err = PZ_ERR_INIT;
    char path[256];
    snprintf(path, sizeof path, "%s/schema.json", dir);
    FILE *f = fopen(path, "w");
    if (!f || fputs(schema, f) < 0 || fclose(f))
        exit(5);
    const char *paths[] = {csv};
    struct pz_import p = {
        .group = dir, .set = set, .schema_path = path, .path = paths, .n_paths = 1};
    struct pz_import_result r = {0};
    check(pz_import_run(&p, &r, &err), &err);
    pz_import_result_release(&r);
}

#define HEAD              "{\"type\":\"record\",\"name\":\"%s\",\"version\":\"1.0\",\"namespace\":"
#define SPACE             "\"com.amazonaws.personalize.schema\",\"fields\":["
#define TEXT(name)        "{\"name\":\"" name "\",\"type\":\"string\",\"categorical\":true},"
#define PLAIN(name, type) "{\"name\":\"" name "\",\"type\":\"" type "\"}"

static void
make_group(const char *dir)
{
    char csv[256], schema[1024];
    struct pz_rng rng;
    pz_rng_seed(&rng, 1, 0);
    snprintf(csv, sizeof csv, "%s/items.csv", dir);
    FILE *f = fopen(csv, "w");
    if (!f)
        exit(5);
    fprintf(f, "ITEM_ID,A,B,C,D,E,F,PRICE,YEAR\n");
    for (int i = 0; i < ITEMS; i++)
        fprintf(f, "i%d,a%d,b%d|b%d,c%d,d%d,e%d,f%d,%d.5,%d\n", i,
                (int)pz_rng_below(&rng, 40), (int)pz_rng_below(&rng, 15),
                (int)pz_rng_below(&rng, 15), (int)pz_rng_below(&rng, 3000),
                (int)pz_rng_below(&rng, 900), (int)pz_rng_below(&rng, 60000),
                (int)pz_rng_below(&rng, 60000), (int)pz_rng_below(&rng, 500),
                (int)pz_rng_below(&rng, 100000));
    if (fclose(f))
        exit(5);
    snprintf(schema, sizeof schema,
             HEAD SPACE PLAIN("ITEM_ID", "string") "," TEXT("A") TEXT("B") TEXT("C")
                 TEXT("D") TEXT("E") TEXT("F")
                     PLAIN("PRICE", "float") "," PLAIN("YEAR", "int") "]}",
             "Items");
    import(dir, PZ_ITEMS, csv, schema);
    f = fopen(csv, "w");
    if (!f)
        exit(5);
    fprintf(f, "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE\n");
    for (int i = 0; i < EVENTS; i++)
        fprintf(f, "u1,i%d,%d,%s\n", (int)pz_rng_below(&rng, ITEMS), i,
                i % 2 ? "view" : "buy");
    if (fclose(f))
        exit(5);
    snprintf(
        schema, sizeof schema,
        HEAD SPACE PLAIN("USER_ID", "string") "," PLAIN("ITEM_ID", "string") "," PLAIN(
            "TIMESTAMP", "long") "," PLAIN("EVENT_TYPE", "string") "]}",
        "Interactions");
    import(dir, PZ_INTERACTIONS, csv, schema);
}

static double
median(double *t)
{
    qsort(t, ROUNDS, sizeof *t, pz_order_f64);
    return t[ROUNDS / 2];
}

static uint64_t sink;

static void
floor_of(const char *key, const struct pz_dataset *d, const char *a, const char *b)
{
    const char *names[] = {a, b};
    double t[ROUNDS];
    for (int r = 0; r < ROUNDS; r++) {
        double start = pz_seconds_cpu();
        for (int k = 0; k < 2; k++) {
            const struct pz_column *c = pz_dataset_column(d, names[k]);
            const uint64_t *w = c->data;
            size_t n = (size_t)d->n_rows * pz_dtype_size(c->dtype) / 8;
            uint64_t sum = 0;
            for (size_t i = 0; i < n; i++)
                sum += w[i];
            sink += sum;
        }
        t[r] = pz_seconds_cpu() - start;
    }
    printf("%s=%.9f\n", key, median(t));
}

static void
filter_with(const char *key, const struct pz_filter_group *g, const char *text,
            const struct pz_filter_value *v)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_filter *f;
    struct pz_filter_run *run;
    struct pz_filter_space *space;
    struct pz_filter_options o = {0};
    struct pz_filter_request q = {"u1", 2, NULL, 0, v, strchr(text, '$') != NULL,
                                  NULL, 0, NULL};
    uint64_t *bits = malloc((ITEMS / 64 + 1) * sizeof *bits);
    double t[ROUNDS];
    check(pz_filter_compile(&f, text, strlen(text), &g->data, &o, &err), &err);
    check(pz_filter_run_new(&run, f, &err), &err);
    check(pz_filter_space_new(&space, f, &g->set[PZ_ITEMS].item, &err), &err);
    for (int r = 0; bits && r < ROUNDS; r++) {
        double start = pz_seconds_cpu();
        check(pz_filter_run_begin(run, &q, &err), &err);
        check(pz_filter_items(run, space, bits, &err), &err);
        t[r] = pz_seconds_cpu() - start;
        sink += bits[r];
    }
    printf("%s=%.9f\n", key, median(t));
    free(bits);
    pz_filter_space_free(space);
    pz_filter_run_free(run);
    pz_filter_free(f);
}

static void
filter(const char *key, const struct pz_filter_group *g, const char *text)
{
    // Placeholders, so that nothing is known before the request.
    const struct pz_filter_value value[] = {{"X", 1, "\"a7\",\"c70\",\"20\"", 15},
                                            {"N", 1, "20", 2}};
    filter_with(key, g, text, strstr(text, "$X") ? value : value + 1);
}

/* 300 values that match, and as many that do not, every step-th of its dictionary. */
static void
many(const char *key, const struct pz_filter_group *g, const char *text, char in,
     int step, char out, int out_step)
{
    struct pz_buf list = PZ_BUF_INIT;
    for (int i = 0; i < 300; i++)
        pz_buf_addf(&list, "%s\"%c%d\",\"%c%d\"", i ? "," : "", in, i * step, out,
                    i * out_step);
    if (list.failed)
        exit(5);
    const struct pz_filter_value value = {"L", 1, list.data, list.len};
    filter_with(key, g, text, &value);
    pz_buf_release(&list);
}

static void
compile(const struct pz_filter_group *g)
{
    static const char text[] =
        "INCLUDE ItemID WHERE Items.A IN (\"a1\") AND Items.C NOT IN (\"c1\")";
    struct pz_err err = PZ_ERR_INIT;
    double t[ROUNDS];
    for (int r = 0; r < ROUNDS; r++) {
        struct pz_filter *f;
        struct pz_filter_options o = {0};
        double start = pz_seconds_cpu();
        check(pz_filter_compile(&f, text, sizeof text - 1, &g->data, &o, &err), &err);
        pz_filter_free(f);
        t[r] = pz_seconds_cpu() - start;
    }
    printf("compile=%.9f\n", median(t));
}

int
main(void)
{
    char dir[] = "/tmp/pz-bench-filter-XXXXXX", command[64];
    struct pz_err err = PZ_ERR_INIT;
    struct pz_filter_group g;
    if (!mkdtemp(dir))
        return 5;
    make_group(dir);
    check(pz_filter_group_open(&g, dir, &err), &err);
    snprintf(command, sizeof command, "rm -r %s", dir);
    if (system(command))
        return 5;
    const struct pz_dataset *items = &g.set[PZ_ITEMS];
    floor_of("floor_text2", items, "A", "B");
    filter("filter_text2", &g,
           "INCLUDE ItemID WHERE Items.A IN ($X) AND Items.B NOT IN (\"b3\")");
    floor_of("floor_wide2", items, "C", "D");
    filter("filter_wide2", &g,
           "INCLUDE ItemID WHERE Items.C IN ($X) OR Items.D NOT IN (\"d3\")");
    floor_of("floor_many2", items, "C", "D");
    many("filter_many2", &g,
         "INCLUDE ItemID WHERE Items.C IN ($L) OR Items.D NOT IN ($L)", 'c', 7, 'd', 3);
    floor_of("floor_all2", items, "E", "F");
    many("filter_all2", &g, "INCLUDE ItemID WHERE Items.E IN ($L) OR Items.F NOT IN ($L)",
         'e', 199, 'f', 197);
    floor_of("floor_num2", items, "PRICE", "YEAR");
    filter("filter_num2", &g,
           "INCLUDE ItemID WHERE Items.PRICE < $N AND Items.YEAR > 70000");
    filter("filter_events", &g,
           "EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (\"buy\")");
    compile(&g);
    fprintf(stderr, "%llx\r", (unsigned long long)sink); // the work is not to be left out
    pz_filter_group_close(&g);
    return 0;
}
