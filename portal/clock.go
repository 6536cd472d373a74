package portal

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/theme"
)

// A Region whose clock is wrong by more than the service provider's skew refuses every response. The clock is compared
// with two references: the other Regions' clocks, and the issue instants of verified assertions. The Region is
// unhealthy only if both differ from its clock in the same direction. So one Region or identity provider with a wrong
// clock can't take another Region out of use.

// clockOpinion is the opinion of verified assertions.
type clockOpinion struct {
	mu    sync.Mutex
	known bool
	ahead time.Duration // of the identity provider's clock before this one
	mono  time.Time     // when that was measured, by the process's monotonic clock
	now   time.Time     // and by Portal.now
}

const (
	// issuedFor is how long the freshest assertion is kept before any other replaces it. If no other arrives it still
	// counts: a Region without traffic must not become healthy because of that.
	issuedFor = 5 * time.Minute
	// clockStep is the smallest change of the clock that counts as setting it. Smaller changes are drift.
	clockStep = time.Minute
)

func (p *Portal) verdict(ctx context.Context, v acs.Verdict) {
	if !v.Issued.IsZero() {
		p.issued.note(v.Issued, v.Time.Round(0))
	}
	p.auditVerdict(ctx, v)
	if p.cfg.OnVerdict != nil {
		p.cfg.OnVerdict(ctx, v)
	}
}

// note records the issue instant of an assertion whose signature verified, accepted or not. The freshest one counts. An
// older one, because of a replay or a slow browser, would make the clock look ahead.
func (o *clockOpinion) note(issued, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	ahead := issued.Sub(now)
	if o.holds(now) && time.Since(o.mono) < issuedFor && ahead < o.ahead {
		return
	}
	o.known, o.ahead, o.mono, o.now = true, ahead, time.Now(), now
}

// holds says whether there is an opinion and the clock was not set since. The caller holds mu.
func (o *clockOpinion) holds(now time.Time) bool {
	return o.known && (now.Sub(o.now)-time.Since(o.mono)).Abs() < clockStep
}

func (o *clockOpinion) get(now time.Time) (ahead time.Duration, known bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.ahead, o.holds(now)
}

// peersAhead is how far the other Regions' clocks are ahead: the median of those that answer. With an even number, it
// is the smaller of the two middle differences.
func (p *Portal) peersAhead() (ahead time.Duration, known bool) {
	if p.cfg.Replication == nil {
		return 0, false
	}
	var all []time.Duration
	for _, peer := range p.cfg.Replication.Peers() {
		if peer.ClockKnown && !peer.cutOff() {
			all = append(all, peer.ClockAhead)
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

// checkClock returns an error if both references differ from the clock in the same direction. It logs when one begins
// to differ. Only the probe calls it.
func (p *Portal) checkClock(ctx context.Context) error {
	peers, byPeers := p.peersAhead()
	issued, byIssued := p.issued.get(p.now())
	skew := p.cfg.SP.Skew()
	opinion := func(known bool, ahead time.Duration) string {
		if !known {
			return "nothing"
		}
		return "this clock is " + clockText(p.theme.English(), ahead)
	}
	text := "other Regions say " + opinion(byPeers, peers) + ", verified assertions say " + opinion(byIssued, issued)
	wrong := [2]bool{byPeers && peers.Abs() > skew, byIssued && issued.Abs() > skew}
	if wrong != p.clockWrong && wrong != [2]bool{} {
		p.log.WarnContext(ctx, "portal: the clock may be wrong", "opinions", text)
	}
	p.clockWrong = wrong
	if wrong == [2]bool{true, true} && (peers > 0) == (issued > 0) {
		want := "within " + skew.String() + " of other Regions' and the identity provider's"
		return newError(ReasonUnavailable, "clock", want, text)
	}
	return nil
}

// clockText describes how far a clock is behind or ahead of a reference that is ahead by this much.
func clockText(t *theme.Texts, ahead time.Duration) string {
	switch d := ahead.Abs(); {
	case d < time.Second:
		return t.T("within 1 s")
	case ahead > 0:
		return t.T("%s behind", d.Round(time.Second))
	default:
		return t.T("%s ahead", d.Round(time.Second))
	}
}
