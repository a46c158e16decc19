/*
 * Layer: config. One job: the list of what is wrong.
 */
#include "config/problems.h"

#include <string.h>

void problems_init(struct problems *problems)
{
	*problems = (struct problems){.file = NULL};
}

void problems_fini(struct problems *problems)
{
	buffer_fini(&problems->errors);
	buffer_fini(&problems->warnings);
}

static void append_place(struct buffer *out, const char *file, struct place place)
{
	switch (place.source) {
	case SOURCE_FILE:
		buffer_append_str(out, file);
		if (place.line > 0) {
			buffer_printf(out, ":%u", place.line);
		}
		break;
	case SOURCE_ENVIRONMENT:
		buffer_append_str(out, "environment");
		break;
	case SOURCE_DEFAULT: /* what is missing can be given there */
	case SOURCE_COMMAND_LINE:
		buffer_append_str(out, "command line");
		break;
	}
}

/* Keys and arguments come from whoever wrote the settings: nothing of them may start a second line
 * or reach a terminal as a control byte. */
static void make_printable(struct buffer *out, size_t from)
{
	for (size_t i = from; i < out->len; i++) {
		if ((unsigned char)out->ptr[i] < ' ' || out->ptr[i] == 0x7f) {
			out->ptr[i] = '?';
		}
	}
}

static void append_line(struct buffer *out, const char *kind, const char *file, struct place place,
	const char *key, const char *format, va_list args) __attribute__((format(printf, 6, 0)));

static void append_line(struct buffer *out, const char *kind, const char *file, struct place place,
	const char *key, const char *format, va_list args)
{
	size_t start = out->len;

	buffer_append_str(out, "sightglass: ");
	buffer_append_str(out, kind);
	append_place(out, file, place);
	buffer_append_str(out, ": ");
	if (key != NULL) {
		buffer_append_str(out, key);
		buffer_append_str(out, ": ");
	}
	buffer_vprintf(out, format, args);
	make_printable(out, start);
	buffer_append_char(out, '\n');
}

void problems_vadd(struct problems *problems, struct place place, const char *key,
	const char *format, va_list args)
{
	if (++problems->error_count <= PROBLEMS_MAX) {
		append_line(&problems->errors, "", problems->file, place, key, format, args);
	}
}

void problems_add(
	struct problems *problems, struct place place, const char *key, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	problems_vadd(problems, place, key, format, args);
	va_end(args);
}

void problems_warn(
	struct problems *problems, struct place place, const char *key, const char *format, ...)
{
	va_list args;

	if (++problems->warning_count <= PROBLEMS_MAX) {
		va_start(args, format);
		append_line(
			&problems->warnings, "warning: ", problems->file, place, key, format, args);
		va_end(args);
	}
}

static void print(const struct buffer *lines, unsigned count, const char *noun, FILE *stream)
{
	if (lines->len > 0) {
		(void)fwrite(lines->ptr, 1, lines->len, stream);
	}
	if (count > PROBLEMS_MAX) {
		(void)fprintf(stream, "sightglass: and %u more %s\n", count - PROBLEMS_MAX, noun);
	}
}

void problems_print(const struct problems *problems, FILE *stream)
{
	print(&problems->warnings, problems->warning_count, "warnings", stream);
	print(&problems->errors, problems->error_count, "errors", stream);
}

const char *quoted(struct slice text, char out[static QUOTED_SIZE])
{
	static const char more[] = "...";
	size_t room = QUOTED_SIZE - sizeof("\"\"");
	size_t shown = text.len <= room ? text.len : room - (sizeof(more) - 1);
	size_t len = 0;

	out[len++] = '"';
	for (size_t i = 0; i < shown; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		out[len++] = c < ' ' || c == 0x7f ? '?' : (char)c;
	}
	if (shown < text.len) {
		memcpy(out + len, more, sizeof(more) - 1);
		len += sizeof(more) - 1;
	}
	out[len++] = '"';
	out[len] = '\0';
	return out;
}
