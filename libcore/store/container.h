/* container: what reader (tensors.c) and writer (builder.c) of the container share. */
#ifndef PZ_STORE_CONTAINER_H
#define PZ_STORE_CONTAINER_H

#define XXH_INLINE_ALL // hashing is part of every start: no library to load for it
#include <xxhash.h>

#include "store/tensors.h"

#define PZ_ALIGN      64
#define PZ_PAD        "__pad"   // names of pads start so; no other tensor's may
#define PZ_HASH_TEXT  16        // hexadecimal digits
#define PZ_HEADER_MAX 100000000 // as the public readers have it

/* Elements and bytes of a shape; false when that is more than 63 bits hold. */
bool pz_shape_bytes(const uint64_t *shape, int n_dims, enum pz_dtype dtype,
                    uint64_t *n_elems, uint64_t *bytes);
bool pz_is_pad(const char *name);
void pz_hash_text(char out[PZ_HASH_TEXT + 1], uint64_t hash);
/* Makes t->by_name. */
int pz_sort_names(struct pz_tensors *t, struct pz_err *err);
/* "xxh3.NAME", a new string. */
int pz_hash_key(char **out, const char *name, struct pz_err *err);

#endif
