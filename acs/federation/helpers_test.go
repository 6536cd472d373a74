package federation_test

import (
	"crypto"
	"crypto/rsa"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/federation"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

const (
	oneIdP = "https://idp.one.example"
	twoIdP = "https://idp.two.example"
)

// descriptor is the metadata of a mock identity provider, under another name.
var descriptor = sync.OnceValue(func() func(entityID string) string {
	idp := mockidp.New(mockidp.Config{})
	defer idp.Close()
	doc := etree.NewDocument()
	if err := doc.ReadFromBytes(idp.Metadata("")); err != nil {
		panic(err)
	}
	root := doc.Root()
	return func(entityID string) string {
		root := root.Copy()
		root.CreateAttr("entityID", entityID)
		out := etree.NewDocument()
		out.SetRoot(root)
		text, err := out.WriteToString()
		if err != nil {
			panic(err)
		}
		return text
	}
})

// aggregate is a document with these identity providers.
func aggregate(attributes string, entityIDs ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ID="_fed" %s>`, attributes)
	for _, id := range entityIDs {
		b.WriteString(descriptor()(id))
	}
	return b.String() + `</md:EntitiesDescriptor>`
}

func until(t time.Time) string { return `validUntil="` + t.UTC().Format(time.RFC3339) + `"` }

// published is an aggregate that says when it was published.
func published(at time.Time, entityIDs ...string) string {
	return publishedUntil(at, time.Now().Add(240*time.Hour), entityIDs...)
}

func publishedUntil(at, end time.Time, entityIDs ...string) string {
	return strings.Replace(aggregate(until(end), entityIDs...), `ID="_fed" `+until(end)+`>`,
		`ID="_fed" `+until(end)+`><md:Extensions><r:PublicationInfo `+
			`xmlns:r="urn:oasis:names:tc:SAML:metadata:rpi" creationInstant="`+
			at.UTC().Format(time.RFC3339)+`" publisher="https://fed.example"/></md:Extensions>`, 1)
}

// signed signs a document's root.
func signed(t testing.TB, document string, key *rsa.PrivateKey) string {
	t.Helper()
	doc := etree.NewDocument()
	require.NoError(t, doc.ReadFromString(document))
	root := doc.Root()
	if root.SelectAttr("ID") == nil {
		root.CreateAttr("ID", "_entity")
	}
	cert := testkit.Certificate(key, time.Now())
	ctx, err := dsig.NewSigningContext(key, [][]byte{cert.Raw})
	require.NoError(t, err)
	ctx.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	signature, err := ctx.ConstructSignature(root, true)
	require.NoError(t, err)
	root.InsertChildAt(0, signature)
	out, err := doc.WriteToString()
	require.NoError(t, err)
	return out
}

func trusted() *rsa.PrivateKey   { return testkit.RSAKey("federation") }
func another() *rsa.PrivateKey   { return testkit.RSAKey("another federation") }
func pinned() []crypto.PublicKey { return []crypto.PublicKey{trusted().Public()} }

// publisher serves one document, and counts requests.
type publisher struct {
	*httptest.Server
	handler  atomic.Pointer[http.HandlerFunc]
	requests atomic.Int64
}

func newPublisher(t testing.TB, document string) *publisher {
	t.Helper()
	p := &publisher{}
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.requests.Add(1)
		(*p.handler.Load())(w, r)
	}))
	t.Cleanup(p.Close)
	p.publish(document)
	return p
}

func (p *publisher) handle(f http.HandlerFunc) { p.handler.Store(&f) }

func (p *publisher) publish(document string) {
	p.handle(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(document)) })
}

// clock is the time of a Federation.
type clock struct{ offset atomic.Int64 }

func (c *clock) now() time.Time          { return time.Now().Add(time.Duration(c.offset.Load())) }
func (c *clock) advance(d time.Duration) { c.offset.Add(int64(d)) }

// open opens sources that are refreshed by the millisecond.
func open(t testing.TB, c *clock, sources ...federation.Source) *federation.Federation {
	t.Helper()
	for i := range sources {
		sources[i].AllowPrivateAddresses = true
	}
	f, err := federation.Open(t.Context(), federation.Config{
		Sources: sources, Now: c.now, MinRefresh: 5 * time.Millisecond, MaxRefresh: 20 * time.Millisecond,
		PollFiles: 5 * time.Millisecond, Timeout: 8 * time.Second, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(t, err)
	t.Cleanup(f.Close)
	return f
}

// requireReason wants an error of this package, or of saml, with that Reason.
func requireReason(t testing.TB, want string, err error) {
	t.Helper()
	require.Error(t, err)
	var own *federation.Error
	var verifier *saml.Error
	switch {
	case asError(err, &own):
		require.Equal(t, want, string(own.Reason), "%v", err)
	case asError(err, &verifier):
		require.Equal(t, want, string(verifier.Reason), "%v", err)
	default:
		require.Fail(t, "another error", "%v", err)
	}
}

// becomes waits until the source's last attempt had that Reason; "" is success.
func becomes(t testing.TB, f *federation.Federation, reason string) {
	t.Helper()
	require.Eventually(t, func() bool {
		err := f.Status()[0].Err
		if reason == "" {
			return err == nil
		}
		return err != nil && strings.Contains(err.Error(), ": "+reason)
	}, time.Minute, time.Millisecond, "the last attempt: %v", f.Status()[0].Err)
}
