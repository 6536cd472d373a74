package main

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/portal"
)

// signIn is a line of the list: a Region's verdict on one response.
type signIn struct {
	acs.Verdict
	Portal portal.Reason // why the portal refused the user of an accepted response, or ""
}

// Accepted reports whether the user was signed in.
func (s signIn) Accepted() bool { return s.Verdict.Accepted && s.Portal == "" }

// Reason returns why the portal or the ACS refused, or "".
func (s signIn) Reason() string { return cmp.Or(string(s.Portal), s.Verdict.Reason) }

// Clock returns the local time of day.
func (s signIn) Clock() string { return s.Time.Local().Format(time.TimeOnly) }

// keptSignIns bounds the list. The oldest are dropped.
const keptSignIns = 100

// signIns keeps the last verdicts of all Regions.
type signIns struct {
	mu   sync.Mutex
	list []signIn // oldest first
	seen int      // how many there were, with those that were dropped
}

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

// portal is a portal.Config.OnSignIn. The response of a user whom a portal refuses was accepted before, so the list
// has its line already.
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

// mark returns the present position, for since.
func (s *signIns) mark() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen
}

// since returns the verdicts after a mark, oldest first.
func (s *signIns) since(mark int) []signIn {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(s.seen-mark, len(s.list))
	return slices.Clone(s.list[len(s.list)-n:])
}

// newest returns all that are kept, newest first.
func (s *signIns) newest() []signIn {
	out := s.since(0)
	slices.Reverse(out)
	return out
}
