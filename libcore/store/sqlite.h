/*
 * sqlite: <sqlite3.h>, with the library loaded when a catalogue is opened and not when a
 * program starts: pz-recommend answers without one, in less time than loading takes.
 *
 * A function that is missing in the table below works too, but then every program links
 * the library again.
 */
#ifndef PZ_STORE_SQLITE_H
#define PZ_STORE_SQLITE_H

#include <sqlite3.h>

#include "base/err.h"

#define PZ_SQLITE_FUNCTIONS(X)                                                           \
    X(backup_finish)                                                                     \
    X(backup_init)                                                                       \
    X(backup_step)                                                                       \
    X(bind_blob)                                                                         \
    X(bind_double)                                                                       \
    X(bind_int)                                                                          \
    X(bind_int64)                                                                        \
    X(bind_null)                                                                         \
    X(bind_text)                                                                         \
    X(busy_handler)                                                                      \
    X(changes)                                                                           \
    X(clear_bindings)                                                                    \
    X(close)                                                                             \
    X(column_blob)                                                                       \
    X(column_bytes)                                                                      \
    X(column_double)                                                                     \
    X(column_int)                                                                        \
    X(column_int64)                                                                      \
    X(column_text)                                                                       \
    X(column_type)                                                                       \
    X(db_config)                                                                         \
    X(db_readonly)                                                                       \
    X(errmsg)                                                                            \
    X(errstr)                                                                            \
    X(exec)                                                                              \
    X(extended_result_codes)                                                             \
    X(finalize)                                                                          \
    X(get_autocommit)                                                                    \
    X(open_v2)                                                                           \
    X(prepare_v2)                                                                        \
    X(prepare_v3)                                                                        \
    X(reset)                                                                             \
    X(step)                                                                              \
    X(system_errno)

struct pz_sqlite {
#define PZ_SQLITE_POINTER(name) __typeof__(sqlite3_##name) *name;
    PZ_SQLITE_FUNCTIONS(PZ_SQLITE_POINTER)
#undef PZ_SQLITE_POINTER
};
extern struct pz_sqlite pz_sqlite;

/* Before the first use; from any thread. PZ_SYSTEM when it cannot be loaded. */
int pz_sqlite_load(struct pz_err *err);

#define sqlite3_backup_finish         pz_sqlite.backup_finish
#define sqlite3_backup_init           pz_sqlite.backup_init
#define sqlite3_backup_step           pz_sqlite.backup_step
#define sqlite3_bind_blob             pz_sqlite.bind_blob
#define sqlite3_bind_double           pz_sqlite.bind_double
#define sqlite3_bind_int              pz_sqlite.bind_int
#define sqlite3_bind_int64            pz_sqlite.bind_int64
#define sqlite3_bind_null             pz_sqlite.bind_null
#define sqlite3_bind_text             pz_sqlite.bind_text
#define sqlite3_busy_handler          pz_sqlite.busy_handler
#define sqlite3_changes               pz_sqlite.changes
#define sqlite3_clear_bindings        pz_sqlite.clear_bindings
#define sqlite3_close                 pz_sqlite.close
#define sqlite3_column_blob           pz_sqlite.column_blob
#define sqlite3_column_bytes          pz_sqlite.column_bytes
#define sqlite3_column_double         pz_sqlite.column_double
#define sqlite3_column_int            pz_sqlite.column_int
#define sqlite3_column_int64          pz_sqlite.column_int64
#define sqlite3_column_text           pz_sqlite.column_text
#define sqlite3_column_type           pz_sqlite.column_type
#define sqlite3_db_config             pz_sqlite.db_config
#define sqlite3_db_readonly           pz_sqlite.db_readonly
#define sqlite3_errmsg                pz_sqlite.errmsg
#define sqlite3_errstr                pz_sqlite.errstr
#define sqlite3_exec                  pz_sqlite.exec
#define sqlite3_extended_result_codes pz_sqlite.extended_result_codes
#define sqlite3_finalize              pz_sqlite.finalize
#define sqlite3_get_autocommit        pz_sqlite.get_autocommit
#define sqlite3_open_v2               pz_sqlite.open_v2
#define sqlite3_prepare_v2            pz_sqlite.prepare_v2
#define sqlite3_prepare_v3            pz_sqlite.prepare_v3
#define sqlite3_reset                 pz_sqlite.reset
#define sqlite3_step                  pz_sqlite.step
#define sqlite3_system_errno          pz_sqlite.system_errno

#endif
