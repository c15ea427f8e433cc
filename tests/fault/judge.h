/* judge.h - what a failed assertion means here. The scripted CA and the device judge with cmocka's macros; this file
 * has the functions behind them, so that a failed one ends the case at hand and not the program. */
#ifndef TESTS_FAULT_JUDGE_H
#define TESTS_FAULT_JUDGE_H

#include <setjmp.h>

extern jmp_buf judge_end;     /* where a failed assertion leads */
extern char judge_words[512]; /* what it said                   */

#endif
