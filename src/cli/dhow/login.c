/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dhow login and logout: credentials for a registry, kept where docker and podman look for them. */
#include <termios.h>
#include <unistd.h>

#include "cli/dhow/commands.h"
#include "cli/dhow/transfer.h"

#define SECRET_MAX 65536

struct values {
	const char *username, *password, *authfile, *cert_dir;
	bool password_stdin, tls_verify, get_login;
};

static const struct command_option options[] = {
	{.name = "authfile",
	 .value = "path",
	 .completion = COMPLETE_FILE,
	 .help = "file to keep the credentials in",
	 OPTION_TO(struct values, authfile)},
	{.name = "cert-dir",
	 .value = "path",
	 .completion = COMPLETE_DIRECTORY,
	 .help = "directory with the registry's certificates",
	 OPTION_TO(struct values, cert_dir)},
	{.name = "get-login",
	 .help = "print who is logged in",
	 OPTION_TO(struct values, get_login)},
	{.name = "password",
	 .alias = "p",
	 .value = "password",
	 .help = "password or token; others may see it in the list of processes",
	 OPTION_TO(struct values, password)},
	{.name = "password-stdin",
	 .help = "read the password from standard input",
	 OPTION_TO(struct values, password_stdin)},
	{.name = "tls-verify",
	 .default_text = "true",
	 .help = "require HTTPS with a certificate that verifies",
	 OPTION_TO(struct values, tls_verify)},
	{.name = "username",
	 .alias = "u",
	 .value = "name",
	 .help = "user name",
	 OPTION_TO(struct values, username)},
	{0},
};

static const char *registry_of(const struct command_call *call, struct store *store)
{
	const char *name =
		call->argument_count ? call->arguments[0] : store_config(store)->default_registry;

	if (str_starts(name, "https://"))
		name += strlen("https://");
	else if (str_starts(name, "http://"))
		name += strlen("http://");
	if (strcmp(name, "index.docker.io/v1/") == 0 || strcmp(name, "registry-1.docker.io") == 0)
		return "docker.io";
	return name;
}

/* --- Asking ------------------------------------------------------------------------------------------------------------------ */

/* A line from the terminal, or standard input. Caller frees. */
static int read_line(const char *prompt, bool is_secret, char **out, struct error **err)
{
	bool is_terminal = isatty(STDIN_FILENO);
	struct termios before, quiet;
	size_t size = 0;
	ssize_t n;

	if (!is_terminal)
		return error_set(err, EINVAL,
				 "cannot ask for a %s without a terminal: use --username and "
				 "--password-stdin",
				 is_secret ? "password" : "user name");
	fprintf(stderr, "%s", prompt);
	if (is_secret && tcgetattr(STDIN_FILENO, &before) == 0) {
		quiet = before;
		quiet.c_lflag &= ~(tcflag_t)ECHO;
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	}
	n = getline(out, &size, stdin);
	if (is_secret) {
		tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
		fprintf(stderr, "\n");
	}
	if (n <= 0)
		return error_set(err, EINVAL, "nothing was entered");
	(*out)[strcspn(*out, "\r\n")] = '\0';
	return 0;
}

static int read_password(char **out, struct error **err)
{
	size_t length;
	int r = fd_read_all(STDIN_FILENO, SECRET_MAX, "standard input", out, &length, err);

	if (r)
		return r;
	while (length && ((*out)[length - 1] == '\n' || (*out)[length - 1] == '\r'))
		(*out)[--length] = '\0';
	return length ? 0 : error_set(err, EINVAL, "the password on standard input is empty");
}

static int take_given(const char *given, char **out, struct error **err)
{
	*out = strdup(given);
	return *out ? 0 : error_errno(err, ENOMEM, "log in");
}

static int ask(const struct values *v, struct credentials *c, struct error **err)
{
	int r;

	if (v->password && v->password_stdin)
		return error_set(err, EINVAL,
				 "--password and --password-stdin are mutually exclusive");
	if (v->password_stdin && !v->username)
		return error_set(err, EINVAL, "Must provide --username with --password-stdin");
	r = v->username ? take_given(v->username, &c->user, err)
			: read_line("Username: ", false, &c->user, err);
	if (r)
		return r;
	if (!*c->user)
		return error_set(err, EINVAL, "a user name is needed");
	if (v->password) {
		fprintf(stderr,
			"WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n");
		return take_given(v->password, &c->password, err);
	}
	return v->password_stdin ? read_password(&c->password, err)
				 : read_line("Password: ", true, &c->password, err);
}

/* --- login ------------------------------------------------------------------------------------------------------------------- */

static int check(const struct values *v, struct store *store, const char *name,
		 const struct credentials *c, struct error **err)
{
	const struct registry_opts opts = {
		.config = store_config(store),
		.credentials = c,
		.cert_dir = v->cert_dir,
		.no_tls_verify = !v->tls_verify,
	};
	struct reference reference = {.registry = (char *)name, .path = (char *)""};
	struct registry *registry = NULL;
	int r = registry_open(&reference, &opts, &registry, err);

	if (!r)
		r = registry_check(registry, err);
	registry_close(registry);
	return r;
}

static int print_login(const struct values *v, const char *name, struct error **err)
{
	struct credentials c = {0};
	int r = credentials_find(v->authfile, name, NULL, &c, err);

	if (!r && !c.user)
		r = error_set(err, ENOENT, "not logged in to %s", name);
	if (!r)
		printf("%s\n", c.user);
	credentials_clear(&c);
	return r;
}

static int login(const struct values *v, struct store *store, const char *name, struct error **err)
{
	struct credentials c = {0};
	_cleanup_free_ char *where = NULL;
	int r = ask(v, &c, err);

	if (!r)
		r = check(v, store, name, &c, err);
	if (!r)
		r = credentials_store(v->authfile, name, &c, &where, err);
	credentials_clear(&c);
	if (r)
		return r;
	if (!str_starts(where, "docker-credential-"))
		fprintf(stderr, "The password is stored unencrypted in %s.\n", where);
	printf("Login Succeeded\n");
	return 0;
}

static int run_login(const struct command_call *call, struct error **err)
{
	const struct values *v = call->values;
	_cleanup_store_ struct store *store = NULL;
	int r = dhow_open_store(call, &store, err);

	if (r)
		return r;
	if (v->get_login)
		return print_login(v, registry_of(call, store), err);
	return login(v, store, registry_of(call, store), err);
}

const struct command dhow_login = {
	.name = "login",
	.arguments = "[REGISTRY]",
	.summary = "Log in to a registry",
	.options = options,
	.values_size = sizeof(struct values),
	.max_arguments = 1,
	.run = run_login,
};

/* --- logout ------------------------------------------------------------------------------------------------------------------ */

struct logout_values {
	const char *authfile;
	bool all;
};

static const struct command_option logout_options[] = {
	{.name = "all",
	 .alias = "a",
	 .help = "log out of all registries",
	 OPTION_TO(struct logout_values, all)},
	{.name = "authfile",
	 .value = "path",
	 .completion = COMPLETE_FILE,
	 .help = "file that has the credentials",
	 OPTION_TO(struct logout_values, authfile)},
	{0},
};

static int run_logout(const struct command_call *call, struct error **err)
{
	const struct logout_values *v = call->values;
	_cleanup_store_ struct store *store = NULL;
	const char *name;
	int r = dhow_open_store(call, &store, err);

	if (r)
		return r;
	if (v->all && call->argument_count)
		return error_set(err, EINVAL, "--all goes without the name of a registry");
	name = v->all ? NULL : registry_of(call, store);
	r = credentials_erase(v->authfile, name, err);
	if (r == -ENOENT && name) {
		error_freep(err);
		printf("Not logged in to %s\n", name);
		return 0;
	}
	if (!r)
		printf("Removing login credentials for %s\n", name ? name : "all registries");
	return r;
}

const struct command dhow_logout = {
	.name = "logout",
	.arguments = "[REGISTRY]",
	.summary = "Log out of a registry",
	.options = logout_options,
	.values_size = sizeof(struct logout_values),
	.max_arguments = 1,
	.run = run_logout,
};
