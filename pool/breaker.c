/*
 * Layer: pool. One job: see breaker.h.
 *
 * The word: the phase in 2 bits, the generation in 14, a number in 48. The number counts failures
 * in a row while CLOSED, and is the millisecond up to which the breaker is OPEN. The generation
 * grows with every change of phase; a pass of another one is stale. (It comes round after 16384
 * changes, of which two take `open_ms`: an exchange that lives so long may be taken for a younger
 * one, and count once too often.) Nothing else is published through the word, so no order is asked
 * of it.
 */
#include "pool/breaker.h"

#include <assert.h>

enum {
	NUMBER_BITS = 48,
	GENERATION_BITS = 14,
};

#define NUMBER_MAX ((UINT64_C(1) << NUMBER_BITS) - 1)
#define GENERATION_MAX ((UINT64_C(1) << GENERATION_BITS) - 1)

enum phase {
	PHASE_CLOSED,
	PHASE_OPEN,
	PHASE_PROBING,
};

static enum phase phase_of(uint64_t word)
{
	return (enum phase)(word >> (NUMBER_BITS + GENERATION_BITS));
}

static uint16_t generation_of(uint64_t word)
{
	return (uint16_t)(word >> NUMBER_BITS & GENERATION_MAX);
}

static uint64_t number_of(uint64_t word)
{
	return word & NUMBER_MAX;
}

/* What follows `word` in another phase. */
static uint64_t next_word(uint64_t word, enum phase phase, uint64_t number)
{
	uint64_t generation = (generation_of(word) + UINT64_C(1)) & GENERATION_MAX;

	return (uint64_t)phase << (NUMBER_BITS + GENERATION_BITS) | generation << NUMBER_BITS |
	       (number < NUMBER_MAX ? number : NUMBER_MAX);
}

static uint64_t load(const struct breaker *breaker)
{
	return atomic_load_explicit(&breaker->word, memory_order_relaxed);
}

/* False where somebody else was first: `*word` is then what that one left. */
static bool change(struct breaker *breaker, uint64_t *word, uint64_t next)
{
	return atomic_compare_exchange_weak_explicit(
		&breaker->word, word, next, memory_order_relaxed, memory_order_relaxed);
}

/* Whether it was let in under the state that `word` is of. */
static bool speaks_of(const struct breaker_pass *pass, uint64_t word)
{
	return pass->generation == generation_of(word) &&
	       phase_of(word) == (pass->probe ? PHASE_PROBING : PHASE_CLOSED);
}

void breaker_init(struct breaker *breaker, const struct breaker_settings *settings)
{
	assert(settings->failures == 0 || settings->open_ms > 0);
	breaker->settings = *settings;
	atomic_init(&breaker->word, 0);
}

bool breaker_enter(
	struct breaker *breaker, uint64_t now_ms, struct breaker_pass *pass, uint64_t *wait_ms)
{
	uint64_t word = load(breaker);

	*wait_ms = 0;
	while (phase_of(word) == PHASE_OPEN) {
		uint64_t next = next_word(word, PHASE_PROBING, 0);

		if (now_ms < number_of(word)) {
			*wait_ms = number_of(word) - now_ms;
			return false;
		}
		if (change(breaker, &word, next)) {
			*pass = (struct breaker_pass){
				.generation = generation_of(next), .valid = true, .probe = true};
			return true;
		}
	}
	*pass = (struct breaker_pass){
		.generation = generation_of(word), .valid = phase_of(word) == PHASE_CLOSED};
	return pass->valid;
}

enum breaker_change breaker_worked(struct breaker *breaker, struct breaker_pass *pass)
{
	uint64_t word = load(breaker);

	while (pass->valid && speaks_of(pass, word)) {
		if (pass->probe) {
			if (change(breaker, &word, next_word(word, PHASE_CLOSED, 0))) {
				pass->valid = false;
				return BREAKER_CLOSES;
			}
		} else if (number_of(word) == 0 || change(breaker, &word, word - number_of(word))) {
			break;
		}
	}
	pass->valid = false;
	return BREAKER_STAYS;
}

/* Up to when it is open. */
static uint64_t open_until(
	const struct breaker *breaker, uint64_t now_ms, bool again, uint64_t dice)
{
	uint64_t open_ms = breaker->settings.open_ms;
	uint64_t fifth = open_ms / 5;

	return now_ms + (again ? open_ms - fifth / 2 + dice % (fifth + 1) : open_ms);
}

enum breaker_change breaker_failed(
	struct breaker *breaker, struct breaker_pass *pass, uint64_t now_ms, uint64_t dice)
{
	uint64_t word = load(breaker);
	enum breaker_change done = BREAKER_STAYS;
	bool changed = breaker->settings.failures == 0 || !pass->valid;

	while (!changed && speaks_of(pass, word)) {
		bool opens = pass->probe || number_of(word) + 1 >= breaker->settings.failures;
		uint64_t until_ms = open_until(breaker, now_ms, pass->probe, dice);

		changed = change(
			breaker, &word, opens ? next_word(word, PHASE_OPEN, until_ms) : word + 1);
		if (changed && opens) {
			done = pass->probe ? BREAKER_OPENS_AGAIN : BREAKER_OPENS;
		}
	}
	pass->valid = false;
	return done;
}

void breaker_leave(struct breaker *breaker, struct breaker_pass *pass)
{
	if (pass->valid && pass->probe) {
		uint64_t word = load(breaker);

		/* Nobody else can end the probe; a weak exchange may fail for nothing. */
		while (!change(breaker, &word, next_word(word, PHASE_OPEN, 0))) {
			assert(speaks_of(pass, word));
		}
	}
	pass->valid = false;
}

enum breaker_state breaker_look(const struct breaker *breaker, uint64_t now_ms, uint64_t *wait_ms)
{
	uint64_t word = load(breaker);

	*wait_ms = 0;
	if (phase_of(word) == PHASE_CLOSED) {
		return BREAKER_CLOSED;
	}
	if (phase_of(word) == PHASE_OPEN && now_ms < number_of(word)) {
		*wait_ms = number_of(word) - now_ms;
		return BREAKER_OPEN;
	}
	return BREAKER_HALF_OPEN;
}
