/*
 * file: whole files in and whole files out.
 *
 * pz_out is the only way pz makes a file that lasts. Until pz_out_commit() the bytes live
 * in a file without a name (O_TMPFILE; a hidden name where the file system has none), so
 * that a killed process leaves nothing behind (a kill between link and rename leaves a
 * hidden name, which the next pz_out_open in that directory removes); commit does fsync,
 * link or rename over the target, fsync of the directory. A reader sees the old file or
 * the new one, never a part. A target that is a symbolic link stays one: the file it
 * points to is replaced. The new file has the permissions and, as far as the process may
 * give them, the owner and group of the one it replaces. With PZ_NO_TMPFILE in the
 * environment the hidden name is always used (for tests).
 *
 * A process that ignores SIGXFSZ gets a file over its size limit as PZ_SYSTEM, like a
 * full disk.
 */
#ifndef PZ_BASE_FILE_H
#define PZ_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* A read-only map of a regular file. data is valid until pz_map_close(). */
struct pz_map {
    const uint8_t *data; // NULL for an empty file
    size_t len;
};

/* PZ_SYSTEM when it cannot be opened, PZ_FORMAT when it is no regular file. */
int pz_map_open(struct pz_map *map, const char *path, struct pz_err *err);
/* The same of an open file, which may be closed afterwards; path is for messages. */
int pz_map_fd(struct pz_map *map, int fd, const char *path, struct pz_err *err);
/* Of what has been read of it, nothing is wanted for long: its pages count as memory of
 * this process only when they are read again. */
void pz_map_rest(const struct pz_map *map);
void pz_map_close(struct pz_map *map); // accepts {0}

/* All of a regular file, a pipe, or stdin ("-") into b; PZ_DATA beyond `max` bytes. */
int pz_read_all(struct pz_buf *b, const char *path, size_t max, struct pz_err *err);

struct pz_out {
    int fd;      // -1 when closed
    uint64_t at; // bytes written by pz_out_write
    char *path;  // the target
    char *temp;  // hidden name while there is one, else NULL
};

#define PZ_OUT_INIT                                                                      \
    {                                                                                    \
        -1, 0, NULL, NULL                                                                \
    }

int pz_out_open(struct pz_out *out, const char *path, struct pz_err *err);
int pz_out_write(struct pz_out *out, const void *bytes, size_t n, struct pz_err *err);
/* Overwrites bytes written before; does not move `at`. */
int pz_out_patch(struct pz_out *out, uint64_t at, const void *bytes, size_t n,
                 struct pz_err *err);
int pz_out_commit(struct pz_out *out, struct pz_err *err);
void pz_out_abort(struct pz_out *out); // also after a failed commit; harmless when closed

/* An empty file under a hidden name beside `target`, for others to write to: locked while
 * *fd or a copy of it is open; those that killed processes left there are removed. */
int pz_hidden_open(int *fd, char **name, const char *target, struct pz_err *err);

/* What pz_out_commit() does, for a file that somebody else has written under a name of
 * its own: fd, which is that of `from`, gets the permissions of `to`, then fsync, rename
 * to `to` in the same folder, fsync of the folder. */
int pz_replace(int fd, const char *from, const char *to, struct pz_err *err);

/* An unnamed scratch file in directory `dir`: returns a descriptor in *fd. */
int pz_scratch_open(int *fd, const char *dir, struct pz_err *err);
/* All of n bytes at `at`, or PZ_SYSTEM; dir is for the message. */
int pz_scratch_read(int fd, const char *dir, void *bytes, size_t n, uint64_t at,
                    struct pz_err *err);
int pz_scratch_write(int fd, const char *dir, const void *bytes, size_t n, uint64_t at,
                     struct pz_err *err);

/* mkdir -p. The directories are on disk then, whoever made them. */
int pz_mkdirs(const char *path, struct pz_err *err);
/* An exclusive flock on `path` (a directory, or a file that is made if absent); held
 * until the descriptor is closed. PZ_SYSTEM at once, saying that another process holds
 * it, when it is taken. */
int pz_lock(int *fd, const char *path, struct pz_err *err);
/* "dir/name" into a new string. */
int pz_path_join(char **out, const char *dir, const char *name, struct pz_err *err);

#endif
