/*
 * lex: the text of a filter -> tokens with byte positions, which all messages use.
 */
#ifndef PZ_FILTER_LEX_H
#define PZ_FILTER_LEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum pz_ftok {
    PZ_FT_END,
    PZ_FT_WORD,   // letters, digits, _
    PZ_FT_NUMBER, // [-]digits[.digits]
    PZ_FT_STRING, // s, n: without the quotes
    PZ_FT_PARAM,  // s, n: without the $
    PZ_FT_OP,     // = != < <= > >=
    PZ_FT_LPAREN,
    PZ_FT_RPAREN,
    PZ_FT_COMMA,
    PZ_FT_DOT,
    PZ_FT_BAR,
    PZ_FT_STAR,
};

struct pz_ftoken {
    enum pz_ftok kind;
    const char *s;
    size_t n;
    size_t at, end; // bytes of the text, quotes and $ included
};

/* Tokens of text into *out (new memory), END behind the last. */
int pz_filter_lex(struct pz_ftoken **out, size_t *n_tokens, const char *text, size_t n,
                  struct pz_err *err);

/* PZ_DATA "filter:LINE:COLUMN: " + message for byte `at` of the text; returns PZ_DATA. */
int pz_filter_fail(struct pz_err *err, const char *text, size_t n, size_t at,
                   const char *fmt, ...) __attribute__((format(printf, 5, 6)));

#endif
