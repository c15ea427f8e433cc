// user.cpp - a firmware in C++17, as far as it concerns us: every function a program calls, linked against the library.
#include "acme.h"
#include "acme_flash.h"
#include "protocol/challenge_http01.h"
#include "secure/anchors.h"
#include "secure/key_p256.h"
#include "secure/tls.h"

namespace {

acme_client client;
acme_tls tls;
unsigned char records[ACME_TLS_BUFFER_MIN];
char work[4096];
acme_key_p256 account_key, certificate_key;
acme_http01 http01;
acme_flash_store store;

int no(void *, const void *, size_t)
{
    return ACME_E_NET;
}

int no_random(void *, void *, size_t)
{
    return ACME_E_RANDOM;
}

int no_read(void *, uint32_t, void *, size_t)
{
    return -1;
}

struct Element final { // a key of the user's own, behind the same operations
    static int sign(void *, const uint8_t *, uint8_t *) { return ACME_E_KEY; }
};

} // namespace

int main()
{
    const char *names[] = {"device.example.org"};
    const acme_solver *solvers[] = {&http01.solver};
    acme_listener listener{};
    acme_net net{};
    acme_sys sys{};
    acme_flash_device device{};
    acme_trust roots{};
    br_x509_trust_anchor anchor{};
    acme_key_ops element = acme_key_p256_ops;
    acme_setup setup{};

    net.send = no;
    sys.random = no_random;
    device.size = 65536;
    device.sector_size = 4096;
    device.prog_size = 4;
    device.read = no_read;
    element.sign = Element::sign;
    element.load = nullptr;
    element.save = nullptr;
    roots.anchors = &anchor;
    roots.count = 1;
    setup.net = &net;
    setup.sys = &sys;
    setup.store = &store.store;
    setup.ca.directory_url = "https://acme-v02.api.letsencrypt.org/directory";
    setup.ca.trust = &roots;
    setup.account_key = {&acme_key_p256_ops, &account_key};
    setup.certificate_key = {&element, &certificate_key};
    setup.names = names;
    setup.name_count = 1;
    setup.accept_terms = true;
    setup.solvers = solvers;
    setup.solver_count = 1;
    setup.work = work;
    setup.work_len = sizeof work;
    setup.tls = &tls;
    setup.tls_buffer = records;
    setup.tls_buffer_len = sizeof records;

    if (acme_flash_init(&store, &device) != 0 || acme_http01_init(&http01, &listener) != 0 ||
        acme_init(&client, &setup) != 0 || acme_start(&client, ACME_IF_DUE, 0) != 0) {
        return 1;
    }
    int64_t from = 0;
    uint16_t port = 0;
    acme_progress progress = ACME_BUSY;
    for (uint32_t now_ms = 0; !acme_is_over(progress); now_ms += acme_idle_ms(&client, now_ms)) {
        progress = acme_tick(&client, now_ms); // what keys there are cannot be read
    }
    acme_stop(&client);
    acme_key_p256_wipe(&account_key);
    return progress == ACME_FAILED && acme_failure(&client)->error < 0 && acme_stats(&client).ticks > 0 &&
                   acme_server(&client, &port) != nullptr && !acme_validity(&client, &from, nullptr, nullptr)
               ? 0
               : 1;
}
