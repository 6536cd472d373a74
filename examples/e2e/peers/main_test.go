package peers_test

import (
	"testing"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

func TestMain(m *testing.M) { testkit.MainLong(m, "they start other service and identity providers") }
