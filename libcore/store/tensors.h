/*
 * tensors: safetensors files, written whole and read by map. The only code that knows the
 * container; man/pz-model.5 is the normative text.
 *
 * The file: u64 little-endian header length, JSON header, tensors back to back. pz adds
 * inside that format: the header is padded with blanks and "__pad" tensors are put in so
 * that every tensor starts at a multiple of 64 bytes; __metadata__ holds the strings of
 * the writer plus "xxh3.NAME" (XXH3-64 of each tensor, 16 hexadecimal digits) and
 * "xxh3" (of the header itself, computed with its own 16 digits as '0').
 *
 * Opening costs one map and the header's parse and hash, whatever the size. It checks all
 * that can be checked without touching the tensors: lengths, dtypes, shapes, offsets,
 * that the tensors tile the file. pz_tensors_verify() reads everything. Files with
 * "pz.kind" in the metadata must have all hashes; other safetensors files may have none,
 * and must be aligned.
 */
#ifndef PZ_STORE_TENSORS_H
#define PZ_STORE_TENSORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/file.h"

enum pz_dtype {
    PZ_U8,
    PZ_I8,
    PZ_U16,
    PZ_I16,
    PZ_U32,
    PZ_I32,
    PZ_U64,
    PZ_I64,
    PZ_F32,
    PZ_F64,
    PZ_BOOL,
    PZ_BF16, // the upper half of a float's bits (math/kernels.h)
    PZ_N_DTYPES,
};
#define PZ_MAX_DIMS 4

size_t pz_dtype_size(enum pz_dtype t);
const char *pz_dtype_name(enum pz_dtype t); // "U8", ...

struct pz_tensor {
    char *name;
    enum pz_dtype dtype;
    int n_dims;
    uint64_t shape[PZ_MAX_DIMS];
    uint64_t n_elems; // product of the shape
    const void *data; // into the map, 64-byte aligned; or the builder's memory, as
                      // aligned as that is
};

/* ---- reading ---- */

struct pz_tensors {
    char *path; // for messages; "(memory)" when built
    struct pz_map map;
    struct pz_tensor *tensor;
    size_t n_tensors;
    uint32_t *by_name; // tensors in the order of their names
    char **meta;       // key, value, key, value, ... owned
    size_t n_meta;     // pairs
};

/* PZ_SYSTEM: cannot be read. PZ_FORMAT: not a safetensors file, damaged, or of a higher
 * major version than this program ("pz.format" in the metadata, "MAJOR.MINOR"). */
int pz_tensors_open(struct pz_tensors *t, const char *path, struct pz_err *err);
/* The same of an open file, which may be closed afterwards; path is for messages. */
int pz_tensors_open_fd(struct pz_tensors *t, int fd, const char *path,
                       struct pz_err *err);
void pz_tensors_close(struct pz_tensors *t); // accepts {0}
const struct pz_tensor *pz_tensors_find(const struct pz_tensors *t, const char *name);
const char *pz_tensors_meta(const struct pz_tensors *t, const char *key); // or NULL

/*
 * The tensor `name` with this dtype, dimensions and shape into *data (a pointer to const
 * elements), else PZ_FORMAT with a message
 * that names file and tensor. shape[i] UINT64_MAX accepts any size and is set to it.
 */
int pz_tensors_get(const struct pz_tensors *t, const char *name, enum pz_dtype dtype,
                   int n_dims, uint64_t *shape, void *data, struct pz_err *err);
/* pz_tensors_get for one dimension: *n UINT64_MAX accepts any length. */
int pz_tensors_get1(const struct pz_tensors *t, const char *name, enum pz_dtype dtype,
                    uint64_t *n, void *data, struct pz_err *err);
/* Entries from..to of row i, by the offsets of the tensor `name`; PZ_FORMAT when they do
 * not ascend or go beyond the n entries. */
int pz_tensors_row(const struct pz_tensors *t, const char *name, const uint64_t *offsets,
                   uint64_t i, uint64_t n, uint64_t *from, uint64_t *to,
                   struct pz_err *err);
/* PZ_FORMAT "PATH: tensor 'NAME': WHAT", for checks of content by users of the file. */
int pz_tensors_bad(const struct pz_tensors *t, const char *name, struct pz_err *err,
                   const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* Recomputes every hash; PZ_FORMAT naming the first damaged tensor. */
int pz_tensors_verify(const struct pz_tensors *t, struct pz_err *err);

/* ---- writing ---- */

struct pz_sink; // where a streamed tensor's bytes go
int pz_sink_write(struct pz_sink *sink, const void *bytes, size_t n, struct pz_err *err);
/* Writes exactly the tensor's bytes to the sink, in any number of calls. */
typedef int (*pz_tensor_fill)(void *ctx, struct pz_sink *sink, struct pz_err *err);

/*
 * A builder collects tensors and metadata and then either writes them as a file or shows
 * them as an opened one. Tensors keep the order in which they were added. Errors (a name
 * twice, no memory) are remembered and returned by pz_builder_write and pz_builder_view.
 */
struct pz_builder;
/* Starts with the metadata pz.format and pz.version; pz.kind is the caller's. */
int pz_builder_new(struct pz_builder **b, struct pz_err *err);
void pz_builder_free(struct pz_builder *b);
void pz_builder_meta(struct pz_builder *b, const char *key,
                     const char *value); // copies; a key again replaces
void pz_builder_metaf(struct pz_builder *b, const char *key, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* A number, as the shortest text that reads back as the same. */
void pz_builder_meta_f64(struct pz_builder *b, const char *key, double value);
/* What was said under the key, or NULL; valid until it is said anew. */
const char *pz_builder_get_meta(const struct pz_builder *b, const char *key);
/* The builder takes `data` (malloc family) and frees it. NULL data with n > 0 is
 * remembered as no memory. */
void pz_builder_take(struct pz_builder *b, const char *name, enum pz_dtype dtype,
                     int n_dims, const uint64_t *shape, void *data);
/* The caller keeps `data`, which must outlive the builder. */
void pz_builder_borrow(struct pz_builder *b, const char *name, enum pz_dtype dtype,
                       int n_dims, const uint64_t *shape, const void *data);
/* The data is produced while the file is written; ctx must outlive pz_builder_write. */
void pz_builder_stream(struct pz_builder *b, const char *name, enum pz_dtype dtype,
                       int n_dims, const uint64_t *shape, pz_tensor_fill fill, void *ctx);
/* Shorthands for one dimension. */
void pz_builder_take1(struct pz_builder *b, const char *name, enum pz_dtype dtype,
                      uint64_t n, void *data);
void pz_builder_borrow1(struct pz_builder *b, const char *name, enum pz_dtype dtype,
                        uint64_t n, const void *data);
/* Atomic replace of `path`. */
int pz_builder_write(struct pz_builder *b, const char *path, struct pz_err *err);
/* Into an empty open file, such as a scratch file. */
int pz_builder_write_fd(struct pz_builder *b, int fd, struct pz_err *err);
/* The same tensors as an opened file (no streamed ones); valid while the builder lives
 * and nothing is added. Closed with pz_tensors_close. */
int pz_builder_view(struct pz_builder *b, struct pz_tensors *t, struct pz_err *err);

#endif
