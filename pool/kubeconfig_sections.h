/*
 * Layer: pool (sees base). One job: the sections that a context names, a function each, called by
 * kubeconfig.c in this order. Each gives 0, or ERR_SETTINGS and a sentence.
 */
#ifndef SIGHTGLASS_POOL_KUBECONFIG_SECTIONS_H
#define SIGHTGLASS_POOL_KUBECONFIG_SECTIONS_H

#include "pool/kubeconfig.h"
#include "pool/kubeconfig_part.h"

enum err_code kubeconfig_read_cluster(
	const struct kubeconfig_part *cluster, struct kubeconfig *out, struct err *err);
enum err_code kubeconfig_read_user(
	const struct kubeconfig_part *user, struct kubeconfig *out, struct err *err);
/* The user's `exec`, with what the cluster has for it. */
enum err_code kubeconfig_read_plugin(const struct kubeconfig_part *exec,
	const struct kubeconfig_part *cluster, struct kubeconfig *out, struct err *err);

/*
 * PEM by two names, of which the inline one wins: NAME-data, and NAME, a file, which is read and
 * whose path goes into `*file`.
 */
enum err_code kubeconfig_read_pem(const struct kubeconfig_part *part, const char *name,
	enum pem_kind kind, struct kubeconfig *config, struct secret *pem, char **file,
	struct err *err);

#endif
