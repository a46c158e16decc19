/*
 * Layer: config. One job: write YAML, by the same tables that read it.
 */
#include "config/effective.h"

#include <string.h>

#include "config/draft.h"
#include "config/table.h"
#include "config/value_list.h"

struct writer {
	const struct settings *settings;
	uint32_t connections;
	struct buffer *out;
	unsigned indent;  /* of the object's keys */
	bool begins_item; /* the next line is the first of a list's item */
	const char *last; /* the key that was written before, in this object */
	const struct upstream_timeouts *inherited; /* of a route: what it need not say */
};

static bool is_plain_letter(char c)
{
	return (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') || (c >= '0' && c <= '9') ||
	       strchr("/._-", c) != NULL;
}

/* Words that YAML 1.1 takes for null, true or false. */
static bool is_word_of_yaml(struct slice text)
{
	static const struct slice words[] = {SLICE_INIT("null"), SLICE_INIT("true"),
		SLICE_INIT("false"), SLICE_INIT("yes"), SLICE_INIT("no"), SLICE_INIT("on"),
		SLICE_INIT("off"), SLICE_INIT("y"), SLICE_INIT("n")};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (slice_equal_nocase(text, words[i])) {
			return true;
		}
	}
	return false;
}

static bool can_stand_plain(struct slice text)
{
	bool begins_well =
		text.len > 0 && (text.ptr[0] == '/' || (ascii_lower(text.ptr[0]) >= 'a' &&
							       ascii_lower(text.ptr[0]) <= 'z'));

	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] == '\0' || !is_plain_letter(text.ptr[i])) {
			return false;
		}
	}
	return begins_well && !is_word_of_yaml(text);
}

void yaml_write_text(struct slice text, struct buffer *out)
{
	if (can_stand_plain(text)) {
		buffer_append_slice(out, text);
		return;
	}
	buffer_append_char(out, '"');
	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (c == '"' || c == '\\') {
			buffer_append_char(out, '\\');
			buffer_append_char(out, (char)c);
		} else if (c < ' ' || c == 0x7f) {
			buffer_printf(out, "\\x%02X", c);
		} else {
			buffer_append_char(out, (char)c);
		}
	}
	buffer_append_char(out, '"');
}

static void begin_line(struct writer *writer, unsigned depth)
{
	unsigned spaces = writer->indent + 2 * depth;

	for (unsigned i = 0; i < spaces; i++) {
		buffer_append_char(writer->out, writer->begins_item && i + 2 == spaces ? '-' : ' ');
	}
	writer->begins_item = false;
}

/* How many dotted parts at the beginning the two keys share, their last ones aside. */
static size_t shared_sections(const char *a, const char *b, size_t *len)
{
	size_t sections = 0;

	*len = 0;
	for (size_t i = 0; a[i] != '\0' && a[i] == b[i]; i++) {
		if (a[i] == '.') {
			sections++;
			*len = i + 1;
		}
	}
	return sections;
}

/* Opens the sections of `key` that the key before it did not stand in, and writes its last part. */
static void write_key(struct writer *writer, const char *key, bool as_comment)
{
	size_t from;
	unsigned depth = (unsigned)shared_sections(writer->last, key, &from);
	const char *dot;

	for (key += from; (dot = strchr(key, '.')) != NULL; key = dot + 1) {
		begin_line(writer, depth++);
		buffer_append(writer->out, key, (size_t)(dot - key));
		buffer_append_str(writer->out, ":\n");
	}
	begin_line(writer, depth);
	if (as_comment) {
		buffer_append_str(writer->out, "# ");
	}
	buffer_append_str(writer->out, key);
	buffer_append_str(writer->out, ": ");
}

static void write_element(const struct setting *setting, struct slice text, struct buffer *out)
{
	if (setting->type->text) {
		yaml_write_text(text, out);
	} else {
		buffer_append_slice(out, text);
	}
}

/* False where there is nothing to say: no such text, or a list that is as long by default. */
static bool format_value(const struct setting *setting, const void *base, struct buffer *out)
{
	struct buffer element = BUFFER_INIT;
	size_t count = 0;

	while (setting->type->format(setting, base, count, &element)) {
		buffer_append_str(out, !setting->type->list ? "" : count == 0 ? "[" : ", ");
		write_element(setting, buffer_slice(&element), out);
		buffer_clear(&element);
		count++;
	}
	if (setting->type->list && count > 0) {
		buffer_append_char(out, ']');
	}
	buffer_fini(&element);
	return count > 0;
}

/* What `auto` came to. */
static void write_note(const struct writer *writer, const struct setting *setting)
{
	const struct settings *settings = writer->settings;

	if (strcmp(setting->key, "workers") == 0 && settings->workers == 0) {
		buffer_printf(writer->out, " # %u here", settings->proxy.workers);
	} else if (strcmp(setting->key, "limits.connections") == 0 &&
		   settings->proxy.limits.connections == 0) {
		buffer_printf(writer->out, " # %u here", writer->connections);
	}
}

static bool is_inherited(
	const struct writer *writer, const struct setting *setting, const void *base)
{
	static const char section[] = "timeouts.";
	size_t first = offsetof(struct route_draft, settings.timeouts);

	return writer->inherited != NULL &&
	       strncmp(setting->key, section, sizeof(section) - 1) == 0 &&
	       memcmp((const char *)base + setting->offset,
		       (const char *)writer->inherited + (setting->offset - first),
		       sizeof(uint64_t)) == 0;
}

static void write_setting(struct writer *writer, const struct setting *setting, const void *base)
{
	struct buffer value = BUFFER_INIT;

	if (!is_inherited(writer, setting, base) && format_value(setting, base, &value)) {
		write_key(writer, setting->key, setting->secret);
		if (setting->secret) {
			buffer_append_str(writer->out, "[redacted]");
		} else {
			buffer_append_slice(writer->out, buffer_slice(&value));
			write_note(writer, setting);
		}
		buffer_append_char(writer->out, '\n');
		writer->last = setting->key;
	}
	buffer_fini(&value);
}

static void write_item(struct writer *writer, const struct setting *table, size_t count,
	const void *base, const struct upstream_timeouts *inherited)
{
	struct writer item = *writer;

	item.indent = writer->indent + 4;
	item.begins_item = true;
	item.last = "";
	item.inherited = inherited;
	for (size_t i = 0; i < count; i++) {
		write_setting(&item, &table[i], base);
	}
}

/* The tables describe drafts: an upstream or route in effect is put into one, which borrows its
 * texts. */
static void write_upstreams(struct writer *writer)
{
	const struct proxy_settings *proxy = &writer->settings->proxy;

	if (writer->settings->demo) {
		buffer_append_str(writer->out, "# upstreams: the built-in sample (--demo)\n");
		return;
	}
	buffer_append_str(writer->out, "upstreams:\n");
	for (uint32_t i = 0; i < proxy->upstream_count; i++) {
		struct upstream_draft draft = {.settings = proxy->upstreams[i]};

		draft.name = draft.settings.name;
		write_item(writer, upstream_table, upstream_table_count, &draft, NULL);
	}
}

static void write_routes(struct writer *writer)
{
	const struct proxy_settings *proxy = &writer->settings->proxy;

	if (proxy->route_count > 0) {
		buffer_append_str(writer->out, "routes:\n");
	}
	for (uint32_t i = 0; i < proxy->route_count; i++) {
		struct route_draft draft = {.settings = proxy->routes[i]};
		const struct upstream_settings *upstream =
			&proxy->upstreams[draft.settings.upstream];
		char name[UPSTREAM_NAME_MAX];

		memcpy(name, upstream->name, sizeof(name));
		draft.upstream = writer->settings->demo
					 ? NULL
					 : name; /* of a demo's upstream no file can speak */
		write_item(writer, route_settings_table, route_settings_table_count, &draft,
			&upstream->timeouts);
	}
}

void effective_write(const struct settings *settings, uint32_t connections, struct buffer *out)
{
	struct draft draft = {.settings = *settings,
		.request_id_inbound = settings->proxy.request_id_keep ? 1 : 0};
	struct writer writer = {
		.settings = settings, .connections = connections, .out = out, .last = ""};

	if (settings->inspector.token_file != NULL) {
		draft.settings.inspector.token =
			NULL; /* it was read from there, and will be again */
	}
	for (size_t i = 0; i < settings_table_count; i++) {
		const struct setting *setting = &settings_table[i];

		if (setting->type == &value_upstreams) {
			write_upstreams(&writer);
		} else if (setting->type == &value_routes) {
			write_routes(&writer);
		} else if (setting->key != NULL) {
			write_setting(&writer, setting, &draft);
		}
	}
}
