/* error_text.c - see report.h. Out of the one table of acme_error.h. */
#include "report.h"

struct acme_error_text acme_error_text(int error)
{
    switch (error) {
#define ACME_ERROR_CASE(name, value, retry, meaning, cause)                                                          \
    case name:                                                                                                       \
        return (struct acme_error_text){#name, meaning, cause, retry != 0};
        ACME_ERRORS(ACME_ERROR_CASE)
#undef ACME_ERROR_CASE
    default:
        return (struct acme_error_text){"ACME_E_?", "unknown error", "a newer core than this program", true};
    }
}
