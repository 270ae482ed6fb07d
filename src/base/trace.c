/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The trace point's one sink. See trace.h. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/file.h"
#include "base/json.h"
#include "base/str.h"
#include "base/trace.h"

const char *const trace_group_names[TRACE_GROUPS] = {
	[TRACE_IMAGE] = "image",
	[TRACE_ROOTFS] = "rootfs",
	[TRACE_NAMESPACES] = "namespaces",
	[TRACE_MOUNTS] = "mounts",
	[TRACE_DEVICES] = "devices",
	[TRACE_CGROUP] = "cgroup",
	[TRACE_NETWORK] = "network",
	[TRACE_PROCESS] = "process",
	[TRACE_CAPABILITIES] = "capabilities",
	[TRACE_SECCOMP] = "seccomp",
	[TRACE_EXEC] = "exec",
	[TRACE_STATE] = "state",
};

int trace_sink_ = -1;

void trace_setup(int fd)
{
	trace_sink_ = fd;
}

int trace_fd(void)
{
	return trace_sink_;
}

uint64_t trace_begin(void)
{
	return trace_sink_ >= 0 ? now_ns() : 0;
}

void trace_step_(enum trace_group group, uint64_t begin, const char *call, int ret,
		 const char *format, ...)
{
	_cleanup_strbuf_ struct strbuf line = {0};
	uint64_t end = now_ns();
	int saved = errno;
	char text[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(text, sizeof text, format, ap);
	va_end(ap);
	strbuf_addf(&line,
		    "{\"t\":%" PRIu64 ",\"pid\":%d,\"group\":\"%s\",\"call\":\"%s\",\"args\":",
		    begin, getpid(), trace_group_names[group], call);
	json_quote(&line, text);
	strbuf_addf(&line, ",\"ret\":%d,\"ns\":%" PRIu64 "}\n", ret, begin ? end - begin : 0);
	if (!line.failed)
		fd_write_all(trace_sink_, line.text, line.length);
	errno = saved;
}
