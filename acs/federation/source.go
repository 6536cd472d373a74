package federation

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/meridian-saml/meridian/saml"
)

// source is a Source and its state.
type source struct {
	Source
	cfg        *Config
	client     *http.Client
	sourceID   func(entityID string) saml.SourceID
	background context.Context // ends with Close

	loading sync.Mutex // one load or report at a time; guards files and failures
	files   map[string]file
	fails   int
	current atomic.Pointer[snapshot] // never nil
	version atomic.Uint64            // changes with the content of current
	status  atomic.Pointer[Status]   // never nil

	entities // of a Query
}

// file is the state of a file on disk.
type file struct {
	size     int64
	modified time.Time
	document *document
}

// snapshot is the content of a source at one moment.
type snapshot struct {
	documents []*document
	by        map[string]*document              // the entities; nil where several documents have one
	bySource  func() map[saml.SourceID][]string // built on first use
	until     time.Time                         // the earliest end; zero: none
}

// Status is the state of a source. For a query service, Fetched and ValidUntil are
// zero, and Providers is the number of entities in memory.
type Status struct {
	// Source is its name.
	Source string
	// Fetched is when the metadata in use was fetched or read. Zero: there is none.
	Fetched time.Time
	// ValidUntil is when that metadata expires; zero if it has no validUntil.
	ValidUntil time.Time
	// Providers is the number of identity providers in it.
	Providers int
	// Err is the error of the last attempt, or nil.
	Err error
}

func newSource(s Source, cfg *Config) *source {
	out := &source{
		Source: s, cfg: cfg, client: newClient(s, cfg.Timeout), files: map[string]file{}, sourceID: saml.SourceIDOf,
	}
	out.entities.init()
	out.current.Store(out.newSnapshot(nil))
	out.status.Store(&Status{Source: s.Name})
	return out
}

func (s *source) newSnapshot(documents []*document) *snapshot {
	out := &snapshot{documents: documents, by: map[string]*document{}}
	for _, d := range documents {
		for id := range d.EntityIDs() {
			if _, twice := out.by[id]; twice {
				out.by[id] = nil
				continue
			}
			out.by[id] = d
		}
		if until := d.ValidUntil(); !until.IsZero() && (out.until.IsZero() || until.Before(out.until)) {
			out.until = until
		}
	}
	out.bySource = sync.OnceValue(func() map[saml.SourceID][]string { return sourceIndex(out.by, s.sourceID) })
	return out
}

// known returns the document that has an entity. It doesn't block.
func (s *source) known(entityID string) (*document, error) {
	if s.Query != "" {
		return s.queried(entityID)
	}
	d, found := s.current.Load().by[entityID]
	switch {
	case !found:
		return nil, errNone
	case d == nil:
		return nil, &saml.Error{Reason: saml.ReasonMetadataDuplicate, Rule: "entityID (Metadata 2.3.2)",
			Detail: s.Name + ": several files have it", Got: entityID}
	}
	return d, s.inForce(d.ValidUntil())
}

// start loads a source for the first time: a URL from its copy, if that is valid.
func (s *source) start(ctx context.Context) {
	if s.Query != "" {
		return
	}
	if s.URL != "" {
		d, err := s.loadCopy(s.Copy, maxDocument)
		if err == nil {
			s.use([]*document{d})
			err = s.inForce(d.ValidUntil())
		}
		if !errors.Is(err, errNone) {
			s.report(err)
		}
		if err == nil {
			return
		}
	}
	_ = s.load(ctx, false)
}

// run refreshes a source until Close.
func (s *source) run(ctx context.Context) {
	if s.Query != "" {
		return // queries refresh on use
	}
	for {
		timer := time.NewTimer(s.delay())
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
			_ = s.load(ctx, false)
		}
	}
}

// delay returns how long the current documents are used before the next attempt.
func (s *source) delay() time.Duration {
	if !s.remote() {
		return s.cfg.PollFiles
	}
	s.loading.Lock()
	fails := s.fails
	s.loading.Unlock()
	documents := s.current.Load().documents
	if fails > 0 || len(documents) == 0 {
		return jitter(s.cfg.retry(fails, len(documents) > 0))
	}
	age := max(0, s.cfg.Now().Sub(documents[0].fetched)) // may be long for a copy
	return jitter(max(0, s.cfg.next(documents[0])-age))
}

// retry returns how long after failed fetches the next one is made. It is soon if
// there is no metadata to use meanwhile.
func (c *Config) retry(fails int, loaded bool) time.Duration {
	if !loaded {
		return min(time.Second<<min(fails, 16), c.MinRefresh)
	}
	return min(time.Duration(fails)*c.MinRefresh, c.MaxRefresh)
}

// next returns how long after its fetch a document is fetched again: its
// cacheDuration, or three quarters of the time that it had left then, within the
// bounds of Config.
func (c *Config) next(d *document) time.Duration {
	next := c.MaxRefresh
	if cache := d.CacheDuration(); cache > 0 {
		next = min(next, cache)
	}
	if until := d.ValidUntil(); !until.IsZero() {
		next = min(next, until.Sub(d.fetched)/4*3)
	}
	return max(next, c.MinRefresh)
}

// jitter spreads the fetches of many nodes.
func jitter(d time.Duration) time.Duration {
	return time.Duration(float64(d) * (0.9 + 0.2*rand.Float64()))
}

// load reads a source again. If that fails, the previous documents stay in use. An
// older document is refused, unless anew is set.
func (s *source) load(ctx context.Context, anew bool) error {
	s.loading.Lock()
	defer s.loading.Unlock()
	var err error
	if s.URL != "" {
		err = s.loadURL(ctx, anew)
	} else {
		err = s.loadFiles(anew)
	}
	s.fails++
	if err == nil {
		s.fails = 0
	}
	s.report(err)
	return err
}

func (s *source) loadURL(ctx context.Context, anew bool) error {
	var last *document
	etag := ""
	if documents := s.current.Load().documents; len(documents) > 0 && !anew {
		last = documents[0]
		etag = last.etag
	}
	raw, newETag, err := s.fetch(ctx, s.URL, etag, maxDocument)
	if errors.Is(err, errNotModified) {
		s.use([]*document{last.again(s.cfg.Now())})
		return s.inForce(last.ValidUntil())
	}
	if errors.Is(err, errNone) {
		err = &Error{Reason: ReasonFetch, Rule: s.Name, Detail: "status 404"}
	}
	if err != nil {
		return err
	}
	d, err := s.accept(raw, last)
	if err != nil {
		return err
	}
	d.etag = newETag
	s.use([]*document{d})
	s.keep(s.Copy, raw)
	return nil
}

// loadFiles reads changed files. If a file is unusable, its previous document stays
// in use.
func (s *source) loadFiles(anew bool) error {
	paths := []string{s.File}
	if s.Dir != "" {
		entries, err := os.ReadDir(s.Dir)
		if err != nil {
			return &Error{Reason: ReasonFetch, Rule: s.Name, Err: err}
		}
		paths = nil
		for _, e := range entries {
			if filepath.Ext(e.Name()) == ".xml" {
				paths = append(paths, filepath.Join(s.Dir, e.Name()))
			}
		}
	}
	files := map[string]file{}
	var errs []error
	var documents []*document
	for _, path := range paths {
		f, err := s.loadFile(path, anew)
		errs = append(errs, err)
		if f.document != nil {
			documents = append(documents, f.document)
		}
		files[path] = f
	}
	s.files = files
	if !slices.Equal(documents, s.current.Load().documents) {
		s.use(documents)
	}
	return errors.Join(errs...)
}

// loadFile reads a file if it changed. After an error, it returns the file's
// previous state.
func (s *source) loadFile(path string, anew bool) (file, error) {
	f := s.files[path]
	info, err := os.Stat(path)
	if err != nil {
		return f, &Error{Reason: ReasonFetch, Rule: s.Name, Err: err}
	}
	if f.document != nil && info.Size() == f.size && info.ModTime().Equal(f.modified) && !anew {
		return f, s.inForce(f.document.ValidUntil())
	}
	raw, err := readFile(path, maxDocument)
	if err != nil {
		return f, &Error{Reason: ReasonFetch, Rule: s.Name, Err: err}
	}
	var last *document
	if len(s.Keys) > 0 && !anew {
		last = f.document
	}
	d, err := s.accept(raw, last)
	if err != nil {
		return f, err
	}
	return file{info.Size(), info.ModTime(), d}, nil
}

// use replaces the documents in use. One that was fetched again without a change has
// the same Aggregate.
func (s *source) use(documents []*document) {
	same := func(a, b *document) bool { return a.Aggregate == b.Aggregate }
	old := s.current.Swap(s.newSnapshot(documents))
	if !slices.EqualFunc(old.documents, documents, same) {
		s.version.Add(1)
	}
}

// report updates the Status, and informs the Observer and the log.
func (s *source) report(err error) {
	now, have := s.cfg.Now(), s.current.Load()
	status := Status{Source: s.Name, ValidUntil: have.until, Providers: len(have.by), Err: err}
	if s.Query != "" {
		status.Providers = s.found.Len()
	}
	if len(have.documents) > 0 {
		oldest := slices.MinFunc(have.documents, func(a, b *document) int { return a.fetched.Compare(b.fetched) })
		status.Fetched = oldest.fetched
	}
	s.status.Store(&status)
	if err != nil {
		s.cfg.Logger.Warn("federation: metadata was not refreshed",
			"source", s.Name, "reason", reasonOf(err), "error", err)
	} else {
		s.cfg.Logger.Info("federation: metadata", "source", s.Name,
			"providers", status.Providers, "valid_until", status.ValidUntil)
	}
	if s.cfg.Observer == nil {
		return
	}
	age, left := time.Duration(-1), time.Duration(0)
	if !status.Fetched.IsZero() {
		age = now.Sub(status.Fetched)
	}
	if !status.ValidUntil.IsZero() {
		left = cmp.Or(status.ValidUntil.Sub(now), -1)
	}
	s.cfg.Observer.ObserveMetadata(s.Name, age, left, status.Providers, reasonOf(err))
}
