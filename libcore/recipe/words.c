#include "recipe/words.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

enum { WORD_MAX = 64, TAG_MAX = 500, ENTITY_MAX = 10, NOT_UTF8 = 0xfffd };
enum sort { BREAK, LETTER, PACKED };

/* The character at s (n > 0) and its length in bytes. */
static uint32_t
decode(const char *s, size_t n, size_t *len)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = (uint8_t)s[0];
    size_t want = first < 0x80   ? 1
                  : first < 0xc2 ? 0
                  : first < 0xe0 ? 2
                  : first < 0xf0 ? 3
                                 : 4;
    *len = 1;
    if (want == 1)
        return first;
    if (want == 0 || first > 0xf4 || want > n)
        return NOT_UTF8;
    uint32_t c = first & (0x7fu >> want);
    for (size_t i = 1; i < want; i++) {
        if (((uint8_t)s[i] & 0xc0) != 0x80)
            return NOT_UTF8;
        c = c << 6 | ((uint8_t)s[i] & 0x3f);
    }
    if (c < least[want] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return NOT_UTF8;
    *len = want;
    return c;
}

static size_t
encode(uint32_t c, char *s)
{
    if (c < 0x80) {
        s[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        s[i] = (char)(0x80 | (c & 0x3f));
    s[0] = (char)(0xf00 >> n | c);
    return n;
}

/* Ranges of characters above ASCII that are not letters of spaced words; the others are.
 */
static const struct {
    uint32_t from, to;
    enum sort sort;
} range[] = {
    {0x80, 0xa9, BREAK},        {0xab, 0xb4, BREAK},      {0xb6, 0xb9, BREAK},
    {0xbb, 0xbf, BREAK},        {0xd7, 0xd7, BREAK},      {0xf7, 0xf7, BREAK},
    {0xe00, 0xe7f, PACKED},     {0x2000, 0x2bff, BREAK},  {0x2e00, 0x2e7f, BREAK},
    {0x2e80, 0x2fff, PACKED},   {0x3000, 0x3004, BREAK},  {0x3005, 0x3007, PACKED},
    {0x3008, 0x3030, BREAK},    {0x3031, 0x30fa, PACKED}, {0x30fb, 0x30fb, BREAK},
    {0x30fc, 0x312f, PACKED},   {0x3190, 0x9fff, PACKED}, {0xe000, 0xf8ff, BREAK},
    {0xf900, 0xfaff, PACKED},   {0xfe30, 0xfe6f, BREAK},  {0xff00, 0xff0f, BREAK},
    {0xff1a, 0xff20, BREAK},    {0xff3b, 0xff40, BREAK},  {0xff5b, 0xff65, BREAK},
    {0xff66, 0xff9f, PACKED},   {0xfff0, 0xffff, BREAK},  {0x1f000, 0x1faff, BREAK},
    {0x20000, 0x3ffff, PACKED},
};

static enum sort
sort_of(uint32_t c)
{
    if (c < 0x80)
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
                   ? LETTER
                   : BREAK;
    for (size_t i = 0; i < sizeof range / sizeof *range; i++)
        if (c >= range[i].from && c <= range[i].to)
            return range[i].sort;
    return LETTER;
}

/* Greek letters with an accent stand apart; sigma ends a word in another shape. */
static const struct {
    uint16_t from, to;
} greek[] = {
    {0x386, 0x3ac}, {0x388, 0x3ad}, {0x389, 0x3ae}, {0x38a, 0x3af}, {0x38c, 0x3cc},
    {0x38e, 0x3cd}, {0x38f, 0x3ce}, {0x3aa, 0x3ca}, {0x3ab, 0x3cb}, {0x3c2, 0x3c3},
};

static uint32_t
lower(uint32_t c)
{
    if ((c >= 'A' && c <= 'Z') || (c >= 0xc0 && c <= 0xde && c != 0xd7) ||
        (c >= 0x391 && c <= 0x3a9) || (c >= 0x410 && c <= 0x42f))
        return c + 0x20;
    if (c >= 0x400 && c <= 0x40f)
        return c + 0x50;
    if (c == 0x178)
        return 0xff;
    for (size_t i = 0; c >= 0x386 && c <= 0x3c2 && i < sizeof greek / sizeof *greek; i++)
        if (c == greek[i].from)
            return greek[i].to;
    // Pairs of a capital and its small letter: the capital is even, or odd in two ranges.
    if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17e))
        return c + (c & 1);
    if (((c >= 0x100 && c <= 0x177) || (c >= 0x460 && c <= 0x481) ||
         (c >= 0x48a && c <= 0x4bf) || (c >= 0x1e00 && c <= 0x1e95) ||
         (c >= 0x1ea0 && c <= 0x1eff)) &&
        c != 0x130 && c != 0x138)
        return c | 1;
    return c;
}

/* The length of the markup at s, 0 when there is none. */
static size_t
markup(const char *s, size_t n)
{
    if (n < 3 || (*s != '<' && *s != '&'))
        return 0;
    bool tag = *s == '<';
    if (tag && sort_of((uint8_t)s[1]) != LETTER && s[1] != '/' && s[1] != '!')
        return 0;
    size_t most = tag ? TAG_MAX : ENTITY_MAX;
    for (size_t i = 1; i < n && i < most; i++) {
        if (s[i] == (tag ? '>' : ';'))
            return i + 1;
        if (!tag && s[i] != '#' && sort_of((uint8_t)s[i]) != LETTER)
            return 0;
    }
    return 0;
}

struct word {
    char s[WORD_MAX];
    size_t n;      // bytes
    size_t last;   // of a packed run: bytes of its last character, at the end of s
    size_t length; // of a packed run: characters so far
    bool full;
};

static int
end_word(struct word *w, pz_word_fn *take, void *ctx, struct pz_err *err)
{
    // A packed run of several characters was handed over in pairs.
    int r = w->n > 1 && w->length <= 1 ? take(ctx, w->s, w->n, err) : PZ_OK;
    *w = (struct word){.n = 0};
    return r;
}

/* Adds a letter, or hands over the pair that a packed character makes with the last. */
static int
add(struct word *w, uint32_t c, bool packed, pz_word_fn *take, void *ctx,
    struct pz_err *err)
{
    char text[4];
    size_t n = encode(c, text);
    if (packed && w->n) {
        memmove(w->s, w->s + w->n - w->last, w->last);
        w->n = w->last;
    }
    w->full = w->full || w->n + n > WORD_MAX;
    if (!w->full) {
        memcpy(w->s + w->n, text, n);
        w->n += n;
    }
    w->last = n;
    if (!packed)
        return PZ_OK;
    return ++w->length > 1 ? take(ctx, w->s, w->n, err) : PZ_OK;
}

int
pz_words(const char *text, size_t n, pz_word_fn *take, void *ctx, struct pz_err *err)
{
    struct word w = {.n = 0};
    enum sort before = BREAK;
    int r = PZ_OK;
    for (size_t i = 0; i < n && r == PZ_OK;) {
        size_t len = markup(text + i, n - i);
        enum sort sort = BREAK;
        uint32_t c = 0;
        if (!len) {
            c = decode(text + i, n - i, &len);
            sort = sort_of(c);
        }
        if (sort != before)
            r = end_word(&w, take, ctx, err);
        if (sort != BREAK && r == PZ_OK)
            r = add(&w, lower(c), sort == PACKED, take, ctx, err);
        before = sort;
        i += len;
    }
    return r ? r : end_word(&w, take, ctx, err);
}
