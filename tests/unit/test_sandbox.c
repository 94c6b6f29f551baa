/* serve/sandbox: what a child that has given up files and calls can do and cannot. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "serve/sandbox.h"
#include "unit.h"

static char dir[] = "/tmp/pz-test-sandbox-XXXXXX";

static int
can_open(const char *path, int flags)
{
    int fd = open(path, flags, 0600);
    if (fd < 0)
        return errno;
    close(fd);
    return 0;
}

/* In a child: its status is the number of the step that went wrong, 100: no Landlock. */
static int
child(void)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_sandbox got;
    const char *const root[] = {dir};
    char path[128];
    int before = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
    char byte;
    if (pz_sandbox_enter(&got, root, 1, "/nowhere::/usr", &err))
        return 1;
    snprintf(path, sizeof path, "%s/new", dir);
    if (can_open(path, O_WRONLY | O_CREAT | O_TRUNC) || can_open(path, O_RDONLY))
        return 2;
    if (can_open("/dev/null", O_RDWR))
        return 3;
    if (got.syscalls && (socket(AF_INET, SOCK_STREAM, 0) >= 0 || errno != EPERM))
        return 4;
    if (got.syscalls && (unshare(0) == 0 || errno != EPERM))
        return 5;
    if (before >= 0 && read(before, &byte, 1) != 1) // what is open stays open
        return 6;
    if (!got.files)
        return 100;
    if (can_open("/etc/passwd", O_RDONLY) != EACCES)
        return 7;
    if (can_open("/tmp/pz-test-sandbox-outside", O_WRONLY | O_CREAT) != EACCES)
        return 8;
    snprintf(path, sizeof path, "%s/../pz-test-sandbox-outside", dir);
    if (can_open(path, O_WRONLY | O_CREAT) != EACCES)
        return 9;
    if (can_open("/root", O_RDONLY) == 0 || can_open("/home", O_RDONLY) == 0)
        return 10;
    // Tools can be started, and are as limited.
    snprintf(path, sizeof path, "cat /etc/passwd 2>/dev/null || echo ok >%s/said", dir);
    return execl("/bin/sh", "sh", "-c", path, (char *)NULL) ? 11 : 0;
}

START_TEST(gives_up)
{
    char path[128];
    int status;
    ck_assert_ptr_nonnull(mkdtemp(dir));
    fflush(NULL);
    pid_t pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        _exit(child());
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert(WIFEXITED(status));
    if (WEXITSTATUS(status) == 100) {
        printf("this kernel has no Landlock: files were not tested\n");
    } else {
        ck_assert_int_eq(WEXITSTATUS(status), 0);
        snprintf(path, sizeof path, "%s/said", dir);
        ck_assert_int_eq(access(path, F_OK), 0);
        unlink(path);
    }
    snprintf(path, sizeof path, "%s/new", dir);
    unlink(path);
    rmdir(dir);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("sandbox");
    TCase *t = tcase_create("sandbox");
    tcase_add_test(t, gives_up);
    suite_add_tcase(s, t);
    return s;
}
