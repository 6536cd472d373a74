package run_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/meridian-saml/meridian/mockidp/attack"
	"github.com/meridian-saml/meridian/mockidp/attack/run"
)

// The first line that covers a case decides. A line that applies to no case is
// a mistake.
func TestEveryLeniencyIsReached(t *testing.T) { assert.Empty(t, run.Shadowed()) }

func TestHarmless(t *testing.T) {
	both, response := attack.SignBoth, attack.SignResponse
	for _, x := range []struct {
		id   string
		sign attack.Sign
		want bool
	}{
		{"B29/rsa", response, true}, {"B29", response, false}, {"B01", response, false},
		{"E13/good-in-broken", both, true}, {"E13/good-in-broken", response, false},
		{"B36/outer", both, true}, {"B36", both, false},
		{"D15/port", response, false}, {"D15/port", attack.SignAssertion, true},
		{"D15/other-host-after-userinfo", response, false},
		{"D23/expired", both, true}, {"D23/long-over", both, false},
		{"D24/expired", both, true}, {"D24/long-over", both, false},
	} {
		why := run.Harmless(attack.Case{ID: x.id}, x.sign)
		assert.Equal(t, x.want, why != "", "%s, %s: %s", x.id, x.sign, why)
	}
}
