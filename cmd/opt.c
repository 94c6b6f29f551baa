#include "cmd/opt.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/pz.h"
#include "cmd/cli.h"

#define COLUMNS     80
#define HELP_COLUMN 26
#define MAX_OPTIONS 96
#define MAX_NAME    32
#define LONG_BASE   256 // getopt's value of table entry i is LONG_BASE + i

struct pz_common pz_common;

static bool want_help, want_version;

static const struct pz_opt common_opts[] = {
    {"Common options", 0, PZ_OPT_HEADING, NULL, NULL, NULL, 0, 0},
    {"group", 'g', PZ_OPT_TEXT, &pz_common.group, "DIR",
     "dataset group to work in (default: PZ_GROUP of the environment)", 0, 0},
    {"json", 0, PZ_OPT_FLAG, &pz_common.json, NULL, "write JSON instead of text", 0, 0},
    {"quiet", 'q', PZ_OPT_FLAG, &pz_common.quiet, NULL, "no warnings, no progress bar", 0,
     0},
    {"seed", 0, PZ_OPT_INT, &pz_common.seed, "N",
     "seed of everything random (default %v): same seed, same result", 0, 0},
    {"threads", 0, PZ_OPT_INT, &pz_common.threads, "N",
     "threads to use; 0: one per core (default %v)", 0, 1024},
    {"verbose", 'v', PZ_OPT_FLAG, &pz_common.verbose, NULL, "tell what is being done", 0,
     0},
    {"help", 'h', PZ_OPT_FLAG, &want_help, NULL, "show this help and exit", 0, 0},
    {"version", 0, PZ_OPT_FLAG, &want_version, NULL, "show the version and exit", 0, 0},
    {NULL, 0, PZ_OPT_HEADING, NULL, NULL, NULL, 0, 0},
};

static const char exit_statuses[] =
    "\nExit status:\n"
    "  0  done\n"
    "  1  done, and the answer is negative\n"
    "  2  wrong usage\n"
    "  3  bad input data or expression\n"
    "  4  unreadable, damaged or incompatible pz file\n"
    "  5  system failure (I/O, memory, disk full): worth another try\n";

/* The tool's options and the common ones as one array, and what getopt wants of them. */
struct table {
    const struct pz_opt *opt[MAX_OPTIONS];
    enum { ABSENT, BY_LETTER, BY_NAME } given[MAX_OPTIONS]; // the last time
    size_t n, n_own;                                        // the tool's own come first
    struct option longs[MAX_OPTIONS + 1];
    char letters[2 * MAX_OPTIONS + 2];
};
static struct table table; // of this tool

static void
add_options(struct table *t, const struct pz_opt *opts)
{
    for (; opts && opts->name && t->n < MAX_OPTIONS; opts++)
        t->opt[t->n++] = opts;
}

static void
make_table(struct table *t, const struct pz_tool *tool)
{
    memset(t, 0, sizeof *t);
    add_options(t, tool->opts);
    t->n_own = t->n;
    add_options(t, common_opts);
    char *letter = t->letters;
    *letter++ = ':'; // a missing value is told apart from an unknown option
    size_t n_long = 0;
    for (size_t i = 0; i < t->n; i++) {
        const struct pz_opt *o = t->opt[i];
        if (o->kind == PZ_OPT_HEADING)
            continue;
        int has_arg = o->kind == PZ_OPT_FLAG ? no_argument : required_argument;
        t->longs[n_long++] = (struct option){o->name, has_arg, NULL, LONG_BASE + (int)i};
        if (o->letter) {
            *letter++ = o->letter;
            if (has_arg)
                *letter++ = ':';
        }
    }
}

/* Index of the option with this letter; getopt knows it. */
static size_t
find_letter(const struct table *t, int letter)
{
    size_t i = 0;
    while (t->opt[i]->letter != letter || t->opt[i]->kind == PZ_OPT_HEADING)
        i++;
    return i;
}

/* ---- help ------------------------------------------------------------------------ */

/*
 * Prints words from column `at`, continuing lines at column `indent`. A group in square
 * brackets stays together, so that the usage line breaks between options.
 */
static void
print_wrapped(const char *text, size_t at, size_t indent)
{
    bool first = true;
    while (*text) {
        size_t n = 0;
        for (int depth = 0; text[n] && (text[n] != ' ' || depth > 0); n++)
            depth += text[n] == '[' ? 1 : text[n] == ']' ? -1 : 0;
        if (!first && at + 1 + n >= COLUMNS) {
            printf("\n%*s", (int)indent, "");
            at = indent;
        } else if (!first) {
            putchar(' ');
            at++;
        }
        printf("%.*s", (int)n, text);
        at += n;
        first = false;
        text += n;
        while (*text == ' ')
            text++;
    }
    putchar('\n');
}

/* The default of an option as text: what its target holds. */
static void
default_text(const struct pz_opt *o, char *out, size_t cap)
{
    char num[PZ_NUM_TEXT] = "";
    const char *s = num;
    switch (o->kind) {
    case PZ_OPT_INT:
        pz_format_i64(num, *(const int64_t *)o->target);
        break;
    case PZ_OPT_REAL:
        pz_format_f64(num, *(const double *)o->target);
        break;
    case PZ_OPT_SIZE: {
        uint64_t v = *(const uint64_t *)o->target;
        size_t unit = 0;
        for (; unit < 4 && v && v % 1024 == 0; unit++)
            v /= 1024;
        snprintf(num, sizeof num, "%llu%.1s", (unsigned long long)v, &"\0KMGT"[unit]);
        break;
    }
    case PZ_OPT_TEXT:
        s = *(const char *const *)o->target;
        break;
    default:
        break;
    }
    snprintf(out, cap, "%s", s && *s ? s : "none");
}

static void
print_option(const struct pz_opt *o)
{
    char left[2 * MAX_NAME + 16], value[256], text[1024];
    snprintf(left, sizeof left, "  %c%c%c --%s%s%s", o->letter ? '-' : ' ',
             o->letter ? o->letter : ' ', o->letter ? ',' : ' ', o->name,
             o->arg ? " " : "", o->arg ? o->arg : "");
    const char *mark = strstr(o->help, "%v");
    if (mark) {
        default_text(o, value, sizeof value);
        snprintf(text, sizeof text, "%.*s%s%s", (int)(mark - o->help), o->help, value,
                 mark + 2);
    } else {
        snprintf(text, sizeof text, "%s", o->help);
    }
    size_t n = strlen(left);
    if (n + 2 > HELP_COLUMN)
        printf("%s\n%*s", left, HELP_COLUMN, "");
    else
        printf("%-*s", HELP_COLUMN, left);
    print_wrapped(text, HELP_COLUMN, HELP_COLUMN);
}

static void
print_help(const struct pz_tool *tool, const struct table *t)
{
    size_t name = strlen(tool->name);
    const char *lead = "Usage: ";
    for (const char *form = tool->synopsis; *form;) {
        char line[1024];
        size_t n = strcspn(form, "\n");
        snprintf(line, sizeof line, "%.*s", (int)n, form);
        printf("%s%s ", lead, tool->name);
        print_wrapped(line, 8 + name, 8 + name);
        lead = "       ";
        form += n;
        if (*form)
            form++;
    }
    print_wrapped(tool->summary, 0, 0);
    if (tool->examples && *tool->examples) {
        bool ends = tool->examples[strlen(tool->examples) - 1] == '\n';
        printf("\nExamples:\n%s%s", tool->examples, ends ? "" : "\n");
    }
    if (t->opt[0]->kind != PZ_OPT_HEADING)
        fputs("\nOptions:\n", stdout);
    for (size_t i = 0; i < t->n; i++) {
        if (t->opt[i]->kind == PZ_OPT_HEADING)
            printf("\n%s:\n", t->opt[i]->name);
        else
            print_option(t->opt[i]);
    }
    fputs(exit_statuses, stdout);
    printf("\n'man %s' tells more, 'man pz' gives the overview.\n", tool->name);
}

static void
print_version(const struct pz_tool *tool)
{
    printf("%s (pz) %s\n"
           "File format %s\n"
           "Copyright (c) 2026 pz authors\n"
           "Licence MIT: free to use, change and pass on; no warranty.\n",
           tool->name, PZ_VERSION, PZ_FORMAT_VERSION);
}

/* ---- mistakes -------------------------------------------------------------------- */

/* The option that was probably meant: one it abbreviates, or the nearest within reach. */
static const char *
nearest(const struct table *t, const char *name)
{
    const char *best = NULL;
    size_t reach = strlen(name) / 3 + 2;
    for (size_t i = 0; i < t->n; i++) {
        const struct pz_opt *o = t->opt[i];
        if (o->kind == PZ_OPT_HEADING)
            continue;
        bool shortened = strlen(name) >= 2 && strncmp(o->name, name, strlen(name)) == 0;
        size_t d = shortened ? 0 : pz_edit_distance(name, strlen(name), o->name);
        if (d < reach) {
            reach = d;
            best = o->name;
        }
    }
    return best;
}

static _Noreturn void
die_unknown(const struct table *t, const char *given)
{
    char name[MAX_NAME * 2];
    size_t n = strcspn(given, "=");
    snprintf(name, sizeof name, "%.*s", (int)(n < sizeof name ? n : sizeof name - 1),
             given);
    const char *meant = nearest(t, name);
    if (meant)
        pz_die(PZ_USAGE, "unknown option '--%s' (did you mean '--%s'?)", name, meant);
    pz_die(PZ_USAGE, "unknown option '--%s'", name);
}

/* ---- values ---------------------------------------------------------------------- */

static _Noreturn void
die_value(const struct pz_opt *o, const char *arg, enum pz_num why)
{
    pz_die(PZ_USAGE, "--%s: '%s' %s", o->name, arg, pz_num_text(why));
}

static void
check_range(const struct pz_opt *o, const char *arg, double v)
{
    char min[PZ_NUM_TEXT], max[PZ_NUM_TEXT];
    if ((o->min == 0 && o->max == 0) || (v >= o->min && v <= o->max))
        return;
    pz_format_f64(min, o->min);
    pz_format_f64(max, o->max);
    pz_die(PZ_USAGE, "--%s: %s is not within %s to %s", o->name, arg, min, max);
}

void
pz_opt_list_add(struct pz_opt_list *list, const char *arg)
{
    struct pz_err err = PZ_ERR_INIT;
    if (pz_grow(&list->item, &list->cap, list->n + 1, sizeof *list->item, "options",
                &err))
        pz_die_err(&err);
    list->item[list->n++] = arg;
}

static void
set_value(const struct pz_opt *o, const char *arg)
{
    enum pz_num why = PZ_NUM_OK;
    size_t n = arg ? strlen(arg) : 0;
    switch (o->kind) {
    case PZ_OPT_HEADING:
        break;
    case PZ_OPT_FLAG:
        *(bool *)o->target = true;
        break;
    case PZ_OPT_TEXT:
        *(const char **)o->target = arg;
        break;
    case PZ_OPT_LIST:
        pz_opt_list_add(o->target, arg);
        break;
    case PZ_OPT_INT:
        why = pz_parse_i64(arg, n, o->target);
        if (!why)
            check_range(o, arg, (double)*(int64_t *)o->target);
        break;
    case PZ_OPT_REAL:
        why = pz_parse_f64(arg, n, o->target);
        if (!why)
            check_range(o, arg, *(double *)o->target);
        break;
    case PZ_OPT_SIZE:
        why = pz_parse_size(arg, n, o->target);
        break;
    }
    if (why)
        die_value(o, arg, why);
}

/* ---- parsing --------------------------------------------------------------------- */

/* The long option as it was typed, without its dashes; getopt has just passed it. */
static const char *
typed_name(char **argv)
{
    return argv[optarg && optarg == argv[optind - 1] ? optind - 2 : optind - 1] + 2;
}

/* Entry of getopt's value; a long option must have been typed in full. */
static size_t
option_of(const struct table *t, int value, char **argv)
{
    if (value < LONG_BASE)
        return find_letter(t, value);
    size_t i = (size_t)(value - LONG_BASE);
    const char *typed = typed_name(argv);
    if (strcspn(typed, "=") != strlen(t->opt[i]->name))
        die_unknown(t, typed);
    return i;
}

static _Noreturn void
die_mistake(const struct table *t, int got, char **argv)
{
    const struct pz_opt *o = NULL;
    if (got == ':' || optopt >= LONG_BASE)
        o = t->opt[option_of(t, optopt, argv)];
    if (got == ':')
        pz_die(PZ_USAGE, "--%s needs a value: --%s %s", o->name, o->name, o->arg);
    if (o)
        pz_die(PZ_USAGE, "--%s takes no value", o->name);
    if (optopt)
        pz_die(PZ_USAGE,
               "unknown option '-%c' (what begins with '-' and is no option "
               "goes after '--')",
               optopt);
    die_unknown(t, typed_name(argv));
}

void
pz_opt_parse(const struct pz_tool *tool, int argc, char **argv, int *first)
{
    struct table *t = &table;
    make_table(t, tool);
    pz_cli_name(tool->name);
    const char *group = getenv("PZ_GROUP");
    opterr = 0;
    for (int got; (got = getopt_long(argc, argv, t->letters, t->longs, NULL)) != -1;) {
        if (got == '?' || got == ':')
            die_mistake(t, got, argv);
        size_t i = option_of(t, got, argv);
        t->given[i] = got < LONG_BASE ? BY_LETTER : BY_NAME;
        set_value(t->opt[i], optarg);
        if (want_help)
            print_help(tool, t);
        else if (want_version)
            print_version(tool);
        else
            continue;
        exit(pz_cli_end(PZ_OK));
    }
    pz_common.group_given = pz_common.group;
    if (!pz_common.group && group && *group)
        pz_common.group = group;
    *first = optind;
    pz_cli_log();
}

/* ---- what goes together ---------------------------------------------------------- */

/* Is the name in this list? A NULL list has all. */
static bool
in_list(const char *list, const char *name)
{
    size_t n = strlen(name);
    for (const char *s = list; s && *s; s += strspn(s, " ")) {
        size_t len = strcspn(s, " ");
        if (len == n && memcmp(s, name, n) == 0)
            return true;
        s += len;
    }
    return !list;
}

/* As it was typed. */
static void
spell(size_t i, char out[MAX_NAME])
{
    if (table.given[i] == BY_LETTER)
        snprintf(out, MAX_NAME, "-%c", table.opt[i]->letter);
    else
        snprintf(out, MAX_NAME, "--%s", table.opt[i]->name);
}

/* The index of an option of the table. */
static size_t
find_name(const char *name)
{
    size_t i = 0;
    while (table.opt[i]->kind == PZ_OPT_HEADING || strcmp(table.opt[i]->name, name) != 0)
        i++;
    return i;
}

bool
pz_opt_given(const char *name)
{
    return table.given[find_name(name)] != ABSENT;
}

/* "--a", "--a or --b", "--a, --b or --c". */
static void
spell_list(const char *list, char *out, size_t cap)
{
    size_t at = 0;
    for (const char *s = list; *s;) {
        size_t len = strcspn(s, " "), rest = len + strspn(s + len, " ");
        bool last = !s[rest];
        at += (size_t)snprintf(out + at, cap - at, "%s--%.*s",
                               s == list ? ""
                               : last    ? " or "
                                         : ", ",
                               (int)len, s);
        s += rest;
    }
}

/* Does --json, or an option that is the tool's own, stand here without being taken? The
 * index of the first, or the table's length. */
static size_t
first_idle(const char *takes)
{
    for (size_t i = 0; i < table.n; i++)
        if (table.given[i] && (i < table.n_own || !strcmp(table.opt[i]->name, "json")) &&
            !in_list(takes, table.opt[i]->name))
            return i;
    return table.n;
}

void
pz_opt_only(const char *form, const char *takes)
{
    char name[MAX_NAME];
    size_t i = first_idle(takes);
    if (i == table.n)
        return;
    spell(i, name);
    pz_die(PZ_USAGE, "%s changes nothing with %s", name, form);
}

const struct pz_form *
pz_opt_form(const struct pz_form *forms)
{
    const struct pz_form *f, *chosen = NULL;
    char name[MAX_NAME], other[MAX_NAME];
    for (f = forms; f->by; f++) {
        size_t i = find_name(f->by);
        if (!table.given[i])
            continue;
        spell(i, other);
        if (chosen)
            pz_die(PZ_USAGE, "%s and %s exclude each other", name, other);
        chosen = f;
        memcpy(name, other, sizeof name);
    }
    if (chosen) {
        char takes[512];
        snprintf(takes, sizeof takes, "%s %s", chosen->by, chosen->takes);
        pz_opt_only(name, takes);
        return chosen;
    }
    size_t i = first_idle(f->takes);
    if (i == table.n)
        return f;
    spell(i, name);
    for (const struct pz_form *of = forms; of->by; of++)
        if (in_list(of->takes, table.opt[i]->name))
            pz_die(PZ_USAGE, "%s goes with --%s", name, of->by);
    pz_die(PZ_USAGE, "%s changes nothing here", name);
}

void
pz_opt_rules(const struct pz_opt_rule *rules)
{
    for (const struct pz_opt_rule *r = rules; r->option; r++) {
        char name[MAX_NAME], other[256];
        bool met = !r->needs;
        size_t i = find_name(r->option);
        if (!table.given[i])
            continue;
        spell(i, name);
        for (size_t k = 0; k < table.n; k++) {
            if (!table.given[k])
                continue;
            met |= r->needs && in_list(r->needs, table.opt[k]->name);
            if (r->bars && in_list(r->bars, table.opt[k]->name)) {
                spell(k, other);
                pz_die(PZ_USAGE, "%s does not go with %s%s%s", name, other,
                       r->why ? ": " : "", r->why ? r->why : "");
            }
        }
        if (!met) {
            spell_list(r->needs, other, sizeof other);
            pz_die(PZ_USAGE, "%s goes with %s%s%s", name, other, r->why ? ": " : "",
                   r->why ? r->why : "");
        }
    }
}

const char *
pz_need_group(void)
{
    if (!pz_common.group)
        pz_die(PZ_USAGE, "no dataset group: give -g DIR or set PZ_GROUP");
    return pz_common.group;
}
