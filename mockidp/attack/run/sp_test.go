package run_test

import (
	"cmp"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"html"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	acssessions "github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/mockidp/attack"
	"github.com/meridian-saml/meridian/mockidp/attack/run"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// sharedIdP is one identity provider for all tests, because making keys is slow.
var sharedIdP = sync.OnceValue(func() *run.IdP {
	idp, err := run.NewIdP()
	if err != nil {
		panic(err)
	}
	return idp
})

// spKey is the service provider's decryption key.
func spKey() *rsa.PrivateKey { return testkit.RSAKey("sp") }

// sessions has the users who are signed in.
type sessions struct {
	mu sync.Mutex
	by map[string]string // users by cookie; guarded by mu
}

func (s *sessions) signIn(w http.ResponseWriter, name string) {
	id := rand.Text()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by == nil {
		s.by = make(map[string]string)
	}
	s.by[id] = name
	http.SetCookie(w, &http.Cookie{
		Name: "session", Value: id, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

func (s *sessions) user(r *http.Request) string {
	c, err := r.Cookie("session")
	if err != nil {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.by[c.Value]
}

// page shows the user who is signed in.
func (s *sessions) page(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, "<html><body>Signed in as <b>%s</b></body></html>", html.EscapeString(s.user(r)))
}

var signedInAs = regexp.MustCompile(`<b>([^<]+)</b>`)

// serve starts a server with a name below localhost.
func serve(t *testing.T, name string, mux http.Handler) string {
	t.Helper()
	s := httptest.NewServer(mux)
	t.Cleanup(s.Close)
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	require.NoError(t, err)
	return "http://" + name + ".localhost:" + port
}

// target describes a service provider of these tests.
func target(at string) run.Target {
	return run.Target{
		Login: at + "/login", ACS: at + "/acs", EntityID: at + "/saml", Probe: at + "/", Identity: signedInAs,
		IdP: sharedIdP(), Concurrency: 2,
	}
}

// proven has sessions that end by logout: of both Regions.
type proven struct {
	sp    string
	store *acssessions.MemoryStore
}

func nameID(n saml.NameID) acssessions.NameID { return acssessions.NameID(n) }

// signIn begins a session, unless the identity provider has ended it before. Then it writes the refusal.
func (p *proven) signIn(w http.ResponseWriter, r *http.Request, a *saml.Assertion) bool {
	id := rand.Text()
	s := acssessions.Session{
		ID: id, SignIn: id, UserID: a.NameID().Value, Created: time.Now(), Seen: time.Now(),
		Expires: time.Now().Add(time.Hour), Proof: acssessions.Proof{
			Subject:        acssessions.Subject{Provider: a.Issuer(), ServiceProvider: p.sp, NameID: nameID(a.NameID())},
			SessionIndexes: a.SessionIndexes(), Issued: a.IssueInstant(),
		},
	}
	out, err := p.store.LoggedOut(r.Context(), s)
	if err != nil || out || p.store.Create(r.Context(), id, s) != nil {
		http.Error(w, "signed out at the identity provider", http.StatusForbidden)
		return false
	}
	http.SetCookie(w, &http.Cookie{
		Name: "session", Value: id, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	return true
}

func (p *proven) end(ctx context.Context, l *saml.VerifiedLogoutRequest) (saml.LogoutStatus, error) {
	_, err := p.store.EndSubject(ctx, acssessions.Logout{
		Subject:        acssessions.Subject{Provider: l.IdP(), ServiceProvider: p.sp, NameID: nameID(l.NameID())},
		SessionIndexes: l.SessionIndexes(), Issued: l.IssueInstant(), NotOnOrAfter: l.NotOnOrAfter(),
		Until: l.NotOnOrAfter().Add(time.Hour),
	})
	return saml.LogoutSuccess, err
}

// attributes shows the attributes that the identity provider has of the user who is signed in.
func (p *proven) attributes(region *acs.Region) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		c, err := r.Cookie("session")
		if err != nil {
			http.Error(w, "signed out", http.StatusForbidden)
			return
		}
		s, err := p.store.Get(r.Context(), c.Value)
		if err != nil {
			http.Error(w, "signed out", http.StatusForbidden)
			return
		}
		a, err := region.QueryAttributes(r.Context(), saml.AttributeQueryOptions{
			IdP: s.Proof.Subject.Provider, NameID: saml.NameID(s.Proof.Subject.NameID),
		})
		if err != nil {
			http.Error(w, "refused", http.StatusForbidden)
			return
		}
		fmt.Fprintln(w, a.Values("team"))
	}
}

// page shows the user who is signed in.
func (p *proven) page(w http.ResponseWriter, r *http.Request) {
	name := ""
	if c, err := r.Cookie("session"); err == nil {
		if s, err := p.store.Get(r.Context(), c.Value); err == nil {
			name = s.UserID
		}
	}
	fmt.Fprintf(w, "<html><body>Signed in as <b>%s</b></body></html>", html.EscapeString(name))
}

// calledIdP is the shared identity provider with a back channel of its own.
func calledIdP(t *testing.T) (*run.IdP, *run.BackChannel) {
	t.Helper()
	channel := new(run.BackChannel)
	s := httptest.NewServer(channel)
	t.Cleanup(s.Close)
	idp := *sharedIdP()
	idp.BackChannel = s.URL + "/soap"
	return &idp, channel
}

// ours starts Meridian's service provider in two Regions.
func ours(t *testing.T, unsolicited acs.Unsolicited) run.Target {
	t.Helper()
	muxes := map[string]*http.ServeMux{"us": http.NewServeMux(), "eu": http.NewServeMux()}
	us, eu := serve(t, "us", muxes["us"]), serve(t, "eu", muxes["eu"])
	own, channel := calledIdP(t)
	metadata, err := own.Metadata()
	require.NoError(t, err)
	idp, err := saml.ParseIdPMetadata(metadata)
	require.NoError(t, err)
	signing := testkit.RSAKey("signing sp")
	sp, err := saml.New(saml.Config{
		EntityID: us + "/saml", IdP: idp, DecryptionKeys: []crypto.Decrypter{spKey()},
		EncryptionCertificate: testkit.Certificate(spKey(), time.Now()),
		ACS: []saml.Endpoint{
			{URL: us + "/acs", Region: "us", ArtifactIndex: new(uint16(1000))}, {URL: eu + "/acs", Region: "eu"},
		},
		Key: signing, Certificate: testkit.Certificate(signing, time.Now()), LogoutSOAP: true,
		Logout: []saml.LogoutEndpoint{{URL: us + "/logout", Region: "us"}, {URL: eu + "/logout", Region: "eu"}},
	})
	require.NoError(t, err)
	users := &proven{sp: sp.EntityID(), store: acssessions.NewMemoryStore(acssessions.MemoryConfig{})}
	for name, mux := range muxes {
		region, err := acs.NewRegion(acs.Config{
			SP: sp, Region: name, Store: acs.NewMemoryStore(acs.MemoryConfig{}), Unsolicited: unsolicited,
			Logger: slog.New(slog.DiscardHandler),
			OnLogin: func(w http.ResponseWriter, r *http.Request, l *acs.Login) {
				if users.signIn(w, r, l.Assertion) {
					http.Redirect(w, r, cmp.Or(l.ReturnTo, "/"), http.StatusSeeOther)
				}
			},
			EndSessions: users.end, SOAP: acs.SOAPConfig{AllowPrivateAddresses: true, Timeout: 5 * time.Second},
		})
		require.NoError(t, err)
		mux.HandleFunc("GET /attributes", users.attributes(region))
		region.Mount(mux, acs.Paths{Login: "/login", Metadata: "/metadata"})
		mux.HandleFunc("GET /{$}", users.page)
	}
	out := target(us)
	out.OtherACS, out.EncryptTo = eu+"/acs", &spKey().PublicKey
	out.IdP, out.BackChannel, out.ArtifactACS, out.AttributeProbe = own, channel, us+"/acs", us+"/attributes"
	out.Timeout = 30 * time.Second // longer than the service provider waits for an answer
	out.Logout = map[attack.LogoutBinding]string{
		attack.ByRedirect: us + "/logout", attack.ByPOST: us + "/logout", attack.BySOAP: us + "/logout",
	}
	return out
}
