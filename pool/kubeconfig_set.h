/*
 * Layer: pool (sees base). One job: the files that make up a kubeconfig: which ones, read and
 * checked for their shape, and what is found in them by name. Seen by kubeconfig*.c alone.
 */
#ifndef SIGHTGLASS_POOL_KUBECONFIG_SET_H
#define SIGHTGLASS_POOL_KUBECONFIG_SET_H

#include "pool/kubeconfig.h"
#include "pool/kubeconfig_part.h"

enum {
	KUBECONFIG_FILES_MAX = 16,
	KUBECONFIG_NAMES_MAX = 1000, /* of clusters, users or contexts in a file */
};

struct kubeconfig_set {
	struct kubeconfig_file files[KUBECONFIG_FILES_MAX]; /* those that are there */
	size_t count;                                       /* at least 1 after a good load */
};

/*
 * Every path that is looked for goes into config->files. 0, or ERR_SETTINGS; ended by
 * kubeconfig_set_fini() in every case.
 */
enum err_code kubeconfig_set_load(struct kubeconfig_set *set, const struct kubeconfig_url *url,
	const struct kubeconfig_environment *environment, struct kubeconfig *config,
	struct err *err);
void kubeconfig_set_fini(struct kubeconfig_set *set);

/*
 * The mapping called `kind` ("cluster", "user", "context") of the first item of that name; false
 * where there is none.
 */
bool kubeconfig_find(const struct kubeconfig_set *set, const char *kind, struct slice name,
	struct kubeconfig_part *part);
/* The names of that kind, ", " between them, as many as fit; "none" where there are none. Returns
 * `out`. */
const char *kubeconfig_names(
	const struct kubeconfig_set *set, const char *kind, char *out, size_t size);

/* Adds a copy to config->files. */
void kubeconfig_remember(struct kubeconfig *config, const char *path);

#endif
