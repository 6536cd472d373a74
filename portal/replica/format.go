package replica

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// Headers with the requirements for reading a message. headerKey is reserved: this version doesn't write it, and can't
// read a message with it.
const (
	headerFormat = "Meridian-Format" // of the message. Absent: from before formats
	headerKey    = "Meridian-Key"    // the version of the key that sealed the body. Absent or 0: see Config.Sealer
	headerBound  = "Meridian-Bound"  // the body is sealed, with associated data of this schema. Absent: plain text
)

// readable returns an error if, by its headers, this version can't read a message. A newer message must not count as
// damage.
func (c *Config) readable(what string, h nats.Header) *Error {
	switch format := number(h.Get(headerFormat)); {
	case format > uint64(c.formats.Speaks):
		return needsVersion(what, fmt.Sprintf("format %d", format), fmt.Sprintf("format %d", c.formats.Speaks))
	case number(h.Get(headerKey)) > 0:
		return needsVersion(what, "key version "+h.Get(headerKey), "no key versions")
	case h.Get(headerBound) != "" && h.Get(headerBound) != schema:
		return needsVersion(what, "associated data "+h.Get(headerBound), schema)
	case h.Get(headerBound) != "" && c.Sealer == nil:
		return newError(ReasonVersion, what, "Config.Sealer: the value is sealed", "InsecurePlaintext")
	case c.refusesPlain(h):
		return newError(ReasonVersion, what, "a sealed value, or InsecureOpenPlaintext for an upgrade", "plain text")
	}
	return nil
}

// refusesPlain reports whether a message is plain text that only InsecureOpenPlaintext accepts.
func (c *Config) refusesPlain(h nats.Header) bool {
	return h.Get(headerBound) == "" && c.Sealer != nil && !c.InsecureOpenPlaintext
}

// needsVersion returns the error for data that only another version can read.
func needsVersion(what, needed, reads string) *Error {
	return newError(ReasonVersion, what, "a version of Meridian that reads "+needed, "one that reads "+reads)
}

// checkFormats returns an error if a peer has no format in common with this version.
func (c *Config) checkFormats(region string, theirs merge.Formats) *Error {
	if c.formats.Meets(theirs) {
		return nil
	}
	return newError(ReasonVersion, "version of Region "+region, "a format in common: "+describe(c.formats),
		describe(theirs))
}

func describe(f merge.Formats) string {
	if f.Speaks == 0 {
		return "a version from before there were formats"
	}
	return fmt.Sprintf("formats %d to %d", f.Reads, f.Speaks)
}

// passedOn returns the headers of a message that a copier takes over unchanged.
func passedOn(h nats.Header) map[string]string {
	out := map[string]string{}
	for key := range h {
		if mayPass(key) {
			out[key] = h.Get(key)
		}
	}
	return out
}

// mayPass reports whether a peer may set a header. The copier sets some of the others itself, and servers interpret the
// rest.
func mayPass(key string) bool {
	switch key {
	case headerAt, headerUntil, headerPart, headerSeq, headerStore, headerRead, headerProof:
		return false
	}
	return strings.HasPrefix(key, "Meridian-")
}

// headers returns the headers of a message in a copy.
func (m message) headers(store string) nats.Header {
	h := nats.Header{}
	for key, v := range m.More {
		if mayPass(key) {
			h.Set(key, v)
		}
	}
	own := map[string]string{
		headerAt: m.At, headerPart: m.Part, headerProof: m.Proof, headerStore: store, headerSeq: strconv.FormatUint(m.Seq,
			10),
	}
	if number(m.Until) > 0 {
		own[headerUntil] = m.Until
	}
	for key, v := range own {
		if v != "" {
			h.Set(key, v)
		}
	}
	return h
}

// markFormat marks this Region's streams with the current format, so that an older version that can't read it refuses
// the streams. Existing messages may have an older format.
func (n *Node) markFormat(ctx context.Context) error {
	for _, k := range streamKinds {
		s, err := n.stream(ctx, k.stream(n.cfg.Region))
		if err != nil {
			return err
		}
		have, want := s.CachedInfo().Config.Metadata, map[string]string{}
		if number(have[formatID]) < uint64(n.cfg.writes) {
			want[formatID] = strconv.Itoa(n.cfg.writes)
		}
		if n.cfg.Sealer != nil && have[sealedID] == "" {
			want[sealedID] = schema
		}
		if len(want) == 0 {
			continue
		}
		if err := n.setMetadata(ctx, s, want); err != nil {
			return err
		}
	}
	return nil
}
