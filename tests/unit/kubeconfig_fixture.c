/*
 * Kubeconfigs of a test.
 */
#include "tests/unit/kubeconfig_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"

int kubeconfig_setup(void **state)
{
	struct kubeconfig_fixture *f = mem_zalloc(sizeof(*f));

	temporary_init(&f->files);
	*state = f;
	return 0;
}

int kubeconfig_teardown(void **state)
{
	struct kubeconfig_fixture *f = *state;

	kubeconfig_fini(&f->config);
	temporary_fini(&f->files);
	mem_free(f);
	return 0;
}

void kubeconfig_write(struct kubeconfig_fixture *f, const char *text)
{
	temporary_write(&f->files, "config", slice_str(text));
}

void kubeconfig_write_parts(struct kubeconfig_fixture *f, const char *cluster, const char *user)
{
	struct buffer text = BUFFER_INIT;

	buffer_printf(&text,
		"contexts:\n"
		"  - {name: here, context: {cluster: one, user: me}}\n"
		"current-context: here\n"
		"clusters:\n"
		"  - name: one\n"
		"    cluster:\n"
		"      server: https://127.0.0.1:6443\n" /* line 7 */
		"%s"
		"users:\n"
		"  - name: me\n"
		"    user:\n"
		"%s",
		cluster, user);
	temporary_write(&f->files, "config", buffer_slice(&text));
	buffer_fini(&text);
}

static enum err_code load(struct kubeconfig_fixture *f)
{
	char path[TEMPORARY_PATH_SIZE];
	struct kubeconfig_url url = f->url;

	if (url.file == NULL && f->environment.kubeconfig == NULL && f->environment.home == NULL) {
		url.file = path;
		(void)temporary_path(&f->files, "config", path);
	}
	kubeconfig_fini(&f->config);
	f->err = ERR_INIT;
	return kubeconfig_load(&url, &f->environment, &f->config, &f->err);
}

void kubeconfig_expect_good(struct kubeconfig_fixture *f)
{
	if (load(f) != ERR_NONE) {
		fail_msg("%s", f->err.text);
	}
}

void kubeconfig_expect_refused(struct kubeconfig_fixture *f, const char *words)
{
	assert_int_equal(load(f), ERR_SETTINGS);
	if (strstr(f->err.text, words) == NULL || strstr(f->err.text, "; ") == NULL ||
		strstr(f->err.text, "s3cr3t") != NULL) {
		fail_msg("not said: %s\nbut: %s", words, f->err.text);
	}
	assert_null(f->config.server);
	assert_null(f->config.secret.text);
	assert_null(f->config.plugin.command);
}
