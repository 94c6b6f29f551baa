#include "data/showing.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/json.h"
#include "base/mem.h"
#include "data/input.h"
#include "data/source.h"

int
pz_log_lines(const char *path, pz_log_line_fn *fn, void *ctx, struct pz_err *err)
{
    enum { READ = 1 << 18 };
    struct pz_source source;
    char *text = NULL;
    size_t n = 0, cap = 0, got = 1;
    uint64_t line = 1;
    if (pz_source_open(&source, path, path, err))
        return err->status;
    while (got && !err->status) {
        if (pz_grow(&text, &cap, n + READ, 1, "a log", err) ||
            pz_source_some(&source, text + n, READ, &got, err))
            break;
        size_t at = 0, seen = n; // no line ends before it
        n += got;
        for (const char *end; (end = memchr(text + seen, '\n', n - seen)); line++) {
            size_t stop = (size_t)(end - text);
            if (fn(ctx, path, line, text + at, stop - at, err))
                break;
            at = seen = stop + 1;
        }
        if (n - at > PZ_ROW_MAX && !err->status)
            pz_err_set(err, PZ_DATA, "%s:%llu: is longer than %u MiB", path,
                       (unsigned long long)line, PZ_ROW_MAX >> 20);
        memmove(text, text + at, n - at);
        n -= at;
    }
    free(text);
    pz_source_close(&source);
    return err->status;
}

struct reader {
    struct pz_showings *s;
    struct pz_scan scan;
    struct pz_buf items;
};

/* ["i1","i2"] as i1|i2; the scanner stands on the '['. */
static bool
read_items(struct reader *r)
{
    enum pz_tok tok;
    pz_buf_clear(&r->items);
    while ((tok = pz_scan_next(&r->scan)) == PZ_TOK_STRING) {
        if (r->items.len)
            pz_buf_addc(&r->items, '|');
        pz_buf_add(&r->items, r->scan.s, r->scan.len);
    }
    return tok == PZ_TOK_ARRAY_END;
}

static int
take_line(void *ctx, const char *path, uint64_t line, const char *s, size_t n,
          struct pz_err *err)
{
    struct reader *r = ctx;
    struct pz_showings *shown = r->s;
    struct pz_scan *scan = &r->scan;
    struct pz_showing found = {NULL, ""};
    enum pz_tok tok;
    pz_scan_start(scan, s, n);
    bool good = pz_scan_next(scan) == PZ_TOK_OBJECT;
    pz_buf_clear(&r->items);
    while (good && (tok = pz_scan_next(scan)) == PZ_TOK_KEY) {
        bool id = scan->len == 16 && memcmp(scan->s, "recommendationId", 16) == 0;
        bool items = scan->len == 16 && memcmp(scan->s, "recommendedItems", 16) == 0;
        tok = pz_scan_next(scan);
        if (id && tok == PZ_TOK_STRING) {
            if (pz_arena_copy(&shown->arena, &found.id, scan->s, scan->len, "a log", err))
                return err->status;
        } else {
            good = items && tok == PZ_TOK_ARRAY ? read_items(r) : pz_scan_skip(scan, tok);
        }
    }
    if (!good || tok != PZ_TOK_OBJECT_END || !found.id)
        return pz_err_set(err, PZ_DATA,
                          "%s:%llu: is no line of a log that pz-recommend --log wrote",
                          path, (unsigned long long)line);
    if (pz_buf_status(&r->items, "a log", err) ||
        (r->items.len && pz_arena_copy(&shown->arena, &found.items, r->items.data,
                                       r->items.len, "a log", err)) ||
        pz_grow(&shown->list, &shown->cap, shown->n + 1, sizeof *shown->list, "a log",
                err))
        return err->status;
    shown->list[shown->n++] = found;
    return PZ_OK;
}

static int
by_id(const void *a, const void *b)
{
    const struct pz_showing *x = a, *y = b;
    int c = strcmp(x->id, y->id);
    return c ? c : strcmp(x->items, y->items);
}

int
pz_showings_read(struct pz_showings *s, const char *path, struct pz_err *err)
{
    struct reader r = {.s = s};
    pz_scan_init(&r.scan);
    int status = pz_log_lines(path, take_line, &r, err);
    if (!status && s->n)
        qsort(s->list, s->n, sizeof *s->list, by_id);
    pz_scan_release(&r.scan);
    pz_buf_release(&r.items);
    return status;
}

const char *
pz_showings_find(const struct pz_showings *s, const char *id, size_t n)
{
    size_t lo = 0, hi = s->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int c = strncmp(s->list[mid].id, id, n);
        if (c == 0 && s->list[mid].id[n])
            c = 1;
        if (c == 0)
            return s->list[mid].items;
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

void
pz_showings_release(struct pz_showings *s)
{
    pz_arena_release(&s->arena);
    free(s->list);
    *s = (struct pz_showings){.n = 0};
}
