/*
 * Layer: inspector. One job: see process_facts.h.
 */
#include "inspector/process_facts.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

enum {
	PROC_FILE_MAX = 2048,
	START_FIELD = 22, /* of /proc/self/stat, see proc(5) */
};

/* A file below /proc, with a NUL behind it. False where there is none. */
static bool read_file(const char *path, char text[static PROC_FILE_MAX])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0) {
		return false;
	}
	len = read(fd, text, PROC_FILE_MAX - 1);
	(void)close(fd);
	text[len > 0 ? len : 0] = '\0';
	return len > 0;
}

static uint64_t cpu_us(void)
{
	struct rusage usage;

	if (getrusage(RUSAGE_SELF, &usage) != 0) {
		return PROCESS_FACT_ABSENT;
	}
	return (uint64_t)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000 +
	       (uint64_t)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void read_memory(struct process_facts *facts)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	char text[PROC_FILE_MAX];
	char *rest;

	if (read_file("/proc/self/statm", text)) {
		facts->virtual_bytes = strtoull(text, &rest, 10) * page;
		facts->resident_bytes = strtoull(rest, NULL, 10) * page;
	}
}

/* Counting the entries takes 20 ms where there are 60,000: newer kernels (6.2) tell their number as
 * the directory's size. */
static uint64_t open_descriptors(void)
{
	static const char path[] = "/proc/self/fd";
	const struct dirent *entry;
	struct stat status;
	uint64_t count = 0;
	DIR *directory;

	if (stat(path, &status) == 0 && status.st_size > 0) {
		return (uint64_t)status.st_size;
	}
	directory = opendir(path);
	if (directory == NULL) {
		return PROCESS_FACT_ABSENT;
	}
	while ((entry = readdir(directory)) != NULL) {
		count += entry->d_name[0] != '.' ? 1 : 0;
	}
	(void)closedir(directory);
	return count - 1; /* the directory's own */
}

static uint64_t max_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
		return PROCESS_FACT_ABSENT;
	}
	return limit.rlim_cur;
}

void process_facts_read(struct process_facts *facts)
{
	*facts = (struct process_facts){
		.cpu_us = cpu_us(),
		.resident_bytes = PROCESS_FACT_ABSENT,
		.virtual_bytes = PROCESS_FACT_ABSENT,
		.open_descriptors = open_descriptors(),
		.max_descriptors = max_descriptors(),
	};
	read_memory(facts);
}

#ifdef __linux__
/* How long the process is there; PROCESS_FACT_ABSENT where it cannot be read. */
static uint64_t age_us(void)
{
	char text[PROC_FILE_MAX];
	struct timespec now;
	uint64_t ticks = (uint64_t)sysconf(_SC_CLK_TCK);
	uint64_t began_us;
	uint64_t now_us;
	const char *at;

	if (!read_file("/proc/self/stat", text) || clock_gettime(CLOCK_BOOTTIME, &now) != 0) {
		return PROCESS_FACT_ABSENT;
	}
	at = strrchr(text, ')'); /* the name before it may hold anything */
	for (int field = 2; at != NULL && field < START_FIELD; field++) {
		at = strchr(at + 1, ' ');
	}
	if (at == NULL) {
		return PROCESS_FACT_ABSENT;
	}
	began_us = strtoull(at, NULL, 10) * 1000000 / ticks;
	now_us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
	return now_us > began_us ? now_us - began_us : 0;
}
#else
static uint64_t age_us(void)
{
	return PROCESS_FACT_ABSENT;
}
#endif

uint64_t process_start_wall_us(void)
{
	uint64_t age = age_us();

	return clock_wall_us() - (age == PROCESS_FACT_ABSENT ? 0 : age);
}
