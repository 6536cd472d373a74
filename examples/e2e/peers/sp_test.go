package peers_test

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// spPeer describes another vendor's service provider, in its default
// configuration.
type spPeer struct {
	// refusesUnsolicited says that it refuses unsolicited responses.
	refusesUnsolicited bool
	// byIndex says that its requests name their ACS by index.
	byIndex bool
	// unsigned are the ways of signing that it refuses.
	unsigned []string
	// encrypted is added to its environment where assertions come encrypted.
	encrypted []string
	// notDecrypted are those of spCiphers that it refuses, and untried those
	// that another version of its dependencies may decide otherwise.
	notDecrypted, untried []string
}

var spPeers = map[string]spPeer{
	"shibboleth": {byIndex: true, notDecrypted: []string{cbcRSA15}},
	"mellon":     {notDecrypted: []string{gcmSHA256}},
	"lasso":      {notDecrypted: []string{gcmSHA256}},
	"pysaml2": {refusesUnsolicited: true, unsigned: []string{signAssertion},
		notDecrypted: []string{gcmSHA256, gcmBeside, cbcBeside}},
	"python3-saml": {notDecrypted: []string{gcmSHA256, gcmBeside, cbcBeside}},
	"ruby-saml":    {notDecrypted: []string{gcmSHA256, gcmBeside, cbcBeside}},
	"node-saml": {
		unsigned:     []string{signResponse, signAssertion},
		notDecrypted: []string{"aes192-gcm", "aes192-cbc", gcmSHA256, gcmBeside, cbcBeside}, untried: []string{cbcRSA15},
	},
	"passport-saml": {
		unsigned:     []string{signResponse, signAssertion},
		notDecrypted: []string{"aes192-gcm", "aes192-cbc", gcmSHA256, gcmBeside, cbcBeside}, untried: []string{cbcRSA15},
	},
	"saml-jackson": {
		refusesUnsolicited: true,
		notDecrypted:       []string{"aes192-gcm", "aes192-cbc", gcmSHA256, gcmBeside, cbcBeside},
		untried:            []string{cbcRSA15},
	},
	"php-saml": {notDecrypted: []string{gcmSHA256, gcmBeside, cbcBeside}},
	"dex":      {refusesUnsolicited: true, notDecrypted: slices.Collect(maps.Keys(spCiphers))},
	"samlify": {
		encrypted:    []string{"PEER_ENCRYPTED=1"},
		notDecrypted: []string{"aes192-gcm", "aes192-cbc", gcmSHA256, gcmBeside, cbcBeside}, untried: []string{cbcRSA15},
	},
	"gosaml2":       {notDecrypted: []string{"aes192-cbc", gcmSHA256}},
	"samlsp":        {refusesUnsolicited: true, notDecrypted: []string{cbcRSA15}},
	"simplesamlphp": {notDecrypted: []string{gcmSHA256, cbcRSA15, gcmBeside, cbcBeside}},
}

// spCiphers are ways to encrypt an assertion.
var spCiphers = map[string]mockidp.Encryption{
	"aes128-gcm": {Method: mockidp.AES128GCM},
	"aes192-gcm": {Method: mockidp.AES192GCM},
	"aes256-gcm": {Method: mockidp.AES256GCM},
	"aes128-cbc": {Method: mockidp.AES128CBC},
	"aes192-cbc": {Method: mockidp.AES192CBC},
	"aes256-cbc": {Method: mockidp.AES256CBC},
	gcmSHA256:    {Method: mockidp.AES256GCM, KeyTransport: mockidp.RSAOAEP, Digest: mockidp.SHA256, MGF: mockidp.SHA256},
	cbcRSA15:     {Method: mockidp.AES256CBC, KeyTransport: mockidp.InsecureRSA15},
	gcmBeside:    {Method: mockidp.AES256GCM, KeyBeside: true},
	cbcBeside:    {Method: mockidp.AES256CBC, KeyBeside: true},
}

const (
	gcmSHA256 = "aes256-gcm, OAEP 1.1 of SHA-256"
	cbcRSA15  = "aes256-cbc, RSA 1.5"
	gcmBeside = "aes256-gcm, key beside"
	cbcBeside = "aes256-cbc, key beside"
)

// TestServiceProviders signs users in to other projects' service providers
// with the mock as their identity provider.
func TestServiceProviders(t *testing.T) {
	for name, p := range spPeers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			idp := newSPPeersIdP(t)
			h := startHost(t, name, idp.Metadata(""))
			registerHost(t, idp, h)
			t.Logf("%s %s", h.Name, h.Version)

			t.Run("through the pages", func(t *testing.T) { checkHostSignIn(t, idp, h, p) })
			if h.Login2 != "" {
				t.Run("at the second ACS", func(t *testing.T) { checkSecondACS(t, idp, h) })
			}
			for name, sign := range map[string]mockidp.Signing{
				signBoth: mockidp.SignBoth, signResponse: mockidp.SignResponse, signAssertion: mockidp.SignAssertion,
			} {
				t.Run("signed "+name, func(t *testing.T) {
					changeApp(t, idp, func(a *mockidp.App) { a.Sign = sign })
					checkHostSignature(t, idp, h, !slices.Contains(p.unsigned, name))
				})
			}
			changeApp(t, idp, func(a *mockidp.App) { a.Sign = mockidp.SignBoth })
			t.Run("IdP-initiated", func(t *testing.T) { checkTile(t, idp, h, p) })
			t.Run("error", func(t *testing.T) { checkHostTakesError(t, idp, h) })
			t.Run("encrypted", func(t *testing.T) {
				if p.encrypted != nil {
					h = startHost(t, name, idp.Metadata(""), p.encrypted...)
					registerHost(t, idp, h)
				}
				checkHostDecrypts(t, idp, h, p)
			})
		})
	}
	assert.Len(t, spPeers, len(spHosts), "a host without a test, or the other way round")
}

func newSPPeersIdP(t *testing.T) *mockidp.Server {
	t.Helper()
	idp := mockidp.New(mockidp.Config{Key: peerIdPKey().key, Certificate: peerIdPKey().cert})
	// By default some ask for a transient NameID and accept any.
	changeApp(t, idp, func(a *mockidp.App) { a.IgnoreNameIDPolicy = true })
	t.Cleanup(idp.Close)
	changeApp(t, idp, func(a *mockidp.App) { // python3-saml and dex want one
		a.Attributes = []mockidp.Attribute{{Name: "email", Values: []string{"${user.email}"}}}
	})
	return idp
}

func changeApp(t *testing.T, idp *mockidp.Server, change func(*mockidp.App)) {
	t.Helper()
	require.NoError(t, idp.UpdateApp("", func(a *mockidp.App) error { change(a); return nil }))
}

// registerHost registers a host's metadata with the mock.
func registerHost(t *testing.T, idp *mockidp.Server, h *spHost) {
	t.Helper()
	page := newPeerBrowser(t).open(h.Metadata)
	require.Equal(t, http.StatusOK, page.status, page.body)
	require.NoError(t, idp.RegisterSP("", []byte(page.body)))
	app, ok := idp.App("")
	require.True(t, ok)
	require.Equal(t, h.EntityID, app.Audience)
	var urls []string
	for _, a := range app.ACS {
		urls = append(urls, a.URL)
	}
	require.Subset(t, urls, h.ACS)
	require.Equal(t, h.ACS[0], urls[0], "the default")
}

// signInAt goes from a host's login to the identity provider's page, signs in
// there, and returns the response.
func signInAt(b *peerBrowser, idp *mockidp.Server, login string) peerMessage {
	b.t.Helper()
	asked := b.open(login).message(b.t, "SAMLRequest")
	require.True(b.t, strings.HasPrefix(asked.to, idp.SSOURL("")), asked.to)
	return passwordAt(b, idp, asked)
}

// passwordAt goes to the identity provider, where the user has to sign in first.
func passwordAt(b *peerBrowser, idp *mockidp.Server, asked peerMessage) peerMessage {
	b.t.Helper()
	form := b.carry(asked).message(b.t, "password")
	base, err := url.Parse(idp.SignInURL())
	require.NoError(b.t, err)
	action, err := base.Parse(form.to)
	require.NoError(b.t, err)
	form.to = action.String()
	filled := form.set("username", mockidp.DefaultLogin).set("password", mockidp.DefaultPassword)
	return b.carry(filled).message(b.t, "SAMLResponse")
}

// answerAt goes from a host's login to the response without the pages.
func answerAt(b *peerBrowser, idp *mockidp.Server, login string) peerMessage {
	b.t.Helper()
	asked := b.open(login).message(b.t, "SAMLRequest")
	var form mockidp.Form
	var err error
	if asked.method == http.MethodGet {
		form, err = idp.Answer(asked.to, mockidp.DefaultLogin)
	} else {
		form, err = idp.AnswerPost(asked.to, asked.fields, mockidp.DefaultLogin)
	}
	require.NoError(b.t, err)
	return peerMessage{method: http.MethodPost, to: form.URL, fields: form.Values()}
}

func checkHostSignIn(t *testing.T, idp *mockidp.Server, h *spHost, p spPeer) {
	b := newPeerBrowser(t)
	require.Empty(t, h.user(b))
	response := signInAt(b, idp, h.Login)
	require.Equal(t, h.ACS[0], response.to)
	require.Empty(t, h.user(b))
	got := b.carry(response)
	assert.Less(t, got.status, 400, got.body)
	assert.Equal(t, mockidp.DefaultLogin, h.user(b), got.body)
	assert.Empty(t, h.user(newPeerBrowser(t)), "another browser")

	asked := newPeerBrowser(t).open(h.Login).message(t, "SAMLRequest").request(t)
	assert.Equal(t, p.byIndex, asked.SelectAttr("AssertionConsumerServiceIndex") != nil)
}

// checkSecondACS asks for the answer at the second ACS, by index.
func checkSecondACS(t *testing.T, idp *mockidp.Server, h *spHost) {
	asked := newPeerBrowser(t).open(h.Login2).message(t, "SAMLRequest").request(t)
	require.NotEmpty(t, asked.SelectAttrValue("AssertionConsumerServiceIndex", ""))
	require.Nil(t, asked.SelectAttr("AssertionConsumerServiceURL"))
	b := newPeerBrowser(t)
	response := signInAt(b, idp, h.Login2)
	require.Equal(t, h.ACS[1], response.to)
	got := b.carry(response)
	assert.Equal(t, mockidp.DefaultLogin, h.user(b), got.body)
}

// checkHostSignature changes one letter of the NameID. If the host refuses that and
// accepts the original, it verifies signatures.
func checkHostSignature(t *testing.T, idp *mockidp.Server, h *spHost, enough bool) {
	b := newPeerBrowser(t)
	response := answerAt(b, idp, h.Login)
	xml := response.response(t)
	changed := strings.Replace(xml, ">"+mockidp.DefaultLogin+"</", ">blice@example.com</", 1)
	require.NotEqual(t, xml, changed)
	require.Less(t, strings.Index(changed, "blice@"), strings.Index(changed, "</"+nameIDTag(changed)),
		"it is the NameID that changed")
	b.carry(response.with(changed))
	assert.Empty(t, h.user(b))

	b = newPeerBrowser(t)
	got := b.carry(answerAt(b, idp, h.Login))
	if enough {
		assert.Equal(t, mockidp.DefaultLogin, h.user(b), got.body)
	} else {
		assert.Empty(t, h.user(b), got.body)
	}
}

// checkTile begins at the identity provider: its tile leads to SSOURL.
func checkTile(t *testing.T, idp *mockidp.Server, h *spHost, p spPeer) {
	b := newPeerBrowser(t)
	response := passwordAt(b, idp, peerMessage{method: http.MethodGet, to: idp.SSOURL("")})
	require.Equal(t, h.ACS[0], response.to)
	got := b.carry(response)
	if p.refusesUnsolicited {
		assert.Empty(t, h.user(b), got.body)
	} else {
		assert.Equal(t, mockidp.DefaultLogin, h.user(b), got.body)
	}
}

// checkHostTakesError answers with a status instead of an assertion.
func checkHostTakesError(t *testing.T, idp *mockidp.Server, h *spHost) {
	require.NoError(t, idp.QueueError("", mockidp.Status{SubCode: mockidp.StatusAuthnFailed, Message: "the moon is full"}))
	b := newPeerBrowser(t)
	response := answerAt(b, idp, h.Login)
	require.Contains(t, response.response(t), mockidp.StatusAuthnFailed)
	b.carry(response)
	assert.Empty(t, h.user(b))
}

// checkHostDecrypts has the assertion encrypted in every way.
func checkHostDecrypts(t *testing.T, idp *mockidp.Server, h *spHost, p spPeer) {
	for cipher, encryption := range spCiphers {
		if slices.Contains(p.untried, cipher) {
			continue
		}
		changeApp(t, idp, func(a *mockidp.App) { a.Encrypt, a.EncryptionCertificate = &encryption, peerSPKey().cert })
		b := newPeerBrowser(t)
		response := answerAt(b, idp, h.Login)
		require.NotContains(t, response.response(t), mockidp.DefaultLogin)
		got := b.carry(response)
		want := mockidp.DefaultLogin
		if slices.Contains(p.notDecrypted, cipher) {
			want = ""
		}
		assert.Equal(t, want, h.user(b), "%s: %s", cipher, got.body)
	}
}
