#include "data/source.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/mem.h"

enum { BUFFER = 256 << 10 };

/* A decompressor: step() moves s->at and writes up to n bytes, *got of them. *done when a
 * member or frame is complete and nothing of the next one was read. */
struct pz_codec {
    const char *name;
    bool between; // no member is begun
    int (*step)(struct pz_source *s, char *out, size_t n, size_t *got,
                struct pz_err *err);
    void (*close)(struct pz_codec *c);
    z_stream z;
    ZSTD_DStream *zstd;
};

/* ---- bytes as stored ---- */

static int
read_some(struct pz_source *s, char *out, size_t n, size_t *got, struct pz_err *err)
{
    ssize_t r;
    do
        r = read(s->fd, out, n);
    while (r < 0 && errno == EINTR);
    if (r < 0)
        return pz_err_sys(err, "cannot read '%s'", s->name);
    *got = (size_t)r;
    s->eof = r == 0;
    atomic_fetch_add_explicit(&s->done, (unsigned long long)r, memory_order_relaxed);
    return PZ_OK;
}

/* More bytes behind those in the buffer. */
static int
refill(struct pz_source *s, struct pz_err *err)
{
    size_t got;
    memmove(s->buffer, s->buffer + s->at, s->len - s->at);
    s->len -= s->at;
    s->at = 0;
    if (read_some(s, s->buffer + s->len, BUFFER - s->len, &got, err))
        return err->status;
    s->len += got;
    return PZ_OK;
}

/* At least `need` bytes into the buffer, unless the file ends. */
static int
peek(struct pz_source *s, size_t need, struct pz_err *err)
{
    while (s->len - s->at < need && !s->eof)
        if (refill(s, err))
            return err->status;
    return PZ_OK;
}

/* ---- gzip ---- */

static bool
is_gzip(const char *p, size_t n)
{
    return n >= 3 && memcmp(p, "\x1f\x8b\x08", 3) == 0;
}

static int
gzip_step(struct pz_source *s, char *out, size_t n, size_t *got, struct pz_err *err)
{
    z_stream *z = &s->codec->z;
    z->next_in = (Bytef *)(void *)(s->buffer + s->at);
    z->avail_in = (uInt)(s->len - s->at);
    z->next_out = (Bytef *)(void *)out;
    z->avail_out = n > 1u << 30 ? 1u << 30 : (uInt)n;
    uInt room = z->avail_out;
    int r = inflate(z, Z_NO_FLUSH);
    s->at = s->len - z->avail_in;
    *got = room - z->avail_out;
    if (r == Z_STREAM_END) {
        s->codec->between = true;
        r = inflateReset(z);
    }
    if (r == Z_MEM_ERROR)
        return pz_err_nomem(err, "gzip data", 0);
    if (r != Z_OK && r != Z_BUF_ERROR)
        return pz_err_set(err, PZ_DATA, "%s: damaged gzip data: %s", s->name,
                          z->msg ? z->msg : "not a gzip stream");
    return PZ_OK;
}

static void
gzip_close(struct pz_codec *c)
{
    inflateEnd(&c->z);
}

/* ---- zstd ---- */

static bool
is_zstd(const char *p, size_t n)
{
    bool frame = n >= 4 && memcmp(p, "\x28\xb5\x2f\xfd", 4) == 0;
    bool skippable =
        n >= 4 && (p[0] & 0xf0) == 0x50 && memcmp(p + 1, "\x2a\x4d\x18", 3) == 0;
    return frame || skippable;
}

static int
zstd_step(struct pz_source *s, char *out, size_t n, size_t *got, struct pz_err *err)
{
    ZSTD_inBuffer from = {s->buffer + s->at, s->len - s->at, 0};
    ZSTD_outBuffer to = {out, n, 0};
    size_t r = ZSTD_decompressStream(s->codec->zstd, &to, &from);
    s->at += from.pos;
    *got = to.pos;
    if (ZSTD_isError(r))
        return pz_err_set(err, PZ_DATA, "%s: damaged zstd data: %s", s->name,
                          ZSTD_getErrorName(r));
    s->codec->between = r == 0;
    return PZ_OK;
}

static void
zstd_close(struct pz_codec *c)
{
    ZSTD_freeDStream(c->zstd);
}

/* ---- life ---- */

static int
codec_open(struct pz_source *s, struct pz_err *err)
{
    const char *head = s->buffer + s->at;
    size_t n = s->len - s->at;
    bool gzip = is_gzip(head, n);
    if (!gzip && !is_zstd(head, n))
        return PZ_OK;
    struct pz_codec *c;
    if (pz_new(&c, 1, sizeof *c, "a decompressor", err))
        return err->status;
    c->between = true;
    if (gzip) {
        c->name = "gzip";
        c->step = gzip_step;
        c->close = gzip_close;
        if (inflateInit2(&c->z, 15 + 16) != Z_OK)
            goto fail;
    } else {
        c->name = "zstd";
        c->step = zstd_step;
        c->close = zstd_close;
        c->zstd = ZSTD_createDStream();
        if (!c->zstd || ZSTD_isError(ZSTD_initDStream(c->zstd)))
            goto fail;
    }
    s->codec = c;
    return PZ_OK;
fail:
    if (c->zstd)
        ZSTD_freeDStream(c->zstd);
    free(c);
    return pz_err_nomem(err, "a decompressor", 1 << 17);
}

int
pz_source_open(struct pz_source *s, const char *path, const char *name,
               struct pz_err *err)
{
    struct stat st;
    s->fd = -1;
    s->name = name;
    s->codec = NULL;
    s->at = s->len = 0;
    s->eof = false;
    s->buffer = NULL;
    int fd = strcmp(path, "-") == 0 ? fcntl(0, F_DUPFD_CLOEXEC, 0)
                                    : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return pz_err_sys(err, "cannot open '%s'", name);
    s->fd = fd;
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        pz_err_set(err, PZ_DATA, "%s: is a directory: name the files in it", name);
        goto fail;
    }
    posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    if (pz_new(&s->buffer, BUFFER, 1, "an input buffer", err) || peek(s, 4, err) ||
        codec_open(s, err))
        goto fail;
    return PZ_OK;
fail:
    pz_source_close(s);
    return err->status;
}

/* Behind a member: what follows is another one, padding, or the end. */
static int
next_member(struct pz_source *s, bool *more, struct pz_err *err)
{
    bool gzip = s->codec->close == gzip_close;
    *more = false;
    for (;;) {
        if (peek(s, 4, err))
            return err->status;
        const char *p = s->buffer + s->at;
        size_t n = s->len - s->at;
        if (n == 0)
            return PZ_OK;
        if (gzip ? is_gzip(p, n) : is_zstd(p, n)) {
            *more = true;
            return PZ_OK;
        }
        if (*p) // tapes and disks pad with zeros
            return pz_err_set(err, PZ_DATA, "%s: something else follows the %s data",
                              s->name, s->codec->name);
        s->at++;
    }
}

/* `some`: what is there is enough, as long as it is something. */
static int
fill(struct pz_source *s, char *out, size_t n, bool some, size_t *got, struct pz_err *err)
{
    size_t len = 0;
    *got = 0;
    if (!s->codec) {
        len = s->len - s->at < n ? s->len - s->at : n;
        memcpy(out, s->buffer + s->at, len);
        s->at += len;
    }
    while (len < n && !(some && len)) {
        size_t step = 0;
        if (!s->codec) {
            if (s->eof)
                break;
            if (read_some(s, out + len, n - len, &step, err))
                return err->status;
            len += step;
            continue;
        }
        bool more = true;
        if (s->codec->between && next_member(s, &more, err))
            return err->status;
        if (!more)
            break;
        s->codec->between = false;
        size_t before = s->at;
        if (s->codec->step(s, out + len, n - len, &step, err))
            return err->status;
        len += step;
        if (step || s->at != before || s->codec->between)
            continue;
        if (s->eof)
            return pz_err_set(err, PZ_DATA, "%s: the %s data is cut off", s->name,
                              s->codec->name);
        if (refill(s, err))
            return err->status;
    }
    *got = len;
    return PZ_OK;
}

int
pz_source_read(struct pz_source *s, char *out, size_t n, size_t *got, struct pz_err *err)
{
    return fill(s, out, n, false, got, err);
}

int
pz_source_some(struct pz_source *s, char *out, size_t n, size_t *got, struct pz_err *err)
{
    return fill(s, out, n, true, got, err);
}

bool
pz_source_ready(const struct pz_source *s, int ms)
{
    struct pollfd p = {.fd = s->fd, .events = POLLIN};
    return s->at < s->len || s->eof || poll(&p, 1, ms) != 0;
}

void
pz_source_close(struct pz_source *s)
{
    if (s->codec) {
        s->codec->close(s->codec);
        free(s->codec);
    }
    free(s->buffer);
    if (s->fd >= 0)
        close(s->fd);
    s->codec = NULL;
    s->buffer = NULL;
    s->fd = -1;
}
