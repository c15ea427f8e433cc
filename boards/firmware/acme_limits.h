/* acme_limits.h - core/acme_config.h for a part with 64 KiB of RAM. */
#define ACME_NAMES_MAX 2
#ifdef FIRMWARE_SMALL
#define ACME_URL_MAX    144
#define ACME_DETAIL_MAX 96
#else
#define ACME_URL_MAX    192
#define ACME_DETAIL_MAX 160
#endif
