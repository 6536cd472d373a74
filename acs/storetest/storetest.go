// Package storetest tests the contract of an [acs.Store]. A store's own tests call Run, on a real server if it
// has one:
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

// Options describes the store. The zero value is for a store by the system's clock, without a quota.
type Options struct {
	// Now and Advance are for stores with a clock that the test moves: the time by that clock, and a function
	// that moves it forward. Both or none. Nil: the store goes by the system's clock, and the tests of expiry
	// wait for lifetimes of a second.
	Now     func() time.Time
	Advance func(d time.Duration)
	// RoundsUp bounds how long after its lifetime a record may still live. Zero: 10 s.
	RoundsUp time.Duration
	// MaxRequests is the quota of request records, if it is small enough to be used up. Zero: not tested.
	MaxRequests int
}

// Run tests the store. open returns an empty one and cleans up with t.Cleanup; it is called for each test.
func Run(t *testing.T, open func(t *testing.T) acs.Store, o Options) {
	t.Helper()
	if (o.Now == nil) != (o.Advance == nil) {
		t.Fatal("storetest: want both Options.Now and Options.Advance, or none, got one")
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
		{"KeysDoNotMix", (*suite).keysDoNotMix},
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

// suite is one test in progress.
type suite struct {
	*testing.T
	Options
	store acs.Store
}
