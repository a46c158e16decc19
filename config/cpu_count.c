/*
 * Layer: config. One job: count the CPUs that are ours. A container with a quota of half a CPU on a
 * machine of 64 would else run 64 threads that the kernel stops most of the time.
 */
#include "config/cpu_count.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <uv.h>

#include "base/slice.h"

enum {
	PATH_SIZE = 1024,
	LINE_SIZE = 1024,
	CPUS_MAX = 65536,
};

/* The first line of a file, without its end. False where there is none. */
static bool read_line(const char *path, char line[static LINE_SIZE])
{
	FILE *file = fopen(path, "re");
	bool good = file != NULL && fgets(line, LINE_SIZE, file) != NULL;

	if (file != NULL) {
		(void)fclose(file);
	}
	if (good) {
		line[strcspn(line, "\n")] = '\0';
	}
	return good;
}

static unsigned cpus_of(uint64_t quota_us, uint64_t period_us)
{
	uint64_t cpus = period_us == 0 ? 0 : quota_us / period_us + (quota_us % period_us != 0);

	return cpus > CPUS_MAX ? CPUS_MAX : (unsigned)cpus;
}

/* "150000 100000" is one and a half; "max 100000" is no quota. */
static unsigned quota_v2(const char *directory)
{
	char path[PATH_SIZE], line[LINE_SIZE];
	uint64_t quota, period;
	char *space;

	if (snprintf(path, sizeof(path), "%s/cpu.max", directory) >= PATH_SIZE ||
		!read_line(path, line)) {
		return 0;
	}
	space = strchr(line, ' ');
	if (space == NULL ||
		!slice_to_u64(slice_of(line, (size_t)(space - line)), UINT64_MAX, &quota) ||
		!slice_to_u64(slice_str(space + 1), UINT64_MAX, &period)) {
		return 0;
	}
	return cpus_of(quota, period);
}

static bool read_number(const char *directory, const char *name, uint64_t *number)
{
	char path[PATH_SIZE], line[LINE_SIZE];

	return snprintf(path, sizeof(path), "%s/%s", directory, name) < PATH_SIZE &&
	       read_line(path, line) &&
	       slice_to_u64(slice_str(line), UINT64_MAX, number); /* -1 is no quota */
}

static unsigned quota_v1(const char *directory)
{
	uint64_t quota, period;

	return read_number(directory, "cpu.cfs_quota_us", &quota) &&
			       read_number(directory, "cpu.cfs_period_us", &period)
		       ? cpus_of(quota, period)
		       : 0;
}

static unsigned lesser(unsigned a, unsigned b) /* where 0 is none */
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

/*
 * The least quota from `cgroup` up to the hierarchy's root. Within a container the path may be the
 * host's, of which nothing is mounted: then only the root, which is the container's own, has the
 * files.
 */
static unsigned quota_along(
	const char *mount, const char *cgroup, unsigned (*quota_of)(const char *))
{
	char directory[PATH_SIZE];
	size_t mount_len = strlen(mount);
	unsigned least = 0;

	if (snprintf(directory, sizeof(directory), "%s%s", mount, cgroup) >= PATH_SIZE) {
		return 0;
	}
	for (;;) {
		char *slash;

		least = lesser(least, quota_of(directory));
		slash = strrchr(directory, '/');
		if (slash == NULL || slash < directory + mount_len) {
			return least;
		}
		*slash = '\0';
	}
}

static bool names_cpu(struct slice controllers)
{
	struct slice controller;

	while (slice_next_token(&controllers, &controller)) {
		if (slice_equal(controller, SLICE("cpu"))) {
			return true;
		}
	}
	return false;
}

/* A line of /proc/self/cgroup: "0::/path" of version 2, "4:cpu,cpuacct:/path" of version 1. */
static unsigned quota_of_line(const char *root, char *line)
{
	char mount[PATH_SIZE];
	char *controllers = strchr(line, ':');
	char *path = controllers == NULL ? NULL : strchr(controllers + 1, ':');
	struct slice names;

	if (path == NULL || path[1] != '/') {
		return 0;
	}
	names = slice_of(controllers + 1, (size_t)(path - controllers - 1));
	if (names.len == 0) {
		(void)snprintf(mount, sizeof(mount), "%s/sys/fs/cgroup", root);
		return quota_along(mount, path + 1, quota_v2);
	}
	if (!names_cpu(names)) {
		return 0;
	}
	(void)snprintf(mount, sizeof(mount), "%s/sys/fs/cgroup/%.*s", root, SLICE_ARGS(names));
	return quota_along(mount, path + 1, quota_v1);
}

unsigned cpu_quota(const char *root)
{
	char path[PATH_SIZE], line[LINE_SIZE];
	unsigned least = 0;
	FILE *file;

	if (snprintf(path, sizeof(path), "%s/proc/self/cgroup", root) >= PATH_SIZE) {
		return 0;
	}
	file = fopen(path, "re");
	if (file == NULL) {
		return 0;
	}
	while (fgets(line, sizeof(line), file) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		least = lesser(least, quota_of_line(root, line));
	}
	(void)fclose(file);
	return least;
}

unsigned cpu_count(void)
{
	unsigned cpus = lesser(uv_available_parallelism(), cpu_quota(""));

	return cpus == 0 ? 1 : cpus;
}
