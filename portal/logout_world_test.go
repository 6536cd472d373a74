package portal_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/saml"
)

const logoutPath = "/platform/saml/logout"

// newLogoutWorld is a world with single logout, whose Regions share the sessions. Browsers reach the identity provider.
func newLogoutWorld(t *testing.T, edit func(*portal.Config)) (*world, *heard) {
	t.Helper()
	w, peers := worldWithIdP(t), &heard{}
	idp, err := saml.ParseIdPMetadata(w.idp.Metadata(""))
	require.NoError(t, err)
	source, key := saml.NewSwappableIdP(idp), testkit.RSAKey("portal sp")
	store := sessions.NewMemoryStore(sessions.MemoryConfig{})
	w.open(data(), saml.Config{
		IdP: source, Key: key, Certificate: testkit.Certificate(key, w.clock.Now()),
		Logout: []saml.LogoutEndpoint{
			{URL: "https://" + virginia + logoutPath, Region: "us-east-1"},
			{URL: "https://" + frankfurt + logoutPath, Region: "eu-central-1"},
		},
	}, func(c *portal.Config) {
		c.Sessions = store
		if edit != nil {
			edit(c)
		}
	}, w.idp)
	idp, err = saml.ParseIdPMetadata(w.idp.Metadata("")) // with its logout
	require.NoError(t, err)
	source.Replace(idp)
	w.idps = source
	u, err := url.Parse(w.idp.URL)
	require.NoError(t, err)
	w.hosts[u.Host] = w.idp.Handler()
	for region := range w.sessions {
		w.sessions[region] = store
	}
	return w, peers
}

// enter signs in by the pages of the identity provider, which then has a session of the browser.
func (w *world) enter(b *browser, addr, login string) answer {
	w.t.Helper()
	b.Repeat = func(to *url.URL) bool { return w.hosts[to.Host] != nil } // an answer that is forwarded
	return b.answer(b.SignIn(addr, login, mockidp.DefaultPassword))
}

// press submits the page's form with that action, and then those that a script submits, which isn't the portal's.
func (b *browser) press(a answer, action string) answer {
	b.t.Helper()
	f, ok := a.page.FormFor(action)
	require.True(b.t, ok, "no form for %s: %s", action, a.body)
	p, err := b.Submit(a.page, f, nil)
	for range 10 {
		require.NoError(b.t, err)
		submits := strings.Contains(p.Body, "<script") && !strings.Contains(p.Body, `src="/static/portal`)
		if forms := p.Forms(); len(forms) > 0 && submits {
			p, err = b.Submit(p, forms[0], nil)
			continue
		}
		break
	}
	return b.answer(p, err)
}

// logoutRequest is a LogoutRequest of the identity provider for alice.
type logoutRequest struct {
	nameID       string // zero: alice@example.com
	notOnOrAfter time.Time
	indexes      []string
}

var requests sync.Map // the number of each world's LogoutRequests

// logOut posts a LogoutRequest in the browser, and returns the status codes of the answer, or those of an error page.
func (w *world) logOut(b *browser, in logoutRequest) (status []string) {
	w.t.Helper()
	n, _ := requests.LoadOrStore(w, new(int))
	*n.(*int)++
	nameID := "alice@example.com"
	if in.nameID != "" {
		nameID = in.nameID
	}
	stamp := func(at time.Time) string { return at.UTC().Format("2006-01-02T15:04:05.000Z") }
	md, err := saml.ParseIdPMetadata(w.idp.Metadata(""))
	require.NoError(w.t, err)
	content := fmt.Sprintf(`<saml:Issuer>%s</saml:Issuer><saml:NameID `+
		`Format="urn:oasis:names:tc:SAML:1.1:nameid-format:%s">%s</saml:NameID>`, md.EntityID(), w.format(), nameID)
	for _, index := range in.indexes {
		content += "<samlp:SessionIndex>" + index + "</samlp:SessionIndex>"
	}
	end := ""
	if !in.notOnOrAfter.IsZero() {
		end = fmt.Sprintf(`NotOnOrAfter="%s"`, stamp(in.notOnOrAfter))
	}
	doc := etree.NewDocument()
	require.NoError(w.t, doc.ReadFromString(fmt.Sprintf(`<samlp:LogoutRequest `+
		`xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_l%d" `+
		`Version="2.0" IssueInstant="%s" Destination="%s" %s>%s</samlp:LogoutRequest>`, *n.(*int), stamp(w.clock.Now()),
		"https://"+virginia+logoutPath, end, content)))
	w.sign(doc.Root())
	raw, err := doc.WriteToBytes()
	require.NoError(w.t, err)
	a := b.answer(b.Send(testkit.Navigation{
		Method: http.MethodPost, From: "https://idp.example", URL: "https://" + virginia + logoutPath,
		Form: url.Values{"SAMLRequest": {base64.StdEncoding.EncodeToString(raw)}},
	}))
	var message []byte
	if to := a.Header.Get("Location"); to != "" {
		u, err := url.Parse(to)
		require.NoError(w.t, err)
		message, err = testkit.Inflated(u.Query().Get("SAMLResponse"))
		require.NoError(w.t, err)
	} else if f, ok := a.page.FormWith("SAMLResponse"); ok {
		message, err = base64.StdEncoding.DecodeString(f.Values().Get("SAMLResponse"))
		require.NoError(w.t, err)
	} else {
		return []string{a.Status, a.body}
	}
	answer := etree.NewDocument()
	require.NoError(w.t, answer.ReadFromBytes(message))
	for _, code := range answer.FindElements("//StatusCode") {
		_, last, _ := strings.Cut(code.SelectAttrValue("Value", ""), ":status:")
		status = append(status, last)
	}
	return status
}

// format is the end of the Format of the identity provider's NameIDs.
func (w *world) format() string {
	form, err := w.idp.IdPInitiated("", "alice@example.com", "")
	require.NoError(w.t, err)
	raw, err := base64.StdEncoding.DecodeString(form.Values().Get("SAMLResponse"))
	require.NoError(w.t, err)
	doc := etree.NewDocument()
	require.NoError(w.t, doc.ReadFromBytes(raw))
	_, last, _ := strings.Cut(doc.FindElement("//NameID").SelectAttrValue("Format", ":nameid-format:unspecified"),
		":nameid-format:")
	return last
}

// assertionFor begins a sign-in in a Region, and returns what posts the answer, with these SessionIndexes.
func (w *world) assertionFor(b *browser, host, login string, indexes ...string) func() answer {
	w.t.Helper()
	stay := b.Stay
	b.Stay = func(to *url.URL) bool { return strings.HasPrefix(w.idp.URL, "http://"+to.Host) }
	a := b.get("https://" + host + "/login")
	b.Stay = stay
	form, err := w.idp.Answer(a.Header.Get("Location"), login)
	require.NoError(w.t, err)
	values := form.Values()
	values.Set("SAMLResponse", w.withSessionIndexes(values.Get("SAMLResponse"), indexes...))
	return func() answer { return b.post(form.URL, values) }
}
