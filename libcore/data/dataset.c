#include "data/dataset.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

int
pz_dataset_path(char **path, const char *group, enum pz_set set, struct pz_err *err)
{
    char name[64];
    snprintf(name, sizeof name, "%s.safetensors", pz_set_name(set));
    return pz_path_join(path, group, name, err);
}

/* ---- opening ---- */

static bool
is_code(enum pz_dtype t)
{
    return t == PZ_U8 || t == PZ_U16 || t == PZ_U32;
}

static bool
is_integer(enum pz_dtype t)
{
    return is_code(t) || t == PZ_I32 || t == PZ_I64;
}

/* May a field of this type be stored as this dtype? */
static bool
dtype_fits(enum pz_type type, enum pz_dtype t)
{
    switch (type) {
    case PZ_STRING:
        return is_code(t);
    case PZ_INT:
    case PZ_LONG:
        return is_integer(t);
    case PZ_FLOAT:
    case PZ_DOUBLE:
        return t == PZ_F32 || t == PZ_F64;
    case PZ_BOOLEAN:
        return t == PZ_U8;
    }
    return false;
}

static int
open_column(struct pz_dataset *d, struct pz_column *c, const struct pz_field *f,
            struct pz_err *err)
{
    char name[256];
    snprintf(name, sizeof name, "col.%s", f->name);
    c->name = f->name;
    c->field = f;
    const struct pz_tensor *t = pz_tensors_find(&d->file, name);
    if (!t)
        return pz_tensors_bad(&d->file, name, err, "missing");
    if (t->n_dims != 1 || t->n_elems != d->n_rows || !dtype_fits(f->type, t->dtype))
        return pz_tensors_bad(&d->file, name, err,
                              "%s with %" PRIu64
                              " elements, where the schema asks for %" PRIu64
                              " rows of another type",
                              pz_dtype_name(t->dtype), t->n_elems, d->n_rows);
    c->dtype = t->dtype;
    c->data = t->data;
    snprintf(name, sizeof name, "col.%s.valid", f->name);
    if (pz_tensors_find(&d->file, name)) {
        uint64_t n = d->n_rows;
        int r = pz_tensors_get1(&d->file, name, PZ_BOOL, &n, &c->valid, err);
        if (r)
            return r;
    }
    if (f->type != PZ_STRING)
        return PZ_OK;
    snprintf(name, sizeof name, "dict.%s", f->name);
    return pz_ids_open(&c->dict, &d->file, name, err);
}

static bool
is_id(const struct pz_dataset *d, size_t f)
{
    const int *at = d->schema.at;
    return (int)f == at[PZ_ROLE_USER] || (int)f == at[PZ_ROLE_ITEM] ||
           (int)f == at[PZ_ROLE_ACTION];
}

static int
open_ids(struct pz_dataset *d, struct pz_err *err)
{
    const int *at = d->schema.at;
    int r = PZ_OK;
    if (at[PZ_ROLE_USER] >= 0)
        r = pz_ids_open(&d->user, &d->file, "user", err);
    if (r == PZ_OK && (at[PZ_ROLE_ITEM] >= 0 || at[PZ_ROLE_ACTION] >= 0))
        r = pz_ids_open(&d->item, &d->file, "item", err);
    if (r)
        return r;
    if (d->schema.set != PZ_INTERACTIONS && d->schema.set != PZ_ACTION_INTERACTIONS) {
        d->n_rows = d->schema.set == PZ_USERS ? d->user.n : d->item.n;
        return PZ_OK;
    }
    uint64_t n = d->user.n + 1;
    r = pz_tensors_get1(&d->file, "row.offsets", PZ_U64, &n, &d->row_offsets, err);
    if (r)
        return r;
    const struct pz_tensor *item = pz_tensors_find(&d->file, "row.item");
    if (!item || item->n_dims != 1 || !is_code(item->dtype))
        return pz_tensors_bad(&d->file, "row.item", err,
                              item ? "not a list of item indexes" : "missing");
    d->n_rows = item->n_elems;
    d->row_item = item->data;
    d->item_dtype = item->dtype;
    if (d->row_offsets[0] != 0 || d->row_offsets[d->user.n] != d->n_rows)
        return pz_tensors_bad(&d->file, "row.offsets", err,
                              "does not span the %" PRIu64 " rows of 'row.item'",
                              d->n_rows);
    return PZ_OK;
}

static int
open_schema(struct pz_dataset *d, struct pz_err *err)
{
    const char *kind = pz_tensors_meta(&d->file, "pz.kind");
    const char *type = pz_tensors_meta(&d->file, "dataset");
    const char *text = pz_tensors_meta(&d->file, "schema");
    if (!kind || strcmp(kind, "dataset") != 0)
        return pz_err_set(err, PZ_FORMAT, "'%s' is no pz dataset but %s '%s'",
                          d->file.path, kind ? "a" : "of kind", kind ? kind : "(none)");
    const char *domain_name = pz_tensors_meta(&d->file, "domain");
    enum pz_domain domain = PZ_CUSTOM;
    enum pz_set set;
    int r = type && text ? pz_set_parse(&set, type, err) : PZ_FORMAT;
    if (r == PZ_OK && domain_name && *domain_name)
        r = pz_domain_parse(&domain, domain_name, err);
    if (r == PZ_OK)
        r = pz_schema_parse(&d->schema, set, domain, text, strlen(text), err);
    if (r != PZ_OK && r != PZ_SYSTEM)
        return pz_err_set(err, PZ_FORMAT, "'%s': no valid schema in its metadata",
                          d->file.path);
    return r;
}

int
pz_dataset_open(struct pz_dataset *d, const char *path, struct pz_err *err)
{
    return pz_dataset_open_fd(d, -1, path, err);
}

int
pz_dataset_open_fd(struct pz_dataset *d, int fd, const char *path, struct pz_err *err)
{
    *d = (struct pz_dataset){0};
    int r = fd < 0 ? pz_tensors_open(&d->file, path, err)
                   : pz_tensors_open_fd(&d->file, fd, path, err);
    if (r)
        return r;
    if ((r = open_schema(d, err)) || (r = open_ids(d, err)))
        goto fail;
    r = pz_new(&d->column, d->schema.n_fields, sizeof *d->column, "columns", err);
    if (r)
        goto fail;
    for (size_t f = 0; f < d->schema.n_fields; f++) {
        if (is_id(d, f))
            continue;
        r = open_column(d, &d->column[d->n_columns++], &d->schema.field[f], err);
        if (r)
            goto fail;
    }
    return PZ_OK;
fail:
    pz_dataset_close(d);
    return r;
}

void
pz_dataset_close(struct pz_dataset *d)
{
    free(d->column);
    pz_schema_release(&d->schema);
    pz_tensors_close(&d->file);
    *d = (struct pz_dataset){0};
}

const struct pz_column *
pz_dataset_column(const struct pz_dataset *d, const char *name)
{
    int f = pz_schema_find(&d->schema, name, strlen(name));
    for (size_t c = 0; f >= 0 && c < d->n_columns; c++)
        if (d->column[c].field == &d->schema.field[f])
            return &d->column[c];
    return NULL;
}

/* ---- checking ---- */

static int
check_ids(const struct pz_dataset *d, const struct pz_ids *ids, const char *name,
          struct pz_err *err)
{
    for (uint64_t i = 0; i < ids->n; i++)
        if (ids->offsets[i] < 0 || ids->offsets[i + 1] < ids->offsets[i] ||
            (uint64_t)ids->offsets[i + 1] > ids->n_bytes)
            return pz_tensors_bad(&d->file, name, err,
                                  "offset %" PRIu64 " is out of order", i + 1);
    return PZ_OK;
}

static int
check_codes(const struct pz_dataset *d, const struct pz_column *c, struct pz_err *err)
{
    char name[256];
    snprintf(name, sizeof name, "dict.%s.offsets", c->name);
    int status = check_ids(d, &c->dict, name, err);
    if (status)
        return status;
    snprintf(name, sizeof name, "col.%s", c->name);
    for (uint64_t r = 0; r < d->n_rows; r++) {
        uint32_t code = pz_column_code(c, r);
        if (code != PZ_NO_ID && code >= c->dict.n)
            return pz_tensors_bad(&d->file, name, err,
                                  "row %" PRIu64
                                  " has code %u of a dictionary of %" PRIu64,
                                  r, code, c->dict.n);
    }
    return PZ_OK;
}

int
pz_dataset_check(const struct pz_dataset *d, struct pz_err *err)
{
    int r = PZ_OK;
    if (d->user.offsets && (r = check_ids(d, &d->user, "user.offsets", err)))
        return r;
    if (d->item.offsets && (r = check_ids(d, &d->item, "item.offsets", err)))
        return r;
    for (uint64_t u = 0; d->row_offsets && u < d->user.n; u++)
        if (d->row_offsets[u + 1] < d->row_offsets[u] ||
            d->row_offsets[u + 1] > d->n_rows)
            return pz_tensors_bad(&d->file, "row.offsets", err,
                                  "the rows of user %" PRIu64 " are out of order", u);
    for (uint64_t k = 0; d->row_item && k < d->n_rows; k++)
        if (pz_dataset_item(d, k) >= d->item.n)
            return pz_tensors_bad(&d->file, "row.item", err,
                                  "row %" PRIu64 " has item %u of %" PRIu64, k,
                                  pz_dataset_item(d, k), d->item.n);
    for (size_t c = 0; c < d->n_columns && r == PZ_OK; c++)
        if (d->column[c].field->type == PZ_STRING)
            r = check_codes(d, &d->column[c], err);
    return r;
}

/* ---- values ---- */

bool
pz_column_i64(const struct pz_column *c, uint64_t r, int64_t *out)
{
    if (c->valid && !c->valid[r])
        return false;
    switch (c->dtype) {
    case PZ_U8:
        *out = ((const uint8_t *)c->data)[r];
        return true;
    case PZ_U16:
        *out = ((const uint16_t *)c->data)[r];
        return true;
    case PZ_U32:
        *out = ((const uint32_t *)c->data)[r];
        return true;
    case PZ_I32:
        *out = ((const int32_t *)c->data)[r];
        return true;
    case PZ_I64:
        *out = ((const int64_t *)c->data)[r];
        return true;
    default:
        return false;
    }
}

bool
pz_column_f64(const struct pz_column *c, uint64_t r, double *out)
{
    int64_t i;
    if (c->valid && !c->valid[r])
        return false;
    if (c->dtype == PZ_F32)
        *out = (double)((const float *)c->data)[r];
    else if (c->dtype == PZ_F64)
        *out = ((const double *)c->data)[r];
    else if (pz_column_i64(c, r, &i))
        *out = (double)i;
    else
        return false;
    return true;
}

uint32_t
pz_column_code(const struct pz_column *c, uint64_t r)
{
    int64_t code;
    if (c->field->type != PZ_STRING || !pz_column_i64(c, r, &code))
        return PZ_NO_ID;
    return (uint32_t)code;
}

const char *
pz_column_text(const struct pz_column *c, uint64_t r, size_t *len)
{
    uint32_t code = pz_column_code(c, r);
    return code == PZ_NO_ID ? NULL : pz_ids_get(&c->dict, code, len);
}
