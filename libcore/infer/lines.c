#include "infer/lines.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

enum {
    READ_BYTES = 1 << 17,
    BLOCK_BYTES = 1 << 20, // a block takes no further line beyond
};

void
pz_lines_init(struct pz_lines *l, int fd)
{
    *l = (struct pz_lines){.fd = fd, .wake = -1};
}

void
pz_lines_release(struct pz_lines *l)
{
    free(l->buf);
    *l = (struct pz_lines){.fd = -1, .wake = -1};
}

void
pz_block_release(struct pz_block *b)
{
    free(b->bytes);
    free(b->line);
    *b = (struct pz_block){.n = 0};
}

/* Waits until there is something to read; false: woken (or, without `wait`, nothing
 * there). */
static bool
readable(const struct pz_lines *l, bool wait)
{
    struct pollfd p[2] = {{.fd = l->fd, .events = POLLIN},
                          {.fd = l->wake, .events = POLLIN}};
    for (;;) {
        int r = poll(p, 2, wait ? -1 : 0);
        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return true; // read() will say what is wrong
        if (p[1].revents)
            return false;
        return r > 0;
    }
}

/* Drops the empty lines at the start of what is there. */
static void
drop_empty(struct pz_lines *l)
{
    for (;;) {
        const char *p = l->buf + l->at;
        size_t n = l->len - l->at, cr = n && p[0] == '\r';
        if (n == cr || p[cr] != '\n')
            break;
        l->at += cr + 1;
        l->n++;
    }
}

/* The first bytes: drops a byte-order mark and empty lines and tells JSON from ids.
 * False: what is there does not yet say. */
static bool
begin(struct pz_lines *l)
{
    static const char mark[] = "\xef\xbb\xbf";
    if (l->n == 0) {
        size_t n = l->len < 3 ? l->len : 3;
        bool marked = n && memcmp(l->buf, mark, n) == 0;
        if (marked && n < 3 && !l->eof)
            return false;
        l->at = marked && n == 3 ? 3 : 0;
    }
    drop_empty(l);
    l->seen = l->at;
    size_t n = l->len - l->at;
    l->json = n && l->buf[l->at] == '{';
    l->begun = n > 1 || (n && l->buf[l->at] != '\r') || l->eof;
    if (!l->begun && l->n) { // room for what is still to come
        memmove(l->buf, l->buf + l->at, n);
        l->len = n;
        l->at = l->seen = 0;
    }
    return l->begun;
}

/* Reads once behind len. False: nothing more for now. */
static bool
fill(struct pz_lines *l, bool wait, struct pz_err *err)
{
    if (l->at > 0) {
        memmove(l->buf, l->buf + l->at, l->len - l->at);
        l->len -= l->at;
        l->seen -= l->at;
        l->at = 0;
    }
    if (pz_grow(&l->buf, &l->cap, l->len + READ_BYTES, 1, "the input", err))
        return false;
    for (;;) {
        if (!readable(l, wait))
            return false;
        ssize_t got = read(l->fd, l->buf + l->len, l->cap - l->len);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got < 0) {
            pz_err_sys(err, "cannot read the requests");
            return false;
        }
        l->eof = got == 0;
        l->len += (size_t)got;
        if (l->begun || begin(l))
            return true;
    }
}

/* Adds a copy of the line; its place in the block is given to it when all are there. */
static int
add_line(struct pz_lines *l, struct pz_block *b, const char *s, size_t n,
         struct pz_err *err)
{
    enum pz_line_kind kind = l->json ? PZ_LINE_JSON : PZ_LINE_ID;
    l->n++;
    if (l->skipping || n > PZ_LINE_MAX) {
        kind = l->json ? PZ_LINE_LONG_JSON : PZ_LINE_LONG_ID;
        n = 0;
    }
    if (n && s[n - 1] == '\r')
        n--;
    if (n == 0 && kind == PZ_LINE_ID)
        return PZ_OK;
    if (pz_grow(&b->line, &b->cap, b->n + 1, sizeof *b->line, "a block of lines", err) ||
        pz_grow(&b->bytes, &b->cap_bytes, b->n_bytes + n, 1, "a block of lines", err))
        return err->status;
    if (n)
        memcpy(b->bytes + b->n_bytes, s, n);
    b->n_bytes += n;
    b->line[b->n++] = (struct pz_block_line){{NULL, n}, kind, l->n};
    return PZ_OK;
}

/* Moves whole lines from the buffer to the block until one of them is used up. */
static int
take_lines(struct pz_lines *l, struct pz_block *b, size_t max, struct pz_err *err)
{
    while (b->n < max && b->n_bytes < BLOCK_BYTES && l->at < l->len) {
        const char *nl = memchr(l->buf + l->seen, '\n', l->len - l->seen);
        size_t end = nl ? (size_t)(nl - l->buf) : l->len;
        if (!nl && !l->eof) {
            l->seen = l->len;
            if (l->skipping || l->len - l->at > PZ_LINE_MAX + 1) {
                l->skipping = true; // and let go of what there is of it
                l->at = l->len;
            }
            return PZ_OK;
        }
        if (add_line(l, b, l->buf + l->at, end - l->at, err))
            return err->status;
        l->skipping = false;
        l->at = l->seen = end + (nl != NULL);
    }
    if (l->eof && l->skipping && l->at == l->len) { // it ended with the input
        if (add_line(l, b, "", 0, err))
            return err->status;
        l->skipping = false;
    }
    return PZ_OK;
}

int
pz_lines_read(struct pz_lines *l, struct pz_block *b, size_t max, struct pz_err *err)
{
    b->n = b->n_bytes = 0;
    for (;;) {
        if (take_lines(l, b, max, err))
            return err->status;
        if (b->n >= max || b->n_bytes >= BLOCK_BYTES || l->eof ||
            !fill(l, b->n == 0, err))
            break;
    }
    if (err->status)
        return err->status;
    size_t at = 0;
    for (size_t i = 0; i < b->n; i++) {
        b->line[i].text.s = b->bytes ? b->bytes + at : "";
        at += b->line[i].text.n;
    }
    return PZ_OK;
}
