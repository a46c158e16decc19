/*
 * Layer: config. One job: the name of a setting's variable.
 */
#include "config/setting.h"

#include <stdio.h>

void setting_variable(const struct setting *setting, char out[static VARIABLE_SIZE])
{
	int len = snprintf(out, VARIABLE_SIZE, "SIGHTGLASS_%s", setting->flag);

	for (int i = 0; i < len && i < VARIABLE_SIZE - 1; i++) {
		if (out[i] == '-') {
			out[i] = '_';
		} else if (out[i] >= 'a' && out[i] <= 'z') {
			out[i] = (char)(out[i] - 'a' + 'A');
		}
	}
}
