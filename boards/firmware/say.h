/* say.h - lines on the UART: one a change of state, with the time since the start. */
#ifndef FIRMWARE_SAY_H
#define FIRMWARE_SAY_H

#include "acme.h"
#include "wire/out.h"

/* Begins a line; text is added with acme_out_*. */
struct acme_out *say_begin(void);
void say_end(void);

/* A line of two parts. */
void say(const char *text, const char *more);

/* A line with a number. */
void say_figure(const char *label, uint32_t value);

/* struct acme_setup::trace. */
void say_event(void *ctx, const struct acme_event *event);

/* Why a run failed. */
void say_failure(const struct acme_failure *failure);

#endif
