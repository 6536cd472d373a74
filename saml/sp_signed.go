package saml

import (
	"crypto/sha256"
	"encoding/hex"
	"sync"
	"time"
)

// signedMetadataAge is how long signed metadata is served again. Anyone may fetch
// metadata, and a signature can be slow or cost money (a key in a KMS).
const signedMetadataAge = time.Minute

// signedMetadata is the last metadata that was signed.
type signedMetadata struct {
	mu   sync.Mutex // held while it is signed; guards the others
	list *acsList
	at   time.Time
	root string
}

// signedMetadata returns the signed EntityDescriptor (Metadata 3.1).
func (sp *ServiceProvider) signedMetadata(list *acsList, now time.Time) (string, error) {
	age := signedMetadataAge
	if validity := sp.cfg.MetadataValidity; validity > 0 {
		age = min(age, validity/10)
	}
	s := &sp.signed
	s.mu.Lock()
	defer s.mu.Unlock()
	if since := now.Sub(s.at); s.list == list && since >= 0 && since < age {
		return s.root, nil
	}
	// The ID changes with the content only (Core 1.3.4 requires 128 bits).
	digest := sha256.Sum256([]byte(sp.writeMetadata(list, now, "", "")))
	id := "_" + hex.EncodeToString(digest[:20])
	signature, err := sp.signEnveloped(id, sp.writeMetadata(list, now, id, ""))
	if err != nil {
		return "", err
	}
	s.list, s.at, s.root = list, now, sp.writeMetadata(list, now, id, signature)
	return s.root, nil
}
