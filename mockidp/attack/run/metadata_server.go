package run

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"net/http"
	"sync"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// MetadataServer serves the metadata of an identity provider to a service provider that
// reads it from a URL, again and again. A publisher signs it, whose certificate the
// service provider has pinned. A run replaces it with the documents of
// [attack.MetadataCases], and restores it.
type MetadataServer struct {
	publisher   *rsa.PrivateKey
	certificate []byte
	weak        *rsa.PrivateKey
	keys        [3]*rsa.PrivateKey // of the identity provider, in turn
	first       []byte

	mu       sync.Mutex
	document []byte        // guarded by mu
	served   chan struct{} // guarded by mu: closed when the document was sent for the first time
	last     int           // guarded by mu: the index of the key in the document
	trusted  int           // guarded by mu: the index of the key that signed a user in last
}

// NewMetadataServer returns a server of idp's metadata, signed with a publisher's key.
func NewMetadataServer(idp *IdP, publisher *rsa.PrivateKey) (*MetadataServer, error) {
	m := &MetadataServer{publisher: publisher}
	metadata, err := idp.Metadata()
	if err != nil {
		return nil, err
	}
	if m.certificate, err = attack.NewCertificate(publisher, time.Now()); err != nil {
		return nil, err
	}
	if m.weak, err = rsa.GenerateKey(rand.Reader, 1024); err != nil {
		return nil, err
	}
	for i := range m.keys {
		if m.keys[i], err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
			return nil, err
		}
	}
	if m.first, err = m.sign(metadata); err != nil {
		return nil, err
	}
	m.publish(m.first)
	return m, nil
}

// Certificate returns the publisher's certificate, in DER.
func (m *MetadataServer) Certificate() []byte { return m.certificate }

// ServeHTTP sends the metadata. It makes no difference between paths.
func (m *MetadataServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	document, served := m.document, m.served
	m.mu.Unlock()
	w.Header().Set("Content-Type", "application/samlmetadata+xml")
	w.Header().Set("Cache-Control", "no-store")
	if _, err := w.Write(document); err != nil || r.Method != http.MethodGet {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if served == m.served {
		select {
		case <-served:
		default:
			close(served)
		}
	}
}

// Await waits until the service provider has read the metadata twice: when it comes again,
// it has used what it read before. The error is the context's.
func (m *MetadataServer) Await(ctx context.Context) error {
	for range 2 {
		select {
		case <-m.publish(m.first):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// publish replaces the metadata. The channel is closed when it was sent.
func (m *MetadataServer) publish(document []byte) <-chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.document, m.served = document, make(chan struct{})
	return m.served
}

// nextKey returns a key that is neither the last one nor one that the service provider
// trusts.
func (m *MetadataServer) nextKey() *rsa.PrivateKey {
	m.mu.Lock()
	defer m.mu.Unlock()
	was := m.last
	for m.last == was || m.last == m.trusted {
		m.last = (m.last + 1) % len(m.keys)
	}
	return m.keys[m.last]
}

// trust says that the last key signed a user in.
func (m *MetadataServer) trust() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.trusted = m.last
}

// sign signs the root of a document.
func (m *MetadataServer) sign(document []byte) ([]byte, error) {
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(document); err != nil {
		return nil, err
	}
	root := doc.Root()
	root.CreateAttr("ID", "_published")
	ctx, err := dsig.NewSigningContext(m.publisher, nil)
	if err != nil {
		return nil, err
	}
	ctx.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	signature, err := ctx.ConstructSignature(root, true)
	if err != nil {
		return nil, err
	}
	root.InsertChildAt(0, signature)
	return doc.WriteToBytes()
}

// params fills in a document whose identity provider signs with a key.
func (m *MetadataServer) params(r *runner, key crypto.Signer) attack.MetadataParams {
	return attack.MetadataParams{
		EntityID: r.IdP.EntityID, SSOURL: r.IdP.SSOURL, Now: r.Now(), Keys: map[attack.KeyRole]crypto.Signer{
			attack.SigningKey: key, attack.NextKey: r.attackers.ecdsa, attack.IssuerKey: r.attackers.rsa,
			attack.RootKey: r.attackers.ecdsa, attack.PublisherKey: m.publisher, attack.WeakKey: m.weak,
		},
	}
}
