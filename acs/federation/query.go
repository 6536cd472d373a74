package federation

import (
	"context"
	"errors"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/hashicorp/golang-lru/v2/expirable"
)

// What a query service is asked for is bounded: an unauthenticated client chooses the
// names.
const (
	maxKnown      = 10_000           // entities in memory
	maxNone       = 10_000           // names that the service does not have
	noneFor       = 10 * time.Minute // how long that is believed
	maxClients    = 10_000           // whose requests are counted
	perMinute     = 20               // unknown names of one client
	maxFetches    = 32               // at once
	maxEntityName = 1024             // bytes of an entity ID (Core 8.3.6)
)

// window counts the fetches that a client causes in a minute.
type window struct {
	begin time.Time
	n     int
}

// entities are those of a query service.
type entities struct {
	found   *lru.Cache[string, *document]
	none    *expirable.LRU[string, struct{}]
	slots   chan struct{}
	mu      sync.Mutex
	clients *lru.Cache[string, window] // guarded by mu
}

func (e *entities) init() {
	e.found, _ = lru.New[string, *document](maxKnown) // fails for sizes below 1 only
	e.none = expirable.NewLRU[string, struct{}](maxNone, nil, noneFor)
	e.clients, _ = lru.New[string, window](maxClients)
	e.slots = make(chan struct{}, maxFetches)
}

func (e *entities) forget() { e.found.Purge(); e.none.Purge() }

// admit counts a fetch that a client causes.
func (e *entities) admit(client string, now time.Time) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	w, _ := e.clients.Get(client)
	if passed := now.Sub(w.begin); passed < 0 || passed >= time.Minute {
		w = window{begin: now}
	}
	if w.n >= perMinute {
		return false
	}
	w.n++
	e.clients.Add(client, w)
	return true
}

// queried is what is known of an entity in memory, or in a copy on disk.
func (s *source) queried(entityID string) (*document, error) {
	d, ok := s.found.Get(entityID)
	if !ok {
		if !namesEntity(entityID) {
			return nil, errNone
		}
		var err error
		if d, err = s.loadEntity(entityID, func() (*document, error) {
			return s.loadCopy(copyOf(s.Copy, entityID), maxEntity, nil)
		}); err != nil {
			return nil, errNone // it is fetched when a sign-in begins
		}
		s.found.Add(entityID, d)
	}
	return d, s.inForce(d.ValidUntil())
}

// query is queried, and asks the service where nothing is known.
func (s *source) query(ctx context.Context, entityID, client string) (*document, error) {
	d, err := s.queried(entityID)
	switch {
	case err == nil && s.cfg.Now().Sub(d.fetched) >= s.cfg.next(d):
		s.refresh(entityID) // meanwhile what is known is used
		return d, nil
	case err == nil:
		return d, nil
	case !namesEntity(entityID):
		return nil, errNone
	}
	if _, none := s.none.Get(entityID); none {
		return nil, errNone
	}
	if !s.admit(client, s.cfg.Now()) {
		return nil, &Error{Reason: ReasonBusy, Rule: s.Name, Detail: "this client asked for too many unknown identity providers"}
	}
	fetched := s.flights.DoChan(entityID, func() (any, error) { return s.fetchEntity(entityID) })
	select {
	case <-ctx.Done():
		return nil, &Error{Reason: ReasonFetch, Rule: s.Name, Err: ctx.Err()}
	case r := <-fetched:
		if r.Err != nil {
			return nil, r.Err
		}
		return r.Val.(*document), nil
	}
}

// refresh fetches an entity in the background.
func (s *source) refresh(entityID string) {
	s.fetches.Go(func() {
		_, err, _ := s.flights.Do(entityID, func() (any, error) { return s.fetchEntity(entityID) })
		if err != nil {
			s.cfg.Logger.Warn("federation: an identity provider was not refreshed", "source", s.Name, "reason", reasonOf(err), "error", err)
		}
	})
}

// fetchEntity asks the service. It goes on when the one who asked has left, because others
// may wait for the same.
func (s *source) fetchEntity(entityID string) (*document, error) {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	default:
		return nil, &Error{Reason: ReasonBusy, Rule: s.Name, Detail: "too many requests to the query service at once"}
	}
	last, _ := s.found.Peek(entityID)
	etag := ""
	if last != nil {
		etag = last.etag
	}
	var raw []byte
	d, err := s.loadEntity(entityID, func() (*document, error) {
		var newETag string
		var err error
		raw, newETag, err = s.fetch(s.background, s.Query+"entities/"+pathSegment(entityID), etag, maxEntity)
		if err != nil {
			return nil, err
		}
		d, err := s.accept(raw, last)
		if err == nil {
			d.etag = newETag
		}
		return d, err
	})
	switch {
	case errors.Is(err, errNotModified):
		d = &document{Aggregate: last.Aggregate, fetched: s.cfg.Now(), etag: etag}
	case errors.Is(err, errNone) && last != nil: // it left the federation
		s.found.Remove(entityID)
		if path := copyOf(s.Copy, entityID); path != "" {
			_ = os.Remove(path)
		}
		fallthrough
	case errors.Is(err, errNone):
		s.none.Add(entityID, struct{}{})
		return nil, errNone
	case err != nil:
		return nil, err
	}
	s.found.Add(entityID, d)
	if path := copyOf(s.Copy, entityID); path != "" && raw != nil {
		if err := keep(path, raw); err != nil {
			s.cfg.Logger.Error("federation: metadata is not kept on disk", "source", s.Name, "error", err)
		}
	}
	return d, nil
}

// loadEntity wants a document about exactly that entity (draft-young-md-query-saml 2).
func (s *source) loadEntity(entityID string, load func() (*document, error)) (*document, error) {
	d, err := load()
	if err != nil {
		return nil, err
	}
	if got, single := d.Single(); !single || got != entityID {
		return nil, &Error{Reason: ReasonEntity, Rule: s.Name, Want: entityID, Got: got}
	}
	return d, nil
}

// namesEntity reports whether a name can be one segment of a path.
func namesEntity(entityID string) bool {
	return entityID != "" && len(entityID) <= maxEntityName && entityID != "." && entityID != ".." &&
		!strings.ContainsFunc(entityID, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// pathSegment encodes a name as draft-young-md-query 3.2.1 wants it: a slash as %2F, a
// blank as %20. A name that begins with "{sha1}" would be taken for a transformed one.
func pathSegment(entityID string) string {
	return strings.NewReplacer("{", "%7B", "}", "%7D", "+", "%2B").Replace(url.PathEscape(entityID))
}
