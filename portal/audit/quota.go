package audit

import (
	"cmp"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"sync"
	"time"
)

// quota decides which events are written, and counts the others. Refusals are bounded by client network, as pending
// sign-ins are in package acs: a network may have an eighth of the hour's number, multiplied by the third power of what
// is left of it, and a site of IPv6 (/48) half. So one client can't use up the number, and many can't displace what
// is written already. Events of Access are bounded by user: only a user's own are counted instead. So are
// those of Remote by Region.
type quota struct {
	refusals, perUser, perRegion int
	now                          func() time.Time

	mu      sync.Mutex // guards the fields below
	hour    int64
	total   int
	network map[netip.Prefix]int
	users   map[string]int
	regions map[string]int

	moreTotal   int
	moreReasons map[string]int
	moreClients map[netip.Prefix]int // only those with an event that was written
	moreUsers   map[string]int
	moreRegions map[string]int
}

const (
	maxReasons = 64      // that are counted apart
	maxShown   = 5       // clients or users in one event of counts
	maxUsers   = 100_000 // that are counted apart in an hour
)

func newQuota(cfg *Config) *quota {
	q := &quota{refusals: cfg.RefusalsPerHour, perUser: cfg.AccessPerHour, perRegion: cfg.RemotePerHour, now: cfg.Now}
	q.reset()
	q.resetMore()
	return q
}

func (q *quota) reset() {
	q.total, q.network, q.users, q.regions = 0, map[netip.Prefix]int{}, map[string]int{}, map[string]int{}
}

func (q *quota) resetMore() {
	q.moreTotal, q.moreReasons = 0, map[string]int{}
	q.moreClients, q.moreUsers, q.moreRegions = map[netip.Prefix]int{}, map[string]int{}, map[string]int{}
}

// turn begins a new hour. The caller holds mu.
func (q *quota) turn() {
	if hour := q.now().Unix() / 3600; hour != q.hour {
		q.hour = hour
		q.reset()
	}
}

// refusal reports whether a refusal is to be written. Otherwise it is counted.
func (q *quota) refusal(client, reason string) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.turn()
	nets, left := networks(client), q.refusals-q.total
	allowed := left > 0
	for _, n := range nets {
		free := float64(left) / float64(q.refusals)
		most := max(1, int(float64(q.refusals)/float64(n.share)*free*free*free))
		allowed = allowed && q.network[n.prefix] < most
	}
	if !allowed {
		q.count(nets[0].prefix, reason)
		return false
	}
	q.total++
	for _, n := range nets {
		q.network[n.prefix]++
	}
	return true
}

// more counts a refusal that the quota allowed and that could not be written.
func (q *quota) more(client, reason string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.count(networks(client)[0].prefix, reason)
}

// count counts a refusal. The caller holds mu.
func (q *quota) count(client netip.Prefix, reason string) {
	q.moreTotal++
	if reason = cut(clean(reason), 40); q.moreReasons[reason] == 0 && len(q.moreReasons) >= maxReasons {
		reason = "other"
	}
	q.moreReasons[reason]++
	if q.network[client] > 0 { // so there are no more of them than events in an hour
		q.moreClients[client]++
	}
}

// access reports whether an event of a user is to be written. Otherwise it is counted.
func (q *quota) access(e Event) bool {
	user := e.Identity.UserName
	if e.Identity.OnBehalfOf != nil {
		user = cmp.Or(e.Identity.OnBehalfOf.UserID, user)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.turn()
	if q.users[user] == 0 && len(q.users) >= maxUsers {
		user = "others" // they share one bound, so that memory is bounded
	}
	if q.users[user] >= q.perUser {
		q.moreUsers[user]++
		return false
	}
	q.users[user]++
	return true
}

// remote reports whether n events of an additional Region's change are to be written. Otherwise they are counted.
// Regions are those that this one follows, so there are few.
func (q *quota) remote(region string, n int) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.turn()
	if q.regions[region]+n > q.perRegion {
		q.moreRegions[region] += n
		return false
	}
	q.regions[region] += n
	return true
}

// remoteFailed gives back what could not be written.
func (q *quota) remoteFailed(region string, n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.regions[region] = max(0, q.regions[region]-n)
}

// counted returns what was counted since the last call, by class, and begins again.
func (q *quota) counted(now time.Time) map[Class]map[string]string {
	q.mu.Lock()
	defer q.mu.Unlock()
	out, at := map[Class]map[string]string{}, now.UTC().Format(time.RFC3339)
	if q.moreTotal > 0 {
		refusals := map[string]string{"count": strconv.Itoa(q.moreTotal), "until": at}
		out[Refusals] = refusals
		top(refusals, "reason ", q.moreReasons, func(s string) string { return s })
		top(refusals, "client ", q.moreClients, netip.Prefix.String)
	}
	for class, more := range map[Class]map[string]int{Access: q.moreUsers, Remote: q.moreRegions} {
		if len(more) == 0 {
			continue
		}
		total, one := 0, map[Class]string{Access: "user", Remote: "region"}[class]
		for _, n := range more {
			total += n
		}
		out[class] = map[string]string{"count": strconv.Itoa(total), "until": at, one + "s": strconv.Itoa(len(more))}
		top(out[class], one+" ", more, func(s string) string { return s })
	}
	q.resetMore()
	return out
}

// top adds the largest counts.
func top[K comparable](to map[string]string, prefix string, counts map[K]int, name func(K) string) {
	keys := slices.SortedFunc(maps.Keys(counts), func(a, b K) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(name(a), name(b)))
	})
	for _, k := range keys[:min(len(keys), maxShown)] {
		to[prefix+name(k)] = fmt.Sprint(counts[k])
	}
}
