/*
 * Layer: proxy. One job: read an address to listen on.
 */
#include "proxy/listen_address.h"

#include <stdio.h>
#include <string.h>

#include <netdb.h>
#include <netinet/in.h>

#define FORMS "give HOST:PORT, :PORT, [V6]:PORT or unix:/path"

enum {
	HOST_MAX = 128,
	PORT_DIGITS = 5,
};

static enum err_code bad(const struct listen_settings *listen, const char *what, struct err *err)
{
	return err_set(err, ERR_SETTINGS, "\"%s\" %s; " FORMS, listen->text, what);
}

/* Anything below the space would garble messages, and a NUL would cut what C calls a string. */
static bool has_control_bytes(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.ptr[i] <= ' ' || text.ptr[i] == 0x7f) {
			return true;
		}
	}
	return false;
}

static const char *last_colon(struct slice text)
{
	for (size_t i = text.len; i > 0; i--) {
		if (text.ptr[i - 1] == ':') {
			return text.ptr + i - 1;
		}
	}
	return NULL;
}

static enum err_code parse_unix(struct slice path, struct listen_settings *listen, struct err *err)
{
	if (path.len == 0) {
		return bad(listen, "names no file", err);
	}
	if (path.len >= sizeof(listen->path)) {
		return err_set(err, ERR_SETTINGS,
			"the path has %zu bytes; a unix socket's has at most %zu", path.len,
			sizeof(listen->path) - 1);
	}
	memcpy(listen->path, path.ptr, path.len);
	listen->path[path.len] = '\0';
	listen->is_unix = true;
	listen->address.ss_family = AF_UNIX;
	return ERR_NONE;
}

/* The first IPv4 address, else the first IPv6 one. */
static const struct addrinfo *preferred(const struct addrinfo *found)
{
	const struct addrinfo *v6 = NULL;

	for (; found != NULL; found = found->ai_next) {
		if (found->ai_family == AF_INET) {
			return found;
		}
		if (found->ai_family == AF_INET6 && v6 == NULL) {
			v6 = found;
		}
	}
	return v6;
}

static enum err_code resolve(const char *host, const char *port, int family, int flags,
	struct listen_settings *listen, struct err *err)
{
	struct addrinfo hints = {.ai_family = family,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = flags | AI_PASSIVE | AI_NUMERICSERV};
	struct addrinfo *found = NULL;
	const struct addrinfo *chosen;
	int rc = getaddrinfo(host, port, &hints, &found);

	if (rc != 0) {
		if ((flags & AI_NUMERICHOST) != 0) {
			return bad(listen, "holds no IPv6 address between its brackets", err);
		}
		return err_set(err, ERR_SETTINGS, "the name \"%s\" has no address (%s); " FORMS,
			host, gai_strerror(rc));
	}
	chosen = preferred(found);
	if (chosen != NULL) {
		memcpy(&listen->address, chosen->ai_addr, chosen->ai_addrlen);
	}
	freeaddrinfo(found);
	return chosen != NULL ? ERR_NONE : bad(listen, "has no IPv4 or IPv6 address", err);
}

static void every_address(uint16_t port, struct listen_settings *listen)
{
	struct sockaddr_in6 any = {
		.sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_ANY_INIT};

	listen->any_family = true;
	memcpy(&listen->address, &any, sizeof(any));
}

enum err_code listen_address_parse(
	struct slice text, struct listen_settings *listen, struct err *err)
{
	char host_text[HOST_MAX];
	char port_text[PORT_DIGITS + 1];
	struct slice host, port_slice;
	const char *colon;
	uint64_t port;
	bool bracketed;

	memset(listen, 0, sizeof(*listen));
	if (text.len >= sizeof(listen->text) || has_control_bytes(text)) {
		return err_set(err, ERR_SETTINGS, "this is not an address to listen on; " FORMS);
	}
	(void)snprintf(listen->text, sizeof(listen->text), "%.*s", SLICE_ARGS(text));
	if (slice_starts_with(text, SLICE("unix:"))) {
		return parse_unix(slice_of(text.ptr + 5, text.len - 5), listen, err);
	}
	colon = last_colon(text);
	if (colon == NULL) {
		return bad(listen, "has no port", err);
	}
	host = slice_of(text.ptr, (size_t)(colon - text.ptr));
	port_slice = slice_of(colon + 1, text.len - host.len - 1);
	bracketed = host.len >= 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
	if (!bracketed && memchr(host.ptr, ':', host.len) != NULL) {
		return bad(listen, "has an IPv6 address without brackets, or no port", err);
	}
	if (port_slice.len > PORT_DIGITS || !slice_to_u64(port_slice, UINT16_MAX, &port)) {
		return bad(listen, "has no port of 0 to 65535", err);
	}
	if (host.len == 0) {
		every_address((uint16_t)port, listen);
		return ERR_NONE;
	}
	if (bracketed) {
		host = slice_of(host.ptr + 1, host.len - 2);
	}
	if (host.len == 0 || host.len >= sizeof(host_text)) {
		return bad(listen, "has no host that could be", err);
	}
	(void)snprintf(host_text, sizeof(host_text), "%.*s", SLICE_ARGS(host));
	(void)snprintf(port_text, sizeof(port_text), "%u", (unsigned)port);
	return resolve(host_text, port_text, bracketed ? AF_INET6 : AF_UNSPEC,
		bracketed ? AI_NUMERICHOST : 0, listen, err);
}

bool listen_address_equal(const struct listen_settings *a, const struct listen_settings *b)
{
	struct sockaddr_in v4[2];
	struct sockaddr_in6 v6[2];

	if (a->is_unix || b->is_unix) {
		return a->is_unix && b->is_unix && strcmp(a->path, b->path) == 0;
	}
	if (a->address.ss_family != b->address.ss_family) {
		return false;
	}
	if (a->address.ss_family == AF_INET) {
		memcpy(&v4[0], &a->address, sizeof(v4[0]));
		memcpy(&v4[1], &b->address, sizeof(v4[1]));
		return v4[0].sin_port != 0 && v4[0].sin_port == v4[1].sin_port &&
		       v4[0].sin_addr.s_addr == v4[1].sin_addr.s_addr;
	}
	memcpy(&v6[0], &a->address, sizeof(v6[0]));
	memcpy(&v6[1], &b->address, sizeof(v6[1]));
	return v6[0].sin6_port != 0 && v6[0].sin6_port == v6[1].sin6_port &&
	       v6[0].sin6_scope_id == v6[1].sin6_scope_id &&
	       memcmp(&v6[0].sin6_addr, &v6[1].sin6_addr, sizeof(v6[0].sin6_addr)) == 0;
}
