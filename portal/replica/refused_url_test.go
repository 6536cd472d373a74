package replica_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/replica"
)

// An error names the host of a refused URL, and not who may go there.
func TestRefusedURLsKeepTheirUserInformation(t *testing.T) {
	for raw, shown := range map[string]string{
		"nats://admin:hunter2@host.invalid/x":   `"nats://…@host.invalid/x"`,
		"nats://hunter2@host.invalid/x":         `"nats://…@host.invalid/x"`,
		"nats://admin:hunter2/3@host.invalid/x": `"nats://…@host.invalid/x"`,
		"nats://admin:hunter2@[::1":             `"nats://…@[::1"`,
		"nats://admin:hunter2%40host.invalid":   `"nats://…"`,
	} {
		_, err := replica.Open(context.Background(), replica.Config{Region: virginia, URL: raw, Dir: t.TempDir()})
		require.Error(t, err, raw)
		assert.Contains(t, err.Error(), shown)
		assert.NotContains(t, err.Error(), "hunter2")
	}
}
