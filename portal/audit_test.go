package portal_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/audit"
	"github.com/meridian-saml/meridian/saml"
)

// audits are the Logs of a world's Regions.
type audits struct {
	t    *testing.T
	logs map[string]*audit.Log
}

func newAudits(t *testing.T) audits { return audits{t, map[string]*audit.Log{}} }

func (a audits) edit(c *portal.Config) {
	l, err := audit.Open(audit.Config{
		Dir: filepath.Join(a.t.TempDir(), c.Region), Region: c.Region, InsecurePlaintext: true, Now: c.SP.Now,
	})
	require.NoError(a.t, err)
	a.t.Cleanup(func() { require.NoError(a.t, l.Close()) })
	a.logs[c.Region], c.Audit = l, l
}

// lines returns a Region's events of one class as JSON lines. It waits for the refusals, which are written later.
func (a audits) lines(region string, class audit.Class, least int) (all []audit.Event, raw string) {
	a.t.Helper()
	require.Eventually(a.t, func() bool {
		var b bytes.Buffer
		_, err := a.logs[region].Export(a.t.Context(), &b, nil)
		require.NoError(a.t, err)
		all, raw = nil, b.String()
		page, err := a.logs[region].Search(a.t.Context(), audit.Query{Class: class, Max: 500})
		require.NoError(a.t, err)
		for _, e := range page.Events { // the newest first
			all = append([]audit.Event{e}, all...)
		}
		return len(all) >= least
	}, patience, 20*time.Millisecond)
	return all, raw
}

func eventNames(all []audit.Event) (out []string) {
	for _, e := range all {
		out = append(out, strings.Join(strings.Fields(e.Name+" "+e.Additional["Initiator"]+" "+e.ErrorCode), " "))
	}
	return out
}

// Rule 71: sign-ins, sessions and their ends are events of the Region that handled them, with user and client.
func TestRule71SignInsAndSessionsAreEvents(t *testing.T) {
	logs := newAudits(t)
	w, _ := newShared(t, func(c *portal.Config) { bobOperates(c); logs.edit(c) })
	b, bob := w.browser(), w.browser()
	b.Header = http.Header{"User-Agent": {"Mozilla/5.0\nforged"}}
	w.signIn(b, "https://"+virginia+"/", "alice@example.com")
	b.get(fromVirginia) // a handoff to Frankfurt
	session := b.cookie(virginia, portal.SessionCookie)
	require.NotEmpty(t, session)
	b.submit("https://"+virginia+"/sign-out", nil)
	w.tile(bob, "bob@example.com", "")
	bob.submit("https://"+virginia+"/operator/people/end", url.Values{"id": {"alice@example.com"}})
	bob.submit("https://"+virginia+"/sessions/end-all", nil)

	here, raw := logs.lines("us-east-1", audit.Access, 4)
	assert.Equal(t, []string{"UserAuthentication", "Logout user", "UserAuthentication", "Logout user"}, eventNames(here))
	there, rawThere := logs.lines("eu-central-1", audit.Access, 1)
	assert.Equal(t, []string{"Authenticate"}, eventNames(there))
	assert.Equal(t, "us-east-1", there[0].Additional["FromRegion"])
	assert.Equal(t, "eu-central-1", there[0].Region)
	in := here[0]
	assert.Equal(t, "alice@example.com", in.Identity.OnBehalfOf.UserID)
	assert.Equal(t, audit.SourceSignIn, in.Source)
	assert.Equal(t, "Success", in.Details["UserAuthentication"])
	assert.Equal(t, "EXTERNAL_IDP", in.Additional["CredentialType"])
	assert.Equal(t, acs.FlowSP, in.Additional["Flow"])
	assert.Equal(t, acs.FlowIdP, here[2].Additional["Flow"])
	assert.Regexp(t, `^\d+\.\d+\.\d+\.\d+$`, in.ClientAddr, "without the port")
	assert.Equal(t, here[1].Identity.CredentialID, in.Identity.CredentialID, "of the session that ended")
	assert.NotEqual(t, there[0].Identity.CredentialID, in.Identity.CredentialID)

	changes, _ := logs.lines("us-east-1", audit.Changes, 1)
	assert.Equal(t, []string{"RevokeUserSessions"}, eventNames(changes))
	assert.Equal(t, "bob@example.com", changes[0].Identity.UserName)
	assert.Equal(t, "alice@example.com", changes[0].Request["userName"])
	requireNoSecrets(t, raw+rawThere, b, bob)
}

// Rule 71: refused responses, by the consumer and by the portal, are events, too. They cost the client no write.
func TestRule71RefusalsAreEventsOfTheirOwnClass(t *testing.T) {
	logs := newAudits(t)
	w := newWorld(t, logs.edit)
	b := w.browser()
	w.signIn(b, "https://"+virginia+"/", "nobody@example.com")
	w.signIn(w.browser(), "https://"+virginia+"/", "dora@example.com")
	attack := "<Response>\n{\"eventName\":\"forged\"}</Response>"
	w.browser().post("https://"+virginia+acsPath, url.Values{"SAMLResponse": {attack}})
	w.browser().send("POST", "https://"+virginia+"/sign-out", "cross-site", url.Values{"x": {attack}})
	form, err := w.idp.IdPInitiated("", "alice@example.com", "")
	require.NoError(t, err)
	values := form.Values()
	w.browser().post(form.URL, values)
	w.browser().post(form.URL, values) // a replay

	w.browser().post("https://"+virginia+acsPath, url.Values{"SAMLResponse": {strings.Repeat("A", 5<<20)}})
	w.browser().post("https://"+virginia+acsPath+"0", url.Values{"SAMLResponse": {attack}})
	ahead := w.browser()
	ahead.Header = http.Header{"Sec-Purpose": {"prefetch"}}
	ahead.get("https://" + virginia + portal.PathLogin)

	all, raw := logs.lines("us-east-1", audit.Refusals, 8)
	assert.ElementsMatch(t, []string{
		"UserAuthentication " + string(portal.ReasonUnknownUser), "UserAuthentication " + string(portal.ReasonInactiveUser),
		"ExternalIdPDirectoryLogin " + string(saml.ReasonBase64), "RequestRefused " + string(portal.ReasonCrossSite),
		"ExternalIdPDirectoryLogin " + string(acs.ReasonReplay), "ExternalIdPDirectoryLogin " + string(acs.ReasonTooLarge),
		"RequestRefused " + string(portal.ReasonUnknownAddress), "RequestRefused " + string(acs.ReasonNavigation),
	}, eventNames(all))
	for _, e := range all {
		assert.Equal(t, audit.TypeUnknown, e.Identity.Type)
		if e.ErrorCode == string(portal.ReasonUnknownUser) {
			assert.Equal(t, "nobody@example.com", e.Identity.UserName, "the identity provider vouched for it")
			assert.Equal(t, "Failure", e.Details["UserAuthentication"])
			assert.Regexp(t, `^MRD-`, e.Additional["Reference"])
		}
	}
	assert.NotContains(t, raw, "forged")
	assert.NotContains(t, raw, values.Get("SAMLResponse")[:40])
	access, _ := logs.lines("us-east-1", audit.Access, 1)
	assert.Equal(t, []string{"UserAuthentication"}, eventNames(access))
	requireNoSecrets(t, raw, b)
}

func TestProvidersLogoutsAreEvents(t *testing.T) {
	logs := newAudits(t)
	w, _ := newLogoutWorld(t, logs.edit)
	w.enter(w.browser(), "https://"+virginia+"/", "alice@example.com")
	require.Equal(t, []string{"Success"}, w.logOut(w.browser(), logoutRequest{}))
	all, _ := logs.lines("us-east-1", audit.Access, 2)
	assert.Equal(t, []string{"UserAuthentication", "Logout identity provider"}, eventNames(all))
	assert.Equal(t, "1 sessions", all[1].Additional["Ended"])
	assert.Equal(t, "alice@example.com", all[1].Identity.UserName)
}

// Rule 71: the end of a program's authorization, and of a sign-in that a program names, are events.
func TestRule71EndsOfAuthorizationsAreEvents(t *testing.T) {
	logs := newAudits(t)
	_, _, p, _, _ := letIn(t, logs.edit)
	for range 2 {
		require.NoError(t, p["us-east-1"].EndAuthorization(t.Context(), secret))
	}
	require.NoError(t, p["us-east-1"].EndSignIn(t.Context(), "alice@example.com", "0123456789abcdef"))
	all, raw := logs.lines("us-east-1", audit.Access, 4)
	assert.Equal(t, []string{"UserAuthentication", "AuthorizeOAuth2Access", "Logout program", "Logout program"},
		eventNames(all))
	assert.Equal(t, "authorization", all[2].Additional["Ended"])
	assert.Equal(t, "cli", all[2].Additional["Program"])
	assert.Equal(t, all[1].Identity, all[2].Identity, "of the session that was let in")
	assert.Equal(t, "sign-in", all[3].Additional["Ended"])
	assert.NotContains(t, raw, secret)
}

// A Log of another Region would put this Region's events on that Region's disk.
func TestRule72TheLogMustBeTheRegionsOwn(t *testing.T) {
	l, err := audit.Open(audit.Config{Dir: t.TempDir(), Region: "eu-central-1", InsecurePlaintext: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	w := newWorld(t, nil)
	view, err := w.inst.In("us-east-1")
	require.NoError(t, err)
	idp, err := saml.ParseIdPMetadata(w.idp.Metadata(""))
	require.NoError(t, err)
	sp, err := saml.New(saml.Config{EntityID: entityID, IdP: idp, ACS: []saml.Endpoint{
		{URL: "https://" + virginia + acsPath, Region: "us-east-1"},
	}})
	require.NoError(t, err)
	_, err = portal.New(portal.Config{
		Region: "us-east-1", SP: sp, Directory: view, Store: acs.NewMemoryStore(acs.MemoryConfig{}), Audit: l,
	})
	var e *portal.Error
	require.ErrorAs(t, err, &e)
	assert.Equal(t, portal.ReasonConfig, e.Reason)
	assert.Equal(t, "Config.Audit", e.Rule)
}

var secretParameter = regexp.MustCompile(`[?&](?:code|state|SAMLRequest)=([^&]{20,})`)

// requireNoSecrets checks that events have no cookie and no code that a browser ever had.
func requireNoSecrets(t *testing.T, lines string, browsers ...*browser) {
	t.Helper()
	n := 0
	for line := range strings.Lines(lines) {
		require.True(t, json.Valid([]byte(line)), line)
	}
	for _, b := range browsers {
		for _, host := range b.Jar {
			for _, c := range host {
				if len(c.Value) >= 20 {
					assert.NotContains(t, lines, c.Value, c.Name)
					n++
				}
			}
		}
		for _, v := range b.Trail {
			for _, m := range secretParameter.FindAllStringSubmatch(v.URL, -1) {
				assert.NotContains(t, lines, m[1])
				n++
			}
		}
	}
	require.Positive(t, n)
}
