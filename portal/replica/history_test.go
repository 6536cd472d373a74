package replica_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/meridian-saml/meridian/portal/replica"
)

// A full history drops what no longer matters: it never refuses a new key for good.
func TestFullHistory(t *testing.T) {
	first, second, held := replica.DueAgain(300)
	assert.Equal(t, 256, first, "the bound")
	assert.Equal(t, 300, second)
	assert.LessOrEqual(t, held, 256)
}
