/*
 * Layer: pool. One job: see secret_file.h.
 */
#include "pool/secret_file.h"

#include "base/small_file.h"

static const char *const wanted[] = {
	[SECRET_TOKEN] = "the token alone would be right",
	[SECRET_FIELD_VALUE] = "the field's value in one line would be right",
};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct slice trim(struct slice text)
{
	while (text.len > 0 && is_space(text.ptr[text.len - 1])) {
		text.len--;
	}
	while (text.len > 0 && is_space(text.ptr[0])) {
		text = slice_of(text.ptr + 1, text.len - 1);
	}
	return text;
}

/* What is wrong with a byte within the text; NULL where nothing is. */
static const char *fault_of(char byte, enum secret_shape shape)
{
	unsigned char c = (unsigned char)byte;

	if (c == '\n' || c == '\r') {
		return "has more than one line";
	}
	if ((c < ' ' && c != '\t') || c == 0x7f) {
		return "holds a control character";
	}
	if (shape == SECRET_TOKEN && (c == ' ' || c == '\t')) {
		return "holds a space";
	}
	return shape == SECRET_TOKEN && c >= 0x80 ? "holds a character outside ASCII" : NULL;
}

enum err_code secret_check(struct slice text, enum secret_shape shape, struct err *err)
{
	if (text.len == 0) {
		return err_set(err, ERR_SETTINGS, "is empty; %s", wanted[shape]);
	}
	if (text.len > SECRET_FILE_MAX) {
		return err_set(err, ERR_SETTINGS, "has more than %d bytes; %s", SECRET_FILE_MAX,
			wanted[shape]);
	}
	if (is_space(text.ptr[0]) || is_space(text.ptr[text.len - 1])) {
		return err_set(
			err, ERR_SETTINGS, "has a space at its start or end; %s", wanted[shape]);
	}
	for (size_t i = 0; i < text.len; i++) {
		const char *fault = fault_of(text.ptr[i], shape);

		if (fault != NULL) {
			return err_set(err, ERR_SETTINGS, "%s; %s", fault, wanted[shape]);
		}
	}
	return ERR_NONE;
}

enum err_code secret_file_read(
	const char *path, enum secret_shape shape, struct secret *out, struct err *err)
{
	char name[SMALL_FILE_NAME_SIZE];
	struct secret bytes;
	struct err why = ERR_INIT;
	struct slice text;
	enum err_code code;

	code = small_file_read(path, SECRET_FILE_MAX, &bytes, &why);
	if (code != ERR_NONE) {
		return err_set(err, code, "%s; a file that holds %s", why.text, wanted[shape]);
	}
	text = trim(secret_slice(&bytes));
	code = secret_check(text, shape, &why);
	if (code == ERR_NONE) {
		secret_init(out, text);
	} else {
		(void)err_set(err, code, "%s %s", small_file_name(path, name), why.text);
	}
	secret_fini(&bytes);
	return code;
}
