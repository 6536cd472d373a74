package federation

import (
	"time"

	"github.com/meridian-saml/meridian/saml"
)

// CheckAddress is what each connection is checked with.
var CheckAddress = checkAddress

// Jitter spreads the fetches of many nodes.
var Jitter = jitter

// Retry is how long after failed fetches the next one is made.
func Retry(c Config, fails int, loaded bool) time.Duration { return c.retry(fails, loaded) }

// SetSourceID replaces the hash of all sources, for entity IDs that collide. Call it before the first SourceIdP.
func (f *Federation) SetSourceID(hash func(entityID string) saml.SourceID) {
	for _, s := range f.sources {
		s.sourceID = hash
	}
}
