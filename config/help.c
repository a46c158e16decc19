/*
 * Layer: config. One job: the text of --help, made of the tables: every flag with its variable, its
 * key and its default; then what only the file can say.
 */
#include "config/help.h"

#include <string.h>

#include "config/draft.h"
#include "config/table.h"
#include "config/value_list.h"

enum {
	WIDTH = 100,
	FLAG_COLUMN = 28, /* where explanations begin */
	KEY_COLUMN = 36,
};

/* Up to the column; on a line of its own where what stands there is too long. */
static void pad(struct buffer *out, size_t line_start, size_t column)
{
	if (out->len - line_start >= column) {
		buffer_append_char(out, '\n');
		line_start = out->len;
	}
	while (out->len - line_start < column) {
		buffer_append_char(out, ' ');
	}
}

/* From the column on, broken between words. The line that is being written began at `line_start`.
 */
static void write_wrapped(struct buffer *out, size_t line_start, size_t column, struct slice text)
{
	size_t at = column;

	pad(out, line_start, column);
	for (size_t i = 0; i < text.len; i++) {
		const char *space = memchr(text.ptr + i, ' ', text.len - i);
		size_t word = space == NULL ? text.len - i : (size_t)(space - text.ptr) - i;

		if (at > column && at + 1 + word > WIDTH) {
			buffer_append_char(out, '\n');
			pad(out, out->len, column);
			at = column;
		} else if (at > column) {
			buffer_append_char(out, ' ');
			at++;
		}
		buffer_append(out, text.ptr + i, word);
		at += word;
		i += word;
	}
	buffer_append_char(out, '\n');
}

/* "; default: 10s" of a setting that has one, as it would be written. */
static void append_default(
	const struct setting *setting, const struct object *defaults, struct buffer *out)
{
	struct buffer value = BUFFER_INIT;

	if (setting->help_default != NULL) {
		buffer_append_str(&value, setting->help_default);
	} else if (setting->fallback != NULL) {
		buffer_append_str(&value, setting->fallback);
	} else if (setting->type->format != NULL) {
		(void)setting->type->format(setting, defaults->base, 0, &value);
	}
	if (value.len > 0 && !setting->bare) {
		buffer_append_str(out, "; default: ");
		buffer_append_slice(out, buffer_slice(&value));
	}
	buffer_fini(&value);
}

static void write_flag(
	const struct setting *setting, const struct object *defaults, struct buffer *out)
{
	const char *key = setting->help_key != NULL ? setting->help_key : setting->key;
	struct buffer names = BUFFER_INIT;
	char variable[VARIABLE_SIZE];
	size_t line_start = out->len;

	buffer_printf(out, "  --%s%s%s", setting->flag, setting->argument != NULL ? " " : "",
		setting->argument != NULL ? setting->argument : "");
	write_wrapped(out, line_start, FLAG_COLUMN, slice_str(setting->help));
	if (!setting->command_line_only) {
		setting_variable(setting, variable);
		buffer_printf(&names, "[%s%s", setting->type->list ? "list; " : "", variable);
		if (key != NULL) {
			buffer_printf(&names, "; %s", key);
		}
		append_default(setting, defaults, &names);
		buffer_append_char(&names, ']');
		write_wrapped(out, out->len, FLAG_COLUMN, buffer_slice(&names));
	}
	buffer_fini(&names);
}

static void write_key(const struct setting *setting, const struct object *defaults,
	const char *path, struct buffer *out)
{
	struct buffer text = BUFFER_INIT;
	size_t line_start = out->len;

	buffer_printf(out, "  %s%s", path, setting->key);
	buffer_append_str(&text, setting->help);
	append_default(setting, defaults, &text);
	write_wrapped(out, line_start, KEY_COLUMN, buffer_slice(&text));
	buffer_fini(&text);
}

static void write_keys(const struct object *defaults, const char *path, struct buffer *out)
{
	for (size_t i = 0; i < defaults->count; i++) {
		write_key(&defaults->table[i], defaults, path, out);
	}
}

static const char beginning[] =
	"Usage: sightglass --upstream URL [--flag value]...\n"
	"       sightglass --demo\n"
	"\n"
	"Stands between a dashboard and its API: streams both ways, keeps connections open, "
	"captures what\n"
	"matters into bounded memory, and shows it under /_inspector.\n"
	"\n"
	"A flag overrides its variable, the variable its key in the file, the key the default: "
	"these stand\n"
	"in brackets. A list is given by repeating the flag, or with commas in the variable; an "
	"empty\n"
	"variable is not set. Sizes: 65536, 64KiB, 32MiB, 1GiB. Durations: 250ms, 10s, 5m, 1h; 0 = "
	"off.\n";

void help_write(struct buffer *out)
{
	static const struct place nowhere = {.source = SOURCE_DEFAULT};
	struct draft draft;
	struct upstream_draft *upstream;
	struct route_draft *route;

	draft_init(&draft);
	upstream = draft_add_upstream(&draft, 0, nowhere);
	route = draft_add_route(&draft, 0, nowhere);
	buffer_append_str(out, beginning);
	for (size_t i = 0; i < settings_table_count; i++) {
		if (settings_table[i].heading != NULL) {
			buffer_printf(out, "\n%s\n", settings_table[i].heading);
		}
		if (settings_table[i].flag != NULL) {
			write_flag(&settings_table[i], &draft.object, out);
		}
	}
	buffer_append_str(out, "\nIn the file alone\n");
	for (size_t i = 0; i < settings_table_count; i++) {
		const struct setting *setting = &settings_table[i];

		if (setting->type == &value_upstreams) {
			write_keys(&upstream->object, "upstreams[].", out);
		} else if (setting->type == &value_routes) {
			write_keys(&route->object, "routes[].", out);
		} else if (setting->flag == NULL) {
			write_key(setting, &draft.object, "", out);
		}
	}
	draft_fini(&draft);
}
