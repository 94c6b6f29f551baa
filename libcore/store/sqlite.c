#include "store/sqlite.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

struct pz_sqlite pz_sqlite;

static pthread_once_t once = PTHREAD_ONCE_INIT;
static char failure[512]; // why it is not loaded; "": it is

static void
load(void)
{
    static const struct {
        const char *name;
        void *to;
    } function[] = {
#define ENTRY(name) {"sqlite3_" #name, &pz_sqlite.name},
        PZ_SQLITE_FUNCTIONS(ENTRY)
#undef ENTRY
    };
    void *library = dlopen("libsqlite3.so.0", RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        snprintf(failure, sizeof failure, "%s", dlerror());
        return;
    }
    for (size_t i = 0; i < sizeof function / sizeof *function; i++) {
        void *at = dlsym(library, function[i].name);
        if (!at) {
            snprintf(failure, sizeof failure, "libsqlite3.so.0 has no %s",
                     function[i].name);
            return;
        }
        memcpy(function[i].to, &at, sizeof at);
    }
}

int
pz_sqlite_load(struct pz_err *err)
{
    pthread_once(&once, load);
    return failure[0] ? pz_err_set(err, PZ_SYSTEM, "cannot load SQLite: %s", failure)
                      : PZ_OK;
}
