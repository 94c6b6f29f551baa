/*
 * err: the status every pz function returns and the message that goes with it.
 *
 * libcore never prints and never exits. A function that can fail returns an
 * `enum pz_status` as int and, when that is not PZ_OK, has filled the caller's
 * `struct pz_err` with one complete message: lower case, what failed first, names
 * in single quotes, the reason, and what would be right where that is known. The
 * tool prints it behind its own name and exits with the status, which is why the
 * numbers are those of the EXIT STATUS section of every man page.
 */
#ifndef PZ_BASE_ERR_H
#define PZ_BASE_ERR_H

#include <stdarg.h>
#include <stddef.h>

enum pz_status {
    PZ_OK = 0,       // done
    PZ_NEGATIVE = 1, // done, and the answer is negative (damage found, unknown id)
    PZ_USAGE = 2,    // wrong option, name or range
    PZ_DATA = 3,     // bad input data or expression
    PZ_FORMAT = 4,   // unreadable, damaged or incompatible pz file
    PZ_SYSTEM = 5,   // I/O, memory, disk full: worth a retry from cron
};

struct pz_err {
    int status;     // an enum pz_status
    char msg[2048]; // "" while status is PZ_OK; always NUL-terminated
};

#define PZ_ERR_INIT                                                                      \
    {                                                                                    \
        0, ""                                                                            \
    }

/* Sets status and message; returns status, so that `return pz_err_set(...)` works. */
int pz_err_set(struct pz_err *err, int status, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* PZ_SYSTEM, with ": " and the text of errno (as it is at the call) behind fmt. */
int pz_err_sys(struct pz_err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* PZ_SYSTEM "out of memory for WHAT (N bytes)". */
int pz_err_nomem(struct pz_err *err, const char *what, size_t bytes);

/* Puts fmt in front of the message that is there ("FILE: " and the like). Returns status.
 */
int pz_err_prefix(struct pz_err *err, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
