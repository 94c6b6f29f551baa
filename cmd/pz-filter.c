/* pz-filter: ranked items in, those that pass out; and the group's stored filters. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "cmd/cli.h"
#include "cmd/filters.h"
#include "cmd/show.h"
#include "filter/group.h"
#include "infer/sieve.h"
#include "store/catalog_filter.h"

static struct {
    int64_t n, window;
    bool check, list, strict, explain;
    const char *save, *delete, *user, *item;
    struct pz_opt_list values;
} opt = {.n = -1};

static const struct pz_opt opts[] = {
    {"Filtering", 0, PZ_OPT_HEADING, NULL, NULL, NULL, 0, 0},
    {"value", 'V', PZ_OPT_LIST, &opt.values, "NAME=VALUE",
     "the value of placeholder $NAME: a number, or \"a\",\"b\"", 0, 0},
    {"num-results", 'n', PZ_OPT_INT, &opt.n, "N",
     "items kept of each request (default all)", 0, 4294967295.0},
    {"user", 0, PZ_OPT_TEXT, &opt.user, "ID", "the user of all requests", 0, 0},
    {"item", 0, PZ_OPT_TEXT, &opt.item, "ID", "CurrentItem of all requests", 0, 0},
    {"window", 0, PZ_OPT_INT, &opt.window, "N",
     "look at a user's newest N events of each type (default all; AWS: 100)", 1,
     4294967295.0},
    {"strict", 0, PZ_OPT_FLAG, &opt.strict, NULL,
     "AWS's language, limits and window, and exit 3 for bad lines", 0, 0},
    {"explain", 0, PZ_OPT_FLAG, &opt.explain, NULL,
     "write for each item whether it is kept and why, in place of the items", 0, 0},
    {"Stored filters", 0, PZ_OPT_HEADING, NULL, NULL, NULL, 0, 0},
    {"check", 0, PZ_OPT_FLAG, &opt.check, NULL,
     "compile only; with --explain write the compiled form", 0, 0},
    {"save", 0, PZ_OPT_TEXT, &opt.save, "NAME", "check EXPR and store it under a name", 0,
     0},
    {"list", 0, PZ_OPT_FLAG, &opt.list, NULL, "list the stored filters", 0, 0},
    {"delete", 0, PZ_OPT_TEXT, &opt.delete, "NAME", "delete a stored filter", 0, 0},
    {NULL, 0, PZ_OPT_FLAG, NULL, NULL, NULL, 0, 0},
};

static const struct pz_tool tool = {
    "pz-filter",
    "[-g GROUP] [OPTION]... EXPR|NAME\n"
    "[-g GROUP] --check [--explain] EXPR|NAME\n"
    "[-g GROUP] --save NAME EXPR\n"
    "[-g GROUP] --list\n"
    "[-g GROUP] --delete NAME",
    "Filters ranked items by an expression of the filter language, pz-filter(7).",
    "  pz-filter -g shop -n 10 'EXCLUDE ItemID WHERE Interactions.EVENT_TYPE\n"
    "      IN (\"purchase\")' < items.tsv         what the users have not bought\n"
    "  pz-filter -g shop --save cheap 'INCLUDE ItemID WHERE Items.PRICE <= $MAX'\n"
    "  pz-recommend -g shop u1 | pz-filter -g shop -V MAX=20 cheap\n",
    opts,
};

static const struct pz_form forms[] = {
    {"check", "explain value user item window strict"},
    {"save", "strict"},
    {"list", "json"},
    {"delete", ""},
    {NULL, "explain value num-results user item window strict json"},
};

static struct pz_filter_options
options(void)
{
    return (struct pz_filter_options){.strict = opt.strict,
                                      .window = (uint32_t)opt.window};
}

/* The one operand, or exit 2. */
static const char *
operand(int argc, char **argv, int first, const char *what)
{
    if (argc - first != 1)
        pz_die(PZ_USAGE,
               argc == first ? "%s is missing" : "more than one operand: quote %s", what);
    return argv[first];
}

static void
no_operands(int argc, char **argv, int first)
{
    if (first < argc)
        pz_die(PZ_USAGE, "unexpected operand '%s'", argv[first]);
}

static int
compile(struct pz_filter **f, const struct pz_filter_group *g, const char *text,
        struct pz_err *err)
{
    struct pz_filter_options o = options();
    if (pz_filter_compile(f, text, strlen(text), &g->data, &o, err))
        return err->status;
    for (size_t i = 0; pz_filter_warning(*f, i); i++)
        pz_warn("%s", pz_filter_warning(*f, i));
    return PZ_OK;
}

/* ---- filtering ---- */

static int
filter(const struct pz_filter *f, const struct pz_filter_value *value, int *status,
       struct pz_err *err)
{
    struct pz_sieve s = {
        .filter = f,
        .value = value,
        .n_values = opt.values.n,
        .n = opt.n < 0 ? SIZE_MAX : (size_t)opt.n,
        .user = {opt.user, opt.user ? strlen(opt.user) : 0},
        .item = {opt.item, opt.item ? strlen(opt.item) : 0},
        .explain = opt.explain,
        .out = STDOUT_FILENO,
    };
    struct pz_sieve_counts c;
    if (isatty(STDIN_FILENO))
        pz_log(PZ_LOG_NOTE, "reading from the terminal");
    if (pz_sieve_stream(&s, STDIN_FILENO, &c, err))
        return err->status;
    pz_log(PZ_LOG_NOTE, "%llu lines, %llu of %llu items kept",
           (unsigned long long)c.lines, (unsigned long long)c.kept,
           (unsigned long long)c.items);
    if (c.bad)
        pz_warn("%llu of %llu lines were bad and have no answer",
                (unsigned long long)c.bad, (unsigned long long)c.lines);
    *status = c.bad && opt.strict ? PZ_DATA : PZ_OK;
    return PZ_OK;
}

/* ---- --check ---- */

/* The values that are given must fit; ones that are missing only make the counts
 * impossible. */
static int
check(const struct pz_filter *f, const struct pz_filter_group *g,
      const struct pz_filter_value *value, struct pz_err *err)
{
    struct pz_filter_run *r;
    struct pz_filter_space *s = NULL;
    struct pz_buf out = PZ_BUF_INIT;
    struct pz_filter_request q = {.user = opt.user,
                                  .n_user = opt.user ? strlen(opt.user) : 0,
                                  .item = opt.item,
                                  .n_item = opt.item ? strlen(opt.item) : 0,
                                  .value = value,
                                  .n_values = opt.values.n};
    const struct pz_ids *ids = pz_filter_candidates(f, &g->data);
    struct pz_err why = PZ_ERR_INIT;
    if (pz_filter_run_new(&r, f, err))
        return err->status;
    if (pz_filter_run_begin(r, &q, &why)) {
        if (why.status == PZ_DATA && !opt.values.n)
            pz_warn("no counts: %s", why.msg);
        else
            *err = why;
    } else if (ids && opt.explain) {
        pz_filter_space_new(&s, f, ids, err);
    }
    if (opt.explain && !err->status && !pz_filter_explain(r, s, &out, err) && out.len)
        fwrite(out.data, 1, out.len, stdout);
    pz_buf_release(&out);
    pz_filter_space_free(s);
    pz_filter_run_free(r);
    return err->status;
}

/* ---- stored filters ---- */

/* What AWS allows to all filters of a group together. */
struct all_fields {
    const struct pz_filter_group *group;
    struct pz_buf fields; // each with a line end
    size_t n_fields, n_filters;
    struct pz_err *err;
};

static int
add_fields(struct all_fields *a, const char *text)
{
    struct pz_filter *f;
    struct pz_filter_options o = {0};
    struct pz_err why = PZ_ERR_INIT;
    const char *field;
    if (pz_filter_compile(&f, text, strlen(text), &a->group->data, &o, &why))
        return PZ_OK; // stored for other schemas; it does not work now anyway
    for (size_t i = 0; (field = pz_filter_field(f, i)); i++) {
        char line[600];
        snprintf(line, sizeof line, "\n%s\n", field);
        if (a->fields.data && strstr(a->fields.data, line))
            continue;
        pz_buf_addz(&a->fields, line);
        a->n_fields++;
    }
    pz_filter_free(f);
    return pz_buf_status(&a->fields, "fields", a->err);
}

static int
add_stored(void *ctx, const struct pz_catalog_filter *row)
{
    struct all_fields *a = ctx;
    a->n_filters++;
    return add_fields(a, row->expression);
}

static int
check_group_limits(struct pz_catalog *c, const struct pz_filter_group *g,
                   const char *text, struct pz_err *err)
{
    struct all_fields a = {.group = g, .err = err};
    if (!pz_catalog_filters(c, NULL, add_stored, &a, err) && !add_fields(&a, text)) {
        if (a.n_filters >= PZ_AWS_FILTERS)
            pz_err_set(err, PZ_DATA,
                       "the group has %zu filters, and AWS allows %d; leave out "
                       "--strict",
                       a.n_filters, PZ_AWS_FILTERS);
        else if (a.n_fields > PZ_AWS_FILTERS_FIELDS)
            pz_err_set(err, PZ_DATA,
                       "the group's filters would look at %zu distinct fields, and "
                       "AWS allows %d; leave out --strict",
                       a.n_fields, PZ_AWS_FILTERS_FIELDS);
    }
    pz_buf_release(&a.fields);
    return err->status;
}

static int
save(const struct pz_filter_group *g, const char *text, struct pz_err *err)
{
    struct pz_filter *f = NULL;
    struct pz_catalog *c;
    int64_t now = pz_now();
    const struct pz_catalog_filter row = {opt.save, text, now, now};
    if (!pz_filter_name_valid(opt.save))
        return pz_err_set(
            err, PZ_USAGE,
            "'%s' cannot name a filter: 1 to 63 letters, digits, - and _, the first "
            "a letter or digit",
            opt.save);
    if (pz_filter_name_valid(text))
        return pz_err_set(err, PZ_USAGE, "'%s' is no expression", text);
    if (compile(&f, g, text, err))
        return err->status;
    pz_filter_free(f);
    if (pz_catalog_open(&c, pz_need_group(), PZ_CATALOG_WRITE, err))
        return err->status;
    if (!opt.strict || !check_group_limits(c, g, text, err))
        pz_catalog_add_filter(c, &row, err);
    pz_catalog_close(c);
    return err->status;
}

static int
list_one(void *ctx, const struct pz_catalog_filter *row)
{
    struct pz_show *list = ctx;
    if (!list) {
        printf("%s\t", row->name);
        for (const char *s = row->expression; *s;
             s++) // a line each, whatever it looks like
            putchar(strchr("\t\r\n", *s) ? ' ' : *s);
        putchar('\n');
        return PZ_OK;
    }
    struct pz_show *one = pz_show_object(list, NULL);
    pz_show_text(one, "name", row->name);
    pz_show_text(one, "expression", row->expression);
    pz_show_time(one, "created", row->created);
    pz_show_time(one, "updated", row->updated);
    return PZ_OK;
}

static int
list(struct pz_err *err)
{
    struct pz_catalog *c;
    struct pz_show *root = pz_common.json ? pz_show_array(NULL, NULL) : NULL;
    if (!pz_catalog_open(&c, pz_need_group(), PZ_CATALOG_READ, err)) {
        pz_catalog_filters(c, NULL, list_one, root, err);
        pz_catalog_close(c);
    }
    if (root && !err->status) {
        struct pz_buf out = PZ_BUF_INIT;
        pz_show_json(root, &out);
        pz_buf_addc(&out, '\n');
        if (!pz_buf_status(&out, "a list", err))
            fwrite(out.data, 1, out.len, stdout);
        pz_buf_release(&out);
    }
    pz_show_free(root);
    return err->status;
}

static int delete (struct pz_err *err)
{
    struct pz_catalog *c;
    if (pz_catalog_open(&c, pz_need_group(), PZ_CATALOG_WRITE, err))
        return err->status;
    pz_catalog_delete_filter(c, opt.delete, err);
    pz_catalog_close(c);
    return err->status;
}

/* ---- main ---- */

static int
work(const char *arg, int *status, struct pz_err *err)
{
    struct pz_filter_group group = {0};
    struct pz_filter *f = NULL;
    struct pz_filter_value *value = NULL;
    char *text = NULL;
    if (pz_filter_group_open(&group, pz_need_group(), err))
        return err->status;
    if (opt.save) {
        save(&group, arg, err);
    } else if (!pz_filter_values(&value, &opt.values, err) &&
               !pz_filter_text(&text, arg, err) && !compile(&f, &group, text, err)) {
        if (!opt.check)
            filter(f, value, status, err);
        else if (opt.explain || opt.values.n)
            check(f, &group, value, err);
    }
    free(value);
    free(text);
    pz_filter_free(f);
    pz_filter_group_close(&group);
    return err->status;
}

int
main(int argc, char **argv)
{
    struct pz_err err = PZ_ERR_INIT;
    int first, status = PZ_OK;
    pz_cli_begin();
    pz_opt_parse(&tool, argc, argv, &first);
    pz_opt_form(forms);
    if (opt.check && !opt.explain)
        pz_opt_only("--check without --explain", "check strict value");
    if (opt.list) {
        no_operands(argc, argv, first);
        list(&err);
    } else if (opt.delete) {
        no_operands(argc, argv, first);
        delete (&err);
    } else {
        work(operand(argc, argv, first,
                     opt.save ? "an expression" : "an expression or a name"),
             &status, &err);
    }
    if (err.status)
        pz_die_err(&err);
    return pz_cli_end(status);
}
