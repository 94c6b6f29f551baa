/*
 * Any bytes as a truth and as ranked lists: what stands before the first line "--" and
 * behind it. Whatever they are, there is a message, or every value is between 0 and 1 and
 * bounded by others as their definitions say.
 */
#include <math.h>
#include <stdio.h>

#include "eval/lists.h"
#include "fuzz.h"

/* A file with these bytes, and its name. */
static int
named(char path[64], const uint8_t *data, size_t n)
{
    int fd = file_of(data, n);
    snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

static void
check(const struct pz_compared *o, const struct pz_at *at)
{
    for (size_t c = 0; c < o->n_cases; c++) {
        const double *v = o->value[0] + c * o->n_values;
        for (size_t i = 0; i < at->n; i++) {
            for (size_t m = 0; m < PZ_N_RANK_MEASURES; m++)
                require(v[m * at->n + i] >= 0 && v[m * at->n + i] <= 1 + 1e-12);
            double hit = v[PZ_M_HIT_RATE * at->n + i];
            double mrr = v[PZ_M_MRR * at->n + i], recall = v[PZ_M_RECALL * at->n + i];
            require(mrr <= hit && recall <= v[PZ_M_CAPPED_RECALL * at->n + i]);
            require((hit > 0) == (recall > 0) && (hit > 0) == (mrr > 0));
        }
        for (size_t m = 0; m < PZ_M_MRR; m++) // longer lists find no less
            if (m != PZ_M_PRECISION && m != PZ_M_CAPPED_RECALL)
                require(v[m * at->n] <= v[m * at->n + 1]);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const uint32_t k[] = {1, 5};
    struct pz_err err = PZ_ERR_INIT;
    struct pz_compared o;
    struct pz_lists names;
    struct pz_at at;
    char truth[64], lists[64];
    const char *file = lists;
    const uint8_t *cut = n ? memmem(data, n, "--\n", 3) : NULL;
    size_t n_truth = cut ? (size_t)(cut - data) : n, from = cut ? n_truth + 3 : n;
    int a = named(truth, data, n_truth), b = named(lists, data + from, n - from);
    require(pz_at_init(&at, k, 2, &err) == PZ_OK);
    if (pz_lists_compare(&o, &names, truth, &file, 1, &at, 0, 1, &err) == PZ_OK) {
        check(&o, &at);
        pz_compared_release(&o);
        pz_lists_release(&names);
    } else {
        require(err.msg[0] && (err.status == PZ_DATA || err.status == PZ_SYSTEM));
    }
    pz_at_release(&at);
    close(a);
    close(b);
    return 0;
}
