/*
 * Layer: inspector (sees base, http). One job: weigh media types; see accept.h.
 */
#include "inspector/accept.h"

enum range_fit { /* the more specific range decides, wherever it stands */
	FIT_NONE,
	FIT_ANY,     /* any type at all */
	FIT_TYPE,    /* any subtype */
	FIT_SUBTYPE, /* this one */
};

/* Takes what stands before the next `separator`, which none in quotes is, off `*rest`. */
static bool next_part(struct slice *rest, char separator, struct slice *part)
{
	bool quoted = false;
	size_t at = 0;

	if (rest->len == 0) {
		return false;
	}
	for (; at < rest->len && (quoted || rest->ptr[at] != separator); at++) {
		if (rest->ptr[at] == '"') {
			quoted = !quoted;
		} else if (quoted && rest->ptr[at] == '\\' && at + 1 < rest->len) {
			at++;
		}
	}
	*part = slice_trim(slice_of(rest->ptr, at));
	at = at < rest->len ? at + 1 : at;
	*rest = slice_of(rest->ptr + at, rest->len - at);
	return true;
}

/* RFC 9110 section 12.4.2: "0" or "1" with at most three decimals; anything else weighs nothing. */
static unsigned parse_weight(struct slice text)
{
	unsigned weight;
	unsigned unit = 100;

	if (text.len == 0 || text.len > 5 || (text.ptr[0] != '0' && text.ptr[0] != '1')) {
		return 0;
	}
	if (text.len > 1 && text.ptr[1] != '.') {
		return 0;
	}
	weight = text.ptr[0] == '1' ? 1000 : 0;
	for (size_t i = 2; i < text.len; i++, unit /= 10) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9') {
			return 0;
		}
		weight += (unsigned)(text.ptr[i] - '0') * unit;
	}
	return weight <= 1000 ? weight : 0;
}

static enum range_fit fit_of(struct slice range, struct slice type, struct slice subtype)
{
	const char *slash = range.len == 0 ? NULL : memchr(range.ptr, '/', range.len);
	size_t type_len = slash == NULL ? 0 : (size_t)(slash - range.ptr);
	struct slice range_type = slice_of(range.ptr, type_len);
	struct slice range_subtype;

	if (slash == NULL) {
		return FIT_NONE;
	}
	range_subtype = slice_of(slash + 1, range.len - type_len - 1);
	if (slice_equal(range_subtype, SLICE("*"))) {
		return slice_equal(range_type, SLICE("*"))    ? FIT_ANY
		       : slice_equal_nocase(range_type, type) ? FIT_TYPE
							      : FIT_NONE;
	}
	return slice_equal_nocase(range_type, type) && slice_equal_nocase(range_subtype, subtype)
		       ? FIT_SUBTYPE
		       : FIT_NONE;
}

/*
 * "type/subtype;name=value;q=0.5": parameters but q do not narrow the range down, since we have one
 * form of each type.
 */
static unsigned weight_of(struct slice parameters)
{
	struct slice parameter;

	while (next_part(&parameters, ';', &parameter)) {
		if (parameter.len >= 2 && ascii_lower(parameter.ptr[0]) == 'q' &&
			parameter.ptr[1] == '=') {
			return parse_weight(slice_of(parameter.ptr + 2, parameter.len - 2));
		}
	}
	return 1000;
}

unsigned accept_weight(const struct head *head, struct slice type, struct slice subtype)
{
	const struct field *line = head_find(head, FIELD_ACCEPT);
	enum range_fit best = FIT_NONE;
	unsigned weight = line == NULL ? 1000 : 0;

	for (; line != NULL; line = head_find_next(head, line)) {
		struct slice rest = head_value(head, line);
		struct slice element;

		while (next_part(&rest, ',', &element)) {
			struct slice range;
			enum range_fit fit;

			if (!next_part(&element, ';', &range)) {
				continue;
			}
			fit = fit_of(range, type, subtype);
			if (fit > best) {
				best = fit;
				weight = weight_of(element);
			}
		}
	}
	return weight;
}

bool accept_prefers_html(const struct head *head)
{
	return accept_weight(head, SLICE("text"), SLICE("html")) >
	       accept_weight(head, SLICE("application"), SLICE("json"));
}
