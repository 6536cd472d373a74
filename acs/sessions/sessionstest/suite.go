package sessionstest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/meridian-saml/meridian/acs/sessions"
)

// A suite is one test in progress, at one Region.
type suite struct {
	*testing.T
	Options
	regions     []Region
	here, there Region // the same one where there is one alone
	users       int
}

// user returns the ID of a user whom no other test has.
func (s *suite) user() string {
	s.users++
	return fmt.Sprintf("user-%s-%d", s.here.Name, s.users)
}

// session returns one of a user that was proved now and lives in a Region.
func (s *suite) session(r Region, user, id string) sessions.Session {
	s.Helper()
	epoch, err := r.Store.Epoch(s.Context(), user)
	if err != nil {
		s.Fatalf("Epoch: %v", err)
	}
	now := time.Now()
	return sessions.Session{
		ID: user + " " + id, SignIn: user + " signed in", UserID: user, UserName: user + "@example.com", Region: r.Name, Epoch: epoch,
		Created: now, Seen: now, Expires: now.Add(time.Hour),
		Proof: sessions.Proof{Subject: subject(user), SessionIndexes: []string{"index of " + user + " " + id}, Issued: now},
	}
}

func subject(user string) sessions.Subject {
	return sessions.Subject{Provider: "https://idp.example", ServiceProvider: "https://sp.example", NameID: sessions.NameID{Value: user}}
}

// key is where the suite keeps a session.
func key(v sessions.Session) string { return "key of " + v.ID }

// create keeps a session in the Region that it lives in.
func (s *suite) create(r Region, all ...sessions.Session) {
	s.Helper()
	for _, v := range all {
		if err := r.Store.Create(s.Context(), key(v), v); err != nil {
			s.Fatalf("Create: %v", err)
		}
	}
}

// must fails unless err is nil.
func (s *suite) must(what string, err error) {
	s.Helper()
	if err != nil {
		s.Fatalf("%s: %v", what, err)
	}
}

// lets says whether a Region has a live session: whether it is listed and, where
// it lives there, lets its user in.
func (s *suite) lets(r Region, v sessions.Session) bool {
	s.Helper()
	listed, err := r.Store.List(s.Context(), v.UserID)
	s.must("List", err)
	if !slices.ContainsFunc(listed, func(l sessions.Session) bool { return l.ID == v.ID }) || v.Region != r.Name {
		return v.Region != r.Name && slices.ContainsFunc(listed, func(l sessions.Session) bool { return l.ID == v.ID })
	}
	got, err := r.Store.Get(s.Context(), key(v))
	if errors.Is(err, sessions.ErrNoSession) {
		return false
	}
	s.must("Get", err)
	if got.ID != v.ID {
		s.Fatalf("Get: want session %q, got %q", v.ID, got.ID)
	}
	return true
}

// want waits until every Region has these sessions, and without ended ones.
func (s *suite) want(alive, ended []sessions.Session) {
	s.Helper()
	for _, r := range s.regions {
		s.eventually("Region "+r.Name+" to agree", func() bool {
			for _, v := range alive {
				if !s.lets(r, v) {
					return false
				}
			}
			return !slices.ContainsFunc(ended, func(v sessions.Session) bool { return s.lets(r, v) })
		})
	}
}

// eventually waits on a condition.
func (s *suite) eventually(what string, ok func() bool) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), s.Patience)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-ctx.Done():
			s.Fatalf("waited %v for %s", s.Patience, what)
		case <-tick.C:
		}
	}
}
