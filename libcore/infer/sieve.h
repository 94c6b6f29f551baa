/*
 * sieve: a stream of ranked answers -> the same stream with the items that pass a filter.
 *
 * Reads what pz-recommend writes (infer/answer.h), or any program: TSV lines of request,
 * item and whatever follows, or AWS's batch output lines. Lines, fields and their order
 * stay as they are; what was cut from JSON is the dropped items and, in arrays beside
 * them that are as long, what belongs to them.
 */
#ifndef PZ_INFER_SIEVE_H
#define PZ_INFER_SIEVE_H

#include "filter/filter.h"
#include "infer/infer.h"

struct pz_sieve {
    const struct pz_filter *filter;
    const struct pz_filter_value *value; // of all requests; a line's own go before them
    size_t n_values;
    size_t n;                  // items kept of each request at most
    struct pz_text user, item; // of all requests; s NULL: what the line says
    bool
        explain; // instead: TSV of request, item, kept or dropped, and why, for each item
    int out;     // descriptor
};

struct pz_sieve_counts {
    uint64_t lines, items, kept;
    uint64_t bad; // lines that could not be understood, or have no answer
};

/* PZ_DATA: values are wrong or missing (text); JSON lines get their error each. PZ_USAGE:
 * text names one id, and the filter looks at user and item. */
int pz_sieve_stream(const struct pz_sieve *s, int in, struct pz_sieve_counts *counts,
                    struct pz_err *err);

#endif
