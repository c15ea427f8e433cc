/* conformance_stores.c - the conformance run of port/stores on media in memory: conformance_stores replacing|names|values. The rest of
 * the port is POSIX's. */
#include <string.h>

#include "conformance_host.h"
#include "fake/media.h"

static struct media media;
static struct acme_files_store files;
static struct acme_kv_store kv;

static void reset(void)
{
    media_on(&media);
    acme_files_init(&files, &media.files);
    (void)acme_kv_init(&kv, &media.kv);
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: conformance_stores replacing|names|values\n");
        return 64;
    }
    const struct conformance_port port =
        conformance_host(strcmp(argv[1], "values") == 0 ? &kv.store : &files.store, reset);
    media_new(&media, strcmp(argv[1], "replacing") == 0);
    reset();
    return conformance_run(&port) == 0 && media.misused == 0 ? 0 : 1;
}
