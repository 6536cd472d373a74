package federation_test

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/federation"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// BenchmarkSignInsWhileRefreshing measures the verification of responses, 100 a second,
// while an aggregate of 10,000 identity providers is loaded again and again, and while it
// is not, in pairs of five seconds each. It reports the medians of the pairs' 99th
// percentiles, and of their ratios. Run it with -benchtime 5x on a machine that does
// nothing else.
func BenchmarkSignInsWhileRefreshing(b *testing.B) {
	idp := mockidp.New(mockidp.Config{})
	b.Cleanup(idp.Close)
	file := filepath.Join(b.TempDir(), "aggregate.xml")
	signWithXmlsec(b, largeAggregate(idp.Metadata(""), 10_000), file)
	p := newPublisher(b, "")
	p.handle(func(w http.ResponseWriter, r *http.Request) { http.ServeFile(w, r, file) })
	f, err := federation.Open(b.Context(), federation.Config{
		Sources:    []federation.Source{{Name: "fed", URL: p.URL, Keys: pinned(), AllowPrivateAddresses: true}},
		MinRefresh: time.Hour, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(b, err)
	b.Cleanup(f.Close)
	require.NoError(b, f.Status()[0].Err)
	const acs = "https://sp.example/acs"
	sp, err := saml.New(saml.Config{EntityID: "https://sp.example", ACS: []saml.Endpoint{{URL: acs}}, IdPs: f})
	require.NoError(b, err)
	metadata, err := sp.Metadata()
	require.NoError(b, err)
	require.NoError(b, idp.RegisterSP("", metadata))
	form, err := idp.IdPInitiated("", mockidp.DefaultLogin, "")
	require.NoError(b, err)

	signIns := func() time.Duration {
		var took []time.Duration
		ticks := time.NewTicker(10 * time.Millisecond)
		defer ticks.Stop()
		for range 500 {
			due := <-ticks.C
			_, err := sp.Verify([]byte(form.SAMLResponse), saml.VerifyOptions{ACS: acs, Unsolicited: true})
			took = append(took, time.Since(due))
			require.NoError(b, err)
		}
		slices.Sort(took)
		return took[len(took)*99/100]
	}
	var quiet, busy, ratio []float64
	loads := 0
	for b.Loop() {
		quiet = append(quiet, float64(signIns())/1e6)
		done := make(chan struct{})
		var loading sync.WaitGroup
		loading.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
					_ = f.Reset(b.Context(), "fed")
					loads++
				}
			}
		})
		busy = append(busy, float64(signIns())/1e6)
		close(done)
		loading.Wait()
		last := len(busy) - 1
		ratio = append(ratio, busy[last]/quiet[last])
		b.Logf("quiet %.1f ms, busy %.1f ms: %.2f", quiet[last], busy[last], ratio[last])
	}
	slices.Sort(quiet)
	slices.Sort(busy)
	slices.Sort(ratio)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(quiet[len(quiet)/2], "quiet-p99-ms")
	b.ReportMetric(busy[len(busy)/2], "busy-p99-ms")
	b.ReportMetric(ratio[len(ratio)/2], "busy/quiet")
	b.ReportMetric(float64(loads)/float64(b.N), "loads/op")
}

// largeAggregate has an identity provider's metadata, and many like it.
func largeAggregate(metadata []byte, n int) string {
	one := string(metadata)
	if strings.HasPrefix(one, "<?xml") {
		one = one[strings.Index(one, "?>")+2:]
	}
	name := one[strings.Index(one, `entityID="`)+len(`entityID="`):]
	name = name[:strings.IndexByte(name, '"')]
	var b strings.Builder
	b.WriteString(`<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ID="_fed">`)
	b.WriteString(one)
	for i := range n - 1 {
		b.WriteString(strings.ReplaceAll(one, name, fmt.Sprint("https://idp.example/", i)))
	}
	return b.String() + `</md:EntitiesDescriptor>`
}

// signWithXmlsec signs an aggregate whose ID is _fed with the trusted key, and writes it
// to a file.
func signWithXmlsec(b *testing.B, document, file string) {
	xmlsec := testkit.RequireProgram(b, "peers", "xmlsec1")
	const template = `<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo>` +
		`<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>` +
		`<ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/>` +
		`<ds:Reference URI="#_fed"><ds:Transforms><ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>` +
		`<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/></ds:Transforms>` +
		`<ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue/></ds:Reference></ds:SignedInfo>` +
		`<ds:SignatureValue/></ds:Signature>`
	dir := b.TempDir()
	in, key := filepath.Join(dir, "in.xml"), filepath.Join(dir, "key.pem")
	first := strings.IndexByte(document, '>') + 1
	require.NoError(b, os.WriteFile(in, []byte(document[:first]+template+document[first:]), 0o600))
	require.NoError(b, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{
		Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(trusted())}), 0o600))
	out, err := exec.Command(xmlsec, "--sign", "--privkey-pem", key,
		"--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:metadata:EntitiesDescriptor", "--output", file, in).CombinedOutput()
	require.NoError(b, err, "%s", out)
}
