/* loop.c - no kernel (NO_SYS=1): lwIP has its turns in the firmware's own loop. */
#include "lwip/dhcp.h"
#include "lwip/init.h"
#include "lwip/timeouts.h"
#include "netif/ethernet.h"

#include "board.h"
#include "say.h"
#include "system.h"

static struct netif netif;

_Noreturn void system_run(void (*task)(void))
{
    for (;;) {
        task();
    }
}

void system_begin_network(void)
{
    lwip_init();
    (void)netif_add(&netif, NULL, NULL, NULL, NULL, board_netif_init, ethernet_input);
    netif_set_default(&netif);
    netif_set_up(&netif);
    (void)dhcp_start(&netif);
    while (!dhcp_supplied_address(&netif)) {
        if (!system_poll()) {
            board_wait();
        }
    }
    say("address ", ip4addr_ntoa(netif_ip4_addr(&netif)));
}

bool system_poll(void)
{
    bool moved = board_netif_poll(&netif);
    sys_check_timeouts();
    return moved;
}

void system_wait(uint32_t ms)
{
    (void)ms; /* the Ethernet port is polled: no longer than to the next millisecond */
    board_wait();
}

uint32_t system_stack_peak(void)
{
    return board_stack_peak();
}

uint32_t system_stack_size(void)
{
    return board_stack_size();
}

void system_report(void)
{
}
