package codestest_test

import (
	"fmt"
	"testing"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/codestest"
)

// A test of Codes, here of those in a store.
func ExampleRun() {
	TestCodes := func(t *testing.T) {
		codestest.Run(t, func(*testing.T) []codestest.Region {
			store := acs.NewMemoryStore(acs.MemoryConfig{})
			return []codestest.Region{{Name: "us-east-1", Codes: portal.NewCodes(store)}}
		}, codestest.Options{})
	}
	fmt.Printf("%T\n", TestCodes) // go test runs such a function
	// Output: func(*testing.T)
}
