/*
 * Layer: pool. One job: see credential_upkeep.h.
 *
 * How renewing can fail, and what is done: a file that is gone or holds something else, a
 * kubeconfig that cannot be used, a plugin that fails, a credential that has ended already when it
 * comes. All of it is told to the source, the credential in use stays, and it is tried again after
 * a while that grows (credential_refresh_in_ms()), or at once when a file changes.
 */
#include "pool/credential_upkeep.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/random.h"
#include "base/small_file.h"
#include "base/tls_source.h"
#include "pool/credential_source.h"
#include "pool/exec_credential.h"
#include "pool/exec_process.h"
#include "pool/secret_file.h"
#include "pool/upstream_shared.h"

extern char **environ;

enum {
	LOOK_AGAIN_MS = 30 * 1000, /* the wall clock may be set, and the machine may sleep */
	FROM_SIZE = SMALL_FILE_NAME_SIZE + 16,
};

const char credential_use_for_refusal[] =
	"the user has a client certificate, which every request of a connection bears; without "
	"credential.use_for would be right";

struct credential_upkeep {
	struct upstream *upstream;
	struct credential_source *source;
	struct tls_source *tls; /* the upstream's, where a kubeconfig says of it; or NULL */
	struct credential_place place;
	struct kubeconfig config; /* as it was last read well */
	struct loop *loop;        /* NULL before the start */
	struct file_watch *watch;
	char **watched;
	size_t watched_count;
	struct timer timer;
	uint64_t due_wall_us; /* when it is renewed; 0 = not by itself */
	unsigned failures;    /* in a row */
	struct exec_process *process;
	bool run_again; /* its definition changed while it ran */
	bool told_server;
};

/* --- when it is renewed */

static void arm(struct credential_upkeep *self)
{
	uint64_t now_us = clock_wall_us();
	uint64_t left_ms;

	if (self->loop == NULL || self->due_wall_us == 0) {
		return;
	}
	left_ms = self->due_wall_us > now_us ? (self->due_wall_us - now_us) / 1000 + 1 : 0;
	loop_timer_start(
		self->loop, &self->timer, left_ms < LOOK_AGAIN_MS ? left_ms : LOOK_AGAIN_MS);
}

/* For what ends at `expires_s`; 0 = it does not. */
static void plan(struct credential_upkeep *self, uint64_t expires_s)
{
	uint64_t now_us = clock_wall_us();
	uint64_t dice;
	uint64_t delay_ms;

	random_unique(&dice, sizeof(dice));
	delay_ms = credential_refresh_in_ms(
		expires_s, credential_source_margin_ms(self->source), now_us, self->failures, dice);
	if (delay_ms == CREDENTIAL_FOREVER) {
		self->due_wall_us = 0;
		if (self->loop != NULL) {
			loop_timer_stop(self->loop, &self->timer);
		}
	} else {
		self->due_wall_us = now_us + delay_ms * 1000;
		arm(self);
	}
}

static void failed(struct credential_upkeep *self, const struct err *err)
{
	self->failures++;
	credential_source_complain(self->source, err);
	plan(self, 0);
}

static bool has_a_living_one(const struct credential_upkeep *self, uint64_t now_us)
{
	uint32_t generation;
	struct credential *credential = credential_source_hold(self->source, &generation);
	bool lives = credential != NULL && credential_life(credential_expires_s(credential), 0,
						   now_us) != CREDENTIAL_HAS_ENDED;

	credential_unref(credential);
	return lives;
}

/* Takes `credential` over. */
static void renewed(struct credential_upkeep *self, struct credential *credential)
{
	uint64_t expires_s = credential_expires_s(credential);
	uint64_t now_us = clock_wall_us();
	bool ended = credential_life(expires_s, 0, now_us) == CREDENTIAL_HAS_ENDED;
	char when[CLOCK_RFC3339_SIZE];
	struct err err;

	if (ended && has_a_living_one(self, now_us)) {
		credential_unref(credential);
	} else {
		credential_source_publish(self->source, credential, now_us);
	}
	if (ended) {
		(void)clock_format_rfc3339(expires_s * 1000000, when);
		err_set(&err, ERR_CREDENTIAL, "what was read last ended at %.19sZ", when);
		failed(self, &err);
		return;
	}
	self->failures = 0;
	plan(self, expires_s);
}

/* --- a file */

static enum err_code read_file(
	const struct credential_upkeep *self, struct credential **credential, struct err *err)
{
	const struct credential_place *place = &self->place;
	bool bearer = place->bearer_file != NULL;
	struct secret secret;
	struct credential_parts parts = {
		.kind = bearer ? CREDENTIAL_BEARER : CREDENTIAL_HEADER,
		.field_name = slice_str(bearer ? "" : place->header),
	};
	enum err_code code = secret_file_read(bearer ? place->bearer_file : place->header_file,
		bearer ? SECRET_TOKEN : SECRET_FIELD_VALUE, &secret, err);

	if (code == ERR_NONE) {
		parts.secret = secret_slice(&secret);
		*credential = credential_create(credential_source_key(self->source), &parts);
		secret_fini(&secret);
	}
	return code;
}

/* --- a kubeconfig's TLS */

/* The TLS that goes with `config` and, where `credential` brings a certificate, with that. */
static enum err_code keep_up_tls(struct credential_upkeep *self, const struct kubeconfig *config,
	const struct credential *credential, struct err *err)
{
	bool from_plugin = config->user == KUBECONFIG_EXEC;
	struct tls_settings settings = kubeconfig_tls_settings(config,
		from_plugin ? credential_certificate(credential)
			    : secret_slice(&config->certificate),
		from_plugin ? credential_certificate_key(credential) : secret_slice(&config->key));

	if (!config->https || upstream_address(self->upstream)->is_https != config->https) {
		return ERR_NONE; /* a scheme that has changed needs a restart: see look_at_server()
				  */
	}
	if (self->tls != NULL) {
		return tls_source_replace(self->tls, &settings, err);
	}
	self->tls = tls_source_create(TLS_CLIENT, &settings, err);
	if (self->tls == NULL) {
		return err->code;
	}
	upstream_set_tls(self->upstream, self->tls, config->tls_server_name);
	return ERR_NONE;
}

/* --- a plugin */

static bool has_plugin(const struct credential_upkeep *self)
{
	return self->place.kubeconfig != NULL && self->config.user == KUBECONFIG_EXEC;
}

static void run_plugin(struct credential_upkeep *self);

/* What it answered, as a credential; NULL and a sentence where that is of no use here. */
static struct credential *take_answer(
	struct credential_upkeep *self, struct slice output, struct err *err)
{
	const struct exec_plugin *plugin = &self->config.plugin;
	struct exec_credential answer;
	struct credential *credential = NULL;
	struct credential_parts parts;
	char name[SMALL_FILE_NAME_SIZE];
	struct err why = ERR_INIT;

	if (exec_credential_parse(output, plugin->api_version, &answer, &why) != ERR_NONE) {
		err_set(err, ERR_CREDENTIAL, "%s answered wrongly: %s",
			exec_program_name(plugin->command, name), why.text);
		return NULL;
	}
	parts = (struct credential_parts){
		.kind = answer.token.text != NULL ? CREDENTIAL_BEARER
						  : CREDENTIAL_CLIENT_CERTIFICATE,
		.secret = secret_slice(&answer.token),
		.certificate = secret_slice(&answer.certificate),
		.key = secret_slice(&answer.key),
		.expires_s = answer.expires_s,
	};
	if (answer.certificate.text != NULL && !self->config.https) {
		err_set(err, ERR_CREDENTIAL,
			"%s answered with a certificate, and the server is at http://",
			exec_program_name(plugin->command, name));
	} else if (answer.certificate.text != NULL &&
		   self->place.scope.methods != CREDENTIAL_EVERY_METHOD) {
		err_set(err, ERR_CREDENTIAL, "%s: %s", exec_program_name(plugin->command, name),
			credential_use_for_refusal);
	} else {
		credential = credential_create(credential_source_key(self->source), &parts);
	}
	exec_credential_fini(&answer);
	return credential;
}

static void on_answer(void *context, struct slice output, const struct err *failure)
{
	struct credential_upkeep *self = context;
	struct credential *credential = NULL;
	struct err err = ERR_INIT;

	self->process = NULL;
	if (!has_plugin(self)) {
		self->run_again = false;
		return; /* the kubeconfig says by itself who we are, since it ran */
	}
	if (self->run_again) {
		self->run_again = false;
		run_plugin(self);
		return;
	}
	if (failure != NULL) {
		err = *failure;
	} else {
		credential = take_answer(self, output, &err);
	}
	if (credential != NULL && keep_up_tls(self, &self->config, credential, &err) != ERR_NONE) {
		credential_unref(credential);
		credential = NULL;
	}
	if (credential != NULL) {
		renewed(self, credential);
	} else {
		failed(self, &err);
	}
}

static void run_plugin(struct credential_upkeep *self)
{
	const struct exec_plugin *plugin = &self->config.plugin;
	struct exec_cluster cluster = kubeconfig_exec_cluster(&self->config);
	struct buffer info = BUFFER_INIT;
	struct err err = ERR_INIT;
	char **arguments;
	char **environment;

	if (self->process != NULL) {
		self->run_again = true; /* one at a time */
		return;
	}
	exec_credential_info(plugin, &cluster, &info);
	arguments = exec_credential_arguments(plugin);
	environment = exec_credential_environment(plugin, buffer_slice(&info), environ);
	self->process = exec_process_start(
		self->loop, arguments, environment, EXEC_TIMEOUT_MS, on_answer, self, &err);
	exec_strings_destroy(arguments);
	exec_strings_destroy(environment);
	buffer_fini(&info);
	if (self->process == NULL) {
		failed(self, &err);
	}
}

/* --- a kubeconfig */

static void on_changed(void *context);

static bool is_watched(const struct credential_upkeep *self, const char *path)
{
	for (size_t i = 0; i < self->watched_count; i++) {
		if (strcmp(self->watched[i], path) == 0) {
			return true;
		}
	}
	return false;
}

/* Watches what is not watched yet. What the kubeconfig does not name any more is watched on: it
 * costs nothing but a look. */
static void watch_files(struct credential_upkeep *self, char *const *files, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *path = files[i];

		if (self->watch == NULL || path == NULL || is_watched(self, path)) {
			continue;
		}
		file_watch_add(self->watch, &path, 1, on_changed, self);
		self->watched = mem_realloc(
			self->watched, (self->watched_count + 1) * sizeof(*self->watched));
		self->watched[self->watched_count++] = mem_strdup(path);
	}
}

/* Its pools dial where it was at the start. */
static void look_at_server(struct credential_upkeep *self, const struct kubeconfig *config)
{
	const char *before = self->config.server;
	bool moved = before != NULL && strcmp(before, config->server) != 0;

	if (moved && !self->told_server) {
		self->told_server = true;
		log_warn("upstream %s: its kubeconfig names another server now: restart "
			 "Sightglass to go there",
			upstream_name(self->upstream));
	}
}

static enum err_code read_kubeconfig(
	struct credential_upkeep *self, struct credential **credential, struct err *err)
{
	struct kubeconfig config;
	enum err_code code =
		kubeconfig_load(self->place.kubeconfig, &self->place.environment, &config, err);

	watch_files(self, config.files, config.file_count);
	if (code == ERR_NONE && config.certificate.text != NULL &&
		self->place.scope.methods != CREDENTIAL_EVERY_METHOD) {
		code = err_set(err, ERR_SETTINGS, "%s", credential_use_for_refusal);
	}
	if (code == ERR_NONE && config.user != KUBECONFIG_EXEC) {
		*credential = kubeconfig_credential(&config, credential_source_key(self->source));
	}
	if (code == ERR_NONE && (config.user != KUBECONFIG_EXEC || self->tls == NULL)) {
		code = keep_up_tls(self, &config, NULL, err);
	}
	if (code == ERR_NONE) {
		look_at_server(self, &config);
		kubeconfig_fini(&self->config);
		self->config = config;
	} else {
		credential_unref(*credential);
		*credential = NULL;
		kubeconfig_fini(&config);
	}
	return code;
}

/* --- */

static enum err_code read_place(struct credential_upkeep *self, struct err *err)
{
	struct credential *credential = NULL;
	enum err_code code = self->place.kubeconfig != NULL
				     ? read_kubeconfig(self, &credential, err)
				     : read_file(self, &credential, err);

	if (code == ERR_NONE && !has_plugin(self)) {
		renewed(self, credential);
	}
	return code;
}

static void on_changed(void *context)
{
	struct credential_upkeep *self = context;
	struct err err = ERR_INIT;

	if (read_place(self, &err) != ERR_NONE) {
		failed(self, &err);
	} else if (has_plugin(self)) {
		run_plugin(self);
	}
}

static void on_timer(struct timer *timer)
{
	struct credential_upkeep *self = container_of(timer, struct credential_upkeep, timer);

	if (clock_wall_us() < self->due_wall_us) {
		arm(self);
	} else {
		on_changed(self);
	}
}

static void describe_place(const struct credential_place *place, char from[static FROM_SIZE])
{
	char name[SMALL_FILE_NAME_SIZE];
	const char *file = place->bearer_file != NULL   ? place->bearer_file
			   : place->header_file != NULL ? place->header_file
							: place->kubeconfig->file;

	(void)snprintf(from, FROM_SIZE, "%s%s%s",
		place->bearer_file != NULL   ? "bearer_file "
		: place->header_file != NULL ? "header_file "
					     : "kubeconfig",
		place->kubeconfig != NULL && file != NULL ? " " : "",
		file == NULL ? "" : small_file_name(file, name));
}

struct credential_upkeep *credential_upkeep_create(
	struct upstream *upstream, const struct credential_place *place, struct err *err)
{
	struct credential_upkeep *self = mem_zalloc(sizeof(*self));
	char from[FROM_SIZE];
	const struct credential_source_settings settings = {
		.upstream = upstream_name(upstream),
		.from = from,
		.field = place->header_file != NULL ? place->header : "Authorization",
		.scope = place->scope,
		.margin_ms = upstream_pool_settings(upstream)->safety_margin_ms,
	};

	assert(place->bearer_file != NULL || place->header_file != NULL ||
		place->kubeconfig != NULL);
	describe_place(place, from);
	self->upstream = upstream;
	self->place = *place;
	self->source = credential_source_create(&settings);
	upstream_set_credential(upstream, self->source);
	timer_init(&self->timer, on_timer);
	if (read_place(self, err) != ERR_NONE) {
		credential_upkeep_close(self);
		return NULL;
	}
	return self;
}

void credential_upkeep_start(
	struct credential_upkeep *upkeep, struct loop *loop, struct file_watch *watch)
{
	char *files[] = {(char *)(uintptr_t)upkeep->place.bearer_file,
		(char *)(uintptr_t)upkeep->place.header_file};

	upkeep->loop = loop;
	upkeep->watch = watch;
	watch_files(upkeep, files, 2);
	watch_files(upkeep, upkeep->config.files, upkeep->config.file_count);
	if (has_plugin(upkeep)) {
		run_plugin(upkeep);
	}
	arm(upkeep);
}

bool credential_upkeep_waits(const struct credential_upkeep *upkeep)
{
	return upkeep->process != NULL && credential_source_generation(upkeep->source) == 0;
}

void credential_upkeep_reread(struct credential_upkeep *upkeep)
{
	on_changed(upkeep);
}

void credential_upkeep_close(struct credential_upkeep *upkeep)
{
	if (upkeep == NULL) {
		return;
	}
	if (upkeep->loop != NULL) {
		loop_timer_stop(upkeep->loop, &upkeep->timer);
	}
	exec_process_close(upkeep->process);
	kubeconfig_fini(&upkeep->config);
	for (size_t i = 0; i < upkeep->watched_count; i++) {
		mem_free(upkeep->watched[i]);
	}
	mem_free(upkeep->watched);
	mem_free(upkeep);
}
