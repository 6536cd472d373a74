package replica_test

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/replica"
)

// A copy that lacks a message, without any local sign of it, differs from the digest that the owner
// states, and is read again.
func TestACopyThatLacksAMessageHeals(t *testing.T) {
	t.Parallel()
	w := newDamagedWorld(t)
	eu := open(t, configOf(frankfurt, w.euDir))
	replica.DropMessage(t, eu, "revoked_us-east-1")
	eu.Close()
	require.NoError(t, os.Remove(filepath.Join(w.euDir, "meridian.copies"))) // which would show it
	var log logged
	c := configOf(frankfurt, w.euDir)
	c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	us, eu := open(t, configOf(virginia, w.usDir)), open(t, c)
	assert.True(t, alive(t, eu, "s-out"), "it doesn't know better")
	mesh(t, us, eu)
	eventually(t, "the sign-out", func() bool { return !alive(t, eu, "s-out") })
	eventually(t, "to be heard", func() bool { return peerState(eu, virginia) == portal.PeerReplicated })
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	require.NoError(t, us.Ready(background(t)))
	assert.Equal(t, 1, log.count("a peer's log is not accepted"))
	eu.Close()
	eu = open(t, configOf(frankfurt, w.euDir))
	assert.Empty(t, replica.Compare(us.Digest(), eu.Digest()).Differences, "and reads the same from its own disk")
	mesh(t, us, eu)
	eventually(t, "to be heard", func() bool { return peerState(eu, virginia) == portal.PeerReplicated })
}

// A Region that lacks messages that it wrote, without a mark that shows it, is shown them by a
// copy.
func TestALogThatLacksAMessageIsFoundOutByACopy(t *testing.T) {
	t.Parallel()
	w := newDamagedWorld(t)
	us := open(t, configOf(virginia, w.usDir))
	replica.DropMessage(t, us, "revoked_us-east-1")
	us.Close()
	refusesToOpen(t, configOf(virginia, w.usDir))
	require.NoError(t, os.WriteFile(filepath.Join(w.usDir, "meridian.marks"), []byte("{}"), 0o600))
	us, eu := open(t, configOf(virginia, w.usDir)), open(t, configOf(frankfurt, w.euDir))
	require.NoError(t, us.AddPeer(background(t), frankfurt, replica.Peer{URL: eu.Addr()}))
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: us.Addr()}))
	stops(t, us)
	us.Close()
	w.sameAgain(t, recovered(t, configOf(virginia, w.usDir), eu), eu)
}

// K17: a claim without proof stops no Region. The owner logs it and goes on, and so do honest
// Regions.
func TestAPeerThatLiesAboutALogStopsNoRegion(t *testing.T) {
	t.Parallel()
	var log logged
	c := configOf(virginia, t.TempDir())
	c.Logger = slog.New(slog.NewTextHandler(&log, nil))
	us := open(t, c)
	eu := open(t, configOf(frankfurt, t.TempDir()))
	mesh(t, us, eu)
	nc, _ := asPeer(t, us)
	ask := func(question string) (a struct{ Store, Error string }) {
		m, err := nc.Request("meridian.follow.us-east-1", []byte(question), hang)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(m.Data, &a))
		return a
	}
	for _, l := range []string{"config", "sessions", "revoked"} {
		store := ask(fmt.Sprintf(`{"line":%q,"nonce":"n","from":%q,"format":1,"reads":1}`, l, frankfurt)).Store
		forged := `"proof":{"seq":1000000,"item":"` + strings.Repeat("A", 43) + `","token":"7.other.AAAA"}`
		for _, from := range []string{frankfurt, mumbai} {
			about := fmt.Sprintf(`{"line":%q,"nonce":"n","format":1,"reads":1,"from":%q,"store":%q`, l, from, store)
			assert.NotEmpty(t, ask(about+`,"after":1000000}`).Error, "ahead, and no more than said")
			assert.NotEmpty(t, ask(about+`,"after":1000000,`+forged+`}`).Error)
			assert.Empty(t, ask(about+`,"after":0,`+forged+`}`).Error)
			assert.Empty(t, ask(about+`,"after":0,"differs":true}`).Error)
			assert.Empty(t,
				ask(fmt.Sprintf(`{"line":%q,"nonce":"n","format":1,"reads":1,"from":%q,"store":"other","after":7}`, l, from)).Error)
		}
	}
	assert.NotZero(t, log.count("claim without a proof"), "it is reported")
	require.NoError(t, us.Ready(background(t)))
	require.NoError(t, us.Sessions().EndSignIn(background(t), "u-1", "after", time.Time{}))
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	eventually(t, "to be heard", func() bool { return peerState(eu, virginia) == portal.PeerReplicated })
	assert.Less(t, log.count("level=ERROR"), 20, "and not once a question")
}
