package examples_test

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/federation"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// keyState is what the page's tables say: names of keys, "old" and "new".
type keyState struct {
	Key, Others, Decrypt, Encrypt []string // of our nodes
	File                          []string // of the identity provider's keys, in a file of our nodes
	Lists, Signs                  []string // of the identity provider
}

// rolloverWorld has two Regions of two nodes, and an identity provider that demands signed requests and encrypts. A
// federation signs its metadata.
type rolloverWorld struct {
	t       *testing.T
	idp     *mockidp.Server
	idpKeys map[string]mockidp.Key
	app     string
	md      *httptest.Server // the identity provider's metadata
	refresh time.Duration    // how often nodes fetch it; 0: the default
	file    string
	state   keyState
	nodes   []*rolloverNode

	underWay sync.RWMutex // held for reading by each sign-in of a user

	mu       sync.Mutex
	failures []string
	done     map[string]int // sign-ins by Region
	begun    int
}

// rolloverNode is one process of a Region.
type rolloverNode struct {
	Region, Host string
	store        acs.Store // of the Region: it outlives the process
	copy         string    // of the metadata, on its disk
	handler      atomic.Pointer[http.ServeMux]
	federation   *federation.Federation
}

func (n *rolloverNode) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	n.handler.Load().ServeHTTP(w, r)
}

func newRolloverWorld(t *testing.T, first keyState, refresh time.Duration) *rolloverWorld {
	idp := mockidp.New(mockidp.Config{Key: idpKey("old")})
	t.Cleanup(idp.Close)
	dir := t.TempDir()
	w := &rolloverWorld{t: t, idp: idp, refresh: refresh, state: first, done: map[string]int{},
		file: filepath.Join(dir, "idp.xml"), idpKeys: map[string]mockidp.Key{"old": idp.Keys()[0]}}
	w.md = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
		_, _ = rw.Write(signedMetadata(idp.Metadata("")))
	}))
	t.Cleanup(w.md.Close)
	for _, region := range []string{"us-east-1", "eu-central-1"} {
		store := acs.NewMemoryStore(acs.MemoryConfig{})
		for range 2 {
			n := &rolloverNode{Region: region, Host: region + ".signin.example", store: store,
				copy: filepath.Join(dir, fmt.Sprint("copy", len(w.nodes)))}
			w.nodes = append(w.nodes, n)
			w.start(n)
			t.Cleanup(func() { n.federation.Close() })
		}
	}
	w.publish(w.nodes[0])
	app := idp.Apps()[0]
	require.Equal(t, rolloverEntityID, app.Audience)
	w.app = app.ID
	require.NoError(t, idp.UpdateApp(app.ID, func(a *mockidp.App) error {
		a.SignedRequests, a.Encrypt = true, &mockidp.Encryption{}
		return nil
	}))
	return w
}

const rolloverEntityID = "https://us-east-1.signin.example/saml"

func rolloverACS() []saml.Endpoint {
	return []saml.Endpoint{
		{URL: "https://us-east-1.signin.example/acs", Region: "us-east-1"},
		{URL: "https://eu-central-1.signin.example/acs", Region: "eu-central-1"},
	}
}

// Keys by their name, "old" or "new". ECDSA keys sign, because they are faster.
func idpKey(name string) crypto.Signer          { return testkit.ECDSAKey("identity provider " + name) }
func signingKey(name string) crypto.Signer      { return testkit.ECDSAKey("signing " + name) }
func encryptionKey(name string) *rsa.PrivateKey { return testkit.RSAKey("encryption " + name) }

func signingCertificates(names []string) (out []*x509.Certificate) {
	for _, name := range names {
		out = append(out, testkit.Certificate(signingKey(name), time.Now()))
	}
	return out
}

// start starts a node with the current state, and ends the process that it had.
func (w *rolloverWorld) start(n *rolloverNode) {
	t, s := w.t, w.state
	cfg := federation.Config{MinRefresh: w.refresh, MaxRefresh: w.refresh, Logger: slog.New(slog.DiscardHandler),
		Sources: []federation.Source{{Name: "url", URL: w.md.URL, AllowPrivateAddresses: true, Copy: n.copy,
			Keys: []crypto.PublicKey{testkit.RSAKey("federation").Public()}}}}
	if len(s.File) > 0 {
		cfg.Sources = slices.Insert(cfg.Sources, 0, federation.Source{Name: "file", File: w.file})
	}
	f, err := federation.Open(t.Context(), cfg)
	require.NoError(t, err)
	idp, err := f.Source(f.EntityIDs()[0])
	require.NoError(t, err)
	config := saml.Config{
		EntityID: rolloverEntityID, IdP: idp, SignRequests: true,
		ACS: rolloverACS(),
		Key: signingKey(s.Key[0]), Certificate: signingCertificates(s.Key)[0],
		OtherCertificates:     signingCertificates(s.Others),
		EncryptionCertificate: testkit.Certificate(encryptionKey(s.Encrypt[0]), time.Now()),
	}
	for _, name := range s.Decrypt {
		config.DecryptionKeys = append(config.DecryptionKeys, encryptionKey(name))
	}
	sp, err := saml.New(config)
	require.NoError(t, err)
	region, err := acs.NewRegion(acs.Config{SP: sp, Region: n.Region, Store: n.store,
		Logger: slog.New(slog.DiscardHandler),
		OnLogin: func(rw http.ResponseWriter, _ *http.Request, l *acs.Login) {
			fmt.Fprintf(rw, "%s is signed in to %s", l.Assertion.NameID().Value, l.Region)
		},
		OnVerdict: func(_ context.Context, v acs.Verdict) {
			if !v.Accepted {
				w.fail("refused: " + v.Reason)
			}
		}})
	require.NoError(t, err)
	mux := http.NewServeMux()
	region.Mount(mux, acs.Paths{Login: "/login", Metadata: "/metadata"})
	last := n.federation
	n.federation = f
	n.handler.Store(mux)
	if last != nil {
		last.Close()
	}
}

// publish is the identity provider reading our metadata at a node.
func (w *rolloverWorld) publish(n *rolloverNode) {
	rec := httptest.NewRecorder()
	n.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "https://"+n.Host+"/metadata", nil))
	_, err := w.idp.AddSP(rec.Body.Bytes())
	require.NoError(w.t, err)
}

// provide makes the identity provider list keys and sign with one.
func (w *rolloverWorld) provide(lists, signs []string) {
	for _, name := range lists {
		if _, ok := w.idpKeys[name]; !ok {
			key, err := w.idp.AddKey(idpKey(name), nil)
			require.NoError(w.t, err)
			w.idpKeys[name] = key
		}
	}
	require.NoError(w.t, w.idp.SignWith(w.idpKeys[signs[0]].ID))
	for name, key := range w.idpKeys {
		if !slices.Contains(lists, name) {
			require.NoError(w.t, w.idp.RetireKey(key.ID))
			delete(w.idpKeys, name)
		}
	}
}

// writeFile lists keys in a copy of the identity provider's metadata.
func (w *rolloverWorld) writeFile(lists []string) {
	doc := etree.NewDocument()
	require.NoError(w.t, doc.ReadFromBytes(w.idp.Metadata("")))
	role := doc.FindElement("//IDPSSODescriptor")
	descriptor := role.FindElement("KeyDescriptor[@use='signing']")
	for _, name := range lists[1:] {
		next := descriptor.Copy()
		cert := testkit.Certificate(idpKey(name), time.Now())
		next.FindElement(".//X509Certificate").SetText(base64Of(cert))
		role.InsertChildAt(descriptor.Index()+1, next)
	}
	require.NoError(w.t, doc.WriteToFile(w.file))
}

func signedMetadata(metadata []byte) []byte {
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(metadata); err != nil {
		panic(err)
	}
	root, key := doc.Root(), testkit.RSAKey("federation")
	root.CreateAttr("ID", "_metadata")
	ctx, err := dsig.NewSigningContext(key, [][]byte{testkit.Certificate(key, time.Now()).Raw})
	if err != nil {
		panic(err)
	}
	ctx.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	signature, err := ctx.ConstructSignature(root, true)
	if err != nil {
		panic(err)
	}
	root.InsertChildAt(0, signature)
	out, err := doc.WriteToBytes()
	if err != nil {
		panic(err)
	}
	return out
}

func (w *rolloverWorld) fail(why string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.failures = append(w.failures, why)
}

// failed returns the failures since the last call.
func (w *rolloverWorld) failed() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.failures
	w.failures = nil
	return out
}
