/*
 * sigv4: AWS's Signature Version 4 of requests, the checking side. The only user of
 * libcrypto.
 *
 * What is demanded: the algorithm AWS4-HMAC-SHA256 in an Authorization header; a scope of
 * the day of x-amz-date, our region, our service; x-amz-date within max_skew of now; host
 * and every x-amz-* header signed (but for x-amz-security-token, which means nothing
 * here); a hash of the body that was received. An unknown key and a wrong signature take
 * the same work and give the same answer.
 */
#ifndef PZ_SERVE_SIGV4_H
#define PZ_SERVE_SIGV4_H

#include <stdint.h>

#include "base/buf.h"
#include "serve/api.h"

enum { PZ_SIG_BYTES = 32 };

struct pz_keys;
/*
 * Reads credentials: an INI file as the AWS command line has it, every profile with
 * aws_access_key_id and aws_secret_access_key a client. PZ_DATA with file and line; a
 * file that others than its owner may read is refused (PZ_USAGE).
 */
int pz_keys_load(struct pz_keys **k, const char *path, struct pz_err *err);
/* The same from text; name is for messages. */
int pz_keys_parse(struct pz_keys **k, const char *text, size_t n, const char *name,
                  struct pz_err *err);
void pz_keys_free(struct pz_keys *k); // accepts NULL; the secrets are wiped
size_t pz_keys_count(const struct pz_keys *k);

struct pz_sig_rules {
    const struct pz_keys *keys;
    const char *region, *service;
    int64_t max_skew; // seconds
};

/* A request as it was sent. */
struct pz_sig_request {
    const char *method, *target; // target: path and query, nothing unescaped
    const char *body;
    size_t n_body;
    /* Calls fn for all headers in their order. */
    void (*each)(const void *from,
                 void (*fn)(void *ctx, const char *name, const char *value), void *ctx);
    const void *from;
};

/* One thread's memory: the key of the day for the client that was last seen. */
struct pz_sig_cache {
    const void *key;
    char date[9];
    uint8_t signing[PZ_SIG_BYTES];
    struct pz_buf text, scratch;
};
void pz_sig_cache_release(struct pz_sig_cache *c);

/* PZ_FAULT_NONE: it is signed by one of the keys; signature is its signature. Else why it
 * is refused, and the text for the answer in `why`. */
enum pz_fault pz_sig_check(const struct pz_sig_rules *rules, struct pz_sig_cache *cache,
                           const struct pz_sig_request *q, int64_t now,
                           uint8_t signature[PZ_SIG_BYTES], struct pz_buf *why);

#endif
