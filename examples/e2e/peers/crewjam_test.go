package peers_test

import (
	"encoding/xml"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	crewjam "github.com/crewjam/saml"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// TestCrewjamIdentityProvider signs in with crewjam/saml's IdentityProvider,
// which signs both, ignores the signatures of requests, and would
// encrypt if our metadata had a key for it.
func TestCrewjamIdentityProvider(t *testing.T) {
	checkPeer(t, []string{signBoth}, func(t *testing.T, _ string, spMetadata [][]byte) peer {
		return startCrewjam(t, spMetadata)
	})
}

// startCrewjam starts one that knows these service providers.
func startCrewjam(t *testing.T, spMetadata [][]byte) peer {
	t.Helper()
	known := make(crewjamPeer)
	for _, metadata := range spMetadata {
		sp := new(crewjam.EntityDescriptor)
		require.NoError(t, xml.Unmarshal(metadata, sp))
		known[sp.EntityID] = sp
	}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	at, err := url.Parse(server.URL)
	require.NoError(t, err)
	idp := &crewjam.IdentityProvider{
		Key: peerIdPKey().key, Certificate: peerIdPKey().cert,
		SignatureMethod: dsig.RSASHA256SignatureMethod, // its own default is SHA-1
		MetadataURL:     *at.JoinPath("metadata"), SSOURL: *at.JoinPath("sso"),
		ServiceProviderProvider: known, SessionProvider: known,
		Logger: log.New(io.Discard, "", 0),
	}
	mux.HandleFunc("/metadata", idp.ServeMetadata)
	mux.HandleFunc("/sso", idp.ServeSSO)
	mux.HandleFunc("/unsolicited", func(w http.ResponseWriter, r *http.Request) {
		idp.ServeIDPInitiated(w, r, r.FormValue("sp"), r.FormValue("RelayState"))
	})
	metadata := newPeerBrowser(t).open(server.URL + "/metadata")
	return peer{
		metadata: []byte(metadata.body),
		unsolicited: func(entityID, relayState string) string {
			return server.URL + "/unsolicited?" + url.Values{"sp": {entityID}, "RelayState": {relayState}}.Encode()
		},
		sign: signBoth,
		mail: "urn:oid:0.9.2342.19200300.100.1.3", affiliation: "urn:oid:1.3.6.1.4.1.5923.1.1.1.1",
	}
}

// crewjamPeer holds the service providers that the identity provider knows, and
// one session for all clients.
type crewjamPeer map[string]*crewjam.EntityDescriptor

func (p crewjamPeer) GetServiceProvider(_ *http.Request, id string) (*crewjam.EntityDescriptor, error) {
	if sp, ok := p[id]; ok {
		return sp, nil
	}
	return nil, os.ErrNotExist
}

func (crewjamPeer) GetSession(http.ResponseWriter, *http.Request, *crewjam.IdpAuthnRequest) *crewjam.Session {
	return &crewjam.Session{
		ID: "session", Index: "session-index", CreateTime: time.Now(), ExpireTime: time.Now().Add(time.Hour),
		NameID: peerUser, NameIDFormat: mockidp.NameIDEmail,
		UserEmail: peerUser, Groups: peerAffiliation,
	}
}

// TestCrewjamServiceProvider signs in at the mock identity provider from a
// service provider made with crewjam/saml: each learns the other's metadata,
// the request is signed, and a browser goes through the pages.
func TestCrewjamServiceProvider(t *testing.T) {
	idp := mockidp.New(mockidp.Config{})
	t.Cleanup(idp.Close)
	sp := newCrewjamSP(t, idp)
	require.NoError(t, idp.RegisterSP("", sp.metadata(t)))

	b := newPeerBrowser(t)
	signIn := b.open(sp.url + "/login")
	require.Contains(t, signIn.location, idp.SSOURL(""))
	form := b.open(signIn.location).message(t, "password")
	base, err := url.Parse(idp.SignInURL())
	require.NoError(t, err)
	action, err := base.Parse(form.to)
	require.NoError(t, err)
	form.to = action.String()
	filled := form.set("username", mockidp.DefaultLogin).set("password", mockidp.DefaultPassword)
	response := b.carry(filled).message(t, "SAMLResponse")
	require.Equal(t, sp.url+"/acs", response.to)
	assert.Equal(t, "/reports", response.fields.Get("RelayState"))
	got := b.carry(response)
	assert.Equal(t, http.StatusOK, got.status)
	assert.Equal(t, mockidp.DefaultLogin, got.body)

	changed := strings.Replace(response.response(t), ">"+mockidp.DefaultLogin+"<", ">malice@example.com<", 1)
	got = b.carry(response.with(changed))
	assert.Equal(t, http.StatusForbidden, got.status, "a changed response")
	other, err := idp.IdPInitiated("", mockidp.DefaultLogin, "")
	require.NoError(t, err)
	got = b.carry(response.set("SAMLResponse", other.SAMLResponse))
	assert.Equal(t, http.StatusForbidden, got.status, "an answer to no request")
}

// crewjamSP is a minimal service provider: a page
// that starts a sign-in, and an assertion consumer service.
type crewjamSP struct {
	*crewjam.ServiceProvider
	url string
}

func newCrewjamSP(t *testing.T, idp *mockidp.Server) *crewjamSP {
	t.Helper()
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	at, err := url.Parse(server.URL)
	require.NoError(t, err)
	sp := &crewjamSP{url: server.URL, ServiceProvider: &crewjam.ServiceProvider{
		Key: peerSPKey().key, Certificate: peerSPKey().cert, SignatureMethod: dsig.RSASHA256SignatureMethod,
		MetadataURL: *at.JoinPath("metadata"), AcsURL: *at.JoinPath("acs"),
		AuthnNameIDFormat: crewjam.EmailAddressNameIDFormat,
		IDPMetadata:       new(crewjam.EntityDescriptor),
	}}
	require.NoError(t, xml.Unmarshal(idp.Metadata(""), sp.IDPMetadata))
	asked := make(chan string, 1) // the one request that waits for its answer
	mux.HandleFunc("/login", func(w http.ResponseWriter, r *http.Request) {
		request, err := sp.MakeAuthenticationRequest(sp.GetSSOBindingLocation(crewjam.HTTPRedirectBinding),
			crewjam.HTTPRedirectBinding, crewjam.HTTPPostBinding)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		to, err := request.Redirect("/reports", sp.ServiceProvider)
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		asked <- request.ID
		http.Redirect(w, r, to.String(), http.StatusSeeOther)
	})
	mux.HandleFunc("/acs", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		id := <-asked
		asked <- id
		assertion, err := sp.ParseResponse(r, []string{id})
		if err != nil {
			http.Error(w, err.Error(), http.StatusForbidden)
			return
		}
		_, _ = io.WriteString(w, assertion.Subject.NameID.Value)
	})
	return sp
}

func (sp *crewjamSP) metadata(t *testing.T) []byte {
	t.Helper()
	out, err := xml.Marshal(sp.Metadata())
	require.NoError(t, err)
	return out
}
