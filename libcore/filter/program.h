/*
 * program: what a filter is compiled to; shared by the files of this folder only.
 *
 * Leaves are conditions bound to a column. Code is postfix over a stack of truth values:
 * LEAF and EXISTS push one, AND and OR take two and push one. Conditions on events that
 * are joined without others between them must hold for one and the same event: they are a
 * piece of code of their own, behind EXISTS. The compiler guarantees that code leaves
 * exactly one value and needs at most PZ_F_STACK.
 */
#ifndef PZ_FILTER_PROGRAM_H
#define PZ_FILTER_PROGRAM_H

#include "filter/filter.h"
#include "filter/parse.h"

enum { PZ_F_STACK = 2 * PZ_FILTER_MAX_DEPTH + 4 };

enum pz_tri { PZ_NO, PZ_UNKNOWN, PZ_YES };

enum pz_fsource {
    PZ_SRC_ROW,
    PZ_SRC_EVENT,
    PZ_SRC_USER
}; // candidate, its event, CurrentUser
enum pz_fclass { PZ_CLASS_TEXT, PZ_CLASS_INT, PZ_CLASS_REAL };

/* A column, or an id, that values are read from. */
struct pz_fref {
    const struct pz_dataset *data;
    const struct pz_field *field;
    size_t field_at;             // in the schema
    const struct pz_column *col; // NULL: an id
    enum pz_role id;             // of an id: PZ_ROLE_USER, _ITEM, _ACTION; else _NONE
    enum pz_fclass class;
    bool multi; // texts are lists, split at '|'
    bool fold;  // texts are compared without case (event types)
    bool time;  // numbers may be written as dates
};

/* A range of numbers, ends included; of reals if the column's class is REAL. */
struct pz_frange {
    int64_t lo, hi;
    double flo, fhi;
};

/* What a column is compared with. Any of the texts or ranges may be met. */
struct pz_operand {
    bool null; // there is no value: comparisons are unknown
    bool any;  // every event type
    const struct pz_text_view {
        const char *s;
        size_t n;
    } * text; // sorted, each once
    size_t n_texts;
    const struct pz_frange *range;
    size_t n_ranges;
    void *memory; // of text, range and bytes behind; owned
};

enum pz_foperand_kind { PZ_OPERAND_CONST, PZ_OPERAND_PARAM, PZ_OPERAND_CURRENT };

struct pz_leaf {
    enum pz_fsource source;
    struct pz_fref ref;
    enum pz_fop op;
    bool negate;      // met when none is met
    bool none;        // NOT IN of events: a leaf for IN, of an EXISTS that is negated
    enum pz_tri null; // what a missing value makes
    enum pz_foperand_kind kind;
    struct pz_operand constant;
    size_t param;           // PARAM
    struct pz_fref current; // CURRENT
    size_t expr, at, end;   // of the text
};

enum pz_fcode { PZ_OP_LEAF, PZ_OP_EXISTS, PZ_OP_AND, PZ_OP_OR };
struct pz_finstr {
    enum pz_fcode code;
    size_t arg; // leaf or exists
};

/* Is there an event for which instr[first .. first+n) is true? negate: is there none? */
struct pz_fexists {
    size_t first, n;
    bool negate;
};

struct pz_fpart { // one expression
    bool include;
    size_t where, n_where; // instructions
    size_t when, n_when;   // of IF; n 0: none
    size_t at, end;
    bool has_row;   // looks at the candidate's row
    bool has_id;    // looks at the candidate's id
    bool has_event; // looks at events
    bool has_param; // looks at placeholders (IF included)
    bool is_static; // WHERE is the same for all requests
};

struct pz_filter {
    char *text;
    size_t n;
    bool strict;
    uint32_t window;
    enum pz_subject subject;
    const struct pz_dataset *rows; // of the candidates; NULL: none is looked at or there
    const struct pz_dataset *events;        // likewise
    const struct pz_dataset *users, *items; // of CurrentUser, CurrentItem
    struct pz_leaf *leaf;
    size_t n_leaves, cap_leaves;
    struct pz_finstr *instr;
    size_t n_instrs, cap_instrs;
    struct pz_fexists *exists;
    size_t n_exists, cap_exists;
    struct pz_fpart *part;
    size_t n_parts;
    char **param, **warning, **field;
    size_t n_params, cap_params, n_warnings, cap_warnings, n_fields, cap_fields;
    bool needs_user, needs_item;
    uint32_t
        *type_class; // of each code of EVENT_TYPE: equal for types that differ in case
    uint32_t n_types;
    const struct pz_column *type_col, *time_col;
};

/* ---- operands (operand.c) ---- */

/* A number as it was written. */
struct pz_fnumber {
    bool real;
    int64_t i;
    double f;
};
bool pz_filter_number(struct pz_fnumber *out, const char *s, size_t n, bool time);
/* Values of a condition that were written or supplied; PZ_DATA says what is wrong with
 * them, without a place. */
int pz_operand_make(struct pz_operand *out, const struct pz_leaf *leaf,
                    const struct pz_text_view *value, size_t n, struct pz_err *err);
/* Splits the text of a placeholder's values; *value is new memory whose views point into
 * text. */
int pz_filter_split(struct pz_text_view **value, size_t *n, const char *text,
                    size_t n_text, bool strict, struct pz_err *err);
/* The operand that CurrentItem's cell makes. */
int pz_operand_current(struct pz_operand *out, const struct pz_leaf *leaf,
                       const struct pz_fcell *cell, struct pz_err *err);
void pz_operand_release(struct pz_operand *o);
/* Does a cell's text meet the operand: any of its values if `multi`? */
bool pz_operand_meets(const struct pz_operand *o, const struct pz_fref *ref,
                      const char *s, size_t n);
enum pz_tri pz_leaf_test(const struct pz_leaf *leaf, const struct pz_operand *o,
                         const struct pz_fcell *cell);

/* ---- cells (run.c) ---- */

/* Row r of a column or id. */
struct pz_fcell pz_ref_cell(const struct pz_fref *ref, uint64_t r);

/* ---- running (run.c) ---- */

struct pz_fevent {
    uint64_t row;  // of the events dataset; UINT64_MAX: streamed
    size_t live;   // index of the streamed
    uint32_t item; // index in the events dataset's items; PZ_NO_ID: not there
    int64_t time;
};

struct pz_filter_run {
    const struct pz_filter *f;
    const struct pz_filter_request *q; // valid during begin only
    struct pz_operand *operand;        // one a leaf; CONST: a copy that owns nothing
    bool *missing;                     // a param's value was not supplied
    struct pz_buf values; // the names and texts of the values taken, to compare
    bool has_values;
    char *item; // CurrentItem that operands were made for
    size_t n_item, cap_item;
    bool has_item, item_valid;
    uint64_t version; // counts changes of operands
    bool *active;     // one a part
    const struct pz_filter_event *live;
    size_t n_live;
    struct pz_fevent *event; // of the user, by item, then oldest first
    size_t n_events, cap_events;
    const char *user;
    size_t n_user;
    uint32_t *count;                   // one a class of event types, for the window
    struct pz_filter_scratch *scratch; // of pz_filter_items
};

/* A candidate found in the datasets. */
struct pz_fplace_of {
    const char *id;
    size_t n;
    uint32_t row;   // of f->rows; PZ_NO_ID
    uint32_t touch; // of the events dataset: item, action or user; PZ_NO_ID
    const struct pz_fcell *record;
};
struct pz_fplace_of pz_filter_locate(const struct pz_filter_run *r,
                                     const struct pz_candidate *c);
/* Is there anything that knows it? */
bool pz_filter_known(const struct pz_filter_run *r, const struct pz_fplace_of *c);
/* WHERE of part p for a candidate. */
enum pz_tri pz_filter_where(struct pz_filter_run *r, size_t p,
                            const struct pz_fplace_of *c);
/* One EXISTS. */
enum pz_tri pz_filter_exists(struct pz_filter_run *r, size_t e,
                             const struct pz_fplace_of *c);
enum pz_tri pz_filter_leaf_at(struct pz_filter_run *r, size_t leaf,
                              const struct pz_fplace_of *c);
/* What a leaf on the candidate sees. */
struct pz_fcell pz_filter_cell_at(struct pz_filter_run *r, size_t leaf,
                                  const struct pz_fplace_of *c);
/* Does a part look at a placeholder without a value? */
bool pz_filter_lacks_value(const struct pz_filter_run *r, size_t part);
void pz_filter_scratch_free(struct pz_filter_scratch *s);

/* ---- counting, for explanations (space.c) ---- */

uint64_t pz_filter_space_size(const struct pz_filter_space *s);
/* Memory and tables for what follows. */
int pz_filter_prepare(struct pz_filter_run *r, const struct pz_filter_space *s,
                      struct pz_err *err);
/* Rows of the subject's dataset that meet a leaf on a column; false: it is none. After
 * pz_filter_prepare(). */
bool pz_filter_count_leaf(struct pz_filter_run *r, const struct pz_filter_space *s,
                          size_t leaf, uint64_t *met, uint64_t *rows);
/* Candidates for which WHERE of a part is true. */
int pz_filter_count_part(struct pz_filter_run *r, const struct pz_filter_space *s,
                         size_t part, uint64_t *met, struct pz_err *err);

/* ---- columns into bits (bits.c) ---- */

/*
 * A leaf over rows as bits. Texts need a table: a bit per code of the dictionary (all 256
 * or 65,536 codes of narrow columns), made by pz_bits_table. What looking up can be
 * replaced with stands beside it: when few codes differ from the rest, they are listed,
 * because comparing is quicker; and so are, of two-byte codes, the ends of runs, the
 * pages that are not all alike, and, when all that is too much, a byte a code.
 */
enum {
    PZ_BITS_FEW = 8,
    PZ_BITS_BOUNDS = 10,
    PZ_BITS_PAGE = 1024, // codes
    PZ_BITS_PAGES = 65536 / PZ_BITS_PAGE,
};
struct pz_bits_table {
    uint64_t n_codes;      // behind them, codes are damage and do not match
    bool listed, inverted; // match: the code is in few; inverted: is not
    uint32_t n_few, few[PZ_BITS_FEW];
    /* Of two-byte codes. */
    bool first;        // code 0 matches
    uint32_t n_bounds; // codes that differ from the one before; PZ_BITS_BOUNDS + 1: more
    uint16_t bound[PZ_BITS_BOUNDS]; // rising
    bool base;                      // what codes of pages that are not listed make
    uint32_t n_pages;
    uint8_t page[PZ_BITS_PAGES]; // rising
    uint8_t *byte;  // behind the bits, a 0 or 1 a code; NULL: the bounds or a page do
    uint64_t bit[]; // (n_codes + 63) / 64 and one more; of two-byte codes, the bytes
};
int pz_bits_table(struct pz_bits_table **table, const struct pz_leaf *leaf,
                  const struct pz_operand *o, struct pz_err *err);
/* Bytes of a table for so many codes; it is to be zeroed. */
size_t pz_bits_table_size(uint64_t n_codes);
/* Fills in all from the bits. */
void pz_bits_list(struct pz_bits_table *t);
/* Rows [first, first + n) to out, (n+63)/64 words; first is a multiple of 64. */
void pz_bits_leaf(const struct pz_leaf *leaf, const struct pz_operand *o,
                  const struct pz_bits_table *table, uint64_t first, size_t n,
                  uint64_t *out);

#endif
