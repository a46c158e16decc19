/*
 * What an exec plugin is told, and what it answers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "base/buffer.h"
#include "base/memory.h"
#include "pool/exec_credential.h"

#define V1 "client.authentication.k8s.io/v1"
#define V1BETA1 "client.authentication.k8s.io/v1beta1"
#define CERTIFICATE "-----BEGIN CERTIFICATE-----\\nMIIB\\n-----END CERTIFICATE-----\\n"
#define PRIVATE_KEY "-----BEGIN RSA PRIVATE KEY-----\\ns3cr3t\\n-----END RSA PRIVATE KEY-----\\n"

/* --- what it is told */

static struct exec_plugin plugin_of(const char *api_version)
{
	return (struct exec_plugin){
		.api_version = mem_strdup(api_version), .command = mem_strdup("get-token")};
}

static void expect_info(
	const struct exec_plugin *plugin, const struct exec_cluster *cluster, const char *expected)
{
	struct buffer info = BUFFER_INIT;

	exec_credential_info(plugin, cluster, &info);
	buffer_append_char(&info, '\0');
	assert_string_equal(info.ptr, expected);
	buffer_fini(&info);
}

static void a_plugin_is_told_version_and_that_nobody_sits_before_it(void **state)
{
	struct exec_plugin plugin = plugin_of(V1BETA1);

	(void)state;
	expect_info(&plugin, NULL,
		"{\"apiVersion\":\"" V1BETA1
		"\",\"kind\":\"ExecCredential\",\"spec\":{\"interactive\":false}}");
	exec_plugin_fini(&plugin);
}

static void a_plugin_that_asks_is_told_of_the_cluster(void **state)
{
	struct exec_plugin plugin = plugin_of(V1);
	struct exec_cluster cluster = {.server = "https://api:6443", .verify = true};

	(void)state;
	plugin.provides_cluster_info = true;
	expect_info(&plugin, &cluster,
		"{\"apiVersion\":\"" V1
		"\",\"kind\":\"ExecCredential\",\"spec\":{\"cluster\":{\"server\":"
		"\"https://api:6443\"},\"interactive\":false}}");
	cluster = (struct exec_cluster){.server = "https://api:6443",
		.tls_server_name = "kubernetes",
		.verify = false,
		.ca = SLICE("PEM")};
	plugin.cluster_config = json_pack("{s:s, s:i}", "audience", "api", "n", 5);
	expect_info(&plugin, &cluster,
		"{\"apiVersion\":\"" V1
		"\",\"kind\":\"ExecCredential\",\"spec\":{\"cluster\":{\"server\":"
		"\"https://api:6443\",\"tls-server-name\":\"kubernetes\","
		"\"insecure-skip-tls-verify\":true,\"certificate-authority-data\":\"UEVN\","
		"\"config\":{\"audience\":\"api\",\"n\":5}},\"interactive\":false}}");
	exec_plugin_fini(&plugin);
}

static void add_variable(struct exec_plugin *plugin, const char *name, const char *value)
{
	plugin->variables = mem_realloc(
		plugin->variables, (plugin->variable_count + 1) * sizeof(*plugin->variables));
	plugin->variables[plugin->variable_count++] =
		(struct exec_variable){.name = mem_strdup(name), .value = mem_strdup(value)};
}

static void expect_strings(char *const *strings, const char *const *expected)
{
	size_t i = 0;

	for (; expected[i] != NULL; i++) {
		assert_non_null(strings[i]);
		assert_string_equal(strings[i], expected[i]);
	}
	assert_null(strings[i]);
}

static void a_plugins_variables_take_the_place_of_inherited_ones(void **state)
{
	char path[] = "PATH=/bin";
	char profile[] = "AWS_PROFILE=mine";
	char longer[] = "AWS_PROFILES=others";
	char info[] = "KUBERNETES_EXEC_INFO=an older one";
	char *inherited[] = {path, profile, longer, info, NULL};
	static const char *const expected[] = {"PATH=/bin", "AWS_PROFILES=others",
		"EMPTY=", "AWS_PROFILE=second", "KUBERNETES_EXEC_INFO={}", NULL};
	struct exec_plugin plugin = plugin_of(V1);
	char **environment;

	(void)state;
	add_variable(&plugin, "AWS_PROFILE", "first");
	add_variable(&plugin, "EMPTY", "");
	add_variable(&plugin, "AWS_PROFILE", "second");
	environment = exec_credential_environment(&plugin, SLICE("{}"), inherited);
	expect_strings(environment, expected);
	exec_strings_destroy(environment);
	exec_plugin_fini(&plugin);
}

static void a_plugin_does_not_inherit_our_own_settings(void **state)
{
	char token[] = "SIGHTGLASS_INSPECTOR_TOKEN=s3cr3t";
	char *inherited[] = {token, NULL};
	static const char *const expected[] = {"KUBERNETES_EXEC_INFO={}", NULL};
	struct exec_plugin plugin = plugin_of(V1);
	char **environment = exec_credential_environment(&plugin, SLICE("{}"), inherited);

	(void)state;
	expect_strings(environment, expected);
	exec_strings_destroy(environment);
	exec_strings_destroy(NULL);
	exec_plugin_fini(&plugin);
}

static void a_plugin_is_run_with_its_arguments(void **state)
{
	static const char *const expected[] = {"get-token", "--cluster", "a b", NULL};
	struct exec_plugin plugin = plugin_of(V1);
	char **arguments;

	(void)state;
	plugin.arguments = mem_alloc_array(2, sizeof(*plugin.arguments));
	plugin.arguments[plugin.argument_count++] = mem_strdup("--cluster");
	plugin.arguments[plugin.argument_count++] = mem_strdup("a b");
	arguments = exec_credential_arguments(&plugin);
	expect_strings(arguments, expected);
	exec_strings_destroy(arguments);
	exec_plugin_fini(&plugin);
}

/* --- what it answers */

#define ANSWER(status)                                                                             \
	"{\"apiVersion\": \"" V1 "\", \"kind\": \"ExecCredential\", \"status\": " status "}\n"

static struct exec_credential read_good(const char *api_version, const char *output)
{
	struct exec_credential credential;
	struct err err = ERR_INIT;

	if (exec_credential_parse(slice_str(output), api_version, &credential, &err) != ERR_NONE) {
		fail_msg("%s", err.text);
	}
	return credential;
}

static void expect_refused(const char *output, const char *words)
{
	struct exec_credential credential;
	struct err err = ERR_INIT;

	assert_int_equal(
		exec_credential_parse(slice_str(output), V1, &credential, &err), ERR_SETTINGS);
	assert_null(credential.token.text);
	assert_null(credential.key.text);
	if (strstr(err.text, words) == NULL || strstr(err.text, "would be right") == NULL ||
		strstr(err.text, "s3cr3t") != NULL) {
		fail_msg("not said: %s\nbut: %s", words, err.text);
	}
	/* nor does it need somebody who listens */
	assert_int_equal(
		exec_credential_parse(slice_str(output), V1, &credential, NULL), ERR_SETTINGS);
}

static void a_token_and_its_end_are_read(void **state)
{
	/* as `aws eks get-token` writes it */
	struct exec_credential credential = read_good(V1BETA1,
		"{\"kind\": \"ExecCredential\", \"apiVersion\": \"" V1BETA1
		"\", \"spec\": {}, \"status\": {\"expirationTimestamp\": "
		"\"2026-03-12T10:42:25Z\", \"token\": \"k8s-aws-v1.aHR0cHM6\"}}");

	(void)state;
	assert_string_equal(credential.token.text, "k8s-aws-v1.aHR0cHM6");
	assert_int_equal(credential.expires_s, 1773312145);
	assert_null(credential.certificate.text);
	exec_credential_fini(&credential);
	assert_null(credential.token.text);
	exec_credential_fini(&credential);
}

static void a_certificate_and_its_key_are_read(void **state)
{
	struct exec_credential credential =
		read_good(V1, ANSWER("{\"clientCertificateData\": \"" CERTIFICATE
				     "\", \"clientKeyData\": \"" PRIVATE_KEY
				     "\", \"token\": \"\", \"expirationTimestamp\": null}"));

	(void)state;
	assert_null(credential.token.text);
	assert_non_null(strstr(credential.certificate.text, "MIIB\n"));
	assert_non_null(strstr(credential.key.text, "s3cr3t\n"));
	assert_int_equal(credential.expires_s, 0);
	exec_credential_fini(&credential);
}

static void an_end_before_the_epoch_is_past_and_not_unknown(void **state)
{
	struct exec_credential credential = read_good(V1,
		ANSWER("{\"token\": \"a\", \"expirationTimestamp\": \"0001-01-01T00:00:00Z\"}"));

	(void)state;
	assert_int_equal(credential.expires_s, 1);
	exec_credential_fini(&credential);
}

static void what_is_no_exec_credential_is_refused(void **state)
{
	(void)state;
	expect_refused("", "it is no JSON (line 1); an ExecCredential of " V1);
	expect_refused("error: s3cr3t\n", "it is no JSON (line 1); an ExecCredential of " V1);
	expect_refused("[\"s3cr3t\"]", "it is a list and no JSON object; ");
	expect_refused("{}", "kind: it is another; ExecCredential");
	expect_refused("{\"kind\": \"s3cr3t\"}", "kind: it is another; ExecCredential");
	expect_refused("{\"kind\": 5}", "kind: it is another; ExecCredential");
}

static void another_version_than_the_one_asked_for_is_refused(void **state)
{
	(void)state;
	expect_refused("{\"kind\": \"ExecCredential\"}", "apiVersion: it is another; " V1);
	expect_refused("{\"kind\": \"ExecCredential\", \"apiVersion\": \"s3cr3t\"}",
		"apiVersion: it is another; " V1);
	expect_refused("{\"kind\": \"ExecCredential\", \"apiVersion\": \"" V1BETA1 "\"}",
		"apiVersion: it is " V1BETA1 "; " V1 ", as the kubeconfig asks for");
}

static void an_answer_without_a_credential_is_refused(void **state)
{
	(void)state;
	expect_refused("{\"kind\": \"ExecCredential\", \"apiVersion\": \"" V1 "\"}",
		"status: it is missing; ");
	expect_refused(ANSWER("null"), "status: it is missing; ");
	expect_refused(ANSWER("[]"), "status: it is missing; ");
	expect_refused(ANSWER("{}"), "status: it holds no credential; ");
	expect_refused(ANSWER("{\"token\": \"\"}"), "status: it holds no credential; ");
}

static void a_token_that_cannot_be_sent_is_refused_without_a_word_of_it(void **state)
{
	(void)state;
	expect_refused(ANSWER("{\"token\": 5}"), "status.token: it is no text; ");
	expect_refused(ANSWER("{\"token\": \"s3cr3t\\r\\nX: 1\"}"),
		"status.token: it has more than one line; ");
	expect_refused(ANSWER("{\"token\": \"s3cr3t \"}"), "status.token: it has a space at ");
	expect_refused(ANSWER("{\"token\": \"a s3cr3t\"}"), "status.token: it holds a space; ");
}

static void half_a_certificate_is_refused(void **state)
{
	(void)state;
	expect_refused(ANSWER("{\"clientCertificateData\": \"" CERTIFICATE "\"}"),
		"clientCertificateData and clientKeyData go together; ");
	expect_refused(ANSWER("{\"token\": \"a\", \"clientKeyData\": \"" PRIVATE_KEY "\"}"),
		"clientCertificateData and clientKeyData go together; ");
	expect_refused(ANSWER("{\"clientCertificateData\": \"s3cr3t\"}"),
		"status.clientCertificateData: it holds no certificate; ");
	expect_refused(ANSWER("{\"clientKeyData\": \"s3cr3t\"}"),
		"status.clientKeyData: it holds no private key; ");
}

static void an_end_that_is_no_date_is_refused(void **state)
{
	(void)state;
	expect_refused(ANSWER("{\"token\": \"s3cr3t\", \"expirationTimestamp\": \"tomorrow\"}"),
		"status.expirationTimestamp: it is no date of RFC 3339; ");
	expect_refused(ANSWER("{\"token\": \"s3cr3t\", \"expirationTimestamp\": 1773312145}"),
		"status.expirationTimestamp: it is no text; ");
}

static void more_than_a_mebibyte_is_not_read(void **state)
{
	struct exec_credential credential;
	struct err err = ERR_INIT;
	struct buffer output = BUFFER_INIT;

	(void)state;
	buffer_append_str(&output, ANSWER("{\"token\": \"a\"}"));
	while (output.len < EXEC_OUTPUT_MAX) {
		buffer_append_char(&output, ' ');
	}
	assert_int_equal(
		exec_credential_parse(buffer_slice(&output), V1, &credential, &err), ERR_NONE);
	exec_credential_fini(&credential);
	buffer_append_char(&output, ' ');
	assert_int_equal(
		exec_credential_parse(buffer_slice(&output), V1, &credential, &err), ERR_SETTINGS);
	assert_non_null(strstr(err.text, "it has more than 1048576 bytes; "));
	buffer_fini(&output);
}

static void two_versions_are_known(void **state)
{
	(void)state;
	assert_true(exec_version_known(SLICE(V1)));
	assert_true(exec_version_known(SLICE(V1BETA1)));
	assert_false(exec_version_known(SLICE("client.authentication.k8s.io/v1alpha1")));
	assert_false(exec_version_known(SLICE("")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plugin_is_told_version_and_that_nobody_sits_before_it),
		cmocka_unit_test(a_plugin_that_asks_is_told_of_the_cluster),
		cmocka_unit_test(a_plugins_variables_take_the_place_of_inherited_ones),
		cmocka_unit_test(a_plugin_does_not_inherit_our_own_settings),
		cmocka_unit_test(a_plugin_is_run_with_its_arguments),
		cmocka_unit_test(a_token_and_its_end_are_read),
		cmocka_unit_test(a_certificate_and_its_key_are_read),
		cmocka_unit_test(an_end_before_the_epoch_is_past_and_not_unknown),
		cmocka_unit_test(what_is_no_exec_credential_is_refused),
		cmocka_unit_test(another_version_than_the_one_asked_for_is_refused),
		cmocka_unit_test(an_answer_without_a_credential_is_refused),
		cmocka_unit_test(a_token_that_cannot_be_sent_is_refused_without_a_word_of_it),
		cmocka_unit_test(half_a_certificate_is_refused),
		cmocka_unit_test(an_end_that_is_no_date_is_refused),
		cmocka_unit_test(more_than_a_mebibyte_is_not_read),
		cmocka_unit_test(two_versions_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
