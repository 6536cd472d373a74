package oidc_test

import (
	"bytes"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/audit"
	"github.com/meridian-saml/meridian/portal/awsapi/oidc"
)

// Rule 71: a program's tokens are events of the Region, without the tokens.
func TestRule71TokensAreEvents(t *testing.T) {
	logs := map[string]*audit.Log{}
	w := newWorld(t, func(c *oidc.Config) {
		region := c.Portal.Region()
		l, err := audit.Open(audit.Config{
			Dir: filepath.Join(t.TempDir(), region), Region: region, InsecurePlaintext: true, Now: c.Portal.Now,
		})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, l.Close()) })
		logs[region], c.Audit = l, l
	})
	c, b := w.client(virginia, asCLI(virginia)), w.browser(virginia, "alice@example.com")
	r := c.login(b)
	page, err := logs[virginia].Search(t.Context(), audit.Query{Class: audit.Access})
	require.NoError(t, err)
	require.Len(t, page.Events, 1)
	e := page.Events[0]
	assert.Equal(t, "CreateToken", e.Name)
	assert.Equal(t, "alice@example.com", e.Identity.UserName)
	assert.Equal(t, "botocore-client-primary", e.Request["clientName"])
	assert.NotEmpty(t, e.ClientAddr)
	var lines bytes.Buffer
	_, err = logs[virginia].Export(t.Context(), &lines, nil)
	require.NoError(t, err)
	for _, secret := range []string{r.text("accessToken"), r.text("refreshToken"), c.secret, c.verify, "aoa", "aor"} {
		assert.NotContains(t, lines.String(), secret)
	}
}
