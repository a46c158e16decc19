/*
 * Layer: config. One job: lists of values.
 */
#include "config/value_list.h"

#include "base/memory.h"
#include "config/array.h"
#include "config/nearest.h"
#include "config/problems.h"
#include "http/head.h"
#include "proxy/listen_address.h"

enum {
	LIST_MAX = 10000, /* elements; far more than any list of these is for */
};

static const struct {
	struct slice name;
	enum method method;
} methods[] = {
	{SLICE_INIT("GET"), METHOD_GET},
	{SLICE_INIT("HEAD"), METHOD_HEAD},
	{SLICE_INIT("POST"), METHOD_POST},
	{SLICE_INIT("PUT"), METHOD_PUT},
	{SLICE_INIT("PATCH"), METHOD_PATCH},
	{SLICE_INIT("DELETE"), METHOD_DELETE},
	{SLICE_INIT("OPTIONS"), METHOD_OPTIONS},
	{SLICE_INIT("TRACE"), METHOD_TRACE},
};

enum {
	METHODS = sizeof(methods) / sizeof(methods[0]),
};

static void *at(size_t offset, void *object)
{
	return (char *)object + offset;
}

static const void *const_at(size_t offset, const void *object)
{
	return (const char *)object + offset;
}

static enum err_code too_many(struct err *err)
{
	return err_set(err, ERR_SETTINGS, "the list is too long; give at most %d", LIST_MAX);
}

void string_list_add(struct string_list *list, struct slice text)
{
	char *copy = mem_alloc(text.len + 1);

	if (text.len > 0) {
		memcpy(copy, text.ptr, text.len);
	}
	copy[text.len] = '\0';
	list->items = array_grow(list->items, list->count, sizeof(*list->items));
	list->items[list->count++] = copy;
}

void string_list_clear(struct string_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		mem_free(list->items[i]);
	}
	mem_free(list->items);
	*list = (struct string_list){.items = NULL};
}

static enum err_code parse_text_list(
	const struct setting *setting, struct slice text, void *object, struct err *err)
{
	struct string_list *list = at(setting->offset, object);

	if (setting->check != NULL && setting->check(text, err) != ERR_NONE) {
		return ERR_SETTINGS;
	}
	if (list->count >= LIST_MAX) {
		return too_many(err);
	}
	string_list_add(list, text);
	return ERR_NONE;
}

static bool format_text_list(
	const struct setting *setting, const void *object, size_t index, struct buffer *out)
{
	const struct string_list *list = const_at(setting->offset, object);

	if (index >= list->count) {
		return false;
	}
	buffer_append_str(out, list->items[index]);
	return true;
}

static void clear_text_list(const struct setting *setting, void *object)
{
	string_list_clear(at(setting->offset, object));
}

static enum err_code parse_listen_list(
	const struct setting *setting, struct slice text, void *object, struct err *err)
{
	struct listen_settings **items = at(setting->offset, object);
	uint32_t *count = at(setting->count_offset, object);
	struct listen_settings listen;

	if (listen_address_parse(text, &listen, err) != ERR_NONE) {
		return ERR_SETTINGS;
	}
	if (*count >= LIST_MAX) {
		return too_many(err);
	}
	*items = array_grow(*items, *count, sizeof(**items));
	(*items)[(*count)++] = listen;
	return ERR_NONE;
}

static bool format_listen_list(
	const struct setting *setting, const void *object, size_t index, struct buffer *out)
{
	struct listen_settings *const *items = const_at(setting->offset, object);
	const uint32_t *count = const_at(setting->count_offset, object);

	if (index >= *count) {
		return false;
	}
	buffer_append_str(out, (*items)[index].text);
	return true;
}

static void clear_listen_list(const struct setting *setting, void *object)
{
	struct listen_settings **items = at(setting->offset, object);
	uint32_t *count = at(setting->count_offset, object);

	mem_free(*items);
	*items = NULL;
	*count = 0;
}

static enum err_code parse_method(
	const struct setting *setting, struct slice text, void *object, struct err *err)
{
	uint32_t *bits = at(setting->offset, object);
	struct nearest nearest;
	char shown[QUOTED_SIZE];

	nearest_init(&nearest, text);
	for (size_t i = 0; i < METHODS; i++) {
		if (slice_equal(text, methods[i].name)) {
			*bits |= (uint32_t)1 << methods[i].method;
			return ERR_NONE;
		}
		nearest_offer(&nearest, methods[i].name);
	}
	return err_set(err, ERR_SETTINGS,
		"%s is no method that a route can name; give one such as %.*s", quoted(text, shown),
		SLICE_ARGS(nearest.best));
}

/* Every method is what the key says by not being there. */
static bool format_methods(
	const struct setting *setting, const void *object, size_t index, struct buffer *out)
{
	const uint32_t *bits = const_at(setting->offset, object);
	size_t seen = 0;

	for (size_t i = 0; *bits != SETTINGS_METHODS_ALL && i < METHODS; i++) {
		if ((*bits & (uint32_t)1 << methods[i].method) != 0 && seen++ == index) {
			buffer_append_slice(out, methods[i].name);
			return true;
		}
	}
	return false;
}

static void clear_methods(const struct setting *setting, void *object)
{
	*(uint32_t *)at(setting->offset, object) = 0;
}

const struct value_type value_text_list = {.list = true,
	.text = true,
	.parse = parse_text_list,
	.format = format_text_list,
	.clear = clear_text_list};
const struct value_type value_listen_list = {.list = true,
	.text = true,
	.parse = parse_listen_list,
	.format = format_listen_list,
	.clear = clear_listen_list};
const struct value_type value_methods = {
	.list = true, .parse = parse_method, .format = format_methods, .clear = clear_methods};
const struct value_type value_upstreams = {.list = true};
const struct value_type value_routes = {.list = true};
