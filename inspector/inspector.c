/*
 * Layer: inspector (sees base, http, proxy). One job: put the inspector together; see inspector.h.
 */
#include "inspector/inspector.h"

#include <assert.h>
#include <stdio.h>

#include "base/log.h"
#include "base/memory.h"
#include "http/target.h"
#include "inspector/api.h"
#include "inspector/capture.h"
#include "inspector/process_facts.h"
#include "inspector/statistics.h"
#include "inspector/token.h"
#include "proxy/listener.h"

struct inspector {
	const struct inspector_settings *settings;
	const struct proxy_settings *proxy_settings;
	struct api api;
	struct claim claim;
	struct capture_store *store;
	struct redactor *redactor;
	struct capture **captures; /* one for each worker; NULL where nothing is captured */
	struct statistics *statistics;
	struct marks *marks; /* NULL where there is no inspector */
	struct buffer configuration;
	unsigned worker_count;
	struct token token;
	bool token_was_made;
	char *prefix_memory;
	char *frame_ancestors;
	struct prefix prefix;
	const char *scheme;
	const char **addresses; /* as they were bound: the proxy's, then the inspector's own */
	size_t address_count;
};

/* --- the claim */

/* Where the inspector has listeners of its own, its prefix means nothing on the others. */
static bool claims(void *context, const struct exchange *exchange)
{
	const struct inspector *self = context;

	if (exchange->listener == LISTENER_ADMIN) {
		return true; /* nothing that comes there goes upstream */
	}
	/* Also where it answers elsewhere: a token in a URL must not go upstream by mistake. */
	return self->settings->enabled && prefix_covers(&self->prefix, exchange->target.normal);
}

static void handle(struct answer *answer, void *context)
{
	const struct inspector *self = context;
	enum listener_role own = self->proxy_settings->inspector_listen_count > 0
					 ? LISTENER_INSPECTOR
					 : LISTENER_TRAFFIC;
	enum listener_role role = answer_exchange(answer)->listener;

	if (role == LISTENER_ADMIN) {
		api_answer_admin(&self->api, answer);
	} else if (role != own) {
		answer_problem(answer, 404, "the inspector answers on a listener of its own");
	} else {
		api_answer(&self->api, answer);
	}
}

static struct responder *start(void *context, struct exchange *exchange, struct requester *up)
{
	return answer_start(exchange, up, handle, context);
}

static const struct responder_kind kind = {
	.name = "inspector",
	.start = start,
};

/* --- composition */

static void init_prefix(struct inspector *self)
{
	struct slice text = slice_str(self->settings->prefix);
	struct err err = ERR_INIT;
	bool valid;

	self->prefix_memory = mem_alloc(text.len + 1);
	valid = prefix_parse(text, self->prefix_memory, &self->prefix, &err);
	assert(valid && !self->prefix.open && self->prefix.path.len > 0); /* config saw to it */
	(void)valid;
}

static void init_frame_ancestors(struct inspector *self)
{
	const struct string_list *origins = &self->settings->frame_ancestors;
	struct buffer text = BUFFER_INIT;

	for (size_t i = 0; i < origins->count; i++) {
		bool is_self = strcmp(origins->items[i], "self") == 0;

		buffer_append_str(&text, i == 0 ? "" : " ");
		buffer_append_str(&text, is_self ? "'self'" : origins->items[i]);
	}
	if (origins->count == 0) {
		buffer_append_str(&text, "'none'");
	}
	buffer_append_char(&text, '\0');
	self->frame_ancestors = text.ptr;
}

static void init_token(struct inspector *self)
{
	const char *configured = self->settings->token;

	if (configured != NULL && configured[0] != '\0') {
		token_init(&self->token, configured);
	} else {
		token_init_random(&self->token);
		self->token_was_made = true;
	}
}

static void init_addresses(struct inspector *self, const struct server *server)
{
	const struct proxy_settings *settings = self->proxy_settings;

	self->address_count = settings->listen_count + settings->inspector_listen_count;
	self->scheme = server_scheme(server);
	self->addresses = mem_alloc_array(self->address_count, sizeof(*self->addresses));
	for (size_t i = 0; i < self->address_count; i++) {
		self->addresses[i] = server_address(server, (unsigned)i);
	}
}

/* Counts what passes through each worker. */
static void count(struct inspector *self, struct server *server)
{
	self->worker_count = server_worker_count(server);
	self->statistics = statistics_create(
		self->proxy_settings, self->worker_count, self->settings->enabled);
	for (unsigned i = 0; i < self->worker_count; i++) {
		worker_observe(server_worker(server, i), statistics_observer(self->statistics, i));
	}
}

/* Captures it. */
static void observe(struct inspector *self, struct server *server)
{
	self->store = capture_store_create(self->settings);
	self->redactor = redactor_create(self->settings);
	self->captures = mem_alloc_array(self->worker_count, sizeof(struct capture *));
	for (unsigned i = 0; i < self->worker_count; i++) {
		self->captures[i] = capture_create(self->store, self->settings->capture.body);
		worker_observe(server_worker(server, i), capture_observer(self->captures[i]));
	}
}

struct inspector *inspector_create(const struct inspector_settings *settings,
	const struct proxy_settings *proxy_settings, struct server *server)
{
	struct inspector *self = mem_zalloc(sizeof(*self));

	self->settings = settings;
	self->proxy_settings = proxy_settings;
	init_prefix(self);
	init_frame_ancestors(self);
	init_token(self);
	init_addresses(self, server);
	count(self, server);
	if (settings->enabled) {
		observe(self, server);
		self->marks =
			marks_create(statistics_paths(self->statistics), process_start_wall_us());
	}
	self->api = (struct api){
		.prefix = self->prefix.path,
		.access = {.allow_hosts = &settings->allow_hosts,
			.allow_origins = &settings->allow_origins,
			.token = &self->token},
		.frame_ancestors = self->frame_ancestors,
		.store = self->store,
		.redactor = self->redactor,
		.addresses = self->addresses,
		.address_count = self->address_count,
		.capture_body = settings->capture.body,
		.statistics = self->statistics,
		.marks = self->marks,
		.started_wall_us = process_start_wall_us(),
	};
	self->claim = (struct claim){.claims = claims, .kind = &kind, .context = self};
	server_set_claim(server, &self->claim);
	return self;
}

void inspector_show_configuration(struct inspector *inspector, struct slice text)
{
	if (inspector != NULL && inspector->redactor != NULL) {
		buffer_clear(&inspector->configuration);
		(void)redact_text(inspector->redactor, text, &inspector->configuration);
		inspector->api.configuration = buffer_slice(&inspector->configuration);
	}
}

void inspector_destroy(struct inspector *inspector)
{
	if (inspector == NULL) {
		return;
	}
	if (inspector->captures != NULL) {
		for (unsigned i = 0; i < inspector->worker_count; i++) {
			capture_destroy(inspector->captures[i]);
		}
		mem_free(inspector->captures);
		redactor_destroy(inspector->redactor);
		capture_store_destroy(inspector->store);
	}
	marks_destroy(inspector->marks);
	statistics_destroy(inspector->statistics);
	buffer_fini(&inspector->configuration);
	mem_free(inspector->addresses);
	token_fini(&inspector->token);
	mem_free(inspector->prefix_memory);
	mem_free(inspector->frame_ancestors);
	mem_free(inspector);
}

/* --- the announcement */

/*
 * Of the addresses that the inspector answers on, the one that is told: rather one that can be
 * reached from elsewhere, where the token is needed, and rather one that a browser can open.
 */
static size_t address_to_tell(const struct inspector *self)
{
	const struct proxy_settings *settings = self->proxy_settings;
	bool own = settings->inspector_listen_count > 0;
	const struct listen_settings *listens =
		own ? settings->inspector_listens : settings->listens;
	size_t count = own ? settings->inspector_listen_count : settings->listen_count;
	size_t found = 0;

	for (size_t i = count; i-- > 0;) {
		if (!listens[i].is_unix) {
			found = i;
		}
	}
	for (size_t i = count; i-- > 0;) {
		if (!listener_is_local(&listens[i])) {
			found = i;
		}
	}
	return own ? settings->listen_count + found : found;
}

/* "http://127.0.0.1:8080/_inspector/"; over a unix socket TLS is not spoken. A wildcard is no name
 * that a browser can open. */
static void append_url(
	struct buffer *out, const char *scheme, const char *address, const char *prefix)
{
	const char *colon = strrchr(address, ':');
	struct slice host = slice_of(address, (size_t)(colon - address));
	bool is_unix = strncmp(address, "unix:", 5) == 0;

	if (is_unix || host.len == 0 || slice_equal(host, SLICE("0.0.0.0")) ||
		slice_equal(host, SLICE("[::]"))) {
		host = SLICE("localhost");
	}
	buffer_printf(out, "%s://", is_unix ? "http" : scheme);
	buffer_append_slice(out, host);
	buffer_printf(out, "%s%s/", is_unix ? "" : colon, prefix);
}

void inspector_announce(const struct inspector *inspector)
{
	struct buffer line = BUFFER_INIT;
	const char *address;

	if (inspector == NULL || !inspector->settings->enabled) {
		return;
	}
	address = inspector->addresses[address_to_tell(inspector)];
	buffer_append_str(&line, "inspector: ");
	append_url(&line, inspector->scheme, address, inspector->settings->prefix);
	if (inspector->token_was_made) {
		buffer_printf(&line, "?token=%s", inspector->token.text);
	}
	if (strncmp(address, "unix:", 5) == 0) {
		buffer_printf(&line, " over %s", address);
	}
	/* The token stands nowhere else: it is told also where the level hides this line. */
	if (log_enabled(LOG_LEVEL_INFO)) {
		log_info("%.*s", SLICE_ARGS(buffer_slice(&line)));
	} else if (inspector->token_was_made) {
		(void)fprintf(stderr, "%.*s\n", SLICE_ARGS(buffer_slice(&line)));
	}
	buffer_fini(&line);
}
