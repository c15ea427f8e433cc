/* jwk.c - see jwk.h. */
#include "jwk.h"

#include "../secure/digest.h"
#include "b64url.h"

void acme_jwk_write(struct acme_out *o, const uint8_t point[ACME_POINT_LEN])
{
    acme_out_text(o, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"");
    acme_out_b64url(o, point + 1, 32);
    acme_out_text(o, "\",\"y\":\"");
    acme_out_b64url(o, point + 33, 32);
    acme_out_text(o, "\"}");
}

void acme_jwk_thumbprint(const uint8_t point[ACME_POINT_LEN], char thumbprint[ACME_THUMBPRINT_LEN])
{
    char text[136]; /* the JWK of a P-256 key has 126 characters */
    uint8_t digest[ACME_SHA256_LEN];
    struct acme_out o;
    struct acme_slice jwk;

    acme_out_init(&o, text, sizeof text);
    acme_jwk_write(&o, point);
    jwk = acme_out_since(&o, 0);
    acme_sha256(&jwk, 1, digest);
    acme_out_init(&o, thumbprint, ACME_THUMBPRINT_LEN);
    acme_out_b64url(&o, digest, sizeof digest);
}
