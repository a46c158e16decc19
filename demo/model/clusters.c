/*
 * Layer: demo. One job: see clusters.h.
 */
#include "demo/model/clusters.h"

#include "demo/model/dice.h"

static const struct demo_cluster at_first[DEMO_CLUSTERS] = {
	{"prod-weu-1", "westeurope", "1.31.4", 12, 12, 214, 61, 58},
	{"prod-neu-1", "northeurope", "1.31.4", 8, 8, 131, 44, 49},
	{"batch-weu-2", "westeurope", "1.30.9", 24, 23, 96, 83, 71},
	{"staging-weu", "westeurope", "1.32.1", 3, 3, 42, 12, 31},
};

static const char *status_of(const struct demo_cluster *cluster)
{
	return cluster->nodes_ready == cluster->nodes ? "healthy" : "degraded";
}

void demo_clusters_init(struct demo_clusters *self)
{
	*self = (struct demo_clusters){.dice = DEMO_DICE_SEED};
	for (unsigned i = 0; i < DEMO_CLUSTERS; i++) {
		self->items[i] = at_first[i];
	}
}

/* Up to `by` more or less than `value`, within `least` and `most`. */
static unsigned wander(
	struct demo_clusters *self, unsigned value, unsigned by, unsigned least, unsigned most)
{
	unsigned moved = value + demo_dice_throw(&self->dice, 2 * by + 1);

	return moved < least + by ? least : moved > most + by ? most : moved - by;
}

const struct demo_cluster *demo_clusters_tick(struct demo_clusters *self)
{
	struct demo_cluster *cluster;

	self->ticks++;
	if (self->ticks % DEMO_CLUSTERS_CHANGE_TICKS != 0) {
		return NULL;
	}
	cluster = &self->items[demo_dice_throw(&self->dice, DEMO_CLUSTERS)];
	cluster->pods = wander(self, cluster->pods, 9, 20, 400);
	cluster->cpu_percent = wander(self, cluster->cpu_percent, 8, 4, 97);
	cluster->memory_percent = wander(self, cluster->memory_percent, 4, 10, 93);
	if (cluster->nodes_ready < cluster->nodes) {
		cluster->nodes_ready++;
	} else if (demo_dice_throw(&self->dice, 4) == 0) {
		cluster->nodes_ready--;
	}
	self->revision++;
	return cluster;
}

const struct demo_cluster *demo_clusters_find(const struct demo_clusters *self, struct slice name)
{
	for (unsigned i = 0; i < DEMO_CLUSTERS; i++) {
		if (slice_equal(slice_str(self->items[i].name), name)) {
			return &self->items[i];
		}
	}
	return NULL;
}

static void write_members(const struct demo_cluster *cluster, struct json *json)
{
	json_key(json, "name");
	json_cstring(json, cluster->name);
	json_key(json, "region");
	json_cstring(json, cluster->region);
	json_key(json, "version");
	json_cstring(json, cluster->version);
	json_key(json, "status");
	json_cstring(json, status_of(cluster));
	json_key(json, "nodes_ready");
	json_u64(json, cluster->nodes_ready);
	json_key(json, "nodes");
	json_u64(json, cluster->nodes);
	json_key(json, "pods");
	json_u64(json, cluster->pods);
	json_key(json, "cpu_percent");
	json_u64(json, cluster->cpu_percent);
	json_key(json, "memory_percent");
	json_u64(json, cluster->memory_percent);
}

void demo_clusters_write(const struct demo_clusters *self, struct json *json)
{
	json_begin_object(json);
	json_key(json, "revision");
	json_u64(json, self->revision);
	json_key(json, "clusters");
	json_begin_array(json);
	for (unsigned i = 0; i < DEMO_CLUSTERS; i++) {
		json_begin_object(json);
		write_members(&self->items[i], json);
		json_end_object(json);
	}
	json_end_array(json);
	json_end_object(json);
}

void demo_cluster_write(const struct demo_cluster *cluster, struct json *json)
{
	json_begin_object(json);
	write_members(cluster, json);
	json_key(json, "node_list");
	json_begin_array(json);
	for (unsigned i = 0; i < cluster->nodes; i++) {
		struct buffer name = BUFFER_INIT;

		buffer_printf(&name, "%s-node-%02u", cluster->name, i);
		json_begin_object(json);
		json_key(json, "name");
		json_text(json, buffer_slice(&name));
		json_key(json, "ready");
		json_bool(json, i < cluster->nodes_ready);
		json_end_object(json);
		buffer_fini(&name);
	}
	json_end_array(json);
	json_end_object(json);
}
