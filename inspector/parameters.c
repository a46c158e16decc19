/*
 * Layer: inspector (sees base). One job: the parameters of an inspector's URL; see parameters.h.
 */
#include "inspector/parameters.h"

#include <stdint.h>
#include <string.h>

enum {
	NAME_MAX_LEN = 32, /* what is compared for likeness: known names are shorter */
};

static int hex_value(char c)
{
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	c = ascii_lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t percent_decode(struct slice text, bool plus, char *out)
{
	size_t len = 0;

	for (size_t at = 0; at < text.len; at++) {
		char c = text.ptr[at];

		if (c == '%') {
			int high = at + 2 < text.len ? hex_value(text.ptr[at + 1]) : -1;
			int low = at + 2 < text.len ? hex_value(text.ptr[at + 2]) : -1;

			if (high < 0 || low < 0) {
				return SIZE_MAX;
			}
			c = (char)(high << 4 | low);
			at += 2;
		} else if (c == '+' && plus) {
			c = ' ';
		}
		out[len++] = c;
	}
	return len;
}

/* Takes the next "name=value" off `*rest`; "name" alone has an empty value. False at the end. */
static bool next_pair(
	struct slice *rest, struct slice *pair, struct slice *name, struct slice *value)
{
	while (rest->len > 0) {
		const char *end = memchr(rest->ptr, '&', rest->len);
		size_t len = end == NULL ? rest->len : (size_t)(end - rest->ptr);
		size_t used = end == NULL ? len : len + 1;
		const char *equals = len == 0 ? NULL : memchr(rest->ptr, '=', len);
		size_t name_len = equals == NULL ? len : (size_t)(equals - rest->ptr);

		*pair = slice_of(rest->ptr, len);
		*name = slice_of(rest->ptr, name_len);
		*value = equals == NULL ? slice_of(rest->ptr + len, 0)
					: slice_of(equals + 1, len - name_len - 1);
		*rest = slice_of(rest->ptr + used, rest->len - used);
		if (len > 0) {
			return true;
		}
	}
	return false;
}

/* How many letters must be put in, taken out or changed to make one name of the other. */
static size_t distance(struct slice a, struct slice b)
{
	size_t row[NAME_MAX_LEN + 1];

	for (size_t j = 0; j <= b.len; j++) {
		row[j] = j;
	}
	for (size_t i = 1; i <= a.len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b.len; j++) {
			bool same = ascii_lower(a.ptr[i - 1]) == ascii_lower(b.ptr[j - 1]);
			size_t best = diagonal + (same ? 0 : 1);

			diagonal = row[j];
			best = best < row[j] + 1 ? best : row[j] + 1;
			row[j] = best < row[j - 1] + 1 ? best : row[j - 1] + 1;
		}
	}
	return row[b.len];
}

/* The known name that is most like `name`. */
static const char *nearest(struct slice name, const char *const *names, size_t count)
{
	const char *found = names[0];
	size_t found_distance = SIZE_MAX;

	if (name.len > NAME_MAX_LEN) {
		name.len = NAME_MAX_LEN;
	}
	for (size_t i = 0; i < count; i++) {
		size_t this_distance = distance(name, slice_str(names[i]));

		if (this_distance < found_distance) {
			found = names[i];
			found_distance = this_distance;
		}
	}
	return found;
}

static enum err_code refuse_unknown(
	struct slice name, const char *const *names, size_t count, struct err *err)
{
	if (count == 0) {
		return err_set(err, ERR_SYNTAX,
			"the parameter \"%.*s\" is not known; there are none here",
			SLICE_ARGS(name));
	}
	return err_set(err, ERR_SYNTAX,
		"the parameter \"%.*s\" is not known; the nearest is \"%s\"", SLICE_ARGS(name),
		nearest(name, names, count));
}

/* Decodes into memory of the arena. */
static enum err_code decode(
	struct slice text, struct arena *arena, struct slice *out, struct err *err)
{
	char *room = arena_alloc(arena, text.len + 1);
	size_t len;

	if (room == NULL) {
		return err_set(err, ERR_LIMIT, "the query is too long");
	}
	len = percent_decode(text, true, room);
	if (len == SIZE_MAX) {
		return err_set(err, ERR_SYNTAX,
			"\"%.*s\" has a '%%' without two hexadecimal digits behind it",
			SLICE_ARGS(text));
	}
	*out = slice_of(room, len);
	return ERR_NONE;
}

static size_t find(struct slice name, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (slice_equal(name, slice_str(names[i]))) {
			return i;
		}
	}
	return count;
}

enum err_code parameters_parse(struct slice query, const char *const *names, size_t count,
	struct arena *arena, struct slice *values, struct err *err)
{
	struct slice pair;
	struct slice name;
	struct slice value;

	for (size_t i = 0; i < count; i++) {
		values[i] = slice_of(NULL, 0);
	}
	while (next_pair(&query, &pair, &name, &value)) {
		enum err_code rc = decode(name, arena, &name, err);
		size_t index;

		if (rc != ERR_NONE) {
			return rc;
		}
		index = find(name, names, count);
		if (index == count) {
			return refuse_unknown(name, names, count, err);
		}
		if (values[index].ptr != NULL) {
			return err_set(err, ERR_SYNTAX, "the parameter \"%s\" is given twice",
				names[index]);
		}
		rc = decode(value, arena, &values[index], err);
		if (rc != ERR_NONE) {
			return rc;
		}
	}
	return ERR_NONE;
}

/* True where the written `name` decodes to `wanted`; a name with a broken escape is another. */
static bool name_is(struct slice name, struct slice wanted)
{
	char decoded[3 * NAME_MAX_LEN];
	size_t len;

	if (name.len > sizeof(decoded)) {
		return false;
	}
	len = percent_decode(name, true, decoded);
	return len != SIZE_MAX && slice_equal(slice_of(decoded, len), wanted);
}

bool parameters_take(
	struct slice query, struct slice name, char *rest, size_t *rest_len, struct slice *value)
{
	struct slice pair;
	struct slice this_name;
	struct slice this_value;
	bool found = false;

	*rest_len = 0;
	while (next_pair(&query, &pair, &this_name, &this_value)) {
		if (name_is(this_name, name)) {
			if (!found) {
				*value = this_value;
			}
			found = true;
			continue;
		}
		if (*rest_len > 0) {
			rest[(*rest_len)++] = '&';
		}
		memcpy(rest + *rest_len, pair.ptr, pair.len);
		*rest_len += pair.len;
	}
	return found;
}
