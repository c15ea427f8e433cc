/* dns01.c - `make firmware DNS01=1`: names are validated by records that the board itself writes into the zone (dns-01, RFC 2136), so
 * nobody has to reach it; by http-01 where the CA does not offer that. The linker puts this function in the place of
 * firmware_set_up(). */
#include "dns01.h"

int __wrap_firmware_set_up(void);
int __real_firmware_set_up(void);

struct acme_lwip_udp firmware_udp;
static struct acme_rfc2136 dns01;
static const struct acme_solver *const solvers[] = {&dns01.solver, &firmware.http01.solver};

int __wrap_firmware_set_up(void)
{
    int error = __real_firmware_set_up();

    if (error != 0 || acme_lwip_udp_init(&firmware_udp) != 0 || acme_rfc2136_init(&dns01, &firmware_zone) != 0) {
        return error != 0 ? error : ACME_E_SIZE;
    }
    firmware.setup.solvers = solvers;
    firmware.setup.solver_count = sizeof solvers / sizeof solvers[0];
    return 0;
}
