// The functions that name a digest: those of EVP need all of libcrypto, and read its configuration.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "COpenSSL.h"

#include <openssl/md5.h>
#include <openssl/sha.h>

_Static_assert(sizeof(vc_sha256) >= sizeof(SHA256_CTX), "a state of SHA-256 fits");
_Static_assert(sizeof(vc_md5) >= sizeof(MD5_CTX), "a state of MD5 fits");

vc_sha256 vc_sha256_start(void) {
    vc_sha256 state = {{0}};
    SHA256_Init((SHA256_CTX *)&state);
    return state;
}

void vc_sha256_add(vc_sha256 *state, const void *bytes, size_t count) { SHA256_Update((SHA256_CTX *)state, bytes, count); }

void vc_sha256_end(vc_sha256 *state, uint8_t *digest) { SHA256_Final(digest, (SHA256_CTX *)state); }

vc_md5 vc_md5_start(void) {
    vc_md5 state = {{0}};
    MD5_Init((MD5_CTX *)&state);
    return state;
}

void vc_md5_add(vc_md5 *state, const void *bytes, size_t count) { MD5_Update((MD5_CTX *)state, bytes, count); }

void vc_md5_end(vc_md5 *state, uint8_t *digest) { MD5_Final(digest, (MD5_CTX *)state); }
