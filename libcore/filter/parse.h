/*
 * parse: tokens -> a small tree. Knows the grammar, nothing of datasets; what it refuses
 * is wrong whatever the schemas say.
 */
#ifndef PZ_FILTER_PARSE_H
#define PZ_FILTER_PARSE_H

#include "filter/filter.h"
#include "filter/lex.h"

enum pz_fop {
    PZ_F_EQ,
    PZ_F_NE,
    PZ_F_LT,
    PZ_F_LE,
    PZ_F_GT,
    PZ_F_GE,
    PZ_F_IN,
    PZ_F_NOT_IN
};
enum pz_fplace { // what stands in front of the dot
    PZ_F_ITEMS,
    PZ_F_INTERACTIONS,
    PZ_F_USERS,
    PZ_F_ACTIONS,
    PZ_F_ACTION_INTERACTIONS,
    PZ_F_CURRENT_USER,
    PZ_F_CURRENT_ITEM,
};
extern const char *const pz_filter_place[]; // their names, in any case
enum pz_foperand {
    PZ_F_LIST,  // token[first .. first + n), every second one a comma
    PZ_F_PARAM, // token[first]
    PZ_F_STAR,
    PZ_F_CURRENT, // CurrentItem.FIELD: token[first] is FIELD
};

struct pz_fcond {
    enum pz_fplace place;
    enum pz_fop op;
    enum pz_foperand operand;
    size_t place_token, field_token, op_token; // op: of NOT IN the NOT
    size_t first, n;
    size_t at, end; // bytes of the text
};

enum pz_fnode_kind { PZ_F_AND, PZ_F_OR, PZ_F_COND };
#define PZ_F_NONE SIZE_MAX
struct pz_fnode {
    enum pz_fnode_kind kind;
    size_t cond;        // COND
    size_t child, next; // first child; next sibling; PZ_F_NONE
};

struct pz_fexpr {
    bool include;
    enum pz_subject subject;
    size_t at, end, subject_token;
    size_t where;     // node
    size_t user_cond; // node, PZ_F_NONE: no IF
};

struct pz_ftree {
    const char *text; // borrowed
    size_t n;
    struct pz_ftoken *token;
    size_t n_tokens;
    struct pz_fexpr *expr;
    size_t n_exprs, cap_exprs;
    struct pz_fnode *node;
    size_t n_nodes, cap_nodes;
    struct pz_fcond *cond;
    size_t n_conds, cap_conds;
    size_t mixed_at; // where AND first meets OR without parentheses, else PZ_F_NONE
};

int pz_filter_parse(struct pz_ftree *t, const char *text, size_t n, bool strict,
                    struct pz_err *err);
void pz_filter_tree_release(struct pz_ftree *t); // accepts {0}

#endif
