package federation

import (
	"context"
	"errors"
	"net/netip"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/hashicorp/golang-lru/v2/expirable"

	"github.com/meridian-saml/meridian/saml"
)

// Limits on fetches from a query service, because unauthenticated clients choose the
// names.
const (
	maxKnown      = 10_000           // entities in memory
	maxNone       = 10_000           // names that the service does not have
	noneFor       = 10 * time.Minute // how long such a name is remembered
	maxEntityName = 1024             // bytes of an entity ID (Core 8.3.6)
)

// flight is a fetch of an entity. document and err are set when done is closed.
type flight struct {
	networks []network // empty: a refresh
	done     chan struct{}
	document *document
	err      error
}

// entities are the known entities of a query service.
type entities struct {
	found    *lru.Cache[string, *document]
	none     *expirable.LRU[string, struct{}]
	bySource knownSources
	// invalid has the entities with an invalid copy on disk, and its modification time.
	invalid *lru.Cache[string, time.Time]

	mu      sync.Mutex // guards the rest
	clients *lru.Cache[netip.Prefix, window]
	flights map[string]*flight // by entity ID
	closed  bool
	fetches sync.WaitGroup // one for each flight; grows only under mu, while not closed
}

func (e *entities) init() {
	e.found, _ = lru.New[string, *document](maxKnown) // fails for sizes below 1 only
	e.bySource.by, _ = lru.New[saml.SourceID, []string](maxKnown)
	e.none = expirable.NewLRU[string, struct{}](maxNone, nil, noneFor)
	e.invalid, _ = lru.New[string, time.Time](maxKnown)
	e.clients, _ = lru.New[netip.Prefix, window](maxClients)
	e.flights = map[string]*flight{}
}

func (e *entities) forget() {
	e.found.Purge()
	e.bySource.by.Purge()
	e.none.Purge()
	e.invalid.Purge()
}

// close prevents new fetches, and waits for running ones.
func (e *entities) close() {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.fetches.Wait()
}

// queried returns the known document of an entity, from memory or a copy on disk. A
// document that is due for a refresh is replaced by a newer copy, which another node may
// have written.
func (s *source) queried(entityID string) (*document, error) {
	d, ok := s.found.Get(entityID)
	if !ok && !namesEntity(entityID) {
		return nil, errNone
	}
	if !ok || d.due(s.cfg) {
		if newer := s.copied(entityID, d); newer != nil {
			d = newer
			s.remember(entityID, d)
		}
	}
	if d == nil {
		return nil, errNone // Find fetches it
	}
	return d, s.inForce(d.ValidUntil())
}

// copied returns the document of an entity from its copy on disk, or nil. The copy must
// be newer than last, which may be nil. An invalid copy is read once, because responses
// of unauthenticated clients name entities, and again when another node has replaced it.
func (s *source) copied(entityID string, last *document) *document {
	path := copyOf(s.Copy, entityID)
	info, err := os.Stat(path)
	if err != nil || last != nil && !info.ModTime().After(last.fetched) {
		return nil
	}
	if at, known := s.invalid.Get(entityID); known && at.Equal(info.ModTime()) {
		return nil
	}
	d, err := s.loadCopy(path, maxEntity)
	if err == nil {
		err = s.isAbout(d, entityID)
	}
	if err == nil && last != nil {
		err = s.notOlder(d.Aggregate, last.Aggregate)
	}
	if err != nil {
		s.invalid.Add(entityID, info.ModTime())
		return nil
	}
	if last != nil {
		d.tried.Store(last.tried.Load())
	}
	return d
}

// query is like queried, but fetches an unknown entity from the service.
func (s *source) query(ctx context.Context, entityID, client string) (*document, error) {
	d, err := s.queried(entityID)
	if err == nil {
		if d.stale(s.cfg) {
			_, _ = s.begin(entityID, nil) // the known document is used meanwhile
		}
		return d, nil
	}
	if _, none := s.none.Get(entityID); none || !namesEntity(entityID) {
		return nil, errNone
	}
	fl, failed := s.begin(entityID, networks(client))
	if failed != nil {
		return nil, stillExpired(err, failed)
	}
	select {
	case <-ctx.Done():
		return nil, stillExpired(err, &Error{Reason: ReasonFetch, Rule: s.Name, Err: ctx.Err()})
	case <-fl.done:
		return fl.document, stillExpired(err, fl.err)
	}
}

// stillExpired returns the error for an entity that could not be fetched. known says why
// the metadata in memory is not used. If it expired, that is the error, and failed is its
// cause. An entity that the service doesn't have is unknown, expired or not.
func stillExpired(known, failed error) error {
	var expired *saml.Error
	if failed == nil || errors.Is(failed, errNone) || !errors.As(known, &expired) {
		return failed
	}
	out := *expired
	out.Err = failed
	return &out
}

// begin returns the running fetch of an entity, or starts one. The fetch continues
// if the client disconnects, because others may wait for it.
func (s *source) begin(entityID string, client []network) (*flight, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if fl := s.flights[entityID]; fl != nil {
		return fl, nil
	}
	if s.closed {
		return nil, &Error{Reason: ReasonClosed, Rule: s.Name}
	}
	if !s.room(client) {
		return nil, &Error{Reason: ReasonBusy, Rule: s.Name, Detail: "too many requests to the query service at once"}
	}
	if !s.admit(client, s.cfg.Now()) {
		return nil, &Error{Reason: ReasonBusy, Rule: s.Name,
			Detail: "this client asked for too many unknown identity providers"}
	}
	fl := &flight{networks: client, done: make(chan struct{})}
	s.flights[entityID] = fl
	s.fetches.Go(func() {
		fl.document, fl.err = s.fetchEntity(entityID)
		s.mu.Lock()
		delete(s.flights, entityID)
		s.mu.Unlock()
		close(fl.done)
		s.loading.Lock() // one report at a time
		defer s.loading.Unlock()
		if errors.Is(fl.err, errNone) {
			s.report(nil)
		} else {
			s.report(fl.err)
		}
	})
	return fl, nil
}

// fetchEntity fetches an entity from the service.
func (s *source) fetchEntity(entityID string) (*document, error) {
	last, _ := s.found.Peek(entityID)
	etag := ""
	if last != nil {
		etag = last.etag
		last.tried.Store(s.cfg.Now().UnixNano())
	}
	raw, newETag, err := s.fetch(s.background, s.Query+"entities/"+pathSegment(entityID), etag, maxEntity)
	if errors.Is(err, errNone) {
		return nil, s.missing(entityID, last)
	}
	var d *document
	if err == nil {
		if d, err = s.accept(raw, last); err == nil {
			err = s.isAbout(d, entityID)
		}
	}
	switch {
	case errors.Is(err, errNotModified):
		d = last.again(s.cfg.Now())
		s.remember(entityID, d)
		return d, nil
	case errors.Is(err, errNone): // it is no longer an identity provider
		s.remove(entityID)
		return nil, errNone
	case err != nil:
		return nil, err
	}
	d.etag = newETag
	s.keep(copyOf(s.Copy, entityID), raw)
	d.fetched = s.cfg.Now() // not before its copy, which would then count as newer
	s.remember(entityID, d)
	return d, nil
}

// remember keeps an entity in memory.
func (s *source) remember(entityID string, d *document) {
	s.found.Add(entityID, d)
	s.bySource.add(s.sourceID(entityID), entityID)
}

// missing handles the status 404. It isn't signed, so it doesn't end the use of verified
// metadata before its validUntil. Metadata without an end, or that only TLS protects, is
// removed.
func (s *source) missing(entityID string, last *document) error {
	if last != nil && len(s.Keys) > 0 && !last.ValidUntil().IsZero() && s.inForce(last.ValidUntil()) == nil {
		return &Error{Reason: ReasonFetch, Rule: s.Name, Got: entityID,
			Detail: "status 404 for an entity whose verified metadata is used until " + format(last.ValidUntil())}
	}
	s.remove(entityID)
	return errNone
}

// remove removes an entity that the service doesn't have, and its copy.
func (s *source) remove(entityID string) {
	s.none.Add(entityID, struct{}{})
	s.found.Remove(entityID)
	if path := copyOf(s.Copy, entityID); path != "" {
		_ = os.Remove(path)
	}
}

// isAbout requires a document about exactly that entity (draft-young-md-query-saml
// 2). It returns errNone if the entity is not an identity provider.
func (s *source) isAbout(d *document, entityID string) error {
	if got, single := d.Single(); !single || got != entityID {
		return &Error{Reason: ReasonEntity, Rule: s.Name, Want: entityID, Got: got}
	}
	if !d.Has(entityID) {
		return errNone
	}
	return nil
}

// namesEntity reports whether a name can be one segment of a path.
func namesEntity(entityID string) bool {
	return entityID != "" && len(entityID) <= maxEntityName && entityID != "." && entityID != ".." &&
		!strings.ContainsFunc(entityID, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// pathSegment encodes a name as draft-young-md-query 3.2.1 requires: a slash as %2F,
// a space as %20. Braces are encoded too, because a name that begins with "{sha1}"
// is a transformed one.
func pathSegment(entityID string) string {
	return strings.NewReplacer("{", "%7B", "}", "%7D", "+", "%2B").Replace(url.PathEscape(entityID))
}
