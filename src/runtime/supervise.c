/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Standing by a process in the foreground. See supervise.h.
 *
 * One poll loop over: the process (pidfd), signals (signalfd), and with a terminal our standard input and
 * the pty's master. Our own terminal is raw meanwhile, and is restored on every way out. The pty is read to its
 * end after the process ended, so that nothing that it printed is lost. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <termios.h>

#include "kernel/process.h"
#include "runtime/supervise.h"

int supervise_begin(struct supervision *s, bool make_subreaper, struct error **err)
{
	sigset_t all;

	*s = (struct supervision){.signals = -1};
	sigfillset(&all);
	/* What the kernel raises for our own mistakes must end us. */
	sigdelset(&all, SIGSEGV);
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGILL);
	sigdelset(&all, SIGFPE);
	sigdelset(&all, SIGABRT);
	if (sigprocmask(SIG_BLOCK, &all, NULL) < 0)
		return error_errno(err, errno, "block signals");
	s->signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (s->signals < 0)
		return error_errno(err, errno, "make a signal descriptor");
	if (make_subreaper)
		prctl(PR_SET_CHILD_SUBREAPER, 1);
	return 0;
}

void supervise_end(struct supervision *s)
{
	close_fd(&s->signals);
}

static void copy_size(int master)
{
	struct winsize size;

	if (ioctl(STDIN_FILENO, TIOCGWINSZ, &size) == 0)
		ioctl(master, TIOCSWINSZ, &size);
}

/* Orphans that came to us as subreaper; the process itself is left for process_wait. */
static void reap_others(pid_t keep)
{
	siginfo_t info;

	for (;;) {
		info.si_pid = 0;
		if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == 0 ||
		    info.si_pid == keep)
			return;
		waitpid(info.si_pid, NULL, WNOHANG);
	}
}

static void handle_signals(const struct supervision *s, int pidfd, int master)
{
	struct signalfd_siginfo info;

	while (read(s->signals, &info, sizeof info) == (ssize_t)sizeof info) {
		switch (info.ssi_signo) {
		case SIGCHLD:
			reap_others(s->pid);
			break;
		case SIGWINCH:
			if (master >= 0)
				copy_size(master);
			break;
		case SIGURG: /* as runc: Go's runtime uses it, and nobody else does */
			break;
		default:
			process_signal(pidfd, (int)info.ssi_signo, NULL);
		}
	}
}

/* Copies what is there. Returns false when the source has ended. */
static bool copy_some(int from, int to)
{
	char buf[16384];
	ssize_t n = read(from, buf, sizeof buf);

	if (n < 0)
		return errno == EINTR || errno == EAGAIN;
	if (n == 0)
		return false;
	return fd_write_all(to, buf, (size_t)n) == 0;
}

static void drain(int master)
{
	struct pollfd p = {.fd = master, .events = POLLIN};

	/* A process that was left behind may keep the terminal open: only what is there now counts. */
	while (poll(&p, 1, 0) > 0 && (p.revents & POLLIN))
		if (!copy_some(master, STDOUT_FILENO))
			return;
}

static int loop(struct supervision *s, int pidfd, int master, int *status, struct error **err)
{
	struct pollfd fds[] = {
		{.fd = pidfd, .events = POLLIN},
		{.fd = s->signals, .events = POLLIN},
		{.fd = master, .events = POLLIN},
		{.fd = master >= 0 ? STDIN_FILENO : -1, .events = POLLIN},
		{.fd = s->notify ? s->notify->fd : -1, .events = POLLIN},
	};

	for (;;) {
		if (poll(fds, ARRAY_SIZE(fds), -1) < 0) {
			if (errno == EINTR)
				continue;
			return error_errno(err, errno, "wait for events");
		}
		if (fds[1].revents)
			handle_signals(s, pidfd, master);
		if (fds[2].revents &&
		    (!(fds[2].revents & POLLIN) || !copy_some(master, STDOUT_FILENO)))
			fds[2].fd = -1;
		if (fds[3].revents && !copy_some(STDIN_FILENO, master)) {
			/* The end of input is what a terminal user would type for it. */
			if (write(master, "\004", 1) < 0)
				log_debug("the terminal is gone: %s", strerror(errno));
			fds[3].fd = -1;
		}
		if (fds[4].revents && notify_handle(s->notify))
			fds[4].fd = -1;
		if (fds[0].revents)
			break;
	}
	if (master >= 0)
		drain(master);
	return process_wait(pidfd, status, err);
}

int supervise(struct supervision *s, int pidfd, int master, int *status, struct error **err)
{
	bool is_raw = false;
	struct termios saved;
	int r;

	if (master >= 0 && tcgetattr(STDIN_FILENO, &saved) == 0) {
		struct termios raw = saved;

		cfmakeraw(&raw);
		is_raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
		copy_size(master);
	}
	r = loop(s, pidfd, master, status, err);
	if (is_raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &saved);
	close_fd(&master);
	return r;
}
