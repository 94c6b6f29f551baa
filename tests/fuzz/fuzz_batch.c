/*
 * Any bytes as a stream of requests, on a tiny model. The first byte chooses the recipe
 * and the options. Every JSON line is answered by one line that is JSON; every TSV line
 * has its columns; the counts agree with what came out.
 */
#include "fuzz.h"
#include "infer/batch.h"
#include "infer/lines.h"
#include "tiny.h"

static bool
is_json(struct pz_scan *scan, const char *s, size_t n)
{
    enum pz_tok tok;
    pz_scan_start(scan, s, n);
    do
        tok = pz_scan_next(scan);
    while (tok != PZ_TOK_END && tok != PZ_TOK_ERROR);
    return tok == PZ_TOK_END;
}

/* Checks each line of the output; returns how many there are. */
static size_t
check_lines(const char *s, size_t n, bool json, size_t n_tabs)
{
    struct pz_scan scan;
    size_t lines = 0;
    pz_scan_init(&scan);
    for (size_t at = 0; at < n; lines++) {
        const char *nl = memchr(s + at, '\n', n - at);
        require(nl != NULL);
        size_t len = (size_t)(nl - (s + at)), tabs = 0;
        for (size_t i = 0; i < len; i++)
            tabs += s[at + i] == '\t';
        // The scanner refuses U+0000, which an id with such a byte is written with.
        require(json ? is_json(&scan, s + at, len) || memmem(s + at, len, "\\u0000", 6)
                     : tabs == n_tabs);
        at += len + 1;
    }
    pz_scan_release(&scan);
    return lines;
}

static void
check_stream(const struct tiny *tiny, uint8_t choice, const uint8_t *data, size_t n)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_batch_counts counts;
    bool json = choice & 1 || starts_json(data, n);
    int in = file_of(data, n), out = file_of(data, 0);
    struct pz_text list[] = {{"i4", 2}, {"none", 4}};
    struct pz_batch b = {.rules = {.model = &tiny->model,
                                   .strict = choice & 2,
                                   .base = {.n = choice >> 6,
                                            .exclude_seen = choice & 4,
                                            .has_candidates = choice & 8,
                                            .candidate = list,
                                            .n_candidates = choice & 8 ? 2 : 0}},
                         .json = choice & 1,
                         .explain = choice & 16,
                         .threads = 1,
                         .out = out};
    require(pz_batch_stream(&b, in, &counts, &err) == PZ_OK);
    off_t len = lseek(out, 0, SEEK_END);
    require(len >= 0);
    char *text = len ? mmap(NULL, (size_t)len, PROT_READ, MAP_PRIVATE, out, 0) : NULL;
    require(text != MAP_FAILED);
    size_t lines = check_lines(text, (size_t)len, json, choice & 16 ? 4 : 2);
    require(!json || lines == counts.requests);
    require(counts.bad <= counts.requests);
    if (text)
        munmap(text, (size_t)len);
    close(in);
    close(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct tiny user, related;
    struct pz_err err = PZ_ERR_INIT;
    if (!user.builder)
        require(!tiny_open(&user, &tiny_user, &err) &&
                !tiny_open(&related, &tiny_related, &err));
    if (n)
        check_stream(data[0] & 32 ? &related : &user, data[0], data + 1, n - 1);
    return 0;
}
