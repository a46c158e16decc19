/*
 * Layer: base. One job: set an error, and put what each floor knows before it.
 */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum err_code err_set(struct err *err, enum err_code code, const char *format, ...)
{
	char text[sizeof(err->text)]; /* the arguments may be parts of the old text */
	va_list args;

	if (err == NULL) {
		return code;
	}
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	err->code = code;
	memcpy(err->text, text, sizeof(text));
	return code;
}

void err_prefix(struct err *err, const char *prefix)
{
	char text[sizeof(err->text)];

	if (err == NULL) {
		return;
	}
	memcpy(text, err->text, sizeof(text));
	/* What does not fit is cut at the end, as the header says. */
	if (snprintf(err->text, sizeof(err->text), "%s: ", prefix) < (int)sizeof(err->text)) {
		size_t len = strlen(err->text);

		snprintf(err->text + len, sizeof(err->text) - len, "%s", text);
	}
}
