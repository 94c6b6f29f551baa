/*
 * request: lines of text -> requests. An id a line, or AWS's batch inference input,
 * one JSON object a line:
 *
 *   {"userId":"u1"}   {"itemId":"i1"}   {"userId":"u1","itemList":["i1","i2"]}
 *   {"itemAttributes":"ITEMS.GENRES = \"Comedy\""}   ("attributes" is the same)
 *
 * with, of our own, "history":["i1",...] (oldest first; instead of what is stored of the
 * user, or of a user that exists nowhere) and "numResults":N. AWS's "filterValues" is an
 * object of placeholders' names and texts, "context" one of names and texts. AWS's
 * "inputList" is taken for "itemList". An unknown key is an error of its line, not
 * ignored.
 */
#ifndef PZ_INFER_REQUEST_H
#define PZ_INFER_REQUEST_H

#include "base/buf.h"
#include "base/json.h"
#include "infer/infer.h"

enum {
    PZ_AWS_MAX_RESULTS = 500, // AWS's limits, for --strict
    PZ_AWS_MAX_ID = 256,
    PZ_LINE_MAX = 16 << 20, // bytes in a line; longer ones are bad lines
};

/* What the requests of one run have in common. Borrowed. */
struct pz_ask_rules {
    const struct pz_model *model;
    struct pz_request base; // what a request has unless its line says otherwise
    bool n_given;           // base.n was asked for; else candidates are all returned
    bool strict;            // AWS's limits are errors
    bool has_filter;        // "filterValues" may be given
    const struct pz_schema *context; // whose fields "context" may name; NULL: any
};

enum pz_line_kind {
    PZ_LINE_ID,
    PZ_LINE_JSON,
    PZ_LINE_LONG_ID, // longer than PZ_LINE_MAX: its bytes were let go of
    PZ_LINE_LONG_JSON,
};

struct pz_ask {
    struct pz_request request;
    struct pz_text line; // as given; empty when it was too long
    uint64_t number;     // of the line
    bool json;           // line is a JSON line
    bool n_given;        // request.n was asked for
    bool attributes;     // request.item came as "itemAttributes"
    bool echo;           // line is JSON: it can stand in the answer as it is
    const char *error;   // why there is no request; NULL: there is one
    size_t at_history, at_candidate, at_value,
        at_error; // while parsing: SIZE_MAX is none
};

/* Requests and the memory behind them, for reuse. Zeroed is empty. */
struct pz_asks {
    struct pz_ask *ask;
    size_t n, cap;
    struct pz_text *text; // histories and candidates
    size_t n_text, cap_text;
    struct pz_filter_value *value;
    size_t n_value, cap_value;
    struct pz_buf string; // unescaped strings
    struct pz_buf error;
    struct pz_scan scan;
    bool scanning; // scan was initialised
};

/* Empties; the memory stays. `n_bytes` bounds the bytes of all lines added until the next
 * begin. */
int pz_asks_begin(struct pz_asks *a, size_t n_bytes, struct pz_err *err);
/*
 * Adds the request of a line (without its line end, number `n` for messages), which must
 * stay until the next begin. A bad line becomes a pz_ask with an error.
 */
int pz_asks_add(struct pz_asks *a, const struct pz_ask_rules *rules,
                enum pz_line_kind kind, const struct pz_text *line, uint64_t n,
                struct pz_err *err);
/* Adds the request that names nobody: base alone. */
int pz_asks_add_base(struct pz_asks *a, const struct pz_ask_rules *rules,
                     struct pz_err *err);
/* Makes the pointers inside of the requests good; nothing is added after it. */
int pz_asks_end(struct pz_asks *a, struct pz_err *err);
void pz_asks_release(struct pz_asks *a);

#endif
