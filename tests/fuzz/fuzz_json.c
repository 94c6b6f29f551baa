/*
 * What pz_json_parse accepts, cJSON accepts, and it reads back from its own text to the
 * same text; the scanner and pz_json_parse agree; what pz_json_add_string makes of any
 * bytes is JSON.
 */
#include <cjson/cJSON.h>

#include "base/json.h"
#include "fuzz.h"

/* Is the text JSON for the scanner alone; its tokens stay inside what they point to. */
static bool
scans(const char *text, size_t n)
{
    struct pz_scan scan;
    enum pz_tok tok;
    size_t before = 0;
    pz_scan_init(&scan);
    pz_scan_start(&scan, text, n);
    while ((tok = pz_scan_next(&scan)) != PZ_TOK_END && tok != PZ_TOK_ERROR) {
        require(scan.at > before && scan.at <= n && scan.start < scan.at);
        before = scan.at;
        if (tok == PZ_TOK_KEY || tok == PZ_TOK_STRING)
            require(pz_utf8_valid(scan.s, scan.len) == scan.len &&
                    (!scan.len || !memchr(scan.s, 0, scan.len)));
    }
    require((tok == PZ_TOK_ERROR) == (scan.error != NULL));
    pz_scan_start(&scan, text, n);
    bool skipped = pz_scan_skip(&scan, pz_scan_next(&scan));
    require(skipped || tok == PZ_TOK_ERROR);
    pz_scan_release(&scan);
    return tok == PZ_TOK_END;
}

static void
check_tree(const char *text, size_t n)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_buf one = PZ_BUF_INIT, two = PZ_BUF_INIT;
    pz_json *j = NULL, *again = NULL;
    int status = pz_json_parse(&j, text, n, &err);
    require(status == PZ_OK || status == PZ_DATA);
    bool clean = scans(text, n);
    if (status) {
        require(err.msg[0] != 0);
        /* Only these two are seen by pz_json_parse alone. */
        require(!clean || strstr(err.msg, "given twice") ||
                strstr(err.msg, "63 characters"));
        return;
    }
    require(clean);
    cJSON *bare = cJSON_ParseWithLengthOpts(text, n, NULL, 0);
    require(bare != NULL && cJSON_Compare(bare, j, 1));
    cJSON_Delete(bare);
    pz_json_add(&one, j);
    require(!pz_json_parse(&again, one.data, one.len, &err));
    pz_json_add(&two, again);
    require(one.len == two.len && memcmp(one.data, two.data, one.len) == 0);
    require(cJSON_Compare(j, again, 1));
    pz_json_free(j);
    pz_json_free(again);
    pz_buf_release(&one);
    pz_buf_release(&two);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct pz_buf b = PZ_BUF_INIT;
    check_tree((const char *)data, n);
    pz_json_add_string(&b, (const char *)data, n);
    require(scans(b.data, b.len) || (n && memchr(data, 0, n)));
    pz_buf_release(&b);
    return 0;
}
