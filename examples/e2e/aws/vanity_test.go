package aws_test

import (
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/portal/failover"
)

// startHost is the company's own address, which leads to the nearest healthy Region.
const startHost = "start.example.com"

// redirector starts package failover's redirector at startHost.
func (w *world) redirector() *failover.Redirector {
	t := w.t
	t.Helper()
	var regions []failover.Region
	for _, p := range w.places {
		regions = append(regions, failover.Region{Name: p.Name, URL: p.portal})
	}
	rd, err := failover.New(failover.Config{
		Regions: regions, Interval: 200 * time.Millisecond, Timeout: 5 * time.Second, HealthyThreshold: 1,
		UnhealthyThreshold: 2, Client: &http.Client{Transport: w.transport()},
		Logger: slog.New(slog.NewTextHandler(w, nil)),
	})
	require.NoError(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = rd.Run(t.Context())
	}()
	t.Cleanup(func() { <-ended })
	l, err := net.Listen("tcp", net.JoinHostPort(startIP, w.port))
	require.NoError(t, err)
	s := &http.Server{
		Handler: rd, ErrorLog: log.New(io.Discard, "", 0), ReadHeaderTimeout: time.Minute, ReadTimeout: time.Minute,
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{w.ca.certificate(t, startHost)}},
	}
	t.Cleanup(func() { _ = s.Close() })
	go func() { _ = s.ServeTLS(l, "", "") }()
	return rd
}

// startIP is the address of startHost.
const startIP = "127.0.0.13"

// healthy waits until the redirector has found which Regions are healthy.
func (w *world) healthy(rd *failover.Redirector, want ...bool) {
	w.t.Helper()
	require.NoError(w.t, check.Until(w.t.Context(), time.Minute, func() error {
		var got []bool
		for _, s := range rd.Status() {
			got = append(got, s.Healthy)
		}
		return check.That("the healthy Regions", slices.Equal(want, got), fmt.Sprint(want), fmt.Sprint(got))
	}))
}

// The start URL is the company's own address. The CLI follows its redirect, and so signs in to Frankfurt while Virginia
// is lost, with an unchanged configuration. Versions before 2.35.13 can't.
func TestVanityStartURL(t *testing.T) {
	w := newWorld(t, "443")
	c := w.newCLI(suites[1])
	c.write(strings.Join([]string{
		"[profile anywhere]", "sso_session = anywhere", "sso_account_id = 111122223333", "sso_role_name = ReadOnly",
		"region = eu-central-1", "[sso-session anywhere]", "sso_start_url = https://" + startHost + "/",
		"sso_region = us-east-1", "sso_registration_scopes = sso:account:access", "",
	}, "\n"), filepath.Join(c.home, ".aws", "config"))
	rd := w.redirector()
	w.healthy(rd, true, true)
	c.login(w.browser(0, corp.Alice), "anywhere")
	first := c.identity("anywhere")

	w.stop(0)
	w.healthy(rd, false, true)
	c.forgetCredentials()
	r := c.login(w.browser(1, corp.Alice), "anywhere")
	assert.Contains(t, r.out+r.err, "eu-central-1")
	assert.Equal(t, first, c.identity("anywhere"), "the same role, from Frankfurt")
}
