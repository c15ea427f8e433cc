/* child.h - work that is done in a process of its own: with its own rights, its own fence, its own lock, and one certificate's
 * trouble is nobody else's. */
#ifndef ACME_POSIX_CHILD_H
#define ACME_POSIX_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Signals that have come: one that ends all in good order, and SIGHUP, if that is not one of them. */
extern volatile sig_atomic_t acme_child_stop, acme_child_again;

/* To be called once: from now on signals are held back, and come during acme_child_pause() only. `again`: SIGHUP does not end
 * the program. */
void acme_child_begin(bool again);

/* Starts `work`; what it returns is the exit code. The child is told to end when we do. -1: errno. */
pid_t acme_child_start(int (*work)(void *ctx), void *ctx);

/* Sleeps until a signal comes, a child ends, or the time is over. */
void acme_child_pause(uint32_t ms);

/* True when the child has ended: its exit code, 128 + the signal that ended it. */
bool acme_child_ended(pid_t child, int *code);

/* For a process that serves ours by one descriptor: closes all the others but the first three, so that nothing of the run's goes
 * along: not its state directory, nor what whoever started it has left open. */
void acme_child_keep_only(int fd);

#endif
