/* record.h - writes what is played into a file, for tests/target to replay on other machines. */
#ifndef TESTS_DIALOGUE_RECORD_H
#define TESTS_DIALOGUE_RECORD_H

#include "script.h"

/* True when the environment names a file: RECORD=path. Then cuts are left out, and keys sign as firmware does. */
bool record_wanted(void);

/* Before a run: its keys sign as the core's own do. `write` it, or leave it at that. */
void record_begin(struct script *s, struct acme_key_ops *keys, bool write);

/* Behind a run that is to be written. */
void record_end(const struct engine *e);

#endif
