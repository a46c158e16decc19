/*
 * Tokens: read from files, and until when they say that they are good.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/buffer.h"
#include "pool/jwt_expiry.h"
#include "pool/pem.h"
#include "pool/secret_file.h"
#include "tests/unit/temporary.h"

struct fixture {
	struct temporary files;
	char path[TEMPORARY_PATH_SIZE];
};

static int setup(void **state)
{
	static struct fixture fixture;

	temporary_init(&fixture.files);
	(void)temporary_path(&fixture.files, "token", fixture.path);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	temporary_fini(&f->files);
	return 0;
}

static void expect_read(
	struct fixture *f, enum secret_shape shape, struct slice content, const char *expected)
{
	struct secret secret;
	struct err err = ERR_INIT;

	temporary_write(&f->files, "token", content);
	if (secret_file_read(f->path, shape, &secret, &err) != ERR_NONE) {
		fail_msg("%s", err.text);
	}
	assert_string_equal(secret.text, expected);
	assert_int_equal(secret.len, strlen(expected));
	secret_fini(&secret);
}

static void expect_refused(
	struct fixture *f, enum secret_shape shape, struct slice content, const char *words)
{
	struct secret secret;
	struct err err = ERR_INIT;

	temporary_write(&f->files, "token", content);
	assert_int_equal(secret_file_read(f->path, shape, &secret, &err), ERR_SETTINGS);
	if (strstr(err.text, words) == NULL || strstr(err.text, "/token") == NULL ||
		strstr(err.text, "would be right") == NULL || strstr(err.text, "s3cr3t") != NULL) {
		fail_msg("not said: %s\nbut: %s", words, err.text);
	}
}

static void a_token_is_what_stands_between_spaces_and_line_ends(void **state)
{
	struct fixture *f = *state;

	expect_read(f, SECRET_TOKEN, SLICE("abc.DEF-_~+/="), "abc.DEF-_~+/=");
	expect_read(f, SECRET_TOKEN, SLICE("abc\n"), "abc");
	expect_read(f, SECRET_TOKEN, SLICE("abc \t\r\n\n"), "abc");
	expect_read(f, SECRET_TOKEN, SLICE("\n abc\n"), "abc");
	expect_read(f, SECRET_FIELD_VALUE, SLICE("Key a\tb \xc3\xa9\n"), "Key a\tb \xc3\xa9");
}

static void a_file_without_a_token_is_refused(void **state)
{
	expect_refused(*state, SECRET_TOKEN, SLICE(""), "/token is empty; ");
	expect_refused(*state, SECRET_TOKEN, SLICE(" \n\n"), "/token is empty; ");
}

static void what_cannot_stand_in_a_field_is_refused(void **state)
{
	struct fixture *f = *state;

	expect_refused(f, SECRET_TOKEN, SLICE("s3cr3t\nX-Admin: 1"), "has more than one line; ");
	expect_refused(f, SECRET_TOKEN, SLICE("s3cr3t\rmore"), "has more than one line; ");
	expect_refused(f, SECRET_TOKEN, SLICE("s3cr3t\0more"), "holds a control character; ");
	expect_refused(f, SECRET_TOKEN, SLICE("s3cr3t\x7f"), "holds a control character; ");
	expect_refused(f, SECRET_TOKEN, SLICE("Bearer s3cr3t"), "holds a space; ");
	expect_refused(f, SECRET_TOKEN, SLICE("s3cr3t\xc3\xa9"), "outside ASCII; ");
	expect_refused(f, SECRET_FIELD_VALUE, SLICE("s3cr3t\nmore"), "has more than one line; ");
	expect_refused(f, SECRET_FIELD_VALUE, SLICE("s3cr3t\x1b"), "holds a control character; ");
}

static void a_token_has_at_most_64_kib(void **state)
{
	struct fixture *f = *state;
	struct buffer text = BUFFER_INIT;

	for (size_t i = 0; i < SECRET_FILE_MAX; i++) {
		buffer_append_char(&text, 'x');
	}
	buffer_append_char(&text, '\0');
	text.len--;
	expect_read(f, SECRET_TOKEN, buffer_slice(&text), text.ptr);
	buffer_append_char(&text, 'x');
	expect_refused(f, SECRET_TOKEN, buffer_slice(&text), "has more than 65536 bytes; ");
	buffer_fini(&text);
}

static void a_missing_file_and_a_directory_are_refused_by_name(void **state)
{
	struct fixture *f = *state;
	struct secret secret;
	struct err err = ERR_INIT;

	assert_int_equal(secret_file_read(f->path, SECRET_TOKEN, &secret, &err), ERR_SETTINGS);
	assert_non_null(strstr(err.text, "/token cannot be read: No such file or directory; a file "
					 "that holds the token alone would be right"));
	assert_int_equal(
		secret_file_read(f->files.directory, SECRET_TOKEN, &secret, &err), ERR_SETTINGS);
	assert_non_null(strstr(err.text, " is a directory and no file; "));
}

static void a_text_with_a_space_around_it_is_no_secret(void **state)
{
	struct err err = ERR_INIT;

	(void)state;
	assert_int_equal(secret_check(SLICE("a b"), SECRET_FIELD_VALUE, &err), ERR_NONE);
	assert_int_equal(secret_check(SLICE(" ab"), SECRET_FIELD_VALUE, &err), ERR_SETTINGS);
	assert_int_equal(secret_check(SLICE("ab\n"), SECRET_FIELD_VALUE, &err), ERR_SETTINGS);
	assert_string_equal(err.text,
		"has a space at its start or end; the field's value in one line would be right");
}

/* --- the end of a JWT */

/* header.PAYLOAD.signature, by base64url */
static uint64_t expiry_of(const char *payload)
{
	struct buffer token = BUFFER_INIT;
	struct secret encoded;
	uint64_t expiry;

	base64_encode(slice_str(payload), &encoded);
	buffer_append_str(&token, "eyJhbGciOiJub25lIn0.");
	for (size_t i = 0; i < encoded.len && encoded.text[i] != '='; i++) {
		char c = encoded.text[i];

		buffer_append_char(&token, (char)(c == '+' ? '-' : c == '/' ? '_' : c));
	}
	buffer_append_str(&token, ".c2ln");
	expiry = jwt_expiry(buffer_slice(&token));
	secret_fini(&encoded);
	buffer_fini(&token);
	return expiry;
}

static void a_jwt_says_when_it_ends(void **state)
{
	(void)state;
	/* RFC 7519 section 3.1's example. */
	assert_int_equal(
		jwt_expiry(SLICE("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
				 "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6L"
				 "y9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
				 "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")),
		1300819380);
	assert_int_equal(expiry_of("{\"exp\": 1773312145}"), 1773312145);
	assert_int_equal(expiry_of("{\"exp\": 1773312145.999}"), 1773312145);
	assert_int_equal(expiry_of("{\"exp\": 1.773312145e9}"), 1773312145);
}

static void an_end_in_the_far_past_or_future_stays_one(void **state)
{
	(void)state;
	assert_int_equal(expiry_of("{\"exp\": 0}"), 1);
	assert_int_equal(expiry_of("{\"exp\": -5.5}"), 1);
	assert_int_equal(expiry_of("{\"exp\": 1e300}"), UINT64_C(253402300799));
	assert_int_equal(expiry_of("{\"exp\": 9223372036854775807}"), UINT64_C(253402300799));
}

static void what_is_no_jwt_or_names_no_end_has_none(void **state)
{
	static const char *const tokens[] = {
		"", "opaque", "a.b", "..", "a.b.c.d.e", "a.!!.c", "a.e30=.c", "eyJleHAiOjV9"};
	static const char *const payloads[] = {"{}", "", "5", "[]", "{\"exp\": \"1773312145\"}",
		"{\"exp\": null}", "{\"exp\": true}", "{\"exp\": 1773312145",
		"{\"exp\": 1, \"exp\": 2}", "{\"exp\": 1e999}", "{\"exp\": 99999999999999999999}",
		"{\"a\": {\"exp\": 5}}"};

	(void)state;
	for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
		assert_int_equal(jwt_expiry(slice_str(tokens[i])), 0);
	}
	for (size_t i = 0; i < sizeof(payloads) / sizeof(payloads[0]); i++) {
		if (expiry_of(payloads[i]) != 0) {
			fail_msg("an end was read: %s", payloads[i]);
		}
	}
	assert_int_equal(jwt_expiry(slice_of(NULL, 0)), 0);
}

static void a_payload_of_more_than_16_kib_is_not_read(void **state)
{
	struct buffer text = BUFFER_INIT;

	(void)state;
	buffer_append_str(&text, "{\"exp\": 1773312145");
	while (text.len < JWT_PAYLOAD_MAX - 1) {
		buffer_append_char(&text, ' ');
	}
	buffer_append_str(&text, "}");
	buffer_append_char(&text, '\0');
	assert_int_equal(expiry_of(text.ptr), 1773312145);
	text.len -= 2;
	buffer_append_str(&text, " }");
	buffer_append_char(&text, '\0');
	assert_int_equal(expiry_of(text.ptr), 0);
	buffer_fini(&text);
}

static void pem_is_known_by_its_labels(void **state)
{
	struct slice both = SLICE("text\n-----BEGIN EC PRIVATE KEY-----\nx\n-----END EC PRIVATE "
				  "KEY-----\n-----BEGIN CERTIFICATE-----\n");

	(void)state;
	assert_true(pem_holds(both, PEM_PRIVATE_KEY));
	assert_true(pem_holds(both, PEM_CERTIFICATE));
	assert_false(pem_holds(SLICE("-----BEGIN PUBLIC KEY-----\n"), PEM_PRIVATE_KEY));
	assert_false(pem_holds(SLICE("-----BEGIN CERTIFICATE REQUEST-----\n"), PEM_CERTIFICATE));
	assert_false(pem_holds(SLICE("-----BEGIN CERTIFICATE"), PEM_CERTIFICATE));
	assert_false(pem_holds(slice_of(NULL, 0), PEM_CERTIFICATE));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_token_is_what_stands_between_spaces_and_line_ends),
		TEST(a_file_without_a_token_is_refused),
		TEST(what_cannot_stand_in_a_field_is_refused),
		TEST(a_token_has_at_most_64_kib),
		TEST(a_missing_file_and_a_directory_are_refused_by_name),
		cmocka_unit_test(a_text_with_a_space_around_it_is_no_secret),
		cmocka_unit_test(a_jwt_says_when_it_ends),
		cmocka_unit_test(an_end_in_the_far_past_or_future_stays_one),
		cmocka_unit_test(what_is_no_jwt_or_names_no_end_has_none),
		cmocka_unit_test(a_payload_of_more_than_16_kib_is_not_read),
		cmocka_unit_test(pem_is_known_by_its_labels),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
