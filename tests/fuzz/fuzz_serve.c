/*
 * What comes in over the wire, but for the HTTP library's part: the first byte chooses
 * between headers for the guard, a Host and an Origin, a request for the router and a
 * body against the shape of a route. A body that fits has what the shape requires, and
 * what does not fit says why.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "serve/api.h"
#include "serve/guard.h"
#include "serve/origin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void
require(bool ok)
{
    if (!ok)
        abort();
}

/* Lines "NAME:VALUE", the first one is "VERSION TARGET". */
static void
guard(char *text)
{
    struct pz_guard g = {0};
    char *line = strchr(text, '\n'), *target = strchr(text, ' ');
    unsigned hosts = 0;
    if (!line || !target || target > line)
        return;
    *line++ = *target++ = '\0';
    while (*line) {
        char *end = strchr(line, '\n'), *colon = strchr(line, ':');
        if (end)
            *end = '\0';
        if (colon) {
            *colon = '\0';
            pz_guard_header(&g, line, colon + 1);
            hosts += strlen(line) == 4 && (line[0] | 32) == 'h' &&
                     (line[1] | 32) == 'o' && (line[2] | 32) == 's' &&
                     (line[3] | 32) == 't';
        }
        if (!end)
            break;
        line = end + 1;
    }
    const char *why = pz_guard_verdict(&g, text, target);
    require(why || (hosts == 1 && target[0] == '/' && g.lengths + g.encodings <= 1));
}

/* "HOST\nORIGIN". A page that may ask is one that was loaded from here. */
static void
origin(char *text)
{
    char *from = strchr(text, '\n');
    if (from)
        *from++ = '\0';
    bool own = pz_host_is_own(text);
    require(!own || strstr(text, "127.") == text || strstr(text, "[::1]") == text ||
            strcasestr(text, "localhost"));
    require(!pz_origin_verdict(text, NULL, false));
    require(own == !pz_origin_verdict(text, NULL, true));
    if (from && !pz_origin_verdict(text, from, true))
        require(own && strncmp(from, "http://", 7) == 0 && !strcasecmp(from + 7, text));
}

/* "METHOD\nPATH\nTARGET" */
static void
route(char *text)
{
    enum pz_fault fault;
    struct pz_arn arn;
    char *path = strchr(text, '\n');
    if (!path)
        return;
    *path++ = '\0';
    char *target = strchr(path, '\n');
    if (target)
        *target++ = '\0';
    const struct pz_route *r =
        pz_route_find(text, path, strcspn(path, "?"), target, &fault);
    require(r ? r->operation != NULL : fault != PZ_FAULT_NONE);
    if (pz_arn_parse(&arn, path))
        require(arn.n_kind && arn.n_name && strlen(arn.name) == arn.n_name);
}

static size_t
count_required(const struct pz_shape *s, const pz_json *j)
{
    size_t missing = 0;
    for (const struct pz_member *m = s->member; m->name; m++)
        missing += m->required && !pz_body_get(j, m->name);
    return missing;
}

static void
body(unsigned which, const char *text, size_t n)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_buf why = PZ_BUF_INIT;
    const struct pz_route *r = NULL;
    pz_json *j;
    for (size_t t = 0; pz_all_routes[t] && !r; t++)
        for (const struct pz_route *row = pz_all_routes[t]; row->operation && !r; row++)
            if (row->shape && which-- == 0)
                r = row;
    if (!r || pz_json_parse(&j, text, n, &err))
        return;
    enum pz_shape_fault fault = pz_shape_check(r->shape, j, &why);
    if (fault == PZ_SHAPE_FITS)
        require(why.len == 0 && pz_json_is_object(j) && count_required(r->shape, j) == 0);
    else
        require(why.len > 0 && why.len < 64 * 1024);
    pz_buf_release(&why);
    pz_json_free(j);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n < 2)
        return 0;
    char *text = malloc(n);
    if (!text)
        return 0;
    memcpy(text, data + 1, n - 1);
    text[n - 1] = '\0';
    if (data[0] == 'G')
        guard(text);
    else if (data[0] == 'O')
        origin(text);
    else if (data[0] == 'R')
        route(text);
    else
        body(data[0] % 97, text, n - 1);
    free(text);
    return 0;
}
