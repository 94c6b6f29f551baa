/*
 * console: the page at / for people, and what it asks beside AWS's APIs: POST
 * /console/WHAT with a JSON body, answered with JSON (pz-serve(1), CONSOLE). Nothing of
 * it changes anything; what the page changes goes through AWS's operations.
 *
 * Some answers take a while (insights read whole datasets) and some wait (for events), so
 * a thread of its own gives them, one after the other: the threads of the connections and
 * the control plane go on meanwhile. What it opens for an answer it closes behind it:
 * it keeps nothing of groups but the site.
 */
#ifndef PZ_SERVE_CONSOLE_H
#define PZ_SERVE_CONSOLE_H

#include "serve/api.h"
#include "store/estore.h"

struct pz_console;

/* A call on the thread of the console. A failure is told by pz_api_fail() or left in err.
 */
struct pz_console_call {
    struct pz_call *call;         // body and site are there; http->out takes the answer
    const struct pz_group *group; // that the body names; NULL: the operation needs none
    double until;                 // pz_seconds_wall() at which waiting ends
    bool again;                   // it was called before, and waits
    struct pz_estore *store;      // of the group, while it waits for events; or NULL
    struct pz_err err;
};

/* What an operation does. False: there is nothing to be told yet, call again. */
typedef bool (*pz_console_fn)(struct pz_console_call *c);

/* One row an operation: name for logs, path behind /console/, whether it names a group.
 */
#define PZ_CONSOLE_OPERATIONS(X)                                                         \
    X(Groups, groups, false)                                                             \
    X(Group, group, true)                                                                \
    X(Recommend, recommend, true)                                                        \
    X(Check, check, true)                                                                \
    X(Insights, insights, true)                                                          \
    X(Activity, activity, true)                                                          \
    X(Titles, titles, true)                                                              \
    X(Find, find, true)                                                                  \
    X(History, history, true)                                                            \
    X(Events, events, true)
#define PZ_CONSOLE_DECLARE(name, path, group)                                            \
    bool pz_console_##path(struct pz_console_call *c);                                   \
    extern const struct pz_shape pz_console_##path##_shape;
PZ_CONSOLE_OPERATIONS(PZ_CONSOLE_DECLARE)
#undef PZ_CONSOLE_DECLARE

/* The field of items (or users, actions) that a person knows them by: the one that the
 * schema marks as itemName, else by its name (NAME, TITLE, ..._NAME); NULL: none. */
const struct pz_field *pz_console_title(const struct pz_dataset *d);
/* The least and greatest time of interactions; false: there is none. Reads the column. */
bool pz_console_span(const struct pz_dataset *d, int64_t *from, int64_t *to);
/* That of an item; NULL: it has none. Valid as long as the dataset. */
const char *pz_console_title_of(const struct pz_dataset *d, const char *id, size_t n,
                                size_t *len);
void pz_console_real(struct pz_buf *out, bool *first, const char *key, double value);

/* Reports are kept, as they take a while. True: *report is that of the key; false: it is
 * empty, for the caller to fill, or to clear again. */
bool pz_console_report(struct pz_console_call *c, uint64_t key, struct pz_buf **report);

/* Serves the page and what belongs to it. */
enum pz_http_when pz_console_file(struct pz_call *call);
/* Hands the call to the thread. */
enum pz_http_when pz_console_take(struct pz_call *call);

int pz_console_new(struct pz_console **c, struct pz_server *s, struct pz_err *err);
int pz_console_start(struct pz_console *c, struct pz_err *err);
/* What waits is answered. */
void pz_console_stop(struct pz_console *c);
void pz_console_free(struct pz_console *c); // accepts NULL; stops if need be

#endif
