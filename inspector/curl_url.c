/*
 * Layer: inspector (sees base, http). One job: URLs for curl; see curl_url.h.
 */
#include "inspector/curl_url.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "http/target.h"

enum {
	PORT_HTTP = 80,
	PORT_HTTPS = 443,
};

/* --- the host */

/* What curl takes in a URL: no sub-delims, which a Host may have. */
static bool is_name(struct slice name)
{
	for (size_t i = 0; i < name.len; i++) {
		char c = ascii_lower(name.ptr[i]);

		if ((c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '.' &&
			c != '_') {
			return false;
		}
	}
	return name.len > 0;
}

static bool has_capitals(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (ascii_lower(text.ptr[i]) != text.ptr[i]) {
			return true;
		}
	}
	return false;
}

/* The part behind the last dot begins with a digit: curl makes an IPv4 address of "127.1", too. */
static bool ends_in_number(struct slice name)
{
	size_t at = name.len;

	while (at > 0 && name.ptr[at - 1] != '.') {
		at--;
	}
	return at < name.len && name.ptr[at] >= '0' && name.ptr[at] <= '9';
}

static bool is_ipv4(struct slice name)
{
	char text[INET_ADDRSTRLEN];
	struct in_addr address;

	if (name.len >= sizeof(text)) {
		return false;
	}
	(void)snprintf(text, sizeof(text), "%.*s", SLICE_ARGS(name));
	return inet_pton(AF_INET, text, &address) == 1;
}

/* A name that curl leaves as it is. */
static bool is_kept(struct slice name)
{
	return !has_capitals(name) && name.ptr[name.len - 1] != '.' &&
	       (!ends_in_number(name) || is_ipv4(name));
}

/* A port that curl writes as it is; the default one it leaves out. */
static bool is_kept_port(struct slice port, const char *scheme)
{
	uint64_t number;

	return port.len == 0 ||
	       (port.ptr[0] != '0' && slice_to_u64(port, UINT16_MAX, &number) &&
		       number != (strcmp(scheme, "https") == 0 ? PORT_HTTPS : PORT_HTTP));
}

enum curl_host curl_url_host(struct slice shown, const char *scheme)
{
	struct slice name;
	struct slice port;

	if (!host_valid(shown)) {
		return CURL_HOST_FOREIGN;
	}
	host_split(shown, &name, &port);
	if (shown.ptr[0] == '[') { /* curl may write the address in another way */
		return CURL_HOST_FIELD;
	}
	if (!is_name(name)) {
		return CURL_HOST_FOREIGN;
	}
	return is_kept(name) && is_kept_port(port, scheme) ? CURL_HOST_SAME : CURL_HOST_FIELD;
}

void curl_url_append_host(struct buffer *out, struct slice shown, enum curl_host host)
{
	struct slice name;
	struct slice port;

	if (host != CURL_HOST_FOREIGN) {
		buffer_append_slice(out, shown);
		return;
	}
	buffer_append_str(out, "localhost");
	if (host_valid(shown)) {
		host_split(shown, &name, &port);
		if (port.len > 0) {
			buffer_append_char(out, ':');
			buffer_append_slice(out, port);
		}
	}
}

/* --- the target */

static bool is_dots(struct slice segment)
{
	size_t dots = 0;

	while (segment.len > 0) {
		size_t taken = segment.ptr[0] == '.' ? 1
			       : segment.len >= 3 && slice_equal_nocase(
							     slice_of(segment.ptr, 3), SLICE("%2e"))
				       ? 3
				       : 0;

		if (taken == 0 || ++dots > 2) {
			return false;
		}
		segment = slice_of(segment.ptr + taken, segment.len - taken);
	}
	return dots > 0;
}

static bool has_dot_segment(struct slice target)
{
	size_t start = 0;

	for (size_t i = 0; i <= target.len; i++) {
		bool ends = i == target.len || target.ptr[i] == '?';

		if (ends || target.ptr[i] == '/') {
			if (is_dots(slice_of(target.ptr + start, i - start))) {
				return true;
			}
			start = i + 1;
		}
		if (ends) {
			break;
		}
	}
	return false;
}

struct curl_target curl_url_target(struct slice target)
{
	struct curl_target result = {.in_url = target.len > 0 && target.ptr[0] == '/'};

	for (size_t i = 0; i < target.len; i++) {
		unsigned char c = (unsigned char)target.ptr[i];

		if (c <= ' ' || c > '~' || c == '#') {
			result.in_url = false;
		}
		if (c == '[' || c == ']' || c == '{' || c == '}') {
			result.globoff = true;
		}
	}
	result.globoff = result.globoff && result.in_url;
	result.path_as_is = result.in_url && has_dot_segment(target);
	return result;
}
