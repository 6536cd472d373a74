package peers_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/saml"
)

// addPeers adds the metadata of the peers of the other tests, of the mock in every
// variant, and ours.
func (c *metadataCorpus) addPeers(t *testing.T) {
	ours := deploy(t, func(*saml.Config, *acs.Config) {}).metadata(t)
	c.add("peer ours", ours)
	t.Run("peers", func(t *testing.T) { // ends when all that run in parallel have
		for name := range spHosts {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				h := startHost(t, name, newSPPeersIdP(t).Metadata(""))
				c.addPage(t, name, h.Metadata)
			})
		}
		for name, start := range map[string]func(*testing.T) peer{
			"pysaml2": func(t *testing.T) peer { return requirePysaml2(t).start(t, signBoth, [][]byte{ours}) },
			"SimpleSAMLphp": func(t *testing.T) peer {
				return startSimpleSAMLphp(t, requireSimpleSAMLphp(t), signBoth, "", [][]byte{ours})
			},
			"crewjam": func(t *testing.T) peer { return startCrewjam(t, [][]byte{ours}) },
		} {
			t.Run(name+", identity provider", func(t *testing.T) {
				t.Parallel()
				c.add("peer "+name+", identity provider", start(t).metadata)
			})
		}
		t.Run("mock", func(t *testing.T) {
			for name, change := range mockVariants {
				idp := newSchemaMock(t, deploy(t, func(*saml.Config, *acs.Config) {}))
				changeApp(t, idp, change)
				c.addPage(t, "mock, "+name, idp.MetadataURL(""))
			}
		})
	})
}

// addPage adds the metadata at an address.
func (c *metadataCorpus) addPage(t *testing.T, name, at string) {
	t.Helper()
	page := newPeerBrowser(t).open(at)
	require.Equal(t, http.StatusOK, page.status, page.body)
	require.True(t, isMetadata([]byte(page.body)), page.body)
	c.add("peer "+name, []byte(page.body))
}
