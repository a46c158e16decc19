/*
 * Layer: http (sees base). One job: take a request target apart, and the Host beside it.
 */
#include "http/target.h"

#include <arpa/inet.h>

enum {
	PORT_DIGITS_MAX = 5,
	PORT_MAX = 65535,
};

/* RFC 3986: unreserved and sub-delims, which is all that a registered name holds beside escapes. */
static bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c != '\0' && strchr("-._~!$&'()*+,;=", c) != NULL);
}

static bool port_valid(struct slice port)
{
	uint64_t value;

	return port.len <= PORT_DIGITS_MAX && slice_to_u64(port, PORT_MAX, &value) && value > 0;
}

static bool ipv6_valid(struct slice text)
{
	char copy[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (text.len == 0 || text.len >= sizeof(copy) || memchr(text.ptr, '\0', text.len) != NULL) {
		return false;
	}
	memcpy(copy, text.ptr, text.len);
	copy[text.len] = '\0';
	return inet_pton(AF_INET6, copy, &address) == 1;
}

/*
 * Takes "name", "name:port" or "[v6]:port" apart without a look at what they hold. False where it
 * is none of these.
 */
static bool split(struct slice host, struct slice *name, struct slice *port, bool *bracketed)
{
	const char *end = host.ptr + host.len;
	const char *colon;

	*port = slice_of(NULL, 0);
	*bracketed = host.len > 0 && host.ptr[0] == '[';
	if (*bracketed) {
		const char *close = memchr(host.ptr, ']', host.len);

		if (close == NULL) {
			return false;
		}
		*name = slice_of(host.ptr + 1, (size_t)(close - host.ptr) - 1);
		colon = close + 1 < end ? close + 1 : NULL;
		if (colon != NULL && *colon != ':') {
			return false;
		}
	} else {
		colon = host.len == 0 ? NULL : memchr(host.ptr, ':', host.len);
		*name = slice_of(host.ptr, colon == NULL ? host.len : (size_t)(colon - host.ptr));
	}
	if (colon != NULL) {
		*port = slice_of(colon + 1, (size_t)(end - colon) - 1);
		return port->len > 0;
	}
	return true;
}

bool host_valid(struct slice host)
{
	struct slice name;
	struct slice port;
	bool bracketed;

	if (!split(host, &name, &port, &bracketed) || name.len == 0 ||
		(port.len > 0 && !port_valid(port))) {
		return false;
	}
	if (bracketed) {
		return ipv6_valid(name);
	}
	for (size_t i = 0; i < name.len; i++) {
		if (!is_name_byte(name.ptr[i])) {
			return false;
		}
	}
	return true;
}

void host_split(struct slice host, struct slice *name, struct slice *port)
{
	bool bracketed;

	split(host, name, port, &bracketed);
}

/*
 * Two valid hosts are one where names are equal without case, and ports, the scheme's own one being
 * left out or not.
 */
static bool same_host(struct slice a, struct slice b, struct slice default_port)
{
	struct slice name_a;
	struct slice name_b;
	struct slice port_a;
	struct slice port_b;

	host_split(a, &name_a, &port_a);
	host_split(b, &name_b, &port_b);
	return slice_equal_nocase(name_a, name_b) &&
	       slice_equal(port_a.len > 0 ? port_a : default_port,
		       port_b.len > 0 ? port_b : default_port);
}

/* Takes scheme and authority off `*rest`, and compares them with Host. */
static enum err_code read_absolute(
	const struct head *head, struct slice *rest, struct target *target, struct err *err)
{
	const char *colon = memchr(rest->ptr, ':', rest->len);
	const struct field *host = head_find(head, FIELD_HOST);
	struct slice default_port;
	size_t authority_at;
	size_t at;

	target->scheme = slice_of(rest->ptr, colon == NULL ? 0 : (size_t)(colon - rest->ptr));
	if (slice_equal_nocase(target->scheme, SLICE("http"))) {
		default_port = SLICE("80");
	} else if (slice_equal_nocase(target->scheme, SLICE("https"))) {
		default_port = SLICE("443");
	} else {
		return err_set(err, ERR_SYNTAX, "the target is neither a path nor an http URL");
	}
	authority_at = target->scheme.len + 3;
	if (colon == NULL || rest->len < authority_at || memcmp(colon, "://", 3) != 0) {
		return err_set(err, ERR_SYNTAX, "the target is neither a path nor an http URL");
	}
	at = authority_at;
	while (at < rest->len && rest->ptr[at] != '/' && rest->ptr[at] != '?') {
		at++;
	}
	target->authority = slice_of(rest->ptr + authority_at, at - authority_at);
	if (!host_valid(target->authority)) { /* userinfo is none either */
		return err_set(err, ERR_SYNTAX, "the target's authority is not a host");
	}
	if (host != NULL && !same_host(target->authority, head_value(head, host), default_port)) {
		return err_set(err, ERR_MISDIRECTED, "the target's authority is not the Host");
	}
	*rest = slice_of(rest->ptr + at, rest->len - at);
	return ERR_NONE;
}

/* Path and query of an absolute target, which may lack the path: then "/" is put there. */
static bool complete_origin_form(struct slice rest, struct arena *arena, struct target *target)
{
	char *text;

	if (rest.len > 0 && rest.ptr[0] == '/') {
		target->origin_form = rest;
		return true;
	}
	if (rest.len == 0) {
		target->origin_form = SLICE("/");
		return true;
	}
	text = arena_alloc(arena, rest.len + 1);
	if (text == NULL) {
		return false;
	}
	text[0] = '/';
	memcpy(text + 1, rest.ptr, rest.len);
	target->origin_form = slice_of(text, rest.len + 1);
	return true;
}

/* Splits the origin form at its '?', and puts the path into normal form. */
static bool read_origin_form(struct arena *arena, struct target *target)
{
	struct slice form = target->origin_form;
	const char *mark = memchr(form.ptr, '?', form.len);
	char *normal;

	target->path = form;
	if (mark != NULL) {
		target->has_query = true;
		target->path.len = (size_t)(mark - form.ptr);
		target->query = slice_of(mark + 1, form.len - target->path.len - 1);
	}
	target->normal = target->path;
	if (path_is_normal(target->path)) {
		return true;
	}
	normal = arena_alloc(arena, target->path.len + 1);
	if (normal == NULL) {
		return false;
	}
	target->normal = slice_of(normal, path_normalise(target->path, normal));
	return true;
}

/* RFC 9112 section 3.2.4: a URL without path and query in OPTIONS asks for `*`, too. */
static void set_asterisk(struct target *target)
{
	target->asterisk = true;
	target->path = SLICE("*");
	target->origin_form = SLICE("*");
	target->normal = SLICE("/");
}

static enum err_code check_bytes(struct slice text, struct err *err)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (c <= ' ' || c >= 0x7F || c == '#') {
			return c == '#' ? err_set(err, ERR_SYNTAX, "a fragment in the target")
					: err_set(err, ERR_SYNTAX, "byte 0x%02x in the target",
						  (unsigned char)c);
		}
	}
	return text.len > 0 ? ERR_NONE : err_set(err, ERR_SYNTAX, "an empty target");
}

enum err_code target_of_request(
	const struct head *head, struct arena *arena, struct target *target, struct err *err)
{
	struct slice rest = head->target;
	enum err_code code;

	*target = (struct target){.asterisk = false};
	if (head->method == METHOD_CONNECT) {
		return err_set(err, ERR_METHOD, "CONNECT is not served");
	}
	code = check_bytes(rest, err);
	if (code != ERR_NONE) {
		return code;
	}
	if (head->method == METHOD_OPTIONS && slice_equal(rest, SLICE("*"))) {
		set_asterisk(target);
		return ERR_NONE;
	}
	if (rest.ptr[0] != '/') {
		code = read_absolute(head, &rest, target, err);
		if (code != ERR_NONE) {
			return code;
		}
		if (head->method == METHOD_OPTIONS && rest.len == 0) {
			set_asterisk(target);
			return ERR_NONE;
		}
	}
	if (!complete_origin_form(rest, arena, target) || !read_origin_form(arena, target)) {
		return err_set(err, ERR_LIMIT, "no memory is left for the target");
	}
	return ERR_NONE;
}
