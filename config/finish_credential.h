/*
 * Layer: config. One job: the last step of a draft for what it says of credentials and kubeconfigs:
 * whether the files can be used, so that a wrong one stops the start and not the first request.
 */
#ifndef SIGHTGLASS_CONFIG_FINISH_CREDENTIAL_H
#define SIGHTGLASS_CONFIG_FINISH_CREDENTIAL_H

#include "config/draft.h"

/* Of an upstream whose URL is a kubeconfig's: reads it, for the upstream's address. */
void finish_upstream_kubeconfig(struct draft *draft, struct upstream_draft *upstream);
/* Its address was read. */
void finish_upstream_credential(struct draft *draft, struct upstream_draft *upstream);

#endif
