/* later.c - see later.h: port/flash once more, to which every kind of record is its own. */
#include "fake/later.h"
#include "flash_place.h"

#undef ACME_FLASH_RECORDS
#define ACME_FLASH_RECORDS ACME_FLASH_KINDS
#define acme_flash_init    later_init
#include "../../port/flash/flash_store.c"
