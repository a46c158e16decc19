/*
 * Layer: base. One job: see tls_failure.h.
 */
#include "base/tls_failure.h"

#include <stdio.h>
#include <string.h>

#include <arpa/inet.h>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "base/tls_context.h"
#include "base/tls_text.h"

enum {
	NAMES_SIZE = 120, /* of a certificate's names, so that the rest of the sentence has room */
	ALERT_NONE = -1,
};

/* --- alerts */

static const char *alert_text(int alert)
{
	switch (alert) { /* OpenSSL knows the rest well */
	case SSL_AD_CERTIFICATE_REQUIRED:
		return "certificate required";
	case SSL_AD_MISSING_EXTENSION:
		return "missing extension";
	case SSL_AD_UNEXPECTED_MESSAGE:
		return "unexpected message";
	case SSL_AD_INAPPROPRIATE_FALLBACK:
		return "inappropriate fallback";
	default:
		return SSL_alert_desc_string_long(alert);
	}
}

/* What a server answers that got no certificate, by the versions of TLS and its own taste. */
static bool is_of_missing_certificate(int alert)
{
	return alert == SSL_AD_CERTIFICATE_REQUIRED || alert == SSL_AD_HANDSHAKE_FAILURE ||
	       alert == SSL_AD_BAD_CERTIFICATE || alert == SSL_AD_CERTIFICATE_UNKNOWN ||
	       alert == SSL_AD_ACCESS_DENIED;
}

/* What a server says of a certificate that it does not like (RFC 8446 section 6.2). */
static bool is_of_shown_certificate(int alert)
{
	return (alert >= SSL_AD_BAD_CERTIFICATE && alert <= SSL_AD_CERTIFICATE_UNKNOWN) ||
	       alert == SSL_AD_UNKNOWN_CA || alert == SSL_AD_ACCESS_DENIED;
}

static enum err_code alerted(struct err *err, const struct tls_circumstances *circumstances,
	const struct tls_words *words)
{
	const char *setting = words->certificate_setting;
	int alert = circumstances->alert;

	if (circumstances->certificate_wanted && !circumstances->certificate_shown &&
		is_of_missing_certificate(alert)) {
		return err_set(err, ERR_TLS,
			"the peer wants a client certificate, and %s%s (its TLS alert: %s)",
			setting == NULL ? "there is none to show" : "none is given by ",
			setting == NULL ? "" : setting, alert_text(alert));
	}
	if (circumstances->certificate_shown && is_of_shown_certificate(alert)) {
		return err_set(err, ERR_TLS, "the peer does not take %s (its TLS alert: %s)",
			words->shown, alert_text(alert));
	}
	if (alert == SSL_AD_PROTOCOL_VERSION) {
		return err_set(err, ERR_TLS,
			"the peer speaks another version of TLS than 1.2 and 1.3 (its TLS alert: "
			"%s)",
			alert_text(alert));
	}
	return err_set(err, ERR_TLS, "the peer %s (its TLS alert: %s)",
		circumstances->established ? "broke off" : "refused the handshake",
		alert_text(alert));
}

/* --- everything else but certificates */

static enum err_code by_reason(struct err *err, unsigned long error)
{
	const char *reason = ERR_reason_error_string(error);

	switch (ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0) {
	case SSL_R_UNSUPPORTED_PROTOCOL:
	case SSL_R_WRONG_SSL_VERSION:
	case SSL_R_VERSION_TOO_LOW:
		return err_set(err, ERR_TLS,
			"the peer speaks another version of TLS than 1.2 and 1.3: %s", reason);
	case SSL_R_NO_APPLICATION_PROTOCOL:
		return err_set(err, ERR_TLS,
			"the peer offers protocols by ALPN, and http/1.1 is not among them");
	default:
		return err_set(
			err, ERR_TLS, "TLS failed: %s", reason == NULL ? "unknown reason" : reason);
	}
}

enum err_code tls_failure(struct err *err, const struct tls_circumstances *circumstances,
	const struct tls_words *words)
{
	unsigned long error = ERR_peek_last_error();
	bool is_alert =
		ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) >= SSL_AD_REASON_OFFSET;
	enum err_code code;

	if (!circumstances->speaks_tls) {
		code = err_set(err, ERR_TLS, "the peer speaks no TLS");
	} else if (circumstances->alert == SSL_AD_CLOSE_NOTIFY) {
		code = err_set(err, ERR_TLS, "the peer closed the connection within the handshake");
	} else if (is_alert && circumstances->alert != ALERT_NONE) {
		code = alerted(err, circumstances, words);
	} else {
		code = by_reason(err, error);
	}
	ERR_clear_error();
	return code;
}

/* --- certificates */

/* Appends as much of `text` as has room; false where that is not all. */
static bool append(char *out, size_t room, const char *text, size_t len)
{
	size_t at = strlen(out);
	size_t part = len < room - 1 - at ? len : room - 1 - at;

	for (size_t i = 0; i < part; i++) {
		out[at + i] = text[i];
		if (text[i] < ' ' || text[i] > '~') {
			out[at + i] = '?';
		}
	}
	out[at + part] = '\0';
	return part == len;
}

static bool append_name(char *out, size_t room, const GENERAL_NAME *name)
{
	char address[INET6_ADDRSTRLEN];
	const ASN1_STRING *text = name->type == GEN_DNS ? name->d.dNSName : name->d.iPAddress;
	const unsigned char *bytes = ASN1_STRING_get0_data(text);
	int len = ASN1_STRING_length(text);
	int family = len == 4 ? AF_INET : AF_INET6;

	if (out[0] != '\0' && !append(out, room, ", ", 2)) {
		return false;
	}
	if (name->type == GEN_DNS) {
		return append(out, room, (const char *)bytes, (size_t)len);
	}
	if ((len != 4 && len != 16) || inet_ntop(family, bytes, address, sizeof(address)) == NULL) {
		return append(out, room, "?", 1);
	}
	return append(out, room, address, strlen(address));
}

/* The names and addresses that the certificate is for, or "" where there are none. */
static void names_of(X509 *certificate, char out[static NAMES_SIZE])
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	bool all = true;

	out[0] = '\0';
	for (int i = 0; i < sk_GENERAL_NAME_num(names) && all; i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type == GEN_DNS || name->type == GEN_IPADD) {
			all = append_name(out, NAMES_SIZE - 3, name);
		}
	}
	if (!all) {
		(void)append(out, NAMES_SIZE, "...", 3);
	}
	GENERAL_NAMES_free(names);
}

static enum err_code of_another(
	struct err *err, X509 *certificate, const char *host, const char *setting)
{
	char names[NAMES_SIZE];
	char advice[64] = "";

	names_of(certificate, names);
	if (setting != NULL) {
		(void)snprintf(
			advice, sizeof(advice), "; %s says which name it has to bear", setting);
	}
	if (names[0] == '\0') {
		return err_set(err, ERR_TLS,
			"the certificate names no host (it has no subjectAltName), so it is not "
			"for %.80s%s",
			host, advice);
	}
	return err_set(
		err, ERR_TLS, "the certificate is for %s, not for %.80s%s", names, host, advice);
}

/* Whether nobody who is trusted stands behind the certificate. */
static bool is_of_strangers(int error)
{
	switch (error) {
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		return true;
	default:
		return false;
	}
}

enum err_code tls_failure_of_certificate(
	struct err *err, X509_STORE_CTX *chain, const char *host, const struct tls_words *words)
{
	int error = X509_STORE_CTX_get_error(chain);
	X509 *certificate = X509_STORE_CTX_get_current_cert(chain);
	const char *which = X509_STORE_CTX_get_error_depth(chain) > 0 ? "a CA's certificate"
								      : "the certificate";
	char when[TLS_TIME_SIZE];

	switch (certificate == NULL ? X509_V_ERR_UNSPECIFIED : error) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		return of_another(err, certificate, host, words->name_setting);
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return err_set(err, ERR_TLS,
			"certificate verify failed: %s has expired at %s (of %.80s)", which,
			tls_time_text(X509_get0_notAfter(certificate), when), host);
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return err_set(err, ERR_TLS,
			"certificate verify failed: %s is not valid before %s (of %.80s)", which,
			tls_time_text(X509_get0_notBefore(certificate), when), host);
	default:
		return err_set(err, ERR_TLS, "certificate verify failed: %s (of %.80s)%s%s",
			X509_verify_cert_error_string(error), host,
			is_of_strangers(error) ? "; no way leads from it to " : "",
			is_of_strangers(error) ? words->trusted : "");
	}
}
