package run_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp/attack"
	"github.com/meridian-saml/meridian/mockidp/attack/run"
)

// Meridian's service provider accepts no attack, and every attack that is not
// run has a reason.
func TestRunOurs(t *testing.T) {
	to := ours(t, acs.Refuse)
	heard := 0
	to.Progress = func(run.Result) { heard++ }
	report := attacked(t, to)
	t.Log(report.Summary())
	assert.Equal(t, 0, report.Exit())
	assert.Len(t, report.Results, len(run.List()))
	assert.Equal(t, len(report.Results), heard)
	assert.Empty(t, report.Notes)
	for _, good := range report.Good {
		assert.Equal(t, run.Accepted, good.Verdict, "%s: %s", good.How, good.Reason)
	}
	assert.Len(t, report.Good, 5, "three ways of signing, ECDSA and encryption")
	for _, x := range report.Results {
		switch x.Verdict {
		case run.NotRun:
			assert.NotEmpty(t, x.Reason, x.ID)
		case run.Refused:
			assert.Equal(t, "refused", x.Expected, x.ID)
		case run.Accepted:
			assert.Equal(t, "accepted", x.Expected, x.ID)
			logout := strings.HasPrefix(x.ID, "G") || strings.HasPrefix(x.ID, "K07")
			assert.Equal(t, logout, x.Identity == "", x.ID)
		case run.Tolerated:
			assert.Equal(t, "D45/missing", x.ID, "a RelayState that was dropped")
		default:
			assert.Failf(t, "let in, or open", "%s %s: %s", x.ID, x.Verdict, x.Reason)
		}
	}
	assert.Greater(t, report.Count(run.Refused), 600)
	assert.Less(t, report.Count(run.NotRun), 350)
}

// With unsolicited responses allowed, only attacks against which the
// specifications define no defence are tolerated.
func TestRunOursUnsolicited(t *testing.T) {
	to := ours(t, acs.Accept)
	to.Only = []string{"D01", "D03", "D05", "D06", "D07", "D08", "D09", "D10", "D11", "D44", "D45", "D47"}
	report := attacked(t, to)
	assert.Equal(t, 0, report.Exit())
	for _, x := range report.Results {
		switch x.ID {
		case "D08", "D45/missing", "D47/signed-in", "D47/signed-out":
			assert.Equal(t, run.Tolerated, x.Verdict, x.ID)
		case "D10/only-data":
			assert.Equal(t, run.Accepted, x.Verdict, x.ID)
		default:
			assert.Equal(t, run.Refused, x.Verdict, "%s: %s", x.ID, x.Reason)
		}
	}

	to.IdPInitiated, to.Login, to.Only = true, "", []string{"A", "D01", "D08", "D11", "D29"}
	report = attacked(t, to)
	assert.Equal(t, 0, report.Exit())
	assert.Equal(t, run.NotRun, result(t, report, "D08").Verdict)
	assert.Equal(t, run.Refused, result(t, report, "D29").Verdict)
	assert.Equal(t, run.Refused, result(t, report, "D01/unsolicited").Verdict)
}

func TestListHasEveryRow(t *testing.T) {
	shown, seen := make(map[string]bool), make(map[string]bool)
	id := regexp.MustCompile(`^[A-L]\d\d(/[a-z0-9.-]+)?$`)
	for _, e := range run.List() {
		assert.Regexp(t, id, e.ID)
		assert.False(t, seen[e.ID], "duplicate ID %s", e.ID)
		assert.NotEmpty(t, e.Title, e.ID)
		assert.Contains(t, []string{"refused", "accepted"}, e.Expected, e.ID)
		shown[e.ID[:3]], seen[e.ID] = true, true
		_, ok := attack.RowOf(e.ID)
		assert.True(t, ok, e.ID)
	}
	assert.Len(t, shown, 308)
}

func TestEveryFlowHasAScript(t *testing.T) { assert.Empty(t, run.FlowMistakes()) }

func TestRunRefusesBadTargets(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*run.Target)
		want   string
	}{
		"no IdP":        {func(to *run.Target) { to.IdP = nil }, "IdP"},
		"no ACS":        {func(to *run.Target) { to.ACS = "" }, "ACS"},
		"no sign-in":    {func(to *run.Target) { to.Login = "" }, "Login"},
		"no probe":      {func(to *run.Target) { to.Probe = "/relative" }, "Probe"},
		"other scheme":  {func(to *run.Target) { to.ACS = "ftp://localhost/acs" }, "ACS"},
		"no identity":   {func(to *run.Target) { to.Identity = nil }, "Identity"},
		"no entity ID":  {func(to *run.Target) { to.EntityID = "" }, "EntityID"},
		"unknown id":    {func(to *run.Target) { to.Only = []string{"Z01"} }, "Z01"},
		"unknown to it": {func(to *run.Target) { to.Skip = []string{"A01/nonsense"} }, "A01/nonsense"},
	} {
		t.Run(name, func(t *testing.T) {
			to := target("http://127.0.0.1:1")
			c.change(&to)
			report, err := run.Run(t.Context(), to)
			var e *attack.Error
			require.ErrorAs(t, err, &e)
			assert.Nil(t, report)
			assert.True(t, strings.HasPrefix(err.Error(), "attack: target: "), err.Error())
			assert.ErrorContains(t, err, c.want)
		})
	}
}

// The tool connects to no other machine, even after a redirect.
func TestRunStaysHere(t *testing.T) {
	for name, at := range map[string]string{
		"an address": "http://192.0.2.1/", "a name": "http://attacker.example/",
		"every address": "http://0.0.0.0/", "IPv6": "http://[2001:db8::1]/",
	} {
		t.Run(name, func(t *testing.T) {
			to := target("http://127.0.0.1:1")
			to.Probe, to.Only, to.Timeout = at, []string{"B01"}, 5*time.Second
			x := result(t, attacked(t, to), "B01")
			assert.Equal(t, run.Inconclusive, x.Verdict)
			assert.Contains(t, x.Reason, "the probe can't be read")
			if name != "a name" { // which may not resolve
				assert.Contains(t, x.Reason, "is not on this machine")
			}
		})
	}
	t.Run("redirect", func(t *testing.T) {
		mux := http.NewServeMux()
		at := serve(t, "sp", mux)
		mux.Handle("GET /login", http.RedirectHandler("http://192.0.2.1/?SAMLRequest=x", http.StatusFound))
		mux.HandleFunc("GET /{$}", new(sessions).page)
		to := target(at)
		to.Only = []string{"B01"}
		assert.Contains(t, result(t, attacked(t, to), "B01").Reason, "no sign-in begins")
	})
	t.Run("a host that is part of the service provider", func(t *testing.T) {
		mux := http.NewServeMux()
		at := serve(t, "sp", mux)
		mux.Handle("GET /login", http.RedirectHandler("http://192.0.2.1/acs", http.StatusFound))
		mux.HandleFunc("GET /{$}", new(sessions).page)
		to := target(at)
		to.ACS, to.Only = "http://192.0.2.1/acs", []string{"B01"}
		assert.Contains(t, result(t, attacked(t, to), "B01").Reason, "is not on this machine")
	})
	t.Run("allowed by name", func(t *testing.T) {
		s := httptest.NewServer(http.HandlerFunc(new(sessions).page))
		defer s.Close()
		u, err := url.Parse(s.URL)
		require.NoError(t, err)
		to := target(s.URL)
		to.AllowHosts, to.Only = []string{u.Hostname()}, []string{"B01"}
		assert.NotContains(t, result(t, attacked(t, to), "B01").Reason, "probe")
	})
}

// ReadIdP reads what WriteIdP writes.
func TestIdPFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "idp")
	require.NoError(t, run.WriteIdP(dir, sharedIdP()))
	back, err := run.ReadIdP(dir)
	require.NoError(t, err)
	assert.True(t, back.RSA.Equal(sharedIdP().RSA))
	assert.True(t, back.ECDSA.Equal(sharedIdP().ECDSA))
	assert.True(t, back.Encryption.Equal(sharedIdP().Encryption))
	want, err := sharedIdP().Metadata()
	require.NoError(t, err)
	got, err := back.Metadata()
	require.NoError(t, err)
	assert.Equal(t, string(want), string(got))
	info, err := os.Stat(filepath.Join(dir, "rsa.key"))
	require.NoError(t, err)
	assert.Zero(t, info.Mode().Perm()&0o077)
	_, err = run.ReadIdP(t.TempDir())
	assert.ErrorIs(t, err, os.ErrNotExist)
}
