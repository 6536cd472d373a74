package mockidp

import (
	"crypto/sha1" // the transformed identifiers of draft-young-md-query-saml 2.1 are SHA-1
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"
)

// issue is a publication of the federation: its documents have the same time.
type issue struct {
	number     int // counts issues
	base       string
	members    []member
	at, until  time.Time // until then it is current
	own        []entity
	aggregates bounded[*document]
	queries    bounded[*document]
}

// current returns the issue of this moment. It replaces the last one when an app, a key or a tenant changed, when the
// clock was set back, or when the cacheDuration passed.
func (f *federation) current(s *Server) (*issue, error) {
	now, base, members := s.now().Truncate(time.Millisecond), s.base(), s.members()
	if i := f.issue; i != nil && i.base == base && slices.Equal(i.members, members) &&
		!now.Before(i.at) && now.Before(i.until) {
		return i, nil
	}
	own, err := s.ownEntities(members)
	if err != nil {
		return nil, err
	}
	again := s.config.Federation.CacheDuration
	if again < 0 {
		again = time.Hour
	}
	if v := s.config.Federation.Validity; v > 0 {
		again = min(again, v/2)
	}
	f.issues++
	i := &issue{number: f.issues, base: base, members: members, at: now, until: now.Add(again), own: own}
	i.aggregates.most, i.queries.most, i.queries.mostBytes = keptAggregates, keptQueries, keptQueryBytes
	i.queries.size = (*document).size
	f.issue = i
	return i, nil
}

// last returns the ID of the last entity, or "" if there is none.
func (i *issue) last(c Federation) string {
	switch {
	case c.Entities > 0:
		return generatedID(c.Entities - 1)
	case len(i.own) > 0:
		return i.own[len(i.own)-1].id
	}
	return ""
}

// resolve returns the entity ID for an identifier of a query: the ID itself or, after "{sha1}", its SHA-1 in
// hexadecimal (draft-young-md-query-saml 2.1).
func (f *federation) resolve(s *Server, identifier string) (string, *Error) {
	text, transformed := strings.CutPrefix(identifier, "{sha1}")
	if !transformed {
		return identifier, nil
	}
	var sum [sha1.Size]byte
	if len(text) != hex.EncodedLen(len(sum)) {
		return "", nil
	}
	if _, err := hex.Decode(sum[:], []byte(text)); err != nil {
		return "", nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	i, err := f.current(s)
	if err != nil {
		return "", internal("reading the metadata of the apps", err)
	}
	for _, e := range i.own {
		if sha1.Sum([]byte(e.id)) == sum {
			return e.id, nil
		}
	}
	if f.sums == nil {
		f.sums = map[[sha1.Size]byte]int32{}
		for n := range s.config.Federation.Entities {
			f.sums[sha1.Sum([]byte(generatedID(n)))] = int32(n)
		}
	}
	if n, ok := f.sums[sum]; ok {
		return generatedID(int(n)), nil
	}
	return "", nil
}

// document returns a document, or nil if the federation doesn't have the entity.
func (f *federation) document(s *Server, want wanted) (*document, *Error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i, err := f.current(s)
	if err != nil {
		return nil, internal("reading the metadata of the apps", err)
	}
	last := i.last(s.config.Federation)
	for _, id := range []*string{&want.broken, &want.duplicate} {
		if *id == lastEntity {
			*id = last
		}
	}
	if last == "" {
		return nil, nil
	}
	table, key := &i.aggregates, fmt.Sprintf("%+v", want)
	if want.entity != "" {
		table = &i.queries
	}
	if d, ok := table.get(key); ok {
		return d, nil
	}
	f.generator.authority = s.config.Federation.Name
	w := writer{Federation: s.config.Federation, generator: &f.generator, issue: i, wanted: want}
	var kerr *Error
	if w.signer, kerr = f.signerLocked(s, want.key); kerr != nil {
		return nil, kerr
	}
	if want.duplicate != "" {
		other, kerr := f.signerLocked(s, otherKey)
		if kerr != nil {
			return nil, kerr
		}
		w.rival = certificates([]*signingKey{other.key})[0]
	}
	var d *document
	if want.entity != "" {
		d, err = w.one()
	} else if err = f.generator.all(w.Entities); err == nil {
		d, err = w.all()
	}
	if err != nil {
		return nil, internal("writing the federation's metadata", err)
	}
	if d != nil {
		table.put(key, d)
	}
	return d, nil
}
