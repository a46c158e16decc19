/*
 * What nobody may read, in bodies of each kind, however they are cut. The tokens are made up.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guarded.h"
#include "inspector/redact_body.h"

#define JWT                                                                                        \
	"eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0."                        \
	"dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
#define GITHUB "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
#define GONE "[redacted]"
#define JSON "application/json"
#define FORM "application/x-www-form-urlencoded"
#define PARTS "multipart/form-data; boundary=XX"

struct fixture {
	struct inspector_settings settings;
	struct redactor *redactor;
	bool cut; /* what is given is the beginning of more */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->redactor = redactor_create(&f->settings);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	redactor_destroy(f->redactor);
	free(f);
	return 0;
}

/* The text in pieces: one up to `first`, then each of `step` bytes. */
static bool redact_pieces(const struct fixture *f, const char *type, struct slice text,
	size_t first, size_t step, struct buffer *out)
{
	struct redact_body *body = redact_body_create(f->redactor, slice_str(type));
	bool hid;

	while (text.len > 0) {
		size_t len = first > 0 ? first : step;

		len = len < text.len ? len : text.len;
		redact_body_add(body, guarded_copy(slice_of(text.ptr, len)), out);
		text = slice_of(text.ptr + len, text.len - len);
		first = 0;
	}
	redact_body_end(body, f->cut, out);
	hid = redact_body_hid(body);
	redact_body_destroy(body);
	return hid;
}

static void expect_pieces(const struct fixture *f, const char *type, struct slice text,
	size_t first, size_t step, struct slice wanted)
{
	struct buffer out = BUFFER_INIT;
	bool hid = redact_pieces(f, type, text, first, step, &out);

	if (!slice_equal(buffer_slice(&out), wanted)) {
		print_message("of \"%.*s\" (first %zu, step %zu)\n", SLICE_ARGS(text), first, step);
		print_message("got \"%.*s\"\n", SLICE_ARGS(buffer_slice(&out)));
		fail_msg("wanted \"%.*s\"", SLICE_ARGS(wanted));
	}
	assert_int_equal(hid, !slice_equal(text, wanted));
	buffer_fini(&out);
}

/* Whole, byte by byte, and cut in two at each place. */
static void expect_slices(
	const struct fixture *f, const char *type, struct slice text, struct slice wanted)
{
	expect_pieces(f, type, text, 0, text.len + 1, wanted);
	expect_pieces(f, type, text, 0, 1, wanted);
	expect_pieces(f, type, text, 0, 7, wanted);
	for (size_t at = 1; at < text.len; at++) {
		expect_pieces(f, type, text, at, text.len, wanted);
	}
}

static void expect(const struct fixture *f, const char *type, const char *text, const char *wanted)
{
	expect_slices(f, type, slice_str(text), slice_str(wanted));
}

/* The same behind so much else that its kind is known before, and the bytes at hand have moved. */
static void expect_behind(const struct fixture *f, const char *type, const char *filler,
	const char *text, const char *wanted)
{
	struct buffer long_text = BUFFER_INIT;
	struct buffer long_wanted = BUFFER_INIT;

	while (long_text.len < 20000) {
		buffer_append_str(&long_text, filler);
	}
	buffer_append_slice(&long_wanted, buffer_slice(&long_text));
	buffer_append_str(&long_text, text);
	buffer_append_str(&long_wanted, wanted);
	for (size_t step = 1; step < 5000; step = step * 3 + 1) {
		expect_pieces(
			f, type, buffer_slice(&long_text), 0, step, buffer_slice(&long_wanted));
	}
	buffer_fini(&long_text);
	buffer_fini(&long_wanted);
}

/* --- JSON */

static void members_of_json_are_hidden_at_any_depth(void **state)
{
	struct fixture *f = *state;

	expect(f, JSON, "{\"user\":\"a\",\"password\":\"hunter2\",\"n\":1}",
		"{\"user\":\"a\",\"password\":\"" GONE "\",\"n\":1}");
	expect(f, JSON, "[[[{\"a\":{\"b\":[{\"apiKey\" : \"x\\\"y\\\\\"}]}}]]]",
		"[[[{\"a\":{\"b\":[{\"apiKey\" : \"" GONE "\"}]}}]]]");
	expect(f, JSON, "{\n  \"Client-Secret\"\n:\n\t\"x\"\n}",
		"{\n  \"Client-Secret\"\n:\n\t\"" GONE "\"\n}");
	expect(f, JSON, "{\"user.token\":\"x\",\"tokens\":\"y\",\"tokenizer\":\"z\"}",
		"{\"user.token\":\"" GONE "\",\"tokens\":\"y\",\"tokenizer\":\"z\"}");
	expect(f, JSON, "{\"headers\":{\"Cookie\":\"a=b\",\"X-Ms-Token-Aad-Id\":\"c\"}}",
		"{\"headers\":{\"Cookie\":\"" GONE "\",\"X-Ms-Token-Aad-Id\":\"" GONE "\"}}");
}

static void values_that_are_no_strings_become_strings(void **state)
{
	struct fixture *f = *state;

	expect(f, JSON, "{\"pwd\":12345,\"a\":1}", "{\"pwd\":\"" GONE "\",\"a\":1}");
	expect(f, JSON, "{\"secret\":true}", "{\"secret\":\"" GONE "\"}");
	expect(f, JSON, "{\"secret\":{\"a\":[1,\"}\",{\"b\":\"\\\"]\"}]},\"c\":2}",
		"{\"secret\":\"" GONE "\",\"c\":2}");
	expect(f, JSON, "{\"token\": [\"a\", \"b\"] ,\"c\":2}",
		"{\"token\": \"" GONE "\" ,\"c\":2}");
	expect(f, JSON, "{\"token\":null,\"password\":\"\",\"sig\":{}}",
		"{\"token\":null,\"password\":\"\",\"sig\":\"" GONE "\"}");
}

static void names_of_json_are_read_with_their_escapes(void **state)
{
	struct fixture *f = *state;

	expect(f, JSON, "{\"\\u0070assword\":\"x\",\"pass\\u0057ord\":\"y\"}",
		"{\"\\u0070assword\":\"" GONE "\",\"pass\\u0057ord\":\"" GONE "\"}");
	expect(f, JSON, "{\"\\u0070\\u0061\\u0073\\u0073\\u0077\\u006f\\u0072\\u0064\":\"x\"}",
		"{\"\\u0070\\u0061\\u0073\\u0073\\u0077\\u006f\\u0072\\u0064\":\"" GONE "\"}");
}

static void json_within_json_is_redacted_too(void **state)
{
	struct fixture *f = *state;

	expect(f, JSON, "{\"body\":\"{\\\"password\\\":\\\"x\\\\\\\"y\\\",\\\"a\\\":1}\",\"b\":2}",
		"{\"body\":\"{\\\"password\\\":\\\"" GONE "\\\",\\\"a\\\":1}\",\"b\":2}");
	expect(f, JSON, "{\"body\":\"{\\\"token\\\": 17, \\\"a\\\":1}\"}",
		"{\"body\":\"{\\\"token\\\": \\\"" GONE "\\\", \\\"a\\\":1}\"}");
	expect(f, JSON, "{\"b\":\"{\\\"secret\\\":{\\\"a\\\":\\\"}\\\"},\\\"c\\\":1}\"}",
		"{\"b\":\"{\\\"secret\\\":\\\"" GONE "\\\",\\\"c\\\":1}\"}");
	expect(f, JSON, "{\"b\":\"{\\u0022password\\u0022:\\u0022x\\u0022,\\u0022a\\u0022:1}\"}",
		"{\"b\":\"{\\u0022password\\u0022:\\u0022" GONE "\\u0022,\\u0022a\\u0022:1}\"}");
	expect(f, JSON, "{\"q\":\"mutation { login(password: \\\"x y\\\") { id } }\"}",
		"{\"q\":\"mutation { login(password: \\\"" GONE "\\\") { id } }\"}");
}

static void text_in_json_is_redacted_too(void **state)
{
	struct fixture *f = *state;

	expect(f, JSON, "{\"next\":\"https://a.test/x?page=2&token=abc&y=1\",\"a\":1}",
		"{\"next\":\"https://a.test/x?page=2&token=" GONE "&y=1\",\"a\":1}");
	expect(f, JSON, "{\"next\":\"https://a.test/?page=2\\u0026sig=abc\\u0026y=1\"}",
		"{\"next\":\"https://a.test/?page=2\\u0026sig=" GONE "\\u0026y=1\"}");
	expect(f, JSON, "{\"log\":\"begin\\npassword: a b c\\nend\",\"a\":1}",
		"{\"log\":\"begin\\npassword: " GONE "\\nend\",\"a\":1}");
	expect(f, JSON, "{\"log\":\"enter password: \",\"a\":\"password=\",\"b\":1}",
		"{\"log\":\"enter password: \",\"a\":\"password=\",\"b\":1}");
	expect(f, JSON, "{\"soap\":\"<a><password>x<\\/password><\\/a>\"}",
		"{\"soap\":\"<a><password>" GONE "<\\/password><\\/a>\"}");
	expect(f, JSON, "{\"soap\":\"\\u003cpassword\\u003ex y\\u003c/password\\u003e\"}",
		"{\"soap\":\"\\u003cpassword\\u003e" GONE "\\u003c/password\\u003e\"}");
	expect(f, JSON, "{\"usage\":\"login <token> or\",\"a\":1}",
		"{\"usage\":\"login <token>" GONE "\",\"a\":1}");
	expect(f, JSON,
		"{\"list\":[{\"name\":\"password\",\"value\":\"x\"},{\"name\":\"a\","
		"\"value\":\"y\"}]}",
		"{\"list\":[{\"name\":\"password\",\"value\":\"" GONE "\"},{\"name\":\"a\","
		"\"value\":\"y\"}]}");
}

static void broken_json_hides_no_less(void **state)
{
	struct fixture *f = *state;

	expect(f, JSON, "{\"a\": \"not closed, \"password\": \"x\"}",
		"{\"a\": \"not closed, \"password\": \"" GONE "\"}");
	expect(f, JSON, "{password: \"x\", 'token': 'y', \"sig\": z w}",
		"{password: \"" GONE "\", 'token': '" GONE "', \"sig\": \"" GONE "\"}");
	expect(f, JSON, "\"password\":\"x\"}{\"token\":\"y\"}\n{\"pwd\":\"z\"}\n",
		"\"password\":\"" GONE "\"}{\"token\":\"" GONE "\"}\n{\"pwd\":\"" GONE "\"}\n");
	expect(f, JSON, "{\"a\":1,\"password: \"x\",\"b\":1}",
		"{\"a\":1,\"password: \"" GONE "\",\"b\":1}");
	expect(f, JSON, "{\"password\":\"never closed", "{\"password\":\"" GONE);
	expect(f, JSON, "{\"password\":{\"never\":\"closed\"", "{\"password\":\"" GONE "\"");
	expect(f, JSON, "{\"password\":", "{\"password\":");
	expect(f, JSON, "{\"password\"", "{\"password\"");
	expect(f, JSON, "{\"password\":\"ends in \\", "{\"password\":\"" GONE);
}

static void json_is_known_by_how_it_begins(void **state)
{
	struct fixture *f = *state;
	const char *const types[] = {"", "text/plain", FORM, "application/octet-stream",
		"image/png", "application/problem+json; charset=utf-8"};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		expect(f, types[i], " {\"password\": \"x&y\", \"pwd\": 1}",
			" {\"password\": \"" GONE "\", \"pwd\": \"" GONE "\"}");
	}
}

static void deep_json_costs_no_memory_and_hides_as_much(void **state)
{
	struct fixture *f = *state;
	struct buffer text = BUFFER_INIT;
	struct buffer wanted = BUFFER_INIT;

	for (unsigned i = 0; i < 100000; i++) {
		buffer_append_str(&text, "{\"a\":[");
	}
	buffer_append_slice(&wanted, buffer_slice(&text));
	buffer_append_str(&text, "{\"token\":");
	buffer_append_str(&wanted, "{\"token\":\"" GONE "\"}");
	for (unsigned i = 0; i < 100000; i++) {
		buffer_append_str(&text, "[{\"b\":");
	}
	buffer_append_str(&text, "\"x\"");
	for (unsigned i = 0; i < 100000; i++) {
		buffer_append_str(&text, "}]");
	}
	buffer_append_str(&text, "}");
	expect_pieces(f, JSON, buffer_slice(&text), 0, 1000, buffer_slice(&wanted));
	buffer_fini(&text);
	buffer_fini(&wanted);
}

/* --- forms */

static void fields_of_forms_are_hidden(void **state)
{
	struct fixture *f = *state;

	expect(f, FORM, "user=a&password=hunter2&n=1", "user=a&password=" GONE "&n=1");
	expect(f, FORM, "password=x&user%5Bpass%77ord%5D=y+z&pass+word=%22=&b=",
		"password=" GONE "&user%5Bpass%77ord%5D=" GONE "&pass+word=" GONE "&b=");
	expect(f, FORM, "token=&tokens=a&a=token", "token=&tokens=a&a=token");
	expect(f, FORM, "data=%7B%22password%22%3A%22x%22%2C%22n%22%3A+1%7D&b=2",
		"data=%7B%22password%22%3A%22" GONE "%22%2C%22n%22%3A+1%7D&b=2");
	expect(f, FORM, "data=%257B%2522password%2522%253A%2522x%2522%257D&b=2",
		"data=%257B%2522password%2522%253A%2522" GONE "%2522%257D&b=2");
	expect(f, FORM, "data=%7B%22pwd%22%3A+12%7D&b=2",
		"data=%7B%22pwd%22%3A+%22" GONE "%22%7D&b=2");
	expect(f, FORM, "next=%2Fx%3Ftoken%3Dabc%26y%3D1&b=2",
		"next=%2Fx%3Ftoken%3D" GONE "%26y%3D1&b=2");
	expect(f, FORM, "a=%&b=%4&c=%zz&%70wd=x&x%70wd=%41%",
		"a=%&b=%4&c=%zz&%70wd=" GONE "&x%70wd=%41%");
	expect(f, FORM, "password: a=b&c=d", "password: " GONE "=" GONE "&c=d");
	expect(f, FORM,
		"d=%22%7B%5C%22SI%5C%5Cu0047%5C%22%5Cn%3A%5Cn++%5C%22x%5C%22%2C%5C%22a%5C%22%3A1%"
		"7D%22",
		"d=%22%7B%5C%22SI%5C%5Cu0047%5C%22%5Cn%3A%5Cn++%5C%22" GONE
		"%5C%22%2C%5C%22a%5C%22%3A1%7D%22");
	expect(f, FORM, "a=" GITHUB "&b=2", "a=" GONE "&b=2");
	expect(f, FORM, "k=-----BEGIN+PRIVATE+KEY-----%0AMIIE%0A-----END+PRIVATE+KEY-----&b=2",
		"k=" GONE "&b=2");
	expect(f, FORM, "k=-----BEGIN%20RSA%20PRIVATE%20KEY-----%0AMIIE&b=2", "k=" GONE "&b=2");
	expect(f, FORM, "password=x", "password=" GONE);
}

/* --- multipart */

static void parts_are_hidden_by_their_name(void **state)
{
	struct fixture *f = *state;

	expect(f, PARTS,
		"--XX\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\na\r\n--XX\r\n"
		"Content-Disposition: form-data; name=\"password\"\r\n\r\nhunter2\r\n--XX-y\r\n"
		"more\r\n--XX\r\n"
		"content-disposition: form-data; name=token; filename=\"x\"\r\n\r\n\r\n--XX--\r\n",
		"--XX\r\nContent-Disposition: form-data; name=\"user\"\r\n\r\na\r\n--XX\r\n"
		"Content-Disposition: form-data; name=\"password\"\r\n\r\n" GONE "\r\n--XX\r\n"
		"content-disposition: form-data; name=token; filename=\"x\"\r\n\r\n\r\n--XX--\r\n");
}

static void parts_are_redacted_by_their_type(void **state)
{
	struct fixture *f = *state;

	expect(f, PARTS,
		"preamble\r\n--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n"
		"Content-Type: application/json\r\n\r\n{\"password\":{\"x\":1}}\r\n--XX\n"
		"Content-Disposition: form-data; name=\"b\"\n\n" GITHUB "\n--XX\n"
		"Content-Disposition: form-data; name=\"c\"\n"
		"Content-Transfer-Encoding: base64\n\nc2VjcmV0\n--XX--",
		"preamble\r\n--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n"
		"Content-Type: application/json\r\n\r\n{\"password\":\"" GONE "\"}\r\n--XX\n"
		"Content-Disposition: form-data; name=\"b\"\n\n" GONE "\n--XX\n"
		"Content-Disposition: form-data; name=\"c\"\n"
		"Content-Transfer-Encoding: base64\n\n" GONE "\n--XX--");
}

static void a_multipart_without_its_boundary_is_known_by_its_first_line(void **state)
{
	struct fixture *f = *state;
	const char *const types[] = {
		"multipart/form-data", "multipart/form-data; boundary=other", "", "text/plain"};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		expect(f, types[i],
			"--Z\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nhunter2",
			"--Z\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n" GONE);
	}
	expect(f, PARTS, "no part at all, password: x", "no part at all, password: " GONE);
	expect(f, PARTS, "--XX", "--XX");
	expect(f, PARTS, "--XX\r\nContent-Disposition", "--XX\r\nContent-Disposition");
}

static void multiparts_within_each_other_are_redacted(void **state)
{
	struct fixture *f = *state;

	expect(f, PARTS,
		"--XX\r\nContent-Type: multipart/mixed; boundary=YY\r\n\r\n--YY\r\n"
		"Content-Disposition: form-data; name=\"pwd\"\r\n\r\nx\r\n--YY--\r\n--XX--",
		"--XX\r\nContent-Type: multipart/mixed; boundary=YY\r\n\r\n--YY\r\n"
		"Content-Disposition: form-data; name=\"pwd\"\r\n\r\n" GONE "\r\n--YY--\r\n--XX--");
}

/* --- text */

static void names_before_a_colon_or_an_equals_sign_hide_in_text(void **state)
{
	struct fixture *f = *state;

	expect(f, "text/plain", "the password: a b c\r\nnext", "the password: " GONE "\r\nnext");
	expect(f, "text/plain", "PASSWORD=a b c\nexport TOKEN=x y\nA=1",
		"PASSWORD=" GONE "\nexport TOKEN=" GONE "\nA=1");
	expect(f, "text/plain", "level=info token=abc msg=\"password = 'x y' z\"\n",
		"level=info token=" GONE " msg=\"password = '" GONE "' z\"\n");
	expect(f, "text/plain", "secret == \"x\", \"pwd\" => 'it''s', [token] => a b\n",
		"secret == \"" GONE "\", \"pwd\" => '" GONE "', [token] => " GONE " b\n");
	expect(f, "text/plain", "curl -H 'Authorization: Bearer abc' --password=x http://a/?sig=y",
		"curl -H 'Authorization: " GONE);
	expect(f, "text/event-stream", "event: a\ndata: {\"token\": \"x\"}\n\ndata: {\"b\":1}\n\n",
		"event: a\ndata: {\"token\": \"" GONE "\"}\n\ndata: {\"b\":1}\n\n");
}

static void blocks_of_yaml_are_hidden_whole(void **state)
{
	struct fixture *f = *state;

	expect(f, "application/yaml", "a: 1\npassword: x\nb: 2\n",
		"a: 1\npassword: " GONE "\nb: 2\n");
	expect(f, "application/yaml", "a:\n  secret: |\n    one\n\n    two\n  b: 2\n",
		"a:\n  secret: " GONE "\n  b: 2\n");
	expect(f, "application/yaml", "- token: one\n  two: 2\n- token:\n    a: b\n  c: d\n",
		"- token: " GONE "\n  two: 2\n- token: " GONE "\n  c: d\n");
	expect(f, "application/yaml", "token:\n- a\n- b\nc: d\n", "token: " GONE "\nc: d\n");
	expect(f, "application/yaml", "token:\nc: d\n", "token:\nc: d\n");
	expect(f, "application/yaml", "token:\n  a: b", "token: " GONE);
}

static void elements_are_hidden(void **state)
{
	struct fixture *f = *state;

	expect(f, "text/xml", "<a><password>x<b>y</b></password><c/></a>",
		"<a><password>" GONE "</password><c/></a>");
	expect(f, "text/xml", "<s:Token xmlns:s=\"u\">x</s:Token><token value=\"y\"/>",
		"<s:Token>" GONE "</s:Token><token " GONE "/>");
	expect(f, "", "<a><secret></secret><pwd>x", "<a><secret></secret><pwd>" GONE);
	expect(f, "text/html", "<p>Password: x y</p><a href=\"/?a=1&amp;token=x&amp;b=2\">",
		"<p>Password: " GONE "</p><a href=\"/?a=1&amp;token=" GONE "&amp;b=2\">");
	expect(f, "text/html",
		"<i data-x=\"{&quot;password&quot;:&quot;x&quot;,&quot;n&quot;:1}\">",
		"<i data-x=\"{&quot;password&quot;:&quot;" GONE "&quot;,&quot;n&quot;:1}\">");
	expect(f, "text/html", "&lt;password&gt;x&lt;/password&gt;",
		"&lt;password&gt;" GONE "&lt;/password&gt;");
	expect(f, "text/html", "<script>var c = {token: \"x\", n: 1}</script>",
		"<script>var c = {token: \"" GONE "\", n: 1}</script>");
	expect(f, "application/javascript", "f({token:e.token,n:`a`,pwd:`b`});a<token>b",
		"f({token:" GONE ",n:`a`,pwd:`" GONE "`});a<token>b");
}

/* --- tokens */

static void token_shapes_are_hidden_anywhere(void **state)
{
	struct fixture *f = *state;
	static const char *const tokens[] = {JWT, GITHUB, "AKIAIOSFODNN7EXAMPLE",
		"github_pat_11ABCDEFG0123456789_abcdefghij", "xoxb-123456789012-abcdefghijkl",
		"hooks.slack.com/services/T00000000/B00000000/XXXXXXXX",
		"-----BEGIN EC PRIVATE KEY-----\\nMHcCAQEE\\n-----END EC PRIVATE KEY-----"};
	static const char *const types[] = {
		JSON, "text/plain", FORM, "text/html", "image/png", "application/javascript"};

	for (size_t i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
		for (size_t j = 0; j < sizeof(types) / sizeof(types[0]); j++) {
			char text[512];
			char wanted[512];

			(void)snprintf(text, sizeof(text), "\x01\"a\":\"%s\",\"b\":1", tokens[i]);
			(void)snprintf(wanted, sizeof(wanted), "\x01\"a\":\"%s\",\"b\":1", GONE);
			expect(f, types[j], text, wanted);
		}
	}
}

static void keys_without_an_end_hide_the_rest(void **state)
{
	struct fixture *f = *state;

	expect(f, "text/plain", "a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\nMIIF\n", "a\n" GONE);
	expect(f, JSON, "{\"a\":\"-----BEGIN PRIVATE KEY-----\\nMII\",\"b\":1}",
		"{\"a\":\"" GONE "\",\"b\":1}");
}

static void what_may_be_a_tokens_beginning_is_hidden_at_a_cut(void **state)
{
	struct fixture *f = *state;

	expect(f, FORM, "a=ghp_16C7e42F&b=c", "a=ghp_16C7e42F&b=c");
	expect(f, JSON, "{\"a\":\"ghp_16C7e42F\"}", "{\"a\":\"ghp_16C7e42F\"}");
	expect(f, JSON, "{\"a\":\"ghp_16C7e42F", "{\"a\":\"" GONE);
	f->cut = true;
	expect(f, "text/plain", "ghp_16C7e42F", GONE);
	expect(f, JSON, "{\"a\":\"ghp_16C7e42F", "{\"a\":\"" GONE);
	expect(f, JSON, "{\"a\":\"ghp_", "{\"a\":\"ghp_");
	expect(f, "text/plain", "AKIA1", GONE);
	expect(f, "text/plain", "eyJhbGciOiJIUzI1NiJ9", GONE);
	expect(f, "text/plain", "eyJhbGciOiJIUzI1NiJ9.", GONE);
	expect(f, "text/plain", "eyJhbGciOiJIUzI1NiJ9.eyJ", GONE);
	expect(f, "text/plain", "token=abc", "token=" GONE);
	expect(f, JSON, "{\"password\":\"hunt", "{\"password\":\"" GONE);
}

static void a_header_that_does_not_end_is_taken_for_a_token(void **state)
{
	struct fixture *f = *state;
	struct buffer text = BUFFER_INIT;

	buffer_append_str(&text, "eyJ");
	for (unsigned i = 0; i < 30000; i++) {
		buffer_append_char(&text, 'a');
	}
	for (size_t step = 1; step < 40000; step = step * 5 + 1) {
		expect_pieces(f, "text/plain", buffer_slice(&text), 0, step, SLICE(GONE));
	}
	buffer_fini(&text);
}

/* --- all kinds */

static void what_stands_far_behind_is_hidden_as_well(void **state)
{
	struct fixture *f = *state;

	expect_behind(f, JSON, "{\"some\":\"thing\", \"n\": [1, 2, 3]}\n",
		"{\"password\": \"x\", \"a\": \"" JWT "\", \"b\": 1}",
		"{\"password\": \"" GONE "\", \"a\": \"" GONE "\", \"b\": 1}");
	expect_behind(f, JSON, "\\\\\\\\\\\\\\\\", "\"token\":\"\\\\\\\\\\\\x\"y",
		"\"token\":\"" GONE "\"y");
	expect_behind(f, FORM, "some=thing&n=1&", "pwd=x&a=" GITHUB "&b=%3A",
		"pwd=" GONE "&a=" GONE "&b=%3A");
	expect_behind(f, "text/html", "<p class=\"x\">some &amp; thing</p>\n",
		"<token>x</token><p>", "<token>" GONE "</token><p>");
	expect_behind(f, "text/plain", " \n", "secret:\n    a\n  b\nc", "secret: " GONE "\nc");
	expect_behind(f, PARTS, "--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n",
		"--XX\r\nContent-Disposition: form-data; name=\"pwd\"\r\n\r\nx\r\n--XX--\r\n",
		"--XX\r\nContent-Disposition: form-data; name=\"pwd\"\r\n\r\n" GONE
		"\r\n--XX--\r\n");
}

static void long_values_are_hidden_whole(void **state)
{
	struct fixture *f = *state;
	static const char *const values[][3] = {
		{JSON, "{\"token\":\"%s\",\"b\":1}", "{\"token\":\"" GONE "\",\"b\":1}"},
		{JSON, "{\"token\":{\"a\":\"%s\"},\"b\":1}", "{\"token\":\"" GONE "\",\"b\":1}"},
		{FORM, "a=b&token=%s&b=1", "a=b&token=" GONE "&b=1"},
		{"text/plain", "token: %s\nb: 1", "token: " GONE "\nb: 1"},
		{"text/xml", "<token>%s</token>", "<token>" GONE "</token>"},
		{PARTS, "--XX\nContent-Disposition: x; name=pwd\n\n%s\n--XX--",
			"--XX\nContent-Disposition: x; name=pwd\n\n" GONE "\n--XX--"},
		{"text/plain", "-----BEGIN PRIVATE KEY-----%s-----END PRIVATE KEY-----b", GONE "b"},
	};
	char *value = malloc(30001);

	memset(value, 'x', 30000);
	value[30000] = '\0';
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct buffer text = BUFFER_INIT;
		const char *at = strstr(values[i][1], "%s");

		buffer_append(&text, values[i][1], (size_t)(at - values[i][1]));
		buffer_append_str(&text, value);
		buffer_append_str(&text, at + 2);
		for (size_t step = 1; step < 40000; step = step * 7 + 1) {
			expect_pieces(f, values[i][0], buffer_slice(&text), 0, step,
				slice_str(values[i][2]));
		}
		buffer_fini(&text);
	}
	free(value);
}

static void a_body_without_secrets_stays_byte_for_byte(void **state)
{
	struct fixture *f = *state;
	static const char *const types[] = {JSON, "text/plain", FORM, "text/html", "image/png",
		"application/javascript", PARTS, ""};
	char bytes[5000];
	uint32_t random = 1;

	for (size_t i = 0; i < sizeof(bytes); i++) {
		random = random * 1664525 + 1013904223;
		bytes[i] = (char)(random >> 24);
	}
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		if (strcmp(types[i], FORM) != 0) { /* to which a name that is too long is secret */
			expect_pieces(f, types[i], slice_of(bytes, sizeof(bytes)), 0, 777,
				slice_of(bytes, sizeof(bytes)));
		}
		expect(f, types[i], "", "");
		expect(f, types[i], "x", "x");
	}
	expect(f, JSON, "{\"a\":\"b\",\"c\":[1,2.5e3,null,true],\"d\":\"\\u00e9\\n\"}",
		"{\"a\":\"b\",\"c\":[1,2.5e3,null,true],\"d\":\"\\u00e9\\n\"}");
}

static void binary_bodies_lose_tokens_and_members_alone(void **state)
{
	struct fixture *f = *state;

	expect(f, "application/octet-stream", "\x01\x02 token=abc password: x",
		"\x01\x02 token=abc password: x");
	expect(f, "application/octet-stream", "\x01\x02{\"token\":\"abc\"} " GITHUB "\x03",
		"\x01\x02{\"token\":\"" GONE "\"} " GONE "\x03");
}

static void tags_make_equal_secrets_look_equal(void **state)
{
	struct fixture *f = *state;
	struct buffer out = BUFFER_INIT;
	struct buffer value = BUFFER_INIT;
	char wanted[200];

	redactor_destroy(f->redactor);
	f->settings.redact.mode = REDACT_TAG;
	f->redactor = redactor_create(&f->settings);
	redact_value(f->redactor, SLICE("hunter2"), &value);
	(void)redact_pieces(
		f, JSON, SLICE("{\"password\":\"hunter2\",\"b\":\"pwd=hunter2 \"}"), 0, 3, &out);
	(void)snprintf(wanted, sizeof(wanted), "{\"password\":\"%.*s\",\"b\":\"pwd=%.*s \"}",
		SLICE_ARGS(buffer_slice(&value)), SLICE_ARGS(buffer_slice(&value)));
	assert_true(slice_equal(buffer_slice(&out), slice_str(wanted)));
	buffer_fini(&out);
	buffer_fini(&value);
}

static void settings_add_names_of_members(void **state)
{
	struct fixture *f = *state;
	static char member[] = "pin_code";
	static char header[] = "X-Session-*";
	static char parameter[] = "otp";
	char *members[] = {member};
	char *headers[] = {header};
	char *parameters[] = {parameter};

	redactor_destroy(f->redactor);
	f->settings.redact.json = (struct string_list){.items = members, .count = 1};
	f->settings.redact.headers = (struct string_list){.items = headers, .count = 1};
	f->settings.redact.query = (struct string_list){.items = parameters, .count = 1};
	f->redactor = redactor_create(&f->settings);
	expect(f, JSON, "{\"pinCode\":1234,\"x-session-id\":\"x\",\"OTP\":\"y\",\"pin\":1}",
		"{\"pinCode\":\"" GONE "\",\"x-session-id\":\"" GONE "\",\"OTP\":\"" GONE
		"\",\"pin\":1}");
	expect(f, FORM, "pin_code=1&otp=2&pin=3", "pin_code=" GONE "&otp=" GONE "&pin=3");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(members_of_json_are_hidden_at_any_depth),
		TEST(values_that_are_no_strings_become_strings),
		TEST(names_of_json_are_read_with_their_escapes),
		TEST(json_within_json_is_redacted_too),
		TEST(text_in_json_is_redacted_too),
		TEST(broken_json_hides_no_less),
		TEST(json_is_known_by_how_it_begins),
		TEST(deep_json_costs_no_memory_and_hides_as_much),
		TEST(fields_of_forms_are_hidden),
		TEST(parts_are_hidden_by_their_name),
		TEST(parts_are_redacted_by_their_type),
		TEST(a_multipart_without_its_boundary_is_known_by_its_first_line),
		TEST(multiparts_within_each_other_are_redacted),
		TEST(names_before_a_colon_or_an_equals_sign_hide_in_text),
		TEST(blocks_of_yaml_are_hidden_whole),
		TEST(elements_are_hidden),
		TEST(token_shapes_are_hidden_anywhere),
		TEST(keys_without_an_end_hide_the_rest),
		TEST(what_may_be_a_tokens_beginning_is_hidden_at_a_cut),
		TEST(a_header_that_does_not_end_is_taken_for_a_token),
		TEST(what_stands_far_behind_is_hidden_as_well),
		TEST(long_values_are_hidden_whole),
		TEST(a_body_without_secrets_stays_byte_for_byte),
		TEST(binary_bodies_lose_tokens_and_members_alone),
		TEST(tags_make_equal_secrets_look_equal),
		TEST(settings_add_names_of_members),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
