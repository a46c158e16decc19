/*
 * Layer: inspector (sees base). One job: find text that is shaped like a secret, wherever it
 * stands: JWTs (also encrypted ones), PEM private keys, AWS, GitHub and Slack keys.
 *
 * What is cut off is found as well: a text may be the beginning of a longer one.
 */
#ifndef SIGHTGLASS_INSPECTOR_TOKEN_SHAPES_H
#define SIGHTGLASS_INSPECTOR_TOKEN_SHAPES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/slice.h"

/* The first such run in `text` that begins at `from` or later: `*found` is a part of `text`. False
 * where there is none. */
bool token_shape_find(struct slice text, size_t from, struct slice *found);

#endif
