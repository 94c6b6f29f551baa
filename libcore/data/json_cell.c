#include "data/json_cell.h"

#include <string.h>

const char *
pz_held_add(struct pz_held *h, const char *s, size_t n)
{
    char *to = h->text + h->n;
    memcpy(to, s, n);
    h->n += n;
    return to;
}

static bool
refuse(const char **why, const char *text)
{
    *why = text;
    return false;
}

/* The rest of an array. */
static bool
read_array(struct pz_scan *scan, struct pz_held *held, struct pz_cell *cell,
           const char **why)
{
    size_t start = held->n, count = 0;
    for (;; count++) {
        enum pz_tok tok = pz_scan_next(scan);
        if (tok == PZ_TOK_ARRAY_END)
            break;
        if (tok == PZ_TOK_ERROR)
            return refuse(why, NULL);
        if (tok != PZ_TOK_STRING && tok != PZ_TOK_NUMBER)
            return refuse(why, "must be an array of strings or numbers");
        if (memchr(scan->s, '|', scan->len))
            return refuse(why, "has an element with '|', which separates the values");
        if (count)
            pz_held_add(held, "|", 1);
        pz_held_add(held, scan->s, scan->len);
    }
    *cell = (struct pz_cell){held->text + start, (uint32_t)(held->n - start),
                             count ? PZ_CELL_TEXT : PZ_CELL_NULL};
    return true;
}

bool
pz_json_cell(struct pz_scan *scan, struct pz_held *held, bool array, struct pz_cell *cell,
             const char **why)
{
    enum pz_tok tok = pz_scan_next(scan);
    *cell = (struct pz_cell){"", 0, PZ_CELL_NULL};
    switch (tok) {
    case PZ_TOK_STRING:
    case PZ_TOK_NUMBER:
        *cell = (struct pz_cell){scan->s, (uint32_t)scan->len,
                                 tok == PZ_TOK_STRING ? PZ_CELL_TEXT : PZ_CELL_NUMBER};
        if (scan->s == scan->hold.data) // the scanner's own memory serves the next too
            cell->s = pz_held_add(held, scan->s, scan->len);
        return true;
    case PZ_TOK_TRUE:
        *cell = (struct pz_cell){"true", 4, PZ_CELL_TRUE};
        return true;
    case PZ_TOK_FALSE:
        *cell = (struct pz_cell){"false", 5, PZ_CELL_FALSE};
        return true;
    case PZ_TOK_NULL:
        return true;
    case PZ_TOK_ARRAY:
        if (array)
            return read_array(scan, held, cell, why);
        return refuse(why, "must be one value, not an array");
    case PZ_TOK_OBJECT:
        return refuse(why, "must be one value, not an object");
    default:
        return refuse(why, NULL);
    }
}
