/*
 * Layer: inspector (sees base, http). One job: what a client would rather have, by its Accept
 * fields (RFC 9110 section 12.5.1): a page or data.
 */
#ifndef SIGHTGLASS_INSPECTOR_ACCEPT_H
#define SIGHTGLASS_INSPECTOR_ACCEPT_H

#include <stdbool.h>

#include "http/head.h"

/*
 * The weight that `head` gives to a media type, in thousandths: that of the most specific range
 * that covers it. 1000 where there is no Accept, 0 where no range covers it.
 */
unsigned accept_weight(const struct head *head, struct slice type, struct slice subtype);

/*
 * True where text/html weighs more than application/json: curl and fetch() get data, browsers get
 * the page.
 */
bool accept_prefers_html(const struct head *head);

#endif
