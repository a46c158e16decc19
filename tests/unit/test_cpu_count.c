/*
 * How many CPUs a cgroup's quota leaves, read from a tree of files made for the test.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <ftw.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "config/cpu_count.h"

enum {
	PATH_SIZE = 256,
};

static int setup(void **state)
{
	static char root[PATH_SIZE];

	(void)snprintf(root, sizeof(root), "/tmp/sightglass-cgroup-XXXXXX");
	*state = mkdtemp(root);
	return *state == NULL ? -1 : 0;
}

static int remove_one(const char *path, const struct stat *stat, int flag, struct FTW *ftw)
{
	(void)stat;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	return nftw(*state, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* With the folders on the way to it. */
static void write_file(const char *root, const char *name, const char *text)
{
	char path[PATH_SIZE];
	FILE *file;

	(void)snprintf(path, sizeof(path), "%s%s", root, name);
	for (char *slash = path + strlen(root) + 1; (slash = strchr(slash, '/')) != NULL; slash++) {
		*slash = '\0';
		(void)mkdir(path, 0700);
		*slash = '/';
	}
	file = fopen(path, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void without_cgroups_there_is_no_quota(void **state)
{
	assert_int_equal(cpu_quota(*state), 0);
}

static void version_2_says_quota_and_period_in_one_file(void **state)
{
	write_file(*state, "/proc/self/cgroup", "0::/\n");
	write_file(*state, "/sys/fs/cgroup/cpu.max", "400000 100000\n");
	assert_int_equal(cpu_quota(*state), 4);
}

static void a_part_of_a_cpu_counts_as_one(void **state)
{
	write_file(*state, "/proc/self/cgroup", "0::/\n");
	write_file(*state, "/sys/fs/cgroup/cpu.max", "50000 100000\n");
	assert_int_equal(cpu_quota(*state), 1);
	write_file(*state, "/sys/fs/cgroup/cpu.max", "150000 100000\n");
	assert_int_equal(cpu_quota(*state), 2);
}

static void max_is_no_quota(void **state)
{
	write_file(*state, "/proc/self/cgroup", "0::/\n");
	write_file(*state, "/sys/fs/cgroup/cpu.max", "max 100000\n");
	assert_int_equal(cpu_quota(*state), 0);
}

static void the_least_quota_on_the_way_up_counts(void **state)
{
	write_file(*state, "/proc/self/cgroup", "0::/kubepods/pod1/app\n");
	write_file(*state, "/sys/fs/cgroup/kubepods/pod1/app/cpu.max", "800000 100000\n");
	write_file(*state, "/sys/fs/cgroup/kubepods/pod1/cpu.max", "300000 100000\n");
	write_file(*state, "/sys/fs/cgroup/kubepods/cpu.max", "max 100000\n");
	assert_int_equal(cpu_quota(*state), 3);
}

static void the_containers_own_root_counts_where_the_path_is_the_hosts(void **state)
{
	write_file(*state, "/proc/self/cgroup", "0::/kubepods/pod1/app\n");
	write_file(*state, "/sys/fs/cgroup/cpu.max", "200000 100000\n");
	assert_int_equal(cpu_quota(*state), 2);
}

static void version_1_says_them_in_two_files_of_the_cpu_controller(void **state)
{
	write_file(*state, "/proc/self/cgroup", "5:memory:/x\n4:cpu,cpuacct:/docker/1\n0::/\n");
	write_file(*state, "/sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.cfs_quota_us", "250000\n");
	write_file(*state, "/sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.cfs_period_us", "100000\n");
	write_file(*state, "/sys/fs/cgroup/memory/x/cpu.cfs_quota_us", "100000\n");
	write_file(*state, "/sys/fs/cgroup/memory/x/cpu.cfs_period_us", "100000\n");
	assert_int_equal(cpu_quota(*state), 3);
}

static void a_negative_quota_of_version_1_is_none(void **state)
{
	write_file(*state, "/proc/self/cgroup", "4:cpu:/\n");
	write_file(*state, "/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
	write_file(*state, "/sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
	assert_int_equal(cpu_quota(*state), 0);
}

static void what_cannot_be_read_as_a_quota_is_none(void **state)
{
	static const char *const texts[] = {
		"", "\n", "100000\n", "100000 0\n", "x y\n", "-5 100000\n"};

	write_file(*state, "/proc/self/cgroup", "nonsense\n0:\n0::relative\n0::/\n");
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		write_file(*state, "/sys/fs/cgroup/cpu.max", texts[i]);
		assert_int_equal(cpu_quota(*state), 0);
	}
}

static void there_is_at_least_one_cpu(void **state)
{
	(void)state;
	assert_true(cpu_count() >= 1);
	assert_true(cpu_count() <= (unsigned)sysconf(_SC_NPROCESSORS_CONF));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(without_cgroups_there_is_no_quota),
		TEST(version_2_says_quota_and_period_in_one_file),
		TEST(a_part_of_a_cpu_counts_as_one),
		TEST(max_is_no_quota),
		TEST(the_least_quota_on_the_way_up_counts),
		TEST(the_containers_own_root_counts_where_the_path_is_the_hosts),
		TEST(version_1_says_them_in_two_files_of_the_cpu_controller),
		TEST(a_negative_quota_of_version_1_is_none),
		TEST(what_cannot_be_read_as_a_quota_is_none),
		TEST(there_is_at_least_one_cpu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
