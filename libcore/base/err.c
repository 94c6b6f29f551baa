#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int
pz_err_set(struct pz_err *err, int status, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    err->status = status;
    vsnprintf(err->msg, sizeof err->msg, fmt, ap);
    va_end(ap);
    return status;
}

int
pz_err_sys(struct pz_err *err, const char *fmt, ...)
{
    int saved = errno;
    va_list ap;
    va_start(ap, fmt);
    err->status = PZ_SYSTEM;
    int n = vsnprintf(err->msg, sizeof err->msg, fmt, ap);
    va_end(ap);
    size_t len = n < 0 ? 0 : (size_t)n;
    if (len < sizeof err->msg)
        snprintf(err->msg + len, sizeof err->msg - len, ": %s", strerror(saved));
    return PZ_SYSTEM;
}

int
pz_err_nomem(struct pz_err *err, const char *what, size_t bytes)
{
    return pz_err_set(err, PZ_SYSTEM, "out of memory for %s (%zu bytes)", what, bytes);
}

int
pz_err_prefix(struct pz_err *err, const char *fmt, ...)
{
    char old[sizeof err->msg];
    memcpy(old, err->msg, sizeof old);
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(err->msg, sizeof err->msg, fmt, ap);
    va_end(ap);
    size_t len = n < 0 ? 0 : (size_t)n;
    if (len < sizeof err->msg)
        snprintf(err->msg + len, sizeof err->msg - len, "%s", old);
    return err->status;
}
