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
	struct tls_context *context;
	struct err err = ERR_INIT;

	if (!check_pair(&draft->object, files->certificate, files->key, &draft->problems) ||
		files->certificate == NULL) {
		return;
	}
	settings.certificate_file = files->certificate;
	settings.key_file = files->key;
	context = tls_context_create_server(&settings, &err);
	if (context == NULL) {
		object_complain(
			&draft->object, "tls.certificate", &draft->problems, "%s", err.text);
	}
	tls_context_release(context);
}
