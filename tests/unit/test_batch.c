/* lines and batch: streams through pipes and files, on one thread and on several. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rng.h"
#include "infer/batch.h"
#include "infer/lines.h"
#include "tiny.h"
#include "unit.h"

static struct tiny tiny;
static struct pz_err err;

static void
open_model(void)
{
    err = (struct pz_err)PZ_ERR_INIT;
    ck_ok(tiny_open(&tiny, &tiny_user, &err), err);
}

static void
close_model(void)
{
    tiny_release(&tiny);
}

static struct pz_batch
batch_of(int threads, int out)
{
    return (struct pz_batch){.rules = {.model = &tiny.model, .base = {.n = 2}},
                             .threads = threads,
                             .out = out};
}

/* A file without a name that holds these bytes, at its start. */
static int
file_of(const char *bytes, size_t n)
{
    char path[] = "/tmp/pz-test-XXXXXX";
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    unlink(path);
    ck_assert_int_eq(write(fd, bytes, n), (ssize_t)n);
    lseek(fd, 0, SEEK_SET);
    return fd;
}

static void
slurp(int fd, struct pz_buf *b)
{
    char part[4096];
    ssize_t n;
    lseek(fd, 0, SEEK_SET);
    while ((n = read(fd, part, sizeof part)) > 0)
        pz_buf_add(b, part, (size_t)n);
}

static void
run_file(const struct pz_buf *in, int threads, struct pz_buf *out,
         struct pz_batch_counts *counts)
{
    int fd = file_of(in->data ? in->data : "", in->len), to = file_of("", 0);
    struct pz_batch b = batch_of(threads, to);
    pz_buf_clear(out);
    ck_ok(pz_batch_stream(&b, fd, counts, &err), err);
    slurp(to, out);
    close(fd);
    close(to);
}

START_TEST(ids)
{
    struct pz_buf in = PZ_BUF_INIT, out = PZ_BUF_INIT;
    struct pz_batch_counts c;
    pz_buf_addz(&in, "u2\r\n\n\r\nnobody\nu2");
    run_file(&in, 1, &out, &c);
    ck_assert_str_eq(out.data, "u2\ti2\t1\nu2\ti1\t0.5\nnobody\ti1\t\nnobody\ti2\t\n"
                               "u2\ti2\t1\nu2\ti1\t0.5\n");
    ck_assert_uint_eq(c.requests, 3);
    ck_assert_uint_eq(c.unknown, 1);
    ck_assert_uint_eq(c.bad, 0);
    pz_buf_clear(&in);
    run_file(&in, 1, &out, &c);
    ck_assert_uint_eq(out.len, 0);
    pz_buf_release(&in);
    pz_buf_release(&out);
}
END_TEST

/* Files from Windows begin with a byte-order mark; it belongs to no id, and does not hide
 * the '{'. */
START_TEST(byte_order_mark)
{
    static const struct {
        const char *in, *begins;
        unsigned requests, unknown;
    } cases[] = {
        {"\xef\xbb\xbfu2\r\n", "u2\ti2\t1\n", 1, 0},
        {"\xef\xbb\xbf{\"userId\":\"u2\"}\r\n", "{\"input\":{\"userId\":\"u2\"}", 1, 0},
        {"\xef\xbb\n", "\xef\xbb\ti1\t\n", 1, 1},
        {"\xef", "\xef\ti1\t\n", 1, 1},
        {"\xef\xbb\xbf", "", 0, 0},
    };
    const char *text = cases[_i].in;
    struct pz_batch_counts c;
    struct pz_buf in = PZ_BUF_INIT, out = PZ_BUF_INIT;
    pz_buf_addz(&in, text);
    run_file(&in, 1, &out, &c);
    ck_assert(strncmp(out.data ? out.data : "", cases[_i].begins,
                      strlen(cases[_i].begins)) == 0);
    ck_assert_uint_eq(c.requests, cases[_i].requests);
    ck_assert_uint_eq(c.unknown, cases[_i].unknown);
    pz_buf_release(&in);
    pz_buf_release(&out);
}
END_TEST

START_TEST(json_lines)
{
    struct pz_buf in = PZ_BUF_INIT, out = PZ_BUF_INIT;
    struct pz_batch_counts c;
    pz_buf_addz(&in, "{\"userId\":\"u2\"}\r\n\nu2\n{\"userId\":\"x\"}");
    run_file(&in, 1, &out, &c);
    ck_assert_str_eq(
        out.data,
        "{\"input\":{\"userId\":\"u2\"},\"output\":{\"recommendedItems\":[\"i2\",\"i1\"],"
        "\"scores\":[1,0.5]},\"error\":null}\n"
        "{\"input\":\"\",\"output\":null,\"error\":\"line 2: is empty; a JSON object is "
        "wanted\"}\n"
        "{\"input\":\"u2\",\"output\":null,\"error\":\"line 3: column 1: a value is "
        "expected here\"}\n"
        "{\"input\":{\"userId\":\"x\"},\"output\":{\"recommendedItems\":[\"i1\",\"i2\"]},"
        "\"error\":null}\n");
    ck_assert_uint_eq(c.requests, 4);
    ck_assert_uint_eq(c.bad, 2);
    pz_buf_release(&in);
    pz_buf_release(&out);
}
END_TEST

static void *
write_bytes(void *arg)
{
    struct {
        const struct pz_buf *text;
        int fd;
    } *f = arg;
    for (size_t i = 0; i < f->text->len; i++) {
        if (write(f->fd, f->text->data + i, 1) != 1)
            break;
        usleep(100);
    }
    close(f->fd);
    return NULL;
}

/* Empty lines in front of the first line do not decide what the lines are, however they
 * arrive. */
START_TEST(empty_first_lines)
{
    static const struct {
        const char *in;
        bool json;
        uint64_t number; // of the first line
        size_t n_text;
    } cases[] = {
        {"\n{\"userId\":\"u2\"}\n", true, 2, 15},
        {"\r\n\n\r\n{}", true, 4, 2},
        {"\xef\xbb\xbf\r\n{}\n", true, 2, 2},
        {"\n\xef\xbb\xbf{}\n", false, 2, 5}, // no mark: it is not in front of all
        {"\n\r{\n", false, 2, 2},
        {"\r{}\n", false, 1, 3},
        {"\n\r", false, 0, 0},
        {"\n\n", false, 0, 0},
        {"\n u1\n", false, 2, 3},
    };
    struct pz_buf text = PZ_BUF_INIT;
    pz_buf_addz(&text, cases[_i].in);
    for (int slowly = 0; slowly < 2; slowly++) {
        int ends[2];
        pthread_t writer;
        struct pz_lines l;
        struct pz_block b = {.n = 0};
        ck_assert_int_eq(pipe(ends), 0);
        struct {
            const struct pz_buf *text;
            int fd;
        } feed = {&text, ends[1]};
        if (slowly) {
            ck_assert_int_eq(pthread_create(&writer, NULL, write_bytes, &feed), 0);
        } else {
            ck_assert_int_eq(write(ends[1], text.data, text.len), (ssize_t)text.len);
            close(ends[1]);
        }
        pz_lines_init(&l, ends[0]);
        ck_ok(pz_lines_read(&l, &b, 10, &err), err);
        ck_assert_int_eq(l.json, cases[_i].json);
        ck_assert_uint_eq(b.n, cases[_i].number > 0);
        if (b.n) {
            ck_assert_uint_eq(b.line[0].number, cases[_i].number);
            ck_assert_uint_eq(b.line[0].text.n, cases[_i].n_text);
        }
        if (slowly)
            pthread_join(writer, NULL);
        close(ends[0]);
        pz_lines_release(&l);
        pz_block_release(&b);
    }
    pz_buf_release(&text);
}
END_TEST

/* As many of them as no buffer holds. */
START_TEST(many_empty_lines)
{
    struct pz_buf in = PZ_BUF_INIT, out = PZ_BUF_INIT;
    struct pz_batch_counts c;
    for (int i = 0; i < 300001; i++)
        pz_buf_addz(&in, i % 2 ? "\r\n" : "\n");
    pz_buf_addz(&in, "{\"userId\":\"u2\"");
    run_file(&in, 1, &out, &c);
    ck_assert_str_eq(out.data,
                     "{\"input\":\"{\\\"userId\\\":\\\"u2\\\"\",\"output\":null,"
                     "\"error\":\"line 300002: column 15: the text ends too "
                     "early\"}\n");
    pz_buf_release(&in);
    pz_buf_release(&out);
}
END_TEST

/* The order and the bytes do not depend on the number of threads or on where reads end.
 */
START_TEST(threads_agree)
{
    struct pz_buf in = PZ_BUF_INIT, one = PZ_BUF_INIT, many = PZ_BUF_INIT;
    struct pz_batch_counts c1, c2;
    struct pz_rng rng;
    pz_rng_seed(&rng, 1, 0);
    for (int i = 0; i < 60000; i++)
        pz_buf_addf(&in, "u%llu\n", (unsigned long long)pz_rng_below(&rng, 5000));
    run_file(&in, 1, &one, &c1);
    for (int threads = 2; threads <= 5; threads += 3) {
        run_file(&in, threads, &many, &c2);
        ck_assert_uint_eq(one.len, many.len);
        ck_assert_mem_eq(one.data, many.data, one.len);
        ck_assert_mem_eq(&c1, &c2, sizeof c1);
    }
    ck_assert_uint_eq(c1.requests, 60000);
    pz_buf_release(&in);
    pz_buf_release(&one);
    pz_buf_release(&many);
}
END_TEST

struct feed {
    const struct pz_buf *bytes;
    int fd;
};

/* Writes in pieces of any length, now and then with a pause. */
static void *
write_pieces(void *arg)
{
    const struct feed *f = arg;
    struct pz_rng rng;
    pz_rng_seed(&rng, 9, 0);
    for (size_t at = 0; at < f->bytes->len;) {
        size_t n = 1 + pz_rng_below(&rng, pz_rng_below(&rng, 4) ? 40 : 30000);
        n = n < f->bytes->len - at ? n : f->bytes->len - at;
        ssize_t done = write(f->fd, f->bytes->data + at, n);
        if (done < 0)
            break;
        at += (size_t)done;
        if (pz_rng_below(&rng, 50) == 0)
            usleep(1000);
    }
    close(f->fd);
    return NULL;
}

START_TEST(pieces)
{
    struct pz_buf in = PZ_BUF_INIT, want = PZ_BUF_INIT, got = PZ_BUF_INIT;
    struct pz_batch_counts c1, c2;
    struct pz_rng rng;
    pz_rng_seed(&rng, 4, 0);
    for (int i = 0; i < 20000; i++)
        pz_buf_addf(&in, "%s%s",
                    (const char *[]){"u1", "u2", "", "x\r"}[pz_rng_below(&rng, 4)],
                    pz_rng_below(&rng, 3) ? "\n" : "\r\n");
    run_file(&in, 1, &want, &c1);
    for (int threads = 1; threads <= 3; threads += 2) {
        int ends[2], to = file_of("", 0);
        pthread_t writer;
        ck_assert_int_eq(pipe(ends), 0);
        struct feed feed = {&in, ends[1]};
        struct pz_batch b = batch_of(threads, to);
        ck_assert_int_eq(pthread_create(&writer, NULL, write_pieces, &feed), 0);
        ck_ok(pz_batch_stream(&b, ends[0], &c2, &err), err);
        pthread_join(writer, NULL);
        pz_buf_clear(&got);
        slurp(to, &got);
        ck_assert_uint_eq(got.len, want.len);
        ck_assert_mem_eq(got.data, want.data, want.len);
        ck_assert_mem_eq(&c1, &c2, sizeof c1);
        close(ends[0]);
        close(to);
    }
    pz_buf_release(&in);
    pz_buf_release(&want);
    pz_buf_release(&got);
}
END_TEST

START_TEST(long_lines)
{
    struct pz_buf in = PZ_BUF_INIT, out = PZ_BUF_INIT;
    struct pz_batch_counts c;
    pz_buf_addz(&in, "{\"userId\":\"u2\"}\n{\"userId\":\"");
    for (size_t n = in.len; in.len < n + 3 * (size_t)PZ_LINE_MAX;)
        pz_buf_addz(&in, "0123456789abcdef0123456789abcdef");
    pz_buf_addz(&in, "\"}\n{\"userId\":\"u2\"}\n");
    run_file(&in, 1, &out, &c);
    ck_assert_uint_eq(c.requests, 3);
    ck_assert_uint_eq(c.bad, 1);
    ck_assert_ptr_nonnull(strstr(out.data,
                                 "\n{\"input\":\"\",\"output\":null,\"error\":"
                                 "\"line 2: is longer than 16777216 bytes\"}\n{"));
    in.len -=
        sizeof "\"}\n{\"userId\":\"u2\"}\n" - 1; // the long line ends with the input
    run_file(&in, 1, &out, &c);
    ck_assert_uint_eq(c.requests, 2);
    ck_assert_uint_eq(c.bad, 1);
    pz_buf_release(&in);
    pz_buf_release(&out);
}
END_TEST

struct coprocess {
    struct pz_batch b;
    int in;
    struct pz_batch_counts counts;
    struct pz_err err;
};

static void *
run_coprocess(void *arg)
{
    struct coprocess *c = arg;
    pz_batch_stream(&c->b, c->in, &c->counts, &c->err);
    close(c->b.out);
    return NULL;
}

static size_t
read_some(int fd, char *text, size_t room, int milliseconds)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    if (poll(&p, 1, milliseconds) <= 0)
        return 0;
    ssize_t n = read(fd, text, room - 1);
    text[n > 0 ? n : 0] = 0;
    return n > 0 ? (size_t)n : 0;
}

/* Whoever writes a line to the pipe may wait for its answer; half a line is not answered.
 */
START_TEST(answers_at_once)
{
    int in[2], out[2];
    char got[4096];
    ck_assert_int_eq(pipe(in) | pipe(out), 0);
    struct coprocess c = {batch_of(4, out[1]), in[0], {0}, PZ_ERR_INIT};
    pthread_t thread;
    ck_assert_int_eq(pthread_create(&thread, NULL, run_coprocess, &c), 0);
    for (int round = 0; round < 3; round++) {
        ck_assert_int_eq(write(in[1], "u2\nu", 4), 4);
        ck_assert_uint_gt(read_some(out[0], got, sizeof got, 10000), 0);
        ck_assert_str_eq(got, "u2\ti2\t1\nu2\ti1\t0.5\n");
        ck_assert_uint_eq(read_some(out[0], got, sizeof got, 20), 0);
        ck_assert_int_eq(write(in[1], "1\n", 2), 2);
        ck_assert_uint_gt(read_some(out[0], got, sizeof got, 10000), 0);
        ck_assert_int_eq(strncmp(got, "u1\ti1\t", 6), 0);
    }
    // Also when threads have been started by a flood before.
    struct pz_buf flood = PZ_BUF_INIT;
    for (int i = 0; i < 3000; i++)
        pz_buf_addz(&flood, "x\n");
    ck_assert_int_eq(write(in[1], flood.data, flood.len), (ssize_t)flood.len);
    size_t want = 3000 * (sizeof "x\ti1\t\nx\ti2\t\n" - 1), n = 0;
    while (n < want) {
        size_t part = read_some(out[0], got, sizeof got, 10000);
        ck_assert_uint_gt(part, 0);
        n += part;
    }
    ck_assert_uint_eq(n, want);
    ck_assert_int_eq(write(in[1], "u2\n", 3), 3);
    ck_assert_uint_gt(read_some(out[0], got, sizeof got, 10000), 0);
    ck_assert_str_eq(got, "u2\ti2\t1\nu2\ti1\t0.5\n");
    close(in[1]);
    ck_assert_uint_eq(read_some(out[0], got, sizeof got, 10000), 0);
    pthread_join(thread, NULL);
    ck_assert_int_eq(c.err.status, PZ_OK);
    ck_assert_uint_eq(c.counts.requests, 3007);
    close(in[0]);
    close(out[0]);
    pz_buf_release(&flood);
}
END_TEST

/* A full disk ends the run, though the input's other end stays silent and open. */
START_TEST(full_disk)
{
    int in[2], full = open("/dev/full", O_WRONLY);
    struct pz_batch_counts counts;
    ck_assert_int_eq(pipe(in), 0);
    for (int threads = 1; threads <= 4; threads += 3) {
        struct pz_batch b = batch_of(threads, full);
        struct pz_buf flood = PZ_BUF_INIT;
        for (int i = 0; i < 3000; i++)
            pz_buf_addz(&flood, "x\n");
        ck_assert_int_eq(write(in[1], flood.data, flood.len), (ssize_t)flood.len);
        err = (struct pz_err)PZ_ERR_INIT;
        ck_assert_int_eq(pz_batch_stream(&b, in[0], &counts, &err), PZ_SYSTEM);
        ck_assert_str_eq(err.msg, "cannot write the answers: No space left on device");
        pz_buf_release(&flood);
    }
    close(in[0]);
    close(in[1]);
    close(full);
}
END_TEST

START_TEST(operands)
{
    struct pz_text id[] = {{"u2", 2}, {"", 0}};
    struct pz_buf out = PZ_BUF_INIT;
    struct pz_batch_counts counts;
    int to = file_of("", 0);
    struct pz_batch b = batch_of(1, to);
    ck_ok(pz_batch_ids(&b, id, 2, &counts, &err), err);
    struct pz_text h = {"i4", 2};
    b.rules.base.history = &h;
    b.rules.base.n_history = 1;
    b.rules.base.has_history = true;
    b.json = true;
    ck_ok(pz_batch_ids(&b, NULL, 0, &counts, &err), err);
    ck_assert_uint_eq(counts.requests, 1);
    slurp(to, &out);
    ck_assert_str_eq(out.data,
                     "u2\ti2\t1\nu2\ti1\t0.5\n\ti1\t\n\ti2\t\n"
                     "{\"input\":{\"history\":[\"i4\"]},\"output\":{\"recommendedItems\":"
                     "[\"i4\",\"i3\"],\"scores\":[1,0.5]},\"error\":null}\n");
    close(to);
    pz_buf_release(&out);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("batch");
    TCase *t = tcase_create("stream");
    tcase_set_timeout(t, 60);
    tcase_add_checked_fixture(t, open_model, close_model);
    tcase_add_test(t, ids);
    tcase_add_loop_test(t, byte_order_mark, 0, 5);
    tcase_add_test(t, json_lines);
    tcase_add_loop_test(t, empty_first_lines, 0, 9);
    tcase_add_test(t, many_empty_lines);
    tcase_add_test(t, threads_agree);
    tcase_add_test(t, pieces);
    tcase_add_test(t, long_lines);
    tcase_add_test(t, answers_at_once);
    tcase_add_test(t, full_disk);
    tcase_add_test(t, operands);
    suite_add_tcase(s, t);
    return s;
}
