// Package sessionstest tests the contract of a [sessions.Store]. A store's own tests call Run:
//
//	func TestStore(t *testing.T) {
//		sessionstest.Run(t, func(t *testing.T) []sessionstest.Region {
//			return []sessionstest.Region{{Name: "us-east-1", Store: mystore.New(…)}}
//		}, sessionstest.Options{})
//	}
package sessionstest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/meridian-saml/meridian/acs/sessions"
)

// Region is one Region's store.
type Region struct {
	Name  string // of the sessions that live there
	Store sessions.Store
}

// Options describes the stores. The zero value is ready to use.
type Options struct {
	// Patience bounds how long a test waits for one Region to learn from another. Zero: a minute.
	Patience time.Duration
}

// Run tests stores. open returns the empty stores of one Region or of several that replicate to each other, and cleans
// up with t.Cleanup; it is called for each test. Each test runs at every Region, with the next one as the other.
func Run(t *testing.T, open func(t *testing.T) []Region, o Options) {
	t.Helper()
	o.Patience = cmp.Or(o.Patience, time.Minute)
	for _, test := range []struct {
		name string
		run  func(*suite)
	}{
		{"Fields", (*suite).fields},
		{"Create", (*suite).creates},
		{"Touch", (*suite).touch},
		{"End", (*suite).end},
		{"EndSignIn", (*suite).endSignIn},
		{"Revoke", (*suite).revoke},
		{"RevokeUser", (*suite).revokeUser},
		{"EndSubject", (*suite).endSubject},
		{"EndSubjectByIndex", (*suite).endSubjectByIndex},
		{"Subjects", (*suite).subjects},
		{"ShorterEnds", (*suite).shorterEnds},
		{"LateSessions", (*suite).lateSessions},
		{"Concurrent", (*suite).concurrent},
	} {
		t.Run(test.name, func(t *testing.T) {
			regions := open(t)
			if len(regions) == 0 {
				t.Fatal("sessionstest: open returned no Region")
			}
			for i, here := range regions {
				test.run(&suite{T: t, Options: o, regions: regions, here: here, there: regions[(i+1)%len(regions)]})
			}
		})
	}
}

// suite is one test in progress, at one Region.
type suite struct {
	*testing.T
	Options
	regions     []Region
	here, there Region // the same one if there is only one
	users       int
}

// user returns the ID of a new user.
func (s *suite) user() string {
	s.users++
	return fmt.Sprintf("user-%s-%d", s.here.Name, s.users)
}

// session returns a session of a user who signed in now in a Region.
func (s *suite) session(r Region, user, id string) sessions.Session {
	s.Helper()
	epoch, err := r.Store.Epoch(s.Context(), user)
	s.must("Epoch", err)
	now := time.Now()
	return sessions.Session{
		ID: user + " " + id, SignIn: user + " signed in", UserID: user, UserName: user + "@example.com",
		Region: r.Name, Epoch: epoch, Created: now, Seen: now, Expires: now.Add(time.Hour),
		Proof: sessions.Proof{
			Subject: sessions.Subject{
				Provider: "https://idp.example", ServiceProvider: "https://sp.example", NameID: sessions.NameID{Value: user},
			},
			SessionIndexes: []string{"index of " + user + " " + id}, Issued: now,
		},
	}
}

// key returns the key of a session.
func key(v sessions.Session) string { return "key of " + v.ID }

// create creates sessions in a Region.
func (s *suite) create(r Region, all ...sessions.Session) {
	s.Helper()
	for _, v := range all {
		s.must("Create", r.Store.Create(s.Context(), key(v), v))
	}
}

// must fails unless err is nil.
func (s *suite) must(what string, err error) {
	s.Helper()
	if err != nil {
		s.Fatalf("%s: %v", what, err)
	}
}

// alive reports whether a Region lists a session and, if the session lives there, returns it by its key.
func (s *suite) alive(r Region, v sessions.Session) bool {
	s.Helper()
	list, err := r.Store.List(s.Context(), v.UserID)
	s.must("List", err)
	listed := slices.ContainsFunc(list, func(l sessions.Session) bool { return l.ID == v.ID })
	if !listed || v.Region != r.Name {
		return listed
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

// want waits until every Region has the sessions that are alive, and not the ended ones.
func (s *suite) want(alive, ended []sessions.Session) {
	s.Helper()
	for _, r := range s.regions {
		agrees := func() bool {
			isAlive := func(v sessions.Session) bool { return s.alive(r, v) }
			return !slices.ContainsFunc(alive, func(v sessions.Session) bool { return !isAlive(v) }) &&
				!slices.ContainsFunc(ended, isAlive)
		}
		s.wait("Region "+r.Name+" to agree", agrees)
	}
}

// wait waits until a condition holds.
func (s *suite) wait(what string, holds func() bool) {
	s.Helper()
	for deadline := time.Now().Add(s.Patience); !holds(); {
		if time.Now().After(deadline) {
			s.Fatalf("waited %v for %s", s.Patience, what)
		}
		<-time.After(5 * time.Millisecond) // then look again
	}
}
