/* ca_manage.h - the scripted CA's part in what is done beside issuing, when the plan says `manage`: accounts are looked
 * for, ended and given another key, certificates revoked. ca.c and ca_v1.c ask here. */
#ifndef TESTS_FAKE_CA_MANAGE_H
#define TESTS_FAKE_CA_MANAGE_H

#include "ca_more.h"

/* Finds what a path stands for. */
bool ca_manage_route(const struct ca *ca, struct request *r, const char *path);

/* newAccount is asked whether there is an account, or for one that was ended: answers. */
bool ca_manage_looked(const struct ca *ca, const struct request *r, struct reply *p);

/* The account in whose name is asked was ended: answers. */
bool ca_manage_ended(const struct ca *ca, const struct request *r, struct reply *p);

/* An account, a revocation, a key: carries out what is asked. */
void ca_manage(struct ca *ca, struct request *r, struct reply *p);

/* Of both protocols: the request of a JWS inside another one; the certificate in a payload, and why. */
void ca_manage_key(struct ca *ca, struct request *r, struct reply *p);
void ca_manage_revoke(struct ca *ca, struct request *r, struct reply *p);

#endif
