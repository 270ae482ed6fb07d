/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Credential helpers. github.com/docker/docker-credential-helpers: docker-credential-NAME get|store|erase, with the registry or a JSON
 * document on standard input, and a JSON document on standard output. */
#include <ctype.h>
#include <openssl/evp.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "transfer/credentials_internal.h"

#define OUTPUT_MAX 65536
#define TIMEOUT_MS 30000

/* --- base64 ------------------------------------------------------------------------------------------------------------------ */

char *base64_encode(const void *data, size_t length)
{
	char *out = length < INT32_MAX / 2 ? malloc(4 * (length / 3 + 1) + 1) : NULL;

	if (out)
		EVP_EncodeBlock((unsigned char *)out, data, (int)length);
	return out;
}

char *base64_decode(const char *text)
{
	size_t length = strlen(text), padding = 0;
	char *out;
	int n;

	while (padding < length && padding < 2 && text[length - 1 - padding] == '=')
		padding++;
	if (length % 4 || length > OUTPUT_MAX)
		return NULL;
	out = malloc(length / 4 * 3 + 1);
	n = out ? EVP_DecodeBlock((unsigned char *)out, (const unsigned char *)text, (int)length)
		: -1;
	if (n < (int)padding) {
		free(out);
		return NULL;
	}
	out[(size_t)n - padding] = '\0';
	return out;
}

/* --- Running one --------------------------------------------------------------------------------------------------------------- */

static bool name_is_valid(const char *name)
{
	for (const char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("_.-", *c))
			return false;
	return *name && *name != '.';
}

struct running {
	pid_t pid;
	int in, out;
};

static int start(const char *program, const char *verb, struct running *p, struct error **err)
{
	_cleanup_fd_ int in_read = -1, in_write = -1, out_read = -1, out_write = -1;
	char *const argv[] = {(char *)program, (char *)verb, NULL};
	posix_spawn_file_actions_t actions;
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_errno(err, errno, "run %s", program);
	in_read = fds[0];
	in_write = fds[1];
	if (pipe2(fds, O_CLOEXEC) < 0)
		return error_errno(err, errno, "run %s", program);
	out_read = fds[0];
	out_write = fds[1];
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, in_read, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out_write, STDOUT_FILENO);
	r = posix_spawnp(&p->pid, program, &actions, NULL, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	if (r)
		return error_errno(err, r, "run %s", program);
	p->in = TAKE_FD(in_write);
	p->out = TAKE_FD(out_read);
	return 0;
}

/* What it prints, until it closes or the time is up. */
static int read_output(const struct running *p, struct strbuf *out)
{
	uint64_t end = now_ns() + TIMEOUT_MS * 1000000ull;
	char buf[4096];

	for (;;) {
		struct pollfd fd = {.fd = p->out, .events = POLLIN};
		uint64_t now = now_ns();
		ssize_t n;

		if (now >= end || poll(&fd, 1, (int)((end - now) / 1000000) + 1) == 0)
			return -ETIMEDOUT;
		n = read(p->out, buf, sizeof buf);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : 0;
		if (out->length + (size_t)n > OUTPUT_MAX)
			return -EFBIG;
		strbuf_add(out, buf, (size_t)n);
	}
}

/* The helper's own words without what could move a cursor. */
static const char *printable(struct strbuf *text)
{
	size_t length = text->text ? strcspn(text->text, "\n") : 0;

	if (!length)
		return "no reason given";
	text->text[length < 200 ? length : 200] = '\0';
	for (char *c = text->text; *c; c++)
		if (iscntrl((unsigned char)*c))
			*c = '?';
	return text->text;
}

static int run_helper(const char *name, const char *verb, const char *input, struct strbuf *output,
		      struct error **err)
{
	_cleanup_free_ char *program = NULL;
	struct running p = {.in = -1, .out = -1};
	int r, status;

	if (!name_is_valid(name))
		return error_set(err, EINVAL, "\"%s\" is no name of a credential helper", name);
	if (asprintf(&program, "docker-credential-%s", name) < 0) {
		program = NULL;
		return error_errno(err, ENOMEM, "run a credential helper");
	}
	r = start(program, verb, &p, err);
	if (r)
		return r;
	/* Small enough for the pipe; a helper that doesn't read is not waited for. SIGPIPE is ignored by the program. */
	(void)!write(p.in, input, strlen(input));
	close_fd(&p.in);
	r = read_output(&p, output);
	close_fd(&p.out);
	if (r)
		kill(p.pid, SIGKILL);
	while (waitpid(p.pid, &status, 0) < 0 && errno == EINTR)
		;
	if (r)
		return error_errno(err, -r, "%s %s", program, verb);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (output->text && strstr(output->text, "credentials not found"))
		return error_errno(err, ENOENT, "%s %s", program, verb);
	return error_set(err, EIO, "%s %s: %s", program, verb, printable(output));
}

/* --- Verbs --------------------------------------------------------------------------------------------------------------------- */

static int take_answer(const struct strbuf *text, struct credentials *out, struct error **err)
{
	_cleanup_json_ json_t *document = NULL;
	const char *user, *secret;
	int r = json_parse(text->text ? text->text : "", text->length,
			   "the credential helper's answer", &document, err);

	if (r)
		return r;
	user = json_string_value(json_object_get(document, "Username"));
	secret = json_string_value(json_object_get(document, "Secret"));
	if (!user || !secret)
		return error_set(err, EINVAL,
				 "the credential helper's answer has no user or no secret");
	/* docker's mark for an identity token. */
	if (strcmp(user, "<token>") == 0) {
		out->identity_token = strdup(secret);
		return out->identity_token ? 0 : error_errno(err, ENOMEM, "read credentials");
	}
	out->user = strdup(user);
	out->password = strdup(secret);
	return out->user && out->password ? 0 : error_errno(err, ENOMEM, "read credentials");
}

int helper_get(const char *name, const char *key, struct credentials *out, struct error **err)
{
	_cleanup_strbuf_ struct strbuf output = {0};
	int r = run_helper(name, "get", key, &output, err);

	if (!r)
		r = take_answer(&output, out, err);
	if (output.text)
		explicit_bzero(output.text, output.length);
	return r;
}

int helper_store(const char *name, const char *key, const struct credentials *c, struct error **err)
{
	_cleanup_strbuf_ struct strbuf output = {0};
	_cleanup_json_ json_t *document = NULL;
	_cleanup_free_ char *input = NULL;
	bool is_token = c->identity_token && *c->identity_token;
	int r;

	document = json_pack("{s:s, s:s, s:s}", "ServerURL", key, "Username",
			     is_token  ? "<token>"
			     : c->user ? c->user
				       : "",
			     "Secret",
			     is_token      ? c->identity_token
			     : c->password ? c->password
					   : "");
	input = document ? json_dumps(document, JSON_COMPACT) : NULL;
	if (!input)
		return error_errno(err, ENOMEM, "store credentials");
	r = run_helper(name, "store", input, &output, err);
	explicit_bzero(input, strlen(input));
	return r;
}

int helper_erase(const char *name, const char *key, struct error **err)
{
	_cleanup_strbuf_ struct strbuf output = {0};

	return run_helper(name, "erase", key, &output, err);
}
