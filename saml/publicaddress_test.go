package saml_test

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

func TestPublicAddress(t *testing.T) {
	for _, ip := range []string{
		"127.0.0.1", "::1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0",
		"::ffff:127.0.0.1", "::ffff:10.0.0.1", "fe80::1", "fe80::1%eth0", "fd00::1", "224.0.0.1", "255.255.255.255",
		"64:ff9b::7f00:1", "2002:7f00:1::", "::", "192.0.2.1", "198.18.0.1", "fd00:ec2::254", "::127.0.0.1", "2001:2::1",
		"100::1", "3fff::1", "5f00::1", "168.63.129.16",
	} {
		assert.False(t, saml.IsPublicAddress(netip.MustParseAddr(ip)), ip)
	}
	for _, ip := range []string{"8.8.8.8", "::ffff:8.8.8.8", "2606:4700::1111", "93.184.216.34"} {
		assert.True(t, saml.IsPublicAddress(netip.MustParseAddr(ip)), ip)
	}
	assert.False(t, saml.IsPublicAddress(netip.Addr{}))
}

// H04, J09: metadata can't lead the program itself into its own network, nor to an address without TLS. The browser may
// be sent to a private address.
func TestAddressesOfDirectCallsInMetadata(t *testing.T) {
	read := func(binding, location string) *saml.IdP {
		idp, err := saml.ParseIdPMetadata([]byte(idpMetadata(t, "", "signing",
			`<md:SingleLogoutService Binding="`+binding+`" Location="`+location+`"/>`)))
		require.NoError(t, err)
		return idp
	}
	for _, location := range []string{
		"http://idp.example/soap", "file:///etc/passwd", "https://user:secret@idp.example/soap", "https://10.0.0.1/soap",
		"https://169.254.169.254/latest", "https://[::ffff:192.168.0.1]/soap", "https://[fe80::1%25eth0]/soap",
		"https://100.64.1.1/soap", "https://0.0.0.0/soap", "https://10.1/soap", "https://0x0a000001/soap",
		"https://10.0.0.1./soap", "//idp.example/soap", "https://idp.example/soap#x", "https:///soap",
	} {
		idp := read(saml.SOAP, location)
		assert.Empty(t, idp.LogoutServices(), location)
		assert.Len(t, idp.Warnings(), 1, location)
	}
	for _, location := range []string{
		"https://idp.example/soap", "https://8.8.8.8/soap", "https://[2606:4700::1111]:8443/soap",
		"http://localhost:8080/soap", "http://127.0.0.1:8080/soap", "https://idp.localhost/soap",
	} {
		idp := read(saml.SOAP, location)
		assert.Len(t, idp.LogoutServices(), 1, location)
		assert.Empty(t, idp.Warnings(), location)
	}
	assert.Len(t, read(saml.HTTPPost, "https://10.0.0.1/slo").LogoutServices(), 1)
}
