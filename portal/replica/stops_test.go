package replica_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/replica"
)

// A Logger may ask the Node whose line it writes. A slow one doesn't keep others from the answer.
func TestLoggerAsksAStoppedNode(t *testing.T) {
	answers := make(chan []error, 1)
	go func() { answers <- replica.StoppedWhileLogging() }()
	select {
	case got := <-answers:
		require.Len(t, got, 2)
		assert.Error(t, got[0], "the cause counts before it is logged")
		assert.NoError(t, got[1])
	case <-time.After(20 * time.Second):
		t.Fatal("the Logger waits for itself")
	}
}
