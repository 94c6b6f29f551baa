/* The files of the console, in the program as they are in the source. */
#include <stdio.h>
#include <string.h>

#include <xxhash.h>

#include "serve/console.h"

/* The assembler reads a file of the source tree, as the compiler is started at its top.
 */
#define EMBED(name, path)                                                                \
    __asm__(".pushsection .rodata\n" #name ":\n.incbin \"libcore/serve/console/" path    \
            "\"\n" #name "_end:\n.popsection\n");                                        \
    extern const char name[] __attribute__((visibility("hidden"))),                      \
        name##_end[] __attribute__((visibility("hidden")))

EMBED(pz_page_html, "page.html");
EMBED(pz_page_css, "page.css");
EMBED(pz_ui_js, "ui.js");
EMBED(pz_page_js, "page.js");
EMBED(pz_overview_js, "overview.js");
EMBED(pz_models_js, "models.js");
EMBED(pz_import_js, "import.js");
EMBED(pz_put_js, "put.js");
EMBED(pz_recommend_js, "recommend.js");
EMBED(pz_filters_js, "filters.js");
EMBED(pz_events_js, "events.js");

#define SCRIPT(name)                                                                     \
    {                                                                                    \
        "/console/" #name ".js", "text/javascript; charset=utf-8", pz_##name##_js,       \
            pz_##name##_js_end                                                           \
    }
static const struct file {
    const char *path, *type, *from, *end;
} files[] = {
    {"/", "text/html; charset=utf-8", pz_page_html, pz_page_html_end},
    {"/console/page.css", "text/css; charset=utf-8", pz_page_css, pz_page_css_end},
    SCRIPT(ui),
    SCRIPT(page),
    SCRIPT(overview),
    SCRIPT(models),
    SCRIPT(import),
    SCRIPT(put),
    SCRIPT(recommend),
    SCRIPT(filters),
    SCRIPT(events),
};

/* Nothing but these files and this server; no inline script or style; in no frame. */
static const struct {
    const char *name, *value;
} headers[] = {
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
     "img-src data:"},
    {"Content-Security-Policy",
     "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"Referrer-Policy", "no-referrer"},
    {"Cache-Control", "no-cache"},
};

enum pz_http_when
pz_console_file(struct pz_call *call)
{
    struct pz_http_call *http = call->http;
    const struct file *f = files;
    const char *have = pz_http_header(http, "If-None-Match");
    char tag[32];
    while (strcmp(f->path, call->route->path) != 0)
        f++;
    size_t n = (size_t)(f->end - f->from);
    snprintf(tag, sizeof tag, "\"%016llx\"", (unsigned long long)XXH3_64bits(f->from, n));
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        pz_http_add_header(http, headers[i].name, headers[i].value);
    pz_http_add_header(http, "ETag", tag);
    http->type = f->type;
    http->status = have && strstr(have, tag) ? 304 : 200;
    if (http->status == 200)
        pz_buf_add(&http->out, f->from, n);
    return PZ_HTTP_NOW;
}
