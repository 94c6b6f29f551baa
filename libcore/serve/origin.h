/*
 * origin: which requests come from a web page of somebody else. Where no signature is
 * asked for, any page that a browser of this machine shows could send requests here; and
 * a page whose name its owner lets point to this machine could read the answers too
 * (DNS rebinding). Programs send no Origin, browsers do with every POST.
 */
#ifndef PZ_SERVE_ORIGIN_H
#define PZ_SERVE_ORIGIN_H

#include <stdbool.h>

/* Does a Host header name this machine itself: localhost, NAME.localhost, 127.x.x.x or
 * [::1], with or without a port? */
bool pz_host_is_own(const char *host);
/*
 * Why a request must not be answered; NULL: it may. host: of the request; origin: its
 * Origin, or NULL; page: it is for the console, whose GETs carry no Origin.
 */
const char *pz_origin_verdict(const char *host, const char *origin, bool page);

#endif
