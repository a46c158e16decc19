/*
 * Layer: config. One job: the settings' beginning and end: sources in their order, then what is
 * answered at once.
 */
#include "config/settings.h"

#include <assert.h>
#include <string.h>

#include "base/memory.h"
#include "config/draft.h"
#include "config/effective.h"
#include "config/finish.h"
#include "config/finish_routes.h"
#include "config/finish_upstreams.h"
#include "config/help.h"
#include "config/memory_bound.h"
#include "config/sources.h"
#include "config/value_list.h"

static void print(const struct buffer *text, FILE *stream)
{
	(void)fwrite(text->ptr, 1, text->len, stream);
	(void)fflush(stream);
}

static void answer_help(FILE *out)
{
	struct buffer text = BUFFER_INIT;

	help_write(&text);
	print(&text, out);
	buffer_fini(&text);
}

static void answer_check(const struct settings *settings, FILE *out)
{
	struct buffer text = BUFFER_INIT;

	settings_write(settings, &text);
	print(&text, out);
	buffer_fini(&text);
}

static void read_all(struct draft *draft, int argc, char *const argv[], char *const environment[])
{
	file_read(draft);
	environment_read(draft, environment);
	flags_read(draft, argc, argv);
	draft_finish(draft);
}

/* Everything that is owned goes from the draft to `settings`. */
static void move(struct draft *draft, struct settings *settings)
{
	*settings = draft->settings;
	memset(&draft->settings, 0, sizeof(draft->settings));
}

enum settings_outcome settings_load(int argc, char *const argv[], char *const environment[],
	struct settings *settings, FILE *out, FILE *errors)
{
	enum settings_outcome outcome = SETTINGS_RUN;
	struct draft draft;

	memset(settings, 0, sizeof(*settings));
	draft_init(&draft);
	first_read(&draft, argc, argv, environment);
	if (draft.help || draft.version) {
		if (draft.help) {
			answer_help(out);
		} else {
			(void)fputs("sightglass " SIGHTGLASS_VERSION "\n", out);
		}
		draft_fini(&draft);
		return SETTINGS_DONE;
	}
	read_all(&draft, argc, argv, environment);
	problems_print(&draft.problems, errors);
	if (draft.problems.error_count > 0) {
		outcome = SETTINGS_BAD;
	}
	move(&draft, settings);
	draft_fini(&draft);
	if (outcome == SETTINGS_RUN && settings->check) {
		answer_check(settings, out);
		outcome = SETTINGS_DONE;
	}
	if (outcome != SETTINGS_RUN) {
		settings_fini(settings);
	}
	return outcome;
}

void settings_write(const struct settings *settings, struct buffer *out)
{
	struct memory_bound bound = memory_bound_of(settings);

	buffer_append_str(out, "# The settings in effect, sightglass " SIGHTGLASS_VERSION "\n");
	effective_write(settings, bound.connections, out);
	memory_bound_write(&bound, out);
}

void settings_fini(struct settings *settings)
{
	mem_free(settings->proxy.listens);
	mem_free(settings->proxy.inspector_listens);
	mem_free(settings->proxy.admin_listens);
	mem_free(settings->proxy.tls.certificate);
	mem_free(settings->proxy.tls.key);
	mem_free(settings->proxy.trusted_proxies);
	routes_fini(&settings->proxy);
	upstreams_fini(&settings->proxy);
	mem_free(settings->inspector.prefix);
	mem_free(settings->inspector.token);
	mem_free(settings->inspector.token_file);
	string_list_clear(&settings->inspector.redact.headers);
	string_list_clear(&settings->inspector.redact.query);
	string_list_clear(&settings->inspector.redact.json);
	string_list_clear(&settings->inspector.allow_hosts);
	string_list_clear(&settings->inspector.allow_origins);
	string_list_clear(&settings->inspector.frame_ancestors);
	string_list_clear(&settings->trusted_proxies);
	mem_free(settings->request_id_header);
	mem_free(settings->file);
	memset(settings, 0, sizeof(*settings));
}

void settings_use_demo(struct settings *settings, uint16_t port)
{
	static const char *const polls[] = {
		"/api/monitor/aks", "/api/blast/jobs", "/api/forecast", "/api/me"};
	struct proxy_settings *proxy = &settings->proxy;
	struct upstream_settings *upstream = &proxy->upstreams[0];
	struct buffer url = BUFFER_INIT;
	enum err_code code;

	assert(settings->demo && proxy->upstream_count == 1);
	buffer_printf(&url, "http://127.0.0.1:%u", (unsigned)port);
	buffer_append_char(&url, '\0');
	mem_free(upstream->url);
	upstream->url = mem_strdup(url.ptr);
	buffer_fini(&url);
	code = upstream_address_parse(slice_str(upstream->url), &upstream->address, NULL);
	assert(code == ERR_NONE);
	(void)code;
	for (size_t i = 0; i < sizeof(polls) / sizeof(polls[0]); i++) {
		struct route_settings *route = routes_add(proxy, polls[i], 0);

		route->methods = 1 << METHOD_GET | 1 << METHOD_HEAD;
		route->capture = CAPTURE_ROW;
		if (routes_find_rival(proxy, route) !=
			NULL) { /* the settings have their own word on it */
			mem_free(route->text);
			proxy->route_count--;
		}
	}
}
