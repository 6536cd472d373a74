package oidc

import (
	"net/netip"
	"sync"
	"time"
)

// limiter bounds the requests that unauthenticated clients make within a span of time, by network and in all. The less
// of the quota is left, the less a network may have of it, so that one that uses up its limit doesn't stop the others.
// Each node counts for itself. The quota bounds the memory, too.
type limiter struct {
	span  time.Duration
	quota int // of all networks
	most  int // of one

	mu      sync.Mutex
	windows [2]window // the current one and the one before
}

type window struct {
	number    int64
	total     int
	byNetwork map[netip.Prefix]int
}

// limits are the limiters of the unauthenticated calls.
type limits struct{ register, devices, authorize, token *limiter }

// newLimits allows what a network of some hundred users needs. A program polls once a second for its code.
func newLimits() limits {
	return limits{
		register:  &limiter{span: time.Minute, quota: 20_000, most: 120},
		devices:   &limiter{span: deviceLifetime, quota: 10_000, most: 300},
		authorize: &limiter{span: time.Minute, quota: 20_000, most: 240},
		token:     &limiter{span: time.Minute, quota: 200_000, most: 6_000},
	}
}

const (
	networkShare = 8 // one network may have an eighth of a free quota
	siteFactor   = 4 // an IPv6 site, which has 65,536 networks, may have four times as much
)

// allow reports whether a client may make a request now, and counts it if so.
func (l *limiter) allow(addr string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.roll(now.Unix() / int64(l.span/time.Second))
	used := l.windows[0].total + l.windows[1].total
	free := float64(l.quota-used) / float64(l.quota)
	if free <= 0 {
		return false
	}
	most := max(1, min(l.most, int(float64(l.quota)/networkShare*free*free*free)))
	networks := networksOf(addr)
	for i, n := range networks {
		if l.windows[0].byNetwork[n]+l.windows[1].byNetwork[n] >= most*[...]int{1, siteFactor}[i] {
			return false
		}
	}
	l.windows[0].total++
	for _, n := range networks {
		l.windows[0].byNetwork[n]++
	}
	return true
}

// roll makes number the current window. A clock that steps back stays in it. The caller holds mu.
func (l *limiter) roll(number int64) {
	current := l.windows[0]
	switch {
	case current.byNetwork != nil && number <= current.number && number > current.number-10:
		return
	case current.byNetwork != nil && number == current.number+1:
		l.windows[1] = current
	default:
		l.windows[1] = window{}
	}
	l.windows[0] = window{number: number, byNetwork: map[netip.Prefix]int{}}
}

// networksOf returns the networks under which an address is counted. In IPv6 a host has a /64, and a site commonly a
// /48 (RFC 6177). All invalid addresses are one network.
func networksOf(addr string) []netip.Prefix {
	ip, err := netip.ParseAddr(addr)
	if withPort, noPort := netip.ParseAddrPort(addr); noPort == nil {
		ip, err = withPort.Addr(), nil
	}
	if err != nil {
		return []netip.Prefix{{}}
	}
	ip = ip.Unmap().WithZone("")
	if ip.Is4() {
		return []netip.Prefix{netip.PrefixFrom(ip, 32)}
	}
	host, _ := ip.Prefix(64) // the lengths fit
	site, _ := ip.Prefix(48)
	return []netip.Prefix{host, site}
}
