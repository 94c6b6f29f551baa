/*
 * source: the bytes of one input file, decompressed. The only user of zlib and libzstd.
 *
 * gzip and zstd are known by their first bytes. Members or frames may follow one another.
 * Memory does not depend on the file: 256 KiB, and for zstd the window that the file
 * asks for, 128 MiB at most.
 */
#ifndef PZ_DATA_SOURCE_H
#define PZ_DATA_SOURCE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct pz_source {
    int fd;                 // -1 when closed
    const char *name;       // for messages; borrowed
    struct pz_codec *codec; // NULL: not compressed
    char *buffer;           // bytes as stored, from `at` to `len`
    size_t at, len;
    bool eof;           // of the file as stored
    atomic_ullong done; // bytes read of the file as stored; any thread may look
};

/* Opens path ("-": stdin). PZ_SYSTEM when it cannot be opened, PZ_DATA for a directory.
 */
int pz_source_open(struct pz_source *s, const char *path, const char *name,
                   struct pz_err *err);
/* Fills out[0..n) as far as there are bytes: *got < n means the end. Messages begin with
 * the name. PZ_SYSTEM when reading fails, PZ_DATA when the compressed data is damaged. */
int pz_source_read(struct pz_source *s, char *out, size_t n, size_t *got,
                   struct pz_err *err);
/* As pz_source_read, but does not wait for more once there is something: *got 0 means the
 * end. */
int pz_source_some(struct pz_source *s, char *out, size_t n, size_t *got,
                   struct pz_err *err);
/* Would pz_source_some find something (or the end), now or within ms milliseconds? */
bool pz_source_ready(const struct pz_source *s, int ms);
void pz_source_close(struct pz_source *s); // accepts a closed one

#endif
