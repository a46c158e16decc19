/*
 * Layer: pool. One job: read an exec plugin's answer.
 */
#include "pool/exec_credential.h"

#include "base/clock.h"
#include "pool/pem.h"
#include "pool/secret_file.h"

static const struct slice known_versions[] = {
	SLICE_INIT("client.authentication.k8s.io/v1"),
	SLICE_INIT("client.authentication.k8s.io/v1beta1"),
};

bool exec_version_known(struct slice api_version)
{
	for (size_t i = 0; i < sizeof(known_versions) / sizeof(known_versions[0]); i++) {
		if (slice_equal(api_version, known_versions[i])) {
			return true;
		}
	}
	return false;
}

void exec_credential_fini(struct exec_credential *credential)
{
	secret_fini(&credential->token);
	secret_fini(&credential->certificate);
	secret_fini(&credential->key);
	credential->expires_s = 0;
}

/* What it says it is is not quoted: it may be anything, and a secret, too. */
static enum err_code check_type(const json_t *answer, const char *api_version, struct err *err)
{
	struct slice said = SLICE("");

	if (!json_read_string(answer, "kind", &said) ||
		!slice_equal(said, SLICE("ExecCredential"))) {
		return err_set(
			err, ERR_SETTINGS, "kind: it is another; ExecCredential would be right");
	}
	said = SLICE("");
	if (json_read_string(answer, "apiVersion", &said) &&
		slice_equal(said, slice_str(api_version))) {
		return ERR_NONE;
	}
	if (exec_version_known(said)) {
		return err_set(err, ERR_SETTINGS,
			"apiVersion: it is %.*s; %s, as the kubeconfig asks for, would be right",
			SLICE_ARGS(said), api_version);
	}
	return err_set(
		err, ERR_SETTINGS, "apiVersion: it is another; %s would be right", api_version);
}

/* Empty where the member is missing, null or "". */
static enum err_code read_text(
	const json_t *status, const char *name, struct slice *text, struct err *err)
{
	const json_t *value = json_object_get(status, name);

	*text = SLICE("");
	if (value == NULL || json_is_null(value) || json_read_string(status, name, text)) {
		return ERR_NONE;
	}
	return err_set(
		err, ERR_SETTINGS, "status.%s: it is no text; a string would be right", name);
}

static enum err_code read_token(
	const json_t *status, struct exec_credential *credential, struct err *err)
{
	struct err why = ERR_INIT;
	struct slice text;
	enum err_code code = read_text(status, "token", &text, err);

	if (code != ERR_NONE || text.len == 0) {
		return code;
	}
	code = secret_check(text, SECRET_TOKEN, &why);
	if (code != ERR_NONE) {
		return err_set(err, code, "status.token: it %s", why.text);
	}
	secret_init(&credential->token, text);
	return ERR_NONE;
}

static enum err_code read_pem(const json_t *status, const char *name, enum pem_kind kind,
	struct secret *out, struct err *err)
{
	struct slice text;
	enum err_code code = read_text(status, name, &text, err);

	if (code != ERR_NONE || text.len == 0) {
		return code;
	}
	if (!pem_holds(text, kind)) {
		return err_set(err, ERR_SETTINGS, "status.%s: it holds no %s; PEM would be right",
			name, pem_kind_name(kind));
	}
	secret_init(out, text);
	return ERR_NONE;
}

static enum err_code read_expiry(
	const json_t *status, struct exec_credential *credential, struct err *err)
{
	struct slice text;
	enum err_code code = read_text(status, "expirationTimestamp", &text, err);

	if (code != ERR_NONE || text.len == 0) {
		return code;
	}
	if (!clock_parse_rfc3339(text, &credential->expires_s)) {
		return err_set(err, ERR_SETTINGS,
			"status.expirationTimestamp: it is no date of RFC 3339; one such as "
			"2026-03-12T10:42:25Z would be right");
	}
	if (credential->expires_s == 0) {
		credential->expires_s = 1; /* long past, and not unknown */
	}
	return ERR_NONE;
}

static enum err_code read_status(
	const json_t *answer, struct exec_credential *credential, struct err *err)
{
	const json_t *status = json_object_get(answer, "status");
	enum err_code code;

	if (!json_is_object(status)) {
		return err_set(err, ERR_SETTINGS,
			"status: it is missing; a token, or a certificate and its key, would be "
			"right");
	}
	code = read_token(status, credential, err);
	if (code == ERR_NONE) {
		code = read_pem(status, "clientCertificateData", PEM_CERTIFICATE,
			&credential->certificate, err);
	}
	if (code == ERR_NONE) {
		code = read_pem(status, "clientKeyData", PEM_PRIVATE_KEY, &credential->key, err);
	}
	if (code == ERR_NONE) {
		code = read_expiry(status, credential, err);
	}
	if (code != ERR_NONE) {
		return code;
	}
	if ((credential->certificate.text == NULL) != (credential->key.text == NULL)) {
		return err_set(err, ERR_SETTINGS,
			"status: clientCertificateData and clientKeyData go together; both or "
			"neither would be right");
	}
	if (credential->token.text == NULL && credential->certificate.text == NULL) {
		return err_set(err, ERR_SETTINGS,
			"status: it holds no credential; a token, or a certificate and its key, "
			"would be right");
	}
	return ERR_NONE;
}

enum err_code exec_credential_parse(struct slice output, const char *api_version,
	struct exec_credential *credential, struct err *err)
{
	struct err why = ERR_INIT;
	json_t *answer = json_read_object(output, EXEC_OUTPUT_MAX, &why);
	enum err_code code = ERR_SETTINGS;

	*credential = (struct exec_credential){.expires_s = 0};
	if (answer == NULL) {
		return err_set(err, code, "%s; an ExecCredential of %s would be right", why.text,
			api_version);
	}
	code = check_type(answer, api_version, err);
	if (code == ERR_NONE) {
		code = read_status(answer, credential, err);
	}
	if (code != ERR_NONE) {
		exec_credential_fini(credential);
	}
	json_decref(answer);
	return code;
}
