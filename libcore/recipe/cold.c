#include "recipe/cold.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/mem.h"
#include "base/par.h"
#include "base/rng.h"
#include "math/keys.h"
#include "recipe/features.h"

enum { WARM = 5, BATCH = 256, FEATURES = 32, MAX_THREADS = 256 };
static const double POWER = 3, SHRINK = 0.2;

static const char what[] = "cold items";

/* ---- training ---- */

struct work {
    float *sum;
    uint32_t *touched;
    uint64_t *key;
};

struct job {
    const struct pz_csr *of; // features of items
    struct pz_csr with;      // warm items of features
    double gain;
    uint32_t *item; // cold ones
    size_t n;
    struct pz_drawn *order; // of these by their features
    uint32_t *like;         // n x PZ_COLD_LIKE, n_like of them
    float *weight;
    uint32_t *n_like;
    struct work work[MAX_THREADS];
};

/* The most alike warm items of cold item number c. */
static void
find_like(struct job *j, struct work *w, size_t c)
{
    const struct pz_csr *of = j->of, *with = &j->with;
    uint32_t i = j->item[c];
    size_t n = 0, len = 0;
    double all = 0;
    for (uint64_t e = of->offsets[i]; e < of->offsets[i + 1]; e++) {
        uint32_t f = of->col[e];
        for (uint64_t k = with->offsets[f]; k < with->offsets[f + 1]; k++) {
            uint32_t other = with->col[k];
            if (w->sum[other] == 0)
                w->touched[n++] = other;
            w->sum[other] += of->value[e] * with->value[k];
        }
    }
    for (size_t k = 0; k < n; k++) {
        uint32_t other = w->touched[k];
        if (w->sum[other] > 0)
            w->key[len++] = pz_key(w->sum[other], other);
        w->sum[other] = 0;
    }
    if (len > PZ_COLD_LIKE) {
        pz_keys_cut(w->key, len, PZ_COLD_LIKE);
        len = PZ_COLD_LIKE;
    }
    pz_keys_sort(w->key, len);
    for (size_t k = 0; k < len; k++)
        all += pow((double)pz_key_score(w->key[k]), POWER);
    for (size_t k = 0; k < len; k++) {
        double like = pow((double)pz_key_score(w->key[k]), POWER);
        j->like[c * PZ_COLD_LIKE + k] = pz_key_number(w->key[k]);
        j->weight[c * PZ_COLD_LIKE + k] = (float)(j->gain * like / (SHRINK + all));
    }
    j->n_like[c] = (uint32_t)len;
}

static bool
same_features(const struct pz_csr *of, uint32_t a, uint32_t b)
{
    uint64_t i = of->offsets[a], k = of->offsets[b], n = of->offsets[a + 1] - i;
    return of->offsets[b + 1] - k == n &&
           !memcmp(of->col + i, of->col + k, n * sizeof *of->col) &&
           !memcmp(of->value + i, of->value + k, n * sizeof *of->value);
}

/* Those of number c are those of number `from`. */
static void
copy_like(struct job *j, size_t from, size_t c)
{
    memcpy(j->like + c * PZ_COLD_LIKE, j->like + from * PZ_COLD_LIKE,
           PZ_COLD_LIKE * sizeof *j->like);
    memcpy(j->weight + c * PZ_COLD_LIKE, j->weight + from * PZ_COLD_LIKE,
           PZ_COLD_LIKE * sizeof *j->weight);
    j->n_like[c] = j->n_like[from];
}

static int
task(void *ctx, size_t at, int thread, struct pz_err *err)
{
    struct job *j = ctx;
    size_t end = (at + 1) * BATCH < j->n ? (at + 1) * BATCH : j->n;
    (void)err;
    for (size_t k = at * BATCH; k < end; k++) {
        size_t c = j->order[k].number;
        size_t last = k > at * BATCH ? j->order[k - 1].number : c;
        if (last != c && same_features(j->of, j->item[last], j->item[c]))
            copy_like(j, last, c);
        else
            find_like(j, &j->work[thread], c);
    }
    return PZ_OK;
}

static int
put(const struct job *j, struct pz_builder *b, struct pz_err *err)
{
    uint64_t *offsets = NULL, n = 0;
    uint32_t *like = NULL;
    float *weight = NULL;
    for (size_t c = 0; c < j->n; c++)
        n += j->n_like[c];
    if (pz_new(&offsets, j->n + 1, sizeof *offsets, what, err) ||
        pz_new(&like, n, sizeof *like, what, err) ||
        pz_new(&weight, n, sizeof *weight, what, err)) {
        free(offsets);
        free(like);
        return err->status;
    }
    for (size_t c = 0; c < j->n; c++) {
        memcpy(like + offsets[c], j->like + c * PZ_COLD_LIKE,
               j->n_like[c] * sizeof *like);
        memcpy(weight + offsets[c], j->weight + c * PZ_COLD_LIKE,
               j->n_like[c] * sizeof *weight);
        offsets[c + 1] = offsets[c] + j->n_like[c];
    }
    pz_builder_take1(b, "cold.offsets", PZ_U64, j->n + 1, offsets);
    pz_builder_take1(b, "cold.like", PZ_U32, n, like);
    pz_builder_take1(b, "cold.weight", PZ_F32, n, weight);
    return PZ_OK;
}

/* Leaves of each feature the items that others may be like. */
static void
keep_warm(struct pz_csr *with, const uint32_t *count)
{
    uint64_t n = 0, from = 0;
    for (size_t f = 0; f < with->n_rows; f++) {
        uint64_t to = with->offsets[f + 1];
        for (uint64_t k = from; k < to; k++)
            if (count[with->col[k]] >= WARM) {
                with->col[n] = with->col[k];
                with->value[n++] = with->value[k];
            }
        with->offsets[f + 1] = n;
        from = to;
    }
}

/* Many a catalogue has thousands of items that are described alike: they stand together
 * in j->order, and what they are like is found once for those of a task. */
static int
find_order(struct job *j, struct pz_err *err)
{
    const struct pz_csr *of = j->of;
    if (pz_new(&j->order, j->n, sizeof *j->order, what, err))
        return err->status;
    for (size_t c = 0; c < j->n; c++) {
        uint64_t from = of->offsets[j->item[c]], n = of->offsets[j->item[c] + 1] - from;
        uint64_t hash = XXH3_64bits(of->col + from, n * sizeof *of->col);
        hash = XXH3_64bits_withSeed(of->value + from, n * sizeof *of->value, hash);
        j->order[c] = (struct pz_drawn){hash, (uint32_t)c};
    }
    pz_drawn_sort(j->order, j->n);
    return PZ_OK;
}

/* Who is cold, and room for what is found. */
static int
set_up(struct job *j, const uint32_t *count, uint32_t n_items, int threads,
       struct pz_err *err)
{
    int status = pz_new(&j->item, n_items, sizeof *j->item, what, err);
    for (uint32_t i = 0; i < n_items && !status; i++)
        if (!count[i] && j->of->offsets[i] < j->of->offsets[i + 1])
            j->item[j->n++] = i;
    if (status || find_order(j, err) ||
        pz_new(&j->n_like, j->n, sizeof *j->n_like, what, err) ||
        pz_new(&j->like, j->n, PZ_COLD_LIKE * sizeof *j->like, what, err) ||
        pz_new(&j->weight, j->n, PZ_COLD_LIKE * sizeof *j->weight, what, err))
        return err->status;
    for (int t = 0; t < threads; t++)
        if (pz_new(&j->work[t].sum, n_items, sizeof(float), what, err) ||
            pz_new(&j->work[t].touched, n_items, sizeof(uint32_t), what, err) ||
            pz_new(&j->work[t].key, n_items, sizeof(uint64_t), what, err))
            return err->status;
    return PZ_OK;
}

static int
find_all(struct job *j, const uint32_t *count, const struct pz_train *t,
         struct pz_err *err)
{
    int threads = pz_threads(t->threads);
    int status = set_up(j, count, t->events->n_items, threads, err);
    if (!status)
        status = pz_par(threads, (j->n + BATCH - 1) / BATCH, task, j, err);
    if (!status && j->n)
        status = put(j, t->model, err);
    if (!status && j->n) {
        pz_builder_take1(t->model, "cold.item", PZ_U32, j->n, j->item);
        j->item = NULL;
    }
    for (int i = 0; i < threads; i++) {
        free(j->work[i].sum);
        free(j->work[i].touched);
        free(j->work[i].key);
    }
    free(j->item);
    free(j->order);
    free(j->like);
    free(j->weight);
    free(j->n_like);
    return status;
}

int
pz_cold_train(const struct pz_train *t, double gain, struct pz_err *err)
{
    struct pz_features_spec spec = {
        .sorts = PZ_FEATURE_ALL, .keep = FEATURES, .threads = t->threads};
    const struct pz_events *e = t->events;
    struct pz_features f = {0};
    struct job *j = NULL;
    uint32_t *count = NULL;
    if (!t->world->items)
        return PZ_OK;
    int status = pz_features_make(&f, t->world, &spec, err);
    if (!status)
        status = pz_new(&count, e->n_items, sizeof *count, what, err);
    for (uint64_t k = 0; k < e->n && !status; k++)
        count[e->item[k]] += count[e->item[k]] < UINT32_MAX;
    if (!status)
        status = pz_new(&j, 1, sizeof *j, what, err);
    if (!status) {
        keep_warm(&f.by_feature, count);
        j->of = &f.by_item;
        j->with = f.by_feature;
        j->gain = gain;
        status = find_all(j, count, t, err);
    }
    free(j);
    free(count);
    pz_features_release(&f);
    return status;
}

/* ---- answers ---- */

int
pz_cold_open(struct pz_cold *c, const struct pz_model *m, struct pz_err *err)
{
    const struct pz_tensors *f = &m->file;
    uint64_t n_offsets, n_like = UINT64_MAX;
    *c = (struct pz_cold){.n = 0};
    if (!pz_tensors_find(f, "cold.item"))
        return PZ_OK;
    c->n = UINT64_MAX;
    if (pz_tensors_get1(f, "cold.item", PZ_U32, &c->n, &c->item, err))
        return err->status;
    n_offsets = c->n + 1;
    if (pz_tensors_get1(f, "cold.offsets", PZ_U64, &n_offsets, &c->offsets, err) ||
        pz_tensors_get1(f, "cold.like", PZ_U32, &n_like, &c->like, err) ||
        pz_tensors_get1(f, "cold.weight", PZ_F32, &n_like, &c->weight, err))
        return err->status;
    for (uint64_t i = 0; i < c->n; i++)
        if (c->item[i] >= m->n_items || (i && c->item[i] <= c->item[i - 1]))
            return pz_tensors_bad(f, "cold.item", err, "entry %" PRIu64 " is wrong", i);
    for (uint64_t i = 0; i <= c->n; i++) {
        uint64_t from = i ? c->offsets[i - 1] : 0, to = c->offsets[i];
        if (to < from || to > n_like || to - from > (i ? PZ_COLD_LIKE : 0))
            return pz_tensors_bad(f, "cold.offsets", err, "entry %" PRIu64 " is wrong",
                                  i);
    }
    for (uint64_t i = 0; i < n_like; i++)
        if (c->like[i] >= m->n_items || !(fabsf(c->weight[i]) < 1e6f))
            return pz_tensors_bad(f, "cold.like", err, "entry %" PRIu64 " is wrong", i);
    return PZ_OK;
}

void
pz_cold_apply(const struct pz_cold *c, float *score)
{
    for (uint64_t i = 0; i < c->n; i++) {
        float x = 0;
        for (uint64_t k = c->offsets[i]; k < c->offsets[i + 1]; k++)
            x += c->weight[k] * score[c->like[k]];
        score[c->item[i]] = x; // none of them is like another
    }
}

uint64_t
pz_cold_find(const struct pz_cold *c, uint32_t item)
{
    uint64_t lo = 0, hi = c->n;
    while (lo < hi) {
        uint64_t mid = lo + (hi - lo) / 2;
        if (c->item[mid] < item)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < c->n && c->item[lo] == item ? lo : c->n;
}
