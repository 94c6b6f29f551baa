/* pz-import: CSV or JSON lines -> a dataset of the group. See man/pz-import.1. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/log.h"
#include "base/mem.h"
#include "cmd/cli.h"
#include "cmd/columns.h"
#include "data/csv.h"
#include "data/dataset.h"
#include "data/forget.h"
#include "data/import.h"
#include "data/insights.h"
#include "store/group.h"

static struct {
    const char *type, *schema, *mode, *domain, *unit, *rejects, *delimiter, *decimal,
        *encoding, *header;
    int64_t max_rejects;
    uint64_t memory;
    bool report, strict, forget, infer;
    struct pz_opt_list column;
} opt = {.mode = "full", .domain = "custom", .unit = "s", .max_rejects = -2};

static const struct pz_opt options[] = {
    {"type", 't', PZ_OPT_TEXT, &opt.type, "TYPE",
     "interactions, items, users, actions, action-interactions", 0, 0},
    {"schema", 's', PZ_OPT_TEXT, &opt.schema, "FILE",
     "schema (default: the dataset's, else inferred from the input)", 0, 0},
    {"infer", 0, PZ_OPT_FLAG, &opt.infer, NULL,
     "infer a schema although the dataset has one", 0, 0},
    {"domain", 0, PZ_OPT_TEXT, &opt.domain, "NAME",
     "custom, ecommerce or video-on-demand: the rules for the schema (default custom)", 0,
     0},
    {"column", 'c', PZ_OPT_LIST, &opt.column, "NAME=HEADER",
     "the column that the input calls HEADER is NAME", 0, 0},
    {"delimiter", 'd', PZ_OPT_TEXT, &opt.delimiter, "CHAR",
     "what separates the fields of CSV; tab is one too (default: what the header has)", 0,
     0},
    {"decimal", 0, PZ_OPT_TEXT, &opt.decimal, "CHAR",
     "what stands before a number's fraction: ',' or '.'; with it, 1.234,5 is a number",
     0, 0},
    {"encoding", 0, PZ_OPT_TEXT, &opt.encoding, "NAME",
     "of the text, as in iconv -l (default: UTF-8, or UTF-16 where it is)", 0, 0},
    {"header", 0, PZ_OPT_TEXT, &opt.header, "NAME,...",
     "the columns of CSV whose first line is a row, no header", 0, 0},
    {"mode", 'm', PZ_OPT_TEXT, &opt.mode, "MODE",
     "full replaces the dataset, incremental adds to it (default full)", 0, 0},
    {"timestamp-unit", 0, PZ_OPT_TEXT, &opt.unit, "UNIT",
     "how times stand in the input: s, ms, us, iso, float, auto, dmy, mdy or a format "
     "such as %d.%m.%Y (default s)",
     0, 0},
    {"rejects", 0, PZ_OPT_TEXT, &opt.rejects, "FILE",
     "write bad rows there, as they stood", 0, 0},
    {"max-rejects", 0, PZ_OPT_INT, &opt.max_rejects, "N",
     "bad rows allowed, -1 any number (default 0; with --rejects: any)", -1, 1e15},
    {"memory", 0, PZ_OPT_SIZE, &opt.memory, "BYTES",
     "rows beyond go to disk while sorting (default: a quarter of the machine's)", 0, 0},
    {"report", 0, PZ_OPT_FLAG, &opt.report, NULL, "print data insights after the import",
     0, 0},
    {"strict", 0, PZ_OPT_FLAG, &opt.strict, NULL,
     "enforce AWS's limits on the length of values", 0, 0},
    {"forget", 0, PZ_OPT_FLAG, &opt.forget, NULL,
     "remove users: USER_IDs as operands, or one a line on stdin", 0, 0},
    {NULL, 0, PZ_OPT_FLAG, NULL, NULL, NULL, 0, 0},
};

static const struct pz_tool tool = {
    "pz-import",
    "-g DIR -t TYPE [-s FILE] [-m full|incremental] [options] [FILE...]\n"
    "-g DIR --forget [USER_ID...]",
    "Import CSV or JSON lines into a dataset of the group, in one atomic step.",
    "  pz-import -g shop -t interactions events.csv\n"
    "  pz-import -g shop -t items -s items.json items.csv.gz\n"
    "  pz-import -g shop -t interactions -c USER_ID=visitor -c ITEM_ID=sku log.csv\n"
    "  zcat log.gz | pz-import -g shop -t interactions -m incremental\n"
    "  pz-import -g shop --forget u17 u23\n",
    options,
};

static const struct pz_form forms[] = {{"forget", "json"}, {NULL, NULL}};

/* The index of word in a NULL-terminated list, or exit 2 listing them. */
static int
choose(const char *option, const char *word, const char *const *list)
{
    for (int k = 0; list[k]; k++)
        if (strcmp(word, list[k]) == 0)
            return k;
    struct pz_buf all = PZ_BUF_INIT;
    for (int k = 0; list[k]; k++)
        pz_buf_addf(&all, "%s%s", k ? ", " : "", list[k]);
    pz_die(PZ_USAGE, "%s '%s' is none of %s", option, word, all.data ? all.data : "");
}

static char
delimiter(const char *text)
{
    if (!strcmp(text, "tab") || !strcmp(text, "\\t"))
        return '\t';
    if (!text[0] || text[1] || !pz_csv_can_delimit(text[0]))
        pz_die(PZ_USAGE,
               "--delimiter '%s' is neither a punctuation character nor tab; a quote and "
               "a backslash cannot be it",
               text);
    return text[0];
}

enum { NAMED = 100 }; // bad rows, without -v

static void
bad_row(void *ctx, const char *message)
{
    uint64_t *n = ctx;
    if (++*n <= NAMED || pz_common.verbose)
        pz_log(PZ_LOG_WARN, "rejected %s", message);
}

static void
print_result(const struct pz_import_result *r, enum pz_set set)
{
    if (pz_common.json) {
        printf("{\"dataset\":\"%s\",\"rowsRead\":%" PRIu64 ",\"rowsKept\":%" PRIu64
               ",\"duplicates\":%" PRIu64 ",\"replaced\":%" PRIu64
               ",\"rejected\":%" PRIu64 ",\"users\":%" PRIu64 ",\"items\":%" PRIu64
               ",\"schema\":%s}\n",
               pz_set_name(set), r->rows_read, r->rows_kept, r->duplicates, r->replaced,
               r->rejected, r->n_users, r->n_items, r->schema_text);
        return;
    }
    printf("%s: %" PRIu64 " rows read, %" PRIu64 " kept, %" PRIu64 " duplicates, %" PRIu64
           " replaced, %" PRIu64 " rejected, %" PRIu64 " users, %" PRIu64 " items\n",
           pz_set_name(set), r->rows_read, r->rows_kept, r->duplicates, r->replaced,
           r->rejected, r->n_users, r->n_items);
}

/* Opens the group's dataset of this type if it is there: whether it was, or err. */
static bool
open_set(struct pz_dataset *d, enum pz_set set, struct pz_err *err)
{
    char *path;
    if (pz_dataset_path(&path, pz_common.group, set, err))
        return false;
    bool there = access(path, F_OK) == 0 && !pz_dataset_open(d, path, err);
    free(path);
    return there;
}

/* The same; a dataset that is damaged is no dataset that is absent: that ends the tool.
 */
static bool
open_if_there(struct pz_dataset *d, enum pz_set set)
{
    struct pz_err err = PZ_ERR_INIT;
    bool there = open_set(d, set, &err);
    if (err.status)
        pz_die_err(&err);
    return there;
}

/* Two datasets that are about the same things share some of their ids: where none is
 * shared, one of them was written otherwise, and filters, metadata and cold items will
 * find nothing. O(ids) look-ups, one where all is well. */
static void
compare_ids(const struct pz_ids *a, const char *name_a, const struct pz_ids *b,
            const char *name_b, const char *what)
{
    size_t n_a = 0, n_b = 0;
    for (uint32_t i = 0; i < a->n; i++) {
        const char *id = pz_ids_get(a, i, &n_a);
        if (!id || pz_ids_find(b, id, n_a) != PZ_NO_ID)
            return;
    }
    const char *of_a = pz_ids_get(a, 0, &n_a), *of_b = pz_ids_get(b, 0, &n_b);
    if (!of_a || !of_b)
        return;
    pz_log(PZ_LOG_WARN,
           "no %s of the %s is one of the %s: is '%.*s' written like '%.*s'?", what,
           name_b, name_a, (int)(n_b < 60 ? n_b : 60), of_b, (int)(n_a < 60 ? n_a : 60),
           of_a);
}

/* Says where what was imported shares no id with what is there. It is imported all the
 * same, so that a dataset which cannot be read now is passed over. */
static void
check_ids(enum pz_set set)
{
    static const enum pz_set of[] = {PZ_ITEMS, PZ_USERS};
    struct pz_err err = PZ_ERR_INIT;
    struct pz_dataset events, other;
    bool is_events = set == PZ_INTERACTIONS;
    if ((!is_events && set != PZ_ITEMS && set != PZ_USERS) ||
        !open_set(&events, PZ_INTERACTIONS, &err))
        return;
    for (size_t k = 0; k < 2; k++) {
        bool items = of[k] == PZ_ITEMS;
        if ((!is_events && of[k] != set) || !open_set(&other, of[k], &err))
            continue;
        compare_ids(items ? &other.item : &other.user, pz_set_name(of[k]),
                    items ? &events.item : &events.user, pz_set_name(PZ_INTERACTIONS),
                    items ? "item" : "user");
        pz_dataset_close(&other);
    }
    pz_dataset_close(&events);
}

/* Data insights over what the group holds now (pz-import.1, DATA INSIGHTS). */
static void
report(void)
{
    struct pz_dataset interactions, items, users;
    struct pz_buf text = PZ_BUF_INIT, json = PZ_BUF_INIT;
    struct pz_err err = PZ_ERR_INIT;
    bool has_interactions = open_if_there(&interactions, PZ_INTERACTIONS);
    bool has_items = open_if_there(&items, PZ_ITEMS);
    bool has_users = open_if_there(&users, PZ_USERS);
    int r =
        pz_insights(has_interactions ? &interactions : NULL, has_items ? &items : NULL,
                    has_users ? &users : NULL, &text, &json, &err);
    if (r == PZ_OK)
        r = pz_buf_status(pz_common.json ? &json : &text, "the report", &err);
    if (r)
        pz_die_err(&err);
    const struct pz_buf *out = pz_common.json ? &json : &text;
    fwrite(out->data, 1, out->len, stdout);
    if (out->len && out->data[out->len - 1] != '\n')
        putchar('\n');
    if (has_interactions)
        pz_dataset_close(&interactions);
    if (has_items)
        pz_dataset_close(&items);
    if (has_users)
        pz_dataset_close(&users);
    pz_buf_release(&text);
    pz_buf_release(&json);
}

/* ---- forgetting ---- */

/* The ids on stdin, one a line; a line USER_ID in front is AWS's header. */
static char **
read_ids(size_t *n)
{
    struct pz_err err = PZ_ERR_INIT;
    char *line = NULL, **id = NULL;
    size_t room = 0, cap = 0;
    ssize_t len;
    for (bool first = true; (len = getline(&line, &room, stdin)) >= 0; first = false) {
        while (len && (line[len - 1] == '\n' || line[len - 1] == '\r'))
            len--;
        if (first && len >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0)
            memmove(line, line + 3, (size_t)(len -= 3) + 1); // a byte order mark
        if (memchr(line, 0, (size_t)len))
            pz_die(PZ_DATA, "(stdin): is no text: it holds NUL bytes");
        if (len == 0 || (first && len == 7 && strncmp(line, "USER_ID", 7) == 0))
            continue;
        if (pz_grow(&id, &cap, *n + 1, sizeof *id, "ids", &err) ||
            pz_strndup(&id[*n], line, (size_t)len, &err))
            pz_die_err(&err);
        ++*n;
    }
    if (ferror(stdin))
        pz_die(PZ_SYSTEM, "cannot read standard input: %s", strerror(errno));
    free(line);
    return id;
}

static void
forget(char **operand, size_t n)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_forget_report r;
    const char *group = pz_need_group();
    size_t n_read = 0;
    if (pz_group_need(group, &err))
        pz_die_err(&err);
    char **read = n ? NULL : read_ids(&n_read);
    if (pz_forget(group, (const char *const *)(n ? operand : read), n ? n : n_read,
                  (int)pz_common.threads, &r, &err))
        pz_die_err(&err);
    printf(pz_common.json ? "{\"usersAsked\":%" PRIu64 ",\"interactions\":%" PRIu64
                            ",\"actionInteractions\":%" PRIu64 ",\"users\":%" PRIu64
                            ",\"events\":%" PRIu64 "}\n"
                          : "%" PRIu64 " ids: removed %" PRIu64 " interactions, %" PRIu64
                            " action interactions, %" PRIu64 " users, %" PRIu64
                            " stored events\n",
           r.users, r.rows[PZ_INTERACTIONS], r.rows[PZ_ACTION_INTERACTIONS],
           r.rows[PZ_USERS], r.events);
    for (size_t i = 0; i < n_read; i++)
        free(read[i]);
    free(read);
}

int
main(int argc, char **argv)
{
    static const char *const modes[] = {"full", "incremental", NULL};
    static const char *const domains[] = {"custom", "ecommerce", "video-on-demand", NULL};
    struct pz_err err = PZ_ERR_INIT;
    struct pz_import_result result;
    enum pz_set set;
    uint64_t n_bad = 0;
    int first;
    pz_cli_begin();
    pz_opt_parse(&tool, argc, argv, &first);
    pz_opt_form(forms);
    if (opt.forget) {
        forget(argv + first, (size_t)(argc - first));
        return pz_cli_end(PZ_OK);
    }
    struct pz_import p = {
        .group = pz_need_group(),
        .schema_path = opt.schema,
        .infer = opt.infer,
        .domain = (enum pz_domain)choose("--domain", opt.domain, domains),
        .incremental = choose("--mode", opt.mode, modes) == 1,
        .path = (const char *const *)argv + first,
        .n_paths = (size_t)(argc - first),
        .rejects_path = opt.rejects,
        .encoding = opt.encoding,
        .header = opt.header,
        .max_rejects = opt.max_rejects != -2 ? opt.max_rejects
                       : opt.rejects         ? -1
                                             : 0,
        .delimiter = opt.delimiter ? delimiter(opt.delimiter) : 0,
        .naming = pz_columns_naming(&opt.column),
        .memory = opt.memory,
        .threads = (int)pz_common.threads,
        .strict = opt.strict,
        .bad_row = bad_row,
        .ctx = &n_bad,
    };
    if (pz_times_parse(&p.times, opt.unit, &err))
        pz_die_err(&err);
    if (opt.header && (!*opt.header || strpbrk(opt.header, "\n\"")))
        pz_die(PZ_USAGE, "--header '%s' is not of the form NAME,NAME,...", opt.header);
    if (opt.infer && (opt.schema || p.incremental))
        pz_die(PZ_USAGE, "--infer goes neither with -s nor with --mode incremental");
    if (opt.decimal && strcmp(opt.decimal, ",") && strcmp(opt.decimal, "."))
        pz_die(PZ_USAGE, "--decimal '%s' is neither ',' nor '.'", opt.decimal);
    p.decimal = opt.decimal ? opt.decimal[0] : 0;
    if (!opt.type)
        pz_die(PZ_USAGE, "-t TYPE is needed: interactions, items, users, actions or "
                         "action-interactions");
    if (pz_set_parse(&set, opt.type, &err))
        pz_die_err(&err);
    p.set = set;
    int r = pz_import_run(&p, &result, &err);
    if (n_bad > NAMED && !pz_common.verbose)
        pz_log(PZ_LOG_WARN, "rejected %" PRIu64 " more rows, which -v names",
               n_bad - NAMED);
    if (r)
        pz_die_err(&err);
    if (result.renamed)
        pz_log(PZ_LOG_WARN, "columns with new names: %s", result.renamed);
    if (result.commas)
        pz_log(PZ_LOG_WARN,
               "strings that look like numbers with a decimal comma, which --decimal , "
               "reads (with --infer if the dataset is there): %s",
               result.commas);
    check_ids(set);
    print_result(&result, set);
    if (opt.report)
        report();
    pz_import_result_release(&result);
    pz_columns_release(&p.naming);
    return pz_cli_end(PZ_OK);
}
