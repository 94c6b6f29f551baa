#include "filter/lex.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "filter/filter.h"

int
pz_filter_fail(struct pz_err *err, const char *text, size_t n, size_t at, const char *fmt,
               ...)
{
    char msg[1024];
    size_t line = 1, start = 0;
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(msg, sizeof msg, fmt, ap);
    va_end(ap);
    for (size_t i = 0; i < at && i < n; i++)
        if (text[i] == '\n') {
            line++;
            start = i + 1;
        }
    return pz_err_set(err, PZ_DATA, "filter:%zu:%zu: %s", line, at - start + 1, msg);
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool
is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || is_digit(c);
}

struct lexer {
    const char *text;
    size_t n, at;
    struct pz_err *err;
};

static size_t
word_end(const struct lexer *l, size_t i)
{
    while (i < l->n && is_word(l->text[i]))
        i++;
    return i;
}

static int
lex_number(struct lexer *l, struct pz_ftoken *t)
{
    size_t i = l->at + (l->text[l->at] == '-');
    size_t digits = i;
    while (i < l->n && is_digit(l->text[i]))
        i++;
    bool bad = i == digits;
    if (!bad && i < l->n && l->text[i] == '.') {
        size_t fraction = ++i;
        while (i < l->n && is_digit(l->text[i]))
            i++;
        bad = i == fraction;
    }
    if (bad || word_end(l, i) != i)
        return pz_filter_fail(l->err, l->text, l->n, l->at,
                              "not a number: write digits, and a point and digits behind "
                              "them; texts stand in double quotes");
    *t = (struct pz_ftoken){PZ_FT_NUMBER, l->text + l->at, i - l->at, l->at, i};
    return PZ_OK;
}

static int
lex_string(struct lexer *l, struct pz_ftoken *t)
{
    const char *s = l->text + l->at + 1;
    const char *end = memchr(s, l->text[l->at], l->n - l->at - 1);
    if (!end)
        return pz_filter_fail(l->err, l->text, l->n, l->at, "this quote is never closed");
    size_t n = (size_t)(end - s);
    *t = (struct pz_ftoken){PZ_FT_STRING, s, n, l->at, l->at + n + 2};
    return PZ_OK;
}

static int
lex_param(struct lexer *l, struct pz_ftoken *t)
{
    size_t end = word_end(l, l->at + 1);
    size_t n = end - l->at - 1;
    if (n == 0)
        return pz_filter_fail(l->err, l->text, l->n, l->at,
                              "a placeholder is $ and a name of letters, digits and _");
    if (n > PZ_AWS_FILTER_NAME)
        return pz_filter_fail(l->err, l->text, l->n, l->at,
                              "the name of a placeholder has at most %d characters",
                              PZ_AWS_FILTER_NAME);
    *t = (struct pz_ftoken){PZ_FT_PARAM, l->text + l->at + 1, n, l->at, end};
    return PZ_OK;
}

static int
lex_operator(struct lexer *l, struct pz_ftoken *t)
{
    const char *s = l->text + l->at;
    bool two = l->at + 1 < l->n && s[1] == '=';
    if (*s == '=' && two)
        return pz_filter_fail(l->err, l->text, l->n, l->at, "'==' is written =");
    if (*s == '<' && l->at + 1 < l->n && s[1] == '>')
        return pz_filter_fail(l->err, l->text, l->n, l->at, "'<>' is written !=");
    if (*s == '!' && !two)
        return pz_filter_fail(l->err, l->text, l->n, l->at,
                              "'!' stands only in !=; NOT only in NOT IN");
    *t = (struct pz_ftoken){PZ_FT_OP, s, 1 + (size_t)two, l->at, l->at + 1 + two};
    return PZ_OK;
}

static int
lex_unknown(struct lexer *l)
{
    char c = l->text[l->at];
    if (c > ' ' && c < 0x7f)
        return pz_filter_fail(l->err, l->text, l->n, l->at,
                              "'%c' has no meaning here; texts stand in double quotes",
                              c);
    return pz_filter_fail(l->err, l->text, l->n, l->at,
                          "byte 0x%02x has no meaning outside of quotes",
                          (unsigned)(unsigned char)c);
}

static int
lex_one(struct lexer *l, struct pz_ftoken *t)
{
    static const char single[] = "(),.|*";
    static const enum pz_ftok kind[] = {PZ_FT_LPAREN, PZ_FT_RPAREN, PZ_FT_COMMA,
                                        PZ_FT_DOT,    PZ_FT_BAR,    PZ_FT_STAR};
    char c = l->text[l->at];
    const char *one = c ? strchr(single, c) : NULL;
    if (one) {
        *t = (struct pz_ftoken){kind[one - single], l->text + l->at, 1, l->at, l->at + 1};
        return PZ_OK;
    }
    if (is_digit(c) || c == '-')
        return lex_number(l, t);
    if (is_word(c)) {
        size_t end = word_end(l, l->at);
        *t = (struct pz_ftoken){PZ_FT_WORD, l->text + l->at, end - l->at, l->at, end};
        return PZ_OK;
    }
    if (c == '"' || c == '\'')
        return lex_string(l, t);
    if (c == '$')
        return lex_param(l, t);
    if (c && strchr("=!<>", c))
        return lex_operator(l, t);
    return lex_unknown(l);
}

int
pz_filter_lex(struct pz_ftoken **out, size_t *n_tokens, const char *text, size_t n,
              struct pz_err *err)
{
    struct lexer l = {text, n, 0, err};
    size_t cap = 0, valid = pz_utf8_valid(text, n);
    *out = NULL;
    *n_tokens = 0;
    if (valid < n)
        return pz_filter_fail(err, text, n, valid, "not UTF-8");
    for (;;) {
        while (l.at < n && text[l.at] && strchr(" \t\r\n", text[l.at]))
            l.at++;
        struct pz_ftoken t = {PZ_FT_END, text + l.at, 0, l.at, l.at};
        int status = l.at < n ? lex_one(&l, &t) : PZ_OK;
        if (!status)
            status = pz_grow(out, &cap, *n_tokens + 1, sizeof **out, "tokens", err);
        if (status) {
            free(*out);
            *out = NULL;
            return status;
        }
        (*out)[(*n_tokens)++] = t;
        if (t.kind == PZ_FT_END)
            return PZ_OK;
        l.at = t.end;
    }
}
