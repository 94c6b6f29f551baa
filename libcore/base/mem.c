#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

bool
pz_size_mul(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}

bool
pz_size_add(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}

int
pz_new(void *out, size_t n, size_t size, const char *what, struct pz_err *err)
{
    size_t bytes;
    if (!pz_size_mul(n, size, &bytes))
        return pz_err_nomem(err, what, SIZE_MAX);
    void *p = calloc(1, bytes ? bytes : 1);
    if (!p)
        return pz_err_nomem(err, what, bytes);
    memcpy(out, &p, sizeof p);
    return PZ_OK;
}

int
pz_new_aligned(void *out, size_t n, size_t size, const char *what, struct pz_err *err)
{
    size_t bytes;
    if (!pz_size_mul(n, size, &bytes) || bytes > SIZE_MAX - 64)
        return pz_err_nomem(err, what, SIZE_MAX);
    void *p = NULL;
    if (posix_memalign(&p, 64, (bytes + 63) / 64 * 64 + (bytes == 0) * 64))
        return pz_err_nomem(err, what, bytes);
    memcpy(out, &p, sizeof p);
    return PZ_OK;
}

int
pz_new_sparse(void *out, size_t n, size_t size, const char *what, struct pz_err *err)
{
    int status = pz_new_aligned(out, n, size, what, err);
    if (status)
        return status;
    void *p;
    memcpy(&p, out, sizeof p);
    size_t page = (size_t)sysconf(_SC_PAGESIZE),
           skip = (page - (uintptr_t)p % page) % page;
    // Advice: where it is not taken, all is as it was.
    if (n * size > skip + page)
        madvise((char *)p + skip, (n * size - skip) / page * page, MADV_NOHUGEPAGE);
    return PZ_OK;
}

int
pz_grow(void *array, size_t *cap, size_t need, size_t size, const char *what,
        struct pz_err *err)
{
    if (need <= *cap)
        return PZ_OK;
    size_t want = *cap + *cap / 2 + 16, bytes;
    if (want < need)
        want = need;
    if (!pz_size_mul(want, size, &bytes))
        return pz_err_nomem(err, what, SIZE_MAX);
    void *old;
    memcpy(&old, array, sizeof old);
    void *p = realloc(old, bytes);
    if (!p)
        return pz_err_nomem(err, what, bytes);
    memcpy(array, &p, sizeof p);
    *cap = want;
    return PZ_OK;
}

int
pz_strndup(char **out, const char *s, size_t n, struct pz_err *err)
{
    char *p = malloc(n + 1);
    if (!p)
        return pz_err_nomem(err, "a string", n + 1);
    memcpy(p, s, n);
    p[n] = 0;
    *out = p;
    return PZ_OK;
}
