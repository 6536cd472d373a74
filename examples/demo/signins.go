package main

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/portal"
)

// signIn is one line of the list: what a Region decided on one response.
type signIn struct {
	acs.Verdict
	// Portal is the portal's own reason against a user whose response was
	// good; empty if it had none.
	Portal portal.Reason
}

// Accepted says whether the user was let in.
func (s signIn) Accepted() bool { return s.Verdict.Accepted && s.Portal == "" }

// Reason is the Reason of the part that refused, empty if none did.
func (s signIn) Reason() string {
	if s.Portal != "" {
		return string(s.Portal)
	}
	return s.Verdict.Reason
}

// Clock is the time of day, for the list.
func (s signIn) Clock() string { return s.Time.Local().Format(time.TimeOnly) }

// keptSignIns bounds the list: the oldest are forgotten.
const keptSignIns = 100

// signIns remembers the last verdicts of all Regions.
type signIns struct {
	mu   sync.Mutex
	list []signIn // oldest first
	seen int      // how many there ever were
}

func newSignIns() *signIns { return &signIns{} }

// verdict is an acs.Config.OnVerdict.
func (s *signIns) verdict(_ context.Context, v acs.Verdict) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.list) == keptSignIns {
		s.list = slices.Delete(s.list, 0, 1)
	}
	s.list = append(s.list, signIn{Verdict: v})
	s.seen++
}

// portal is a portal.Config.OnSignIn. What a portal refuses was accepted
// before, so its line is there already.
func (s *signIns) portal(_ context.Context, in portal.SignIn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.list) - 1; i >= 0 && !in.Accepted; i-- {
		if v := &s.list[i]; v.Accepted() && v.Region == in.Region && v.NameID == in.UserName {
			v.Portal, v.Reference = in.Reason, in.Reference
			return
		}
	}
}

// mark is a moment, for since.
func (s *signIns) mark() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen
}

// since lists what came after a mark, oldest first.
func (s *signIns) since(mark int) []signIn {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(s.seen-mark, len(s.list))
	return slices.Clone(s.list[len(s.list)-n:])
}

// newest lists all that is remembered, newest first.
func (s *signIns) newest() []signIn {
	out := s.since(0)
	slices.Reverse(out)
	return out
}
