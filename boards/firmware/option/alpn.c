/* alpn.c - `make firmware ALPN=1`: names are validated by TLS on port 443 (tls-alpn-01), and by http-01 where the CA does not offer
 * that. The port is the page's, which is served when the client rests. The linker puts these functions in the place of
 * firmware_set_up() and https_knock(). */
#include "firmware.h"
#include "protocol/challenge_tlsalpn01.h"

int __wrap_firmware_set_up(void);
int __real_firmware_set_up(void);
bool __wrap_https_knock(bool open);
bool __real_https_knock(bool open);

/* A visit's memory is its own: the page's is the client's while it runs, whose connection to the CA stays open. */
static struct acme_tlsalpn01 tlsalpn01;
static const struct acme_solver *const solvers[] = {&tlsalpn01.solver, &firmware.http01.solver};

int __wrap_firmware_set_up(void)
{
    int error = __real_firmware_set_up();

    if (error != 0 || acme_lwip_listener_init(&firmware.https, 443, ACME_HTTP01_SLOTS) != 0 ||
        acme_tlsalpn01_init(&tlsalpn01, &firmware.https.listener, &firmware.sys) != 0) {
        return error != 0 ? error : ACME_E_SIZE;
    }
    firmware.setup.solvers = solvers;
    firmware.setup.solver_count = sizeof solvers / sizeof solvers[0];
    return 0;
}

/* Who comes while an answer is on show is no visitor of the page. */
bool __wrap_https_knock(bool open)
{
    return !acme_tlsalpn01_busy(&tlsalpn01) && __real_https_knock(open);
}
