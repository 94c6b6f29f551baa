/*
 * pace: requests for recommendations at a given rate, and how long each took from when it
 * was due: a server that falls behind does not slow the clock down.
 *
 *   pace ADDRESS PORT RATE SECONDS CONNECTIONS USERS
 *
 * Prints rate=, p50_ms=, p99_ms=, worst_ms=, failed=. An answer that is not 200, or a
 * connection that ends, has failed; status 1 then.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/num.h"
#include "base/order.h"

enum { MOST_CONNECTIONS = 512, ANSWER = 65536 };

struct conn {
    int fd;
    double due; // of its request; 0: it has none
    size_t n;
    char answer[ANSWER];
};

static struct conn conn[MOST_CONNECTIONS];
static struct conn *idle[MOST_CONNECTIONS];
static size_t n_idle;
static int64_t users, sent;
static uint64_t failed;

static int
open_one(const char *address, int64_t port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    if (fd < 0 || inet_pton(AF_INET, address, &to.sin_addr) != 1 ||
        connect(fd, (struct sockaddr *)&to, sizeof to)) {
        perror(address);
        exit(5);
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static void
ask(struct conn *c, double due)
{
    static const char arn[] = "arn:aws:personalize:us-east-1:000000000000:";
    char body[512], text[1024];
    int n = snprintf(body, sizeof body,
                     "{\"campaignArn\":\"%scampaign/top\",\"userId\":\"u%lld\","
                     "\"numResults\":25,\"filterArn\":\"%sfilter/cheap\"}",
                     arn, (long long)(++sent * 7919 % users + 1), arn);
    n = snprintf(text, sizeof text,
                 "POST /recommendations HTTP/1.1\r\nHost: bench\r\n"
                 "Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
                 n, body);
    c->due = due;
    c->n = 0;
    failed += write(c->fd, text, (size_t)n) != n;
}

/* Is the answer whole? */
static bool
whole(struct conn *c)
{
    c->answer[c->n] = '\0';
    const char *end = strstr(c->answer, "\r\n\r\n");
    const char *length = strcasestr(c->answer, "\r\ncontent-length: ");
    int64_t n;
    if (!end || !length || length > end)
        return false;
    length += strlen("\r\ncontent-length: ");
    if (pz_parse_i64(length, strspn(length, "0123456789"), &n))
        return false;
    return c->n >= (size_t)(end + 4 - c->answer) + (size_t)n;
}

static int64_t
number(const char *text, int64_t least, int64_t most)
{
    int64_t n;
    if (pz_parse_i64(text, strlen(text), &n) || n < least || n > most) {
        fprintf(stderr, "pace: '%s' is no number from %lld to %lld\n", text,
                (long long)least, (long long)most);
        exit(2);
    }
    return n;
}

int
main(int argc, char **argv)
{
    if (argc != 7) {
        fputs("usage: pace ADDRESS PORT RATE SECONDS CONNECTIONS USERS\n", stderr);
        return 2;
    }
    int64_t port = number(argv[2], 1, 65535), rate = number(argv[3], 1, 1000000);
    int64_t n_conns = number(argv[5], 1, MOST_CONNECTIONS);
    int64_t total = rate * number(argv[4], 1, 3600), asked = 0, done = 0;
    users = number(argv[6], 1, 1000000000);
    double *took = calloc((size_t)total, sizeof *took);
    int epoll = epoll_create1(0);
    if (!took || epoll < 0)
        return 5;
    for (int64_t i = 0; i < n_conns; i++) {
        struct epoll_event e = {.events = EPOLLIN, .data = {.ptr = &conn[i]}};
        conn[i].fd = open_one(argv[1], port);
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, conn[i].fd, &e))
            return 5;
        idle[n_idle++] = &conn[i];
    }
    double began = pz_seconds_wall(), step = 1.0 / (double)rate;
    while (done < total) {
        struct epoll_event event[64];
        double now = pz_seconds_wall();
        for (; asked < total && n_idle && began + (double)asked * step <= now; asked++)
            ask(idle[--n_idle], began + (double)asked * step);
        double left = asked < total && n_idle ? began + (double)asked * step - now : 1;
        left = left > 0 ? left : 0;
        struct timespec wait = {(time_t)left, (long)((left - (double)(time_t)left) * 1e9)};
        int n = epoll_pwait2(epoll, event, 64, &wait, NULL);
        for (int i = 0; i < n; i++) {
            struct conn *c = event[i].data.ptr;
            ssize_t got = read(c->fd, c->answer + c->n, ANSWER - 1 - c->n);
            if (got <= 0) {
                fputs("pace: the server has closed a connection\n", stderr);
                return 1;
            }
            c->n += (size_t)got;
            if (!whole(c))
                continue;
            failed += strncmp(c->answer, "HTTP/1.1 200", 12) != 0;
            took[done++] = pz_seconds_wall() - c->due;
            idle[n_idle++] = c;
        }
    }
    double all = pz_seconds_wall() - began;
    qsort(took, (size_t)total, sizeof *took, pz_order_f64);
    printf("rate=%.0f\np50_ms=%.2f\np99_ms=%.2f\nworst_ms=%.2f\nfailed=%llu\n",
           (double)total / all, took[total / 2] * 1e3, took[total * 99 / 100] * 1e3,
           took[total - 1] * 1e3, (unsigned long long)failed);
    free(took);
    return failed != 0;
}
