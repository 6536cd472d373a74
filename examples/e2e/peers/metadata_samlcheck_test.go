package peers_test

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// TestSamlcheckReadsTheCorpus runs samlcheck metadata on the metadata that packages ship. Its verdict on each identity
// provider is that of package saml, whatever the document.
func TestSamlcheckReadsTheCorpus(t *testing.T) {
	var c metadataCorpus
	c.addPackages(t)
	program := filepath.Join(t.TempDir(), "samlcheck.exe")
	out, err := exec.Command("go", "build", "-o", program, "../../samlcheck").CombinedOutput()
	require.NoError(t, err, "%s", out)

	verdicts := map[bool]int{}
	for _, f := range c.distinct() {
		var stdout, stderr bytes.Buffer
		cmd := exec.Command(program, "metadata", "-json", "-now", "2026-11-28T12:00:00Z", "-allow-rsa1024")
		cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(f.text), &stdout, &stderr
		_ = cmd.Run()
		require.Contains(t, []int{0, 1}, cmd.ProcessState.ExitCode(), "%s: %s", f.name, &stderr)
		require.Empty(t, stderr.String(), f.name)
		var report struct {
			Document *struct{}
			Entities []struct {
				ID       string `json:"entity_id"`
				Provider bool   `json:"identity_provider"`
				Usable   bool
				Problems []struct{ Reason, Detail string }
			}
			Usable bool
		}
		require.NoError(t, json.Unmarshal(stdout.Bytes(), &report), f.name)
		require.Equal(t, report.Usable, cmd.ProcessState.ExitCode() == 0, f.name)

		a, err := saml.ParseAggregate(f.text)
		require.Equal(t, err == nil, report.Document != nil, f.name)
		if err != nil {
			continue
		}
		providers := 0
		for _, e := range report.Entities {
			require.Equal(t, a.Has(e.ID), e.Provider, "%s: %s", f.name, e.ID)
			if !e.Provider {
				continue
			}
			providers++
			idp, err := a.IdP(e.ID)
			usable := err == nil && canSignIn(t, idp)
			require.Equal(t, usable, e.Usable, "%s: %s: %v %v", f.name, e.ID, err, e.Problems)
			require.Equal(t, usable, len(e.Problems) == 0)
			verdicts[usable]++
		}
		require.GreaterOrEqual(t, providers, a.Len(), f.name)
	}
	t.Logf("usable or not: %v", verdicts)
	require.Greater(t, verdicts[true], 10)
	require.Greater(t, verdicts[false], 3)
}

// canSignIn asks a service provider, with the key of the peers', for a request. The strength of the identity provider's
// keys is not a part of that.
func canSignIn(t *testing.T, idp *saml.IdP) bool {
	t.Helper()
	own := peerSPKey()
	sp, err := saml.New(saml.Config{
		EntityID: "https://sp.example", ACS: []saml.Endpoint{{URL: "https://sp.example/acs"}}, IdP: idp,
		Key: own.key, Certificate: own.cert, SignRequests: true,
		Now: func() time.Time { return time.Date(2026, 11, 28, 12, 0, 0, 0, time.UTC) },
	})
	require.NoError(t, err)
	_, err = sp.NewAuthnRequest(saml.RequestOptions{})
	return err == nil
}
