package run_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp/attack/run"
)

// artifactRows are the attacks by artifacts and by answers to attribute queries.
var artifactRows = []string{"H", "J11", "J12", "J20", "K03"}

// Meridian's service provider signs no user in by a hostile artifact or answer, uses no hostile attributes, and accepts
// the unusual ones.
func TestArtifactsOfOurs(t *testing.T) {
	to := ours(t, acs.Refuse)
	to.Only = artifactRows
	report := attacked(t, to)
	t.Log(report.Summary())
	assert.Equal(t, 0, report.Exit())
	ran := 0
	for _, x := range report.Results {
		switch x.Verdict {
		case run.NotRun:
			known := []run.Need{run.NeedControl, run.NeedOtherIdP}
			assert.Contains(t, known, x.Needs, "%s: %s", x.ID, x.Reason)
			continue
		case run.Refused:
			assert.Equal(t, "refused", x.Expected, x.ID)
		case run.Accepted:
			assert.Equal(t, "accepted", x.Expected, x.ID)
		default:
			assert.Failf(t, "let in, or open", "%s %s: %s", x.ID, x.Verdict, x.Reason)
		}
		ran++
	}
	assert.Greater(t, ran, 70)
}

// resolving is a service provider that resolves any artifact, and reads what it gets without verifying it. It refuses
// envelopes that takes doesn't accept by the status 500.
func resolving(t *testing.T, takes func(envelope []byte) bool) run.Target {
	t.Helper()
	own, channel := calledIdP(t)
	ask := func(message string) []byte {
		envelope := `<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Body>` + message +
			`</S:Body></S:Envelope>`
		//nolint:noctx // a careless program
		res, err := http.Post(own.BackChannel, "text/xml", strings.NewReader(envelope))
		if err != nil {
			return nil
		}
		defer res.Body.Close()
		body, _ := io.ReadAll(res.Body)
		return body
	}
	front := func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			const start = ` xmlns="urn:oasis:names:tc:SAML:2.0:protocol" ID="_1" Version="2.0">`
			switch artifacts := r.URL.Query()["SAMLart"]; {
			case r.URL.Path == "/attributes":
				_, _ = w.Write(ask(`<AttributeQuery` + start + `</AttributeQuery>`))
				return
			case len(artifacts) > 0:
				last := artifacts[len(artifacts)-1]
				got := ask(`<ArtifactResolve` + start + `<Artifact>` + last + `</Artifact></ArtifactResolve>`)
				if !takes(got) {
					http.Error(w, "refused", http.StatusInternalServerError)
					return
				}
				r.Method = http.MethodPost
				r.URL.RawQuery = url.Values{"SAMLResponse": {base64.StdEncoding.EncodeToString(got)}}.Encode()
			}
			h.ServeHTTP(w, r)
		})
	}
	to := broken(t, func(_ string, response []byte) string { return firstNameID(read(response)) }, front)
	to.IdP, to.BackChannel, to.ArtifactACS = own, channel, to.ACS
	to.AttributeProbe = strings.TrimSuffix(to.Login, "/login") + "/attributes"
	return to
}

// A service provider that verifies nothing lets artifacts and answers in. What the identity provider itself said is
// not forged.
func TestRunNoticesArtifactsWithoutVerification(t *testing.T) {
	to := resolving(t, func([]byte) bool { return true })
	to.Only = artifactRows
	report := attacked(t, to)
	assert.Equal(t, 1, report.Exit())
	for id, verdict := range map[string]run.Verdict{
		"H01/short": run.Tolerated, "H02/unknown": run.Tolerated, "H06": run.LetIn, "H07": run.LetIn,
		"H08/none":  run.Tolerated,
		"H11/plain": run.LetIn, "H11/forged": run.LetIn, "H13/nothing": run.Refused, "H14/fault": run.Refused,
		"H14/status": run.Tolerated, "H14/redirect": run.LetIn, "H15/header": run.Accepted, "H15/two-in-body": run.Tolerated,
		"H16/slow": run.Failed, "H18/twice": run.LetIn, "H18/with-response": run.LetIn, "H19/outside": run.Tolerated,
		"H20/assertion": run.Accepted, "H12": run.NotRun, "H17": run.NotRun, "J12/outside-signed": run.LetIn,
		"J20/subject": run.LetIn, "J20/unsigned": run.LetIn, "J20/sign-in": run.LetIn, "K03": run.Tolerated,
	} {
		x := result(t, report, id)
		assert.Equal(t, verdict, x.Verdict, "%s: %s", id, x.Reason)
	}
	assert.Equal(t, run.Hole, result(t, report, "H11/forged").Severity)
	assert.Equal(t, run.Hole, result(t, report, "H18/twice").Severity)
	assert.Equal(t, run.Weaker, result(t, report, "H06").Severity)
	assert.Equal(t, run.Policy, result(t, report, "H07").Severity)
}

// Some service providers accept an artifact only if the ArtifactResponse is signed. Then every good one is, and what is
// wrong in it is no longer outside the signature. The status of their refusal isn't a failure.
func TestRunSignsArtifactResponsesWhereNeeded(t *testing.T) {
	signed := func(envelope []byte) bool {
		doc := etree.NewDocument()
		return doc.ReadFromBytes(envelope) == nil && doc.FindElement("./Envelope/Body/ArtifactResponse/Signature") != nil
	}
	to := resolving(t, signed)
	to.Only = []string{"H08/none", "H11/plain", "H14/fault", "H18/twice", "H19/outside", "H20/assertion", "J12/empty"}
	report := attacked(t, to)
	for id, verdict := range map[string]run.Verdict{
		"H08/none": run.LetIn, "H11/plain": run.Refused, "H14/fault": run.Refused, "H18/twice": run.Refused,
		"H19/outside": run.Tolerated, "H20/assertion": run.Accepted, "J12/empty": run.LetIn,
	} {
		x := result(t, report, id)
		assert.Equal(t, verdict, x.Verdict, "%s: %s", id, x.Reason)
	}
}

// Without an address for artifacts, a page that shows attributes, or a back channel, these attacks are not run. Nor are
// they for a service provider that does not resolve.
func TestRunNoticesMissingArtifacts(t *testing.T) {
	to := ours(t, acs.Refuse)
	to.Only = []string{"H01", "H06", "H14", "J20/unsigned", "K03"}
	needs := func(change func(*run.Target)) map[run.Need]bool {
		out, to := map[run.Need]bool{}, to
		change(&to)
		for _, x := range attacked(t, to).Results {
			assert.Equal(t, run.NotRun, x.Verdict, x.ID)
			out[x.Needs] = true
		}
		return out
	}
	assert.Equal(t, map[run.Need]bool{run.NeedArtifactACS: true, run.NeedAttributes: true}, needs(func(to *run.Target) {
		to.ArtifactACS, to.AttributeProbe = "", ""
	}))
	assert.Equal(t, map[run.Need]bool{run.NeedBackChannel: true}, needs(func(to *run.Target) { to.BackChannel = nil }))
	assert.Equal(t, map[run.Need]bool{run.NeedSupport: true}, needs(func(to *run.Target) {
		to.ArtifactACS, to.AttributeProbe = to.OtherACS, to.Probe
	}))
	to.IdP = sharedIdP()
	_, err := run.Run(t.Context(), to)
	assert.ErrorContains(t, err, "IdP.BackChannel")
}

// The back channel answers only calls of the attack that is being run.
func TestBackChannelRefusesOtherCalls(t *testing.T) {
	own, _ := calledIdP(t)
	for body, want := range map[string]int{
		"": http.StatusBadRequest, "<x": http.StatusBadRequest, strings.Repeat(" ", 2<<20): http.StatusBadRequest,
		"<x/>": http.StatusServiceUnavailable,
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, own.BackChannel, strings.NewReader(body))
		require.NoError(t, err)
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		assert.Equal(t, want, res.StatusCode, "%.20q", body)
	}
}

// The metadata has the back channel, if there is one, and stays valid by the order of its elements.
func TestMetadataHasTheBackChannel(t *testing.T) {
	own, _ := calledIdP(t)
	for _, idp := range []*run.IdP{own, sharedIdP()} {
		text, err := idp.Metadata()
		require.NoError(t, err)
		doc := etree.NewDocument()
		require.NoError(t, doc.ReadFromBytes(text))
		assert.Equal(t, idp.BackChannel != "", doc.FindElement("//AttributeAuthorityDescriptor/AttributeService") != nil)
		order := ""
		for _, el := range doc.FindElement("//IDPSSODescriptor").ChildElements() {
			order += el.Tag + " "
		}
		want := `^(KeyDescriptor )+(SingleLogoutService )+NameIDFormat (SingleSignOnService )+$`
		if idp.BackChannel != "" {
			want = strings.Replace(want, "(SingleL", "ArtifactResolutionService (SingleL", 1)
			assert.Equal(t, 2, bytes.Count(text, fmt.Appendf(nil, "Location=%q", idp.BackChannel)))
		}
		assert.Regexp(t, regexp.MustCompile(want), order)
	}
}
