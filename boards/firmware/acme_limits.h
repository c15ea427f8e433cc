/* acme_limits.h - core/acme_config.h for a part with 64 KiB of RAM. */
#define ACME_NAMES_MAX  2
#define ACME_URL_MAX    192
#define ACME_DETAIL_MAX 160
