/*
 * Layer: config. One job: the kinds of lists that a setting can have (config/setting.h).
 */
#ifndef SIGHTGLASS_CONFIG_VALUE_LIST_H
#define SIGHTGLASS_CONFIG_VALUE_LIST_H

#include "config/setting.h"
#include "inspector/settings.h"

extern const struct value_type value_text_list; /* struct string_list */
extern const struct value_type
	value_listen_list; /* struct listen_settings *, and a uint32_t at count_offset */
extern const struct value_type value_methods; /* bits in a uint32_t, as in struct route_settings */
/* Lists of structs with settings of their own, which the file's reader takes apart itself. */
extern const struct value_type value_upstreams;
extern const struct value_type value_routes;

void string_list_add(struct string_list *list, struct slice text);
void string_list_clear(struct string_list *list);

#endif
