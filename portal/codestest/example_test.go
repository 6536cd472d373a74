package codestest_test

import (
	"fmt"
	"testing"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/codestest"
)

// The test of codes of your own, in their package's tests; here those in a store.
func ExampleRun() {
	TestCodes := func(t *testing.T) {
		codestest.Run(t, func(*testing.T) []codestest.Region {
			store := acs.NewMemoryStore(acs.MemoryConfig{})
			return []codestest.Region{{Name: "us-east-1", Codes: portal.NewCodes(store)}}
		}, codestest.Options{})
	}
	fmt.Printf("%T\n", TestCodes) // go test runs it
	// Output: func(*testing.T)
}
