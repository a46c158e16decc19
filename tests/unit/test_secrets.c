/*
 * What secrets are read with: base64, small files, JSON read whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "base/base64.h"
#include "base/json_read.h"
#include "base/memory.h"
#include "base/small_file.h"
#include "tests/unit/temporary.h"

/* --- base64 */

static void expect_decoded(const char *text, const char *bytes)
{
	struct secret out;

	if (!base64_decode(slice_str(text), &out)) {
		fail_msg("not read: %s", text);
	}
	assert_string_equal(out.text, bytes);
	assert_int_equal(out.len, strlen(bytes));
	secret_fini(&out);
}

static void the_vectors_of_rfc_4648_are_read_and_written(void **state)
{
	static const char *const vectors[][2] = {{"", ""}, {"Zg==", "f"}, {"Zm8=", "fo"},
		{"Zm9v", "foo"}, {"Zm9vYg==", "foob"}, {"Zm9vYmE=", "fooba"},
		{"Zm9vYmFy", "foobar"}};

	(void)state;
	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct secret out;

		expect_decoded(vectors[i][0], vectors[i][1]);
		base64_encode(slice_str(vectors[i][1]), &out);
		assert_string_equal(out.text, vectors[i][0]);
		secret_fini(&out);
	}
}

static void every_byte_survives_base64_of_both_alphabets(void **state)
{
	char bytes[256];
	struct secret text;
	struct secret again;

	(void)state;
	for (unsigned i = 0; i < sizeof(bytes); i++) {
		bytes[i] = (char)(unsigned char)i;
	}
	base64_encode(slice_of(bytes, sizeof(bytes)), &text);
	assert_true(base64_decode(secret_slice(&text), &again));
	assert_int_equal(again.len, sizeof(bytes));
	assert_memory_equal(again.text, bytes, sizeof(bytes));
	secret_fini(&again);
	for (size_t i = 0; i < text.len; i++) {
		text.text[i] = text.text[i] == '+' ? '-' : text.text[i] == '/' ? '_' : text.text[i];
	}
	text.len -= 2; /* the padding */
	assert_false(base64_decode(secret_slice(&text), &again));
	assert_true(base64url_decode(secret_slice(&text), &again));
	assert_memory_equal(again.text, bytes, sizeof(bytes));
	secret_fini(&again);
	secret_fini(&text);
}

static void line_breaks_within_base64_are_passed_over(void **state)
{
	(void)state;
	expect_decoded("Zm9v\nYm\r\nFy\n", "foobar");
	expect_decoded("Zm9vYg=\n=\n", "foob");
}

static void what_is_no_base64_is_not_read(void **state)
{
	static const char *const wrong[] = {"Z", "Zg", "Zg=", "Zg===", "Zm9v=", "Zm9v Zm9v", "Zm-_",
		"Zg==Zg==", "Zg==x", "=", "Zm9vZ", "Zm9v\xc3\xa9"};
	struct secret out;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (base64_decode(slice_str(wrong[i]), &out)) {
			fail_msg("read: %s", wrong[i]);
		}
	}
	assert_false(base64url_decode(SLICE("Zg=="), &out));
	assert_false(base64url_decode(SLICE("Zm9v\n"), &out));
	assert_false(base64url_decode(SLICE("Zm9+"), &out));
	assert_false(base64url_decode(SLICE("Z"), &out));
	assert_true(base64url_decode(slice_of(NULL, 0), &out));
	secret_fini(&out);
}

/* --- files */

static void expect_unread(const char *path, size_t max, const char *words)
{
	struct secret out;
	struct err err = ERR_INIT;

	assert_int_equal(small_file_read(path, max, &out, &err), ERR_SETTINGS);
	if (strstr(err.text, words) == NULL) {
		fail_msg("not said: %s\nbut: %s", words, err.text);
	}
}

static void a_file_is_read_up_to_its_bound_and_not_a_byte_further(void **state)
{
	struct temporary files;
	char path[TEMPORARY_PATH_SIZE];
	struct secret out;

	(void)state;
	temporary_init(&files);
	temporary_write(&files, "file", SLICE("12345\n789"));
	(void)temporary_path(&files, "file", path);
	assert_int_equal(small_file_read(path, 9, &out, NULL), 0);
	assert_string_equal(out.text, "12345\n789");
	assert_int_equal(out.len, 9);
	secret_fini(&out);
	expect_unread(path, 8, "/file has more than 8 bytes");
	temporary_write(&files, "file", SLICE(""));
	assert_int_equal(small_file_read(path, 9, &out, NULL), 0);
	assert_int_equal(out.len, 0);
	secret_fini(&out);
	temporary_fini(&files);
}

static void what_is_no_file_is_refused_and_never_waited_for(void **state)
{
	struct temporary files;
	char path[TEMPORARY_PATH_SIZE];

	(void)state;
	temporary_init(&files);
	expect_unread(files.directory, 9, " is a directory and no file");
	temporary_write(&files, "pipe", SLICE(""));
	(void)temporary_path(&files, "pipe", path);
	assert_true(remove(path) == 0 && mkfifo(path, 0600) == 0);
	expect_unread(path, 9, "/pipe is a pipe or a socket and no file");
	expect_unread("/dev/null", 9, "/dev/null is a device and no file");
	expect_unread("/nowhere/file", 9, "/nowhere/file cannot be read: No such file");
	temporary_fini(&files);
}

static void of_a_long_path_the_end_is_named(void **state)
{
	char path[300];
	char name[SMALL_FILE_NAME_SIZE];

	(void)state;
	memset(path, 'x', sizeof(path));
	memcpy(path + sizeof(path) - 6, "/a\nb", 5);
	(void)small_file_name(path, name);
	assert_int_equal(strlen(name), SMALL_FILE_NAME_SIZE - 1);
	assert_memory_equal(name, "...xxx", 6);
	assert_string_equal(name + strlen(name) - 4, "/a?b");
	assert_string_equal(small_file_name("short", name), "short");
}

/* --- JSON */

static void a_json_object_is_read(void **state)
{
	json_t *object = json_read_object(SLICE("{\"a\": \"b\", \"c\": 1}"), 64, NULL);
	struct slice text = SLICE("as before");

	(void)state;
	assert_non_null(object);
	assert_false(json_read_string(object, "c", &text));
	assert_false(json_read_string(object, "d", &text));
	assert_string_equal(text.ptr, "as before");
	assert_true(json_read_string(object, "a", &text));
	assert_string_equal(text.ptr, "b");
	json_decref(object);
}

static void expect_no_object(const char *text, const char *words)
{
	struct err err = ERR_INIT;

	assert_null(json_read_object(slice_str(text), 64, &err));
	assert_int_equal(err.code, ERR_SETTINGS);
	if (strstr(err.text, words) == NULL || strstr(err.text, "secret") != NULL) {
		fail_msg("not said: %s\nbut: %s", words, err.text);
	}
}

static void what_is_no_json_object_is_refused_without_a_word_of_it(void **state)
{
	(void)state;
	expect_no_object("", "it is no JSON (line 1)");
	expect_no_object("\"secret\"", "it is no JSON (line 1)");
	expect_no_object("{\"a\":\n\"secret", "it is no JSON (line 2)");
	expect_no_object("{\"a\": secret}", "it is no JSON (line 1)");
	expect_no_object("{} secret", "it is no JSON");
	expect_no_object("{\"a\": 1, \"a\": 2}", "it is no JSON");
	expect_no_object("{\"a\": \"\\u0000\"}", "it is no JSON");
	expect_no_object("[\"secret\"]", "it is a list and no JSON object");
	expect_no_object("{                                                                 }",
		"it has more than 64 bytes");
}

static void wiped_memory_is_zero(void **state)
{
	char text[] = "the secret";

	(void)state;
	mem_wipe(text, sizeof(text));
	for (size_t i = 0; i < sizeof(text); i++) {
		assert_int_equal(text[i], 0);
	}
	mem_wipe(NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vectors_of_rfc_4648_are_read_and_written),
		cmocka_unit_test(every_byte_survives_base64_of_both_alphabets),
		cmocka_unit_test(line_breaks_within_base64_are_passed_over),
		cmocka_unit_test(what_is_no_base64_is_not_read),
		cmocka_unit_test(a_file_is_read_up_to_its_bound_and_not_a_byte_further),
		cmocka_unit_test(what_is_no_file_is_refused_and_never_waited_for),
		cmocka_unit_test(of_a_long_path_the_end_is_named),
		cmocka_unit_test(a_json_object_is_read),
		cmocka_unit_test(what_is_no_json_object_is_refused_without_a_word_of_it),
		cmocka_unit_test(wiped_memory_is_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
