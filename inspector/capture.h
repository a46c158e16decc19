/*
 * Layer: inspector. One job: the observer that makes records: of exchanges captured in full or with
 * their heads, into the store; of those captured as a row, into the poll log. Belongs to one
 * worker. The inspector's own exchanges are never captured.
 */
#ifndef SIGHTGLASS_INSPECTOR_CAPTURE_H
#define SIGHTGLASS_INSPECTOR_CAPTURE_H

#include <stdint.h>

#include "inspector/store.h"
#include "proxy/observer.h"

struct capture; /* opaque */

/* `store` outlives it; at most `body_max` bytes of a body are kept (capture.body). Never NULL. */
struct capture *capture_create(struct capture_store *store, uint64_t body_max);
/* After the worker's last exchange has ended. */
void capture_destroy(struct capture *capture);
/* To be put among the worker's observers; lives as long as the capture. */
struct observer *capture_observer(struct capture *capture);

#endif
