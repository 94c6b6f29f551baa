/* store/tensors: what is written comes back, and what is damaged is refused. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/json.h"
#include "base/mem.h"
#include "store/tensors.h"
#include "unit.h"

static struct pz_err err;
static char path[] = "/tmp/pz-test-tensors-XXXXXX";

static void
setup(void)
{
    strcpy(path + strlen(path) - 6, "XXXXXX");
    int fd = mkstemp(path);
    ck_assert_int_ge(fd, 0);
    close(fd);
    err = (struct pz_err)PZ_ERR_INIT;
}

static void
teardown(void)
{
    unlink(path);
}

/* ---- files in memory: an editable copy of a file's bytes ---- */

struct image {
    uint8_t *p;
    size_t n, cap;
    int fd;
    char name[64]; // opens it
};

static void
image_sync(struct image *im)
{
    ck_assert_int_eq(ftruncate(im->fd, 0), 0);
    ck_ok(pz_scratch_write(im->fd, im->name, im->p, im->n, 0, &err), err);
}

static void
image_start(struct image *im, const void *bytes, size_t n)
{
    *im = (struct image){.n = n, .cap = n + 4096, .fd = memfd_create("image", 0)};
    ck_assert_int_ge(im->fd, 0);
    snprintf(im->name, sizeof im->name, "/proc/self/fd/%d", im->fd);
    im->p = malloc(im->cap);
    ck_assert_ptr_nonnull(im->p);
    memcpy(im->p, bytes, n);
    image_sync(im);
}

static void
image_end(struct image *im)
{
    close(im->fd);
    free(im->p);
}

static void
image_byte(struct image *im, size_t at, uint8_t value)
{
    im->p[at] = value;
    ck_assert_int_eq(pwrite(im->fd, &value, 1, (off_t)at), 1);
}

/* A file with this header (padded so that data are aligned) and n zero bytes of data. */
static void
image_of_header(struct image *im, const char *header, size_t n)
{
    size_t n_header = (strlen(header) + 8 + 63) / 64 * 64 - 8;
    uint64_t length = n_header;
    uint8_t *p = malloc(8 + n_header + n);
    ck_assert_ptr_nonnull(p);
    memcpy(p, &length, 8);
    memset(p + 8, ' ', n_header);
    memcpy(p + 8, header, strlen(header));
    memset(p + 8 + n_header, 0, n);
    image_start(im, p, 8 + n_header + n);
    free(p);
}

/* Makes the header's hash right again. */
static void
image_rehash(struct image *im)
{
    uint64_t n;
    memcpy(&n, im->p, 8);
    if (n > im->n - 8)
        return;
    static const char key[] = "\"xxh3\":\"";
    uint8_t *at = memmem(im->p + 8, n, key, strlen(key));
    if (!at || (size_t)(at - im->p) + strlen(key) + 16 > 8 + n)
        return;
    char digits[17];
    at += strlen(key);
    memset(at, '0', 16);
    snprintf(digits, sizeof digits, "%016llx",
             (unsigned long long)XXH3_64bits(im->p + 8, n));
    memcpy(at, digits, 16);
}

/* ---- a small file with everything in it ---- */

static int
fill_count(void *ctx, struct pz_sink *sink, struct pz_err *e)
{
    int status = PZ_OK;
    for (uint32_t i = 0; i < *(uint32_t *)ctx && !status; i++)
        status = pz_sink_write(sink, &i, sizeof i, e);
    return status;
}

static const uint8_t bytes[] = {1, 2, 3};
static const double reals[2][2] = {{0.5, -1}, {1e300, 0}};
static const float scalar = 2.5f;
static uint32_t counted = 33;

static struct pz_builder *
small_file(void)
{
    struct pz_builder *b;
    ck_ok(pz_builder_new(&b, &err), err);
    pz_builder_meta(b, "pz.kind", "test");
    pz_builder_meta(b, "note", "first");
    pz_builder_metaf(b, "note", "say \"%s\"\n", "h\xc3\xa9");
    pz_builder_borrow1(b, "bytes", PZ_U8, 3, bytes);
    pz_builder_borrow(b, "reals", PZ_F64, 2, (uint64_t[]){2, 2}, reals);
    pz_builder_stream(b, "count", PZ_U32, 1, &(uint64_t){counted}, fill_count, &counted);
    pz_builder_borrow1(b, "empty", PZ_I64, 0, NULL);
    int16_t *taken = calloc(5, sizeof *taken);
    ck_assert_ptr_nonnull(taken);
    taken[4] = -7;
    pz_builder_take1(b, "taken", PZ_I16, 5, taken);
    pz_builder_borrow(b, "scalar", PZ_F32, 0, NULL, &scalar);
    return b;
}

static void
write_small(void)
{
    struct pz_builder *b = small_file();
    ck_ok(pz_builder_write(b, path, &err), err);
    pz_builder_free(b);
}

static void
image_small(struct image *im)
{
    struct pz_map map;
    write_small();
    ck_ok(pz_map_open(&map, path, &err), err);
    image_start(im, map.data, map.len);
    pz_map_close(&map);
}

START_TEST(round_trip)
{
    struct pz_tensors t;
    write_small();
    ck_ok(pz_tensors_open(&t, path, &err), err);
    ck_ok(pz_tensors_verify(&t, &err), err);
    ck_assert_str_eq(pz_tensors_meta(&t, "note"), "say \"h\xc3\xa9\"\n");
    ck_assert_str_eq(pz_tensors_meta(&t, "pz.format"), "1.0");
    ck_assert_ptr_null(pz_tensors_meta(&t, "absent"));

    const void *data;
    uint64_t n = UINT64_MAX;
    ck_ok(pz_tensors_get1(&t, "count", PZ_U32, &n, &data, &err), err);
    ck_assert_uint_eq(n, counted);
    for (uint32_t i = 0; i < counted; i++)
        ck_assert_uint_eq(((const uint32_t *)data)[i], i);
    uint64_t shape[2] = {UINT64_MAX, 2};
    ck_ok(pz_tensors_get(&t, "reals", PZ_F64, 2, shape, &data, &err), err);
    ck_assert_uint_eq(shape[0], 2);
    ck_assert_mem_eq(data, reals, sizeof reals);
    ck_ok(pz_tensors_get(&t, "scalar", PZ_F32, 0, NULL, &data, &err), err);
    ck_assert_float_eq(*(const float *)data, 2.5f);
    ck_ok(pz_tensors_get1(&t, "empty", PZ_I64, &(uint64_t){0}, &data, &err), err);
    ck_ok(pz_tensors_get1(&t, "taken", PZ_I16, &(uint64_t){5}, &data, &err), err);
    ck_assert_int_eq(((const int16_t *)data)[4], -7);
    for (size_t i = 0; i < t.n_tensors; i++)
        if (strncmp(t.tensor[i].name, "__pad", 5) != 0)
            ck_assert_uint_eq((uintptr_t)t.tensor[i].data % 64, 0);

    n = 32;
    ck_assert_int_eq(pz_tensors_get1(&t, "count", PZ_U32, &n, &data, &err), PZ_FORMAT);
    ck_assert_ptr_nonnull(
        strstr(err.msg, ": tensor 'count': it is U32 [33], not U32 [32]"));
    ck_assert_int_eq(pz_tensors_get(&t, "count", PZ_F32, 2, shape, &data, &err),
                     PZ_FORMAT);
    ck_assert_ptr_nonnull(strstr(err.msg, "not F32 [2,2]"));
    ck_assert_int_eq(pz_tensors_get1(&t, "absent", PZ_U8, &n, &data, &err), PZ_FORMAT);
    ck_assert_ptr_nonnull(strstr(err.msg, "tensor 'absent': it is missing"));
    pz_tensors_close(&t);
    pz_tensors_close(&t);
}
END_TEST

START_TEST(same_bytes)
{
    struct pz_map a, b;
    write_small();
    ck_ok(pz_map_open(&a, path, &err),
          err); // the old file stays mapped when it is replaced
    write_small();
    ck_ok(pz_map_open(&b, path, &err), err);
    ck_assert_uint_eq(a.len, b.len);
    ck_assert_mem_eq(a.data, b.data, a.len);
    pz_map_close(&a);
    pz_map_close(&b);
}
END_TEST

/* What the public readers ask for, checked with the JSON tree instead of the scanner. */
START_TEST(public_rules)
{
    struct pz_map map;
    uint64_t n_header, at = 0;
    pz_json *j;
    write_small();
    ck_ok(pz_map_open(&map, path, &err), err);
    memcpy(&n_header, map.data, 8);
    ck_assert_uint_eq((8 + n_header) % 64, 0);
    ck_ok(pz_json_parse(&j, (const char *)map.data + 8, n_header, &err), err);
    const pz_json *e = pz_json_first(j);
    ck_assert_str_eq(pz_json_key(e), "__metadata__");
    for (const pz_json *m = pz_json_first(e); m; m = pz_json_next(m))
        ck_assert_ptr_nonnull(pz_json_string(m));
    for (e = pz_json_next(e); e; e = pz_json_next(e)) {
        const pz_json *offsets = pz_json_get(e, "data_offsets");
        int64_t begin, end, elems = 1, dim;
        ck_assert_uint_eq(pz_json_count(offsets), 2);
        ck_assert(pz_json_i64(pz_json_first(offsets), &begin));
        ck_assert(pz_json_i64(pz_json_next(pz_json_first(offsets)), &end));
        ck_assert_int_eq(begin, (int64_t)at);
        at = (uint64_t)end;
        const pz_json *shape = pz_json_get(e, "shape");
        for (const pz_json *d = pz_json_first(shape); d; d = pz_json_next(d)) {
            ck_assert(pz_json_i64(d, &dim));
            elems *= dim;
        }
        size_t size = 0;
        for (int d = 0; d < PZ_N_DTYPES; d++)
            if (strcmp(pz_dtype_name((enum pz_dtype)d), pz_json_get_string(e, "dtype")) ==
                0)
                size = pz_dtype_size((enum pz_dtype)d);
        ck_assert_int_eq(end - begin, elems * (int64_t)size);
    }
    ck_assert_uint_eq(8 + n_header + at, map.len);
    pz_json_free(j);
    pz_map_close(&map);
}
END_TEST

START_TEST(view)
{
    struct pz_builder *b;
    struct pz_tensors t;
    const void *data;
    ck_ok(pz_builder_new(&b, &err), err);
    pz_builder_meta(b, "z", "1");
    pz_builder_meta(b, "a", "2");
    pz_builder_borrow1(b, "bytes", PZ_U8, 3, bytes);
    ck_ok(pz_builder_view(b, &t, &err), err);
    ck_ok(pz_tensors_get1(&t, "bytes", PZ_U8, &(uint64_t){3}, &data, &err), err);
    ck_assert_ptr_eq(data, bytes);
    ck_assert_str_eq(pz_tensors_meta(&t, "z"), "1");
    ck_assert_str_eq(pz_tensors_meta(&t, "a"), "2");
    ck_assert_str_eq(t.path, "(memory)");
    pz_tensors_close(&t);
    pz_builder_stream(b, "count", PZ_U32, 1, &(uint64_t){counted}, fill_count, &counted);
    ck_assert_int_eq(pz_builder_view(b, &t, &err), PZ_USAGE);
    pz_builder_free(b);
    pz_builder_free(NULL);
}
END_TEST

/* Each mistake, made by the numbered step, is what write and view return. */
START_TEST(builder_errors)
{
    static const char *const want[] = {"tensor 'x': the name is there twice",
                                       "'__pad.1': the name is reserved",
                                       "'': the name is reserved",
                                       "out of memory for y (12 bytes)",
                                       "metadata 'xxh3.x': the name",
                                       "tensor 'y': too many dimensions or bytes",
                                       "tensor 'y': too many",
                                       "tensor 'y': 4 bytes were not produced",
                                       "more bytes than the tensor has"};
    struct pz_builder *b;
    uint64_t huge[2] = {UINT64_C(1) << 40, UINT64_C(1) << 30};
    ck_ok(pz_builder_new(&b, &err), err);
    pz_builder_take1(b, "x", PZ_U8, 1, calloc(1, 1));
    switch (_i) {
    case 0:
        pz_builder_take1(b, "x", PZ_U8, 1, calloc(1, 1));
        break;
    case 1:
        pz_builder_borrow1(b, "__pad.1", PZ_U8, 3, bytes);
        break;
    case 2:
        pz_builder_borrow1(b, "", PZ_U8, 3, bytes);
        break;
    case 3:
        pz_builder_take1(b, "y", PZ_U32, 3, NULL);
        break;
    case 4:
        pz_builder_meta(b, "xxh3.x", "1");
        break;
    case 5:
        pz_builder_borrow(b, "y", PZ_U8, 2, huge, bytes);
        break;
    case 6:
        pz_builder_borrow(b, "y", PZ_U8, 5, huge, bytes);
        break;
    case 7:
        pz_builder_stream(b, "y", PZ_U32, 1, &(uint64_t){34}, fill_count, &counted);
        break;
    case 8:
        pz_builder_stream(b, "y", PZ_U32, 1, &(uint64_t){32}, fill_count, &counted);
        break;
    }
    ck_assert_int_ne(pz_builder_write(b, path, &err), 0);
    ck_assert_msg(strstr(err.msg, want[_i]), "%s", err.msg);
    struct stat st;
    ck_assert_int_eq(stat(path, &st), 0);
    ck_assert_int_eq(st.st_size, 0); // the old file, as it was
    pz_builder_free(b);
}
END_TEST

/* ---- damage ---- */

static int
open_and_verify(const char *name)
{
    struct pz_tensors t;
    err = (struct pz_err)PZ_ERR_INIT;
    int status = pz_tensors_open(&t, name, &err);
    if (!status) {
        for (size_t i = 0; i < t.n_tensors; i++) {
            const uint8_t *p = t.tensor[i].data;
            size_t n = t.tensor[i].n_elems * pz_dtype_size(t.tensor[i].dtype);
            ck_assert(p >= t.map.data && n <= (size_t)(t.map.data + t.map.len - p));
        }
        status = pz_tensors_verify(&t, &err);
    }
    pz_tensors_close(&t);
    ck_assert_int_eq(status, err.status);
    ck_assert_int_eq(status == 0, err.msg[0] == 0);
    return status;
}

START_TEST(every_bit_flip)
{
    struct image im;
    image_small(&im);
    ck_ok(open_and_verify(im.name), err);
    for (size_t i = 0; i < im.n; i++)
        for (int bit = 0; bit < 8; bit++) {
            image_byte(&im, i, im.p[i] ^ (uint8_t)(1 << bit));
            ck_assert_msg(open_and_verify(im.name) == PZ_FORMAT, "byte %zu bit %d: %s", i,
                          bit, err.msg);
            image_byte(&im, i, im.p[i] ^ (uint8_t)(1 << bit));
        }
    ck_ok(open_and_verify(im.name), err);
    image_end(&im);
}
END_TEST

START_TEST(every_length)
{
    struct image im;
    image_small(&im);
    size_t n = im.n;
    for (size_t k = n; k-- > 0;) {
        ck_assert_int_eq(ftruncate(im.fd, (off_t)k), 0);
        ck_assert_msg(open_and_verify(im.name) == PZ_FORMAT, "length %zu", k);
    }
    memset(im.p + n, 0, 64);
    for (im.n = n + 1; im.n < n + 64; im.n++) {
        image_sync(&im);
        ck_assert_msg(open_and_verify(im.name) == PZ_FORMAT, "length %zu", im.n);
    }
    image_end(&im);
}
END_TEST

/* With the header's hash corrected the damage has to be found by what the header says, or
 * be harmless; it must never crash (the address sanitizer watches). */
START_TEST(every_header_byte)
{
    static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xff};
    struct image im;
    uint64_t n_header;
    image_small(&im);
    memcpy(&n_header, im.p, 8);
    uint8_t *good = malloc(im.n);
    ck_assert_ptr_nonnull(good);
    memcpy(good, im.p, im.n);
    for (size_t i = 0; i < 8 + n_header; i++)
        for (size_t v = 0; v < sizeof values; v++) {
            im.p[i] = values[v];
            image_rehash(&im);
            image_sync(&im);
            int status = open_and_verify(im.name);
            ck_assert_msg(status == PZ_OK || status == PZ_FORMAT, "byte %zu: %s", i,
                          err.msg);
            memcpy(im.p, good, im.n);
        }
    free(good);
    image_end(&im);
}
END_TEST

#define T(name, dtype, shape, begin, end)                                                \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape                             \
    ",\"data_offsets\":[" #begin "," #end "]}"

/* Headers made by hand over 128 bytes of zeros, and what is said of them; NULL: nothing.
 */
static const struct {
    const char *header, *want;
} headers[] = {
    {"{" T("a", "U8", "[128]", 0, 128) "}", NULL},
    {"{" T("b", "F32", "[4,4]", 64, 128) "," T("a", "I8", "[2,2,2,8]", 0, 64) "}", NULL},
    {"{" T("a", "U8", "[0]", 0, 0) "," T("b", "U8", "[128]", 0, 128) "}", NULL},
    {"{\"__metadata__\":{}," T("a", "U8", "[128]", 0, 128) "}", NULL},
    {"{" T("a", "U8", "[128]", 0, 128) ",\"__metadata__\":{\"k\":\"v\"}}", NULL},
    {"{}", "128 bytes behind the last tensor"},
    {"{" T("a", "U8", "[64]", 0, 64) "}", "64 bytes behind"},
    {"{" T("a", "U8", "[64]", 64, 128) "}", "tensor 'a': it starts at 64, not at 0"},
    {"{" T("a", "U8", "[64]", 0, 64) "," T("b", "U8", "[65]", 63, 128) "}",
     "tensor 'b': it starts at 63, not at 64"},
    {"{" T("a", "U8", "[32]", 0, 32) "," T("b", "U8", "[96]", 32, 128) "}",
     "multiple of 64"},
    {"{" T("a", "U8", "[129]", 0, 129) "}", "beyond the end"},
    {"{" T("a", "U8", "[127]", 0, 128) "}", "shape and offsets"},
    {"{" T("a", "U8", "[128]", 128, 0) "}", "shape and offsets"},
    {"{" T("a", "U32", "[1000000000]", 0, 128) "}", "shape and offsets"},
    {"{" T("a", "U32", "[1000000000]", 0, 4000000000) "}", "beyond the end"},
    {"{" T("a", "U64", "[1000000000,1000000000,1000000000]", 0, 128) "}", "63 bits"},
    {"{" T("a", "U64", "[4294967296,4294967296]", 0, 0) "}", "63 bits"},
    {"{" T("a", "U64", "[0,4294967296,4294967296]", 0, 0) "}", "63 bits"},
    {"{" T("a", "U8", "[2305843009213693952,8]", 0, 0) "}", "63 bits"},
    {"{" T("a", "U8", "[9223372036854775808]", 0, 128) "}", "whole numbers"},
    {"{" T("a", "U8", "[-128]", 0, 128) "}", "whole numbers"},
    {"{" T("a", "U8", "[128.0]", 0, 128) "}", "whole numbers"},
    {"{" T("a", "U8", "[1.28e2]", 0, 128) "}", "whole numbers"},
    {"{" T("a", "U8", "[1,1,1,1,128]", 0, 128) "}", "at most 4"},
    {"{" T("a", "U8", "[\"128\"]", 0, 128) "}", "whole numbers"},
    {"{" T("a", "U8", "128", 0, 128) "}", "expected an array"},
    {"{" T("a", "F16", "[64]", 0, 128) "}", "a dtype that pz does not know"},
    {"{" T("a", "u8", "[128]", 0, 128) "}", "a dtype that pz does not know"},
    {"{" T("a", "U8", "[64]", 0, 64) "," T("a", "U8", "[64]", 64, 128) "}",
     "tensor 'a': the name is there twice"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[128]}}", "two 'data_offsets'"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[128],\"data_offsets\":[0]}}",
     "two 'data_offsets'"},
    {"{\"a\":{\"dtype\":\"U8\",\"shape\":[128],\"data_offsets\":[0,128,128]}}",
     "at most 2"},
    {"{\"a\":{\"dtype\":\"U8\",\"dtype\":\"U8\",\"shape\":[128],\"data_offsets\":[0,128]}"
     "}",
     "once each"},
    {"{\"a\":{\"dtype\":\"U8\",\"more\":1,\"shape\":[128],\"data_offsets\":[0,128]}}",
     "once each"},
    {"{\"a\":3}", "expected an object for a tensor"},
    {"{\"__metadata__\":{\"k\":3}," T("a", "U8", "[128]", 0, 128) "}",
     "a string as metadata"},
    {"{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}," T("a", "U8", "[128]", 0, 128) "}",
     "metadata 'k' twice"},
    {"{\"__metadata__\":{},\"__metadata__\":{}," T("a", "U8", "[128]", 0, 128) "}",
     "'__metadata__' twice"},
    {"{\"__metadata__\":{\"pz.kind\":\"x\"}," T("a", "U8", "[128]", 0, 128) "}",
     "the header has no hash"},
    {"{\"__metadata__\":{\"xxh3\":\"0123\"}," T("a", "U8", "[128]", 0, 128) "}",
     "not 16 hexadecimal digits"},
    {"{\"__metadata__\":{\"xxh3\":\"0123456789abcd\\u0065f\"}," T("a", "U8", "[128]", 0,
                                                                  128) "}",
     "not 16 hexadecimal digits"},
    {"{\"__metadata__\":{\"xxh3\":\"0123456789abcdef\"}," T("a", "U8", "[128]", 0,
                                                            128) "}",
     "the header's hash does not match"},
    {"{\"__metadata__\":{\"pz.format\":\"2.0\"},\"a\":[\"of the future\"]}",
     "written in format 2.0 by a newer pz"},
    {"{\"__metadata__\":{\"pz.format\":\"1.9\"}," T("a", "U8", "[128]", 0, 128) "}",
     NULL},
    {"{\"__metadata__\":{\"pz.format\":\"one\"}," T("a", "U8", "[128]", 0, 128) "}",
     "not MAJOR.MINOR"},
    {"{" T("a", "U8", "[128]", 0, 128) "} x", "header byte"},
    {"{" T("a", "U8", "[128]", 0, 128) "", "header byte"},
    {"{\"\xff\":3}", "header byte"},
    {"[]", "not a safetensors file"},
    {" {}", "not a safetensors file"},
};

START_TEST(header)
{
    struct image im;
    image_of_header(&im, headers[_i].header, 128);
    int status = open_and_verify(im.name);
    if (headers[_i].want) {
        ck_assert_int_eq(status, PZ_FORMAT);
        ck_assert_msg(strstr(err.msg, headers[_i].want), "%s", err.msg);
        ck_assert_msg(strncmp(err.msg, im.name, strlen(im.name)) == 0, "%s", err.msg);
    } else {
        ck_ok(status, err);
    }
    image_end(&im);
}
END_TEST

START_TEST(length_word)
{
    static const uint64_t lengths[] = {0,         1,          100000001,      UINT32_MAX,
                                       INT64_MAX, UINT64_MAX, UINT64_MAX - 7, 1000};
    struct image im;
    image_of_header(&im, headers[0].header, 128);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        memcpy(im.p, &lengths[i], 8);
        image_sync(&im);
        ck_assert_int_eq(open_and_verify(im.name), PZ_FORMAT);
    }
    image_end(&im);
    ck_assert_int_eq(open_and_verify("/nonexistent"), PZ_SYSTEM);
    ck_assert_int_eq(open_and_verify("/tmp"), PZ_FORMAT);
}
END_TEST

Suite *
pz_suite(void)
{
    Suite *s = suite_create("tensors");
    TCase *t = tcase_create("tensors");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_set_timeout(t, 60);
    tcase_add_test(t, round_trip);
    tcase_add_test(t, same_bytes);
    tcase_add_test(t, public_rules);
    tcase_add_test(t, view);
    tcase_add_loop_test(t, builder_errors, 0, 9);
    tcase_add_test(t, every_bit_flip);
    tcase_add_test(t, every_length);
    tcase_add_test(t, every_header_byte);
    tcase_add_loop_test(t, header, 0, sizeof headers / sizeof *headers);
    tcase_add_test(t, length_word);
    suite_add_tcase(s, t);
    return s;
}
