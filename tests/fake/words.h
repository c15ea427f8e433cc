/* words.h - what the core may say: printable ASCII, on one line. */
#ifndef TESTS_FAKE_WORDS_H
#define TESTS_FAKE_WORDS_H

#include "acme_setup.h"

bool words_plain(const char *text, size_t len);

/* Fails on any other character in what an event tells. */
void words_judge(const struct acme_event *event);

#endif
