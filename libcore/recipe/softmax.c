#include "recipe/softmax.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/par.h"
#include "base/rng.h"
#include "math/kernels.h"

static const char what[] = "a softmax model";
static const double FIRST = 0.1; // deviation of the first numbers
static const double FADE = 0.8;  // of an event one further back, before training

/* What all members share. */
struct lesson {
    const struct pz_softmax_config *c;
    const struct pz_events *e;
    struct pz_softmax_made *out;
    size_t n_events;  // to learn from: those with another before them
    uint64_t *event;  // their places
    uint16_t *before; // events before them, up to reach
    float *shift;     // of each row of O
    size_t most;      // candidates of a batch
    bool whole;       // all items are candidates
};

/* A table of numbers with what Adam remembers of them. */
struct table {
    float *w, *mean, *square, *slope;
};

/* One member in training. */
struct pupil {
    const struct lesson *l;
    struct pz_rng rng;
    struct table input, output, place; // output is a copy of input where both are one
    bool tied;
    struct pz_softmax_room *room;
    uint32_t *order; // events in the order of a round
    uint32_t *item;  // batch x reach, as are the next
    float *gain;
    float *mask;         // batch x d
    float *weight;       // batch
    uint32_t *own;       // batch
    uint32_t *candidate; // most, and
    float *shift;        // most
    uint32_t *place_of;  // n + 1: of a row among the candidates, + 1; 0: it is not there
    uint32_t *touched;   // n: rows of E that a batch has
    uint8_t *mark;       // n
    size_t n_touched;
    uint64_t step, steps;
};

/* ---- what there is to learn ---- */

static int
collect(struct lesson *l, struct pz_err *err)
{
    const struct pz_events *e = l->e;
    struct pz_softmax_made *out = l->out;
    if (pz_new(&out->row, e->n_items, sizeof *out->row, what, err) ||
        pz_new(&l->event, e->n, sizeof *l->event, what, err) ||
        pz_new(&l->before, e->n, sizeof *l->before, what, err))
        return err->status;
    for (uint64_t k = 0; k < e->n; k++)
        out->row[e->item[k]] = 1;
    for (uint32_t i = 0; i < e->n_items; i++)
        out->n += out->row[i];
    uint32_t next = 0;
    for (uint32_t i = 0; i < e->n_items; i++)
        out->row[i] = out->row[i] ? next++ : (uint32_t)out->n;
    for (uint32_t u = 0; u < e->n_users; u++)
        for (uint64_t from = e->offsets[u], k = from + 1; k < e->offsets[u + 1]; k++) {
            l->before[l->n_events] =
                (uint16_t)(k - from < l->c->reach ? k - from : l->c->reach);
            l->event[l->n_events++] = k;
        }
    if (!l->n_events || l->n_events > UINT32_MAX)
        return pz_err_set(err, PZ_DATA,
                          "cannot learn what comes next from %zu events with another "
                          "before them; 1 to %" PRIu32 " will do",
                          l->n_events, UINT32_MAX);
    return PZ_OK;
}

/* -log of the chance that a batch has a row of O. */
static int
find_shifts(struct lesson *l, struct pz_err *err)
{
    const struct pz_softmax_config *c = l->c;
    size_t n = l->out->n;
    int status = pz_new(&l->shift, n + 1, sizeof *l->shift, what, err);
    if (status)
        return status;
    l->whole = c->negatives >= n;
    l->most = (l->whole ? n : (size_t)c->negatives + c->batch) + 1;
    if (l->whole)
        return PZ_OK;
    uint64_t *count;
    status = pz_new(&count, n, sizeof *count, what, err);
    if (status)
        return status;
    for (size_t k = 0; k < l->n_events; k++)
        count[l->out->row[l->e->item[l->event[k]]]]++;
    for (size_t r = 0; r < n; r++) {
        double share = (double)count[r] / (double)l->n_events;
        double none = pow(1 - share, c->batch) * pow(1 - 1 / (double)n, c->negatives);
        l->shift[r] = (float)-log1p(-none);
    }
    free(count);
    return PZ_OK;
}

/* ---- one member ---- */

static int
table_new(struct table *t, size_t n, struct pz_err *err)
{
    if (pz_new(&t->w, n, sizeof *t->w, what, err) ||
        pz_new(&t->mean, n, sizeof *t->mean, what, err) ||
        pz_new(&t->square, n, sizeof *t->square, what, err) ||
        pz_new(&t->slope, n, sizeof *t->slope, what, err))
        return err->status;
    return PZ_OK;
}

static void
table_release(struct table *t)
{
    free(t->w);
    free(t->mean);
    free(t->square);
    free(t->slope);
}

static void
scatter(struct table *t, size_t n, struct pz_rng *rng)
{
    for (size_t i = 0; i < n; i++)
        t->w[i] = (float)(FIRST * pz_rng_normal(rng));
}

static void
pupil_free(struct pupil *p)
{
    if (!p)
        return;
    table_release(&p->input);
    if (!p->tied)
        table_release(&p->output);
    table_release(&p->place);
    pz_softmax_room_free(p->room);
    free(p->order);
    free(p->item);
    free(p->gain);
    free(p->mask);
    free(p->weight);
    free(p->own);
    free(p->candidate);
    free(p->shift);
    free(p->place_of);
    free(p->touched);
    free(p->mark);
    free(p);
}

static int
pupil_new(struct pupil **out, const struct lesson *l, size_t member, struct pz_err *err)
{
    const struct pz_softmax_config *c = l->c;
    struct pupil *p;
    size_t n = l->out->n, d = c->d, past = (size_t)c->batch * c->reach;
    int status = pz_new(&p, 1, sizeof *p, what, err);
    if (status)
        return status;
    p->l = l;
    p->tied = l->c->tie && member % 2 == 1;
    p->steps = (l->n_events + c->batch - 1) / c->batch;
    if (table_new(&p->input, (n + 1) * d, err) ||
        (!p->tied && table_new(&p->output, (n + 1) * d, err)) ||
        table_new(&p->place, c->reach * d, err) ||
        pz_softmax_room_new(&p->room, c->batch, l->most, d, err) ||
        pz_new(&p->order, l->n_events, sizeof *p->order, what, err) ||
        pz_new(&p->item, past, sizeof *p->item, what, err) ||
        pz_new(&p->gain, past, sizeof *p->gain, what, err) ||
        pz_new(&p->mask, c->batch, d * sizeof *p->mask, what, err) ||
        pz_new(&p->weight, c->batch, sizeof *p->weight, what, err) ||
        pz_new(&p->own, c->batch, sizeof *p->own, what, err) ||
        pz_new(&p->candidate, l->most, sizeof *p->candidate, what, err) ||
        pz_new(&p->shift, l->most, sizeof *p->shift, what, err) ||
        pz_new(&p->place_of, n + 1, sizeof *p->place_of, what, err) ||
        pz_new(&p->touched, n, sizeof *p->touched, what, err) ||
        pz_new(&p->mark, n, sizeof *p->mark, what, err)) {
        pupil_free(p);
        return err->status;
    }
    if (p->tied)
        p->output = p->input;
    pz_rng_seed(&p->rng, c->seed, member + 1);
    scatter(&p->input, n * d, &p->rng);
    if (!p->tied)
        scatter(&p->output, n * d, &p->rng);
    for (size_t k = 0; k < c->reach; k++)
        for (size_t i = 0; i < d; i++)
            p->place.w[k * d + i] = (float)pow(FADE, (double)k);
    for (uint32_t k = 0; k < l->n_events; k++)
        p->order[k] = k;
    *out = p;
    return PZ_OK;
}

static size_t
add_candidate(struct pupil *p, uint32_t row, size_t n)
{
    if (p->place_of[row])
        return n;
    p->candidate[n] = row;
    p->shift[n] = p->l->shift[row];
    p->place_of[row] = (uint32_t)++n;
    return n;
}

/* The candidates of a batch; their number. */
static size_t
draw_candidates(struct pupil *p, const uint32_t *order, size_t n)
{
    const struct lesson *l = p->l;
    const uint32_t *row = l->out->row;
    size_t m = 0;
    for (uint32_t r = 0; l->whole && r < l->out->n; r++)
        m = add_candidate(p, r, m);
    for (size_t q = 0; q < n; q++)
        m = add_candidate(p, row[l->e->item[l->event[order[q]]]], m);
    for (uint32_t k = 0; !l->whole && k < l->c->negatives; k++)
        m = add_candidate(p, (uint32_t)pz_rng_below(&p->rng, l->out->n), m);
    return add_candidate(p, (uint32_t)l->out->n, m);
}

/* The history before an event, with some of it left out. */
static void
take_history(struct pupil *p, uint32_t which, uint32_t *item, float *gain)
{
    const struct lesson *l = p->l;
    const struct pz_events *e = l->e;
    size_t n = l->before[which], reach = l->c->reach;
    double drop = n > 1 ? l->c->drop_items : 0;
    for (size_t k = 0; k < reach; k++)
        item[k] = PZ_NO_ID;
    for (size_t k = 0; k < n; k++) {
        uint64_t at = l->event[which] - 1 - k;
        if (drop > 0 && pz_rng_unit(&p->rng) < drop)
            continue;
        item[k] = l->out->row[e->item[at]];
        gain[k] = (float)((e->weight ? (double)e->weight[at] : 1) / (1 - drop));
        if (!p->mark[item[k]]) {
            p->mark[item[k]] = 1;
            p->touched[p->n_touched++] = item[k];
        }
    }
}

/* Zero with chance `drop`, four draws of 16 bits at a time. */
static void
draw_mask(struct pupil *p, float *mask, size_t n)
{
    uint64_t least = (uint64_t)(p->l->c->drop_numbers * 65536), bits = 0;
    float rest = (float)(1 / (1 - p->l->c->drop_numbers));
    for (size_t i = 0; i < n; i++, bits >>= 16) {
        if (i % 4 == 0)
            bits = pz_rng_u64(&p->rng);
        mask[i] = (bits & 0xffff) < least ? 0 : rest;
    }
}

static struct pz_adam
adam_of(struct pupil *p)
{
    const struct pz_softmax_config *c = p->l->c;
    double t = (double)++p->step, all = (double)p->steps * c->rounds;
    double rise = fmin(1, t / (double)p->steps), fall = 1 - (t - 1) / all;
    static const double keep_mean = 0.9, keep_square = 0.999;
    return (struct pz_adam){.rate = (float)(c->rate * rise * fall),
                            .keep_mean = (float)keep_mean,
                            .keep_square = (float)keep_square,
                            .grow_mean = (float)(1 / (1 - pow(keep_mean, t))),
                            .grow_square = (float)(1 / (1 - pow(keep_square, t))),
                            .floor = 1e-8F};
}

static void
move(struct table *t, size_t at, size_t n, const struct pz_adam *step)
{
    pz_kernels()->adam(t->w + at, t->mean + at, t->square + at, t->slope + at, n, step);
}

/* A step by the slopes of a batch with m candidates. */
static void
step(struct pupil *p, size_t m)
{
    const struct pz_softmax_config *c = p->l->c;
    struct pz_adam adam = adam_of(p);
    for (size_t k = 0; k < m; k++) {
        uint32_t r = p->candidate[k];
        move(&p->output, r * (size_t)c->d, c->d, &adam);
        p->place_of[r] = 0;
        if (p->tied && r < p->l->out->n)
            p->mark[r] = 0; // done
    }
    for (size_t k = 0; k < p->n_touched; k++) {
        uint32_t r = p->touched[k];
        if (p->mark[r])
            move(&p->input, r * (size_t)c->d, c->d, &adam);
        p->mark[r] = 0;
    }
    p->n_touched = 0;
    move(&p->place, 0, (size_t)c->reach * c->d, &adam);
}

static int
learn_batch(struct pupil *p, const uint32_t *order, size_t n, double *loss,
            struct pz_err *err)
{
    const struct lesson *l = p->l;
    const struct pz_softmax_config *c = l->c;
    size_t m = draw_candidates(p, order, n);
    for (size_t q = 0; q < n; q++) {
        uint64_t at = l->event[order[q]];
        take_history(p, order[q], p->item + q * c->reach, p->gain + q * c->reach);
        p->weight[q] = l->e->weight ? l->e->weight[at] : 1;
        p->own[q] = p->place_of[l->out->row[l->e->item[at]]] - 1;
    }
    draw_mask(p, p->mask, n * c->d);
    struct pz_softmax_net net = {.n_in = l->out->n,
                                 .n_out = l->out->n + 1,
                                 .d = c->d,
                                 .reach = c->reach,
                                 .input = p->input.w,
                                 .output = p->output.w,
                                 .place = p->place.w};
    struct pz_softmax_batch b = {.n = n,
                                 .item = p->item,
                                 .gain = p->gain,
                                 .mask = p->mask,
                                 .weight = p->weight,
                                 .n_candidates = m,
                                 .candidate = p->candidate,
                                 .shift = p->shift,
                                 .own = p->own};
    struct pz_softmax_slope slope = {
        .input = p->input.slope, .output = p->output.slope, .place = p->place.slope};
    int status = pz_softmax_learn(&net, &b, p->room, &slope, loss, err);
    if (!status)
        step(p, m);
    return status;
}

/* The member's numbers beside those of the others. */
static void
hand_in(const struct pupil *p, size_t member)
{
    const struct pz_softmax_made *out = p->l->out;
    size_t d = p->l->c->d, at = member * d, row = d * sizeof(float);
    for (size_t r = 0; r < out->n; r++)
        memcpy(out->input + r * out->d + at, p->input.w + r * d, row);
    for (size_t r = 0; r <= out->n; r++)
        memcpy(out->output + r * out->d + at, p->output.w + r * d, row);
    for (size_t k = 0; k < out->reach; k++)
        memcpy(out->place + k * out->d + at, p->place.w + k * d, row);
}

static int
member_task(void *ctx, size_t member, int thread, struct pz_err *err)
{
    const struct lesson *l = ctx;
    const struct pz_softmax_config *c = l->c;
    struct pupil *p = NULL;
    int status = pupil_new(&p, l, member, err);
    (void)thread;
    for (uint32_t round = 0; round < c->rounds && !status; round++) {
        double loss = 0;
        pz_rng_shuffle_u32(&p->rng, p->order, l->n_events);
        for (size_t at = 0; at < l->n_events && !status; at += c->batch) {
            size_t n = l->n_events - at < c->batch ? l->n_events - at : c->batch;
            status = learn_batch(p, p->order + at, n, &loss, err);
        }
        l->out->loss[member] = loss / (double)l->n_events;
    }
    if (!status)
        hand_in(p, member);
    pupil_free(p);
    return status;
}

/* Takes the mean of the known items' rows from all of them. */
static void
centre(struct pz_softmax_made *m)
{
    for (size_t c = 0; c < m->d; c++) {
        double sum = 0;
        for (size_t r = 0; r < m->n; r++)
            sum += (double)m->output[r * m->d + c];
        float mean = (float)(sum / (double)m->n);
        for (size_t r = 0; r < m->n; r++)
            m->output[r * m->d + c] -= mean;
        m->output[m->n * m->d + c] = 0;
    }
}

int
pz_softmax_train(struct pz_softmax_made *out, const struct pz_events *events,
                 const struct pz_softmax_config *c, struct pz_err *err)
{
    struct lesson l = {.c = c, .e = events, .out = out};
    *out = (struct pz_softmax_made){.d = (size_t)c->members * c->d, .reach = c->reach};
    int status = collect(&l, err);
    if (!status)
        status = find_shifts(&l, err);
    size_t row = out->d * sizeof(float);
    if (!status && (pz_new_aligned(&out->input, out->n, row, what, err) ||
                    pz_new_aligned(&out->output, out->n + 1, row, what, err) ||
                    pz_new_aligned(&out->place, out->reach, row, what, err)))
        status = err->status;
    if (!status)
        status = pz_par(pz_threads(c->threads), c->members, member_task, &l, err);
    if (!status)
        centre(out);
    free(l.event);
    free(l.before);
    free(l.shift);
    return status;
}

void
pz_softmax_release(struct pz_softmax_made *m)
{
    free(m->row);
    free(m->input);
    free(m->output);
    free(m->place);
}
