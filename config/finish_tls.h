/*
 * Layer: config. One job: the last step of a draft for what it says of TLS: whether the files can
 * be used, so that a wrong one stops the start and not the first connection.
 */
#ifndef SIGHTGLASS_CONFIG_FINISH_TLS_H
#define SIGHTGLASS_CONFIG_FINISH_TLS_H

#include "config/draft.h"

void finish_listener_tls(struct draft *draft);
/* Its address was read. */
void finish_upstream_tls(struct draft *draft, struct upstream_draft *upstream);

#endif
