/*
 * Layer: inspector (sees base, http, proxy). One job: a request as a curl command; see curl.h.
 *
 * Three rules: nothing of a record is written but through inspector/redact.h, and through
 * inspector/shell.h; a body is never given by --data-binary with its text, which curl would take
 * for a file's name behind a '@'; a comment is made of harmless words alone.
 */
#include "inspector/curl.h"

#include "inspector/curl_url.h"
#include "inspector/shell.h"
#include "inspector/shown_target.h"

enum {
	/* One argument may have 128 KiB on Linux, and redaction may make it longer. */
	ARGUMENT_BODY_MAX = 64 * 1024,
	/* From here on curl asks first whether it may send a body. */
	EXPECT_BODY_MIN = 1024 * 1024,
};

bool curl_is_possible(const struct record_view *view)
{
	return view->method_name.len > 0 && view->path.len > 0;
}

static bool is_method(const struct curl *self, const char *name)
{
	return slice_equal(self->view->method_name, slice_str(name));
}

static bool has_field(const struct curl *self, enum field_id id)
{
	return record_head_get(&self->view->request, id).ptr != NULL;
}

/* --- which fields curl is given */

/* What did not go on, and what curl says by itself where it is true of its own request. */
static bool is_left_out(const struct curl *self, struct slice name)
{
	switch (field_identify(name)) {
	case FIELD_CONTENT_LENGTH:
	case FIELD_EXPECT:
	case FIELD_TRAILER:
		return true;
	case FIELD_CONTENT_ENCODING:
		return self->body.coding_len > 0;
	default:
		return record_is_hop_by_hop(&self->view->request, name);
	}
}

/* --- comments: of fixed words, numbers, and names that went through shell_comment() */

static void list_hidden(struct buffer *out, struct slice what, bool *any)
{
	buffer_append_str(out, *any ? ", " : "# Redacted, so not as it was sent: ");
	shell_comment(out, what);
	*any = true;
}

static void comment_hidden(
	const struct curl *self, struct buffer *out, const struct record_format *format)
{
	const struct record_view *view = self->view;
	const struct redactor *redactor = format->redactor;
	struct record_fields walk = record_fields(&view->request);
	struct buffer *scratch = format->scratch;
	struct slice name;
	struct slice value;
	bool any = false;

	buffer_clear(scratch);
	if (redact_text(redactor, view->host, scratch)) {
		list_hidden(out, SLICE("the host"), &any);
	}
	if (redact_text(redactor, view->path, scratch)) {
		list_hidden(out, SLICE("the path"), &any);
	}
	if (redact_query(redactor, view->query, scratch)) {
		list_hidden(out, SLICE("the query"), &any);
	}
	while (record_fields_next(&walk, &name, &value)) {
		buffer_clear(scratch);
		if (!is_left_out(self, name) && redact_header(redactor, name, value, scratch)) {
			list_hidden(out, name, &any);
		}
	}
	if (view->request_body.look == RECORD_HIDES && self->body.length > 0) {
		list_hidden(out, SLICE("the body"), &any);
	}
	if (any) {
		buffer_append_str(out, ".\n");
	}
}

static void comment_body(const struct curl *self, struct buffer *out)
{
	const struct record_body *body = &self->view->request_body;
	unsigned long long size = body->size;

	if (body->size == 0) {
		return;
	}
	if (self->view->level != CAPTURE_FULL) {
		buffer_printf(out, "# The body, %llu bytes, was not kept.\n", size);
	} else if (is_method(self, "HEAD")) {
		buffer_printf(out,
			"# The body, %llu bytes, is left out: curl sends none with HEAD.\n", size);
	} else if (body->kept < body->size) {
		buffer_printf(out, "# The body is cut: %llu of %llu bytes were kept.\n",
			(unsigned long long)body->kept, size);
	} else if (!body->ended && self->view->state == EXCHANGE_ACTIVE) {
		buffer_append_str(out, "# The body was still on its way: more may follow.\n");
	}
}

/* What showing it has brought to light. */
static void comment_shown_body(const struct curl *self, struct buffer *out)
{
	if (self->body.coding_len > 0) {
		buffer_append_str(out, "# The body is decoded, and Content-Encoding is left out: ");
		shell_comment(out, body_windows_coding(&self->body));
		buffer_append_str(out, ".\n");
	}
	if (self->body.note != NULL) {
		buffer_append_str(out, "# The body: ");
		shell_comment(out, slice_str(self->body.note));
		buffer_append_str(out, ".\n");
	}
}

static bool is_websocket(const struct curl *self)
{
	return slice_equal_nocase(
		record_head_get(&self->view->request, FIELD_UPGRADE), SLICE("websocket"));
}

static void write_comments(
	const struct curl *self, struct buffer *out, const struct record_format *format)
{
	if (is_websocket(self)) {
		buffer_append_str(out,
			"# A WebSocket handshake: curl sends it as a plain request, without "
			"Upgrade.\n");
	}
	comment_hidden(self, out, format);
	comment_body(self, out);
	comment_shown_body(self, out);
	if (self->view->request_trailers.count > 0) {
		buffer_append_str(out, "# The trailers are left out: curl sends none.\n");
	}
}

/* --- arguments: each on a line of its own */

static void begin_line(struct buffer *out)
{
	buffer_append_str(out, " \\\n  ");
}

static void write_option(struct buffer *out, const char *option)
{
	begin_line(out);
	buffer_append_str(out, option);
}

/* An option with its value; the value may lie in the scratch buffer. */
static void write_pair(struct buffer *out, const char *option, struct slice value)
{
	write_option(out, option);
	buffer_append_char(out, ' ');
	shell_word(out, value);
}

static struct slice shown_host(const struct curl *self, const struct record_format *format)
{
	buffer_clear(format->scratch);
	(void)redact_text(format->redactor, self->view->host, format->scratch);
	return buffer_slice(format->scratch);
}

static enum curl_host host_of(const struct curl *self, const struct record_format *format)
{
	return curl_url_host(shown_host(self, format), self->view->scheme);
}

static struct slice target_of(const struct curl *self, const struct record_format *format)
{
	buffer_clear(format->scratch);
	(void)shown_target(format->scratch, self->view, format->redactor);
	return buffer_slice(format->scratch);
}

/* The command's name and its URL, and the options that keep curl from changing it. */
static void write_url(struct curl *self, struct buffer *out, const struct record_format *format)
{
	struct curl_target target = curl_url_target(target_of(self, format));
	struct slice host = shown_host(self, format);
	struct buffer url = BUFFER_INIT;

	buffer_append_str(&url, self->view->scheme);
	buffer_append_str(&url, "://");
	curl_url_append_host(&url, host, curl_url_host(host, self->view->scheme));
	if (target.in_url) {
		(void)shown_target(&url, self->view, format->redactor);
	} else {
		buffer_append_char(&url, '/');
	}
	buffer_append_str(out, "curl ");
	shell_word(out, buffer_slice(&url));
	buffer_fini(&url);
	if (target.globoff) {
		write_option(out, "--globoff");
	}
	if (target.path_as_is) {
		write_option(out, "--path-as-is");
	}
	if (!target.in_url) {
		write_pair(out, "--request-target", target_of(self, format));
	}
}

static void write_method(const struct curl *self, struct buffer *out)
{
	if (is_method(self, "HEAD")) {
		write_option(out, "--head");
	} else if (!is_method(self, self->has_data ? "POST" : "GET")) {
		write_pair(out, "--request", self->view->method_name);
	}
}

static void write_version(const struct curl *self, struct buffer *out)
{
	if (self->view->request_version_minor == 0) {
		write_option(out, "--http1.0");
	} else if (strcmp(self->view->scheme, "https") == 0) {
		write_option(out, "--http1.1"); /* else it may be HTTP/2, with other fields */
	}
}

/* "Name: value"; an empty value is written "Name;", since "Name:" takes curl's own away. */
static void write_field(struct buffer *out, struct slice name, struct slice value,
	const struct record_format *format)
{
	struct buffer *scratch = format->scratch;

	buffer_clear(scratch);
	buffer_append_slice(scratch, name);
	buffer_append_str(scratch, value.len == 0 ? ";" : ": ");
	if (value.len > 0) {
		(void)redact_header(format->redactor, name, value, scratch);
	}
	write_pair(out, "-H", buffer_slice(scratch));
}

static void take_away(struct buffer *out, const char *field)
{
	write_pair(out, "-H", slice_str(field));
}

static void write_fields(struct curl *self, struct buffer *out, const struct record_format *format)
{
	struct record_fields walk = record_fields(&self->view->request);
	bool host_is_said = host_of(self, format) == CURL_HOST_SAME;
	struct slice name;
	struct slice value;

	while (record_fields_next(&walk, &name, &value)) {
		if (is_left_out(self, name) ||
			(host_is_said && field_identify(name) == FIELD_HOST)) {
			continue;
		}
		write_field(out, name, value, format);
	}
	if (!has_field(self, FIELD_HOST)) {
		take_away(out, "Host:");
	}
	if (!has_field(self, FIELD_ACCEPT)) {
		take_away(out, "Accept:");
	}
	if (!has_field(self, FIELD_USER_AGENT)) {
		take_away(out, "User-Agent:");
	}
	if (self->has_data && !has_field(self, FIELD_CONTENT_TYPE)) {
		take_away(out, "Content-Type:");
	}
	if (self->has_data && self->body.length >= EXPECT_BODY_MIN) {
		take_away(out, "Expect:");
	}
	if (has_field(self, FIELD_ACCEPT_ENCODING)) {
		write_option(out, "--compressed");
	}
}

/* --- the phases */

static void decide(struct curl *self)
{
	bool has_body = has_field(self, FIELD_CONTENT_LENGTH) ||
			has_field(self, FIELD_TRANSFER_ENCODING) || self->body.length > 0;

	self->has_data = has_body && self->view->level == CAPTURE_FULL && !is_method(self, "HEAD");
	self->is_piped =
		self->has_data && (!self->is_plain || self->body.length > ARGUMENT_BODY_MAX);
}

/* Whether UTF-8 has control characters that no terminal should get. */
static void look(struct curl *self, size_t *spent)
{
	self->is_plain =
		self->body.is_text && shell_is_plain(body_windows_next(&self->body, spent));
	if (!self->is_plain || body_windows_at_end(&self->body)) {
		body_windows_rewind(&self->body);
		decide(self);
		self->phase++;
	}
}

static void write_comment_lines(
	struct curl *self, struct buffer *out, const struct record_format *format, size_t *spent)
{
	*spent += self->view->request.bytes.len;
	write_comments(self, out, format);
	if (host_of(self, format) == CURL_HOST_FOREIGN) {
		buffer_append_str(out,
			"# The Host cannot stand in a URL: put the address of the server in the "
			"place of localhost.\n");
	}
	if (self->is_piped) {
		buffer_append_str(out, self->is_plain ? "printf %s '" : "printf '");
	}
	self->phase = self->is_piped ? CURL_PIPE : CURL_ARGUMENTS;
}

static void write_pipe(struct curl *self, struct buffer *out, size_t *spent)
{
	bool first = self->body.done == 0;
	struct slice window = body_windows_next(&self->body, spent);

	if (self->is_plain) {
		shell_quoted(out, window);
	} else {
		shell_printf_format(out, window, first);
	}
	if (body_windows_at_end(&self->body)) {
		buffer_append_str(out, "' | ");
		self->phase++;
	}
}

static void write_arguments(
	struct curl *self, struct buffer *out, const struct record_format *format, size_t *spent)
{
	*spent += self->view->request.bytes.len;
	write_url(self, out, format);
	write_method(self, out);
	write_version(self, out);
	write_fields(self, out, format);
	if (self->has_data && !self->is_piped) {
		write_option(out, "--data-raw '");
		self->phase = CURL_DATA;
		return;
	}
	if (self->is_piped) {
		write_option(out, "--data-binary @-");
	}
	buffer_append_char(out, '\n');
	self->phase = CURL_DONE;
}

static void write_data(struct curl *self, struct buffer *out, size_t *spent)
{
	shell_quoted(out, body_windows_next(&self->body, spent));
	if (body_windows_at_end(&self->body)) {
		buffer_append_str(out, "'\n");
		self->phase = CURL_DONE;
	}
}

void curl_begin(struct curl *self, struct record_view *view)
{
	*self = (struct curl){.view = view};
}

void curl_fini(struct curl *self)
{
	body_windows_fini(&self->body);
}

/* A coded body is sent as it was where it hides nothing; else decoded. */
static void check(struct curl *self, size_t *spent)
{
	if (!body_windows_check(&self->body, spent)) {
		body_windows_as_captured(&self->body);
		self->phase++;
	}
}

bool curl_step(
	struct curl *self, struct buffer *out, const struct record_format *format, size_t *spent)
{
	switch (self->phase) {
	case CURL_BEGIN:
		body_windows_begin(
			&self->body, format->redactor, self->view, RECORD_REQUEST, UINT64_MAX);
		self->phase++;
		break;
	case CURL_CHECK:
		check(self, spent);
		break;
	case CURL_LOOK:
		look(self, spent);
		break;
	case CURL_COMMENTS:
		write_comment_lines(self, out, format, spent);
		break;
	case CURL_PIPE:
		write_pipe(self, out, spent);
		break;
	case CURL_ARGUMENTS:
		write_arguments(self, out, format, spent);
		break;
	case CURL_DATA:
		write_data(self, out, spent);
		break;
	case CURL_DONE:
		break;
	}
	return self->phase != CURL_DONE;
}
