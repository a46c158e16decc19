/*
 * The first byte of the input chooses the type and whether the body was cut; the rest is the body.
 */
#include <string.h>

#include "inspector/redact_body.h"
#include "tests/fuzz/check.h"
#include "tests/fuzz/expect.h"
#include "tests/unit/guarded.h"

static const char *const types[] = {"application/json", "text/plain", "application/yaml",
	"application/x-www-form-urlencoded", "multipart/form-data; boundary=b", "text/html",
	"text/xml", "application/javascript", "image/png", "", "text/event-stream",
	"multipart/mixed"};

static const size_t steps[] = {1, 3, 64, 5000};

enum {
	TYPES = sizeof(types) / sizeof(types[0]),
	STEPS = sizeof(steps) / sizeof(steps[0]),
};

static bool redact(const struct redactor *redactor, const char *type, bool cut, struct slice text,
	size_t step, struct buffer *out)
{
	struct redact_body *body = redact_body_create(redactor, slice_str(type));
	bool hid;

	while (text.len > 0) {
		size_t len = step < text.len ? step : text.len;

		redact_body_add(body, guarded_copy(slice_of(text.ptr, len)), out);
		text = slice_of(text.ptr + len, text.len - len);
	}
	redact_body_end(body, cut, out);
	hid = redact_body_hid(body);
	redact_body_destroy(body);
	return hid;
}

static void check_slices(
	const struct redactor *redactor, const char *type, bool cut, struct slice text)
{
	struct buffer whole = BUFFER_INIT;
	bool hid = redact(redactor, type, cut, text, text.len + 1, &whole);

	EXPECT(hid || slice_equal(buffer_slice(&whole), text));
	for (size_t i = 0; i < STEPS; i++) {
		struct buffer out = BUFFER_INIT;

		EXPECT(redact(redactor, type, cut, text, steps[i], &out) == hid);
		EXPECT(slice_equal(buffer_slice(&out), buffer_slice(&whole)));
		buffer_fini(&out);
	}
	buffer_fini(&whole);
}

/* JSON behind whatever it is. */
static void check_secret(const struct redactor *redactor, const char *type, struct slice text)
{
	struct buffer input = BUFFER_INIT;
	struct buffer out = BUFFER_INIT;

	if (slice_find(text, SLICE("SECRET")) != NULL) {
		return; /* it stands there for all to see */
	}
	buffer_append_slice(&input, text);
	buffer_append_str(&input, "\n{\"password\":\"qSECRETq\"}");
	EXPECT(redact(redactor, type, false, buffer_slice(&input), 100, &out));
	EXPECT(slice_find(buffer_slice(&out), SLICE("qSECRETq")) == NULL);
	buffer_fini(&input);
	buffer_fini(&out);
}

void check_redact_body(struct slice input)
{
	static const struct inspector_settings settings;
	struct redactor *redactor = redactor_create(&settings);
	unsigned char choice;

	if (input.len > 0) {
		choice = (unsigned char)input.ptr[0];
		input = slice_of(input.ptr + 1, input.len - 1);
		check_slices(redactor, types[choice % TYPES], choice >= 128, input);
		check_secret(redactor, "application/json", input);
		check_secret(redactor, "text/plain", input);
	}
	redactor_destroy(redactor);
}
