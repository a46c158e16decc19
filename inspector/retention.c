/*
 * Layer: inspector. One job: who goes when the ring is full; see retention.h.
 */
#include "inspector/retention.h"

const char *capture_class_name(enum capture_class class_of)
{
	static const char *const names[] = {
		[CLASS_READ] = "read",
		[CLASS_MUTATION] = "mutation",
		[CLASS_FAILED] = "failed",
	};

	return names[class_of];
}

enum capture_class retention_class(enum method method)
{
	switch (method) {
	case METHOD_GET:
	case METHOD_HEAD:
	case METHOD_OPTIONS:
		return CLASS_READ;
	default:
		return CLASS_MUTATION;
	}
}

uint64_t retention_share(enum capture_class class_of, uint64_t bound)
{
	return class_of == CLASS_READ ? 0 : bound / 4;
}

static bool may_go(
	const struct retention_holding *holding, enum capture_class class_of, uint64_t bound)
{
	return holding->evictable &&
	       holding->amount >= retention_share(class_of, bound) + holding->gives;
}

enum capture_class retention_choose(const struct retention_holding holdings[static CLASSES],
	uint64_t bound, enum capture_class newcomer)
{
	enum capture_class chosen = CLASSES;

	for (unsigned i = 0; i < CLASSES; i++) {
		if (may_go(&holdings[i], (enum capture_class)i, bound) &&
			(chosen == CLASSES || holdings[i].oldest < holdings[chosen].oldest)) {
			chosen = (enum capture_class)i;
		}
	}
	if (chosen == CLASSES && holdings[newcomer].evictable) {
		return newcomer;
	}
	return chosen;
}
