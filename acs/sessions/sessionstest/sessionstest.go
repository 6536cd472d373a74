// Package sessionstest tests the contract of a [sessions.Store]. A store's own tests call Run:
//
//	func TestStore(t *testing.T) {
//		sessionstest.Run(t, func(t *testing.T) []sessionstest.Region {
//			return []sessionstest.Region{{Name: "us-east-1", Store: mystore.New(…)}}
//		}, sessionstest.Options{})
//	}
package sessionstest

import (
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

// Run tests stores. open returns the empty stores of one Region or of several that replicate to each other, and
// cleans up with t.Cleanup; it is called for each test. Each test runs at every Region, with the next one as the
// other.
func Run(t *testing.T, open func(t *testing.T) []Region, o Options) {
	t.Helper()
	if o.Patience == 0 {
		o.Patience = time.Minute
	}
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
