/* setup.c - what the client of every firmware here works with. */
#include "board.h"
#include "firmware.h"

struct firmware firmware;

int firmware_set_up(void)
{
    struct acme_setup *s = &firmware.setup;

    if (acme_lwip_net_init(&firmware.net) != 0 ||
        acme_lwip_listener_init(&firmware.http, 80, ACME_HTTP01_SLOTS) != 0 ||
        acme_http01_init(&firmware.http01, &firmware.http.listener) != 0) {
        return ACME_E_SIZE;
    }
    firmware.solver = &firmware.http01.solver;
    firmware.sys = (struct acme_sys){NULL, board_random, board_utc};
    s->net = &firmware.net.net;
    s->sys = &firmware.sys;
    s->store = &firmware.store.store;
    s->ca.directory_url = firmware_site.directory_url;
    s->ca.trust = firmware_site.trust;
    s->ca.tls_name = firmware_site.tls_name;
    s->account_key = (struct acme_key){&acme_key_p256_ops, &firmware.account_key};
    s->certificate_key = (struct acme_key){&acme_key_p256_ops, &firmware.certificate_key};
    s->names = firmware_site.names;
    s->name_count = firmware_site.name_count;
    s->accept_terms = true;
    s->solvers = &firmware.solver;
    s->solver_count = 1;
    s->work = firmware.work;
    s->work_len = sizeof firmware.work;
    s->tls = &firmware.tls.client;
    s->tls_buffer = firmware.record_buffer;
    s->tls_buffer_len = sizeof firmware.record_buffer;
    return 0;
}
