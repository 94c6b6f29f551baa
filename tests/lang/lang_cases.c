/*
 * Runs groups of lines from the files named as operands:
 *
 *   line 1  an expression; \n in it is a line end
 *   line 2  what it is asked with: words KEY=VALUE, or "-"
 *           user=ID item=ID window=N strict $NAME=VALUE (VALUE up to the next blank
 * outside of quotes); touched: the candidates are those of the events, not of the
 * subject's dataset line 3  the candidates that are kept, or "-" for none, or "!" and the
 * message
 *
 * separated by empty lines; '#' begins a comment line. The group is filter_world.h's.
 * What is kept is asked for one by one, as a bitmap, and of the naive interpreter.
 */
#include "naive_filter.h"

enum { LINE = 4096, MAX_VALUES = 32 };

static struct pz_filter_group group;
static int passed, failed;

struct asked {
    char memory[LINE];
    char *user, *item;
    bool strict, touched;
    uint32_t window;
    struct naive_value value[MAX_VALUES];
    size_t n_values;
};

/* The next word of *s: up to a blank outside of quotes; NULL at the end. */
static char *
next_word(char **s)
{
    char quote = 0, *word = *s + strspn(*s, " "), *p;
    if (!*word)
        return NULL;
    for (p = word; *p && (quote || *p != ' '); p++)
        if (*p == '"' || *p == '\'')
            quote = !quote ? *p : quote == *p ? 0 : quote;
    *s = *p ? p + 1 : p;
    *p = 0;
    return word;
}

static bool
read_asked(struct asked *a, const char *line)
{
    memset(a, 0, sizeof *a);
    snprintf(a->memory, sizeof a->memory, "%s", line);
    char *s = a->memory, *word;
    while ((word = next_word(&s))) {
        char *eq = strchr(word, '=');
        if (!strcmp(word, "-"))
            continue;
        if (!strcmp(word, "strict"))
            a->strict = true;
        else if (!strcmp(word, "touched"))
            a->touched = true;
        else if (!strncmp(word, "user=", 5))
            a->user = word + 5;
        else if (!strncmp(word, "item=", 5))
            a->item = word + 5;
        else if (!strncmp(word, "window=", 7))
            a->window = (uint32_t)strtoul(word + 7, NULL, 10);
        else if (*word == '$' && eq && a->n_values < MAX_VALUES) {
            *eq = 0;
            a->value[a->n_values++] = (struct naive_value){word + 1, eq + 1};
        } else {
            return false;
        }
    }
    return true;
}

/* The kept ids into `out`; a disagreement instead when there is one. */
static int
ask(const struct pz_filter *f, const char *text, const struct asked *a, char *out,
    struct pz_err *err)
{
    struct pz_filter_value value[MAX_VALUES];
    struct pz_filter_request q = {.user = a->user,
                                  .n_user = a->user ? strlen(a->user) : 0,
                                  .item = a->item,
                                  .n_item = a->item ? strlen(a->item) : 0,
                                  .value = value,
                                  .n_values = a->n_values};
    size_t window = a->window ? a->window : a->strict ? 100 : 0, len = 0;
    struct naive_request naive = {a->user, a->item, a->value, a->n_values, window};
    const struct pz_ids *ids = world_candidates(&group, f, a->touched);
    struct pz_filter_run *r = NULL;
    struct pz_filter_space *s = NULL;
    uint64_t bits = 0;
    for (size_t i = 0; i < a->n_values; i++)
        value[i] = (struct pz_filter_value){a->value[i].name, strlen(a->value[i].name),
                                            a->value[i].text, strlen(a->value[i].text)};
    if (!pz_filter_run_new(&r, f, err) && !pz_filter_space_new(&s, f, ids, err) &&
        !pz_filter_run_begin(r, &q, err) && !pz_filter_items(r, s, &bits, err))
        for (uint32_t i = 0; i < ids->n; i++) {
            bool refused, test, bit = bits >> i & 1, want;
            size_t n;
            const char *at = pz_ids_get(ids, i, &n);
            struct pz_candidate c = {at, n, NULL};
            char id[64];
            snprintf(id, sizeof id, "%.*s", (int)n, at);
            test = pz_filter_test(r, &c);
            want = naive_filter(text, &naive, id, &refused);
            if (test != want || bit != want)
                len += (size_t)snprintf(out + len, LINE - len,
                                        "(%s: test %d, bit %d, naive %d) ", id, test, bit,
                                        want);
            else if (want)
                len += (size_t)snprintf(out + len, LINE - len, "%s ", id);
        }
    if (len)
        out[len - 1] = 0;
    else
        snprintf(out, LINE, "-");
    pz_filter_space_free(s);
    pz_filter_run_free(r);
    return err->status;
}

static void
run_case(const char *file, int line, char *text, const char *how, const char *want)
{
    static char got[LINE];
    struct asked a;
    struct pz_filter *f = NULL;
    struct pz_err err = PZ_ERR_INIT;
    char *to = text;
    for (const char *from = text; *from; from++, to++) {
        bool end = from[0] == '\\' && from[1] == 'n';
        from += end;
        *to = end ? '\n' : *from;
    }
    *to = 0;
    if (!read_asked(&a, how)) {
        printf("%s:%d: '%s' cannot be read\n", file, line + 1, how);
        failed++;
        return;
    }
    struct pz_filter_options o = {.strict = a.strict, .window = a.window};
    if (!pz_filter_compile(&f, text, strlen(text), &group.data, &o, &err))
        ask(f, text, &a, got, &err);
    if (err.status)
        snprintf(got, sizeof got, "! %.*s", LINE - 8, err.msg);
    pz_filter_free(f);
    if (!strcmp(got, want)) {
        passed++;
        return;
    }
    failed++;
    printf("%s:%d: %s\n    asked: %s\n    wanted: %s\n    got:    %s\n", file, line, text,
           how, want, got);
}

static void
run_file(const char *file)
{
    static char line[3][LINE];
    FILE *in = fopen(file, "r");
    int n = 0, number = 0;
    if (!in) {
        printf("%s: cannot be opened\n", file);
        failed++;
        return;
    }
    while (fgets(line[n], LINE, in)) {
        number++;
        line[n][strcspn(line[n], "\n")] = 0;
        if (n == 0 && (!line[0][0] || line[0][0] == '#'))
            continue;
        if (++n == 3) {
            run_case(file, number - 2, line[0], line[1], line[2]);
            n = 0;
        }
    }
    if (n) {
        printf("%s:%d: ends inside of a group\n", file, number);
        failed++;
    }
    fclose(in);
}

int
main(int argc, char **argv)
{
    struct pz_err err = PZ_ERR_INIT;
    if (world_open(&group, &err)) {
        printf("%s\n", err.msg);
        return 1;
    }
    for (int i = 1; i < argc; i++)
        run_file(argv[i]);
    pz_filter_group_close(&group);
    printf("lang: %d passed, %d failed, 0 skipped\n", passed, failed);
    return failed > 0;
}
