/* plans.h - the dimensions: what can go wrong, and how often. */
#ifndef TESTS_FAULT_PLANS_H
#define TESTS_FAULT_PLANS_H

#include "trial.h"

extern const struct dimension dimensions[];
extern const unsigned dimension_count;

#endif
