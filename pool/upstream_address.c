/*
 * Layer: pool. One job: read an upstream's URL. What it says is put into requests and given to the
 * resolver, so whatever could be read in two ways is refused here.
 */
#include "pool/upstream.h"

#include <stdio.h>
#include <sys/un.h>

#include <uv.h>

enum {
	HTTP_PORT = 80,
	HTTPS_PORT = 443,
	NAME_MAX_LENGTH = 253, /* RFC 1035 section 2.3.4, without the root's dot */
	LABEL_MAX_LENGTH = 63,
	QUOTED_MAX = 100,
};

static const char wanted[] = "http://HOST:PORT, https://HOST:PORT or unix:/PATH would be right";

static enum err_code refuse(struct err *err, const char *what)
{
	return err_set(err, ERR_SETTINGS, "%s; %s", what, wanted);
}

/* What is quoted leaves room for what would be right. */
static struct slice shortened(struct slice text)
{
	return slice_of(text.ptr, text.len < QUOTED_MAX ? text.len : QUOTED_MAX);
}

static bool copy(struct slice text, char *out, size_t size)
{
	if (text.len >= size) {
		return false;
	}
	if (text.len > 0) {
		memcpy(out, text.ptr, text.len);
	}
	out[text.len] = '\0';
	return true;
}

/* Takes what stands before the first of `stops` off `*rest`, which begins with it then or is empty.
 */
static struct slice take_until(struct slice *rest, const char *stops)
{
	size_t len = 0;
	struct slice taken;

	while (len < rest->len && strchr(stops, rest->ptr[len]) == NULL) {
		len++;
	}
	taken = slice_of(rest->ptr, len);
	*rest = slice_of(rest->ptr + len, rest->len - len);
	return taken;
}

static bool visible(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] <= ' ' || text.ptr[i] >= 0x7f) {
			return false;
		}
	}
	return true;
}

/* Of a name that is not empty: letters, digits, '-' and '_' between dots; '_' is in no host name
 * but in many of containers. */
static bool valid_name(struct slice name)
{
	size_t label = 0;

	for (size_t i = 0; i < name.len; i++) {
		char c = ascii_lower(name.ptr[i]);
		bool letter = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';

		if (c == '.' && label > 0) {
			label = 0;
		} else if ((letter || (c == '-' && label > 0)) && label < LABEL_MAX_LENGTH) {
			label++;
		} else {
			return false;
		}
	}
	return true; /* a dot at the end names the root, and keeps search domains out */
}

static bool valid_ipv6(const char *text)
{
	struct sockaddr_in6 address;

	/* uv_ip6_addr would take a zone, which has no place in a Host field. */
	return strchr(text, '%') == NULL && uv_ip6_addr(text, 0, &address) == 0;
}

static enum err_code parse_host(
	struct slice *rest, struct upstream_address *address, bool *is_ipv6, struct err *err)
{
	struct slice host;

	*is_ipv6 = rest->len > 0 && rest->ptr[0] == '[';
	if (*is_ipv6) {
		*rest = slice_of(rest->ptr + 1, rest->len - 1);
		host = take_until(rest, "]");
		if (rest->len == 0 || !copy(host, address->host, sizeof(address->host)) ||
			!valid_ipv6(address->host)) {
			return refuse(err, "what stands in brackets is no IPv6 address");
		}
		*rest = slice_of(rest->ptr + 1, rest->len - 1);
		return ERR_NONE;
	}
	host = take_until(rest, ":");
	if (host.len == 0) {
		return refuse(err, "the URL names no host");
	}
	if (host.len > NAME_MAX_LENGTH) {
		return err_set(err, ERR_SETTINGS,
			"the host name is too long; at most %d characters would be right",
			NAME_MAX_LENGTH);
	}
	if (!valid_name(host)) {
		return err_set(err, ERR_SETTINGS, "\"%.*s\" is no host name; %s",
			SLICE_ARGS(shortened(host)), wanted);
	}
	(void)copy(host, address->host, sizeof(address->host)); /* NAME_MAX_LENGTH fits */
	return ERR_NONE;
}

static uint16_t default_port(const struct upstream_address *address)
{
	return address->is_https ? HTTPS_PORT : HTTP_PORT;
}

/* `rest` is what stands behind the host. */
static enum err_code parse_port(
	struct slice rest, struct upstream_address *address, struct err *err)
{
	uint64_t port = default_port(address);
	bool colon = slice_starts_with(rest, SLICE(":"));
	struct slice digits = colon ? slice_of(rest.ptr + 1, rest.len - 1) : rest;

	if (rest.len > 0 && (!colon || !slice_to_u64(digits, UINT16_MAX, &port) || port == 0)) {
		return err_set(err, ERR_SETTINGS,
			"\"%.*s\" is no port; a number from 1 to 65535 would be right",
			SLICE_ARGS(shortened(digits)));
	}
	address->port = (uint16_t)port;
	return ERR_NONE;
}

static enum err_code parse_path(
	struct slice path, struct upstream_address *address, struct err *err)
{
	if (!visible(path)) {
		return err_set(err, ERR_SETTINGS,
			"the path holds a space, a control character or one outside ASCII; "
			"percent-encoded it would be right");
	}
	if (memchr(path.len > 0 ? path.ptr : "", '?', path.len) != NULL ||
		memchr(path.len > 0 ? path.ptr : "", '#', path.len) != NULL) {
		return err_set(err, ERR_SETTINGS,
			"an upstream has no query and no fragment; a path alone would be right");
	}
	while (path.len > 0 && path.ptr[path.len - 1] == '/') {
		path.len--;
	}
	if (!copy(path, address->path, sizeof(address->path))) {
		return err_set(err, ERR_SETTINGS,
			"the path is too long; at most %zu bytes would be right",
			sizeof(address->path) - 1);
	}
	return ERR_NONE;
}

static enum err_code parse_http(
	struct slice rest, struct upstream_address *address, struct err *err)
{
	struct slice authority = take_until(&rest, "/?#");
	struct slice host = authority;
	char port[sizeof(":65535")] = "";
	bool is_ipv6;
	enum err_code code;

	if (memchr(authority.len > 0 ? authority.ptr : "", '@', authority.len) != NULL) {
		return err_set(err, ERR_SETTINGS,
			"a user name or password in the URL is not used; http://HOST:PORT would be "
			"right");
	}
	code = parse_host(&host, address, &is_ipv6, err);
	if (code == ERR_NONE) {
		code = parse_port(host, address, err);
	}
	if (code == ERR_NONE) {
		code = parse_path(rest, address, err);
	}
	if (code != ERR_NONE) {
		return code;
	}
	if (address->port != default_port(address)) {
		(void)snprintf(port, sizeof(port), ":%u", address->port);
	}
	(void)snprintf(address->authority, sizeof(address->authority), is_ipv6 ? "[%s]%s" : "%s%s",
		address->host, port);
	return ERR_NONE;
}

static enum err_code parse_unix(
	struct slice path, struct upstream_address *address, struct err *err)
{
	static const struct sockaddr_un limit;

	if (path.len < 2 || path.ptr[0] != '/') {
		return err_set(err, ERR_SETTINGS,
			"a unix socket is named by its whole path; unix:/PATH would be right");
	}
	if (memchr(path.ptr, '\0', path.len) != NULL) {
		return err_set(err, ERR_SETTINGS,
			"the path of the unix socket holds a NUL byte; one without would be right");
	}
	if (path.len >= sizeof(limit.sun_path)) {
		return err_set(err, ERR_SETTINGS,
			"the path of the unix socket is too long; at most %zu bytes would be right",
			sizeof(limit.sun_path) - 1);
	}
	address->is_unix = true;
	(void)copy(path, address->host, sizeof(address->host)); /* sun_path is shorter */
	(void)snprintf(address->authority, sizeof(address->authority), "localhost");
	return ERR_NONE;
}

enum err_code upstream_address_parse(
	struct slice url, struct upstream_address *address, struct err *err)
{
	struct slice rest = url;
	struct slice scheme = take_until(&rest, ":");
	bool has_slashes = slice_starts_with(rest, SLICE("://"));

	*address = (struct upstream_address){.port = 0};
	if (slice_equal_nocase(scheme, SLICE("unix")) && slice_starts_with(rest, SLICE(":"))) {
		return parse_unix(slice_of(rest.ptr + 1, rest.len - 1), address, err);
	}
	address->is_https = slice_equal_nocase(scheme, SLICE("https"));
	if ((address->is_https || slice_equal_nocase(scheme, SLICE("http"))) && has_slashes) {
		return parse_http(slice_of(rest.ptr + 3, rest.len - 3), address, err);
	}
	if (has_slashes) {
		return err_set(err, ERR_SETTINGS, "an upstream cannot be reached by \"%.*s\"; %s",
			SLICE_ARGS(shortened(scheme)), wanted);
	}
	return refuse(err, url.len == 0 ? "the URL is empty" : "the URL has no scheme");
}
