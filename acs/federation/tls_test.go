package federation_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/meridian-saml/meridian/acs/federation"
)

// A server with a certificate that isn't trusted is not asked for a document, whether or
// not that is signed.
// Obligations: IIP-ALG07, SDP-MD02.
func TestUntrustedTLS(t *testing.T) {
	asked := false
	document := signed(t, aggregate("", oneIdP), trusted())
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked = true
		_, _ = io.WriteString(w, document)
	}))
	t.Cleanup(server.Close)
	for _, s := range []federation.Source{
		{URL: server.URL, Keys: pinned()}, {URL: server.URL, InsecureUnverified: true},
	} {
		f := open(t, &clock{}, s)
		requireReason(t, "MetadataFetch", f.Status()[0].Err)
		assert.ErrorContains(t, f.Status()[0].Err, "certificate")
	}
	assert.False(t, asked)
}
