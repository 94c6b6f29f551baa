/* serve/http: how a server ends while somebody waits. */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "serve/http.h"
#include "unit.h"

static struct pz_http *http;
static struct pz_http_call *_Atomic waits;
static pthread_t stopper;
static sem_t taken;

static void
no_round(void *ctx, int thread)
{
    (void)ctx;
    (void)thread;
}

static size_t
any_head(void *ctx, struct pz_http_call *call)
{
    (void)ctx;
    (void)call;
    return 100;
}

static void
rest(int ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000L}, NULL);
}

static void *
stop(void *ctx)
{
    (void)ctx;
    pz_http_stop(http, 10);
    return NULL;
}

/* The stop comes while the loop is at a request, which is to be answered later. */
static enum pz_http_when
stop_meanwhile(void *ctx, struct pz_http_call *call)
{
    (void)ctx;
    ck_assert_int_eq(pthread_create(&stopper, NULL, stop, NULL), 0);
    rest(200);
    pz_http_suspend(call);
    atomic_store(&waits, call);
    sem_post(&taken);
    return PZ_HTTP_LATER;
}

static void
refuse(void *ctx, struct pz_http_call *call, const char *why)
{
    (void)ctx;
    (void)call;
    (void)why;
}

static void
done(void *ctx, struct pz_http_call *call, bool sent)
{
    (void)ctx;
    (void)call;
    (void)sent;
}

/* A connection; -1 with errno. */
static int
dial(void)
{
    const char *address = pz_http_address(http);
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    long port = strtol(strrchr(address, ':') + 1, NULL, 10);
    to.sin_port = htons((uint16_t)port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    if (connect(fd, (const struct sockaddr *)&to, sizeof to) == 0)
        return fd;
    int why = errno;
    close(fd);
    errno = why;
    return -1;
}

/* Who comes when the server ends learns at once that nobody is there, however long others
 * wait for their answers; and they get them. */
START_TEST(stopped_at_work)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    const struct pz_http_options o = {.listen = "127.0.0.1:0",
                                      .threads = 1,
                                      .max_connections = 10,
                                      .head_seconds = 10,
                                      .idle_seconds = 10,
                                      .min_rate = 1};
    const struct pz_http_app app = {.begin = no_round,
                                    .end = no_round,
                                    .head = any_head,
                                    .answer = stop_meanwhile,
                                    .refuse = refuse,
                                    .done = done};
    struct pz_err err = PZ_ERR_INIT;
    char got[512] = "";
    ck_assert_int_eq(sem_init(&taken, 0, 0), 0);
    ck_ok(pz_http_new(&http, &o, &app, &err), err);
    ck_ok(pz_http_start(http, &err), err);
    int fd = dial();
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(write(fd, request, sizeof request - 1), sizeof request - 1);
    ck_assert_int_eq(sem_wait(&taken), 0);
    int late = 0;
    for (int i = 0; late >= 0 && i < 100; i++) {
        rest(20);
        late = dial();
        if (late >= 0)
            close(late);
    }
    ck_assert_int_eq(late, -1);
    ck_assert_int_eq(errno, ECONNREFUSED);
    struct pz_http_call *call = waits;
    call->status = 200;
    pz_buf_addz(&call->out, "late");
    pz_http_resume(call);
    size_t n = 0;
    for (ssize_t k;
         n + 1 < sizeof got && (k = read(fd, got + n, sizeof got - 1 - n)) > 0;)
        n += (size_t)k;
    close(fd);
    ck_assert_ptr_nonnull(strstr(got, "200 OK"));
    ck_assert_ptr_nonnull(strstr(got, "\r\n\r\nlate"));
    pthread_join(stopper, NULL);
    pz_http_free(http);
    sem_destroy(&taken);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("http");
    TCase *t = tcase_create("http");
    tcase_add_test(t, stopped_at_work);
    suite_add_tcase(s, t);
    return s;
}
