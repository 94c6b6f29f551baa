/*
 * Writing safetensors files. The length of the header is known before any data are (a
 * hash always takes 16 digits), so the file is written from front to back with zeros for
 * the hashes, and the header once more at the end with the hashes that were computed on
 * the way.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/order.h"
#include "base/pz.h"
#include "store/container.h"

#define WRITE_BYTES (2u << 20)   // a huge page
#define HASH_BYTES  (256u << 10) // hashed and copied while in the cache
#define TOO_MANY    "a file with more than 100,000,000 bytes of header"

struct part {
    struct pz_tensor e; // data NULL when streamed
    void *owned;
    pz_tensor_fill fill;
    void *ctx;
    uint64_t bytes, hash;
};

struct pz_builder {
    struct part *part;
    size_t n_parts, cap_parts;
    uint32_t *slot; // names, open addressing: part + 1, 0 is free
    size_t n_slots; // 0 or a power of two over 2 n_parts
    char **meta;    // key, value, ...
    size_t n_meta, cap_meta;
    struct pz_err err; // the first failure
};

struct pz_sink {
    struct pz_out *out;
    XXH3_state_t *state;
    uint64_t left;
    uint8_t *buf;
    size_t n_buf;
};

int
pz_hash_key(char **out, const char *name, struct pz_err *err)
{
    size_t n = strlen(name);
    char *p;
    int status = pz_new(&p, n + 6, 1, "a name", err);
    if (status)
        return status;
    memcpy(p, "xxh3.", 5);
    memcpy(p + 5, name, n + 1);
    *out = p;
    return PZ_OK;
}

/* ---- collecting ---- */

int
pz_builder_new(struct pz_builder **b, struct pz_err *err)
{
    int status = pz_new(b, 1, sizeof **b, "a file in memory", err);
    if (status)
        return status;
    pz_builder_meta(*b, "pz.format", PZ_FORMAT_VERSION);
    pz_builder_meta(*b, "pz.version", PZ_VERSION);
    return PZ_OK;
}

void
pz_builder_free(struct pz_builder *b)
{
    if (!b)
        return;
    for (size_t i = 0; i < b->n_parts; i++) {
        free(b->part[i].e.name);
        free(b->part[i].owned);
    }
    for (size_t i = 0; i < 2 * b->n_meta; i++)
        free(b->meta[i]);
    free(b->part);
    free(b->slot);
    free(b->meta);
    free(b);
}

void
pz_builder_meta(struct pz_builder *b, const char *key, const char *value)
{
    char *copy;
    if (b->err.status)
        return;
    if (strcmp(key, "xxh3") == 0 || strncmp(key, "xxh3.", 5) == 0) {
        pz_err_set(&b->err, PZ_USAGE, "metadata '%s': the name is reserved", key);
        return;
    }
    if (pz_strndup(&copy, value, strlen(value), &b->err))
        return;
    for (size_t i = 0; i < b->n_meta; i++)
        if (strcmp(b->meta[2 * i], key) == 0) {
            free(b->meta[2 * i + 1]);
            b->meta[2 * i + 1] = copy;
            return;
        }
    if (pz_grow(&b->meta, &b->cap_meta, 2 * (b->n_meta + 1), sizeof *b->meta, "metadata",
                &b->err) ||
        pz_strndup(&b->meta[2 * b->n_meta], key, strlen(key), &b->err)) {
        free(copy);
        return;
    }
    b->meta[2 * b->n_meta++ + 1] = copy;
}

void
pz_builder_metaf(struct pz_builder *b, const char *key, const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;
    va_start(ap, fmt);
    int n = vasprintf(&text, fmt, ap);
    va_end(ap);
    if (n < 0) {
        if (!b->err.status)
            pz_err_nomem(&b->err, "metadata", 0);
        return;
    }
    pz_builder_meta(b, key, text);
    free(text);
}

void
pz_builder_meta_f64(struct pz_builder *b, const char *key, double value)
{
    char text[PZ_NUM_TEXT];
    pz_format_f64(text, value);
    pz_builder_meta(b, key, text);
}

const char *
pz_builder_get_meta(const struct pz_builder *b, const char *key)
{
    for (size_t i = 0; i < b->n_meta; i++)
        if (strcmp(b->meta[2 * i], key) == 0)
            return b->meta[2 * i + 1];
    return NULL;
}

/* The slot that holds the name, or the free one where it belongs. */
static size_t
slot_of(const struct pz_builder *b, const char *name)
{
    size_t at = XXH3_64bits(name, strlen(name)) & (b->n_slots - 1);
    while (b->slot[at] && strcmp(b->part[b->slot[at] - 1].e.name, name) != 0)
        at = (at + 1) & (b->n_slots - 1);
    return at;
}

/* Room for one more name. */
static int
grow_slots(struct pz_builder *b)
{
    if (b->n_parts >= UINT32_MAX / 4)
        return pz_err_nomem(&b->err, "tensors", SIZE_MAX);
    if (2 * (b->n_parts + 1) <= b->n_slots)
        return PZ_OK;
    size_t n = b->n_slots ? 2 * b->n_slots : 64;
    uint32_t *slot;
    if (pz_new(&slot, n, sizeof *slot, "tensors", &b->err))
        return b->err.status;
    free(b->slot);
    b->slot = slot;
    b->n_slots = n;
    for (size_t i = 0; i < b->n_parts; i++)
        slot[slot_of(b, b->part[i].e.name)] = (uint32_t)i + 1;
    return PZ_OK;
}

/* A name twice is a mistake in the program, but one that a column's name could provoke.
 */
static int
check_name(struct pz_builder *b, const char *name)
{
    if (!*name || strcmp(name, "__metadata__") == 0 || pz_is_pad(name))
        return pz_err_set(&b->err, PZ_USAGE, "tensor '%s': the name is reserved", name);
    if (grow_slots(b))
        return b->err.status;
    if (b->slot[slot_of(b, name)])
        return pz_err_set(&b->err, PZ_USAGE, "tensor '%s': the name is there twice",
                          name);
    return PZ_OK;
}

static void
add_part(struct pz_builder *b, const char *name, enum pz_dtype dtype, int n_dims,
         const uint64_t *shape, struct part part)
{
    if (b->err.status || check_name(b, name))
        goto refused;
    if (n_dims < 0 || n_dims > PZ_MAX_DIMS ||
        !pz_shape_bytes(shape, n_dims, dtype, &part.e.n_elems, &part.bytes)) {
        pz_err_set(&b->err, PZ_USAGE, "tensor '%s': too many dimensions or bytes", name);
        goto refused;
    }
    if (part.bytes && !part.e.data && !part.fill) {
        pz_err_nomem(&b->err, name, part.bytes);
        goto refused;
    }
    part.e.dtype = dtype;
    part.e.n_dims = n_dims;
    for (int i = 0; i < n_dims; i++)
        part.e.shape[i] = shape[i];
    if (pz_grow(&b->part, &b->cap_parts, b->n_parts + 1, sizeof *b->part, "tensors",
                &b->err) ||
        pz_strndup(&part.e.name, name, strlen(name), &b->err))
        goto refused;
    b->slot[slot_of(b, name)] = (uint32_t)b->n_parts + 1;
    b->part[b->n_parts++] = part;
    return;
refused:
    free(part.owned);
}

void
pz_builder_take(struct pz_builder *b, const char *name, enum pz_dtype dtype, int n_dims,
                const uint64_t *shape, void *data)
{
    add_part(b, name, dtype, n_dims, shape, (struct part){.e.data = data, .owned = data});
}

void
pz_builder_borrow(struct pz_builder *b, const char *name, enum pz_dtype dtype, int n_dims,
                  const uint64_t *shape, const void *data)
{
    add_part(b, name, dtype, n_dims, shape, (struct part){.e.data = data});
}

void
pz_builder_stream(struct pz_builder *b, const char *name, enum pz_dtype dtype, int n_dims,
                  const uint64_t *shape, pz_tensor_fill fill, void *ctx)
{
    add_part(b, name, dtype, n_dims, shape, (struct part){.fill = fill, .ctx = ctx});
}

void
pz_builder_take1(struct pz_builder *b, const char *name, enum pz_dtype dtype, uint64_t n,
                 void *data)
{
    pz_builder_take(b, name, dtype, 1, &n, data);
}

void
pz_builder_borrow1(struct pz_builder *b, const char *name, enum pz_dtype dtype,
                   uint64_t n, const void *data)
{
    pz_builder_borrow(b, name, dtype, 1, &n, data);
}

/* ---- the header ---- */

/* Bytes of padding behind a tensor that ends at `end`. */
static uint64_t
pad_behind(uint64_t end)
{
    return (PZ_ALIGN - end % PZ_ALIGN) % PZ_ALIGN;
}

static void
add_string(struct pz_buf *h, const char *s)
{
    pz_json_add_string(h, s, strlen(s));
}

static void
add_entry(struct pz_buf *h, const struct pz_tensor *e, uint64_t begin, uint64_t end)
{
    pz_buf_addc(h, ',');
    add_string(h, e->name);
    pz_buf_addf(h, ":{\"dtype\":\"%s\",\"shape\":[", pz_dtype_name(e->dtype));
    for (int i = 0; i < e->n_dims; i++)
        pz_buf_addf(h, "%s%llu", i ? "," : "", (unsigned long long)e->shape[i]);
    pz_buf_addf(h, "],\"data_offsets\":[%llu,%llu]}", (unsigned long long)begin,
                (unsigned long long)end);
}

/* The metadata with its braces; *hash_at is where the header's own digits stand. */
static int
add_metadata(const struct pz_builder *b, struct pz_buf *h, size_t *hash_at,
             struct pz_err *err)
{
    pz_buf_addz(h, "{\"__metadata__\":{");
    for (size_t i = 0; i < b->n_meta; i++) {
        add_string(h, b->meta[2 * i]);
        pz_buf_addc(h, ':');
        add_string(h, b->meta[2 * i + 1]);
        pz_buf_addc(h, ',');
    }
    for (size_t i = 0; i < b->n_parts; i++) {
        char *key, digits[PZ_HASH_TEXT + 1];
        int status = pz_hash_key(&key, b->part[i].e.name, err);
        if (status)
            return status;
        pz_hash_text(digits, b->part[i].hash);
        add_string(h, key);
        pz_buf_addf(h, ":\"%s\",", digits);
        free(key);
    }
    pz_buf_addz(h, "\"xxh3\":\"");
    *hash_at = h->len;
    pz_buf_addz(h, "0000000000000000\"}");
    return PZ_OK;
}

/* Length word, header and padding into h, hashed. */
static int
make_header(const struct pz_builder *b, struct pz_buf *h, struct pz_err *err)
{
    static const uint64_t no_length;
    uint64_t at = 0;
    size_t hash_at;
    pz_buf_clear(h);
    pz_buf_add(h, &no_length, 8);
    int status = add_metadata(b, h, &hash_at, err);
    if (status)
        return status;
    for (size_t i = 0; i < b->n_parts; i++) {
        add_entry(h, &b->part[i].e, at, at + b->part[i].bytes);
        at += b->part[i].bytes;
        uint64_t pad = pad_behind(at);
        if (pad && i + 1 < b->n_parts) {
            char name[40];
            snprintf(name, sizeof name, PZ_PAD ".%zu", i);
            struct pz_tensor e = {.name = name,
                                  .dtype = PZ_U8,
                                  .n_dims = 1,
                                  .shape = {pad},
                                  .n_elems = pad};
            add_entry(h, &e, at, at + pad);
            at += pad;
        }
    }
    pz_buf_addc(h, '}');
    while (h->len % PZ_ALIGN && !h->failed)
        pz_buf_addc(h, ' ');
    status = pz_buf_status(h, TOO_MANY, err);
    if (status)
        return status;
    uint64_t n = h->len - 8;
    memcpy(h->data, &n, 8);
    char digits[PZ_HASH_TEXT + 1];
    pz_hash_text(digits, XXH3_64bits(h->data + 8, n));
    memcpy(h->data + hash_at, digits, PZ_HASH_TEXT);
    return PZ_OK;
}

/* ---- the data ---- */

/*
 * Bytes go out in one write for each whole WRITE_BYTES of the file: Linux then keeps them
 * in pages of that size, and a map of the file costs one fault for each (measured:
 * reading a map of 25 MB took 0.8 ms instead of 4).
 */
static int
flush_sink(struct pz_sink *s, struct pz_err *err)
{
    size_t n = s->n_buf;
    s->n_buf = 0;
    return n ? pz_out_write(s->out, s->buf, n, err) : PZ_OK;
}

int
pz_sink_write(struct pz_sink *s, const void *bytes, size_t n, struct pz_err *err)
{
    const uint8_t *p = bytes;
    if (n > s->left)
        return pz_err_set(err, PZ_SYSTEM, "%s: more bytes than the tensor has",
                          s->out->path);
    s->left -= n;
    while (n) {
        size_t room = WRITE_BYTES - (size_t)((s->out->at + s->n_buf) % WRITE_BYTES);
        size_t k = n < room ? n : room;
        k = k < HASH_BYTES ? k : HASH_BYTES;
        XXH3_64bits_update(s->state, p, k);
        memcpy(s->buf + s->n_buf, p, k); // at most WRITE_BYTES up to the boundary
        s->n_buf += k;
        if (k == room && flush_sink(s, err))
            return err->status;
        p += k;
        n -= k;
    }
    return PZ_OK;
}

static int
write_part(struct part *part, struct pz_sink *s, struct pz_err *err)
{
    s->left = part->bytes;
    XXH3_64bits_reset(s->state);
    int status = part->fill ? part->fill(part->ctx, s, err)
                            : pz_sink_write(s, part->e.data, part->bytes, err);
    if (!status && s->left)
        return pz_err_set(err, PZ_SYSTEM, "%s: tensor '%s': %llu bytes were not produced",
                          s->out->path, part->e.name, (unsigned long long)s->left);
    part->hash = XXH3_64bits_digest(s->state);
    return status;
}

static int
write_data(struct pz_builder *b, struct pz_out *out, struct pz_err *err)
{
    static const uint8_t zero[PZ_ALIGN];
    struct pz_sink s = {.out = out, .state = XXH3_createState()};
    uint64_t at = 0;
    int status = PZ_OK;
    if (!s.state)
        return pz_err_nomem(err, "a hash", sizeof *s.state);
    status = pz_new(&s.buf, WRITE_BYTES, 1, "a write buffer", err);
    for (size_t i = 0; i < b->n_parts && !status; i++) {
        status = write_part(&b->part[i], &s, err);
        at += b->part[i].bytes;
        if (!status && i + 1 < b->n_parts) {
            s.left = pad_behind(at);
            at += s.left;
            status = pz_sink_write(&s, zero, s.left, err);
        }
    }
    if (!status)
        status = flush_sink(&s, err);
    free(s.buf);
    XXH3_freeState(s.state);
    return status;
}

/* All of the file; path NULL: `out` is open. */
static int
write_file(struct pz_builder *b, struct pz_out *out, const char *path, struct pz_err *err)
{
    struct pz_buf h = {.max = PZ_HEADER_MAX};
    if (b->err.status) {
        *err = b->err;
        return err->status;
    }
    int status = make_header(b, &h, err);
    size_t n = h.len;
    if (!status && path)
        status = pz_out_open(out, path, err);
    if (!status)
        status = pz_out_write(out, h.data, n, err);
    if (!status)
        status = write_data(b, out, err);
    if (!status)
        status = make_header(b, &h, err); // now with the hashes
    if (!status)
        status = pz_out_patch(out, 0, h.data, n, err);
    pz_buf_release(&h);
    return status;
}

int
pz_builder_write(struct pz_builder *b, const char *path, struct pz_err *err)
{
    struct pz_out out = PZ_OUT_INIT;
    int status = write_file(b, &out, path, err);
    if (!status)
        status = pz_out_commit(&out, err);
    pz_out_abort(&out);
    return status;
}

int
pz_builder_write_fd(struct pz_builder *b, int fd, struct pz_err *err)
{
    char name[] = "a scratch file";
    struct pz_out out = {.fd = fd, .path = name};
    return write_file(b, &out, NULL, err);
}

/* ---- the view ---- */

int
pz_builder_view(struct pz_builder *b, struct pz_tensors *t, struct pz_err *err)
{
    *t = (struct pz_tensors){.path = NULL};
    if (b->err.status) {
        *err = b->err;
        return err->status;
    }
    int status = pz_strndup(&t->path, "(memory)", 8, err);
    if (!status)
        status = pz_new(&t->tensor, b->n_parts, sizeof *t->tensor, "tensors", err);
    if (!status)
        status = pz_new(&t->meta, 2 * b->n_meta, sizeof *t->meta, "metadata", err);
    for (size_t i = 0; i < b->n_parts && !status; i++) {
        const struct pz_tensor *e = &b->part[i].e;
        if (b->part[i].fill) {
            status = pz_err_set(err, PZ_USAGE, "tensor '%s' is streamed", e->name);
            break;
        }
        t->tensor[i] = *e;
        t->tensor[i].name = NULL;
        t->n_tensors++;
        status = pz_strndup(&t->tensor[i].name, e->name, strlen(e->name), err);
    }
    if (!status)
        status = pz_sort_names(t, err);
    if (!status)
        t->n_meta = b->n_meta;
    for (size_t i = 0; i < 2 * t->n_meta && !status; i++)
        status = pz_strndup(&t->meta[i], b->meta[i], strlen(b->meta[i]), err);
    if (status) {
        pz_tensors_close(t);
        return status;
    }
    qsort(t->meta, t->n_meta, 2 * sizeof *t->meta, pz_order_text);
    return PZ_OK;
}
