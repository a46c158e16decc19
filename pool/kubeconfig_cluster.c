/*
 * Layer: pool. One job: the server, and how it is trusted.
 */
#include <stdio.h>

#include "base/memory.h"
#include "base/small_file.h"
#include "pool/kubeconfig_sections.h"
#include "pool/kubeconfig_set.h"

enum {
	SERVER_MAX = 1024,
	SERVER_NAME_MAX = 253, /* RFC 1035 section 2.3.4, without the root's dot */
};

static enum err_code read_pem_file(const struct kubeconfig_part *part, const char *name,
	const char *path, enum pem_kind kind, struct secret *pem, struct err *err)
{
	char shown[SMALL_FILE_NAME_SIZE];
	struct err why = ERR_INIT;
	struct secret bytes;

	if (small_file_read(path, KUBECONFIG_BYTES_MAX, &bytes, &why) != ERR_NONE) {
		return kubeconfig_complain(part, name, err, "%s; a file with a %s would be right",
			why.text, pem_kind_name(kind));
	}
	if (!pem_holds(secret_slice(&bytes), kind)) {
		secret_fini(&bytes);
		return kubeconfig_complain(part, name, err,
			"%s holds no %s; one in PEM would be right", small_file_name(path, shown),
			pem_kind_name(kind));
	}
	*pem = bytes;
	return ERR_NONE;
}

enum err_code kubeconfig_read_pem(const struct kubeconfig_part *part, const char *name,
	enum pem_kind kind, struct kubeconfig *config, struct secret *pem, char **file,
	struct err *err)
{
	char data_name[KUBECONFIG_PATH_SIZE];
	enum err_code code;

	(void)snprintf(data_name, sizeof(data_name), "%s-data", name);
	code = kubeconfig_get_pem(part, data_name, kind, pem, err);
	if (code != ERR_NONE || pem->text != NULL) {
		return code;
	}
	code = kubeconfig_get_path(part, name, file, err);
	if (code != ERR_NONE || *file == NULL) {
		return code;
	}
	kubeconfig_remember(config, *file);
	return read_pem_file(part, name, *file, kind, pem, err);
}

static bool is_visible(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if (text.ptr[i] <= ' ' || text.ptr[i] >= 0x7f) {
			return false;
		}
	}
	return true;
}

/* Takes `prefix` off; its letters are of either case. */
static bool take_prefix(struct slice *text, struct slice prefix)
{
	if (text->len < prefix.len ||
		!slice_equal_nocase(slice_of(text->ptr, prefix.len), prefix)) {
		return false;
	}
	*text = slice_of(text->ptr + prefix.len, text->len - prefix.len);
	return true;
}

/* What an upstream's URL may be is said in pool/upstream.h; here, what no server's can be. */
static enum err_code read_server(
	const struct kubeconfig_part *cluster, struct kubeconfig *out, struct err *err)
{
	static const char wanted[] = "https://HOST:PORT would be right";
	struct slice server;
	struct slice rest;
	enum err_code code = kubeconfig_get_text(cluster, "server", &server, err);

	if (code != ERR_NONE) {
		return code;
	}
	if (server.len == 0) {
		return kubeconfig_complain(cluster, "server", err, "it is missing; %s", wanted);
	}
	rest = server;
	out->https = take_prefix(&rest, SLICE("https://"));
	if (!out->https && !take_prefix(&rest, SLICE("http://"))) {
		return kubeconfig_complain(
			cluster, "server", err, "it has no scheme https or http; %s", wanted);
	}
	if (rest.len == 0 || rest.ptr[0] == '/' || server.len > SERVER_MAX || !is_visible(server)) {
		return kubeconfig_complain(cluster, "server", err, "it is no URL; %s", wanted);
	}
	if (slice_find(rest, SLICE("@")) != NULL || slice_find(rest, SLICE("?")) != NULL ||
		slice_find(rest, SLICE("#")) != NULL) {
		return kubeconfig_complain(cluster, "server", err,
			"a user, a query or a fragment is not used; %s", wanted);
	}
	out->server = mem_strdup(server.ptr);
	return ERR_NONE;
}

static enum err_code read_server_name(
	const struct kubeconfig_part *cluster, struct kubeconfig *out, struct err *err)
{
	struct slice name;
	enum err_code code = kubeconfig_get_text(cluster, "tls-server-name", &name, err);

	if (code != ERR_NONE || name.len == 0) {
		return code;
	}
	if (name.len > SERVER_NAME_MAX || !is_visible(name) ||
		slice_find(name, SLICE("/")) != NULL) {
		return kubeconfig_complain(cluster, "tls-server-name", err,
			"it is no host name; the one in the server's certificate would be right");
	}
	out->tls_server_name = mem_strdup(name.ptr);
	return ERR_NONE;
}

static enum err_code read_trust(
	const struct kubeconfig_part *cluster, struct kubeconfig *out, struct err *err)
{
	bool insecure = false;
	enum err_code code =
		kubeconfig_get_bool(cluster, "insecure-skip-tls-verify", &insecure, err);

	out->verify = !insecure;
	if (code == ERR_NONE) {
		code = kubeconfig_read_pem(cluster, "certificate-authority", PEM_CERTIFICATE, out,
			&out->ca, &out->ca_file, err);
	}
	if (code == ERR_NONE && insecure && out->ca.text != NULL) {
		return kubeconfig_complain(cluster, "insecure-skip-tls-verify", err,
			"with it the certificate-authority beside it would not be asked; one of "
			"them would be right");
	}
	return code;
}

enum err_code kubeconfig_read_cluster(
	const struct kubeconfig_part *cluster, struct kubeconfig *out, struct err *err)
{
	bool ignored; /* whether answers are compressed is between client and server */
	enum err_code code = read_server(cluster, out, err);

	if (code == ERR_NONE) {
		code = read_server_name(cluster, out, err);
	}
	if (code == ERR_NONE) {
		code = read_trust(cluster, out, err);
	}
	if (code == ERR_NONE) {
		code = kubeconfig_get_bool(cluster, "disable-compression", &ignored, err);
	}
	if (code == ERR_NONE && kubeconfig_has(cluster, "proxy-url")) {
		return kubeconfig_complain(cluster, "proxy-url", err,
			"a way through another proxy is not supported; a server that is reached "
			"without would be right");
	}
	return code;
}
