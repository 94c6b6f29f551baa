/*
 * estore_sql: the statements of the event store, and what its writing and its reading
 * half share; private to libcore/store.
 */
#ifndef PZ_STORE_ESTORE_SQL_H
#define PZ_STORE_ESTORE_SQL_H

#include "base/buf.h"
#include "store/estore.h"
#include "store/sqlite.h"

/* The columns of an event, in the order in which pz_estore's reader takes them. */
#define PZ_EVENT_COLUMNS(user)                                                           \
    "seq, id, " user " AS user, session, item, type, value, time, hash,"                 \
    " recommendation, source, impression, properties, user IS NULL"

/* ?1 is the kind, ?2 who, ?3 the number of rows, ?4 the seq that theirs exceed; the
 * newest, oldest first. */
#define PZ_EVENT_LAST(rows)                                                              \
    "SELECT * FROM (SELECT * FROM (" rows ") ORDER BY time DESC, seq DESC LIMIT ?3)"     \
    " ORDER BY time, seq"

#define PZ_ESTORE_SQL(X)                                                                 \
    X(PZ_SQL_BEGIN, "BEGIN IMMEDIATE")                                                   \
    X(PZ_SQL_COMMIT, "COMMIT")                                                           \
    X(PZ_SQL_VERSION, "PRAGMA data_version")                                             \
    X(PZ_SQL_MARK, "SELECT seq FROM event_mark")                                         \
    X(PZ_SQL_SET_MARK, "UPDATE event_mark SET seq = ?1")                                 \
    X(PZ_SQL_ADD, "INSERT OR IGNORE INTO event (seq, kind, id, user, session, item,"     \
                  " type, value, time, hash, recommendation, source, impression,"        \
                  " properties)"                                                         \
                  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13,"     \
                  " ?14)")                                                               \
    X(PZ_SQL_CONTENT, "SELECT kind, user, session, item, type, recommendation, value,"   \
                      " source, impression, properties"                                  \
                      " FROM event WHERE time = ?1 AND hash = ?2")                       \
    X(PZ_SQL_FIND_ID, "SELECT 1 FROM event WHERE id = ?1")                               \
    X(PZ_SQL_LINK, "INSERT OR IGNORE INTO session (session, user) VALUES (?1, ?2)")      \
    X(PZ_SQL_PUT, "INSERT OR REPLACE INTO record (kind, id, seq, time, properties)"      \
                  " VALUES (?1, ?2, ?3, ?4, ?5)")                                        \
    X(PZ_SQL_FORGET_EVENTS, "DELETE FROM event WHERE user = ?1")                         \
    X(PZ_SQL_FORGET_SESSIONS, "DELETE FROM event WHERE user IS NULL AND session IN"      \
                              " (SELECT session FROM session WHERE user = ?1)")          \
    X(PZ_SQL_FORGET_LINKS, "DELETE FROM session WHERE user = ?1")                        \
    X(PZ_SQL_FORGET_RECORD, "DELETE FROM record WHERE kind = 1 AND id = ?1")             \
    X(PZ_SQL_CHECKPOINT, "PRAGMA wal_checkpoint(TRUNCATE)")                              \
    X(PZ_SQL_TRACE, "SELECT"                                                             \
                    " (SELECT count(*) FROM event WHERE user = ?1),"                     \
                    " (SELECT count(*) FROM session WHERE user = ?1),"                   \
                    " (SELECT count(*) FROM record WHERE kind = 1 AND id = ?1)")         \
    X(PZ_SQL_DROP_EVENT, "DELETE FROM event WHERE seq = ?1")                             \
    X(PZ_SQL_DROP_RECORD,                                                                \
      "DELETE FROM record WHERE kind = ?1 AND id = ?2 AND seq <= ?3")                    \
    X(PZ_SQL_USER,                                                                       \
      PZ_EVENT_LAST("SELECT " PZ_EVENT_COLUMNS(                                          \
          "user") " FROM event WHERE user = ?2 AND kind = ?1 AND seq > ?4"               \
                  " UNION ALL SELECT " PZ_EVENT_COLUMNS(                                 \
                      "?2") " FROM event WHERE user IS NULL AND kind = ?1 AND seq > ?4"  \
                            " AND session IN (SELECT session FROM session WHERE user = " \
                            "?2)"))                                                      \
    X(PZ_SQL_SESSION,                                                                    \
      PZ_EVENT_LAST("SELECT " PZ_EVENT_COLUMNS(                                          \
          "(SELECT user FROM session WHERE session = ?2)") " FROM event WHERE user IS "  \
                                                           "NULL AND session = ?2 AND "  \
                                                           "kind = ?1"                   \
                                                           " AND seq > ?4"               \
                                                           " UNION ALL "                 \
                                                           "SELECT " PZ_EVENT_COLUMNS(   \
                                                               "user") " FROM event"     \
                                                                       " WHERE user = "  \
                                                                       "(SELECT user "   \
                                                                       "FROM session "   \
                                                                       "WHERE session "  \
                                                                       "= ?2)"           \
                                                                       " AND session = " \
                                                                       "?2 AND kind = "  \
                                                                       "?1 AND seq > "   \
                                                                       "?4"))            \
    X(PZ_SQL_WALK,                                                                       \
      "SELECT e.seq, e.id, coalesce(e.user, s.user), e.session, e.item, e.type,"         \
      " e.value, e.time, e.hash, e.recommendation, e.source, e.impression,"              \
      " e.properties, e.user IS NULL"                                                    \
      " FROM event e LEFT JOIN session s ON e.user IS NULL AND s.session = e.session"    \
      " WHERE e.seq > ?2 AND e.kind = ?1 ORDER BY e.seq")                                \
    X(PZ_SQL_RECORD, "SELECT id, properties, time FROM record"                           \
                     " WHERE kind = ?1 AND id = ?2")                                     \
    X(PZ_SQL_RECORDS, "SELECT id, properties, time FROM record"                          \
                      " WHERE kind = ?1 AND seq > ?2 ORDER BY id")                       \
    X(PZ_SQL_TYPES, "SELECT coalesce(type, ''), count(*) FROM event WHERE kind = ?1"     \
                    " GROUP BY 1 ORDER BY 2 DESC, 1")                                    \
    X(PZ_SQL_COUNT, "SELECT"                                                             \
                    " (SELECT count(*) FROM event WHERE kind = 0),"                      \
                    " (SELECT count(*) FROM event e WHERE user IS NULL AND NOT EXISTS"   \
                    "  (SELECT 1 FROM session s WHERE s.session = e.session)),"          \
                    " (SELECT count(*) FROM event WHERE kind = 1),"                      \
                    " (SELECT count(DISTINCT session) FROM event),"                      \
                    " (SELECT count(*) FROM session),"                                   \
                    " (SELECT count(*) FROM record WHERE kind = 0),"                     \
                    " (SELECT count(*) FROM record WHERE kind = 1),"                     \
                    " (SELECT count(*) FROM record WHERE kind = 2),"                     \
                    " (SELECT min(time) FROM event), (SELECT max(time) FROM event)")     \
    X(PZ_SQL_TRACKERS, "SELECT name, tracking_id, created FROM tracker ORDER BY name")

enum pz_estore_stmt {
#define PZ_SQL_NAME(name, text) name,
    PZ_ESTORE_SQL(PZ_SQL_NAME)
#undef PZ_SQL_NAME
        PZ_N_SQL
};

struct pz_estore {
    struct pz_catalog *c;
    char *group;
    enum pz_catalog_mode mode;
    bool there; // the tables are
    sqlite3_stmt *stmt[PZ_N_SQL];
    struct pz_buf content; // what is hashed
    uint64_t *link;        // hashes of sessions whose link is in the table
    int64_t seq;           // the last one given
    int64_t version;       // of the data at the last look
    bool looked;
    bool marked; // GROUP/events.mark is there
};

/* The statement, ready to be bound; compiled once. */
int pz_estore_sql(struct pz_estore *s, enum pz_estore_stmt which, sqlite3_stmt **q,
                  struct pz_err *err);
/* What is remembered of the table of sessions is no longer so. */
void pz_estore_forget_links(struct pz_estore *s);
/* NULL is null; the text must live until the step. */
int pz_estore_bind_text(sqlite3_stmt *q, int i, const char *text);
void pz_estore_uuid(const uint8_t b[16], char out[PZ_EVENT_ID_TEXT]);
/* The id of an event without one: of its time and hash. */
void pz_estore_derived(int64_t time, uint64_t hash, char out[PZ_EVENT_ID_TEXT]);

#endif
