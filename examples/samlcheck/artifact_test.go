package main_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The answer to an ArtifactResolve is checked like a posted response, and must be to that request.
func TestArtifactResponse(t *testing.T) {
	s := newSigner(t)
	args := s.args(t)
	envelope := func(attributes string) []byte {
		return []byte(`<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Header/><S:Body>` +
			`<samlp:ArtifactResponse xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_answer" Version="2.0" ` +
			attributes + ` IssueInstant="` + time.Now().UTC().Format(time.RFC3339) + `">` +
			`<saml:Issuer xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">https://idp.example</saml:Issuer>` +
			`<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>` +
			string(s.response(t, "")) + `</samlp:ArtifactResponse></S:Body></S:Envelope>`)
	}
	good := envelope(`InResponseTo="_resolve"`)
	requireVerdict(t, "accepted", good, append(args, "-resolve-id", "_resolve")...)
	requireVerdict(t, "InResponseTo", good, append(args, "-resolve-id", "_other")...)
	requireVerdict(t, "InResponseTo", envelope(""), args...)

	code, stdout, _ := run(t, good, args...)
	require.Zero(t, code, stdout)
	require.Contains(t, stdout, "-resolve-id")
	code, stdout, _ = run(t, good, append(args, "-resolve-id", "_resolve")...)
	require.Zero(t, code, stdout)
	require.NotContains(t, stdout, "was not checked")

	changed := strings.Replace(string(good), ">anna<", ">admin<", 1)
	require.NotEqual(t, string(good), changed)
	requireVerdict(t, "Signature", []byte(changed), args...)
}
