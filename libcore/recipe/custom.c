#include "recipe/custom.h"

#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/nearest.h"
#include "base/num.h"
#include "base/par.h"
#include "base/pz.h"
#include "base/rng.h"
#include "recipe/model.h"

#ifndef PZ_LIBDIR
#define PZ_LIBDIR "/usr/local/lib/pz"
#endif
#define DEFAULT_PATH PZ_LIBDIR "/recipes"

/* ---- what shared objects may call ---- */

typedef void any_function(void);
#define API(name) (any_function *)name

/* Nothing of pz itself may need some of these: the table keeps them in the program. */
__attribute__((used)) static any_function *const api[] = {
    API(pz_err_set),
    API(pz_err_sys),
    API(pz_err_prefix),
    API(pz_new),
    API(pz_new_aligned),
    API(pz_grow),
    API(pz_log),
    API(pz_par),
    API(pz_threads),
    API(pz_parse_f64),
    API(pz_format_f64),
    API(pz_parse_i64),
    API(pz_rng_seed),
    API(pz_rng_u64),
    API(pz_rng_below),
    API(pz_rng_unit),
    API(pz_rng_normal),
    API(pz_builder_take),
    API(pz_builder_take1),
    API(pz_builder_borrow1),
    API(pz_builder_borrow),
    API(pz_builder_meta),
    API(pz_builder_metaf),
    API(pz_tensors_get),
    API(pz_tensors_get1),
    API(pz_tensors_find),
    API(pz_tensors_meta),
    API(pz_tensors_bad),
    API(pz_model_history),
    API(pz_model_popular),
    API(pz_ids_get),
    API(pz_ids_find),
    API(pz_dataset_column),
    API(pz_column_i64),
    API(pz_column_f64),
    API(pz_column_code),
    API(pz_column_text),
    API(pz_param),
};

/* ---- what was loaded ---- */

struct loaded {
    const struct pz_recipe *recipe; // of a shared object, or NULL
    struct pz_preset *preset;       // of a JSON file, or NULL
    struct loaded *next;
    char path[]; // as it was opened
};

static struct loaded *all;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* 1 to 63 letters, digits, '-' and '_', with no separator of paths among them. */
static bool
is_name(const char *s)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                  "0123456789-_";
    size_t n = strlen(s);
    return n >= 1 && n <= 63 && strspn(s, allowed) == n;
}

static bool
ends_with(const char *s, const char *tail)
{
    size_t n = strlen(s), k = strlen(tail);
    return n > k && strcmp(s + n - k, tail) == 0;
}

/* A model finds its recipe again by the name alone. */
static int
check_file_name(const char *path, const char *name, struct pz_err *err)
{
    const char *base = strrchr(path, '/');
    base = base ? base + 1 : path;
    size_t n = strlen(name);
    if (!is_name(name))
        return pz_err_set(err, PZ_DATA,
                          "%s: '%s' is no name: 1 to 63 letters, digits, '-' and '_'",
                          path, name);
    if (strncmp(base, name, n) != 0 || base[n] != '.')
        return pz_err_set(err, PZ_DATA,
                          "%s: the recipe in it is called '%s'; the file must be called "
                          "like it",
                          path, name);
    if (pz_recipe_find(name) || pz_preset_find(name))
        return pz_err_set(err, PZ_DATA, "%s: pz has a recipe '%s' itself", path, name);
    return PZ_OK;
}

static int
load_object(struct loaded *l, struct pz_err *err)
{
    void *library = dlopen(l->path, RTLD_NOW | RTLD_LOCAL);
    if (!library)
        return pz_err_set(err, PZ_DATA, "cannot load recipe: %s", dlerror());
    l->recipe = dlsym(library, "pz_recipe");
    if (!l->recipe)
        return pz_err_set(err, PZ_DATA, "%s: exports no pz_recipe", l->path);
    if (l->recipe->abi != PZ_RECIPE_ABI)
        return pz_err_set(err, PZ_DATA,
                          "%s: is built for recipes of version %u; pz " PZ_VERSION
                          " has version %u",
                          l->path, l->recipe->abi, PZ_RECIPE_ABI);
    const struct pz_recipe *r = l->recipe;
    if (!r->name || !r->summary || !r->params || !r->train || !r->open || !r->close ||
        !r->rank)
        return pz_err_set(err, PZ_DATA,
                          "%s: its pz_recipe lacks a name, summary, params, train, open, "
                          "close or rank",
                          l->path);
    return check_file_name(l->path, r->name, err);
}

static int
load_file(struct loaded *l, struct pz_err *err)
{
    if (ends_with(l->path, ".so"))
        return load_object(l, err);
    int r = pz_preset_load(&l->preset, l->path, err);
    return r ? r : check_file_name(l->path, l->preset->name, err);
}

/* Loads a file once. A library that is refused stays open: it may have left something
 * behind. */
static int
load(const char *path, const struct loaded **out, struct pz_err *err)
{
    struct loaded *l;
    size_t n = strlen(path) + 1;
    int r = PZ_OK;
    pthread_mutex_lock(&lock);
    for (l = all; l && strcmp(l->path, path) != 0; l = l->next)
        ;
    if (!l && (r = pz_new(&l, 1, sizeof *l + n, "a recipe", err)) == PZ_OK) {
        memcpy(l->path, path, n);
        r = load_file(l, err);
        if (r) {
            pz_preset_free(l->preset);
            free(l);
        } else {
            l->next = all;
            all = l;
        }
    }
    pthread_mutex_unlock(&lock);
    *out = r ? NULL : l;
    return r;
}

/* ---- where files are looked for ---- */

static const char *
search_path(void)
{
    const char *path = getenv("PZ_RECIPE_PATH");
    return path && path[0] ? path : DEFAULT_PATH;
}

/* Loads NAME with one of the endings; PZ_OK with *out NULL when there is no such file. */
static int
search(const char *name, const char *const *ending, const struct loaded **out,
       struct pz_err *err)
{
    *out = NULL;
    if (!is_name(name))
        return PZ_OK;
    int r = PZ_OK;
    for (const char *p = search_path(); *p && !*out && r == PZ_OK;) {
        size_t n = strcspn(p, ":");
        for (const char *const *e = ending; n && *e && !*out && r == PZ_OK; e++) {
            struct pz_buf path = PZ_BUF_INIT;
            pz_buf_addf(&path, "%.*s/%s%s", (int)n, p, name, *e);
            r = pz_buf_status(&path, "a path", err);
            if (r == PZ_OK && access(path.data, F_OK) == 0)
                r = load(path.data, out, err);
            pz_buf_release(&path);
        }
        p += n + (p[n] == ':');
    }
    return r;
}

/* A recipe of pz or of a shared object; PZ_OK with *recipe NULL when there is none. */
static int
find_recipe(const char *name, const struct pz_recipe **recipe, struct pz_err *err)
{
    static const char *const object[] = {".so", NULL};
    const struct loaded *l = NULL;
    *recipe = pz_recipe_find(name);
    if (*recipe)
        return PZ_OK;
    int r = search(name, object, &l, err);
    if (l)
        *recipe = l->recipe;
    return r;
}

int
pz_recipe_of_model(const char *name, const struct pz_recipe **recipe, struct pz_err *err)
{
    int r = find_recipe(name, recipe, err);
    if (r == PZ_OK && !*recipe)
        r = pz_err_set(err, PZ_FORMAT,
                       "recipe '%s' is not known to pz " PZ_VERSION
                       ", and %s has no such recipe (PZ_RECIPE_PATH)",
                       name, search_path());
    return r == PZ_DATA ? err->status = PZ_FORMAT : r;
}

/* ---- by what the user wrote ---- */

static int
of_preset(const struct pz_preset *p, const struct pz_recipe **recipe, struct pz_err *err)
{
    int r = find_recipe(p->recipe, recipe, err);
    if (r == PZ_OK && !*recipe)
        r = pz_err_set(err, PZ_DATA, "preset %s is of recipe '%s', which there is not",
                       p->name, p->recipe);
    return r;
}

/* How far a name is from what was written: a prefix may be left out, and the last or
 * another part of a name may be all of it. */
static size_t
how_far(const char *name, const char *written)
{
    size_t n = strlen(name), m = strlen(written);
    if (m >= 3 && n > m && name[n - m - 1] == '-' && strcmp(name + n - m, written) == 0)
        return 0;
    if (m >= 4 && strstr(name, written))
        return 1;
    size_t d = pz_edit_distance(written, m, name);
    size_t short_d =
        strncmp(name, "aws-", 4) ? d : pz_edit_distance(written, m, name + 4);
    return d < short_d ? d : short_d;
}

/* The recipe that was probably meant, NULL: none is near. */
static const char *
nearest(const char *written)
{
    const char *best = NULL;
    size_t least = strlen(written) / 3 + 2;
    for (const struct pz_recipe *const *p = pz_recipes; *p; p++) {
        size_t d = how_far((*p)->name, written);
        if (d < least) {
            least = d;
            best = (*p)->name;
        }
    }
    for (const struct pz_preset *p = pz_presets; p->name; p++) {
        size_t d = how_far(p->name, written);
        if (d < least) {
            least = d;
            best = p->name;
        }
    }
    return best;
}

static int
unknown(const char *name, struct pz_err *err)
{
    const char *near = nearest(name);
    struct pz_buf list = PZ_BUF_INIT;
    for (const struct pz_recipe *const *p = pz_recipes; *p; p++)
        pz_buf_addf(&list, "%s%s", p == pz_recipes ? "" : ", ", (*p)->name);
    for (const struct pz_preset *p = pz_presets; p->name; p++)
        pz_buf_addf(&list, ", %s", p->name);
    if (pz_buf_status(&list, "a message", err) == PZ_OK)
        pz_err_set(err, PZ_USAGE, "unknown recipe '%s': %s%s%sthe recipes are %s", name,
                   near ? "did you mean '" : "", near ? near : "", near ? "'? " : "",
                   list.data);
    pz_buf_release(&list);
    return err->status;
}

int
pz_recipe_need(const char *name, const struct pz_recipe **recipe,
               const struct pz_preset **preset, struct pz_err *err)
{
    static const char *const endings[] = {".json", ".so", NULL};
    const struct loaded *l = NULL;
    int r = PZ_OK;
    *recipe = pz_recipe_find(name);
    *preset = *recipe ? NULL : pz_preset_find(name);
    if (*recipe)
        return PZ_OK;
    if (*preset)
        return of_preset(*preset, recipe, err);
    if (!strchr(name, '/'))
        r = search(name, endings, &l, err);
    else if (ends_with(name, ".json") || ends_with(name, ".so"))
        r = load(name, &l, err);
    if (r)
        return r;
    if (!l)
        return unknown(name, err);
    *preset = l->preset;
    if (l->preset)
        return of_preset(l->preset, recipe, err);
    *recipe = l->recipe;
    return PZ_OK;
}

/* ---- all that there are ---- */

/* NAME.so or NAME.json, of a name that could be asked for; *n: length of NAME. */
static bool
is_recipe_file(const char *file, size_t *n)
{
    static const char *const ending[] = {".json", ".so"};
    char name[64];
    for (size_t i = 0; i < 2; i++) {
        if (!ends_with(file, ending[i]))
            continue;
        *n = strlen(file) - strlen(ending[i]);
        if (*n >= sizeof name)
            return false;
        memcpy(name, file, *n);
        name[*n] = 0;
        return is_name(name);
    }
    return false;
}

static int
filter_files(const struct dirent *e)
{
    size_t n;
    return is_recipe_file(e->d_name, &n);
}

/* Does an earlier file of the list, or of those before, stand for the name already? */
static bool
is_told(const struct pz_buf *told, const char *name, size_t n)
{
    for (const char *p = told->data; p && *p; p += strcspn(p, "\n") + 1)
        if (strcspn(p, "\n") == n && memcmp(p, name, n) == 0)
            return true;
    return false;
}

static int
tell_file(const char *dir, size_t n_dir, const char *file, pz_recipe_found_fn fn,
          void *ctx, struct pz_err *err)
{
    struct pz_buf path = PZ_BUF_INIT;
    const struct loaded *l = NULL;
    const struct pz_recipe *recipe = NULL;
    struct pz_err bad = PZ_ERR_INIT;
    pz_buf_addf(&path, "%.*s/%s", (int)n_dir, dir, file);
    int r = pz_buf_status(&path, "a path", err);
    if (r == PZ_OK && (load(path.data, &l, &bad) ||
                       (l->preset && of_preset(l->preset, &recipe, &bad)))) {
        if (bad.status == PZ_SYSTEM)
            r = pz_err_set(err, bad.status, "%s", bad.msg);
        else
            pz_log(PZ_LOG_WARN, "%s", bad.msg);
    } else if (r == PZ_OK) {
        fn(ctx, l->preset ? recipe : l->recipe, l->preset, path.data);
    }
    pz_buf_release(&path);
    return r;
}

int
pz_recipes_found(pz_recipe_found_fn fn, void *ctx, struct pz_err *err)
{
    struct pz_buf told = PZ_BUF_INIT; // names, a line each
    int r = PZ_OK;
    for (const char *p = search_path(); *p && r == PZ_OK;) {
        size_t n = strcspn(p, ":"), n_name;
        struct dirent **file;
        char *dir;
        if (pz_strndup(&dir, p, n, err)) {
            r = err->status;
            break;
        }
        int n_files = n ? scandir(dir, &file, filter_files, alphasort) : -1;
        for (int i = 0; i < n_files; i++) {
            const char *name = file[i]->d_name;
            if (r == PZ_OK && is_recipe_file(name, &n_name) &&
                !is_told(&told, name, n_name)) {
                pz_buf_addf(&told, "%.*s\n", (int)n_name, name);
                r = tell_file(p, n, name, fn, ctx, err);
            }
            free(file[i]);
        }
        if (n_files >= 0)
            free(file);
        free(dir);
        p += n + (p[n] == ':');
    }
    if (r == PZ_OK)
        r = pz_buf_status(&told, "recipes", err);
    pz_buf_release(&told);
    return r;
}
