package replica

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/meridian-saml/meridian/portal/replica/internal/merge"
)

// Headers that say what a reader must understand to open a message. A copier
// sees them, and opens nothing. The last two are reserved for sealing with keys
// that change: this version writes neither, and reads no message with one.
const (
	headerFormat = "Meridian-Format" // of the message. Absent: from before there were formats
	headerKey    = "Meridian-Key"    // the version of the key that sealed the body. Absent or 0: Codec's
	headerBound  = "Meridian-Bound"  // associated data, beside the subject, to which the body was sealed
)

// formatID is the key in a stream's metadata of the format that a version must
// read in order to use the stream. Absent: from before there were formats.
const formatID = "meridian-format"

// readable refuses a message that this version can't read, by its headers. It
// comes before opening the body: what is new must not be taken for damage.
func (c *Config) readable(what string, h nats.Header) *Error {
	switch format := number(h.Get(headerFormat)); {
	case format > uint64(c.formats.Speaks):
		return needsVersion(what, fmt.Sprintf("format %d", format), fmt.Sprintf("format %d", c.formats.Speaks))
	case number(h.Get(headerKey)) > 0:
		return needsVersion(what, "key version "+h.Get(headerKey), "no key versions")
	case h.Get(headerBound) != "":
		return needsVersion(what, "associated data", "none")
	}
	return nil
}

// needsVersion is the refusal of what only another version can read.
func needsVersion(what, needed, reads string) *Error {
	return &Error{Reason: ReasonVersion, Rule: what, Want: "a version of Meridian that reads " + needed, Got: "one that reads " + reads}
}

// meets refuses a peer that speaks no format that this version reads, or reads
// none that it speaks.
func (c *Config) meets(region string, theirs merge.Formats) *Error {
	if c.formats.Meets(theirs) {
		return nil
	}
	return &Error{Reason: ReasonVersion, Rule: "version of Region " + region, Want: "a format in common: " + describe(c.formats), Got: describe(theirs)}
}

func describe(f merge.Formats) string {
	if f.Speaks == 0 {
		return "a version from before there were formats"
	}
	return fmt.Sprintf("formats %d to %d", f.Reads, f.Speaks)
}

// passedOn returns the headers of a message that a copier takes over as they
// are: the format, what is reserved, and what only a later version knows.
func passedOn(h nats.Header) map[string]string {
	var out map[string]string
	for key := range h {
		if !mayPass(key) {
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		out[key] = h.Get(key)
	}
	return out
}

// mayPass says whether a header may come from a peer as it is. The others are
// the copier's own, or mean something to a server.
func mayPass(key string) bool {
	switch key {
	case headerAt, headerUntil, headerPart, headerSeq, headerStore, headerRead, headerProof:
		return false
	}
	return strings.HasPrefix(key, "Meridian-")
}

// adopt marks this Region's streams with the format of what is written from now
// on. What is in them may be older, and is read as what it is. An older version
// that can't read this format refuses the streams then.
func (n *Node) adopt(ctx context.Context) error {
	for _, k := range streamKinds {
		name := k.stream(n.cfg.Region)
		s, err := n.stream(ctx, name)
		if err != nil {
			return unavailable("look at stream "+name, err)
		}
		c := s.CachedInfo().Config
		if number(c.Metadata[formatID]) >= uint64(n.cfg.writes) {
			continue
		}
		if c.Metadata == nil {
			c.Metadata = map[string]string{}
		}
		c.Metadata[formatID] = strconv.Itoa(n.cfg.writes)
		if _, err := n.js.UpdateStream(ctx, c); err != nil {
			return unavailable("marking of stream "+name, err)
		}
	}
	return nil
}

// header is what a copier takes over of a message's headers as it is.
func (m message) header() nats.Header {
	h := nats.Header{}
	for key, v := range m.More {
		if mayPass(key) {
			h.Set(key, v)
		}
	}
	return h
}
