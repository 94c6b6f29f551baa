#include "serve/origin.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

/* ":8750" or nothing. */
static bool
is_port(const char *s)
{
    if (!*s)
        return true;
    return *s == ':' && strspn(s + 1, "0123456789") == strlen(s + 1);
}

bool
pz_host_is_own(const char *host)
{
    static const char local[] = "localhost";
    char name[256];
    struct in_addr address;
    size_t n = host ? strcspn(host, ":") : 0, k = sizeof local - 1;
    if (!host || strncmp(host, "[::1]", 5) == 0)
        return host && is_port(host + 5);
    if (n == 0 || n >= sizeof name || !is_port(host + n))
        return false;
    memcpy(name, host, n);
    name[n] = '\0';
    if (n >= k && strcasecmp(name + n - k, local) == 0)
        return n == k || name[n - k - 1] == '.';
    return inet_pton(AF_INET, name, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

const char *
pz_origin_verdict(const char *host, const char *origin, bool page)
{
    static const char scheme[] = "http://";
    if (!origin && !page)
        return NULL;
    if (!pz_host_is_own(host))
        return "pages are for this machine's own names, such as localhost";
    if (origin && (strncmp(origin, scheme, sizeof scheme - 1) != 0 ||
                   strcasecmp(origin + sizeof scheme - 1, host) != 0))
        return "a page of another site asks";
    return NULL;
}
