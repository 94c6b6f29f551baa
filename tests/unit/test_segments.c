/* Segments of users: rates and interests against their definitions computed plainly, the
 * answers of a whole model, and the metrics against counting. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "eval/figures.h"
#include "group.h"
#include "recipe/check.h"
#include "recipe/intensity.h"
#include "recipe/interest.h"
#include "recipe/neighbours.h"
#include "toy.h"
#include "unit.h"

enum { N_USERS = 60, N_ITEMS = 40 };

struct fixture {
    struct group g;
    struct pz_world w;
    struct pz_events e;
    struct pz_params params;
    struct pz_err err;
};

/* Users of two kinds who have their own half of the items, in three categories. */
static void
set_up(struct fixture *f)
{
    struct pz_buf events = PZ_BUF_INIT, items = PZ_BUF_INIT, users = PZ_BUF_INIT;
    struct pz_selection all = {0};
    struct pz_selection_report report;
    struct pz_rng rng;
    *f = (struct fixture){.err = PZ_ERR_INIT};
    group_make(&f->g);
    pz_rng_seed(&rng, 11, 0);
    pz_buf_addz(&events, "USER_ID,ITEM_ID,TIMESTAMP\n");
    pz_buf_addz(&items, "ITEM_ID,GENRES,PRICE\n");
    pz_buf_addz(&users, "USER_ID,KIND\n");
    for (unsigned u = 0; u < N_USERS; u++) {
        pz_buf_addf(&users, "u%02u,%s\n", u, u % 2 ? "odd" : "even");
        uint64_t n = 1 + pz_rng_below(&rng, 30);
        for (uint64_t i = 0; i < n; i++) {
            double x = pz_rng_unit(&rng);
            unsigned it = (unsigned)(x * x * N_ITEMS / 2) * 2 +
                          (pz_rng_unit(&rng) < 0.8 ? u % 2 : 1 - u % 2);
            pz_buf_addf(&events, "u%02u,i%02u,%llu\n", u, it,
                        (unsigned long long)(1000000 + pz_rng_below(&rng, 90 * 86400)));
        }
    }
    for (unsigned i = 0; i < N_ITEMS; i++)
        pz_buf_addf(&items, "i%02u,%s%s,%u\n", i, i % 2 ? "A" : "B", i % 3 ? "" : "|C",
                    i % 5);
    group_import(&f->g, PZ_INTERACTIONS, NULL, events.data);
    group_import(&f->g, PZ_ITEMS, NULL, items.data);
    group_import(&f->g, PZ_USERS, NULL, users.data);
    ck_ok(pz_world_open(&f->w, f->g.dir, PZ_INTERACTIONS, 1, &f->err), f->err);
    ck_ok(pz_world_select(&f->w, &all, &f->e, &report, &f->err), f->err);
    pz_params_init(&f->params, pz_recipe_item_affinity.params);
    ck_ok(pz_params_set(&f->params, "hidden_dimension=32", &f->err), f->err);
    pz_buf_release(&events);
    pz_buf_release(&items);
    pz_buf_release(&users);
}

static void
tear_down(struct fixture *f)
{
    pz_events_release(&f->e);
    pz_world_close(&f->w);
    group_remove(&f->g);
}

/* ---- intensity ---- */

static struct pz_events
events_of(uint64_t *offsets, int64_t *time, uint32_t *item, uint32_t n_users)
{
    return (struct pz_events){.n_users = n_users,
                              .n_items = 1,
                              .n = offsets[n_users],
                              .offsets = offsets,
                              .item = item,
                              .time = time};
}

START_TEST(rates)
{
    // Ten days: u0 has five events, u1 none, u2 one.
    uint64_t offsets[] = {0, 5, 5, 6};
    int64_t time[] = {0, 86400, 172800, 259200, 864000, 432000};
    uint32_t item[6] = {0};
    struct pz_events e = events_of(offsets, time, item, 3);
    struct pz_intensity in;
    struct pz_err err = PZ_ERR_INIT;
    float *rate;
    ck_ok(pz_intensity_fit(&in, &e, PZ_INTENSITY_COUNT, &err), err);
    ck_ok(pz_intensity_users(&rate, &in, &e, &err), err);
    ck_assert_double_eq_tol((double)rate[0], 0.5, 1e-6);
    ck_assert(rate[1] == 0);
    ck_assert_double_eq_tol((double)rate[2], 0.1, 1e-6);
    free(rate);
    ck_ok(pz_intensity_fit(&in, &e, PZ_INTENSITY_EVEN, &err), err);
    ck_ok(pz_intensity_users(&rate, &in, &e, &err), err);
    ck_assert_double_eq_tol((double)rate[0], 0.3, 1e-6); // six events of two users
    ck_assert(rate[1] == 0 && rate[2] == rate[0]);
    free(rate);
    // All within seconds, or all of them at once: nothing but counts to go by, which are
    // those of the thirty days that scores are for.
    for (int64_t step = 1; step >= 0; step--) {
        for (int64_t i = 0; i < 6; i++)
            time[i] = i % 5 * step;
        ck_ok(pz_intensity_fit(&in, &e, PZ_INTENSITY_FIT, &err), err);
        ck_ok(pz_intensity_users(&rate, &in, &e, &err), err);
        ck_assert_double_eq_tol((double)rate[0], 5.0 / 30, 1e-6);
        ck_assert_double_eq_tol((double)rate[2], 1.0 / 30, 1e-6);
        free(rate);
    }
    // Ten days, and the newest fifth within a minute: what comes in a minute is no rate.
    int64_t late[] = {0, 86400, 172800, 863940, 864000, 432000};
    memcpy(time, late, sizeof late);
    ck_ok(pz_intensity_fit(&in, &e, PZ_INTENSITY_FIT, &err), err);
    ck_ok(pz_intensity_users(&rate, &in, &e, &err), err);
    ck_assert_double_eq_tol((double)rate[0], 0.5, 1e-6);
    free(rate);
}
END_TEST

/* Poisson log likelihood of what came behind the cut, by the definition in the header. */
static double
likelihood(const struct pz_events *e, const double share[PZ_INTENSITY_TERMS], int64_t cut,
           int64_t end)
{
    int64_t first = INT64_MAX;
    double n_before = 0, n_users = 0, sum = 0;
    for (uint64_t i = 0; i < e->n; i++) {
        first = e->time[i] < first ? e->time[i] : first;
        n_before += e->time[i] <= cut;
    }
    for (uint32_t u = 0; u < e->n_users; u++)
        n_users += e->offsets[u] < e->offsets[u + 1] && e->time[e->offsets[u]] <= cut;
    double span = (double)(cut - first) / 86400, days = (double)(end - cut) / 86400;
    for (uint32_t u = 0; u < e->n_users; u++) {
        double own = 0, seen = 0, last[3] = {0};
        for (uint64_t i = e->offsets[u]; i < e->offsets[u + 1]; i++) {
            double age = (double)(cut - e->time[i]) / 86400;
            seen += age < 0;
            own += age >= 0;
            for (int k = 0; k < 3 && age >= 0; k++) {
                double tau = span / pow(4, k + 1);
                last[k] += exp(-age / tau) / tau;
            }
        }
        if (own == 0)
            continue;
        double rate = share[0] * n_before / n_users / span + share[1] * own / span +
                      share[2] * last[0] + share[3] * last[1] + share[4] * last[2];
        sum += seen * log(rate * days) - rate * days;
    }
    return sum;
}

/* No other shares near those found explain the later events better. */
START_TEST(rates_are_likeliest)
{
    struct fixture f;
    struct pz_intensity in;
    set_up(&f);
    ck_ok(pz_intensity_fit(&in, &f.e, PZ_INTENSITY_FIT, &f.err), f.err);
    int64_t *time = malloc(f.e.n * sizeof *time), cut;
    memcpy(time, f.e.time, f.e.n * sizeof *time);
    for (uint64_t i = 1; i < f.e.n; i++) // insertion sort
        for (uint64_t k = i; k > 0 && time[k - 1] > time[k]; k--) {
            int64_t t = time[k];
            time[k] = time[k - 1];
            time[k - 1] = t;
        }
    cut = time[f.e.n - 1 - f.e.n / 5];
    free(time);
    double best = likelihood(&f.e, in.share, cut, in.end), sum = 0;
    for (int k = 0; k < PZ_INTENSITY_TERMS; k++) {
        for (double step = -0.05; step < 0.06; step += 0.1) {
            double share[PZ_INTENSITY_TERMS];
            memcpy(share, in.share, sizeof share);
            share[k] = fmax(share[k] + step, 0);
            ck_assert(likelihood(&f.e, share, cut, in.end) <= best + 0.05);
        }
        ck_assert(in.share[k] >= 0);
        sum += in.share[k];
    }
    ck_assert(sum > 0.5 && sum < 2);
    tear_down(&f);
}
END_TEST

/* Users who have stopped are told from those who go on. */
START_TEST(rates_follow_the_latest)
{
    enum { U = 40, N = 30 };
    uint64_t offsets[U + 1] = {0};
    int64_t time[U * N];
    uint32_t item[U * N] = {0};
    for (int u = 0; u < U; u++) {
        for (int i = 0; i < N; i++) // even users: the first half of 100 days; odd: all
            time[u * N + i] = (int64_t)((u % 2 ? 100.0 : 50.0) * 86400 * (i + 1) / N);
        offsets[u + 1] = (uint64_t)(u + 1) * N;
    }
    struct pz_events e = events_of(offsets, time, item, U);
    struct pz_intensity in;
    struct pz_err err = PZ_ERR_INIT;
    float *rate;
    ck_ok(pz_intensity_fit(&in, &e, PZ_INTENSITY_FIT, &err), err);
    ck_ok(pz_intensity_users(&rate, &in, &e, &err), err);
    ck_assert(rate[1] > 0.15F && rate[1] < 0.45F); // 0.3 a day
    ck_assert(rate[0] < rate[1] / 10);
    free(rate);
}
END_TEST

/* ---- interest ---- */

/* p(item|u) part by part, from the definitions in the header. */
static void
naive_parts(const struct fixture *f, const struct pz_interest *x,
            const struct pz_neighbours *near, uint32_t it, uint32_t u,
            double part[PZ_INTEREST_PARTS])
{
    const struct pz_events *e = &f->e;
    double n = (double)(e->offsets[u + 1] - e->offsets[u]);
    memset(part, 0, PZ_INTEREST_PARTS * sizeof *part);
    for (uint64_t i = e->offsets[u]; i < e->offsets[u + 1]; i++) {
        uint32_t h = e->item[i];
        double sum = 0, found = 0;
        part[PZ_PART_OWN] += (h == it) / n;
        for (uint64_t k = near->offsets[h]; k < near->offsets[h + 1]; k++) {
            sum += (double)near->score[k];
            found += near->item[k] == it ? (double)near->score[k] : 0;
        }
        part[PZ_PART_NEAR] += sum > 0 ? found / sum / n : 0;
        // "i%02u": items are their numbers; kinds by parity, C every third.
        double kinds = h % 3 ? 1 : 2, content = 0;
        if (h % 2 == it % 2)
            content += 1.0 / (N_ITEMS / 2);
        if (h % 3 == 0 && it % 3 == 0)
            content += 1.0 / ((N_ITEMS + 2) / 3);
        part[PZ_PART_CONTENT] += content / kinds / n;
    }
    double all = 0, had = 0;
    for (uint32_t v = u % 2; v < N_USERS; v += 2)
        for (uint64_t i = e->offsets[v]; i < e->offsets[v + 1]; i++) {
            all++;
            had += e->item[i] == it;
        }
    part[PZ_PART_TRAITS] = had / all;
    all = had = 0;
    for (uint64_t i = 0; i < e->n; i++)
        had += e->item[i] == it;
    part[PZ_PART_POPULAR] = (had + 0.5) / ((double)e->n + 0.5 * N_ITEMS);
    for (uint32_t i = 0; i < N_ITEMS; i++) {
        double dot = 0;
        for (size_t c = 0; c < x->d; c++)
            dot += (double)x->user[u * x->d + c] * (double)x->factor[i * x->d + c];
        all += exp(dot * x->rate);
        if (i == it)
            part[PZ_PART_FACTORS] = exp(dot * x->rate);
    }
    part[PZ_PART_FACTORS] /= all;
}

START_TEST(interests)
{
    struct fixture f;
    struct pz_interest x;
    struct pz_interest_ask ask;
    struct pz_neighbours near;
    set_up(&f);
    ck_assert_uint_eq(f.w.item.n, N_ITEMS);
    struct pz_train t = {
        .events = &f.e, .params = &f.params, .world = &f.w, .seed = 3, .threads = 2};
    struct pz_neighbours_spec spec = {
        .keep = 200, .least = 1, .discount = 0.5, .shrinkage = 10, .threads = 1};
    ck_ok(pz_interest_learn(&x, &t, &f.err), f.err);
    ck_ok(pz_neighbours_find(&near, &f.e, &spec, &f.err), f.err);
    ck_ok(pz_interest_ask_new(&ask, &x, &f.err), f.err);
    for (uint32_t it = 0; it < N_ITEMS; it++) {
        double factors[N_USERS], sum = 0;
        ck_ok(pz_interest_ask_set(&ask, &it, 1, &f.err), f.err);
        pz_interest_factors(&ask, 0, 32, factors);
        pz_interest_factors(&ask, 32, N_USERS - 32, factors + 32);
        for (uint32_t u = 0; u < N_USERS; u++) {
            double want[PZ_INTEREST_PARTS], part[PZ_INTEREST_PARTS];
            bool had;
            ck_ok(pz_interest_of(&ask, u, part, &had, &f.err), f.err);
            part[PZ_PART_FACTORS] = factors[u];
            naive_parts(&f, &x, &near, it, u, want);
            for (int k = 0; k < PZ_INTEREST_PARTS; k++)
                ck_assert_double_eq_tol(part[k], want[k], 1e-5);
            ck_assert_int_eq(had, want[PZ_PART_OWN] > 0);
            sum += part[PZ_PART_FACTORS];
        }
        ck_assert(sum > 0);
        // Looked up or worked out beforehand, it is the same.
        ck_assert(ask.listed);
        double listed[N_USERS], part[PZ_INTEREST_PARTS];
        for (int few = 0; few < 2; few++) {
            bool had;
            ask.few = few;
            ck_ok(pz_interest_ask_set(&ask, &it, 1, &f.err), f.err);
            for (uint32_t u = 0; u < N_USERS; u++) {
                ck_ok(pz_interest_of(&ask, u, part, &had, &f.err), f.err);
                ck_assert(!few || part[PZ_PART_CONTENT] == listed[u]);
                listed[u] = part[PZ_PART_CONTENT];
            }
        }
        ck_assert(!ask.listed);
        ask.few = false;
    }
    // Of several items it is the sum over them.
    const uint32_t about[] = {3, 4, 21};
    double sum[PZ_INTEREST_PARTS] = {0}, part[PZ_INTEREST_PARTS], factors;
    bool had;
    ck_ok(pz_interest_ask_set(&ask, about, 3, &f.err), f.err);
    ck_ok(pz_interest_of(&ask, 7, part, &had, &f.err), f.err);
    pz_interest_factors(&ask, 7, 1, &factors);
    part[PZ_PART_FACTORS] = factors;
    for (int i = 0; i < 3; i++) {
        double one[PZ_INTEREST_PARTS];
        naive_parts(&f, &x, &near, about[i], 7, one);
        for (int k = 0; k < PZ_INTEREST_PARTS; k++)
            sum[k] += one[k];
    }
    for (int k = 0; k < PZ_INTEREST_PARTS; k++)
        ck_assert_double_eq_tol(part[k], sum[k], 1e-5);
    pz_interest_ask_release(&ask);
    pz_interest_release(&x);
    free(near.offsets);
    free(near.item);
    free(near.score);
    tear_down(&f);
}
END_TEST

/* The shares add up to 1 and fit such people: they come back, and keep to their half. */
START_TEST(shares)
{
    struct fixture f;
    double share[PZ_INTEREST_PARTS], again, sum = 0;
    set_up(&f);
    struct pz_train t = {
        .events = &f.e, .params = &f.params, .world = &f.w, .seed = 3, .threads = 1};
    ck_ok(pz_interest_fit(share, &again, &t, &f.err), f.err);
    for (int k = 0; k < PZ_INTEREST_PARTS; k++) {
        ck_assert(share[k] >= 0);
        sum += share[k];
    }
    ck_assert_double_eq_tol(sum, 1, 1e-9);
    ck_assert(share[PZ_PART_OWN] < 0.5 && again > 0.5); // repeats happen by chance alone
    tear_down(&f);
}
END_TEST

/* The log of one user with very many events is not read once for each of them: the shares
 * are found in about the time that learning takes. */
START_TEST(one_of_many)
{
    enum { OTHERS = 150, EACH = 10, LONG = 60000, THINGS = 400 };
    static uint64_t offsets[OTHERS + 2];
    static uint32_t item[LONG + OTHERS * EACH];
    static int64_t when[LONG + OTHERS * EACH];
    struct pz_params params;
    struct pz_world nothing = {.interactions = NULL};
    struct pz_err err = PZ_ERR_INIT;
    struct pz_interest x;
    double share[PZ_INTEREST_PARTS], again;
    uint64_t n = 0;
    for (; n < LONG; n++)
        item[n] = (uint32_t)(n * n % 997 % THINGS);
    offsets[1] = n;
    for (uint32_t u = 0; u < OTHERS; u++) {
        for (uint32_t k = 0; k < EACH; k++, n++)
            item[n] = (u * 37 + k * 11) % THINGS;
        offsets[u + 2] = n;
    }
    for (uint64_t i = 0; i < n; i++)
        when[i] = (int64_t)i;
    struct pz_events e = {.n_users = OTHERS + 1,
                          .n_items = THINGS,
                          .n = n,
                          .offsets = offsets,
                          .item = item,
                          .time = when};
    pz_params_init(&params, pz_recipe_item_affinity.params);
    ck_ok(pz_params_set(&params, "hidden_dimension=32", &err), err);
    struct pz_train t = {
        .events = &e, .params = &params, .world = &nothing, .seed = 3, .threads = 1};
    double start = pz_seconds_cpu();
    ck_ok(pz_interest_learn(&x, &t, &err), err);
    double learning = pz_seconds_cpu() - start;
    pz_interest_release(&x);
    start = pz_seconds_cpu();
    ck_ok(pz_interest_fit(share, &again, &t, &err), err);
    ck_assert_double_lt(pz_seconds_cpu() - start, 4 * learning + 0.1);
}
END_TEST

/* Answers are users: one with a number beyond the items is no damage. */
START_TEST(more_users_than_items)
{
    enum { MANY = 10 };
    struct toy_row row[2 * MANY];
    struct pz_dataset d;
    struct pz_world w;
    struct pz_events e;
    struct pz_selection all = {0};
    struct pz_selection_report report;
    struct pz_params params;
    struct pz_trained t;
    struct pz_err err = PZ_ERR_INIT;
    for (uint32_t k = 0; k < 2 * MANY; k++) // the last user is the most active one
        row[k] = (struct toy_row){
            .user = k < MANY ? k : MANY - 1, .item = k % 2, .time = (int64_t)k};
    toy_dataset(&d, MANY, 2, row, 2 * MANY);
    pz_world_of(&w, &d);
    ck_ok(pz_events_select(&d, &all, &e, &report, &err), err);
    pz_params_init(&params, pz_recipe_item_affinity.params);
    struct pz_train learn = {
        .events = &e, .params = &params, .world = &w, .seed = 1, .threads = 1};
    ck_ok(pz_trained_open(&t, &pz_recipe_item_affinity, &learn, &err), err);
    ck_ok(pz_model_check(&t.model, &err), err);
    pz_trained_close(&t);
    pz_events_release(&e);
    toy_release(&d);
}
END_TEST

/* ---- a whole model ---- */

static void
learn_all(struct fixture *f, const struct pz_recipe *r, struct pz_trained *t)
{
    struct pz_train learn = {
        .events = &f->e, .params = &f->params, .world = &f->w, .seed = 5, .threads = 1};
    ck_ok(pz_trained_open(t, r, &learn, &f->err), f->err);
}

/* Events a day of user u at the end of the data, from the definition in the header. */
static double
naive_intensity(const struct pz_events *e, const struct pz_intensity *in, uint32_t u)
{
    int64_t first = INT64_MAX, last = INT64_MIN;
    double n_users = 0, sum = 0;
    for (uint64_t i = 0; i < e->n; i++) {
        first = e->time[i] < first ? e->time[i] : first;
        last = e->time[i] > last ? e->time[i] : last;
    }
    for (uint32_t v = 0; v < e->n_users; v++)
        n_users += e->offsets[v] < e->offsets[v + 1];
    double span = (double)(last - first) / 86400;
    for (uint64_t i = e->offsets[u]; i < e->offsets[u + 1]; i++) {
        double age = (double)(last - e->time[i]) / 86400;
        sum += in->share[1] / span;
        for (int k = 0; k < 3; k++) {
            double tau = span / pow(4, k + 1);
            sum += in->share[k + 2] * exp(-age / tau) / tau;
        }
    }
    return sum + in->share[0] * (double)e->n / n_users / span;
}

/* Scores against 30 I(u) p(i|u) in plain loops over the events; of what was learned, the
 * reference has the factors and the shares alone. */
START_TEST(answers)
{
    struct fixture f;
    struct pz_trained t;
    struct pz_interest x;
    struct pz_intensity in;
    struct pz_neighbours near;
    struct pz_neighbours_spec spec = {
        .keep = 200, .least = 1, .discount = 0.5, .shrinkage = 10, .threads = 1};
    const float *intensity;
    uint64_t n_users = N_USERS;
    uint32_t user[N_USERS], about = 6;
    float score[N_USERS];
    set_up(&f);
    learn_all(&f, &pz_recipe_item_affinity, &t);
    ck_ok(pz_interest_open(&x, &t.model, &f.err), f.err);
    ck_ok(
        pz_tensors_get1(&t.model.file, "intensity", PZ_F32, &n_users, &intensity, &f.err),
        f.err);
    struct pz_query q = {
        .user = PZ_NO_ID, .item = about, .about = &about, .n_about = 1, .n = N_USERS};
    struct pz_ranked out = {.item = user, .score = score};
    ck_ok(t.model.recipe->rank(t.model.state, &q, 1, &out, &f.err), f.err);
    ck_assert_uint_eq(out.n, N_USERS);
    ck_assert(!out.fallback);
    ck_ok(pz_intensity_fit(&in, &f.e, PZ_INTENSITY_FIT, &f.err), f.err);
    ck_ok(pz_neighbours_find(&near, &f.e, &spec, &f.err), f.err);
    bool met[N_USERS] = {false};
    for (size_t i = 0; i < out.n; i++) {
        double part[PZ_INTEREST_PARTS];
        uint32_t u = user[i];
        ck_assert(u < N_USERS && !met[u]);
        met[u] = true;
        naive_parts(&f, &x, &near, about, u, part);
        double others = 0;
        for (int k = 1; k < PZ_INTEREST_PARTS; k++)
            others += x.share[k] * part[k];
        double want = 30 * naive_intensity(&f.e, &in, u) *
                      (x.share[0] * part[0] + (part[0] > 0 ? x.again : 1) * others);
        ck_assert_double_eq_tol((double)score[i], want, 1e-6 + 1e-4 * want);
        ck_assert(i == 0 || score[i] < score[i - 1] ||
                  (score[i] == score[i - 1] && u > user[i - 1]));
    }
    // Fewer are the first of all; a filter takes users out.
    uint64_t allow = ~(uint64_t)0 ^ (uint64_t)1 << user[1];
    uint32_t few[5];
    float few_score[5];
    struct pz_ranked five = {.item = few, .score = few_score};
    q.n = 5;
    q.allow = &allow;
    ck_ok(t.model.recipe->rank(t.model.state, &q, 1, &five, &f.err), f.err);
    ck_assert_uint_eq(five.n, 5);
    ck_assert_uint_eq(few[0], user[0]);
    for (int i = 1; i < 5; i++)
        ck_assert_uint_eq(few[i], user[i + 1]);
    // Nothing known of the item: the most active.
    q.n_about = 0;
    q.allow = NULL;
    ck_ok(t.model.recipe->rank(t.model.state, &q, 1, &five, &f.err), f.err);
    ck_assert(five.fallback);
    for (uint32_t u = 0; u < N_USERS; u++)
        ck_assert(intensity[u] <= intensity[few[0]]);
    free(near.offsets);
    free(near.item);
    free(near.score);
    pz_trained_close(&t);
    tear_down(&f);
}
END_TEST

/* Reasons are of the user's own history and add up to what they say. */
START_TEST(reasons)
{
    struct fixture f;
    struct pz_trained t;
    struct pz_reason reason[64];
    uint32_t about[] = {2, 3};
    set_up(&f);
    learn_all(&f, &pz_recipe_item_affinity, &t);
    struct pz_query q = {
        .user = PZ_NO_ID, .item = PZ_NO_ID, .about = about, .n_about = 2};
    for (uint32_t u = 0; u < N_USERS; u++) {
        struct pz_explained x = {.reason = reason};
        struct pz_history h;
        double sum = 0;
        ck_ok(pz_model_history(&t.model, u, &h, &f.err), f.err);
        ck_ok(t.model.recipe->explain(t.model.state, &q, u, &x, &f.err), f.err);
        ck_assert(x.n > 0 && x.n <= h.n);
        for (size_t i = 0; i < x.n; i++) {
            bool had = false;
            for (size_t k = 0; k < h.n; k++)
                had |= h.item[k] == reason[i].item;
            ck_assert(had &&
                      (i == 0 || reason[i].contribution <= reason[i - 1].contribution));
            sum += reason[i].contribution;
        }
        ck_assert_double_eq_tol(sum, x.raw, 1e-9 + 1e-9 * sum);
    }
    pz_trained_close(&t);
    tear_down(&f);
}
END_TEST

START_TEST(attributes_are_wanted)
{
    struct fixture f;
    struct pz_builder *b;
    set_up(&f);
    struct pz_world bare = f.w;
    bare.items = NULL;
    ck_ok(pz_builder_new(&b, &f.err), f.err);
    struct pz_train t = {.events = &f.e, .params = &f.params, .world = &bare, .model = b};
    ck_assert_int_eq(pz_recipe_item_attribute_affinity.train(&t, &f.err), PZ_DATA);
    ck_assert_ptr_nonnull(strstr(f.err.msg, "Did not find any attribute to train on."));
    pz_builder_free(b);
    tear_down(&f);
}
END_TEST

/* ---- metrics ---- */

/* Users 7i, 7i+1, ... for item i. */
static int
stub_rank(const void *state, const struct pz_query *q, size_t n, struct pz_ranked *out,
          struct pz_err *err)
{
    (void)state;
    (void)err;
    for (size_t i = 0; i < n; i++) {
        out[i].n = q[i].n;
        for (size_t k = 0; k < q[i].n; k++)
            out[i].item[k] = (uint32_t)((7 * q[i].about[0] + k) % 250);
    }
    return PZ_OK;
}

/* Trained and opened as the recipe that needs no tensors of its own. */
static int
stub_train(const struct pz_train *t, struct pz_err *err)
{
    return pz_recipe_popularity.train(t, err);
}

static const struct pz_recipe stub = {.name = "aws-popularity-count",
                                      .type = PZ_USER_SEGMENTATION,
                                      .train = stub_train,
                                      .rank = stub_rank};

/* Both splits counted by hand: 250 users, so that a hundredth is 3. */
START_TEST(metrics)
{
    enum { U = 250, I = 30 };
    struct pz_dataset d;
    struct pz_events e;
    struct pz_world w;
    struct pz_figures got;
    struct pz_err err = PZ_ERR_INIT;
    struct pz_selection all = {0};
    struct pz_selection_report report;
    struct pz_params params;
    static const struct pz_param_def none[] = {{.name = NULL}};
    size_t n;
    struct toy_row *row = toy_random(4, U, I, 12, &n);
    toy_dataset(&d, U, I, row, n);
    pz_world_of(&w, &d);
    ck_ok(pz_events_select(&d, &all, &e, &report, &err), err);
    pz_params_init(&params, none);
    struct pz_eval eval = {.recipe = &stub, .world = &w, .events = &e, .params = &params};
    ck_assert(pz_has_figures(&stub));
    ck_assert(!pz_has_figures(&pz_recipe_sims));
    static uint8_t truth[I][U], known[U];
    double hits = 0, recall = 0, asked = 0, n_users = 0;
    memset(truth, 0, sizeof truth);
    for (uint32_t u = 0; u < U; u++) {
        uint64_t from = e.offsets[u], len = e.offsets[u + 1] - from;
        uint64_t newest = len < 2 ? 0 : len / 5 ? len / 5 : 1;
        known[u] = len > 0;
        n_users += known[u];
        for (uint64_t i = len - newest; i < len; i++)
            truth[e.item[from + i]][u] = 1;
    }
    ck_assert(n_users > 200 && n_users <= 250);
    uint32_t n_top = ((uint32_t)n_users + 99) / 100;
    for (uint32_t i = 0; i < I; i++) {
        double h = 0, r = 0;
        for (uint32_t u = 0; u < U; u++)
            r += truth[i][u];
        for (uint32_t k = 0; k < n_top; k++)
            h += truth[i][(7 * i + k) % 250];
        asked += r > 0;
        hits += h;
        recall += r > 0 ? h / r : 0;
    }
    ck_ok(pz_eval_segments(&eval, &got, &err), err);
    ck_assert_uint_eq(got.n, 5);
    ck_assert_uint_eq(got.n_asked, (uint64_t)asked);
    ck_assert_str_eq(got.figure[1].name, "hits_at_1_percent");
    ck_assert_double_eq_tol(got.figure[1].value, hits / asked, 1e-12);
    ck_assert_double_eq_tol(got.figure[2].value, recall / asked, 1e-12);
    ck_assert_double_eq_tol(got.figure[0].baseline, n_top / n_users, 1e-12);
    pz_events_release(&e);
    toy_release(&d);
    free(row);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("segments");
    TCase *t = tcase_create("segments");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, rates);
    tcase_add_test(t, rates_are_likeliest);
    tcase_add_test(t, rates_follow_the_latest);
    tcase_add_test(t, interests);
    tcase_add_test(t, shares);
    tcase_add_test(t, one_of_many);
    tcase_add_test(t, more_users_than_items);
    tcase_add_test(t, answers);
    tcase_add_test(t, reasons);
    tcase_add_test(t, attributes_are_wanted);
    tcase_add_test(t, metrics);
    suite_add_tcase(s, t);
    return s;
}
