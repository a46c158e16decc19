/*
 * Layer: config. One job: of many known names, find the one that somebody who misspelled it
 * probably meant.
 */
#ifndef SIGHTGLASS_CONFIG_NEAREST_H
#define SIGHTGLASS_CONFIG_NEAREST_H

#include <stddef.h>

#include "base/slice.h"

struct nearest {
	struct slice word;
	struct slice best; /* of what was offered; it lives as long as that */
	size_t distance;
};

/* `word` must outlive it. */
void nearest_init(struct nearest *nearest, struct slice word);
/* Names with dots count as near as well where only their last parts are near: `capture.memory` for
 * `memory`. */
void nearest_offer(struct nearest *nearest, struct slice name);

#endif
