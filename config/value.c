/*
 * Layer: config. One job: single values: numbers, sizes, durations, switches, choices, texts.
 */
#include "config/value.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "config/nearest.h"
#include "config/problems.h"

struct unit {
	struct slice name;
	uint64_t factor;
};

static const struct unit size_units[] = {
	/* the largest first */
	{SLICE_INIT("TiB"), UINT64_C(1) << 40},
	{SLICE_INIT("GiB"), UINT64_C(1) << 30},
	{SLICE_INIT("MiB"), UINT64_C(1) << 20},
	{SLICE_INIT("KiB"), UINT64_C(1) << 10},
	{SLICE_INIT(""), 1},
};

static const struct unit time_units[] = {
	{SLICE_INIT("h"), UINT64_C(3600) * 1000},
	{SLICE_INIT("m"), UINT64_C(60) * 1000},
	{SLICE_INIT("s"), 1000},
	{SLICE_INIT("ms"), 1},
};

enum {
	SIZE_UNITS = sizeof(size_units) / sizeof(size_units[0]),
	TIME_UNITS = sizeof(time_units) / sizeof(time_units[0]),
};

static void *member(const struct setting *setting, void *object)
{
	return (char *)object + setting->offset;
}

static const void *const_member(const struct setting *setting, const void *object)
{
	return (const char *)object + setting->offset;
}

/* Digits, then one of the units. */
static bool parse_with_unit(
	struct slice text, const struct unit *units, size_t count, uint64_t *value)
{
	size_t digits = 0;
	uint64_t number;

	while (digits < text.len && text.ptr[digits] >= '0' && text.ptr[digits] <= '9') {
		digits++;
	}
	for (size_t i = 0; i < count; i++) {
		if (slice_equal(slice_of(text.ptr + digits, text.len - digits), units[i].name) &&
			slice_to_u64(slice_of(text.ptr, digits), UINT64_MAX / units[i].factor,
				&number)) {
			*value = number * units[i].factor;
			return true;
		}
	}
	return false;
}

/* With the largest unit that leaves no rest. */
static void format_with_unit(
	uint64_t value, const struct unit *units, size_t count, struct buffer *out)
{
	size_t i = 0;

	while (i + 1 < count && value % units[i].factor != 0) {
		i++;
	}
	buffer_append_u64(out, value / units[i].factor);
	buffer_append_slice(out, units[i].name);
}

enum err_code size_parse(struct slice text, uint64_t *bytes, struct err *err)
{
	char shown[QUOTED_SIZE];

	if (parse_with_unit(text, size_units, SIZE_UNITS, bytes)) {
		return ERR_NONE;
	}
	return err_set(err, ERR_SETTINGS,
		"%s is not a size; give bytes such as 65536, 64KiB, 32MiB or 1GiB",
		quoted(text, shown));
}

void size_format(uint64_t bytes, struct buffer *out)
{
	if (bytes == 0) {
		buffer_append_char(out, '0');
		return;
	}
	format_with_unit(bytes, size_units, SIZE_UNITS, out);
}

enum err_code duration_parse(struct slice text, uint64_t *ms, struct err *err)
{
	char shown[QUOTED_SIZE];

	if (slice_equal(text, SLICE("0"))) {
		*ms = 0;
		return ERR_NONE;
	}
	if (parse_with_unit(text, time_units, TIME_UNITS, ms)) {
		return ERR_NONE;
	}
	return err_set(err, ERR_SETTINGS,
		"%s is not a duration; give one such as 250ms, 10s, 5m or 1h", quoted(text, shown));
}

void duration_format(uint64_t ms, struct buffer *out)
{
	if (ms == 0) {
		buffer_append_char(out, '0');
		return;
	}
	format_with_unit(ms, time_units, TIME_UNITS, out);
}

static void number_format(uint64_t number, struct buffer *out)
{
	buffer_append_u64(out, number);
}

/* True, or `err` says the range. */
static bool within_range(const struct setting *setting, uint64_t value, struct slice text,
	void (*format)(uint64_t, struct buffer *), struct err *err)
{
	struct buffer range = BUFFER_INIT;
	char shown[QUOTED_SIZE];

	if (value >= setting->min && value <= setting->max) {
		return true;
	}
	format(setting->min, &range);
	buffer_append_str(&range, " to ");
	format(setting->max, &range);
	if (setting->zero != NULL) {
		buffer_append_str(&range, ", or ");
		buffer_append_str(&range, setting->zero);
	}
	(void)err_set(err, ERR_SETTINGS, "%s is too %s; give %.*s", quoted(text, shown),
		value < setting->min ? "small" : "large", SLICE_ARGS(buffer_slice(&range)));
	buffer_fini(&range);
	return false;
}

static bool is_zero_word(const struct setting *setting, struct slice text)
{
	return setting->zero != NULL && slice_equal(text, slice_str(setting->zero));
}

static enum err_code number_parse(
	const struct setting *setting, struct slice text, uint64_t *value, struct err *err)
{
	char shown[QUOTED_SIZE];

	if (is_zero_word(setting, text)) {
		*value = 0;
		return ERR_NONE;
	}
	if (!slice_to_u64(text, UINT64_MAX, value)) {
		return err_set(err, ERR_SETTINGS,
			"%s is not a number; give one of %llu to %llu%s%s", quoted(text, shown),
			(unsigned long long)setting->min, (unsigned long long)setting->max,
			setting->zero != NULL ? ", or " : "",
			setting->zero != NULL ? setting->zero : "");
	}
	return within_range(setting, *value, text, number_format, err) ? ERR_NONE : ERR_SETTINGS;
}

static void number_format_or_word(const struct setting *setting, uint64_t value, struct buffer *out)
{
	if (value == 0 && setting->zero != NULL) {
		buffer_append_str(out, setting->zero);
	} else {
		buffer_append_u64(out, value);
	}
}

static enum err_code parse_number16(
	const struct setting *setting, struct slice text, void *object, struct err *err)
{
	uint64_t value;
	enum err_code code = number_parse(setting, text, &value, err);

	if (code == ERR_NONE) {
		*(uint16_t *)member(setting, object) = (uint16_t)value;
	}
	return code;
}

static bool format_number16(
	const struct setting *setting, const void *object, size_t index, struct buffer *out)
{
	if (index == 0) {
		number_format_or_word(
			setting, *(const uint16_t *)const_member(setting, object), out);
	}
	return index == 0;
}

static enum err_code parse_number32(
	const struct setting *setting, struct slice text, void *object, struct err *err)
{
	uint64_t value;
	enum err_code code = number_parse(setting, text, &value, err);

	if (code == ERR_NONE) {
		*(uint32_t *)member(setting, object) = (uint32_t)value;
	}
	return code;
}

static bool format_number32(
	const struct setting *setting, const void *object, size_t index, struct buffer *out)
{
	if (index == 0) {
		number_format_or_word(
			setting, *(const uint32_t *)const_member(setting, object), out);
	}
	return index == 0;
}

static enum err_code parse_size(
	const struct setting *setting, struct slice text, uint64_t *value, struct err *err)
{
	if (size_parse(text, value, err) != ERR_NONE) {
		return ERR_SETTINGS;
	}
	return within_range(setting, *value, text, size_format, err) ? ERR_NONE : ERR_SETTINGS;
}

static enum err_code parse_size32(
	const struct setting *setting, struct slice text, void *object, struct err *err)
{
	uint64_t value;
	enum err_code code = parse_size(setting, text, &value, err);

	if (code == ERR_NONE) {
		*(uint32_t *)member(setting, object) = (uint32_t)value;
	}
	return code;
}

static bool format_size32(
	const struct setting *setting, const void *object, size_t index, struct buffer *out)
{
	if (index == 0) {
		size_format(*(const uint32_t *)const_member(setting, object), out);
	}
	return index == 0;
}

static enum err_code parse_size64(
	const struct setting *setting, struct slice text, void *object, struct err *err)
{
	uint64_t value;
	enum err_code code = parse_size(setting, text, &value, err);

	if (code == ERR_NONE) {
		*(uint64_t *)member(setting, object) = value;
	}
	return code;
}

static bool format_size64(
	const struct setting *setting, const void *object, size_t index, struct buffer *out)
{
	if (index == 0) {
		size_format(*(const uint64_t *)const_member(setting, object), out);
	}
	return index == 0;
}

static enum err_code parse_duration(
	const struct setting *setting, struct slice text, void *object, struct err *err)
{
	uint64_t value;

	if (duration_parse(text, &value, err) != ERR_NONE ||
		!within_range(setting, value, text, duration_format, err)) {
		return ERR_SETTINGS;
	}
	*(uint64_t *)member(setting, object) = value;
	return ERR_NONE;
}

static bool format_duration(
	const struct setting *setting, const void *object, size_t index, struct buffer *out)
{
	if (index == 0) {
		duration_format(*(const uint64_t *)const_member(setting, object), out);
	}
	return index == 0;
}

static enum err_code parse_switch(
	const struct setting *setting, struct slice text, void *object, struct err *err)
{
	char shown[QUOTED_SIZE];
	bool on = slice_equal(text, SLICE("on")) || slice_equal(text, SLICE("true"));

	if (!on && !slice_equal(text, SLICE("off")) && !slice_equal(text, SLICE("false"))) {
		return err_set(err, ERR_SETTINGS, "%s is neither on nor off; give on or off",
			quoted(text, shown));
	}
	*(bool *)member(setting, object) = on;
	return ERR_NONE;
}

static bool format_switch(
	const struct setting *setting, const void *object, size_t index, struct buffer *out)
{
	if (index == 0) {
		buffer_append_str(
			out, *(const bool *)const_member(setting, object) ? "true" : "false");
	}
	return index == 0;
}

/* "a, b or c" */
static void append_names(const char *const *names, struct buffer *out)
{
	for (size_t i = 0; names[i] != NULL; i++) {
		if (i > 0) {
			buffer_append_str(out, names[i + 1] == NULL ? " or " : ", ");
		}
		buffer_append_str(out, names[i]);
	}
}

static enum err_code parse_choice(
	const struct setting *setting, struct slice text, void *object, struct err *err)
{
	struct buffer names = BUFFER_INIT;
	char shown[QUOTED_SIZE];

	for (unsigned i = 0; setting->names[i] != NULL; i++) {
		if (slice_equal(text, slice_str(setting->names[i]))) {
			memcpy(member(setting, object), &i,
				sizeof(i)); /* an enum whose values count from 0 is an unsigned in
					       memory */
			return ERR_NONE;
		}
	}
	append_names(setting->names, &names);
	(void)err_set(err, ERR_SETTINGS, "%s is not known here; give %.*s", quoted(text, shown),
		SLICE_ARGS(buffer_slice(&names)));
	buffer_fini(&names);
	return ERR_SETTINGS;
}

static bool format_choice(
	const struct setting *setting, const void *object, size_t index, struct buffer *out)
{
	unsigned value;

	if (index == 0) {
		memcpy(&value, const_member(setting, object), sizeof(value));
		buffer_append_str(out, setting->names[value]);
	}
	return index == 0;
}

static enum err_code parse_text(
	const struct setting *setting, struct slice text, void *object, struct err *err)
{
	char **at = member(setting, object);
	enum err_code code = setting->check == NULL ? ERR_NONE : setting->check(text, err);

	if (code == ERR_NONE) {
		mem_free(*at);
		*at = mem_alloc(text.len + 1);
		if (text.len > 0) {
			memcpy(*at, text.ptr, text.len);
		}
		(*at)[text.len] = '\0';
	}
	return code;
}

static bool format_text(
	const struct setting *setting, const void *object, size_t index, struct buffer *out)
{
	const char *const *at = const_member(setting, object);

	if (index > 0 || *at == NULL) {
		return false;
	}
	buffer_append_str(out, *at);
	return true;
}

static void clear_text(const struct setting *setting, void *object)
{
	char **at = member(setting, object);

	mem_free(*at);
	*at = NULL;
}

const struct value_type value_switch = {.parse = parse_switch, .format = format_switch};
const struct value_type value_number16 = {.parse = parse_number16, .format = format_number16};
const struct value_type value_number32 = {.parse = parse_number32, .format = format_number32};
const struct value_type value_size32 = {.parse = parse_size32, .format = format_size32};
const struct value_type value_size64 = {.parse = parse_size64, .format = format_size64};
const struct value_type value_duration = {.parse = parse_duration, .format = format_duration};
const struct value_type value_choice = {.parse = parse_choice, .format = format_choice};
const struct value_type value_text = {
	.text = true, .parse = parse_text, .format = format_text, .clear = clear_text};
