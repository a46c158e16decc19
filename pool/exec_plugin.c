/*
 * Layer: pool. One job: what an exec plugin is told: its arguments, its environment, and in it
 * KUBERNETES_EXEC_INFO.
 */
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/memory.h"
#include "pool/exec_credential.h"

static const struct slice info_name = SLICE_INIT("KUBERNETES_EXEC_INFO");
static const struct slice own_prefix = SLICE_INIT("SIGHTGLASS_");

static void free_text(char *text)
{
	if (text != NULL) {
		mem_wipe(text, strlen(text));
		mem_free(text);
	}
}

void exec_plugin_fini(struct exec_plugin *plugin)
{
	free_text(plugin->api_version);
	free_text(plugin->command);
	for (size_t i = 0; i < plugin->argument_count; i++) {
		free_text(plugin->arguments[i]);
	}
	mem_free(plugin->arguments);
	for (size_t i = 0; i < plugin->variable_count; i++) {
		free_text(plugin->variables[i].name);
		free_text(plugin->variables[i].value);
	}
	mem_free(plugin->variables);
	free_text(plugin->install_hint);
	json_decref(plugin->cluster_config);
	*plugin = (struct exec_plugin){.command = NULL};
}

static json_t *text_of(struct slice text)
{
	return json_stringn(text.len > 0 ? text.ptr : "", text.len);
}

/* As client-go has it: what is not set is not there. */
static json_t *describe(const struct exec_plugin *plugin, const struct exec_cluster *cluster)
{
	json_t *object = json_object();

	json_object_set_new(object, "server", json_string(cluster->server));
	if (cluster->tls_server_name != NULL) {
		json_object_set_new(
			object, "tls-server-name", json_string(cluster->tls_server_name));
	}
	if (!cluster->verify) {
		json_object_set_new(object, "insecure-skip-tls-verify", json_true());
	}
	if (cluster->ca.len > 0) {
		struct secret encoded;

		base64_encode(cluster->ca, &encoded);
		json_object_set_new(
			object, "certificate-authority-data", text_of(secret_slice(&encoded)));
		secret_fini(&encoded);
	}
	if (plugin->cluster_config != NULL) {
		json_object_set(object, "config", plugin->cluster_config);
	}
	return object;
}

void exec_credential_info(
	const struct exec_plugin *plugin, const struct exec_cluster *cluster, struct buffer *out)
{
	json_t *object = json_object();
	json_t *spec = json_object();
	char *text;

	json_object_set_new(object, "apiVersion", json_string(plugin->api_version));
	json_object_set_new(object, "kind", json_string("ExecCredential"));
	json_object_set_new(object, "spec", spec);
	if (plugin->provides_cluster_info) {
		json_object_set_new(spec, "cluster", describe(plugin, cluster));
	}
	json_object_set_new(spec, "interactive", json_false());
	text = json_dumps(object, JSON_COMPACT);
	json_decref(object);
	if (text == NULL) { /* all of it is UTF-8, so it can be for want of memory only */
		abort();
	}
	buffer_append_str(out, text);
	free_text(text);
}

char **exec_credential_arguments(const struct exec_plugin *plugin)
{
	char **list = mem_alloc_array(plugin->argument_count + 2, sizeof(*list));

	list[0] = mem_strdup(plugin->command);
	for (size_t i = 0; i < plugin->argument_count; i++) {
		list[i + 1] = mem_strdup(plugin->arguments[i]);
	}
	list[plugin->argument_count + 1] = NULL;
	return list;
}

static char *assignment(struct slice name, struct slice value)
{
	char *text = mem_zalloc(name.len + value.len + 2);

	if (name.len > 0) { /* memcpy from NULL is undefined even for no bytes */
		memcpy(text, name.ptr, name.len);
	}
	text[name.len] = '=';
	if (value.len > 0) {
		memcpy(text + name.len + 1, value.ptr, value.len);
	}
	return text;
}

/* Whether `text`, NAME=VALUE, sets the variable. */
static bool sets(struct slice text, struct slice name)
{
	return slice_starts_with(text, name) && text.len > name.len && text.ptr[name.len] == '=';
}

/* Whether a variable that the plugin is given takes this one's place. */
static bool is_replaced(const struct exec_plugin *plugin, size_t from, struct slice text)
{
	for (size_t i = from; i < plugin->variable_count; i++) {
		if (sets(text, slice_str(plugin->variables[i].name))) {
			return true;
		}
	}
	return sets(text, info_name);
}

char **exec_credential_environment(
	const struct exec_plugin *plugin, struct slice info, char *const *inherited)
{
	size_t inherited_count = 0;
	size_t count = 0;
	char **list;

	while (inherited[inherited_count] != NULL) {
		inherited_count++;
	}
	list = mem_alloc_array(inherited_count + plugin->variable_count + 2, sizeof(*list));
	for (size_t i = 0; i < inherited_count; i++) {
		struct slice text = slice_str(inherited[i]);

		if (!slice_starts_with(text, own_prefix) && !is_replaced(plugin, 0, text)) {
			list[count++] = mem_strdup(inherited[i]);
		}
	}
	for (size_t i = 0; i < plugin->variable_count; i++) {
		const struct exec_variable *variable = &plugin->variables[i];
		char *text = assignment(slice_str(variable->name), slice_str(variable->value));

		if (is_replaced(plugin, i + 1, slice_str(text))) {
			free_text(text);
		} else {
			list[count++] = text;
		}
	}
	list[count++] = assignment(info_name, info);
	list[count] = NULL;
	return list;
}

void exec_strings_destroy(char **strings)
{
	for (char **text = strings; text != NULL && *text != NULL; text++) {
		free_text(*text);
	}
	mem_free(strings);
}
