/*
 * Reading safetensors files. The header is read with the pull scanner, not as a tree: its
 * offsets need 64 bits, and a hostile header of many megabytes must not become a tree of
 * gigabytes. Everything is checked here once; afterwards the tensors are plain arrays.
 */
#include "store/tensors.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/order.h"
#include "base/pz.h"
#include "store/container.h"

static const struct {
    const char *name;
    size_t size;
} dtypes[PZ_N_DTYPES] = {
    [PZ_U8] = {"U8", 1},   [PZ_I8] = {"I8", 1},     [PZ_U16] = {"U16", 2},
    [PZ_I16] = {"I16", 2}, [PZ_U32] = {"U32", 4},   [PZ_I32] = {"I32", 4},
    [PZ_U64] = {"U64", 8}, [PZ_I64] = {"I64", 8},   [PZ_F32] = {"F32", 4},
    [PZ_F64] = {"F64", 8}, [PZ_BOOL] = {"BOOL", 1}, [PZ_BF16] = {"BF16", 2},
};

size_t
pz_dtype_size(enum pz_dtype t)
{
    return dtypes[t].size;
}

const char *
pz_dtype_name(enum pz_dtype t)
{
    return dtypes[t].name;
}

bool
pz_shape_bytes(const uint64_t *shape, int n_dims, enum pz_dtype dtype, uint64_t *n_elems,
               uint64_t *bytes)
{
    uint64_t n = 1, whole = 1;
    for (int i = 0; i < n_dims; i++) {
        /* A zero must not hide an absurd size in another dimension. */
        if (__builtin_mul_overflow(whole, shape[i] ? shape[i] : 1, &whole))
            return false;
        n *= shape[i];
    }
    *n_elems = n;
    return !__builtin_mul_overflow(whole, pz_dtype_size(dtype), &whole) &&
           whole <= INT64_MAX && !__builtin_mul_overflow(n, pz_dtype_size(dtype), bytes);
}

bool
pz_is_pad(const char *name)
{
    return strncmp(name, PZ_PAD, strlen(PZ_PAD)) == 0;
}

void
pz_hash_text(char out[PZ_HASH_TEXT + 1], uint64_t hash)
{
    snprintf(out, PZ_HASH_TEXT + 1, "%016llx", (unsigned long long)hash);
}

/* ---- the header ---- */

/* What is known of a tensor besides struct pz_tensor while the header is read. */
struct span {
    uint64_t begin, end;
    size_t index;
};

struct reader {
    struct pz_tensors *t;
    struct pz_scan scan;
    struct span *span; // of each tensor
    size_t cap_tensors, cap_span, cap_meta;
    const char *header;
    size_t n_header;
    size_t hash_at; // offset of the 16 digits of "xxh3" in the header; 0: none
    struct pz_err *err;
};

static int
damaged(struct reader *r, const char *what)
{
    if (r->scan.hold.failed)
        return pz_err_nomem(r->err, "a header's string", r->scan.hold.len);
    return pz_err_set(r->err, PZ_FORMAT,
                      "%s: damaged or no safetensors file: header byte %zu: %s",
                      r->t->path, r->scan.start, what);
}

/* The next token, which must be of kind `want`. */
static int
expect(struct reader *r, enum pz_tok want, const char *what)
{
    enum pz_tok tok = pz_scan_next(&r->scan);
    if (tok == want)
        return PZ_OK;
    char text[160];
    if (tok == PZ_TOK_ERROR)
        snprintf(text, sizeof text, "%s", r->scan.error);
    else
        snprintf(text, sizeof text, "expected %s", what);
    return damaged(r, text);
}

/* The scanner's last string as a C string of its own. */
static int
keep_string(struct reader *r, char **out)
{
    if (memchr(r->scan.s, 0, r->scan.len))
        return damaged(r, "a NUL byte in a string");
    return pz_strndup(out, r->scan.s, r->scan.len, r->err);
}

static bool
scanned(const struct reader *r, const char *text)
{
    size_t n = strlen(text);
    return r->scan.len == n && memcmp(r->scan.s, text, n) == 0;
}

static int
check_format(struct reader *r, const char *version)
{
    int64_t major, minor;
    const char *dot = strchr(version, '.');
    if (!dot || pz_parse_i64(version, (size_t)(dot - version), &major) ||
        pz_parse_i64(dot + 1, strlen(dot + 1), &minor) || major < 0 || minor < 0)
        return damaged(r, "'pz.format' is not MAJOR.MINOR");
    if (major > PZ_FORMAT_MAJOR)
        return pz_err_set(
            r->err, PZ_FORMAT,
            "%s: written in format %.20s by a newer pz; this one reads up to %d.x",
            r->t->path, version, PZ_FORMAT_MAJOR);
    return PZ_OK;
}

static int
read_metadata(struct reader *r)
{
    struct pz_tensors *t = r->t;
    int status = expect(r, PZ_TOK_OBJECT, "the object '__metadata__'");
    while (!status) {
        enum pz_tok tok = pz_scan_next(&r->scan);
        if (tok == PZ_TOK_OBJECT_END)
            break;
        if (tok != PZ_TOK_KEY)
            return damaged(r, r->scan.error ? r->scan.error : "expected a key");
        status = pz_grow(&t->meta, &r->cap_meta, 2 * (t->n_meta + 1), sizeof *t->meta,
                         "metadata", r->err);
        if (status)
            return status;
        char **pair = t->meta + 2 * t->n_meta++;
        pair[0] = pair[1] = NULL;
        status = keep_string(r, &pair[0]);
        if (!status)
            status = expect(r, PZ_TOK_STRING, "a string as metadata");
        if (status)
            return status;
        /* Only digits as they stand are a hash: with escapes s would lie outside the
         * header. */
        if (strcmp(pair[0], "xxh3") == 0) {
            if (r->scan.len != PZ_HASH_TEXT || r->scan.s < r->header ||
                r->scan.s > r->header + r->n_header - PZ_HASH_TEXT)
                return damaged(r, "'xxh3' is not 16 hexadecimal digits");
            r->hash_at = (size_t)(r->scan.s - r->header);
        }
        status = keep_string(r, &pair[1]);
        if (!status && strcmp(pair[0], "pz.format") == 0)
            status = check_format(r, pair[1]);
    }
    return status;
}

/* A whole number that is not negative, from the scanner's last token. */
static bool
scanned_u64(const struct reader *r, uint64_t *out)
{
    int64_t v;
    if (pz_parse_i64(r->scan.s, r->scan.len, &v) != PZ_NUM_OK || v < 0)
        return false;
    *out = (uint64_t)v;
    return true;
}

/* "[1,2,...]" into v; *n the count, at most max. */
static int
read_numbers(struct reader *r, uint64_t *v, int max, int *n, const char *what)
{
    char text[160];
    int status = expect(r, PZ_TOK_ARRAY, "an array of whole numbers");
    *n = 0;
    while (!status) {
        enum pz_tok tok = pz_scan_next(&r->scan);
        if (tok == PZ_TOK_ARRAY_END)
            return PZ_OK;
        if (tok == PZ_TOK_NUMBER && *n < max && scanned_u64(r, &v[*n])) {
            ++*n;
            continue;
        }
        snprintf(text, sizeof text, "'%s' is not an array of at most %d whole numbers",
                 what, max);
        return damaged(r, text);
    }
    return status;
}

static int
read_dtype(struct reader *r, enum pz_dtype *dtype)
{
    int status = expect(r, PZ_TOK_STRING, "a string as 'dtype'");
    if (status)
        return status;
    for (int i = 0; i < PZ_N_DTYPES; i++)
        if (scanned(r, dtypes[i].name)) {
            *dtype = (enum pz_dtype)i;
            return PZ_OK;
        }
    return damaged(r, "a dtype that pz does not know");
}

/* The entry of one tensor, whose key was just read. */
static int
read_entry(struct reader *r)
{
    struct pz_tensors *t = r->t;
    int status = pz_grow(&t->tensor, &r->cap_tensors, t->n_tensors + 1, sizeof *t->tensor,
                         "tensors", r->err);
    if (!status)
        status = pz_grow(&r->span, &r->cap_span, t->n_tensors + 1, sizeof *r->span,
                         "tensors", r->err);
    if (status)
        return status;
    struct pz_tensor *e = &t->tensor[t->n_tensors];
    struct span *span = &r->span[t->n_tensors];
    *e = (struct pz_tensor){.name = NULL};
    *span = (struct span){0, 0, t->n_tensors++};
    bool has_dtype = false, has_shape = false, has_offsets = false;
    uint64_t offsets[2], bytes;
    int n = 0;
    status = keep_string(r, &e->name);
    if (!status)
        status = expect(r, PZ_TOK_OBJECT, "an object for a tensor");
    while (!status) {
        enum pz_tok tok = pz_scan_next(&r->scan);
        if (tok == PZ_TOK_OBJECT_END)
            break;
        if (tok == PZ_TOK_KEY && scanned(r, "dtype") && !has_dtype) {
            has_dtype = true;
            status = read_dtype(r, &e->dtype);
        } else if (tok == PZ_TOK_KEY && scanned(r, "shape") && !has_shape) {
            has_shape = true;
            status = read_numbers(r, e->shape, PZ_MAX_DIMS, &e->n_dims, "shape");
        } else if (tok == PZ_TOK_KEY && scanned(r, "data_offsets") && !has_offsets) {
            has_offsets = true;
            status = read_numbers(r, offsets, 2, &n, "data_offsets");
        } else {
            return damaged(
                r, "a tensor needs 'dtype', 'shape' and 'data_offsets', once each");
        }
    }
    if (status)
        return status;
    if (!has_dtype || !has_shape || !has_offsets || n != 2)
        return damaged(r, "a tensor needs 'dtype', 'shape' and two 'data_offsets'");
    if (!pz_shape_bytes(e->shape, e->n_dims, e->dtype, &e->n_elems, &bytes))
        return pz_tensors_bad(t, e->name, r->err, "its size does not fit in 63 bits");
    if (offsets[0] > offsets[1] || offsets[1] - offsets[0] != bytes)
        return pz_tensors_bad(t, e->name, r->err,
                              "shape and offsets contradict each other");
    span->begin = offsets[0];
    span->end = offsets[1];
    return PZ_OK;
}

static int
read_header(struct reader *r)
{
    bool has_meta = false;
    pz_scan_start(&r->scan, r->header, r->n_header);
    int status = expect(r, PZ_TOK_OBJECT, "a JSON object");
    while (!status) {
        enum pz_tok tok = pz_scan_next(&r->scan);
        if (tok == PZ_TOK_OBJECT_END)
            return expect(r, PZ_TOK_END, "nothing but blanks behind the header");
        if (tok != PZ_TOK_KEY)
            return damaged(r, r->scan.error ? r->scan.error : "expected a tensor's name");
        if (!scanned(r, "__metadata__")) {
            status = read_entry(r);
        } else if (has_meta) {
            return damaged(r, "'__metadata__' twice");
        } else {
            has_meta = true;
            status = read_metadata(r);
        }
    }
    return status;
}

/* ---- checks over the whole header ---- */

static int
compare_spans(const void *a, const void *b)
{
    const struct span *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    if (x->end != y->end)
        return x->end < y->end ? -1 : 1;
    return x->index < y->index ? -1 : x->index > y->index;
}

/* Sorts the metadata by key, for lookup by bisection, and refuses a key twice. */
static int
sort_metadata(struct reader *r)
{
    struct pz_tensors *t = r->t;
    if (t->n_meta)
        qsort(t->meta, t->n_meta, 2 * sizeof *t->meta, pz_order_text);
    for (size_t i = 1; i < t->n_meta; i++)
        if (strcmp(t->meta[2 * i - 2], t->meta[2 * i]) == 0)
            return pz_err_set(r->err, PZ_FORMAT, "%s: metadata '%s' twice", t->path,
                              t->meta[2 * i]);
    return PZ_OK;
}

static int
compare_names(const void *a, const void *b, void *tensor)
{
    const uint32_t *x = a, *y = b;
    const struct pz_tensor *e = tensor;
    return strcmp(e[*x].name, e[*y].name);
}

int
pz_sort_names(struct pz_tensors *t, struct pz_err *err)
{
    int status = pz_new(&t->by_name, t->n_tensors, sizeof *t->by_name, "names", err);
    if (status)
        return status;
    for (size_t i = 0; i < t->n_tensors; i++)
        t->by_name[i] = (uint32_t)i;
    qsort_r(t->by_name, t->n_tensors, sizeof *t->by_name, compare_names, t->tensor);
    return PZ_OK;
}

static int
check_names(struct reader *r)
{
    struct pz_tensors *t = r->t;
    int status = pz_sort_names(t, r->err);
    for (size_t i = 1; i < t->n_tensors && !status; i++) {
        const char *name = t->tensor[t->by_name[i]].name;
        if (strcmp(t->tensor[t->by_name[i - 1]].name, name) == 0)
            status = pz_tensors_bad(t, name, r->err, "the name is there twice");
    }
    return status;
}

/* Puts the tensors in the order of their place. */
static int
sort_tensors(struct reader *r)
{
    struct pz_tensors *t = r->t;
    struct pz_tensor *sorted = NULL;
    uint32_t *place = NULL; // of each tensor as the header has them
    int status = pz_new(&sorted, t->n_tensors, sizeof *sorted, "tensors", r->err);
    if (!status)
        status = pz_new(&place, t->n_tensors, sizeof *place, "tensors", r->err);
    if (status) {
        free(sorted);
        return status;
    }
    for (size_t i = 0; i < t->n_tensors; i++) {
        sorted[i] = t->tensor[r->span[i].index];
        place[r->span[i].index] = (uint32_t)i;
    }
    for (size_t i = 0; i < t->n_tensors; i++)
        t->by_name[i] = place[t->by_name[i]];
    free(place);
    free(t->tensor);
    t->tensor = sorted;
    return PZ_OK;
}

/* The tensors must cover the data exactly; they are put in the order of their place. */
static int
check_tiling(struct reader *r, const uint8_t *data, uint64_t n_data)
{
    struct pz_tensors *t = r->t;
    uint64_t at = 0;
    if (t->n_tensors)
        qsort(r->span, t->n_tensors, sizeof *r->span, compare_spans);
    for (size_t i = 0; i < t->n_tensors; i++) {
        struct pz_tensor *e = &t->tensor[r->span[i].index];
        const struct span *s = &r->span[i];
        if (s->end > n_data)
            return pz_tensors_bad(t, e->name, r->err,
                                  "its bytes %llu to %llu lie beyond the end of the file "
                                  "(cut off?)",
                                  (unsigned long long)s->begin,
                                  (unsigned long long)s->end);
        if (s->begin != at)
            return pz_tensors_bad(t, e->name, r->err, "it starts at %llu, not at %llu",
                                  (unsigned long long)s->begin, (unsigned long long)at);
        at = s->end;
        e->data = data + s->begin;
        if (e->n_elems && !pz_is_pad(e->name) && (uintptr_t)e->data % PZ_ALIGN)
            return pz_tensors_bad(t, e->name, r->err,
                                  "it does not start at a multiple of %d bytes; "
                                  "only files that pz wrote can be read",
                                  PZ_ALIGN);
    }
    if (at != n_data)
        return pz_err_set(r->err, PZ_FORMAT,
                          "%s: damaged: %llu bytes behind the last tensor", t->path,
                          (unsigned long long)(n_data - at));
    return sort_tensors(r);
}

/* The header's own hash, where there is one; files of pz must have one. */
static int
check_header_hash(struct reader *r)
{
    static const char zeros[PZ_HASH_TEXT + 1] = "0000000000000000";
    struct pz_tensors *t = r->t;
    if (!r->hash_at) {
        if (pz_tensors_meta(t, "pz.kind"))
            return pz_err_set(r->err, PZ_FORMAT, "%s: damaged: the header has no hash",
                              t->path);
        return PZ_OK;
    }
    char digits[PZ_HASH_TEXT + 1];
    XXH3_state_t *state = XXH3_createState();
    if (!state)
        return pz_err_nomem(r->err, "a hash", sizeof *state);
    size_t tail = r->hash_at + PZ_HASH_TEXT;
    XXH3_64bits_reset(state);
    XXH3_64bits_update(state, r->header, r->hash_at);
    XXH3_64bits_update(state, zeros, PZ_HASH_TEXT);
    XXH3_64bits_update(state, r->header + tail, r->n_header - tail);
    pz_hash_text(digits, XXH3_64bits_digest(state));
    XXH3_freeState(state);
    if (memcmp(digits, r->header + r->hash_at, PZ_HASH_TEXT) != 0)
        return pz_err_set(r->err, PZ_FORMAT,
                          "%s: damaged: the header's hash does not match", t->path);
    return PZ_OK;
}

int
pz_tensors_open(struct pz_tensors *t, const char *path, struct pz_err *err)
{
    return pz_tensors_open_fd(t, -1, path, err);
}

int
pz_tensors_open_fd(struct pz_tensors *t, int fd, const char *path, struct pz_err *err)
{
    struct reader r = {.t = t, .err = err};
    uint64_t n_header = 0;
    *t = (struct pz_tensors){.path = NULL};
    pz_scan_init(&r.scan);
    int status = pz_strndup(&t->path, path, strlen(path), err);
    if (!status)
        status =
            fd < 0 ? pz_map_open(&t->map, path, err) : pz_map_fd(&t->map, fd, path, err);
    if (status)
        goto fail;
    if (t->map.len >= 8)
        memcpy(&n_header, t->map.data, 8);
    if (t->map.len < 8 || n_header < 2 || n_header > t->map.len - 8 ||
        n_header > PZ_HEADER_MAX || t->map.data[8] != '{') {
        status = pz_err_set(err, PZ_FORMAT,
                            "%s: not a safetensors file, or cut off (%zu bytes)", path,
                            t->map.len);
        goto fail;
    }
    r.header = (const char *)t->map.data + 8;
    r.n_header = (size_t)n_header;
    status = read_header(&r);
    if (!status)
        status = sort_metadata(&r);
    if (!status)
        status = check_header_hash(&r);
    if (!status)
        status = check_names(&r);
    if (!status)
        status = check_tiling(&r, t->map.data + 8 + n_header, t->map.len - 8 - n_header);
fail:
    pz_scan_release(&r.scan);
    free(r.span);
    if (status)
        pz_tensors_close(t);
    return status;
}

void
pz_tensors_close(struct pz_tensors *t)
{
    for (size_t i = 0; i < t->n_tensors; i++)
        free(t->tensor[i].name);
    for (size_t i = 0; i < 2 * t->n_meta; i++)
        free(t->meta[i]);
    free(t->tensor);
    free(t->by_name);
    free(t->meta);
    free(t->path);
    pz_map_close(&t->map);
    *t = (struct pz_tensors){.path = NULL};
}

/* ---- lookup ---- */

const struct pz_tensor *
pz_tensors_find(const struct pz_tensors *t, const char *name)
{
    size_t lo = 0, hi = t->n_tensors;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const struct pz_tensor *e = &t->tensor[t->by_name[mid]];
        int c = strcmp(e->name, name);
        if (c == 0)
            return e;
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

const char *
pz_tensors_meta(const struct pz_tensors *t, const char *key)
{
    char **pair =
        t->n_meta ? bsearch(&key, t->meta, t->n_meta, 2 * sizeof *t->meta, pz_order_text)
                  : NULL;
    return pair ? pair[1] : NULL;
}

int
pz_tensors_bad(const struct pz_tensors *t, const char *name, struct pz_err *err,
               const char *fmt, ...)
{
    char what[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    return pz_err_set(err, PZ_FORMAT, "%s: tensor '%.200s': %s", t->path, name, what);
}

/* "U32 [3,*]" for messages; UINT64_MAX is '*'. */
static void
shape_text(char *out, size_t size, enum pz_dtype dtype, int n_dims, const uint64_t *shape)
{
    size_t at = (size_t)snprintf(out, size, "%s [", pz_dtype_name(dtype));
    for (int i = 0; i < n_dims && at < size; i++) {
        const char *comma = i ? "," : "";
        at += (size_t)(shape[i] == UINT64_MAX
                           ? snprintf(out + at, size - at, "%s*", comma)
                           : snprintf(out + at, size - at, "%s%llu", comma,
                                      (unsigned long long)shape[i]));
    }
    if (at < size)
        snprintf(out + at, size - at, "]");
}

int
pz_tensors_get(const struct pz_tensors *t, const char *name, enum pz_dtype dtype,
               int n_dims, uint64_t *shape, void *data, struct pz_err *err)
{
    const struct pz_tensor *e = pz_tensors_find(t, name);
    if (!e)
        return pz_tensors_bad(t, name, err, "it is missing");
    bool same = e->dtype == dtype && e->n_dims == n_dims;
    for (int i = 0; i < n_dims && same; i++)
        same = shape[i] == UINT64_MAX || shape[i] == e->shape[i];
    if (!same) {
        char is[160], want[160];
        shape_text(is, sizeof is, e->dtype, e->n_dims, e->shape);
        shape_text(want, sizeof want, dtype, n_dims, shape);
        return pz_tensors_bad(t, name, err, "it is %s, not %s", is, want);
    }
    for (int i = 0; i < n_dims; i++)
        shape[i] = e->shape[i];
    memcpy(data, &e->data, sizeof e->data);
    return PZ_OK;
}

int
pz_tensors_get1(const struct pz_tensors *t, const char *name, enum pz_dtype dtype,
                uint64_t *n, void *data, struct pz_err *err)
{
    return pz_tensors_get(t, name, dtype, 1, n, data, err);
}

/* ---- hashes ---- */

/* A pad has no hash: it is less than the alignment, and zero. */
static bool
pad_is_good(const struct pz_tensor *e)
{
    static const uint8_t zero[PZ_ALIGN];
    return e->dtype == PZ_U8 && e->n_elems < PZ_ALIGN &&
           memcmp(e->data, zero, e->n_elems) == 0;
}

int
pz_tensors_row(const struct pz_tensors *t, const char *name, const uint64_t *offsets,
               uint64_t i, uint64_t n, uint64_t *from, uint64_t *to, struct pz_err *err)
{
    *from = offsets[i];
    *to = offsets[i + 1];
    if (*from > *to || *to > n)
        return pz_tensors_bad(t, name, err,
                              "entry %" PRIu64 " is %" PRIu64 ", the next %" PRIu64, i,
                              *from, *to);
    return PZ_OK;
}

int
pz_tensors_verify(const struct pz_tensors *t, struct pz_err *err)
{
    bool ours = pz_tensors_meta(t, "pz.kind") != NULL;
    for (size_t i = 0; i < t->n_tensors; i++) {
        const struct pz_tensor *e = &t->tensor[i];
        if (ours && pz_is_pad(e->name)) {
            if (!pad_is_good(e))
                return pz_tensors_bad(t, e->name, err, "damaged: padding is not zero");
            continue;
        }
        char *key, digits[PZ_HASH_TEXT + 1];
        int status = pz_hash_key(&key, e->name, err);
        if (status)
            return status;
        const char *stored = pz_tensors_meta(t, key);
        free(key);
        if (!stored && !ours)
            continue;
        if (!stored)
            return pz_tensors_bad(t, e->name, err, "damaged: it has no hash");
        pz_hash_text(digits, XXH3_64bits(e->data, e->n_elems * pz_dtype_size(e->dtype)));
        if (strcmp(stored, digits) != 0)
            return pz_tensors_bad(t, e->name, err, "damaged: its hash is %s, not %.40s",
                                  digits, stored);
    }
    return PZ_OK;
}
