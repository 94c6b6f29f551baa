/* store/estore: against lists in memory, and what happens to writers that fail. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/rng.h"
#include "store/estore.h"
#include "unit.h"

static char dir[] = "/tmp/pz-test-estore-XXXXXX";
static struct pz_err err;

static void
setup(void)
{
    strcpy(dir + strlen(dir) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    err = (struct pz_err)PZ_ERR_INIT;
}

static void
teardown(void)
{
    char cmd[128];
    snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
    ck_assert_int_eq(system(cmd), 0);
}

static struct pz_estore *
open_or_fail(enum pz_catalog_mode mode)
{
    struct pz_estore *s;
    ck_ok(pz_estore_open(&s, dir, mode, &err), err);
    return s;
}

static void
sql(const char *text)
{
    char path[256], *msg = NULL;
    sqlite3 *db;
    snprintf(path, sizeof path, "%s/group.db", dir);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_msg(sqlite3_exec(db, text, NULL, NULL, &msg) == SQLITE_OK, "%s", msg);
    sqlite3_close(db);
}

/* One event in a transaction of its own: was it stored? */
static bool
add(struct pz_estore *s, const struct pz_event *e)
{
    bool stored;
    ck_ok(pz_estore_begin(s, &err), err);
    ck_ok(pz_estore_add(s, e, &stored, NULL, &err), err);
    ck_ok(pz_estore_commit(s, &err), err);
    return stored;
}

/* ---- what a walk saw, as text ---- */

struct seen {
    char text[1 << 16];
    size_t n, rows, stop;
    int64_t seq;
};

static void
say(struct seen *s, const char *text)
{
    s->n +=
        (size_t)snprintf(s->text + s->n, sizeof s->text - s->n, "%s ", text ? text : "-");
}

static int
see(void *ctx, const struct pz_event *e)
{
    struct seen *s = ctx;
    s->seq = e->seq;
    s->rows++;
    say(s, e->item);
    return s->stop && s->rows == s->stop ? 77 : 0;
}

static struct seen seen;

static const char *
of_user_after(struct pz_estore *s, const char *user, int64_t after, uint64_t limit)
{
    memset(&seen, 0, sizeof seen);
    ck_ok(pz_estore_user(s, PZ_EVENT_ITEM, user, after, limit, see, &seen, &err), err);
    return seen.text;
}

static const char *
of_user(struct pz_estore *s, const char *user, uint64_t limit)
{
    return of_user_after(s, user, 0, limit);
}

static const char *
of_session(struct pz_estore *s, const char *session, int64_t after)
{
    memset(&seen, 0, sizeof seen);
    ck_ok(pz_estore_session(s, PZ_EVENT_ITEM, session, after, 0, see, &seen, &err), err);
    return seen.text;
}

static int
see_all(void *ctx, const struct pz_event *e)
{
    struct seen *s = ctx;
    const char *text[] = {e->id,     e->user,       e->session,
                          e->item,   e->type,       e->recommendation,
                          e->source, e->impression, e->properties};
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        say(s, text[i]);
    s->n +=
        (size_t)snprintf(s->text + s->n, sizeof s->text - s->n, "%d %g %lld %lld;",
                         e->has_value, e->value, (long long)e->time, (long long)e->seq);
    return 0;
}

START_TEST(round_trip)
{
    const struct pz_event full = {.id = "E1",
                                  .user = "u",
                                  .session = "s",
                                  .item = "i",
                                  .type = "buy",
                                  .recommendation = "r",
                                  .source = "web",
                                  .impression = "i|j",
                                  .properties = "{\"X\":1}",
                                  .has_value = true,
                                  .value = 2.5,
                                  .time = -7};
    const struct pz_event bare = {.session = "t", .item = "j", .time = 1700000000};
    struct pz_event uuid = bare;
    uuid.item = "k";
    uuid.id = "01234567-89ab-4cde-8f01-23456789abcd";
    struct pz_estore *s = open_or_fail(PZ_CATALOG_WRITE);
    ck_assert(add(s, &full) && add(s, &bare) && add(s, &uuid));
    ck_assert(!add(s, &full) && !add(s, &bare) && !add(s, &uuid));
    pz_estore_close(s);
    s = open_or_fail(PZ_CATALOG_READ);
    memset(&seen, 0, sizeof seen);
    ck_ok(pz_estore_walk(s, PZ_EVENT_ITEM, 0, see_all, &seen, &err), err);
    char *id = strstr(seen.text, ";") + 1; // the derived one
    ck_assert_int_eq(strspn(id, "0123456789abcdef-"), 36);
    ck_assert_int_eq(id[14], '8');
    ck_assert_int_eq(strncmp(id, "00006553-f100-8", 15), 0); // 1700000000 is 0x6553f100
    memset(id, 'x', 36);
    ck_assert_str_eq(
        seen.text,
        "E1 u s i buy r web i|j {\"X\":1} 1 2.5 -7 1;"
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx - t j - - - - - 0 0 1700000000 2;"
        "01234567-89ab-4cde-8f01-23456789abcd - t k - - - - - 0 0 1700000000 3;");
    struct pz_estore_counts n;
    ck_ok(pz_estore_count(s, &n, &err), err);
    ck_assert_uint_eq(n.events, 3);
    ck_assert_uint_eq(n.anonymous, 2);
    ck_assert_uint_eq(n.linked_sessions, 1);
    ck_assert_int_eq(n.first, -7);
    ck_assert_int_eq(n.last, 1700000000);
    pz_estore_close(s);
}
END_TEST

START_TEST(once)
{
    const struct pz_event base = {.user = "u", .item = "i", .type = "t", .time = 5};
    struct pz_event e = base;
    char id[PZ_EVENT_ID_TEXT] = "", again[PZ_EVENT_ID_TEXT] = "";
    bool stored;
    struct pz_estore *s = open_or_fail(PZ_CATALOG_WRITE);
    ck_ok(pz_estore_begin(s, &err), err);
    ck_ok(pz_estore_add(s, &e, &stored, id, &err), err);
    ck_assert(stored);
    e.session = "another"; // of a known user: no other event
    ck_ok(pz_estore_add(s, &e, &stored, again, &err), err);
    ck_assert(!stored);
    ck_assert_str_eq(id, again);
    ck_ok(pz_estore_commit(s, &err), err);
    e.id = "mine";
    ck_assert(!add(s, &e)); // the same content under an id
    e.id = id;
    ck_assert(!add(s, &e)); // what was exported comes back
    e.item = "j";
    ck_assert(!add(s, &e)); // other content under a known derived id
    e.id = "mine";
    ck_assert(add(s, &e));
    e.time = 6;
    ck_assert(!add(s, &e)); // a known id
    // Every part of the content makes another event.
    e = base, e.item = "x";
    ck_assert(add(s, &e));
    e = base, e.user = "x";
    ck_assert(add(s, &e));
    e = base, e.user = NULL, e.session = "u";
    ck_assert(add(s, &e));
    e = base, e.type = NULL;
    ck_assert(add(s, &e));
    e = base, e.has_value = true;
    ck_assert(add(s, &e));
    e.value = -0.0;
    ck_assert(!add(s, &e));
    e = base, e.kind = PZ_EVENT_ACTION;
    ck_assert(add(s, &e));
    e = base, e.impression = "i";
    ck_assert(add(s, &e));
    e = base, e.recommendation = "i";
    ck_assert(add(s, &e));
    e = base, e.source = "i";
    ck_assert(add(s, &e));
    e = base, e.properties = "i";
    ck_assert(add(s, &e));
    pz_estore_close(s);
}
END_TEST

/* An impression that was looked up tells no events apart: it may be known or not when the
 * same event comes again. */
START_TEST(implicit)
{
    const struct pz_event base = {
        .user = "u", .item = "i", .type = "t", .time = 5, .recommendation = "r"};
    struct pz_event known = base, other = base, told = base;
    struct pz_estore *s = open_or_fail(PZ_CATALOG_WRITE);
    known.impression = "a|b";
    known.implicit = true;
    told.impression = "a|b";
    other.impression = "c";
    other.implicit = true;
    ck_assert(add(s, &known));
    ck_assert(!add(s, &known));
    ck_assert(!add(s, &base));  // forgotten
    ck_assert(!add(s, &other)); // looked up anew
    ck_assert(add(s, &told));   // which the client said: another event
    ck_assert(!add(s, &told));
    known.time = other.time = told.time = 6;
    struct pz_event later = base;
    later.time = 6;
    ck_assert(add(s, &later)); // not known at first
    ck_assert(!add(s, &known));
    ck_assert(!add(s, &later));
    ck_assert(add(s, &told));
    pz_estore_close(s);
}
END_TEST

/* Two events whose hashes are the same are two events all the same. */
START_TEST(same_hash)
{
    const struct pz_event e = {.user = "u", .item = "i", .time = 5};
    struct pz_estore *s = open_or_fail(PZ_CATALOG_WRITE);
    ck_assert(add(s, &e));
    pz_estore_close(s);
    sql("UPDATE event SET item = 'other'");
    s = open_or_fail(PZ_CATALOG_WRITE);
    ck_assert(add(s, &e));
    ck_assert(!add(s, &e));
    ck_assert_str_eq(of_user(s, "u", 0), "other i ");
    pz_estore_close(s);
}
END_TEST

START_TEST(sessions)
{
    struct pz_event e = {.session = "s", .item = "a", .time = 10};
    struct pz_estore *s = open_or_fail(PZ_CATALOG_WRITE);
    ck_assert(add(s, &e));
    ck_assert_str_eq(of_session(s, "s", 0), "a ");
    ck_assert_str_eq(of_user(s, "u", 0), "");
    e = (struct pz_event){.session = "s", .user = "u", .item = "b", .time = 20};
    ck_assert(add(s, &e)); // linked
    e = (struct pz_event){.session = "s", .item = "c", .time = 15};
    ck_assert(add(s, &e)); // without a user, after the link
    e = (struct pz_event){.session = "s", .user = "v", .item = "d", .time = 30};
    ck_assert(add(s, &e)); // a second user does not take the session over
    e = (struct pz_event){.session = "q", .user = "u", .item = "e", .time = 5};
    ck_assert(add(s, &e));
    ck_assert_str_eq(of_user(s, "u", 0), "e a c b ");
    ck_assert_str_eq(of_user(s, "u", 2), "c b ");
    ck_assert_str_eq(of_user(s, "v", 0), "d ");
    ck_assert_str_eq(of_session(s, "s", 0), "a c b ");
    ck_assert_str_eq(of_session(s, "none", 0), "");
    ck_assert_str_eq(of_session(s, "s", 1), "c b ");
    ck_assert_str_eq(of_session(s, "s", 3), "");
    ck_assert_str_eq(of_user_after(s, "u", 2, 0), "e c ");
    ck_assert_str_eq(of_user_after(s, "u", 2, 1), "c ");
    struct pz_estore_counts n;
    ck_ok(pz_estore_count(s, &n, &err), err);
    ck_assert_uint_eq(n.anonymous, 0);
    ck_assert_uint_eq(n.sessions, 2);
    // A walk knows the user too; a callback ends it.
    memset(&seen, 0, sizeof seen);
    ck_ok(pz_estore_walk(s, PZ_EVENT_ITEM, 0, see_all, &seen, &err), err);
    ck_assert_ptr_nonnull(strstr(seen.text, " u s a "));
    memset(&seen, 0, sizeof seen);
    seen.stop = 2;
    ck_assert_int_eq(pz_estore_walk(s, PZ_EVENT_ITEM, 1, see, &seen, &err), 77);
    ck_assert_str_eq(seen.text, "b c ");
    // Forgotten, all of it, and the numbers are not given again.
    uint64_t gone;
    ck_ok(pz_estore_forget(s, &(const char *){"u"}, 1, &gone, &err), err);
    ck_assert_uint_eq(gone, 4);
    ck_assert_str_eq(of_user(s, "u", 0), "");
    ck_assert_str_eq(of_session(s, "s", 0), "");
    ck_assert_str_eq(of_user(s, "v", 0), "d ");
    e = (struct pz_event){.session = "q", .user = "w", .item = "f", .time = 6};
    ck_assert(add(s, &e));
    memset(&seen, 0, sizeof seen);
    ck_ok(pz_estore_walk(s, PZ_EVENT_ITEM, 4, see, &seen, &err), err);
    ck_assert_str_eq(seen.text, "f ");
    ck_assert_int_eq(seen.seq, 6);
    ck_assert_str_eq(of_session(s, "q", 0), "f ");
    pz_estore_close(s);
}
END_TEST

/* ---- random work against a list ---- */

enum { N_OPS = 3000 };
static struct naive {
    char user[16], item[16], id[16];
    int64_t time;
} list[N_OPS];
static size_t n_list;

static bool
naive_add(const struct naive *e)
{
    for (size_t i = 0; i < n_list; i++) {
        const struct naive *o = &list[i];
        if (*e->id && strcmp(o->id, e->id) == 0)
            return false;
        if (!strcmp(o->user, e->user) && !strcmp(o->item, e->item) && o->time == e->time)
            return false;
    }
    list[n_list++] = *e;
    return true;
}

static const char *
naive_user(const char *user, size_t after) // event i has seq i + 1
{
    static struct seen s;
    memset(&s, 0, sizeof s);
    for (int64_t t = 0; t < 50; t++)
        for (size_t i = after; i < n_list; i++)
            if (list[i].time == t && strcmp(list[i].user, user) == 0)
                say(&s, list[i].item);
    return s.text;
}

START_TEST(random_work)
{
    struct pz_rng r;
    pz_rng_seed(&r, 1, 2);
    n_list = 0;
    struct pz_estore *s = open_or_fail(PZ_CATALOG_WRITE);
    for (int i = 0; i < N_OPS;) {
        ck_ok(pz_estore_begin(s, &err), err);
        size_t before = n_list;
        for (uint64_t k = pz_rng_below(&r, 40); k > 0 && i < N_OPS; k--, i++) {
            struct naive e = {.time = (int64_t)pz_rng_below(&r, 50)};
            bool stored;
            snprintf(e.user, sizeof e.user, "u%d", (int)pz_rng_below(&r, 12));
            snprintf(e.item, sizeof e.item, "i%d", (int)pz_rng_below(&r, 15));
            if (pz_rng_below(&r, 2))
                snprintf(e.id, sizeof e.id, "e%d", (int)pz_rng_below(&r, 2000));
            struct pz_event ev = {.user = e.user,
                                  .item = e.item,
                                  .time = e.time,
                                  .id = *e.id ? e.id : NULL};
            ck_ok(pz_estore_add(s, &ev, &stored, NULL, &err), err);
            ck_assert_int_eq(stored, naive_add(&e));
        }
        if (pz_rng_below(&r, 8) == 0) {
            pz_estore_rollback(s);
            n_list = before;
        } else {
            ck_ok(pz_estore_commit(s, &err), err);
        }
        if (pz_rng_below(&r, 30) == 0) {
            pz_estore_close(s);
            s = open_or_fail(PZ_CATALOG_WRITE);
        }
    }
    for (int u = 0; u < 13; u++) {
        char user[16];
        snprintf(user, sizeof user, "u%d", u);
        for (size_t after = 0; after <= n_list; after += 1 + after / 2)
            ck_assert_str_eq(of_user_after(s, user, (int64_t)after, 0),
                             naive_user(user, after));
    }
    struct pz_estore_counts n;
    ck_ok(pz_estore_count(s, &n, &err), err);
    ck_assert_uint_eq(n.events, n_list);
    int64_t last;
    ck_ok(pz_estore_last(s, &last, &err), err);
    ck_assert_int_eq(last, (int64_t)n_list); // rolled-back numbers are given again
    pz_estore_close(s);
}
END_TEST

/* ---- records, types, trackers ---- */

static int
see_record(void *ctx, const char *id, const char *properties, int64_t time)
{
    struct seen *s = ctx;
    say(s, id);
    say(s, properties);
    s->n +=
        (size_t)snprintf(s->text + s->n, sizeof s->text - s->n, "%lld;", (long long)time);
    return 0;
}

static int
see_type(void *ctx, const char *type, uint64_t n)
{
    struct seen *s = ctx;
    s->n +=
        (size_t)snprintf(s->text + s->n, sizeof s->text - s->n, "%s:%d ", type, (int)n);
    return 0;
}

static int
see_tracker(void *ctx, const struct pz_tracker *t)
{
    struct seen *s = ctx;
    say(s, t->name);
    say(s, t->tracking_id);
    return 0;
}

START_TEST(records)
{
    struct pz_estore *s = open_or_fail(PZ_CATALOG_WRITE);
    const char *type[] = {"view", "buy", "view", NULL};
    ck_ok(pz_estore_begin(s, &err), err);
    ck_ok(pz_estore_put(s, PZ_RECORD_ITEM, "b", "{}", 1, &err), err);
    ck_ok(pz_estore_put(s, PZ_RECORD_ITEM, "a", "{\"P\":1}", 2, &err), err);
    ck_ok(pz_estore_put(s, PZ_RECORD_USER, "a", "{\"U\":1}", 3, &err), err);
    ck_ok(pz_estore_put(s, PZ_RECORD_ITEM, "b", "{\"P\":2}", 4, &err), err);
    for (int i = 0; i < 4; i++) {
        bool stored;
        struct pz_event e = {.user = "u", .item = "i", .type = type[i], .time = i};
        ck_ok(pz_estore_add(s, &e, &stored, NULL, &err), err);
    }
    ck_ok(pz_estore_commit(s, &err), err);
    memset(&seen, 0, sizeof seen);
    ck_ok(pz_estore_records(s, PZ_RECORD_ITEM, 0, see_record, &seen, &err), err);
    ck_ok(pz_estore_records(s, PZ_RECORD_ITEM, 2, see_record, &seen, &err), err);
    ck_ok(pz_estore_record(s, PZ_RECORD_USER, "a", see_record, &seen, &err), err);
    ck_assert_int_eq(pz_estore_record(s, PZ_RECORD_USER, "b", see_record, &seen, &err),
                     PZ_NEGATIVE);
    ck_assert_str_eq(seen.text,
                     "a {\"P\":1} 2;b {\"P\":2} 4;b {\"P\":2} 4;a {\"U\":1} 3;");
    memset(&seen, 0, sizeof seen);
    ck_ok(pz_estore_types(s, PZ_EVENT_ITEM, see_type, &seen, &err), err);
    ck_assert_str_eq(seen.text, "view:2 :1 buy:1 ");
    const struct pz_tracker t = {"web", "id-1", 7}, other = {"web", "id-2", 7};
    ck_ok(pz_estore_add_tracker(s, &t, &err), err);
    ck_assert_int_eq(pz_estore_add_tracker(s, &other, &err), PZ_USAGE);
    memset(&seen, 0, sizeof seen);
    ck_ok(pz_estore_trackers(s, see_tracker, &seen, &err), err);
    ck_assert_str_eq(seen.text, "web id-1 ");
    pz_estore_close(s);
}
END_TEST

/* What goes with a dataset: all of one kind, in a transaction of the catalogue. */
START_TEST(clearing)
{
    struct pz_estore *s = open_or_fail(PZ_CATALOG_WRITE);
    struct pz_catalog *c;
    struct pz_estore_counts n;
    const struct pz_event e[] = {
        {.user = "u", .session = "s", .item = "i", .time = 1},
        {.session = "s", .item = "j", .time = 2},
        {.session = "t", .item = "k", .time = 3},
        {.kind = PZ_EVENT_ACTION, .user = "v", .session = "w", .item = "a", .time = 4}};
    for (size_t i = 0; i < sizeof e / sizeof *e; i++)
        ck_assert(add(s, &e[i]));
    ck_ok(pz_estore_begin(s, &err), err);
    ck_ok(pz_estore_put(s, PZ_RECORD_ITEM, "i", "{}", 1, &err), err);
    ck_ok(pz_estore_put(s, PZ_RECORD_USER, "u", "{}", 1, &err), err);
    ck_ok(pz_estore_put(s, PZ_RECORD_ACTION, "a", "{}", 1, &err), err);
    ck_ok(pz_estore_commit(s, &err), err);
    int64_t before, after;
    ck_ok(pz_estore_last(s, &before, &err), err);
    for (int done = 0; done < 2; done++) { // undone first
        ck_ok(pz_catalog_open(&c, dir, PZ_CATALOG_WRITE, &err), err);
        ck_ok(pz_catalog_begin(c, &err), err);
        ck_ok(pz_estore_clear_events(c, PZ_EVENT_ITEM, &err), err);
        ck_ok(pz_estore_clear_records(c, PZ_RECORD_USER, &err), err);
        if (done)
            ck_ok(pz_catalog_commit(c, &err), err);
        pz_catalog_close(c);
        ck_ok(pz_estore_count(s, &n, &err), err);
        ck_assert_uint_eq(n.events, done ? 0 : 3);
        ck_assert_uint_eq(n.linked_sessions, done ? 1 : 2);
        ck_assert_uint_eq(n.users, done ? 0 : 1);
        ck_assert_uint_eq(n.action_events, 1);
        ck_assert_uint_eq(n.items, 1);
        ck_assert_uint_eq(n.actions, 1);
    }
    ck_assert(add(s, &e[0])); // it is new, and so is its number
    ck_ok(pz_estore_last(s, &after, &err), err);
    ck_assert_int_gt(after, before);
    ck_assert_str_eq(of_user(s, "u", 0), "i ");
    pz_estore_close(s);
}
END_TEST

/* ---- readers beside writers ---- */

START_TEST(news)
{
    bool changed;
    const struct pz_event e = {.user = "u", .item = "i", .time = 5};
    const struct pz_event f = {.user = "u", .item = "j", .time = 6};
    struct pz_estore *r = open_or_fail(PZ_CATALOG_READ); // before there is a catalogue
    ck_ok(pz_estore_changed(r, &changed, &err), err);
    ck_assert(changed);
    ck_assert_str_eq(of_user(r, "u", 0), "");
    struct pz_estore *w = open_or_fail(PZ_CATALOG_WRITE);
    ck_assert(add(w, &e));
    ck_ok(pz_estore_changed(r, &changed, &err), err);
    ck_assert(changed);
    ck_assert_str_eq(of_user(r, "u", 0), "i ");
    ck_ok(pz_estore_changed(r, &changed, &err), err);
    ck_assert(!changed);
    ck_ok(pz_estore_hold(r, &err), err);
    ck_assert_str_eq(of_user(r, "u", 0), "i ");
    ck_assert(add(w, &f)); // a reader holds nobody up, and sees one state
    ck_assert_str_eq(of_user(r, "u", 0), "i ");
    pz_estore_let_go(r);
    ck_ok(pz_estore_changed(r, &changed, &err), err);
    ck_assert(changed);
    ck_assert_str_eq(of_user(r, "u", 0), "i j ");
    ck_assert_int_eq(pz_estore_begin(r, &err), PZ_SYSTEM);
    pz_estore_close(w);
    pz_estore_close(r);
}
END_TEST

/* A catalogue from before there was an event store. */
START_TEST(older)
{
    const struct pz_event e = {.user = "u", .item = "i", .time = 5};
    bool changed;
    pz_estore_close(open_or_fail(PZ_CATALOG_WRITE));
    sql("DROP TABLE event; DROP TABLE session; DROP TABLE record; DROP TABLE event_mark;"
        "DROP TABLE resource; PRAGMA user_version=1");
    struct pz_estore *r = open_or_fail(PZ_CATALOG_READ);
    struct pz_estore_counts n;
    ck_ok(pz_estore_count(r, &n, &err), err);
    ck_assert_uint_eq(n.events, 0);
    ck_assert_str_eq(of_user(r, "u", 0), "");
    struct pz_estore *w = open_or_fail(PZ_CATALOG_WRITE);
    ck_assert(add(w, &e));
    ck_ok(pz_estore_changed(r, &changed, &err), err);
    ck_assert_str_eq(of_user(r, "u", 0), "i ");
    pz_estore_close(w);
    pz_estore_close(r);
}
END_TEST

enum { WRITERS = 4, EACH = 300 };

/* Many writers: nothing is lost, nobody fails, each one's events are in its order. */
START_TEST(writers)
{
    for (int w = 0; w < WRITERS; w++) {
        if (fork())
            continue;
        struct pz_estore *s;
        char user[16], item[16];
        snprintf(user, sizeof user, "u%d", w);
        if (pz_estore_open(&s, dir, PZ_CATALOG_WRITE, &err))
            _exit(1);
        for (int i = 0; i < EACH; i++) {
            struct pz_event e = {.user = user, .item = item, .time = 1};
            bool stored;
            snprintf(item, sizeof item, "%d", i);
            if (pz_estore_begin(s, &err) || pz_estore_add(s, &e, &stored, NULL, &err) ||
                !stored || pz_estore_commit(s, &err))
                _exit(2);
        }
        pz_estore_close(s);
        _exit(0);
    }
    for (int w = 0; w < WRITERS; w++) {
        int status;
        ck_assert_int_gt(wait(&status), 0);
        ck_assert_int_eq(status, 0);
    }
    struct pz_estore *s = open_or_fail(PZ_CATALOG_READ);
    static struct seen want;
    memset(&want, 0, sizeof want);
    for (int i = 0; i < EACH; i++) {
        char item[16];
        snprintf(item, sizeof item, "%d", i);
        say(&want, item);
    }
    for (int w = 0; w < WRITERS; w++) {
        char user[16];
        snprintf(user, sizeof user, "u%d", w);
        ck_assert_str_eq(of_user(s, user, 0), want.text);
    }
    pz_estore_close(s);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("estore");
    TCase *t = tcase_create("store");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 120);
    tcase_add_test(t, round_trip);
    tcase_add_test(t, once);
    tcase_add_test(t, implicit);
    tcase_add_test(t, same_hash);
    tcase_add_test(t, sessions);
    tcase_add_test(t, random_work);
    tcase_add_test(t, records);
    tcase_add_test(t, clearing);
    tcase_add_test(t, news);
    tcase_add_test(t, older);
    tcase_add_test(t, writers);
    suite_add_tcase(s, t);
    return s;
}
