/*
 * The input is taken for a path, a host, a prefix and a request target at once.
 */
#include "http/path.h"
#include "http/target.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/expect.h"
#include "tests/unit/guarded.h"
#include "tests/unit/reading.h"

enum {
	LONGEST = 4096,
};

static bool every_percent_begins_an_escape(struct slice path)
{
	static const char digits[] = "0123456789abcdefABCDEF";

	for (size_t at = 0; at < path.len; at++) {
		if (path.ptr[at] == '%' && (path.len - at < 3 || path.ptr[at + 1] == '\0' ||
						   path.ptr[at + 2] == '\0' ||
						   strchr(digits, path.ptr[at + 1]) == NULL ||
						   strchr(digits, path.ptr[at + 2]) == NULL)) {
			return false;
		}
	}
	return true;
}

static bool holds(struct slice text, const char *part)
{
	return slice_find(text, slice_str(part)) != NULL;
}

static void check_path(struct slice path)
{
	char normal_bytes[LONGEST + 1];
	char again_bytes[LONGEST + 1];
	struct slice normal = slice_of(normal_bytes, path_normalise(path, normal_bytes));
	struct slice again = slice_of(again_bytes, path_normalise(normal, again_bytes));

	EXPECT(normal.len > 0 && normal.len <= path.len + 1);
	EXPECT(normal.ptr[0] == '/');
	EXPECT(path.len == 0 || path.ptr[0] != '/' || normal.len <= path.len);
	EXPECT(!holds(normal, "//") && !holds(normal, "/./") && !holds(normal, "/../"));
	EXPECT(!slice_ends_with(normal, SLICE("/.")) && !slice_ends_with(normal, SLICE("/..")));
	EXPECT(path_is_normal(path) == slice_equal(path, normal));
	if (every_percent_begins_an_escape(path)) {
		EXPECT(slice_equal(normal, again));
		EXPECT(path_is_normal(normal));
	}
}

static void check_host(struct slice host)
{
	struct slice name;
	struct slice port;

	if (host_valid(host)) {
		host_split(host, &name, &port);
		EXPECT(name.len > 0 && name.len + port.len <= host.len);
		EXPECT(!holds(host, "@") && !holds(host, "/") && !holds(host, " "));
	}
}

static void check_prefix(struct slice text)
{
	char normalised[LONGEST];
	char below_bytes[LONGEST + 8];
	struct prefix prefix;
	struct slice below;

	if (!prefix_parse(text, normalised, &prefix, NULL)) {
		return;
	}
	EXPECT(prefix.path.len <= text.len);
	memcpy(below_bytes, prefix.path.ptr, prefix.path.len);
	memcpy(below_bytes + prefix.path.len, "/x", 2);
	below = slice_of(below_bytes, prefix.path.len + 2);
	EXPECT(prefix_covers(&prefix, below));
	EXPECT(prefix.path.len == 0 || prefix_covers(&prefix, prefix.path));
	memcpy(below_bytes + prefix.path.len, "x/", 2);
	EXPECT(prefix.path.len == 0 || prefix_covers(&prefix, below) == prefix.open);
}

static void check_request_target(struct slice text)
{
	static struct field host = {.name_len = 4, .value_at = 4, .value_len = 1, .id = FIELD_HOST};
	struct head head = {
		.bytes = "Hosth",
		.size = 5,
		.count = 1,
		.fields = &host,
		.method = METHOD_OPTIONS,
		.target = text,
	};
	struct reading memory;
	struct target target;

	head.first[FIELD_HOST] = 1;
	reading_init(&memory);
	if (target_of_request(&head, &memory.arena, &target, NULL) == ERR_NONE) {
		EXPECT(target.asterisk || target.origin_form.ptr[0] == '/');
		EXPECT(target.normal.ptr[0] == '/');
		EXPECT(!holds(text, "#") && !holds(target.authority, "@"));
		EXPECT(!holds(target.path, "?"));
		EXPECT(target.origin_form.len ==
			target.path.len + (target.has_query ? 1 + target.query.len : 0));
		EXPECT(slice_ends_with(text, target.query));
	}
	reading_fini(&memory);
}

void check_target(struct slice input)
{
	struct slice text =
		guarded_copy(input.len > LONGEST ? slice_of(input.ptr, LONGEST) : input);

	check_path(text);
	check_host(text);
	check_prefix(text);
	check_request_target(text);
}
