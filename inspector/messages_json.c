/*
 * Layer: inspector. One job: see messages_json.h.
 */
#include "inspector/messages_json.h"

#include "inspector/redact_body.h"

/* What may be shown of a message, in the scratch buffer; true where something of it was hidden. The
 * only way from a message's text to a reader. */
static bool shown_message(const struct record_format *format, const struct stream_message *message,
	struct slice *shown)
{
	struct redact_body *body = redact_body_create(format->redactor, SLICE(""));
	bool hidden;

	buffer_clear(format->scratch);
	redact_body_add(body, message->text, format->scratch);
	redact_body_end(body, message->text.len < message->size, format->scratch);
	hidden = redact_body_hid(body);
	redact_body_destroy(body);
	*shown = buffer_slice(format->scratch);
	return hidden;
}

static void write_flag(struct json *json, const char *key, bool value)
{
	json_key(json, key);
	json_bool(json, value);
}

static void write_name(
	struct json *json, const struct stream_message *message, const struct record_format *format)
{
	json_key(json, "name");
	if (message->name.len == 0) {
		json_none(json);
		return;
	}
	buffer_clear(format->scratch);
	(void)redact_text(format->redactor, message->name, format->scratch);
	json_text(json, buffer_slice(format->scratch));
}

/* Of text, as much as was kept: not the character that its end cuts. */
static void write_text(
	struct json *json, const struct stream_message *message, const struct record_format *format)
{
	bool is_text = message->type != MESSAGE_BINARY && !message->compressed;
	struct stream_message whole = *message;
	struct slice shown;
	bool hidden = false;

	json_key(json, "text");
	if (!is_text) {
		json_none(json);
	} else {
		if (message->text.len < message->size) {
			whole.text.len = utf8_whole(message->text);
		}
		hidden = shown_message(format, &whole, &shown);
		json_text(json, shown);
	}
	write_flag(json, "truncated", is_text && message->text.len < message->size);
	write_flag(json, "redacted", hidden);
	write_flag(json, "compressed", message->compressed);
}

static void write_message(
	struct json *json, const struct stream_message *message, const struct record_format *format)
{
	static const char *const types[] = {
		[MESSAGE_TEXT] = "text",
		[MESSAGE_BINARY] = "binary",
		[MESSAGE_EVENT] = "event",
	};

	json_begin_object(json);
	json_key(json, "ts");
	json_seconds(json, message->wall_us);
	json_key(json, "direction");
	json_cstring(json, message->incoming ? "in" : "out");
	json_key(json, "type");
	json_cstring(json, types[message->type]);
	if (message->type == MESSAGE_EVENT) {
		write_name(json, message, format);
	}
	json_key(json, "size");
	json_u64(json, message->size);
	write_text(json, message, format);
	json_end_object(json);
}

void messages_json(
	struct json *json, const struct messages *messages, const struct record_format *format)
{
	struct buffer copy = BUFFER_INIT;
	uint64_t total;
	struct slice rest = messages_copy(messages, &copy, &total);
	struct stream_message message;

	json_key(json, "messages");
	json_begin_array(json);
	while (messages_next(&rest, &message)) {
		write_message(json, &message, format);
	}
	json_end_array(json);
	json_key(json, "messages_total");
	json_u64(json, total);
	buffer_fini(&copy);
}
