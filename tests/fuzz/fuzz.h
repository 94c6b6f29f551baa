/*
 * fuzz: what the fuzz targets share. A target is LLVMFuzzerTestOneInput(); what must hold
 * for any input it says with require(), in every build.
 */
#ifndef PZ_TESTS_FUZZ_H
#define PZ_TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static inline void
require(bool ok)
{
    if (!ok)
        abort();
}

/* Does a stream of requests start with an object? */
static inline bool
starts_json(const uint8_t *data, size_t n)
{
    size_t at = n >= 3 && memcmp(data, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    for (; at < n; at++)
        if (data[at] != '\n' && !(data[at] == '\r' && at + 1 < n && data[at + 1] == '\n'))
            return data[at] == '{';
    return false;
}

/* A file in memory with these bytes, read from the start; the caller closes it. */
static inline int
file_of(const uint8_t *data, size_t n)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC);
    require(fd >= 0 && write(fd, data, n) == (ssize_t)n && lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

#endif
