# The one list of sources: what a build of yours takes in, one file a line. The Makefile, port/cmake and every package read it, and
# tests/lint/test_lists.py fails when it differs from the tree. In a Makefile of yours:
#
#     include nanoacme/core/Filelists.mk
#     SOURCES += $(addprefix nanoacme/,$(ACME_CORE) $(ACME_BEARSSL) $(ACME_LWIP) $(ACME_FLASH))
#
# with -Inanoacme/core, -Inanoacme/port/lwip and so on. A file that an option leaves out compiles to nothing.

# core/: the client
ACME_CORE += core/acme.c
ACME_CORE += core/acme_keep.c
ACME_CORE += core/acme_manage.c
ACME_CORE += core/acme_setup.c

# core/wire/: texts
ACME_CORE += core/wire/address.c
ACME_CORE += core/wire/base64.c
ACME_CORE += core/wire/date.c
ACME_CORE += core/wire/der.c
ACME_CORE += core/wire/http.c
ACME_CORE += core/wire/json.c
ACME_CORE += core/wire/link.c
ACME_CORE += core/wire/out.c
ACME_CORE += core/wire/pem.c
ACME_CORE += core/wire/slice.c
ACME_CORE += core/wire/url.c

# core/jose/: signatures
ACME_CORE += core/jose/b64url.c
ACME_CORE += core/jose/jwk.c
ACME_CORE += core/jose/jws.c

# core/x509/: certificates
ACME_CORE += core/x509/alpn.c
ACME_CORE += core/x509/chain.c
ACME_CORE += core/x509/csr.c
ACME_CORE += core/x509/leaf.c
ACME_CORE += core/x509/prefer.c

# core/secure/: keys, random bytes, what is wiped
ACME_CORE += core/secure/cert_scan.c
ACME_CORE += core/secure/hmac.c
ACME_CORE += core/secure/key_p256.c
ACME_CORE += core/secure/plain.c
ACME_CORE += core/secure/seed.c
ACME_CORE += core/secure/wipe.c

# core/protocol/: RFC 8555
ACME_CORE += core/protocol/account.c
ACME_CORE += core/protocol/alternate.c
ACME_CORE += core/protocol/authz.c
ACME_CORE += core/protocol/binding.c
ACME_CORE += core/protocol/challenge_dns01.c
ACME_CORE += core/protocol/challenge_dnsaccount01.c
ACME_CORE += core/protocol/challenge_dnspersist01.c
ACME_CORE += core/protocol/challenge_http01.c
ACME_CORE += core/protocol/choice.c
ACME_CORE += core/protocol/contacts.c
ACME_CORE += core/protocol/directory.c
ACME_CORE += core/protocol/exchange.c
ACME_CORE += core/protocol/flow.c
ACME_CORE += core/protocol/flow_v1.c
ACME_CORE += core/protocol/judge.c
ACME_CORE += core/protocol/leave.c
ACME_CORE += core/protocol/manage.c
ACME_CORE += core/protocol/order.c
ACME_CORE += core/protocol/poll.c
ACME_CORE += core/protocol/problem.c
ACME_CORE += core/protocol/renewal_info.c
ACME_CORE += core/protocol/resource.c
ACME_CORE += core/protocol/tables.c
ACME_CORE += core/protocol/trace.c
ACME_CORE += core/protocol/validate.c
ACME_CORE += core/protocol/wishes.c

# core/dns/: dns-01 by dynamic update
ACME_CORE += core/dns/message.c
ACME_CORE += core/dns/rfc2136.c
ACME_CORE += core/dns/tsig.c

# core/lifecycle/: when to come again
ACME_CORE += core/lifecycle/keeper.c
ACME_CORE += core/lifecycle/plan.c
ACME_CORE += core/lifecycle/record.c
ACME_CORE += core/lifecycle/renew.c
ACME_CORE += core/lifecycle/renewal.c

# TLS, X.509, digests and P-256 by BearSSL. A firmware with a TLS of its own takes ACME_SECURE in its place
ACME_BEARSSL += core/protocol/challenge_tlsalpn01.c
ACME_BEARSSL += core/roots/anchor_table.c
ACME_BEARSSL += core/roots/constraints.c
ACME_BEARSSL += core/roots/roots.c
ACME_BEARSSL += core/secure/channel.c
ACME_BEARSSL += core/secure/channel_setup.c
ACME_BEARSSL += core/secure/digest.c
ACME_BEARSSL += core/secure/ec.c
ACME_BEARSSL += core/secure/p256.c
ACME_BEARSSL += core/secure/tls.c
ACME_BEARSSL += core/secure/visit.c

# a store on raw flash
ACME_FLASH += port/flash/flash_place.c
ACME_FLASH += port/flash/flash_store.c

# stores on a file system, on keys and values
ACME_STORES += port/stores/files_part.c
ACME_STORES += port/stores/files_store.c
ACME_STORES += port/stores/kv_part.c
ACME_STORES += port/stores/kv_store.c

# lwIP: connection, listener, time
ACME_LWIP += port/lwip/clock.c
ACME_LWIP += port/lwip/lwip_conn.c
ACME_LWIP += port/lwip/lwip_listener.c
ACME_LWIP += port/lwip/lwip_net.c
ACME_LWIP += port/lwip/lwip_time.c
ACME_LWIP += port/lwip/lwip_udp.c

# sockets of POSIX, lwIP, Zephyr, NuttX: connection, listener
ACME_SOCKETS += port/sockets/sockets_listener.c
ACME_SOCKETS += port/sockets/sockets_lookup.c
ACME_SOCKETS += port/sockets/sockets_net.c
ACME_SOCKETS += port/sockets/sockets_numeric.c

# POSIX: connection, listener, system, store; the program's files are the Makefile's
ACME_POSIX += port/posix/posix_file.c
ACME_POSIX += port/posix/posix_listener.c
ACME_POSIX += port/posix/posix_lookup.c
ACME_POSIX += port/posix/posix_net.c
ACME_POSIX += port/posix/posix_pair.c
ACME_POSIX += port/posix/posix_place.c
ACME_POSIX += port/posix/posix_store.c
ACME_POSIX += port/posix/posix_sys.c
ACME_POSIX += port/posix/posix_udp.c
ACME_POSIX += port/posix/posix_wait.c
ACME_POSIX += port/sockets/sockets_net.c

# a task of FreeRTOS
ACME_FREERTOS += port/freertos/acme_freertos.c

# a thread of CMSIS-RTOS2
ACME_CMSIS += port/cmsis-rtos2/acme_cmsis.c

# a secure transport of the platform's, in place of core/secure's TLS: between it and the core
ACME_SECURE += port/secure/channel.c

# that transport, keys and digests on Mbed TLS
ACME_MBEDTLS += port/mbedtls/digest.c
ACME_MBEDTLS += port/mbedtls/judge.c
ACME_MBEDTLS += port/mbedtls/key_psa.c
ACME_MBEDTLS += port/mbedtls/mbedtls_net.c
ACME_MBEDTLS += port/mbedtls/p256.c
ACME_MBEDTLS += port/mbedtls/random.c
ACME_MBEDTLS += port/mbedtls/words.c
