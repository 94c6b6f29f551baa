/*
 * An expression over attributes of items: refused with a message, or items that are
 * known, in order, and each once; without the last condition there are not fewer.
 */
#include "fuzz.h"
#include "recipe/facets.h"
#include "toy.h"

enum { ITEMS = 30 };

static struct pz_facets facets;
static struct pz_facet_view view;

static void
build(void)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_dataset items;
    struct pz_ids ids;
    toy_ids(&ids, 'i', ITEMS);
    toy_kinds(&items, &ids, NULL);
    require(pz_facets_make(&facets, &items, NULL, ITEMS, false, &err) == PZ_OK);
    pz_facets_view(&view, &facets);
    free((void *)(uintptr_t)ids.bytes);
    free((void *)(uintptr_t)ids.offsets);
}

/* How many items; SIZE_MAX: refused. */
static size_t
find(const char *text, size_t n)
{
    struct pz_err err = PZ_ERR_INIT;
    uint32_t *item;
    size_t n_items, unknown;
    if (pz_facets_find(&view, text, n, &item, &n_items, &unknown, &err)) {
        require(err.status == PZ_DATA && err.msg[0] && !item);
        return SIZE_MAX;
    }
    require(n_items <= ITEMS && (unknown == 0 || n_items == 0));
    for (size_t i = 0; i < n_items; i++)
        require(item[i] < ITEMS && (i == 0 || item[i] > item[i - 1]));
    free(item);
    return n_items;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static const char and[] = " AND ";
    if (!facets.n)
        build();
    const char *text = (const char *)data;
    size_t all = find(text, n);
    for (size_t i = n; all != SIZE_MAX && i-- > 0;)
        if (n - i >= sizeof and&&!memcmp(text + i, and, sizeof and-1)) {
            size_t fewer = find(text, i);
            require(fewer == SIZE_MAX || fewer >= all);
            break;
        }
    return 0;
}
