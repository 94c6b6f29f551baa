#include "eval/shown.h"

#include <string.h>

#include "base/num.h"

/* The columns of the tables that each protocol is known from, and what `--at` or bare
 * names stand for. */
static const struct {
    const char *metrics, *names, *at;
} usual[PZ_N_PROTOCOLS] = {
    [PZ_AWS] = {"mrr@25,ndcg@5,ndcg@10,ndcg@25,precision@5,precision@10,precision@25,"
                "coverage@25",
                "mrr,ndcg,precision,coverage", "5,10,25"},
    [PZ_LOO] = {"hr@10,ndcg@10,mrr@10,coverage@10", "hr,ndcg,mrr,coverage", "10"},
    [PZ_STRONG] = {"crecall@20,crecall@50,ndcg@100,coverage@20", "crecall,ndcg,coverage",
                   "20,50,100"},
    [PZ_SPLIT] = {"recall@20,ndcg@20,hr@20,coverage@20", "recall,ndcg,hr,coverage", "20"},
    [PZ_TIME] = {"hr@10,recall@10,ndcg@10,mrr@10,coverage@10",
                 "hr,recall,ndcg,mrr,coverage", "10"},
    [PZ_NCF] = {"hr@10,ndcg@10,mrr@10", "hr,ndcg,mrr", "10"},
};

static int
show(struct pz_shown *s, enum pz_measure m, uint32_t k, struct pz_err *err)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->item[i].measure == m && s->item[i].k == k)
            return PZ_OK;
    if (s->n == PZ_MAX_SHOWN)
        return pz_err_set(err, PZ_USAGE, "over %d metrics", PZ_MAX_SHOWN);
    s->item[s->n].measure = m;
    s->item[s->n++].k = k;
    return PZ_OK;
}

/* One word of the list, `s` of length n; *bare when it takes the K's of `at`. */
static int
show_word(struct pz_shown *s, const char *word, size_t n, const struct pz_at *at,
          bool *bare, struct pz_err *err)
{
    const char *sign = memchr(word, '@', n);
    enum pz_measure m;
    int64_t k;
    for (int i = 0; i < PZ_N_SPECIAL; i++) {
        const char *name = pz_metric_name((enum pz_metric)(PZ_FIRST_SPECIAL + i));
        size_t len = strlen(name);
        if (len > n || memcmp(name, word, len) != 0 || (len < n && word[len] != '@'))
            continue;
        if (len < n)
            return pz_err_set(err, PZ_USAGE, "metric '%.*s': %s is of no list length",
                              (int)n, word, name);
        s->special[i] = true;
        return PZ_OK;
    }
    if (pz_measure_parse(&m, word, sign ? (size_t)(sign - word) : n, err))
        return err->status;
    if (!sign) {
        *bare = true;
        for (size_t i = 0; i < at->n; i++)
            if (show(s, m, at->k[i], err))
                return err->status;
        return PZ_OK;
    }
    enum pz_num bad = pz_parse_i64(sign + 1, n - (size_t)(sign + 1 - word), &k);
    if (bad || k < 1 || k > PZ_MAX_K)
        return pz_err_set(err, PZ_USAGE, "metric '%.*s': the number %s", (int)n, word,
                          bad ? pz_num_text(bad) : "is not within 1 to 10000");
    return show(s, m, (uint32_t)k, err);
}

/* All K's that are shown, or `most` when there are none, and the columns that they come
 * to. */
static int
place(struct pz_shown *s, uint32_t most, struct pz_err *err)
{
    uint32_t k[PZ_MAX_AT] = {most};
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++) {
        size_t j = 0;
        while (j < n && k[j] != s->item[i].k)
            j++;
        if (j < n)
            continue;
        if (n == PZ_MAX_AT)
            return pz_err_set(err, PZ_USAGE, "over %d different K's", PZ_MAX_AT);
        k[n++] = s->item[i].k;
    }
    int r = pz_at_init(&s->at, k, n ? n : 1, err);
    for (size_t i = 0; r == PZ_OK && i < s->n; i++) {
        size_t j = 0;
        while (s->at.k[j] != s->item[i].k)
            j++;
        s->item[i].column = s->item[i].measure * s->at.n + j;
    }
    return r;
}

static int
show_words(struct pz_shown *s, const char *words, const struct pz_at *at, bool *bare,
           struct pz_err *err)
{
    for (const char *w = words;; w++) {
        size_t n = strcspn(w, ",");
        if (show_word(s, w, n, at, bare, err))
            return err->status;
        w += n;
        if (!*w)
            return PZ_OK;
    }
}

int
pz_shown_init(struct pz_shown *s, const char *metrics, const char *more, const char *at,
              enum pz_protocol protocol, struct pz_err *err)
{
    struct pz_at all;
    const char *words = metrics;
    *s = (struct pz_shown){.n = 0};
    for (int i = 0; i < PZ_N_SPECIAL; i++)
        s->special[i] = !metrics;
    if (!metrics)
        words = at ? usual[protocol].names : usual[protocol].metrics;
    if (pz_at_parse(&all, at ? at : usual[protocol].at, err))
        return pz_err_prefix(err, "--at ");
    bool bare = false;
    int r = show_words(s, words, &all, &bare, err);
    if (r == PZ_OK && at && !bare)
        r = pz_err_set(err, PZ_USAGE,
                       "--at %s: all of --metrics have lengths of their own", at);
    if (r == PZ_OK && more && !metrics) {
        struct pz_at greatest = {.k = {all.most}, .n = 1};
        r = show_words(s, more, &greatest, &bare, err);
    }
    uint32_t most = all.most;
    pz_at_release(&all);
    return r ? r : place(s, most, err);
}

void
pz_shown_release(struct pz_shown *s)
{
    pz_at_release(&s->at);
    s->n = 0;
}
