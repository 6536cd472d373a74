package main_test

import (
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// The page lists the kinds of faults, in the order of the package, and the addresses.
func TestLogoutPage(t *testing.T) {
	page, err := os.ReadFile("LOGOUT.md")
	require.NoError(t, err)
	kind := regexp.MustCompile("(?m)^\\| `((?:logout|artifact|attributes|soap)-[a-z-]+)` \\| ")
	var listed, kinds []string
	for _, m := range kind.FindAllSubmatch(page, -1) {
		listed = append(listed, string(m[1]))
	}
	for _, k := range mockidp.FaultKinds() {
		if kind.MatchString("| `" + string(k) + "` | ") {
			kinds = append(kinds, string(k))
		}
	}
	require.NotEmpty(t, kinds)
	assert.Equal(t, kinds, listed)

	idp := mockidp.New(mockidp.Config{})
	t.Cleanup(idp.Close)
	urls := []string{idp.LogoutURL(""), idp.LogoutSOAPURL(""), idp.ArtifactURL(""), idp.AttributesURL("")}
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z]+/(?:saml|soap))` \\| ").FindAllSubmatch(page, -1) {
		at := slices.IndexFunc(urls, func(u string) bool { return strings.HasSuffix(u, "/"+string(m[1])) })
		require.GreaterOrEqual(t, at, 0, "%s", m[1])
		resp, err := http.Post(urls[at], "text/xml", strings.NewReader("x"))
		require.NoError(t, err)
		resp.Body.Close()
		assert.NotEqual(t, http.StatusNotFound, resp.StatusCode, urls[at])
		urls = slices.Delete(urls, at, at+1)
	}
	assert.Empty(t, urls)
}

// The flags change the apps of -sp-metadata, at the metadata of which it is seen.
func TestFlagsOfTheServiceProviders(t *testing.T) {
	sp := strings.Replace(spMetadata("https://a.example"), "<AssertionConsumerService",
		`<SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:SOAP" Location="https://a.example/soap"/>`+
			"<AssertionConsumerService", 1)
	found, stop := running(t, os.Interrupt, "-sp-metadata", write(t, sp), "-responses", "artifact", "-logout", "back",
		"-attribute-queries")
	defer stop()
	require.NotEmpty(t, found["Metadata"])
	metadata := read(t, found["Metadata"][0])
	for _, part := range []string{"/slo/soap\"", "/artifact/soap\"", "/attributes/soap\""} {
		assert.Contains(t, metadata, part)
	}
	found, stop = running(t, os.Interrupt, "-sp-metadata", write(t, sp))
	defer stop()
	metadata = read(t, found["Metadata"][0])
	assert.Contains(t, metadata, "/slo/soap\"")
	assert.NotContains(t, metadata, "/artifact/soap")
}
