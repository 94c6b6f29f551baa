/*
 * gen_s20m: writes made-up interactions of the shape of a large film site's.
 *
 *   gen_s20m [--rows N] [--users N] [--items N] [--seed N] [-o FILE] [--stats]
 *
 * USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE as CSV, grouped by user and in time order inside a
 * user, no (user, item) twice. The same options give the same bytes.
 *
 * How a row comes to be: a user has a number of rows (lognormal, median 70 at the default
 * size) and three of 64 latent clusters. Three steps in ten follow one of four fixed
 * successors of the item before, so that order carries a signal; the others draw an item
 * by Zipf-Mandelbrot popularity (exponent 2, q = items/120), some from one of the user's
 * clusters, some from all items. An item that the user has is drawn again. Every item is
 * given to one user first, so that --items is what the file holds. --stats prints what
 * came out, on stderr.
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"
#include "base/order.h"
#include "base/rng.h"

enum {
    N_CLUSTERS = 64,
    PER_USER = 3,
    N_SUCCESSORS = 4,
    TRIES = 24,
    OUT_CAP = 1 << 20,
    ROW_TEXT = 96, // more than the longest row
};
static const double SIGMA = 1.135; // of the log of a user's rows
static const double FOLLOW = 0.30; // share of steps to a successor
static const double TASTE = 0.77;  // share of the other steps that stay in a cluster
static const int64_t T_FIRST = 1420070400; // 2015-01-01
static const int64_t T_SPAN = 4 * 365 * 86400LL;

/* Walker's alias method: one table, two draws, any distribution. */
struct alias {
    uint32_t n;
    uint32_t *keep; // of 2^32: below it the slot's own entry
    uint32_t *other;
    uint32_t *item; // what entry i stands for
};

struct gen {
    uint64_t rows, users, items, seed;
    struct alias all, cluster[N_CLUSTERS];
    uint32_t *successor; // items x N_SUCCESSORS
    uint32_t *name;      // number in the id of item i: popularity must not show in the id
    uint32_t *n_rows;    // a user
    uint64_t *seen;      // bits of the current user
    uint32_t *list;      // items of the current user
    uint64_t *count;     // rows an item, for --stats
    FILE *out;
    char *buf;
    size_t len;
};

static _Noreturn void
die(const char *what)
{
    fprintf(stderr, "gen_s20m: %s\n", what);
    exit(errno == ENOMEM || errno == ENOSPC ? 5 : 2);
}

static void *
need(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size);
    if (!p)
        die("out of memory");
    return p;
}

static void
alias_make(struct alias *a, const double *weight, const uint32_t *item, uint32_t n)
{
    *a = (struct alias){n, need(n, 4), need(n, 4), need(n, 4)};
    double *p = need(n, sizeof *p), sum = 0;
    uint32_t *small = need(n, 4), *large = need(n, 4), n_small = 0, n_large = 0;
    for (uint32_t i = 0; i < n; i++)
        sum += weight[i];
    for (uint32_t i = 0; i < n; i++) {
        p[i] = weight[i] * n / sum;
        a->item[i] = item[i];
        a->keep[i] = UINT32_MAX;
        a->other[i] = i;
        if (p[i] < 1)
            small[n_small++] = i;
        else
            large[n_large++] = i;
    }
    while (n_small && n_large) {
        uint32_t s = small[--n_small], l = large[n_large - 1];
        a->keep[s] = (uint32_t)(p[s] * 4294967295.0);
        a->other[s] = l;
        p[l] -= 1 - p[s];
        if (p[l] < 1) {
            n_large--;
            small[n_small++] = l;
        }
    }
    free(p);
    free(small);
    free(large);
}

static inline uint32_t
alias_draw(const struct alias *a, uint64_t bits)
{
    uint32_t slot = (uint32_t)((bits >> 32) * a->n >> 32);
    uint32_t i = (uint32_t)bits <= a->keep[slot] ? slot : a->other[slot];
    return a->item[i];
}

static void
make_items(struct gen *g)
{
    uint32_t n = (uint32_t)g->items;
    double *weight = need(n, sizeof *weight), *part = need(n, sizeof *part);
    uint32_t *index = need(n, 4), *cluster = need(n, 4);
    double q = (double)n / 120;
    struct pz_rng r;
    pz_rng_seed(&r, g->seed, 1);
    g->name = need(n, 4);
    for (uint32_t i = 0; i < n; i++) {
        weight[i] = 1 / ((i + 1 + q) * (i + 1 + q));
        index[i] = i;
        g->name[i] = i + 1;
        cluster[i] = i < N_CLUSTERS ? i : (uint32_t)pz_rng_below(&r, N_CLUSTERS);
    }
    pz_rng_shuffle_u32(&r, g->name, n);
    alias_make(&g->all, weight, index, n);
    for (uint32_t c = 0; c < N_CLUSTERS; c++) {
        uint32_t k = 0;
        for (uint32_t i = 0; i < n; i++)
            if (cluster[i] == c) {
                part[k] = weight[i];
                index[k++] = i;
            }
        alias_make(&g->cluster[c], part, index, k);
    }
    g->successor = need(n, N_SUCCESSORS * sizeof *g->successor);
    for (uint32_t i = 0; i < n; i++)
        for (int s = 0; s < N_SUCCESSORS; s++) {
            const struct alias *from = s < 2 ? &g->cluster[cluster[i]] : &g->all;
            g->successor[(size_t)i * N_SUCCESSORS + (size_t)s] =
                alias_draw(from, pz_rng_u64(&r));
        }
    free(weight);
    free(part);
    free(index);
    free(cluster);
}

/* Lognormal rows a user, capped at an eighth of the items, scaled to sum to g->rows. */
static void
make_activity(struct gen *g)
{
    uint64_t cap = g->items / 8 > 1 ? g->items / 8 : 1, n = g->users;
    if (cap * n < g->rows || g->rows < n)
        die("--rows does not fit: each user needs one row at least and may have items/8");
    double *a = need(n, sizeof *a), scale = 1;
    struct pz_rng r;
    pz_rng_seed(&r, g->seed, 2);
    for (uint64_t u = 0; u < n; u++)
        a[u] = 70 * exp(SIGMA * pz_rng_normal(&r));
    g->n_rows = need(n, sizeof *g->n_rows);
    uint64_t sum = 0;
    for (int round = 0; round < 60; round++) {
        sum = 0;
        for (uint64_t u = 0; u < n; u++) {
            double x = floor(a[u] * scale + 0.5);
            g->n_rows[u] = (uint32_t)(x < 1 ? 1 : x > (double)cap ? (double)cap : x);
            sum += g->n_rows[u];
        }
        if (sum == g->rows)
            break;
        scale *= (double)g->rows / (double)sum;
    }
    for (uint64_t u = 0; sum != g->rows; u = (u + 1) % n)
        if (sum < g->rows && g->n_rows[u] < cap) {
            g->n_rows[u]++;
            sum++;
        } else if (sum > g->rows && g->n_rows[u] > 1) {
            g->n_rows[u]--;
            sum--;
        }
    free(a);
}

static inline char *
put_number(char *p, uint64_t v)
{
    char t[20];
    int n = 0;
    do
        t[n++] = (char)('0' + v % 10);
    while (v /= 10);
    while (n)
        *p++ = t[--n];
    return p;
}

static void
flush(struct gen *g)
{
    if (fwrite(g->buf, 1, g->len, g->out) != g->len)
        die("cannot write");
    g->len = 0;
}

static inline bool
take(struct gen *g, uint32_t *n, uint32_t it)
{
    uint64_t bit = 1ull << (it & 63);
    if (g->seen[it >> 6] & bit)
        return false;
    g->seen[it >> 6] |= bit;
    g->list[(*n)++] = it;
    return true;
}

/* The items of one user into g->list, in the order of time. */
static void
draw_user(struct gen *g, uint64_t u, struct pz_rng *r)
{
    uint32_t want = g->n_rows[u], n = 0, mine[PER_USER];
    for (int c = 0; c < PER_USER; c++)
        mine[c] = (uint32_t)pz_rng_below(r, N_CLUSTERS);
    for (uint64_t it = u; it < g->items && n < want; it += g->users)
        take(g, &n, (uint32_t)it);
    while (n < want) {
        bool done = false;
        uint32_t last = n ? g->list[n - 1] : 0;
        uint64_t bits = pz_rng_u64(r);
        if (n && (bits >> 40) * 0x1p-24 < FOLLOW) {
            uint32_t s = (uint32_t)(bits & (N_SUCCESSORS - 1));
            done = take(g, &n, g->successor[(size_t)last * N_SUCCESSORS + s]);
        }
        for (int t = 0; t < TRIES && !done; t++) {
            bits = pz_rng_u64(r);
            const struct alias *from = &g->all;
            if (t < TRIES / 2 && (pz_mix64(bits) >> 40) * 0x1p-24 < TASTE)
                from = &g->cluster[mine[(bits & 0xffff) * PER_USER >> 16]];
            done = take(g, &n, alias_draw(from, bits));
        }
        for (uint32_t it = (uint32_t)pz_rng_below(r, g->items); !done;
             it = (it + 1) % (uint32_t)g->items)
            done = take(g, &n, it);
    }
}

static void
write_user(struct gen *g, uint64_t u, struct pz_rng *r)
{
    static const char *const event[8] = {"view\n",  "view\n",  "view\n",  "view\n",
                                         "click\n", "click\n", "click\n", "purchase\n"};
    uint32_t n = g->n_rows[u];
    int64_t t = T_FIRST + (int64_t)pz_rng_below(r, (uint64_t)T_SPAN * 9 / 10);
    int64_t end = T_FIRST + T_SPAN - 1;
    uint64_t gap = (uint64_t)(end - t) / (n / 8 + 1) + 1; // twice the mean between visits
    for (uint32_t i = 0; i < n; i++) {
        uint64_t bits = pz_rng_u64(r);
        uint32_t it = g->list[i];
        g->seen[it >> 6] = 0;
        if (g->count)
            g->count[it]++;
        if (i && t < end) {
            t += (int64_t)((bits & 7) ? 20 + ((bits >> 32) * 400 >> 32)
                                      : ((bits >> 32) * gap >> 32));
            t = t < end ? t : end;
        }
        if (g->len + ROW_TEXT > OUT_CAP)
            flush(g);
        char *p = g->buf + g->len;
        *p++ = 'u';
        p = put_number(p, u + 1);
        *p++ = ',';
        *p++ = 'i';
        p = put_number(p, g->name[it]);
        *p++ = ',';
        p = put_number(p, (uint64_t)t);
        *p++ = ',';
        p = stpcpy(p, event[bits >> 3 & 7]);
        g->len = (size_t)(p - g->buf);
    }
}

static void
print_quantiles(const char *what, uint64_t *v, size_t n)
{
    static const struct {
        const char *name;
        double at;
    } q[] = {{"min", 0}, {"median", .5}, {"90%", .9}, {"99%", .99}, {"max", 1}};
    qsort(v, n, sizeof *v, pz_order_u64);
    fprintf(stderr, "%s:", what);
    for (size_t i = 0; i < sizeof q / sizeof *q; i++)
        fprintf(stderr, " %s %llu", q[i].name,
                (unsigned long long)v[(size_t)(q[i].at * (double)(n - 1))]);
    fputc('\n', stderr);
}

static void
print_stats(struct gen *g)
{
    uint64_t *v = need(g->users, sizeof *v), pairs = 0;
    for (uint64_t u = 0; u < g->users; u++) {
        v[u] = g->n_rows[u];
        pairs += v[u] * (v[u] - 1) / 2;
    }
    fprintf(stderr, "rows: %llu\nusers: %llu\nitems: %llu\npairs: %llu\n",
            (unsigned long long)g->rows, (unsigned long long)g->users,
            (unsigned long long)g->items, (unsigned long long)pairs);
    print_quantiles("rows a user", v, g->users);
    print_quantiles("rows an item", g->count, g->items);
    free(v);
}

static uint64_t
number(const char *s, uint64_t max)
{
    int64_t v;
    if (pz_parse_i64(s, strlen(s), &v) != PZ_NUM_OK || v < 0 || (uint64_t)v > max)
        die("a number was expected");
    return (uint64_t)v;
}

int
main(int argc, char **argv)
{
    static const struct option opts[] = {
        {"rows", 1, NULL, 'r'}, {"users", 1, NULL, 'u'}, {"items", 1, NULL, 'i'},
        {"seed", 1, NULL, 's'}, {"stats", 0, NULL, 'S'}, {NULL, 0, NULL, 0},
    };
    struct gen g = {.rows = 18313970, .users = 138000, .items = 27000, .seed = 1};
    const char *path = NULL;
    bool stats = false;
    int c;
    while ((c = getopt_long(argc, argv, "o:", opts, NULL)) != -1)
        switch (c) {
        case 'r':
            g.rows = number(optarg, 1ull << 40);
            break;
        case 'u':
            g.users = number(optarg, 1ull << 31);
            break;
        case 'i':
            g.items = number(optarg, 1ull << 30);
            break;
        case 's':
            g.seed = number(optarg, INT64_MAX);
            break;
        case 'S':
            stats = true;
            break;
        case 'o':
            path = optarg;
            break;
        default:
            return 2;
        }
    if (g.items < N_CLUSTERS || !g.users || optind < argc)
        die("at least 64 items and one user, and no operands");
    g.out = path ? fopen(path, "w") : stdout;
    if (!g.out)
        die("cannot open the output");
    make_items(&g);
    make_activity(&g);
    g.seen = need(g.items / 64 + 1, sizeof *g.seen);
    g.list = need(g.items, sizeof *g.list);
    g.count = stats ? need(g.items, sizeof *g.count) : NULL;
    g.buf = need(OUT_CAP, 1);
    g.len = (size_t)sprintf(g.buf, "USER_ID,ITEM_ID,TIMESTAMP,EVENT_TYPE\n");
    for (uint64_t u = 0; u < g.users; u++) {
        struct pz_rng r;
        pz_rng_seed(&r, g.seed, 16 + u);
        draw_user(&g, u, &r);
        write_user(&g, u, &r);
    }
    flush(&g);
    if (fclose(g.out))
        die("cannot write");
    if (stats)
        print_stats(&g);
    return 0;
}
