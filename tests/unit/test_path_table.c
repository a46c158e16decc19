/*
 * Numbers of kinds of calls: what has one of its own, what shares one, and the bound.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>

#include "base/memory.h"
#include "http/head.h"
#include "inspector/path_table.h"

enum {
	ROUTES = 3,
	WORKERS = 2,
};

struct fixture {
	struct path_table *table;
	struct path_cache caches[WORKERS];
};

static int setup(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	f->table = path_table_create(ROUTES);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	path_table_destroy(f->table);
	mem_free(f);
	return 0;
}

static unsigned find(struct fixture *f, uint32_t route, enum method method, const char *path)
{
	return path_table_find(f->table, &f->caches[0], route, method, slice_str(path));
}

static unsigned find_made_up(struct fixture *f, uint32_t route, enum method method, unsigned i)
{
	char path[32];

	(void)snprintf(path, sizeof(path), "/made-up-%c%c%c", 'a' + i % 26, 'a' + i / 26 % 26,
		'a' + i / 676 % 26);
	return find(f, route, method, path);
}

static void expect_path(struct fixture *f, unsigned number, const char *path)
{
	const struct path_name *name = path_table_name(f->table, number);

	assert_true(slice_equal(path_name_path(name), slice_str(path)));
}

static void paths_that_fold_alike_have_one_number_and_others_their_own(void **state)
{
	struct fixture *f = *state;
	unsigned jobs = find(f, 1, METHOD_GET, "/api/jobs/1");

	assert_int_not_equal(jobs, PATH_OTHER);
	assert_int_equal(find(f, 1, METHOD_GET, "/api/jobs/2"), jobs);
	assert_int_equal(find(f, 1, METHOD_GET, "/api/jobs/1"), jobs);
	assert_int_not_equal(find(f, 1, METHOD_POST, "/api/jobs/1"), jobs);
	assert_int_not_equal(find(f, 2, METHOD_GET, "/api/jobs/1"), jobs);
	assert_int_not_equal(find(f, 1, METHOD_GET, "/api/jobs"), jobs);
	expect_path(f, jobs, "/api/jobs/{id}");
	assert_int_equal(path_table_name(f->table, jobs)->route, 1);
	assert_int_equal(path_table_name(f->table, jobs)->method, METHOD_GET);
	expect_path(f, find(f, 0, METHOD_OTHER, ""), "");
}

static void equal_paths_of_two_routes_have_one_path_hash(void **state)
{
	struct fixture *f = *state;
	const struct path_name *a = path_table_name(f->table, find(f, 1, METHOD_GET, "/x/1"));
	const struct path_name *b = path_table_name(f->table, find(f, 2, METHOD_PUT, "/x/2"));
	const struct path_name *c = path_table_name(f->table, find(f, 2, METHOD_PUT, "/y/2"));

	assert_true(a->path_hash == b->path_hash && a->hash != b->hash);
	assert_true(b->path_hash != c->path_hash);
}

static void made_up_paths_of_one_route_leave_room_for_the_others(void **state)
{
	struct fixture *f = *state;
	unsigned own = 0;
	unsigned other = 0;

	for (unsigned i = 0; i < 5000; i++) {
		unsigned number = find_made_up(f, ROUTES + 1, METHOD_GET, i);

		if (path_table_name(f->table, number)->is_other) {
			assert_true(other == 0 || number == other);
			other = number;
		} else {
			own++;
		}
	}
	assert_int_equal(own, PATHS_NAMED / 2);
	assert_int_not_equal(other, PATH_OTHER);
	expect_path(f, other, "other");
	assert_false(path_table_name(f->table, find(f, 1, METHOD_GET, "/api/me"))->is_other);
	assert_int_equal(find_made_up(f, ROUTES + 1, METHOD_GET, 0),
		find_made_up(f, ROUTES + 1, METHOD_GET, 0));
	assert_int_not_equal(find_made_up(f, ROUTES + 1, METHOD_POST, 4999), other);
	assert_true(path_table_name(f->table, find_made_up(f, ROUTES + 1, METHOD_POST, 4999))
			    ->is_other);
}

static void the_table_is_bounded_whatever_comes(void **state)
{
	struct path_table *table = path_table_create(200);
	struct path_cache *cache = mem_zalloc(sizeof(*cache));
	unsigned highest = 0;
	char path[32];

	(void)state;
	for (uint32_t route = 0; route <= 201; route++) {
		for (unsigned i = 0; i < 600; i++) {
			unsigned number;

			(void)snprintf(path, sizeof(path), "/a-%c%c", 'a' + i % 26, 'a' + i / 26);
			number = path_table_find(table, cache, route, METHOD_GET, slice_str(path));
			highest = number > highest ? number : highest;
		}
	}
	assert_true(highest < PATHS);
	assert_int_equal(path_table_find(table, cache, 201, METHOD_PUT, SLICE("/new")), PATH_OTHER);
	assert_null(path_table_name(table, PATH_OTHER));
	mem_free(cache);
	path_table_destroy(table);
}

struct finder {
	struct fixture *f;
	unsigned worker;
	unsigned numbers[600];
};

static void *find_all(void *context)
{
	struct finder *finder = context;
	char path[32];

	for (unsigned i = 0; i < 600; i++) {
		(void)snprintf(path, sizeof(path), "/p-%c%c", 'a' + i % 26, 'a' + i / 26);
		finder->numbers[i] = path_table_find(finder->f->table,
			&finder->f->caches[finder->worker], 1 + i % 3, METHOD_GET, slice_str(path));
	}
	return NULL;
}

static void workers_that_find_the_same_path_at_once_agree(void **state)
{
	struct finder finders[WORKERS];
	pthread_t threads[WORKERS];

	for (unsigned i = 0; i < WORKERS; i++) {
		finders[i] = (struct finder){.f = *state, .worker = i};
		assert_int_equal(pthread_create(&threads[i], NULL, find_all, &finders[i]), 0);
	}
	for (unsigned i = 0; i < WORKERS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	}
	for (unsigned i = 0; i < 400; i++) { /* all of these had room */
		assert_int_equal(finders[0].numbers[i], finders[1].numbers[i]);
		assert_int_not_equal(finders[0].numbers[i], PATH_OTHER);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(paths_that_fold_alike_have_one_number_and_others_their_own),
		TEST(equal_paths_of_two_routes_have_one_path_hash),
		TEST(made_up_paths_of_one_route_leave_room_for_the_others),
		TEST(the_table_is_bounded_whatever_comes),
		TEST(workers_that_find_the_same_path_at_once_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
