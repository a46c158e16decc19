/*
 * Layer: pool. One job: kubeconfig:[FILE][?context=NAME].
 */
#include "base/memory.h"
#include "pool/kubeconfig.h"

static const struct slice scheme = SLICE_INIT("kubeconfig:");
static const struct slice context_equals = SLICE_INIT("context=");
static const char wanted[] = "kubeconfig:[FILE][?context=NAME] would be right";

enum {
	URL_TEXT_MAX = 4096,
};

bool kubeconfig_url_is(struct slice url)
{
	return url.len >= scheme.len && slice_equal_nocase(slice_of(url.ptr, scheme.len), scheme);
}

static int hex_value(char c)
{
	c = ascii_lower(c);
	if (c >= '0' && c <= '9') {
		return c - '0';
	}
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* As a new text; NULL where a '%' begins no escape, or one stands for a control character. */
static char *decode(struct slice text)
{
	char *out = mem_zalloc(text.len + 1);
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++) {
		int high = text.ptr[i] == '%' && i + 2 < text.len ? hex_value(text.ptr[i + 1]) : -1;
		int low = high >= 0 ? hex_value(text.ptr[i + 2]) : -1;

		if (text.ptr[i] != '%') {
			out[len++] = text.ptr[i];
		} else if (low < 0 || high < 2) {
			mem_free(out);
			return NULL;
		} else {
			out[len++] = (char)(unsigned char)(high * 16 + low);
			i += 2;
		}
	}
	return out;
}

static bool is_printable(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		if ((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f) {
			return false;
		}
	}
	return true;
}

static char *copy(struct slice text)
{
	char *out = mem_zalloc(text.len + 1);

	memcpy(out, text.ptr, text.len);
	return out;
}

static enum err_code parse_query(struct slice query, struct kubeconfig_url *out, struct err *err)
{
	if (!slice_starts_with(query, context_equals)) {
		return err_set(err, ERR_SETTINGS, "the query names no context; %s", wanted);
	}
	if (query.len == context_equals.len) {
		return err_set(err, ERR_SETTINGS, "the context's name is empty; %s", wanted);
	}
	if (memchr(query.ptr, '&', query.len) != NULL) {
		return err_set(err, ERR_SETTINGS,
			"the query goes on behind the context (%%26 stands for a '&' in its name); "
			"%s",
			wanted);
	}
	out->context =
		decode(slice_of(query.ptr + context_equals.len, query.len - context_equals.len));
	if (out->context == NULL) {
		return err_set(err, ERR_SETTINGS,
			"a '%%' in the context's name begins no escape; %%25 would be right");
	}
	return ERR_NONE;
}

enum err_code kubeconfig_url_parse(struct slice url, struct kubeconfig_url *out, struct err *err)
{
	struct slice rest;
	const char *mark;
	size_t file_len;

	*out = (struct kubeconfig_url){.file = NULL};
	if (!kubeconfig_url_is(url)) {
		return err_set(err, ERR_SETTINGS, "it is no kubeconfig; %s", wanted);
	}
	if (url.len > URL_TEXT_MAX || !is_printable(url)) {
		return err_set(err, ERR_SETTINGS, "it is too long or holds a control character; %s",
			wanted);
	}
	rest = slice_of(url.ptr + scheme.len, url.len - scheme.len);
	mark = slice_find(rest, SLICE("?"));
	file_len = mark == NULL ? rest.len : (size_t)(mark - rest.ptr);
	if (file_len > 0) {
		out->file = copy(slice_of(rest.ptr, file_len));
	}
	if (mark == NULL) {
		return ERR_NONE;
	}
	return parse_query(slice_of(mark + 1, rest.len - file_len - 1), out, err);
}

void kubeconfig_url_fini(struct kubeconfig_url *url)
{
	mem_free(url->file);
	mem_free(url->context);
	*url = (struct kubeconfig_url){.file = NULL};
}
