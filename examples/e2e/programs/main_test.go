// Package programs_test tests the example programs as users get them: installed by the go command, in images, and by
// the Compose file.
package programs_test

import (
	"testing"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

func TestMain(m *testing.M) { testkit.MainLong(m, "they build images and install programs") }

const root = "../../.."
