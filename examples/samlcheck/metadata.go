package main

import (
	"bufio"
	"crypto"
	"errors"
	"flag"
	"io"
	"slices"
	"time"

	"github.com/meridian-saml/meridian/saml"
)

// runMetadata is samlcheck metadata. If it returns an error, nothing was checked, or the report could not be written.
func runMetadata(args []string, stdin io.Reader, out io.Writer) (int, error) {
	o, err := parseMetadata(args, out)
	if errors.Is(err, flag.ErrHelp) {
		return 0, nil
	}
	if err != nil {
		return exitUsage, err
	}
	if o.now.IsZero() {
		o.now = time.Now()
	}
	var keys []crypto.PublicKey
	for _, path := range o.keys {
		key, _, err := publicKey("-key", path)
		if err != nil {
			return exitUsage, err
		}
		keys = append(keys, key)
	}
	input, err := readInput(o.file, stdin, maxMetadata)
	if err != nil {
		return exitUsage, err
	}
	b := bufio.NewWriterSize(out, 64<<10)
	usable, err := o.examine(input, keys, b)
	if err == nil {
		err = b.Flush()
	}
	if err != nil {
		return exitUsage, err
	}
	if !usable {
		return exitRejected, nil
	}
	return exitAccepted, nil
}

// metadataWriter writes a report on metadata, entity by entity: there can be many.
type metadataWriter interface {
	// begin gets nil if the document was refused before it was read.
	begin(a *saml.Aggregate, problems []*problem)
	entity(r *saml.EntityReport)
	end(s metadataSummary) error
}

// examine reads the document, writes the report, and reports whether everything that was asked for is usable. An error
// is one of the flags or of out.
func (o *metadataOptions) examine(input []byte, keys []crypto.PublicKey, out io.Writer) (bool, error) {
	var w metadataWriter = &metadataText{out: out, o: o}
	if o.json {
		w = &metadataJSON{out: out, now: o.now}
	}
	read := func() (*saml.Aggregate, error) { return saml.VerifyAggregate(input, keys) }
	if len(keys) == 0 {
		read = func() (*saml.Aggregate, error) { return saml.ParseAggregate(input) }
	}
	a, err := read()
	var refused *saml.Error
	if errors.As(err, &refused) && (refused.Reason == saml.ReasonKey || refused.Reason == saml.ReasonConfig) {
		return false, inFlags(refused, nil, "-key")
	}
	var s metadataSummary
	if err != nil {
		s.refuse(newProblem(err))
		w.begin(nil, s.problems)
		return false, w.end(s)
	}
	s.refuse(o.checkDocument(a)...)
	w.begin(a, s.problems)
	for r := range a.Inspect(o.inspect()) {
		s.count(r)
		if o.entity == "" || r.Description.EntityID == o.entity {
			s.check(r)
			w.entity(r)
		}
	}
	return s.Usable(), w.end(s)
}

// metadataSummary counts the entities of a document.
type metadataSummary struct {
	IdentityProviders int `json:"identity_providers"`
	ServiceProviders  int `json:"service_providers"` // an entity can be both
	OtherEntities     int `json:"other_entities"`
	Unusable          int `json:"unusable"` // of the identity providers that were checked

	checked  int        // identity providers
	problems []*problem // of the document
}

func (s *metadataSummary) refuse(problems ...*problem) { s.problems = append(s.problems, problems...) }

func (s *metadataSummary) count(r *saml.EntityReport) {
	serves := slices.Contains(r.Roles, "SPSSODescriptor")
	switch {
	case r.Provider:
		s.IdentityProviders++
	case !serves:
		s.OtherEntities++
	}
	if serves {
		s.ServiceProviders++
	}
}

func (s *metadataSummary) check(r *saml.EntityReport) {
	if !r.Provider {
		return
	}
	s.checked++
	if len(r.Problems) > 0 {
		s.Unusable++
	}
}

// Usable reports whether the document was accepted, and each identity provider that was asked for is usable. A document
// without one is refused.
func (s *metadataSummary) Usable() bool {
	return len(s.problems) == 0 && s.Unusable == 0
}
