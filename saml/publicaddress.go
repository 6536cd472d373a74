package saml

import (
	"net/netip"
	"slices"
)

// IsPublicAddress reports whether an IP address is of the public internet. It is false
// for loopback, private, link-local, multicast, unspecified and reserved addresses, also
// as IPv6 addresses that contain an IPv4 address. A program that connects to an address
// that another party chose must not reach its own network: check the address after the
// name was resolved.
func IsPublicAddress(ip netip.Addr) bool {
	ip = ip.Unmap()
	return ip.IsGlobalUnicast() && !ip.IsPrivate() && (ip.Is4() || allocated.Contains(ip)) && !special(ip)
}

// allocated is the IPv6 global unicast range (RFC 4291 2.4, IANA's registry). It
// excludes networks that embed an IPv4 address, which may be private (RFC 6052).
var allocated = netip.MustParsePrefix("2000::/3")

// special reports whether an address is in one of specialPrefixes.
func special(ip netip.Addr) bool {
	return slices.ContainsFunc(specialPrefixes, func(p netip.Prefix) bool { return p.Contains(ip) })
}

// specialPrefixes are not public, although netip counts them as global unicast.
// IPv4: this network, shared address space (RFC 6598), protocol assignments,
// documentation, benchmarks, reserved, and the virtual host address of Azure. IPv6:
// protocol assignments (including Teredo), documentation, and 6to4.
var specialPrefixes = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("168.63.129.16/32"),
	netip.MustParsePrefix("2001::/23"), netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("3fff::/20"),
	netip.MustParsePrefix("2002::/16"),
}
