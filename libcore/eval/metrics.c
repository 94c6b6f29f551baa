#include "eval/metrics.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/num.h"

enum kind { COVERAGE, MRR, NDCG, PRECISION };

static const struct {
    const char *name;
    enum kind kind;
    size_t k;
} metric[PZ_N_METRICS] = {
    [PZ_COVERAGE] = {"coverage", COVERAGE, 0},
    [PZ_MRR_25] = {"mean_reciprocal_rank_at_25", MRR, 25},
    [PZ_NDCG_5] = {"normalized_discounted_cumulative_gain_at_5", NDCG, 5},
    [PZ_NDCG_10] = {"normalized_discounted_cumulative_gain_at_10", NDCG, 10},
    [PZ_NDCG_25] = {"normalized_discounted_cumulative_gain_at_25", NDCG, 25},
    [PZ_PRECISION_5] = {"precision_at_5", PRECISION, 5},
    [PZ_PRECISION_10] = {"precision_at_10", PRECISION, 10},
    [PZ_PRECISION_25] = {"precision_at_25", PRECISION, 25},
};

const char *
pz_metric_name(enum pz_metric m)
{
    return metric[m].name;
}

static bool
contains(const uint32_t *sorted, size_t n, uint32_t x)
{
    size_t lo = 0;
    while (n > 0) {
        size_t half = n / 2;
        if (sorted[lo + half] < x) {
            lo += half + 1;
            n -= half + 1;
        } else if (sorted[lo + half] == x) {
            return true;
        } else {
            n = half;
        }
    }
    return false;
}

static double
gain(size_t rank)
{
    return 1 / log2(1 + (double)rank);
}

/* hit[0..n): is the one at rank i+1 relevant? */
static double
value_of(enum kind kind, size_t k, const bool *hit, size_t n, size_t n_relevant)
{
    double sum = 0, ideal = 0;
    switch (kind) {
    case COVERAGE:
        return 0;
    case MRR:
        for (size_t i = 0; i < n && i < k; i++)
            if (hit[i])
                return 1 / (double)(i + 1);
        return 0;
    case NDCG:
        for (size_t i = 0; i < k; i++) {
            sum += i < n && hit[i] ? gain(i + 1) : 0;
            ideal += i < n_relevant ? gain(i + 1) : 0;
        }
        return ideal > 0 ? sum / ideal : 0;
    case PRECISION:
        for (size_t i = 0; i < n && i < k; i++)
            sum += hit[i];
        return sum / (double)k;
    }
    return 0;
}

void
pz_metrics_of(double value[PZ_N_METRICS], const uint32_t *list, size_t n_list,
              const uint32_t *relevant, size_t n_relevant)
{
    bool hit[PZ_METRICS_LIST] = {false};
    size_t n = n_list < PZ_METRICS_LIST ? n_list : PZ_METRICS_LIST;
    for (size_t i = 0; i < n; i++)
        hit[i] = contains(relevant, n_relevant, list[i]);
    for (int m = 0; m < PZ_N_METRICS; m++)
        value[m] = value_of(metric[m].kind, metric[m].k, hit, n, n_relevant);
}

void
pz_metrics_json(const struct pz_metrics *m, struct pz_buf *out)
{
    pz_buf_addc(out, '{');
    for (int i = 0; i < PZ_N_METRICS; i++) {
        char text[PZ_NUM_TEXT];
        pz_format_f64(text, m->value[i]);
        pz_buf_addf(out, "%s\"%s\":%s", i ? "," : "", metric[i].name, text);
    }
    pz_buf_addc(out, '}');
}
