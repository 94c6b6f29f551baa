#include "store/estore.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "store/catalog_db.h"
#include "store/estore_sql.h"

enum {
    LINKS = 4096, // links remembered, a power of two
};

/* ---- statements ---- */

static const char *const sql[PZ_N_SQL] = {
#define PZ_SQL_TEXT(name, text) [name] = text,
    PZ_ESTORE_SQL(PZ_SQL_TEXT)
#undef PZ_SQL_TEXT
};

int
pz_estore_sql(struct pz_estore *s, enum pz_estore_stmt which, sqlite3_stmt **q,
              struct pz_err *err)
{
    if (!s->stmt[which]) {
        int rc = sqlite3_prepare_v3(s->c->db, sql[which], -1, SQLITE_PREPARE_PERSISTENT,
                                    &s->stmt[which], NULL);
        if (rc)
            return pz_catalog_fail(s->c, rc, err);
    }
    *q = s->stmt[which];
    sqlite3_reset(*q);
    return PZ_OK;
}

/* A statement without rows and parameters. */
static int
run(struct pz_estore *s, enum pz_estore_stmt which, struct pz_err *err)
{
    sqlite3_stmt *q;
    if (pz_estore_sql(s, which, &q, err))
        return err->status;
    int rc = sqlite3_step(q);
    if (rc != SQLITE_DONE) {
        pz_catalog_fail(s->c, rc, err);
        sqlite3_reset(q);
        return err->status;
    }
    sqlite3_reset(q);
    return PZ_OK;
}

/* The first column of the first row, 0 when there is none. */
static int
get_i64(struct pz_estore *s, enum pz_estore_stmt which, int64_t *out, struct pz_err *err)
{
    sqlite3_stmt *q;
    *out = 0;
    if (pz_estore_sql(s, which, &q, err))
        return err->status;
    int rc = sqlite3_step(q);
    if (rc == SQLITE_ROW)
        *out = sqlite3_column_int64(q, 0);
    else if (rc != SQLITE_DONE)
        pz_catalog_fail(s->c, rc, err);
    sqlite3_reset(q);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? PZ_OK : err->status;
}

int
pz_estore_bind_text(sqlite3_stmt *q, int i, const char *text)
{
    return text ? sqlite3_bind_text(q, i, text, -1, SQLITE_STATIC)
                : sqlite3_bind_null(q, i);
}

/* ---- ids ---- */

/* The 16 bytes of a UUID in its usual form (8-4-4-4-12, lower case). */
static bool
read_uuid(const char *id, uint8_t out[16])
{
    int n = 0;
    for (int i = 0; i < 36; i++) {
        char c = id[i];
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (c != '-')
                return false;
            continue;
        }
        int v = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (v < 0)
            return false;
        out[n / 2] = (uint8_t)(n % 2 ? out[n / 2] | v : v << 4);
        n++;
    }
    return id[36] == '\0';
}

void
pz_estore_uuid(const uint8_t b[16], char out[PZ_EVENT_ID_TEXT])
{
    static const char digit[] = "0123456789abcdef";
    char *p = out;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *p++ = '-';
        *p++ = digit[b[i] >> 4];
        *p++ = digit[b[i] & 15];
    }
    *p = '\0';
}

/* A UUID of version 8: 48 bits of time, 64 bits of hash, 10 zeros. */
void
pz_estore_derived(int64_t time, uint64_t hash, char out[PZ_EVENT_ID_TEXT])
{
    uint64_t high = (uint64_t)time << 16 | 0x8000 | hash >> 52;
    uint64_t low = UINT64_C(2) << 62 | (hash & ((UINT64_C(1) << 52) - 1)) << 10;
    uint8_t b[16];
    for (int i = 0; i < 8; i++) {
        b[i] = (uint8_t)(high >> 8 * (7 - i));
        b[8 + i] = (uint8_t)(low >> 8 * (7 - i));
    }
    pz_estore_uuid(b, out);
}

/* The inverse; false for ids of any other form. */
static bool
read_derived(const uint8_t b[16], int64_t *time, uint64_t *hash)
{
    uint64_t high = 0, low = 0;
    for (int i = 0; i < 8; i++) {
        high = high << 8 | b[i];
        low = low << 8 | b[8 + i];
    }
    if ((high & 0xf000) != 0x8000 || low >> 62 != 2 || (low & 1023))
        return false;
    *time = (int64_t)high >> 16;
    *hash = high << 52 | (low << 2 >> 12);
    return true;
}

/* UUIDs are stored as their bytes, which takes less than half of every index. */
static int
bind_id(sqlite3_stmt *q, int i, const char *id, const uint8_t *uuid)
{
    return id && uuid ? sqlite3_bind_blob(q, i, uuid, 16, SQLITE_STATIC)
                      : pz_estore_bind_text(q, i, id);
}

/* ---- the mark ---- */

static const char mark_name[] = "events.mark";

int
pz_estore_used(const char *group, bool *used, struct pz_err *err)
{
    char *path;
    struct stat st;
    *used = false;
    if (pz_path_join(&path, group, mark_name, err))
        return err->status;
    int r = PZ_OK;
    *used = stat(path, &st) == 0;
    if (!*used && errno != ENOENT && errno != ENOTDIR)
        r = pz_err_sys(err, "cannot look for '%s'", path);
    free(path);
    return r;
}

/* On disk before the first commit is. */
static int
put_mark(struct pz_estore *s, struct pz_err *err)
{
    static const char text[] = "The event store in group.db is in use.\n";
    int r = PZ_OK;
    if (!s->marked)
        r = pz_estore_used(s->group, &s->marked, err);
    if (!r && !s->marked) {
        struct pz_out out = PZ_OUT_INIT;
        char *path;
        r = pz_path_join(&path, s->group, mark_name, err);
        if (r)
            return r;
        r = pz_out_open(&out, path, err);
        if (!r)
            r = pz_out_write(&out, text, sizeof text - 1, err);
        if (!r)
            r = pz_out_commit(&out, err);
        if (r)
            pz_out_abort(&out);
        free(path);
        s->marked = !r;
    }
    return r;
}

/* ---- opening ---- */

static void
drop_statements(struct pz_estore *s)
{
    for (int i = 0; i < PZ_N_SQL; i++) {
        if (s->stmt[i]) // else SQLite may not even be loaded
            sqlite3_finalize(s->stmt[i]);
        s->stmt[i] = NULL;
    }
}

/* Is the store there? Catalogues of older programs have none until a writer comes. */
static int
look(struct pz_estore *s, struct pz_err *err)
{
    int64_t n;
    s->there = false;
    if (!s->c->db)
        return PZ_OK;
    int rc = pz_catalog_get_i64(
        s->c, "SELECT count(*) FROM sqlite_schema WHERE name='event_mark'", &n);
    if (rc)
        return pz_catalog_fail(s->c, rc, err);
    s->there = n > 0;
    return PZ_OK;
}

int
pz_estore_open(struct pz_estore **out, const char *group, enum pz_catalog_mode mode,
               struct pz_err *err)
{
    struct pz_estore *s;
    *out = NULL;
    if (pz_new(&s, 1, sizeof *s, "the event store", err))
        return err->status;
    s->mode = mode;
    int r = pz_strndup(&s->group, group, strlen(group), err);
    if (!r)
        r = pz_catalog_open(&s->c, group, mode, err);
    if (!r)
        r = look(s, err);
    if (!r && mode == PZ_CATALOG_WRITE)
        r = pz_new(&s->link, LINKS, sizeof *s->link, "sessions", err);
    if (!r && mode == PZ_CATALOG_WRITE) {
        r = pz_catalog_run(
            s->c, "PRAGMA cache_size=-131072; PRAGMA wal_autocheckpoint=16384", err);
    }
    if (r) {
        pz_estore_close(s);
        return r;
    }
    *out = s;
    return PZ_OK;
}

void
pz_estore_close(struct pz_estore *s)
{
    if (!s)
        return;
    drop_statements(s);
    pz_catalog_close(s->c);
    pz_buf_release(&s->content);
    free(s->link);
    free(s->group);
    free(s);
}

/* ---- writing ---- */

int
pz_estore_begin(struct pz_estore *s, struct pz_err *err)
{
    bool changed;
    int r = pz_catalog_need_writer(s->c, err);
    if (!r)
        r = run(s, PZ_SQL_BEGIN, err);
    if (r)
        return r;
    r = pz_estore_changed(s, &changed, err);
    if (!r && changed) // a link we know may have been forgotten
        memset(s->link, 0, LINKS * sizeof *s->link);
    if (!r)
        r = get_i64(s, PZ_SQL_MARK, &s->seq, err);
    if (r)
        pz_estore_rollback(s);
    return r;
}

void
pz_estore_forget_links(struct pz_estore *s)
{
    if (s->link)
        memset(s->link, 0, LINKS * sizeof *s->link);
}

void
pz_estore_rollback(struct pz_estore *s)
{
    if (!s->c || !s->c->db || sqlite3_get_autocommit(s->c->db))
        return;
    sqlite3_exec(s->c->db, "ROLLBACK", NULL, NULL, NULL);
    if (s->link)
        memset(s->link, 0, LINKS * sizeof *s->link);
}

int
pz_estore_commit(struct pz_estore *s, struct pz_err *err)
{
    sqlite3_stmt *q;
    int r = put_mark(s, err);
    if (!r)
        r = pz_estore_sql(s, PZ_SQL_SET_MARK, &q, err);
    if (!r) {
        int rc = sqlite3_bind_int64(q, 1, s->seq);
        if (!rc)
            rc = sqlite3_step(q);
        if (rc != SQLITE_DONE)
            r = pz_catalog_fail(s->c, rc, err);
        sqlite3_reset(q);
    }
    if (!r)
        r = run(s, PZ_SQL_COMMIT, err);
    if (r)
        pz_estore_rollback(s);
    return r;
}

static void
add_text(struct pz_buf *b, char tag, const char *text)
{
    if (!text)
        return;
    pz_buf_addc(b, tag);
    pz_buf_add(b, text, strlen(text) + 1);
}

/* 64 bits over all that makes two events of one time the same; an accident (or an attack)
 * that gives others the same is found by comparing them. */
static int
hash_content(struct pz_estore *s, const struct pz_event *e, uint64_t *hash,
             struct pz_err *err)
{
    struct pz_buf *b = &s->content;
    pz_buf_clear(b);
    pz_buf_addc(b, (char)e->kind);
    add_text(b, 'u', e->user);
    add_text(b, 's', e->user ? NULL : e->session);
    add_text(b, 'i', e->item);
    add_text(b, 't', e->type);
    add_text(b, 'r', e->recommendation);
    add_text(b, 'a', e->source);
    add_text(b, 'm', e->implicit ? NULL : e->impression);
    add_text(b, 'p', e->properties);
    if (e->has_value) {
        double v = e->value + 0.0; // -0 is 0
        pz_buf_addc(b, 'v');
        pz_buf_add(b, &v, sizeof v);
    }
    if (pz_buf_status(b, "an event", err))
        return err->status;
    *hash = XXH3_64bits(b->data, b->len);
    return PZ_OK;
}

static bool
same(const char *a, const unsigned char *b)
{
    return a && b ? strcmp(a, (const char *)b) == 0 : !a && !b;
}

/* Was the impression left to the recommendation? It may have been known once and be
 * forgotten now, or the other way round. */
static bool
leaves_impression(const struct pz_event *e)
{
    return e->implicit || (e->recommendation && !e->impression);
}

/* Is the row of q (columns as in PZ_SQL_CONTENT) this event? */
static bool
same_event(sqlite3_stmt *q, const struct pz_event *e)
{
    bool has_value = sqlite3_column_type(q, 6) != SQLITE_NULL;
    return sqlite3_column_int(q, 0) == (int)e->kind &&
           same(e->user, sqlite3_column_text(q, 1)) &&
           (e->user || same(e->session, sqlite3_column_text(q, 2))) &&
           same(e->item, sqlite3_column_text(q, 3)) &&
           same(e->type, sqlite3_column_text(q, 4)) &&
           same(e->recommendation, sqlite3_column_text(q, 5)) &&
           has_value == e->has_value &&
           (!has_value || sqlite3_column_double(q, 6) == e->value) &&
           same(e->source, sqlite3_column_text(q, 7)) &&
           (leaves_impression(e) || same(e->impression, sqlite3_column_text(q, 8))) &&
           same(e->properties, sqlite3_column_text(q, 9));
}

/* What stands at (time, hash): *there, and whether it is e. */
static int
find_content(struct pz_estore *s, const struct pz_event *e, int64_t time, uint64_t hash,
             bool *there, bool *equal, struct pz_err *err)
{
    sqlite3_stmt *q;
    *there = *equal = false;
    if (pz_estore_sql(s, PZ_SQL_CONTENT, &q, err))
        return err->status;
    sqlite3_bind_int64(q, 1, time);
    sqlite3_bind_int64(q, 2, (int64_t)hash);
    int rc = sqlite3_step(q);
    *there = rc == SQLITE_ROW;
    *equal = *there && same_event(q, e);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        pz_catalog_fail(s->c, rc, err);
    sqlite3_reset(q);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? PZ_OK : err->status;
}

static int
find_id(struct pz_estore *s, const char *id, const uint8_t *uuid, bool *there,
        struct pz_err *err)
{
    sqlite3_stmt *q;
    if (pz_estore_sql(s, PZ_SQL_FIND_ID, &q, err))
        return err->status;
    int rc = bind_id(q, 1, id, uuid);
    if (!rc)
        rc = sqlite3_step(q);
    *there = rc == SQLITE_ROW;
    if (rc != SQLITE_ROW && rc != SQLITE_DONE)
        pz_catalog_fail(s->c, rc, err);
    sqlite3_reset(q);
    return rc == SQLITE_ROW || rc == SQLITE_DONE ? PZ_OK : err->status;
}

/* The first user of a session is its user. */
static int
link_session(struct pz_estore *s, const struct pz_event *e, struct pz_err *err)
{
    sqlite3_stmt *q;
    if (!e->user || !e->session)
        return PZ_OK;
    uint64_t h = XXH3_64bits(e->session, strlen(e->session)) | 1;
    if (s->link[h / 2 % LINKS] == h)
        return PZ_OK;
    if (pz_estore_sql(s, PZ_SQL_LINK, &q, err))
        return err->status;
    int rc = pz_estore_bind_text(q, 1, e->session);
    if (!rc)
        rc = pz_estore_bind_text(q, 2, e->user);
    if (!rc)
        rc = sqlite3_step(q);
    if (rc != SQLITE_DONE) {
        pz_catalog_fail(s->c, rc, err);
        sqlite3_reset(q);
        return err->status;
    }
    sqlite3_reset(q);
    s->link[h / 2 % LINKS] = h;
    return PZ_OK;
}

static int
bind_event(sqlite3_stmt *q, const struct pz_event *e, const char *id, const uint8_t *uuid,
           int64_t seq)
{
    const char *text[] = {e->user, e->session, e->item, e->type};
    const char *more[] = {e->recommendation, e->source, e->impression, e->properties};
    int rc = sqlite3_bind_int64(q, 1, seq) | sqlite3_bind_int(q, 2, (int)e->kind);
    rc |= bind_id(q, 3, id, uuid);
    for (int i = 0; i < 4; i++)
        rc |= pz_estore_bind_text(q, 4 + i, text[i]);
    rc |= e->has_value ? sqlite3_bind_double(q, 8, e->value + 0.0)
                       : sqlite3_bind_null(q, 8);
    rc |= sqlite3_bind_int64(q, 9, e->time);
    for (int i = 0; i < 4; i++)
        rc |= pz_estore_bind_text(q, 11 + i, more[i]);
    return rc ? SQLITE_NOMEM : SQLITE_OK;
}

int
pz_estore_add(struct pz_estore *s, const struct pz_event *e, bool *stored,
              char id[PZ_EVENT_ID_TEXT], struct pz_err *err)
{
    sqlite3_stmt *q;
    uint64_t hash = 0, own;
    int64_t time;
    const char *given = e->id;
    uint8_t bytes[16];
    const uint8_t *uuid = given && read_uuid(given, bytes) ? bytes : NULL;
    bool there = false, equal = false;
    *stored = false;
    if (hash_content(s, e, &hash, err) || link_session(s, e, err))
        return err->status;
    if (uuid && read_derived(uuid, &time, &own)) {
        // An event that was exported comes back: its id is that of its content.
        if (find_content(s, e, time, own, &there, &equal, err))
            return err->status;
        if (there)
            return PZ_OK;
        if (time == e->time && own == hash)
            given = NULL;
    }
    for (;; hash++) {
        if (pz_estore_sql(s, PZ_SQL_ADD, &q, err))
            return err->status;
        int rc = bind_event(q, e, given, uuid, s->seq + 1);
        if (!rc)
            rc = sqlite3_bind_int64(q, 10, (int64_t)hash);
        if (!rc)
            rc = sqlite3_step(q);
        if (rc != SQLITE_DONE) {
            pz_catalog_fail(s->c, rc, err);
            sqlite3_reset(q);
            return err->status;
        }
        sqlite3_reset(q);
        *stored = sqlite3_changes(s->c->db) > 0;
        if (*stored)
            break;
        if (given && find_id(s, given, uuid, &there, err))
            return err->status;
        if (given && there)
            return PZ_OK;
        if (find_content(s, e, e->time, hash, &there, &equal, err))
            return err->status;
        if (equal)
            break; // else another event has this hash
    }
    s->seq += *stored;
    if (id && !e->id)
        pz_estore_derived(e->time, hash, id);
    return PZ_OK;
}

int
pz_estore_put(struct pz_estore *s, enum pz_record_kind kind, const char *id,
              const char *properties, int64_t time, struct pz_err *err)
{
    sqlite3_stmt *q;
    if (pz_estore_sql(s, PZ_SQL_PUT, &q, err))
        return err->status;
    int rc = sqlite3_bind_int(q, 1, (int)kind) | pz_estore_bind_text(q, 2, id) |
             sqlite3_bind_int64(q, 3, s->seq + 1) | sqlite3_bind_int64(q, 4, time) |
             pz_estore_bind_text(q, 5, properties);
    if (!rc)
        rc = sqlite3_step(q);
    if (rc != SQLITE_DONE)
        pz_catalog_fail(s->c, rc, err);
    else
        s->seq++;
    sqlite3_reset(q);
    return rc == SQLITE_DONE ? PZ_OK : err->status;
}

/* ---- news ---- */

int
pz_estore_renew(struct pz_estore *s, struct pz_err *err)
{
    struct stat st;
    bool stale;
    if (pz_catalog_stale(s->c, &stale, err))
        return err->status;
    if ((s->c->db && !stale) || stat(s->c->path, &st))
        return PZ_OK;
    struct pz_catalog *c;
    if (pz_catalog_open(&c, s->group, s->mode, err))
        return err->status;
    drop_statements(s);
    pz_catalog_close(s->c);
    s->c = c;
    s->there = false;
    s->version = -1; // that of another connection says nothing
    return look(s, err);
}

int
pz_estore_changed(struct pz_estore *s, bool *changed, struct pz_err *err)
{
    int64_t version;
    *changed = !s->looked;
    s->looked = true;
    if (pz_estore_renew(s, err) || !s->c->db)
        return err->status;
    if (get_i64(s, PZ_SQL_VERSION, &version, err))
        return err->status;
    if (version == s->version)
        return PZ_OK;
    s->version = version;
    *changed = true;
    return s->there ? PZ_OK : look(s, err);
}

int
pz_estore_last(struct pz_estore *s, int64_t *seq, struct pz_err *err)
{
    *seq = 0;
    return s->there ? get_i64(s, PZ_SQL_MARK, seq, err) : PZ_OK;
}

int
pz_estore_hold(struct pz_estore *s, struct pz_err *err)
{
    return s->there ? pz_catalog_run(s->c, "BEGIN", err) : PZ_OK;
}

void
pz_estore_let_go(struct pz_estore *s)
{
    // Nothing was written: when the one fails for want of memory, the other does as well.
    if (s->there && !sqlite3_get_autocommit(s->c->db) &&
        sqlite3_exec(s->c->db, "COMMIT", NULL, NULL, NULL))
        sqlite3_exec(s->c->db, "ROLLBACK", NULL, NULL, NULL);
}
