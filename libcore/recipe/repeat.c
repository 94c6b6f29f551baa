#include "recipe/repeat.h"

#include <stdlib.h>

#include "base/mem.h"

enum { TARGETS = 20, PRIOR = 5 };

int
pz_repeats_init(struct pz_repeats *r, uint32_t n_items, struct pz_err *err)
{
    *r = (struct pz_repeats){0};
    return pz_new(&r->place, n_items, sizeof *r->place, "a history", err);
}

void
pz_repeats_release(struct pz_repeats *r)
{
    free(r->item);
    free(r->cell);
    free(r->count);
    free(r->age);
    free(r->place);
    *r = (struct pz_repeats){0};
}

static uint32_t
age_class(size_t age)
{
    uint32_t c = 0;
    for (age++; age > 1 && c < PZ_REPEAT_AGES - 1; age >>= 1)
        c++;
    return c;
}

static uint32_t
habit_class(size_t n, size_t distinct)
{
    size_t again = n - distinct;
    return !again               ? 0
           : again * 10 < n     ? 1
           : again * 10 < 3 * n ? 2
           : again * 10 < 6 * n ? 3
                                : 4;
}

int
pz_repeats_take(struct pz_repeats *r, const uint32_t *item, size_t n, struct pz_err *err)
{
    r->n = 0;
    if (n > PZ_REPEAT_EVENTS) {
        item += n - PZ_REPEAT_EVENTS;
        n = PZ_REPEAT_EVENTS;
    }
    if (pz_grow(&r->item, &r->cap_item, n, sizeof *r->item, "a history", err) ||
        pz_grow(&r->cell, &r->cap_cell, n, sizeof *r->cell, "a history", err) ||
        pz_grow(&r->count, &r->cap_count, n, sizeof *r->count, "a history", err) ||
        pz_grow(&r->age, &r->cap_age, n, sizeof *r->age, "a history", err))
        return err->status;
    for (size_t k = n; k-- > 0;) {
        uint32_t *place = &r->place[item[k]];
        if (!*place) {
            r->item[r->n] = item[k];
            r->age[r->n] = age_class(n - 1 - k);
            r->count[r->n] = 0;
            *place = (uint32_t)++r->n;
        }
        r->count[*place - 1]++;
    }
    uint32_t habit = habit_class(n, r->n);
    for (size_t k = 0; k < r->n; k++) {
        uint32_t count = r->count[k] < PZ_REPEAT_COUNTS ? r->count[k] : PZ_REPEAT_COUNTS;
        r->cell[k] =
            (uint16_t)((r->age[k] * PZ_REPEAT_COUNTS + count - 1) * PZ_REPEAT_HABITS +
                       habit);
        r->place[r->item[k]] = 0;
    }
    return PZ_OK;
}

int
pz_repeat_learn(double out[PZ_REPEAT_CELLS], const struct pz_events *e,
                struct pz_err *err)
{
    enum { OF_AGE = PZ_REPEAT_COUNTS * PZ_REPEAT_HABITS };
    double n[PZ_REPEAT_CELLS] = {0}, hits[PZ_REPEAT_CELLS] = {0};
    struct pz_repeats r;
    int status = pz_repeats_init(&r, e->n_items, err);
    for (uint32_t u = 0; u < e->n_users && !status; u++) {
        uint64_t from = e->offsets[u], to = e->offsets[u + 1];
        uint64_t first = to - from > TARGETS + 1 ? to - TARGETS : from + 1;
        for (uint64_t j = first; j < to && !status; j++) {
            status = pz_repeats_take(&r, e->item + from, (size_t)(j - from), err);
            for (size_t k = 0; k < r.n && !status; k++) {
                n[r.cell[k]]++;
                hits[r.cell[k]] += r.item[k] == e->item[j];
            }
        }
    }
    for (int a = 0; a < PZ_REPEAT_AGES; a++) {
        double all = 0, found = 0;
        for (int c = a * OF_AGE; c < (a + 1) * OF_AGE; c++) {
            all += n[c];
            found += hits[c];
        }
        double prior = (found + 0.1) / (all + 100);
        for (int c = a * OF_AGE; c < (a + 1) * OF_AGE; c++)
            out[c] = (hits[c] + PRIOR * prior) / (n[c] + PRIOR);
    }
    pz_repeats_release(&r);
    return status;
}
