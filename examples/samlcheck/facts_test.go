package main_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	samlcheck "github.com/meridian-saml/meridian/examples/samlcheck"
)

// The input need not be well-formed. A text that is read again for each end tag
// after it makes the cost quadratic.
func TestATextIsReadOnce(t *testing.T) {
	require.Equal(t, []string{"a"}, samlcheck.Audiences([]byte(`<x><Audience>a</Audience></x>`)))
	require.Empty(t, samlcheck.Audiences([]byte(`<x><y>a</y></Audience>`)))
}
