/*
 * What nobody may read, in fields, queries and other text. The tokens are made up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guarded.h"
#include "inspector/redact.h"

#define JWT                                                                                        \
	"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0."                        \
	"dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
#define GONE "[redacted]"

struct fixture {
	struct inspector_settings settings;
	struct redactor *redactor;
	struct buffer out;
};

static void make(struct fixture *f)
{
	redactor_destroy(f->redactor);
	f->redactor = redactor_create(&f->settings);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	make(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	redactor_destroy(f->redactor);
	buffer_fini(&f->out);
	free(f);
	return 0;
}

static void assert_out(struct fixture *f, bool hidden, const char *from, const char *wanted)
{
	char *got = malloc(f->out.len + 1);

	memcpy(got, f->out.len > 0 ? f->out.ptr : "", f->out.len);
	got[f->out.len] = '\0';
	assert_string_equal(got, wanted);
	assert_int_equal(hidden, strcmp(from, wanted) != 0);
	free(got);
}

static void expect_header(
	struct fixture *f, const char *name, const char *value, const char *wanted)
{
	bool hidden;

	buffer_clear(&f->out);
	hidden = redact_header(
		f->redactor, slice_str(name), guarded_copy(slice_str(value)), &f->out);
	assert_out(f, hidden, value, wanted);
}

static void expect_query(struct fixture *f, const char *query, const char *wanted)
{
	bool hidden;

	buffer_clear(&f->out);
	hidden = redact_query(f->redactor, guarded_copy(slice_str(query)), &f->out);
	assert_out(f, hidden, query, wanted);
}

static void expect_text(struct fixture *f, const char *text, const char *wanted)
{
	bool hidden;

	buffer_clear(&f->out);
	hidden = redact_text(f->redactor, guarded_copy(slice_str(text)), &f->out);
	assert_out(f, hidden, text, wanted);
}

/* --- fields */

static void values_of_secret_fields_are_hidden_whole(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {"Authorization", "authorization", "Proxy-Authorization",
		"Cookie", "Set-Cookie", "X-API-Key", "x-api-key", "X-Auth-Token",
		"X-Amz-Security-Token", "X-Ms-Token-Aad-Access-Token", "x-ms-token-x", "X_Api_Key"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		expect_header(f, names[i], "anything at all", GONE);
	}
}

static void other_fields_stay_as_they_are(void **state)
{
	struct fixture *f = *state;

	expect_header(f, "Accept", "text/html, */*;q=0.8", "text/html, */*;q=0.8");
	expect_header(f, "Authorization-Info", "x", "x");
	expect_header(f, "X-Ms-Tokens", "x", "x");
	expect_header(f, "X-Cookie", "x", "x");
	expect_header(f, "ETag", "\"33a64df551425fcc55e4d42a148795d9f25f89d4\"",
		"\"33a64df551425fcc55e4d42a148795d9f25f89d4\"");
	expect_header(f, "X-Empty", "", "");
}

static void a_secret_shape_is_hidden_in_any_field(void **state)
{
	struct fixture *f = *state;

	expect_header(f, "X-Forwarded-User", "user " JWT "; more", "user " GONE "; more");
}

static void urls_in_fields_lose_their_secrets(void **state)
{
	struct fixture *f = *state;

	expect_header(f, "Referer", "https://a.test/x?page=2&token=abc&y=1#frag",
		"https://a.test/x?page=2&token=" GONE "&y=1#frag");
	expect_header(f, "Location", "/done#access_token=abc&state=1",
		"/done#access_token=" GONE "&state=1");
	expect_header(f, "Location", "/done?next=%2Fx%3Ftoken%3Dabc", "/done?next=" GONE);
	expect_header(f, "Link", "<https://a.test/?sig=abc>; rel=next",
		"<https://a.test/?sig=" GONE ">; rel=next");
	expect_header(f, "Location", "/plain", "/plain");
	expect_header(f, "Location", "/plain?#", "/plain?#");
}

static void settings_add_fields_and_parameters(void **state)
{
	struct fixture *f = *state;
	static char header[] = "X-Session";
	static char prefix[] = "X-Private-*";
	static char parameter[] = "session_id";
	char *headers[] = {header, prefix};
	char *parameters[] = {parameter};

	expect_header(f, "X-Session", "s", "s");
	f->settings.redact.headers = (struct string_list){.items = headers, .count = 2};
	f->settings.redact.query = (struct string_list){.items = parameters, .count = 1};
	make(f);
	expect_header(f, "x-session", "s", GONE);
	expect_header(f, "X-Private-Thing", "s", GONE);
	expect_header(f, "X-Private", "s", "s");
	expect_header(f, "Cookie", "s", GONE);
	expect_query(f, "sessionId=1&token=2&x=3", "sessionId=" GONE "&token=" GONE "&x=3");
}

/* --- queries */

static void values_of_secret_parameters_are_hidden(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {"token", "access_token", "refresh_token", "id_token",
		"api_key", "apikey", "secret", "client_secret", "password", "passwd", "pwd",
		"private_key", "sig", "signature", "TOKEN", "Access_Token", "accessToken",
		"api-key", "%74oken", "tok%65n", "user[password]", "user%5Bpassword%5D", "token[]",
		"user.password", "+token"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char query[128];
		char wanted[128];

		snprintf(query, sizeof(query), "a=1&%s=hunter2&b=2", names[i]);
		snprintf(wanted, sizeof(wanted), "a=1&%s=" GONE "&b=2", names[i]);
		expect_query(f, query, wanted);
	}
}

static void other_parameters_stay_byte_for_byte(void **state)
{
	struct fixture *f = *state;
	static const char *const queries[] = {"", "a", "a=", "=a", "a=1&&b=2&", "page=2&tokens=3",
		"mytoken=1", "token", "token=", "x=%zz%4", "q=a+b%20c", "design=1", "a;b=1",
		"passwordless=yes", "%00=1"};

	for (size_t i = 0; i < sizeof(queries) / sizeof(queries[0]); i++) {
		expect_query(f, queries[i], queries[i]);
	}
}

static void a_value_with_separators_of_others_is_hidden_to_its_end(void **state)
{
	struct fixture *f = *state;

	expect_query(f, "token=abc;def=x?y&z=1", "token=" GONE "&z=1");
	expect_query(f, "a=1;token=abc", "a=1;token=" GONE);
	expect_query(f, "a;token=abc&b=1", "a;token=" GONE "&b=1");
	expect_query(f, "next=/x?token=abc", "next=/x?token=" GONE);
	expect_query(f, "token=a=b", "token=" GONE);
}

static void secrets_under_an_encoding_hide_their_value_whole(void **state)
{
	struct fixture *f = *state;

	expect_query(
		f, "url=https%3A%2F%2Fa.test%2F%3Fx%3D1%26token%3Dabc&b=1", "url=" GONE "&b=1");
	expect_query(f, "url=%252Fx%253Ftoken%253Dabc", "url=" GONE); /* encoded twice */
	expect_query(f, "key=-----BEGIN+PRIVATE+KEY-----%0AMIIE", "key=" GONE);
	expect_query(f, "x=eyJhbGciOiJIUzI1NiJ9%2EeyJzdWIiOiIxMjM0NTY3ODkwIn0%2Eabc", "x=" GONE);
	expect_query(f, "x=" JWT "&y=1", "x=" GONE "&y=1");
	expect_query(f, JWT, GONE);
}

/* --- shapes */

static void what_is_shaped_like_a_token_is_hidden_wherever_it_stands(void **state)
{
	struct fixture *f = *state;
	static const char *const tokens[] = {
		JWT,
		"eyJhbGciOiJub25lIn0.eyJzdWIiOiIxMjM0NTY3ODkwIn0.",
		"eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..c2l4dGVlbmJ5dGVzaXY.Y2lwaGVydGV4dA.dGFn",
		"ewogICJhbGciOiAiSFMyNTYiCn0.eyJzdWIiOiIxIn0.c2ln", /* written with line breaks */
		"eyAiYWxnIjogIkhTMjU2IiB9.eyJzdWIiOiIxIn0.c2ln",    /* and with spaces */
		"-----BEGIN PRIVATE KEY-----\nMIIEvQ==\n-----END PRIVATE KEY-----",
		"-----BEGIN RSA PRIVATE KEY-----\\nMIIEvQ==\\n-----END RSA PRIVATE KEY-----",
		"-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----",
		"-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIE\n-----END ENCRYPTED PRIVATE KEY-----",
		"-----BEGIN PGP PRIVATE KEY BLOCK-----\nlQOY\n-----END PGP PRIVATE KEY BLOCK-----",
		"AKIAIOSFODNN7EXAMPLE",
		"ASIAIOSFODNN7EXAMPLE",
		"ghp_"
		"16C7e42F292c6912E7710c838347Ae178B4a",
		"gho_"
		"16C7e42F292c6912E7710c838347Ae178B4a",
		"ghs_"
		"16C7e42F292c6912E7710c838347Ae178B4a",
		"github_pat_"
		"11ABCDEFG0abcdefghijkl_mnopqrstuvwxyz0123456789",
		"xoxb-"
		"123456789012-1234567890123-abcdefghijklmnop",
		"xoxp-"
		"123456789012-123456789012",
		"xapp-"
		"1-A0123456789-1234567890123-abcdef",
		"hooks.slack.com/"
		"services/T00000000/B00000000/XXXXXXXXXXXXXXXX",
	};

	for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
		char text[512];

		expect_text(f, tokens[i], GONE);
		snprintf(text, sizeof(text), "{\"key\": \"%s\", \"more\": 1}", tokens[i]);
		expect_text(f, text, "{\"key\": \"" GONE "\", \"more\": 1}");
		snprintf(text, sizeof(text), "%%20%s %s", tokens[i], tokens[i]);
		expect_text(f, text, "%20" GONE " " GONE);
	}
}

static void a_secret_access_key_is_known_by_its_name(void **state)
{
	struct fixture *f = *state;

#define KEY "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
	expect_text(f, "aws_secret_access_key = " KEY "\nx", "aws_secret_access_key = " GONE "\nx");
	expect_text(f, "\"SecretAccessKey\":\"" KEY "\"", "\"SecretAccessKey\":\"" GONE "\"");
	expect_text(f, "<SecretAccessKey>" KEY "</S", "<SecretAccessKey>" GONE "</S");
	expect_text(f, "secretaccesskey", "secretaccesskey");
	expect_text(f, "the secret access " KEY, "the secret access " KEY);
#undef KEY
}

static void what_only_looks_a_little_like_one_stays(void **state)
{
	struct fixture *f = *state;
	static const char *const texts[] = {"", "eyJ", "eyJhbGciOiJIUzI1NiJ9",
		"eyJhbGciOiJIUzI1NiJ9.", "eyJhb.eyJzd.x", "ewok-service.monitoring-stack.svc.test",
		"example.test/eyeJ.html",
		"-----BEGIN CERTIFICATE-----\nMIIE\n-----END CERTIFICATE-----",
		"-----BEGIN PUBLIC KEY-----", "-----BEGIN", "AKIA", "AKIAshort", "ASIAN MARKETS",
		"ghp_short", "ghx_16C7e42F292c6912E7710c838347Ae178B4a", "xox", "xoxb-", "xoxb-123",
		"hooks.slack.com/", "/api/v1/things/0189f7ea-ae1c-7e4b-8b6a-3b0f4c2d1e00",
		"sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		expect_text(f, texts[i], texts[i]);
	}
}

static void a_token_that_was_cut_off_is_hidden_too(void **state)
{
	struct fixture *f = *state;

	expect_text(f, "x eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMj", "x " GONE);
	expect_text(f, "x -----BEGIN PRIVATE KEY-----\nMIIEvQIBADAN", "x " GONE);
	expect_text(f, "-----BEGIN PRIVATE KEY-----\nMIIEvQ\n-----END PRIV", GONE);
}

/* A run of beginnings that never become tokens: found out in one pass, not in one for each of them.
 */
static void a_long_text_full_of_beginnings_takes_linear_time(void **state)
{
	struct fixture *f = *state;
	static const char *const beginnings[] = {"eyJ", "ewo", "eyJ.", "-----BEGIN ", "AKIA",
		"ghp_", "xoxb-", "secret_access_key", "s_", "?", "&token", ";", "?token=", "%25",
		"hooks.slack.com/"};

	for (size_t i = 0; i < sizeof(beginnings) / sizeof(beginnings[0]); i++) {
		struct buffer text = BUFFER_INIT;

		while (text.len < 256 * 1024) {
			buffer_append_str(&text, beginnings[i]);
		}
		buffer_clear(&f->out);
		(void)redact_text(f->redactor, buffer_slice(&text), &f->out);
		buffer_clear(&f->out);
		(void)redact_query(f->redactor, buffer_slice(&text), &f->out);
		buffer_fini(&text);
	}
}

/* --- tags */

static void tags_make_equal_secrets_look_equal(void **state)
{
	struct fixture *f = *state;
	char first[32];
	char other[32];

	f->settings.redact.mode = REDACT_TAG;
	make(f);
	redact_header(f->redactor, SLICE("Cookie"), SLICE("one"), &f->out);
	assert_int_equal(f->out.len, strlen("[redacted:1f3a9c]"));
	memcpy(first, f->out.ptr, f->out.len);
	first[f->out.len] = '\0';
	assert_memory_equal(first, "[redacted:", 10);
	assert_int_equal(strspn(first + 10, "0123456789abcdef"), 6);
	assert_int_equal(first[16], ']');

	buffer_clear(&f->out);
	redact_query(f->redactor, SLICE("token=one"), &f->out);
	assert_memory_equal(f->out.ptr + 6, first, 17);

	buffer_clear(&f->out);
	redact_header(f->redactor, SLICE("Cookie"), SLICE("two"), &f->out);
	memcpy(other, f->out.ptr, f->out.len);
	assert_memory_not_equal(other, first, 17);
}

static void tags_are_made_anew_at_each_start(void **state)
{
	struct fixture *f = *state;
	char first[17 * 4];

	/* four values: that all four tags are the same by chance, is one in 2^96 */
	for (unsigned start = 0; start < 2; start++) {
		f->settings.redact.mode = REDACT_TAG;
		make(f);
		buffer_clear(&f->out);
		redact_value(f->redactor, SLICE("a"), &f->out);
		redact_value(f->redactor, SLICE("b"), &f->out);
		redact_value(f->redactor, SLICE("c"), &f->out);
		redact_value(f->redactor, SLICE(""), &f->out);
		assert_int_equal(f->out.len, sizeof(first));
		if (start == 0) {
			memcpy(first, f->out.ptr, sizeof(first));
		}
	}
	assert_memory_not_equal(first, f->out.ptr, sizeof(first));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(values_of_secret_fields_are_hidden_whole),
		TEST(other_fields_stay_as_they_are),
		TEST(a_secret_shape_is_hidden_in_any_field),
		TEST(urls_in_fields_lose_their_secrets),
		TEST(settings_add_fields_and_parameters),
		TEST(values_of_secret_parameters_are_hidden),
		TEST(other_parameters_stay_byte_for_byte),
		TEST(a_value_with_separators_of_others_is_hidden_to_its_end),
		TEST(secrets_under_an_encoding_hide_their_value_whole),
		TEST(what_is_shaped_like_a_token_is_hidden_wherever_it_stands),
		TEST(a_secret_access_key_is_known_by_its_name),
		TEST(what_only_looks_a_little_like_one_stays),
		TEST(a_token_that_was_cut_off_is_hidden_too),
		TEST(a_long_text_full_of_beginnings_takes_linear_time),
		TEST(tags_make_equal_secrets_look_equal),
		TEST(tags_are_made_anew_at_each_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
