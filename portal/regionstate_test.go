package portal_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
)

// A Region that is lost, behind or not heard isn't called active: neither in the table of Regions, nor on its own page,
// nor where users change the Region.
func TestALostRegionIsNotCalledActive(t *testing.T) {
	peers := &heard{}
	w, _ := newShared(t, func(c *portal.Config) { bobOperates(c); c.Replication = peers })
	b := w.browser()
	w.signIn(b, "https://"+frankfurt+"/", "bob@example.com")
	at := w.clock.Now().Add(-4 * time.Minute)
	since := at.UTC().Format("2 January 2006, 15:04 UTC")
	for _, c := range []struct {
		peer    portal.Peer
		want    string
		notable bool
	}{
		{portal.Peer{State: portal.PeerReplicated, Heard: w.clock.Now()}, "Active", false},
		{portal.Peer{State: portal.PeerUnreachable, Heard: at}, "Lost since " + since, true},
		{portal.Peer{State: portal.PeerUnreachable}, "Not heard yet", true},
		{portal.Peer{State: portal.PeerIncompatible, Heard: at}, "No data since " + since, true},
		{portal.Peer{State: portal.PeerReplicating, Heard: w.clock.Now().Add(-40 * time.Second)}, "Behind by 40 s", true},
	} {
		c.peer.Region = "us-east-1"
		peers.set(c.peer)
		table := tagless(b.click("https://" + frankfurt + "/operator").body)
		row := between(t, table, "Delay Longest delay Clock", "eu-central-1 Frankfurt")
		assert.Contains(t, row, "N. Virginia Primary "+c.want)
		page := tagless(b.click("https://" + frankfurt + "/operator/regions/us-east-1").body)
		assert.Equal(t, !c.notable, between(t, page, "Status: ", "ACS URLs") == "Replicated ACTIVE ", page)
		menu, side := between(t, page, "Region eu-central-1", "Sessions"), between(t, page, "Regions Your", "Status:")
		for _, part := range []string{menu, side} {
			assert.Equal(t, c.notable, strings.Contains(part, c.want), "%s in %s", c.want, part)
		}
		if c.notable {
			assert.NotContains(t, row, "Active")
			assert.Contains(t, between(t, page, "Status: ", "ACS URLs"), c.want)
		}
	}
}

var tag = regexp.MustCompile(`<[^>]*>`)

// tagless returns the text of a page.
func tagless(body string) string {
	return strings.Join(strings.Fields(tag.ReplaceAllString(body, " ")), " ")
}

func between(t *testing.T, text, from, to string) string {
	t.Helper()
	_, rest, ok := strings.Cut(text, from)
	require.True(t, ok, "%q in %s", from, text)
	part, _, ok := strings.Cut(rest, to)
	require.True(t, ok, "%q in %s", to, rest)
	return part
}
