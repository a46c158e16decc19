/*
 * Layer: pool (sees base). One job: read a kubeconfig: where the server is, how it is trusted, and
 * who we are to it, by client-go's rules. What of it matters and is not supported is an error. Runs
 * no plugin and opens no connection.
 *
 * Where client-go has a choice of two, as there: inline data before the file; tokenFile before
 * token; a plugin only where the user has no token, no password and no certificate; of several
 * files in $KUBECONFIG the first that has a name.
 */
#ifndef SIGHTGLASS_POOL_KUBECONFIG_H
#define SIGHTGLASS_POOL_KUBECONFIG_H

#include <stdbool.h>

#include "base/err.h"
#include "base/secret.h"
#include "base/tls_context.h"
#include "pool/credential.h"
#include "pool/exec_credential.h"

/* Which one, by the upstream's URL: kubeconfig:[FILE][?context=NAME]. */
struct kubeconfig_url {
	char *file;    /* NULL: the default */
	char *context; /* NULL: the file's current-context */
};

/* What the default depends on; each may be NULL. Borrowed. */
struct kubeconfig_environment {
	const char *kubeconfig; /* $KUBECONFIG: files with ':' between them */
	const char *home;       /* $HOME */
};

enum kubeconfig_user {
	KUBECONFIG_ANONYMOUS, /* or by the certificate alone */
	KUBECONFIG_BEARER,
	KUBECONFIG_BASIC,
	KUBECONFIG_EXEC, /* a plugin says it; see pool/exec_credential.h */
};

struct kubeconfig {
	char *context;
	char *server; /* https://… or http://… */
	bool https;
	bool verify;           /* the server's certificate; false: insecure-skip-tls-verify */
	char *tls_server_name; /* NULL: the server's own */
	char *ca_file;         /* where `ca` came from; NULL: inline. So with the next ones. */
	struct secret ca;      /* PEM; no text: the system's */
	char *certificate_file;
	struct secret certificate; /* PEM; both or neither */
	char *key_file;
	struct secret key;
	enum kubeconfig_user user;
	char *token_file;
	struct secret secret; /* the token, or user:password */
	struct exec_plugin plugin;
	/* All that was looked for, there or not: when one of them changes, read anew. */
	char **files;
	size_t file_count;
};

/*
 * A context's name may be percent-encoded. 0, or ERR_SETTINGS with what would be right; `out` is
 * ended by kubeconfig_url_fini() in every case.
 */
enum err_code kubeconfig_url_parse(struct slice url, struct kubeconfig_url *out, struct err *err);
void kubeconfig_url_fini(struct kubeconfig_url *url);
/* Whether the URL has this scheme. */
bool kubeconfig_url_is(struct slice url);

/*
 * Reads the file or files and all that the context names, blocking. 0, or ERR_SETTINGS: "FILE:LINE:
 * PATH: what is wrong; what would be right", with no secret in it. `out` is ended by
 * kubeconfig_fini() in every case; after an error it holds `files` alone.
 */
enum err_code kubeconfig_load(const struct kubeconfig_url *url,
	const struct kubeconfig_environment *environment, struct kubeconfig *out, struct err *err);
/* Overwrites the secrets. */
void kubeconfig_fini(struct kubeconfig *config);

/* For the TLS with its server, borrowed from it; with its user's certificate and key, or a
 * plugin's. */
struct tls_settings kubeconfig_tls_settings(
	const struct kubeconfig *config, struct slice certificate, struct slice key);
/* Who we are, as a new reference; NULL where nobody, and for KUBECONFIG_EXEC. */
struct credential *kubeconfig_credential(
	const struct kubeconfig *config, const struct credential_key *key);
/* What the plugin is told of the cluster; lives as long as `config`. */
struct exec_cluster kubeconfig_exec_cluster(const struct kubeconfig *config);

#endif
