#include "recipe/interest.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/order.h"
#include "math/kernels.h"

int
pz_interest_ask_new(struct pz_interest_ask *a, const struct pz_interest *x,
                    struct pz_err *err)
{
    static const char what[] = "a question";
    *a = (struct pz_interest_ask){.x = x};
    if (pz_new(&a->asked, x->n_items, sizeof *a->asked, what, err) ||
        pz_new(&a->near, x->n_items, sizeof *a->near, what, err) ||
        pz_new(&a->content, x->n_items, sizeof *a->content, what, err) ||
        pz_new(&a->trait, x->trait.n, sizeof *a->trait, what, err) ||
        pz_new(&a->weight, x->content.n, sizeof *a->weight, what, err) ||
        pz_new_aligned(&a->packed, PZ_PACK * x->d, sizeof *a->packed, what, err))
        pz_interest_ask_release(a);
    return err->status;
}

void
pz_interest_ask_release(struct pz_interest_ask *a)
{
    void *owned[] = {a->about,   a->asked,  a->near,  a->content, a->trait,   a->weight,
                     a->touched, a->vector, a->tiled, a->packed,  a->product, a->facet};
    for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
        free(owned[i]);
    *a = (struct pz_interest_ask){0};
}

/* ---- what an event says for the items asked about ---- */

static int
damaged(const struct pz_interest *x, const char *tensor, struct pz_err *err)
{
    return pz_tensors_bad(x->file, tensor, err, "an index is out of bounds");
}

static int
touch(struct pz_interest_ask *a, uint32_t item, struct pz_err *err)
{
    if (a->near[item] != 0 || a->content[item] != 0)
        return PZ_OK;
    if (pz_grow(&a->touched, &a->cap_touched, a->n_touched + 1, sizeof *a->touched,
                "a question", err))
        return err->status;
    a->touched[a->n_touched++] = item;
    return PZ_OK;
}

static int
add_near(struct pz_interest_ask *a, uint32_t item, struct pz_err *err)
{
    const struct pz_interest *x = a->x;
    uint64_t from, to;
    if (!pz_facet_row(x->near_offsets, item, x->n_near, &from, &to))
        return damaged(x, "near.offsets", err);
    for (uint64_t k = from; k < to; k++) {
        uint32_t h = x->near_item[k];
        if (h >= x->n_items)
            return damaged(x, "near.item", err);
        if (touch(a, h, err))
            return err->status;
        a->near[h] += x->near_share[k];
    }
    return PZ_OK;
}

/* Categories of an item: facets marked so; and the sum of their weights. */
static int
count_categories(const struct pz_interest_ask *a, uint32_t item, size_t *n, float *sum,
                 struct pz_err *err)
{
    const struct pz_facet_view *v = &a->x->content;
    uint64_t from, to;
    *n = 0;
    *sum = 0;
    if (!pz_facet_row(v->of_offsets, item, v->n_entries, &from, &to))
        return damaged(a->x, "content.of.offsets", err);
    for (uint64_t k = from; k < to; k++) {
        uint32_t f = v->of[k];
        if (f >= v->n)
            return damaged(a->x, "content.of", err);
        if (v->category[f]) {
            ++*n;
            *sum += a->weight[f];
        }
    }
    return PZ_OK;
}

/* How many of the items asked about are in each facet. */
static int
weigh_facets(struct pz_interest_ask *a, struct pz_err *err)
{
    const struct pz_facet_view *v = &a->x->content;
    uint64_t from, to;
    float sum;
    size_t n;
    for (size_t i = 0; i < a->n_about; i++) {
        if (count_categories(a, a->about[i], &n, &sum, err) ||
            pz_grow(&a->facet, &a->cap_facet, a->n_facets + n + 1, sizeof *a->facet,
                    "a question", err))
            return err->status;
        pz_facet_row(v->of_offsets, a->about[i], v->n_entries, &from, &to);
        for (uint64_t k = from; k < to; k++) {
            if (!v->category[v->of[k]])
                continue;
            if (a->weight[v->of[k]] == 0)
                a->facet[a->n_facets++] = v->of[k];
            a->weight[v->of[k]] += 1;
        }
    }
    return PZ_OK;
}

/* Each item gets the mean of the weights of its categories. */
static int
list_content(struct pz_interest_ask *a, struct pz_err *err)
{
    const struct pz_facet_view *v = &a->x->content;
    uint64_t from, to;
    float sum;
    size_t n;
    for (size_t i = 0; i < a->n_facets; i++) {
        pz_facet_row(v->in_offsets, a->facet[i], v->n_entries, &from, &to);
        for (uint64_t k = from; k < to; k++) {
            if (v->in[k] >= a->x->n_items)
                return damaged(a->x, "content.in", err);
            if (touch(a, v->in[k], err))
                return err->status;
            if (a->content[v->in[k]] != 0)
                continue;
            if (count_categories(a, v->in[k], &n, &sum, err))
                return err->status;
            a->content[v->in[k]] = n ? sum / (float)n : 0;
        }
    }
    return PZ_OK;
}

/* weight[f]: the share of the facet's items that are asked about. */
static int
add_content(struct pz_interest_ask *a, struct pz_err *err)
{
    const struct pz_interest *x = a->x;
    const struct pz_facet_view *v = &x->content;
    uint64_t from, to, n = 0;
    for (size_t i = 0; i < a->n_facets; i++)
        a->weight[a->facet[i]] = 0;
    a->n_facets = 0;
    a->listed = true;
    if (!v->n || !a->n_about)
        return PZ_OK;
    if (weigh_facets(a, err))
        return err->status;
    qsort(a->facet, a->n_facets, sizeof *a->facet, pz_order_u32);
    for (size_t i = 0; i < a->n_facets; i++) {
        uint32_t f = a->facet[i];
        if (!pz_facet_row(v->in_offsets, f, v->n_entries, &from, &to))
            return damaged(x, "content.in.offsets", err);
        a->weight[f] = to > from ? a->weight[f] / (float)(to - from) : 0;
        n += to - from;
    }
    a->listed = !a->few && n < x->n;
    return a->listed ? list_content(a, err) : PZ_OK;
}

int
pz_interest_content(const struct pz_interest_ask *a, uint32_t item, float *content,
                    struct pz_err *err)
{
    size_t n;
    float sum;
    if (a->listed) {
        *content = a->content[item];
        return PZ_OK;
    }
    if (count_categories(a, item, &n, &sum, err))
        return err->status;
    *content = n ? sum / (float)n : 0;
    return PZ_OK;
}

static int
add_traits(struct pz_interest_ask *a, struct pz_err *err)
{
    const struct pz_interest *x = a->x;
    for (uint32_t v = 0; v < x->trait.n; v++) {
        uint64_t from, to;
        double sum = 0;
        if (!pz_facet_row(x->trait_offsets, v, x->n_trait, &from, &to))
            return damaged(x, "trait.offsets", err);
        if (a->n_about == 1) { // the usual question: look it up
            while (from < to) {
                uint64_t mid = from + (to - from) / 2;
                if (x->trait_item[mid] < a->about[0])
                    from = mid + 1;
                else
                    to = mid;
            }
            if (from < x->n_trait && from < x->trait_offsets[v + 1] &&
                x->trait_item[from] == a->about[0])
                sum = (double)x->trait_share[from];
        } else {
            for (uint64_t k = from; k < to; k++) {
                if (x->trait_item[k] >= x->n_items)
                    return damaged(x, "trait.item", err);
                if (a->asked[x->trait_item[k]])
                    sum += (double)x->trait_share[k];
            }
        }
        a->trait[v] = (float)sum;
    }
    return PZ_OK;
}

static int
set_vectors(struct pz_interest_ask *a, struct pz_err *err)
{
    const struct pz_interest *x = a->x;
    const struct pz_kernels *k = pz_kernels();
    size_t n = a->n_about * x->d;
    if (pz_grow(&a->vector, &a->cap_vector, n + 1, sizeof *a->vector, "a question",
                err) ||
        pz_grow(&a->tiled, &a->cap_tiled, n + 1, sizeof *a->tiled, "a question", err) ||
        pz_grow(&a->product, &a->cap_product, a->n_about * PZ_PACK + 1,
                sizeof *a->product, "a question", err))
        return err->status;
    for (size_t i = 0; i < a->n_about; i++)
        memcpy(a->vector + i * x->d, x->factor + (size_t)a->about[i] * x->d,
               x->d * sizeof *a->vector);
    if (n)
        k->tile(a->tiled, a->vector, a->n_about, x->d);
    return PZ_OK;
}

int
pz_interest_ask_set(struct pz_interest_ask *a, const uint32_t *about, size_t n,
                    struct pz_err *err)
{
    for (size_t i = 0; i < a->n_touched; i++)
        a->near[a->touched[i]] = a->content[a->touched[i]] = 0;
    for (size_t i = 0; i < a->n_about; i++)
        a->asked[a->about[i]] = 0;
    a->n_touched = a->n_about = 0;
    a->popular = 0;
    if (pz_grow(&a->about, &a->cap_about, n + 1, sizeof *a->about, "a question", err))
        return err->status;
    if (n)
        memcpy(a->about, about, n * sizeof *about);
    a->n_about = n;
    for (size_t i = 0; i < n; i++) {
        a->asked[about[i]] = 1;
        a->popular += (double)a->x->popular[about[i]];
        if (add_near(a, about[i], err))
            return err->status;
    }
    return add_content(a, err) || add_traits(a, err) || set_vectors(a, err) ? err->status
                                                                            : PZ_OK;
}

/* ---- users ---- */

int
pz_interest_of(const struct pz_interest_ask *a, uint32_t u,
               double part[PZ_INTEREST_PARTS], bool *had, struct pz_err *err)
{
    const struct pz_interest *x = a->x;
    uint64_t from, to;
    double own = 0, near = 0, content = 0, all = 0, trait = 0;
    float says;
    *had = false;
    if (!pz_facet_row(x->offsets, u, x->n, &from, &to))
        return damaged(x, "history.offsets", err);
    for (uint64_t i = from; i < to; i++) {
        uint32_t h = x->item[i];
        if (h >= x->n_items)
            return damaged(x, "history.item", err);
        double w = x->weight ? (double)x->weight[i] : 1;
        all += w;
        if (a->asked[h]) {
            own += w;
            *had = true;
        }
        near += w * (double)a->near[h];
        if (pz_interest_content(a, h, &says, err))
            return err->status;
        content += w * (double)says;
    }
    if (x->trait.n) {
        if (!pz_facet_row(x->trait.of_offsets, u, x->trait.n_entries, &from, &to))
            return damaged(x, "trait.of.offsets", err);
        for (uint64_t i = from; i < to; i++) {
            if (x->trait.of[i] >= x->trait.n)
                return damaged(x, "trait.of", err);
            trait += (double)a->trait[x->trait.of[i]];
        }
        trait = to > from ? trait / (double)(to - from) : 0;
    }
    part[PZ_PART_OWN] = all > 0 ? own / all : 0;
    part[PZ_PART_NEAR] = all > 0 ? near / all : 0;
    part[PZ_PART_FACTORS] = 0;
    part[PZ_PART_TRAITS] = trait;
    part[PZ_PART_CONTENT] = all > 0 ? content / all : 0;
    part[PZ_PART_POPULAR] = a->popular;
    return PZ_OK;
}

void
pz_interest_factors(struct pz_interest_ask *a, uint32_t first, size_t n, double *mass)
{
    const struct pz_interest *x = a->x;
    const struct pz_kernels *k = pz_kernels();
    for (size_t v = 0; v < n; v++)
        mass[v] = 0;
    if (!a->n_about)
        return;
    k->pack(a->packed, x->user + (size_t)first * x->d, NULL, n, x->d);
    k->score(a->product, PZ_PACK, a->packed, a->tiled, a->n_about, x->d);
    for (size_t i = 0; i < a->n_about; i++)
        for (size_t v = 0; v < n; v++)
            mass[v] += exp((double)a->product[i * PZ_PACK + v] * x->rate -
                           (double)x->log_sum[first + v]);
}

double
pz_interest_mix(const struct pz_interest_ask *a, const double part[PZ_INTEREST_PARTS],
                bool had)
{
    const struct pz_interest *x = a->x;
    double sum = 0;
    for (int k = PZ_PART_OWN + 1; k < PZ_INTEREST_PARTS; k++)
        sum += x->share[k] * part[k];
    // Of many items the user may well turn to those that are still new.
    if (had && a->n_about == 1)
        sum *= x->again;
    return x->share[PZ_PART_OWN] * part[PZ_PART_OWN] + sum;
}
