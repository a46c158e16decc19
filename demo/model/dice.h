/*
 * Layer: demo. One job: numbers that look random and are the same in every run, so that the sample
 * data can be tested.
 */
#ifndef SIGHTGLASS_DEMO_MODEL_DICE_H
#define SIGHTGLASS_DEMO_MODEL_DICE_H

#include <stdint.h>

#define DEMO_DICE_SEED UINT32_C(0x5167a1a5)

/* 0 to sides - 1; `*dice` moves on (xorshift32, Marsaglia 2003; never 0). */
static inline unsigned demo_dice_throw(uint32_t *dice, unsigned sides)
{
	uint32_t x = *dice;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	*dice = x;
	return x % sides;
}

#endif
