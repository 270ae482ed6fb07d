/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opening a registry: whom to ask in which order, over what, and with whose certificates. See registry.h. */
#include <arpa/inet.h>
#include <dirent.h>
#include <strings.h>
#include <unistd.h>

#include "transfer/registry_internal.h"

static const struct store_registry *configured(const struct store_config *config, const char *name)
{
	for (size_t i = 0; config && i < config->registry_count; i++)
		if (strcmp(config->registries[i].name, name) == 0)
			return &config->registries[i];
	return NULL;
}

/* "10.0.0.0/8" has the host's address. */
static bool in_network(const char *network, const char *host)
{
	char address[INET6_ADDRSTRLEN], bare[256];
	unsigned char a[16], b[16];
	const char *slash = strchr(network, '/');
	int family = strchr(network, ':') ? AF_INET6 : AF_INET;
	uint64_t bits;

	if (!slash || (size_t)(slash - network) >= sizeof address ||
	    parse_u64(slash + 1, family == AF_INET ? 32 : 128, &bits))
		return false;
	snprintf(address, sizeof address, "%.*s", (int)(slash - network), network);
	if (*host == '[')
		snprintf(bare, sizeof bare, "%.*s", (int)strcspn(host + 1, "]"), host + 1);
	else
		snprintf(bare, sizeof bare, "%.*s", (int)strcspn(host, ":"), host);
	if (inet_pton(family, address, a) != 1 || inet_pton(family, bare, b) != 1)
		return false;
	for (uint64_t i = 0; i < bits; i++)
		if ((a[i / 8] ^ b[i / 8]) & (0x80 >> (i % 8)))
			return false;
	return true;
}

static bool is_insecure(const struct registry_opts *opts, const char *host)
{
	const struct store_registry *c = configured(opts->config, host);

	if (opts->no_tls_verify || (c && c->is_insecure))
		return true;
	for (size_t i = 0; opts->config && i < opts->config->insecure_registries.count; i++) {
		const char *entry = opts->config->insecure_registries.items[i];

		if (strcmp(entry, host) == 0 || in_network(entry, host) ||
		    (!strchr(entry, ':') && strncmp(entry, host, strlen(entry)) == 0 &&
		     host[strlen(entry)] == ':'))
			return true;
	}
	return false;
}

/* --- Certificates -------------------------------------------------------------------------------------------------------- */

struct certificates {
	char *ca, *cert, *key;
};

static void certificates_clear(struct certificates *c)
{
	free(c->ca);
	free(c->cert);
	free(c->key);
}

static bool ends(const char *name, const char *with)
{
	size_t a = strlen(name), b = strlen(with);

	return a > b && strcmp(name + a - b, with) == 0;
}

/* docker's certs.d: *.crt are authorities, *.cert and *.key are ours. */
static int look_in(const char *directory, struct certificates *out)
{
	_cleanup_dir_ DIR *d = opendir(directory);
	const struct dirent *e;

	while (d && (e = readdir(d))) {
		char **member = ends(e->d_name, ".crt")    ? &out->ca
				: ends(e->d_name, ".cert") ? &out->cert
				: ends(e->d_name, ".key")  ? &out->key
							   : NULL;

		if (member && !*member && asprintf(member, "%s/%s", directory, e->d_name) < 0) {
			*member = NULL;
			return -ENOMEM;
		}
	}
	return 0;
}

static int find_certificates(const struct registry_opts *opts, const char *host,
			     struct certificates *out)
{
	static const char *const places[] = {"/etc/dhow/certs.d", "/etc/containers/certs.d",
					     "/etc/docker/certs.d"};
	const struct store_registry *c = configured(opts->config, host);
	const char *home = getenv("HOME");
	int r = 0;

	if (c && c->ca && !(out->ca = strdup(c->ca)))
		return -ENOMEM;
	if (opts->cert_dir)
		return look_in(opts->cert_dir, out);
	if (home) {
		_cleanup_free_ char *path = NULL;

		if (asprintf(&path, "%s/.config/containers/certs.d/%s", home, host) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		r = look_in(path, out);
	}
	for (size_t i = 0; i < ARRAY_SIZE(places) && r == 0; i++) {
		_cleanup_free_ char *path = NULL;

		if (asprintf(&path, "%s/%s", places[i], host) < 0) {
			path = NULL;
			return -ENOMEM;
		}
		r = look_in(path, out);
	}
	return r;
}

/* --- Endpoints ------------------------------------------------------------------------------------------------------------- */

static int add_endpoint(struct registry *r, const char *url, bool is_mirror, struct error **err)
{
	struct endpoint *e = &r->endpoints[r->endpoint_count];
	_cleanup_(certificates_clear) struct certificates certificates = {0};
	struct http_opts http = {0};
	char host[512];
	bool is_https;

	*e = (struct endpoint){.is_mirror = is_mirror};
	if (url_host(url, host, sizeof host, &is_https)) {
		e->host = strdup(host);
		if (asprintf(&e->base, "%s://%s", is_https ? "https" : "http", host) < 0)
			e->base = NULL;
	} else {
		e->host = strdup(url);
		e->base = strdup("");
	}
	r->endpoint_count++;
	if (!e->host || !e->base || find_certificates(&r->opts, e->host, &certificates))
		return error_errno(err, ENOMEM, "prepare for registry %s", url);
	http.no_verify = is_insecure(&r->opts, e->host);
	e->may_be_plain = http.no_verify || (host_is_loopback(e->host) && !certificates.ca);
	http.ca = certificates.ca;
	http.cert = certificates.cert;
	http.key = certificates.key;
	return http_new(&http, &e->http, err);
}

static int add_endpoints(struct registry *r, struct error **err)
{
	const struct store_registry *c = configured(r->opts.config, r->registry);
	size_t mirrors = c && !r->opts.is_push ? c->mirrors.count : 0;
	const char *host =
		strcmp(r->registry, "docker.io") == 0 ? "registry-1.docker.io" : r->registry;
	int code = 0;

	if (c && c->is_blocked)
		return error_set(err, EACCES, "registry %s is blocked by the configuration",
				 r->registry);
	r->endpoints = calloc(mirrors + 1, sizeof *r->endpoints);
	if (!r->endpoints)
		return error_errno(err, ENOMEM, "prepare for registry %s", r->registry);
	for (size_t i = 0; i < mirrors && code == 0; i++)
		code = add_endpoint(r, c->mirrors.items[i], true, err);
	return code ? code : add_endpoint(r, host, false, err);
}

static int take_credentials(struct registry *r, const char *repository, struct error **err)
{
	const struct credentials *given = r->opts.credentials;

	if (!given)
		return credentials_find(r->opts.authfile, r->registry, repository, &r->credentials,
					err);
	r->credentials.user = given->user ? strdup(given->user) : NULL;
	r->credentials.password = given->password ? strdup(given->password) : NULL;
	r->credentials.identity_token =
		given->identity_token ? strdup(given->identity_token) : NULL;
	if ((given->user && !r->credentials.user) ||
	    (given->password && !r->credentials.password) ||
	    (given->identity_token && !r->credentials.identity_token))
		return error_errno(err, ENOMEM, "prepare for registry %s", r->registry);
	return 0;
}

int registry_open(const struct reference *repository, const struct registry_opts *opts,
		  struct registry **out, struct error **err)
{
	struct registry *r = calloc(1, sizeof *r);
	int code = 0;

	if (!r)
		return error_errno(err, ENOMEM, "prepare for a registry");
	pthread_mutex_init(&r->lock, NULL);
	r->opts = *opts;
	r->registry = strdup(repository->registry);
	r->path = strdup(repository->path ? repository->path : "");
	if (!r->registry || !r->path)
		code = error_errno(err, ENOMEM, "prepare for a registry");
	if (!code)
		code = take_credentials(r, repository->repository, err);
	if (!code)
		code = add_endpoints(r, err);
	if (code)
		registry_close(r);
	else
		*out = r;
	return code;
}

void registry_close(struct registry *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->endpoint_count; i++) {
		free(r->endpoints[i].host);
		free(r->endpoints[i].base);
		free(r->endpoints[i].token);
		http_free(r->endpoints[i].http);
	}
	free(r->endpoints);
	free(r->registry);
	free(r->path);
	credentials_clear(&r->credentials);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

int registry_check(struct registry *r, struct error **err)
{
	const struct registry_request request = {.method = "GET", .path = "/v2/", .max = 65536};
	_cleanup_(http_answer_clear) struct http_answer answer = {0};
	int code = endpoint_ask(r, registry_origin(r), &request, &answer, err);

	if (code || answer.status == 200)
		return code;
	return registry_fail(r, &answer, "log in", err);
}
