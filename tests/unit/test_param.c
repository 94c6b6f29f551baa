/* Hyperparameter tables: names, ranges, and what an error tells. */
#include <math.h>
#include <string.h>

#include "recipe/param.h"
#include "unit.h"

static const struct pz_param_def def[] = {
    {.name = "popularity_discount_factor",
     .kind = PZ_PARAM_REAL,
     .def = 0.5,
     .max = 1,
     .help = "discount"},
    {.name = "min_count", .kind = PZ_PARAM_INT, .def = 3, .max = 10, .help = "least"},
    {.name = "recency_mask", .kind = PZ_PARAM_BOOL, .def = 1, .help = "newest first"},
    {.name = "solver",
     .kind = PZ_PARAM_CHOICE,
     .def = 1,
     .choices = "exact|cg|auto",
     .help = "how"},
    {.name = "days",
     .kind = PZ_PARAM_REAL,
     .def = 5,
     .min = 1,
     .max = INFINITY,
     .help = "age"},
    {.name = NULL},
};

START_TEST(defaults_and_values)
{
    struct pz_params p;
    struct pz_err err = PZ_ERR_INIT;
    struct pz_buf b = PZ_BUF_INIT;
    pz_params_init(&p, def);
    ck_assert_double_eq(pz_param(&p, "popularity_discount_factor"), 0.5);
    ck_ok(pz_params_set(&p, "popularity_discount_factor=1", &err), err);
    ck_ok(pz_params_set(&p, "min_count=0", &err), err);
    ck_ok(pz_params_set(&p, "recency_mask=FALSE", &err), err);
    ck_ok(pz_params_set(&p, "solver=auto", &err), err);
    ck_ok(pz_params_set(&p, "days=2.5e3", &err), err);
    pz_params_json(&p, &b);
    ck_assert_str_eq(b.data,
                     "{\"popularity_discount_factor\":\"1\",\"min_count\":\"0\","
                     "\"recency_mask\":\"False\",\"solver\":\"auto\",\"days\":\"2500\"}");
    ck_assert(p.given[0] && p.given[4]);
    pz_buf_release(&b);
}
END_TEST

static const struct {
    const char *assignment, *message;
} bad[] = {
    {"min_count", "hyperparameter 'min_count': not of the form NAME=VALUE"},
    {"min_count=11",
     "hyperparameter 'min_count': '11' is not a whole number from 0 to 10"},
    {"min_count=1.5",
     "hyperparameter 'min_count': '1.5' is not a whole number from 0 to 10"},
    {"min_count=", "hyperparameter 'min_count': '' is not a whole number from 0 to 10"},
    {"popularity_discount_factor=nan",
     "hyperparameter 'popularity_discount_factor': 'nan' is not a number from 0 to 1"},
    {"recency_mask=1", "hyperparameter 'recency_mask': '1' is not True or False"},
    {"solver=c", "hyperparameter 'solver': 'c' is not one of exact|cg|auto"},
    {"days=0.5", "hyperparameter 'days': '0.5' is not a number of at least 1"},
    {"mincount=2",
     "unknown hyperparameter 'mincount': did you mean 'min_count'? the recipe has "
     "popularity_discount_factor, min_count, recency_mask, solver, days"},
    {"popularity=2", "unknown hyperparameter 'popularity': did you mean "
                     "'popularity_discount_factor'? the recipe has "
                     "popularity_discount_factor, min_count, recency_mask, solver, days"},
    {"xyzzy=2", "unknown hyperparameter 'xyzzy': the recipe has "
                "popularity_discount_factor, min_count, recency_mask, solver, days"},
};

START_TEST(refused)
{
    struct pz_params p;
    struct pz_err err = PZ_ERR_INIT;
    pz_params_init(&p, def);
    ck_assert_int_eq(pz_params_set(&p, bad[_i].assignment, &err), PZ_USAGE);
    ck_assert_str_eq(err.msg, bad[_i].message);
    for (int i = 0; def[i].name; i++) {
        ck_assert_double_eq(p.value[i], def[i].def);
        ck_assert(!p.given[i]);
    }
}
END_TEST

START_TEST(no_parameters)
{
    static const struct pz_param_def none[] = {{.name = NULL}};
    struct pz_params p;
    struct pz_err err = PZ_ERR_INIT;
    struct pz_buf b = PZ_BUF_INIT;
    pz_params_init(&p, none);
    ck_assert_int_eq(pz_params_set(&p, "a=1", &err), PZ_USAGE);
    ck_assert_str_eq(err.msg, "unknown hyperparameter 'a': the recipe has none");
    pz_params_json(&p, &b);
    ck_assert_str_eq(b.data, "{}");
    pz_buf_release(&b);
}
END_TEST

START_TEST(help)
{
    struct pz_buf b = PZ_BUF_INIT;
    pz_params_help(def, &b);
    ck_assert_str_eq(b.data, "popularity_discount_factor real 0.5 [0,1] discount\n"
                             "min_count integer 3 [0,10] least\n"
                             "recency_mask boolean True True|False newest first\n"
                             "solver choice cg exact|cg|auto how\n"
                             "days real 5 [1,] age\n");
    pz_buf_release(&b);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("param");
    TCase *t = tcase_create("tables");
    tcase_add_test(t, defaults_and_values);
    tcase_add_loop_test(t, refused, 0, sizeof bad / sizeof *bad);
    tcase_add_test(t, no_parameters);
    tcase_add_test(t, help);
    suite_add_tcase(s, t);
    return s;
}
