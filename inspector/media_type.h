/*
 * Layer: inspector (sees base). One job: under which media type captured bytes may be handed to a
 * browser, and what their file is called.
 */
#ifndef SIGHTGLASS_INSPECTOR_MEDIA_TYPE_H
#define SIGHTGLASS_INSPECTOR_MEDIA_TYPE_H

#include <stdbool.h>

#include "base/slice.h"

/*
 * The type itself where a browser does no more than show it; text/plain for what it would run or
 * build a page of (HTML, XML, SVG, scripts, styles); application/octet-stream for what is no media
 * type. Points into `type` or to a literal.
 */
struct slice media_type_safe(struct slice type);
/* Whether a Content-Type is that type, whatever its parameters; `essence` is in lower case. */
bool media_type_is(struct slice type, struct slice essence);
/* "json", "html", …: the usual end of such a file's name; "bin" where none is known. */
const char *media_type_extension(struct slice type);

#endif
