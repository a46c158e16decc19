/*
 * Layer: pool. One job: choose the context, and read the cluster and the user that it names.
 */
#include "pool/kubeconfig.h"

#include <stdio.h>

#include "base/memory.h"
#include "pool/kubeconfig_sections.h"
#include "pool/kubeconfig_set.h"

enum {
	NAMES_SIZE = 100,
};

/* The place where the context's name comes from: the first file that has one, or the first. */
static struct kubeconfig_part place_of_current(const struct kubeconfig_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		struct kubeconfig_part whole = kubeconfig_whole(&set->files[i]);

		if (kubeconfig_has(&whole, "current-context")) {
			return whole;
		}
	}
	return kubeconfig_whole(&set->files[0]);
}

static enum err_code find_context(const struct kubeconfig_set *set, const char *wanted,
	struct kubeconfig *out, struct kubeconfig_part *context, struct err *err)
{
	struct kubeconfig_part whole = place_of_current(set);
	char names[NAMES_SIZE];
	struct slice name = slice_str(wanted);
	enum err_code code = ERR_NONE;

	if (wanted == NULL) {
		code = kubeconfig_get_text(&whole, "current-context", &name, err);
	}
	if (code != ERR_NONE) {
		return code;
	}
	(void)kubeconfig_names(set, "context", names, sizeof(names));
	if (name.len == 0) {
		return kubeconfig_complain(&whole, "current-context", err,
			"it is missing; it, or ?context=NAME in the upstream's URL, would be "
			"right; "
			"there is: %s",
			names);
	}
	if (!kubeconfig_find(set, "context", name, context)) {
		return kubeconfig_complain(&whole, wanted == NULL ? "current-context" : "contexts",
			err, "there is no context %.*s; one of these would be right: %s",
			(int)(name.len < 60 ? name.len : 60), name.ptr, names);
	}
	out->context = mem_strdup(name.ptr);
	return ERR_NONE;
}

/* The part that the context's member `kind` names. */
static enum err_code follow(const struct kubeconfig_set *set, const struct kubeconfig_part *context,
	const char *kind, struct kubeconfig_part *part, struct err *err)
{
	char names[NAMES_SIZE];
	struct slice name;
	enum err_code code = kubeconfig_get_text(context, kind, &name, err);

	if (code != ERR_NONE) {
		return code;
	}
	if (!kubeconfig_find(set, kind, name, part)) {
		return kubeconfig_complain(context, kind, err,
			"%s; one of these would be right: %s",
			name.len == 0 ? "it is missing" : "there is none of that name",
			kubeconfig_names(set, kind, names, sizeof(names)));
	}
	return ERR_NONE;
}

static enum err_code read_parts(const struct kubeconfig_set *set,
	const struct kubeconfig_part *context, struct kubeconfig *out, struct err *err)
{
	struct kubeconfig_part cluster;
	struct kubeconfig_part user;
	struct kubeconfig_part exec;
	enum err_code code = follow(set, context, "cluster", &cluster, err);

	if (code == ERR_NONE) {
		code = kubeconfig_read_cluster(&cluster, out, err);
	}
	if (code != ERR_NONE || !kubeconfig_has(context, "user")) {
		return code; /* without a user we are nobody */
	}
	code = follow(set, context, "user", &user, err);
	if (code == ERR_NONE) {
		code = kubeconfig_read_user(&user, out, err);
	}
	if (code == ERR_NONE) {
		code = kubeconfig_get_part(&user, "exec", &exec, err);
	}
	if (code == ERR_NONE && kubeconfig_has(&user, "exec") &&
		out->user == KUBECONFIG_ANONYMOUS && out->certificate.text == NULL) {
		code = kubeconfig_read_plugin(&exec, &cluster, out, err);
	}
	return code;
}

static void clear(struct kubeconfig *config)
{
	mem_free(config->context);
	mem_free(config->server);
	mem_free(config->tls_server_name);
	mem_free(config->ca_file);
	mem_free(config->certificate_file);
	mem_free(config->key_file);
	mem_free(config->token_file);
	secret_fini(&config->ca);
	secret_fini(&config->certificate);
	secret_fini(&config->key);
	secret_fini(&config->secret);
	exec_plugin_fini(&config->plugin);
	*config = (struct kubeconfig){.files = config->files, .file_count = config->file_count};
}

enum err_code kubeconfig_load(const struct kubeconfig_url *url,
	const struct kubeconfig_environment *environment, struct kubeconfig *out, struct err *err)
{
	struct kubeconfig_set set;
	struct kubeconfig_part context;
	enum err_code code;

	*out = (struct kubeconfig){.files = NULL};
	code = kubeconfig_set_load(&set, url, environment, out, err);
	if (code == ERR_NONE) {
		code = find_context(&set, url->context, out, &context, err);
	}
	if (code == ERR_NONE) {
		code = read_parts(&set, &context, out, err);
	}
	if (code != ERR_NONE) {
		clear(out);
	}
	kubeconfig_set_fini(&set);
	return code;
}

void kubeconfig_fini(struct kubeconfig *config)
{
	clear(config);
	for (size_t i = 0; i < config->file_count; i++) {
		mem_free(config->files[i]);
	}
	mem_free(config->files);
	*config = (struct kubeconfig){.files = NULL};
}

/* What messages call it; without the data, the name alone would be read as a file. */
static const char *name_of(struct slice data, const char *file, const char *member)
{
	return data.len == 0 ? NULL : file != NULL ? file : member;
}

struct tls_settings kubeconfig_tls_settings(
	const struct kubeconfig *config, struct slice certificate, struct slice key)
{
	struct slice ca = secret_slice(&config->ca);
	bool from_plugin = config->user == KUBECONFIG_EXEC;

	return (struct tls_settings){
		.ca_file = name_of(ca, config->ca_file, "certificate-authority-data"),
		.certificate_file = name_of(certificate, config->certificate_file,
			from_plugin ? "clientCertificateData" : "client-certificate-data"),
		.key_file = name_of(
			key, config->key_file, from_plugin ? "clientKeyData" : "client-key-data"),
		.ca_data = ca,
		.certificate_data = certificate,
		.key_data = key,
		.verify = config->verify,
		.ca_setting = "certificate-authority",
		.certificate_setting = "client-certificate",
		.name_setting = "tls-server-name",
	};
}

struct credential *kubeconfig_credential(
	const struct kubeconfig *config, const struct credential_key *key)
{
	struct credential_parts parts = {
		.secret = secret_slice(&config->secret),
		.certificate = secret_slice(&config->certificate),
		.key = secret_slice(&config->key),
	};

	if (config->user == KUBECONFIG_BEARER) {
		parts.kind = CREDENTIAL_BEARER;
	} else if (config->user == KUBECONFIG_BASIC) {
		parts.kind = CREDENTIAL_BASIC;
	} else if (config->certificate.text != NULL) {
		parts.kind = CREDENTIAL_CLIENT_CERTIFICATE;
	}
	return credential_create(key, &parts);
}

struct exec_cluster kubeconfig_exec_cluster(const struct kubeconfig *config)
{
	return (struct exec_cluster){
		.server = config->server,
		.tls_server_name = config->tls_server_name,
		.verify = config->verify,
		.ca = secret_slice(&config->ca),
	};
}
