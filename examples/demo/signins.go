package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal"
)

// signIn is a row of the list: a Region's verdict on one response.
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

// portal is a portal.Config.OnSignIn. If a portal refuses a user, the response was accepted before, so the list has
// its row already.
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

// replay posts the last accepted response to the same ACS again, from a client without cookies, like an attacker who
// intercepted it. It returns the verdict.
func (w *world) replay(ctx context.Context) (signIn, error) {
	m, err := w.lastAccepted()
	if err != nil {
		return signIn{}, err
	}
	at, err := w.site(m.ACS)
	if err != nil {
		return signIn{}, err
	}
	if !at.Running() {
		return signIn{}, fmt.Errorf("%s is stopped, so nothing can be sent there", at.Name)
	}
	b := testkit.NewBrowser(ctx)
	mark := w.signIns.mark()
	values := url.Values{"SAMLResponse": {base64.StdEncoding.EncodeToString(m.XML)}}
	if m.RelayState != "" {
		values.Set("RelayState", m.RelayState)
	}
	p, err := b.Post("http://"+corp.IdPHost, m.ACS, values)
	if err != nil {
		return signIn{}, err
	}
	// Another user may sign in at the same time. The reference on the page tells which verdict is ours. There is none
	// if the response was accepted.
	ours := referenceOn(p)
	for _, v := range w.signIns.since(mark) {
		if v.ACS == m.ACS && (v.Reference == ours || ours == "" && v.Accepted()) {
			return v, nil
		}
	}
	return signIn{}, fmt.Errorf("%s answered %d and returned no verdict", at.Name, p.Status)
}

// lastAccepted returns the message of the newest accepted verdict.
func (w *world) lastAccepted() (mockidp.Message, error) {
	sent := w.idp.Messages()
	for _, v := range w.signIns.newest() {
		if !v.Verdict.Accepted {
			continue
		}
		for _, m := range sent {
			if m.Direction == mockidp.Sent && m.ACS == v.ACS && bytes.Contains(m.XML, []byte(`ID="`+v.AssertionID+`"`)) {
				return m, nil
			}
		}
	}
	return mockidp.Message{}, errors.New("no Region has accepted a response yet: sign in first")
}

var reference = regexp.MustCompile(`\bMRD-[0-9A-Z]{4}-[0-9A-Z]{4}\b`)

// referenceOn returns the reference that a page shows, or "".
func referenceOn(p *testkit.Page) string { return reference.FindString(strings.ToUpper(p.Text())) }
