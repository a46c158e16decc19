/*
 * Layer: pool. One job: a user's exec plugin.
 */
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/small_file.h"
#include "pool/kubeconfig_sections.h"

enum {
	ARGUMENTS_MAX = 256,
	VARIABLES_MAX = 256,
};

/* The extension of a cluster that holds what its plugin is to be told. */
static const char extension_name[] = "client.authentication.k8s.io/exec";

static enum err_code read_version(
	const struct kubeconfig_part *exec, struct exec_plugin *plugin, struct err *err)
{
	struct slice version;
	enum err_code code = kubeconfig_get_text(exec, "apiVersion", &version, err);

	if (code != ERR_NONE) {
		return code;
	}
	if (!exec_version_known(version)) {
		return kubeconfig_complain(exec, "apiVersion", err,
			"it is %s; client.authentication.k8s.io/v1, or v1beta1, would be right",
			version.len == 0 ? "missing" : "not supported");
	}
	plugin->api_version = mem_strdup(version.ptr);
	return ERR_NONE;
}

/* With a '/' in it a path, which is relative to the kubeconfig's folder; else found by PATH when it
 * is run. */
static enum err_code read_command(
	const struct kubeconfig_part *exec, struct exec_plugin *plugin, struct err *err)
{
	struct slice command;
	struct slice hint;
	enum err_code code = kubeconfig_get_text(exec, "command", &command, err);

	if (code == ERR_NONE) {
		code = kubeconfig_get_text(exec, "installHint", &hint, err);
	}
	if (code != ERR_NONE) {
		return code;
	}
	if (command.len == 0) {
		return kubeconfig_complain(
			exec, "command", err, "it is missing; the plugin's name would be right");
	}
	plugin->install_hint = hint.len == 0 ? NULL : mem_strdup(hint.ptr);
	if (slice_find(command, SLICE("/")) == NULL) {
		plugin->command = mem_strdup(command.ptr);
		return ERR_NONE;
	}
	plugin->command = kubeconfig_resolve(exec->file, command);
	if (access(plugin->command, X_OK) != 0) {
		char name[SMALL_FILE_NAME_SIZE];

		return kubeconfig_complain(exec, "command", err,
			"%s cannot be run; the path of the plugin, installed, would be right",
			small_file_name(plugin->command, name));
	}
	return ERR_NONE;
}

static enum err_code read_arguments(
	const struct kubeconfig_part *exec, struct exec_plugin *plugin, struct err *err)
{
	const struct yaml_node *first;
	enum err_code code = kubeconfig_get_list(exec, "args", &first, err);

	if (code != ERR_NONE || first == NULL) {
		return code;
	}
	plugin->arguments = mem_alloc_array(ARGUMENTS_MAX, sizeof(*plugin->arguments));
	for (; first != NULL; first = first->next) {
		if (first->kind != YAML_SCALAR) {
			return kubeconfig_complain(exec, "args", err,
				"item %zu is %s; a text would be right", plugin->argument_count,
				yaml_kind_name(first));
		}
		if (plugin->argument_count == ARGUMENTS_MAX) {
			return kubeconfig_complain(exec, "args", err,
				"the list is too long; at most %d would be right", ARGUMENTS_MAX);
		}
		plugin->arguments[plugin->argument_count++] = mem_strdup(first->text.ptr);
	}
	return ERR_NONE;
}

static enum err_code read_variable(
	const struct kubeconfig_part *item, struct exec_plugin *plugin, struct err *err)
{
	struct slice name;
	struct slice value;
	enum err_code code = kubeconfig_get_text(item, "name", &name, err);

	if (code == ERR_NONE) {
		code = kubeconfig_get_text(item, "value", &value, err);
	}
	if (code != ERR_NONE) {
		return code;
	}
	if (name.len == 0 || slice_find(name, SLICE("=")) != NULL) {
		return kubeconfig_complain(item, "name", err,
			"it is missing or holds '='; a variable's name would be right");
	}
	plugin->variables[plugin->variable_count++] = (struct exec_variable){
		.name = mem_strdup(name.ptr),
		.value = mem_strdup(value.ptr),
	};
	return ERR_NONE;
}

static enum err_code read_variables(
	const struct kubeconfig_part *exec, struct exec_plugin *plugin, struct err *err)
{
	const struct yaml_node *first;
	size_t index = 0;
	enum err_code code = kubeconfig_get_list(exec, "env", &first, err);

	if (code != ERR_NONE || first == NULL) {
		return code;
	}
	plugin->variables = mem_alloc_array(VARIABLES_MAX, sizeof(*plugin->variables));
	for (; code == ERR_NONE && first != NULL; first = first->next, index++) {
		struct kubeconfig_part item;

		if (index == VARIABLES_MAX) {
			return kubeconfig_complain(exec, "env", err,
				"the list is too long; at most %d would be right", VARIABLES_MAX);
		}
		code = kubeconfig_get_item(exec, "env", index, first, &item, err);
		if (code == ERR_NONE) {
			code = read_variable(&item, plugin, err);
		}
	}
	return code;
}

static enum err_code check_mode(const struct kubeconfig_part *exec, struct err *err)
{
	struct slice mode;
	enum err_code code = kubeconfig_get_text(exec, "interactiveMode", &mode, err);

	if (code != ERR_NONE || mode.len == 0 || slice_equal(mode, SLICE("Never")) ||
		slice_equal(mode, SLICE("IfAvailable"))) {
		return code;
	}
	return kubeconfig_complain(exec, "interactiveMode", err,
		"%s; Never or IfAvailable would be right",
		slice_equal(mode, SLICE("Always")) ? "a plugin has no terminal here"
						   : "it is no such mode");
}

/* A plain scalar is what JSON reads it as; whatever else it could be in YAML is a text. */
static json_t *scalar_to_json(const struct yaml_node *node)
{
	json_t *value = NULL;

	if (node->plain) {
		value = json_loadb(node->text.ptr, node->text.len, JSON_DECODE_ANY, NULL);
	}
	return value != NULL ? value : json_stringn(node->text.ptr, node->text.len);
}

/* As deep as the file may be. */
static json_t *to_json(const struct yaml_node *node)
{
	json_t *value;

	switch (node->kind) {
	case YAML_SCALAR:
		return scalar_to_json(node);
	case YAML_LIST:
		value = json_array();
		for (const struct yaml_node *item = node->first; item != NULL; item = item->next) {
			json_array_append_new(value, to_json(item));
		}
		return value;
	case YAML_MAP:
		value = json_object();
		for (const struct yaml_node *key = node->first; key != NULL; key = key->next) {
			json_object_set_new(value, key->text.ptr, to_json(key->value));
		}
		return value;
	case YAML_NULL:
	case YAML_REFUSED:
		break;
	}
	return json_null();
}

static enum err_code read_config(
	const struct kubeconfig_part *cluster, struct exec_plugin *plugin, struct err *err)
{
	const struct yaml_node *first;
	enum err_code code = kubeconfig_get_list(cluster, "extensions", &first, err);

	for (; code == ERR_NONE && first != NULL; first = first->next) {
		const struct yaml_node *name = yaml_get(first, "name");
		const struct yaml_node *content = yaml_get(first, "extension");

		if (name != NULL && content != NULL &&
			slice_equal(name->text, slice_str(extension_name))) {
			plugin->cluster_config = to_json(content);
			return ERR_NONE;
		}
	}
	return code;
}

enum err_code kubeconfig_read_plugin(const struct kubeconfig_part *exec,
	const struct kubeconfig_part *cluster, struct kubeconfig *out, struct err *err)
{
	struct exec_plugin *plugin = &out->plugin;
	enum err_code code = read_version(exec, plugin, err);

	if (code == ERR_NONE) {
		code = read_command(exec, plugin, err);
	}
	if (code == ERR_NONE) {
		code = read_arguments(exec, plugin, err);
	}
	if (code == ERR_NONE) {
		code = read_variables(exec, plugin, err);
	}
	if (code == ERR_NONE) {
		code = check_mode(exec, err);
	}
	if (code == ERR_NONE) {
		code = kubeconfig_get_bool(
			exec, "provideClusterInfo", &plugin->provides_cluster_info, err);
	}
	if (code == ERR_NONE && plugin->provides_cluster_info) {
		code = read_config(cluster, plugin, err);
	}
	out->user = KUBECONFIG_EXEC;
	return code;
}
