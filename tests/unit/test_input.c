/* Input: files of every kind in a folder of their own, and what must be refused. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/buf.h"
#include "data/csv.h"
#include "data/csv_scan.h"
#include "data/input.h"
#include "unit.h"

static char dir[] = "/tmp/pz-test-input-XXXXXX";

static void
setup(void)
{
    ck_assert_ptr_nonnull(mkdtemp(dir));
    ck_assert_int_eq(chdir(dir), 0);
}

static void
teardown(void)
{
    static const char *const made[] = {"a", "b", "c"};
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        unlink(made[i]);
    rmdir("d");
    ck_assert_int_eq(chdir("/"), 0);
    rmdir(dir);
}

static void
put(const char *name, const void *bytes, size_t n)
{
    FILE *f = fopen(name, "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bytes, 1, n, f), n);
    ck_assert_int_eq(fclose(f), 0);
}

/* Appends text, compressed by 'g'zip, 'z'std or not (0). */
static void
pack(struct pz_buf *out, char how, const char *text, size_t n)
{
    size_t room = 2 * n + 1000;
    char *to = pz_buf_reserve(out, room);
    ck_assert_ptr_nonnull(to);
    if (how == 'g') {
        z_stream z = {0};
        ck_assert_int_eq(deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY),
                         Z_OK);
        z.next_in = (Bytef *)(uintptr_t)text;
        z.avail_in = (uInt)n;
        z.next_out = (Bytef *)to;
        z.avail_out = (uInt)room;
        ck_assert_int_eq(deflate(&z, Z_FINISH), Z_STREAM_END);
        out->len += z.total_out;
        deflateEnd(&z);
    } else if (how == 'z') {
        size_t r = ZSTD_compress(to, room, text, n, 3);
        ck_assert(!ZSTD_isError(r));
        out->len += r;
    } else {
        memcpy(to, text, n);
        out->len += n;
    }
}

static void
put_packed(const char *name, char how, const char *text, size_t n)
{
    struct pz_buf b = PZ_BUF_INIT;
    pack(&b, how, text, n);
    put(name, b.data, b.len);
    pz_buf_release(&b);
}

/* All chunks of the files behind one another; the status. */
static int
slurp(const char *const *path, size_t n, struct pz_buf *all, enum pz_format *format,
      struct pz_err *err)
{
    struct pz_input *in;
    struct pz_chunk chunk = {0};
    uint64_t seq = 0, line = 1, before = 0;
    unsigned file = 0;
    *err = (struct pz_err)PZ_ERR_INIT;
    int status = pz_input_open(&in, path, n, format, err);
    if (status)
        return status;
    for (;;) {
        status = pz_input_next(in, &chunk, err);
        if (status || !chunk.n)
            break;
        ck_assert_uint_eq(chunk.seq, seq++);
        ck_assert(chunk.first == (chunk.seq == 0 || chunk.file != file));
        if (chunk.first)
            line = 1;
        ck_assert_uint_eq(chunk.line, line);
        ck_assert_uint_eq(chunk.before, before + chunk.file);
        line += pz_count_lines(chunk.data, chunk.n, PZ_CPU_SCALAR);
        before += pz_count_lines(chunk.data, chunk.n, PZ_CPU_SCALAR);
        file = chunk.file;
        pz_buf_add(all, chunk.data, chunk.n);
    }
    if (status) { // everyone gets it, from now on
        struct pz_err again = PZ_ERR_INIT;
        ck_assert_int_eq(pz_input_next(in, &chunk, &again), status);
        ck_assert_str_eq(again.msg, err->msg);
    } else {
        ck_assert_int_eq(pz_input_next(in, &chunk, err), PZ_OK);
        ck_assert_uint_eq(chunk.n, 0);
    }
    pz_chunk_release(&chunk);
    pz_input_close(in);
    return status;
}

static const char *const file_a[] = {"a"};

static void
expect(const char *const *path, size_t n_paths, const char *text, size_t n)
{
    struct pz_err err;
    struct pz_buf all = PZ_BUF_INIT;
    enum pz_format format;
    ck_ok(slurp(path, n_paths, &all, &format, &err), err);
    ck_assert_uint_eq(all.len, n);
    ck_assert(n == 0 || memcmp(all.data, text, n) == 0);
    pz_buf_release(&all);
}

static void
expect_error(const char *const *path, size_t n_paths, int status, const char *msg)
{
    struct pz_err err;
    struct pz_buf all = PZ_BUF_INIT;
    enum pz_format format;
    ck_assert_int_eq(slurp(path, n_paths, &all, &format, &err), status);
    ck_assert_str_eq(err.msg, msg);
    pz_buf_release(&all);
}

/* ---- what is read ---- */

START_TEST(formats)
{
    static const struct {
        const char *text;
        enum pz_format format;
    } t[] = {
        {"a,b\n", PZ_CSV},
        {"{\"a\":1}\n", PZ_JSONL},
        {" \n\t\r\n {\"a\":1}", PZ_JSONL},
        {"\xef\xbb\xbf{\"a\":1}", PZ_JSONL},
        {"\xef\xbb\xbf\"a\",b\n", PZ_CSV},
        {"\n\na,{b\n", PZ_CSV},
        {"[a],b\n", PZ_CSV},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        struct pz_err err;
        struct pz_buf all = PZ_BUF_INIT;
        enum pz_format format;
        put("a", t[i].text, strlen(t[i].text));
        ck_ok(slurp(file_a, 1, &all, &format, &err), err);
        ck_assert_int_eq(format, t[i].format);
        size_t bom = t[i].text[0] == '\xef' ? 3 : 0;
        ck_assert_str_eq(all.data, t[i].text + bom);
        pz_buf_release(&all);
    }
}
END_TEST

START_TEST(several)
{
    static const char *const path[] = {"a", "b", "-", "c"};
    put("a", "h\n1\n", 4);
    put_packed("b", 'g', "\xef\xbb\xbfh\n2", 6);
    put_packed("c", 'z', "h\n4\n", 4);
    put("d0", "h\n3\n", 4);
    int fd = open("d0", O_RDONLY);
    unlink("d0");
    ck_assert_int_eq(dup2(fd, 0), 0);
    expect(path, 4, "h\n1\nh\n2h\n3\nh\n4\n", 15);
}
END_TEST

START_TEST(from_pipe)
{
    int fd[2];
    struct pz_err err;
    struct pz_buf all = PZ_BUF_INIT;
    enum pz_format format;
    ck_assert_int_eq(pipe(fd), 0);
    ck_assert_int_eq(dup2(fd[0], 0), 0);
    pid_t child = fork();
    if (child == 0) { // a byte at a time, so that every read is short
        struct pz_buf b = PZ_BUF_INIT;
        pack(&b, _i ? 'g' : 0, "a,b\n1,2\n", 8);
        for (size_t i = 0; i < b.len; i++)
            if (write(fd[1], b.data + i, 1) != 1)
                _exit(1);
        _exit(0);
    }
    close(fd[1]);
    ck_ok(slurp(NULL, 0, &all, &format, &err), err);
    ck_assert_str_eq(all.data, "a,b\n1,2\n");
    pz_buf_release(&all);
}
END_TEST

START_TEST(names_and_progress)
{
    static const char *const path[] = {"a", "-"};
    struct pz_err err = PZ_ERR_INIT;
    struct pz_input *in;
    struct pz_chunk chunk = {0};
    enum pz_format format;
    uint64_t total;
    put("a", "a,b\n", 4);
    int fd = open("a", O_RDONLY);
    ck_assert_int_eq(dup2(fd, 0), 0);
    ck_ok(pz_input_open(&in, path, 2, &format, &err), err);
    ck_assert_str_eq(pz_input_name(in, 0), "a");
    ck_assert_str_eq(pz_input_name(in, 1), "(stdin)");
    while (pz_input_next(in, &chunk, &err) == PZ_OK && chunk.n)
        ;
    ck_assert_uint_eq(pz_input_done(in, &total), 8);
    ck_assert_uint_eq(total, 8);
    pz_chunk_release(&chunk);
    pz_input_close(in);
}
END_TEST

/* Several chunks; with _i & 1 many rows are quoted and hold line feeds. */
static void
make_rows(struct pz_buf *b, int quoted, int rows)
{
    for (int i = 0; i < rows; i++)
        if (quoted && i % 3 == 0)
            pz_buf_addf(b, "%d,\"line\nof \"\"%d\"\" \\\" \n\",x\r\n", i, i * 7);
        else
            pz_buf_addf(b, "%d,plain %d,y\n", i, i * 13);
}

START_TEST(chunks)
{
    static const char how[] = {0, 'g', 'z'};
    struct pz_buf text = PZ_BUF_INIT;
    struct pz_err err = PZ_ERR_INIT;
    make_rows(&text, _i % 2, 200000);
    put_packed("a", how[_i / 2], text.data, text.len);
    expect(file_a, 1, text.data, text.len);
    // Each chunk by itself has whole rows.
    struct pz_input *in;
    struct pz_chunk chunk = {0};
    struct pz_csv *csv;
    struct pz_cell cell[3];
    struct pz_row_at at;
    enum pz_format format;
    unsigned rows = 0, n_chunks = 0;
    ck_ok(pz_csv_new(&csv, &err), err);
    ck_ok(pz_input_open(&in, file_a, 1, &format, &err), err);
    while (pz_input_next(in, &chunk, &err) == PZ_OK && chunk.n) {
        size_t found;
        n_chunks++;
        pz_csv_start(csv, chunk.data, chunk.n, chunk.line, NULL, 0);
        enum pz_row r;
        while ((r = pz_csv_next(csv, cell, 3, &found, &at)) != PZ_ROW_END) {
            ck_assert_int_eq(r, PZ_ROW);
            ck_assert_uint_eq(found, 3);
            rows++;
        }
    }
    ck_assert_uint_eq(rows, 200000);
    ck_assert_uint_gt(n_chunks, 2);
    pz_csv_free(csv);
    pz_chunk_release(&chunk);
    pz_input_close(in);
    pz_buf_release(&text);
}
END_TEST

START_TEST(members)
{
    char how = _i ? 'z' : 'g';
    struct pz_buf b = PZ_BUF_INIT;
    pack(&b, how, "a,b\n1,", 6);
    pack(&b, how, "", 0);
    pack(&b, how, "2\n", 2);
    put("a", b.data, b.len);
    expect(file_a, 1, "a,b\n1,2\n", 8);
    pz_buf_add(&b, "\0\0\0\0\0\0", 6); // padding
    put("a", b.data, b.len);
    expect(file_a, 1, "a,b\n1,2\n", 8);
    pz_buf_addz(&b, "text");
    put("a", b.data, b.len);
    expect_error(file_a, 1, PZ_DATA,
                 how == 'g' ? "a: something else follows the gzip data"
                            : "a: something else follows the zstd data");
    pz_buf_release(&b);
}
END_TEST

static struct {
    struct pz_input *in;
    size_t rows[4];
} shared;

static void *
count_rows(void *rows)
{
    struct pz_err err = PZ_ERR_INIT;
    struct pz_chunk chunk = {0};
    while (pz_input_next(shared.in, &chunk, &err) == PZ_OK && chunk.n)
        *(size_t *)rows += pz_count_lines(chunk.data, chunk.n, PZ_CPU_SCALAR);
    pz_chunk_release(&chunk);
    return NULL;
}

START_TEST(threads)
{
    static const char *const path[] = {"a", "a", "a"};
    struct pz_buf text = PZ_BUF_INIT;
    struct pz_err err = PZ_ERR_INIT;
    enum pz_format format;
    pthread_t id[4];
    make_rows(&text, 0, 100000);
    put("a", text.data, text.len);
    ck_ok(pz_input_open(&shared.in, path, 3, &format, &err), err);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&id[i], NULL, count_rows, &shared.rows[i]), 0);
    size_t rows = 0;
    for (int i = 0; i < 4; i++) {
        pthread_join(id[i], NULL);
        rows += shared.rows[i];
    }
    ck_assert_uint_eq(rows, 300000);
    pz_input_close(shared.in);
    pz_buf_release(&text);
}
END_TEST

/* ---- what is refused ---- */

START_TEST(refused)
{
    static const char tar[512] = {
        [0] = 'a', [257] = 'u', [258] = 's', [259] = 't', [260] = 'a', [261] = 'r'};
    static const struct {
        const char *bytes;
        size_t n;
        const char *msg;
    } t[] = {
        {"", 0, "a: empty input: expected a CSV header or JSON lines"},
        {"\xef\xbb\xbf", 3, "a: empty input: expected a CSV header or JSON lines"},
        {"\n \r\n\n", 5, "a: empty input: expected a CSV header or JSON lines"},
        {"a,b\r1,2\r3,4\r", 12,
         "a: its lines end in a carriage return alone: convert it (tr '\\r' '\\n')"},
        {"PK\x03\x04 and more", 13,
         "a: is a zip archive or a spreadsheet: unpack it or save it as CSV"},
        {"BZh91AY&SY and more", 19,
         "a: is bzip2-compressed: decompress it first (bzip2 -dc)"},
        {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\0\0", 12,
         "a: is a spreadsheet: save it as CSV"},
        {tar, sizeof tar, "a: is a tar archive: unpack it first (tar -xf)"},
        {"PAR1 and more", 13, "a: is a Parquet file: convert it to CSV or JSON lines"},
        {"\xfd\x37zXZ\0 more", 11, "a: is xz-compressed: decompress it first (xz -dc)"},
        {" [\n {\"a\":1}]", 12,
         "a: is a JSON array: expected one object a line (jq -c '.[]')"},
    };
    for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
        for (const char *how = "-gz"; *how; how++) {
            if (t[i].n == 0 && *how == '-')
                put("a", "", 0);
            else
                put_packed("a", *how == '-' ? 0 : *how, t[i].bytes, t[i].n);
            expect_error(file_a, 1, PZ_DATA, t[i].msg);
        }
    }
}
END_TEST

START_TEST(twice)
{
    struct pz_buf once = PZ_BUF_INIT;
    pack(&once, 'z', "a,b\n", 4);
    put_packed("a", 'g', once.data, once.len);
    expect_error(file_a, 1, PZ_DATA, "a: is compressed twice: decompress it once");
    pz_buf_release(&once);
}
END_TEST

START_TEST(no_file)
{
    static const char *const path[] = {"a", "missing"}, *const folder[] = {"a", "d"};
    put("a", "a,b\n", 4);
    ck_assert_int_eq(mkdir("d", 0700), 0);
    expect_error(path, 2, PZ_SYSTEM, "cannot open 'missing': No such file or directory");
    expect_error(folder, 2, PZ_DATA, "d: is a directory: name the files in it");
    close(0);
    expect_error(NULL, 0, PZ_SYSTEM, "cannot open '(stdin)': Bad file descriptor");
    ck_assert_int_eq(open("d", O_RDONLY | O_DIRECTORY), 0);
    expect_error(NULL, 0, PZ_DATA, "(stdin): is a directory: name the files in it");
}
END_TEST

START_TEST(mixed)
{
    static const char *const path[] = {"a", "b"};
    put("a", "a,b\n", 4);
    put("b", "{}\n", 3);
    expect_error(path, 2, PZ_DATA, "b: is JSON lines, but 'a' is CSV");
}
END_TEST

/* Every proper prefix of a compressed file is refused, and never read as if it were
 * whole. */
START_TEST(cut_off)
{
    char how = _i ? 'z' : 'g';
    struct pz_buf text = PZ_BUF_INIT, b = PZ_BUF_INIT;
    make_rows(&text, 1, 300);
    pack(&b, how, text.data, text.len);
    for (size_t n = 4; n < b.len; n += 1 + n / 50) {
        put("a", b.data, n);
        expect_error(file_a, 1, PZ_DATA,
                     how == 'g' ? "a: the gzip data is cut off"
                                : "a: the zstd data is cut off");
    }
    pz_buf_release(&text);
    pz_buf_release(&b);
}
END_TEST

START_TEST(damaged)
{
    char how = _i ? 'z' : 'g';
    struct pz_buf text = PZ_BUF_INIT, b = PZ_BUF_INIT;
    make_rows(&text, 1, 300);
    pack(&b, how, text.data, text.len);
    size_t n_refused = 0;
    for (size_t at = 12; at < b.len; at += 1 + b.len / 200) {
        struct pz_err err;
        struct pz_buf all = PZ_BUF_INIT;
        enum pz_format format;
        b.data[at] ^= 0x10;
        put("a", b.data, b.len);
        int status = slurp(file_a, 1, &all, &format, &err);
        ck_assert(status == PZ_OK || status == PZ_DATA);
        n_refused += status == PZ_DATA;
        b.data[at] ^= 0x10;
        pz_buf_release(&all);
    }
    // gzip has a checksum; this zstd has none, but hardly a bit that may change.
    ck_assert_uint_gt(n_refused, how == 'g' ? 150 : 50);
    pz_buf_release(&text);
    pz_buf_release(&b);
}
END_TEST

static long
peak_kib(void)
{
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    return u.ru_maxrss;
}

/* A line of 1 GiB: refused early, in little memory, from a file and from a bomb. */
START_TEST(long_line)
{
    static const char *const what[] = {
        "a:2: a row is longer than 16 MiB",
        "a:2: a row is longer than 16 MiB: is a quote not closed?",
        "a:2: a line is longer than 16 MiB"};
    static const char *const start[] = {"a,b\nc", "a,b\n\"", "{}\n{"};
    for (int i = 0; i < 3; i++) {
        put("a", start[i], strlen(start[i]));
        ck_assert_int_eq(truncate("a", 1 << 30), 0);
        expect_error(file_a, 1, PZ_DATA, what[i]);
    }
    struct pz_buf bomb = PZ_BUF_INIT;
    char *zeros = calloc(1, 16 << 20);
    ck_assert_ptr_nonnull(zeros);
    pack(&bomb, _i ? 'z' : 'g', "a,b\nc", 5);
    size_t from = bomb.len;
    pack(&bomb, _i ? 'z' : 'g', zeros, 16 << 20);
    FILE *f = fopen("a", "wb");
    ck_assert_ptr_nonnull(f);
    ck_assert_uint_eq(fwrite(bomb.data, 1, bomb.len, f), bomb.len);
    for (int i = 0; i < 1000; i++) // 16 GB in members of 16 MB
        ck_assert_uint_eq(fwrite(bomb.data + from, 1, bomb.len - from, f),
                          bomb.len - from);
    fclose(f);
    free(zeros);
    pz_buf_release(&bomb);
    expect_error(file_a, 1, PZ_DATA, what[0]);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    ck_assert_int_lt(peak_kib(), 64 << 10);
#else
    ck_assert_int_gt(peak_kib(), 0);
#endif
}
END_TEST

START_TEST(longest_row)
{
    struct pz_buf text = PZ_BUF_INIT;
    pz_buf_addz(&text, "a\n");
    char *to = pz_buf_reserve(&text, PZ_ROW_MAX + 2);
    ck_assert_ptr_nonnull(to);
    memset(to, 'x', PZ_ROW_MAX + 2);
    to[PZ_ROW_MAX - 1] = '\n';
    put("a", text.data, 2 + PZ_ROW_MAX);
    expect(file_a, 1, text.data, 2 + PZ_ROW_MAX);
    to[PZ_ROW_MAX - 1] = 'x';
    to[PZ_ROW_MAX + 1] = '\n';
    put("a", text.data, 2 + PZ_ROW_MAX + 2);
    expect_error(file_a, 1, PZ_DATA, "a:2: a row is longer than 16 MiB");
    pz_buf_release(&text);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("input");
    TCase *t = tcase_create("files");
    tcase_set_timeout(t, 120);
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, formats);
    tcase_add_test(t, several);
    tcase_add_loop_test(t, from_pipe, 0, 2);
    tcase_add_test(t, names_and_progress);
    tcase_add_loop_test(t, chunks, 0, 6);
    tcase_add_loop_test(t, members, 0, 2);
    tcase_add_test(t, threads);
    tcase_add_test(t, refused);
    tcase_add_test(t, twice);
    tcase_add_test(t, no_file);
    tcase_add_test(t, mixed);
    tcase_add_loop_test(t, cut_off, 0, 2);
    tcase_add_loop_test(t, damaged, 0, 2);
    tcase_add_loop_test(t, long_line, 0, 2);
    tcase_add_test(t, longest_row);
    suite_add_tcase(s, t);
    return s;
}
