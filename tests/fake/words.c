/* words.c - see words.h. */
#include "words.h"

#include "unit/maker.h"

bool words_plain(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] < 0x20 || text[i] > 0x7e) {
            return false;
        }
    }
    return true;
}

void words_judge(const struct acme_event *event)
{
    assert_true(words_plain(event->name.at, event->name.len));
    assert_true(words_plain(event->text.at, event->text.len));
    assert_true(words_plain(event->detail.at, event->detail.len));
}
