package portal

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// peers returns what is heard of the other Regions, by name.
func (p *Portal) peers() map[string]Peer {
	out := map[string]Peer{}
	if p.cfg.Replication != nil {
		for _, peer := range p.cfg.Replication.Peers() {
			out[peer.Region] = peer
		}
	}
	return out
}

func (p *Portal) unreachable(region string) bool {
	peer, ok := p.peers()[region]
	return ok && peer.cutOff()
}

// age is how long ago a peer was heard. Clocks differ, so one that seems to be
// ahead was heard now. Where the instant has a monotonic reading, the longer
// counts: the wall clock goes on while a machine is suspended, and the monotonic
// one can't be set back.
func (p *Portal) age(peer Peer) time.Duration {
	now := p.clock()
	return max(0, now.Sub(peer.Heard), now.Round(0).Sub(peer.Heard.Round(0)))
}

// stale refuses if an active Region was not heard for so long that this one
// may not know what it ended. Without MaxStaleness it never does.
func (p *Portal) stale() *Error {
	if p.cfg.MaxStaleness == 0 {
		return nil
	}
	heard := p.peers()
	var names, ages []string
	for _, r := range p.cfg.Directory.Regions() {
		peer := heard[r.Name] // one that nobody knows of was never heard
		if r.Name == p.cfg.Region || !r.Active() || !peer.Heard.IsZero() && p.age(peer) <= p.cfg.MaxStaleness {
			continue
		}
		names = append(names, r.Name)
		ages = append(ages, r.Name+" "+p.since(peer))
	}
	if len(names) == 0 {
		return nil
	}
	slices.Sort(names)
	return &Error{
		Reason: ReasonStale, Rule: "MaxStaleness", regions: names,
		Want: "every active Region heard within " + p.cfg.MaxStaleness.String(), Got: strings.Join(ages, ", "),
	}
}

// since says for people when a peer was heard.
func (p *Portal) since(peer Peer) string {
	if peer.Heard.IsZero() {
		return "not heard yet"
	}
	return ago(p.age(peer))
}

// ago writes a time that has passed for people.
func ago(d time.Duration) string {
	n := func(unit time.Duration, name string) string { return strconv.Itoa(int(d/unit)) + " " + name + " ago" }
	switch {
	case d < time.Second:
		return "just now"
	case d < time.Minute:
		return n(time.Second, "s")
	case d < time.Hour:
		return n(time.Minute, "min")
	case d < 48*time.Hour:
		return n(time.Hour, "h")
	}
	return n(24*time.Hour, "days")
}
