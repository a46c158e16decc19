/*
 * Layer: base. One job: YAML into a tree, by libyaml's events.
 */
#include "base/yaml.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <yaml.h>

#include "base/memory.h"

enum {
	TREE_FACTOR = 40, /* a node is larger than the two bytes that a list's item takes */
	SENTENCE_SIZE = 512,
};

struct builder {
	yaml_parser_t parser;
	struct yaml *yaml;
	struct slice text;
	const struct yaml_rules *rules;
};

static void complain(struct builder *builder, unsigned line, const char *key, const char *format,
	...) __attribute__((format(printf, 4, 5)));

static void complain(
	struct builder *builder, unsigned line, const char *key, const char *format, ...)
{
	char sentence[SENTENCE_SIZE];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	builder->rules->complain(builder->rules->context, line, key, sentence);
}

static unsigned line_of(const yaml_event_t *event)
{
	return (unsigned)event->start_mark.line + 1;
}

static unsigned line_at_offset(struct slice text, size_t offset)
{
	unsigned line = 1;

	for (size_t i = 0; i < offset && i < text.len; i++) {
		line += text.ptr[i] == '\n';
	}
	return line;
}

/* What libyaml's own parser, scanner or reader has to say. */
static void complain_of_syntax(struct builder *builder)
{
	const yaml_parser_t *parser = &builder->parser;
	unsigned line = (unsigned)parser->problem_mark.line + 1;
	const char *problem = parser->problem == NULL ? "it cannot be read" : parser->problem;

	if (parser->error == YAML_READER_ERROR) {
		line = line_at_offset(builder->text, parser->problem_offset);
	}
	if (parser->context != NULL) {
		complain(builder, line, NULL, "not YAML: %s, %s (line %u)", problem,
			parser->context, (unsigned)parser->context_mark.line + 1);
	} else {
		complain(builder, line, NULL, "not YAML: %s", problem);
	}
}

static bool next_event(struct builder *builder, yaml_event_t *event)
{
	if (yaml_parser_parse(&builder->parser, event) == 0) {
		complain_of_syntax(builder);
		return false;
	}
	return true;
}

/* NULL where the tree becomes too large, which is a problem then. */
static struct yaml_node *node_create(struct builder *builder, enum yaml_kind kind, unsigned line)
{
	struct yaml_node *node = arena_alloc(&builder->yaml->arena, sizeof(*node));

	if (node == NULL) {
		complain(builder, line, NULL,
			"the file holds too much; leave out what is not needed");
		return NULL;
	}
	*node = (struct yaml_node){.kind = kind, .line = line};
	return node;
}

static bool is_null(struct slice text)
{
	return text.len == 0 || slice_equal(text, SLICE("~")) ||
	       slice_equal_nocase(text, SLICE("null"));
}

static struct yaml_node *build_scalar(struct builder *builder, const yaml_event_t *event)
{
	struct slice text =
		slice_of((const char *)event->data.scalar.value, event->data.scalar.length);
	bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	struct yaml_node *node = node_create(
		builder, plain && is_null(text) ? YAML_NULL : YAML_SCALAR, line_of(event));

	if (node == NULL) {
		return NULL;
	}
	node->plain = plain;
	if (memchr(text.ptr, '\0', text.len) != NULL) {
		complain(builder, node->line, NULL, "a text holds a NUL; leave it out");
		node->kind = YAML_REFUSED;
		text = slice_of("", 0);
	}
	if (!arena_dup(&builder->yaml->arena, text, &node->text)) {
		complain(builder, node->line, NULL,
			"the file holds too much; leave out what is not needed");
		return NULL;
	}
	return node;
}

/* A name that the file gives to something, as a sentence may quote it. */
static const char *shown(const struct builder *builder, const yaml_char_t *name)
{
	return builder->rules->discreet ? "" : (const char *)name;
}

/* What could stand for something that is written elsewhere, or make another type of what is written
 * here. */
static void refuse_properties(struct builder *builder, const yaml_event_t *event,
	const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor != NULL) {
		complain(builder, line_of(event), NULL,
			"anchors (&%s) are not read; write the value where it is meant",
			shown(builder, anchor));
	}
	if (tag != NULL) {
		complain(builder, line_of(event), NULL, "tags (%s) are not read; leave it out",
			shown(builder, tag));
	}
}

static struct yaml_node *build(struct builder *builder, yaml_event_t *event, unsigned depth);

static struct yaml_node *build_next(
	struct builder *builder, unsigned depth, yaml_event_type_t end, bool *ended)
{
	yaml_event_t event;

	*ended = false;
	if (!next_event(builder, &event)) {
		return NULL;
	}
	if (event.type == end) {
		yaml_event_delete(&event);
		*ended = true;
		return NULL;
	}
	return build(builder, &event, depth);
}

static bool build_items(struct builder *builder, struct yaml_node *list, unsigned depth)
{
	struct yaml_node **tail = &list->first;

	for (;;) {
		bool ended;
		struct yaml_node *item =
			build_next(builder, depth + 1, YAML_SEQUENCE_END_EVENT, &ended);

		if (item == NULL) {
			return ended;
		}
		*tail = item;
		tail = &item->next;
	}
}

/* A key that was there before stays what it was. */
static bool is_new_key(
	struct builder *builder, const struct yaml_node *map, const struct yaml_node *key)
{
	for (const struct yaml_node *other = map->first; other != NULL; other = other->next) {
		if (slice_equal(other->text, key->text)) {
			complain(builder, key->line, key->text.ptr,
				"the key stands in line %u already; give it once", other->line);
			return false;
		}
	}
	return true;
}

static bool is_name(struct builder *builder, const struct yaml_node *key)
{
	if (key->kind == YAML_LIST || key->kind == YAML_MAP) {
		complain(builder, key->line, NULL, "a key is %s; give a name", yaml_kind_name(key));
	}
	return key->kind == YAML_SCALAR || key->kind == YAML_NULL;
}

static bool build_pairs(struct builder *builder, struct yaml_node *map, unsigned depth)
{
	struct yaml_node **tail = &map->first;
	unsigned count = 0;

	for (;;) {
		bool ended;
		struct yaml_node *key =
			build_next(builder, depth + 1, YAML_MAPPING_END_EVENT, &ended);

		if (key == NULL) {
			return ended;
		}
		if (++count > builder->rules->keys_max) {
			complain(builder, key->line, NULL,
				"a mapping has more than %u keys; give fewer",
				builder->rules->keys_max);
			return false;
		}
		key->value = build_next(builder, depth + 1, YAML_NO_EVENT, &ended);
		if (key->value == NULL) {
			return false;
		}
		if (is_name(builder, key) && is_new_key(builder, map, key)) {
			*tail = key;
			tail = &key->next;
		}
	}
}

/* Of the node that `event`, which it ends, begins. NULL where the rest of the file cannot be read;
 * that is a problem then. */
static struct yaml_node *build(struct builder *builder, yaml_event_t *event, unsigned depth)
{
	struct yaml_node *node = NULL;
	bool whole = true;

	switch (event->type) {
	case YAML_SCALAR_EVENT:
		refuse_properties(
			builder, event, event->data.scalar.anchor, event->data.scalar.tag);
		node = build_scalar(builder, event);
		mem_wipe(event->data.scalar.value, event->data.scalar.length);
		break;
	case YAML_SEQUENCE_START_EVENT:
		refuse_properties(builder, event, event->data.sequence_start.anchor,
			event->data.sequence_start.tag);
		node = node_create(builder, YAML_LIST, line_of(event));
		break;
	case YAML_MAPPING_START_EVENT:
		refuse_properties(builder, event, event->data.mapping_start.anchor,
			event->data.mapping_start.tag);
		node = node_create(builder, YAML_MAP, line_of(event));
		break;
	case YAML_ALIAS_EVENT:
		complain(builder, line_of(event), NULL,
			"aliases (*%s) are not read; write the value where it is meant",
			shown(builder, event->data.alias.anchor));
		node = node_create(builder, YAML_REFUSED, line_of(event));
		break;
	default: /* libyaml gives no other event within a document */
		complain(builder, line_of(event), NULL, "not YAML: it ends too early");
		break;
	}
	yaml_event_delete(event);
	if (node != NULL && (node->kind == YAML_LIST || node->kind == YAML_MAP)) {
		if (depth >= builder->rules->depth_max) {
			complain(builder, node->line, NULL,
				"nested more than %u deep; nothing that is read here is",
				builder->rules->depth_max);
			return NULL;
		}
		whole = node->kind == YAML_LIST ? build_items(builder, node, depth)
						: build_pairs(builder, node, depth);
	}
	return whole ? node : NULL;
}

static bool expect(struct builder *builder, yaml_event_type_t wanted, yaml_event_type_t *found)
{
	yaml_event_t event;

	if (!next_event(builder, &event)) {
		return false;
	}
	*found = event.type;
	if (event.type == YAML_DOCUMENT_START_EVENT && wanted != YAML_DOCUMENT_START_EVENT) {
		complain(builder, line_of(&event), NULL, "a second document begins here; give one");
	}
	yaml_event_delete(&event);
	return *found == wanted;
}

static struct yaml_node *build_document(struct builder *builder)
{
	struct yaml_node *root;
	yaml_event_type_t found;
	bool ended;

	if (!expect(builder, YAML_STREAM_START_EVENT, &found)) {
		return NULL;
	}
	if (!expect(builder, YAML_DOCUMENT_START_EVENT,
		    &found)) { /* a file of comments, or an empty one, has no document */
		return found == YAML_STREAM_END_EVENT ? node_create(builder, YAML_NULL, 1) : NULL;
	}
	root = build_next(builder, 0, YAML_NO_EVENT, &ended);
	if (root == NULL || !expect(builder, YAML_DOCUMENT_END_EVENT, &found) ||
		!expect(builder, YAML_STREAM_END_EVENT, &found)) {
		return NULL;
	}
	if (root->kind == YAML_LIST || root->kind == YAML_SCALAR) {
		complain(builder, root->line, NULL, "the file is %s; give a mapping such as %s",
			yaml_kind_name(root), builder->rules->example);
		return NULL;
	}
	return root;
}

/* libyaml's own buffers, as far as they can be reached; what it has freed already cannot. */
static void wipe_buffers(yaml_parser_t *parser)
{
	if (parser->raw_buffer.start != NULL) {
		mem_wipe(parser->raw_buffer.start,
			(size_t)(parser->raw_buffer.end - parser->raw_buffer.start));
	}
	if (parser->buffer.start != NULL) {
		mem_wipe(parser->buffer.start, (size_t)(parser->buffer.end - parser->buffer.start));
	}
}

void yaml_read(struct yaml *yaml, struct slice text, const struct yaml_rules *rules)
{
	struct builder builder = {.yaml = yaml, .text = text, .rules = rules};

	arena_pool_init(&yaml->pool, 0);
	arena_init(&yaml->arena, &yaml->pool, TREE_FACTOR * rules->bytes_max);
	yaml->root = NULL;
	if (yaml_parser_initialize(&builder.parser) == 0) {
		complain(&builder, 0, NULL, "no memory to read it");
		return;
	}
	yaml_parser_set_input_string(
		&builder.parser, (const unsigned char *)(text.len > 0 ? text.ptr : ""), text.len);
	yaml->root = build_document(&builder);
	wipe_buffers(&builder.parser);
	yaml_parser_delete(&builder.parser);
}

void yaml_fini(struct yaml *yaml)
{
	arena_wipe(&yaml->arena);
	arena_pool_fini(&yaml->pool);
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
	if (map == NULL || map->kind != YAML_MAP) {
		return NULL;
	}
	for (const struct yaml_node *node = map->first; node != NULL; node = node->next) {
		if (slice_equal(node->text, slice_str(key))) {
			return node->value;
		}
	}
	return NULL;
}

const char *yaml_kind_name(const struct yaml_node *node)
{
	switch (node->kind) {
	case YAML_NULL:
		return "nothing";
	case YAML_SCALAR:
		return "a single value";
	case YAML_LIST:
		return "a list";
	case YAML_MAP:
		return "a mapping";
	case YAML_REFUSED:
		break;
	}
	return "something that is not read";
}
