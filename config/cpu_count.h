/*
 * Layer: config. One job: how many CPUs this process can keep busy: what `workers: auto` comes to.
 */
#ifndef SIGHTGLASS_CONFIG_CPU_COUNT_H
#define SIGHTGLASS_CONFIG_CPU_COUNT_H

/* The least of the affinity mask's CPUs and the cgroup's quota, rounded up; at least 1. */
unsigned cpu_count(void);

/*
 * The quota of the cgroups that this process is in, in CPUs rounded up, or 0 where there is none:
 * cpu.max of version 2, cpu.cfs_quota_us of version 1, the least of the process's cgroup and those
 * above it. `root` is put before /proc and /sys: "" but in tests.
 */
unsigned cpu_quota(const char *root);

#endif
