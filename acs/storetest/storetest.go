// Package storetest checks that an [acs.Store] keeps its contract. A store's
// own tests call Run, on a real server where there is one:
//
//	func TestStore(t *testing.T) {
//		storetest.Run(t, func(t *testing.T) acs.Store { return mystore.New(…) }, storetest.Options{})
//	}
package storetest

import (
	"testing"
	"time"

	"github.com/meridian-saml/meridian/acs"
)

// Options says what the store can do beyond the contract. The zero value is
// for a store by the system's clock, without a quota.
type Options struct {
	// Now and Advance are for stores with a clock that the test moves: the time
	// by that clock, and a function that moves it on. Both or none. Nil: the
	// store goes by the system's clock, and the tests of expiry wait for
	// lifetimes of a second.
	Now     func() time.Time
	Advance func(d time.Duration)
	// RoundsUp is how long after its lifetime a record may still live. Zero:
	// 10 s. It is only waited for where it is needed.
	RoundsUp time.Duration
	// MaxRequests is the quota of request records of the stores that open
	// makes, where it is small enough to be filled. Zero: not tested.
	MaxRequests int
}

// Run checks the store. open gives an empty one and cleans up after itself
// with t.Cleanup; it is called for each test.
func Run(t *testing.T, open func(t *testing.T) acs.Store, o Options) {
	t.Helper()
	if (o.Now == nil) != (o.Advance == nil) {
		t.Fatal("storetest: Options.Now and Options.Advance belong together")
	}
	if o.RoundsUp == 0 {
		o.RoundsUp = 10 * time.Second
	}
	for _, test := range []struct {
		name string
		run  func(*suite)
	}{
		{"AddThenTake", (*suite).addThenTake},
		{"AddTwice", (*suite).addTwice},
		{"TakeTwice", (*suite).takeTwice},
		{"AddAfterTake", (*suite).addAfterTake},
		{"KeysDoNotMix", (*suite).keysDoNotMix},
		{"ValuesAreCopied", (*suite).valuesAreCopied},
		{"ValueSizes", (*suite).valueSizes},
		{"ConcurrentAdd", (*suite).concurrentAdd},
		{"ConcurrentTake", (*suite).concurrentTake},
		{"ConcurrentMix", (*suite).concurrentMix},
		{"PastLifetimes", (*suite).pastLifetimes},
		{"Expiry", (*suite).expiry},
		{"TakeAfterExpiry", (*suite).takeAfterExpiry},
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
