/*
 * sandbox: what a process gives up once it has opened what it needs, as far as the kernel
 * has the means (Landlock, seccomp). Children inherit it.
 */
#ifndef PZ_SERVE_SANDBOX_H
#define PZ_SERVE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct pz_sandbox {
    bool files;    // only files below the roots, programs and libraries can be opened
    bool syscalls; // no sockets, no tracing, no mounts, no modules ...
};

/*
 * Gives up for good: gaining privileges; files elsewhere than below root[0..n) (reading
 * and writing) and where programs and their libraries are, and recipes (reading); new
 * sockets, and system calls that no tool of pz makes. Before the first thread is started.
 * *out tells what the kernel could do. recipes: directories with colons between, or NULL.
 * PZ_SYSTEM: it could, and yet failed.
 */
int pz_sandbox_enter(struct pz_sandbox *out, const char *const *root, size_t n,
                     const char *recipes, struct pz_err *err);

#endif
