package main_test

import (
	"encoding/pem"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// The page lists the kinds of faults in metadata, in the order of the package, and the addresses.
func TestFederationPage(t *testing.T) {
	page, err := os.ReadFile("FEDERATION.md")
	require.NoError(t, err)
	var listed, kinds []string
	for _, m := range regexp.MustCompile("(?m)^\\| `(metadata-[a-z-]+)` \\| ").FindAllSubmatch(page, -1) {
		listed = append(listed, string(m[1]))
	}
	for _, kind := range mockidp.FaultKinds() {
		if strings.HasPrefix(string(kind), "metadata-") {
			kinds = append(kinds, string(kind))
		}
	}
	assert.Equal(t, kinds, listed)
	found, stop := running(t, os.Interrupt, "-federation", "3", "-fault", "metadata-html,endpoint=query,count=1")
	defer stop()
	require.Len(t, found["Federation"], 1)
	base := strings.TrimSuffix(found["Federation"][0], "/federation/metadata.xml")
	for _, m := range regexp.MustCompile("(?m)^\\| `(/federation/[a-zA-Z./]+)` \\| ").FindAllSubmatch(page, -1) {
		path := strings.Replace(string(m[1]), "ID", "https%3A%2F%2Fidp-00003.example.org%2Fmetadata", 1)
		body := read(t, base+path)
		switch {
		case strings.HasSuffix(path, ".pem"):
			block, _ := pem.Decode([]byte(body))
			assert.NotNil(t, block)
		case strings.Contains(path, "entities/"):
			assert.Contains(t, body, "<!DOCTYPE html>", "the fault")
			assert.Contains(t, read(t, base+path), "<md:EntityDescriptor ")
		default:
			assert.Equal(t, 4, strings.Count(body, "<md:EntityDescriptor "), "three, and the app")
		}
	}
}

func read(t *testing.T, u string) string {
	t.Helper()
	resp, err := http.Get(u)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(body)
}
