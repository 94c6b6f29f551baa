/* explain: the compiled form in words, and why a candidate is kept or dropped. */
#include "base/json.h"
#include "filter/program.h"

/* The text from `at` to `end`, blanks and line ends as one blank each. */
static void
add_source(struct pz_buf *out, const struct pz_filter *f, size_t at, size_t end)
{
    bool blank = false;
    for (size_t i = at; i < end; i++) {
        char c = f->text[i];
        if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
            blank = true;
            continue;
        }
        if (blank)
            pz_buf_addc(out, ' ');
        blank = false;
        pz_buf_addc(out, c);
    }
}

static void
add_leaf(struct pz_buf *out, const struct pz_filter *f, size_t i)
{
    add_source(out, f, f->leaf[i].at, f->leaf[i].end);
}

/* ---- the compiled form ---- */

static const char *
how(const struct pz_leaf *leaf)
{
    static const char *const class[] = {
        [PZ_CLASS_TEXT] = "string",
        [PZ_CLASS_INT] = "whole number",
        [PZ_CLASS_REAL] = "number",
    };
    if (!leaf->ref.col)
        return "id";
    if (leaf->ref.field->type == PZ_BOOLEAN)
        return "boolean";
    if (leaf->ref.fold)
        return "event type";
    return leaf->ref.multi ? "strings" : class[leaf->ref.class];
}

static void
add_code(struct pz_buf *out, struct pz_filter_run *r, const struct pz_filter_space *s,
         size_t first, size_t n, int indent)
{
    const struct pz_filter *f = r->f;
    for (size_t i = first; i < first + n; i++) {
        const struct pz_finstr *in = &f->instr[i];
        pz_buf_addf(out, "%*s", indent, "");
        switch (in->code) {
        case PZ_OP_LEAF: {
            uint64_t met, rows;
            pz_buf_addf(out, "test    ");
            add_leaf(out, f, in->arg);
            pz_buf_addf(out, "  (%s", how(&f->leaf[in->arg]));
            if (s && pz_filter_count_leaf(r, s, in->arg, &met, &rows))
                pz_buf_addf(out, "; %llu of %llu rows", (unsigned long long)met,
                            (unsigned long long)rows);
            pz_buf_addz(out, ")\n");
            break;
        }
        case PZ_OP_EXISTS: {
            const struct pz_fexists *e = &f->exists[in->arg];
            pz_buf_addz(out, e->negate ? "none    of the events meets\n"
                                       : "exists  an event that meets\n");
            add_code(out, r, NULL, e->first, e->n, indent + 4);
            break;
        }
        case PZ_OP_AND:
            pz_buf_addz(out, "and\n");
            break;
        case PZ_OP_OR:
            pz_buf_addz(out, "or\n");
            break;
        }
    }
}

static void
add_state(struct pz_buf *out, const struct pz_filter_run *r, size_t part)
{
    const struct pz_fpart *p = &r->f->part[part];
    if (r->active[part])
        return;
    pz_buf_addf(out, "  passed over: %s\n",
                p->n_when && !pz_filter_lacks_value(r, part)
                    ? "its IF is not true"
                    : "a placeholder has no value");
}

int
pz_filter_explain(struct pz_filter_run *r, const struct pz_filter_space *s,
                  struct pz_buf *out, struct pz_err *err)
{
    const struct pz_filter *f = r->f;
    if (s && pz_filter_prepare(r, s, err))
        return err->status;
    for (size_t i = 0; i < f->n_parts; i++) {
        const struct pz_fpart *p = &f->part[i];
        pz_buf_addf(out, "%zu %s %s\n", i + 1, p->include ? "INCLUDE" : "EXCLUDE",
                    pz_subject_name(f->subject));
        add_code(out, r, s, p->where, p->n_where, 2);
        if (p->n_when) {
            pz_buf_addz(out, "  if the user meets\n");
            add_code(out, r, NULL, p->when, p->n_when, 6);
        }
        add_state(out, r, i);
        uint64_t met;
        if (s && r->active[i]) {
            if (pz_filter_count_part(r, s, i, &met, err))
                return err->status;
            pz_buf_addf(out, "  matches %llu of %llu\n", (unsigned long long)met,
                        (unsigned long long)pz_filter_space_size(s));
        }
    }
    return pz_buf_status(out, "an explanation", err);
}

/* ---- one candidate ---- */

static void
add_value(struct pz_buf *out, const struct pz_fcell *cell)
{
    switch (cell->kind) {
    case PZ_FCELL_NULL:
        pz_buf_addz(out, "missing");
        break;
    case PZ_FCELL_INT:
        pz_buf_add_i64(out, cell->i);
        break;
    case PZ_FCELL_REAL:
        pz_buf_addf(out, "%.15g", cell->f);
        break;
    case PZ_FCELL_TEXT:
        pz_json_add_string(out, cell->s, cell->n > 200 ? 200 : cell->n);
        break;
    }
}

static const char *
tri_text(enum pz_tri t)
{
    return t == PZ_YES ? "true" : t == PZ_NO ? "false" : "unknown";
}

/* Whether there is an event that meets a piece of code. */
static void
add_events(struct pz_buf *out, const struct pz_filter_run *r, size_t exists, bool yes)
{
    const struct pz_filter *f = r->f;
    const struct pz_fexists *e = &f->exists[exists];
    const char *joint = "";
    if (e->negate) { // NOT IN, which stands alone
        add_leaf(out, f, f->instr[e->first].arg);
        pz_buf_addf(out, " is %s", yes ? "true" : "false");
        return;
    }
    pz_buf_addz(out, yes ? "an event meets " : "no event meets ");
    for (size_t k = e->first; k < e->first + e->n; k++)
        if (f->instr[k].code == PZ_OP_LEAF) {
            pz_buf_addz(out, joint);
            joint = ", ";
            add_leaf(out, f, f->instr[k].arg);
        }
}

/* "Items.PRICE < 5 is false (19.5)" for each condition that is tested. */
static void
add_tests(struct pz_buf *out, struct pz_filter_run *r, const struct pz_fpart *p,
          const struct pz_fplace_of *c)
{
    const struct pz_filter *f = r->f;
    const char *joint = "";
    for (size_t i = p->where; i < p->where + p->n_where; i++) {
        const struct pz_finstr *in = &f->instr[i];
        if (in->code != PZ_OP_LEAF && in->code != PZ_OP_EXISTS)
            continue;
        pz_buf_addz(out, joint);
        joint = ", ";
        if (in->code == PZ_OP_LEAF) {
            struct pz_fcell cell = pz_filter_cell_at(r, in->arg, c);
            add_leaf(out, f, in->arg);
            pz_buf_addf(out, " is %s (", tri_text(pz_filter_leaf_at(r, in->arg, c)));
            add_value(out, &cell);
            pz_buf_addc(out, ')');
            continue;
        }
        add_events(out, r, in->arg, pz_filter_exists(r, in->arg, c) == PZ_YES);
    }
}

bool
pz_filter_explain_test(struct pz_filter_run *r, const struct pz_candidate *c,
                       struct pz_buf *out)
{
    const struct pz_filter *f = r->f;
    struct pz_fplace_of p = pz_filter_locate(r, c);
    bool known = pz_filter_known(r, &p);
    if (!known)
        pz_buf_addz(out, "no dataset knows it, and so nothing matches it");
    for (size_t i = 0; i < f->n_parts && known; i++) {
        const struct pz_fpart *part = &f->part[i];
        pz_buf_addf(out, "%s%s", i ? "; " : "", part->include ? "INCLUDE" : "EXCLUDE");
        if (f->n_parts > 1)
            pz_buf_addf(out, " %zu", i + 1);
        if (!r->active[i]) {
            pz_buf_addz(out, " is passed over");
            continue;
        }
        enum pz_tri t = pz_filter_where(r, i, &p);
        pz_buf_addz(out, t == PZ_YES ? " matches: " : " does not match: ");
        add_tests(out, r, part, &p);
    }
    return pz_filter_test(r, c);
}
