/* Actions: events as offers, the terms, the regression, and what is answered. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "eval/figures.h"
#include "group.h"
#include "recipe/actions.h"
#include "recipe/habits.h"
#include "recipe/logistic.h"
#include "unit.h"

#define AT(seconds) .now = (seconds), .dated = true
enum { DAY = 86400 };

START_TEST(types)
{
    static const struct {
        const char *type;
        float weight;
    } c[] = {{"Taken", 1},
             {"TAKEN", 1},
             {"Not Taken", 0.25F},
             {"Not taken", 0.25F},
             {"NOT_TAKEN", 0.25F},
             {"not-taken", 0.25F},
             {"Viewed", 0.5F},
             {"viewed", 0.5F},
             {"", 0},
             {"Takenn", 0},
             {"Clicked", 0},
             {"a very long type of event indeed", 0}};
    for (size_t i = 0; i < sizeof c / sizeof *c; i++)
        ck_assert_msg(pz_action_weight(c[i].type, strlen(c[i].type)) == c[i].weight, "%s",
                      c[i].type);
}
END_TEST

START_TEST(offers)
{
    // u0: a view, a take of the same offer, another action in between, then a new offer.
    uint64_t offsets[] = {0, 5, 5, 7};
    uint32_t action[] = {0, 1, 0, 0, 1, 0, 0};
    float weight[] = {0.5F, 0.25F, 1, 0.25F, 0.5F, 1, 0.5F};
    int64_t time[] = {0, 5 * DAY, 14 * DAY, 15 * DAY, 15 * DAY, 7, 7};
    struct pz_events e = {.n_users = 3,
                          .n_items = 2,
                          .n = 7,
                          .offsets = offsets,
                          .item = action,
                          .time = time,
                          .weight = weight};
    static const struct pz_offer want[] = {{0, 0, 0, 0, true},
                                           {0, 1, 5 * DAY, 1, false},
                                           {0, 0, 15 * DAY, 3, false},
                                           {2, 0, 7, 0, true}};
    struct pz_err err = PZ_ERR_INIT;
    struct pz_offer *o;
    size_t n;
    ck_ok(pz_offers_make(&o, &n, &e, 14 * DAY, &err), err);
    ck_assert_uint_eq(n, 4);
    for (size_t i = 0; i < n; i++) {
        ck_assert_uint_eq(o[i].user, want[i].user);
        ck_assert_uint_eq(o[i].action, want[i].action);
        ck_assert_int_eq(o[i].time, want[i].time);
        ck_assert_uint_eq(o[i].before, want[i].before);
        ck_assert_int_eq(o[i].taken, want[i].taken);
    }
    free(o);
}
END_TEST

/* By hand: two actions, 8 offers of the first of which 3 were taken, 4 and 1 of the
 * other; one trait, whose users were offered the first 4 times and took it 2 times. */
START_TEST(terms)
{
    const uint32_t offered[] = {8, 4}, taken[] = {3, 1}, t_offered[] = {4, 1},
                   t_taken[] = {2, 0}, trait[] = {0};
    struct pz_action_counts c = {2, 1, offered, taken, t_offered, t_taken, 12, 4};
    const uint32_t action[] = {0, 1, 0};
    const float weight[] = {0.5F, 1, 0.25F};
    const int64_t time[] = {0, DAY, 2 * DAY};
    struct pz_action_history h = {action, weight, time, 3, trait, 1};
    struct pz_action_sums s;
    struct pz_err err = PZ_ERR_INIT;
    double term[PZ_ACTION_TERMS], all = 4.5 / 13, rate = (3 + 10 * all) / 18;
    ck_ok(pz_action_sums_new(&s, 2, &err), err);
    ck_ok(pz_action_sums_set(&s, &h, &err), err);
    pz_action_terms(term, &c, &s, &h, 0, 9 * DAY, NULL);
    ck_assert_double_eq_tol(term[PZ_TERM_ACTION], log(rate / (1 - rate)), 1e-12);
    double user = (1 + 5 * all) / 8, like = (2 + 20 * rate) / 24;
    ck_assert_double_eq_tol(term[PZ_TERM_USER],
                            log(user / (1 - user)) - log(all / (1 - all)), 1e-12);
    ck_assert_double_eq_tol(term[PZ_TERM_TRAITS],
                            log(like / (1 - like)) - log(rate / (1 - rate)), 1e-12);
    ck_assert_double_eq_tol(term[PZ_TERM_TAKEN], 0, 1e-12);
    ck_assert_double_eq_tol(term[PZ_TERM_NOT], log(2), 1e-12);
    ck_assert_double_eq_tol(term[PZ_TERM_VIEWED], log(2), 1e-12);
    ck_assert_double_eq_tol(term[PZ_TERM_RECENT], exp(-1), 1e-12);
    ck_assert_double_eq_tol(term[PZ_TERM_ACTIVE], log(4), 1e-12);
    ck_assert(term[PZ_TERM_ONE] == 1);
    // An offer that was taken is not to be known: as if it had never been.
    struct pz_offer o = {0, 0, 9 * DAY, 3, true};
    pz_action_terms(term, &c, &s, &h, 0, 9 * DAY, &o);
    all = 3.5 / 12;
    rate = (2 + 10 * all) / 17;
    like = (1 + 20 * rate) / 23;
    ck_assert_double_eq_tol(term[PZ_TERM_ACTION], log(rate / (1 - rate)), 1e-12);
    ck_assert_double_eq_tol(term[PZ_TERM_TRAITS],
                            log(like / (1 - like)) - log(rate / (1 - rate)), 1e-12);
    // Nothing known of the user: nothing but the rate.
    struct pz_action_history nobody = {.n = 0};
    ck_ok(pz_action_sums_set(&s, &nobody, &err), err);
    pz_action_terms(term, &c, &s, &nobody, 1, 9 * DAY, NULL);
    for (int k = PZ_TERM_ACTION + 1; k < PZ_TERM_ONE; k++)
        ck_assert_double_eq_tol(term[k], 0, 1e-12);
    pz_action_sums_release(&s);
}
END_TEST

/* Against the conditions of a minimum, and closed forms. */
START_TEST(regression)
{
    enum { N = 2000, D = 4 };
    static const double truth[D] = {1.5, -0.7, 0, -1};
    double *x = malloc(N * D * sizeof *x), *z = malloc(N * sizeof *z), c[D],
           grad[D] = {0};
    uint8_t *y = malloc(N);
    struct pz_err err = PZ_ERR_INIT;
    struct pz_rng rng;
    double n_taken = 0;
    pz_rng_seed(&rng, 5, 0);
    for (size_t i = 0; i < N; i++) {
        double q = 0;
        for (size_t k = 0; k < D; k++) {
            x[i * D + k] = k + 1 < D ? pz_rng_normal(&rng) : 1;
            q += truth[k] * x[i * D + k];
        }
        y[i] = pz_rng_unit(&rng) < 1 / (1 + exp(-q));
        n_taken += y[i];
    }
    ck_ok(pz_logistic_fit(c, x, y, N, D, 2, &err), err);
    for (size_t i = 0; i < N; i++) {
        z[i] = 0;
        for (size_t k = 0; k < D; k++)
            z[i] += c[k] * x[i * D + k];
        for (size_t k = 0; k < D; k++)
            grad[k] += (1 / (1 + exp(-z[i])) - y[i]) * x[i * D + k];
    }
    for (size_t k = 0; k < D; k++) {
        ck_assert_double_eq_tol(grad[k] + (k + 1 < D ? 2 * c[k] : 0), 0, 1e-4);
        ck_assert_double_eq_tol(c[k], truth[k], 0.25);
    }
    // Of the constant alone: the log odds of the mean.
    for (size_t i = 0; i < N; i++)
        x[i] = 1;
    ck_ok(pz_logistic_fit(c, x, y, N, 1, 1, &err), err);
    ck_assert_double_eq_tol(c[0], log(n_taken / (N - n_taken)), 1e-6);
    // Of odds that are twice too sure, Platt takes half.
    double slope, offset;
    for (size_t i = 0; i < N; i++)
        z[i] *= 2;
    ck_ok(pz_platt_fit(&slope, &offset, z, y, N, &err), err);
    ck_assert_double_eq_tol(slope, 0.5, 0.02);
    ck_assert_double_eq_tol(offset, 0, 0.05);
    // Odds that say the opposite: about the share that was taken, for all of them.
    for (size_t i = 0; i < N; i++)
        z[i] = 3 - z[i];
    ck_ok(pz_platt_fit(&slope, &offset, z, y, N, &err), err);
    ck_assert_double_gt(slope, 0);
    for (size_t i = 0; i < N; i++)
        ck_assert_double_eq_tol(pz_sigmoid(slope * z[i] + offset), n_taken / N, 0.01);
    // Nothing taken at all is no certainty.
    memset(y, 0, N);
    ck_ok(pz_platt_fit(&slope, &offset, z, y, N, &err), err);
    ck_assert(isfinite(slope) && slope > 0 && isfinite(offset));
    free(x);
    free(y);
    free(z);
}
END_TEST

/* ---- a whole model ---- */

struct fixture {
    struct group g;
    struct pz_world w;
    struct pz_events e;
    struct pz_params params;
    struct pz_trained t;
    struct pz_err err;
};

/* What was imported, as a training sees it. */
static void
open_world(struct fixture *f)
{
    struct pz_selection all = {0};
    struct pz_selection_report report;
    ck_ok(pz_world_open(&f->w, f->g.dir, PZ_ACTION_INTERACTIONS, 1, &f->err), f->err);
    ck_ok(pz_world_select(&f->w, &all, &f->e, &report, &f->err), f->err);
    pz_params_init(&f->params, pz_recipe_next_best_action.params);
}

static void
train(struct fixture *f, const struct pz_events *e)
{
    struct pz_train t = {
        .events = e, .params = &f->params, .world = &f->w, .seed = 1, .threads = 1};
    ck_ok(pz_trained_open(&f->t, &pz_recipe_next_best_action, &t, &f->err), f->err);
}

/*
 * Odd users take "a" three times in four, even ones one time in ten; "b" and "c" are
 * taken by half of all; "d" is new. "b" has expired at day 100, "c" rests for five days.
 */
static void
set_up(struct fixture *f, const char *param)
{
    struct pz_buf events = PZ_BUF_INIT, users = PZ_BUF_INIT;
    struct pz_rng rng;
    *f = (struct fixture){.err = PZ_ERR_INIT};
    group_make(&f->g);
    pz_rng_seed(&rng, 3, 0);
    pz_buf_addz(&events, "USER_ID,ACTION_ID,EVENT_TYPE,TIMESTAMP\n");
    pz_buf_addz(&users, "USER_ID,KIND\n");
    for (unsigned u = 0; u < 400; u++) {
        pz_buf_addf(&users, "u%03u,%s\n", u, u % 2 ? "odd" : "even");
        for (unsigned i = 0; i < 3; i++) {
            double p = i ? 0.5 : u % 2 ? 0.75 : 0.1;
            bool taken = pz_rng_unit(&rng) < p;
            pz_buf_addf(&events, "u%03u,%c,%s,%u\n", u, "abc"[i],
                        taken   ? "Taken"
                        : u % 3 ? "NOT_TAKEN"
                                : "Viewed",
                        (unsigned)pz_rng_below(&rng, 90 * DAY));
        }
    }
    group_import(&f->g, PZ_ACTION_INTERACTIONS, NULL, events.data);
    group_import(&f->g, PZ_ACTIONS, NULL,
                 "ACTION_ID,VALUE,EXPIRATION_TIMESTAMP,REPEAT_FREQUENCY\n"
                 "a,1,,\nb,2,8640000,\nc,3,,5\nd,7,,\ne,9,,\n");
    group_import(&f->g, PZ_USERS, NULL, users.data);
    open_world(f);
    if (param)
        ck_ok(pz_params_set(&f->params, param, &f->err), f->err);
    train(f, &f->e);
    pz_buf_release(&events);
    pz_buf_release(&users);
}

static void
tear_down(struct fixture *f)
{
    pz_trained_close(&f->t);
    pz_events_release(&f->e);
    pz_world_close(&f->w);
    group_remove(&f->g);
}

/* "c:0.51 a:0.49 ..." of a query, best first. */
static void
ask(struct fixture *f, const struct pz_query *q, char out[128])
{
    uint32_t item[8];
    float score[8];
    size_t at = 0;
    struct pz_ranked r = {.item = item, .score = score};
    ck_ok(f->t.model.recipe->rank(f->t.model.state, q, 1, &r, &f->err), f->err);
    out[0] = 0;
    for (size_t i = 0; i < r.n; i++)
        at += (size_t)snprintf(out + at, 128 - at, "%s%c:%.1f", i ? " " : "",
                               "abcde"[item[i]], (double)score[i]);
}

START_TEST(rules)
{
    struct fixture f;
    char out[128];
    set_up(&f, NULL);
    // Somebody odd: a is likely, of the new ones the more valuable first.
    struct pz_query q = {.user = 1, .item = PZ_NO_ID, .n = 5, AT(99 * (int64_t)DAY)};
    ck_assert_uint_eq(f.t.model.n_items, 5);
    ask(&f, &q, out);
    ck_assert_msg(!strncmp(out, "a:0.8 ", 6), "%s", out);
    const char *e = strchr(out, 'e'), *d = strchr(out, 'd');
    ck_assert(e && d && d == e + 6 && strncmp(e + 2, d + 2, 3) == 0);
    // Even: a comes last.
    q.user = 2;
    ask(&f, &q, out);
    ck_assert_msg(strstr(out, " a:0.1") && out[strlen(out) - 5] == 'a', "%s", out);
    // b has expired from its second on; candidates are ranked all the same.
    q.now = 100 * (int64_t)DAY;
    ask(&f, &q, out);
    ck_assert_msg(!strchr(out, 'b'), "%s", out);
    const uint32_t two[] = {0, 1};
    q.candidate = two;
    q.n_candidates = 2;
    ask(&f, &q, out);
    ck_assert_msg(strchr(out, 'b') && strlen(out) == 11, "%s", out);
    q.candidate = NULL;
    // c rests for five days from the last event with it, of any kind.
    const uint32_t history[] = {2};
    const float viewed[] = {PZ_ACTION_VIEWED};
    int64_t time[] = {95 * (int64_t)DAY + 1};
    q.history = history;
    q.weight = viewed;
    q.time = time;
    q.n_history = 1;
    ask(&f, &q, out);
    ck_assert_msg(!strchr(out, 'c'), "%s", out);
    time[0]--;
    ask(&f, &q, out);
    ck_assert_msg(strchr(out, 'c'), "%s", out);
    time[0] = -DAY;
    q.now = 0; // a time as any other
    ask(&f, &q, out);
    ck_assert_msg(!strchr(out, 'c'), "%s", out);
    // A filter, a list to leave out, fewer.
    const uint64_t allow = 0x1d; // not b
    const uint32_t leave[] = {4};
    q = (struct pz_query){.user = PZ_NO_ID, .item = PZ_NO_ID, .n = 2, AT(1)};
    q.allow = &allow;
    q.exclude = leave;
    q.n_exclude = 1;
    ask(&f, &q, out);
    ck_assert_msg(strlen(out) == 11 && !strchr(out, 'e') && !strchr(out, 'b'), "%s", out);
    tear_down(&f);
}
END_TEST

START_TEST(least_events)
{
    struct fixture f;
    char out[128];
    set_up(&f, "min_action_events=5");
    struct pz_query q = {.user = 1, .item = PZ_NO_ID, .n = 5, AT(1)};
    ask(&f, &q, out);
    ck_assert_msg(strstr(out, "e:0.0 d:0.0") && strstr(out, "a:0.8"), "%s", out);
    tear_down(&f);
}
END_TEST

/* Draws put new actions forward, alike for a user all day; scores stay probabilities. */
START_TEST(exploration)
{
    struct fixture f;
    char out[128], again[128];
    unsigned n_first = 0;
    set_up(&f, "exploration_weight=1");
    for (uint32_t u = 0; u < 40; u++) {
        struct pz_query q = {.user = u, .item = PZ_NO_ID, .n = 5, AT(5 * DAY)};
        ask(&f, &q, out);
        q.now += DAY - 1;
        ask(&f, &q, again);
        ck_assert_str_eq(out, again);
        n_first += out[0] == 'd' || out[0] == 'e';
    }
    ck_assert(n_first > 10 && n_first < 40);
    tear_down(&f);
}
END_TEST

/* ---- are probabilities what they say? ---- */

enum { PEOPLE = 3000, OFFERS = 5 };

struct said {
    double p;
    bool taken;
};

static int
by_said(const void *a, const void *b)
{
    const struct said *x = a, *y = b;
    return (x->p > y->p) - (x->p < y->p);
}

/* The greatest distance, in standard errors and beside a misfit of 0.02, of what was said
 * of a tenth from what came. */
static double
worst_tenth(const struct said *s, size_t n)
{
    double worst = 0;
    for (size_t b = 0; b < 10; b++) {
        double p = 0, var = 0, taken = 0;
        for (size_t i = n * b / 10; i < n * (b + 1) / 10; i++) {
            p += s[i].p;
            var += s[i].p * (1 - s[i].p);
            taken += s[i].taken;
        }
        worst = fmax(worst, (fabs(p - taken) - 0.02 * (double)n / 10) / sqrt(var));
    }
    return worst;
}

/* Isotonic regression, pools of neighbours that are out of order. Returns the mean of
 * -log likelihood under it; *as_said: under p itself. */
static double
isotonic_loss(const struct said *s, size_t n, double *as_said)
{
    double *sum = malloc(n * sizeof *sum), *count = malloc(n * sizeof *count), loss = 0;
    size_t pools = 0;
    *as_said = 0;
    for (size_t i = 0; i < n; i++) {
        sum[pools] = s[i].taken;
        count[pools++] = 1;
        while (pools > 1 &&
               sum[pools - 2] / count[pools - 2] >= sum[pools - 1] / count[pools - 1]) {
            sum[pools - 2] += sum[pools - 1];
            count[pools - 2] += count[pools - 1];
            pools--;
        }
        *as_said -= log(s[i].taken ? s[i].p : 1 - s[i].p) / (double)n;
    }
    for (size_t k = 0; k < pools; k++) {
        double q = sum[k] / count[k];
        loss -= q > 0 ? sum[k] * log(q) : 0;
        loss -= q < 1 ? (count[k] - sum[k]) * log(1 - q) : 0;
    }
    free(sum);
    free(count);
    return loss / (double)n;
}

/* Readier and less ready people of two kinds, five offers each; every other one is
 * learned from. */
static void
import_people(struct fixture *f)
{
    static const double ease[OFFERS] = {-1.5, -0.5, 0, 0.5, 1};
    struct pz_buf events = PZ_BUF_INIT, users = PZ_BUF_INIT;
    struct pz_rng rng;
    pz_rng_seed(&rng, 17, 0);
    pz_buf_addz(&events, "USER_ID,ACTION_ID,EVENT_TYPE,TIMESTAMP\n");
    pz_buf_addz(&users, "USER_ID,KIND\n");
    for (unsigned u = 0; u < PEOPLE; u++) {
        double ready = 1.5 * pz_rng_normal(&rng);
        unsigned first = (unsigned)pz_rng_below(&rng, OFFERS), kind = u / 2 % 2;
        pz_buf_addf(&users, "u%04u,%s\n", u, kind ? "x" : "y");
        for (unsigned i = 0; i < OFFERS; i++) {
            unsigned a = (first + i) % OFFERS;
            double z = ready + ease[a] + (kind && a < 2 ? 1 : 0);
            bool taken = pz_rng_unit(&rng) < 1 / (1 + exp(-z));
            pz_buf_addf(&events, "u%04u,%c,%s,%u\n", u, "abcde"[a],
                        taken ? "Taken" : "Not Taken", (i + 1) * DAY);
        }
    }
    group_import(&f->g, PZ_ACTION_INTERACTIONS, NULL, events.data);
    group_import(&f->g, PZ_ACTIONS, NULL, "ACTION_ID,VALUE\na,1\nb,1\nc,1\nd,1\ne,1\n");
    group_import(&f->g, PZ_USERS, NULL, users.data);
    pz_buf_release(&events);
    pz_buf_release(&users);
}

static double
said_of(const struct fixture *f, uint32_t u, uint64_t i)
{
    const struct pz_events *e = &f->e;
    uint64_t from = e->offsets[u];
    uint32_t item;
    float score;
    struct pz_query q = {.user = u,
                         .item = PZ_NO_ID,
                         .history = e->item + from,
                         .weight = e->weight + from,
                         .time = e->time + from,
                         .n_history = (size_t)(i - from),
                         .candidate = &e->item[i],
                         .n_candidates = 1,
                         .n = 1,
                         AT(e->time[i])};
    struct pz_ranked out = {.item = &item, .score = &score};
    struct pz_reason reason[OFFERS + PZ_REASON_LABELS];
    struct pz_explained why = {.reason = reason};
    struct pz_err err = PZ_ERR_INIT;
    double sum = 0;
    ck_ok(f->t.model.recipe->rank(f->t.model.state, &q, 1, &out, &err), err);
    ck_ok(f->t.model.recipe->explain(f->t.model.state, &q, item, &why, &err), err);
    for (size_t k = 0; k < why.n; k++) {
        sum += reason[k].contribution;
        ck_assert(k == 0 || reason[k].contribution <= reason[k - 1].contribution);
        ck_assert_uint_eq(reason[k].n_label, strlen(reason[k].label));
    }
    ck_assert_double_eq_tol(sum, why.raw, 1e-9);
    ck_assert_double_eq_tol(1 / (1 + exp(-why.raw)), (double)score, 1e-6);
    return (double)score;
}

/* Of users that training has not seen. */
START_TEST(reliability)
{
    struct fixture f = {.err = PZ_ERR_INIT};
    struct said *said = malloc(PEOPLE * OFFERS * sizeof *said);
    size_t n = 0;
    double as_said;
    group_make(&f.g);
    import_people(&f);
    open_world(&f);
    struct pz_events half = f.e;
    half.offsets = malloc((PEOPLE + 1) * sizeof *half.offsets);
    half.item = malloc(f.e.n * sizeof *half.item);
    half.weight = malloc(f.e.n * sizeof *half.weight);
    half.time = malloc(f.e.n * sizeof *half.time);
    half.n = half.offsets[0] = 0;
    for (uint32_t u = 0; u < PEOPLE; u++) {
        for (uint64_t i = f.e.offsets[u]; u % 2 == 0 && i < f.e.offsets[u + 1]; i++) {
            half.item[half.n] = f.e.item[i];
            half.weight[half.n] = f.e.weight[i];
            half.time[half.n++] = f.e.time[i];
        }
        half.offsets[u + 1] = half.n;
    }
    train(&f, &half);
    for (uint32_t u = 1; u < PEOPLE; u += 2)
        for (uint64_t i = f.e.offsets[u]; i < f.e.offsets[u + 1]; i++)
            said[n++] =
                (struct said){said_of(&f, u, i), f.e.weight[i] == PZ_ACTION_TAKEN};
    ck_assert_uint_eq(n, PEOPLE / 2 * OFFERS);
    qsort(said, n, sizeof *said, by_said);
    ck_assert(said[n - 1].p - said[0].p > 0.5); // it does tell people apart
    ck_assert_msg(worst_tenth(said, n) < 3.5, "%g", worst_tenth(said, n));
    // The best that a calibration could do, having seen what came, is hardly better.
    double best = isotonic_loss(said, n, &as_said);
    ck_assert_msg(best > 0.985 * as_said && best <= as_said, "%g %g", best, as_said);
    // Somebody twice as sure is found out.
    for (size_t i = 0; i < n; i++)
        said[i].p = 1 / (1 + pow(1 / said[i].p - 1, 2));
    ck_assert(worst_tenth(said, n) > 5);
    best = isotonic_loss(said, n, &as_said);
    ck_assert(best < 0.985 * as_said);
    free(half.offsets);
    free(half.item);
    free(half.weight);
    free(half.time);
    free(said);
    tear_down(&f);
}
END_TEST

/* The list that a model is held against does not show what has expired. */
START_TEST(baseline)
{
    struct fixture f;
    struct pz_figures got[2];
    for (int late = 0; late < 2; late++) {
        set_up(&f, NULL);
        for (uint64_t i = 0; i < f.e.n; i++)
            f.e.time[i] += late ? 100 * DAY : 0; // b has expired by then
        struct pz_eval e = {.recipe = &pz_recipe_next_best_action,
                            .world = &f.w,
                            .events = &f.e,
                            .params = &f.params,
                            .seed = 2,
                            .threads = 1};
        ck_ok(pz_figures_measure(&e, &got[late], &f.err), f.err);
        ck_assert_str_eq(got[late].figure[0].name, "coverage");
        tear_down(&f);
    }
    ck_assert_double_eq_tol(got[0].figure[0].baseline, 1, 1e-12); // a to e
    ck_assert_double_eq_tol(got[1].figure[0].baseline, 0.8, 1e-12);
}
END_TEST

/* Better than the rates, and calibrated; the same for any seed of the order of things. */
START_TEST(figures)
{
    struct fixture f;
    struct pz_figures got;
    set_up(&f, NULL);
    struct pz_eval e = {.recipe = &pz_recipe_next_best_action,
                        .world = &f.w,
                        .events = &f.e,
                        .params = &f.params,
                        .seed = 2,
                        .threads = 1};
    ck_ok(pz_figures_measure(&e, &got, &f.err), f.err);
    ck_assert_uint_eq(got.n, 9);
    ck_assert_uint_eq(got.n_asked, 120); // 40 users, three offers each
    const struct pz_figure *auc = &got.figure[6], *loss = &got.figure[7],
                           *error = &got.figure[8];
    ck_assert_str_eq(auc->name, "area_under_roc_curve");
    ck_assert(auc->value > auc->baseline && auc->value > 0.6 && auc->value < 1);
    ck_assert_str_eq(loss->name, "log_loss");
    ck_assert(loss->value < loss->baseline);
    ck_assert(error->value < 0.2 && error->value >= 0);
    tear_down(&f);
}
END_TEST

/* ---- what users do with items ---- */

/*
 * Users with items are of four kinds: eager ones buy something most days, lapsed ones
 * bought long ago, viewers look at much, the others did nothing. With `matters` the eager
 * take "a" four times in five, viewers "b", all else is a matter of one in five; without,
 * everything is one in three. Nothing else tells users apart, and each has one offer of
 * each action, at any time in the second half of the data.
 */
static void
set_up_habits(struct fixture *f, bool items, bool matters)
{
    struct pz_buf asked = PZ_BUF_INIT, deeds = PZ_BUF_INIT;
    struct pz_rng rng;
    *f = (struct fixture){.err = PZ_ERR_INIT};
    group_make(&f->g);
    pz_rng_seed(&rng, 8, matters);
    pz_buf_addz(&asked, "USER_ID,ACTION_ID,EVENT_TYPE,TIMESTAMP\n");
    pz_buf_addz(&deeds, "USER_ID,ITEM_ID,EVENT_TYPE,TIMESTAMP\n");
    for (unsigned u = 0; u < 1200; u++) {
        unsigned kind = u % 4;
        for (unsigned i = 0; i < 2; i++) {
            double p = !matters ? 0.33 : kind == 2 * i ? 0.8 : 0.2;
            pz_buf_addf(&asked, "u%04u,%c,%s,%u\n", u, "ab"[i],
                        pz_rng_unit(&rng) < p ? "Taken" : "Not Taken",
                        45 * DAY + (unsigned)pz_rng_below(&rng, 45 * DAY));
        }
        for (unsigned k = 0; kind != 3 && k < 30; k++)
            pz_buf_addf(&deeds, "u%04u,i%u,%s,%u\n", u, (unsigned)pz_rng_below(&rng, 40),
                        kind == 2 ? "View" : "Purchase",
                        (unsigned)pz_rng_below(&rng, (kind == 1 ? 10 : 90) * DAY));
    }
    group_import(&f->g, PZ_ACTION_INTERACTIONS, NULL, asked.data);
    group_import(&f->g, PZ_ACTIONS, NULL, "ACTION_ID,VALUE\na,1\nb,2\n");
    if (items)
        group_import(&f->g, PZ_INTERACTIONS, NULL, deeds.data);
    open_world(f);
    train(f, &f->e);
    pz_buf_release(&asked);
    pz_buf_release(&deeds);
}

/* AUC, log loss and calibration error of test users, over three draws of them. */
static void
measure_habits(struct fixture *f, double mean[3])
{
    struct pz_figures got;
    mean[0] = mean[1] = mean[2] = 0;
    for (unsigned seed = 1; seed <= 3; seed++) {
        struct pz_eval e = {.recipe = &pz_recipe_next_best_action,
                            .world = &f->w,
                            .events = &f->e,
                            .params = &f->params,
                            .seed = seed,
                            .threads = 1};
        ck_ok(pz_figures_measure(&e, &got, &f->err), f->err);
        for (int k = 0; k < 3; k++)
            mean[k] += got.figure[6 + k].value / 3;
    }
}

/* They are found where they matter, calibrated, and do no harm where they do not. */
START_TEST(habits)
{
    struct fixture f;
    double without[3], with[3];
    set_up_habits(&f, false, true);
    ck_assert_ptr_null(pz_tensors_meta(&f.t.model.file, "train.habits.halflife"));
    measure_habits(&f, without);
    tear_down(&f);
    set_up_habits(&f, true, true);
    ck_assert_str_eq(pz_tensors_meta(&f.t.model.file, "train.habits.halflife"),
                     "1209600");
    measure_habits(&f, with);

    // What can be known at best: all is at 0.8 or at 0.2.
    const double best = -(0.8 * log(0.8) + 0.2 * log(0.2));
    ck_assert_msg(with[1] < without[1] - 0.08 && with[1] < best + 0.04,
                  "log loss %.4f, then %.4f; at best %.4f", without[1], with[1], best);
    ck_assert_msg(with[0] > 0.7 && without[0] < 0.6, "AUC %.3f, then %.3f", without[0],
                  with[0]);
    ck_assert_msg(with[2] < 0.09, "calibration %.4f", with[2]);
    // Those who bought lately, not those who bought long ago.
    double mean[4][2] = {{0}};
    for (uint32_t u = 0; u < 1200; u++) {
        uint32_t item[2];
        float score[2];
        struct pz_query q = {.user = u, .item = PZ_NO_ID, .n = 2, AT(89 * (int64_t)DAY)};
        struct pz_ranked r = {.item = item, .score = score};
        ck_ok(f.t.model.recipe->rank(f.t.model.state, &q, 1, &r, &f.err), f.err);
        for (int k = 0; k < 2; k++)
            mean[u % 4][item[k]] += (double)score[k] / 300;
    }
    for (unsigned kind = 0; kind < 4; kind++)
        for (unsigned a = 0; a < 2; a++)
            ck_assert_double_eq_tol(mean[kind][a], kind == 2 * a ? 0.8 : 0.2, 0.1);
    char out[128];
    // As of the first second nothing had happened; of a stranger nothing is known.
    struct pz_query nobody = {.user = PZ_NO_ID, .item = PZ_NO_ID, .n = 2, AT(DAY)};
    struct pz_query early = {.user = 0, .item = PZ_NO_ID, .n = 2, AT(1)};
    ask(&f, &nobody, out);
    ck_assert_msg(strlen(out) == 11 && !strstr(out, "0.8"), "%s", out);
    ask(&f, &early, out);
    ck_assert_msg(!strstr(out, "0.8"), "%s", out);
    tear_down(&f);
    set_up_habits(&f, false, false);
    measure_habits(&f, without);
    tear_down(&f);
    set_up_habits(&f, true, false);
    measure_habits(&f, with);
    ck_assert_msg(with[1] < without[1] + 0.003, "log loss %.4f, then %.4f", without[1],
                  with[1]);
    tear_down(&f);
}
END_TEST

/* By hand: two types, a halflife of ten days. */
START_TEST(levels)
{
    const uint64_t offsets[] = {0, 4, 4};
    const int64_t time[] = {0, 10 * DAY, 20 * DAY, 20 * DAY};
    const uint8_t type[] = {0, 0, 0, 1};
    const double edge[] = {0.3, 0.75, 1.6, 0.5, 0.5, 0.5};
    uint32_t offered[2 * PZ_HABIT_LEVELS * 2] = {0}, taken[2 * PZ_HABIT_LEVELS * 2] = {0};
    struct pz_habits h = {.n_users = 2,
                          .n_types = 2,
                          .n_actions = 2,
                          .offsets = offsets,
                          .time = time,
                          .type = type,
                          .n = 4,
                          .edge = edge,
                          .offered = offered,
                          .taken = taken,
                          .halflife = 10 * DAY};
    struct pz_habit_levels l;
    struct pz_err err = PZ_ERR_INIT;
    double term[PZ_HABIT_TERMS];
    ck_ok(pz_habits_at(&l, &h, 0, 20 * DAY, &err), err); // what happens now is not known
    ck_assert(l.known && l.of[0] == 2 && l.of[1] == 0);  // 1/4 + 1/2 is not above 3/4
    ck_assert_double_eq_tol(l.all, 0.75, 1e-12);
    ck_ok(pz_habits_at(&l, &h, 0, 20 * DAY + 1, &err), err);
    ck_assert(l.of[0] == 4 && l.of[1] == 4);
    ck_ok(pz_habits_at(&l, &h, 0, 30 * DAY, &err), err);
    ck_assert(l.of[0] == 3 && l.of[1] == 1); // 7/8, and 1/2 is not above 1/2
    ck_assert_double_eq_tol(l.all, 1.375, 1e-12);
    // Of people at level 3 of the first type 6 were offered action 1, 4 took it.
    offered[3 * 2 + 1] = 6;
    taken[3 * 2 + 1] = 4;
    pz_habit_terms(term, &h, &l, 1, 0.25, NULL);
    double p = (4 + 20 * 0.25) / 26;
    ck_assert_double_eq_tol(term[0], log(p / (1 - p)) - log(1.0 / 3), 1e-12);
    ck_assert(term[1] == 0 && term[2] == 0 && term[3] == 0);
    ck_assert_double_eq_tol(term[PZ_HABIT_TYPES], log(2.375), 1e-12);
    const struct pz_offer o = {0, 1, 30 * DAY, 0, true};
    offered[PZ_HABIT_LEVELS * 2 + 1 * 2 + 1] = taken[PZ_HABIT_LEVELS * 2 + 1 * 2 + 1] = 1;
    pz_habit_terms(term, &h, &l, 1, 0.25, &o);
    p = (3 + 20 * 0.25) / 25;
    ck_assert_double_eq_tol(term[0], log(p / (1 - p)) - log(1.0 / 3), 1e-12);
    ck_assert_double_eq_tol(term[1], 0, 1e-12); // nothing beside the offer itself
    ck_ok(pz_habits_at(&l, &h, 1, 30 * DAY, &err), err);
    ck_assert(l.known && l.of[0] == 0 && l.all == 0);
    ck_ok(pz_habits_at(&l, &h, PZ_NO_ID, 30 * DAY, &err), err);
    ck_assert(!l.known);
    pz_habit_terms(term, &h, &l, 1, 0.25, NULL);
    for (int k = 0; k < PZ_HABIT_TERMS; k++)
        ck_assert(term[k] == 0);
}
END_TEST

START_TEST(unknown_type)
{
    struct fixture f = {.err = PZ_ERR_INIT};
    struct pz_selection all = {0};
    struct pz_selection_report report;
    group_make(&f.g);
    group_import(&f.g, PZ_ACTION_INTERACTIONS, NULL,
                 "USER_ID,ACTION_ID,EVENT_TYPE,TIMESTAMP\nu,a,Clicked,5\n");
    ck_ok(pz_world_open(&f.w, f.g.dir, PZ_ACTION_INTERACTIONS, 1, &f.err), f.err);
    ck_assert_int_eq(pz_world_select(&f.w, &all, &f.e, &report, &f.err), PZ_DATA);
    ck_assert_ptr_nonnull(strstr(f.err.msg, "'Clicked' of an action is none of Taken"));
    pz_world_close(&f.w);
    group_remove(&f.g);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("actions");
    TCase *t = tcase_create("actions");
    tcase_set_timeout(t, 60);
    tcase_add_test(t, types);
    tcase_add_test(t, offers);
    tcase_add_test(t, terms);
    tcase_add_test(t, regression);
    tcase_add_test(t, rules);
    tcase_add_test(t, least_events);
    tcase_add_test(t, exploration);
    tcase_add_test(t, reliability);
    tcase_add_test(t, baseline);
    tcase_add_test(t, figures);
    tcase_add_test(t, habits);
    tcase_add_test(t, levels);
    tcase_add_test(t, unknown_type);
    suite_add_tcase(s, t);
    return s;
}
