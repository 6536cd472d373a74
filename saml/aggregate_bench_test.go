//go:build unix

package saml_test

import (
	"crypto"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

// BenchmarkRatioAggregate compares the CPU time of loading a signed aggregate of 10,000
// identity providers with xmlsec1's verification of the same file, in turns, and
// reports what stays in memory as a multiple of the file.
func BenchmarkRatioAggregate(b *testing.B) {
	xmlsec := testkit.RequireProgram(b, "peers", "xmlsec1")
	file := filepath.Join(b.TempDir(), "aggregate.xml")
	signWithXmlsec(b, xmlsec, largeAggregate(b, 10_000), file)
	document, err := os.ReadFile(file)
	require.NoError(b, err)
	keys := []crypto.PublicKey{keys().other.Public()}
	var ours, theirs []float64
	var kept float64
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		var a *saml.Aggregate
		ours = append(ours, cpuTime(func() error {
			var err error
			a, err = saml.VerifyAggregate(document, keys)
			return err
		}))
		runtime.GC()
		runtime.ReadMemStats(&after)
		kept = float64(after.HeapAlloc-before.HeapAlloc) / float64(len(document))
		require.Equal(b, 10_000, a.Len())

		cmd := exec.Command(xmlsec, "--verify", "--pubkey-cert-pem", certificateFile(b),
			"--id-attr:ID", "urn:oasis:names:tc:SAML:2.0:metadata:EntitiesDescriptor", file)
		out, err := cmd.CombinedOutput()
		require.NoError(b, err, "%s", out)
		theirs = append(theirs, (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds())
	}
	slices.Sort(ours)
	slices.Sort(theirs)
	b.ReportMetric(ours[len(ours)/2], "s")
	b.ReportMetric(ours[len(ours)/2]/theirs[len(theirs)/2], "ours/xmlsec1")
	b.ReportMetric(kept, "kept/file")
	b.ReportMetric(float64(len(document))/1e6, "MB")
}

func certificateFile(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cert.pem")
	require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE",
		Bytes: certificate(t, keys().other, time.Now().Add(time.Hour)).Raw}), 0o600))
	return path
}

// largeAggregate has so many identity providers of 2.4 kB each, which is what the
// entities of eduGAIN have on average.
func largeAggregate(t testing.TB, n int) string {
	t.Helper()
	one := idpMetadata(t, "", "signing", "")
	var b strings.Builder
	b.WriteString(`<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ID="_fed">`)
	for i := range n {
		b.WriteString(strings.Replace(one, idpEntity, fmt.Sprintf("https://idp%d.example/shibboleth", i), 1))
	}
	return b.String() + `</md:EntitiesDescriptor>`
}
