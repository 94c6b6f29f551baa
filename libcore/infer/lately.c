#include "infer/lately.h"

#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#include "base/clock.h"
#include "base/mem.h"

#define SECONDS 1.0 // between two looks

enum { LISTS = 1024 };

struct pz_lately_count {
    const struct pz_ids *items;
    int64_t seq, time; // counted up to; what is not newer counts as learned
    uint32_t *events, *shown;
    struct pz_lately out;
    bool any;
    double looked;
    struct {
        uint64_t user, list;
    } last[LISTS]; // the list of a user's last event, at the place of the user's hash
};

int
pz_lately_new(struct pz_lately_count **out, const struct pz_ids *items, int64_t seq,
              int64_t time, struct pz_err *err)
{
    static const char what[] = "counts of events";
    struct pz_lately_count *c;
    if (pz_new(&c, 1, sizeof *c, what, err))
        return err->status;
    c->items = items;
    c->seq = seq;
    c->time = time;
    c->looked = -SECONDS;
    if (pz_new(&c->events, items->n, sizeof *c->events, what, err) ||
        pz_new(&c->shown, items->n, sizeof *c->shown, what, err)) {
        pz_lately_free(c);
        return err->status;
    }
    c->out = (struct pz_lately){c->events, c->shown};
    *out = c;
    return PZ_OK;
}

void
pz_lately_free(struct pz_lately_count *c)
{
    if (!c)
        return;
    free(c->events);
    free(c->shown);
    free(c);
}

static uint32_t
find(const struct pz_lately_count *c, const char *id, size_t n)
{
    uint32_t it = pz_ids_find(c->items, id, n);
    return it < c->items->n ? it : PZ_NO_ID;
}

/* Does the list stand in the last event of the same user, or session? */
static bool
is_repeated(struct pz_lately_count *c, const struct pz_event *e)
{
    const char *who = e->user ? e->user : e->session ? e->session : "";
    uint64_t user = XXH3_64bits(who, strlen(who));
    uint64_t list = XXH3_64bits(e->impression, strlen(e->impression));
    bool same = c->last[user % LISTS].user == user && c->last[user % LISTS].list == list;
    c->last[user % LISTS].user = user;
    c->last[user % LISTS].list = list;
    return same;
}

static int
take(void *ctx, const struct pz_event *e)
{
    struct pz_lately_count *c = ctx;
    c->seq = e->seq > c->seq ? e->seq : c->seq;
    if (e->time <= c->time)
        return PZ_OK;
    uint32_t own = find(c, e->item, strlen(e->item));
    if (own != PZ_NO_ID && c->events[own] < UINT32_MAX)
        c->events[own]++;
    c->any = true;
    if (!e->impression || is_repeated(c, e))
        return PZ_OK;
    for (const char *list = e->impression; *list;) {
        size_t n = strcspn(list, "|");
        uint32_t it = find(c, list, n);
        if (it != PZ_NO_ID && it != own && c->shown[it] < UINT32_MAX)
            c->shown[it]++;
        list += n + (list[n] == '|');
    }
    return PZ_OK;
}

int
pz_lately_look(struct pz_lately_count *c, struct pz_estore *store,
               const struct pz_lately **out, struct pz_err *err)
{
    double now = pz_seconds_wall();
    if (now - c->looked >= SECONDS) {
        if (pz_estore_walk(store, PZ_EVENT_ITEM, c->seq, take, c, err))
            return err->status;
        c->looked = now;
    }
    *out = c->any ? &c->out : NULL;
    return PZ_OK;
}
