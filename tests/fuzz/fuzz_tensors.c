/*
 * Any bytes as a safetensors file: refused with a message, or opened with tensors that
 * lie inside the file. Each input is tried as it is and with the header's hash made
 * right, so that mutations get behind it.
 */
#include <stdio.h>
#include <xxhash.h>

#include "fuzz.h"
#include "store/tensors.h"

/* Every byte of every tensor can be read, and lookup finds each by its name. */
static unsigned
touch(const struct pz_tensors *t)
{
    unsigned sum = 0;
    for (size_t i = 0; i < t->n_tensors; i++) {
        const struct pz_tensor *e = &t->tensor[i];
        const uint8_t *p = e->data;
        size_t n = e->n_elems * pz_dtype_size(e->dtype);
        require(p >= t->map.data && n <= (size_t)(t->map.data + t->map.len - p));
        for (size_t j = 0; j < n; j++)
            sum += p[j];
        require(pz_tensors_find(t, e->name) == e);
    }
    for (size_t i = 0; i < t->n_meta; i++)
        require(strcmp(pz_tensors_meta(t, t->meta[2 * i]), t->meta[2 * i + 1]) == 0);
    return sum;
}

static void
try_open(const uint8_t *data, size_t n)
{
    static volatile unsigned sum; // keeps the reads
    struct pz_tensors t;
    struct pz_err err = PZ_ERR_INIT;
    char name[64];
    int fd = file_of(data, n);
    snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
    int status = pz_tensors_open(&t, name, &err);
    require(status == PZ_OK || status == PZ_FORMAT);
    require((status == PZ_OK) == (err.msg[0] == 0));
    if (!status) {
        const void *p;
        uint64_t rows = UINT64_MAX;
        sum = sum + touch(&t);
        pz_tensors_get1(&t, "bytes", PZ_U8, &rows, &p, &err);
        status = pz_tensors_verify(&t, &err);
        require(status == PZ_OK || status == PZ_FORMAT);
    }
    pz_tensors_close(&t);
    close(fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char key[] = "\"xxh3\":\"";
    uint64_t n_header;
    try_open(data, n);
    if (n < 8)
        return 0;
    memcpy(&n_header, data, 8);
    if (n_header > n - 8)
        return 0;
    const uint8_t *at = memmem(data + 8, n_header, key, strlen(key));
    if (!at || (size_t)(at - data) + strlen(key) + 16 > 8 + n_header)
        return 0;
    uint8_t *copy = malloc(n);
    require(copy != NULL);
    memcpy(copy, data, n);
    char digits[17];
    uint8_t *hash = copy + (at - data) + strlen(key);
    memset(hash, '0', 16);
    snprintf(digits, sizeof digits, "%016llx",
             (unsigned long long)XXH3_64bits(copy + 8, n_header));
    memcpy(hash, digits, 16);
    try_open(copy, n);
    free(copy);
    return 0;
}
