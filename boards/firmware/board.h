/* board.h - what a board gives to the firmware. One folder a board implements it. */
#ifndef FIRMWARE_BOARD_H
#define FIRMWARE_BOARD_H

#include <stddef.h>
#include <stdint.h>

#include "lwip/netif.h"

#include "acme_flash.h"

extern const char board_name[];

/* What stands in for parts the board has not, for the first line on the UART. */
extern const char board_notice[];

/* Clocks, UART, counters. Called first. */
void board_init(void);

/* Milliseconds since the start; wraps. */
uint32_t board_now_ms(void);

/* Executed instructions or cycles, thousands; 0 when the board cannot tell. */
uint32_t board_kilo(void);

/* Sends one byte on the UART. */
void board_put(char c);

/* Sleeps until something may have happened, a millisecond at most. */
void board_wait(void);

/* As in struct acme_sys. */
int board_random(void *ctx, void *buf, size_t len);
int board_utc(void *ctx, int64_t *utc);

/* lwIP's function for netif_add(): sets up the Ethernet port. */
err_t board_netif_init(struct netif *netif);

/* Gives frames that have come to lwIP, a few at a time. Returns true when there was one. */
bool board_netif_poll(struct netif *netif);

/* Memory for the records. */
int board_flash_init(void);
extern const struct acme_flash_device board_flash;

/* Ends the run in an emulator; a real board stops. */
_Noreturn void board_exit(int status);

/* Paints the stack, fills variables: called before anything else. */
void image_begin(void);

/* Where the processor goes when it can go nowhere. */
void image_fault(void);

/* The deepest the stack has been, and its size, in bytes. */
uint32_t board_stack_peak(void);
uint32_t board_stack_size(void);

#endif
