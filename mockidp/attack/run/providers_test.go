package run_test

import (
	"cmp"
	"crypto"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp/attack/run"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// otherIdP is another identity provider for all tests.
var otherIdP = sync.OnceValue(func() *run.IdP {
	idp, err := run.NewIdP()
	if err != nil {
		panic(err)
	}
	idp.EntityID, idp.SSOURL = "http://other.localhost/metadata", "http://other.localhost/sso"
	return idp
})

// idps are identity providers by entity ID.
type idps map[string]*saml.IdP

func (m idps) IdP(entityID string) (*saml.IdP, error) { return m[entityID], nil }

// SourceIdP is for artifacts.
func (m idps) SourceIdP(source saml.SourceID) (*saml.IdP, error) {
	for name, idp := range m {
		if saml.SourceIDOf(name) == source {
			return idp, nil
		}
	}
	return nil, &saml.Error{Reason: saml.ReasonArtifactSource}
}

func trusting(t *testing.T, all ...*run.IdP) idps {
	t.Helper()
	out := idps{}
	for _, x := range all {
		metadata, err := x.Metadata()
		require.NoError(t, err)
		idp, err := saml.ParseIdPMetadata(metadata)
		require.NoError(t, err)
		out[idp.EntityID()] = idp
	}
	return out
}

// withTwoIdPs starts Meridian's service provider with identity providers that a parameter chooses, or a discovery
// service.
func withTwoIdPs(t *testing.T, trusted ...*run.IdP) run.Target {
	t.Helper()
	mux, users := http.NewServeMux(), new(sessions)
	at := serve(t, "several", mux)
	signing := testkit.RSAKey("signing sp")
	sp, err := saml.New(saml.Config{
		EntityID: at + "/saml", IdPs: trusting(t, trusted...), Key: signing,
		Certificate:           testkit.Certificate(signing, time.Now()),
		ACS:                   []saml.Endpoint{{URL: at + "/acs", ArtifactIndex: new(uint16(1000))}},
		DecryptionKeys:        []crypto.Decrypter{spKey()},
		EncryptionCertificate: testkit.Certificate(spKey(), time.Now()),
	})
	require.NoError(t, err)
	region, err := acs.NewRegion(acs.Config{
		SP: sp, Store: acs.NewMemoryStore(acs.MemoryConfig{}), Logger: slog.New(slog.DiscardHandler),
		ChooseIdP:    func(r *http.Request) string { return r.URL.Query().Get("idp") },
		DiscoveryURL: "https://ds.example/", DiscoveredPath: "/discovered",
		SOAP: acs.SOAPConfig{AllowPrivateAddresses: true},
		LoginOptions: func(r *http.Request) acs.LoginOptions {
			if user := r.URL.Query().Get("user"); user != "" {
				return acs.LoginOptions{Subject: &saml.NameID{
					Value: user, Format: "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
				}}
			}
			return acs.LoginOptions{}
		},
		OnLogin: func(w http.ResponseWriter, r *http.Request, l *acs.Login) {
			users.signIn(w, l.Assertion.NameID().Value)
			http.Redirect(w, r, cmp.Or(l.ReturnTo, "/"), http.StatusSeeOther)
		},
	})
	require.NoError(t, err)
	region.Mount(mux, acs.Paths{Login: "/login", Metadata: "/metadata"})
	mux.HandleFunc("GET /{$}", users.page)
	out := target(at)
	out.Login, out.OtherLogin = at+"/login?idp="+run.DefaultEntityID, at+"/login?idp="+otherIdP().EntityID
	out.OtherIdP, out.Discovery, out.EncryptTo = otherIdP(), at+"/discovered", &spKey().PublicKey
	out.Only = []string{"D12", "I", "K09"}
	return out
}

// Meridian keeps identity providers apart.
func TestRunOursWithTwoIdPs(t *testing.T) {
	report := attacked(t, withTwoIdPs(t, sharedIdP(), otherIdP()))
	assert.Equal(t, 0, report.Exit())
	for _, x := range report.Results {
		switch row := x.ID[:3]; row {
		case "I05", "I06", "I07", "I08", "I09", "I10":
			assert.Equal(t, run.NotRun, x.Verdict, x.ID)
		case "I11":
			assert.Equal(t, run.Accepted, x.Verdict, x.Reason)
		default:
			assert.Equal(t, run.Refused, x.Verdict, "%s: %s", x.ID, x.Reason)
		}
	}
}

// Nor does one answer for the other by artifact.
func TestRunOursWithArtifactsOfTwoIdPs(t *testing.T) {
	own, channel := calledIdP(t)
	other := *otherIdP()
	other.BackChannel = own.BackChannel + "/other"
	to := withTwoIdPs(t, own, &other)
	to.IdP, to.OtherIdP, to.BackChannel, to.ArtifactACS = own, &other, channel, to.ACS
	to.Only = []string{"H09", "H10", "H17"}
	for _, x := range attacked(t, to).Results {
		assert.Equal(t, run.Refused, x.Verdict, "%s: %s", x.ID, x.Reason)
	}
	silent := *otherIdP()
	to = withTwoIdPs(t, own, &silent)
	to.IdP, to.OtherIdP, to.BackChannel, to.ArtifactACS = own, &silent, channel, to.ACS
	to.Only = []string{"H10/answer", "H17"}
	report := attacked(t, to)
	assert.Equal(t, run.Refused, result(t, report, "H10/answer").Verdict)
	assert.Equal(t, run.NeedOtherIdP, result(t, report, "H17").Needs)
}

// A request may name the user who must sign in.
func TestRunOursWithASubject(t *testing.T) {
	to := withTwoIdPs(t, sharedIdP(), otherIdP())
	to.Only = []string{"K20"}
	assert.Equal(t, run.NeedSettings, result(t, attacked(t, to), "K20/other").Needs)
	to.Login += "&user=alice@example.com"
	for _, x := range attacked(t, to).Results {
		want := run.Refused
		if x.ID == "K20/default-qualifiers" {
			want = run.Accepted
		}
		assert.Equal(t, want, x.Verdict, "%s: %s", x.ID, x.Reason)
	}
}

// A service provider that doesn't trust the other identity provider refuses all of its messages, which shows nothing.
func TestRunChecksTheOtherIdP(t *testing.T) {
	to := withTwoIdPs(t, sharedIdP())
	report := attacked(t, to)
	for _, id := range []string{"D12", "I01/answer", "I02/key", "I11", "I12/response"} {
		x := result(t, report, id)
		assert.Equal(t, run.NotRun, x.Verdict, "%s: %s", id, x.Reason)
		assert.Equal(t, run.NeedSupport, x.Needs, id)
		assert.Contains(t, x.Reason, "no user can sign in at the other identity provider", id)
	}
	to.OtherLogin, to.Discovery = "", ""
	report = attacked(t, to)
	assert.Equal(t, run.NeedOtherLogin, result(t, report, "I11").Needs)
	assert.Equal(t, run.NeedDiscovery, result(t, report, "K09").Needs)
	to.OtherIdP = nil
	report = attacked(t, to)
	for _, id := range []string{"D12", "I01/answer", "I02/key", "I11", "I12/response"} {
		assert.Equal(t, run.NeedOtherIdP, result(t, report, id).Needs, id)
	}
	to.OtherIdP = &run.IdP{EntityID: "http://other.localhost", RSA: sharedIdP().RSA}
	_, err := run.Run(t.Context(), to)
	assert.ErrorContains(t, err, "an RSA key of its own")
}

// A service provider that takes the identity provider from the message, and compares it with nothing, takes one's
// answer for another's. It begins a sign-in wherever a link says.
func TestRunNoticesAMixUp(t *testing.T) {
	known := trusting(t, sharedIdP(), otherIdP())
	to := broken(t, func(at string, response []byte) string {
		root := read(response)
		if root == nil || root.FindElement("./Issuer") == nil {
			return ""
		}
		idp := known[root.FindElement("./Issuer").Text()]
		if idp == nil {
			return ""
		}
		sp, err := saml.New(saml.Config{EntityID: at + "/saml", IdP: idp, ACS: []saml.Endpoint{{URL: at + "/acs"}}})
		assert.NoError(t, err)
		want := requestIn(response)
		want.ACS = at + "/acs"
		a, err := sp.Verify(response, want)
		if err != nil {
			return ""
		}
		return a.NameID().Value
	}, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/discovered" {
				http.Redirect(w, r, "/login", http.StatusSeeOther)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	to.OtherIdP, to.Only = otherIdP(), []string{"D12", "I", "K09"}
	at := to.Login[:len(to.Login)-len("/login")]
	to.Discovery = at + "/discovered"
	report := attacked(t, to)
	for _, id := range []string{"D12", "I01/answer", "I01/forged", "K09"} {
		assert.Equal(t, run.LetIn, result(t, report, id).Verdict, "%s: %s", id, result(t, report, id).Reason)
	}
	for _, id := range []string{"I02/key", "I03/assertion-unsigned"} {
		assert.Equal(t, run.Refused, result(t, report, id).Verdict, "%s: %s", id, result(t, report, id).Reason)
	}
	assert.Equal(t, run.Policy, result(t, report, "K09").Severity)
	assert.Equal(t, run.NeedOtherLogin, result(t, report, "I11").Needs)
}
