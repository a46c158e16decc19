/*
 * Layer: pool (sees base). One job: read single values of a kubeconfig, each complaint with file,
 * line and path: "FILE:LINE: users[0].user.token: what is wrong; what would be right". Seen by
 * kubeconfig*.c alone.
 */
#ifndef SIGHTGLASS_POOL_KUBECONFIG_PART_H
#define SIGHTGLASS_POOL_KUBECONFIG_PART_H

#include "base/err.h"
#include "base/secret.h"
#include "base/yaml.h"
#include "pool/pem.h"

enum {
	KUBECONFIG_BYTES_MAX = 1024 * 1024, /* of each file, also of those it names */
	KUBECONFIG_PATH_SIZE = 64,
};

struct kubeconfig_file {
	char *name;
	struct yaml yaml; /* its root is a mapping or null */
};

/* A mapping somewhere in a file, or a place where one may be missing. */
struct kubeconfig_part {
	const struct kubeconfig_file *file;
	const struct yaml_node *node; /* a mapping, null, or NULL where there is none */
	unsigned line;
	char path[KUBECONFIG_PATH_SIZE]; /* "users[0].user"; empty for the whole file */
};

/* The whole file. */
struct kubeconfig_part kubeconfig_whole(const struct kubeconfig_file *file);

/*
 * ERR_SETTINGS with the sentence of `format` behind the place of the member `name` (NULL: the part
 * itself; one that is missing: the part's line).
 */
enum err_code kubeconfig_complain(const struct kubeconfig_part *part, const char *name,
	struct err *err, const char *format, ...) __attribute__((format(printf, 4, 5)));

/* False where the member is missing, null, or an empty text, list or mapping. */
bool kubeconfig_has(const struct kubeconfig_part *part, const char *name);
/* The mapping `name` as a part; where it is missing or null its node is NULL. */
enum err_code kubeconfig_get_part(const struct kubeconfig_part *part, const char *name,
	struct kubeconfig_part *member, struct err *err);
/* The first item of the list `name`; NULL where it is missing, null or empty. */
enum err_code kubeconfig_get_list(const struct kubeconfig_part *part, const char *name,
	const struct yaml_node **first, struct err *err);
/* Item `index` of the list `name`, which has to be a mapping. */
enum err_code kubeconfig_get_item(const struct kubeconfig_part *part, const char *name,
	size_t index, const struct yaml_node *item, struct kubeconfig_part *out, struct err *err);
/* Empty where it is missing or null; lives as long as the file. */
enum err_code kubeconfig_get_text(
	const struct kubeconfig_part *part, const char *name, struct slice *text, struct err *err);
/* `*value` is left alone where it is missing or null. */
enum err_code kubeconfig_get_bool(
	const struct kubeconfig_part *part, const char *name, bool *value, struct err *err);
/* Base64 of PEM of that kind. Leaves `out` alone where it is missing. */
enum err_code kubeconfig_get_pem(const struct kubeconfig_part *part, const char *name,
	enum pem_kind kind, struct secret *out, struct err *err);
/*
 * A path, into a new text; one that is relative is so to the folder of the kubeconfig. NULL where
 * it is missing.
 */
enum err_code kubeconfig_get_path(
	const struct kubeconfig_part *part, const char *name, char **path, struct err *err);

/* Nothing of a file may start a second line of a message. */
void kubeconfig_make_printable(char *text);

/* `path` as it stands in `file`, absolute or beside it; a new text. */
char *kubeconfig_resolve(const struct kubeconfig_file *file, struct slice path);

#endif
