package attack_test

import (
	"net/url"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// The cases about another port or host name one, whatever the ACS URL is.
func TestDestinationsAreElsewhere(t *testing.T) {
	for _, acs := range []string{
		"https://us.signin.example/acs", "https://us.signin.example:443/acs", "https://us.signin.example:8443/acs",
		"http://localhost/acs", "http://127.0.0.1:40913/acs", "http://[::1]:8443/acs", "http://[::1]/acs",
		"http://sp.example:80/a/b?c=d",
	} {
		want, err := url.Parse(acs)
		require.NoError(t, err)
		for _, c := range attack.Cases() {
			if c.ID != "D15/port" && c.ID != "D15/other-host-after-userinfo" {
				continue
			}
			p := params(c, c.Needs)
			p.Recipient = acs
			m, err := c.Make(p)
			require.NoError(t, err)
			doc := etree.NewDocument()
			require.NoError(t, doc.ReadFromBytes(m.XML))
			got, err := url.Parse(doc.Root().SelectAttrValue("Destination", ""))
			require.NoError(t, err, acs)
			assert.Equal(t, want.RequestURI(), got.RequestURI(), acs)
			if c.ID == "D15/port" {
				assert.Equal(t, want.Hostname(), got.Hostname(), acs)
				assert.NotContains(t, []string{want.Port(), "80", "443", ""}, got.Port(), acs)
				continue
			}
			assert.Equal(t, "attacker.example", got.Host, acs)
			before := got.User.Username()
			if rest, ok := got.User.Password(); ok {
				before += ":" + rest
			}
			assert.Equal(t, want.Host, before, acs)
		}
	}
}
