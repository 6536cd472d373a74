package federation

import (
	"context"
	"errors"
	"iter"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meridian-saml/meridian/saml"
)

// Federation provides the metadata of identity providers. It is safe for concurrent
// use.
type Federation struct {
	cfg     Config
	sources []*source
	stop    context.CancelFunc
	running sync.WaitGroup
}

// Open loads each source, from its copy on disk or from the source itself, and then
// refreshes it until Close. A source that can't be loaded is tried again in the
// background. [Federation.Status] and the log have its error. Open returns an error
// only for an invalid cfg: an *Error with ReasonConfig. ctx bounds the first load
// only.
func Open(ctx context.Context, cfg Config) (*Federation, error) {
	cfg.Sources = append([]Source(nil), cfg.Sources...)
	if err := cfg.check(); err != nil {
		return nil, err
	}
	f := &Federation{cfg: cfg}
	for _, s := range cfg.Sources {
		f.sources = append(f.sources, newSource(s, &f.cfg))
	}
	var first sync.WaitGroup
	for _, s := range f.sources {
		first.Go(func() { s.start(ctx) })
	}
	first.Wait()
	running, stop := context.WithCancel(context.Background())
	f.stop = stop
	for _, s := range f.sources {
		s.background = running
		f.running.Go(func() { s.run(running) })
	}
	return f, nil
}

// Close stops refreshing, and waits for running fetches. Lookups still work, with
// the metadata in memory.
func (f *Federation) Close() {
	f.stop()
	f.running.Wait()
	for _, s := range f.sources {
		s.entities.close()
		s.client.CloseIdleConnections()
	}
}

// IdP returns the identity provider with that entity ID from the metadata in memory.
// It doesn't wait for the network, so an assertion consumer service can call it. The
// error is a *saml.Error, with saml.ReasonMetadataEntity if no source has the
// identity provider. With IdP, a Federation is a saml.IdPs.
func (f *Federation) IdP(entityID string) (*saml.IdP, error) {
	return f.find(entityID, func(s *source) (*document, error) { return s.known(entityID) })
}

// Find is like IdP, but fetches an unknown entity from the query services. Use it
// for the request that begins a sign-in. client is the client's address, with or
// without a port. It limits how many unknown names one client can fetch per minute
// and at once. An IPv6 /64 counts as one client, and a /48 has a limit, too. All
// clients without a valid address count as one. Beyond the limit the error is an
// *Error with ReasonBusy. Concurrent calls for the same name share one fetch. If
// metadata has expired and can't be fetched again, the error is a *saml.Error with
// saml.ReasonMetadataExpired, and its cause is the *Error.
func (f *Federation) Find(ctx context.Context, entityID, client string) (*saml.IdP, error) {
	return f.find(entityID, func(s *source) (*document, error) {
		if s.Query == "" {
			return s.known(entityID)
		}
		return s.query(ctx, entityID, client)
	})
}

func (f *Federation) find(entityID string, document func(*source) (*document, error)) (*saml.IdP, error) {
	for _, s := range f.sources {
		d, err := document(s)
		if errors.Is(err, errNone) {
			continue
		}
		if err != nil {
			return nil, err
		}
		idp, err := d.idp(entityID, &f.cfg)
		if err == nil {
			err = s.inForce(idp.ValidUntil())
		}
		if err != nil {
			return nil, err
		}
		return idp, nil
	}
	return nil, &saml.Error{Reason: saml.ReasonMetadataEntity, Rule: "entityID (Metadata 2.3.2)",
		Want: "an identity provider of one of the sources", Got: entityID}
}

// Source returns one identity provider as a source for saml.Config.IdP, which always
// has the current metadata. If the identity provider is removed from the metadata,
// or becomes unusable, its responses are refused. Source returns an error if
// [Federation.IdP] does.
func (f *Federation) Source(entityID string) (saml.IdPSource, error) {
	first, err := f.IdP(entityID)
	if err != nil {
		return nil, err
	}
	out := &single{f: f, entityID: entityID}
	out.last.Store(first)
	return out, nil
}

type single struct {
	f        *Federation
	entityID string
	last     atomic.Pointer[saml.IdP]
}

// IdP never returns nil: for a removed identity provider it returns expired
// metadata.
func (s *single) IdP() *saml.IdP {
	idp, err := s.f.IdP(s.entityID)
	if err != nil {
		return s.last.Load().Until(time.Unix(0, 0))
	}
	s.last.Store(idp)
	return idp
}

// EntityIDs returns the entity IDs of the identity providers in memory, each once,
// in the order of the sources. Those of query services are left out.
func (f *Federation) EntityIDs() []string {
	var out []string
	seen := map[string]bool{}
	for _, s := range f.sources {
		for _, d := range s.current.Load().documents {
			for id := range d.EntityIDs() {
				if !seen[id] {
					seen[id] = true
					out = append(out, id)
				}
			}
		}
	}
	return out
}

// Descriptions yields what the metadata in memory tells users about the identity
// providers of EntityIDs. Use it for a page on which users choose one.
func (f *Federation) Descriptions() iter.Seq[saml.Description] {
	return func(yield func(saml.Description) bool) {
		seen := map[string]bool{}
		for _, s := range f.sources {
			have := s.current.Load()
			for _, d := range have.documents {
				for description := range d.Descriptions() {
					id := description.EntityID
					if seen[id] {
						continue
					}
					seen[id] = true
					if have.by[id] != nil && !yield(description) { // nil: several files have it
						return
					}
				}
			}
		}
	}
}

// Version returns a number that changes when Descriptions does.
func (f *Federation) Version() uint64 {
	var sum uint64
	for _, s := range f.sources {
		sum += s.version.Load()
	}
	return sum
}

// Reset loads a source again, and accepts an older document. It waits for the
// result. If it fails, the previous document stays in use. For a query service,
// Reset only removes the entities in memory and their copies on disk.
func (f *Federation) Reset(ctx context.Context, name string) error {
	for _, s := range f.sources {
		if s.Name == name {
			if s.Query != "" {
				s.forget()
				return removeCopies(s.Copy)
			}
			return s.load(ctx, true)
		}
	}
	return badConfig("name", "no source has it")
}

// Status returns the state of the sources, in their order.
func (f *Federation) Status() []Status {
	var out []Status
	for _, s := range f.sources {
		out = append(out, *s.status.Load())
	}
	return out
}
