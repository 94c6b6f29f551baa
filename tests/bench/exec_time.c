/*
 * exec_time: runs commands again and again and prints the medians.
 *
 *   exec_time [-n RUNS] [-i FILE] [-o FILE] COMMAND... [--and COMMAND...]
 *
 * Several commands take turns, so that a disturbance hits all of them alike. stdin and
 * stdout of each are -i and -o (default /dev/null). For command number K it prints
 * K.wall_us, K.cpu_us (medians), K.wall_us_min, K.rss_kb (greatest). Exits 1 when a
 * command failed, with its status on stderr.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/num.h"
#include "base/order.h"

enum { MAX_COMMANDS = 8, MAX_RUNS = 10000 };

struct timing {
    char **argv;
    double *wall, *cpu;
    long rss;
};

static double
time_of(const struct timeval *t)
{
    return (double)t->tv_sec * 1e6 + (double)t->tv_usec;
}

static int
run(struct timing *t, int k, const char *in, const char *out)
{
    double start = pz_seconds_wall();
    pid_t pid = fork();
    if (pid == 0) {
        int i = open(in, O_RDONLY), o = open(out, O_WRONLY | O_CREAT | O_TRUNC, 0666);
        if (i < 0 || o < 0 || dup2(i, 0) < 0 || dup2(o, 1) < 0)
            _exit(126);
        execvp(t->argv[0], t->argv);
        _exit(127);
    }
    int status;
    struct rusage use;
    if (pid < 0 || wait4(pid, &status, 0, &use) < 0) {
        fprintf(stderr, "exec_time: cannot run '%s': %s\n", t->argv[0], strerror(errno));
        return 1;
    }
    t->wall[k] = (pz_seconds_wall() - start) * 1e6;
    t->cpu[k] = time_of(&use.ru_utime) + time_of(&use.ru_stime);
    t->rss = use.ru_maxrss > t->rss ? use.ru_maxrss : t->rss;
    if (status == 0)
        return 0;
    fprintf(stderr, "exec_time: '%s' %s %d\n", t->argv[0],
            WIFEXITED(status) ? "exited with" : "was killed by signal",
            WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
    return 1;
}

static double
median(double *v, int n)
{
    qsort(v, (size_t)n, sizeof *v, pz_order_f64);
    return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

int
main(int argc, char **argv)
{
    const char *in = "/dev/null", *out = "/dev/null";
    int64_t n = 1;
    int c;
    while ((c = getopt(argc, argv, "+n:i:o:")) != -1) {
        if (c == 'i')
            in = optarg;
        else if (c == 'o')
            out = optarg;
        else if (c != 'n' || pz_parse_i64(optarg, strlen(optarg), &n) != PZ_NUM_OK ||
                 n < 1 || n > MAX_RUNS)
            return 2;
    }
    struct timing t[MAX_COMMANDS] = {{0}};
    int n_commands = 0;
    for (int i = optind; i < argc; i++) {
        if (n_commands == MAX_COMMANDS)
            return 2;
        t[n_commands].argv = argv + i;
        t[n_commands].wall = calloc((size_t)n, sizeof(double));
        t[n_commands].cpu = calloc((size_t)n, sizeof(double));
        if (!t[n_commands].wall || !t[n_commands].cpu)
            return 5;
        n_commands++;
        while (i < argc && strcmp(argv[i], "--and"))
            i++;
        if (i < argc)
            argv[i] = NULL;
    }
    if (!n_commands) {
        fprintf(stderr,
                "usage: exec_time [-n N] [-i IN] [-o OUT] COMMAND [--and COMMAND]\n");
        return 2;
    }
    for (int64_t k = 0; k < n; k++)
        for (int i = 0; i < n_commands; i++)
            if (run(&t[i], (int)k, in, out))
                return 1;
    for (int i = 0; i < n_commands; i++) {
        double wall = median(t[i].wall, (int)n), cpu = median(t[i].cpu, (int)n);
        printf("%d.wall_us=%.0f\n%d.cpu_us=%.0f\n%d.wall_us_min=%.0f\n%d.rss_kb=%ld\n",
               i + 1, wall, i + 1, cpu, i + 1, t[i].wall[0], i + 1, t[i].rss);
        free(t[i].wall);
        free(t[i].cpu);
    }
    return 0;
}
