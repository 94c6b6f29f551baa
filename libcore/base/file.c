#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

/* ---- reading ---- */

static int
open_retry(const char *path, int flags, mode_t mode)
{
    int fd;
    do
        fd = open(path, flags | O_CLOEXEC, mode);
    while (fd < 0 && errno == EINTR);
    return fd;
}

int
pz_map_fd(struct pz_map *map, int fd, const char *path, struct pz_err *err)
{
    *map = (struct pz_map){NULL, 0};
    struct stat st;
    int status = PZ_OK;
    if (fstat(fd, &st)) {
        status = pz_err_sys(err, "cannot open '%s'", path);
    } else if (S_ISDIR(st.st_mode)) {
        status = pz_err_set(err, PZ_FORMAT, "cannot open '%s': it is a directory", path);
    } else if (!S_ISREG(st.st_mode)) {
        status = pz_err_set(err, PZ_FORMAT, "cannot open '%s': it is not a regular file",
                            path);
    } else if ((uint64_t)st.st_size > SIZE_MAX) {
        status = pz_err_set(err, PZ_SYSTEM, "cannot map '%s': too large for this machine",
                            path);
    } else if (st.st_size > 0) {
        void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
        if (p == MAP_FAILED)
            status = pz_err_sys(err, "cannot map '%s'", path);
        else
            *map = (struct pz_map){p, (size_t)st.st_size};
    }
    return status;
}

int
pz_map_open(struct pz_map *map, const char *path, struct pz_err *err)
{
    *map = (struct pz_map){NULL, 0};
    /* O_NONBLOCK: a FIFO must be refused below, not waited for here. */
    int fd = open_retry(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (fd < 0)
        return pz_err_sys(err, "cannot open '%s'", path);
    int status = pz_map_fd(map, fd, path, err);
    close(fd);
    return status;
}

void
pz_map_rest(const struct pz_map *map)
{
    if (map->data) // only advice: where it fails, memory is all that it costs
        madvise((void *)(uintptr_t)map->data, map->len, MADV_DONTNEED);
}

void
pz_map_close(struct pz_map *map)
{
    if (map->data)
        munmap((void *)(uintptr_t)map->data, map->len);
    *map = (struct pz_map){NULL, 0};
}

int
pz_read_all(struct pz_buf *b, const char *path, size_t max, struct pz_err *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    const char *shown = is_stdin ? "(stdin)" : path;
    int status = PZ_OK;
    int fd = is_stdin ? STDIN_FILENO : open_retry(path, O_RDONLY, 0);
    if (fd < 0)
        return pz_err_sys(err, "cannot open '%s'", path);
    for (size_t total = 0;;) {
        /* One byte beyond max tells a file that ends there from one that goes on. */
        size_t want = max - total < 65536 ? max - total + 1 : 65536;
        char *p = pz_buf_reserve(b, want);
        if (!p) {
            status = pz_buf_status(b, shown, err);
            break;
        }
        ssize_t n = read(fd, p, want);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EISDIR)
            status =
                pz_err_set(err, PZ_DATA, "cannot read '%s': it is a directory", shown);
        else if (n < 0)
            status = pz_err_sys(err, "cannot read '%s'", shown);
        else if ((size_t)n > max - total)
            status =
                pz_err_set(err, PZ_DATA, "cannot read '%s': it is longer than %zu bytes",
                           shown, max);
        if (n <= 0 || status)
            break;
        b->len += (size_t)n;
        total += (size_t)n;
    }
    if (b->data)
        b->data[b->len] = 0; // reserve keeps room for it
    if (!is_stdin)
        close(fd);
    return status;
}

/* ---- descriptors ---- */

/* Writes all of it at *at (NULL: at the descriptor's own place); -1 with errno. */
static int
write_full(int fd, const void *bytes, size_t n, const uint64_t *at)
{
    const char *p = bytes;
    size_t done = 0;
    while (done < n) {
        ssize_t k = at ? pwrite(fd, p + done, n - done, (off_t)(*at + done))
                       : write(fd, p + done, n - done);
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return -1;
        if (k == 0) { // never for a regular file; without this an endless loop
            errno = EIO;
            return -1;
        }
        done += (size_t)k;
    }
    return 0;
}

int
pz_scratch_read(int fd, const char *dir, void *bytes, size_t n, uint64_t at,
                struct pz_err *err)
{
    char *p = bytes;
    for (size_t done = 0; done < n;) {
        ssize_t k = pread(fd, p + done, n - done, (off_t)(at + done));
        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0)
            return pz_err_sys(err, "cannot read %zu bytes of a scratch file in '%s'", n,
                              dir);
        if (k == 0)
            return pz_err_set(
                err, PZ_SYSTEM,
                "cannot read %zu bytes of a scratch file in '%s': the file ends", n, dir);
        done += (size_t)k;
    }
    return PZ_OK;
}

int
pz_scratch_write(int fd, const char *dir, const void *bytes, size_t n, uint64_t at,
                 struct pz_err *err)
{
    if (write_full(fd, bytes, n, &at))
        return pz_err_sys(err, "cannot write %zu bytes to a scratch file in '%s'", n,
                          dir);
    return PZ_OK;
}

/* ---- names ---- */

int
pz_path_join(char **out, const char *dir, const char *name, struct pz_err *err)
{
    size_t nd = strlen(dir), nn = strlen(name);
    bool slash = nd > 0 && dir[nd - 1] != '/';
    char *p = malloc(nd + slash + nn + 1);
    if (!p)
        return pz_err_nomem(err, "a path", nd + nn + 2);
    memcpy(p, dir, nd);
    if (slash)
        p[nd] = '/';
    memcpy(p + nd + slash, name, nn + 1);
    *out = p;
    return PZ_OK;
}

/* The directory that holds `path`, a new string. */
static int
parent_of(char **dir, const char *path, struct pz_err *err)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return pz_strndup(dir, ".", 1, err);
    return pz_strndup(dir, path, slash == path ? 1 : (size_t)(slash - path), err);
}

/* DIR/.pz-XXXXXXXXXXXXXXXX: short, so that a target of the longest legal name has one
 * too. */
static int
hidden_name(char **out, const char *dir, struct pz_err *err)
{
    uint64_t r;
    if (getrandom(&r, sizeof r, GRND_NONBLOCK) != (ssize_t)sizeof r) {
        struct timespec ts;
        clock_gettime(CLOCK_REALTIME, &ts);
        r = ((uint64_t)getpid() << 40) ^ ((uint64_t)ts.tv_sec << 20) ^
            (uint64_t)ts.tv_nsec;
    }
    char name[32];
    snprintf(name, sizeof name, ".pz-%016llx", (unsigned long long)r);
    return pz_path_join(out, dir, name, err);
}

/*
 * Makes a new file under a hidden name and locks it; *fd -1 on failure. Before it is
 * locked, another process may take it for a dead one's and tidy it away: then a new one
 * is made. Who opens it at once can read all that is written later: `mode` shows no more
 * than the file may ever show.
 */
static int
open_hidden(int *fd, char **temp, const char *dir, mode_t mode, struct pz_err *err)
{
    *fd = -1;
    for (int attempt = 0; attempt < 100; attempt++) {
        struct stat st;
        int status = hidden_name(temp, dir, err);
        if (status)
            return status;
        *fd = open_retry(*temp, O_RDWR | O_CREAT | O_EXCL, mode);
        if (*fd >= 0) {
            flock(*fd, LOCK_EX);
            if (fstat(*fd, &st) || st.st_nlink > 0)
                return PZ_OK;
            close(*fd);
            *fd = -1;
            errno = EEXIST;
        }
        free(*temp);
        *temp = NULL;
        if (errno != EEXIST)
            break;
    }
    return pz_err_sys(err, "cannot make a file in '%s'", dir);
}

/* What replaces a file gets that one's permissions later. */
static mode_t
hidden_mode(const char *target)
{
    return access(target, F_OK) == 0 ? 0600 : 0666;
}

/* An unnamed file in dir; -1 with errno. *unsupported: another way has to be taken. */
static int
open_unnamed(const char *dir, int flags, bool *unsupported)
{
    *unsupported = getenv("PZ_NO_TMPFILE") != NULL;
    if (*unsupported)
        return -1;
    int fd = open_retry(dir, O_TMPFILE | O_RDWR | flags, 0666);
    *unsupported = fd < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL ||
                              errno == ENOSYS);
    return fd;
}

/* Makes the entries of a directory durable. */
static int
sync_dir(const char *dir, struct pz_err *err)
{
    int fd = open_retry(dir, O_RDONLY | O_DIRECTORY, 0);
    if (fd < 0)
        return pz_err_sys(err, "cannot open directory '%s'", dir);
    /* EINVAL: a file system that cannot sync directories; nothing better exists there. */
    int failed = fsync(fd) && errno != EINVAL && errno != EROFS;
    int status = failed ? pz_err_sys(err, "cannot sync directory '%s'", dir) : PZ_OK;
    close(fd);
    return status;
}

/* ---- whole files out ---- */

/* The path that is really written: a symbolic link is followed, so that it stays one. */
static int
resolve_target(char **out, const char *path, struct pz_err *err)
{
    struct stat st;
    size_t n = strlen(path);
    if (n == 0)
        return pz_err_set(err, PZ_SYSTEM, "cannot write '': the name is empty");
    if (lstat(path, &st) == 0 && S_ISLNK(st.st_mode)) {
        *out = realpath(path, NULL);
        if (!*out)
            return pz_err_sys(err, "cannot follow the symbolic link '%s'", path);
    } else {
        int status = pz_strndup(out, path, n, err);
        if (status)
            return status;
    }
    bool exists = stat(*out, &st) == 0;
    if (path[n - 1] == '/' || (exists && S_ISDIR(st.st_mode)))
        return pz_err_set(err, PZ_SYSTEM, "cannot write '%s': it is a directory", path);
    if (exists && !S_ISREG(st.st_mode))
        return pz_err_set(err, PZ_SYSTEM, "cannot write '%s': it is not a regular file",
                          path);
    return PZ_OK;
}

/*
 * Gives the new file the owner and the permissions of the one that it replaces. Who is
 * not root can keep the owner of his own files only, and the group where he is in it. For
 * another group what the old one could do holds no longer: it gets what everybody has.
 * A file system that has no permissions refuses them; there is nothing to keep then.
 */
static void
keep_owner(int fd, const char *path)
{
    struct stat old, now;
    if (stat(path, &old) || !S_ISREG(old.st_mode) || fstat(fd, &now))
        return;
    if (now.st_uid != old.st_uid || now.st_gid != old.st_gid) {
        if (fchown(fd, old.st_uid, old.st_gid) && fchown(fd, (uid_t)-1, old.st_gid))
            errno = 0;
        if (fstat(fd, &now))
            return;
    }
    mode_t mode = old.st_mode & 0777;
    if (now.st_gid != old.st_gid)
        mode &= (mode & 07) << 3 | 0707;
    if ((now.st_mode & 07777) != mode && fchmod(fd, mode))
        errno = 0;
}

/* Removes what writers killed at the wrong moment left in dir: hidden names (they end in
 * 16 hexadecimal digits) whose file nobody has locked. Whatever fails here is left alone.
 */
static void
tidy(const char *dir)
{
    DIR *d = opendir(dir);
    const struct dirent *e;
    while (d && (e = readdir(d))) {
        if (strncmp(e->d_name, ".pz-", 4) != 0 || strlen(e->d_name) != 20 ||
            strspn(e->d_name + 4, "0123456789abcdef") != 16)
            continue;
        int fd =
            openat(dirfd(d), e->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0)
            continue;
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            unlinkat(dirfd(d), e->d_name, 0);
        close(fd);
    }
    if (d)
        closedir(d);
}

int
pz_out_open(struct pz_out *out, const char *path, struct pz_err *err)
{
    *out = (struct pz_out)PZ_OUT_INIT;
    char *dir = NULL;
    bool unsupported;
    int status = resolve_target(&out->path, path, err);
    if (!status)
        status = parent_of(&dir, out->path, err);
    if (status)
        goto done;
    /* An unnamed file gets its name through /proc; without that it could never be linked.
     */
    if (access("/proc/self/fd", X_OK) == 0)
        out->fd = open_unnamed(dir, 0, &unsupported);
    else
        unsupported = true;
    if (unsupported)
        status = open_hidden(&out->fd, &out->temp, dir, hidden_mode(out->path), err);
    else if (out->fd < 0)
        status = pz_err_sys(err, "cannot make a file in '%s'", dir);
    if (status) {
        pz_err_prefix(err, "cannot write '%s': ", path);
        goto done;
    }
    /* The lock tells tidy() in other processes that the writer lives. */
    flock(out->fd, LOCK_EX | LOCK_NB);
    tidy(dir);
    keep_owner(out->fd, out->path);
done:
    free(dir);
    if (status)
        pz_out_abort(out);
    return status;
}

int
pz_out_write(struct pz_out *out, const void *bytes, size_t n, struct pz_err *err)
{
    if (write_full(out->fd, bytes, n, NULL))
        return pz_err_sys(err, "cannot write '%s'", out->path);
    out->at += n;
    return PZ_OK;
}

int
pz_out_patch(struct pz_out *out, uint64_t at, const void *bytes, size_t n,
             struct pz_err *err)
{
    if (at > out->at || n > out->at - at)
        return pz_err_set(err, PZ_SYSTEM,
                          "cannot patch '%s': %zu bytes at %llu were not written",
                          out->path, n, (unsigned long long)at);
    if (write_full(out->fd, bytes, n, &at))
        return pz_err_sys(err, "cannot write '%s'", out->path);
    return PZ_OK;
}

/* Gives the unnamed file a name: the target's when that is free, else a hidden one in
 * temp. */
static int
link_out(struct pz_out *out, const char *dir, bool *in_place, struct pz_err *err)
{
    char proc[64];
    snprintf(proc, sizeof proc, "/proc/self/fd/%d", out->fd);
    *in_place = linkat(AT_FDCWD, proc, AT_FDCWD, out->path, AT_SYMLINK_FOLLOW) == 0;
    if (*in_place)
        return PZ_OK;
    for (int attempt = 0; errno == EEXIST && attempt < 100; attempt++) {
        int status = hidden_name(&out->temp, dir, err);
        if (status)
            return status;
        if (linkat(AT_FDCWD, proc, AT_FDCWD, out->temp, AT_SYMLINK_FOLLOW) == 0)
            return PZ_OK;
        free(out->temp);
        out->temp = NULL;
    }
    return pz_err_sys(err, "cannot write '%s'", out->path);
}

int
pz_out_commit(struct pz_out *out, struct pz_err *err)
{
    char *dir = NULL;
    bool in_place = false;
    int status = parent_of(&dir, out->path, err);
    keep_owner(out->fd, out->path); // they may have changed since
    /* A failed fsync is final: the kernel may have dropped the pages, a second one would
     * lie. */
    if (!status && fsync(out->fd))
        status = pz_err_sys(err, "cannot write '%s' to disk", out->path);
    if (!status && !out->temp)
        status = link_out(out, dir, &in_place, err);
    if (!status && !in_place) {
        if (rename(out->temp, out->path)) {
            status = pz_err_sys(err, "cannot replace '%s'", out->path);
        } else {
            free(out->temp);
            out->temp = NULL;
        }
    }
    if (!status)
        status = sync_dir(dir, err);
    free(dir);
    pz_out_abort(out); // closes; nothing is left to undo after a success
    return status;
}

void
pz_out_abort(struct pz_out *out)
{
    if (out->temp)
        unlink(out->temp);
    if (out->fd >= 0)
        close(out->fd);
    free(out->temp);
    free(out->path);
    *out = (struct pz_out)PZ_OUT_INIT;
}

int
pz_hidden_open(int *fd, char **name, const char *target, struct pz_err *err)
{
    char *dir = NULL;
    *fd = -1;
    *name = NULL;
    int status = parent_of(&dir, target, err);
    if (!status)
        status = open_hidden(fd, name, dir, hidden_mode(target), err);
    if (!status)
        tidy(dir);
    free(dir);
    return status;
}

int
pz_replace(int fd, const char *from, const char *to, struct pz_err *err)
{
    char *dir = NULL;
    int status = parent_of(&dir, to, err);
    keep_owner(fd, to);
    if (!status && fsync(fd))
        status = pz_err_sys(err, "cannot write '%s' to disk", from);
    if (!status && rename(from, to))
        status = pz_err_sys(err, "cannot replace '%s'", to);
    if (!status)
        status = sync_dir(dir, err);
    free(dir);
    return status;
}

/* ---- scratch, directories, locks ---- */

int
pz_scratch_open(int *fd, const char *dir, struct pz_err *err)
{
    bool unsupported;
    *fd = open_unnamed(dir, O_EXCL, &unsupported);
    if (*fd >= 0)
        return PZ_OK;
    if (!unsupported)
        return pz_err_sys(err, "cannot make a scratch file in '%s'", dir);
    char *temp = NULL;
    int status = open_hidden(fd, &temp, dir, 0600, err);
    if (!status)
        unlink(temp);
    free(temp);
    return status;
}

/* Whose directory it is, and what a sandbox allows, only opening tells. */
static bool
may_open(const char *dir)
{
    int fd = open_retry(dir, O_RDONLY | O_DIRECTORY, 0);
    bool refused = fd < 0 && (errno == EACCES || errno == EPERM);
    if (fd >= 0)
        close(fd);
    return !refused;
}

/* Is there nothing in the directory? One that cannot be listed is not known to be empty.
 */
static bool
is_empty(const char *path)
{
    DIR *d = opendir(path);
    size_t n = 0;
    while (d && n <= 2 && readdir(d))
        n++;
    if (d)
        closedir(d);
    return d && n <= 2; // "." and ".."
}

/*
 * One directory, durable in its parent. Another process may have made it and not have
 * come to that yet, or no longer; it has when there is something in it, for here nothing
 * is put into a directory before. One that is there already is used even where its parent
 * cannot be opened.
 */
static int
make_dir(const char *path, struct pz_err *err)
{
    struct stat st;
    char *parent = NULL;
    bool there = stat(path, &st) == 0;
    if (!there && mkdir(path, 0777)) {
        there = errno == EEXIST && stat(path, &st) == 0;
        if (!there)
            return pz_err_sys(err, "cannot make directory '%s'", path);
    }
    if (there && !S_ISDIR(st.st_mode))
        return pz_err_set(err, PZ_SYSTEM,
                          "cannot make directory '%s': a file is in the way", path);
    if (there && !is_empty(path))
        return PZ_OK;
    int status = parent_of(&parent, path, err);
    if (!status && (!there || may_open(parent)))
        status = sync_dir(parent, err);
    free(parent);
    return status;
}

int
pz_mkdirs(const char *path, struct pz_err *err)
{
    char *p;
    size_t n = strlen(path);
    while (n > 1 && path[n - 1] == '/')
        n--;
    int status = pz_strndup(&p, path, n, err);
    if (status)
        return status;
    if (n == 0)
        status =
            pz_err_set(err, PZ_SYSTEM, "cannot make directory '': the name is empty");
    for (size_t i = 1; i <= n && !status; i++) {
        if (i < n && (p[i] != '/' || p[i - 1] == '/'))
            continue;
        char c = p[i];
        p[i] = 0;
        status = make_dir(p, err);
        p[i] = c;
    }
    free(p);
    return status;
}

int
pz_lock(int *fd, const char *path, struct pz_err *err)
{
    int r;
    *fd = open_retry(path, O_RDWR | O_CREAT, 0666);
    if (*fd < 0 && errno == EISDIR) // a directory is its own lock file
        *fd = open_retry(path, O_RDONLY | O_DIRECTORY, 0);
    if (*fd < 0)
        return pz_err_sys(err, "cannot lock '%s'", path);
    do
        r = flock(*fd, LOCK_EX | LOCK_NB);
    while (r && errno == EINTR);
    if (r == 0)
        return PZ_OK;
    int status = errno == EWOULDBLOCK
                     ? pz_err_set(err, PZ_SYSTEM,
                                  "cannot lock '%s': another process holds it", path)
                     : pz_err_sys(err, "cannot lock '%s'", path);
    close(*fd);
    *fd = -1;
    return status;
}
