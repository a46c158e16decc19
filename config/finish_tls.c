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
