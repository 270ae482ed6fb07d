/* SPDX-License-Identifier: GPL-2.0-or-later */
/* HTTP requests over libcurl. See http.h. Errors name the host and path that was asked for, never headers or user names. */
#include <pthread.h>
#include <strings.h>
#include <unistd.h>

#include "dhow_config.h"
#include "transfer/http.h"

#define CONNECT_TIMEOUT_S 30
/* A connection on which nothing moves is given up. */
#define IDLE_BYTES_S 1
#define IDLE_TIME_S  60
#define HANDLES_MAX  16

struct http {
	struct http_opts opts;
	char *ca, *cert, *key;
	CURLSH *share;
	pthread_mutex_t share_locks[CURL_LOCK_DATA_LAST];
	pthread_mutex_t lock;
	CURL *idle[HANDLES_MAX]; /* with their kept connections */
	size_t idle_count;
};

/* One request under way. */
struct transfer {
	const struct http_request *request;
	struct http_answer *answer;
	struct strbuf body;
	uint64_t sent;
	bool is_too_large, has_begun;
	struct error *error; /* the sink's */
	CURL *curl;
};

static pthread_once_t global_once = PTHREAD_ONCE_INIT;

static void global_init(void)
{
	curl_global_init(CURL_GLOBAL_DEFAULT);
}

static void lock_share(CURL *curl, curl_lock_data data, curl_lock_access access, void *user)
{
	struct http *h = user;

	pthread_mutex_lock(&h->share_locks[data]);
}

static void unlock_share(CURL *curl, curl_lock_data data, void *user)
{
	struct http *h = user;

	pthread_mutex_unlock(&h->share_locks[data]);
}

static int copy(const char *from, char **to)
{
	*to = from ? strdup(from) : NULL;
	return from && !*to ? -ENOMEM : 0;
}

int http_new(const struct http_opts *opts, struct http **out, struct error **err)
{
	struct http *h = calloc(1, sizeof *h);

	if (!h)
		return error_errno(err, ENOMEM, "prepare a connection");
	pthread_once(&global_once, global_init);
	h->opts = *opts;
	pthread_mutex_init(&h->lock, NULL);
	for (size_t i = 0; i < CURL_LOCK_DATA_LAST; i++)
		pthread_mutex_init(&h->share_locks[i], NULL);
	h->share = curl_share_init();
	if (!h->share || copy(opts->ca, &h->ca) || copy(opts->cert, &h->cert) ||
	    copy(opts->key, &h->key)) {
		http_free(h);
		return error_errno(err, ENOMEM, "prepare a connection");
	}
	curl_share_setopt(h->share, CURLSHOPT_LOCKFUNC, lock_share);
	curl_share_setopt(h->share, CURLSHOPT_UNLOCKFUNC, unlock_share);
	curl_share_setopt(h->share, CURLSHOPT_USERDATA, h);
	curl_share_setopt(h->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
	curl_share_setopt(h->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
	*out = h;
	return 0;
}

void http_free(struct http *h)
{
	if (!h)
		return;
	for (size_t i = 0; i < h->idle_count; i++)
		curl_easy_cleanup(h->idle[i]);
	curl_share_cleanup(h->share);
	for (size_t i = 0; i < CURL_LOCK_DATA_LAST; i++)
		pthread_mutex_destroy(&h->share_locks[i]);
	pthread_mutex_destroy(&h->lock);
	free(h->ca);
	free(h->cert);
	free(h->key);
	free(h);
}

void http_answer_clear(struct http_answer *a)
{
	free(a->body);
	*a = (struct http_answer){0};
}

/* --- What comes back ------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	size_t offset, size;
} kept_headers[] = {
#define KEPT(header, member)                                       \
	{                                                          \
		header, offsetof(struct http_answer, member),      \
			sizeof((struct http_answer *)NULL)->member \
	}
	KEPT("content-type", content_type),
	KEPT("location", location),
	KEPT("www-authenticate", challenge),
	KEPT("docker-content-digest", digest),
	KEPT("link", link),
	KEPT("range", range),
	KEPT("content-range", content_range),
	KEPT("retry-after", retry_after),
	KEPT("docker-upload-uuid", upload_uuid),
};

static void keep_header(struct http_answer *a, const char *line, size_t length)
{
	const char *colon = memchr(line, ':', length);
	size_t name = colon ? (size_t)(colon - line) : 0;

	for (size_t i = 0; colon && i < ARRAY_SIZE(kept_headers); i++) {
		char *to = (char *)a + kept_headers[i].offset;
		const char *value = colon + 1;
		size_t size;

		if (strlen(kept_headers[i].name) != name ||
		    strncasecmp(kept_headers[i].name, line, name) != 0)
			continue;
		while (value < line + length && (*value == ' ' || *value == '\t'))
			value++;
		size = (size_t)(line + length - value);
		while (size && (value[size - 1] == '\r' || value[size - 1] == '\n' ||
				value[size - 1] == ' '))
			size--;
		/* A challenge of a scheme that we can answer is kept over one that we can't. */
		if (*to && (i != 2 || strncasecmp(value, "bearer", 6) != 0))
			continue;
		if (size >= kept_headers[i].size || memchr(value, '\0', size))
			continue;
		memcpy(to, value, size);
		to[size] = '\0';
	}
}

static size_t take_header(char *line, size_t size, size_t count, void *data)
{
	struct transfer *t = data;
	size_t length = size * count;

	/* A new answer (after 100 Continue, or a proxy's) begins. */
	if (length > 5 && strncmp(line, "HTTP/", 5) == 0) {
		struct http_answer fresh = {.content_length = -1};

		*t->answer = fresh;
	}
	keep_header(t->answer, line, length);
	return length;
}

static bool begin_body(struct transfer *t, long status)
{
	if (t->has_begun || !t->request->on_body)
		return true;
	t->has_begun = true;
	t->answer->status = status;
	return t->request->on_body(t->request->body_data, t->answer, &t->error) >= 0;
}

static size_t take_body(char *data, size_t size, size_t count, void *user)
{
	struct transfer *t = user;
	size_t length = size * count;
	long status = 0;

	curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
	if (t->request->sink && status >= 200 && status < 300) {
		if (!begin_body(t, status))
			return 0;
		if (t->request->sink->write(t->request->sink->data, data, length, &t->error) < 0)
			return 0;
		return length;
	}
	if (t->body.length + length > t->request->max) {
		/* Of an error's text the beginning will do. */
		t->is_too_large = status < 400;
		return t->is_too_large ? 0 : length;
	}
	strbuf_add(&t->body, data, length);
	return t->body.failed ? 0 : length;
}

static size_t give_body(char *buf, size_t size, size_t count, void *user)
{
	struct transfer *t = user;
	uint64_t left = t->request->size - t->sent;
	size_t room = size * count;
	ssize_t n;

	if (room > left)
		room = left;
	if (!room)
		return 0;
	n = pread(t->request->fd, buf, room, (off_t)(t->request->offset + t->sent));
	if (n <= 0)
		return CURL_READFUNC_ABORT;
	t->sent += (uint64_t)n;
	if (t->request->on_sent)
		t->request->on_sent(t->request->data, (uint64_t)n);
	return (size_t)n;
}

/* curl sends anew what a kept connection lost. */
static int seek_body(void *user, curl_off_t offset, int origin)
{
	struct transfer *t = user;

	if (origin != SEEK_SET || offset < 0)
		return CURL_SEEKFUNC_FAIL;
	t->sent = (uint64_t)offset;
	return CURL_SEEKFUNC_OK;
}

static int watch(void *user, curl_off_t down_total, curl_off_t down, curl_off_t up_total,
		 curl_off_t up)
{
	const struct transfer *t = user;

	return t->request->cancel && *t->request->cancel;
}

/* --- One request ----------------------------------------------------------------------------------------------------------- */

static CURL *take_handle(struct http *h)
{
	CURL *curl = NULL;

	pthread_mutex_lock(&h->lock);
	if (h->idle_count)
		curl = h->idle[--h->idle_count];
	pthread_mutex_unlock(&h->lock);
	if (curl)
		curl_easy_reset(curl);
	return curl ? curl : curl_easy_init();
}

static void give_handle(struct http *h, CURL *curl)
{
	pthread_mutex_lock(&h->lock);
	if (h->idle_count < HANDLES_MAX) {
		h->idle[h->idle_count++] = curl;
		curl = NULL;
	}
	pthread_mutex_unlock(&h->lock);
	if (curl)
		curl_easy_cleanup(curl);
}

static void set_common(const struct http *h, CURL *curl, struct transfer *t)
{
	curl_easy_setopt(curl, CURLOPT_SHARE, h->share);
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_TIMEOUT_S);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, (long)IDLE_BYTES_S);
	curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, (long)IDLE_TIME_S);
	curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
	curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, 512L * 1024);
	curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, 512L * 1024);
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "dhow/" DHOW_VERSION);
	curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header);
	curl_easy_setopt(curl, CURLOPT_HEADERDATA, t);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
	curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, watch);
	curl_easy_setopt(curl, CURLOPT_XFERINFODATA, t);
	curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
	if (h->opts.no_verify) {
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);
		curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	if (h->ca)
		curl_easy_setopt(curl, CURLOPT_CAINFO, h->ca);
	if (h->cert)
		curl_easy_setopt(curl, CURLOPT_SSLCERT, h->cert);
	if (h->key)
		curl_easy_setopt(curl, CURLOPT_SSLKEY, h->key);
}

static void set_request(CURL *curl, const struct http_request *request, struct transfer *t)
{
	curl_easy_setopt(curl, CURLOPT_URL, request->url);
	if (strcmp(request->method, "HEAD") == 0)
		curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
	else if (request->has_file) {
		curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
		curl_easy_setopt(curl, CURLOPT_READFUNCTION, give_body);
		curl_easy_setopt(curl, CURLOPT_READDATA, t);
		curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, seek_body);
		curl_easy_setopt(curl, CURLOPT_SEEKDATA, t);
		curl_easy_setopt(curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)request->size);
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
	} else if (strcmp(request->method, "GET") != 0) {
		curl_easy_setopt(curl, CURLOPT_POST, 1L);
		curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->text ? request->text : "");
		curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
				 (curl_off_t)request->text_length);
		curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
	}
	if (request->user) {
		curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
		curl_easy_setopt(curl, CURLOPT_USERNAME, request->user);
		curl_easy_setopt(curl, CURLOPT_PASSWORD,
				 request->password ? request->password : "");
	}
}

static int errno_of(CURLcode code)
{
	switch (code) {
	case CURLE_COULDNT_CONNECT:
		return ECONNREFUSED;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_RESOLVE_PROXY:
		return EHOSTUNREACH;
	case CURLE_OPERATION_TIMEDOUT:
		return ETIMEDOUT;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_WEIRD_SERVER_REPLY:
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_HTTP2:
		return EPROTO;
	case CURLE_ABORTED_BY_CALLBACK:
		return ECANCELED;
	case CURLE_OUT_OF_MEMORY:
		return ENOMEM;
	case CURLE_URL_MALFORMAT:
		return EINVAL;
	default:
		return EIO;
	}
}

/* "GET https://host/v2/...": without what may be secret behind a '?'. */
static int fail(const struct http_request *request, const struct transfer *t, CURLcode code,
		const char *detail, struct error **err)
{
	int length = (int)strcspn(request->url, "?");

	if (t->error)
		return error_set(err, t->error->code, "%s", t->error->message);
	if (t->is_too_large)
		return error_set(err, EFBIG, "%s %.*s: the answer is larger than %zu bytes",
				 request->method, length, request->url, request->max);
	return error_set(err, errno_of(code), "%s %.*s: %s", request->method, length, request->url,
			 *detail ? detail : curl_easy_strerror(code));
}

static int run(struct http *h, CURL *curl, const struct http_request *request, struct transfer *t,
	       struct error **err)
{
	char detail[CURL_ERROR_SIZE] = "";
	struct curl_slist *headers = NULL;
	curl_off_t length = -1;
	CURLcode code;

	set_common(h, curl, t);
	set_request(curl, request, t);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
	for (size_t i = 0; request->headers && i < request->headers->count; i++)
		headers = curl_slist_append(headers, request->headers->items[i]);
	if (request->has_file)
		headers = curl_slist_append(headers, "Expect:");
	curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
	code = curl_easy_perform(curl);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &t->answer->status);
	curl_easy_getinfo(curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	t->answer->content_length = length;
	curl_slist_free_all(headers);
	return code == CURLE_OK ? 0 : fail(request, t, code, detail, err);
}

int http_perform(struct http *h, const struct http_request *request, struct http_answer *answer,
		 struct error **err)
{
	struct transfer t = {.request = request, .answer = answer, .curl = take_handle(h)};
	int r;

	*answer = (struct http_answer){.content_length = -1};
	if (!t.curl)
		return error_errno(err, ENOMEM, "prepare a request");
	r = run(h, t.curl, request, &t, err);
	give_handle(h, t.curl);
	answer->length = t.body.length;
	answer->body = t.body.length ? strbuf_take(&t.body) : NULL;
	strbuf_free(&t.body);
	error_free(t.error);
	return r;
}
