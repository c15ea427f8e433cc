/* evp.h - what stands in for OpenSSL where there is none: names, so that headers which speak of it can be read. */
#ifndef TESTS_TARGET_OPENSSL_EVP_H
#define TESTS_TARGET_OPENSSL_EVP_H

#define NO_OPENSSL /* tests leave out what it would have to judge */

typedef struct evp_pkey EVP_PKEY;
typedef struct evp_md EVP_MD;
typedef struct x509 X509;
typedef struct x509_req X509_REQ;

/* The one function that is here: base64 (target/base64.c). */
int EVP_EncodeBlock(unsigned char *text, const unsigned char *data, int len);

#endif
