package portal

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/meridian-saml/meridian/acs"
)

// A Region whose clock is wrong by more than the service provider's skew refuses
// every response. There are two opinions on the clock: the other Regions', whose
// answers say what time it is there, and the identity provider's, whose
// assertions say when they were issued. Only where both find it wrong, in the
// same direction, is the Region not healthy: neither a Region nor an identity
// provider with a wrong clock can take another out of use alone.

// clockOpinion is what verified assertions say.
type clockOpinion struct {
	mu    sync.Mutex
	known bool
	ahead time.Duration // of the identity provider's clock before this one
	mono  time.Time     // when that was measured, by the process's own time
	now   time.Time     // and by Config.Now
	said  string        // what was logged last
}

// issuedFor is how long the freshest assertion stays the freshest. After that
// another one replaces it; until then it counts, or a Region that nobody is sent
// to any more would be found healthy. By more than clockStep the clock was set.
const (
	issuedFor = 5 * time.Minute
	clockStep = time.Minute
)

// verdict hears every verdict, for the clock, and passes it on.
func (p *Portal) verdict(ctx context.Context, v acs.Verdict) {
	if !v.Issued.IsZero() {
		p.issued.note(v.Issued, v.Time.Round(0))
	}
	if p.cfg.OnVerdict != nil {
		p.cfg.OnVerdict(ctx, v)
	}
}

// note takes the instant of an assertion whose signature verified, accepted or
// not. The freshest counts: one that an attacker kept, or that waited in a
// browser, makes the clock look ahead, and must not displace it.
func (o *clockOpinion) note(issued, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	ahead := issued.Sub(now)
	if o.holds(now) && time.Since(o.mono) < issuedFor && ahead < o.ahead {
		return
	}
	o.known, o.ahead, o.mono, o.now = true, ahead, time.Now(), now
}

// holds says whether the opinion is of the clock as it is now: it was not set
// since. The caller holds mu.
func (o *clockOpinion) holds(now time.Time) bool {
	return o.known && (now.Sub(o.now)-time.Since(o.mono)).Abs() < clockStep
}

func (o *clockOpinion) get(now time.Time) (ahead time.Duration, known bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.ahead, o.holds(now)
}

// peersAhead is how far the other Regions' clocks are ahead, by the median of
// those that answer. Of two in the middle the one that agrees more counts.
func peersAhead(peers []Peer) (ahead time.Duration, known bool) {
	var all []time.Duration
	for _, p := range peers {
		if p.ClockKnown && !p.cutOff() {
			all = append(all, p.ClockAhead)
		}
	}
	if len(all) == 0 {
		return 0, false
	}
	slices.Sort(all)
	a, b := all[(len(all)-1)/2], all[len(all)/2]
	if b.Abs() < a.Abs() {
		a = b
	}
	return a, true
}

// checkClock refuses if both opinions do, and reports if one does.
func (p *Portal) checkClock(ctx context.Context) error {
	var peers time.Duration
	var byPeers bool
	if p.cfg.Replication != nil {
		peers, byPeers = peersAhead(p.cfg.Replication.Peers())
	}
	issued, byIssued := p.issued.get(p.cfg.Now())
	skew := p.cfg.SP.Skew()
	wrongByPeers, wrongByIssued := byPeers && peers.Abs() > skew, byIssued && issued.Abs() > skew
	says := func(known bool, ahead time.Duration) string {
		if !known {
			return "nothing"
		}
		return "this clock is " + clockText(ahead)
	}
	text := ""
	if wrongByPeers || wrongByIssued {
		text = fmt.Sprintf("other Regions say %s, verified assertions say %s", says(byPeers, peers), says(byIssued, issued))
	}
	p.reportClock(ctx, text, wrongByPeers, wrongByIssued)
	if wrongByPeers && wrongByIssued && (peers > 0) == (issued > 0) {
		return &Error{Reason: ReasonUnavailable, Rule: "clock", Want: "within " + skew.String() + " of other Regions' and the identity provider's", Got: text}
	}
	return nil
}

// reportClock logs when an opinion changes, and not each time.
func (p *Portal) reportClock(ctx context.Context, text string, byPeers, byIssued bool) {
	now := fmt.Sprint(byPeers, byIssued)
	p.issued.mu.Lock()
	before := p.issued.said
	p.issued.said = now
	p.issued.mu.Unlock()
	if text != "" && now != before {
		p.cfg.Logger.WarnContext(ctx, "portal: the clock may be wrong", "region", p.cfg.Region, "opinions", text)
	}
}

// clockText says how a clock stands to one that is so much ahead of it.
func clockText(ahead time.Duration) string {
	switch d := ahead.Abs(); {
	case d < time.Second:
		return "within 1s"
	case ahead > 0:
		return d.Round(time.Second).String() + " behind"
	default:
		return d.Round(time.Second).String() + " ahead"
	}
}
