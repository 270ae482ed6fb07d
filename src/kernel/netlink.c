/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rtnetlink, as little of it as is needed. See netlink.h. netlink(7), rtnetlink(7).
 *
 * A request is answered by messages with its sequence number, ended by an acknowledgement (NLMSG_ERROR,
 * also for 0) or, for a dump, by NLMSG_DONE. */
#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "kernel/namespace.h"
#include "kernel/netlink.h"

/* What the kernel sends at once in a dump. */
#define ANSWER_SIZE 32768

int netlink_open(struct netlink *out, struct error **err)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		return error_errno(err, errno, "open a netlink socket");
	*out = (struct netlink){.fd = fd, .sequence = 1};
	return 0;
}

int netlink_open_in(int ns_fd, struct netlink *out, struct error **err)
{
	_cleanup_fd_ int own = namespace_open(&namespace_types[3], "/proc/self/ns/net", err);
	struct netlink nl = {.fd = -1};
	int r, back;

	if (own < 0)
		return own;
	r = namespace_join(ns_fd, CLONE_NEWNET, "container's network namespace", err);
	if (r < 0)
		return r;
	r = netlink_open(&nl, err);
	back = namespace_join(own, CLONE_NEWNET, "own network namespace", r < 0 ? NULL : err);
	if (r == 0 && back < 0) {
		close(nl.fd);
		return back;
	}
	*out = nl;
	return r;
}

void netlink_begin(struct netlink_request *request, uint16_t type, uint16_t flags,
		   const void *fixed, size_t size)
{
	*request = (struct netlink_request){
		.header = {.nlmsg_len = (uint32_t)NLMSG_LENGTH(size),
			   .nlmsg_type = type,
			   .nlmsg_flags = NLM_F_REQUEST | flags},
	};
	memcpy(request->body, fixed, size);
}

void netlink_put(struct netlink_request *request, uint16_t attribute, const void *data, size_t size)
{
	size_t start = NLMSG_ALIGN(request->header.nlmsg_len);
	struct rtattr head = {.rta_len = (unsigned short)RTA_LENGTH(size), .rta_type = attribute};
	char *place = (char *)request + start;

	if (start + RTA_SPACE(size) > sizeof *request) {
		request->header.nlmsg_len = UINT32_MAX;
		return;
	}
	memcpy(place, &head, sizeof head);
	memcpy(place + RTA_LENGTH(0), data, size);
	request->header.nlmsg_len = (uint32_t)(start + RTA_LENGTH(size));
}

/* Looks through one datagram. Returns 1 when the exchange has ended well, 0 when more is to come. */
static int read_answers(const struct netlink *nl, char *buf, size_t size,
			int (*on_answer)(const struct nlmsghdr *, void *), void *data)
{
	struct nlmsghdr *answer = (struct nlmsghdr *)(void *)buf;
	int r;

	for (; NLMSG_OK(answer, size); answer = NLMSG_NEXT(answer, size)) {
		if (answer->nlmsg_seq != nl->sequence)
			continue;
		if (answer->nlmsg_type == NLMSG_DONE)
			return 1;
		if (answer->nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *verdict = NLMSG_DATA(answer);

			if (answer->nlmsg_len < NLMSG_LENGTH(sizeof *verdict))
				return -EBADMSG;
			return verdict->error < 0 ? verdict->error : 1;
		}
		r = on_answer ? on_answer(answer, data) : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

static int receive(struct netlink *nl, int (*on_answer)(const struct nlmsghdr *, void *),
		   void *data)
{
	_cleanup_free_ char *buf = malloc(ANSWER_SIZE);

	if (!buf)
		return -ENOMEM;
	for (;;) {
		struct sockaddr_nl from = {0};
		socklen_t length = sizeof from;
		ssize_t n =
			recvfrom(nl->fd, buf, ANSWER_SIZE, 0, (struct sockaddr *)&from, &length);
		int r;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		/* Only the kernel is believed. */
		if (from.nl_pid != 0)
			continue;
		r = read_answers(nl, buf, (size_t)n, on_answer, data);
		if (r != 0)
			return r < 0 ? r : 0;
	}
}

int netlink_exchange(struct netlink *nl, struct netlink_request *request,
		     int (*on_answer)(const struct nlmsghdr *answer, void *data), void *data)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t n;

	if (request->header.nlmsg_len > sizeof *request)
		return -EMSGSIZE;
	/* NLM_F_DUMP is two bits, and NLM_F_EXCL is one of them. */
	if ((request->header.nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
		request->header.nlmsg_flags |= NLM_F_ACK;
	request->header.nlmsg_seq = ++nl->sequence;
	do
		n = sendto(nl->fd, request, request->header.nlmsg_len, 0,
			   (struct sockaddr *)&kernel, sizeof kernel);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : receive(nl, on_answer, data);
}

static int take_index(const struct nlmsghdr *answer, void *data)
{
	const struct ifinfomsg *info = NLMSG_DATA(answer);

	if (answer->nlmsg_type == RTM_NEWLINK)
		*(int *)data = info->ifi_index;
	return 0;
}

int link_find(struct netlink *nl, const char *name)
{
	struct ifinfomsg info = {.ifi_family = AF_UNSPEC};
	struct netlink_request request;
	int index = -ENODEV, r;

	netlink_begin(&request, RTM_GETLINK, 0, &info, sizeof info);
	netlink_put(&request, IFLA_IFNAME, name, strlen(name) + 1);
	r = netlink_exchange(nl, &request, take_index, &index);
	return r < 0 ? r : index;
}

int link_move(struct netlink *nl, int index, int ns_fd, const char *name, struct error **err)
{
	struct ifinfomsg info = {.ifi_family = AF_UNSPEC, .ifi_index = index};
	uint32_t fd = (uint32_t)ns_fd;
	struct netlink_request request;
	uint64_t begin = trace_begin();
	int r;

	netlink_begin(&request, RTM_NEWLINK, 0, &info, sizeof info);
	netlink_put(&request, IFLA_NET_NS_FD, &fd, sizeof fd);
	netlink_put(&request, IFLA_IFNAME, name, strlen(name) + 1);
	r = netlink_exchange(nl, &request, NULL, NULL);
	trace_step(TRACE_NETWORK, begin, "RTM_NEWLINK", r, "index=%d, netns=%d, name=%s", index,
		   ns_fd, name);
	return r < 0 ? error_errno(err, -r, "move the interface to the network namespace as %s",
				   name)
		     : 0;
}

int link_set_up(struct netlink *nl, int index, struct error **err)
{
	struct ifinfomsg info = {.ifi_family = AF_UNSPEC,
				 .ifi_index = index,
				 .ifi_flags = IFF_UP,
				 .ifi_change = IFF_UP};
	struct netlink_request request;
	uint64_t begin = trace_begin();
	int r;

	netlink_begin(&request, RTM_NEWLINK, 0, &info, sizeof info);
	r = netlink_exchange(nl, &request, NULL, NULL);
	trace_step(TRACE_NETWORK, begin, "RTM_NEWLINK", r, "index=%d, IFF_UP", index);
	return r < 0 ? error_errno(err, -r, "set the interface up") : 0;
}

struct address_list {
	struct link_address *items;
	size_t count;
	unsigned index;
};

static bool take_bytes(const struct rtattr *attribute, uint8_t out[16])
{
	size_t size = RTA_PAYLOAD(attribute);

	memcpy(out, RTA_DATA(attribute), size < 16 ? size : 16);
	return true;
}

static int take_address(const struct nlmsghdr *answer, void *data)
{
	struct address_list *list = data;
	const struct ifaddrmsg *info = NLMSG_DATA(answer);
	struct link_address *grown, address;
	size_t size;

	if (answer->nlmsg_type != RTM_NEWADDR || answer->nlmsg_len < NLMSG_LENGTH(sizeof *info) ||
	    info->ifa_index != list->index)
		return 0;
	address = (struct link_address){.family = info->ifa_family,
					.prefix = info->ifa_prefixlen,
					.scope = info->ifa_scope,
					.flags = info->ifa_flags};
	size = IFA_PAYLOAD(answer);
	for (const struct rtattr *a = IFA_RTA(info); RTA_OK(a, size); a = RTA_NEXT(a, size)) {
		if (a->rta_type == IFA_LOCAL)
			address.has_local = take_bytes(a, address.local);
		else if (a->rta_type == IFA_ADDRESS)
			address.has_peer = take_bytes(a, address.peer);
		else if (a->rta_type == IFA_BROADCAST)
			address.has_broadcast = take_bytes(a, address.broadcast);
		else if (a->rta_type == IFA_FLAGS && RTA_PAYLOAD(a) == sizeof address.flags)
			memcpy(&address.flags, RTA_DATA(a), sizeof address.flags);
	}
	grown = reallocarray(list->items, list->count + 1, sizeof *grown);
	if (!grown)
		return -ENOMEM;
	grown[list->count++] = address;
	list->items = grown;
	return 0;
}

int link_addresses(struct netlink *nl, int index, struct link_address **out, size_t *count,
		   struct error **err)
{
	struct address_list list = {.index = (unsigned)index};
	struct ifaddrmsg info = {.ifa_family = AF_UNSPEC};
	struct netlink_request request;
	int r;

	netlink_begin(&request, RTM_GETADDR, NLM_F_DUMP, &info, sizeof info);
	r = netlink_exchange(nl, &request, take_address, &list);
	if (r < 0) {
		free(list.items);
		return error_errno(err, -r, "list the interface's addresses");
	}
	*out = list.items;
	*count = list.count;
	return 0;
}

int link_add_address(struct netlink *nl, int index, const struct link_address *address,
		     struct error **err)
{
	struct ifaddrmsg info = {.ifa_family = address->family,
				 .ifa_prefixlen = address->prefix,
				 .ifa_scope = address->scope,
				 .ifa_index = (unsigned)index};
	size_t size = address->family == AF_INET ? 4 : 16;
	char text[INET6_ADDRSTRLEN] = "";
	struct netlink_request request;
	uint64_t begin = trace_begin();
	int r;

	netlink_begin(&request, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof info);
	if (address->has_local)
		netlink_put(&request, IFA_LOCAL, address->local, size);
	if (address->has_peer)
		netlink_put(&request, IFA_ADDRESS, address->peer, size);
	if (address->has_broadcast)
		netlink_put(&request, IFA_BROADCAST, address->broadcast, size);
	netlink_put(&request, IFA_FLAGS, &address->flags, sizeof address->flags);
	r = netlink_exchange(nl, &request, NULL, NULL);
	inet_ntop(address->family, address->has_local ? address->local : address->peer, text,
		  sizeof text);
	trace_step(TRACE_NETWORK, begin, "RTM_NEWADDR", r, "index=%d, %s/%u", index, text,
		   address->prefix);
	return r < 0 ? error_errno(err, -r, "add the address %s/%u", text, address->prefix) : 0;
}

int loopback_set_up(struct error **err)
{
	/* Interface requests are for every kind of socket; this kind is made the quickest. */
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {.ifr_name = "lo", .ifr_flags = IFF_UP};
	uint64_t begin;
	int r;

	if (fd < 0)
		return error_errno(err, errno, "bring up lo");
	begin = trace_begin();
	r = ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
	trace_step(TRACE_NETWORK, begin, "ioctl", r, "SIOCSIFFLAGS, lo, IFF_UP");
	return r < 0 ? error_errno(err, -r, "bring up lo") : 0;
}
