/*
 * Digests by OpenSSL's libcrypto.
 *
 * The linker takes 35 KB of the static library: the two digests and the choice of the processor's instructions, but neither OpenSSL's
 * providers nor its configuration. A state is plain memory: it may be copied and dropped at any time.
 */
#ifndef COPENSSL_H
#define COPENSSL_H

#include <stddef.h>
#include <stdint.h>

typedef struct { uint64_t words[14]; } vc_sha256;
typedef struct { uint64_t words[12]; } vc_md5;

vc_sha256 vc_sha256_start(void);
void vc_sha256_add(vc_sha256 *state, const void *bytes, size_t count);
/* Writes 32 bytes; `state` is of no use afterwards. */
void vc_sha256_end(vc_sha256 *state, uint8_t *digest);

vc_md5 vc_md5_start(void);
void vc_md5_add(vc_md5 *state, const void *bytes, size_t count);
/* Writes 16 bytes; `state` is of no use afterwards. */
void vc_md5_end(vc_md5 *state, uint8_t *digest);

#endif
