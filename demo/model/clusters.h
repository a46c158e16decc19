/*
 * Layer: demo. One job: the invented clusters of the sample dashboard, which seldom change. Without
 * clock and I/O: whoever owns them says when a second has passed.
 */
#ifndef SIGHTGLASS_DEMO_MODEL_CLUSTERS_H
#define SIGHTGLASS_DEMO_MODEL_CLUSTERS_H

#include <stdint.h>

#include "base/json.h"
#include "base/slice.h"

enum {
	DEMO_CLUSTERS = 4,
	DEMO_CLUSTERS_CHANGE_TICKS = 7, /* one of them changes every so many seconds */
};

struct demo_cluster {
	const char *name;
	const char *region;
	const char *version;
	unsigned nodes;
	unsigned nodes_ready;
	unsigned pods;
	unsigned cpu_percent;
	unsigned memory_percent;
};

struct demo_clusters {
	struct demo_cluster items[DEMO_CLUSTERS];
	uint64_t ticks;
	uint64_t revision; /* how often anything changed */
	uint32_t dice;
};

void demo_clusters_init(struct demo_clusters *clusters);
/* A second has passed. The cluster that changed, or NULL: mostly. */
const struct demo_cluster *demo_clusters_tick(struct demo_clusters *clusters);
/* NULL where there is none of that name. */
const struct demo_cluster *demo_clusters_find(
	const struct demo_clusters *clusters, struct slice name);

/* {"revision", "clusters": […]}: the same bytes until something changes. */
void demo_clusters_write(const struct demo_clusters *clusters, struct json *json);
/* One cluster with its nodes. */
void demo_cluster_write(const struct demo_cluster *cluster, struct json *json);

#endif
