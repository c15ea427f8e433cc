/* flow_v1.h - what ACME v1 needs of flow and engine, beyond RFC 8555: a few attributes of rows, a few members. Whoever reads
 * RFC 8555 only may take each of the words below as "no"; a build without ACME_CFG_V1 does, and has none of the code. */
#ifndef ACME_PROTOCOL_FLOW_V1_H
#define ACME_PROTOCOL_FLOW_V1_H

#include "../acme_setup.h"

#ifdef __cplusplus
extern "C" {
#endif

#if ACME_CFG_V1

struct acme_flow;

/* Where the flow arrives when it goes to `step`: there, unless it goes to make an order, or to look whether there is one. */
enum acme_step acme_flow_v1_enter(struct acme_flow *flow, enum acme_step step);
#define acme_entered(flow, step) acme_flow_v1_enter((flow), (step))

/* Of the flow. v1: what the directory is of. issuers: links of the chain that were followed. */
#define ACME_V1_FLOW                                                                                                 \
    bool v1;                                                                                                         \
    uint8_t issuers;

#define acme_is_v1(flow)                ((flow)->v1)
#define acme_directory_is_v1(directory) ((directory)->new_cert[0] != '\0')
#define acme_learn_v1(flow)             ((flow)->v1 = acme_directory_is_v1(&(flow)->directory))

#define acme_issuers(flow)     ((flow)->issuers)
#define acme_costly(row)       ((row)->costly)
#define acme_body_is_der(body) ((body) == ACME_BODY_DER)

#else
#define ACME_V1_FLOW
#define acme_is_v1(flow)                false
#define acme_directory_is_v1(directory) false
#define acme_learn_v1(flow)             ((void)(flow))
#define acme_issuers(flow)              0u
#define acme_entered(flow, step)        (step)
#define acme_costly(row)                false
#define acme_body_is_der(body)          false
#endif

#ifdef __cplusplus
}
#endif

#endif
