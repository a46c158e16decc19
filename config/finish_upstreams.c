/*
 * Layer: config. One job: upstreams, from the draft into the settings.
 */
#include "config/finish_upstreams.h"

#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "config/finish_credential.h"
#include "config/finish_tls.h"

/* The one that --demo will give an address, or that --upstream means. */
static void add_implied_upstream(struct draft *draft)
{
	if (draft->settings.demo) {
		if (draft->upstream_count > 0 || draft->upstream_url != NULL) {
			object_complain(&draft->object, "--demo", &draft->problems,
				"there is an upstream beside the built-in sample; give one of "
				"them");
			return;
		}
		draft_add_upstream(draft, 0, object_place(&draft->object, "--demo"))->name =
			mem_strdup("demo");
	} else if (draft->upstream_url != NULL && draft->upstream_count == 0) {
		(void)draft_add_upstream(draft, 0, object_place(&draft->object, "--upstream"));
	} else if (draft->upstream_count == 0 &&
		   object_place(&draft->object, "--upstream").source == SOURCE_DEFAULT) {
		object_complain(&draft->object, "--upstream", &draft->problems,
			"there is no upstream; give --upstream URL, upstreams in the file, or "
			"--demo");
	}
}

static void override_url(struct draft *draft)
{
	struct object *first = &draft->upstreams[0]->object;

	if (draft->upstream_url != NULL) {
		object_assign(first, object_find_key(first, SLICE("url")),
			object_place(&draft->object, "--upstream"), -1,
			slice_str(draft->upstream_url), &draft->problems);
	}
}

static void check_url(struct draft *draft, struct upstream_draft *upstream)
{
	struct upstream_settings *settings = &upstream->settings;

	if (settings->url != NULL && kubeconfig_url_is(slice_str(settings->url))) {
		finish_upstream_kubeconfig(draft, upstream);
	} else if (settings->url != NULL) {
		(void)upstream_address_parse(slice_str(settings->url), &settings->address,
			NULL); /* it was checked when it was read */
	} else if (!draft->settings.demo &&
		   object_place(&upstream->object, "url").source == SOURCE_DEFAULT) {
		object_complain(&upstream->object, "url", &draft->problems,
			"it is missing; give http://HOST:PORT, https://HOST:PORT, unix:/path or "
			"kubeconfig:");
	}
}

static void check_name(struct draft *draft, size_t index)
{
	struct upstream_draft *upstream = draft->upstreams[index];

	if (upstream->name == NULL &&
		object_place(&upstream->object, "name").source != SOURCE_DEFAULT) {
		return; /* complained of already */
	}
	if (upstream->name == NULL && index > 0) {
		object_complain(&upstream->object, "name", &draft->problems,
			"it is missing; give one by which routes can name the upstream");
		return;
	}
	if (upstream->name == NULL) {
		upstream->name = mem_strdup("default");
	}
	for (size_t i = 0; i < index; i++) {
		if (draft->upstreams[i]->name != NULL &&
			strcmp(draft->upstreams[i]->name, upstream->name) == 0) {
			object_complain(&upstream->object, "name", &draft->problems,
				"upstreams[%zu] is called %s already; give another name", i,
				upstream->name);
			return;
		}
	}
	(void)snprintf(
		upstream->settings.name, sizeof(upstream->settings.name), "%s", upstream->name);
}

static void check_pool(struct draft *draft, struct upstream_draft *upstream)
{
	struct pool_settings *pool = &upstream->settings.pool;

	pool->connect_timeout_ms = upstream->settings.timeouts.connect_ms;
	if (pool->max_idle <= pool->max_connections) {
		return;
	}
	if (object_place(&upstream->object, "pool.max_idle").source == SOURCE_DEFAULT) {
		pool->max_idle = pool->max_connections;
	} else {
		object_complain(&upstream->object, "pool.max_idle", &draft->problems,
			"%u idle connections are more than pool.max_connections allows in all; "
			"give at most %u",
			pool->max_idle, pool->max_connections);
	}
}

void finish_upstreams(struct draft *draft)
{
	struct proxy_settings *proxy = &draft->settings.proxy;

	add_implied_upstream(draft);
	if (draft->upstream_count == 0) {
		return;
	}
	override_url(draft);
	proxy->upstreams = mem_alloc_array(draft->upstream_count, sizeof(*proxy->upstreams));
	for (size_t i = 0; i < draft->upstream_count; i++) {
		struct upstream_draft *upstream = draft->upstreams[i];

		check_url(draft, upstream);
		check_name(draft, i);
		check_pool(draft, upstream);
		finish_upstream_tls(draft, upstream);
		finish_upstream_credential(draft, upstream);
		proxy->upstreams[proxy->upstream_count++] = upstream->settings;
		upstream->settings.url = NULL; /* these have moved */
		upstream->settings.tls = (struct upstream_tls){.ca = NULL};
		upstream->settings.credential = (struct upstream_credential){.header = NULL};
		upstream->settings.kubeconfig = (struct upstream_kubeconfig){.used = false};
	}
}

void upstreams_fini(struct proxy_settings *proxy)
{
	for (uint32_t i = 0; i < proxy->upstream_count; i++) {
		struct upstream_settings *upstream = &proxy->upstreams[i];

		mem_free(upstream->url);
		mem_free(upstream->tls.ca);
		mem_free(upstream->tls.certificate);
		mem_free(upstream->tls.key);
		mem_free(upstream->tls.server_name);
		mem_free(upstream->credential.bearer_file);
		mem_free(upstream->credential.header);
		mem_free(upstream->credential.header_file);
		kubeconfig_url_fini(&upstream->kubeconfig.url);
		mem_free(upstream->kubeconfig.paths);
		mem_free(upstream->kubeconfig.home);
	}
	mem_free(proxy->upstreams);
	proxy->upstreams = NULL;
	proxy->upstream_count = 0;
}
