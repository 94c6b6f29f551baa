#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/num.h"

void
pz_buf_release(struct pz_buf *b)
{
    size_t max = b->max;
    free(b->data);
    *b = (struct pz_buf)PZ_BUF_INIT;
    b->max = max;
}

void
pz_buf_clear(struct pz_buf *b)
{
    b->len = 0;
    b->failed = b->full = false;
    if (b->data)
        b->data[0] = 0;
}

char *
pz_buf_reserve(struct pz_buf *b, size_t n)
{
    size_t need;
    if (b->failed)
        return NULL;
    bool fits = pz_size_add(b->len, n, &need);
    b->full = b->max && (!fits || need > b->max);
    if (!fits || b->full) {
        b->failed = true;
        return NULL;
    }
    if (need >= b->cap) {
        struct pz_err ignored = PZ_ERR_INIT;
        if (pz_grow(&b->data, &b->cap, need + 1, 1, "a buffer", &ignored)) {
            b->failed = true;
            return NULL;
        }
    }
    return b->data + b->len;
}

void
pz_buf_add(struct pz_buf *b, const void *bytes, size_t n)
{
    char *p = pz_buf_reserve(b, n);
    if (!p)
        return;
    if (n)
        memcpy(p, bytes, n);
    b->len += n;
    b->data[b->len] = 0;
}

void
pz_buf_addz(struct pz_buf *b, const char *text)
{
    pz_buf_add(b, text, strlen(text));
}

void
pz_buf_addc(struct pz_buf *b, char c)
{
    pz_buf_add(b, &c, 1);
}

void
pz_buf_add_i64(struct pz_buf *b, long long v)
{
    char text[PZ_NUM_TEXT];
    pz_buf_add(b, text, pz_format_i64(text, v));
}

void
pz_buf_addf(struct pz_buf *b, const char *fmt, ...)
{
    va_list ap;
    char small[512];
    va_start(ap, fmt);
    int n = vsnprintf(small, sizeof small, fmt, ap);
    va_end(ap);
    if (n < 0) {
        b->failed = true;
        return;
    }
    if ((size_t)n < sizeof small) {
        pz_buf_add(b, small, (size_t)n);
        return;
    }
    char *p = pz_buf_reserve(b, (size_t)n); // and its NUL
    if (!p)
        return;
    va_start(ap, fmt);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->len += (size_t)n;
}

int
pz_buf_status(const struct pz_buf *b, const char *what, struct pz_err *err)
{
    if (!b->failed)
        return PZ_OK;
    if (b->full)
        return pz_err_set(err, PZ_DATA, "%s is longer than %zu bytes", what, b->max);
    return pz_err_nomem(err, what, b->len);
}
