/*
 * Layer: config. One job: write the settings that are in effect as a YAML file that, read again,
 * gives the same settings.
 */
#ifndef SIGHTGLASS_CONFIG_EFFECTIVE_H
#define SIGHTGLASS_CONFIG_EFFECTIVE_H

#include "base/buffer.h"
#include "config/settings.h"

/*
 * Defaults included. What was `auto` stays that, with what it came to as a comment (`connections`
 * for limits.connections). A token stands in no line but a comment, as [redacted]: a file that held
 * that word as its token would open the inspector to whoever can guess it.
 */
void effective_write(const struct settings *settings, uint32_t connections, struct buffer *out);

/* `text` as a YAML scalar, in double quotes where it would else be read as something other than
 * this text. */
void yaml_write_text(struct slice text, struct buffer *out);

#endif
