#include "data/recode.h"

#include <errno.h>
#include <iconv.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum { RAW = 64 << 10, TEXT = 4 * RAW };

struct pz_recode {
    iconv_t to_utf8;
    char *from;
    char *raw; // bytes not converted yet, RAW of them at most
    size_t n_raw;
    bool end;       // of the source
    bool flushed;   // and of what the converter had of it
    uint64_t taken; // bytes converted
    char *text;     // bytes not handed out yet, from at to n_text
    size_t at, n_text;
};

/* Text of one-byte characters in UTF-16 has a NUL in every second byte: which? */
static const char *
without_mark(const char *p, size_t n)
{
    size_t zero[2] = {0, 0};
    n = n < 64 ? n & ~(size_t)1 : 64;
    for (size_t i = 0; i < n; i++)
        zero[i & 1] += p[i] == 0;
    if (n < 4 || (zero[0] && zero[1]) || zero[0] + zero[1] < n / 2 - n / 8)
        return NULL;
    return zero[0] ? "UTF-16BE" : "UTF-16LE";
}

const char *
pz_recode_guess(const char *head, size_t n)
{
    static const struct {
        const char *mark;
        size_t n;
        const char *name;
    } marks[] = {
        {"\xff\xfe\0\0", 4, "UTF-32LE"},
        {"\0\0\xfe\xff", 4, "UTF-32BE"},
        {"\xff\xfe", 2, "UTF-16LE"},
        {"\xfe\xff", 2, "UTF-16BE"},
    };
    for (size_t k = 0; k < sizeof marks / sizeof *marks; k++)
        if (n >= marks[k].n && memcmp(head, marks[k].mark, marks[k].n) == 0)
            return marks[k].name;
    return without_mark(head, n);
}

int
pz_recode_new(struct pz_recode **out, const char *from, const char *head, size_t n,
              struct pz_err *err)
{
    struct pz_recode *r;
    if (pz_new(&r, 1, sizeof *r, "a converter", err))
        return err->status;
    r->to_utf8 = iconv_open("UTF-8", from);
    if (r->to_utf8 == (iconv_t)-1) {
        free(r);
        return pz_err_set(
            err, PZ_USAGE,
            "the encoding '%.100s' is not known here ('iconv -l' lists those "
            "that are)",
            from);
    }
    r->n_raw = n;
    if (pz_new(&r->raw, n > RAW ? n : RAW, 1, "a converter", err) ||
        pz_new(&r->text, TEXT, 1, "a converter", err) ||
        pz_strndup(&r->from, from, strlen(from), err)) {
        pz_recode_free(r);
        return err->status;
    }
    memcpy(r->raw, head, n);
    *out = r;
    return PZ_OK;
}

void
pz_recode_free(struct pz_recode *r)
{
    if (!r)
        return;
    iconv_close(r->to_utf8);
    free(r->from);
    free(r->raw);
    free(r->text);
    free(r);
}

/* What there is of raw bytes, into text, which is empty. */
static int
convert(struct pz_recode *r, const char *name, struct pz_err *err)
{
    char *in = r->raw, *to = r->text;
    size_t n_in = r->n_raw, room = TEXT;
    size_t how = iconv(r->to_utf8, &in, &n_in, &to, &room);
    bool cut = how == (size_t)-1 && errno == EINVAL; // a character goes on behind
    bool full = how == (size_t)-1 && errno == E2BIG;
    r->taken += r->n_raw - n_in;
    r->at = 0;
    r->n_text = TEXT - room;
    memmove(r->raw, in, n_in);
    r->n_raw = n_in;
    if ((how == (size_t)-1 && !cut && !full) || (cut && r->end))
        return pz_err_set(err, PZ_DATA, "%s: byte %llu is not valid %s", name,
                          (unsigned long long)r->taken + 1, r->from);
    return PZ_OK;
}

/* Some encodings hold a character back until it is known that no accent follows. */
static void
flush(struct pz_recode *r)
{
    char *to = r->text;
    size_t room = TEXT;
    iconv(r->to_utf8, NULL, NULL, &to, &room);
    r->at = 0;
    r->n_text = TEXT - room;
    r->flushed = true;
}

/* More raw bytes, all that there is room for; with `some` what there is. */
static int
read_raw(struct pz_recode *r, struct pz_source *s, bool some, struct pz_err *err)
{
    size_t more, room = RAW - r->n_raw;
    if (some ? pz_source_some(s, r->raw + r->n_raw, room, &more, err)
             : pz_source_read(s, r->raw + r->n_raw, room, &more, err))
        return err->status;
    r->end = some ? more == 0 : more < room;
    r->n_raw += more;
    return PZ_OK;
}

static int
fill(struct pz_recode *r, struct pz_source *s, char *out, size_t n, bool some,
     size_t *got, struct pz_err *err)
{
    bool stuck = false; // what is there does not make a character
    *got = 0;
    for (;;) {
        size_t len = r->n_text - r->at < n - *got ? r->n_text - r->at : n - *got;
        memcpy(out + *got, r->text + r->at, len);
        r->at += len;
        *got += len;
        if (*got == n || (some && *got))
            return PZ_OK;
        if (!r->end && r->n_raw < RAW && (!some || stuck || !r->n_raw) &&
            read_raw(r, s, some, err))
            return err->status;
        if (r->flushed)
            return PZ_OK;
        if (!r->n_raw && r->end)
            flush(r);
        else if (convert(r, s->name, err))
            return err->status;
        stuck = !r->n_text;
    }
}

int
pz_recode_read(struct pz_recode *r, struct pz_source *s, char *out, size_t n, size_t *got,
               struct pz_err *err)
{
    return fill(r, s, out, n, false, got, err);
}

int
pz_recode_some(struct pz_recode *r, struct pz_source *s, char *out, size_t n, size_t *got,
               struct pz_err *err)
{
    return fill(r, s, out, n, true, got, err);
}
