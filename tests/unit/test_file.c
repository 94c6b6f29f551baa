/* base/file: whole files in and out, and what is left behind when that fails. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "unit.h"

static char dir[] = "/tmp/pz-test-file-XXXXXX";
static struct pz_err err;

static void
setup(void)
{
    strcpy(dir + strlen(dir) - 6, "XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_int_eq(chmod(dir, 0777), 0);
    err = (struct pz_err)PZ_ERR_INIT;
}

static void
teardown(void)
{
    char cmd[128];
    snprintf(cmd, sizeof cmd, "chmod -R u+rwx %s; rm -rf %s", dir, dir);
    ck_assert_int_eq(system(cmd), 0);
}

/* dir/name, in one of a few static buffers. */
static const char *
at(const char *name)
{
    static char text[4][256];
    static int i;
    i = (i + 1) % 4;
    snprintf(text[i], sizeof text[i], "%s/%s", dir, name);
    return text[i];
}

static int
n_entries(void)
{
    int n = 0;
    DIR *d = opendir(dir);
    ck_assert_ptr_nonnull(d);
    while (readdir(d))
        n++;
    closedir(d);
    return n - 2;
}

static void
put(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    ck_assert_int_eq(fclose(f), 0);
}

static void
expect_text(const char *path, const char *text)
{
    char buf[256] = "";
    FILE *f = fopen(path, "r");
    ck_assert_ptr_nonnull(f);
    buf[fread(buf, 1, sizeof buf - 1, f)] = 0;
    fclose(f);
    ck_assert_str_eq(buf, text);
}

static int
write_text(const char *path, const char *text)
{
    struct pz_out out;
    int status = pz_out_open(&out, path, &err);
    if (!status)
        status = pz_out_write(&out, text, strlen(text), &err);
    if (!status)
        status = pz_out_commit(&out, &err);
    pz_out_abort(&out);
    return status;
}

/* Runs each test of the loop with unnamed files (0) and with hidden names (1). */
static void
choose_way(int way)
{
    if (way)
        setenv("PZ_NO_TMPFILE", "1", 1);
    else
        unsetenv("PZ_NO_TMPFILE");
}

START_TEST(map)
{
    struct pz_map m;
    put(at("f"), "hello");
    ck_ok(pz_map_open(&m, at("f"), &err), err);
    ck_assert_uint_eq(m.len, 5);
    ck_assert_mem_eq(m.data, "hello", 5);
    pz_map_close(&m);
    pz_map_close(&m);
    put(at("empty"), "");
    ck_ok(pz_map_open(&m, at("empty"), &err), err);
    ck_assert_ptr_null(m.data);
    pz_map_close(&m);

    ck_assert_int_eq(pz_map_open(&m, at("absent"), &err), PZ_SYSTEM);
    ck_assert_ptr_nonnull(strstr(err.msg, "absent': No such file"));
    ck_assert_int_eq(pz_map_open(&m, dir, &err), PZ_FORMAT);
    ck_assert_ptr_nonnull(strstr(err.msg, "is a directory"));
    ck_assert_int_eq(mkfifo(at("fifo"), 0666), 0);
    ck_assert_int_eq(pz_map_open(&m, at("fifo"), &err), PZ_FORMAT);
    ck_assert_ptr_nonnull(strstr(err.msg, "not a regular file"));
    ck_assert_int_eq(pz_map_open(&m, "/dev/null", &err), PZ_FORMAT);
}
END_TEST

START_TEST(read_all)
{
    struct pz_buf b = PZ_BUF_INIT;
    put(at("f"), "hello");
    ck_ok(pz_read_all(&b, at("f"), 5, &err), err);
    ck_assert_str_eq(b.data, "hello");
    pz_buf_clear(&b);
    ck_assert_int_eq(pz_read_all(&b, at("f"), 4, &err), PZ_DATA);
    ck_assert_ptr_nonnull(strstr(err.msg, "longer than 4 bytes"));
    pz_buf_clear(&b);
    ck_assert_int_eq(pz_read_all(&b, dir, 4, &err), PZ_DATA);
    ck_assert_int_eq(pz_read_all(&b, at("absent"), 4, &err), PZ_SYSTEM);

    /* stdin is a pipe that delivers in pieces, more than a buffer's worth */
    int fd[2];
    ck_assert_int_eq(pipe(fd), 0);
    pid_t pid = fork();
    if (pid == 0) {
        for (int i = 0; i < 20000; i++)
            if (write(fd[1], "0123456789", 10) != 10)
                _exit(1);
        _exit(0);
    }
    close(fd[1]);
    int old = dup(0);
    dup2(fd[0], 0);
    pz_buf_clear(&b);
    ck_ok(pz_read_all(&b, "-", 1 << 20, &err), err);
    dup2(old, 0);
    close(old);
    close(fd[0]);
    ck_assert_uint_eq(b.len, 200000);
    for (size_t i = 0; i < b.len; i++)
        ck_assert_int_eq(b.data[i], '0' + (int)(i % 10));
    waitpid(pid, NULL, 0);
    pz_buf_release(&b);
}
END_TEST

START_TEST(out_new_and_replace)
{
    choose_way(_i);
    ck_ok(write_text(at("f"), "one"), err);
    expect_text(at("f"), "one");
    struct stat st;
    mode_t mask = umask(0);
    umask(mask);
    ck_assert_int_eq(stat(at("f"), &st), 0);
    ck_assert_int_eq(st.st_mode & 0777, 0666 & ~mask);
    ck_ok(write_text(at("f"), "two"), err);
    expect_text(at("f"), "two");
    ck_assert_int_eq(n_entries(), 1);
    ck_assert_int_eq(symlink("f", at("link")), 0);
    ck_ok(write_text(at("link"), "three"), err);
    expect_text(at("f"), "three");
    ck_assert_int_eq(lstat(at("link"), &st), 0);
    ck_assert(S_ISLNK(st.st_mode));
}
END_TEST

static void
expect_mode(const char *path, mode_t mode, uid_t user, gid_t group)
{
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, mode);
    ck_assert_uint_eq(st.st_uid, user);
    ck_assert_uint_eq(st.st_gid, group);
}

START_TEST(out_keeps_mode)
{
    static const mode_t modes[] = {0600, 0640, 0664, 0444, 0755};
    struct pz_out out;
    choose_way(_i);
    put(at("f"), "old");
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        ck_assert_int_eq(chmod(at("f"), modes[i]), 0);
        ck_ok(write_text(at("f"), "new"), err);
        expect_mode(at("f"), modes[i], geteuid(), getegid());
    }
    /* what it is when it is replaced counts */
    ck_ok(pz_out_open(&out, at("f"), &err), err);
    ck_assert_int_eq(chmod(at("f"), 0600), 0);
    ck_ok(pz_out_commit(&out, &err), err);
    expect_mode(at("f"), 0600, geteuid(), getegid());
}
END_TEST

/* Stands in for the C library's: what a file shows before it is locked. */
static mode_t shown;
int
flock(int fd, int op)
{
    struct stat st;
    shown |= fstat(fd, &st) ? 07777 : st.st_mode & 0777;
    return (int)syscall(SYS_flock, fd, op);
}

/* The way of hidden names shows nobody what the target hides. */
START_TEST(out_hides)
{
    struct pz_out out;
    choose_way(1);
    put(at("f"), "old");
    ck_assert_int_eq(chmod(at("f"), 0600), 0);
    mode_t mask = umask(0);
    shown = 0;
    ck_ok(pz_out_open(&out, at("f"), &err), err);
    ck_assert_uint_eq(shown, 0600);
    expect_mode(out.temp, 0600, geteuid(), getegid());
    pz_out_abort(&out);
    int fd;
    shown = 0;
    ck_ok(pz_scratch_open(&fd, dir, &err), err);
    ck_assert_uint_eq(shown, 0600);
    close(fd);
    shown = 0;
    ck_ok(pz_out_open(&out, at("new"), &err), err);
    ck_assert_uint_eq(shown, 0666);
    pz_out_abort(&out);
    umask(mask);
}
END_TEST

START_TEST(out_keeps_owner)
{
    choose_way(_i);
    if (geteuid())
        return; // only root gives files away
    put(at("f"), "old");
    ck_assert_int_eq(chown(at("f"), 4321, 4322), 0);
    ck_assert_int_eq(chmod(at("f"), 0640), 0);
    ck_ok(write_text(at("f"), "new"), err);
    expect_mode(at("f"), 0640, 4321, 4322);
    /* another user, in the group and outside of it */
    for (int member = 1; member >= 0; member--) {
        ck_assert_int_eq(chown(at("f"), 4321, 4322), 0);
        ck_assert_int_eq(chmod(at("f"), 0664), 0);
        pid_t pid = fork();
        if (pid == 0) {
            const gid_t groups[] = {4322};
            if (setgroups((size_t)member, groups) || setresgid(5678, 5678, 5678) ||
                setresuid(5678, 5678, 5678))
                _exit(2);
            _exit(write_text(at("f"), "newer"));
        }
        int ws;
        waitpid(pid, &ws, 0);
        ck_assert_int_eq(ws, 0);
        expect_mode(at("f"), member ? 0664 : 0644, 5678, member ? 4322 : 5678);
    }
}
END_TEST

START_TEST(out_patch)
{
    struct pz_out out;
    choose_way(_i);
    ck_ok(pz_out_open(&out, at("f"), &err), err);
    ck_ok(pz_out_write(&out, "hello world", 11, &err), err);
    ck_ok(pz_out_patch(&out, 0, "J", 1, &err), err);
    ck_ok(pz_out_patch(&out, 6, "there", 5, &err), err);
    ck_assert_int_eq(pz_out_patch(&out, 7, "there", 5, &err), PZ_SYSTEM);
    ck_ok(pz_out_write(&out, "!", 1, &err), err);
    ck_assert_uint_eq(out.at, 12);
    ck_ok(pz_out_commit(&out, &err), err);
    expect_text(at("f"), "Jello there!");
}
END_TEST

START_TEST(out_abort_leaves_nothing)
{
    struct pz_out out;
    choose_way(_i);
    put(at("f"), "old");
    ck_ok(pz_out_open(&out, at("f"), &err), err);
    ck_ok(pz_out_write(&out, "new", 3, &err), err);
    expect_text(at("f"), "old");
    pz_out_abort(&out);
    pz_out_abort(&out);
    expect_text(at("f"), "old");
    ck_assert_int_eq(n_entries(), 1);
}
END_TEST

/* A process killed in the middle leaves nothing (unnamed files only). */
START_TEST(out_killed)
{
    pid_t pid = fork();
    if (pid == 0) {
        struct pz_out out;
        unsetenv("PZ_NO_TMPFILE");
        if (pz_out_open(&out, at("f"), &err) || pz_out_write(&out, "new", 3, &err))
            _exit(1);
        raise(SIGKILL);
    }
    int ws;
    waitpid(pid, &ws, 0);
    ck_assert(WIFSIGNALED(ws));
    ck_assert_int_eq(n_entries(), 0);
}
END_TEST

/* The limit cuts the write short first and then fails: both are met here. */
START_TEST(out_short_write)
{
    static char bytes[1500];
    choose_way(_i);
    put(at("f"), "old");
    pid_t pid = fork();
    if (pid == 0) {
        struct pz_out out;
        struct rlimit lim = {1000, 1000};
        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &lim);
        if (pz_out_open(&out, at("f"), &err))
            _exit(1);
        if (pz_out_write(&out, bytes, 700, &err))
            _exit(2);
        if (pz_out_write(&out, bytes, 700, &err) != PZ_SYSTEM)
            _exit(3);
        if (!strstr(err.msg, "/f': File too large"))
            _exit(4);
        pz_out_abort(&out);
        _exit(0);
    }
    int ws;
    waitpid(pid, &ws, 0);
    ck_assert_int_eq(ws, 0);
    expect_text(at("f"), "old");
    ck_assert_int_eq(n_entries(), 1);
}
END_TEST

/* The next writer removes what a killed one left, but not what a living one holds. */
START_TEST(out_tidies)
{
    struct pz_out a, b;
    choose_way(1);
    put(at(".pz-0123456789abcdef"), "dead");
    put(at(".pz-0123456789abcdeX"), "of somebody else");
    put(at(".pz-0123"), "of somebody else");
    ck_ok(pz_out_open(&a, at("a"), &err), err);
    ck_assert_int_eq(access(at(".pz-0123456789abcdef"), F_OK), -1);
    ck_ok(pz_out_open(&b, at("b"), &err), err);
    ck_assert_int_eq(n_entries(), 4);
    ck_ok(pz_out_commit(&b, &err), err);
    ck_ok(pz_out_commit(&a, &err), err);
    ck_assert_int_eq(n_entries(), 4);
    expect_text(at("a"), "");
}
END_TEST

START_TEST(out_full_disk)
{
    struct pz_out out = {open("/dev/full", O_WRONLY), 0, strdup("target"), NULL};
    ck_assert_int_eq(pz_out_write(&out, "x", 1, &err), PZ_SYSTEM);
    ck_assert_str_eq(err.msg, "cannot write 'target': No space left on device");
    pz_out_abort(&out);
}
END_TEST

START_TEST(out_refusals)
{
    struct pz_out out;
    choose_way(_i);
    ck_assert_int_eq(pz_out_open(&out, dir, &err), PZ_SYSTEM);
    ck_assert_ptr_nonnull(strstr(err.msg, "is a directory"));
    ck_assert_int_eq(pz_out_open(&out, at("x/"), &err), PZ_SYSTEM);
    ck_assert_int_eq(pz_out_open(&out, "", &err), PZ_SYSTEM);
    ck_assert_int_eq(pz_out_open(&out, "/dev/null", &err), PZ_SYSTEM);
    ck_assert_ptr_nonnull(strstr(err.msg, "not a regular file"));
    ck_assert_int_eq(pz_out_open(&out, at("no/such/f"), &err), PZ_SYSTEM);
    ck_assert_ptr_nonnull(strstr(err.msg, "No such file"));
    ck_assert_int_eq(symlink("nowhere", at("dangling")), 0);
    ck_assert_int_eq(pz_out_open(&out, at("dangling"), &err), PZ_SYSTEM);
    ck_assert_ptr_nonnull(strstr(err.msg, "symbolic link"));
    /* a directory that takes the target's place meanwhile */
    ck_ok(pz_out_open(&out, at("late"), &err), err);
    ck_assert_int_eq(mkdir(at("late"), 0777), 0);
    ck_assert_int_eq(pz_out_commit(&out, &err), PZ_SYSTEM);
    ck_assert_int_eq(out.fd, -1);
    ck_assert_int_eq(n_entries(), 2);
}
END_TEST

START_TEST(out_read_only_dir)
{
    choose_way(_i);
    ck_assert_int_eq(chmod(dir, 0555), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct pz_out out;
        if (geteuid() == 0 && setresuid(65534, 65534, 65534))
            _exit(1);
        if (pz_out_open(&out, at("f"), &err) != PZ_SYSTEM)
            _exit(2);
        _exit(strstr(err.msg, "Permission denied") ? 0 : 3);
    }
    int ws;
    waitpid(pid, &ws, 0);
    ck_assert_int_eq(ws, 0);
    ck_assert_int_eq(chmod(dir, 0755), 0);
}
END_TEST

START_TEST(scratch)
{
    int fd;
    char buf[8];
    choose_way(_i);
    ck_ok(pz_scratch_open(&fd, dir, &err), err);
    ck_assert_int_eq(n_entries(), 0);
    ck_ok(pz_scratch_write(fd, dir, "hello", 5, 1000, &err), err);
    ck_ok(pz_scratch_read(fd, dir, buf, 5, 1000, &err), err);
    ck_assert_mem_eq(buf, "hello", 5);
    ck_assert_int_eq(pz_scratch_read(fd, dir, buf, 6, 1000, &err), PZ_SYSTEM);
    ck_assert_ptr_nonnull(strstr(err.msg, "the file ends"));
    close(fd);
    ck_assert_int_eq(pz_scratch_open(&fd, at("absent"), &err), PZ_SYSTEM);
}
END_TEST

/* What nobody has open goes, what another still writes to stays. */
START_TEST(hidden)
{
    int fd, other;
    char *name, *second, *third;
    put(at(".pz-0123456789abcdef"), "left");
    ck_ok(pz_hidden_open(&fd, &name, at("t"), &err), err);
    ck_assert_int_eq(n_entries(), 1);
    ck_ok(pz_hidden_open(&other, &second, at("t"), &err), err);
    ck_assert_int_eq(n_entries(), 2);
    ck_assert_str_ne(name, second);
    close(fd);
    close(other);
    ck_ok(pz_hidden_open(&fd, &third, at("t"), &err), err);
    ck_assert_int_eq(n_entries(), 1);
    ck_assert_int_eq(unlink(third), 0);
    free(name);
    free(second);
    free(third);
    close(fd);
    ck_assert_int_eq(pz_hidden_open(&fd, &name, at("absent/t"), &err), PZ_SYSTEM);
}
END_TEST

START_TEST(mkdirs)
{
    struct stat st;
    ck_ok(pz_mkdirs(at("a//b/c/"), &err), err);
    ck_assert_int_eq(stat(at("a/b/c"), &st), 0);
    ck_assert(S_ISDIR(st.st_mode));
    ck_ok(pz_mkdirs(at("a/b/c"), &err), err);
    ck_ok(pz_mkdirs("/", &err), err);
    put(at("f"), "");
    ck_assert_int_eq(pz_mkdirs(at("f/x"), &err), PZ_SYSTEM);
    ck_assert_ptr_nonnull(strstr(err.msg, "/f': a file is in the way"));
    ck_assert_int_eq(pz_mkdirs("", &err), PZ_SYSTEM);
}
END_TEST

/* Stands in for the C library's: notes what is synced. */
static char synced[8][256];
static size_t n_synced;
int
fsync(int fd)
{
    char proc[64];
    snprintf(proc, sizeof proc, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(proc, synced[n_synced % 8], sizeof *synced - 1);
    if (n > 0)
        synced[n_synced++ % 8][n] = 0;
    return (int)syscall(SYS_fsync, fd);
}

/* And this: another process is quicker. */
static bool raced;
int
mkdir(const char *path, mode_t mode)
{
    int r = (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
    if (r == 0 && raced) {
        errno = EEXIST;
        r = -1;
    }
    return r;
}

/* Whoever made a directory, its name is on disk before anything is put into it. */
START_TEST(mkdirs_synced)
{
    struct stat st;
    for (int way = 0; way < 3; way++) {
        char name[] = "d0";
        name[1] = (char)('0' + way);
        if (way == 2) // before we came
            ck_assert_int_eq(syscall(SYS_mkdirat, AT_FDCWD, at(name), 0777), 0);
        raced = way == 1;
        n_synced = 0;
        ck_ok(pz_mkdirs(at(name), &err), err);
        raced = false;
        ck_assert_int_eq(stat(at(name), &st), 0);
        ck_assert_uint_ge(n_synced, 1);
        ck_assert_str_eq(synced[n_synced - 1], dir);
        char path[64];
        snprintf(path, sizeof path, "%s/f", name);
        put(at(path), "");
        n_synced = 0;
        ck_ok(pz_mkdirs(at(name), &err), err); // somebody has seen to it
        ck_assert_uint_eq(n_synced, 0);
    }
}
END_TEST

/* A directory that is there is good enough where its parent cannot be opened. */
START_TEST(mkdirs_closed)
{
    ck_ok(pz_mkdirs(at("p/d"), &err), err);
    ck_assert_int_eq(chmod(at("p"), 0111), 0);
    ck_assert_int_eq(chmod(at("p/d"), 0777), 0);
    pid_t pid = fork();
    if (pid == 0) {
        if (geteuid() == 0 && setresuid(5678, 5678, 5678))
            _exit(2);
        _exit(pz_mkdirs(at("p/d"), &err));
    }
    int ws;
    waitpid(pid, &ws, 0);
    ck_assert_int_eq(ws, 0);
}
END_TEST

/* A file that somebody else wrote takes the place of one, and its permissions. */
START_TEST(replace)
{
    put(at("old"), "old");
    put(at("part"), "new");
    ck_assert_int_eq(chmod(at("old"), 0600), 0);
    ck_assert_int_eq(chmod(at("part"), 0644), 0);
    int fd = open(at("part"), O_RDWR);
    n_synced = 0;
    ck_ok(pz_replace(fd, at("part"), at("old"), &err), err);
    ck_assert_uint_eq(n_synced, 2);
    ck_assert_str_eq(synced[0], at("part"));
    ck_assert_str_eq(synced[1], dir);
    expect_text(at("old"), "new");
    expect_mode(at("old"), 0600, geteuid(), getegid());
    ck_assert_int_eq(n_entries(), 1);
    ck_assert_int_eq(pz_replace(fd, at("part"), at("old"), &err), PZ_SYSTEM);
    ck_assert_ptr_nonnull(strstr(err.msg, "cannot replace"));
    close(fd);
}
END_TEST

START_TEST(lock)
{
    int a, b;
    ck_ok(pz_lock(&a, at("lock"), &err), err);
    ck_assert_int_eq(pz_lock(&b, at("lock"), &err), PZ_SYSTEM);
    ck_assert_ptr_nonnull(strstr(err.msg, "another process holds it"));
    ck_assert_int_eq(b, -1);
    close(a);
    ck_ok(pz_lock(&b, at("lock"), &err), err);
    close(b);
    ck_ok(pz_lock(&a, dir, &err), err); // a directory is its own lock file
    ck_assert_int_eq(pz_lock(&b, dir, &err), PZ_SYSTEM);
    close(a);
    ck_assert_int_eq(pz_lock(&b, at("no/lock"), &err), PZ_SYSTEM);
}
END_TEST

START_TEST(path_join)
{
    static const char *const cases[][3] = {{"a", "b", "a/b"},
                                           {"a/", "b", "a/b"},
                                           {"", "b", "b"},
                                           {"/", "b", "/b"},
                                           {".", "", "./"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *p;
        ck_ok(pz_path_join(&p, cases[i][0], cases[i][1], &err), err);
        ck_assert_str_eq(p, cases[i][2]);
        free(p);
    }
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("file");
    TCase *t = tcase_create("file");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, map);
    tcase_add_test(t, read_all);
    tcase_add_loop_test(t, out_new_and_replace, 0, 2);
    tcase_add_loop_test(t, out_keeps_mode, 0, 2);
    tcase_add_test(t, out_hides);
    tcase_add_loop_test(t, out_keeps_owner, 0, 2);
    tcase_add_loop_test(t, out_patch, 0, 2);
    tcase_add_loop_test(t, out_abort_leaves_nothing, 0, 2);
    tcase_add_test(t, out_killed);
    tcase_add_loop_test(t, out_short_write, 0, 2);
    tcase_add_test(t, out_tidies);
    tcase_add_test(t, out_full_disk);
    tcase_add_loop_test(t, out_refusals, 0, 2);
    tcase_add_loop_test(t, out_read_only_dir, 0, 2);
    tcase_add_loop_test(t, scratch, 0, 2);
    tcase_add_test(t, hidden);
    tcase_add_test(t, mkdirs);
    tcase_add_test(t, mkdirs_synced);
    tcase_add_test(t, mkdirs_closed);
    tcase_add_test(t, replace);
    tcase_add_test(t, lock);
    tcase_add_test(t, path_join);
    suite_add_tcase(s, t);
    return s;
}
