package keys_test

import (
	"testing"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

func TestMain(m *testing.M) { testkit.Main(m) }
