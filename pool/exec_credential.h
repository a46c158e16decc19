/*
 * Layer: pool (sees base). One job: what an exec plugin of client-go's kind (client.authentication.
 * k8s.io/v1 and v1beta1) is told, and what it answers. Starts no process.
 */
#ifndef SIGHTGLASS_POOL_EXEC_CREDENTIAL_H
#define SIGHTGLASS_POOL_EXEC_CREDENTIAL_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/err.h"
#include "base/json_read.h"
#include "base/secret.h"

enum {
	EXEC_OUTPUT_MAX = 1024 * 1024,
};

struct exec_variable {
	char *name;
	char *value;
};

/* How a plugin is run; owns its texts. All zero is no plugin. */
struct exec_plugin {
	char *api_version; /* one that exec_version_known() knows */
	char *command;     /* with a '/' in it a path, else looked up in PATH */
	char **arguments;  /* without the command */
	size_t argument_count;
	struct exec_variable *variables; /* beside those that are inherited */
	size_t variable_count;
	char *install_hint;         /* NULL where there is none */
	bool provides_cluster_info; /* the cluster is told */
	json_t *cluster_config;     /* what the kubeconfig has for the plugin; NULL: nothing */
};

/* What a plugin is told of the cluster; borrowed. */
struct exec_cluster {
	const char *server;
	const char *tls_server_name; /* NULL: the server's own */
	bool verify;
	struct slice ca; /* PEM; empty: the system's */
};

/* What a plugin answered. All zero is nothing. */
struct exec_credential {
	struct secret token;       /* no text where there is none */
	struct secret certificate; /* PEM; both or neither */
	struct secret key;
	uint64_t expires_s; /* wall-clock seconds; 0: it said nothing */
};

/* Overwrites and frees; harmless on a struct that is all zero, which it leaves. */
void exec_plugin_fini(struct exec_plugin *plugin);
void exec_credential_fini(struct exec_credential *credential);

bool exec_version_known(struct slice api_version);

/* Appends the JSON of KUBERNETES_EXEC_INFO. `cluster` is looked at where the plugin is to be told.
 */
void exec_credential_info(
	const struct exec_plugin *plugin, const struct exec_cluster *cluster, struct buffer *out);

/*
 * The argument list and the environment of the plugin's process, each ended by NULL, to be ended by
 * exec_strings_destroy(). The environment is `inherited` (such as environ), less our own settings,
 * which hold secrets of ours; then the plugin's variables; then KUBERNETES_EXEC_INFO. A later one
 * of a name replaces an earlier one.
 */
char **exec_credential_arguments(const struct exec_plugin *plugin);
char **exec_credential_environment(
	const struct exec_plugin *plugin, struct slice info, char *const *inherited);
/* Overwrites each. Takes NULL. */
void exec_strings_destroy(char **strings);

/*
 * Reads what the plugin wrote to its stdout. 0, or ERR_SETTINGS and a sentence that never holds a
 * part of a credential; `credential` is then all zero. To be ended by exec_credential_fini().
 */
enum err_code exec_credential_parse(struct slice output, const char *api_version,
	struct exec_credential *credential, struct err *err);

#endif
