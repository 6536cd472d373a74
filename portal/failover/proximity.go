package failover

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/textproto"
	"slices"
	"strings"
)

// Near says which Regions are near to the addresses in a prefix.
type Near struct {
	Prefix  netip.Prefix
	Regions []string // the nearest first
}

// ClientAddress finds the nearest Regions by the browser's address. Its Order
// method makes what [Config].Order takes.
type ClientAddress struct {
	// Table says what is near to what. The longest prefix that holds the
	// address wins; an address in none gets the order of Config.Regions. It is
	// searched from end to end, so it is meant for tens or hundreds of
	// prefixes. Required.
	Table []Near
	// Proxies are the addresses of your own load balancers. Header is the
	// header to which each of them appends the address that it was called
	// from, for example "X-Forwarded-For"; they must append to what the
	// browser sent or replace it, never pass it on as it is. The header is read
	// only if the connection comes from one of Proxies, from its end, and the
	// browser is the first address that isn't one of Proxies. Both empty: the
	// browser is the connection's other end, and no header is read. One
	// without the other is refused.
	Proxies []netip.Prefix
	Header  string
}

// Order returns a func that is fit for [Config].Order. What browsers can gain by
// lying to it is to be sent to another Region of yours.
func (c ClientAddress) Order() (func(*http.Request) []string, error) {
	if len(c.Table) == 0 {
		return nil, badConfig("ClientAddress.Table", "at least one prefix", "none")
	}
	if (c.Header == "") != (len(c.Proxies) == 0) {
		return nil, badConfig("ClientAddress.Header", "Header and Proxies, or neither", c.Header)
	}
	table := make([]Near, len(c.Table))
	for i, n := range c.Table {
		if !usablePrefix(n.Prefix) {
			return nil, badConfig(fmt.Sprintf("ClientAddress.Table[%d].Prefix", i), "an IPv4 or IPv6 prefix", n.Prefix.String())
		}
		table[i] = Near{Prefix: n.Prefix, Regions: slices.Clone(n.Regions)}
	}
	for i, p := range c.Proxies {
		if !usablePrefix(p) {
			return nil, badConfig(fmt.Sprintf("ClientAddress.Proxies[%d]", i), "an IPv4 or IPv6 prefix", p.String())
		}
	}
	slices.SortStableFunc(table, func(a, b Near) int { return b.Prefix.Bits() - a.Prefix.Bits() })
	proxies, header := slices.Clone(c.Proxies), textproto.CanonicalMIMEHeaderKey(c.Header)
	return func(r *http.Request) []string {
		client, ok := clientAddress(r, header, proxies)
		if !ok {
			return nil
		}
		for _, n := range table {
			if n.Prefix.Contains(client) {
				return n.Regions
			}
		}
		return nil
	}, nil
}

// usablePrefix refuses prefixes that would hold no address as we write it:
// IPv4 addresses are never in their IPv6 form.
func usablePrefix(p netip.Prefix) bool { return p.IsValid() && !p.Addr().Is4In6() }

// maxHops is how many proxies of our own may stand in a row.
const maxHops = 16

func clientAddress(r *http.Request, header string, proxies []netip.Prefix) (netip.Addr, bool) {
	at, ok := parseAddress(r.RemoteAddr)
	if !ok || !within(proxies, at) {
		return at, ok
	}
	hops := 0
	for _, line := range slices.Backward(r.Header[header]) {
		for more := true; more; hops++ {
			if hops == maxHops {
				return netip.Addr{}, false
			}
			entry := line
			i := strings.LastIndexByte(line, ',')
			if more = i >= 0; more {
				line, entry = line[:i], line[i+1:]
			}
			at, ok = parseAddress(strings.TrimSpace(entry))
			if !ok || !within(proxies, at) {
				return at, ok
			}
		}
	}
	return at, true // nobody before our own proxies: one of them asks for itself
}

// parseAddress reads an address with or without a port.
func parseAddress(s string) (netip.Addr, bool) {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone(""), true
	}
	a, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(s, "["), "]"))
	return a.Unmap().WithZone(""), err == nil
}

func within(prefixes []netip.Prefix, a netip.Addr) bool {
	return slices.ContainsFunc(prefixes, func(p netip.Prefix) bool { return p.Contains(a) })
}
