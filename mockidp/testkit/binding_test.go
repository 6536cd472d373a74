package testkit_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
)

func TestDeflatedAndInflated(t *testing.T) {
	t.Parallel()
	message := "<samlp:AuthnRequest>" + strings.Repeat("é", 1000)
	value := testkit.Deflated([]byte(message))
	assert.Less(t, len(value), 100)
	back, err := testkit.Inflated(value)
	require.NoError(t, err)
	assert.Equal(t, message, string(back))
	for _, bad := range []string{"?", "AAAA", value[:len(value)/2/4*4]} {
		_, err = testkit.Inflated(bad)
		assert.Error(t, err, bad)
	}
	back, err = testkit.Inflated(testkit.Deflated(make([]byte, 2<<20)))
	require.NoError(t, err)
	assert.Len(t, back, 1<<20)
}
