/*
 * Any bytes as a stream of answers. The first byte chooses the filter and the options.
 * Every line that comes out is, for text, a line that went in; for JSON, JSON, and one a
 * line. The counts agree. With a filter that keeps all, JSON answers come out with what
 * they had.
 */
#include "base/json.h"
#include "filter_world.h"
#include "fuzz.h"
#include "infer/sieve.h"

static bool
is_json(const char *s, size_t n)
{
    struct pz_scan scan;
    enum pz_tok tok;
    pz_scan_init(&scan);
    pz_scan_start(&scan, s, n);
    do
        tok = pz_scan_next(&scan);
    while (tok != PZ_TOK_END && tok != PZ_TOK_ERROR);
    pz_scan_release(&scan);
    return tok == PZ_TOK_END || memmem(s, n, "\\u0000", 6);
}

/* Checks each line of the output; returns how many there are. */
static size_t
check_lines(const char *s, size_t n, bool json, bool explain, const uint8_t *in,
            size_t n_in)
{
    size_t lines = 0;
    for (size_t at = 0; at < n; lines++) {
        const char *nl = memchr(s + at, '\n', n - at);
        require(nl != NULL);
        size_t len = (size_t)(nl - (s + at));
        if (explain)
            require(memmem(s + at, len, "\tkept\t", 6) ||
                    memmem(s + at, len, "\tdropped\t", 9));
        else if (json)
            require(is_json(s + at, len));
        else
            require(memmem(in, n_in, s + at, len) != NULL);
        at += len + 1;
    }
    return lines;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char *const texts[] = {
        "EXCLUDE ItemID WHERE Items.PRICE > 1000000",
        "INCLUDE ItemID WHERE Items.PRICE < $P",
        "EXCLUDE ItemID WHERE Interactions.EVENT_TYPE IN (\"*\")",
        "INCLUDE ItemID WHERE Items.GENRES IN CurrentItem.GENRES",
    };
    static struct pz_filter_group group;
    static struct pz_filter *filter[4];
    struct pz_err err = PZ_ERR_INIT;
    for (int i = 0; i < 4 && !filter[i]; i++) {
        struct pz_filter_options o = {0};
        require(group.data.set[PZ_ITEMS] || !world_open(&group, &err));
        require(!pz_filter_compile(&filter[i], texts[i], strlen(texts[i]), &group.data,
                                   &o, &err));
    }
    if (n < 1)
        return 0;
    uint8_t choice = data[0];
    data++;
    n--;
    int in = file_of(data, n), out = file_of(data, 0);
    const struct pz_filter_value value = {"P", 1, "20", 2};
    struct pz_sieve_counts counts;
    struct pz_sieve s = {.filter = filter[choice & 3],
                         .value = &value,
                         .n_values = (choice & 3) == 1 && choice & 4,
                         .n = choice & 8 ? 2 : SIZE_MAX,
                         .user = {choice & 16 ? "u1" : NULL, 2},
                         .explain = choice & 32,
                         .out = out};
    bool json = starts_json(data, n);
    int status = pz_sieve_stream(&s, in, &counts, &err);
    require(!status || (status == PZ_DATA && !json && err.msg[0]));
    off_t len = lseek(out, 0, SEEK_END);
    require(len >= 0);
    char *text = len ? mmap(NULL, (size_t)len, PROT_READ, MAP_PRIVATE, out, 0) : NULL;
    require(text != MAP_FAILED);
    size_t lines = check_lines(text, (size_t)len, json, s.explain, data, n);
    require(counts.kept <= counts.items && counts.bad <= counts.lines);
    if (json && !s.explain)
        require(lines == counts.lines);
    if (!(choice & 3) && s.n == SIZE_MAX)
        require(counts.kept == counts.items);
    if (text)
        munmap(text, (size_t)len);
    close(in);
    close(out);
    return 0;
}
