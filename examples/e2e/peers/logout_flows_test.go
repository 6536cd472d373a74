package peers_test

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"html"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// logoutPeer is a running identity provider of another vendor with single logout. It asks for a password.
type logoutPeer struct {
	metadata              []byte
	login, password, user string // what to type, and the user's NameID at the service provider
	// signOut is the address at which the user signs out there. signedOut is on the page at its end.
	signOut, signedOut string
	frame              string // the address of a frame in which we signed the user out
	encryptsNameID     bool   // in its LogoutRequests
	// register adds one more service provider. Nil: that is not possible.
	register func(metadata []byte)
}

// deployLogout starts a deployment with a logout URL in each Region.
func deployLogout(t *testing.T, change ...func(*saml.Config)) *deployment {
	t.Helper()
	return deploy(t, func(sp *saml.Config, r *acs.Config) {
		r.SOAP.RootCAs = peerRoots()
		for _, e := range sp.ACS {
			at, err := url.Parse(e.URL)
			require.NoError(t, err)
			sp.Logout = append(sp.Logout, saml.LogoutEndpoint{URL: at.Scheme + "://" + at.Host + "/logout", Region: e.Region})
		}
		for _, f := range change {
			f(sp)
		}
	})
}

// withoutLogout returns our metadata without the single logout addresses of these bindings.
func withoutLogout(t *testing.T, metadata []byte, bindings ...string) []byte {
	t.Helper()
	for _, binding := range bindings {
		address := regexp.MustCompile(`<(?:\w+:)?SingleLogoutService Binding="` + regexp.QuoteMeta(binding) +
			`"[^>]*(?:/>|></[^>]*>)`)
		without := address.ReplaceAll(metadata, nil)
		require.NotEqual(t, string(metadata), string(without))
		metadata = without
	}
	return metadata
}

// browser returns a browser that trusts our certificate. Like a real one it keeps the rules of SameSite.
func (d *deployment) browser(t *testing.T) *testkit.Browser {
	t.Helper()
	_, cert := peerTLS()
	roots := x509.NewCertPool()
	roots.AddCert(cert)
	transport := &http.Transport{DialContext: testkit.DialLoopback, TLSClientConfig: &tls.Config{RootCAs: roots}}
	t.Cleanup(transport.CloseIdleConnections)
	b := testkit.NewBrowser(t.Context())
	b.Transport = transport
	b.Repeat = func(to *url.URL) bool { return "https://"+to.Host == d.url[awayRegion] } // an answer that is forwarded
	return b
}

// carry submits the forms with SAML messages, as the scripts on their pages do, and returns the last page.
func carry(t *testing.T, b *testkit.Browser, p *testkit.Page) *testkit.Page {
	t.Helper()
	for range 10 {
		form, ok := p.FormWith("SAMLRequest")
		if !ok {
			form, ok = p.FormWith("SAMLResponse")
		}
		if !ok {
			return p
		}
		next, err := b.Post(p.Origin(), p.Resolve(form.Action), form.Values())
		require.NoError(t, err)
		p = next
	}
	require.Fail(t, "the browser is sent around")
	return nil
}

// frameTag finds the frames of a page that asks several service providers at once, and the images that stand for them.
var frameTag = regexp.MustCompile(`(?is)<(?:iframe|img)\b[^>]*\bsrc="(http[^"]+)"`)

// openFrames loads the frames of a page. Each must end at an address with this text.
func openFrames(t *testing.T, b *testkit.Browser, p *testkit.Page, at string) {
	t.Helper()
	for _, m := range frameTag.FindAllStringSubmatch(p.Body, -1) {
		frame, err := b.Go(testkit.Navigation{From: p.Origin(), URL: html.UnescapeString(m[1])})
		require.NoError(t, err)
		assert.Contains(t, carry(t, b, frame).URL.String(), at, "the end of a frame")
	}
}

// signIn signs in to a Region. The identity provider asks for the password if the browser has no session there.
func (p logoutPeer) signIn(t *testing.T, b *testkit.Browser, d *deployment, region string, asked bool) {
	t.Helper()
	page, err := b.Open(d.url[region] + "/login")
	require.NoError(t, err)
	_, asks := page.FormWith("password")
	require.Equal(t, asked, asks, "whether a password is asked for: %s", page.Text())
	page, err = b.SignIn(d.url[region]+"/login", p.login, p.password)
	require.NoError(t, err)
	require.Contains(t, page.Text(), "is signed in in "+region, "%s: %s", page.URL, page.Text())
	require.Equal(t, p.user, d.user(t, b, region))
}

// session signs in with a new browser. The second sign-in, without a password, shows that the identity provider has a
// session, too.
func (p logoutPeer) session(t *testing.T, d *deployment, region string) *testkit.Browser {
	t.Helper()
	b := d.browser(t)
	p.signIn(t, b, d, region, true)
	p.signIn(t, b, d, region, false)
	return b
}

// user returns the user of a browser's session in a Region, or "".
func (d *deployment) user(t *testing.T, b *testkit.Browser, region string) string {
	t.Helper()
	p, err := b.Open(d.url[region] + "/whoami")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, p.Status)
	if p.Text() == "signed out" {
		return ""
	}
	m := regexp.MustCompile(`user=(\S+)`).FindStringSubmatch(p.Body)
	require.NotNil(t, m, p.Body)
	return m[1]
}

// checkLogouts signs out of these Regions, on both sides.
func checkLogouts(t *testing.T, p logoutPeer, d *deployment, regions ...string) {
	for _, region := range regions {
		for name, binding := range map[string]string{"Redirect": saml.HTTPRedirect, "POST": saml.HTTPPost} {
			if offersLogout(t, p.metadata, binding) {
				t.Run("from "+region+" by "+name, func(t *testing.T) { checkSignOutHere(t, p, d, region, binding) })
			}
		}
		t.Run("there, signed in to "+region, func(t *testing.T) { checkSignOutThere(t, p, d, region) })
	}
	t.Run("late", func(t *testing.T) { checkLateAssertion(t, p, d, regions[0]) })
	t.Run("tampered with", func(t *testing.T) { checkSignOutTampered(t, p, d, regions[0]) })
}

// checkSignOutTampered changes the RelayState of our LogoutRequest, which its signature covers. The session of the
// identity provider goes on, so it verifies signatures.
func checkSignOutTampered(t *testing.T, p logoutPeer, d *deployment, region string) {
	b := p.session(t, d, region)
	b.Stay = func(to *url.URL) bool { return to.Query().Has("SAMLRequest") }
	page := clickSignOut(t, b, d, region, saml.HTTPRedirect)
	b.Stay = nil
	to, err := url.Parse(page.Location())
	require.NoError(t, err)
	changed := regexp.MustCompile(`\bRelayState=.`).ReplaceAllString(to.RawQuery, "RelayState=~")
	require.NotEqual(t, changed, to.RawQuery)
	to.RawQuery = changed
	page, err = b.Open(to.String())
	require.NoError(t, err)
	carry(t, b, page)
	assert.Empty(t, d.user(t, b, region))
	p.signIn(t, b, d, region, false)
}

// clickSignOut clicks on the button of a Region's page.
func clickSignOut(t *testing.T, b *testkit.Browser, d *deployment, region, binding string) *testkit.Page {
	t.Helper()
	page, err := b.Open(d.url[region] + "/whoami")
	require.NoError(t, err)
	form, ok := page.FormFor("/sign-out")
	require.True(t, ok)
	page, err = b.Submit(page, form, url.Values{"binding": {binding}})
	require.NoError(t, err)
	return page
}

// checkPostedLogouts signs out where an identity provider posts its messages, which our metadata makes it do.
func checkPostedLogouts(t *testing.T, p logoutPeer, d *deployment) {
	checkSignOutHere(t, p, d, awayRegion, saml.HTTPPost)
	checkSignOutThere(t, p, d, homeRegion)
}

// offersLogout reports whether an identity provider has a single logout address for a binding.
func offersLogout(t *testing.T, metadata []byte, binding string) bool {
	t.Helper()
	return regexp.MustCompile(`SingleLogoutService\s[^>]*Binding="` + regexp.QuoteMeta(binding)).Match(metadata)
}

// checkSignOutHere signs out of a Region, which asks the identity provider to sign out, too.
func checkSignOutHere(t *testing.T, p logoutPeer, d *deployment, region, binding string) {
	b := p.session(t, d, region)
	kept := b.Copy()
	page := carry(t, b, clickSignOut(t, b, d, region, binding))
	assert.Equal(t, "signed out here, and at "+d.idp.IdP().EntityID()+": true", page.Text(), page.URL)
	assert.Equal(t, d.url[region], page.Origin())
	assert.Empty(t, d.user(t, b, region))
	assert.Empty(t, d.user(t, kept, region), "the cookie from before")
	p.signIn(t, b, d, region, true)
}

// signOutThere signs out of the identity provider.
func (p logoutPeer) signOutThere(t *testing.T, b *testkit.Browser) {
	t.Helper()
	page, err := b.Open(p.signOut)
	require.NoError(t, err)
	page = carry(t, b, page)
	openFrames(t, b, page, p.frame)
	for _, form := range page.Forms() {
		if strings.Contains(form.Text, "Continue") { // LemonLDAP::NG's
			page, err = b.Submit(page, form, nil)
			require.NoError(t, err)
		}
	}
	assert.Contains(t, page.Body, p.signedOut, page.URL)
}

// checkSignOutThere signs out of the identity provider, which asks us to end the session.
func checkSignOutThere(t *testing.T, p logoutPeer, d *deployment, region string) {
	b, other := p.session(t, d, region), p.session(t, d, region)
	kept := b.Copy()
	before := len(d.logoutMessages())
	p.signOutThere(t, b)
	assert.Empty(t, d.user(t, b, region))
	assert.Empty(t, d.user(t, kept, region), "the cookie from before")
	assert.Equal(t, p.user, d.user(t, other, region), "the same user's session in another browser")
	messages := d.logoutMessages()[before:]
	require.Len(t, messages, 1)
	assert.Equal(t, p.encryptsNameID, strings.Contains(messages[0], "EncryptedID"))
	assert.Equal(t, !p.encryptsNameID, strings.Contains(messages[0], p.user))
	p.signIn(t, b, d, region, true)
}

// checkLateAssertion holds a response back until the user has signed out of the identity provider (Core 3.7.3.1).
func checkLateAssertion(t *testing.T, p logoutPeer, d *deployment, region string) {
	b := p.session(t, d, region)
	late, err := b.Open(d.url[region] + "/login")
	require.NoError(t, err)
	_, held := late.FormWith("SAMLResponse")
	require.True(t, held, late.Text())
	p.signOutThere(t, b)
	page := carry(t, b, late)
	assert.Equal(t, http.StatusForbidden, page.Status)
	assert.Equal(t, "logged out before", page.Text())
	require.True(t, strings.HasPrefix(page.URL.String(), d.acs(region)), page.URL)
}

// checkBothRegions signs in to both Regions with one browser, and out of the identity provider. all says that it names
// both sessions. Otherwise it names the last one only.
func checkBothRegions(t *testing.T, p logoutPeer, d *deployment, all bool) {
	b := d.browser(t)
	p.signIn(t, b, d, homeRegion, true)
	p.signIn(t, b, d, awayRegion, false)
	p.signOutThere(t, b)
	assert.Empty(t, d.user(t, b, awayRegion))
	assert.Equal(t, all, d.user(t, b, homeRegion) == "")
}

// logoutMessages are the logout messages that arrived, oldest first.
func (d *deployment) logoutMessages() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]string(nil), d.messages...)
}

// recordLogout keeps the messages that arrive at the logout URL, when they are handled.
func (d *deployment) recordLogout(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/logout" {
			next.ServeHTTP(w, r)
			return
		}
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		message := string(body) // a SOAP envelope
		form, err := url.ParseQuery(message)
		if r.Method == http.MethodGet {
			form = r.URL.Query()
		}
		if encoded := form.Get("SAMLRequest") + form.Get("SAMLResponse"); err == nil && encoded != "" {
			decode := testkit.Inflated
			if r.Method == http.MethodPost {
				decode = base64.StdEncoding.DecodeString
			}
			decoded, _ := decode(encoded)
			message = string(decoded)
		}
		next.ServeHTTP(w, r)
		d.mu.Lock()
		defer d.mu.Unlock()
		d.messages = append(d.messages, message)
	})
}
