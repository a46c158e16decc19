/*
 * Layer: demo. One job: an answer's way out: its head, its body in the framing that was chosen, its
 * end; see answer.h.
 */
#include <string.h>

#include "base/clock.h"
#include "demo/client_state.h"
#include "http/head_writer.h"

enum {
	HEAD_ROOM = 512, /* all that is written below, but for the type and the further fields */
};

static bool has_body(const struct demo_client *self, unsigned status)
{
	return self->request.head.method != METHOD_HEAD && status >= 200 && status != 204 &&
	       status != 304;
}

/* How the body goes out, and whether another request may follow (RFC 9112 sections 6 and 9.3). */
static void choose_framing(struct demo_client *self, const struct demo_head *head)
{
	self->bodiless = !has_body(self, head->status);
	self->chunked = false;
	if (head->length == DEMO_LENGTH_UNKNOWN && !self->bodiless) {
		if (self->request.head.version_minor > 0) {
			self->chunked = true;
		} else {
			self->close_after = true;
		}
	}
	if (self->phase == DEMO_CLIENT_BODY) {
		self->close_after = true; /* where the next request begins is not known */
	}
}

static void write_head(struct demo_client *self, const struct demo_head *head)
{
	struct slice type = slice_str(head->content_type);
	size_t room = HEAD_ROOM + type.len + head->fields.len;
	struct head_writer writer;
	char date[CLOCK_IMF_SIZE];

	head_writer_init(&writer, loop_scratch(self->stream.loop, room), room);
	head_writer_status_line(&writer, head->status, slice_str(status_reason(head->status)));
	head_writer_field(
		&writer, SLICE("Date"), slice_of(date, clock_format_imf(clock_wall_us(), date)));
	head_writer_field(&writer, SLICE("Server"), SLICE("sightglass-demo"));
	if (type.len > 0) {
		head_writer_field(&writer, SLICE("Content-Type"), type);
	}
	if (self->chunked) {
		head_writer_field(&writer, SLICE("Transfer-Encoding"), SLICE("chunked"));
	} else if (head->length != DEMO_LENGTH_UNKNOWN && head->status >= 200 &&
		   head->status != 204 && head->status != 304) {
		head_writer_field_u64(&writer, SLICE("Content-Length"), head->length);
	}
	head_writer_raw(&writer, head->fields);
	if (self->close_after && head->status != 101) {
		head_writer_field(&writer, SLICE("Connection"), SLICE("close"));
	}
	head_writer_end(&writer);
	stream_write(&self->stream, head_writer_slice(&writer));
}

bool demo_client_head(struct demo_client *self, const struct demo_head *head)
{
	choose_framing(self, head);
	write_head(self, head);
	if (head->status == 101) {
		self->phase = DEMO_CLIENT_TUNNEL;
		loop_timer_stop(self->stream.loop, &self->timer);
		demo_client_go_on(self); /* what came behind the request belongs to the tunnel */
	} else if (self->phase != DEMO_CLIENT_ANSWERING) {
		self->phase = DEMO_CLIENT_ANSWERING;
		loop_timer_stop(self->stream.loop, &self->timer);
	}
	return !self->bodiless;
}

void demo_client_write(struct demo_client *self, struct slice bytes)
{
	char *line;

	if (self->phase == DEMO_CLIENT_TUNNEL || !(self->bodiless || self->chunked)) {
		stream_write(&self->stream, bytes);
	} else if (self->chunked && bytes.len > 0) { /* an empty chunk would be the end */
		line = loop_scratch(self->stream.loop, CHUNK_LINE_MAX);
		stream_write(&self->stream, slice_of(line, chunk_line_write(line, bytes.len)));
		stream_write(&self->stream, bytes);
		stream_write(&self->stream, SLICE("\r\n"));
	}
}

void demo_client_write_buffer(struct demo_client *self, struct buffer *bytes)
{
	demo_client_write(self, buffer_slice(bytes));
	loop_free_settled(self->stream.loop, bytes->ptr);
	*bytes = BUFFER_INIT;
}

void demo_client_end(struct demo_client *self)
{
	if (self->chunked) {
		stream_write(&self->stream, SLICE("0\r\n\r\n"));
	}
	self->ended = true;
	loop_settled(self->stream.loop, &self->sent);
}

void demo_client_break_off(struct demo_client *self)
{
	self->broken_off = true;
	loop_settled(self->stream.loop, &self->sent);
}

void demo_client_want_more(struct demo_client *self)
{
	self->wants_more = true;
	loop_settled(self->stream.loop, &self->sent);
}

bool demo_client_blocked(const struct demo_client *self)
{
	return stream_blocked(&self->stream);
}
