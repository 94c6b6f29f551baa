#include "serve/sigv4.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"

enum {
    MAX_SIGNED = 64, // headers in a signature
    MAX_QUERY = 256, // parameters
    DATE = 16,       // "20150830T123600Z"
};

/* ---- hashes ---- */

static bool
sha256(const void *data, size_t n, uint8_t out[PZ_SIG_BYTES])
{
    unsigned len = PZ_SIG_BYTES;
    return EVP_Digest(data, n, out, &len, EVP_sha256(), NULL) == 1;
}

static bool
hmac(const void *key, size_t n_key, const void *data, size_t n, uint8_t out[PZ_SIG_BYTES])
{
    unsigned len = PZ_SIG_BYTES;
    return HMAC(EVP_sha256(), key, (int)n_key, data, n, out, &len) != NULL;
}

static void
add_hex(struct pz_buf *out, const uint8_t *bytes, size_t n)
{
    static const char digit[] = "0123456789abcdef";
    for (size_t i = 0; i < n; i++) {
        pz_buf_addc(out, digit[bytes[i] >> 4]);
        pz_buf_addc(out, digit[bytes[i] & 15]);
    }
}

static int
hex_value(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* ---- the parts of the Authorization header ---- */

struct part {
    const char *s;
    size_t n;
};

struct authorization {
    struct part credential, headers, signature;
    struct part key, date, region, service; // of the credential
};

static bool
is(const struct part *p, const char *text)
{
    return p->n == strlen(text) && memcmp(p->s, text, p->n) == 0;
}

static struct part
take_until(const char **s, const char *stop)
{
    struct part p = {*s, strcspn(*s, stop)};
    *s += p.n;
    return p;
}

/* NULL: well formed; else what is wrong. */
static const char *
read_authorization(const char *s, struct authorization *a)
{
    static const char algorithm[] = "AWS4-HMAC-SHA256";
    *a = (struct authorization){{NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0},
                                {NULL, 0}, {NULL, 0}, {NULL, 0}};
    if (strncmp(s, algorithm, sizeof algorithm - 1) != 0 ||
        (s[sizeof algorithm - 1] != ' ' && s[sizeof algorithm - 1] != '\0'))
        return "Unsupported AWS 'algorithm': only AWS4-HMAC-SHA256 is supported.";
    s += sizeof algorithm - 1;
    while (*s) {
        s += strspn(s, " ,");
        if (!*s)
            break;
        struct part name = take_until(&s, "= ,");
        if (*s != '=')
            return "Authorization header has a part that is no NAME=VALUE.";
        s++;
        struct part value = take_until(&s, " ,");
        struct part *to = is(&name, "Credential")      ? &a->credential
                          : is(&name, "SignedHeaders") ? &a->headers
                          : is(&name, "Signature")     ? &a->signature
                                                       : NULL;
        if (!to || to->s)
            return "Authorization header has a part that is unknown or stands twice.";
        *to = value;
    }
    if (!a->credential.n)
        return "Authorization header requires 'Credential' parameter.";
    if (!a->signature.n)
        return "Authorization header requires 'Signature' parameter.";
    if (!a->headers.n)
        return "Authorization header requires 'SignedHeaders' parameter.";
    return NULL;
}

/* KEY/DATE/REGION/SERVICE/aws4_request */
static bool
read_credential(struct authorization *a)
{
    struct part *part[] = {&a->key, &a->date, &a->region, &a->service};
    const char *s = a->credential.s, *end = s + a->credential.n;
    for (int i = 0; i < 4; i++) {
        const char *slash = memchr(s, '/', (size_t)(end - s));
        if (!slash || slash == s)
            return false;
        *part[i] = (struct part){s, (size_t)(slash - s)};
        s = slash + 1;
    }
    struct part last = {s, (size_t)(end - s)};
    return is(&last, "aws4_request");
}

/* ---- headers of the request ---- */

struct header {
    const char *name, *value;
};

struct headers {
    struct header h[MAX_SIGNED * 2];
    size_t n;
    bool too_many;
};

static void
keep_header(void *ctx, const char *name, const char *value)
{
    struct headers *all = ctx;
    if (all->n == sizeof all->h / sizeof *all->h)
        all->too_many = true;
    else
        all->h[all->n++] = (struct header){name, value};
}

static const char *
find_header(const struct headers *all, const char *name)
{
    for (size_t i = 0; i < all->n; i++)
        if (strcasecmp(all->h[i].name, name) == 0)
            return all->h[i].value;
    return NULL;
}

static bool
is_signed(const struct authorization *a, const char *name)
{
    size_t n = strlen(name);
    const char *s = a->headers.s, *end = s + a->headers.n;
    while (s < end) {
        const char *semi = memchr(s, ';', (size_t)(end - s));
        size_t len = semi ? (size_t)(semi - s) : (size_t)(end - s);
        if (len == n && strncasecmp(s, name, n) == 0)
            return true;
        s += len + 1;
    }
    return false;
}

/* The first header that must be signed and is not; NULL: there is none. */
static const char *
unsigned_header(const struct authorization *a, const struct headers *all)
{
    if (!is_signed(a, "host"))
        return "host";
    for (size_t i = 0; i < all->n; i++)
        if (strncasecmp(all->h[i].name, "x-amz-", 6) == 0 &&
            strcasecmp(all->h[i].name, "x-amz-security-token") != 0 &&
            !is_signed(a, all->h[i].name))
            return all->h[i].name;
    return NULL;
}

/* ---- the canonical request ---- */

static void
add_escaped(struct pz_buf *out, unsigned char c, bool slash)
{
    static const char digit[] = "0123456789ABCDEF";
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
        (c && strchr("-._~", c)) || (slash && c == '/')) {
        pz_buf_addc(out, (char)c);
        return;
    }
    pz_buf_addc(out, '%');
    pz_buf_addc(out, digit[c >> 4]);
    pz_buf_addc(out, digit[c & 15]);
}

/* The path without "." and ".." and empty parts, escaped once more. */
static void
add_path(struct pz_buf *out, const char *s, size_t n)
{
    size_t from = out->len;
    const char *end = s + n;
    while (s < end) {
        while (s < end && *s == '/')
            s++;
        const char *slash = memchr(s, '/', (size_t)(end - s));
        size_t len = slash ? (size_t)(slash - s) : (size_t)(end - s);
        if (len == 0 || (len == 1 && s[0] == '.')) {
            // nothing
        } else if (len == 2 && s[0] == '.' && s[1] == '.') {
            while (out->len > from && out->data[--out->len] != '/')
                ;
        } else {
            pz_buf_addc(out, '/');
            for (size_t i = 0; i < len; i++)
                add_escaped(out, (unsigned char)s[i], false);
        }
        s += len;
    }
    if (out->len == from || (n && end[-1] == '/'))
        pz_buf_addc(out, '/');
}

struct parameter {
    size_t name, n_name, value, n_value; // in the scratch buffer
    const struct pz_buf *text;
};

static int
compare_bytes(const char *a, size_t n_a, const char *b, size_t n_b)
{
    int c = memcmp(a, b, n_a < n_b ? n_a : n_b);
    return c ? c : (n_a > n_b) - (n_a < n_b);
}

static int
by_name_and_value(const void *a, const void *b)
{
    const struct parameter *p = a, *q = b;
    const char *text = p->text->data;
    int c = compare_bytes(text + p->name, p->n_name, text + q->name, q->n_name);
    return c ? c
             : compare_bytes(text + p->value, p->n_value, text + q->value, q->n_value);
}

/* Unescaped and escaped again, in one spelling. */
static size_t
add_parameter(struct pz_buf *out, const char *s, size_t n)
{
    size_t from = out->len;
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c == '%' && i + 2 < n && hex_value(s[i + 1]) >= 0 &&
            hex_value(s[i + 2]) >= 0) {
            c = (unsigned char)(hex_value(s[i + 1]) * 16 + hex_value(s[i + 2]));
            i += 2;
        }
        add_escaped(out, c, false);
    }
    return out->len - from;
}

/* False: too many parameters. */
static bool
add_query(struct pz_buf *out, const char *s, struct pz_buf *scratch)
{
    struct parameter p[MAX_QUERY];
    size_t n = 0;
    pz_buf_clear(scratch);
    pz_buf_addc(scratch, '?'); // data is there even without parameters
    while (*s) {
        size_t len = strcspn(s, "&"), name = strcspn(s, "=&");
        if (len) {
            if (n == MAX_QUERY)
                return false;
            p[n].text = scratch;
            p[n].name = scratch->len;
            p[n].n_name = add_parameter(scratch, s, name);
            p[n].value = scratch->len;
            p[n].n_value =
                name < len ? add_parameter(scratch, s + name + 1, len - name - 1) : 0;
            n++;
        }
        s += len + (s[len] == '&');
    }
    if (scratch->failed)
        return false;
    qsort(p, n, sizeof *p, by_name_and_value);
    for (size_t i = 0; i < n; i++) {
        if (i)
            pz_buf_addc(out, '&');
        pz_buf_add(out, scratch->data + p[i].name, p[i].n_name);
        pz_buf_addc(out, '=');
        pz_buf_add(out, scratch->data + p[i].value, p[i].n_value);
    }
    return true;
}

/* The value without blanks around it, and one for each run of them inside. */
static void
add_value(struct pz_buf *out, const char *s)
{
    bool gap = false, begun = false;
    for (; *s; s++) {
        if (*s == ' ' || *s == '\t') {
            gap = begun;
            continue;
        }
        if (gap)
            pz_buf_addc(out, ' ');
        pz_buf_addc(out, *s);
        begun = true;
        gap = false;
    }
}

/* The signed headers, in the order that the client lists them, which must be sorted. */
static bool
add_headers(struct pz_buf *out, const struct authorization *a, const struct headers *all)
{
    const char *s = a->headers.s, *end = s + a->headers.n;
    struct part before = {"", 0};
    while (s < end) {
        const char *semi = memchr(s, ';', (size_t)(end - s));
        struct part name = {s, semi ? (size_t)(semi - s) : (size_t)(end - s)};
        bool found = false;
        for (size_t i = 0; i < name.n; i++)
            if (name.s[i] >= 'A' && name.s[i] <= 'Z')
                return false;
        if (!name.n || compare_bytes(before.s, before.n, name.s, name.n) >= 0)
            return false;
        before = name;
        pz_buf_add(out, name.s, name.n);
        pz_buf_addc(out, ':');
        for (size_t i = 0; i < all->n; i++) {
            if (strlen(all->h[i].name) != name.n ||
                strncasecmp(all->h[i].name, name.s, name.n) != 0)
                continue;
            if (found)
                pz_buf_addc(out, ',');
            add_value(out, all->h[i].value);
            found = true;
        }
        if (!found)
            return false;
        pz_buf_addc(out, '\n');
        s += name.n + 1;
    }
    return true;
}

static bool
canonical_request(struct pz_buf *out, struct pz_buf *scratch,
                  const struct pz_sig_request *q, const struct authorization *a,
                  const struct headers *all)
{
    uint8_t hash[PZ_SIG_BYTES];
    size_t n_path = strcspn(q->target, "?");
    pz_buf_addf(out, "%s\n", q->method);
    add_path(out, q->target, n_path);
    pz_buf_addc(out, '\n');
    if (!add_query(out, q->target + n_path + (q->target[n_path] == '?'), scratch))
        return false;
    pz_buf_addc(out, '\n');
    if (!add_headers(out, a, all) || !sha256(q->n_body ? q->body : "", q->n_body, hash))
        return false;
    pz_buf_addc(out, '\n');
    pz_buf_add(out, a->headers.s, a->headers.n);
    pz_buf_addc(out, '\n');
    add_hex(out, hash, sizeof hash);
    const char *claimed = find_header(all, "x-amz-content-sha256");
    if (claimed && !out->failed &&
        (strlen(claimed) != 64 || memcmp(claimed, out->data + out->len - 64, 64) != 0))
        return false; // another body, or none that was hashed
    return !out->failed;
}

/* ---- keys ---- */

struct key {
    char id[129];
    char secret[260]; // "AWS4" before it
    size_t n_secret;
};

struct pz_keys {
    struct key *key;
    size_t n, cap;
};

void
pz_keys_free(struct pz_keys *k)
{
    if (!k)
        return;
    if (k->key)
        OPENSSL_cleanse(k->key, k->cap * sizeof *k->key);
    free(k->key);
    free(k);
}

size_t
pz_keys_count(const struct pz_keys *k)
{
    return k->n;
}

static const struct key *
find_key(const struct pz_keys *k, const struct part *id)
{
    for (size_t i = 0; i < k->n; i++)
        if (is(id, k->key[i].id))
            return &k->key[i];
    return NULL;
}

static struct part
trim(const char *s, size_t n)
{
    while (n && (*s == ' ' || *s == '\t')) {
        s++;
        n--;
    }
    while (n && strchr(" \t\r", s[n - 1]))
        n--;
    return (struct part){s, n};
}

/* What has been read of a profile. */
struct profile {
    struct part id, secret;
    unsigned line;
};

static int
end_profile(struct pz_keys *k, struct profile *p, const char *name, struct pz_err *err)
{
    struct profile one = *p;
    *p = (struct profile){{NULL, 0}, {NULL, 0}, 0};
    if (!one.id.n && !one.secret.n)
        return PZ_OK;
    if (!one.id.n || !one.secret.n)
        return pz_err_set(err, PZ_DATA,
                          "%s:%u: a profile needs both aws_access_key_id and "
                          "aws_secret_access_key",
                          name, one.line);
    if (one.id.n >= sizeof k->key->id || one.secret.n > 255)
        return pz_err_set(err, PZ_DATA, "%s:%u: a key is too long", name, one.line);
    if (memchr(one.id.s, '/', one.id.n) || find_key(k, &one.id))
        return pz_err_set(err, PZ_DATA, "%s:%u: access key '%.*s' %s", name, one.line,
                          (int)one.id.n, one.id.s,
                          find_key(k, &one.id) ? "stands twice" : "has a '/'");
    struct key *grown;
    size_t cap = k->cap ? k->cap * 2 : 8;
    if (k->n == k->cap) { // not realloc, which leaves copies of secrets behind
        if (pz_new(&grown, cap, sizeof *grown, "credentials", err))
            return err->status;
        if (k->n)
            memcpy(grown, k->key, k->n * sizeof *grown);
        if (k->key)
            OPENSSL_cleanse(k->key, k->cap * sizeof *k->key);
        free(k->key);
        k->key = grown;
        k->cap = cap;
    }
    struct key *to = &k->key[k->n++];
    memcpy(to->id, one.id.s, one.id.n);
    to->id[one.id.n] = '\0';
    memcpy(to->secret, "AWS4", 4);
    memcpy(to->secret + 4, one.secret.s, one.secret.n);
    to->n_secret = 4 + one.secret.n;
    return PZ_OK;
}

int
pz_keys_parse(struct pz_keys **out, const char *text, size_t n, const char *name,
              struct pz_err *err)
{
    struct pz_keys *k;
    struct profile p = {{NULL, 0}, {NULL, 0}, 0};
    unsigned line = 0;
    *out = NULL;
    if (pz_new(&k, 1, sizeof *k, "credentials", err))
        return err->status;
    for (size_t at = 0; at < n && !err->status;) {
        const char *feed = memchr(text + at, '\n', n - at);
        size_t len = feed ? (size_t)(feed - text) - at : n - at;
        struct part s = trim(text + at, len);
        at += len + 1;
        line++;
        if (s.n == 0 || s.s[0] == '#' || s.s[0] == ';')
            continue;
        if (s.s[0] == '[') {
            end_profile(k, &p, name, err);
            continue;
        }
        const char *eq = memchr(s.s, '=', s.n);
        if (!eq) {
            pz_err_set(err, PZ_DATA, "%s:%u: neither [PROFILE] nor NAME = VALUE", name,
                       line);
            break;
        }
        struct part key = trim(s.s, (size_t)(eq - s.s));
        struct part value = trim(eq + 1, (size_t)(s.s + s.n - eq - 1));
        p.line = line;
        if (is(&key, "aws_access_key_id"))
            p.id = value;
        else if (is(&key, "aws_secret_access_key"))
            p.secret = value;
    }
    if (!err->status)
        end_profile(k, &p, name, err);
    if (!err->status && k->n == 0)
        pz_err_set(err, PZ_DATA, "%s: there are no credentials in it", name);
    if (err->status) {
        pz_keys_free(k);
        return err->status;
    }
    *out = k;
    return PZ_OK;
}

int
pz_keys_load(struct pz_keys **out, const char *path, struct pz_err *err)
{
    enum { MAX_FILE = 1 << 20 };
    struct pz_buf text = PZ_BUF_INIT;
    struct stat st;
    *out = NULL;
    if (stat(path, &st))
        return pz_err_sys(err, "cannot open '%s'", path);
    if (S_ISREG(st.st_mode) && (st.st_mode & (S_IRWXG | S_IRWXO)))
        return pz_err_set(err, PZ_USAGE,
                          "'%s' can be read or written by others: 'chmod 600 %s' first",
                          path, path);
    if (!pz_read_all(&text, path, MAX_FILE, err))
        pz_keys_parse(out, text.data ? text.data : "", text.len, path, err);
    if (text.data)
        OPENSSL_cleanse(text.data, text.cap);
    pz_buf_release(&text);
    return err->status;
}

/* ---- checking ---- */

void
pz_sig_cache_release(struct pz_sig_cache *c)
{
    OPENSSL_cleanse(c->signing, sizeof c->signing);
    pz_buf_release(&c->text);
    pz_buf_release(&c->scratch);
}

/* "20150830T123600Z" */
static bool
read_date(const char *s, int64_t *out)
{
    char iso[24];
    if (strlen(s) != DATE || s[8] != 'T' || s[15] != 'Z')
        return false;
    for (int i = 0; i < 15; i++)
        if (i != 8 && (s[i] < '0' || s[i] > '9'))
            return false;
    snprintf(iso, sizeof iso, "%.4s-%.2s-%.2sT%.2s:%.2s:%.2sZ", s, s + 4, s + 6, s + 9,
             s + 11, s + 13);
    return pz_time_parse(iso, strlen(iso), out) == 0;
}

static enum pz_fault
refuse(struct pz_buf *why, enum pz_fault fault, const char *text)
{
    pz_buf_clear(why);
    pz_buf_addz(why, text);
    return fault;
}

static bool
signing_key(struct pz_sig_cache *c, const struct key *key, const struct authorization *a,
            uint8_t out[PZ_SIG_BYTES])
{
    if (c->key == key && is(&a->date, c->date)) {
        memcpy(out, c->signing, PZ_SIG_BYTES);
        return true;
    }
    if (!hmac(key->secret, key->n_secret, a->date.s, a->date.n, out) ||
        !hmac(out, PZ_SIG_BYTES, a->region.s, a->region.n, out) ||
        !hmac(out, PZ_SIG_BYTES, a->service.s, a->service.n, out) ||
        !hmac(out, PZ_SIG_BYTES, "aws4_request", 12, out))
        return false;
    c->key = key;
    memcpy(c->date, a->date.s, 8);
    c->date[8] = '\0';
    memcpy(c->signing, out, PZ_SIG_BYTES);
    return true;
}

/* The scope and the time. */
static enum pz_fault
check_scope(const struct pz_sig_rules *rules, const struct authorization *a,
            const char *date, int64_t now, struct pz_buf *why)
{
    int64_t then;
    char now_text[PZ_TIME_TEXT];
    if (!read_date(date, &then))
        return refuse(why, PZ_FAULT_INCOMPLETE_SIGNATURE,
                      "Date must be in ISO-8601 'basic format' in header 'x-amz-date'.");
    if (a->date.n != 8 || memcmp(a->date.s, date, 8) != 0)
        return refuse(why, PZ_FAULT_SIGNATURE,
                      "Date in Credential scope does not match YYYYMMDD from ISO-8601 "
                      "version of date from HTTP.");
    if (!is(&a->region, rules->region)) {
        refuse(why, PZ_FAULT_SIGNATURE,
               "Credential should be scoped to a valid region: ");
        pz_buf_addf(why, "'%s'.", rules->region);
        return PZ_FAULT_SIGNATURE;
    }
    if (!is(&a->service, rules->service)) {
        refuse(why, PZ_FAULT_SIGNATURE,
               "Credential should be scoped to correct service: ");
        pz_buf_addf(why, "'%s'.", rules->service);
        return PZ_FAULT_SIGNATURE;
    }
    if (then <= now + rules->max_skew && then >= now - rules->max_skew)
        return PZ_FAULT_NONE;
    bool late = then < now;
    pz_time_text(now_text, now);
    refuse(why, PZ_FAULT_SIGNATURE,
           late ? "Signature expired: " : "Signature not yet current: ");
    pz_buf_addf(why, "%s is more than %lld seconds %s %s.", date,
                (long long)rules->max_skew, late ? "before" : "after", now_text);
    return PZ_FAULT_SIGNATURE;
}

/* The signature that the request should have. */
static bool
sign(struct pz_sig_cache *c, const struct pz_sig_request *q, const struct key *key,
     const struct authorization *a, const struct headers *all, const char *date,
     uint8_t out[PZ_SIG_BYTES])
{
    uint8_t hash[PZ_SIG_BYTES], signing[PZ_SIG_BYTES];
    struct pz_buf *text = &c->text;
    pz_buf_clear(text);
    if (!canonical_request(text, &c->scratch, q, a, all) ||
        !sha256(text->data, text->len, hash))
        return false;
    pz_buf_clear(text);
    pz_buf_addf(text, "AWS4-HMAC-SHA256\n%s\n%.*s\n", date,
                (int)(a->credential.n - a->key.n - 1), a->credential.s + a->key.n + 1);
    add_hex(text, hash, sizeof hash);
    bool ok = !text->failed && signing_key(c, key, a, signing) &&
              hmac(signing, sizeof signing, text->data, text->len, out);
    OPENSSL_cleanse(signing, sizeof signing);
    return ok;
}

static bool
read_signature(const struct part *p, uint8_t out[PZ_SIG_BYTES])
{
    if (p->n != 2 * PZ_SIG_BYTES)
        return false;
    for (size_t i = 0; i < PZ_SIG_BYTES; i++) {
        int high = hex_value(p->s[2 * i]), low = hex_value(p->s[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        out[i] = (uint8_t)(high * 16 + low);
    }
    return true;
}

enum pz_fault
pz_sig_check(const struct pz_sig_rules *rules, struct pz_sig_cache *cache,
             const struct pz_sig_request *q, int64_t now, uint8_t signature[PZ_SIG_BYTES],
             struct pz_buf *why)
{
    static const struct key nobody = {"", "AWS4nobody", 10};
    struct headers all = {.n = 0};
    struct authorization a;
    uint8_t wanted[PZ_SIG_BYTES] = {0};
    q->each(q->from, keep_header, &all);
    const char *text = find_header(&all, "authorization"),
               *date = find_header(&all, "x-amz-date");
    if (!text)
        return refuse(why, PZ_FAULT_MISSING_TOKEN, "Missing Authentication Token");
    const char *wrong = read_authorization(text, &a);
    if (!wrong && !date)
        wrong = "Authorization header requires existence of a 'X-Amz-Date' header.";
    if (!wrong && all.too_many)
        wrong = "The request has too many headers.";
    if (!wrong && !read_credential(&a))
        wrong = "Credential must have exactly 5 slash-delimited elements, e.g. "
                "keyid/date/region/service/term.";
    if (wrong)
        return refuse(why, PZ_FAULT_INCOMPLETE_SIGNATURE, wrong);
    enum pz_fault fault = check_scope(rules, &a, date, now, why);
    if (fault)
        return fault;
    const char *missing = unsigned_header(&a, &all);
    if (missing) {
        refuse(why, PZ_FAULT_SIGNATURE, "");
        pz_buf_addf(why, "'%.64s' must be a 'SignedHeader' in the AWS Authorization.",
                    missing);
        return PZ_FAULT_SIGNATURE;
    }
    const struct key *key = find_key(rules->keys, &a.key);
    bool ok = read_signature(&a.signature, signature) &&
              sign(cache, q, key ? key : &nobody, &a, &all, date, wanted);
    ok = CRYPTO_memcmp(wanted, signature, PZ_SIG_BYTES) == 0 && ok;
    if (ok && key)
        return PZ_FAULT_NONE;
    return refuse(why, PZ_FAULT_SIGNATURE,
                  "The request signature we calculated does not match the signature you "
                  "provided. Check your AWS Secret Access Key and signing method.");
}
