#include "serve/guard.h"

#include <string.h>
#include <strings.h>

/* token of RFC 9110, 5.6.2 */
static bool
is_token(const char *s)
{
    if (!*s)
        return false;
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        if (c <= ' ' || c >= 127 || strchr("\"(),/:;<=>?@[\\]{}", c))
            return false;
    }
    return true;
}

static bool
is_digits(const char *s)
{
    size_t n = strspn(s, "0123456789");
    return n > 0 && n <= 18 && s[n] == '\0';
}

void
pz_guard_header(struct pz_guard *g, const char *name, const char *value)
{
    if (!is_token(name)) {
        g->wrong = "a header has no valid name";
        return;
    }
    for (const char *p = value; *p; p++)
        if (((unsigned char)*p < ' ' && *p != '\t') || *p == 127) {
            g->wrong = "a header holds control characters";
            return;
        }
    if (strcasecmp(name, "Host") == 0) {
        g->hosts++;
        if (strpbrk(value, " \t,/@"))
            g->wrong = "Host names no host";
    } else if (strcasecmp(name, "Content-Length") == 0) {
        g->lengths++;
        if (!is_digits(value))
            g->wrong = "Content-Length is no number";
    } else if (strcasecmp(name, "Transfer-Encoding") == 0) {
        g->encodings++;
        g->chunked = strcasecmp(value, "chunked") == 0;
        if (!g->chunked)
            g->wrong = "Transfer-Encoding is not chunked";
    } else if (strcasecmp(name, "Content-Encoding") == 0 && *value &&
               strcasecmp(value, "identity") != 0) {
        g->wrong = "Content-Encoding must be identity: bodies are taken as they are";
    }
}

const char *
pz_guard_verdict(const struct pz_guard *g, const char *version, const char *target)
{
    if (g->wrong)
        return g->wrong;
    if (g->hosts != 1)
        return g->hosts ? "there is more than one Host" : "Host is missing";
    if (g->lengths > 1)
        return "there is more than one Content-Length";
    if (g->encodings > 1)
        return "there is more than one Transfer-Encoding";
    if (g->encodings && g->lengths)
        return "there are Content-Length and Transfer-Encoding";
    if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
        return "the version is not HTTP/1.1";
    if (g->encodings && strcmp(version, "HTTP/1.1") != 0)
        return "Transfer-Encoding needs HTTP/1.1";
    if (target[0] != '/')
        return "the target is no path";
    for (const char *p = target; *p; p++)
        if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 127)
            return "the target holds bytes that must be escaped";
    return NULL;
}
