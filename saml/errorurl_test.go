package saml_test

import (
	"net/url"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// errorURL is the address for a report, at an identity provider with that errorURL.
func errorURL(t *testing.T, raw string, r saml.ErrorReport) string {
	t.Helper()
	attribute := `errorURL="` + strings.ReplaceAll(raw, "&", "&amp;") + `"`
	idp, err := saml.ParseIdPMetadata(withSupport(t, attribute, ``, ``))
	require.NoError(t, err)
	return newSP(t).ErrorURL(idp, r)
}

// The placeholders of the profile, in the path and in the query as SimpleSAMLphp and SWAMID have them.
func TestErrorURLPlaceholders(t *testing.T) {
	const template = "https://one.example/error/ERRORURL_CODE?ts=ERRORURL_TS&rp=ERRORURL_RP&tid=ERRORURL_TID&ctx=ERRORURL_CTX"
	report := saml.ErrorReport{
		Code: saml.ErrorIdentification, Transaction: "MRD-1&2", Context: `mail a/b?c=d&e#f+g "<é ERRORURL_TS`,
	}
	u, err := url.Parse(errorURL(t, template, report))
	require.NoError(t, err)
	require.Equal(t, "one.example", u.Host)
	require.Equal(t, "/error/IDENTIFICATION_FAILURE", u.Path)
	require.Empty(t, u.Fragment)
	require.Equal(t, url.Values{
		"ts": {strconv.FormatInt(now.Unix(), 10)}, "rp": {spEntity}, "tid": {report.Transaction}, "ctx": {report.Context},
	}, u.Query())
	require.NotContains(t, u.RawQuery, "+", "which is a space in a query only")

	u, err = url.Parse(errorURL(t, template, saml.ErrorReport{Context: strings.Repeat("é", 5000)}))
	require.NoError(t, err)
	require.Equal(t, "/error/OTHER_ERROR", u.Path)
	require.Equal(t, strings.Repeat("é", 250), u.Query().Get("ctx"))
	require.Empty(t, u.Query().Get("tid"))
}

func TestErrorURLWithoutPlaceholders(t *testing.T) {
	report := saml.ErrorReport{Code: saml.ErrorAuthorization, Transaction: "t", Context: "c"}
	for raw, want := range map[string]string{
		"https://one.example/help?a=b#c":   "https://one.example/help?a=b#c",
		"https://one.example":              "https://one.example",
		"https://one.example#ERRORURL_TID": "https://one.example#t",
		// A report doesn't choose the host, and names the user to no other site.
		"https://ERRORURL_CTX.evil.example/ERRORURL_CODE": "https://ERRORURL_CTX.evil.example/AUTHORIZATION_FAILURE",
		"": "",
		// Pages of our own.
		"https://us-east-1.signin.example/logout":     "",
		"https://US-EAST-1.signin.example:443/logout": "",
		"https://us-east-1.signin.example:0443/x":     "",
	} {
		require.Equal(t, want, errorURL(t, raw, report), raw)
	}
	require.True(t, strings.HasPrefix(usACS, "https://us-east-1.signin.example/"))
}

// The identity provider of an assertion, as it is now.
func TestIdPOfAnIssuer(t *testing.T) {
	sp := newSP(t)
	idp, err := sp.IdP(idpEntity)
	require.NoError(t, err)
	require.Equal(t, idpEntity, idp.EntityID())
	_, err = sp.IdP("https://unknown.example")
	requireReason(t, saml.ReasonMetadataEntity, err)
}
