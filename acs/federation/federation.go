package federation

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meridian-saml/meridian/saml"
)

// Federation knows identity providers by their metadata. It is safe for concurrent
// use.
type Federation struct {
	cfg     Config
	sources []*source
	stop    context.CancelFunc
	running sync.WaitGroup
}

// Open loads each source once, from its copy on disk or from where it is, and then
// keeps it fresh until Close. A source that can't be loaded is tried again in the
// background: the error of Open is about cfg, an *Error with ReasonConfig, and what is
// wrong with a source [Federation.Status] and the log say. ctx bounds the first load
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

// Close ends the refreshing, and waits for fetches that are under way. Look-ups go on with
// what is known.
func (f *Federation) Close() {
	f.stop()
	f.running.Wait()
	for _, s := range f.sources {
		s.entities.close()
		s.client.CloseIdleConnections()
	}
}

// IdP returns the identity provider with that entity ID as it is known now. It waits for
// no network, so it is what an assertion consumer asks. The error is an *Error with
// ReasonUnknown or ReasonExpired, or a *saml.Error that says why its metadata can't be
// used.
func (f *Federation) IdP(entityID string) (*saml.IdP, error) {
	return f.find(entityID, func(s *source) (*document, error) { return s.known(entityID) })
}

// Find is IdP for the navigation that begins a sign-in: an entity that a query service
// may have, and that is not known here, is fetched. client is the client's address,
// with or without its port, of IPv6 its /64: it bounds how many unknown names one client
// can have fetched in a minute, and at once; more give ReasonBusy. All who ask for the
// same name wait for one fetch.
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
		idp, err := d.idp(entityID)
		if err == nil {
			err = s.inForce(idp.ValidUntil())
		}
		if err != nil {
			return nil, err
		}
		return idp, nil
	}
	return nil, &Error{Reason: ReasonUnknown, Rule: "entityID", Got: entityID}
}

// Source returns one identity provider as a source for saml.Config.IdP: it follows
// what is refreshed. When the identity provider leaves the metadata, or can't be used
// any more, its responses are refused. The error is that of [Federation.IdP] now.
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

// IdP never returns nil: what is not known any more has an end that has passed.
func (s *single) IdP() *saml.IdP {
	idp, err := s.f.IdP(s.entityID)
	if err != nil {
		return s.last.Load().Until(time.Unix(0, 0))
	}
	s.last.Store(idp)
	return idp
}

// EntityIDs returns the identity providers that are known now, each once, in the order
// of the sources. Those of query services are left out.
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

// Reset loads a source anew, and takes a document that is older than what it had: an
// operator's way back. It waits for the result; if it fails, what the source had stays in
// use. A query service only forgets: entities in memory, and their copies on disk.
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

// Status says how the sources are, in their order.
func (f *Federation) Status() []Status {
	var out []Status
	for _, s := range f.sources {
		out = append(out, *s.status.Load())
	}
	return out
}
