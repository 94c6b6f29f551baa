#include "data/keep.h"

#include <stdlib.h>

#include "base/mem.h"

/* From the codes of a dictionary of the dataset to those of the new one: a value comes
 * over when a row that is kept has it. */
struct coder {
    const struct pz_ids *ids;
    struct pz_dict *dict;
    uint32_t *code; // +1; 0: did not come over yet
};

struct old_field {                  // a field of the layout, as the dataset has it
    const struct pz_column *column; // NULL: not there, all null
    struct coder coder;             // strings
};

struct kept {
    const struct pz_keep *k;
    struct coder id, item;
    struct old_field *field;
    uint8_t *skip; // users to forget; NULL: none
};

static int
coder_init(struct coder *c, const struct pz_ids *ids, struct pz_dict *dict,
           struct pz_err *err)
{
    c->ids = ids;
    c->dict = dict;
    return pz_new(&c->code, ids->n, sizeof *c->code, "the dataset's ids", err);
}

static inline int
recode(struct coder *c, uint32_t old, uint32_t *code, struct pz_err *err)
{
    if (!c->code[old]) {
        size_t len;
        const char *s = pz_ids_get(c->ids, old, &len);
        if (pz_dict_intern(c->dict, s, len, code, err))
            return err->status;
        c->code[old] = *code + 1;
    }
    *code = c->code[old] - 1;
    return PZ_OK;
}

static int
copy_value(const struct pz_layout *l, size_t f, struct old_field *old, uint64_t r,
           char *row, struct pz_err *err)
{
    const struct pz_pack_field *p = &l->field[f];
    int64_t i;
    double d = 0;
    bool null = !old->column || (old->column->valid && !old->column->valid[r]);
    if (null)
        __atomic_store_n(&l->seen_null[f], 1, __ATOMIC_RELAXED);
    if (p->kind == PZ_PACK_CODE) {
        uint32_t code = UINT32_MAX;
        if (!null && recode(&old->coder, pz_column_code(old->column, r), &code, err))
            return err->status;
        pz_row_set_u32(row, p->at, code);
        return PZ_OK;
    }
    if (null && p->null_bit >= 0)
        row[l->null_at + (size_t)p->null_bit / 8] |= (char)(1 << p->null_bit % 8);
    if (p->kind == PZ_PACK_REAL) {
        if (!null)
            pz_column_f64(old->column, r, &d);
        memcpy(row + p->at, &d, sizeof d);
        return PZ_OK;
    }
    if (null || !pz_column_i64(old->column, r, &i))
        i = 0;
    if (p->kind == PZ_PACK_BOOL)
        row[p->at] = (char)i;
    else if (p->kind == PZ_PACK_ORDER)
        pz_row_set_order(row, i);
    else
        pz_row_set_i64(row, p->at, i);
    return PZ_OK;
}

static int
copy_rows(struct kept *t, uint64_t *forgotten, struct pz_err *err)
{
    const struct pz_keep *k = t->k;
    const struct pz_layout *l = k->layout;
    uint64_t owner = 0;
    uint32_t code;
    int r = PZ_OK;
    for (uint64_t n = 0; n < k->data->n_rows && r == PZ_OK; n++) {
        while (l->events && n >= k->data->row_offsets[owner + 1])
            owner++;
        uint64_t id = l->events ? owner : n;
        if (t->skip && t->skip[id]) {
            ++*forgotten;
            continue;
        }
        if ((r = pz_rows_room(k->rows, k->list, err)) ||
            (r = recode(&t->id, (uint32_t)id, &code, err)))
            break;
        char *row = pz_rows_next(k->rows, k->list);
        memset(row, 0, l->width);
        pz_row_set_order(row, 0);
        pz_row_set_u32(row, PZ_ROW_ID, code);
        if (l->events) {
            if ((r = recode(&t->item, pz_dataset_item(k->data, n), &code, err)))
                break;
            pz_row_set_u32(row, PZ_ROW_ITEM, code);
        }
        for (size_t f = 0; f < l->n_fields && r == PZ_OK; f++)
            if (!l->field[f].is_id)
                r = copy_value(l, f, &t->field[f], n, row, err);
        if (r == PZ_OK)
            pz_rows_push(k->list);
    }
    return r;
}

static int
mark_forgotten(struct kept *t, struct pz_err *err)
{
    const struct pz_keep *k = t->k;
    const struct pz_ids *user = &k->data->user;
    if (!k->n_forget || !user->offsets)
        return PZ_OK;
    if (pz_new(&t->skip, user->n, 1, "users", err))
        return err->status;
    for (size_t i = 0; i < k->n_forget; i++) {
        uint32_t u = pz_ids_find(user, k->forget[i], strlen(k->forget[i]));
        if (u != PZ_NO_ID)
            t->skip[u] = 1;
    }
    return PZ_OK;
}

static int
prepare(struct kept *t, struct pz_err *err)
{
    const struct pz_keep *k = t->k;
    const struct pz_layout *l = k->layout;
    const struct pz_dataset *d = k->data;
    int r = coder_init(&t->id, d->user.offsets ? &d->user : &d->item, &k->dict[0], err);
    if (r == PZ_OK && l->events)
        r = coder_init(&t->item, &d->item, &k->dict[1], err);
    if (r == PZ_OK)
        r = pz_new(&t->field, l->n_fields, sizeof *t->field, "fields", err);
    for (size_t f = 0; f < l->n_fields && r == PZ_OK; f++) {
        struct old_field *old = &t->field[f];
        if (l->field[f].is_id)
            continue;
        old->column = pz_dataset_column(d, l->field[f].field->name);
        if (old->column && l->field[f].kind == PZ_PACK_CODE)
            r = coder_init(&old->coder, &old->column->dict, &k->dict[l->field[f].code],
                           err);
    }
    return r ? r : mark_forgotten(t, err);
}

int
pz_keep_rows(const struct pz_keep *k, uint64_t *forgotten, struct pz_err *err)
{
    struct kept t = {.k = k};
    *forgotten = 0;
    int r = pz_tensors_verify(&k->data->file, err);
    if (r == PZ_OK)
        r = pz_dataset_check(k->data, err);
    if (r == PZ_OK)
        r = prepare(&t, err);
    if (r == PZ_OK)
        r = copy_rows(&t, forgotten, err);
    for (size_t f = 0; t.field && f < k->layout->n_fields; f++)
        free(t.field[f].coder.code);
    free(t.field);
    free(t.id.code);
    free(t.item.code);
    free(t.skip);
    return r;
}
