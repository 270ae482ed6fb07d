/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The log: where messages for the operator go, as text or as JSON records, one line each.
 *
 * The records are those of runc (logrus): {"level":"error","msg":"...","time":"..."} and
 * time="..." level=error msg="...". containerd and conmon parse the former. Each record is one
 * write(2) to a descriptor opened for append, so that records of several processes don't mix.
 * Library code logs only warnings and debug lines; errors travel as struct error. */
#ifndef DHOW_BASE_LOG_H
#define DHOW_BASE_LOG_H

#include <stdbool.h>

#include "base/cleanup.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/* Sets the process's log. fd is borrowed (2 until this is called) and must stay open. */
void log_setup(int fd, enum log_format format, enum log_level level);
int log_fd(void);
bool log_wants(enum log_level level);
/* Where the records go is not standard error, so an error must be printed there as well. */
bool log_is_elsewhere(void);

void log_message(enum log_level level, const char *format, ...) _printf_(2, 3);
#define log_error(...)   log_message(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_message(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...)    log_message(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)                                             \
	do {                                                       \
		if (log_wants(LOG_LEVEL_DEBUG))                    \
			log_message(LOG_LEVEL_DEBUG, __VA_ARGS__); \
	} while (0)

#endif
