package run_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp/attack"
	"github.com/meridian-saml/meridian/mockidp/attack/run"
)

// logoutRows are the attacks on logout.
var logoutRows = []string{"G", "J10", "J13", "J15", "K07"}

// Meridian's service provider ends no session by a hostile logout message, and ends it by the unusual ones.
func TestLogoutOfOurs(t *testing.T) {
	to := ours(t, acs.Refuse)
	to.OtherIdP, to.Only = nil, logoutRows
	report := attacked(t, to)
	t.Log(report.Summary())
	assert.Equal(t, 0, report.Exit())
	ran := 0
	for _, x := range report.Results {
		switch x.Verdict {
		case run.NotRun:
			known := []run.Need{run.NeedControl, run.NeedOtherIdP, run.NeedSettings}
			assert.Contains(t, known, x.Needs, "%s: %s", x.ID, x.Reason)
			continue
		case run.Refused:
			assert.Equal(t, "refused", x.Expected, x.ID)
		case run.Accepted:
			assert.Equal(t, "accepted", x.Expected, x.ID)
		default:
			assert.Failf(t, "let in, or open", "%s %s: %s", x.ID, x.Verdict, x.Reason)
		}
		ran++
	}
	assert.Greater(t, ran, 80)
}

// careless signs users out by a message that it does not verify, and leaves out the rest.
func careless(t *testing.T) run.Target {
	t.Helper()
	front := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path != "/logout" {
				h.ServeHTTP(w, r)
				return
			}
			http.SetCookie(w, &http.Cookie{Name: "session", Path: "/", MaxAge: -1, Secure: true})
			if to := r.FormValue("RelayState"); to != "" {
				w.Header()["Location"] = []string{strings.ReplaceAll(to, "\n", "")}
				w.WriteHeader(http.StatusFound)
			}
		})
	}
	to := broken(t, func(_ string, response []byte) string { return firstNameID(read(response)) }, front)
	at := strings.TrimSuffix(to.Login, "/login")
	to.Logout = map[attack.LogoutBinding]string{
		attack.ByPOST: at + "/logout", attack.ByRedirect: at + "/logout", attack.BySOAP: at + "/logout",
	}
	return to
}

// A service provider that removes its cookie whatever the message says lets every attack in that the browser sends. By
// SOAP it ends no session, so those attacks are not run.
func TestRunNoticesLogoutByAnyMessage(t *testing.T) {
	to := careless(t)
	to.Only = []string{"G01", "G02", "G03", "G17", "G23", "G27", "G31", "J15", "G25"}
	report := attacked(t, to)
	for id, verdict := range map[string]run.Verdict{
		"G01": run.LetIn, "G02/post": run.LetIn, "G02/soap": run.NotRun, "G03/post": run.LetIn, "G17": run.LetIn,
		"G23": run.LetIn, "G27/extensions": run.LetIn, "G31": run.Stricter, "J15": run.LetIn, "G25": run.NotRun,
	} {
		x := result(t, report, id)
		assert.Equal(t, verdict, x.Verdict, "%s: %s", id, x.Reason)
	}
	assert.Equal(t, run.NeedSupport, result(t, report, "G02/soap").Needs)
	assert.Equal(t, run.NeedControl, result(t, report, "G25").Needs)
	assert.Equal(t, run.Weaker, result(t, report, "G01").Severity)
	assert.Equal(t, run.Hole, result(t, report, "G23").Severity)
	assert.Equal(t, 1, report.Exit())
}

// A service provider that ignores logout messages is attacked by none, and one without an address for them neither.
func TestRunNoticesMissingLogout(t *testing.T) {
	to := broken(t, func(_ string, response []byte) string { return firstNameID(read(response)) })
	to.Only = []string{"G01", "G02", "G15", "G31"}
	for _, x := range attacked(t, to).Results {
		assert.Equal(t, run.NotRun, x.Verdict, x.ID)
		assert.Equal(t, run.NeedLogout, x.Needs, x.ID)
	}
	to.Logout = map[attack.LogoutBinding]string{attack.ByPOST: to.Probe, attack.ByRedirect: to.Probe}
	for _, x := range attacked(t, to).Results {
		assert.Equal(t, run.NotRun, x.Verdict, x.ID)
		assert.Contains(t, []run.Need{run.NeedSupport, run.NeedLogout}, x.Needs, x.ID)
	}
	to.Logout = map[attack.LogoutBinding]string{attack.ByPOST: "javascript:alert(1)"}
	_, err := run.Run(t.Context(), to)
	require.ErrorContains(t, err, "Logout by HTTP-POST")
}

// The addresses for logout are those of the metadata.
func TestUseMetadataForLogout(t *testing.T) {
	to := ours(t, acs.Refuse)
	want := to.Logout
	metadata, err := to.Fetch(t.Context(), strings.TrimSuffix(to.Login, "/login")+"/metadata")
	require.NoError(t, err)
	to.Logout = nil
	require.NoError(t, to.UseMetadata(metadata))
	assert.Equal(t, want, to.Logout)
}
