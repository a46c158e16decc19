/*
 * Layer: pool. One job: see kubeconfig_part.h. No sentence quotes a value: it might be a secret
 * that stands in the wrong place.
 */
#include "pool/kubeconfig_part.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/memory.h"
#include "base/small_file.h"

struct kubeconfig_part kubeconfig_whole(const struct kubeconfig_file *file)
{
	return (struct kubeconfig_part){.file = file, .node = file->yaml.root, .line = 1};
}

static const struct yaml_node *member_of(const struct kubeconfig_part *part, const char *name)
{
	return name == NULL ? NULL : yaml_get(part->node, name);
}

static unsigned line_of(const struct kubeconfig_part *part, const char *name)
{
	const struct yaml_node *member = member_of(part, name);

	return member != NULL ? member->line : part->line;
}

void kubeconfig_make_printable(char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < ' ' || *text == 0x7f) {
			*text = '?';
		}
	}
}

enum err_code kubeconfig_complain(const struct kubeconfig_part *part, const char *name,
	struct err *err, const char *format, ...)
{
	char file[SMALL_FILE_NAME_SIZE];
	char sentence[sizeof(err->text)];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	kubeconfig_make_printable(sentence);
	return err_set(err, ERR_SETTINGS, "%s:%u: %s%s%s: %s",
		small_file_name(part->file->name, file), line_of(part, name), part->path,
		part->path[0] != '\0' && name != NULL ? "." : "", name == NULL ? "" : name,
		sentence);
}

static enum err_code complain_of_kind(const struct kubeconfig_part *part, const char *name,
	const struct yaml_node *node, const char *wanted, struct err *err)
{
	return kubeconfig_complain(
		part, name, err, "it is %s; %s would be right", yaml_kind_name(node), wanted);
}

bool kubeconfig_has(const struct kubeconfig_part *part, const char *name)
{
	const struct yaml_node *node = member_of(part, name);

	if (node == NULL || node->kind == YAML_NULL) {
		return false;
	}
	return node->kind == YAML_SCALAR ? node->text.len > 0 : node->first != NULL;
}

/* Cut where it does not fit: a path is for the reader of a message alone. */
static void append(char path[static KUBECONFIG_PATH_SIZE], const char *text)
{
	size_t len = strlen(path);
	size_t more = strlen(text);

	if (more > KUBECONFIG_PATH_SIZE - 1 - len) {
		more = KUBECONFIG_PATH_SIZE - 1 - len;
	}
	memcpy(path + len, text, more);
	path[len + more] = '\0';
}

static void extend_path(
	struct kubeconfig_part *member, const struct kubeconfig_part *part, const char *name)
{
	*member = *part;
	if (part->path[0] != '\0') {
		append(member->path, ".");
	}
	append(member->path, name);
}

enum err_code kubeconfig_get_part(const struct kubeconfig_part *part, const char *name,
	struct kubeconfig_part *member, struct err *err)
{
	const struct yaml_node *node = member_of(part, name);

	if (node != NULL && node->kind != YAML_MAP && node->kind != YAML_NULL) {
		return complain_of_kind(part, name, node, "a mapping", err);
	}
	extend_path(member, part, name);
	member->node = node;
	member->line = line_of(part, name);
	return ERR_NONE;
}

enum err_code kubeconfig_get_list(const struct kubeconfig_part *part, const char *name,
	const struct yaml_node **first, struct err *err)
{
	const struct yaml_node *node = member_of(part, name);

	*first = NULL;
	if (node == NULL || node->kind == YAML_NULL) {
		return ERR_NONE;
	}
	if (node->kind != YAML_LIST) {
		return complain_of_kind(part, name, node, "a list", err);
	}
	*first = node->first;
	return ERR_NONE;
}

enum err_code kubeconfig_get_item(const struct kubeconfig_part *part, const char *name,
	size_t index, const struct yaml_node *item, struct kubeconfig_part *out, struct err *err)
{
	char bracketed[sizeof("[18446744073709551615]")];

	(void)snprintf(bracketed, sizeof(bracketed), "[%zu]", index);
	extend_path(out, part, name);
	append(out->path, bracketed);
	out->node = item;
	out->line = item->line;
	if (item->kind != YAML_MAP) {
		return complain_of_kind(out, NULL, item, "a mapping", err);
	}
	return ERR_NONE;
}

enum err_code kubeconfig_get_text(
	const struct kubeconfig_part *part, const char *name, struct slice *text, struct err *err)
{
	const struct yaml_node *node = member_of(part, name);

	*text = SLICE("");
	if (node == NULL || node->kind == YAML_NULL) {
		return ERR_NONE;
	}
	if (node->kind != YAML_SCALAR) {
		return complain_of_kind(part, name, node, "a text", err);
	}
	*text = node->text;
	return ERR_NONE;
}

enum err_code kubeconfig_get_bool(
	const struct kubeconfig_part *part, const char *name, bool *value, struct err *err)
{
	const struct yaml_node *node = member_of(part, name);

	if (node == NULL || node->kind == YAML_NULL) {
		return ERR_NONE;
	}
	if (node->kind == YAML_SCALAR && node->plain &&
		(slice_equal_nocase(node->text, SLICE("true")) ||
			slice_equal_nocase(node->text, SLICE("false")))) {
		*value = node->text.len == 4;
		return ERR_NONE;
	}
	return kubeconfig_complain(part, name, err,
		"it is neither yes nor no; true or false, without quotes, would be right");
}

enum err_code kubeconfig_get_pem(const struct kubeconfig_part *part, const char *name,
	enum pem_kind kind, struct secret *out, struct err *err)
{
	struct secret bytes;
	struct slice text;
	enum err_code code = kubeconfig_get_text(part, name, &text, err);

	if (code != ERR_NONE || text.len == 0) {
		return code;
	}
	if (!base64_decode(text, &bytes)) {
		return kubeconfig_complain(part, name, err,
			"it is no base64; the base64 of a PEM file would be right");
	}
	if (!pem_holds(secret_slice(&bytes), kind)) {
		secret_fini(&bytes);
		return kubeconfig_complain(part, name, err,
			"it holds no %s; the base64 of one in PEM would be right",
			pem_kind_name(kind));
	}
	*out = bytes;
	return ERR_NONE;
}

char *kubeconfig_resolve(const struct kubeconfig_file *file, struct slice path)
{
	const char *slash = strrchr(file->name, '/');
	size_t folder = path.ptr[0] == '/' || slash == NULL ? 0 : (size_t)(slash + 1 - file->name);
	char *whole = mem_zalloc(folder + path.len + 1);

	memcpy(whole, file->name, folder);
	memcpy(whole + folder, path.ptr, path.len);
	return whole;
}

enum err_code kubeconfig_get_path(
	const struct kubeconfig_part *part, const char *name, char **path, struct err *err)
{
	struct slice text;
	enum err_code code = kubeconfig_get_text(part, name, &text, err);

	*path = NULL;
	if (code == ERR_NONE && text.len > 0) {
		*path = kubeconfig_resolve(part->file, text);
	}
	return code;
}
