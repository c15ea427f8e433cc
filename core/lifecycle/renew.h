/* renew.h - when a certificate is due. */
#ifndef ACME_LIFECYCLE_RENEW_H
#define ACME_LIFECYCLE_RENEW_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The moment from which a certificate should be renewed: when a third of its life is left, or half of it when
 * that life is below ten days (Let's Encrypt's integration guide, 2026). Seconds since 1970. */
uint32_t acme_renew_at(uint32_t not_before, uint32_t not_after);

#ifdef __cplusplus
}
#endif

#endif
