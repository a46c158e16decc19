/*
 * Layer: config. One job: put settings together, each source over the one before.
 */
#include "config/draft.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "config/array.h"
#include "config/table.h"
#include "config/value_list.h"

static bool is_plain(const struct setting *setting)
{
	return setting->type->parse != NULL;
}

void object_init(struct object *object, const struct setting *table, size_t count, void *base,
	struct place place)
{
	struct err err = ERR_INIT;

	assert(count <= SETTINGS_MAX);
	memset(object, 0, sizeof(*object)); /* every place is SOURCE_DEFAULT */
	object->table = table;
	object->count = count;
	object->base = base;
	object->place = place;
	for (size_t i = 0; i < count; i++) {
		if (table[i].fallback != NULL) {
			enum err_code code = table[i].type->parse(
				&table[i], slice_str(table[i].fallback), base, &err);

			assert(code == ERR_NONE);
			(void)code;
		}
	}
}

void object_fini(struct object *object)
{
	for (size_t i = 0; i < object->count; i++) {
		if (object->table[i].type->clear != NULL) {
			object->table[i].type->clear(&object->table[i], object->base);
		}
	}
}

const struct setting *object_find_key(const struct object *object, struct slice key)
{
	for (size_t i = 0; i < object->count; i++) {
		if (object->table[i].key != NULL &&
			slice_equal(slice_str(object->table[i].key), key)) {
			return &object->table[i];
		}
	}
	return NULL;
}

const struct setting *object_find_flag(const struct object *object, struct slice flag)
{
	for (size_t i = 0; i < object->count; i++) {
		if (object->table[i].flag != NULL &&
			slice_equal(slice_str(object->table[i].flag), flag)) {
			return &object->table[i];
		}
	}
	return NULL;
}

static struct place *place_of(struct object *object, const struct setting *setting)
{
	return &object->places[setting - object->table];
}

static const struct setting *find(const struct object *object, const char *name)
{
	const struct setting *setting = strncmp(name, "--", 2) == 0
						? object_find_flag(object, slice_str(name + 2))
						: object_find_key(object, slice_str(name));

	assert(setting != NULL);
	return setting;
}

struct place object_place(const struct object *object, const char *name)
{
	return object->places[find(object, name) - object->table];
}

/* The setting's name as that source has it. */
static void name_of(const struct object *object, const struct setting *setting, enum source source,
	int element, struct buffer *out)
{
	char variable[VARIABLE_SIZE];

	if (source == SOURCE_ENVIRONMENT) {
		setting_variable(setting, variable);
		buffer_append_str(out, variable);
	} else if (setting->flag != NULL && source != SOURCE_FILE) {
		buffer_printf(out, "--%s", setting->flag);
	} else {
		buffer_printf(out, "%s%s", object->path, setting->key);
		if (element >= 0) {
			buffer_printf(out, "[%d]", element);
		}
	}
	buffer_append_char(out, '\0');
}

/* What was said moves from one source to the next: a list begins anew. */
static void enter(struct object *object, const struct setting *setting, struct place place)
{
	struct place *at = place_of(object, setting);

	if (setting->type->list && is_plain(setting) && at->source != place.source) {
		setting->type->clear(setting, object->base);
	}
	*at = place;
}

/* `--no-x` off is `x` on. */
static struct slice turned_over(struct slice text)
{
	if (slice_equal(text, SLICE("on")) || slice_equal(text, SLICE("true"))) {
		return SLICE("off");
	}
	if (slice_equal(text, SLICE("off")) || slice_equal(text, SLICE("false"))) {
		return SLICE("on");
	}
	return text;
}

void object_assign(struct object *object, const struct setting *setting, struct place place,
	int element, struct slice text, struct problems *problems)
{
	struct err err = ERR_INIT;

	enter(object, setting, place);
	if (setting->inverted && place.source != SOURCE_FILE) {
		text = turned_over(text);
	}
	if (setting->type->parse(setting, text, object->base, &err) != ERR_NONE) {
		struct buffer name = BUFFER_INIT;

		name_of(object, setting, place.source, element, &name);
		problems_add(problems, place, name.ptr, "%s", err.text);
		buffer_fini(&name);
	}
}

void object_assign_empty(struct object *object, const struct setting *setting, struct place place)
{
	enter(object, setting, place);
}

void object_complain(const struct object *object, const char *name, struct problems *problems,
	const char *format, ...)
{
	const struct setting *setting = find(object, name);
	struct place place = object_place(object, name);
	struct buffer shown = BUFFER_INIT;
	va_list args;

	if (place.source == SOURCE_DEFAULT) {
		place = object->place;
	}
	name_of(object, setting, place.source, -1, &shown);
	va_start(args, format);
	problems_vadd(problems, place, shown.ptr, format, args);
	va_end(args);
	buffer_fini(&shown);
}

void draft_init(struct draft *draft)
{
	memset(draft, 0, sizeof(*draft));
	problems_init(&draft->problems);
	object_init(&draft->object, settings_table, settings_table_count, draft,
		(struct place){.source = SOURCE_COMMAND_LINE});
}

void draft_fini(struct draft *draft)
{
	for (size_t i = 0; i < draft->upstream_count; i++) {
		object_fini(&draft->upstreams[i]->object);
		mem_free(draft->upstreams[i]);
	}
	for (size_t i = 0; i < draft->route_count; i++) {
		object_fini(&draft->routes[i]->object);
		mem_free(draft->routes[i]);
	}
	mem_free(draft->upstreams);
	mem_free(draft->routes);
	object_fini(&draft->object);
	problems_fini(&draft->problems);
}

struct upstream_draft *draft_add_upstream(struct draft *draft, size_t index, struct place place)
{
	struct upstream_draft *upstream = mem_zalloc(sizeof(*upstream));

	upstream->settings.pool = pool_settings_default;
	upstream->settings.timeouts.connect_ms = pool_settings_default.connect_timeout_ms;
	object_init(&upstream->object, upstream_table, upstream_table_count, upstream, place);
	(void)snprintf(
		upstream->object.path, sizeof(upstream->object.path), "upstreams[%zu].", index);
	draft->upstreams = array_grow(
		draft->upstreams, draft->upstream_count, sizeof(struct upstream_draft *));
	draft->upstreams[draft->upstream_count++] = upstream;
	return upstream;
}

struct route_draft *draft_add_route(struct draft *draft, size_t index, struct place place)
{
	struct route_draft *route = mem_zalloc(sizeof(*route));

	object_init(&route->object, route_settings_table, route_settings_table_count, route, place);
	(void)snprintf(route->object.path, sizeof(route->object.path), "routes[%zu].", index);
	draft->routes = array_grow(draft->routes, draft->route_count, sizeof(struct route_draft *));
	draft->routes[draft->route_count++] = route;
	return route;
}
