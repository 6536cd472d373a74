package portal_test

import (
	"encoding/pem"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/saml"
)

func bobOperates(c *portal.Config) {
	c.Operator = func(u center.User) bool { return u.UserName == "bob@example.com" }
}

func setActive(t *testing.T, w *world, active bool) {
	t.Helper()
	primary, err := w.inst.In("us-east-1")
	require.NoError(t, err)
	require.NoError(t, primary.Update(func(tx *center.Tx) error {
		return tx.PutUser(center.User{UserName: "alice@example.com", DisplayName: "Alice Adams", Inactive: !active})
	}))
}

func TestOperatorPageIsForOperators(t *testing.T) {
	w, _ := newShared(t, bobOperates)
	alice, bob := w.browser(), w.browser()
	home := w.signIn(alice, "https://"+frankfurt+"/", "alice@example.com")
	assert.NotContains(t, home.body, "/operator")
	requirePage(t, alice.click("https://"+frankfurt+"/operator"), http.StatusNotFound, "/operator", "Not found")
	assert.Contains(t, w.signIn(bob, "https://"+frankfurt+"/", "bob@example.com").body, `href="/operator"`)
	requirePage(t, bob.click("https://"+frankfurt+"/operator"), 200, "/operator", "Regions of this instance")

	noOperator := newWorld(t, nil)
	b := noOperator.browser()
	noOperator.signIn(b, "https://"+virginia+"/", "bob@example.com")
	requirePage(t, b.click("https://"+virginia+"/operator"), http.StatusNotFound, "/operator")
}

// Rules 26, 27, 32: the addresses of all Regions, the primary first, and the host names to allow in
// a firewall.
func TestOperatorPage(t *testing.T) {
	d := data()
	d.Regions[0].PortalURLs = append(d.Regions[0].PortalURLs, "https://us-east-1.portal.app.example")
	d.Regions = append(d.Regions,
		center.Region{Name: "ap-south-1", Status: center.RegionAdding},
		center.Region{Name: "sa-east-1", Status: center.RegionRemoving})
	peers := &heard{}
	w, _ := newSharedOf(t, d, func(c *portal.Config) { bobOperates(c); c.Replication = peers })
	now := w.clock.Now()
	peers.set(
		portal.Peer{Region: "ap-south-1", State: portal.PeerReplicating, Done: 250, Total: 1000, Heard: now},
		portal.Peer{Region: "us-east-1", State: portal.PeerReplicated, Heard: now.Add(-3 * time.Second),
			Lag: 4 * time.Millisecond, MaxLag: 1200 * time.Millisecond,
			ClockKnown: true, ClockAhead: -10 * time.Minute},
	)
	b := w.browser()
	w.signIn(b, "https://"+frankfurt+"/", "bob@example.com")
	a := b.click("https://" + frankfurt + "/operator")
	requirePage(t, a, 200, "/operator", "View ACS URLs", "View access portal URLs", "All URLs",
		"Download metadata file", `href="/metadata"`,
		"Active", "Being added", "250 of 1,000", "Being removed", "3 s ago", "4 ms", "1.2 s", "10m0s behind", "not measured")
	assert.NotContains(t, a.body, "<script>")

	acs, portals := textarea(t, a.body, "acs"), textarea(t, a.body, "portals")
	assert.Equal(t, []string{"https://" + virginia + acsPath, "https://" + frankfurt + acsPath}, acs)
	assert.Equal(t, []string{"https://" + virginia, "https://us-east-1.portal.app.example", "https://" + frankfurt},
		portals)
	for _, domain := range []string{virginia, frankfurt, "us-east-1.portal.app.example"} {
		assert.Contains(t, a.body, `<li class="mono">`+domain+`</li>`, "domain to allow")
	}
	assert.Less(t, strings.Index(a.body, `<span class="mono">us-east-1`),
		strings.Index(a.body, `<span class="mono">eu-central-1`), "the primary first")

	peers.set(portal.Peer{Region: "us-east-1", State: portal.PeerDamaged, Heard: now.Add(-time.Hour)})
	requirePage(t, b.click("https://"+frankfurt+"/operator"), 200, "/operator", "Damaged log")
}

// The page has what the SAML app at the identity provider asks for.
func TestOperatorPageHasCertificates(t *testing.T) {
	w := worldWithIdP(t)
	idp, err := saml.ParseIdPMetadata(w.idp.Metadata(""))
	require.NoError(t, err)
	key := testkit.RSAKey("sp")
	certificate := testkit.Certificate(key, w.clock.Now())
	w.open(data(), saml.Config{IdP: idp, Key: key, Certificate: certificate}, bobOperates, w.idp)
	b := w.browser()
	w.signIn(b, "https://"+frankfurt+"/", "bob@example.com")
	a := b.click("https://" + frankfurt + "/operator")
	requirePage(t, a, 200, "/operator", entityID+"</textarea>", "https://"+frankfurt+"/metadata</textarea>",
		`data-copy="certificate-0"`)
	want := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})
	assert.Contains(t, html.UnescapeString(a.body), string(want))
}

// A row shows a Region's current state, not the one before it was lost.
func TestOperatorRowOfALostRegion(t *testing.T) {
	peers := &heard{}
	w, _ := newShared(t, func(c *portal.Config) { bobOperates(c); c.Replication = peers })
	b := w.browser()
	w.signIn(b, "https://"+frankfurt+"/", "bob@example.com")
	row := func(state portal.PeerState, age time.Duration) string {
		peers.set(portal.Peer{Region: "us-east-1", State: state, Heard: w.clock.Now().Add(-age), Lag: 4 * time.Millisecond,
			MaxLag: 1200 * time.Millisecond})
		_, rest, ok := strings.Cut(b.click("https://"+frankfurt+"/operator").body, `<span class="mono">us-east-1</span>`)
		require.True(t, ok)
		text, _, _ := strings.Cut(rest, "</tr>")
		return strings.Join(strings.Fields(regexp.MustCompile(`<[^>]*>`).ReplaceAllString(text, " ")), " ")
	}
	assert.Equal(t, "N. Virginia Primary Active just now 4 ms 1.2 s not measured", row(portal.PeerReplicated, 0))
	assert.Equal(t, "N. Virginia Primary Lost since "+
		w.clock.Now().Add(-4*time.Minute).UTC().Format("2 January 2006, 15:04 UTC")+" 4 min ago unknown 1.2 s not measured",
		row(portal.PeerUnreachable, 4*time.Minute))
	assert.Equal(t, "N. Virginia Primary Behind by 40 s 40 s ago unknown 1.2 s not measured",
		row(portal.PeerReplicating, 40*time.Second), "it answers, but its changes do not arrive")
}

func textarea(t *testing.T, body, id string) []string {
	t.Helper()
	_, rest, ok := strings.Cut(body, `<textarea id="all-`+id+`"`)
	require.True(t, ok)
	_, rest, _ = strings.Cut(rest, ">")
	text, _, _ := strings.Cut(rest, "</textarea>")
	return strings.Split(text, "\n")
}

// Rule 65: the operators' page shows the table of tasks that everything else asks, and which column counts there.
func TestRule65OperatorPageShowsTheTableOfTasks(t *testing.T) {
	w, _ := newShared(t, bobOperates)
	for i, host := range []string{virginia, frankfurt} {
		b := w.browser()
		w.signIn(b, "https://"+host+"/", "bob@example.com")
		_, rest, ok := strings.Cut(b.click("https://"+host+"/operator").body, "View tasks by Region")
		require.True(t, ok)
		table, _, _ := strings.Cut(rest, "</tbody>")
		rows := strings.Split(table, "<tr>")[1:]
		require.Len(t, rows, 12)
		columns := strings.Split(rows[0], "</th>")
		assert.Contains(t, columns[1+i], "You are here")
		assert.NotContains(t, columns[2-i], "You are here")
		for k, row := range center.Tasks() {
			text := regexp.MustCompile(`<[^>]*>`).ReplaceAllString(rows[1+k], "|")
			assert.Equal(t, fmt.Sprintf("|%s||%s||%s||", row.Task, row.Primary, row.Additional), strings.TrimSpace(text))
		}
	}
}
