package replica_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/meridian-saml/meridian/portal/replica"
)

// Close has five seconds to write what was heard last. They are for the writes, not for the list of what is left.
func TestUncopiedEndsAreDroppedCheaply(t *testing.T) {
	kept, took, left := replica.DropUncopied()
	assert.Greater(t, kept, 20_000)
	assert.Less(t, took, 2*time.Second)
	assert.Zero(t, left)
}
