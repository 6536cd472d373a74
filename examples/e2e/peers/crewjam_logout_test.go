package peers_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/crewjam/saml/samlidp"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// TestCrewjamLogout signs out on both sides with crewjam/saml's identity provider, by HTTP-Redirect. It checks our
// messages by our metadata, and signs its own.
func TestCrewjamLogout(t *testing.T) {
	// The form of its sign-in page loses the signature of a request.
	unsigned := func(sp *saml.Config) { sp.SignRequests = false }
	for name, encrypted := range map[string]bool{"signed": false, "encrypted": true} {
		t.Run(name, func(t *testing.T) {
			d := deployLogout(t, unsigned, decrypting)
			p := startCrewjamLogout(t, encrypted, d.metadata(t))
			t.Run("by HTTP-POST", func(t *testing.T) { checkCrewjamPosts(t, p, d) })
			p.encryptsNameID = encrypted
			p.metadata = withoutLogout(t, p.metadata, saml.HTTPPost)
			d.trust(t, p.metadata)
			checkLogouts(t, p, d, homeRegion, awayRegion)
			t.Run("both Regions", func(t *testing.T) { checkBothRegions(t, p, d, true) })
		})
	}
}

// checkCrewjamPosts signs out by HTTP-POST. The Signature of its answer is the last child, and not after the Issuer,
// where the schema requires it (Core 3.2.2), so it is refused. Moved to its place it is accepted.
func checkCrewjamPosts(t *testing.T, p logoutPeer, d *deployment) {
	d.trust(t, p.metadata)
	b := p.session(t, d, homeRegion)
	page := clickSignOut(t, b, d, homeRegion, saml.HTTPPost)
	ask, ok := page.FormWith("SAMLRequest")
	require.True(t, ok, page.Text())
	page, err := b.Post(page.Origin(), ask.Action, ask.Values())
	require.NoError(t, err)
	form, ok := page.FormWith("SAMLResponse")
	require.True(t, ok, page.Text())
	fields := form.Values()

	got, err := b.Post(page.Origin(), form.Action, fields)
	require.NoError(t, err)
	assert.Equal(t, http.StatusForbidden, got.Status)
	assert.Empty(t, d.user(t, b, homeRegion), "the session has ended in any case")

	raw, err := base64.StdEncoding.DecodeString(fields.Get("SAMLResponse"))
	require.NoError(t, err)
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromBytes(raw))
	signature := doc.Root().SelectElement("Signature")
	require.Equal(t, len(doc.Root().Child)-1, signature.Index())
	doc.Root().InsertChildAt(doc.Root().SelectElement("Issuer").Index()+1, signature)
	raw, err = doc.WriteToBytes()
	require.NoError(t, err)
	fields.Set("SAMLResponse", base64.StdEncoding.EncodeToString(raw))
	got, err = b.Post(page.Origin(), form.Action, fields)
	require.NoError(t, err)
	assert.Equal(t, "signed out here, and at "+d.idp.IdP().EntityID()+": true", got.Text())
}

// startCrewjamLogout starts its server, which has sessions and a sign-in page.
func startCrewjamLogout(t *testing.T, encrypt bool, spMetadata ...[]byte) logoutPeer {
	t.Helper()
	front := newTLSFront(t)
	at, err := url.Parse(front.base)
	require.NoError(t, err)
	server, err := samlidp.New(samlidp.Options{
		URL: *at, Key: peerIdPKey().key, Certificate: peerIdPKey().cert, Store: new(samlidp.MemoryStore),
		Logger: log.New(io.Discard, "", 0),
	})
	require.NoError(t, err)
	server.IDP.SignatureMethod = dsig.RSASHA256SignatureMethod
	server.IDP.EncryptLogoutNameID = encrypt
	put := func(path, body string) {
		w := httptest.NewRecorder()
		server.ServeHTTP(w, httptest.NewRequest(http.MethodPut, path, strings.NewReader(body)))
		require.Equal(t, http.StatusNoContent, w.Code, w.Body)
	}
	put("/users/alice", `{"name": "alice", "password": "of no value", "email": "`+peerUser+`"}`)
	for i, metadata := range spMetadata {
		put(fmt.Sprintf("/services/sp%d", i), string(metadata))
	}
	front.serve(server)
	metadata := newPeerBrowser(t).open(front.base + "/metadata")
	require.Equal(t, http.StatusOK, metadata.status, metadata.body)
	return logoutPeer{
		metadata: []byte(metadata.body), login: "alice", password: "of no value", user: peerUser,
		signOut: front.base + "/logout", signedOut: "logged out",
	}
}
