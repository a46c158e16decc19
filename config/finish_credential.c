/*
 * Layer: config. One job: see finish_credential.h.
 */
#include "config/finish_credential.h"

#include "base/memory.h"
#include "config/value_list.h"
#include "pool/credential_upkeep.h"
#include "pool/exec_process.h"
#include "pool/secret_file.h"

static char *copy(const char *text)
{
	return text == NULL ? NULL : mem_strdup(text);
}

static bool was_said(const struct upstream_draft *upstream, const char *key)
{
	return object_place(&upstream->object, key).source != SOURCE_DEFAULT;
}

/* --- kubeconfigs */

/* The kubeconfig says all of it. */
static void refuse_tls(struct draft *draft, const struct upstream_draft *upstream)
{
	const struct upstream_tls *tls = &upstream->settings.tls;
	const struct {
		const char *key;
		bool said;
	} keys[] = {{"tls.ca", tls->ca != NULL}, {"tls.certificate", tls->certificate != NULL},
		{"tls.key", tls->key != NULL}, {"tls.server_name", tls->server_name != NULL},
		{"tls.verify", !tls->verify}};

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (keys[i].said) {
			object_complain(&upstream->object, keys[i].key, &draft->problems,
				"the upstream's kubeconfig says it; leave it out, or give a URL "
				"such as https://HOST:PORT");
		}
	}
}

/* Where the plugin will be looked for: as its own environment has it. */
static const char *search_path(const struct draft *draft, const struct exec_plugin *plugin)
{
	const char *path = draft->search_path;

	for (size_t i = 0; i < plugin->variable_count; i++) {
		if (slice_equal(slice_str(plugin->variables[i].name), SLICE("PATH"))) {
			path = plugin->variables[i].value;
		}
	}
	return path;
}

static void check_plugin(
	struct draft *draft, struct upstream_draft *upstream, const struct exec_plugin *plugin)
{
	struct err err = ERR_INIT;

	if (exec_command_check(plugin->command, search_path(draft, plugin), &err) != ERR_NONE) {
		object_complain(&upstream->object, "url", &draft->problems,
			"the kubeconfig's exec plugin %s; %s", err.text,
			plugin->install_hint != NULL ? plugin->install_hint
						     : "install it, or give its path");
	}
}

static void check_tls(
	struct draft *draft, struct upstream_draft *upstream, const struct kubeconfig *config)
{
	struct tls_settings settings = kubeconfig_tls_settings(
		config, secret_slice(&config->certificate), secret_slice(&config->key));
	struct err err = ERR_INIT;
	struct tls_context *context;

	if (!config->https) {
		return;
	}
	context = tls_context_create_client(&settings, &err);
	if (context == NULL) {
		object_complain(
			&upstream->object, "url", &draft->problems, "the kubeconfig: %s", err.text);
	}
	tls_context_release(context);
}

static void use_kubeconfig(
	struct draft *draft, struct upstream_draft *upstream, const struct kubeconfig *config)
{
	struct err err = ERR_INIT;

	if (upstream_address_parse(slice_str(config->server), &upstream->settings.address, &err) !=
		ERR_NONE) {
		object_complain(&upstream->object, "url", &draft->problems,
			"the kubeconfig's server: %s", err.text);
		return;
	}
	check_tls(draft, upstream, config);
	if (config->user == KUBECONFIG_EXEC) {
		check_plugin(draft, upstream, &config->plugin);
	}
	if (config->certificate.text != NULL && was_said(upstream, "credential.use_for")) {
		object_complain(&upstream->object, "credential.use_for", &draft->problems, "%s",
			credential_use_for_refusal);
	}
}

void finish_upstream_kubeconfig(struct draft *draft, struct upstream_draft *upstream)
{
	struct upstream_kubeconfig *kubeconfig = &upstream->settings.kubeconfig;
	const struct kubeconfig_environment environment = {
		.kubeconfig = draft->kubeconfig_paths, .home = draft->home};
	struct kubeconfig config;
	struct err err = ERR_INIT;

	kubeconfig->used = true;
	kubeconfig->paths = copy(draft->kubeconfig_paths);
	kubeconfig->home = copy(draft->home);
	(void)kubeconfig_url_parse(slice_str(upstream->settings.url), &kubeconfig->url,
		NULL); /* it was checked when it was read */
	refuse_tls(draft, upstream);
	if (kubeconfig_load(&kubeconfig->url, &environment, &config, &err) == ERR_NONE) {
		use_kubeconfig(draft, upstream, &config);
	} else {
		object_complain(&upstream->object, "url", &draft->problems, "%s", err.text);
	}
	kubeconfig_fini(&config);
}

/* --- files */

static void check_secret(struct draft *draft, struct upstream_draft *upstream, const char *key,
	const char *path, enum secret_shape shape)
{
	struct secret secret;
	struct err err = ERR_INIT;

	if (secret_file_read(path, shape, &secret, &err) == ERR_NONE) {
		secret_fini(&secret);
	} else {
		object_complain(&upstream->object, key, &draft->problems, "%s", err.text);
	}
}

/* What cannot be said together; NULL where nothing is. */
static const char *contradiction(const struct upstream_settings *settings, const char **key)
{
	const struct upstream_credential *credential = &settings->credential;

	*key = credential->bearer_file != NULL   ? "credential.bearer_file"
	       : credential->header_file != NULL ? "credential.header_file"
						 : "credential.header";
	if (settings->kubeconfig.used &&
		(credential->bearer_file != NULL || credential->header_file != NULL ||
			credential->header != NULL)) {
		return "the upstream's kubeconfig says who we are; leave it out, or give a URL "
		       "such as https://HOST:PORT";
	}
	if (credential->bearer_file != NULL &&
		(credential->header != NULL || credential->header_file != NULL)) {
		return "there is a credential.header, too; give one of them";
	}
	if (credential->header_file != NULL && credential->header == NULL) {
		return "there is no credential.header beside the file; give both";
	}
	if (credential->header != NULL && credential->header_file == NULL) {
		return "there is no credential.header_file beside the field's name; give both";
	}
	return NULL;
}

static void finish_methods(struct draft *draft, struct upstream_draft *upstream)
{
	struct upstream_credential *credential = &upstream->settings.credential;

	if (!was_said(upstream, "credential.use_for")) {
		credential->methods = SETTINGS_METHODS_ALL;
	} else if (credential->methods == 0) {
		object_complain(&upstream->object, "credential.use_for", &draft->problems,
			"it names no method; give some such as [GET, HEAD], or leave it out");
	}
}

/* What says how a credential is used, where there is none. */
static void refuse_use_of_none(struct draft *draft, const struct upstream_draft *upstream)
{
	const char *key = was_said(upstream, "credential.use_for") ? "credential.use_for"
			  : upstream->settings.credential.replaces ? "credential.replace"
								   : NULL;

	if (key != NULL) {
		object_complain(&upstream->object, key, &draft->problems,
			"there is no credential; give credential.bearer_file, or leave it out");
	}
}

/* A field that holds a credential of ours holds one of the client's where it has its own. */
static void redact_field(struct draft *draft, const char *name)
{
	struct string_list *redacted = &draft->settings.inspector.redact.headers;

	for (size_t i = 0; i < redacted->count; i++) {
		if (slice_equal_nocase(slice_str(redacted->items[i]), slice_str(name))) {
			return;
		}
	}
	string_list_add(redacted, slice_str(name));
}

void finish_upstream_credential(struct draft *draft, struct upstream_draft *upstream)
{
	struct upstream_credential *credential = &upstream->settings.credential;
	const char *key;
	const char *why = contradiction(&upstream->settings, &key);

	finish_methods(draft, upstream);
	if (why != NULL) {
		object_complain(&upstream->object, key, &draft->problems, "%s", why);
	} else if (credential->bearer_file != NULL) {
		check_secret(draft, upstream, key, credential->bearer_file, SECRET_TOKEN);
	} else if (credential->header_file != NULL) {
		check_secret(draft, upstream, key, credential->header_file, SECRET_FIELD_VALUE);
		redact_field(draft, credential->header);
	} else if (!upstream->settings.kubeconfig.used) {
		refuse_use_of_none(draft, upstream);
	}
}
