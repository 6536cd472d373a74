package oidc_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

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

// breaking is a Sealer whose key fails while it is set.
type breaking struct{ atomic.Bool }

func (b *breaking) Seal(_ context.Context, plain, _ []byte) ([]byte, error) {
	if b.Load() {
		return nil, errors.New("the key is disabled")
	}
	return slices.Clone(plain), nil
}

func (b *breaking) Open(_ context.Context, sealed, _ []byte) ([]byte, error) { return sealed, nil }

// Rule 71: where the operator requires events, a refresh token whose successor has no event was not used, however long
// that lasts. Otherwise a disk that fails would end what looks stolen.
func TestRule71ATokenWithoutItsEventWasNotUsed(t *testing.T) {
	key := &breaking{}
	w := newWorld(t, func(c *oidc.Config) {
		region := c.Portal.Region()
		l, err := audit.Open(audit.Config{
			Dir: filepath.Join(t.TempDir(), region), Region: region, Sealer: key, Required: true, Now: c.Portal.Now,
			Logger: slog.New(slog.DiscardHandler),
		})
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, l.Close()) })
		c.Audit = l
	})
	c, b := w.client(virginia, asCLI(virginia)), w.browser(virginia, "alice@example.com")
	first := c.login(b).text("refreshToken")
	key.Store(true)
	c.refused(c.refresh(first), 500, "InternalServerException")
	w.clock.Advance(2 * time.Minute)
	c.refused(c.refresh(first), 500, "InternalServerException")
	key.Store(false)
	second := c.must(c.refresh(first))
	assert.True(t, w.isIn(virginia, second.text("accessToken")))
	w.clock.Advance(2 * time.Minute)
	c.refused(c.refresh(first), 400, "InvalidGrantException")
}
