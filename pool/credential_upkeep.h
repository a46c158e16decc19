/*
 * Layer: pool (sees base; seen by proxy). One job: read an upstream's credential from where the
 * settings say it is (a file, a kubeconfig, a plugin), and keep it good while the process runs:
 * files that change are read again, plugins run again before what they said ends. What a kubeconfig
 * says of TLS is kept up with it.
 *
 * Belongs to one loop, from credential_upkeep_start() on; whom it tells is
 * pool/credential_source.h.
 */
#ifndef SIGHTGLASS_POOL_CREDENTIAL_UPKEEP_H
#define SIGHTGLASS_POOL_CREDENTIAL_UPKEEP_H

#include "base/err.h"
#include "base/file_watch.h"
#include "base/loop.h"
#include "pool/credential_rules.h"
#include "pool/kubeconfig.h"
#include "pool/upstream.h"

/* Borrowed, for as long as the upkeep lives. */
struct credential_place {
	const char *bearer_file; /* one of these three is not NULL */
	const char *header_file;
	const char *header; /* beside header_file: the field's name */
	const struct kubeconfig_url *kubeconfig;
	struct kubeconfig_environment environment;
	struct credential_scope scope;
};

struct credential_upkeep;

/* What is wrong where a certificate comes from the same place as a credential for some methods
 * alone. */
extern const char credential_use_for_refusal[];

/*
 * Reads all that is in files, gives the upstream its credential source and, by a kubeconfig, its
 * TLS; a plugin has to wait for a loop. Before the first pool is made. The upstream outlives the
 * upkeep. NULL and ERR_SETTINGS where something cannot be used, as the sentence says.
 */
struct credential_upkeep *credential_upkeep_create(
	struct upstream *upstream, const struct credential_place *place, struct err *err);
/* Begins to keep it up: watches its files, runs its plugin. */
void credential_upkeep_start(
	struct credential_upkeep *upkeep, struct loop *loop, struct file_watch *watch);
/* Whether a plugin runs that has never answered: until it has, requests cannot have the credential.
 */
bool credential_upkeep_waits(const struct credential_upkeep *upkeep);
/* Reads everything again, whether or not it seems to have changed. */
void credential_upkeep_reread(struct credential_upkeep *upkeep);
/* On the loop's thread, or when it does not run any more; after the watch was closed. NULL is
 * harmless. */
void credential_upkeep_close(struct credential_upkeep *upkeep);

#endif
