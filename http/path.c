/*
 * Layer: http (sees base). One job: normal paths (RFC 3986 section 6.2.2) and the prefixes that
 * cover them.
 */
#include "http/path.h"

/* RFC 3986 section 2.3 */
static bool is_unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '.' || c == '_' || c == '~';
}

/* The value of a hexadecimal digit, or -1. */
static int hex_value(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that "%xx" at `at` stands for, or -1 where no escape stands there. */
static int escape_value(struct slice path, size_t at)
{
	int high;
	int low;

	if (path.len - at < 3 || path.ptr[at] != '%') {
		return -1;
	}
	high = hex_value(path.ptr[at + 1]);
	low = hex_value(path.ptr[at + 2]);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

static char upper(char c)
{
	return (char)(c >= 'a' && c <= 'f' ? c - 0x20 : c);
}

/*
 * Copies the segment at `*at`, up to the next '/', with its escapes in normal form. Returns its
 * length in `out`.
 */
static size_t copy_segment(struct slice path, size_t *at, char *out)
{
	size_t len = 0;

	while (*at < path.len && path.ptr[*at] != '/') {
		int value = escape_value(path, *at);

		if (value < 0) {
			out[len++] = path.ptr[(*at)++];
			continue;
		}
		if (is_unreserved((char)value)) {
			out[len++] = (char)value;
		} else {
			out[len++] = '%';
			out[len++] = upper(path.ptr[*at + 1]);
			out[len++] = upper(path.ptr[*at + 2]);
		}
		*at += 3;
	}
	return len;
}

static bool is_dots(const char *segment, size_t len, size_t dots)
{
	return len == dots && segment[0] == '.' && segment[dots - 1] == '.';
}

size_t path_normalise(struct slice path, char *out)
{
	size_t len = 0; /* of what is written: segments, each with the '/' before it */
	size_t at = 0;
	bool directory = true; /* the path ends in '/', or in dots, which name a directory too */

	while (at < path.len) {
		size_t segment;

		if (path.ptr[at] == '/') {
			at++;
			directory = true;
			continue;
		}
		out[len] = '/';
		segment = copy_segment(path, &at, out + len + 1);
		directory = true;
		if (is_dots(out + len + 1, segment, 2)) {
			while (len > 0 && out[--len] != '/') {
			}
		} else if (!is_dots(out + len + 1, segment, 1)) {
			len += 1 + segment;
			directory = false;
		}
	}
	if (directory) {
		out[len++] = '/';
	}
	return len;
}

/* True where a segment of one or two dots begins at `at`. */
static bool dots_at(struct slice path, size_t at)
{
	size_t dots = 0;

	while (at + dots < path.len && path.ptr[at + dots] == '.') {
		dots++;
	}
	return (dots == 1 || dots == 2) && (at + dots == path.len || path.ptr[at + dots] == '/');
}

bool path_is_normal(struct slice path)
{
	if (path.len == 0 || path.ptr[0] != '/') {
		return false;
	}
	for (size_t at = 0; at < path.len; at++) {
		char c = path.ptr[at];

		if (c == '/' && at + 1 < path.len) {
			if (path.ptr[at + 1] == '/' || dots_at(path, at + 1)) {
				return false;
			}
		} else if (c == '%') {
			int value = escape_value(path, at);

			if (value >= 0 && (is_unreserved((char)value) ||
						  path.ptr[at + 1] != upper(path.ptr[at + 1]) ||
						  path.ptr[at + 2] != upper(path.ptr[at + 2]))) {
				return false;
			}
		}
	}
	return true;
}

/* False, with what is wrong in `err`, where the text without its '*' can be no path. */
static bool check_prefix(struct slice path, bool open, struct err *err)
{
	size_t segment = 0;

	for (size_t at = 0; at < path.len; at++) {
		char c = path.ptr[at];

		if (c <= ' ' || c >= 0x7F || c == '?' || c == '#' || c == '*') {
			err_set(err, ERR_SETTINGS, "a prefix has no %s",
				c == '*'   ? "'*' but at its end"
				: c == '?' ? "query"
				: c == '#' ? "fragment"
					   : "space, control byte or byte above 0x7E");
			return false;
		}
		if (c == '%' && escape_value(path, at) < 0) {
			err_set(err, ERR_SETTINGS,
				"'%%' without two hexadecimal digits in a prefix");
			return false;
		}
		if (c == '/') {
			segment = at;
		}
	}
	if (open && dots_at(path, segment + 1)) {
		/* "/a/..*" covers "/a/..b" and must not become "/", which covers everything. */
		err_set(err, ERR_SETTINGS, "a prefix has no dot segment before its '*'");
		return false;
	}
	return true;
}

bool prefix_parse(struct slice text, char *normalised, struct prefix *prefix, struct err *err)
{
	bool open = slice_ends_with(text, SLICE("*"));
	size_t len;

	if (!slice_starts_with(text, SLICE("/"))) {
		err_set(err, ERR_SETTINGS, "a prefix begins with '/'");
		return false;
	}
	if (open) {
		text.len--;
	}
	if (!check_prefix(text, open, err)) {
		return false;
	}
	len = path_normalise(text, normalised);
	if (!open && normalised[len - 1] == '/') {
		len--;
	}
	*prefix = (struct prefix){.path = slice_of(normalised, len), .open = open};
	return true;
}

bool prefix_covers(const struct prefix *prefix, struct slice normal_path)
{
	size_t len = prefix->path.len;

	return slice_starts_with(normal_path, prefix->path) &&
	       (prefix->open || normal_path.len == len || normal_path.ptr[len] == '/');
}
