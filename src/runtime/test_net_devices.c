/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tests of moving network devices, between two network namespaces of our own: the "host" of a forked child,
 * with a veth pair that it makes, and the "container". */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/test_child.h"
#include "kernel/netlink.h"
#include "runtime/attributes.h"

static int make_veth(struct netlink *nl, const char *name)
{
	struct ifinfomsg info = {0};
	struct netlink_request request;
	struct {
		struct rtattr head;
		char kind[8];
	} link = {{RTA_LENGTH(5), IFLA_INFO_KIND}, "veth"};

	netlink_begin(&request, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof info);
	netlink_put(&request, IFLA_IFNAME, name, strlen(name) + 1);
	netlink_put(&request, IFLA_LINKINFO, &link, sizeof link);
	return netlink_exchange(nl, &request, NULL, NULL);
}

static int add(struct netlink *nl, const char *name, const char *text, uint8_t prefix,
	       uint8_t scope)
{
	struct link_address address = {.family = strchr(text, ':') ? AF_INET6 : AF_INET,
				       .prefix = prefix,
				       .scope = scope,
				       .flags = IFA_F_NODAD,
				       .has_local = true};

	inet_pton(address.family, text, address.local);
	return link_add_address(nl, link_find(nl, name), &address, NULL);
}

static bool has(struct netlink *nl, const char *name, const char *text)
{
	_cleanup_free_ struct link_address *addresses = NULL;
	size_t count = 0;

	if (link_addresses(nl, link_find(nl, name), &addresses, &count, NULL) < 0)
		return false;
	for (size_t i = 0; i < count; i++) {
		char found[INET6_ADDRSTRLEN];

		inet_ntop(addresses[i].family,
			  addresses[i].has_local ? addresses[i].local : addresses[i].peer, found,
			  sizeof found);
		if (strcmp(found, text) == 0)
			return true;
	}
	return false;
}

static bool is_up(const char *name)
{
	_cleanup_fd_ int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = {0};

	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	return ioctl(fd, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP);
}

struct world {
	int host_ns, container_ns;
	struct netlink host, container;
};

/* Leaves the caller in the host's namespace. */
static int make_world(struct world *w)
{
	if (unshare(CLONE_NEWNET) < 0)
		return -1;
	w->container_ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (netlink_open(&w->container, NULL) < 0 || unshare(CLONE_NEWNET) < 0)
		return -1;
	w->host_ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	return netlink_open(&w->host, NULL) < 0 || make_veth(&w->host, "ve0") < 0 ? -1 : 0;
}

static int move_one(void)
{
	struct spec_net_device device = {"ve0", "eth9"};
	_cleanup_error_ struct error *err = NULL;
	struct world w;
	bool has_ipv6;

	if (make_world(&w) < 0)
		return SKIPPED;
	if (add(&w.host, "ve0", "192.0.2.7", 24, RT_SCOPE_UNIVERSE) < 0 ||
	    add(&w.host, "ve0", "169.254.1.1", 16, RT_SCOPE_LINK) < 0)
		return 1;
	has_ipv6 = add(&w.host, "ve0", "2001:db8::7", 64, RT_SCOPE_UNIVERSE) == 0;
	if (net_devices_move(&device, 1, w.container_ns, &err) < 0) {
		fprintf(stderr, "%s\n", error_text(err));
		return 2;
	}
	if (link_find(&w.host, "ve0") != -ENODEV || link_find(&w.container, "eth9") <= 0)
		return 3;
	if (!has(&w.container, "eth9", "192.0.2.7") || has(&w.container, "eth9", "169.254.1.1"))
		return 4;
	if (has_ipv6 && !has(&w.container, "eth9", "2001:db8::7"))
		return 5;
	/* We are still the host. */
	if (link_find(&w.host, "lo") <= 0 || is_up("eth9"))
		return 6;
	return setns(w.container_ns, CLONE_NEWNET) == 0 && is_up("eth9") ? 0 : 7;
}

static void given_a_device_then_it_moves_with_its_global_addresses_and_is_up(void **state)
{
	(void)state;
	expect_child(move_one);
}

static int move_absent(void)
{
	struct spec_net_device device = {"nothere", "nothere"};
	_cleanup_error_ struct error *err = NULL;
	struct world w;

	if (make_world(&w) < 0)
		return SKIPPED;
	return net_devices_move(&device, 1, w.container_ns, &err) == -ENODEV &&
			       str_starts(error_text(err), "linux.netDevices: nothere: ")
		       ? 0
		       : 1;
}

static void given_a_device_that_is_not_there_then_the_error_names_it(void **state)
{
	(void)state;
	expect_child(move_absent);
}

static int move_onto(void)
{
	struct spec_net_device device = {"ve0", "lo"};
	_cleanup_error_ struct error *err = NULL;
	struct world w;

	if (make_world(&w) < 0)
		return SKIPPED;
	if (net_devices_move(&device, 1, w.container_ns, &err) != -EEXIST)
		return 1;
	/* And it stays where it was. */
	return link_find(&w.host, "ve0") > 0 ? 0 : 2;
}

static void given_a_name_that_is_taken_then_the_device_stays_on_the_host(void **state)
{
	(void)state;
	expect_child(move_onto);
}

static int raise_loopback(void)
{
	if (unshare(CLONE_NEWNET) < 0)
		return SKIPPED;
	if (is_up("lo"))
		return 1;
	return net_loopback_up(NULL) == 0 && is_up("lo") ? 0 : 2;
}

static void given_a_new_namespace_then_lo_comes_up(void **state)
{
	(void)state;
	expect_child(raise_loopback);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(given_a_device_then_it_moves_with_its_global_addresses_and_is_up),
		cmocka_unit_test(given_a_device_that_is_not_there_then_the_error_names_it),
		cmocka_unit_test(given_a_name_that_is_taken_then_the_device_stays_on_the_host),
		cmocka_unit_test(given_a_new_namespace_then_lo_comes_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
