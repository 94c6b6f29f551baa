/*
 * Signatures and files of keys: nothing that comes in breaks the checker, what it refuses
 * it says why, and it accepts nothing whose signature is not in the corpus of the unit
 * test: to forge one would be news.
 *
 * METHOD, TARGET and headers "NAME:VALUE" a line each, an empty line, the body. An input
 * that begins with '[' or '#' is a file of keys.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "serve/sigv4.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { MAX_HEADERS = 200 };

struct request {
    const char *name[MAX_HEADERS], *value[MAX_HEADERS];
    size_t n;
};

static void
require(bool ok)
{
    if (!ok)
        abort();
}

static void
each(const void *from, void (*fn)(void *ctx, const char *name, const char *value),
     void *ctx)
{
    const struct request *r = from;
    for (size_t i = 0; i < r->n; i++)
        fn(ctx, r->name[i], r->value[i]);
}

static struct pz_keys *
parse(const char *text, size_t n)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_keys *k;
    int status = pz_keys_parse(&k, text, n, "keys", &err);
    require(status ? k == NULL && *err.msg : pz_keys_count(k) > 0);
    return k;
}

static char *
cut(char **text)
{
    char *line = *text, *end = strchr(line, '\n');
    *text = end ? end + 1 : line + strlen(line);
    if (end)
        *end = '\0';
    return line;
}

static void
check(char *text)
{
    static struct pz_keys *keys;
    static struct pz_sig_cache cache;
    static const char file[] =
        "aws_access_key_id=AKIDEXAMPLE\n"
        "aws_secret_access_key=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";
    struct request r = {.n = 0};
    struct pz_buf why = PZ_BUF_INIT;
    uint8_t signature[PZ_SIG_BYTES];
    if (!keys)
        keys = parse(file, sizeof file - 1);
    char *method = cut(&text), *target = cut(&text), *line;
    while (*text && *(line = cut(&text)) && r.n < MAX_HEADERS) {
        char *colon = strchr(line, ':');
        if (colon) {
            *colon = '\0';
            r.name[r.n] = line;
            r.value[r.n++] = colon + 1;
        }
    }
    struct pz_sig_rules rules = {keys, "us-east-1", "service", 300};
    struct pz_sig_request q = {method, target, text, strlen(text), each, &r};
    enum pz_fault fault = pz_sig_check(&rules, &cache, &q, 1440938160, signature, &why);
    if (fault)
        require(why.len > 0 || why.failed);
    else
        require(signature[0] == 0x5f && signature[1] == 0xa0 && signature[31] == 0x31);
    pz_buf_release(&why);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    char *text = malloc(n + 1);
    if (!text)
        return 0;
    memcpy(text, data, n);
    text[n] = '\0';
    if (n && (text[0] == '[' || text[0] == '#'))
        pz_keys_free(parse(text, n));
    else
        check(text);
    free(text);
    return 0;
}
