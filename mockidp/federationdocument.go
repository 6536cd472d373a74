package mockidp

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"sync"
)

// wanted names a document.
type wanted struct {
	entity string // ""; all entities
	variant
}

// variant is how a document differs from the good one.
type variant struct {
	old, expired, unsigned, tampered bool
	noValidUntil, longValidity       bool
	key                              federationKey
	group                            bool   // of an entity: an EntitiesDescriptor with it
	broken, duplicate                string // the entity that is; lastEntity is the last one
}

const lastEntity = "\x00"

// document is what an endpoint of the federation sends. Documents of one issue share most of their parts.
type document struct {
	parts [][]byte
	etag  string
	zip   func() []byte
}

// newDocumentOf returns a document of parts. unique identifies its content.
func newDocumentOf(unique []byte, parts ...[]byte) *document {
	sum := sha256.Sum256(unique)
	d := &document{parts: parts, etag: hex.EncodeToString(sum[:16])}
	d.zip = sync.OnceValue(func() []byte {
		var b bytes.Buffer
		w, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed) // a valid level
		for _, p := range parts {
			_, _ = w.Write(p) // to memory
		}
		_ = w.Close()
		return b.Bytes()
	})
	return d
}

func (d *document) size() (n int) {
	for _, p := range d.parts {
		n += len(p)
	}
	return n
}
