package mockidp_test

import (
	"context"
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A service provider may be called *.example.com, which is the Server itself
// for Client alone.
func TestOutboundClientReachesOthersAtExampleCom(t *testing.T) {
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
