/*
 * Layer: config. One job: see finish_tls.h.
 */
#include "config/finish_tls.h"

#include "base/tls_context.h"

/* True where there is a certificate with its key, or neither. */
static bool check_pair(
	struct object *object, const char *certificate, const char *key, struct problems *problems)
{
	if (certificate != NULL && key == NULL) {
		object_complain(object, "tls.certificate", problems,
			"there is no tls.key beside the certificate; give both");
		return false;
	}
	if (certificate == NULL && key != NULL) {
		object_complain(object, "tls.key", problems,
			"there is no tls.certificate beside the key; give both");
		return false;
	}
	return true;
}

void finish_listener_tls(struct draft *draft)
{
	const struct listener_tls *files = &draft->settings.proxy.tls;
	struct tls_settings settings = TLS_SETTINGS_INIT;
	struct err of_certificate = ERR_INIT;
	struct err of_key = ERR_INIT;

	if (!check_pair(&draft->object, files->certificate, files->key, &draft->problems) ||
		files->certificate == NULL) {
		return;
	}
	settings.certificate_file = files->certificate;
	settings.key_file = files->key;
	tls_context_check_identity(&settings, &of_certificate, &of_key);
	if (of_certificate.code != ERR_NONE) {
		object_complain(&draft->object, "tls.certificate", &draft->problems, "%s",
			of_certificate.text);
	}
	if (of_key.code != ERR_NONE) {
		object_complain(&draft->object, "tls.key", &draft->problems, "%s", of_key.text);
	}
}

/* What no plain upstream can heed. */
static const char *useless_without_tls(const struct upstream_tls *tls)
{
	return tls->ca != NULL            ? "tls.ca"
	       : tls->certificate != NULL ? "tls.certificate"
	       : tls->key != NULL         ? "tls.key"
	       : tls->server_name != NULL ? "tls.server_name"
	       : !tls->verify             ? "tls.verify"
					  : NULL;
}

void finish_upstream_tls(struct draft *draft, struct upstream_draft *upstream)
{
	const struct upstream_tls *tls = &upstream->settings.tls;
	struct tls_settings settings = upstream_tls_settings(tls);
	struct tls_context *context;
	struct err err = ERR_INIT;

	if (upstream->settings.kubeconfig.used) {
		return; /* it says it all: see finish_credential.c */
	}
	if (!upstream->settings.address.is_https) {
		const char *key = useless_without_tls(tls);

		if (key != NULL) {
			object_complain(&upstream->object, key, &draft->problems,
				"the upstream's URL does not begin with https://; give such a URL, "
				"or leave tls out");
		}
		return;
	}
	if (!check_pair(&upstream->object, tls->certificate, tls->key, &draft->problems)) {
		return;
	}
	context = tls_context_create_client(&settings, &err);
	if (context == NULL) {
		object_complain(&upstream->object,
			tls->certificate != NULL ? "tls.certificate"
			: tls->ca != NULL        ? "tls.ca"
						 : "url",
			&draft->problems, "%s", err.text);
	}
	tls_context_release(context);
}
