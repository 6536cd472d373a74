package main

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/saml"
)

// maxDescribed is the number of identity providers up to which each is described without -v.
const maxDescribed = 5

// metadataText writes the report for people. Values of the document are quoted, because a terminal shows them.
type metadataText struct {
	out io.Writer
	o   *metadataOptions
	err error

	describes bool // each entity, and not just the unusable ones
	expired   bool // the document is, so that its entities are too
	until     time.Time
	implied   int // identity providers that are unusable for that alone
	warned    int // usable ones with warnings that were not written
}

func (w *metadataText) line(format string, args ...any) {
	if w.err == nil {
		_, w.err = io.WriteString(w.out, printable(fmt.Sprintf(format, args...))+"\n")
	}
}

func (w *metadataText) begin(a *saml.Aggregate, problems []*problem) {
	if a != nil {
		w.until = a.ValidUntil()
		w.expired = w.o.expired(w.until)
		w.describes = w.o.verbose || w.o.entity != "" || a.Len() <= maxDescribed
		if a.Verified() {
			w.line("ok    Signature of the metadata (Metadata 3.1)")
		} else {
			w.line("note  the signature of the metadata was not verified: give the publisher's key with -key")
		}
		w.document(a)
	}
	for _, p := range problems {
		w.line("FAIL  %s: %s", p.Reason, p.Detail)
	}
}

func (w *metadataText) document(a *saml.Aggregate) {
	until := "no validUntil"
	if !w.until.IsZero() {
		until = "the validUntil " + instant(w.until)
	}
	w.line("note  the document is an %s with %s", rootOf(a), until)
	if cache := a.CacheDuration(); cache > 0 {
		w.line("note  it asks to be fetched again after %s", cache)
	}
	if at := a.CreationInstant(); !at.IsZero() {
		w.line("note  it was published %s", instant(at))
	}
}

// rootOf returns the name of the root.
func rootOf(a *saml.Aggregate) string {
	if _, single := a.Single(); single {
		return "EntityDescriptor"
	}
	return "EntitiesDescriptor"
}

func (w *metadataText) entity(r *saml.EntityReport) {
	switch {
	case !r.Provider:
		if w.o.verbose || w.o.entity != "" {
			w.line("")
			w.line("%q", r.Description.EntityID)
			w.line("note  not a SAML 2.0 identity provider; its roles are %q", r.Roles)
		}
	case w.describes:
		w.describe(r)
	case w.expired && w.onlyExpires(r):
		w.implied++
	case len(r.Problems) > 0:
		w.line("")
		w.line("%q", r.Description.EntityID)
		w.problems(r)
	case len(r.Warnings) > 0:
		w.warned++
	}
}

// onlyExpires reports whether an identity provider is unusable only because the document is expired.
func (w *metadataText) onlyExpires(r *saml.EntityReport) bool {
	return len(r.Problems) == 1 && r.Problems[0].Reason == saml.ReasonMetadataExpired &&
		r.Ends.ValidUntil.Equal(w.until)
}

func (w *metadataText) problems(r *saml.EntityReport) {
	for _, e := range r.Problems {
		p := newProblem(e)
		w.line("FAIL  %s: %s", p.Reason, p.Detail)
	}
}

func (w *metadataText) end(s metadataSummary) error {
	w.line("")
	if w.implied > 0 {
		w.line("note  %s ended with the document", count(w.implied, "identity provider"))
	}
	if w.warned > 0 {
		w.line("note  parts of %s are not used; -v says which", count(w.warned, "usable identity provider"))
	}
	if s.IdentityProviders+s.ServiceProviders+s.OtherEntities > 0 {
		w.line("note  %s, %s, %s in the document", count(s.IdentityProviders, "identity provider"),
			count(s.ServiceProviders, "service provider"), count(s.OtherEntities, "other entity"))
		w.line("")
	}
	switch {
	case len(s.problems) > 0:
		w.line("refused: %s: %s", s.problems[0].Reason, s.problems[0].Detail)
	case s.Unusable > 0:
		w.line("not usable: %d of %s", s.Unusable, count(s.checked, "identity provider"))
	default:
		w.line("usable: %s", count(s.checked, "identity provider"))
	}
	return w.err
}

func count(n int, what string) string {
	switch {
	case n == 1:
		return "1 " + what
	case strings.HasSuffix(what, "y"):
		return fmt.Sprint(n, " ", strings.TrimSuffix(what, "y"), "ies")
	}
	return fmt.Sprint(n, " ", what, "s")
}

// kindOf returns the kind and the size of a key.
func kindOf(key crypto.PublicKey) (kind string, bits int) {
	switch key := key.(type) {
	case *rsa.PublicKey:
		return "RSA", key.N.BitLen()
	case *ecdsa.PublicKey:
		return "ECDSA", key.Params().BitSize
	}
	return "", 0
}
