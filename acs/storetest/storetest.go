// Package storetest tests implementations of [acs.Store]. A store's own tests call Run, with a real server if it
// needs one:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) acs.Store { return mystore.New(…) }, storetest.Options{})
//	}
package storetest

import (
	"cmp"
	"testing"
	"time"

	"github.com/meridian-saml/meridian/acs"
)

// Options describes the store. The zero value is for a store with the system's clock and without a quota.
type Options struct {
	// Now and Advance are for a store whose clock the test can move: Now returns its time, and Advance moves it
	// forward. Set both or neither. Nil: the store uses the system's clock, and the tests of expiry wait for
	// lifetimes of a second.
	Now     func() time.Time
	Advance func(d time.Duration)
	// RoundsUp bounds how long after its lifetime a record may still live. Zero: 10 s.
	RoundsUp time.Duration
	// MaxRequests is the quota of request records. It must be small, because the test uses it up. Zero: not
	// tested.
	MaxRequests int
}

// Run tests the store. It calls open for each test, which returns an empty store and cleans up with t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) acs.Store, o Options) {
	t.Helper()
	if (o.Now == nil) != (o.Advance == nil) {
		t.Fatal("storetest: want both Options.Now and Options.Advance, or neither, got one")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.RoundsUp = cmp.Or(o.RoundsUp, 10*time.Second)
	for _, test := range []struct {
		name string
		run  func(*suite)
	}{
		{"AddAndTake", (*suite).addAndTake},
		{"KeysAreSeparate", (*suite).keysAreSeparate},
		{"ValuesAreCopied", (*suite).valuesAreCopied},
		{"ValueSizes", (*suite).valueSizes},
		{"ConcurrentAdd", (*suite).concurrentAdd},
		{"ConcurrentTake", (*suite).concurrentTake},
		{"ConcurrentMix", (*suite).concurrentMix},
		{"PastLifetimes", (*suite).pastLifetimes},
		{"Expiry", (*suite).expiry},
		{"LongLifetimes", (*suite).longLifetimes},
		{"CancelledContexts", (*suite).cancelledContexts},
		{"Since", (*suite).since},
		{"Quota", (*suite).quota},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.run(&suite{T: t, Options: o, store: open(t)})
		})
	}
}

// suite is the state of one test.
type suite struct {
	*testing.T
	Options
	store acs.Store
}
