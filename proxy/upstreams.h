/*
 * Layer: proxy. One job: the upstreams of the settings: made, with their TLS and credentials, and
 * kept up while the process runs.
 */
#ifndef SIGHTGLASS_PROXY_UPSTREAMS_H
#define SIGHTGLASS_PROXY_UPSTREAMS_H

#include "base/err.h"
#include "base/file_watch.h"
#include "base/loop.h"
#include "proxy/settings.h"

struct upstreams; /* opaque: its members are in upstreams.c */

/*
 * Reads certificates, kubeconfigs and credentials; runs nothing yet. `settings` outlive it. NULL
 * and ERR_SETTINGS where a file cannot be used; the sentence names upstream and file.
 */
struct upstreams *upstreams_create(const struct proxy_settings *settings, struct err *err);
/* When no pool is left. Takes NULL. */
void upstreams_destroy(struct upstreams *upstreams);
/* In the order of the settings; lives as long as they do. */
struct upstream **upstreams_list(const struct upstreams *upstreams);

/* Watches their files from here on, and runs their plugins, in that loop. */
void upstreams_start(struct upstreams *upstreams, struct loop *loop, struct file_watch *watch);
/* Runs the loop until each plugin has answered for the first time, or failed: they run side by
 * side, each within EXEC_TIMEOUT_MS. */
void upstreams_wait_for_plugins(struct upstreams *upstreams);
/* Reads all files again, whether or not they seem to have changed. On the loop's thread. */
void upstreams_reread(struct upstreams *upstreams);
/* Ends what upstreams_start() began; after the watch was closed. */
void upstreams_stop(struct upstreams *upstreams);

/* Reads a source's files again, and says in the log what came of it; `whose` are they. */
void upstreams_reread_tls(struct tls_source *source, const char *whose);

#endif
