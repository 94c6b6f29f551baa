/*
 * The control plane over a folder of groups that begins empty: whatever is asked, each
 * call is answered, with JSON and with a status that fits, and nothing but the groups and
 * the files below --s3-root is changed. Jobs are made and never started.
 *
 * A call a line, up to CALLS of them: the operation's name, a blank, the body.
 */
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/file.h"
#include "serve/control.h"
#include "serve/server.h"
#include "tests/fuzz/fuzz.h"

enum { CALLS = 12 };

static char base[64];

static void
path_of(char out[128], const char *name)
{
    snprintf(out, 128, "%s/%s", base, name);
}

static void
make_file(const char *name, const char *text)
{
    char path[128];
    path_of(path, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    require(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

static void
make_folder(const char *name)
{
    char path[128];
    path_of(path, name);
    require(mkdir(path, 0700) == 0);
}

static int
remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static const char secret[] = "USER_ID\nnobody\n";

static void
begin(void)
{
    char link[128];
    snprintf(base, sizeof base, "%s/pz-fuzz-XXXXXX",
             access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
    require(mkdtemp(base) != NULL);
    make_folder("root");
    make_folder("s3");
    make_folder("s3/b");
    make_file("secret", secret);
    make_file("s3/b/users.csv", "USER_ID\nu1\n");
    path_of(link, "s3/b/link");
    require(symlink("../../secret", link) == 0);
}

/* Is all that is not the server's as it was? */
static void
end(void)
{
    struct pz_buf text = PZ_BUF_INIT;
    struct pz_err err = PZ_ERR_INIT;
    char path[128];
    size_t n = 0;
    DIR *dir = opendir(base);
    while (dir && readdir(dir))
        n++;
    require(n == 5); // with "." and ".."
    closedir(dir);
    path_of(path, "secret");
    require(pz_read_all(&text, path, 1000, &err) == PZ_OK);
    require(text.len == strlen(secret) && memcmp(text.data, secret, text.len) == 0);
    pz_buf_release(&text);
    require(nftw(base, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
}

static void
check_answer(const struct pz_http_call *http)
{
    struct pz_err err = PZ_ERR_INIT;
    pz_json *j;
    require(http->status == 200 || (http->status >= 400 && http->status < 600));
    require(!http->out.failed && http->out.len > 0);
    require(pz_json_parse(&j, http->out.data, http->out.len, &err) == PZ_OK);
    require(pz_json_is_object(j));
    if (http->status != 200)
        require(pz_json_get_string(j, "__type") && pz_json_get_string(j, "message"));
    pz_json_free(j);
}

/* As the thread of the control plane does it. */
static void
call(struct pz_server *s, struct pz_arena *arena, const struct pz_route *route,
     const char *text, size_t n)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_buf why = PZ_BUF_INIT;
    struct pz_http_call http = {.method = "POST", .target = "/", .n_path = 1};
    struct pz_call c = {.server = s, .http = &http, .route = route};
    struct pz_desk_call d = {.call = &c, .control = s->control, .arena = arena};
    pz_json *body;
    if (pz_json_parse(&body, text, n, &err))
        return;
    if (pz_shape_check(route->shape, body, &why) == PZ_SHAPE_FITS) {
        struct pz_site *site;
        require(pz_keeper_look(s->keeper, &err) == PZ_OK);
        site = pz_keeper_site(s->keeper, NULL);
        c.site = site;
        c.body = body;
        pz_control_do(&d);
        if (http.status == 0)
            pz_desk_fail(&d);
        check_answer(&http);
        pz_site_free(site);
    }
    pz_job_free(d.job);
    pz_buf_release(&d.extra);
    pz_buf_release(&d.answer);
    pz_buf_release(&http.out);
    pz_buf_release(&why);
    pz_json_free(body);
    pz_arena_clear(arena);
}

static const struct pz_route *
route_of(const char *name, size_t n)
{
    for (const struct pz_route *r = pz_control_routes; r->operation; r++)
        if (strlen(r->operation) == n && memcmp(r->operation, name, n) == 0)
            return r;
    return NULL;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_arena arena = {0};
    struct pz_server *s;
    char root[128], s3[128];
    const char *p = (const char *)data, *stop = p + n;
    begin();
    path_of(root, "root");
    path_of(s3, "s3");
    const struct pz_server_options o = {.root = root,
                                        .s3_root = s3,
                                        .listen = "127.0.0.1:0",
                                        .region = "us-east-1",
                                        .account = "000000000000",
                                        .threads = 1,
                                        .max_connections = 16,
                                        .max_queue = 1,
                                        .access_log = -1};
    require(pz_server_new(&s, &o, &err) == PZ_OK);
    for (int i = 0; i < CALLS && p < stop; i++) {
        const char *feed = memchr(p, '\n', (size_t)(stop - p));
        const char *to = feed ? feed : stop, *blank = memchr(p, ' ', (size_t)(to - p));
        const struct pz_route *r = blank ? route_of(p, (size_t)(blank - p)) : NULL;
        if (r)
            call(s, &arena, r, blank + 1, (size_t)(to - blank - 1));
        p = to + 1;
    }
    struct pz_job **jobs = pz_control_jobs(s->control);
    while (*jobs) {
        struct pz_job *j = *jobs;
        *jobs = j->next;
        pz_job_free(j);
    }
    pz_server_free(s);
    pz_arena_release(&arena);
    end();
    return 0;
}
