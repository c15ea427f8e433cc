/* ca_v1_names.c - the names of authorizations at the scripted CA of 2016: also where there is no CA, but only its recording. */
#include "ca_v1.h"

#include <stdio.h>

void ca_v1_authz_path(unsigned authz, char out[64])
{
    snprintf(out, 64, "a%02u-cyMZVMzLOtJDrEBIXYedQWDRaCi5HSMN3ouPTRlr",
             authz % 100); /* 43 characters, as Boulder's */
    out[43] = '\0';
}

void ca_v1_authz_url(unsigned authz, char *out, size_t cap)
{
    char path[64];
    ca_v1_authz_path(authz, path);
    snprintf(out, cap, CA_URL "/acme/authz/%s", path);
}
