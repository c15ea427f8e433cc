/* records.c - what a board's memory holds: records MEMORY.img SECTORS SECTOR_BYTES UNIT FOLDER. Each record that is there becomes a file
 * of FOLDER, called by its number (enum acme_record). Says what cannot be read, and fails. */
#include <stdio.h>
#include <stdlib.h>

#include "acme_flash.h"

static FILE *memory;

static int read_from(void *ctx, uint32_t at, void *buf, size_t len)
{
    (void)ctx;
    return fseek(memory, (long)at, SEEK_SET) == 0 && fread(buf, 1, len, memory) == len ? 0 : -1;
}

/* Nobody writes here. */
static int program(void *ctx, uint32_t at, const void *data, size_t len)
{
    (void)ctx, (void)at, (void)data, (void)len;
    return -1;
}

static int erase(void *ctx, uint32_t sector)
{
    (void)ctx, (void)sector;
    return -1;
}

int main(int argc, char **argv)
{
    static struct acme_flash_store s;
    static char text[16384], path[4096];
    int bad = 0;

    if (argc != 6 || (memory = fopen(argv[1], "rb")) == NULL) {
        return 64;
    }
    uint32_t sector = (uint32_t)atoi(argv[3]);
    const struct acme_flash_device device = {.size = (uint32_t)atoi(argv[2]) * sector,
                                             .sector_size = sector,
                                             .prog_size = (uint32_t)atoi(argv[4]),
                                             .read = read_from,
                                             .program = program,
                                             .erase = erase};
    int error = acme_flash_init(&s, &device);
    if (error != 0) {
        printf("no store: %d\n", error);
        return 1;
    }
    for (int record = 0; record < ACME_RECORD_COUNT; record++) {
        int len = s.store.get(s.store.ctx, (enum acme_record)record, text, sizeof text);
        if (len < 0 || (size_t)len > sizeof text) {
            printf("record %d: %d\n", record, len);
            bad = 1;
        } else if (len > 0) {
            (void)snprintf(path, sizeof path, "%s/%d", argv[5], record);
            FILE *f = fopen(path, "wb");
            bad = bad || f == NULL || fwrite(text, 1, (size_t)len, f) != (size_t)len || fclose(f) != 0;
        }
    }
    return bad;
}
