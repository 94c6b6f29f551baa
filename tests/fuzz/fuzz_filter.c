/*
 * Expressions against the naive interpreter. The first byte chooses: is the rest the text
 * of an expression, or decisions by which one is made from the grammar? What compiles is
 * evaluated for a user and an item that the sum of the bytes chooses: one candidate at a
 * time, as a bitmap, and by the naive interpreter; all three agree. What --strict takes
 * means the same without it.
 */
#include "fuzz.h"
#include "naive_filter.h"

static struct pz_filter_group group;

/* ---- expressions by decisions ---- */

struct maker {
    const uint8_t *data;
    size_t n, at, len;
    char text[NAIVE_LONGEST + 200];
    int depth, conds;
    char subject;
};

static unsigned
choose(struct maker *m, unsigned n)
{
    return m->at < m->n ? m->data[m->at++] % n : 0;
}

static void
put(struct maker *m, const char *s)
{
    size_t n = strlen(s);
    if (m->len + n < NAIVE_LONGEST) {
        memcpy(m->text + m->len, s, n);
        m->len += n;
    }
}

#define ONE_OF(m, list) put(m, list[choose(m, sizeof(list) / sizeof *(list))])

static const char *const texts[] = {
    "\"x\"",         "\"drama\"", "'comedy'", "\"boots\"", "\"\"",   "\"R\"",
    "\"shoes\"",     "\"y\"",     "\"*\"",    "\"i1\"",    "\"i9\"", "\"x1\"",
    "\"Japan購入\"", "\"kids\"",  "\"$G\"",   "\"gold\"",
};
static const char *const numbers[] = {
    "0",    "10",    "-5", "20.5", "1980", "9007199254740993",     "0.1",
    "255",  "-0.5",  "3",  "1.0",  "100",  "99999999999999999999", "-300",
    "true", "\"5\"",
};
static const char *const types[] = {"\"view\"", "\"PURCHASE\"", "\"click\"", "'taken'",
                                    "\"none\""};
static const char *const compared[] = {"=", "!=", "<", "<=", ">", ">="};

static void
add_list(struct maker *m, const char *const *list, unsigned n_list)
{
    unsigned n = choose(m, 4) + 1;
    for (unsigned i = 0; i < n; i++) {
        put(m, i ? "," : "(");
        put(m, list[choose(m, n_list)]);
    }
    put(m, ")");
}

static void
add_condition(struct maker *m, bool user)
{
    static const char *const text_fields[] = {"GENRES", "CATEGORY_L2", "A",
                                              "RATING", "item_id",     "B"};
    static const char *const number_fields[] = {"PRICE", "YEAR",   "BIG",
                                                "REAL",  "ACTIVE", "CREATION_TIMESTAMP"};
    static const char *const user_texts[] = {"PLAN", "MEMBERSHIP", "COUNTRY", "USER_ID"};
    static const char *const user_numbers[] = {"AGE", "TIER", "ADULT"};
    static const char *const event_numbers[] = {"TIMESTAMP", "EVENT_VALUE"};
    bool event = !user && choose(m, 3) == 0, number = choose(m, 2),
         users = user || m->subject == 'U';
    m->conds++;
    if (m->subject == 'A' && !user) {
        put(m, event ? "Action_Interactions." : "Actions.");
        put(m, event ? (number ? "TIMESTAMP" : "EVENT_TYPE") : number ? "VALUE" : "KIND");
    } else if (event) {
        put(m, "Interactions.");
        if (number)
            ONE_OF(m, event_numbers);
        else
            put(m, choose(m, 4) ? "event_type" : "DEVICE");
    } else {
        put(m, user ? "CurrentUser." : users ? "Users." : "Items.");
        if (users && number)
            ONE_OF(m, user_numbers);
        else if (users)
            ONE_OF(m, user_texts);
        else if (number)
            ONE_OF(m, number_fields);
        else
            ONE_OF(m, text_fields);
    }
    static const char *const sets[] = {" IN ", " NOT IN "};
    unsigned kind = choose(m, 8);
    if (kind == 0 && event && !number) {
        ONE_OF(m, sets);
        put(m, "(\"*\")");
    } else if (kind == 1 && !user && !event && m->subject == 'I') {
        put(m, number         ? (choose(m, 2) ? " < " : " >= ")
               : choose(m, 2) ? " IN "
                              : " NOT IN ");
        put(m, "CurrentItem.");
        put(m, number ? "PRICE" : choose(m, 2) ? "GENRES" : "B");
    } else if (kind == 2) {
        if (number)
            ONE_OF(m, compared);
        else
            ONE_OF(m, sets);
        put(m, number ? "$N" : choose(m, 2) ? "($G)" : "($MISSING)");
    } else if (number && kind < 7) {
        ONE_OF(m, compared);
        ONE_OF(m, numbers);
    } else if (number) {
        ONE_OF(m, sets);
        add_list(m, numbers, sizeof numbers / sizeof *numbers);
    } else if (kind == 3) {
        put(m, choose(m, 2) ? "=" : " != ");
        ONE_OF(m, texts);
    } else {
        ONE_OF(m, sets);
        if (event)
            add_list(m, types, sizeof types / sizeof *types);
        else
            add_list(m, texts, sizeof texts / sizeof *texts);
    }
}

static void
add_conditions(struct maker *m)
{
    unsigned n = choose(m, 4) + 1;
    for (unsigned i = 0; i < n && m->conds < 8; i++) {
        if (i)
            put(m, choose(m, 2) ? " AND " : " OR ");
        if (m->depth < 3 && choose(m, 4) == 1) {
            m->depth++;
            put(m, "(");
            add_conditions(m);
            put(m, ")");
            m->depth--;
        } else {
            add_condition(m, false);
        }
    }
}

static void
make(struct maker *m)
{
    static const char subjects[] = "IIIUA";
    unsigned n = choose(m, 3) + 1;
    m->subject = subjects[choose(m, 5)];
    for (unsigned i = 0; i < n; i++) {
        put(m, i ? " | " : "");
        put(m, choose(m, 2) ? "INCLUDE " : "exclude ");
        put(m, m->subject == 'I' ? "ItemID" : m->subject == 'U' ? "UserID" : "ActionID");
        put(m, " WHERE ");
        m->conds = 0;
        add_conditions(m);
        if (choose(m, 3) == 1) {
            put(m, " IF ");
            add_condition(m, true);
            if (choose(m, 2)) {
                put(m, " AND ");
                add_condition(m, true);
            }
        }
    }
}

/* ---- comparison ---- */

/* What the naive interpreter can hold. */
static bool
small(const char *text, size_t n)
{
    size_t dots = 0, joints = 0;
    if (n > NAIVE_LONGEST || strlen(text) != n)
        return false;
    for (size_t i = 0; i < n; i++) {
        dots += text[i] == '.';
        joints += text[i] == '|' || text[i] == '(';
    }
    return dots < NAIVE_CHILDREN - 4 && joints < 40;
}

static const struct naive_value values[] = {
    {"N", "20.5"}, {"G", "\"x\",'drama' , \"gold\",\"R\""}, {"P", "\"phone\""}};
enum { N_VALUES = 3 };

/* The values that the expression has. */
static size_t
choose_values(const struct pz_filter *f, struct pz_filter_value *value,
              struct naive_value *naive)
{
    size_t n = 0;
    for (size_t k = 0; k < N_VALUES; k++)
        for (size_t i = 0; pz_filter_param(f, i); i++)
            if (!strcmp(pz_filter_param(f, i), values[k].name)) {
                value[n] =
                    (struct pz_filter_value){values[k].name, strlen(values[k].name),
                                             values[k].text, strlen(values[k].text)};
                naive[n++] = values[k];
            }
    return n;
}

static void
compare(struct pz_filter_run *r, const struct pz_filter_space *s,
        const struct pz_ids *ids, const char *text, struct naive *parsed,
        const struct naive_request *naive)
{
    struct pz_err err = PZ_ERR_INIT;
    uint64_t bits[2] = {0, 0};
    require(!pz_filter_items(r, s, bits, &err));
    for (uint32_t i = 0; i < ids->n; i++) {
        char id[32];
        bool refused;
        size_t len;
        const char *at = pz_ids_get(ids, i, &len);
        snprintf(id, sizeof id, "%.*s", (int)len, at);
        struct pz_candidate c = {at, len, NULL};
        bool want = naive_keeps(parsed, naive, id, &refused);
        require(!refused);
        bool test = pz_filter_test(r, &c), bit = bits[0] >> i & 1;
        if (test != want || bit != want) {
            fprintf(stderr,
                    "%s\nuser %s, item %s, window %zu, %s: test %d, bit %d, naive %d\n",
                    text, naive->user ? naive->user : "-",
                    naive->item ? naive->item : "-", naive->window, id, test, bit, want);
            abort();
        }
    }
    require(bits[0] >> ids->n == 0);
}

/* For the user and the item that `which` chooses. */
static void
evaluate(const struct pz_filter *f, const char *text, uint32_t window, unsigned which)
{
    static const char *const users[] = {NULL, "u1", "u2", "u3", "u5"};
    static const char *const items[] = {NULL, "i1", "i7", "x1"};
    static struct naive parsed;
    struct pz_filter_run *r;
    struct pz_err err = PZ_ERR_INIT, why = PZ_ERR_INIT;
    struct pz_filter_value value[N_VALUES];
    struct naive_value naive_values[N_VALUES];
    size_t n_values = choose_values(f, value, naive_values);
    const char *user = users[which % 5], *item = items[which / 5 % 4];
    struct naive_request naive = {user, item, naive_values, n_values, window};
    struct pz_filter_request q = {.user = user,
                                  .n_user = user ? strlen(user) : 0,
                                  .item = item,
                                  .n_item = item ? strlen(item) : 0,
                                  .value = value,
                                  .n_values = n_values};
    require(!pz_filter_run_new(&r, f, &err));
    if (pz_filter_run_begin(r, &q, &why)) {
        require(why.status == PZ_DATA && why.msg[0]);
        pz_filter_run_free(r);
        return;
    }
    naive_parse(&parsed, text);
    for (int k = 0; k < 2; k++) {
        struct pz_filter_space *s;
        struct pz_buf out = PZ_BUF_INIT;
        require(!pz_filter_space_new(&s, f, world_candidates(&group, f, k), &err));
        compare(r, s, world_candidates(&group, f, k), text, &parsed, &naive);
        if (which % 16 == 1)
            require(!pz_filter_explain(r, s, &out, &err));
        pz_buf_release(&out);
        pz_filter_space_free(s);
    }
    pz_filter_run_free(r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct maker m;
    struct pz_err err = PZ_ERR_INIT;
    struct pz_filter *f, *strict;
    if (!group.data.set[PZ_ITEMS])
        require(!world_open(&group, &err));
    if (n < 1)
        return 0;
    uint32_t window = data[0] >> 1 & 3;
    unsigned which = 0;
    for (size_t i = 0; i < n; i++)
        which += data[i];
    m = (struct maker){.data = data + 1, .n = n - 1};
    char *text = m.text;
    size_t len;
    char *raw = NULL;
    if (data[0] & 1) {
        make(&m);
        len = m.len;
    } else {
        text = raw = malloc(n);
        require(raw != NULL);
        memcpy(raw, data + 1, n - 1);
        raw[n - 1] = 0;
        len = n - 1;
    }
    struct pz_filter_options o = {.window = window},
                             aws = {.strict = true, .window = window};
    int status = pz_filter_compile(&f, text, len, &group.data, &o, &err);
    if (getenv("PZ_FUZZ_SHOW"))
        fprintf(stderr, "%.*s\n%s\n", (int)len, text, err.msg);
    require(status == PZ_OK || (status == PZ_DATA && !strncmp(err.msg, "filter:", 7)));
    struct pz_err why = PZ_ERR_INIT;
    if (!pz_filter_compile(&strict, text, len, &group.data, &aws, &why))
        if (status) {
            fprintf(stderr, "%s\nonly strict takes it: %s\n", text, err.msg);
            abort();
        }
    if (!status && small(text, len))
        evaluate(f, text, window, which);
    pz_filter_free(f);
    pz_filter_free(strict);
    free(raw);
    return 0;
}
