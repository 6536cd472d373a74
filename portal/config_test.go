package portal_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/saml"
)

func TestNewRefuses(t *testing.T) {
	idp := mockidp.New(mockidp.Config{})
	t.Cleanup(idp.Close)
	md, err := saml.ParseIdPMetadata(idp.Metadata(""))
	require.NoError(t, err)
	sp, err := saml.New(saml.Config{EntityID: entityID, IdP: md,
		ACS: []saml.Endpoint{{URL: "https://" + virginia + acsPath, Region: "us-east-1"}}})
	require.NoError(t, err)
	inst, err := center.New(data())
	require.NoError(t, err)
	good := func() portal.Config {
		view, err := inst.In("us-east-1")
		require.NoError(t, err)
		return portal.Config{Region: "us-east-1", SP: sp, Directory: view, Store: acs.NewMemoryStore(acs.MemoryConfig{})}
	}
	_, err = portal.New(good())
	require.NoError(t, err)

	for name, spoil := range map[string]func(*portal.Config){
		"no Region": func(c *portal.Config) { c.Region = "" },
		"no SP":     func(c *portal.Config) { c.SP = nil },
		"an SP with several identity providers": func(c *portal.Config) {
			several, err := saml.ParseAggregate(idp.Metadata(""))
			require.NoError(t, err)
			c.SP, err = saml.New(saml.Config{EntityID: entityID, IdPs: several, ACS: sp.ACS()})
			require.NoError(t, err)
		},
		"no Directory":          func(c *portal.Config) { c.Directory = nil },
		"no Store":              func(c *portal.Config) { c.Store = nil },
		"unknown policy":        func(c *portal.Config) { c.Unsolicited = 3 },
		"unknown Region":        func(c *portal.Config) { c.Region = "eu-west-1" },
		"Region without an ACS": func(c *portal.Config) { c.Region = "eu-central-1" },
		"negative lifetime":     func(c *portal.Config) { c.SessionLifetime = -time.Second },
		"negative staleness":    func(c *portal.Config) { c.MaxStaleness, c.Replication = -time.Second, &heard{} },
		"staleness of nothing":  func(c *portal.Config) { c.MaxStaleness = time.Second },
		"negative idle timeout": func(c *portal.Config) { c.IdleTimeout = -time.Second },
		"ACS URL at a portal path": func(c *portal.Config) {
			c.SP, err = saml.New(saml.Config{EntityID: entityID, IdP: md,
				ACS: []saml.Endpoint{{URL: "https://" + virginia + "/continue", Region: "us-east-1"}}})
			require.NoError(t, err)
		},
		"an entity ID that is empty": func(c *portal.Config) { c.LogoutEndsAll = []string{""} },
		"origin with a path":         func(c *portal.Config) { c.RelayStateOrigins = []string{"https://wiki.example/x"} },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := good()
			spoil(&cfg)
			p, err := portal.New(cfg)
			assert.Nil(t, p)
			var e *portal.Error
			require.ErrorAs(t, err, &e)
			assert.Equal(t, portal.ReasonConfig, e.Reason)
			assert.Regexp(t, `^portal: Config: `, e.Error())
		})
	}
}
