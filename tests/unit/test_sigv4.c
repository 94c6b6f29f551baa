/* serve/sigv4: signatures that others made. The first table is from AWS's published suite
 * of signed requests. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "serve/seen.h"
#include "serve/sigv4.h"
#include "unit.h"

#define DATE       "20150830T123600Z"
#define NOW        1440938160
#define SCOPE      "AKIDEXAMPLE/20150830/us-east-1/service/aws4_request"
#define HOST       "Host:example.amazonaws.com\n"
#define X_DATE     "X-Amz-Date:" DATE "\n"
#define UNRESERVED "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

static struct pz_err err;
static struct pz_keys *keys;
static struct pz_sig_cache cache;
static struct pz_buf why;

static void
setup(void)
{
    static const char text[] =
        "# clients\n[default]\n"
        "aws_access_key_id = AKIDEXAMPLE\n"
        "aws_secret_access_key=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\r\n"
        "region = us-east-1\n\n[other]\naws_access_key_id=OTHER\n"
        "aws_secret_access_key=secret";
    err = (struct pz_err)PZ_ERR_INIT;
    ck_ok(pz_keys_parse(&keys, text, strlen(text), "credentials", &err), err);
    ck_assert_uint_eq(pz_keys_count(keys), 2);
    cache = (struct pz_sig_cache){.key = NULL};
    why = (struct pz_buf)PZ_BUF_INIT;
}

static void
teardown(void)
{
    pz_keys_free(keys);
    pz_sig_cache_release(&cache);
    pz_buf_release(&why);
}

/* Headers as "Name:value\n"... */
static void
each(const void *from, void (*fn)(void *ctx, const char *name, const char *value),
     void *ctx)
{
    static char line[64][600];
    const char *s = from;
    for (int i = 0; *s; i++) {
        size_t n = strcspn(s, "\n");
        memcpy(line[i], s, n);
        line[i][n] = '\0';
        char *colon = strchr(line[i], ':');
        *colon = '\0';
        fn(ctx, line[i], colon + 1);
        s += n + 1;
    }
}

static enum pz_fault
check(const char *method, const char *target, const char *headers, const char *body,
      int64_t now)
{
    uint8_t signature[PZ_SIG_BYTES];
    struct pz_sig_rules rules = {keys, "us-east-1", "service", 300};
    struct pz_sig_request q = {method, target, body, strlen(body), each, headers};
    return pz_sig_check(&rules, &cache, &q, now, signature, &why);
}

static const struct {
    const char *method, *target, *headers, *names, *body, *signature;
} suite[] = {
    {"GET", "/", "", "", "",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"POST", "/", "", "", "",
     "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {"GET", "/", "My-Header1:value2\nMy-Header1:value2\nMy-Header1:value1\n",
     "my-header1", "",
     "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
    {"GET", "/",
     "My-Header1:value4\nMy-Header1:value1\nMy-Header1:value3\nMy-Header1:value2\n",
     "my-header1", "",
     "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"},
    {"GET", "/", "My-Header1: value1\nMy-Header2: \"a   b   c\"\n",
     "my-header1;my-header2", "",
     "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
    {"GET", "/example1/example2/../..", "", "", "",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"GET", "//example//", "", "", "",
     "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
    {"GET", "/./example", "", "", "",
     "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"},
    {"GET", "/example space/", "", "", "",
     "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
    {"GET", "/" UNRESERVED, "", "", "",
     "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
    {"GET", "/\xe1\x88\xb4", "", "", "",
     "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
    {"GET", "/?Param1=value1", "", "", "",
     "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
    {"GET", "/?Param2=value2&Param1=value1", "", "", "",
     "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
    {"GET", "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1", "", "", "",
     "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"},
    {"GET", "/?" UNRESERVED "=" UNRESERVED, "", "", "",
     "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
    {"GET", "/?\xe1\x88\xb4=bar", "", "", "",
     "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
    {"POST", "/", "My-Header1:value1\n", "my-header1", "",
     "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
    {"POST", "/",
     "Content-Type:application/x-www-form-urlencoded\nContent-Length:13\n"
     "x-amz-content-sha256:"
     "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e\n",
     "content-length;content-type;host;x-amz-content-sha256", "Param1=value1",
     "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b"},
};

/* The suite's headers with Host, date and the signature. */
static void
signed_headers(char out[2048], const char *headers, const char *names,
               const char *signature)
{
    bool host = strstr(names, "host") != NULL;
    snprintf(out, 2048,
             HOST "%s" X_DATE "Authorization:AWS4-HMAC-SHA256 Credential=" SCOPE
                  ", SignedHeaders=%s%s%s;x-amz-date, Signature=%s\n",
             headers, host ? "" : "host", *names && !host ? ";" : "", names, signature);
}

START_TEST(published)
{
    char headers[2048];
    signed_headers(headers, suite[_i].headers, suite[_i].names, suite[_i].signature);
    for (int again = 0; again < 2; again++) { // with the key of the day remembered
        enum pz_fault f =
            check(suite[_i].method, suite[_i].target, headers, suite[_i].body, NOW);
        ck_assert_msg(f == PZ_FAULT_NONE, "%s: %s", suite[_i].target, why.data);
    }
    // Each part counts.
    const char *target = suite[_i].target, *body = suite[_i].body;
    ck_assert_int_eq(check("PUT", target, headers, body, NOW), PZ_FAULT_SIGNATURE);
    ck_assert_int_eq(check(suite[_i].method, "/x?y=z", headers, body, NOW),
                     PZ_FAULT_SIGNATURE);
    ck_assert_int_eq(check(suite[_i].method, target, headers, "other body", NOW),
                     PZ_FAULT_SIGNATURE);
    char *last = strrchr(headers, '\n') - 1; // of the signature
    *last = *last == '0' ? '1' : '0';
    ck_assert_int_eq(check(suite[_i].method, target, headers, body, NOW),
                     PZ_FAULT_SIGNATURE);
}
END_TEST

#define VANILLA "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
#define AUTH    "Authorization:AWS4-HMAC-SHA256 "

static const struct {
    const char *headers;
    int64_t now;
    enum pz_fault fault;
    const char *text; // a part of it
} forged[] = {
    {HOST X_DATE, NOW, PZ_FAULT_MISSING_TOKEN, "Missing Authentication Token"},
    {HOST X_DATE "Authorization:Basic abc\n", NOW, PZ_FAULT_INCOMPLETE_SIGNATURE,
     "algorithm"},
    {HOST X_DATE "Authorization:AWS4-HMAC-SHA2567 x=y\n", NOW,
     PZ_FAULT_INCOMPLETE_SIGNATURE, "algorithm"},
    {HOST X_DATE AUTH "SignedHeaders=host, Signature=" VANILLA "\n", NOW,
     PZ_FAULT_INCOMPLETE_SIGNATURE, "'Credential'"},
    {HOST X_DATE AUTH "Credential=" SCOPE ", Signature=" VANILLA "\n", NOW,
     PZ_FAULT_INCOMPLETE_SIGNATURE, "'SignedHeaders'"},
    {HOST X_DATE AUTH "Credential=" SCOPE ", SignedHeaders=host;x-amz-date\n", NOW,
     PZ_FAULT_INCOMPLETE_SIGNATURE, "'Signature'"},
    {HOST X_DATE AUTH "Credential=" SCOPE ", Credential=" SCOPE
                      ", SignedHeaders=host;x-amz-date, Signature=" VANILLA "\n",
     NOW, PZ_FAULT_INCOMPLETE_SIGNATURE, "twice"},
    {HOST X_DATE AUTH "Credential=A/B, SignedHeaders=host;x-amz-date, Signature=" VANILLA
                      "\n",
     NOW, PZ_FAULT_INCOMPLETE_SIGNATURE, "5 slash-delimited"},
    {HOST AUTH "Credential=" SCOPE ", SignedHeaders=host;x-amz-date, Signature=" VANILLA
               "\n",
     NOW, PZ_FAULT_INCOMPLETE_SIGNATURE, "X-Amz-Date"},
    {HOST "X-Amz-Date:2015-08-30T12:36:00Z\n" AUTH "Credential=" SCOPE
          ", SignedHeaders=host;x-amz-date, Signature=" VANILLA "\n",
     NOW, PZ_FAULT_INCOMPLETE_SIGNATURE, "ISO-8601"},
    // The clock: 4:59 is near enough, 5:01 is not.
    {HOST X_DATE AUTH "Credential=" SCOPE
                      ", SignedHeaders=host;x-amz-date, Signature=" VANILLA "\n",
     NOW + 299, PZ_FAULT_NONE, ""},
    {HOST X_DATE AUTH "Credential=" SCOPE
                      ", SignedHeaders=host;x-amz-date, Signature=" VANILLA "\n",
     NOW - 299, PZ_FAULT_NONE, ""},
    {HOST X_DATE AUTH "Credential=" SCOPE
                      ", SignedHeaders=host;x-amz-date, Signature=" VANILLA "\n",
     NOW + 301, PZ_FAULT_SIGNATURE, "expired"},
    {HOST X_DATE AUTH "Credential=" SCOPE
                      ", SignedHeaders=host;x-amz-date, Signature=" VANILLA "\n",
     NOW - 301, PZ_FAULT_SIGNATURE, "not yet current"},
    // The scope.
    {HOST X_DATE AUTH "Credential=AKIDEXAMPLE/20150831/us-east-1/service/aws4_request"
                      ", SignedHeaders=host;x-amz-date, Signature=" VANILLA "\n",
     NOW, PZ_FAULT_SIGNATURE, "does not match YYYYMMDD"},
    {HOST X_DATE AUTH "Credential=AKIDEXAMPLE/20150830/eu-west-1/service/aws4_request"
                      ", SignedHeaders=host;x-amz-date, Signature=" VANILLA "\n",
     NOW, PZ_FAULT_SIGNATURE, "valid region: 'us-east-1'"},
    {HOST X_DATE AUTH "Credential=AKIDEXAMPLE/20150830/us-east-1/s3/aws4_request"
                      ", SignedHeaders=host;x-amz-date, Signature=" VANILLA "\n",
     NOW, PZ_FAULT_SIGNATURE, "correct service: 'service'"},
    // What must be signed.
    {HOST X_DATE AUTH "Credential=" SCOPE ", SignedHeaders=x-amz-date, Signature=" VANILLA
                      "\n",
     NOW, PZ_FAULT_SIGNATURE, "'host' must be"},
    {HOST X_DATE "X-Amz-Target:x\n" AUTH "Credential=" SCOPE
                 ", SignedHeaders=host;x-amz-date, Signature=" VANILLA "\n",
     NOW, PZ_FAULT_SIGNATURE, "'X-Amz-Target' must be"},
    {HOST X_DATE "X-Amz-Security-Token:any\n" AUTH "Credential=" SCOPE
                 ", SignedHeaders=host;x-amz-date, Signature=" VANILLA "\n",
     NOW, PZ_FAULT_NONE, ""},
    // Signed, and yet wrong.
    {HOST X_DATE AUTH "Credential=" SCOPE
                      ", SignedHeaders=host;x-amz-date;absent, Signature=" VANILLA "\n",
     NOW, PZ_FAULT_SIGNATURE, "does not match"},
    {HOST X_DATE AUTH "Credential=" SCOPE
                      ", SignedHeaders=x-amz-date;host, Signature=" VANILLA "\n",
     NOW, PZ_FAULT_SIGNATURE, "does not match"},
    {HOST X_DATE AUTH "Credential=" SCOPE
                      ", SignedHeaders=Host;x-amz-date, Signature=" VANILLA "\n",
     NOW, PZ_FAULT_SIGNATURE, "does not match"},
    {HOST X_DATE
     "x-amz-content-sha256:UNSIGNED-PAYLOAD\n" AUTH "Credential=" SCOPE
     ", SignedHeaders=host;x-amz-content-sha256;x-amz-date, Signature=" VANILLA "\n",
     NOW, PZ_FAULT_SIGNATURE, "does not match"},
    {HOST X_DATE AUTH "Credential=OTHER/20150830/us-east-1/service/aws4_request"
                      ", SignedHeaders=host;x-amz-date, Signature=" VANILLA "\n",
     NOW, PZ_FAULT_SIGNATURE, "does not match"},
    {HOST X_DATE AUTH "Credential=NOBODY/20150830/us-east-1/service/aws4_request"
                      ", SignedHeaders=host;x-amz-date, Signature=" VANILLA "\n",
     NOW, PZ_FAULT_SIGNATURE, "does not match"},
    {HOST X_DATE AUTH "Credential=" SCOPE
                      ", SignedHeaders=host;x-amz-date, Signature=abc\n",
     NOW, PZ_FAULT_SIGNATURE, "does not match"},
};

START_TEST(forgeries)
{
    enum pz_fault f = check("GET", "/", forged[_i].headers, "", forged[_i].now);
    ck_assert_msg(f == forged[_i].fault, "%s: %d %s", forged[_i].headers, f, why.data);
    if (f)
        ck_assert_msg(strstr(why.data, forged[_i].text) != NULL, "%s", why.data);
}
END_TEST

static const struct {
    const char *text, *message;
} bad_files[] = {
    {"", "c: there are no credentials in it"},
    {"[a]\nregion=x\n", "c: there are no credentials in it"},
    {"[a]\naws_access_key_id=x\n[b]\n", "c:2: a profile needs both"},
    {"[a]\naws_secret_access_key=x\n", "c:2: a profile needs both"},
    {"[a]\nnonsense\n", "c:2: neither [PROFILE] nor NAME = VALUE"},
    {"aws_access_key_id=x\naws_secret_access_key=y\n[b]\naws_access_key_id=x\n"
     "aws_secret_access_key=z",
     "c:5: access key 'x' stands twice"},
};

START_TEST(files)
{
    struct pz_keys *k;
    const char *text = bad_files[_i].text;
    ck_assert_int_eq(pz_keys_parse(&k, text, strlen(text), "c", &err), PZ_DATA);
    ck_assert_msg(strstr(err.msg, bad_files[_i].message) == err.msg, "%s", err.msg);
    ck_assert_ptr_null(k);
}
END_TEST

START_TEST(seen)
{
    struct pz_seen *s;
    uint8_t signature[PZ_SIG_BYTES] = {0};
    ck_ok(pz_seen_new(&s, 64, &err), err);
    ck_assert(!pz_seen_has(s, signature));
    pz_seen_add(s, signature);
    ck_assert(pz_seen_has(s, signature));
    // The last 32 are never forgotten, whatever came before.
    for (int i = 1; i < 1000; i++) {
        memcpy(signature, &i, sizeof i);
        pz_seen_add(s, signature);
        pz_seen_add(s, signature);
        for (int k = i > 32 ? i - 32 : 1; k <= i; k++) {
            memcpy(signature, &k, sizeof k);
            ck_assert(pz_seen_has(s, signature));
        }
    }
    int first = 1;
    memcpy(signature, &first, sizeof first);
    ck_assert(!pz_seen_has(s, signature));
    pz_seen_free(s);
}
END_TEST

#define N(table) ((int)(sizeof table / sizeof *table))

Suite *
pz_suite(void)
{
    Suite *s = suite_create("sigv4");
    TCase *t = tcase_create("sigv4");
    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_loop_test(t, published, 0, N(suite));
    tcase_add_loop_test(t, forgeries, 0, N(forged));
    tcase_add_loop_test(t, files, 0, N(bad_files));
    tcase_add_test(t, seen);
    suite_add_tcase(s, t);
    return s;
}
