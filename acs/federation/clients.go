package federation

import (
	"net/netip"
	"slices"
	"time"
)

// Limits on fetches from a query service, because unauthenticated clients choose the
// names.
const (
	maxFetches = 32 // at once
	maxRefresh = 8  // of these, refreshes of known entities

	// Of the fetches at once, an address may have a quarter if all are free, and an
	// IPv6 /48 half, because it has 65,536 /64 networks. Both parts shrink with the
	// third power of the free fraction, so that others find room: more than 20
	// addresses or sites are needed to use all.
	addressShare, siteShare = 4, 2

	maxClients      = 10_000 // networks whose fetches are counted
	perMinute       = 20     // unknown names of one address
	sitesPerMinute  = 4      // an IPv6 /48 may ask for this many times as many
	lengthOfAddress = 64     // bits of an IPv6 network that one host has
	lengthOfSite    = 48     // and that a customer commonly has (RFC 6177)
)

// network is a prefix under which a client is counted, and its limits. Clients without
// a valid address share the zero prefix.
type network struct {
	prefix           netip.Prefix
	share, perMinute int
}

// networks returns the networks of a client's address, which may have a port.
func networks(client string) []network {
	ip, err := netip.ParseAddr(client)
	if withPort, noPort := netip.ParseAddrPort(client); noPort == nil {
		ip, err = withPort.Addr(), nil
	}
	if err != nil {
		return []network{{share: addressShare, perMinute: perMinute}}
	}
	ip = ip.Unmap().WithZone("")
	address, _ := ip.Prefix(min(ip.BitLen(), lengthOfAddress)) // the lengths fit
	out := []network{{address, addressShare, perMinute}}
	if ip.Is6() {
		site, _ := ip.Prefix(lengthOfSite)
		out = append(out, network{site, siteShare, sitesPerMinute * perMinute})
	}
	return out
}

// window counts a network's fetches in one minute.
type window struct {
	begin time.Time
	n     int
}

// room reports whether a client may have one more fetch now. No networks: a refresh.
// The caller holds mu.
func (e *entities) room(nets []network) bool {
	left := maxFetches - len(e.flights)
	if left <= 0 {
		return false
	}
	if len(nets) == 0 {
		return e.atOnce(func(fl *flight) bool { return len(fl.networks) == 0 }) < maxRefresh
	}
	return !slices.ContainsFunc(nets, func(n network) bool {
		same := func(fl *flight) bool { return slices.Contains(fl.networks, n) }
		return e.atOnce(same) >= atOnceLimit(left, n.share)
	})
}

func (e *entities) atOnce(counts func(*flight) bool) (n int) {
	for _, fl := range e.flights {
		if counts(fl) {
			n++
		}
	}
	return n
}

// atOnceLimit returns how many fetches a network may have while left are free: at
// least 1.
func atOnceLimit(left, share int) int {
	return max(1, maxFetches*left*left*left/(share*maxFetches*maxFetches*maxFetches))
}

// admit counts a client's fetch, or refuses it. The caller holds mu.
func (e *entities) admit(nets []network, now time.Time) bool {
	windows := make([]window, len(nets))
	for i, n := range nets {
		w, _ := e.clients.Get(n.prefix)
		if passed := now.Sub(w.begin); passed < 0 || passed >= time.Minute {
			w = window{begin: now}
		}
		if w.n >= n.perMinute {
			return false
		}
		w.n++
		windows[i] = w
	}
	for i, n := range nets {
		e.clients.Add(n.prefix, windows[i])
	}
	return true
}
