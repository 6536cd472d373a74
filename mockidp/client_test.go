package mockidp_test

import (
	"context"
	"io/fs"
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// A service provider may have a name below example.com. Only Client sends such names to the Server.
func TestOutboundClientAndExampleCom(t *testing.T) {
	idp := start(t, twoRegions())
	over, cancel := context.WithCancel(t.Context())
	cancel() // nothing is sent
	leadsTo := func(c *http.Client, address string) string {
		_, err := c.Transport.(*http.Transport).DialContext(over, "tcp", address)
		require.Error(t, err)
		return err.Error()
	}
	own := idp.Listener.Addr().String()
	_, port, err := net.SplitHostPort(own)
	require.NoError(t, err)
	assert.Contains(t, leadsTo(idp.Client(), "sp.example.com:80"), own)
	assert.NotContains(t, leadsTo(idp.OutboundClient(), "sp.example.com:80"), own)
	assert.Contains(t, leadsTo(idp.OutboundClient(), "idp.localhost:"+port), own)
}

// The assets of the pages are compiled in, and available to other pages.
func TestAssets(t *testing.T) {
	idp := start(t, twoRegions())
	b := newBrowser(t, idp)
	for name, kind := range map[string]string{"style.css": "text/css", "icon.svg": "image/svg+xml",
		"submit.js": "text/javascript"} {
		held, err := fs.ReadFile(mockidp.Assets(), name)
		require.NoError(t, err)
		p := b.get(idp.URL + "/mockidp/assets/" + name)
		assert.Equal(t, 200, p.Status)
		assert.Equal(t, string(held), p.Body)
		assert.Contains(t, p.Header.Get("Content-Type"), kind)
		assert.Equal(t, "nosniff", p.Header.Get("X-Content-Type-Options"))
	}
	b.get(idp.URL+"/mockidp/assets/../templates/error.html").refused(t, 404, mockidp.ReasonNoSuchApp)
}
