package acs_test

import (
	"testing"

	"github.com/meridian-saml/meridian/acs/internal/testserver"
)

func TestMain(m *testing.M) { testserver.Main(m) }
