package replica_test

import (
	"testing"

	"github.com/meridian-saml/meridian/acs/sessions/sessionstest"
)

// Sessions that live in one Region and end in another keep the contract.
func TestSessionsKeepTheContract(t *testing.T) {
	sessionstest.Run(t, func(t *testing.T) []sessionstest.Region {
		us, eu := open(t, configOf(virginia, t.TempDir())), open(t, configOf(frankfurt, t.TempDir()))
		mesh(t, us, eu)
		return []sessionstest.Region{{Name: virginia, Store: us.Sessions()}, {Name: frankfurt, Store: eu.Sessions()}}
	}, sessionstest.Options{})
}
