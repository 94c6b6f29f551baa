#include "eval/metrics.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/json.h"
#include "base/mem.h"
#include "base/num.h"
#include "base/order.h"

static const struct {
    const char *name, *long_name;
} measure[PZ_N_MEASURES] = {
    [PZ_M_HIT_RATE] = {"hr", "hit_rate"},
    [PZ_M_PRECISION] = {"precision", "precision"},
    [PZ_M_RECALL] = {"recall", "recall"},
    [PZ_M_CAPPED_RECALL] = {"crecall", "capped_recall"},
    [PZ_M_MRR] = {"mrr", "mean_reciprocal_rank"},
    [PZ_M_NDCG] = {"ndcg", "normalized_discounted_cumulative_gain"},
    [PZ_M_MAP] = {"map", "mean_average_precision"},
    [PZ_M_POPULARITY] = {"popularity", "average_popularity"},
    [PZ_M_NOVELTY] = {"novelty", "novelty"},
    [PZ_M_DIVERSITY] = {"diversity", "intra_list_diversity"},
    [PZ_M_REWARD] = {"reward", "average_reward"},
    [PZ_M_REWARDS] = {"rewards", "average_rewards"},
    [PZ_M_WEIGHTED_NDCG] = {"wndcg",
                            "normalized_discounted_cumulative_gain_with_event_weights"},
    [PZ_M_COVERAGE] = {"coverage", "coverage"},
    [PZ_M_GINI] = {"gini", "gini"},
};

const char *
pz_measure_name(enum pz_measure m)
{
    return measure[m].name;
}

void
pz_measure_long_name(struct pz_buf *out, enum pz_measure m, uint32_t k)
{
    pz_buf_addf(out, "%s_at_%u", measure[m].long_name, k);
}

int
pz_measure_parse(enum pz_measure *m, const char *name, size_t n, struct pz_err *err)
{
    struct pz_buf all = PZ_BUF_INIT;
    for (int i = 0; i < PZ_N_MEASURES; i++)
        if (strlen(measure[i].name) == n && memcmp(measure[i].name, name, n) == 0) {
            *m = (enum pz_measure)i;
            return PZ_OK;
        }
    for (int i = 0; i < PZ_N_MEASURES; i++)
        pz_buf_addf(&all, "%s%s", i ? ", " : "", measure[i].name);
    for (int i = PZ_FIRST_SPECIAL; i < PZ_N_METRICS; i++)
        pz_buf_addf(&all, ", %s", pz_metric_name((enum pz_metric)i));
    if (pz_buf_status(&all, "a message", err) == PZ_OK)
        pz_err_set(err, PZ_USAGE, "unknown metric '%.*s': the metrics are %s", (int)n,
                   name, all.data);
    pz_buf_release(&all);
    return err->status;
}

/* ---- the K's ---- */

int
pz_at_init(struct pz_at *at, const uint32_t *k, size_t n, struct pz_err *err)
{
    *at = (struct pz_at){.n = 0};
    memcpy(at->k, k, n * sizeof *k);
    at->n = pz_distinct_u32(at->k, n);
    at->most = at->n ? at->k[at->n - 1] : 0;
    if (pz_new(&at->gain, (size_t)at->most + 1, sizeof *at->gain, "metrics", err) ||
        pz_new(&at->ideal, (size_t)at->most + 1, sizeof *at->ideal, "metrics", err)) {
        pz_at_release(at);
        return err->status;
    }
    for (uint32_t r = 1; r <= at->most; r++) {
        at->gain[r] = 1 / log2(1 + (double)r);
        at->ideal[r] = at->ideal[r - 1] + at->gain[r];
    }
    return PZ_OK;
}

int
pz_at_parse(struct pz_at *at, const char *text, struct pz_err *err)
{
    uint32_t k[PZ_MAX_AT];
    size_t n = 0;
    for (const char *s = text;; s++) {
        size_t len = strcspn(s, ",");
        int64_t value;
        enum pz_num bad = pz_parse_i64(s, len, &value);
        if (bad || value < 1 || value > PZ_MAX_K)
            return pz_err_set(err, PZ_USAGE, "'%s': '%.*s' %s", text, (int)len, s,
                              bad ? pz_num_text(bad) : "is not within 1 to 10000");
        if (n == PZ_MAX_AT)
            return pz_err_set(err, PZ_USAGE, "'%s' has over %d numbers", text, PZ_MAX_AT);
        k[n++] = (uint32_t)value;
        s += len;
        if (!*s)
            break;
    }
    return pz_at_init(at, k, n, err);
}

void
pz_at_release(struct pz_at *at)
{
    free(at->gain);
    free(at->ideal);
    *at = (struct pz_at){.n = 0};
}

/* ---- values ---- */

double
pz_measure(const struct pz_at *at, enum pz_measure m, uint32_t k, const uint32_t *rank,
           size_t n, size_t n_relevant)
{
    size_t n_hits = 0, most = n_relevant < k ? n_relevant : k;
    double sum = 0;
    while (n_hits < n && rank[n_hits] <= k)
        n_hits++;
    switch (m) {
    case PZ_M_HIT_RATE:
        return n_hits > 0;
    case PZ_M_PRECISION:
        return (double)n_hits / k;
    case PZ_M_RECALL:
        return (double)n_hits / (double)n_relevant;
    case PZ_M_CAPPED_RECALL:
        return (double)n_hits / (double)most;
    case PZ_M_MRR:
        return n_hits ? 1 / (double)rank[0] : 0;
    case PZ_M_NDCG:
        for (size_t i = 0; i < n_hits; i++)
            sum += at->gain[rank[i]];
        return sum / at->ideal[most];
    case PZ_M_MAP:
        for (size_t i = 0; i < n_hits; i++)
            sum += (double)(i + 1) / rank[i];
        return sum / (double)most;
    default:
        return 0;
    }
}

double
pz_gini(uint32_t *count, size_t n)
{
    double sum = 0, weighted = 0;
    qsort(count, n, sizeof *count, pz_order_u32);
    for (size_t i = 0; i < n; i++) {
        sum += count[i];
        weighted += (2 * (double)(i + 1) - (double)n - 1) * count[i];
    }
    return sum > 0 ? weighted / ((double)n * sum) : 0;
}

/* ---- Amazon's ---- */

#define WEIGHTED "normalized_discounted_cumulative_gain_with_event_weights_at_"

static const struct {
    const char *name;
    enum pz_measure measure;
    uint32_t k;
} metric[PZ_N_METRICS] = {
    [PZ_COVERAGE] = {"coverage", PZ_M_COVERAGE, 25},
    [PZ_MRR_25] = {"mean_reciprocal_rank_at_25", PZ_M_MRR, 25},
    [PZ_NDCG_5] = {"normalized_discounted_cumulative_gain_at_5", PZ_M_NDCG, 5},
    [PZ_NDCG_10] = {"normalized_discounted_cumulative_gain_at_10", PZ_M_NDCG, 10},
    [PZ_NDCG_25] = {"normalized_discounted_cumulative_gain_at_25", PZ_M_NDCG, 25},
    [PZ_PRECISION_5] = {"precision_at_5", PZ_M_PRECISION, 5},
    [PZ_PRECISION_10] = {"precision_at_10", PZ_M_PRECISION, 10},
    [PZ_PRECISION_25] = {"precision_at_25", PZ_M_PRECISION, 25},
    [PZ_REWARD_25] = {"average_reward_at_25", PZ_M_REWARD, 25},
    [PZ_REWARDS] = {"average_rewards_at_k", PZ_M_REWARDS, 25},
    [PZ_WEIGHTED_NDCG_5] = {WEIGHTED "5", PZ_M_WEIGHTED_NDCG, 5},
    [PZ_WEIGHTED_NDCG_10] = {WEIGHTED "10", PZ_M_WEIGHTED_NDCG, 10},
    [PZ_WEIGHTED_NDCG_25] = {WEIGHTED "25", PZ_M_WEIGHTED_NDCG, 25},
    [PZ_TREND_ACCURACY] = {"trend_prediction_accuracy", PZ_N_MEASURES, 25},
    [PZ_ITEM_POPULARITY] = {"item_popularity", PZ_N_MEASURES, 25},
    [PZ_ITEM_FRESHNESS] = {"item_freshness", PZ_N_MEASURES, 25},
    [PZ_ITEM_SIMILARITY] = {"item_similarity", PZ_N_MEASURES, 25},
};

const char *
pz_metric_name(enum pz_metric m)
{
    return metric[m].name;
}

enum pz_measure
pz_metric_measure(enum pz_metric m, uint32_t *k)
{
    *k = metric[m].k;
    return metric[m].measure;
}

struct pz_metrics
pz_metrics_none(void)
{
    struct pz_metrics none = {.n_users = 0};
    for (int i = 0; i < PZ_N_METRICS; i++)
        none.value[i] = NAN;
    return none;
}

void
pz_metrics_json(const struct pz_metrics *m, struct pz_buf *out)
{
    const char *between = "";
    pz_buf_addc(out, '{');
    for (int i = 0; i < PZ_N_METRICS; i++) {
        if (isnan(m->value[i]))
            continue;
        pz_buf_addf(out, "%s\"%s\":", between, metric[i].name);
        pz_json_add_f64(out, m->value[i]);
        between = ",";
    }
    pz_buf_addc(out, '}');
}
