/* status.c - what the page is to say, from where it is known. */
#include "board.h"
#include "firmware.h"
#include "page.h"
#include "system.h"
#include "words.h"
#include "wire/date.h"

void status_look(struct page *p)
{
    const struct acme_stats stats = acme_stats(&firmware.client);

    p->board = board_name;
    p->names = firmware_site.names;
    p->name_count = firmware_site.name_count;
    p->error = firmware.last_error != 0 ? words_error(firmware.last_error) : NULL;
    int64_t utc = 0;
    p->utc = 0;
    if (firmware.sys.utc(firmware.sys.ctx, &utc) == 1) {
        p->utc = acme_moment(utc);
    }
    p->planned = acme_plan(&firmware.client, &p->plan);
    p->figures[PAGE_FLASH] = firmware_flash();
    p->figures[PAGE_RAM] = firmware_ram();
    p->figures[PAGE_STACK_PEAK] = system_stack_peak();
    p->figures[PAGE_HEAP] = 0; /* there is none */
    p->figures[PAGE_REQUESTS] = stats.requests;
    p->figures[PAGE_HANDSHAKES] = stats.handshakes;
    p->figures[PAGE_POLLS] = stats.polls;
    p->figures[PAGE_LONGEST_TICK] = firmware.longest_tick;
}
