package audit

import "net/netip"

const (
	addressShare = 8 // an address may have 1/8 of a free quota
	siteShare    = 2 // an IPv6 /48 may have 1/2, because it has 65,536 /64 networks
)

// network is a prefix under which an address is counted, and its share. Invalid addresses have the zero prefix.
type network struct {
	prefix netip.Prefix
	share  int
}

// networks returns the networks of a client's address. In IPv6 a host has a /64, and a customer commonly a /48
// (RFC 6177).
func networks(addr string) []network {
	ip, err := netip.ParseAddr(addr)
	if port, noPort := netip.ParseAddrPort(addr); noPort == nil {
		ip, err = port.Addr(), nil
	}
	if err != nil {
		return []network{{share: addressShare}}
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return []network{{netip.PrefixFrom(ip, 32), addressShare}}
	}
	host, _ := ip.Prefix(64) // the lengths fit
	site, _ := ip.Prefix(48)
	return []network{{host, addressShare}, {site, siteShare}}
}
