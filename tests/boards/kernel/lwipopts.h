/* lwipopts.h - lwIP in a thread of its own: what differs from boards/firmware/lwipopts.h. */
#ifndef KERNEL_LWIPOPTS_H
#define KERNEL_LWIPOPTS_H

#define NO_SYS                   0
#define SYS_LIGHTWEIGHT_PROT     1
#define LWIP_TCPIP_CORE_LOCKING  1
#define TCPIP_THREAD_NAME        "tcpip"
#define TCPIP_THREAD_PRIO        3
#define TCPIP_THREAD_STACKSIZE   2560
#define TCPIP_MBOX_SIZE          16
#define MEMP_NUM_TCPIP_MSG_API   2
#define MEMP_NUM_TCPIP_MSG_INPKT 8

/* Whoever uses lwIP without its lock ends the run. */
void kernel_check_lwip_lock(void);
#define LWIP_ASSERT_CORE_LOCKED() kernel_check_lwip_lock()

/* Something came for the client. */
void kernel_wake_client(void);
#define ACME_LWIP_WAKE() kernel_wake_client()

#include "../../../boards/firmware/lwipopts.h"

#endif
