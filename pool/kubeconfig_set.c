/*
 * Layer: pool. One job: see kubeconfig_set.h.
 */
#include "pool/kubeconfig_set.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/memory.h"
#include "base/small_file.h"

enum {
	DEPTH_MAX = 32, /* extensions may hold anything */
	KEYS_MAX = 1000,
};

static const struct {
	const char *list;
	const char *kind;
} lists[] = {{"clusters", "cluster"}, {"users", "user"}, {"contexts", "context"}};

void kubeconfig_remember(struct kubeconfig *config, const char *path)
{
	config->files =
		mem_realloc(config->files, (config->file_count + 1) * sizeof(*config->files));
	config->files[config->file_count++] = mem_strdup(path);
}

/* --- the shape of a file */

struct complaint {
	const char *file;
	struct err *err;
	bool made;
};

/* The first one is told. */
static void on_complaint(void *context, unsigned line, const char *key, const char *sentence)
{
	struct complaint *complaint = context;
	char name[SMALL_FILE_NAME_SIZE];
	/* libyaml knows what is wrong alone. */
	const char *wanted =
		strstr(sentence, "; ") == NULL ? "; YAML as kubectl writes it would be right" : "";

	if (!complaint->made) {
		(void)err_set(complaint->err, ERR_SETTINGS, "%s:%u: %s%s%s%s",
			small_file_name(complaint->file, name), line == 0 ? 1 : line,
			key == NULL ? "" : key, key == NULL ? "" : ": ", sentence, wanted);
		if (complaint->err != NULL) {
			kubeconfig_make_printable(complaint->err->text);
		}
		complaint->made = true;
	}
}

static enum err_code parse(struct kubeconfig_file *file, struct slice text, struct err *err)
{
	struct complaint complaint = {.file = file->name, .err = err};
	struct yaml_rules rules = {
		.bytes_max = KUBECONFIG_BYTES_MAX,
		.depth_max = DEPTH_MAX,
		.keys_max = KEYS_MAX,
		.example = "kind: Config",
		.discreet = true,
		.complain = on_complaint,
		.context = &complaint,
	};

	yaml_read(&file->yaml, text, &rules);
	return complaint.made ? ERR_SETTINGS : ERR_NONE;
}

static enum err_code expect_text(
	const struct kubeconfig_part *whole, const char *name, const char *wanted, struct err *err)
{
	struct slice text;
	enum err_code code = kubeconfig_get_text(whole, name, &text, err);

	if (code == ERR_NONE && text.len > 0 && !slice_equal(text, slice_str(wanted))) {
		return kubeconfig_complain(
			whole, name, err, "it is another; %s would be right", wanted);
	}
	return code;
}

/* The item's name is there, and no other's of the list. */
static enum err_code check_name(
	const struct kubeconfig_part *item, const struct yaml_node *first, struct err *err)
{
	struct slice name;
	enum err_code code = kubeconfig_get_text(item, "name", &name, err);

	if (code != ERR_NONE) {
		return code;
	}
	if (name.len == 0) {
		return kubeconfig_complain(
			item, "name", err, "it is missing; a name for contexts would be right");
	}
	for (; first != item->node; first = first->next) {
		const struct yaml_node *other = yaml_get(first, "name");

		if (slice_equal(other->text, name)) {
			return kubeconfig_complain(item, "name", err,
				"line %u has it already; another name would be right", other->line);
		}
	}
	return ERR_NONE;
}

static enum err_code check_list(
	const struct kubeconfig_part *whole, const char *name, const char *kind, struct err *err)
{
	const struct yaml_node *first;
	size_t index = 0;
	enum err_code code = kubeconfig_get_list(whole, name, &first, err);

	for (const struct yaml_node *node = first; code == ERR_NONE && node != NULL;
		node = node->next, index++) {
		struct kubeconfig_part item;
		struct kubeconfig_part content;

		if (index == KUBECONFIG_NAMES_MAX) {
			return kubeconfig_complain(whole, name, err,
				"the list is too long; at most %d would be right",
				KUBECONFIG_NAMES_MAX);
		}
		code = kubeconfig_get_item(whole, name, index, node, &item, err);
		if (code == ERR_NONE) {
			code = check_name(&item, first, err);
		}
		if (code == ERR_NONE) {
			code = kubeconfig_get_part(&item, kind, &content, err);
		}
	}
	return code;
}

static enum err_code check_file(const struct kubeconfig_file *file, struct err *err)
{
	struct kubeconfig_part whole = kubeconfig_whole(file);
	enum err_code code = expect_text(&whole, "kind", "Config", err);

	if (code == ERR_NONE) {
		code = expect_text(&whole, "apiVersion", "v1", err);
	}
	for (size_t i = 0; code == ERR_NONE && i < sizeof(lists) / sizeof(lists[0]); i++) {
		code = check_list(&whole, lists[i].list, lists[i].kind, err);
	}
	return code;
}

/* --- the files */

static enum err_code add_file(struct kubeconfig_set *set, const char *path, struct err *err)
{
	struct kubeconfig_file *file = &set->files[set->count];
	struct secret text;
	struct err why = ERR_INIT;
	enum err_code code = small_file_read(path, KUBECONFIG_BYTES_MAX, &text, &why);

	if (code != ERR_NONE) {
		return err_set(err, code, "%s; a kubeconfig would be right", why.text);
	}
	*file = (struct kubeconfig_file){.name = mem_strdup(path)};
	set->count++;
	code = parse(file, secret_slice(&text), err);
	secret_fini(&text);
	return code == ERR_NONE ? check_file(file, err) : code;
}

/* Of $KUBECONFIG: files that are not there are passed over, as kubectl does. */
static enum err_code add_listed(
	struct kubeconfig_set *set, const char *list, struct kubeconfig *config, struct err *err)
{
	struct slice rest = slice_str(list);
	enum err_code code = ERR_NONE;

	while (code == ERR_NONE && rest.len > 0) {
		const char *colon = memchr(rest.ptr, ':', rest.len);
		size_t len = colon == NULL ? rest.len : (size_t)(colon - rest.ptr);
		char *path = mem_zalloc(len + 1);
		struct stat status;

		memcpy(path, rest.ptr, len);
		rest = slice_of(rest.ptr + len, rest.len - len);
		if (rest.len > 0) {
			rest = slice_of(rest.ptr + 1, rest.len - 1);
		}
		if (len > 0 && config->file_count == KUBECONFIG_FILES_MAX) {
			code = err_set(err, ERR_SETTINGS,
				"KUBECONFIG names more than %d files; fewer would be right",
				KUBECONFIG_FILES_MAX);
		} else if (len > 0) {
			kubeconfig_remember(config, path);
			if (stat(path, &status) == 0 || errno != ENOENT) {
				code = add_file(set, path, err);
			}
		}
		mem_free(path);
	}
	return code;
}

static enum err_code add_one(
	struct kubeconfig_set *set, const char *path, struct kubeconfig *config, struct err *err)
{
	kubeconfig_remember(config, path);
	return add_file(set, path, err);
}

/* `path` below the home folder, as a new text. */
static char *below_home(const char *home, const char *path)
{
	size_t size = strlen(home) + 1 + strlen(path) + 1;
	char *whole = mem_alloc(size);

	(void)snprintf(whole, size, "%s/%s", home, path);
	return whole;
}

static enum err_code add_below_home(struct kubeconfig_set *set, const char *home, const char *path,
	struct kubeconfig *config, struct err *err)
{
	enum err_code code;
	char *whole;

	if (home == NULL || home[0] == '\0') {
		return err_set(err, ERR_SETTINGS,
			"HOME is not set, so there is no ~/%s; kubeconfig:FILE would be right",
			path);
	}
	whole = below_home(home, path);
	code = add_one(set, whole, config, err);
	mem_free(whole);
	return code;
}

enum err_code kubeconfig_set_load(struct kubeconfig_set *set, const struct kubeconfig_url *url,
	const struct kubeconfig_environment *environment, struct kubeconfig *config,
	struct err *err)
{
	enum err_code code;

	set->count = 0;
	if (url->file != NULL && strncmp(url->file, "~/", 2) == 0) {
		return add_below_home(set, environment->home, url->file + 2, config, err);
	}
	if (url->file != NULL) {
		return add_one(set, url->file, config, err);
	}
	if (environment->kubeconfig == NULL ||
		strspn(environment->kubeconfig, ":") == strlen(environment->kubeconfig)) {
		return add_below_home(set, environment->home, ".kube/config", config, err);
	}
	code = add_listed(set, environment->kubeconfig, config, err);
	if (code == ERR_NONE && set->count == 0) {
		char name[SMALL_FILE_NAME_SIZE];

		return err_set(err, ERR_SETTINGS,
			"no file that KUBECONFIG names is there, such as %s; one that is would be "
			"right",
			small_file_name(config->files[0], name));
	}
	return code;
}

void kubeconfig_set_fini(struct kubeconfig_set *set)
{
	for (size_t i = 0; i < set->count; i++) {
		yaml_fini(&set->files[i].yaml);
		mem_free(set->files[i].name);
	}
	set->count = 0;
}

/* --- what is in them */

static const char *list_of(const char *kind)
{
	size_t i = 0;

	while (strcmp(lists[i].kind, kind) != 0) {
		i++;
	}
	return lists[i].list;
}

static const struct yaml_node *first_of(const struct kubeconfig_file *file, const char *kind)
{
	const struct yaml_node *list = yaml_get(file->yaml.root, list_of(kind));

	return list == NULL ? NULL : list->first;
}

static bool find_in(const struct kubeconfig_file *file, const char *kind, struct slice name,
	struct kubeconfig_part *part)
{
	struct kubeconfig_part whole = kubeconfig_whole(file);
	size_t index = 0;

	for (const struct yaml_node *node = first_of(file, kind); node != NULL;
		node = node->next, index++) {
		struct kubeconfig_part item;

		if (slice_equal(yaml_get(node, "name")->text, name)) {
			/* Both were checked when the file was read. */
			(void)kubeconfig_get_item(&whole, list_of(kind), index, node, &item, NULL);
			(void)kubeconfig_get_part(&item, kind, part, NULL);
			return true;
		}
	}
	return false;
}

bool kubeconfig_find(const struct kubeconfig_set *set, const char *kind, struct slice name,
	struct kubeconfig_part *part)
{
	for (size_t i = 0; i < set->count; i++) {
		if (find_in(&set->files[i], kind, name, part)) {
			return true;
		}
	}
	return false;
}

const char *kubeconfig_names(
	const struct kubeconfig_set *set, const char *kind, char *out, size_t size)
{
	size_t len = 0;

	(void)snprintf(out, size, "none");
	for (size_t i = 0; i < set->count; i++) {
		for (const struct yaml_node *node = first_of(&set->files[i], kind); node != NULL;
			node = node->next) {
			struct slice name = yaml_get(node, "name")->text;

			if (len + name.len + 2 >= size) {
				return out;
			}
			(void)snprintf(out + len, size - len, "%s%.*s", len == 0 ? "" : ", ",
				SLICE_ARGS(name));
			len += name.len + (len == 0 ? 0 : 2);
		}
	}
	return out;
}
