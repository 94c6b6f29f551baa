#include "store/catalog_filter.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "store/catalog_db.h"

enum { MAX_NAME = 63 };

bool
pz_filter_name_valid(const char *name)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    size_t n = strlen(name), head = strspn(name, letters);
    for (size_t i = head; i < n; i++)
        if (name[i] != '-' && name[i] != '_' && !strchr(letters, name[i]))
            return false;
    return n > 0 && n <= MAX_NAME && head > 0;
}

int
pz_catalog_add_filter(struct pz_catalog *c, const struct pz_catalog_filter *row,
                      struct pz_err *err)
{
    const struct pz_bound v[] = {PZ_TEXT(row->name), PZ_TEXT(row->expression),
                                 PZ_NUMBER(row->created), PZ_NUMBER(row->updated)};
    int status = pz_catalog_write(
        c,
        "INSERT INTO filter (name, expression, created, updated) VALUES (?1, ?2, ?3, ?4)",
        v, 4, err);
    if (status == PZ_USAGE)
        pz_err_set(
            err, PZ_USAGE,
            "there is a filter '%s' already; filters are not changed but deleted and "
            "saved again",
            row->name);
    return status;
}

int
pz_catalog_filters(struct pz_catalog *c, const char *name,
                   int (*fn)(void *ctx, const struct pz_catalog_filter *row), void *ctx,
                   struct pz_err *err)
{
    sqlite3_stmt *q;
    const struct pz_bound v = PZ_TEXT(name);
    if (!c->db)
        return PZ_OK;
    int rc = SQLITE_DONE, stopped = 0;
    int status = pz_catalog_query(c, &q,
                                  "SELECT name, expression, created, updated FROM filter"
                                  " WHERE ?1 IS NULL OR name = ?1 ORDER BY name",
                                  &v, 1, err);
    if (status)
        return status;
    while (!stopped && (rc = sqlite3_step(q)) == SQLITE_ROW) {
        struct pz_catalog_filter row = {
            .name = pz_catalog_text(q, 0),
            .expression = pz_catalog_text(q, 1),
            .created = sqlite3_column_int64(q, 2),
            .updated = sqlite3_column_int64(q, 3),
        };
        stopped = fn(ctx, &row);
    }
    return pz_catalog_end(c, q, rc, stopped, err);
}

static int
list_name(void *ctx, const struct pz_catalog_filter *row)
{
    struct pz_buf *names = ctx;
    if (names->len < 1000)
        pz_buf_addf(names, "%s%s", names->len ? ", " : "", row->name);
    return PZ_OK;
}

static int
no_such_filter(struct pz_catalog *c, const char *name, struct pz_err *err)
{
    struct pz_buf names = PZ_BUF_INIT;
    if (!pz_catalog_filters(c, NULL, list_name, &names, err))
        pz_err_set(err, PZ_USAGE, "there is no filter '%s'; there %s%s", name,
                   names.len ? "are: " : "are none", names.len ? names.data : "");
    pz_buf_release(&names);
    return err->status;
}

int
pz_catalog_delete_filter(struct pz_catalog *c, const char *name, struct pz_err *err)
{
    const struct pz_bound v = PZ_TEXT(name);
    int status = pz_catalog_write(c, "DELETE FROM filter WHERE name = ?1", &v, 1, err);
    if (!status && sqlite3_changes(c->db) == 0)
        return no_such_filter(c, name, err);
    return status;
}

struct found {
    char *expression;
    struct pz_err *err;
};

static int
copy_expression(void *ctx, const struct pz_catalog_filter *row)
{
    struct found *f = ctx;
    return pz_strndup(&f->expression, row->expression, strlen(row->expression), f->err);
}

int
pz_catalog_find_filter(struct pz_catalog *c, const char *name, char **expression,
                       struct pz_err *err)
{
    struct found f = {NULL, err};
    *expression = NULL;
    if (pz_catalog_filters(c, name, copy_expression, &f, err))
        return err->status;
    if (!f.expression)
        return no_such_filter(c, name, err);
    *expression = f.expression;
    return PZ_OK;
}
