/*
 * Layer: base. One job: the words for how a lookup ended; see names.h.
 */
#include "base/names.h"

const char *names_status_text(enum names_status status)
{
	switch (status) {
	case NAMES_FOUND:
		break;
	case NAMES_UNKNOWN:
		return "there is no such name";
	case NAMES_NO_ADDRESS:
		return "the name has no address";
	case NAMES_SILENT:
		return "no name server answered";
	case NAMES_NO_SERVER:
		return "no name server could be reached, or was willing to answer";
	case NAMES_BAD_ANSWER:
		return "the name server's answer breaks the rules";
	case NAMES_BAD_NAME:
		return "it is no name that can be looked up";
	case NAMES_UNAVAILABLE:
		return "the system lacks what is needed to ask a name server";
	}
	return "nothing failed";
}
