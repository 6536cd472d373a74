package attack_test

import (
	"bytes"
	"compress/flate"
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
	"github.com/meridian-saml/meridian/saml"
)

// broken starts a service provider that judges messages in its own way: judge
// says who is signed in, or panics, or does whatever. fronts are around all of it.
func broken(t *testing.T, judge func(at string, response []byte) string, fronts ...func(http.Handler) http.Handler) attack.Target {
	t.Helper()
	people, mux := new(sessions), http.NewServeMux()
	var all http.Handler = mux
	for _, front := range fronts {
		all = front(all)
	}
	at := serve(t, "broken", all)
	mux.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, redirectTo(t, at), http.StatusFound)
	})
	mux.HandleFunc("POST /acs", func(w http.ResponseWriter, r *http.Request) {
		name := judge(at, []byte(r.FormValue("SAMLResponse")))
		if name == "" {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		people.signIn(w, name)
		http.Redirect(w, r, "/", http.StatusSeeOther)
	})
	mux.HandleFunc("GET /{$}", people.page)
	return target(at)
}

// redirectTo is where a sign-in begins: a request by HTTP-Redirect.
func redirectTo(t *testing.T, at string) string {
	t.Helper()
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestSpeed)
	assert.NoError(t, err)
	fmt.Fprintf(w, `<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_%s" Version="2.0"
		AssertionConsumerServiceURL="%s/acs"><saml:Issuer>%s/saml</saml:Issuer></samlp:AuthnRequest>`, rand.Text(), at, at)
	assert.NoError(t, w.Close())
	return attack.DefaultSSOURL + "?" + url.Values{"SAMLRequest": {base64.StdEncoding.EncodeToString(packed.Bytes())}}.Encode()
}

// read is a message as a careless program reads it: by local names, first come
// first served.
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

// verifier is a good one, for any request.
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

// requestIn is what a message says that it answers.
func requestIn(response []byte) saml.VerifyOptions {
	e := saml.VerifyOptions{Unsolicited: true}
	if root := read(response); root != nil {
		if id := root.SelectAttrValue("InResponseTo", ""); id != "" {
			e = saml.VerifyOptions{RequestIDs: []string{id}}
		}
	}
	return e
}

// result finds an attack's result.
func result(t *testing.T, r *attack.Report, id string) attack.Result {
	t.Helper()
	for _, x := range r.Results {
		if x.ID == id {
			return x
		}
	}
	require.Failf(t, "no result", "%s", id)
	return attack.Result{}
}

func run(t *testing.T, target attack.Target) *attack.Report {
	t.Helper()
	report, err := attack.Run(t.Context(), target)
	require.NoError(t, err)
	require.NotEmpty(t, report.Results)
	return report
}

// One that ignores signatures is found out.
func TestRunNoticesIgnoredSignatures(t *testing.T) {
	to := broken(t, func(_ string, response []byte) string { return firstNameID(read(response)) })
	to.Only = []string{"A03", "B01", "B36", "D29", "D37"}
	report := run(t, to)
	assert.Equal(t, attack.ExitLetIn, report.Exit())
	for id, who := range map[string]string{
		"A03/assertion": "admin@example.com", "B36": "admin@example.com", "B01": "alice@example.com",
		"D29": "alice@example.com", "D37/claims-to-be-ours": "admin@example.com",
	} {
		x := result(t, report, id)
		assert.Equal(t, attack.LetIn, x.Verdict, id)
		assert.Equal(t, who, x.Identity, id)
	}
}

// One that checks a signature, and reads the first assertion, falls for wrapping
// and for nothing else of what is tried here.
func TestRunNoticesTheFirstAssertionBeingRead(t *testing.T) {
	to := broken(t, func(at string, response []byte) string {
		if !anySignedAssertion(t, verifier(t, at), at, response) {
			return ""
		}
		return firstNameID(read(response))
	})
	to.Only, to.Sign = []string{"A03", "A19/signed-last", "B01", "B36", "D29"}, []attack.Sign{attack.SignAssertion}
	report := run(t, to)
	assert.Equal(t, attack.ExitLetIn, report.Exit())
	for id, verdict := range map[string]attack.Verdict{
		"A03/assertion": attack.LetIn, "A19/signed-last": attack.LetIn, "B01": attack.Refused, "B36": attack.Refused, "D29": attack.Refused,
	} {
		assert.Equal(t, verdict, result(t, report, id).Verdict, id)
	}
	assert.Equal(t, "admin@example.com", result(t, report, "A03/assertion").Identity)
}

// anySignedAssertion verifies the assertions of a message one by one, and is
// content with one.
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

// One that remembers nothing lets replays in, and takes any request for its own.
func TestRunNoticesReplay(t *testing.T) {
	to := broken(t, func(at string, response []byte) string {
		want := requestIn(response)
		want.ACS = at + "/acs"
		a, err := verifier(t, at).Verify(response, want)
		if err != nil {
			return ""
		}
		return a.NameID().Value
	})
	to.Only = []string{"B01", "D01", "D03", "D05", "D06", "D07", "D08", "D11", "D45", "D47", "D51"}
	report := run(t, to)
	assert.Equal(t, attack.ExitLetIn, report.Exit())
	for id, verdict := range map[string]attack.Verdict{
		"B01": attack.Refused, "D51": attack.Refused, "D08": attack.Tolerated, "D47/signed-in": attack.Tolerated, "D45/other": attack.NotRun,
		"D01/same-browser": attack.LetIn, "D01/other-browser": attack.LetIn, "D01/unsolicited": attack.LetIn, "D03": attack.LetIn,
		"D05/same-browser": attack.LetIn, "D05/unsolicited": attack.LetIn, "D06": attack.LetIn, "D07": attack.LetIn,
		"D11/waiting": attack.LetIn, "D11/idle": attack.LetIn,
	} {
		x := result(t, report, id)
		assert.Equal(t, verdict, x.Verdict, "%s: %s", id, x.Reason)
	}
}

// A service provider that breaks down lets nobody in, but it is said; and one
// that signs nobody in shows nothing.
func TestRunNoticesFailure(t *testing.T) {
	careful := func(at string, response []byte) string {
		want := requestIn(response)
		want.ACS = at + "/acs"
		a, err := verifier(t, at).Verify(response, want)
		if err != nil {
			panic(http.ErrAbortHandler)
		}
		return a.NameID().Value
	}
	to := broken(t, careful)
	to.Only = []string{"B01"}
	report := run(t, to)
	assert.Equal(t, attack.Failed, result(t, report, "B01").Verdict)
	assert.Equal(t, attack.ExitRefused, report.Exit())

	release := make(chan struct{})
	to = broken(t, func(at string, response []byte) string {
		if strings.Contains(read(response).SelectAttrValue("Destination", ""), "attacker") {
			<-release
		}
		return firstNameID(read(response))
	})
	defer close(release)
	to.Only, to.Timeout, to.Sign = []string{"D13"}, 2*time.Second, []attack.Sign{attack.SignAssertion}
	x := result(t, run(t, to), "D13")
	assert.Equal(t, attack.Failed, x.Verdict)
	assert.Contains(t, x.Reason, "no answer")

	to = broken(t, func(string, []byte) string { return "" })
	to.Only = []string{"B01", "C28", "D01"}
	report = run(t, to)
	assert.Equal(t, attack.ExitInconclusive, report.Exit())
	for _, x := range report.Results {
		assert.Equal(t, attack.Inconclusive, x.Verdict, x.ID)
		assert.Contains(t, x.Reason, "a good response", x.ID)
	}
}

// A run that is broken off blames nobody.
func TestRunBrokenOff(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	to := broken(t, func(_ string, response []byte) string { return firstNameID(read(response)) })
	to.Only, to.Sign, to.Concurrency = []string{"D13", "D16", "D45"}, []attack.Sign{attack.SignAssertion}, 1
	to.Progress = func(attack.Result) { cancel() }
	report, err := attack.Run(ctx, to)
	require.NoError(t, err)
	assert.Equal(t, attack.Tolerated, report.Results[0].Verdict)
	for _, x := range report.Results[1:] {
		assert.Equal(t, attack.Inconclusive, x.Verdict, "%s: %s", x.ID, x.Reason)
	}
}
