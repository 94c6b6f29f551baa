/*
 * A schema that is accepted has a canonical text which is accepted as the same schema,
 * and may replace itself; one that a domain accepts, no domain accepts too. The first
 * byte picks dataset type and domain, the rest is the text. The same bytes, cut at commas
 * and lines, make a header and a sample: what is inferred is accepted as a schema.
 */
#include "data/schema.h"
#include "fuzz.h"

static void
check_schema(const struct pz_schema *s, enum pz_domain domain)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_buf one = PZ_BUF_INIT, two = PZ_BUF_INIT;
    struct pz_schema again;
    pz_schema_text(s, &one);
    require(!pz_schema_parse(&again, s->set, domain, one.data, one.len, &err));
    pz_schema_text(&again, &two);
    require(one.len == two.len && memcmp(one.data, two.data, one.len) == 0);
    require(memcmp(s->at, again.at, sizeof s->at) == 0 && s->domain == again.domain);
    require(!pz_schema_replaces(s, &again, &err));
    for (size_t i = 0; i < s->n_fields; i++)
        require(pz_schema_find(s, s->field[i].name, strlen(s->field[i].name)) == (int)i);
    pz_schema_release(&again);
    pz_buf_release(&one);
    pz_buf_release(&two);
}

static void
check_text(enum pz_set set, enum pz_domain domain, const char *text, size_t n)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_schema s;
    int status = pz_schema_parse(&s, set, domain, text, n, &err);
    if (status) {
        require(err.msg[0] && !s.field && (status == PZ_DATA || status == PZ_USAGE));
        return;
    }
    check_schema(&s, domain);
    pz_schema_release(&s);
    if (domain != PZ_CUSTOM) {
        require(!pz_schema_parse(&s, set, PZ_CUSTOM, text, n, &err));
        pz_schema_release(&s);
    }
}

static void
check_sample(enum pz_set set, char *text)
{
    enum { MAX = 256 };
    const char *name[8], *cell[MAX];
    size_t n_names = 0, n_cells = 0;
    char *line = strsep(&text, "\n");
    for (char *s; n_names < 8 && (s = strsep(&line, ",")) != NULL;)
        name[n_names++] = s;
    for (char *s; n_cells < MAX && (s = strsep(&text, ",\n")) != NULL;)
        cell[n_cells++] = s;
    struct pz_err err = PZ_ERR_INIT;
    struct pz_schema s;
    if (pz_schema_infer(&s, set, name, n_names, cell, n_cells / n_names, &err)) {
        require(err.msg[0] && !s.field);
        return;
    }
    check_schema(&s, PZ_CUSTOM);
    pz_schema_release(&s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0)
        return 0;
    enum pz_set set = (enum pz_set)(data[0] % PZ_N_SETS);
    enum pz_domain domain = (enum pz_domain)(data[0] / PZ_N_SETS % 3);
    char *text = malloc(n);
    if (!text)
        return 0;
    memcpy(text, data + 1, n - 1);
    text[n - 1] = 0;
    check_text(set, domain, text, n - 1);
    check_sample(set, text);
    free(text);
    return 0;
}
