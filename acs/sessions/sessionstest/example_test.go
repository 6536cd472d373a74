package sessionstest_test

import (
	"fmt"
	"testing"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/acs/sessions/sessionstest"
)

// The test of a store, here of the one in memory.
func ExampleRun() {
	TestStore := func(t *testing.T) {
		sessionstest.Run(t, func(*testing.T) []sessionstest.Region {
			store := sessions.NewMemoryStore(sessions.MemoryConfig{Region: "us-east-1"})
			return []sessionstest.Region{{Name: "us-east-1", Store: store}}
		}, sessionstest.Options{})
	}
	fmt.Printf("%T\n", TestStore) // go test runs it
	// Output: func(*testing.T)
}
