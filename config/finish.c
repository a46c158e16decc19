/*
 * Layer: config. One job: the last steps of a draft but for upstreams and routes
 * (config/finish_upstreams.c, config/finish_routes.c): listeners, networks, the inspector, and what
 * `auto` comes to here.
 */
#include "config/finish.h"

#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "config/cpu_count.h"
#include "config/finish_routes.h"
#include "config/finish_tls.h"
#include "config/finish_upstreams.h"
#include "config/token_file.h"
#include "config/value.h"
#include "proxy/listen_address.h"
#include "proxy/network.h"

/* Two of the addresses that cannot both be had. `key` is where the second one stands. */
static void check_apart(struct draft *draft, const struct listen_settings *a,
	const struct listen_settings *b, const char *key)
{
	if (listen_address_equal(a, b)) {
		object_complain(&draft->object, key, &draft->problems,
			"%s is the same address as %s; give each once", b->text, a->text);
	}
}

struct address_list {
	const struct listen_settings *listens;
	uint32_t count;
	const char *key;
};

/* Each of `later` from each of `earlier`, which may be the same list. */
static void check_lists_apart(
	struct draft *draft, const struct address_list *earlier, const struct address_list *later)
{
	for (uint32_t i = 0; i < earlier->count; i++) {
		for (uint32_t j = earlier == later ? i + 1 : 0; j < later->count; j++) {
			check_apart(draft, &earlier->listens[i], &later->listens[j], later->key);
		}
	}
}

static void finish_listeners(struct draft *draft)
{
	const struct proxy_settings *proxy = &draft->settings.proxy;
	const struct address_list lists[LISTENER_ROLES] = {
		[LISTENER_TRAFFIC] = {proxy->listens, proxy->listen_count, "listen"},
		[LISTENER_INSPECTOR] = {proxy->inspector_listens, proxy->inspector_listen_count,
			"inspector.listen"},
		[LISTENER_ADMIN] = {proxy->admin_listens, proxy->admin_listen_count,
			"admin.listen"},
	};

	if (proxy->listen_count == 0 && draft->problems.error_count == 0) {
		object_complain(&draft->object, "listen", &draft->problems,
			"there is no address to listen on; give one such as 127.0.0.1:8080");
	}
	for (size_t i = 0; i < LISTENER_ROLES; i++) {
		for (size_t j = 0; j <= i; j++) {
			check_lists_apart(draft, &lists[j], &lists[i]);
		}
	}
}

static void finish_networks(struct draft *draft)
{
	const struct string_list *texts = &draft->settings.trusted_proxies;
	struct proxy_settings *proxy = &draft->settings.proxy;

	proxy->trusted_proxies =
		mem_alloc_array(texts->count * NETWORK_WORD_MAX, sizeof(struct network));
	for (size_t i = 0; i < texts->count; i++) {
		struct slice text = slice_str(texts->items[i]);
		unsigned count = 0;

		(void)network_parse(text, &proxy->trusted_proxies[proxy->trusted_proxy_count],
			&count, NULL); /* it was checked when it was read */
		proxy->trusted_proxy_count += count;
		proxy->trust_unix = proxy->trust_unix || slice_equal(text, SLICE("loopback"));
	}
}

/* Two ways to say one thing: the one that overrides by where it was said, counts. */
static void finish_token(struct draft *draft)
{
	struct inspector_settings *inspector = &draft->settings.inspector;
	enum source token = object_place(&draft->object, "inspector.token").source;
	enum source file = object_place(&draft->object, "inspector.token_file").source;
	struct err err = ERR_INIT;

	if (inspector->token != NULL && inspector->token_file != NULL) {
		if (token == file) {
			object_complain(&draft->object, "inspector.token_file", &draft->problems,
				"there is a token beside the file; give one of them");
			return;
		}
		if (token > file) {
			mem_free(inspector->token_file);
			inspector->token_file = NULL;
		}
	}
	if (inspector->token_file != NULL) {
		mem_free(inspector->token);
		inspector->token = NULL;
		if (token_file_read(inspector->token_file, &inspector->token, &err) != ERR_NONE) {
			object_complain(&draft->object, "inspector.token_file", &draft->problems,
				"%s", err.text);
		}
	}
}

static void finish_inspector(struct draft *draft)
{
	struct inspector_settings *inspector = &draft->settings.inspector;
	size_t len = strlen(inspector->prefix);
	struct buffer memory = BUFFER_INIT;

	while (len > 1 && inspector->prefix[len - 1] == '/') {
		inspector->prefix[--len] = '\0';
	}
	if (inspector->capture.body > inspector->capture.memory) {
		size_format(inspector->capture.memory, &memory);
		object_complain(&draft->object,
			object_place(&draft->object, "inspector.capture.body").source ==
					SOURCE_DEFAULT
				? "inspector.capture.memory"
				: "inspector.capture.body",
			&draft->problems,
			"one body may take more than all captures together, which have %.*s; lower "
			"inspector.capture.body or raise inspector.capture.memory",
			SLICE_ARGS(buffer_slice(&memory)));
		buffer_fini(&memory);
	}
	finish_token(draft);
}

/* JSON where nobody is likely to read along. */
static bool is_json(enum log_format_choice choice, int descriptor)
{
	return choice == LOG_FORMAT_CHOICE_AUTO ? isatty(descriptor) == 0
						: choice == LOG_FORMAT_CHOICE_JSON;
}

void draft_finish(struct draft *draft)
{
	struct settings *settings = &draft->settings;

	finish_listeners(draft);
	finish_networks(draft);
	finish_listener_tls(draft);
	settings->proxy.request_id_name = slice_str(settings->request_id_header);
	settings->proxy.request_id_keep = draft->request_id_inbound == 1;
	finish_inspector(draft);
	settings->log.format =
		is_json(settings->log.choice, STDERR_FILENO) ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT;
	settings->proxy.access_log_json = is_json(settings->log.choice, STDOUT_FILENO);
	settings->proxy.workers = settings->workers != 0 ? settings->workers : cpu_count();
	if (draft->problems.file == NULL &&
		object_place(&draft->object, "--config").source != SOURCE_DEFAULT) {
		draft->file_failed = true; /* no name could be read where one was meant */
	}
	if (!draft->file_failed) { /* else what the file would have said would seem to be missing */
		finish_upstreams(draft);
		finish_routes(draft);
	}
}
