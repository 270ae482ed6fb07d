/* SPDX-License-Identifier: GPL-2.0-or-later */
/* linux.netDevices: interfaces of the host that become the container's. See attributes.h; runtime
 * specification 1.3, "Network Devices".
 *
 * For each: its addresses are read, it is moved and renamed in one request, and in its new home the
 * permanent addresses of global scope are added again, for moving takes them all away. Others (link-local,
 * learnt from the host's network) belong to the place it left. The container's namespace is worked on through a
 * socket bound to it, so nothing of the container is run or trusted. */
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>

#include "kernel/netlink.h"
#include "runtime/attributes.h"

/* Those flags of an address that its owner chose, not the kernel. */
#define KEPT_FLAGS (IFA_F_NODAD | IFA_F_HOMEADDRESS | IFA_F_NOPREFIXROUTE | IFA_F_MCAUTOJOIN)

static void close_netlink(struct netlink *nl)
{
	close_fd(&nl->fd);
}

static int restore_addresses(struct netlink *inside, int index,
			     const struct link_address *addresses, size_t count, struct error **err)
{
	for (size_t i = 0; i < count; i++) {
		struct link_address address = addresses[i];
		int r;

		if (address.scope != RT_SCOPE_UNIVERSE || !(address.flags & IFA_F_PERMANENT))
			continue;
		address.flags &= KEPT_FLAGS;
		r = link_add_address(inside, index, &address, err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int move(struct netlink *host, struct netlink *inside, const struct spec_net_device *device,
		int net_ns_fd, struct error **err)
{
	_cleanup_free_ struct link_address *addresses = NULL;
	size_t count = 0;
	int index, r;

	index = link_find(host, device->host_name);
	if (index < 0)
		return error_set(err, -index, "%s",
				 index == -ENODEV ? "the host has no such interface"
						  : strerror(-index));
	/* A failed rename would leave it in there, to vanish with the container. */
	if (link_find(inside, device->container_name) >= 0)
		return error_set(err, EEXIST, "the container already has an interface %s",
				 device->container_name);
	r = link_addresses(host, index, &addresses, &count, err);
	if (r == 0)
		r = link_move(host, index, net_ns_fd, device->container_name, err);
	if (r < 0)
		return r;
	/* The number may have been taken there. */
	index = link_find(inside, device->container_name);
	if (index < 0)
		return error_errno(err, -index, "find the interface in the container");
	r = restore_addresses(inside, index, addresses, count, err);
	return r == 0 ? link_set_up(inside, index, err) : r;
}

int net_devices_move(const struct spec_net_device *devices, size_t count, int net_ns_fd,
		     struct error **err)
{
	_cleanup_(close_netlink) struct netlink host = {.fd = -1}, inside = {.fd = -1};
	int r;

	if (!count)
		return 0;
	r = netlink_open(&host, err);
	if (r == 0)
		r = netlink_open_in(net_ns_fd, &inside, err);
	if (r < 0)
		return error_prefix(err, "linux.netDevices");
	for (size_t i = 0; i < count; i++) {
		r = move(&host, &inside, &devices[i], net_ns_fd, err);
		if (r < 0)
			return error_prefix(err, "linux.netDevices: %s", devices[i].host_name);
	}
	return 0;
}

int net_loopback_up(struct error **err)
{
	return loopback_set_up(err);
}
