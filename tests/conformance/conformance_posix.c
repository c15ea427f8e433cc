/* conformance_posix.c - the conformance run of the POSIX port: conformance_posix DIRECTORY (empty or missing). */
#include "conformance_host.h"

static struct acme_posix_store store;

static void reset(void)
{
    acme_posix_store_init(&store, store.state, "conformance.example");
}

int main(int argc, char **argv)
{
    struct conformance_port port = conformance_host(&store.store, reset);

    port.name = "localhost";
    port.unknown = "unknown.invalid";
    if (argc != 2) {
        fprintf(stderr, "usage: conformance_posix DIRECTORY\n");
        return 64;
    }
    acme_posix_store_init(&store, argv[1], "conformance.example");
    if (acme_posix_store_make(&store) != 0) {
        fprintf(stderr, "cannot make %s\n", argv[1]);
        return 1;
    }
    return conformance_run(&port) == 0 ? 0 : 1;
}
