/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network interfaces by rtnetlink(7): find, move to another network namespace, addresses, up. */
#ifndef DHOW_KERNEL_NETLINK_H
#define DHOW_KERNEL_NETLINK_H

#include <linux/netlink.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/base.h"

/* A socket to one network namespace's rtnetlink. Close fd. */
struct netlink {
	int fd;
	uint32_t sequence;
};
/* In the caller's network namespace, or in that of ns_fd: the socket stays bound to it, the (single-threaded)
 * caller is back in its own when this returns. */
int netlink_open(struct netlink *out, struct error **err);
int netlink_open_in(int ns_fd, struct netlink *out, struct error **err);

/* One request: a header, the fixed part of its type, attributes. */
struct netlink_request {
	struct nlmsghdr header;
	char body[1024];
};
void netlink_begin(struct netlink_request *request, uint16_t type, uint16_t flags,
		   const void *fixed, size_t size);
/* What doesn't fit is -EMSGSIZE from netlink_exchange. */
void netlink_put(struct netlink_request *request, uint16_t attribute, const void *data,
		 size_t size);
/* Sends it and hands each answer to on_answer (NULL: there is none but the acknowledgement), which
 * returns 0 or a negative errno. Returns the kernel's verdict, a negative errno. */
int netlink_exchange(struct netlink *nl, struct netlink_request *request,
		     int (*on_answer)(const struct nlmsghdr *answer, void *data), void *data);

/* The index of an interface, -ENODEV where there is none of that name. */
int link_find(struct netlink *nl, const char *name);
/* Moves it, down, with the new name. */
int link_move(struct netlink *nl, int index, int ns_fd, const char *name, struct error **err);
int link_set_up(struct netlink *nl, int index, struct error **err);

struct link_address {
	uint8_t family, prefix, scope;
	uint32_t flags; /* IFA_F_x */
	bool has_local, has_peer, has_broadcast;
	uint8_t local[16], peer[16], broadcast[16]; /* IFA_LOCAL, IFA_ADDRESS, IFA_BROADCAST */
};
/* All addresses of the interface. Caller frees *out. */
int link_addresses(struct netlink *nl, int index, struct link_address **out, size_t *count,
		   struct error **err);
int link_add_address(struct netlink *nl, int index, const struct link_address *address,
		     struct error **err);

/* Brings up lo in the caller's network namespace. */
int loopback_set_up(struct error **err);

#endif
