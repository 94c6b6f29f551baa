/* Selection by event type and value, and the cut by percentiles. */
#include <math.h>
#include <string.h>

#include "recipe/events.h"
#include "toy.h"
#include "unit.h"

enum { BUY, CART, VIEW };

static const struct toy_row rows[] = {
    {0, 0, 10, VIEW, NAN}, {0, 1, 20, BUY, 3}, {0, 0, 30, CART, 1},   {1, 2, 10, VIEW, 2},
    {1, 2, 11, BUY, NAN},  {3, 1, 5, CART, 5}, {3, 3, 6, CART, 0.5f},
};
enum { N_ROWS = sizeof rows / sizeof *rows };

struct fixture {
    struct pz_dataset d;
    struct pz_events e;
    struct pz_selection_report report;
    struct pz_err err;
};

static int
select_rows(struct fixture *f, const struct pz_selection *s)
{
    *f = (struct fixture){.err = PZ_ERR_INIT};
    toy_dataset(&f->d, 4, 5, rows, N_ROWS);
    return pz_events_select(&f->d, s, &f->e, &f->report, &f->err);
}

static void
done(struct fixture *f)
{
    pz_events_release(&f->e);
    toy_release(&f->d);
}

static void
expect(const struct fixture *f, const char *text)
{
    char got[256] = "";
    for (uint32_t u = 0; u < f->e.n_users; u++)
        for (uint64_t i = f->e.offsets[u]; i < f->e.offsets[u + 1]; i++)
            snprintf(got + strlen(got), sizeof got - strlen(got), "%u:%u@%d*%g ", u,
                     f->e.item[i], (int)f->e.time[i],
                     f->e.weight ? (double)f->e.weight[i] : 1.0);
    ck_assert_str_eq(got, text);
}

START_TEST(everything)
{
    struct fixture f;
    ck_ok(select_rows(&f, &(struct pz_selection){0}), f.err);
    expect(&f, "0:0@10*1 0:1@20*1 0:0@30*1 1:2@10*1 1:2@11*1 3:1@5*1 3:3@6*1 ");
    ck_assert_ptr_null(f.e.weight);
    ck_assert_uint_eq(f.report.n_events, 7);
    ck_assert_uint_eq(f.report.n_users, 3);
    ck_assert_uint_eq(f.report.n_users_2, 3);
    ck_assert_uint_eq(f.report.n_items, 4);
    ck_assert_str_eq(f.report.warning, "Dataset has fewer than 1000 interactions after "
                                       "filtering by event type: (all)");
    done(&f);
}
END_TEST

START_TEST(types_weights_thresholds)
{
    struct fixture f;
    struct pz_event_rule rule[] = {{.type = "cart", .has_weight = true, .weight = 0.5},
                                   {.type = "buy", .has_weight = true, .weight = 2}};
    struct pz_selection s = {.rule = rule, .n_rules = 2};
    ck_ok(select_rows(&f, &s), f.err);
    expect(&f, "0:1@20*1 0:0@30*0.25 1:2@11*1 3:1@5*0.25 3:3@6*0.25 ");
    done(&f);

    rule[0].has_threshold = true; // for carts alone; null values are below any threshold
    rule[0].threshold = 1;
    ck_ok(select_rows(&f, &s), f.err);
    expect(&f, "0:1@20*1 0:0@30*0.25 1:2@11*1 3:1@5*0.25 ");
    done(&f);

    s.has_threshold = true; // for the others
    s.threshold = -1;
    ck_ok(select_rows(&f, &s), f.err);
    expect(&f, "0:1@20*1 0:0@30*0.25 3:1@5*0.25 ");
    done(&f);

    rule[1].weight = 0.5; // only ratios matter
    ck_ok(select_rows(&f, &s), f.err);
    ck_assert_ptr_null(f.e.weight);
    done(&f);

    rule[1].weight = 0;
    ck_ok(select_rows(&f, &s), f.err);
    expect(&f, "0:0@30*1 3:1@5*1 ");
    done(&f);

    ck_ok(select_rows(&f, &(struct pz_selection){.has_threshold = true, .threshold = 2}),
          f.err);
    expect(&f, "0:1@20*1 1:2@10*1 3:1@5*1 ");
    done(&f);
}
END_TEST

static const struct {
    struct pz_event_rule rule[2];
    size_t n_rules;
    bool has_threshold, strict;
    double threshold;
    int status;
    const char *message;
} bad[] = {
    {{{.type = "watch"}},
     1,
     false,
     false,
     0,
     PZ_USAGE,
     "event type 'watch' is not in the dataset, which has 'buy', 'cart', 'view'"},
    {{{.type = "buy"}, {.type = "buy"}},
     2,
     false,
     false,
     0,
     PZ_USAGE,
     "event type 'buy' is given twice"},
    {{{.type = "buy", .has_weight = true, .weight = -1}},
     1,
     false,
     false,
     0,
     PZ_USAGE,
     "event type 'buy': its weight is not a number of at least 0"},
    {{{.type = "buy", .has_weight = true, .weight = 1e6},
      {.type = "cart", .has_weight = true, .weight = 1e-40}},
     2,
     false,
     false,
     0,
     PZ_USAGE,
     "event type 'cart': its weight 1e-40 is nothing beside the greatest, 1e+06; 0 "
     "leaves "
     "the type out"},
    {{{.type = "buy", .has_weight = true}},
     1,
     false,
     false,
     0,
     PZ_USAGE,
     "all event types have weight 0"},
    {{{.type = NULL}},
     0,
     true,
     false,
     99,
     PZ_DATA,
     "no interactions are left of 7 after the selection by event type and value"},
    {{{.type = "buy"}},
     1,
     false,
     true,
     0,
     PZ_DATA,
     "Dataset has fewer than 1000 interactions after filtering by event type: buy"},
};

START_TEST(refused)
{
    struct fixture f;
    struct pz_selection s = {bad[_i].rule, bad[_i].n_rules, bad[_i].has_threshold,
                             bad[_i].threshold, bad[_i].strict};
    ck_assert_int_eq(select_rows(&f, &s), bad[_i].status);
    ck_assert_str_eq(f.err.msg, bad[_i].message);
    ck_assert_ptr_null(f.e.item);
    done(&f);
}
END_TEST

START_TEST(columns_missing)
{
    struct fixture f = {.err = PZ_ERR_INIT};
    struct pz_event_rule rule = {.type = "buy"};
    toy_dataset(&f.d, 4, 5, rows, N_ROWS);
    size_t all = f.d.n_columns;
    f.d.n_columns = 1; // TIMESTAMP alone
    ck_assert_int_eq(pz_events_select(&f.d,
                                      &(struct pz_selection){.rule = &rule, .n_rules = 1},
                                      &f.e, &f.report, &f.err),
                     PZ_USAGE);
    ck_assert_str_eq(f.err.msg, "event type 'buy': the dataset has no EVENT_TYPE column");
    ck_assert_int_eq(pz_events_select(&f.d, &(struct pz_selection){.has_threshold = true},
                                      &f.e, &f.report, &f.err),
                     PZ_USAGE);
    ck_assert_str_eq(f.err.msg,
                     "an event value threshold is given, but the dataset has no "
                     "EVENT_VALUE column");
    f.d.n_columns = all;
    done(&f);
}
END_TEST

/* Users 0..n-1 with the given lengths; user u's events go round the items. */
static void
of_lengths(struct pz_events *e, const uint32_t *len, uint32_t n, uint32_t n_items)
{
    *e = (struct pz_events){.n_users = n, .n_items = n_items};
    e->offsets = calloc(n + 1u, sizeof *e->offsets);
    for (uint32_t u = 0; u < n; u++)
        e->offsets[u + 1] = e->offsets[u] + len[u];
    e->n = e->offsets[n];
    e->item = calloc(e->n + 1, sizeof *e->item);
    e->time = calloc(e->n + 1, sizeof *e->time);
    for (uint64_t i = 0; i < e->n; i++)
        e->item[i] = (uint32_t)(i % n_items);
}

START_TEST(nearest_rank)
{
    // Ten users with events, lengths 1, 2, 2, 2, 3, 4, 5, 6, 7, 50; two without any.
    const uint32_t len[] = {2, 50, 0, 1, 2, 3, 4, 0, 5, 6, 7, 2};
    const struct {
        double lo, hi;
        uint64_t want_lo, want_hi;
        uint32_t dropped;
    } t[] = {
        {0, 1, 1, 50, 0},    {0, 0.9, 1, 7, 1},   {0, 0.89, 1, 7, 1},
        {0, 0.91, 1, 50, 0}, {0.1, 1, 1, 50, 0},  {0.11, 1, 2, 50, 1},
        {0.4, 1, 2, 50, 1},  {0.41, 1, 3, 50, 4}, {0.05, 0.95, 1, 50, 0},
        {0.2, 0.8, 2, 6, 3},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct pz_events e, out;
        struct pz_cut_report report;
        struct pz_err err = PZ_ERR_INIT;
        struct pz_cut cut = {t[i].lo, t[i].hi, 0, 1};
        of_lengths(&e, len, sizeof len / sizeof *len, 4);
        ck_ok(pz_events_cut(&e, &cut, &out, &report, &err), err);
        ck_assert_uint_eq(report.user_lo, t[i].want_lo);
        ck_assert_uint_eq(report.user_hi, t[i].want_hi);
        ck_assert_uint_eq(report.users_dropped, t[i].dropped);
        ck_assert_uint_eq(out.n + report.events_dropped, e.n);
        ck_assert(out.view == (t[i].dropped == 0));
        for (uint32_t u = 0; u < e.n_users; u++)
            ck_assert_uint_eq(out.offsets[u + 1] - out.offsets[u],
                              len[u] >= t[i].want_lo && len[u] <= t[i].want_hi ? len[u]
                                                                               : 0);
        pz_events_release(&out);
        pz_events_release(&e);
    }
}
END_TEST

/* Both sides are counted before either is cut: item 0's count includes the dropped
 * user's. */
START_TEST(items_and_users)
{
    struct fixture f;
    struct pz_events out;
    struct pz_cut_report report;
    ck_ok(select_rows(&f, &(struct pz_selection){0}), f.err);
    struct pz_cut cut = {0, 0.6, 0.3,
                         1}; // lengths 2 2 3; item counts 1 (3), 2 2 2 (0 1 2)
    ck_ok(pz_events_cut(&f.e, &cut, &out, &report, &f.err), f.err);
    ck_assert_uint_eq(report.users_dropped, 1);
    ck_assert_uint_eq(report.items_dropped, 1);
    ck_assert_uint_eq(out.n, 3);
    ck_assert_uint_eq(out.item[0], 2);
    ck_assert_uint_eq(out.item[2], 1);
    ck_assert_int_eq(out.time[2], 5);
    ck_assert_uint_eq(out.n_users, 4); // the index spaces stay whole
    ck_assert_uint_eq(out.n_items, 5);
    pz_events_release(&out);
    done(&f);
}
END_TEST

/* Items above the percentile stay, marked: people ask about them. */
START_TEST(frequent_items_are_hidden)
{
    struct fixture f;
    struct pz_events out;
    struct pz_cut_report report;
    ck_ok(select_rows(&f, &(struct pz_selection){0}), f.err);
    struct pz_cut cut = {0, 1, 0, 0.2}; // item counts 1 (3), 2 2 2 (0 1 2); 4 has none
    ck_ok(pz_events_cut(&f.e, &cut, &out, &report, &f.err), f.err);
    ck_assert_uint_eq(report.items_dropped, 0);
    ck_assert_uint_eq(report.items_hidden, 3);
    ck_assert_uint_eq(report.events_dropped, 0);
    ck_assert_uint_eq(out.n, f.e.n);
    ck_assert_ptr_nonnull(out.hidden);
    static const uint8_t want[5] = {1, 1, 1, 0, 0};
    ck_assert_mem_eq(out.hidden, want, sizeof want);
    pz_events_release(&out);
    done(&f);
}
END_TEST

START_TEST(cut_of_params)
{
    static const struct pz_param_def def[] = {
        {.name = "max_user_history_length_percentile",
         .kind = PZ_PARAM_REAL,
         .def = 0.99,
         .max = 1},
        {.name = NULL}};
    struct pz_params p;
    pz_params_init(&p, def);
    struct pz_cut cut = pz_cut_of_params(&p);
    ck_assert_double_eq(cut.min_user, 0);
    ck_assert_double_eq(cut.max_user, 0.99);
    ck_assert_double_eq(cut.min_item, 0);
    ck_assert_double_eq(cut.max_item, 1);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("events");
    TCase *t = tcase_create("select"), *c = tcase_create("cut");
    tcase_add_test(t, everything);
    tcase_add_test(t, types_weights_thresholds);
    tcase_add_loop_test(t, refused, 0, sizeof bad / sizeof *bad);
    tcase_add_test(t, columns_missing);
    tcase_add_test(c, nearest_rank);
    tcase_add_test(c, items_and_users);
    tcase_add_test(c, frequent_items_are_hidden);
    tcase_add_test(c, cut_of_params);
    suite_add_tcase(s, t);
    suite_add_tcase(s, c);
    return s;
}
