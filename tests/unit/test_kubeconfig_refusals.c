/*
 * What of a kubeconfig is refused, and where the sentence points.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/kubeconfig_fixture.h"

static void refuse(struct kubeconfig_fixture *f, const char *text, const char *words)
{
	kubeconfig_write(f, text);
	kubeconfig_expect_refused(f, words);
}

static void refuse_cluster(struct kubeconfig_fixture *f, const char *lines, const char *words)
{
	kubeconfig_write_parts(f, lines, "      {}\n");
	kubeconfig_expect_refused(f, words);
}

static void refuse_user(struct kubeconfig_fixture *f, const char *lines, const char *words)
{
	kubeconfig_write_parts(f, "", lines);
	kubeconfig_expect_refused(f, words);
}

/* --- the file */

static void a_file_that_is_not_there_is_told_by_name(void **state)
{
	struct kubeconfig_fixture *f = *state;

	kubeconfig_expect_refused(f,
		"/config cannot be read: No such file or directory; a kubeconfig would be right");
	assert_int_equal(f->config.file_count, 1); /* so that its coming can be seen */
	temporary_write(&f->files, "config/below", SLICE(""));
	kubeconfig_expect_refused(f, "/config is a directory and no file; ");
}

static void where_no_file_is_named_something_has_to_be_set(void **state)
{
	struct kubeconfig_fixture *f = *state;

	f->environment.kubeconfig = "";
	kubeconfig_expect_refused(
		f, "HOME is not set, so there is no ~/.kube/config; kubeconfig:FILE");
	f->environment.kubeconfig = "/nowhere/a:/nowhere/b";
	kubeconfig_expect_refused(
		f, "no file that KUBECONFIG names is there, such as /nowhere/a; ");
	f->environment.kubeconfig =
		"/nowhere:/nowhere:/nowhere:/nowhere:/nowhere:/nowhere:/nowhere:"
		"/nowhere:/nowhere:/nowhere:/nowhere:/nowhere:/nowhere:/nowhere:"
		"/nowhere:/nowhere:/nowhere";
	kubeconfig_expect_refused(f, "KUBECONFIG names more than 16 files; fewer");
}

static void what_is_no_yaml_is_refused_with_its_line_and_no_word_of_it(void **state)
{
	struct kubeconfig_fixture *f = *state;

	refuse(f, "a: 1\nb: [s3cr3t\nc: d\n", "/config:3: not YAML: ");
	refuse(f, "a: 1\npassword: *s3cr3t\n", "/config:2: aliases (*) are not read; ");
	refuse(f, "a: 1\npassword: &s3cr3t\n", "/config:2: anchors (&) are not read; ");
	refuse(f, "a: 1\npassword: !s3cr3t x\n", "/config:2: tags () are not read; ");
	refuse(f, "- s3cr3t\n", "/config:1: the file is a list; ");
	refuse(f, "a: 1\nb: 2\na: 3\n", "/config:3: a: the key stands in line 1 already; ");
}

static void files_and_nesting_are_bounded(void **state)
{
	struct kubeconfig_fixture *f = *state;
	struct buffer text = BUFFER_INIT;

	for (unsigned i = 0; i <= 32; i++) {
		buffer_append_str(&text, "{a: ");
	}
	buffer_append_char(&text, '\0');
	refuse(f, text.ptr, "nested more than 32 deep; ");
	buffer_clear(&text);
	while (text.len <= (size_t)1024 * 1024) {
		buffer_append_str(&text, "# a comment\n");
	}
	buffer_append_char(&text, '\0');
	refuse(f, text.ptr, "/config has more than 1048576 bytes; a kubeconfig");
	buffer_clear(&text);
	buffer_append_str(&text, "users:\n");
	for (unsigned i = 0; i <= 1000; i++) {
		buffer_printf(&text, "- {name: u%u}\n", i);
	}
	buffer_append_char(&text, '\0');
	refuse(f, text.ptr, "/config:2: users: the list is too long; at most 1000");
	buffer_fini(&text);
}

static void another_kind_of_file_is_refused(void **state)
{
	struct kubeconfig_fixture *f = *state;

	refuse(f, "kind: Pod\n", "/config:1: kind: it is another; Config would be right");
	refuse(f, "kind: Config\napiVersion: v2\n", "/config:2: apiVersion: it is another; v1");
	refuse(f, "kind: [Config]\n", "/config:1: kind: it is a list; a text would be right");
}

static void lists_have_the_shape_of_lists(void **state)
{
	struct kubeconfig_fixture *f = *state;

	refuse(f, "clusters: {a: b}\n", "/config:1: clusters: it is a mapping; a list");
	refuse(f, "users:\n- name: a\n- b\n",
		"/config:3: users[1]: it is a single value; a mapping");
	refuse(f, "users:\n- user: {}\n", "/config:2: users[0].name: it is missing; ");
	refuse(f, "users:\n- name: a\n  user: b\n",
		"/config:3: users[0].user: it is a single value; a mapping would be right");
	refuse(f, "users:\n- name: a\n- name: b\n- name: a\n",
		"/config:4: users[2].name: line 2 has it already; another name");
}

/* --- the context */

static void a_context_has_to_be_chosen_and_to_be_there(void **state)
{
	struct kubeconfig_fixture *f = *state;
	char wanted[] = "other";

	refuse(f, "", "/config:1: current-context: it is missing; ");
	refuse(f, "contexts: [{name: a}, {name: b}]\n",
		"/config:1: current-context: it is missing; it, or ?context=NAME in the "
		"upstream's URL, would be right; there is: a, b");
	refuse(f, "contexts: [{name: a}, {name: b}]\ncurrent-context: c\n",
		"/config:2: current-context: there is no context c; one of these would be right: "
		"a, b");
	refuse(f, "current-context: \"c\\nd\"\n",
		"/config:1: current-context: there is no context c?d; one of these would be right: "
		"none");
	f->url.context = wanted;
	refuse(f, "current-context: a\ncontexts: [{name: a}]\n",
		"/config:2: contexts: there is no context other; one of these would be right: a");
}

static void a_context_names_a_cluster_and_a_user_that_are_there(void **state)
{
	struct kubeconfig_fixture *f = *state;

	refuse(f, "current-context: c\ncontexts:\n- name: c\n  context: {user: u}\n",
		"/config:4: contexts[0].context.cluster: it is missing; one of these would be "
		"right: none");
	refuse(f, "current-context: c\ncontexts:\n- name: c\n",
		"/config:3: contexts[0].context.cluster: it is missing; ");
	refuse(f,
		"current-context: c\ncontexts:\n- name: c\n  context: {cluster: x}\n"
		"clusters: [{name: k}, {name: l}]\n",
		"/config:4: contexts[0].context.cluster: there is none of that name; one of these "
		"would be right: k, l");
	refuse(f,
		"current-context: c\ncontexts:\n- name: c\n  context: {cluster: k, user: x}\n"
		"clusters: [{name: k, cluster: {server: \"https://a\"}}]\n",
		"/config:4: contexts[0].context.user: there is none of that name; ");
}

/* --- the cluster */

static void refuse_server(struct kubeconfig_fixture *f, const char *server, const char *words)
{
	char text[400];

	(void)snprintf(text, sizeof(text),
		"current-context: c\ncontexts: [{name: c, context: {cluster: k}}]\n"
		"clusters:\n- name: k\n  cluster:\n    tls-server-name: a\n    server: %s\n",
		server);
	refuse(f, text, words);
}

static void a_server_is_a_url_of_http_or_https(void **state)
{
	static const char place[] = "/config:7: clusters[0].cluster.server: ";
	struct kubeconfig_fixture *f = *state;

	refuse_server(f, "", place);
	refuse_server(f, "", "it is missing; https://HOST:PORT would be right");
	refuse_server(f, "10.0.0.1:6443", place);
	refuse_server(f, "10.0.0.1:6443", "it has no scheme https or http; ");
	refuse_server(f, "unix:/x", "it has no scheme https or http; ");
	refuse_server(f, "https://", "it is no URL; ");
	refuse_server(f, "https:///path", "it is no URL; ");
	refuse_server(f, "https://a b", "it is no URL; ");
	refuse_server(f, "\"https://a\\r\\nHost: b\"", "it is no URL; ");
	refuse_server(f, "https://me:s3cr3t@a", "a user, a query or a fragment is not used; ");
	refuse_server(f, "https://a?b", "a user, a query or a fragment is not used; ");
	refuse_server(f, "[https://a]", "it is a list; a text");
}

static void a_certificate_authority_has_to_hold_a_certificate(void **state)
{
	struct kubeconfig_fixture *f = *state;

	temporary_write(&f->files, "key", SLICE(FAKE_KEY));
	refuse_cluster(f, "      certificate-authority-data: \"%%%\"\n",
		"/config:8: clusters[0].cluster.certificate-authority-data: it is no base64; ");
	refuse_cluster(f, "      certificate-authority-data: " FAKE_KEY_DATA "\n",
		"/config:8: clusters[0].cluster.certificate-authority-data: it holds no "
		"certificate; ");
	refuse_cluster(f, "      certificate-authority: ca.crt\n",
		"/config:8: clusters[0].cluster.certificate-authority: /tmp/");
	refuse_cluster(f, "      certificate-authority: ca.crt\n",
		"/ca.crt cannot be read: No such file or directory; a file with a ");
	refuse_cluster(
		f, "      certificate-authority: key\n", "/key holds no certificate; one in PEM");
}

static void trust_is_either_checked_or_not(void **state)
{
	struct kubeconfig_fixture *f = *state;

	refuse_cluster(f,
		"      insecure-skip-tls-verify: true\n"
		"      certificate-authority-data: " FAKE_CERTIFICATE_DATA "\n",
		"/config:8: clusters[0].cluster.insecure-skip-tls-verify: with it the "
		"certificate-authority beside it would not be asked; ");
	refuse_cluster(f, "      insecure-skip-tls-verify: \"true\"\n",
		"/config:8: clusters[0].cluster.insecure-skip-tls-verify: it is neither yes nor "
		"no; true or false, without quotes, would be right");
	refuse_cluster(f, "      insecure-skip-tls-verify: maybe\n", "it is neither yes nor no; ");
}

static void a_way_through_a_proxy_is_refused(void **state)
{
	refuse_cluster(*state, "      proxy-url: http://proxy:3128\n",
		"/config:8: clusters[0].cluster.proxy-url: a way through another proxy is not "
		"supported; ");
}

static void a_server_name_is_one(void **state)
{
	refuse_cluster(*state, "      tls-server-name: https://a\n",
		"/config:8: clusters[0].cluster.tls-server-name: it is no host name; ");
	refuse_cluster(*state, "      tls-server-name: a b\n", "it is no host name; ");
}

static void a_flag_that_does_not_matter_has_to_be_one_all_the_same(void **state)
{
	refuse_cluster(*state, "      disable-compression: [true]\n",
		"/config:8: clusters[0].cluster.disable-compression: it is neither yes nor no; ");
}

/* --- the user */

static void auth_providers_are_refused(void **state)
{
	refuse_user(*state, "      auth-provider: {name: gcp}\n",
		"/config:11: users[0].user.auth-provider: it is not supported, nor by Kubernetes "
		"since 1.26; exec with the provider's plugin would be right");
}

static void impersonation_is_refused(void **state)
{
	struct kubeconfig_fixture *f = *state;

	refuse_user(f, "      token: s3cr3t\n      as: root\n",
		"/config:12: users[0].user.as: impersonation is not supported; ");
	refuse_user(f, "      as-uid: \"0\"\n", "users[0].user.as-uid: impersonation is not ");
	refuse_user(f, "      as-groups: [a]\n", "users[0].user.as-groups: impersonation is not ");
	refuse_user(f, "      as-user-extra: {a: [b]}\n",
		"users[0].user.as-user-extra: impersonation is not ");
}

static void a_certificate_and_its_key_go_together(void **state)
{
	struct kubeconfig_fixture *f = *state;

	temporary_write(&f->files, "key", SLICE(FAKE_KEY));
	temporary_write(&f->files, "crt", SLICE(FAKE_CERTIFICATE));
	refuse_user(f, "      client-certificate-data: " FAKE_CERTIFICATE_DATA "\n",
		"/config:11: users[0].user.client-certificate-data: it has no key; ");
	refuse_user(f, "      client-certificate: crt\n",
		"/config:11: users[0].user.client-certificate: it has no key; ");
	refuse_user(f, "      client-key-data: " FAKE_KEY_DATA "\n",
		"/config:11: users[0].user.client-key-data: it has no certificate; ");
	refuse_user(f, "      client-key: key\n",
		"/config:11: users[0].user.client-key: it has no certificate; ");
	refuse_user(f, "      client-certificate: crt\n      client-key: crt\n",
		"/config:12: users[0].user.client-key: ");
	refuse_user(f, "      client-certificate: crt\n      client-key: crt\n",
		"/crt holds no private key; ");
	refuse_user(f, "      client-certificate: crt\n      client-key: missing\n",
		"/missing cannot be read: No such file or directory; ");
}

static void a_certificate_needs_a_server_with_tls(void **state)
{
	refuse(*state,
		"current-context: c\ncontexts: [{name: c, context: {cluster: k, user: u}}]\n"
		"clusters: [{name: k, cluster: {server: \"http://a\"}}]\nusers:\n- name: u\n"
		"  user:\n    client-certificate-data: " FAKE_CERTIFICATE_DATA
		"\n    client-key-data: " FAKE_KEY_DATA "\n",
		"/config:7: users[0].user.client-certificate-data: it cannot be presented to a "
		"server at http://; ");
}

static void a_token_that_cannot_be_sent_is_refused(void **state)
{
	struct kubeconfig_fixture *f = *state;

	refuse_user(f, "      token: a s3cr3t\n",
		"/config:11: users[0].user.token: it holds a space; the token alone");
	refuse_user(f, "      token: |\n        s3cr3t\n",
		"/config:11: users[0].user.token: it has a space at its start or end; ");
	refuse_user(f, "      token: {a: s3cr3t}\n",
		"/config:11: users[0].user.token: it is a mapping; a text would be right");
	refuse_user(f, "      tokenFile: token\n", "/config:11: users[0].user.tokenFile: /tmp/");
	refuse_user(f, "      tokenFile: token\n", "/token cannot be read: No such file or ");
	temporary_write(&f->files, "token", SLICE("s3cr3t more\n"));
	refuse_user(f, "      tokenFile: token\n", "/token holds a space; the token alone");
	/* that there is a token beside it does not help */
	temporary_write(&f->files, "token", SLICE("\n"));
	refuse_user(f, "      tokenFile: token\n      token: abc\n", "/token is empty; ");
}

static void a_name_and_a_password_have_to_fit_their_field(void **state)
{
	struct kubeconfig_fixture *f = *state;

	refuse_user(f, "      username: a:b\n      password: s3cr3t\n",
		"/config:11: users[0].user.username: it holds a colon; ");
	refuse_user(f, "      username: a\n      password: \"s3cr3t\\n\"\n",
		"/config:12: users[0].user.password: it holds a control character; ");
	refuse_user(f, "      token: abc\n      username: a\n",
		"/config:12: users[0].user.username: there is a token, too; one of them");
	refuse_user(f, "      password: s3cr3t\n      token: abc\n",
		"/config:11: users[0].user.password: there is a token, too; one of them");
}

/* --- the plugin */

#define EXEC "      exec:\n        apiVersion: client.authentication.k8s.io/v1\n"

static void a_plugin_has_a_version_and_a_command(void **state)
{
	struct kubeconfig_fixture *f = *state;

	refuse_user(f, "      exec: {command: a}\n",
		"/config:11: users[0].user.exec.apiVersion: it is missing; ");
	refuse_user(f,
		"      exec:\n        command: a\n"
		"        apiVersion: client.authentication.k8s.io/v1alpha1\n",
		"/config:13: users[0].user.exec.apiVersion: it is not supported; "
		"client.authentication.k8s.io/v1, or v1beta1, would be right");
	refuse_user(f, EXEC, "/config:12: users[0].user.exec.command: it is missing; ");
	refuse_user(f, EXEC "        command: ./missing\n",
		"/config:13: users[0].user.exec.command: /tmp/");
	refuse_user(f, EXEC "        command: ./missing\n", "/./missing cannot be run; ");
	refuse_user(f, "      exec: [a]\n",
		"/config:11: users[0].user.exec: it is a list; a mapping would be right");
}

static void a_plugin_that_needs_a_terminal_is_refused(void **state)
{
	struct kubeconfig_fixture *f = *state;

	refuse_user(f, EXEC "        command: a\n        interactiveMode: Always\n",
		"/config:14: users[0].user.exec.interactiveMode: a plugin has no terminal here; "
		"Never or IfAvailable would be right");
	refuse_user(f, EXEC "        command: a\n        interactiveMode: always\n",
		"users[0].user.exec.interactiveMode: it is no such mode; ");
}

static void a_plugins_arguments_and_variables_are_texts(void **state)
{
	struct kubeconfig_fixture *f = *state;

	refuse_user(f, EXEC "        command: a\n        args: [a, {b: s3cr3t}]\n",
		"/config:14: users[0].user.exec.args: item 1 is a mapping; a text would be right");
	refuse_user(f, EXEC "        command: a\n        args: a b\n",
		"/config:14: users[0].user.exec.args: it is a single value; a list");
	refuse_user(f, EXEC "        command: a\n        env: {A: s3cr3t}\n",
		"/config:14: users[0].user.exec.env: it is a mapping; a list would be right");
	refuse_user(f, EXEC "        command: a\n        env:\n        - {value: s3cr3t}\n",
		"/config:15: users[0].user.exec.env[0].name: it is missing or holds '='; ");
	refuse_user(f, EXEC "        command: a\n        env:\n        - {name: a=b}\n",
		"/config:15: users[0].user.exec.env[0].name: it is missing or holds '='; ");
	refuse_user(f, EXEC "        command: a\n        env:\n        - {name: a, value: [b]}\n",
		"/config:15: users[0].user.exec.env[0].value: it is a list; a text");
	refuse_user(f, EXEC "        command: a\n        provideClusterInfo: 1\n",
		"/config:14: users[0].user.exec.provideClusterInfo: it is neither yes nor no; ");
}

static void a_plugins_lists_are_bounded(void **state)
{
	struct kubeconfig_fixture *f = *state;
	struct buffer text = BUFFER_INIT;

	buffer_append_str(&text, EXEC "        command: a\n        args:\n");
	for (unsigned i = 0; i <= 256; i++) {
		buffer_append_str(&text, "        - a\n");
	}
	buffer_append_char(&text, '\0');
	refuse_user(f, text.ptr,
		"/config:15: users[0].user.exec.args: the list is too long; at most 256");
	buffer_clear(&text);
	buffer_append_str(&text, EXEC "        command: a\n        env:\n");
	for (unsigned i = 0; i <= 256; i++) {
		buffer_append_str(&text, "        - {name: a}\n");
	}
	buffer_append_char(&text, '\0');
	refuse_user(f, text.ptr,
		"/config:15: users[0].user.exec.env: the list is too long; at most 256");
	buffer_fini(&text);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, kubeconfig_setup, kubeconfig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_that_is_not_there_is_told_by_name),
		TEST(where_no_file_is_named_something_has_to_be_set),
		TEST(what_is_no_yaml_is_refused_with_its_line_and_no_word_of_it),
		TEST(files_and_nesting_are_bounded),
		TEST(another_kind_of_file_is_refused),
		TEST(lists_have_the_shape_of_lists),
		TEST(a_context_has_to_be_chosen_and_to_be_there),
		TEST(a_context_names_a_cluster_and_a_user_that_are_there),
		TEST(a_server_is_a_url_of_http_or_https),
		TEST(a_certificate_authority_has_to_hold_a_certificate),
		TEST(trust_is_either_checked_or_not),
		TEST(a_way_through_a_proxy_is_refused),
		TEST(a_server_name_is_one),
		TEST(a_flag_that_does_not_matter_has_to_be_one_all_the_same),
		TEST(auth_providers_are_refused),
		TEST(impersonation_is_refused),
		TEST(a_certificate_and_its_key_go_together),
		TEST(a_certificate_needs_a_server_with_tls),
		TEST(a_token_that_cannot_be_sent_is_refused),
		TEST(a_name_and_a_password_have_to_fit_their_field),
		TEST(a_plugin_has_a_version_and_a_command),
		TEST(a_plugin_that_needs_a_terminal_is_refused),
		TEST(a_plugins_arguments_and_variables_are_texts),
		TEST(a_plugins_lists_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
