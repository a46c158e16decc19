/*
 * Layer: inspector. One job: what the parts of redact_scan.h share: redact_scan.c looks for names
 * and tokens in what is shown, redact_name.c reads the name before a place, redact_value.c finds
 * out how a value begins, redact_hiding.c where it ends.
 */
#ifndef SIGHTGLASS_INSPECTOR_REDACT_SCAN_LAYOUT_H
#define SIGHTGLASS_INSPECTOR_REDACT_SCAN_LAYOUT_H

#include <stdint.h>

#include "inspector/redact_scan.h"
#include "inspector/token_shapes.h"

enum {
	SCAN_LOOK_BACK = 512,  /* of what was passed, for the name before a separator */
	SCAN_PIECE = 4 * 1024, /* taken in at once */
	SCAN_ROOM = SCAN_LOOK_BACK + TOKEN_LOOK_MAX + 2 * SCAN_PIECE,
	SCAN_VALUE_LOOK = 96, /* of a value, tells how it is quoted */
	SCAN_SLASHES_MAX = 64,
	SCAN_QUOTE_MAX = SCAN_SLASHES_MAX + 8,
	SCAN_ELEMENT_MAX = 128,
	SCAN_ENTITY_MAX = 6, /* "&quot;", "&#x22;"; what is longer is none */
};

enum scan_state {
	SCAN_SHOW,
	SCAN_SPACE,  /* behind a secret's name in quotes: does a separator follow? */
	SCAN_BEFORE, /* behind the separator: the value comes */
	/* All that follow hide. */
	SCAN_TOKEN,
	SCAN_QUOTED,  /* a string */
	SCAN_CODED,   /* a string whose quotes are written as "%22", "\u0022" or "&quot;" */
	SCAN_NESTED,  /* an object or an array */
	SCAN_PLAIN,   /* up to one of `ends` */
	SCAN_LINES,   /* lines that are indented deeper than the name's */
	SCAN_TAG,     /* the rest of a tag */
	SCAN_ELEMENT, /* what is between it and the one that closes it */
};

struct scan_name { /* of the secret whose value comes */
	bool quoted;
	bool coded;     /* itself, or its quotes */
	bool is_member; /* not quoted, but where an object's member would stand */
	bool begins_line;
	char quote;
	unsigned level;  /* backslashes before its quotes */
	unsigned column; /* where it stands in its line */
};

struct scan_set { /* of bytes */
	uint32_t bits[8];
};

static inline bool scan_set_has(const struct scan_set *set, char c)
{
	unsigned char byte = (unsigned char)c;

	return (set->bits[byte / 32] >> (byte % 32) & 1) != 0;
}

struct redact_scan {
	const struct redactor *redactor;
	const struct secret_names *names;
	const uint64_t *pairs;
	enum body_kind kind;
	enum scan_state state;
	enum token_text behind; /* the bytes at hand */
	struct buffer *out;
	bool hid;
	bool open; /* the text ended within what was hidden */

	/* of a secret's name */
	struct scan_name name;
	bool equals;          /* the separator is an '=' */
	bool coded_separator; /* it was written as "%3D" or the like */

	/* of what is being hidden */
	struct redact_mark mark;
	uint64_t hidden; /* bytes */
	struct token token;
	char quote; /* SCAN_QUOTED, SCAN_NESTED; 0 where none was seen yet */
	unsigned level;
	bool in_string; /* SCAN_NESTED */
	uint64_t depth;
	char closing[SCAN_QUOTE_MAX]; /* SCAN_CODED: the quote; SCAN_ELEMENT: what opens a tag */
	size_t closing_len;
	struct scan_set ends;
	bool bare;       /* SCAN_LINES: nothing stood behind the separator */
	bool hidden_tag; /* SCAN_ELEMENT: the rest of its tag was hidden too */
	char element[SCAN_ELEMENT_MAX];
	size_t element_len;

	/* the bytes at hand */
	bool dropped;   /* there were some before them */
	size_t run_end; /* see token_shape_at() */
	size_t at;      /* before it all is decided, */
	size_t shown;   /* and before this shown or hidden */
	size_t len;
	char work[SCAN_ROOM + 2]; /* with two NULs behind them */

	struct scan_raw *raw; /* NULL, or how what is at hand was written */
};

/* Of text that came coded: what is shown of it stays as it came. */
struct scan_raw {
	enum scan_coding coding;
	bool begun; /* a byte came that is no white space */
	size_t at;  /* where the bytes of work[shown] begin */
	size_t len; /* of `bytes` */
	size_t cut; /* an escape that is not whole yet: so many bytes at the end */
	unsigned char width[SCAN_ROOM]; /* of each byte in `work` */
	char bytes[SCAN_ENTITY_MAX * SCAN_ROOM];
};

/* What a look at one place says. */
enum scan_look {
	SCAN_NOTHING,
	SCAN_MORE,  /* it needs more bytes */
	SCAN_TAKEN, /* the state is another one */
};

static inline bool scan_goes_on(const struct redact_scan *scan)
{
	return scan->behind == TOKEN_TEXT_GOES_ON;
}

/* redact_name.c */

/* Whether a secret's name stands right before `at`; `*name` then says how. */
bool scan_name_before(const struct redact_scan *scan, size_t at, struct scan_name *name);
/* Undoes one layer of escapes: percent, backslash and entities. Returns the length, at most
 * text.len. */
size_t scan_unescape(struct slice text, char *out);

/* redact_value.c: SCAN_BEFORE. False where it needs more bytes. */
bool scan_before_value(struct redact_scan *scan);

/* redact_hiding.c */

/* Shows what is decided, and begins to hide in a state. */
void scan_hide(struct redact_scan *scan, enum scan_state state);
/* Goes on hiding. False where it needs more bytes. */
bool scan_go_on_hiding(struct redact_scan *scan);
/* What begins at `at` and was decided on is shown. */
void scan_show_until(struct redact_scan *scan, size_t at);
/* Hides so many bytes. */
void scan_take(struct redact_scan *scan, size_t len);
/* Ends, with a mark where something was hidden. */
void scan_end_hiding(struct redact_scan *scan);

/* redact_scan.c */

/* Room for more at hand, one piece at most. */
size_t scan_room(struct redact_scan *scan);
/* Decides what can be decided of what is at hand. */
void scan_run(struct redact_scan *scan, struct buffer *out);

/* redact_coded.c */

void scan_raw_reset(struct scan_raw *raw);
/* What is left of an escape stands for itself. */
void scan_raw_end(struct redact_scan *scan);

/* How many bytes those of [shown, at) were; they are taken off. */
struct slice scan_raw_take(struct redact_scan *scan, size_t at);
/* Follows what make_room() does to what is at hand. */
void scan_raw_move(struct scan_raw *raw, size_t by, size_t len);

#endif
