/*
 * Layer: config. One job: the text of --help.
 */
#ifndef SIGHTGLASS_CONFIG_HELP_H
#define SIGHTGLASS_CONFIG_HELP_H

#include "base/buffer.h"

void help_write(struct buffer *out);

#endif
