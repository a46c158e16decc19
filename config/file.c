/*
 * Layer: config. One job: put what the file says into the draft.
 */
#include "config/sources.h"

#include <stdio.h>

#include "config/nearest.h"
#include "config/value_list.h"
#include "config/yaml_file.h"

static struct place at(const struct yaml_node *node)
{
	return (struct place){.source = SOURCE_FILE, .line = node->line};
}

/* Whether `key` is a mapping of settings: some setting's key goes on behind it. */
static bool is_section(const struct object *object, struct slice key)
{
	for (size_t i = 0; i < object->count; i++) {
		struct slice known = slice_str(object->table[i].key);

		if (known.len > key.len && slice_starts_with(known, key) &&
			known.ptr[key.len] == '.') {
			return true;
		}
	}
	return false;
}

static void offer_keys(const struct object *object, struct nearest *nearest)
{
	for (size_t i = 0; i < object->count; i++) {
		struct slice key = slice_str(object->table[i].key);

		for (size_t len = 1; len < key.len; len++) { /* the sections on the way to it */
			if (key.ptr[len] == '.') {
				nearest_offer(nearest, slice_of(key.ptr, len));
			}
		}
		if (key.len > 0) {
			nearest_offer(nearest, key);
		}
	}
}

static void complain_of_unknown_key(struct draft *draft, const struct object *object,
	struct slice key, const struct yaml_node *node)
{
	struct nearest nearest;
	struct buffer name = BUFFER_INIT;

	nearest_init(&nearest, key);
	offer_keys(object, &nearest);
	buffer_printf(&name, "%s%.*s", object->path, (int)(key.len < 200 ? key.len : 200), key.ptr);
	buffer_append_char(&name, '\0');
	problems_add(&draft->problems, at(node), name.ptr,
		"unknown key; the nearest known one is %s%.*s", object->path,
		SLICE_ARGS(nearest.best));
	buffer_fini(&name);
}

static void complain_of_kind(struct draft *draft, const struct object *object, struct slice key,
	const char *wanted, const struct yaml_node *node)
{
	struct buffer name = BUFFER_INIT;

	if (node->kind != YAML_REFUSED) {
		buffer_append_str(&name, object->path);
		buffer_append_slice(&name, key);
		buffer_append_char(&name, '\0');
		problems_add(&draft->problems, at(node), name.ptr, "it is %s; give %s",
			yaml_kind_name(node), wanted);
		buffer_fini(&name);
	}
}

static void read_map(struct draft *draft, struct object *object, struct slice section,
	const struct yaml_node *map);

static void read_list(struct draft *draft, struct object *object, const struct setting *setting,
	const struct yaml_node *list)
{
	int index = 0;

	object_assign_empty(object, setting, at(list));
	for (const struct yaml_node *item = list->first; item != NULL; item = item->next, index++) {
		if (item->kind == YAML_SCALAR) {
			object_assign(
				object, setting, at(item), index, item->text, &draft->problems);
		} else {
			complain_of_kind(draft, object, slice_str(setting->key),
				"single values in this list", item);
		}
	}
}

/* An upstream or a route of the list. */
static void read_item(struct draft *draft, const struct setting *setting, size_t index,
	const struct yaml_node *item)
{
	bool upstream = setting->type == &value_upstreams;
	char name[OBJECT_PATH_SIZE];

	if (item->kind != YAML_MAP) {
		(void)snprintf(name, sizeof(name), "%s[%zu]", setting->key, index);
		complain_of_kind(draft, &draft->object, slice_str(name),
			upstream ? "a mapping such as {name: api, url: \"http://127.0.0.1:8000\"}"
				 : "a mapping such as {prefix: /api/me, capture: row}",
			item);
		return;
	}
	read_map(draft,
		upstream ? &draft_add_upstream(draft, index, at(item))->object
			 : &draft_add_route(draft, index, at(item))->object,
		SLICE(""), item);
}

static void read_items(struct draft *draft, struct object *object, const struct setting *setting,
	const struct yaml_node *list)
{
	size_t max = setting->type == &value_upstreams ? UPSTREAMS_MAX : ROUTES_MAX;
	size_t count = 0;

	object_assign_empty(object, setting, at(list));
	for (const struct yaml_node *item = list->first; item != NULL; item = item->next) {
		if (count >= max) {
			problems_add(&draft->problems, at(item), setting->key,
				"the list is too long; give at most %zu", max);
			return;
		}
		read_item(draft, setting, count++, item);
	}
}

static void read_value(struct draft *draft, struct object *object, const struct setting *setting,
	const struct yaml_node *node)
{
	bool list = setting->type->list;

	if (list && node->kind == YAML_NULL) {
		return; /* a heading with nothing below it */
	}
	if (setting->type == &value_upstreams || setting->type == &value_routes) {
		if (node->kind == YAML_LIST) {
			read_items(draft, object, setting, node);
		} else {
			complain_of_kind(draft, object, slice_str(setting->key), "a list", node);
		}
	} else if (list && node->kind == YAML_LIST) {
		read_list(draft, object, setting, node);
	} else if (node->kind == YAML_SCALAR) {
		object_assign(object, setting, at(node), -1, node->text, &draft->problems);
	} else {
		complain_of_kind(draft, object, slice_str(setting->key),
			list ? "a list" : "a single value", node);
		object_assign_empty(
			object, setting, at(node)); /* it was said, if badly: it is not missing */
	}
}

/* One key: a setting, a section of settings, or unknown. */
static void read_pair(
	struct draft *draft, struct object *object, struct slice key, const struct yaml_node *node)
{
	const struct setting *setting = object_find_key(object, key);

	if (setting != NULL) {
		read_value(draft, object, setting, node->value);
	} else if (!is_section(object, key)) {
		complain_of_unknown_key(draft, object, key, node);
	} else if (node->value->kind == YAML_MAP) {
		read_map(draft, object, key, node->value);
	} else if (node->value->kind != YAML_NULL) {
		complain_of_kind(draft, object, key, "a mapping", node->value);
	}
}

static void read_map(struct draft *draft, struct object *object, struct slice section,
	const struct yaml_node *map)
{
	struct buffer key = BUFFER_INIT;

	for (const struct yaml_node *node = map->first; node != NULL; node = node->next) {
		buffer_clear(&key);
		if (section.len > 0) {
			buffer_append_slice(&key, section);
			buffer_append_char(&key, '.');
		}
		buffer_append_slice(&key, node->text);
		read_pair(draft, object, buffer_slice(&key), node);
	}
	buffer_fini(&key);
}

void file_read(struct draft *draft)
{
	struct yaml yaml;

	if (draft->problems.file == NULL) {
		return;
	}
	yaml_file_load(&yaml, &draft->problems);
	if (yaml.root == NULL) {
		draft->file_failed = true;
	} else if (yaml.root->kind == YAML_MAP) {
		read_map(draft, &draft->object, SLICE(""), yaml.root);
	}
	yaml_fini(&yaml);
}
