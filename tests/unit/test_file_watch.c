/*
 * Files that change in each of the ways in which files are changed, in a folder of the test's own.
 * Where one is written to, its size changes, too: a system's clock of files may stand still for
 * longer than a test takes from one content to the next.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file_watch.h"
#include "base/memory.h"

enum {
	TEST_SECONDS = 60, /* whoever waits longer waits in vain */
	TICK_MS = 20,
	PATH_SIZE = 160,
	CONTENT_SIZE = 32,
};

struct fixture;

/* A group of files, and what was told of it. */
struct told {
	struct fixture *fixture;
	char path[PATH_SIZE]; /* whose content is read */
	char content[CONTENT_SIZE];
	unsigned count;
};

struct fixture {
	struct loop loop;
	uv_timer_t keeper; /* a loop without handles does not turn */
	bool noisy;        /* a neighbour is written to at each tick */
	struct file_watch *watch;
	struct told told;
	struct told other;
	char folder[PATH_SIZE / 2];
	char path[PATH_SIZE]; /* of path_of() */
};

/* --- files */

/* Valid until the next call. */
static const char *path_of(struct fixture *f, const char *name)
{
	(void)snprintf(f->path, sizeof(f->path), "%s/%s", f->folder, name);
	return f->path;
}

static void write_file(struct fixture *f, const char *name, const char *content)
{
	FILE *file = fopen(path_of(f, name), "w");

	assert_non_null(file);
	assert_true(fputs(content, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void make_folder(struct fixture *f, const char *name)
{
	assert_int_equal(mkdir(path_of(f, name), 0700), 0);
}

static void remove_file(struct fixture *f, const char *name)
{
	assert_int_equal(remove(path_of(f, name)), 0);
}

static void link_to(struct fixture *f, const char *target, const char *name)
{
	assert_int_equal(symlink(target, path_of(f, name)), 0);
}

static void move_over(struct fixture *f, const char *from, const char *to)
{
	char path[PATH_SIZE];

	(void)snprintf(path, sizeof(path), "%s/%s", f->folder, from);
	assert_int_equal(rename(path, path_of(f, to)), 0);
}

static void read_content(struct told *told)
{
	FILE *file = fopen(told->path, "r");
	size_t len = 0;

	if (file != NULL) {
		len = fread(told->content, 1, sizeof(told->content) - 1, file);
		(void)fclose(file);
	}
	told->content[len] = '\0';
}

/* With all that is in it; links are not followed. */
static void remove_folder(const char *path)
{
	DIR *folder = opendir(path);
	const struct dirent *entry;
	char inner[PATH_SIZE * 4];

	assert_non_null(folder);
	while ((entry = readdir(folder)) != NULL) {
		struct stat status;

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) {
			continue;
		}
		(void)snprintf(inner, sizeof(inner), "%s/%s", path, entry->d_name);
		assert_int_equal(lstat(inner, &status), 0);
		if (S_ISDIR(status.st_mode)) {
			remove_folder(inner);
		} else {
			assert_int_equal(unlink(inner), 0);
		}
	}
	(void)closedir(folder);
	assert_int_equal(rmdir(path), 0);
}

/* --- the fixture */

static void on_tick(uv_timer_t *keeper)
{
	struct fixture *f = keeper->data;

	if (f->noisy) {
		write_file(f, "noise", "x");
	}
}

static void on_changed(void *context)
{
	struct told *told = context;

	told->count++;
	read_content(told);
}

static void run_until_told(struct fixture *f, unsigned count)
{
	while (f->told.count < count) {
		(void)uv_run(&f->loop.uv, UV_RUN_ONCE);
	}
	assert_int_equal(f->told.count, count);
}

/* However often it is told on the way there. */
static void run_until_content(struct fixture *f, const char *content)
{
	while (strcmp(f->told.content, content) != 0) {
		(void)uv_run(&f->loop.uv, UV_RUN_ONCE);
	}
}

static void watch(struct fixture *f, const char *name)
{
	const char *paths[] = {NULL, f->told.path, ""};

	(void)snprintf(f->told.path, sizeof(f->told.path), "%s", path_of(f, name));
	read_content(&f->told);
	file_watch_add(f->watch, paths, 3, on_changed, &f->told);
}

static int setup(void **state)
{
	struct fixture *f = mem_zalloc(sizeof(*f));

	alarm(TEST_SECONDS);
	(void)snprintf(f->folder, sizeof(f->folder), "/tmp/watch-XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	assert_int_equal(loop_init(&f->loop), 0);
	(void)uv_timer_init(&f->loop.uv, &f->keeper);
	f->keeper.data = f;
	(void)uv_timer_start(&f->keeper, on_tick, TICK_MS, TICK_MS);
	f->watch = file_watch_create(&f->loop);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	file_watch_close(f->watch);
	uv_close((uv_handle_t *)&f->keeper, NULL);
	loop_run(&f->loop);
	loop_fini(&f->loop);
	remove_folder(f->folder);
	mem_free(f);
	alarm(0);
	return 0;
}

/* --- ways to change a file */

static void a_file_that_is_written_to_is_told_of(void **state)
{
	struct fixture *f = *state;

	write_file(f, "file", "before");
	watch(f, "file");
	write_file(f, "file", "new");
	run_until_content(f, "new");
	write_file(f, "file", "newer");
	run_until_content(f, "newer");
}

static void a_file_that_is_replaced_is_told_of(void **state)
{
	struct fixture *f = *state;

	write_file(f, "file", "before");
	watch(f, "file");
	for (unsigned i = 1; i <= 3; i++) {
		write_file(f, "file.new", i == 3 ? "new" : "before"); /* by its equal, too */
		move_over(f, "file.new", "file");
		run_until_told(f, i);
	}
	assert_string_equal(f->told.content, "new");
}

static void a_file_that_comes_and_goes_is_told_of(void **state)
{
	struct fixture *f = *state;

	watch(f, "file");
	write_file(f, "file", "new");
	run_until_content(f, "new");
	remove_file(f, "file");
	run_until_content(f, "");
}

static void a_file_whose_folder_comes_later_is_told_of(void **state)
{
	struct fixture *f = *state;

	watch(f, "a/b/file");
	make_folder(f, "a");
	make_folder(f, "a/b");
	write_file(f, "a/b/file", "new");
	run_until_content(f, "new");
	write_file(f, "a/b/file", "newer");
	run_until_content(f, "newer");
}

static void a_folder_that_is_made_anew_is_told_of(void **state)
{
	struct fixture *f = *state;

	make_folder(f, "a");
	write_file(f, "a/file", "before");
	watch(f, "a/file");
	remove_file(f, "a/file");
	remove_file(f, "a");
	run_until_content(f, "");
	make_folder(f, "a");
	write_file(f, "a/file", "new");
	run_until_content(f, "new");
	write_file(f, "a/file", "newer");
	run_until_content(f, "newer");
}

static void a_folder_that_takes_anothers_place_is_told_of(void **state)
{
	struct fixture *f = *state;

	make_folder(f, "a");
	write_file(f, "a/file", "before");
	watch(f, "a/file");
	make_folder(f, "b");
	write_file(f, "b/file", "new");
	move_over(f, "a", "c");
	move_over(f, "b", "a");
	run_until_content(f, "new");
	write_file(f, "a/file", "newer");
	run_until_content(f, "newer");
}

/* --- behind links */

/* How many folders the system watches for us; -1 where it does not tell. */
static int count_watches(void)
{
	int count = -1;

	for (int fd = 0; fd < 64; fd++) {
		char path[64];
		char line[256];
		FILE *info;
		bool is_inotify = false;
		int watches = 0;

		(void)snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
		info = fopen(path, "r");
		while (info != NULL && fgets(line, sizeof(line), info) != NULL) {
			is_inotify = is_inotify || strncmp(line, "inotify ", 8) == 0;
			watches += strncmp(line, "inotify ", 8) == 0;
		}
		if (info != NULL) {
			(void)fclose(info);
		}
		if (is_inotify) {
			count = (count < 0 ? 0 : count) + watches;
		}
	}
	return count;
}

/* The next state of a secret, as the kubelet writes it: a folder of its own, to which the link
 * ..data is swapped; the one before goes. */
static void swap_secret(struct fixture *f, unsigned number)
{
	char name[CONTENT_SIZE];
	char file[2 * CONTENT_SIZE];
	char content[CONTENT_SIZE];

	(void)snprintf(name, sizeof(name), "secret/..%u", number);
	make_folder(f, name);
	(void)snprintf(file, sizeof(file), "%s/file", name);
	(void)snprintf(content, sizeof(content), "state %u", number);
	write_file(f, file, content);
	link_to(f, name + strlen("secret/"), "secret/..data_tmp");
	move_over(f, "secret/..data_tmp", "secret/..data");
	if (number > 0) {
		(void)snprintf(name, sizeof(name), "secret/..%u", number - 1);
		remove_folder(path_of(f, name));
	}
}

static void a_secret_of_kubernetes_is_told_of_each_time_and_watches_do_not_pile_up(void **state)
{
	struct fixture *f = *state;
	int watches;

	make_folder(f, "secret");
	swap_secret(f, 0);
	link_to(f, "..data/file", "secret/file");
	watch(f, "secret/file");
	assert_string_equal(f->told.content, "state 0");
	watches = count_watches();
	for (unsigned i = 1; i <= 5; i++) {
		char content[CONTENT_SIZE];

		swap_secret(f, i);
		(void)snprintf(content, sizeof(content), "state %u", i);
		run_until_content(f, content);
		assert_int_equal(count_watches(), watches);
	}
	if (watches >= 0) {
		assert_int_equal(watches, 2);
	}
}

static void a_folder_behind_a_link_is_told_of(void **state)
{
	struct fixture *f = *state;
	char two[PATH_SIZE]; /* an absolute path this time */

	make_folder(f, "one");
	make_folder(f, "two");
	write_file(f, "one/file", "before");
	write_file(f, "two/file", "new");
	make_folder(f, "links");
	link_to(f, "../one", "links/current");
	watch(f, "links/current/file");
	assert_string_equal(f->told.content, "before");
	(void)snprintf(two, sizeof(two), "%s", path_of(f, "two"));
	link_to(f, two, "links/current_tmp");
	move_over(f, "links/current_tmp", "links/current");
	run_until_content(f, "new");
	write_file(f, "two/file", "newer");
	run_until_content(f, "newer");
}

static void a_link_that_leads_nowhere_is_told_of_once_it_does(void **state)
{
	struct fixture *f = *state;

	make_folder(f, "links");
	link_to(f, "../target", "links/file");
	watch(f, "links/file");
	write_file(f, "target", "new");
	run_until_content(f, "new");
}

static void links_in_a_circle_lead_nowhere_until_one_is_replaced(void **state)
{
	struct fixture *f = *state;

	link_to(f, "two", "one");
	link_to(f, "one", "two");
	watch(f, "one");
	write_file(f, "file", "new");
	move_over(f, "file", "two");
	run_until_content(f, "new");
}

/* --- what is told */

static void several_changes_in_a_moment_are_told_once(void **state)
{
	struct fixture *f = *state;

	write_file(f, "file", "before");
	watch(f, "file");
	write_file(f, "file", "one");
	write_file(f, "file", "two");
	write_file(f, "file", "three");
	run_until_told(f, 1);
	assert_string_equal(f->told.content, "three");
	write_file(f, "file", "four");
	run_until_told(f, 2); /* and not 3 */
	assert_string_equal(f->told.content, "four");
}

static void a_neighbour_is_not_told_of(void **state)
{
	struct fixture *f = *state;

	write_file(f, "file", "before");
	watch(f, "file");
	write_file(f, "neighbour", "x");
	remove_file(f, "neighbour");
	write_file(f, "file", "new");
	run_until_told(f, 1);
	assert_string_equal(f->told.content, "new");
}

static void a_change_is_told_of_among_neighbours_that_never_rest(void **state)
{
	struct fixture *f = *state;

	write_file(f, "file", "before");
	watch(f, "file");
	f->noisy = true;
	write_file(f, "file", "new");
	run_until_content(f, "new");
}

static void each_group_is_told_of_its_own_files(void **state)
{
	struct fixture *f = *state;
	const char *paths[] = {f->other.path};

	write_file(f, "file", "before");
	write_file(f, "other", "before");
	watch(f, "file");
	(void)snprintf(f->other.path, sizeof(f->other.path), "%s", path_of(f, "other"));
	file_watch_add(f->watch, paths, 1, on_changed, &f->other);
	write_file(f, "file", "new");
	run_until_told(f, 1);
	assert_int_equal(f->other.count, 0);
	write_file(f, "other", "new");
	while (f->other.count == 0) {
		(void)uv_run(&f->loop.uv, UV_RUN_ONCE);
	}
	assert_int_equal(f->told.count, 1);
}

/* Adding the second one loses nothing of what there was to tell of the first. */
static void a_change_before_another_group_is_added_is_told_of(void **state)
{
	struct fixture *f = *state;
	const char *paths[] = {f->other.path};

	write_file(f, "file", "before");
	watch(f, "file");
	write_file(f, "file", "new");
	(void)snprintf(f->other.path, sizeof(f->other.path), "%s", path_of(f, "other"));
	file_watch_add(f->watch, paths, 1, on_changed, &f->other);
	run_until_content(f, "new");
}

/* --- without events */

static void use_up_descriptors(struct rlimit *before)
{
	struct rlimit limit;
	int next = open("/dev/null", O_RDONLY | O_CLOEXEC);

	assert_true(next >= 0);
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, before), 0);
	limit = *before;
	limit.rlim_cur = (rlim_t)next;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* The system has no descriptor left for them at first; it is looked at every five seconds then. */
static void where_there_are_no_events_files_are_looked_at(void **state)
{
	struct fixture *f = *state;
	struct rlimit before;

	write_file(f, "file", "before");
	use_up_descriptors(&before);
	watch(f, "file");
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_true(count_watches() <= 0);
	write_file(f, "file", "new");
	run_until_told(f, 1);
	write_file(f, "file", "newer"); /* and by its events where they are to be had again */
	run_until_content(f, "newer");
}

/* --- the end */

static void a_watch_does_not_keep_the_loop_running(void **state)
{
	struct fixture *f = *state;

	watch(f, "file");
	(void)uv_timer_stop(&f->keeper);
	loop_run(&f->loop);
	assert_int_equal(f->told.count, 0);
}

static void nothing_is_told_behind_the_close(void **state)
{
	struct fixture *f = *state;
	unsigned before;

	watch(f, "file");
	for (int i = 0; i < 3; i++) {
		write_file(f, "file", "new");
		(void)uv_run(&f->loop.uv, UV_RUN_ONCE);
	}
	before = f->told.count;
	write_file(f, "file", "newer");
	file_watch_close(f->watch); /* while that is still to be told */
	f->watch = file_watch_create(&f->loop);
	run_until_told(f, before);
	write_file(f, "other", "before");
	watch(f, "other");
	write_file(f, "other", "new");
	run_until_told(f, before + 1); /* by the new one, and no other */
	assert_string_equal(f->told.content, "new");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_that_is_written_to_is_told_of),
		TEST(a_file_that_is_replaced_is_told_of),
		TEST(a_file_that_comes_and_goes_is_told_of),
		TEST(a_file_whose_folder_comes_later_is_told_of),
		TEST(a_folder_that_is_made_anew_is_told_of),
		TEST(a_folder_that_takes_anothers_place_is_told_of),
		TEST(a_secret_of_kubernetes_is_told_of_each_time_and_watches_do_not_pile_up),
		TEST(a_folder_behind_a_link_is_told_of),
		TEST(a_link_that_leads_nowhere_is_told_of_once_it_does),
		TEST(links_in_a_circle_lead_nowhere_until_one_is_replaced),
		TEST(several_changes_in_a_moment_are_told_once),
		TEST(a_neighbour_is_not_told_of),
		TEST(a_change_is_told_of_among_neighbours_that_never_rest),
		TEST(each_group_is_told_of_its_own_files),
		TEST(a_change_before_another_group_is_added_is_told_of),
		TEST(where_there_are_no_events_files_are_looked_at),
		TEST(a_watch_does_not_keep_the_loop_running),
		TEST(nothing_is_told_behind_the_close),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
