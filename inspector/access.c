/*
 * Layer: inspector (sees base, http). One job: who may look; see access.h.
 */
#include "inspector/access.h"

#include <arpa/inet.h>
#include <string.h>

#include "http/target.h"

/* Letters in lower case and '_' as '-': what a server behind a careless proxy might make of it. */
static bool name_is(struct slice name, struct slice pattern)
{
	if (name.len != pattern.len) {
		return false;
	}
	for (size_t i = 0; i < name.len; i++) {
		char c = name.ptr[i] == '_' ? '-' : ascii_lower(name.ptr[i]);

		if (c != pattern.ptr[i]) {
			return false;
		}
	}
	return true;
}

bool access_is_forwarding_field(struct slice name)
{
	static const char family[] = "x-forwarded-";
	size_t family_len = sizeof(family) - 1;

	return name_is(name, SLICE("forwarded")) || name_is(name, SLICE("via")) ||
	       name_is(name, SLICE("x-real-ip")) ||
	       (name.len >= family_len &&
		       name_is(slice_of(name.ptr, family_len), slice_of(family, family_len)));
}

static bool was_forwarded(const struct head *head)
{
	for (size_t i = 0; i < head->count; i++) {
		if (access_is_forwarding_field(head_name(head, &head->fields[i]))) {
			return true;
		}
	}
	return false;
}

/* --- the Host */

static bool is_loopback_address(struct slice name)
{
	char text[INET6_ADDRSTRLEN];
	struct in_addr v4;
	struct in6_addr v6;

	if (name.len == 0 || name.len >= sizeof(text)) {
		return false;
	}
	memcpy(text, name.ptr, name.len);
	text[name.len] = '\0';
	if (inet_pton(AF_INET, text, &v4) == 1) {
		return ntohl(v4.s_addr) >> 24 == 127;
	}
	if (inet_pton(AF_INET6, text, &v6) == 1) {
		return IN6_IS_ADDR_LOOPBACK(&v6) ||
		       (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
	}
	return false;
}

/* An entry without a port allows its name with any. */
static bool is_allowed(const struct string_list *hosts, struct slice host, struct slice name)
{
	for (size_t i = 0; i < hosts->count; i++) {
		struct slice entry = slice_str(hosts->items[i]);

		if (slice_equal_nocase(entry, host) || slice_equal_nocase(entry, name)) {
			return true;
		}
	}
	return false;
}

static bool host_is_ours(const struct access_rules *rules, struct slice host)
{
	struct slice name;
	struct slice port;

	if (!host_valid(host)) {
		return false;
	}
	host_split(host, &name, &port);
	return slice_equal_nocase(name, SLICE("localhost")) || is_loopback_address(name) ||
	       is_allowed(rules->allow_hosts, host, name);
}

/* --- the token */

/* "Bearer TOKEN" (RFC 6750 section 2.1); the scheme's name in any case (RFC 9110 section 11.1). */
static bool bearer_of(struct slice value, struct slice *bearer)
{
	struct slice scheme = SLICE("Bearer ");

	if (value.len <= scheme.len ||
		!slice_equal_nocase(slice_of(value.ptr, scheme.len), scheme)) {
		return false;
	}
	*bearer = slice_trim(slice_of(value.ptr + scheme.len, value.len - scheme.len));
	return bearer->len > 0;
}

/* Takes the next "name=value" off a Cookie field (RFC 6265 section 4.2.1). */
static bool next_cookie(struct slice *rest, struct slice *name, struct slice *value)
{
	while (rest->len > 0) {
		const char *end = memchr(rest->ptr, ';', rest->len);
		size_t len = end == NULL ? rest->len : (size_t)(end - rest->ptr);
		struct slice pair = slice_trim(slice_of(rest->ptr, len));
		const char *equals = pair.len == 0 ? NULL : memchr(pair.ptr, '=', pair.len);
		size_t used = end == NULL ? len : len + 1;

		*rest = slice_of(rest->ptr + used, rest->len - used);
		if (equals != NULL) {
			size_t name_len = (size_t)(equals - pair.ptr);

			*name = slice_of(pair.ptr, name_len);
			*value = slice_of(equals + 1, pair.len - name_len - 1);
			return true;
		}
	}
	return false;
}

static bool has_cookie(const struct head *head, struct token *token)
{
	const struct field *line = head_find(head, FIELD_COOKIE);

	if (token->text == NULL) {
		return false;
	}
	for (; line != NULL; line = head_find_next(head, line)) {
		struct slice rest = head_value(head, line);
		struct slice name;
		struct slice value;

		while (next_cookie(&rest, &name, &value)) {
			if (token_cookie_equal(token, name, value)) {
				return true;
			}
		}
	}
	return false;
}

static void strip_cookies(const struct access_rules *rules, struct slice value, struct buffer *out)
{
	struct slice name;
	struct slice content;

	while (next_cookie(&value, &name, &content)) {
		if (!token_cookie_equal(rules->token, name, content)) {
			if (out->len > 0) {
				buffer_append_str(out, "; ");
			}
			buffer_append_slice(out, name);
			buffer_append_char(out, '=');
			buffer_append_slice(out, content);
		}
	}
}

void access_strip(
	const struct access_rules *rules, enum field_id id, struct slice value, struct buffer *out)
{
	struct slice bearer;

	if (id == FIELD_COOKIE && rules->token->text != NULL) {
		strip_cookies(rules, value, out);
	} else if (id != FIELD_AUTHORIZATION || !bearer_of(value, &bearer) ||
		   !token_equal(rules->token, bearer)) {
		buffer_append_slice(out, value);
	}
}

/* --- changes */

/* "http://host:port" with a default port taken away; false where it is not an origin like that. */
static bool origin_is(struct slice origin, const char *scheme, struct slice host)
{
	struct slice prefix = slice_str(scheme);
	struct slice default_port = strcmp(scheme, "https") == 0 ? SLICE("443") : SLICE("80");
	struct slice authority;
	struct slice name[2];
	struct slice port[2];

	if (origin.len <= prefix.len + 3 ||
		!slice_equal_nocase(slice_of(origin.ptr, prefix.len), prefix) ||
		memcmp(origin.ptr + prefix.len, "://", 3) != 0) {
		return false;
	}
	authority = slice_of(origin.ptr + prefix.len + 3, origin.len - prefix.len - 3);
	if (!host_valid(authority) || !host_valid(host)) {
		return false;
	}
	host_split(authority, &name[0], &port[0]);
	host_split(host, &name[1], &port[1]);
	for (size_t i = 0; i < 2; i++) {
		if (port[i].len == 0) {
			port[i] = default_port;
		}
	}
	return slice_equal_nocase(name[0], name[1]) && slice_equal(port[0], port[1]);
}

/*
 * What a browser says about the page that asks. Sec-Fetch-Site decides where it stands: behind a
 * TLS proxy our own scheme is not the page's, and the Origin cannot be compared.
 */
static bool same_origin(const struct access_request *request)
{
	const struct field *site = head_find(request->head, FIELD_SEC_FETCH_SITE);
	const struct field *origin = head_find(request->head, FIELD_ORIGIN);

	if (site != NULL) {
		return slice_equal(head_value(request->head, site), SLICE("same-origin")) &&
		       head_find_next(request->head, site) == NULL;
	}
	return origin != NULL && head_find_next(request->head, origin) == NULL &&
	       origin_is(head_value(request->head, origin), request->scheme, request->host);
}

struct slice access_allowed_origin(const struct access_rules *rules, const struct head *head)
{
	const struct field *origin = head_find(head, FIELD_ORIGIN);

	if (origin != NULL && head_find_next(head, origin) == NULL) {
		for (size_t i = 0; i < rules->allow_origins->count; i++) {
			if (slice_equal(head_value(head, origin),
				    slice_str(rules->allow_origins->items[i]))) {
				return head_value(head, origin);
			}
		}
	}
	return slice_of(NULL, 0);
}

/*
 * A browser tells where the page that reads is from; other programs say nothing. Following a link
 * is no reading: what comes is shown to the person, and in a frame only where the panel allows it.
 */
static bool reader_is_foreign(
	const struct access_rules *rules, const struct access_request *request)
{
	const struct head *head = request->head;
	const struct field *site = head_find(head, FIELD_SEC_FETCH_SITE);
	const struct field *mode = head_find_name(head, SLICE("Sec-Fetch-Mode"));

	if (same_origin(request) || access_allowed_origin(rules, head).len > 0) {
		return false;
	}
	if (head_find(head, FIELD_ORIGIN) != NULL) {
		return true;
	}
	return site != NULL && !slice_equal(head_value(head, site), SLICE("none")) &&
	       (mode == NULL || !slice_equal(head_value(head, mode), SLICE("navigate")));
}

enum access access_check(const struct access_rules *rules, const struct access_request *request)
{
	struct slice bearer = {.ptr = NULL, .len = 0};
	bool has_bearer = bearer_of(head_get(request->head, FIELD_AUTHORIZATION), &bearer);
	bool bearer_right = has_bearer && token_equal(rules->token, bearer);
	bool query_right =
		request->has_query_token && token_equal(rules->token, request->query_token);

	if (bearer_right) {
		return ACCESS_GRANTED;
	}
	if (!query_right && !has_cookie(request->head, rules->token)) {
		/*
		 * A bearer that is not ours may be the dashboard's own: where none is needed, it
		 * does not matter. A token in the query can only be meant for us.
		 */
		if (request->has_query_token && rules->token->text != NULL) {
			return ACCESS_TOKEN_WRONG;
		}
		if (!request->local_listener || was_forwarded(request->head)) {
			return has_bearer || request->has_query_token ? ACCESS_TOKEN_WRONG
								      : ACCESS_TOKEN_MISSING;
		}
		if (!host_is_ours(rules, request->host)) {
			return ACCESS_FOREIGN_HOST;
		}
	}
	if (!method_is_safe((enum method)request->head->method) && !same_origin(request)) {
		return ACCESS_FOREIGN_PAGE;
	}
	if (!query_right && reader_is_foreign(rules, request)) {
		return ACCESS_FOREIGN_READER;
	}
	return ACCESS_GRANTED;
}
