/*
 * Layer: config. One job: the tables of all settings.
 */
#ifndef SIGHTGLASS_CONFIG_TABLE_H
#define SIGHTGLASS_CONFIG_TABLE_H

#include "config/setting.h"

extern const struct setting settings_table[]; /* members of struct draft */
extern const size_t settings_table_count;
extern const struct setting upstream_table[]; /* members of struct upstream_draft */
extern const size_t upstream_table_count;
extern const struct setting route_settings_table[]; /* members of struct route_draft */
extern const size_t route_settings_table_count;

#endif
