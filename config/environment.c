/*
 * Layer: config. One job: put what the environment says into the draft.
 */
#include "config/sources.h"

#include <stdio.h>
#include <string.h>

#include "config/nearest.h"

enum {
	NAME_SHOWN = 80, /* of a variable, in messages */
};

static const struct place in_environment = {.source = SOURCE_ENVIRONMENT};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "PORT_8080_TCP", "PORT_8080_TCP_ADDR", …: what stands behind "PORT_". */
static bool is_port_of_a_service(struct slice text)
{
	static const struct slice protocols[] = {
		SLICE_INIT("TCP"), SLICE_INIT("UDP"), SLICE_INIT("SCTP")};
	static const struct slice ends[] = {
		SLICE_INIT(""), SLICE_INIT("_PROTO"), SLICE_INIT("_PORT"), SLICE_INIT("_ADDR")};
	size_t digits = 0;

	while (digits < text.len && is_digit(text.ptr[digits])) {
		digits++;
	}
	if (digits == 0 || digits == text.len || text.ptr[digits] != '_') {
		return false;
	}
	text = slice_of(text.ptr + digits + 1, text.len - digits - 1);
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++) {
		for (size_t j = 0; j < sizeof(ends) / sizeof(ends[0]); j++) {
			if (text.len == protocols[i].len + ends[j].len &&
				slice_starts_with(text, protocols[i]) &&
				slice_ends_with(text, ends[j])) {
				return true;
			}
		}
	}
	return false;
}

/*
 * The variables by which Kubernetes (and, before it, Docker's links) tells every container of the
 * Services beside it: for a Service "sightglass", SIGHTGLASS_SERVICE_HOST, SIGHTGLASS_SERVICE_PORT,
 * SIGHTGLASS_SERVICE_PORT_HTTP, SIGHTGLASS_PORT, SIGHTGLASS_PORT_8080_TCP and more; for a Service
 * "sightglass-api", SIGHTGLASS_API_SERVICE_HOST and so on. Nobody wrote them as settings.
 */
static bool is_of_kubernetes(struct slice name)
{
	static const struct slice ends[] = {
		SLICE_INIT("_SERVICE_HOST"), SLICE_INIT("_SERVICE_PORT"), SLICE_INIT("_PORT")};
	const char *port;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		if (slice_ends_with(name, ends[i])) {
			return true;
		}
	}
	if (slice_find(name, SLICE("_SERVICE_PORT_")) != NULL) {
		return true;
	}
	port = slice_find(name, SLICE("_PORT_"));
	return port != NULL &&
	       is_port_of_a_service(slice_of(port + 6, (size_t)(name.ptr + name.len - port) - 6));
}

static const struct setting *find_variable(const struct object *object, struct slice name,
	struct nearest *nearest, char (*names)[VARIABLE_SIZE])
{
	for (size_t i = 0; i < object->count; i++) {
		const struct setting *setting = &object->table[i];

		if (setting->flag == NULL || setting->command_line_only) {
			continue;
		}
		setting_variable(setting, names[i]);
		if (slice_equal(slice_str(names[i]), name)) {
			return setting;
		}
		nearest_offer(nearest, slice_str(names[i]));
	}
	return NULL;
}

static void read_variable(struct draft *draft, struct slice name, struct slice value)
{
	char names[SETTINGS_MAX][VARIABLE_SIZE];
	struct nearest nearest;
	const struct setting *setting;
	char key[NAME_SHOWN];

	nearest_init(&nearest, name);
	setting = find_variable(&draft->object, name, &nearest, names);
	if (setting == NULL) {
		if (!is_of_kubernetes(name)) {
			(void)snprintf(key, sizeof(key), "%.*s", SLICE_ARGS(name));
			problems_warn(&draft->problems, in_environment, key,
				"it is no setting and changes nothing; the nearest known one is "
				"%.*s",
				SLICE_ARGS(nearest.best));
		}
	} else if (setting->type->list) {
		struct slice element;

		while (slice_next_token(&value, &element)) {
			object_assign(&draft->object, setting, in_environment, -1, element,
				&draft->problems);
		}
	} else {
		object_assign(&draft->object, setting, in_environment, -1, value, &draft->problems);
	}
}

/* What others than we have variables for: borrowed as it is. */
static void read_foreign(struct draft *draft, const char *variable)
{
	static const struct slice kubeconfig = SLICE_INIT("KUBECONFIG=");
	static const struct slice home = SLICE_INIT("HOME=");
	static const struct slice path = SLICE_INIT("PATH=");
	struct slice text = slice_str(variable);

	if (slice_starts_with(text, kubeconfig)) {
		draft->kubeconfig_paths = variable + kubeconfig.len;
	} else if (slice_starts_with(text, home)) {
		draft->home = variable + home.len;
	} else if (slice_starts_with(text, path)) {
		draft->search_path = variable + path.len;
	}
}

void environment_read(struct draft *draft, char *const environment[])
{
	for (size_t i = 0; environment[i] != NULL; i++) {
		struct slice variable = slice_str(environment[i]);
		const char *equals = strchr(environment[i], '=');

		read_foreign(draft, environment[i]);
		if (equals != NULL && equals[1] != '\0' &&
			slice_starts_with(variable, SLICE("SIGHTGLASS_"))) {
			read_variable(draft,
				slice_of(variable.ptr, (size_t)(equals - variable.ptr)),
				slice_str(equals + 1));
		}
	}
}
