/*
 * Layer: proxy. One job: see upstreams.h.
 */
#include "proxy/upstreams.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/memory.h"
#include "base/tls_source.h"
#include "base/tls_trust.h"
#include "pool/credential_source.h"
#include "pool/credential_upkeep.h"

_Static_assert(SETTINGS_METHODS_ALL == CREDENTIAL_EVERY_METHOD, "bits by the same numbers");

struct upstreams {
	const struct proxy_settings *settings;
	struct upstream **list;
	struct credential_upkeep **upkeeps; /* NULL where there is none */
	struct loop *loop;                  /* NULL before the start */
	uv_prepare_t keeper;                /* the loop runs while plugins do */
};

/* --- making them */

static enum err_code read_certificates(
	struct upstream *upstream, const struct upstream_settings *settings, struct err *err)
{
	struct tls_settings tls = upstream_tls_settings(&settings->tls);
	struct tls_source *source = tls_source_create(TLS_CLIENT, &tls, err);

	if (source == NULL) {
		return err->code;
	}
	upstream_set_tls(upstream, source, settings->tls.server_name);
	if (settings->tls.ca == NULL && settings->tls.verify) {
		tls_trust_prepare();
	}
	return ERR_NONE;
}

static bool is_loopback(const char *host)
{
	struct in6_addr address;
	struct in_addr v4;

	if (inet_pton(AF_INET, host, &v4) == 1) {
		return ntohl(v4.s_addr) >> 24 == 127;
	}
	return strcmp(host, "localhost") == 0 ||
	       (inet_pton(AF_INET6, host, &address) == 1 && IN6_IS_ADDR_LOOPBACK(&address));
}

/* What others could read on its way is worth a line. */
static void warn_of_clear_text(const struct upstream *upstream)
{
	const struct upstream_address *address = upstream_address(upstream);
	struct credential_status status;

	if (address->is_https || address->is_unix || is_loopback(address->host)) {
		return;
	}
	credential_source_status(upstream_credential_source(upstream), &status);
	log_warn("upstream %s: its credential goes to %.100s in clear text; https:// would keep it "
		 "secret",
		upstream_name(upstream), address->authority);
}

static enum err_code read_credential(struct upstreams *self, uint32_t index, struct err *err)
{
	const struct upstream_settings *settings = &self->settings->upstreams[index];
	const struct upstream_credential *credential = &settings->credential;
	const struct upstream_kubeconfig *kubeconfig = &settings->kubeconfig;
	const struct credential_place place = {
		.bearer_file = credential->bearer_file,
		.header = credential->header,
		.header_file = credential->header_file,
		.kubeconfig = kubeconfig->used ? &kubeconfig->url : NULL,
		.environment = {.kubeconfig = kubeconfig->paths, .home = kubeconfig->home},
		.scope = {.methods = credential->methods, .replaces = credential->replaces},
	};

	self->upkeeps[index] = credential_upkeep_create(self->list[index], &place, err);
	if (self->upkeeps[index] == NULL) {
		return err->code;
	}
	warn_of_clear_text(self->list[index]);
	return ERR_NONE;
}

static enum err_code make_upstream(struct upstreams *self, uint32_t index, struct err *err)
{
	const struct upstream_settings *settings = &self->settings->upstreams[index];
	const struct upstream_credential *credential = &settings->credential;
	enum err_code code = ERR_NONE;

	self->list[index] = upstream_create(settings->name, &settings->address, &settings->pool);
	if (settings->address.is_https && !settings->kubeconfig.used) {
		code = read_certificates(self->list[index], settings, err);
	}
	if (code == ERR_NONE && (settings->kubeconfig.used || credential->bearer_file != NULL ||
					credential->header_file != NULL)) {
		code = read_credential(self, index, err);
	}
	if (code != ERR_NONE) {
		err_prefix(err, settings->name);
	}
	return code;
}

struct upstreams *upstreams_create(const struct proxy_settings *settings, struct err *err)
{
	struct upstreams *self = mem_zalloc(sizeof(*self));

	self->settings = settings;
	self->list = mem_zalloc(settings->upstream_count * sizeof(self->list[0]));
	self->upkeeps = mem_zalloc(settings->upstream_count * sizeof(self->upkeeps[0]));
	for (uint32_t i = 0; i < settings->upstream_count; i++) {
		if (make_upstream(self, i, err) != ERR_NONE) {
			upstreams_destroy(self);
			return NULL;
		}
	}
	return self;
}

void upstreams_destroy(struct upstreams *upstreams)
{
	if (upstreams == NULL) {
		return;
	}
	upstreams_stop(upstreams);
	for (uint32_t i = 0; i < upstreams->settings->upstream_count; i++) {
		upstream_destroy(upstreams->list[i]);
	}
	mem_free(upstreams->list);
	mem_free(upstreams->upkeeps);
	mem_free(upstreams);
}

struct upstream **upstreams_list(const struct upstreams *upstreams)
{
	return upstreams->list;
}

/* --- keeping them up */

void upstreams_reread_tls(struct tls_source *source, const char *whose)
{
	struct err err;

	if (tls_source_reload(source, &err) == ERR_NONE) {
		log_info("%s: its TLS files are read anew, for the connections to come", whose);
	} else {
		log_error("%s: %s; what was read before stays in use", whose, err.text);
	}
}

static void on_tls_files_changed(void *context)
{
	struct upstream *upstream = context;
	char whose[sizeof("upstream ") + UPSTREAM_NAME_MAX];

	(void)snprintf(whose, sizeof(whose), "upstream %s", upstream_name(upstream));
	upstreams_reread_tls(upstream_tls_source(upstream), whose);
}

/* A kubeconfig's own files are its upkeep's. */
static bool has_tls_files(const struct upstreams *self, uint32_t index)
{
	return upstream_tls_source(self->list[index]) != NULL &&
	       !self->settings->upstreams[index].kubeconfig.used;
}

void upstreams_start(struct upstreams *upstreams, struct loop *loop, struct file_watch *watch)
{
	upstreams->loop = loop;
	for (uint32_t i = 0; i < upstreams->settings->upstream_count; i++) {
		const struct upstream_tls *tls = &upstreams->settings->upstreams[i].tls;
		const char *files[] = {tls->ca, tls->certificate, tls->key};

		if (has_tls_files(upstreams, i)) {
			file_watch_add(watch, files, 3, on_tls_files_changed, upstreams->list[i]);
		}
		if (upstreams->upkeeps[i] != NULL) {
			credential_upkeep_start(upstreams->upkeeps[i], loop, watch);
		}
	}
	loop_settle(loop);
}

static void on_prepare(uv_prepare_t *prepare)
{
	(void)prepare; /* it is enough that it is there */
}

static bool any_waits(const struct upstreams *self)
{
	for (uint32_t i = 0; i < self->settings->upstream_count; i++) {
		if (self->upkeeps[i] != NULL && credential_upkeep_waits(self->upkeeps[i])) {
			return true;
		}
	}
	return false;
}

void upstreams_wait_for_plugins(struct upstreams *upstreams)
{
	uv_handle_t *keeper = (uv_handle_t *)&upstreams->keeper;

	if (!any_waits(upstreams)) {
		return;
	}
	(void)uv_prepare_init(&upstreams->loop->uv, &upstreams->keeper); /* cannot fail */
	(void)uv_prepare_start(&upstreams->keeper, on_prepare);
	while (any_waits(upstreams)) {
		(void)uv_run(&upstreams->loop->uv, UV_RUN_ONCE);
	}
	uv_close(keeper, NULL); /* it is ours until the loop has ended */
}

void upstreams_reread(struct upstreams *upstreams)
{
	for (uint32_t i = 0; i < upstreams->settings->upstream_count; i++) {
		if (has_tls_files(upstreams, i)) {
			on_tls_files_changed(upstreams->list[i]);
		}
		if (upstreams->upkeeps[i] != NULL) {
			credential_upkeep_reread(upstreams->upkeeps[i]);
		}
	}
}

void upstreams_stop(struct upstreams *upstreams)
{
	if (upstreams == NULL) {
		return;
	}
	for (uint32_t i = 0; i < upstreams->settings->upstream_count; i++) {
		credential_upkeep_close(upstreams->upkeeps[i]);
		upstreams->upkeeps[i] = NULL;
	}
}
