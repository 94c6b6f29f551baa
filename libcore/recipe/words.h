/*
 * words: what a text is made of, for comparing texts of any language.
 *
 * A word is a run of letters and digits, in lower case (ASCII, Latin, Greek, Cyrillic).
 * Scripts without blanks between words (Chinese, Japanese, Thai) give each pair of
 * neighbouring characters. Markup (<...>, &...;) and everything else part words. Words of
 * one byte say little and are left out; of longer ones the first 64 bytes count.
 */
#ifndef PZ_RECIPE_WORDS_H
#define PZ_RECIPE_WORDS_H

#include <stddef.h>

#include "base/err.h"

/* Is handed the words of a text, in order; not NUL-terminated, valid for the call. */
typedef int pz_word_fn(void *ctx, const char *word, size_t n, struct pz_err *err);

/* Bytes that are not UTF-8 part words. Ends early with what take() returns but PZ_OK. */
int pz_words(const char *text, size_t n, pz_word_fn *take, void *ctx, struct pz_err *err);

#endif
