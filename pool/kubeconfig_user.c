/*
 * Layer: pool. One job: who we are to the server.
 */
#include <string.h>

#include "base/memory.h"
#include "base/small_file.h"
#include "pool/kubeconfig_sections.h"
#include "pool/kubeconfig_set.h"
#include "pool/secret_file.h"

static enum err_code refuse_unsupported(const struct kubeconfig_part *user, struct err *err)
{
	static const char *const impersonation[] = {"as", "as-uid", "as-groups", "as-user-extra"};

	if (kubeconfig_has(user, "auth-provider")) {
		return kubeconfig_complain(user, "auth-provider", err,
			"it is not supported, nor by Kubernetes since 1.26; exec with the "
			"provider's plugin would be right");
	}
	for (size_t i = 0; i < sizeof(impersonation) / sizeof(impersonation[0]); i++) {
		if (kubeconfig_has(user, impersonation[i])) {
			return kubeconfig_complain(user, impersonation[i], err,
				"impersonation is not supported; a user with the rights that are "
				"needed would be right");
		}
	}
	return ERR_NONE;
}

static enum err_code read_certificate(
	const struct kubeconfig_part *user, struct kubeconfig *out, struct err *err)
{
	enum err_code code = kubeconfig_read_pem(user, "client-certificate", PEM_CERTIFICATE, out,
		&out->certificate, &out->certificate_file, err);
	const char *name = kubeconfig_has(user, "client-certificate-data")
				   ? "client-certificate-data"
				   : "client-certificate";

	if (code == ERR_NONE) {
		code = kubeconfig_read_pem(
			user, "client-key", PEM_PRIVATE_KEY, out, &out->key, &out->key_file, err);
	}
	if (code != ERR_NONE) {
		return code;
	}
	if (out->key.text == NULL && out->certificate.text != NULL) {
		return kubeconfig_complain(user, name, err,
			"it has no key; client-key or client-key-data beside it would be right");
	}
	if (out->key.text != NULL && out->certificate.text == NULL) {
		return kubeconfig_complain(user,
			out->key_file == NULL ? "client-key-data" : "client-key", err,
			"it has no certificate; client-certificate or client-certificate-data "
			"beside it would be right");
	}
	if (out->certificate.text != NULL && !out->https) {
		return kubeconfig_complain(user, name, err,
			"it cannot be presented to a server at http://; one at https:// would be "
			"right");
	}
	return ERR_NONE;
}

/* tokenFile is read anew when it changes, so it is the newer one of two. */
static enum err_code read_token(
	const struct kubeconfig_part *user, struct kubeconfig *out, struct err *err)
{
	struct err why = ERR_INIT;
	struct slice text;
	enum err_code code = kubeconfig_get_path(user, "tokenFile", &out->token_file, err);

	if (code == ERR_NONE) {
		code = kubeconfig_get_text(user, "token", &text, err);
	}
	if (code != ERR_NONE) {
		return code;
	}
	if (out->token_file != NULL) {
		kubeconfig_remember(out, out->token_file);
		if (secret_file_read(out->token_file, SECRET_TOKEN, &out->secret, &why) !=
			ERR_NONE) {
			return kubeconfig_complain(user, "tokenFile", err, "%s", why.text);
		}
	} else if (text.len > 0) {
		if (secret_check(text, SECRET_TOKEN, &why) != ERR_NONE) {
			return kubeconfig_complain(user, "token", err, "it %s", why.text);
		}
		secret_init(&out->secret, text);
	}
	if (out->secret.text != NULL) {
		out->user = KUBECONFIG_BEARER;
	}
	return ERR_NONE;
}

/* RFC 7617 section 2: no control characters, and no colon in the name. */
static enum err_code check_login(const struct kubeconfig_part *user, const char *name,
	struct slice text, bool colon_allowed, struct err *err)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c < ' ' || c == 0x7f) {
			return kubeconfig_complain(user, name, err,
				"it holds a control character; a text without would be right");
		}
		if (c == ':' && !colon_allowed) {
			return kubeconfig_complain(
				user, name, err, "it holds a colon; a name without would be right");
		}
	}
	return ERR_NONE;
}

static enum err_code read_login(
	const struct kubeconfig_part *user, struct kubeconfig *out, struct err *err)
{
	struct slice name;
	struct slice password;
	enum err_code code = kubeconfig_get_text(user, "username", &name, err);
	char *at;

	if (code == ERR_NONE) {
		code = kubeconfig_get_text(user, "password", &password, err);
	}
	if (code != ERR_NONE || (name.len == 0 && password.len == 0)) {
		return code;
	}
	if (out->user == KUBECONFIG_BEARER) {
		return kubeconfig_complain(user, name.len > 0 ? "username" : "password", err,
			"there is a token, too; one of them would be right");
	}
	code = check_login(user, "username", name, false, err);
	if (code == ERR_NONE) {
		code = check_login(user, "password", password, true, err);
	}
	if (code != ERR_NONE) {
		return code;
	}
	if (name.len + password.len > SECRET_FILE_MAX / 2) {
		return kubeconfig_complain(user, "username", err,
			"name and password are too long; at most %d bytes would be right",
			SECRET_FILE_MAX / 2);
	}
	at = secret_reserve(&out->secret, name.len + 1 + password.len);
	memcpy(at, name.ptr, name.len);
	at[name.len] = ':';
	memcpy(at + name.len + 1, password.ptr, password.len);
	out->user = KUBECONFIG_BASIC;
	return ERR_NONE;
}

enum err_code kubeconfig_read_user(
	const struct kubeconfig_part *user, struct kubeconfig *out, struct err *err)
{
	enum err_code code = refuse_unsupported(user, err);

	if (code == ERR_NONE) {
		code = read_certificate(user, out, err);
	}
	if (code == ERR_NONE) {
		code = read_token(user, out, err);
	}
	if (code == ERR_NONE) {
		code = read_login(user, out, err);
	}
	return code;
}
