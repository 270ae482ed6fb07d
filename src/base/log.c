/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Log records in logrus's two formats. See log.h. */
#include <time.h>

#include "base/file.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"

static struct {
	int fd;
	enum log_format format;
	enum log_level level;
} sink = {.fd = STDERR_FILENO, .format = LOG_FORMAT_TEXT, .level = LOG_LEVEL_INFO};

static const char *const level_names[] = {"error", "warning", "info", "debug"};

void log_setup(int fd, enum log_format format, enum log_level level)
{
	sink.fd = fd;
	sink.format = format;
	sink.level = level;
}

int log_fd(void)
{
	return sink.fd;
}

bool log_wants(enum log_level level)
{
	return level <= sink.level;
}

bool log_is_elsewhere(void)
{
	return sink.fd != STDERR_FILENO;
}

void log_message(enum log_level level, const char *format, ...)
{
	_cleanup_strbuf_ struct strbuf line = {0};
	_cleanup_free_ char *message = NULL;
	struct timespec now;
	char stamp[40];
	va_list ap;

	if (!log_wants(level))
		return;
	va_start(ap, format);
	if (vasprintf(&message, format, ap) < 0)
		message = NULL;
	va_end(ap);
	if (!message)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	now.tv_nsec = 0;
	format_time_rfc3339(&now, stamp, sizeof stamp);
	if (sink.format == LOG_FORMAT_JSON) {
		strbuf_addf(&line, "{\"level\":\"%s\",\"msg\":", level_names[level]);
		json_quote(&line, message);
		strbuf_addf(&line, ",\"time\":\"%s\"}\n", stamp);
	} else {
		strbuf_addf(&line, "time=\"%s\" level=%s msg=", stamp, level_names[level]);
		json_quote(&line, message);
		strbuf_adds(&line, "\n");
	}
	if (!line.failed)
		fd_write_all(sink.fd, line.text, line.length);
}
