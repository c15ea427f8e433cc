/* conformance.c - the conformance run of this port. On a board, main() brings up the system first and say() writes to
 * the UART. */
#include <stdio.h>

#include "conformance.h"
#include "port.h"

static uint16_t listening(void)
{
    return 80;
}

static uint32_t now_ms(void)
{
    /* Your tick counter. This one makes the checks give up soon. */
    static uint32_t ms;
    return ms += 1000;
}

static void wait_a_little(void)
{
    /* Let the stack run: a poll of the driver, or a short sleep. */
}

static void reset(void)
{
    /* Forget what the store has in RAM; read it again from the medium. */
}

static void say(const char *line)
{
    (void)puts(line);
}

int main(void)
{
    static const struct conformance_port port = {
        .net = &acme_template_net,
        .listener = &acme_template_listener,
        .sys = &acme_template_sys,
        .store = &acme_template_store,
        .address = "127.0.0.1",
        .listening = listening,
        .now_ms = now_ms,
        .wait = wait_a_little,
        .reset = reset,
        .say = say,
    };
    return conformance_run(&port) == 0 ? 0 : 1;
}
