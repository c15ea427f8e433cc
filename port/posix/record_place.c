/* record_place.c - where a record is, for words. */
#include "config.h"
#include "report.h"

const char *acme_report_key(const struct acme_report *r, enum acme_record record)
{
    const char *uri = record == ACME_RECORD_KEY           ? r->config->key
                      : record == ACME_RECORD_ACCOUNT_KEY ? r->config->account_key
                                                          : NULL;
    (void)acme_posix_place_record(r->store, record);
    return uri != NULL ? uri : r->store->path;
}
