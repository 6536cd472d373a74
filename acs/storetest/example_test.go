package storetest_test

import (
	"fmt"
	"testing"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/storetest"
)

// The test of a store, here of the one in memory.
func ExampleRun() {
	TestStore := func(t *testing.T) {
		storetest.Run(t, func(*testing.T) acs.Store { return acs.NewMemoryStore(acs.MemoryConfig{}) }, storetest.Options{})
	}
	fmt.Printf("%T\n", TestStore) // go test runs it
	// Output: func(*testing.T)
}
