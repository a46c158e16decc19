/*
 * YAML into a tree with line numbers, and what of YAML is refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "config/problems.h"
#include "config/yaml_file.h"

struct fixture {
	struct yaml yaml;
	struct problems problems;
};

static int setup(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	problems_init(&f->problems);
	f->problems.file = "FILE";
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	yaml_fini(&f->yaml);
	problems_fini(&f->problems);
	mem_free(f);
	return 0;
}

static const struct yaml_node *read_text(struct fixture *f, const char *text)
{
	yaml_file_parse(&f->yaml, slice_str(text), &f->problems);
	return f->yaml.root;
}

static const struct yaml_node *read_good(struct fixture *f, const char *text)
{
	const struct yaml_node *root = read_text(f, text);

	if (f->problems.error_count > 0) {
		fail_msg("%.*s", SLICE_ARGS(buffer_slice(&f->problems.errors)));
	}
	return root;
}

static void expect_problem(struct fixture *f, const char *line)
{
	buffer_append_char(&f->problems.errors, '\0');
	if (strstr(f->problems.errors.ptr, line) == NULL) {
		fail_msg("not said: %s\nbut: %s", line, f->problems.errors.ptr);
	}
	f->problems.errors.len--;
}

static const struct yaml_node *value_of(const struct yaml_node *map, const char *key)
{
	for (const struct yaml_node *node = map->first; node != NULL; node = node->next) {
		if (slice_equal(node->text, slice_str(key))) {
			return node->value;
		}
	}
	fail_msg("no key %s", key);
	return NULL;
}

static void everything_knows_its_line(void **state)
{
	const struct yaml_node *root =
		read_good(*state, "# a comment\na: 1\nb:\n  c: [x,\n    y]\n  d: {e: z}\n");
	const struct yaml_node *c = value_of(value_of(root, "b"), "c");

	assert_int_equal(root->kind, YAML_MAP);
	assert_int_equal(value_of(root, "a")->line, 2);
	assert_int_equal(c->kind, YAML_LIST);
	assert_int_equal(c->first->line, 4);
	assert_int_equal(c->first->next->line, 5);
	assert_string_equal(c->first->next->text.ptr, "y");
	assert_null(c->first->next->next);
	assert_int_equal(value_of(value_of(value_of(root, "b"), "d"), "e")->line, 6);
}

static void scalars_are_text_and_only_an_unquoted_nothing_is_null(void **state)
{
	const struct yaml_node *root =
		read_good(*state, "a: on\nb: 0x10\nc:\nd: ~\ne: null\nf: \"\"\ng: 'null'\nh: "
				  "\"\\u00e9\\n\"\ni: 1:2\n");

	assert_string_equal(value_of(root, "a")->text.ptr, "on");
	assert_string_equal(value_of(root, "b")->text.ptr, "0x10");
	assert_int_equal(value_of(root, "c")->kind, YAML_NULL);
	assert_int_equal(value_of(root, "d")->kind, YAML_NULL);
	assert_int_equal(value_of(root, "e")->kind, YAML_NULL);
	assert_int_equal(value_of(root, "f")->kind, YAML_SCALAR);
	assert_int_equal(value_of(root, "g")->kind, YAML_SCALAR);
	assert_string_equal(value_of(root, "h")->text.ptr, "\xc3\xa9\n");
	assert_string_equal(value_of(root, "i")->text.ptr, "1:2");
}

static void a_file_without_content_says_nothing(void **state)
{
	assert_int_equal(read_good(*state, "")->kind, YAML_NULL);
}

static void a_file_of_comments_says_nothing(void **state)
{
	assert_int_equal(read_good(*state, "# only\n# comments\n")->kind, YAML_NULL);
}

static void json_is_yaml_too(void **state)
{
	const struct yaml_node *root =
		read_good(*state, "{\"a\": [1, {\"b\": null}], \"c\": \"d\"}");

	assert_string_equal(value_of(root, "c")->text.ptr, "d");
	assert_int_equal(value_of(value_of(root, "a")->first->next, "b")->kind, YAML_NULL);
}

static void a_syntax_error_is_told_with_its_line(void **state)
{
	assert_null(read_text(*state, "a: 1\nb: [1, 2\nc: 3\n"));
	expect_problem(*state, "sightglass: FILE:3: not YAML: ");
}

static void a_file_that_ends_too_early_is_no_yaml(void **state)
{
	assert_null(read_text(*state, "a: \"open"));
	expect_problem(*state, "not YAML: ");
}

static void bytes_that_are_no_utf8_are_told_with_their_line(void **state)
{
	assert_null(read_text(*state, "a: 1\nb: 2\nc: \xff\xff\n"));
	expect_problem(*state, "sightglass: FILE:3: not YAML: ");
}

static void a_key_that_stands_twice_is_refused_with_both_lines(void **state)
{
	const struct yaml_node *root = read_text(*state, "a: 1\nb: 2\n'a': 3\n");

	expect_problem(
		*state, "sightglass: FILE:3: a: the key stands in line 1 already; give it once\n");
	assert_string_equal(value_of(root, "a")->text.ptr, "1");
}

static void anchors_aliases_and_tags_are_refused_each_with_its_line(void **state)
{
	struct fixture *f = *state;

	(void)read_text(f, "a: &x [1]\nb: *x\nc: !!str 5\nd: !own {}\n<<: *x\n");
	expect_problem(f, "FILE:1: anchors (&x) are not read");
	expect_problem(f, "FILE:2: aliases (*x) are not read");
	expect_problem(f, "FILE:3: tags (tag:yaml.org,2002:str) are not read");
	expect_problem(f, "FILE:4: tags (!own) are not read");
	expect_problem(f, "FILE:5: aliases (*x) are not read");
	assert_int_equal(f->problems.error_count, 5);
}

static void a_bomb_of_aliases_stays_as_large_as_it_is_written(void **state)
{
	struct fixture *f = *state;

	(void)read_text(f, "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c "
			   "[*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c,*c,*c,*c]\n");
	assert_true(f->yaml.arena.used < 16384);
	assert_true(f->problems.error_count > 0);
}

static void keys_that_are_no_names_are_refused(void **state)
{
	(void)read_text(*state, "? [a]\n: 1\n? {b: c}\n: 2\nd: 3\n");
	expect_problem(*state, "FILE:1: a key is a list");
	expect_problem(*state, "FILE:3: a key is a mapping");
}

static void a_second_document_is_refused(void **state)
{
	assert_null(read_text(*state, "a: 1\n---\nb: 2\n"));
	expect_problem(*state, "FILE:2: a second document begins here");
}

static void a_file_that_is_no_mapping_is_refused(void **state)
{
	assert_null(read_text(*state, "- a\n- b\n"));
	expect_problem(*state, "FILE:1: the file is a list; give a mapping");
}

/* "a: [[…]]", so many levels deep in all. */
static void write_nested(unsigned levels, struct buffer *out)
{
	buffer_append_str(out, "a: ");
	for (unsigned i = 1; i < levels; i++) {
		buffer_append_char(out, '[');
	}
	for (unsigned i = 1; i < levels; i++) {
		buffer_append_char(out, ']');
	}
	buffer_append_char(out, '\0');
}

static void nesting_may_be_as_deep_as_its_bound(void **state)
{
	struct buffer text = BUFFER_INIT;

	write_nested(YAML_FILE_DEPTH_MAX, &text);
	(void)read_good(*state, text.ptr);
	buffer_fini(&text);
}

static void nesting_that_is_deeper_is_refused(void **state)
{
	struct buffer text = BUFFER_INIT;

	write_nested(YAML_FILE_DEPTH_MAX + 1, &text);
	assert_null(read_text(*state, text.ptr));
	expect_problem(*state, "nested more than 16 deep");
	buffer_fini(&text);
}

static void a_mapping_has_a_bounded_number_of_keys(void **state)
{
	struct buffer text = BUFFER_INIT;

	for (unsigned i = 0; i <= YAML_FILE_KEYS_MAX; i++) {
		buffer_printf(&text, "k%u: 1\n", i);
	}
	buffer_append_char(&text, '\0');
	assert_null(read_text(*state, text.ptr));
	expect_problem(*state, "more than 200 keys");
	buffer_fini(&text);
}

static void a_nul_within_a_text_is_refused(void **state)
{
	const struct yaml_node *root = read_text(*state, "a: \"x\\0y\"\nb: 1\n");

	expect_problem(*state, "FILE:1: a text holds a NUL");
	assert_int_equal(value_of(root, "a")->kind, YAML_REFUSED);
	assert_string_equal(value_of(root, "b")->text.ptr, "1");
}

static void a_file_that_is_too_large_is_refused(void **state)
{
	struct fixture *f = *state;
	char path[] = "/tmp/sightglass-yaml-XXXXXX";
	int fd = mkstemp(path);
	FILE *file = fdopen(fd, "w");

	assert_non_null(file);
	for (unsigned i = 0; i < YAML_FILE_MAX / 1024; i++) {
		assert_int_equal(fprintf(file, "#%1022s\n", ""), 1024);
	}
	assert_int_equal(fclose(file), 0);
	f->problems.file = path;
	yaml_file_load(&f->yaml, &f->problems);
	assert_non_null(f->yaml.root); /* as large as may be */
	yaml_fini(&f->yaml);
	file = fopen(path, "a");
	assert_true(file != NULL && fputc('\n', file) == '\n' && fclose(file) == 0);
	yaml_file_load(&f->yaml, &f->problems);
	assert_int_equal(remove(path), 0);
	assert_null(f->yaml.root);
	expect_problem(f, "it has more than 4 MiB");
}

static void a_file_that_is_not_there_is_told_with_the_systems_words(void **state)
{
	struct fixture *f = *state;

	f->problems.file = "/nowhere/sightglass.yaml";
	yaml_file_load(&f->yaml, &f->problems);
	expect_problem(f, "sightglass: /nowhere/sightglass.yaml: it cannot be read: No such file "
			  "or directory");
	assert_null(f->yaml.root);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(everything_knows_its_line),
		TEST(scalars_are_text_and_only_an_unquoted_nothing_is_null),
		TEST(a_file_without_content_says_nothing),
		TEST(a_file_of_comments_says_nothing),
		TEST(json_is_yaml_too),
		TEST(a_syntax_error_is_told_with_its_line),
		TEST(a_file_that_ends_too_early_is_no_yaml),
		TEST(bytes_that_are_no_utf8_are_told_with_their_line),
		TEST(a_key_that_stands_twice_is_refused_with_both_lines),
		TEST(anchors_aliases_and_tags_are_refused_each_with_its_line),
		TEST(a_bomb_of_aliases_stays_as_large_as_it_is_written),
		TEST(keys_that_are_no_names_are_refused),
		TEST(a_second_document_is_refused),
		TEST(a_file_that_is_no_mapping_is_refused),
		TEST(nesting_may_be_as_deep_as_its_bound),
		TEST(nesting_that_is_deeper_is_refused),
		TEST(a_mapping_has_a_bounded_number_of_keys),
		TEST(a_nul_within_a_text_is_refused),
		TEST(a_file_that_is_too_large_is_refused),
		TEST(a_file_that_is_not_there_is_told_with_the_systems_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
