/*
 * guard: which requests can be read in two ways. A request that another program on the
 * way may cut elsewhere than we do is refused, so that nothing is smuggled past a proxy
 * (RFC 9112, 6.3 and 11.2). The HTTP library of Debian 12 is more lenient. So is a body in
 * an encoding (RFC 9110, 8.4): it would be read as what it is not.
 */
#ifndef PZ_SERVE_GUARD_H
#define PZ_SERVE_GUARD_H

#include <stdbool.h>
#include <stddef.h>

/* What was seen of a request's headers. Zeroed is nothing. */
struct pz_guard {
    unsigned hosts, lengths, encodings;
    const char *wrong; // static text; NULL: nothing yet
    bool chunked;
};

/* Takes a header. */
void pz_guard_header(struct pz_guard *g, const char *name, const char *value);
/* Why the request must not be answered; NULL: it may. version: "HTTP/1.1". target: as it
 * was sent. */
const char *pz_guard_verdict(const struct pz_guard *g, const char *version,
                             const char *target);

#endif
