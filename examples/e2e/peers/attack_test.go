package peers_test

import (
	"bytes"
	"crypto/rsa"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/attack/run"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// attackIdP is the identity provider of all attacks.
var attackIdP = sync.OnceValue(func() *run.IdP {
	idp, err := run.NewIdP()
	if err != nil {
		panic(err)
	}
	return idp
})

// TestAttackPeers runs the attack tool against other vendors' service
// providers. It does not check their verdicts on attacks. It checks that the
// tool works with each of them and distinguishes acceptance from refusal.
//
// All attacks against all of them take an hour. With
// MERIDIAN_ATTACK_RESULTS, a folder, it runs all and writes the reports there, or
// those of MERIDIAN_ATTACK_ONLY, IDs with blanks between them. Without, it runs a
// few rows. A host that has stopped answering is started again
// for the remaining attacks.
func TestAttackPeers(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(spHosts)) {
		t.Run(name, func(t *testing.T) { attackPeer(t, name) })
	}
}

func attackPeer(t *testing.T, name string) {
	results := os.Getenv("MERIDIAN_ATTACK_RESULTS")
	var report *run.Report
	if results == "" {
		report = attackHost(t, name, []string{"A03", "B01", "B36", "D01/other-browser", "D34"})
	} else {
		report = attackHosts(t, name)
	}
	var text bytes.Buffer
	require.NoError(t, report.WriteText(&text))
	if results != "" {
		keepReport(t, filepath.Join(results, name), report, text.Bytes())
	}
	require.True(t, slices.ContainsFunc(report.Good, func(g run.RunResult) bool { return g.Verdict == run.Accepted }),
		"no good response is accepted:\n%s", &text)
	for _, x := range report.Results {
		if x.ID == "B01" || x.ID == "B36" {
			assert.Equal(t, run.Refused, x.Verdict, "%s: %s", x.ID, x.Reason)
		}
	}
}

// attackHosts starts a host until all attacks were run.
func attackHosts(t *testing.T, name string) *run.Report {
	var all *run.Report
	left := strings.Fields(os.Getenv("MERIDIAN_ATTACK_ONLY")) // nil: everything
	for done := false; !done; done = len(left) == 0 {
		started := "from the start"
		if all != nil {
			started = "from " + left[0]
		}
		require.True(t, t.Run(started, func(t *testing.T) { // with it ends the host
			report := attackHost(t, name, left)
			if all == nil {
				all = report
				return
			}
			all.Merge(report)
		}))
		if all == nil {
			testkit.Lacking(t, "peers", name+" is not there to be attacked")
		}
		rest := all.Rest()
		require.True(t, started == "from the start" || len(rest) < len(left), "%s gets no further than %v", name, rest)
		left = rest
	}
	return all
}

// describe sets the addresses for logout and for artifacts to those in a host's metadata.
func describe(t *testing.T, to *run.Target, h *spHost) {
	t.Helper()
	doc, err := to.Fetch(t.Context(), h.Metadata)
	if err != nil {
		t.Logf("%s has no metadata: %v", h.Name, err)
		return
	}
	var m run.Target
	require.NoError(t, m.UseMetadata(doc), h.Name)
	to.Logout, to.ArtifactACS = m.Logout, m.ArtifactACS
}

// calledIdP is the identity provider of all attacks, with a back channel that a host can call.
func calledIdP(t *testing.T) (*run.IdP, *run.BackChannel) {
	t.Helper()
	channel := new(run.BackChannel)
	server := httptest.NewServer(channel)
	t.Cleanup(server.Close)
	idp := *attackIdP()
	idp.BackChannel = server.URL + "/soap"
	return &idp, channel
}

// attackHost starts a host and attacks it.
func attackHost(t *testing.T, name string, only []string) *run.Report {
	idp, channel := calledIdP(t)
	metadata, err := idp.Metadata()
	require.NoError(t, err)
	h := startHost(t, name, metadata)
	if os.Getenv("MERIDIAN_ATTACK_RESULTS") == "" {
		checkDiscovery(t, h, idp)
	}
	to := run.Target{
		Login: h.Login, ACS: h.ACS[0], EntityID: h.EntityID, Probe: h.Probe, Identity: regexp.MustCompile(h.Identity),
		IdP: idp, BackChannel: channel,
		EncryptTo: peerSPKey().cert.PublicKey.(*rsa.PublicKey), Timeout: 20 * time.Second, Only: only,
		Recovery: 20 * time.Second, // attackHosts starts another
	}
	if len(h.ACS) > 1 {
		to.OtherACS = h.ACS[1]
	}
	describe(t, &to, h)
	report, err := run.Run(t.Context(), to)
	require.NoError(t, err)
	t.Logf("%s %s: %s", name, h.Version, report.Summary())
	return report
}

func keepReport(t *testing.T, path string, report *run.Report, text []byte) {
	t.Helper()
	var all bytes.Buffer
	require.NoError(t, report.WriteJSON(&all))
	require.NoError(t, os.WriteFile(path+".json", all.Bytes(), 0o600))
	require.NoError(t, os.WriteFile(path+".txt", text, 0o600))
}
