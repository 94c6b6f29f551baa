/*
 * control: the control plane. Its calls are answered one after the other by a thread of
 * their own, which also starts the children that import and train and sees to their ends:
 * so event loops never wait for a disk or a child, and no two changes meet.
 *
 * A thing is a resource of the API: the JSON document of the request that made it, in the
 * catalogue of its group (store/catalog_resource.h), joined with what other tools know of
 * it; or only the latter, when another tool made it.
 */
#ifndef PZ_SERVE_CONTROL_H
#define PZ_SERVE_CONTROL_H

#include "base/arena.h"
#include "recipe/preset.h"
#include "recipe/recipe.h"
#include "serve/api.h"
#include "store/catalog_resource.h"

enum pz_kind_id {
    PZ_KIND_SCHEMA,
    PZ_KIND_GROUP,
    PZ_KIND_DATASET,
    PZ_KIND_IMPORT,
    PZ_KIND_SOLUTION,
    PZ_KIND_VERSION,
    PZ_KIND_CAMPAIGN,
    PZ_KIND_RECOMMENDER,
    PZ_KIND_ATTRIBUTION,
    PZ_KIND_FILTER,
    PZ_KIND_TRACKER,
    PZ_KIND_EXPORT,
    PZ_KIND_INFERENCE,
    PZ_KIND_SEGMENT,
    PZ_KIND_DELETION,
    PZ_N_KINDS,
};

struct pz_thing {
    enum pz_kind_id kind;
    const char *name;  // as in its ARN: "shop/ITEMS"
    const char *group; // directory whose catalogue has it
    const char *doc;   // a JSON object
    const char *status, *why;
    int64_t created, updated;
    const char *pz; // solution version, campaign: "SOLUTION/VERSION" of the file, or NULL
    bool stored;    // there is a row of it
    bool orphan;    // not done, and no server is at work on it
    bool implied;   // a solution that answers under its own name; no campaign yet
};

struct pz_job;
struct pz_control;
/* What a call is answered with. */
struct pz_desk_call {
    struct pz_call *call;
    struct pz_control *control;
    struct pz_arena *arena; // all that is found lives there
    const struct pz_kind *kind;
    struct pz_err err;
    struct pz_buf extra;  // members to add to a new document, each with a ',' before
    const char *group;    // directory that the new thing goes to
    const char *name;     // of the new thing
    const char *status;   // of the new thing
    struct pz_job *job;   // to be started when it is stored
    bool automatic;       // the server itself asks
    struct pz_buf answer; // members to add to the answer
    struct pz_catalog *catalog; // what pz_desk_begin() began; NULL: nothing
};

/* One row a kind; what its operations do follows from it. */
struct pz_kind {
    const char *arn_kind;       // "dataset-group"
    const char *word;           // "Dataset group", for messages
    const char *arn_key;        // "datasetGroupArn"
    const char *name_key;       // "name" or "jobName"
    const char *one, *many;     // of Describe and List: "datasetGroup", "datasetGroups"
    const char *parent_key;     // member that List can be asked by; NULL: none
    const char *parent_in_doc;  // which member of the document has it
    const char *const *fields;  // of Describe, NULL behind the last
    const char *const *summary; // of List
    /* Checks what is to be made and fills in group, name, extra, job. NULL: nothing.
     * False: the call has failed. */
    bool (*make)(struct pz_desk_call *d);
    bool (*drop)(struct pz_desk_call *d, const struct pz_thing *t);
};
extern const struct pz_kind pz_kinds[PZ_N_KINDS];

/* The functions of operations, in the table of control.c. */
#define PZ_OP(what) void pz_op_##what(struct pz_desk_call *d)
PZ_OP(create);
PZ_OP(describe);
PZ_OP(drop);
PZ_OP(list);
PZ_OP(get_metrics);
PZ_OP(stop_version);
PZ_OP(list_recipes);
PZ_OP(describe_recipe);
PZ_OP(describe_algorithm);
PZ_OP(describe_transformation);
PZ_OP(list_tags);
PZ_OP(set_tags);
PZ_OP(update_campaign);
PZ_OP(update_dataset);
PZ_OP(update_solution);
PZ_OP(update_attribution);
PZ_OP(list_metrics);
PZ_OP(update_recommender);
PZ_OP(start_recommender);
PZ_OP(stop_recommender);
#undef PZ_OP

/* Request shapes by operation; pz_control_routes refers to them. */
#define PZ_CONTROL_SHAPES(X)                                                             \
    X(create_schema)                                                                     \
    X(create_group)                                                                      \
    X(create_dataset)                                                                    \
    X(create_import)                                                                     \
    X(create_solution)                                                                   \
    X(create_version)                                                                    \
    X(create_campaign)                                                                   \
    X(create_recommender)                                                                \
    X(update_recommender)                                                                \
    X(create_attribution)                                                                \
    X(update_attribution)                                                                \
    X(list_metrics)                                                                      \
    X(create_filter)                                                                     \
    X(create_tracker)                                                                    \
    X(create_export)                                                                     \
    X(create_inference)                                                                  \
    X(create_segment)                                                                    \
    X(create_deletion)                                                                   \
    X(update_dataset)                                                                    \
    X(update_solution)                                                                   \
    X(update_campaign)                                                                   \
    X(list_recipes)                                                                      \
    X(list)                                                                              \
    X(tag)                                                                               \
    X(untag)
#define PZ_CONTROL_SHAPE(what) extern const struct pz_shape pz_shape_##what;
PZ_CONTROL_SHAPES(PZ_CONTROL_SHAPE)
#undef PZ_CONTROL_SHAPE
extern const struct pz_shape pz_shape_arns; // any one of the ARNs of Describe and Delete

/* ---- things ---- */

struct pz_things {
    struct pz_thing *thing;
    size_t n, cap;
};
/* All of a kind, by time. The list is freed with free(list->thing). PZ_SYSTEM, PZ_FORMAT.
 */
int pz_things_all(struct pz_desk_call *d, enum pz_kind_id kind, struct pz_things *list);
/* The order of a list: by time, then by name. */
int pz_thing_compare(const void *a, const void *b);
/* The one that an ARN names. NULL: the call has failed: no ARN of the kind, not found. */
const struct pz_thing *pz_thing_find(struct pz_desk_call *d, enum pz_kind_id kind,
                                     const char *arn);
/* By its name; NULL: there is none, or d->err. */
const struct pz_thing *pz_thing_named(struct pz_desk_call *d, enum pz_kind_id kind,
                                      const char *name);
/* Puts it, and with it what was written since pz_desk_begin(): all of it or nothing. */
int pz_thing_put(struct pz_desk_call *d, const struct pz_thing *t);
/* The group's catalogue for writing; nothing that is written is there before the call's
 * own document is, by pz_thing_put() or pz_desk_commit(). NULL: d->err. */
struct pz_catalog *pz_desk_begin(struct pz_desk_call *d, const char *group);
int pz_desk_commit(struct pz_desk_call *d);
void pz_desk_undo(struct pz_desk_call *d); // nothing was begun: does nothing
void pz_thing_bury(struct pz_thing *t); // its state: what was begun has come to nothing
/* A formatted string in the arena, or NULL with d->err. */
const char *pz_desk_text(struct pz_desk_call *d, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
/* Parses t->doc; freed with pz_json_free(). */
pz_json *pz_thing_doc(struct pz_desk_call *d, const struct pz_thing *t);
/* The file that s3://BUCKET/KEY is, below --s3-root; NULL: the call has failed. */
const char *pz_desk_s3(struct pz_desk_call *d, const char *url);
/* Points an existing campaign to what the body says; what it leaves out stays. */
bool pz_campaign_update(struct pz_desk_call *d, const struct pz_thing *t);
enum pz_http_when pz_desk_fail(struct pz_desk_call *d); // with d->err

/* ---- what operations share ---- */

/* The thing that the request names; NULL: the call has failed. */
const struct pz_thing *pz_desk_thing(struct pz_desk_call *d);
/* Ends an answer: status 200, or d->err. */
void pz_desk_good(struct pz_desk_call *d);
/* {"...Arn": ..., what is in d->answer}. */
void pz_desk_say_arn(struct pz_desk_call *d, const struct pz_thing *t);
/* The part that is asked for of a list of n that does not change, [*from, *to). A token
 * is the number of the first. False: the call has failed. */
bool pz_desk_page(struct pz_desk_call *d, size_t n, size_t *from, size_t *to);
void pz_desk_end_page(struct pz_desk_call *d, size_t n, size_t to); // "],..."}
/* Puts a thing with a changed document (NULL: d->err) and answers with its ARN. */
void pz_desk_save(struct pz_desk_call *d, struct pz_thing *t);
/* The document with those members of the request that it has (NULL behind the last). */
const char *pz_desk_merged(struct pz_desk_call *d, const char *doc,
                           const char *const *member);
/* The document with a summary of an update: these members of the request, its state and
 * times. */
const char *pz_desk_noted(struct pz_desk_call *d, const char *doc, const char *key,
                          const char *const *member, const char *status);

/* What the ARN of a recipe means. */
struct pz_desk_recipe {
    const struct pz_recipe *recipe;
    const struct pz_preset *preset; // NULL: the recipe itself
    const char *name;               // of the preset or recipe
};
bool pz_desk_recipe(struct pz_desk_call *d, const char *arn, struct pz_desk_recipe *out);
/* Can a solution of that document (CreateSolution) be trained here? */
bool pz_desk_solution_fits(struct pz_desk_call *d, const pz_json *solution);
/* What training looks at, as arguments: columns (trainingDataConfig), and what answers
 * are traded for (optimizationObjective). False: d->err. */
bool pz_desk_add_aims(struct pz_desk_call *d, struct pz_job *j, const pz_json *config);
/* Is the itemExplorationConfig of a configuration one that answers can follow? */
bool pz_desk_settings_fit(struct pz_desk_call *d, const pz_json *config);
/* Has it no rankingInfluence that a solution of this name cannot follow? */
bool pz_desk_influence_fits(struct pz_desk_call *d, const pz_json *config,
                            const char *solution);
/* Can a resource have these tags (NULL: none)? False: the call has failed. */
bool pz_desk_tags_fit(struct pz_desk_call *d, const pz_json *tags);
/* Is a schema one for datasets of that type? */
bool pz_desk_schema_fits(struct pz_desk_call *d, const struct pz_thing *schema,
                         const char *type);
/* The document of a version that has been trained, as file "SOLUTION/VERSION", with what
 * was left to validation; its solution is told of the recipe. NULL: d->err. */
const char *pz_version_found(struct pz_desk_call *d, const struct pz_thing *version,
                             const char *pz);
/* Puts the reports of metric attributions: those that are due, or now that of a group. */
void pz_metrics_report(struct pz_desk_call *d, const char *group);
/* The highest seq of the event store (store/estore.h); 0: nothing was put. */
int pz_desk_last_event(struct pz_desk_call *d, const char *group, int64_t *seq);
/* Is it time for a solution to be trained without being asked? */
bool pz_desk_training_due(struct pz_desk_call *d, const struct pz_thing *solution);
/* Have there been interactions since a training of a thing was begun, at that time? Its
 * document knows the last event before ("pzSeq"). */
bool pz_desk_news(struct pz_desk_call *d, const struct pz_thing *t, int64_t begun);
/* Trains recommenders for which it is time. */
void pz_recommenders_train(struct pz_desk_call *d);
/* Stores how a recommender's training for an update has ended; why NULL: well. */
void pz_recommender_updated(struct pz_desk_call *d, const char *name, const char *why);
/* The same for trainings that a server had begun that is no more. */
void pz_recommenders_bury(struct pz_desk_call *d);
/* Puts a job behind those that wait; it is the server's then. */
void pz_desk_queue(struct pz_desk_call *d);
/* N of "rate(N days)", 1 to 30; 0: it is none. */
int pz_desk_days(const char *text);
bool pz_desk_busy(struct pz_desk_call *d, const char *group); // has it a job?

/* ---- what making and deleting shares ---- */

const char *pz_desk_base(const char *path); // behind the last '/'
/* A text member of the request; NULL: absent. */
const char *pz_desk_member(const struct pz_desk_call *d, const char *key);
/* The same; absent: the call has failed. */
const char *pz_desk_needed(struct pz_desk_call *d, const char *key);
bool pz_desk_flag(const pz_json *object, const char *key); // absent: false
/* The JSON text of a value, in the arena; NULL: d->err. */
const char *pz_desk_json(struct pz_desk_call *d, const pz_json *j);
/* The path in a member of the request: "dataSource" has it itself (inner NULL). */
const char *pz_desk_path(struct pz_desk_call *d, const char *member, const char *inner);
/* The document with a member replaced (JSON; NULL: taken away). */
const char *pz_desk_changed(struct pz_desk_call *d, const char *doc, const char *key,
                            const char *value);
/* Fills in d->group from the request. */
bool pz_desk_group(struct pz_desk_call *d);
/* Does the version (NULL: the latest) answer as fast as minProvisionedTPS wants? */
bool pz_desk_rate_fits(struct pz_desk_call *d, const char *solution, const char *version);
/* Are there things of a kind in a group? */
bool pz_desk_any(struct pz_desk_call *d, enum pz_kind_id kind, const char *group);
/* Deletes a folder with all that is in it: in one step it loses its name, so that it is
 * whole or gone. None is no error. */
void pz_desk_delete(struct pz_desk_call *d, const char *path);
/* Deletes what is left of a dataset whose state is PZ_DELETING. False: the call has
 * failed, or d->err. */
#define PZ_DELETING "DELETE IN_PROGRESS"
bool pz_dataset_end(struct pz_desk_call *d, const struct pz_thing *t);
/* Deletes what of that kind was to be deleted when a server ended. */
void pz_desk_sweep(struct pz_desk_call *d, const char *folder);
/* Deletes the models of a solution, and with what pz_desk_begin() began the rows of its
 * versions. False: the call has failed. */
bool pz_desk_drop_models(struct pz_desk_call *d, const char *group, const char *solution);
/* False, for a call that has failed, and for one that fails with d->err. */
bool pz_desk_no(enum pz_http_when when);
bool pz_desk_lost(struct pz_desk_call *d);
#define INVALID(...) pz_desk_no(pz_api_fail(d->call, PZ_FAULT_INVALID_INPUT, __VA_ARGS__))
#define IN_USE(...)  pz_desk_no(pz_api_fail(d->call, PZ_FAULT_IN_USE, __VA_ARGS__))

/* The functions of pz_kinds. */
#define PZ_MAKE(what) bool pz_make_##what(struct pz_desk_call *d)
#define PZ_DROP(what)                                                                    \
    bool pz_drop_##what(struct pz_desk_call *d, const struct pz_thing *t)
PZ_MAKE(group);
PZ_MAKE(schema);
PZ_MAKE(dataset);
PZ_MAKE(import);
PZ_MAKE(export);
PZ_MAKE(deletion);
PZ_MAKE(solution);
PZ_MAKE(version);
PZ_MAKE(campaign);
PZ_MAKE(recommender);
PZ_MAKE(attribution);
PZ_MAKE(filter);
PZ_MAKE(tracker);
PZ_MAKE(inference);
PZ_MAKE(segment);
PZ_DROP(schema);
PZ_DROP(dataset);
PZ_DROP(group);
PZ_DROP(solution);
PZ_DROP(attribution);
PZ_DROP(recommender);
PZ_DROP(row); // campaign, filter, tracker

/* ---- jobs ---- */

struct pz_job {
    struct pz_job *next;
    enum pz_kind_id kind;
    char *name, *group; // of the thing that it works for
    char **arg;         // program and arguments, NULL behind the last; all owned
    size_t n_args, cap_args;
    int in, out, err; // descriptors of the child, -1: none
    int pid;          // 0: waits
    char *target;     // file that gets what it writes when it has ended well; NULL: none
    char *part;       // its name until then
    bool reads;       // `in` is its standard input
    bool stopped;
    bool publish; // then metrics are put too
    bool again;   // of something that is there and stays so, however it ends
    double began, ended;
    // When it is over, which is to be stored:
    bool over, well;
    struct pz_buf said, why; // what it wrote
    double retry;            // pz_seconds_wall() at which storing is tried again; 0: now
};
/* A job for d->name; NULL with d->err. */
struct pz_job *pz_job_new(struct pz_desk_call *d, enum pz_kind_id kind, const char *tool);
/* Adds an argument. False: d->err. */
bool pz_job_arg(struct pz_desk_call *d, struct pz_job *j, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void pz_job_free(struct pz_job *j); // accepts NULL
/* A file in memory with that text, for a child to read as /dev/fd/3. */
bool pz_job_input(struct pz_desk_call *d, struct pz_job *j, const char *text);
/* What it writes becomes a file of the folder. False: the call has failed. */
bool pz_job_target(struct pz_desk_call *d, struct pz_job *j, const char *folder,
                   const char *name);
/* It ends when the calling thread does, should that be by kill -9. */
int pz_job_start(struct pz_job *j, struct pz_err *err);
/* Is it over? How it ended is in it then. */
bool pz_job_ended(struct pz_job *j);
void pz_job_kill(struct pz_job *j); // asks it to end
void pz_job_kill_now(struct pz_job *j);

/* This process as the owner of jobs, for the documents of what they work for
 * ("pzServer"); and whether such an owner is still there, to see to their ends. */
enum { PZ_JOB_OWNER = 48 };
void pz_job_owner(char out[PZ_JOB_OWNER]);
bool pz_job_owner_lives(const char *owner);

/* The jobs of the server, waiting and running. */
struct pz_job **pz_control_jobs(struct pz_control *c);

/* ---- the thread ---- */

/* The handler of all routes: hands the call to the thread. */
enum pz_http_when pz_control_take(struct pz_call *call);
/* Answers it, there. */
void pz_control_do(struct pz_desk_call *d);

int pz_control_new(struct pz_control **c, struct pz_server *s, struct pz_err *err);
int pz_control_start(struct pz_control *c, struct pz_err *err);
/* Ends the thread and the children. */
void pz_control_stop(struct pz_control *c);
void pz_control_free(struct pz_control *c); // accepts NULL; stops if need be

#endif
