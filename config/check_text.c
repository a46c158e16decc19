/*
 * Layer: config. One job: judge single texts. Bounds stand here too, so that nothing of the
 * settings is of any length.
 */
#include "config/check_text.h"

#include "config/problems.h"
#include "http/field.h"
#include "http/path.h"
#include "http/target.h"
#include "pool/kubeconfig.h"
#include "pool/upstream.h"
#include "proxy/network.h"

enum {
	PATH_MAX_LEN = 4095,
	PREFIX_MAX = 1024,
	INSPECTOR_PREFIX_MAX = 128,
	FIELD_NAME_MAX = 128,
	HOST_MAX = 255,
	URL_MAX = 1024,
	TOKEN_MAX = 1024,
};

static bool is_letter_or_digit(char c)
{
	return (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || (c >= '0' && c <= '9');
}

/* Letters, digits and what is in `others`; not empty, at most `max` bytes. */
static bool consists_of(struct slice text, const char *others, size_t max)
{
	for (size_t i = 0; i < text.len; i++) {
		if (!is_letter_or_digit(text.ptr[i]) &&
			(text.ptr[i] == '\0' || strchr(others, text.ptr[i]) == NULL)) {
			return false;
		}
	}
	return text.len > 0 && text.len <= max;
}

static enum err_code refuse(struct slice text, const char *why, struct err *err)
{
	char shown[QUOTED_SIZE];

	return err_set(err, ERR_SETTINGS, "%s %s", quoted(text, shown), why);
}

enum err_code check_file(struct slice text, struct err *err)
{
	if (text.len == 0) {
		return err_set(err, ERR_SETTINGS, "no file is named; give a path");
	}
	return text.len <= PATH_MAX_LEN
		       ? ERR_NONE
		       : refuse(text, "is too long for a path; give a shorter one", err);
}

enum err_code check_upstream_name(struct slice text, struct err *err)
{
	return consists_of(text, "-_.", UPSTREAM_NAME_MAX - 1)
		       ? ERR_NONE
		       : refuse(text,
				 "is no name for an upstream; give up to 63 letters, digits, '-', "
				 "'_' and '.'",
				 err);
}

enum err_code check_upstream_url(struct slice text, struct err *err)
{
	struct upstream_address address;
	struct kubeconfig_url kubeconfig;
	enum err_code code;

	if (text.len > URL_MAX) {
		return refuse(text, "is too long; give at most 1024 bytes", err);
	}
	if (kubeconfig_url_is(text)) {
		code = kubeconfig_url_parse(text, &kubeconfig, err);
		kubeconfig_url_fini(&kubeconfig);
		return code;
	}
	return upstream_address_parse(text, &address, err);
}

enum err_code check_route_prefix(struct slice text, struct err *err)
{
	char normalised[PREFIX_MAX + 1];
	struct prefix prefix;
	struct err why = ERR_INIT;

	if (text.len > PREFIX_MAX) {
		return refuse(text, "is too long; give at most 1024 bytes", err);
	}
	if (!prefix_parse(text, normalised, &prefix, &why)) {
		return err_set(err, ERR_SETTINGS,
			"%s; give one such as /api/me, or /api/me* for any continuation", why.text);
	}
	return ERR_NONE;
}

enum err_code check_inspector_prefix(struct slice text, struct err *err)
{
	if (!slice_starts_with(text, SLICE("/"))) {
		return refuse(
			text, "does not begin with '/'; give a path such as /_inspector", err);
	}
	if (text.len > INSPECTOR_PREFIX_MAX || slice_equal(text, SLICE("/"))) {
		return err_set(err, ERR_SETTINGS,
			"the prefix must have 2 to 128 bytes; give a path such as /_inspector");
	}
	if (!consists_of(text, "/-._~", INSPECTOR_PREFIX_MAX) || !path_is_normal(text)) {
		return refuse(text,
			"is not a plain path; give letters, digits, '-', '.', '_', '~' and single "
			"slashes, such as /_inspector",
			err);
	}
	return ERR_NONE;
}

enum err_code check_request_id_header(struct slice text, struct err *err)
{
	enum field_id id;

	if (text.len > FIELD_NAME_MAX || !token_valid(text)) {
		return refuse(text, "is no field name; give one such as X-Request-ID", err);
	}
	id = field_identify(text);
	if ((id != FIELD_OTHER && id != FIELD_X_REQUEST_ID) ||
		field_identify_underscored(text) != FIELD_OTHER) {
		return refuse(text,
			"means something else already; give a field of its own, such as "
			"X-Request-ID",
			err);
	}
	return ERR_NONE;
}

enum err_code check_credential_header(struct slice text, struct err *err)
{
	enum field_id id;

	if (text.len > FIELD_NAME_MAX || !token_valid(text)) {
		return refuse(text, "is no field name; give one such as X-API-Key", err);
	}
	id = field_identify(text);
	if ((id != FIELD_OTHER && id != FIELD_AUTHORIZATION && id != FIELD_X_API_KEY) ||
		field_identify_underscored(text) != FIELD_OTHER) {
		return refuse(text,
			"means something else already; give a field that holds a credential, such "
			"as X-API-Key",
			err);
	}
	return ERR_NONE;
}

enum err_code check_redacted_header(struct slice text, struct err *err)
{
	const char *star = text.len == 0 ? NULL : memchr(text.ptr, '*', text.len);

	if (text.len > FIELD_NAME_MAX || !token_valid(text) ||
		(star != NULL && star != text.ptr + text.len - 1) || text.ptr[0] == '*') {
		return refuse(text,
			"is no field name; give one such as X-Secret, or a beginning such as "
			"X-Secret-*",
			err);
	}
	return ERR_NONE;
}

enum err_code check_redacted_query(struct slice text, struct err *err)
{
	return consists_of(text, "-_.~[]$@:", FIELD_NAME_MAX)
		       ? ERR_NONE
		       : refuse(text,
				 "is no name of a query parameter; give one such as session_key",
				 err);
}

enum err_code check_redacted_member(struct slice text, struct err *err)
{
	return consists_of(text, "-_.~[]$@:", FIELD_NAME_MAX)
		       ? ERR_NONE
		       : refuse(text, "is no name of a member; give one such as pin_code", err);
}

enum err_code check_host(struct slice text, struct err *err)
{
	return text.len <= HOST_MAX && host_valid(text)
		       ? ERR_NONE
		       : refuse(text,
				 "is not what a Host field can say; give one such as "
				 "dashboard.example or dashboard.example:8080",
				 err);
}

/* Exactly what a browser sends, since it is compared with that: in lower case, and a default port
 * is left out. */
static bool origin_valid(struct slice text)
{
	bool is_https = slice_starts_with(text, SLICE("https://"));
	size_t scheme_len = is_https ? 8 : 7;
	struct slice authority;
	struct slice name;
	struct slice port;

	if ((!is_https && !slice_starts_with(text, SLICE("http://"))) ||
		text.len > scheme_len + HOST_MAX) {
		return false;
	}
	authority = slice_of(text.ptr + scheme_len, text.len - scheme_len);
	if (!host_valid(authority)) {
		return false;
	}
	for (size_t i = 0; i < authority.len; i++) {
		if (ascii_lower(authority.ptr[i]) != authority.ptr[i]) {
			return false;
		}
	}
	host_split(authority, &name, &port);
	return name.len > 0 && !slice_equal(port, is_https ? SLICE("443") : SLICE("80"));
}

enum err_code check_origin(struct slice text, struct err *err)
{
	return origin_valid(text) ? ERR_NONE
				  : refuse(text,
					    "is no origin as browsers write it; give one such as "
					    "https://dashboard.example or http://localhost:3000",
					    err);
}

enum err_code check_frame_ancestor(struct slice text, struct err *err)
{
	return slice_equal(text, SLICE("self")) ? ERR_NONE : check_origin(text, err);
}

enum err_code check_server_name(struct slice text, struct err *err)
{
	return consists_of(text, "-_.:", HOST_MAX)
		       ? ERR_NONE
		       : refuse(text, "is no name of a server; give one such as api.internal", err);
}

enum err_code check_token(struct slice text, struct err *err)
{
	if (text.len == 0) {
		return err_set(err, ERR_SETTINGS,
			"the token is empty; give a secret, or leave the setting out: one is made "
			"at the start then");
	}
	return consists_of(text, "-._~+/=", TOKEN_MAX)
		       ? ERR_NONE
		       : err_set(err, ERR_SETTINGS,
				 "the token cannot be sent as one; give up to 1024 letters, digits "
				 "and -._~+/= (RFC 6750)");
}

enum err_code check_network(struct slice text, struct err *err)
{
	struct network networks[NETWORK_WORD_MAX];
	unsigned count;

	return network_parse(text, networks, &count, err);
}
