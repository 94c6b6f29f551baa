/*
 * opt: one table of options a tool, over getopt_long. Parsing, --help and the tests that
 * compare --help with the man page all read the same table.
 */
#ifndef PZ_CMD_OPT_H
#define PZ_CMD_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pz_opt_kind {
    PZ_OPT_HEADING, // name: a heading in --help; nothing else
    PZ_OPT_FLAG,    // bool *
    PZ_OPT_TEXT,    // const char **: the last one wins
    PZ_OPT_LIST,    // struct pz_opt_list *: every occurrence
    PZ_OPT_INT,     // int64_t *, within [min, max]
    PZ_OPT_REAL,    // double *, within [min, max]
    PZ_OPT_SIZE,    // uint64_t *: bytes with K, M, G, T
};

struct pz_opt_list {
    const char **item; // into argv
    size_t n, cap;
};

struct pz_opt {
    const char *name; // long name; NULL ends the table
    char letter;      // short name or 0
    enum pz_opt_kind kind;
    void *target;
    const char *arg;  // "DIR"; NULL for flags
    const char *help; // one line (wrapped when shown); says the default; see below
    double min, max;  // INT, REAL; both 0: no bounds
};
/*
 * "%v" in help stands for the value that the target has before parsing, so that --help
 * shows the default that the program has: "items per request (default %v)".
 */

struct pz_tool {
    const char *name;          // "pz-train"
    const char *synopsis;      // as in the man page, without the name, one line a form
    const char *summary;       // one sentence
    const char *examples;      // text shown first in --help
    const struct pz_opt *opts; // the tool's own; pz_opt_parse adds the common ones
};

/* What every tool has: -q -v --json --threads --seed -g/--group (env PZ_GROUP), -h. */
struct pz_common {
    const char *group; // NULL when neither given nor in the environment
    bool group_given;  // by -g
    bool quiet, verbose, json;
    int64_t threads; // 0: all cores
    int64_t seed;    // default 0
};
extern struct pz_common pz_common;

/*
 * Parses; --help and --version print and exit 0, a mistake prints one line and exits 2.
 * Operands are left in argv[*first..argc). Installs the log sink for -q and -v. Long
 * options must be spelled out: an abbreviation that works today is ambiguous tomorrow.
 * tool must live as long as the process; lists point into argv.
 */
void pz_opt_parse(const struct pz_tool *tool, int argc, char **argv, int *first);
/* Was this option (its long name) given on the command line? */
bool pz_opt_given(const char *name);

/*
 * A form of the command line: an option that says what is done, and those that mean
 * something then. -g, -q, -v, --threads and --seed do in all; --json where it is named.
 */
struct pz_form {
    const char *by; // long name; NULL ends the table: what is done without the others
    const char
        *takes; // long names with blanks between; NULL: all but the other forms' by
};
/*
 * The form that was chosen. Two of them, and an option that would change nothing in it,
 * are mistakes that end the tool.
 */
const struct pz_form *pz_opt_form(const struct pz_form *forms);
/* The same for what is no option: `form`, "--mode update", takes these and no others. */
void pz_opt_only(const char *form, const char *takes);

/* What an option wants of others, so that it changes something; lists as in pz_form. */
struct pz_opt_rule {
    const char *option; // NULL ends the table
    const char *needs;  // one of them; NULL: none
    const char *bars;   // not one of them; NULL: all may be there
    const char *why;    // said behind it; NULL: nothing more
};
/* Ends the tool where a rule is broken. */
void pz_opt_rules(const struct pz_opt_rule *rules);
/* Another occurrence of a list option; arg must live as long as the process. */
void pz_opt_list_add(struct pz_opt_list *list, const char *arg);
/* Prints "TOOL: MESSAGE" (for PZ_USAGE also where to find help) and exits with the
 * status. */
_Noreturn void pz_die(int status, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
struct pz_err;
_Noreturn void pz_die_err(const struct pz_err *err);
/* The group, or exit 2 saying that -g or PZ_GROUP is needed. */
const char *pz_need_group(void);

#endif
