package replica_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/replica"
)

// A Region sends nothing of its log that it has not read itself: it may remove the Region that
// asks, which must not get what follows.
func TestALogIsReadBeforeItIsGivenAway(t *testing.T) {
	t.Parallel()
	us, eu, _ := three(t)
	nc, _ := asPeer(t, us)
	ask := func() string {
		m, err := nc.Request("meridian.follow.us-east-1",
			[]byte(`{"line":"config","from":"eu-central-1","nonce":"n","wait":100,"format":1,"reads":1}`), hang)
		require.NoError(t, err)
		return string(m.Data)
	}
	assert.Contains(t, ask(), `"messages":`)
	eu.Close()
	replica.Unread(t, us, frankfurt, func() {
		assert.NotContains(t, ask(), `"messages":`)
	})
	eventually(t, "the removal", func() bool { return strings.Contains(ask(), `"removed":`) })
}
