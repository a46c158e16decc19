/*
 * Layer: inspector. One job: names of secrets; see secret_names.h.
 */
#include "inspector/secret_names.h"

#include "base/memory.h"

static const char *const default_headers[] = {
	"Authorization",
	"Proxy-Authorization",
	"Cookie",
	"Set-Cookie",
	"X-API-Key",
	"X-Auth-Token",
	"X-Amz-Security-Token",
	"X-Ms-Token-*",
};

static const char *const default_parameters[] = {
	"token",
	"access_token",
	"refresh_token",
	"id_token",
	"api_key",
	"secret",
	"client_secret",
	"password",
	"passwd",
	"pwd",
	"private_key",
	"sig",
	"signature",
	/* fields that are also sent as parameters, where a URL is all that the client can set */
	"authorization",
	"x_api_key",
	"x_auth_token",
	"x_amz_security_token",
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Ends the name of an AWS secret access key in each of its spellings. */
static const char aws_secret[] = "secretaccesskey";

/* --- folding */

static bool is_separator(char c)
{
	return c == '-' || c == '_';
}

/* Ends a part of a name: "user[password]" and "user.password" have two. */
static bool ends_part(char c)
{
	return c == '[' || c == ']' || c == '.';
}

/* In a body a part also ends where a prefix does: "soap:token", "example.com/token". */
static bool ends_member_part(char c)
{
	return ends_part(c) || c == '/' || c == ':';
}

static bool begins_escape(char c)
{
	return c == '%' || c == '\\' || c == '&';
}

static bool counts_in_parameter(char c)
{
	return !is_separator(c) && c != ' ';
}

static bool counts(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (unsigned char)c >= 0x80;
}

/* --- lists */

static void add(struct secret_name_list *list, const char *text, size_t len)
{
	char *copy = mem_alloc(len + 1);

	memcpy(copy, text, len);
	copy[len] = '\0';
	list->items[list->count++] = (struct secret_name){.text = copy, .len = len};
}

static void add_folded(struct secret_name_list *list, const char *text, bool (*counts_here)(char c))
{
	char folded[SECRET_NAME_MAX];
	size_t len = 0;

	for (; *text != '\0' && len < sizeof(folded); text++) {
		if (counts_here(*text)) {
			folded[len++] = ascii_lower(*text);
		}
	}
	if (len > 0) {
		add(list, folded, len);
	}
}

static void fini(struct secret_name_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		mem_free(list->items[i].text);
	}
	mem_free(list->items);
}

static void make_room(struct secret_name_list *list, size_t count)
{
	list->items = mem_alloc_array(count, sizeof(*list->items));
}

static void add_header(struct secret_names *names, const char *text)
{
	size_t len = strlen(text);

	add(&names->headers, text, len);
	add_folded(len > 0 && text[len - 1] == '*' ? &names->beginnings : &names->members, text,
		counts);
}

static void add_parameter(struct secret_names *names, const char *text)
{
	add_folded(&names->parameters, text, counts_in_parameter);
	add_folded(&names->members, text, counts);
}

static void know_members(struct secret_names *names)
{
	for (unsigned byte = 0; byte < 256; byte++) {
		char c = (char)byte;

		names->folded[byte] = counts(c)             ? ascii_lower(c)
				      : ends_member_part(c) ? (char)SECRET_FOLD_ENDS_PART
				      : begins_escape(c)    ? (char)SECRET_FOLD_ESCAPES
							    : (char)SECRET_FOLD_LEFT_OUT;
	}
	for (size_t i = 0; i < names->members.count; i++) {
		const struct secret_name *name = &names->members.items[i];

		names->members_like[name->len] |= UINT32_C(1) << (name->text[0] & 31);
	}
	for (size_t i = 0; i < names->beginnings.count; i++) {
		const struct secret_name *start = &names->beginnings.items[i];

		for (size_t len = start->len; len <= SECRET_NAME_MAX; len++) {
			names->members_like[len] |= UINT32_C(1) << (start->text[0] & 31);
		}
	}
}

void secret_names_init(struct secret_names *names, const struct inspector_settings *settings)
{
	size_t headers = COUNT(default_headers) + settings->redact.headers.count;
	size_t parameters = COUNT(default_parameters) + settings->redact.query.count;

	*names = (struct secret_names){.headers = {.count = 0}};
	make_room(&names->headers, headers);
	make_room(&names->beginnings, headers);
	make_room(&names->parameters, parameters);
	make_room(&names->members, headers + parameters + settings->redact.json.count);
	for (size_t i = 0; i < headers; i++) {
		add_header(names,
			i < COUNT(default_headers)
				? default_headers[i]
				: settings->redact.headers.items[i - COUNT(default_headers)]);
	}
	for (size_t i = 0; i < parameters; i++) {
		add_parameter(names,
			i < COUNT(default_parameters)
				? default_parameters[i]
				: settings->redact.query.items[i - COUNT(default_parameters)]);
	}
	for (size_t i = 0; i < settings->redact.json.count; i++) {
		add_folded(&names->members, settings->redact.json.items[i], counts);
	}
	know_members(names);
}

void secret_names_fini(struct secret_names *names)
{
	fini(&names->headers);
	fini(&names->parameters);
	fini(&names->members);
	fini(&names->beginnings);
}

/* --- headers */

static bool header_begins_with(struct slice name, const char *start, size_t len)
{
	if (name.len < len) {
		return false;
	}
	for (size_t i = 0; i < len; i++) {
		if (ascii_lower(name.ptr[i]) != ascii_lower(start[i]) &&
			!(is_separator(name.ptr[i]) && is_separator(start[i]))) {
			return false;
		}
	}
	return true;
}

bool secret_header(const struct secret_names *names, struct slice name)
{
	for (size_t i = 0; i < names->headers.count; i++) {
		const struct secret_name *secret = &names->headers.items[i];
		bool open = secret->len > 0 && secret->text[secret->len - 1] == '*';

		if (header_begins_with(name, secret->text, open ? secret->len - 1 : secret->len) &&
			(open || name.len == secret->len)) {
			return true;
		}
	}
	return false;
}

/* --- parameters */

int hex_digit_value(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char percent_next(struct slice text, size_t *at)
{
	char c = text.ptr[(*at)++];

	if (c == '+') {
		return ' ';
	}
	if (c == '%' && text.len - *at >= 2) {
		int high = hex_digit_value(text.ptr[*at]);
		int low = hex_digit_value(text.ptr[*at + 1]);

		if (high >= 0 && low >= 0) {
			*at += 2;
			return (char)(high << 4 | low);
		}
	}
	return c;
}

static bool is_listed(const struct secret_name_list *list, struct slice folded)
{
	for (size_t i = 0; i < list->count; i++) {
		if (slice_equal(folded, slice_of(list->items[i].text, list->items[i].len))) {
			return true;
		}
	}
	return false;
}

bool secret_parameter(const struct secret_names *names, struct slice name)
{
	char folded[SECRET_NAME_MAX];
	size_t len = 0; /* beyond SECRET_NAME_MAX it only counts */
	size_t at = 0;

	while (at < name.len) {
		char c = percent_next(name, &at);

		if (ends_part(c)) {
			if (len <= SECRET_NAME_MAX &&
				is_listed(&names->parameters, slice_of(folded, len))) {
				return true;
			}
			len = 0;
		} else if (counts_in_parameter(c)) {
			if (len < SECRET_NAME_MAX) {
				folded[len] = ascii_lower(c);
			}
			len++;
		}
	}
	return len <= SECRET_NAME_MAX && is_listed(&names->parameters, slice_of(folded, len));
}

/* --- members */

static bool is_listed_member(const struct secret_names *names, struct slice part)
{
	if (is_listed(&names->members, part)) {
		return true;
	}
	for (size_t i = 0; i < names->beginnings.count; i++) {
		const struct secret_name *start = &names->beginnings.items[i];

		if (slice_starts_with(part, slice_of(start->text, start->len))) {
			return true;
		}
	}
	return false;
}

static inline bool is_member(const struct secret_names *names, const char *folded, size_t len)
{
	struct slice part = slice_of(folded, len);

	if (len == 0 || len > SECRET_NAME_MAX) {
		return false;
	}
	return ((names->members_like[len] >> (folded[0] & 31) & 1) != 0 &&
		       is_listed_member(names, part)) ||
	       (len >= sizeof(aws_secret) - 1 && folded[len - 1] == 'y' &&
		       slice_ends_with(part, slice_str(aws_secret)));
}

struct folded {
	char text[SECRET_NAME_MAX];
	size_t len; /* beyond SECRET_NAME_MAX it only counts */
};

static inline void fold(struct folded *folded, char c)
{
	if (folded->len < SECRET_NAME_MAX) {
		folded->text[folded->len] = c;
	}
	folded->len++;
}

/* Each part by itself, and all of them as one. */
static bool has_secret_part(const struct secret_names *names, struct slice name)
{
	struct folded part;
	struct folded whole;

	part.len = 0;
	whole.len = 0;
	for (size_t i = 0; i < name.len; i++) {
		char c = names->folded[(unsigned char)name.ptr[i]];

		if (c == SECRET_FOLD_ENDS_PART) {
			if (is_member(names, part.text, part.len)) {
				return true;
			}
			part.len = 0;
		} else if (c != SECRET_FOLD_LEFT_OUT && c != SECRET_FOLD_ESCAPES) {
			fold(&part, c);
			fold(&whole, c);
		}
	}
	return is_member(names, part.text, part.len) || is_member(names, whole.text, whole.len);
}

bool secret_member_or_escaped(const struct secret_names *names, struct slice name, bool *escaped)
{
	struct folded whole; /* most names have one part */
	bool has_parts = false;

	whole.len = 0;
	*escaped = false;
	for (size_t i = 0; i < name.len; i++) {
		char c = names->folded[(unsigned char)name.ptr[i]];

		if ((unsigned char)c > SECRET_FOLD_ESCAPES) {
			fold(&whole, c);
		} else {
			has_parts |= c == SECRET_FOLD_ENDS_PART;
			*escaped |= c == SECRET_FOLD_ESCAPES;
		}
	}
	return is_member(names, whole.text, whole.len) ||
	       (has_parts && has_secret_part(names, name));
}

bool secret_member(const struct secret_names *names, struct slice name)
{
	bool escaped;

	return secret_member_or_escaped(names, name, &escaped);
}
