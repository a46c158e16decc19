/*
 * Layer: inspector (sees base). One job: text as a POSIX shell takes it literally: whatever is in
 * it, it stays one word, and nothing of it is run. What is written is UTF-8 without control
 * characters but for line ends and tabs, so that it can be shown, copied and pasted.
 */
#ifndef SIGHTGLASS_INSPECTOR_SHELL_H
#define SIGHTGLASS_INSPECTOR_SHELL_H

#include <stdbool.h>

#include "base/buffer.h"
#include "base/slice.h"

/*
 * One word: in single quotes where `text` is plain (shell_is_plain()), else by way of printf. Has
 * no NUL, since no argument can; a line end at its end is only kept where it is plain.
 */
void shell_word(struct buffer *out, struct slice text);

/* UTF-8 without control characters, but for '\n' and '\t'. Characters are whole. */
bool shell_is_plain(struct slice text);
/* What stands for plain text between two single quotes; may be called for one part after another.
 */
void shell_quoted(struct buffer *out, struct slice text);
/*
 * What stands for any bytes, NUL included, between the quotes of printf '…'; part after part.
 * `first` says that nothing came before.
 */
void shell_printf_format(struct buffer *out, struct slice bytes, bool first);
/*
 * A part of a comment. Letters, digits, spaces and a few signs stay, everything else becomes '_':
 * an interactive zsh knows no comments, and then it is a command that does not exist, with harmless
 * words behind it.
 */
void shell_comment(struct buffer *out, struct slice text);

#endif
