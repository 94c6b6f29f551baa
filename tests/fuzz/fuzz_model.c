/*
 * A model of each recipe whose tensors and metadata were changed here and there: refused
 * with a message, or answers that lie inside the model. The hashes of tensors are not
 * looked at when a model is opened, so that nothing stands between damage and the
 * recipes.
 *
 * The first byte chooses the model; then each four bytes change one byte: which tensor
 * or metadata value, where (two bytes), and what it becomes.
 */
#include "fuzz.h"
#include "recipe/model.h"
#include "toy.h"

enum { MAX_MODELS = 32, MAX_CHANGES = 64, USERS = 30, ITEMS = 20 };

struct change {
    uint8_t *at, old;
};

static struct pz_dataset dataset, items, users;
static uint32_t item_row[ITEMS];
static struct pz_world world;
static struct pz_events events;
static struct pz_builder *model[MAX_MODELS];
static size_t n_models;

/* A model of a recipe, with a parameter set when `choice` is not NULL. Smaller than may
 * be asked for: what takes the time is arithmetic. */
static void
learn(const struct pz_recipe *r, const char *choice)
{
    static const char *const small[] = {"hidden_dimension", "softmax_dimension",
                                        "softmax_members", "softmax_rounds"};
    static const double size[] = {16, 16, 2, 2};
    struct pz_err err = PZ_ERR_INIT;
    struct pz_params params;
    pz_params_init(&params, r->params);
    for (size_t i = 0; i < sizeof small / sizeof *small; i++) {
        int at = pz_param_find(r->params, small[i]);
        if (at >= 0)
            params.value[at] = size[i];
    }
    require(!choice || pz_params_set(&params, choice, &err) == PZ_OK);
    require(pz_builder_new(&model[n_models], &err) == PZ_OK);
    struct pz_train t = {.events = &events,
                         .params = &params,
                         .world = &world,
                         .threads = 1,
                         .model = model[n_models++]};
    require(pz_model_learn(r, &t, &err) == PZ_OK);
}

static void
build(void)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_selection all = {0};
    struct pz_selection_report report;
    struct pz_tensors t;
    size_t n;
    struct toy_row *row = toy_random(1, USERS, ITEMS, 12, &n);
    toy_dataset(&dataset, USERS, ITEMS, row, n);
    free(row);
    pz_world_of(&world, &dataset);
    toy_items(&items, ITEMS);
    for (uint32_t i = 0; i < ITEMS; i++)
        item_row[i] = i;
    world.items = &items;
    world.item_row = item_row;
    toy_kinds(&users, NULL, &dataset.user);
    world.users = &users;
    require(pz_events_select(&dataset, &all, &events, &report, &err) == PZ_OK);
    for (size_t i = 0; pz_recipes[i]; i++)
        learn(pz_recipes[i], NULL);
    // Of itself it is not tried with so few events.
    learn(&pz_recipe_user_personalization, "model=softmax");
    require(pz_builder_view(model[n_models - 1], &t, &err) == PZ_OK);
    require(pz_tensors_find(&t, "softmax.row") != NULL);
    pz_tensors_close(&t);
}

/* Changes one byte; false when there is none at the place. */
static bool
apply(struct pz_tensors *t, const uint8_t *op, struct change *c)
{
    size_t which = op[0] % (t->n_tensors + t->n_meta), at = op[1] | (size_t)op[2] << 8;
    size_t size;
    if (which < t->n_tensors) {
        const struct pz_tensor *x = &t->tensor[which];
        c->at = (uint8_t *)(uintptr_t)x->data;
        size = x->n_elems * pz_dtype_size(x->dtype);
    } else {
        char *value = t->meta[2 * (which - t->n_tensors) + 1];
        c->at = NULL; // the view's own: gone with it
        size = strlen(value);
        if (size)
            value[at % size] = op[3] ? (char)op[3] : ' ';
        return false;
    }
    if (size == 0)
        return false;
    c->at += at % size;
    c->old = *c->at;
    *c->at = op[3];
    return true;
}

/* Asks for three users or items, of which `which` chooses the first, and explains one. */
static void
ask(const struct pz_model *m, uint32_t which)
{
    enum { N = 3 };
    bool users_asked = m->recipe->type == PZ_USER_SEGMENTATION;
    uint32_t item[N][ITEMS], about[N];
    float score[N][ITEMS];
    struct pz_query query[N];
    struct pz_ranked out[N];
    struct pz_reason reason[64 + PZ_REASON_LABELS];
    struct pz_explained why = {.reason = reason};
    struct pz_err err = PZ_ERR_INIT;
    size_t n = 0;
    for (uint32_t i = 0; i < N; i++) {
        uint32_t k = (which + 7 * i) % ITEMS;
        struct pz_query *q = &query[n];
        struct pz_history h;
        about[i] = k;
        *q = (struct pz_query){.user = k,
                               .item = k,
                               .about = &about[i],
                               .n_about = 1,
                               .n = 1 + k % ITEMS,
                               .stored = k % 2};
        out[n] = (struct pz_ranked){.item = item[n], .score = score[n]};
        if (pz_model_history(m, k, &h, &err))
            require(err.status == PZ_FORMAT && err.msg[0]);
        else if (h.n <= 64)
            n++;
        q->history = h.item;
        q->n_history = h.n;
        err = (struct pz_err)PZ_ERR_INIT;
    }
    if (n == 0)
        return;
    if (m->recipe->rank(m->state, query, n, out, &err)) {
        // PZ_DATA: equations that have no solution any more.
        require((err.status == PZ_FORMAT || err.status == PZ_DATA) && err.msg[0]);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        require(out[i].n <= query[i].n);
        for (size_t j = 0; j < out[i].n; j++)
            require(item[i][j] < (users_asked ? m->n_users : m->n_items));
    }
    struct pz_history h;
    if (users_asked && out[0].n &&
        (pz_model_history(m, item[0][0], &h, &err) || h.n > 64))
        return; // more reasons than there is room for
    if (m->recipe->explain && which % 4 == 0 && out[0].n &&
        m->recipe->explain(m->state, &query[0], item[0][0], &why, &err) == PZ_OK)
        require(why.n <= 64 + PZ_REASON_LABELS);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct change change[MAX_CHANGES];
    struct pz_tensors t;
    struct pz_model m;
    struct pz_err err = PZ_ERR_INIT;
    size_t n_changes = 0;
    uint32_t which = 0;
    if (!dataset.n_rows)
        build();
    if (n == 0)
        return 0;
    require(pz_builder_view(model[data[0] % n_models], &t, &err) == PZ_OK);
    for (size_t i = 1; i + 4 <= n && n_changes < MAX_CHANGES; i += 4) {
        n_changes += apply(&t, data + i, &change[n_changes]);
        which += data[i + 3];
    }
    int status = pz_model_open_tensors(&m, &t, &err);
    require(status == PZ_OK || (status == PZ_FORMAT && err.msg[0]));
    if (status == PZ_OK) {
        ask(&m, which);
        pz_model_close(&m);
    }
    while (n_changes-- > 0)
        *change[n_changes].at = change[n_changes].old;
    return 0;
}
