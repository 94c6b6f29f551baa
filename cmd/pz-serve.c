/* pz-serve: groups over HTTP, as Amazon Personalize's APIs. See man/pz-serve.1. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/num.h"
#include "base/par.h"
#include "cmd/cli.h"
#include "serve/sandbox.h"
#include "serve/server.h"
#include "store/group.h"

static struct {
    const char *root, *s3_root, *listen, *region, *account, *access_log, *format;
    const char *credentials, *sandbox;
    int64_t max_connections, max_queue, max_skew, shown;
    double stop_seconds, max_wait;
    bool strict;
} opt = {.listen = "127.0.0.1:8750",
         .region = "us-east-1",
         .account = "000000000000",
         .format = "logfmt",
         .max_connections = 8192,
         .max_queue = 4096,
         .shown = 32,
         .sandbox = "auto",
         .max_skew = 300,
         .stop_seconds = 30,
         .max_wait = 0.5};

static const struct pz_opt opts[] = {
    {"Groups", 0, PZ_OPT_HEADING, NULL, NULL, NULL, 0, 0},
    {"root", 0, PZ_OPT_TEXT, &opt.root, "DIR",
     "serve all groups in DIR, in place of the one of -g", 0, 0},
    {"s3-root", 0, PZ_OPT_TEXT, &opt.s3_root, "DIR",
     "where the files of jobs are: s3://BUCKET/KEY is DIR/BUCKET/KEY", 0, 0},
    {"account", 0, PZ_OPT_TEXT, &opt.account, "ID",
     "account in the ARNs that are made (default %v)", 0, 0},
    {"region", 0, PZ_OPT_TEXT, &opt.region, "NAME",
     "region in the ARNs that are made (default %v)", 0, 0},
    {"strict", 0, PZ_OPT_FLAG, &opt.strict, NULL, "AWS's limits are errors", 0, 0},
    {"shown", 0, PZ_OPT_INT, &opt.shown, "MIB",
     "memory for answers that events name by their recommendationId (default %v)", 0,
     65536},
    {"Connections", 0, PZ_OPT_HEADING, NULL, NULL, NULL, 0, 0},
    {"listen", 'l', PZ_OPT_TEXT, &opt.listen, "ADDRESS:PORT",
     "where to listen; port 0 is any free one (default %v)", 0, 0},
    {"credentials", 0, PZ_OPT_TEXT, &opt.credentials, "FILE",
     "answer only requests that are signed with a key of FILE, an AWS credentials file",
     0, 0},
    {"sandbox", 0, PZ_OPT_TEXT, &opt.sandbox, "MODE",
     "give up files and system calls that are not needed: auto, require or off "
     "(default %v)",
     0, 0},
    {"max-skew", 0, PZ_OPT_INT, &opt.max_skew, "S",
     "seconds that a client's clock may differ from ours (default %v)", 1, 86400},
    {"max-connections", 0, PZ_OPT_INT, &opt.max_connections, "N",
     "connections at a time (default %v)", 16, 1000000},
    {"max-queue", 0, PZ_OPT_INT, &opt.max_queue, "N",
     "Put* requests of a group that may wait for the disk (default %v)", 1, 1000000},
    {"max-wait", 0, PZ_OPT_REAL, &opt.max_wait, "S",
     "refuse requests that have waited longer; 0 is never (default %v)", 0, 3600},
    {"stop-seconds", 0, PZ_OPT_REAL, &opt.stop_seconds, "S",
     "time that requests have to end in after SIGTERM (default %v)", 0, 3600},
    {"Logging", 0, PZ_OPT_HEADING, NULL, NULL, NULL, 0, 0},
    {"access-log", 0, PZ_OPT_TEXT, &opt.access_log, "FILE",
     "a line a request, appended; - is standard output", 0, 0},
    {"log-format", 0, PZ_OPT_TEXT, &opt.format, "FORMAT",
     "of the access log: logfmt or json (default %v)", 0, 0},
    {NULL, 0, PZ_OPT_FLAG, NULL, NULL, NULL, 0, 0},
};

static const struct pz_tool tool = {
    "pz-serve",
    "[-g GROUP | --root DIR] [-l ADDRESS:PORT] [OPTION]...",
    "Answers Amazon Personalize's APIs over HTTP from groups.",
    "  pz-serve -g shop                        on 127.0.0.1:8750\n"
    "  pz-serve --root /srv/groups -l 127.0.0.1:80 --access-log access.log\n"
    "  curl http://127.0.0.1:8750/metrics\n",
    opts,
};

static const struct pz_opt_rule rules[] = {
    {"root", NULL, "group", NULL},
    {"log-format", "access-log", NULL, NULL},
    {"max-skew", "credentials", NULL, "requests that are not signed have no time"},
    {NULL, NULL, NULL, NULL},
};

/* As many descriptors as the connections want, where that is allowed. */
static void
raise_files(void)
{
    struct rlimit limit;
    rlim_t want = (rlim_t)opt.max_connections + 256;
    if (getrlimit(RLIMIT_NOFILE, &limit))
        return;
    if (limit.rlim_cur < want) {
        limit.rlim_cur = limit.rlim_max < want ? limit.rlim_max : want;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur < want) {
        int64_t most = (int64_t)limit.rlim_cur - 256;
        most = most < 16 ? 16 : most;
        pz_log(PZ_LOG_WARN, "only %lld connections are possible: the limit on open files",
               (long long)most);
        opt.max_connections = most;
    }
}

static int
open_log(void)
{
    if (!opt.access_log)
        return -1;
    if (strcmp(opt.access_log, "-") == 0)
        return STDOUT_FILENO;
    int fd = open(opt.access_log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (fd < 0)
        pz_die(PZ_SYSTEM, "cannot open '%s': %s", opt.access_log, strerror(errno));
    return fd;
}

/* ARNs are built from them. */
static void
check_names(void)
{
    if (strspn(opt.region, "abcdefghijklmnopqrstuvwxyz0123456789-") !=
            strlen(opt.region) ||
        !*opt.region)
        pz_die(PZ_USAGE, "--region '%s' is no name such as us-east-1", opt.region);
    if (strspn(opt.account, "0123456789") != 12 || strlen(opt.account) != 12)
        pz_die(PZ_USAGE, "--account '%s' is no number of 12 digits", opt.account);
}

/* What is wrong with the form of an address is said before who can reach it. */
static void
check_address(const char *text)
{
    const char *colon = strrchr(text, ':');
    int64_t port;
    if (!colon || colon == text ||
        pz_parse_i64(colon + 1, strlen(colon + 1), &port) != PZ_NUM_OK || port < 0 ||
        port > 65535)
        pz_die(PZ_USAGE,
               "-l '%s' is not an address, a colon and a port from 0 to 65535, such as "
               "127.0.0.1:8750",
               text);
}

static void
check(struct pz_keys **keys)
{
    struct pz_err err = PZ_ERR_INIT;
    check_names();
    pz_opt_rules(rules);
    if (strcmp(opt.format, "logfmt") != 0 && strcmp(opt.format, "json") != 0)
        pz_die(PZ_USAGE, "--log-format '%s' is neither logfmt nor json", opt.format);
    if (strcmp(opt.sandbox, "auto") != 0 && strcmp(opt.sandbox, "require") != 0 &&
        strcmp(opt.sandbox, "off") != 0)
        pz_die(PZ_USAGE, "--sandbox '%s' is none of auto, require, off", opt.sandbox);
    if (opt.credentials && pz_keys_load(keys, opt.credentials, &err))
        pz_die_err(&err);
    check_address(opt.listen);
    if (!opt.credentials && !pz_http_is_loopback(opt.listen))
        pz_die(
            PZ_USAGE,
            "-l '%s' is not an address that only this machine itself can reach, such as "
            "127.0.0.1:8750; others need --credentials",
            opt.listen);
}

/* Before there are threads, and when all that is elsewhere is open. */
static void
enter_sandbox(const char *const *root, size_t n)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_sandbox got;
    if (strcmp(opt.sandbox, "off") == 0)
        return;
    if (pz_sandbox_enter(&got, root, n, getenv("PZ_RECIPE_PATH"), &err))
        pz_die_err(&err);
    if (strcmp(opt.sandbox, "require") == 0 && (!got.files || !got.syscalls))
        pz_die(PZ_SYSTEM, "--sandbox require: this kernel has no %s",
               got.files ? "seccomp" : "Landlock");
    pz_log(PZ_LOG_NOTE, "sandbox: files %s, system calls %s",
           got.files ? "limited" : "not limited",
           got.syscalls ? "limited" : "not limited");
}

/* Until SIGTERM or SIGINT. */
static void
serve(struct pz_server *s, const sigset_t *signals)
{
    for (;;) {
        int sig;
        if (sigwait(signals, &sig))
            continue;
        if (sig != SIGHUP)
            break;
        pz_server_look(s);
    }
}

int
main(int argc, char **argv)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_server *s = NULL;
    struct pz_keys *keys = NULL;
    sigset_t signals;
    int first;
    pz_cli_begin();
    pz_opt_parse(&tool, argc, argv, &first);
    check(&keys);
    if (first < argc)
        pz_die(PZ_USAGE, "'%s' is too many: there are no operands", argv[first]);
    if (!opt.root && pz_group_need(pz_need_group(), &err))
        pz_die_err(&err);
    char *group, *root;
    root = opt.root ? realpath(opt.root, NULL) : NULL;
    if (opt.root && !root)
        pz_die(PZ_SYSTEM, "cannot open '%s': %s", opt.root, strerror(errno));
    group = opt.root ? NULL : realpath(pz_need_group(), NULL);
    if (!opt.root && !group)
        pz_die(PZ_SYSTEM, "cannot open group '%s': %s", pz_common.group, strerror(errno));
    char *s3_root = opt.s3_root ? realpath(opt.s3_root, NULL) : NULL;
    if (opt.s3_root && !s3_root)
        pz_die(PZ_SYSTEM, "cannot open '%s': %s", opt.s3_root, strerror(errno));
    // SQLite's own scratch files, where we may write.
    setenv("SQLITE_TMPDIR", group ? group : root, 1);
    raise_files();
    // Threads inherit it: signals wait for serve().
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    struct pz_server_options o = {.group = group,
                                  .root = root,
                                  .s3_root = s3_root,
                                  .listen = opt.listen,
                                  .region = opt.region,
                                  .account = opt.account,
                                  .threads = pz_threads((int)pz_common.threads),
                                  .max_connections = (unsigned)opt.max_connections,
                                  .max_queue = (size_t)opt.max_queue,
                                  .shown_bytes = (size_t)opt.shown << 20,
                                  .seed = (uint64_t)pz_common.seed,
                                  .strict = opt.strict,
                                  .access_log = open_log(),
                                  .access_json = strcmp(opt.format, "json") == 0,
                                  .late_seconds = opt.max_wait,
                                  .keys = keys,
                                  .max_skew = opt.max_skew};
    if (pz_server_new(&s, &o, &err))
        pz_die_err(&err);
    const char *const mine[] = {group ? group : root, s3_root};
    enter_sandbox(mine, s3_root ? 2 : 1);
    if (pz_server_start(s, &err))
        pz_die_err(&err);
    printf("http://%s\n", pz_server_address(s));
    if (fflush(stdout))
        pz_die(PZ_SYSTEM, "cannot write the address: %s", strerror(errno));
    serve(s, &signals);
    pz_log(PZ_LOG_NOTE, "stopping");
    pz_server_stop(s, opt.stop_seconds);
    pz_server_free(s);
    pz_keys_free(keys);
    free(group);
    free(root);
    free(s3_root);
    return pz_cli_end(PZ_OK);
}
