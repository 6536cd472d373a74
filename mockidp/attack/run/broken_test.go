package run_test

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/attack"
	"github.com/meridian-saml/meridian/mockidp/attack/run"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// broken starts a service provider with its own way to verify messages: verify
// returns the user who is signed in, or panics. fronts wrap the whole server.
func broken(
	t *testing.T, verify func(at string, response []byte) string, fronts ...func(http.Handler) http.Handler,
) run.Target {
	t.Helper()
	users, mux := new(sessions), http.NewServeMux()
	var all http.Handler = mux
	for _, front := range fronts {
		all = front(all)
	}
	at := serve(t, "broken", all)
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, redirectTo(t, at), http.StatusFound)
	})
	mux.HandleFunc("POST /acs", func(w http.ResponseWriter, r *http.Request) {
		name := verify(at, []byte(r.FormValue("SAMLResponse")))
		if name == "" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		users.signIn(w, name)
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /{$}", users.page)
	return target(at)
}

// redirectTo returns the address of a new request by HTTP-Redirect.
func redirectTo(t *testing.T, at string) string {
	t.Helper()
	request := fmt.Sprintf(`<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"
		xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_%s" Version="2.0"
		AssertionConsumerServiceURL="%s/acs"><saml:Issuer>%s/saml</saml:Issuer></samlp:AuthnRequest>`, rand.Text(), at, at)
	return run.DefaultSSOURL + "?" + url.Values{"SAMLRequest": {testkit.Deflated([]byte(request))}}.Encode()
}

// read reads a message by local names, as a careless program does.
func read(response []byte) *etree.Element {
	text, err := base64.StdEncoding.DecodeString(string(response))
	doc := etree.NewDocument()
	if err != nil || doc.ReadFromBytes(text) != nil {
		return nil
	}
	return doc.Root()
}

func firstNameID(root *etree.Element) string {
	if root == nil {
		return ""
	}
	if el := root.FindElement("//Assertion/Subject/NameID"); el != nil {
		return el.Text()
	}
	return ""
}

// verifier returns Meridian's own verifier.
func verifier(t *testing.T, at string) *saml.ServiceProvider {
	t.Helper()
	metadata, err := sharedIdP().Metadata()
	require.NoError(t, err)
	idp, err := saml.ParseIdPMetadata(metadata)
	require.NoError(t, err)
	sp, err := saml.New(saml.Config{EntityID: at + "/saml", IdP: idp, ACS: []saml.Endpoint{{URL: at + "/acs"}}})
	require.NoError(t, err)
	return sp
}

// verified returns the user of a message that verifies as the answer to the request
// that it names, or "".
func verified(t *testing.T, at string, response []byte) string {
	want := requestIn(response)
	want.ACS = at + "/acs"
	a, err := verifier(t, at).Verify(response, want)
	if err != nil {
		return ""
	}
	return a.NameID().Value
}

// requestIn returns options for the request that a message names.
func requestIn(response []byte) saml.VerifyOptions {
	e := saml.VerifyOptions{Unsolicited: true}
	if root := read(response); root != nil {
		if id := root.SelectAttrValue("InResponseTo", ""); id != "" {
			e = saml.VerifyOptions{RequestIDs: []string{id}}
		}
	}
	return e
}

// result returns an attack's result.
func result(t *testing.T, r *run.Report, id string) run.Result {
	t.Helper()
	for _, x := range r.Results {
		if x.ID == id {
			return x
		}
	}
	require.Failf(t, "no result", "%s", id)
	return run.Result{}
}

func attacked(t *testing.T, target run.Target) *run.Report {
	t.Helper()
	report, err := run.Run(t.Context(), target)
	require.NoError(t, err)
	require.NotEmpty(t, report.Results)
	return report
}

// A service provider that ignores signatures accepts attacks.
func TestRunNoticesIgnoredSignatures(t *testing.T) {
	to := broken(t, func(_ string, response []byte) string { return firstNameID(read(response)) })
	to.Only = []string{"A03", "B01", "B36", "D29", "D37"}
	report := attacked(t, to)
	assert.Equal(t, 1, report.Exit())
	for id, who := range map[string]string{
		"A03/assertion": "admin@example.com", "B36": "admin@example.com", "B01": "alice@example.com",
		"D29": "alice@example.com", "D37/claims-to-be-ours": "admin@example.com",
	} {
		x := result(t, report, id)
		assert.Equal(t, run.LetIn, x.Verdict, id)
		assert.Equal(t, who, x.Identity, id)
	}
}

// A service provider that verifies a signature and reads the first assertion
// accepts wrapping, and no other attack of this test.
func TestRunNoticesTheFirstAssertionBeingRead(t *testing.T) {
	to := broken(t, func(at string, response []byte) string {
		if !anySignedAssertion(t, verifier(t, at), at, response) {
			return ""
		}
		return firstNameID(read(response))
	})
	to.Only, to.Sign = []string{"A03", "A19/signed-last", "B01", "B36", "D29"}, []attack.Sign{attack.SignAssertion}
	report := attacked(t, to)
	assert.Equal(t, 1, report.Exit())
	for id, verdict := range map[string]run.Verdict{
		"A03/assertion": run.LetIn, "A19/signed-last": run.LetIn, "B01": run.Refused, "B36": run.Refused, "D29": run.Refused,
	} {
		assert.Equal(t, verdict, result(t, report, id).Verdict, id)
	}
	assert.Equal(t, "admin@example.com", result(t, report, "A03/assertion").Identity)
}

// anySignedAssertion reports whether one of the assertions of a message verifies.
func anySignedAssertion(t *testing.T, sp *saml.ServiceProvider, at string, response []byte) bool {
	root := read(response)
	if root == nil {
		return false
	}
	want := requestIn(response)
	want.ACS = at + "/acs"
	for i := range root.SelectElements("Assertion") {
		alone := etree.NewDocumentWithRoot(root.Copy())
		for j, el := range alone.Root().SelectElements("Assertion") {
			if i != j {
				alone.Root().RemoveChild(el)
			}
		}
		alone.WriteSettings.CanonicalText, alone.WriteSettings.CanonicalAttrVal = true, true
		text, err := alone.WriteToBytes()
		assert.NoError(t, err)
		if _, err := sp.Verify([]byte(base64.StdEncoding.EncodeToString(text)), want); err == nil {
			return true
		}
	}
	return false
}

// A service provider without a store accepts replays, and the answer to any
// request.
func TestRunNoticesReplay(t *testing.T) {
	to := broken(t, func(at string, response []byte) string { return verified(t, at, response) })
	to.Only = []string{"B01", "D01", "D03", "D05", "D06", "D07", "D08", "D11", "D45", "D47", "D51"}
	report := attacked(t, to)
	assert.Equal(t, 1, report.Exit())
	for id, verdict := range map[string]run.Verdict{
		"B01": run.Refused, "D51": run.Refused, "D08": run.Tolerated, "D47/signed-in": run.Tolerated, "D45/other": run.NotRun,
		"D01/same-browser": run.LetIn, "D01/other-browser": run.LetIn, "D01/unsolicited": run.LetIn, "D03": run.LetIn,
		"D05/same-browser": run.LetIn, "D05/unsolicited": run.LetIn, "D06": run.LetIn, "D07": run.LetIn,
		"D11/waiting": run.LetIn, "D11/idle": run.LetIn,
	} {
		x := result(t, report, id)
		assert.Equal(t, verdict, x.Verdict, "%s: %s", id, x.Reason)
	}
}

// A service provider that fails signs no user in, and the report has Failed. If
// a service provider signs no user in at all, every attack is inconclusive.
func TestRunNoticesFailure(t *testing.T) {
	careful := func(at string, response []byte) string {
		name := verified(t, at, response)
		if name == "" {
			panic(http.ErrAbortHandler)
		}
		return name
	}
	to := broken(t, careful)
	to.Only = []string{"B01"}
	report := attacked(t, to)
	assert.Equal(t, run.Failed, result(t, report, "B01").Verdict)
	assert.Equal(t, 3, report.Exit())

	release := make(chan struct{})
	to = broken(t, func(at string, response []byte) string {
		if strings.Contains(read(response).SelectAttrValue("Destination", ""), "attacker") {
			<-release
		}
		return firstNameID(read(response))
	})
	defer close(release)
	to.Only, to.Timeout, to.Sign = []string{"D13"}, 2*time.Second, []attack.Sign{attack.SignAssertion}
	x := result(t, attacked(t, to), "D13")
	assert.Equal(t, run.Failed, x.Verdict)
	assert.Contains(t, x.Reason, "no answer")

	to = broken(t, func(string, []byte) string { return "" })
	to.Only = []string{"B01", "C28", "D01"}
	report = attacked(t, to)
	assert.Equal(t, 3, report.Exit())
	for _, x := range report.Results {
		assert.Equal(t, run.Inconclusive, x.Verdict, x.ID)
		assert.Contains(t, x.Reason, "a good response", x.ID)
	}
}

// A cancelled run names no attack as StoppedAt.
func TestRunCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	to := broken(t, func(_ string, response []byte) string { return firstNameID(read(response)) })
	to.Only, to.Sign, to.Concurrency = []string{"D13", "D16", "D45"}, []attack.Sign{attack.SignAssertion}, 1
	to.Progress = func(run.Result) { cancel() }
	report, err := run.Run(ctx, to)
	require.NoError(t, err)
	assert.Equal(t, run.Tolerated, report.Results[0].Verdict)
	for _, x := range report.Results[1:] {
		assert.Equal(t, run.Inconclusive, x.Verdict, "%s: %s", x.ID, x.Reason)
	}
}
