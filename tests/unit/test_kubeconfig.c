/*
 * Kubeconfigs as kubectl, k3s, kind, minikube and the tools of clouds write them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/kubeconfig_fixture.h"

/* --- what tools write */

static void a_file_of_kubectl_with_a_token_is_read(void **state)
{
	struct kubeconfig_fixture *f = *state;

	/* kubectl config set-cluster, set-credentials, set-context, use-context */
	kubeconfig_write(f, "apiVersion: v1\n"
			    "clusters:\n"
			    "- cluster:\n"
			    "    insecure-skip-tls-verify: true\n"
			    "    server: https://10.0.0.1:6443/base\n"
			    "  name: staging\n"
			    "contexts:\n"
			    "- context:\n"
			    "    cluster: staging\n"
			    "    namespace: web\n"
			    "    user: deployer\n"
			    "  name: staging-web\n"
			    "current-context: staging-web\n"
			    "kind: Config\n"
			    "preferences: {}\n"
			    "users:\n"
			    "- name: deployer\n"
			    "  user:\n"
			    "    token: eyJ.s3cr3t.x\n");
	kubeconfig_expect_good(f);
	assert_string_equal(f->config.context, "staging-web");
	assert_string_equal(f->config.server, "https://10.0.0.1:6443/base");
	assert_true(f->config.https);
	assert_false(f->config.verify);
	assert_null(f->config.ca.text);
	assert_null(f->config.tls_server_name);
	assert_int_equal(f->config.user, KUBECONFIG_BEARER);
	assert_string_equal(f->config.secret.text, "eyJ.s3cr3t.x");
	assert_null(f->config.token_file);
	assert_int_equal(f->config.file_count, 1);
}

static void a_file_of_k3s_with_its_data_inline_is_read(void **state)
{
	struct kubeconfig_fixture *f = *state;

	/* /etc/rancher/k3s/k3s.yaml; kind writes the same with other names */
	kubeconfig_write(f, "apiVersion: v1\n"
			    "clusters:\n"
			    "- cluster:\n"
			    "    certificate-authority-data: " FAKE_CERTIFICATE_DATA "\n"
			    "    server: https://127.0.0.1:6443\n"
			    "  name: default\n"
			    "contexts:\n"
			    "- context:\n"
			    "    cluster: default\n"
			    "    user: default\n"
			    "  name: default\n"
			    "current-context: default\n"
			    "kind: Config\n"
			    "preferences: {}\n"
			    "users:\n"
			    "- name: default\n"
			    "  user:\n"
			    "    client-certificate-data: " FAKE_CERTIFICATE_DATA "\n"
			    "    client-key-data: " FAKE_KEY_DATA "\n");
	kubeconfig_expect_good(f);
	assert_true(f->config.verify);
	assert_string_equal(f->config.ca.text, FAKE_CERTIFICATE);
	assert_null(f->config.ca_file);
	assert_string_equal(f->config.certificate.text, FAKE_CERTIFICATE);
	assert_string_equal(f->config.key.text, FAKE_KEY);
	assert_int_equal(f->config.user, KUBECONFIG_ANONYMOUS);
}

static void a_file_of_minikube_with_files_and_extensions_is_read(void **state)
{
	struct kubeconfig_fixture *f = *state;
	char path[TEMPORARY_PATH_SIZE];

	temporary_write(&f->files, "ca.crt", SLICE(FAKE_CERTIFICATE));
	temporary_write(&f->files, "profiles/client.crt", SLICE(FAKE_CERTIFICATE));
	temporary_write(&f->files, "profiles/client.key", SLICE(FAKE_KEY));
	kubeconfig_write(f, "apiVersion: v1\n"
			    "clusters:\n"
			    "- cluster:\n"
			    "    certificate-authority: ca.crt\n"
			    "    extensions:\n"
			    "    - extension:\n"
			    "        last-update: Thu, 12 Mar 2026 10:42:26 UTC\n"
			    "        provider: minikube.sigs.k8s.io\n"
			    "        version: v1.32.0\n"
			    "      name: cluster_info\n"
			    "    server: https://192.168.49.2:8443\n"
			    "    tls-server-name: minikube\n"
			    "    disable-compression: true\n"
			    "    proxy-url: \"\"\n"
			    "  name: minikube\n"
			    "contexts:\n"
			    "- context:\n"
			    "    cluster: minikube\n"
			    "    extensions: []\n"
			    "    namespace: default\n"
			    "    user: minikube\n"
			    "  name: minikube\n"
			    "current-context: minikube\n"
			    "kind: Config\n"
			    "users:\n"
			    "- name: minikube\n"
			    "  user:\n"
			    "    client-certificate: profiles/client.crt\n"
			    "    client-key: profiles/client.key\n"
			    "    as-groups: []\n"
			    "    auth-provider: null\n");
	kubeconfig_expect_good(f);
	assert_string_equal(f->config.ca_file, temporary_path(&f->files, "ca.crt", path));
	assert_string_equal(
		f->config.certificate_file, temporary_path(&f->files, "profiles/client.crt", path));
	assert_string_equal(
		f->config.key_file, temporary_path(&f->files, "profiles/client.key", path));
	assert_string_equal(f->config.key.text, FAKE_KEY);
	assert_string_equal(f->config.tls_server_name, "minikube");
	assert_int_equal(f->config.file_count, 4);
	assert_string_equal(f->config.files[3], f->config.key_file);
}

static void a_file_of_eks_with_a_plugin_is_read(void **state)
{
	struct kubeconfig_fixture *f = *state;

	/* aws eks update-kubeconfig */
	kubeconfig_write(f, "apiVersion: v1\n"
			    "clusters:\n"
			    "- cluster:\n"
			    "    certificate-authority-data: " FAKE_CERTIFICATE_DATA "\n"
			    "    server: https://ABC.gr7.eu-west-1.eks.amazonaws.com\n"
			    "  name: arn:aws:eks:eu-west-1:123456789012:cluster/prod\n"
			    "contexts:\n"
			    "- context:\n"
			    "    cluster: arn:aws:eks:eu-west-1:123456789012:cluster/prod\n"
			    "    user: arn:aws:eks:eu-west-1:123456789012:cluster/prod\n"
			    "  name: arn:aws:eks:eu-west-1:123456789012:cluster/prod\n"
			    "current-context: arn:aws:eks:eu-west-1:123456789012:cluster/prod\n"
			    "kind: Config\n"
			    "preferences: {}\n"
			    "users:\n"
			    "- name: arn:aws:eks:eu-west-1:123456789012:cluster/prod\n"
			    "  user:\n"
			    "    exec:\n"
			    "      apiVersion: client.authentication.k8s.io/v1beta1\n"
			    "      args:\n"
			    "      - --region\n"
			    "      - eu-west-1\n"
			    "      - eks\n"
			    "      - get-token\n"
			    "      command: aws\n"
			    "      env:\n"
			    "      - name: AWS_PROFILE\n"
			    "        value: prod\n"
			    "      - name: EMPTY\n"
			    "        value: \"\"\n"
			    "      interactiveMode: IfAvailable\n"
			    "      provideClusterInfo: false\n");
	kubeconfig_expect_good(f);
	assert_string_equal(f->config.context, "arn:aws:eks:eu-west-1:123456789012:cluster/prod");
	assert_int_equal(f->config.user, KUBECONFIG_EXEC);
	assert_string_equal(f->config.plugin.api_version, "client.authentication.k8s.io/v1beta1");
	assert_string_equal(f->config.plugin.command, "aws");
	assert_int_equal(f->config.plugin.argument_count, 4);
	assert_string_equal(f->config.plugin.arguments[0], "--region");
	assert_string_equal(f->config.plugin.arguments[3], "get-token");
	assert_int_equal(f->config.plugin.variable_count, 2);
	assert_string_equal(f->config.plugin.variables[0].name, "AWS_PROFILE");
	assert_string_equal(f->config.plugin.variables[0].value, "prod");
	assert_string_equal(f->config.plugin.variables[1].value, "");
	assert_false(f->config.plugin.provides_cluster_info);
	assert_null(f->config.plugin.install_hint);
}

static void a_file_of_gke_with_a_plugin_that_asks_for_the_cluster_is_read(void **state)
{
	struct kubeconfig_fixture *f = *state;
	struct exec_cluster cluster;
	struct buffer info = BUFFER_INIT;

	/* gcloud container clusters get-credentials; the extension as Kubernetes documents it */
	kubeconfig_write(f, "apiVersion: v1\n"
			    "kind: Config\n"
			    "current-context: gke_p_z_c\n"
			    "clusters:\n"
			    "- name: gke_p_z_c\n"
			    "  cluster:\n"
			    "    certificate-authority-data: " FAKE_CERTIFICATE_DATA "\n"
			    "    server: https://34.1.2.3\n"
			    "    extensions:\n"
			    "    - name: client.authentication.k8s.io/exec\n"
			    "      extension:\n"
			    "        audience: api\n"
			    "        port: 443\n"
			    "        quoted: \"443\"\n"
			    "        on: true\n"
			    "        none: ~\n"
			    "        list: [a, 1.5, {b: c}]\n"
			    "contexts:\n"
			    "- name: gke_p_z_c\n"
			    "  context: {cluster: gke_p_z_c, user: gke_p_z_c}\n"
			    "users:\n"
			    "- name: gke_p_z_c\n"
			    "  user:\n"
			    "    exec:\n"
			    "      apiVersion: client.authentication.k8s.io/v1\n"
			    "      command: gke-gcloud-auth-plugin\n"
			    "      installHint: Install gke-gcloud-auth-plugin\n"
			    "      provideClusterInfo: true\n"
			    "      interactiveMode: Never\n");
	kubeconfig_expect_good(f);
	assert_int_equal(f->config.user, KUBECONFIG_EXEC);
	assert_string_equal(f->config.plugin.install_hint, "Install gke-gcloud-auth-plugin");
	cluster = kubeconfig_exec_cluster(&f->config);
	exec_credential_info(&f->config.plugin, &cluster, &info);
	buffer_append_char(&info, '\0');
	assert_string_equal(info.ptr,
		"{\"apiVersion\":\"client.authentication.k8s.io/v1\",\"kind\":\"ExecCredential\","
		"\"spec\":{\"cluster\":{\"server\":\"https://34.1.2.3\","
		"\"certificate-authority-data\":\"" FAKE_CERTIFICATE_DATA
		"\",\"config\":{\"audience\":\"api\",\"port\":443,\"quoted\":\"443\",\"on\":true,"
		"\"none\":null,\"list\":[\"a\",1.5,{\"b\":\"c\"}]}},\"interactive\":false}}");
	buffer_fini(&info);
}

static void a_kubeconfig_in_json_is_read(void **state)
{
	struct kubeconfig_fixture *f = *state;

	kubeconfig_write(f,
		"{\"apiVersion\": \"v1\", \"kind\": \"Config\", \"current-context\": \"c\",\n"
		" \"clusters\": [{\"name\": \"k\", \"cluster\": {\"server\": "
		"\"http://localhost:8001\"}}],\n"
		" \"contexts\": [{\"name\": \"c\", \"context\": {\"cluster\": \"k\", \"user\": "
		"\"\"}}],\n \"users\": null}\n");
	kubeconfig_expect_good(f);
	assert_string_equal(f->config.server, "http://localhost:8001");
	assert_false(f->config.https);
	assert_true(f->config.verify);
	assert_int_equal(f->config.user, KUBECONFIG_ANONYMOUS);
}

/* --- of two, which */

static void inline_data_comes_before_the_file_which_is_not_looked_at(void **state)
{
	struct kubeconfig_fixture *f = *state;

	kubeconfig_write_parts(f,
		"      certificate-authority: /nowhere/ca.crt\n"
		"      certificate-authority-data: " FAKE_CERTIFICATE_DATA "\n",
		"      client-certificate: /nowhere/client.crt\n"
		"      client-certificate-data: " FAKE_CERTIFICATE_DATA "\n"
		"      client-key: /nowhere/client.key\n"
		"      client-key-data: " FAKE_KEY_DATA "\n");
	kubeconfig_expect_good(f);
	assert_string_equal(f->config.ca.text, FAKE_CERTIFICATE);
	assert_null(f->config.ca_file);
	assert_null(f->config.key_file);
	assert_int_equal(f->config.file_count, 1);
}

static void a_token_file_comes_before_a_token(void **state)
{
	struct kubeconfig_fixture *f = *state;
	char path[TEMPORARY_PATH_SIZE];

	temporary_write(&f->files, "token", SLICE("of-the-file\n"));
	kubeconfig_write_parts(f, "", "      token: inline\n      tokenFile: ./token\n");
	kubeconfig_expect_good(f);
	assert_string_equal(f->config.secret.text, "of-the-file");
	assert_string_equal(f->config.token_file, temporary_path(&f->files, "./token", path));
}

static void a_plugin_is_run_only_for_who_has_nothing_else(void **state)
{
	struct kubeconfig_fixture *f = *state;

	kubeconfig_write_parts(f, "",
		"      exec: {apiVersion: client.authentication.k8s.io/v1, command: plugin}\n"
		"      token: abc\n");
	kubeconfig_expect_good(f);
	assert_int_equal(f->config.user, KUBECONFIG_BEARER);
	assert_null(f->config.plugin.command);
	kubeconfig_write_parts(f, "",
		"      exec: {apiVersion: client.authentication.k8s.io/v1, command: plugin}\n"
		"      client-certificate-data: " FAKE_CERTIFICATE_DATA "\n"
		"      client-key-data: " FAKE_KEY_DATA "\n");
	kubeconfig_expect_good(f);
	assert_int_equal(f->config.user, KUBECONFIG_ANONYMOUS);
	kubeconfig_write_parts(f, "",
		"      exec: {apiVersion: client.authentication.k8s.io/v1, command: plugin}\n");
	kubeconfig_expect_good(f);
	assert_int_equal(f->config.user, KUBECONFIG_EXEC);
}

static void a_plugin_with_a_slash_is_relative_to_the_kubeconfig(void **state)
{
	struct kubeconfig_fixture *f = *state;

	f->url.file = NULL;
	kubeconfig_write_parts(f, "",
		"      exec: {apiVersion: client.authentication.k8s.io/v1, command: /bin/sh}\n");
	kubeconfig_expect_good(f);
	assert_string_equal(f->config.plugin.command, "/bin/sh");
	kubeconfig_write_parts(f, "",
		"      exec: {apiVersion: client.authentication.k8s.io/v1, command: "
		"../../bin/sh}\n");
	kubeconfig_expect_good(f);
	assert_memory_equal(
		f->config.plugin.command, f->files.directory, strlen(f->files.directory));
}

static void a_context_is_chosen_by_name(void **state)
{
	struct kubeconfig_fixture *f = *state;
	char context[] = "two";

	kubeconfig_write(f,
		"contexts:\n"
		"- {name: one, context: {cluster: a, user: a}}\n"
		"- {name: two, context: {cluster: b, user: b}}\n"
		"current-context: one\n"
		"clusters:\n"
		"- {name: a, cluster: {server: \"https://a\", proxy-url: \"http://p\"}}\n"
		"- {name: b, cluster: {server: \"https://b\"}}\n"
		"users:\n"
		"- {name: a, user: {auth-provider: {name: gcp}}}\n"
		"- {name: b, user: {username: me, password: 'pass:word'}}\n");
	f->url.context = context;
	kubeconfig_expect_good(f); /* what the other one has does not matter */
	assert_string_equal(f->config.context, "two");
	assert_string_equal(f->config.server, "https://b");
	assert_int_equal(f->config.user, KUBECONFIG_BASIC);
	assert_string_equal(f->config.secret.text, "me:pass:word");
}

/* --- which file */

static void the_default_is_below_the_home_folder(void **state)
{
	struct kubeconfig_fixture *f = *state;
	char tilde[] = "~/.kube/config";

	temporary_write(&f->files, ".kube/config",
		SLICE("contexts: [{name: c, context: {cluster: k}}]\ncurrent-context: c\n"
		      "clusters: [{name: k, cluster: {server: \"https://home\"}}]\n"));
	f->environment.home = f->files.directory;
	kubeconfig_expect_good(f);
	assert_string_equal(f->config.server, "https://home");
	f->environment.kubeconfig = "::";
	kubeconfig_expect_good(f);
	assert_string_equal(f->config.server, "https://home");
	f->environment.kubeconfig = "/nowhere";
	f->url.file = tilde;
	kubeconfig_expect_good(f);
	assert_string_equal(f->config.server, "https://home");
}

static void the_files_of_the_environment_are_merged_the_first_one_winning(void **state)
{
	struct kubeconfig_fixture *f = *state;
	char list[3 * TEMPORARY_PATH_SIZE];

	temporary_write(&f->files, "first",
		SLICE("clusters: [{name: k, cluster: {server: \"https://first\"}}]\n"
		      "users: [{name: u, user: {tokenFile: token}}]\n"));
	temporary_write(&f->files, "second/config",
		SLICE("clusters: [{name: k, cluster: {server: \"https://second\", "
		      "tls-server-name: second}}]\n"
		      "contexts: [{name: c, context: {cluster: k, user: u}}]\n"
		      "current-context: c\n"
		      "users: [{name: u, user: {username: other}}]\n"));
	temporary_write(&f->files, "token", SLICE("abc"));
	(void)snprintf(list, sizeof(list), ":%s/first:%s/missing:%s/second/config",
		f->files.directory, f->files.directory, f->files.directory);
	f->environment.kubeconfig = list;
	kubeconfig_expect_good(f);
	assert_string_equal(f->config.server, "https://first");
	assert_null(f->config.tls_server_name);
	assert_int_equal(f->config.user, KUBECONFIG_BEARER);
	assert_string_equal(f->config.secret.text, "abc");
	assert_int_equal(f->config.file_count, 4); /* what is missing may come */
	assert_non_null(strstr(f->config.files[1], "/missing"));
}

/* --- as a credential */

static void a_user_becomes_a_credential(void **state)
{
	struct kubeconfig_fixture *f = *state;
	struct credential_key key = credential_key_make();
	struct credential *credential;

	kubeconfig_write_parts(f, "",
		"      token: e30.eyJleHAiOjEwMDB9.e30\n"
		"      client-certificate-data: " FAKE_CERTIFICATE_DATA "\n"
		"      client-key-data: " FAKE_KEY_DATA "\n");
	kubeconfig_expect_good(f);
	credential = kubeconfig_credential(&f->config, &key);
	assert_int_equal(credential_kind(credential), CREDENTIAL_BEARER);
	assert_int_equal(credential_expires_s(credential), 1000);
	assert_string_equal(credential_certificate_key(credential).ptr, FAKE_KEY);
	credential_unref(credential);
	kubeconfig_write_parts(f, "", "      {username: me, password: \"\"}\n");
	kubeconfig_expect_good(f);
	credential = kubeconfig_credential(&f->config, &key);
	assert_string_equal(credential_field_value(credential).ptr, "Basic bWU6");
	credential_unref(credential);
	kubeconfig_write_parts(f, "",
		"      client-certificate-data: " FAKE_CERTIFICATE_DATA "\n"
		"      client-key-data: " FAKE_KEY_DATA "\n");
	kubeconfig_expect_good(f);
	credential = kubeconfig_credential(&f->config, &key);
	assert_int_equal(credential_kind(credential), CREDENTIAL_CLIENT_CERTIFICATE);
	credential_unref(credential);
	kubeconfig_write_parts(f, "", "      {}\n");
	kubeconfig_expect_good(f);
	assert_null(kubeconfig_credential(&f->config, &key));
}

/* --- the URL */

static void expect_url(const char *text, const char *file, const char *context)
{
	struct kubeconfig_url url;
	struct err err = ERR_INIT;

	if (kubeconfig_url_parse(slice_str(text), &url, &err) != ERR_NONE) {
		fail_msg("%s: %s", text, err.text);
	}
	assert_true(slice_equal(slice_str(url.file), slice_str(file)));
	assert_int_equal(url.file == NULL, file == NULL);
	assert_true(slice_equal(slice_str(url.context), slice_str(context)));
	kubeconfig_url_fini(&url);
}

static void a_url_names_file_and_context(void **state)
{
	(void)state;
	expect_url("kubeconfig:", NULL, NULL);
	expect_url("kubeconfig:?context=here", NULL, "here");
	expect_url("Kubeconfig:/etc/rancher/k3s/k3s.yaml", "/etc/rancher/k3s/k3s.yaml", NULL);
	expect_url("kubeconfig:a%20b/c?context=arn:aws:eks:eu:1:cluster/p", "a%20b/c",
		"arn:aws:eks:eu:1:cluster/p");
	expect_url("kubeconfig:c?context=a%20%26b%25", "c", "a &b%");
}

static void expect_bad_url(const char *text, const char *words)
{
	struct kubeconfig_url url;
	struct err err = ERR_INIT;

	assert_int_equal(kubeconfig_url_parse(slice_str(text), &url, &err), ERR_SETTINGS);
	if (strstr(err.text, words) == NULL || strstr(err.text, "would be right") == NULL) {
		fail_msg("not said: %s\nbut: %s", words, err.text);
	}
	kubeconfig_url_fini(&url);
}

static void what_is_no_url_of_a_kubeconfig_is_refused(void **state)
{
	(void)state;
	expect_bad_url("http://a", "it is no kubeconfig; ");
	expect_bad_url("kubeconfig", "it is no kubeconfig; ");
	expect_bad_url("", "it is no kubeconfig; ");
	expect_bad_url("kubeconfig:a?", "the query names no context; ");
	expect_bad_url("kubeconfig:a?cluster=b", "the query names no context; ");
	expect_bad_url("kubeconfig:a?context=", "the context's name is empty; ");
	expect_bad_url("kubeconfig:a?context=b&c=d", "the query goes on behind the context (%26");
	expect_bad_url("kubeconfig:a?context=100%", "begins no escape; %25");
	expect_bad_url("kubeconfig:a?context=%zz", "begins no escape; %25");
	expect_bad_url("kubeconfig:a?context=%0a", "begins no escape; %25");
	expect_bad_url("kubeconfig:a\nb", "holds a control character; ");
	assert_true(kubeconfig_url_is(SLICE("kubeconfig:")));
	assert_false(kubeconfig_url_is(SLICE("unix:/kubeconfig:")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, kubeconfig_setup, kubeconfig_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_of_kubectl_with_a_token_is_read),
		TEST(a_file_of_k3s_with_its_data_inline_is_read),
		TEST(a_file_of_minikube_with_files_and_extensions_is_read),
		TEST(a_file_of_eks_with_a_plugin_is_read),
		TEST(a_file_of_gke_with_a_plugin_that_asks_for_the_cluster_is_read),
		TEST(a_kubeconfig_in_json_is_read),
		TEST(inline_data_comes_before_the_file_which_is_not_looked_at),
		TEST(a_token_file_comes_before_a_token),
		TEST(a_plugin_is_run_only_for_who_has_nothing_else),
		TEST(a_plugin_with_a_slash_is_relative_to_the_kubeconfig),
		TEST(a_context_is_chosen_by_name),
		TEST(the_default_is_below_the_home_folder),
		TEST(the_files_of_the_environment_are_merged_the_first_one_winning),
		TEST(a_user_becomes_a_credential),
		cmocka_unit_test(a_url_names_file_and_context),
		cmocka_unit_test(what_is_no_url_of_a_kubeconfig_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
