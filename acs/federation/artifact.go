package federation

import (
	"slices"
	"sync"

	lru "github.com/hashicorp/golang-lru/v2"

	"github.com/meridian-saml/meridian/saml"
)

// SourceIdP returns the identity provider whose entity ID has that SourceID, which artifacts have, from the metadata in
// memory: of one source or query service. It doesn't wait for the network. The error is a *saml.Error, with
// saml.ReasonArtifactSource if no identity provider has the SourceID or several have, also of different sources, and
// otherwise that of IdP. With SourceIdP, a Federation is a saml.SourceIdPs.
func (f *Federation) SourceIdP(id saml.SourceID) (*saml.IdP, error) {
	var all []string
	for _, s := range f.sources {
		if s.Query != "" {
			all = append(all, s.bySource.find(id)...)
		} else {
			all = append(all, s.current.Load().bySource()[id]...)
		}
	}
	slices.Sort(all)
	if all = slices.Compact(all); len(all) != 1 {
		got := "unknown"
		if len(all) > 1 {
			got = "that of several"
		}
		return nil, &saml.Error{Reason: saml.ReasonArtifactSource, Rule: "Source of the artifact (Bindings 3.6.4.2)",
			Want: "the SourceID of one identity provider of the sources", Got: got}
	}
	return f.IdP(all[0])
}

// sourceIndex returns the entity IDs by SourceID.
func sourceIndex(entityIDs map[string]*document, hash func(string) saml.SourceID) map[saml.SourceID][]string {
	index := make(map[saml.SourceID][]string, len(entityIDs))
	for entityID := range entityIDs {
		id := hash(entityID)
		index[id] = append(index[id], entityID)
	}
	return index
}

// knownSources are the SourceIDs of the entities of a query service. An entity that was removed is still in it.
type knownSources struct {
	mu sync.Mutex // held while an entry is replaced
	by *lru.Cache[saml.SourceID, []string]
}

func (k *knownSources) find(id saml.SourceID) []string { all, _ := k.by.Get(id); return all }

func (k *knownSources) add(id saml.SourceID, entityID string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if all := k.find(id); !slices.Contains(all, entityID) {
		k.by.Add(id, append(slices.Clone(all), entityID))
	}
}
