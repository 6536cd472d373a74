package replica_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/replica"
)

// An answer never skips a message that was lost between the Region's server and its Node.
func TestAnswersHaveNoGaps(t *testing.T) {
	n, err := replica.Fill(200, 0)
	require.NoError(t, err)
	assert.Equal(t, 200, n)
	for _, lost := range []uint64{1, 2, 3, 40, 199} {
		_, err := replica.Fill(200, lost)
		require.ErrorIs(t, err, replica.ErrGap, "message %d", lost)
	}
	n, err = replica.Fill(200, 200)
	require.NoError(t, err)
	assert.Equal(t, 199, n, "the last one stays pending, and is asked for next")
}

// A liar is between two Regions. Before an answer with news of what ends sessions it
// once sends one without.
type liar struct {
	own bool       // with the question's nonce, and not from where it asked
	up  *nats.Conn // to the peer

	mu   sync.Mutex
	lied map[uint64]bool // by the sequence of the news
}

func (l *liar) relay(m *nats.Msg) {
	var q struct {
		Line, Nonce string
		After       uint64
	}
	var a struct {
		Store    string
		Messages []struct{ Seq uint64 }
	}
	got, err := l.up.Request(m.Subject, m.Data, hang)
	if err != nil || json.Unmarshal(m.Data, &q) != nil || json.Unmarshal(got.Data, &a) != nil {
		return
	}
	// The peer looks like one that joins no questions, so that each is about one stream.
	var plain map[string]json.RawMessage
	if json.Unmarshal(got.Data, &plain) != nil {
		return
	}
	delete(plain, "joins")
	if got.Data, err = json.Marshal(plain); err != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if news := len(a.Messages); q.Line == "revoked" && news > 0 && !l.lied[a.Messages[news-1].Seq] {
		last := a.Messages[news-1].Seq
		l.lied[last] = true
		nonce, after := "another", q.After
		if l.own {
			nonce, after = q.Nonce, last
		}
		_ = m.Respond(fmt.Appendf(nil, `{"nonce":%q,"store":%q,"after":%d,"last":%d,"format":1,"reads":1}`, nonce, a.Store,
			after, last))
	}
	_ = m.Respond(got.Data)
}

func (l *liar) lies() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.lied)
}

// Answers to other questions, and incomplete ones, are ignored: no revocation is missed.
func TestAnswersToOtherQuestionsDontCount(t *testing.T) {
	t.Parallel()
	for _, own := range []bool{false, true} {
		us := open(t, configOf(virginia, t.TempDir()))
		eu := open(t, configOf(frankfurt, t.TempDir()))
		up, _ := asPeer(t, us)
		s, err := server.NewServer(&server.Options{ServerName: "between", Port: server.RANDOM_PORT, Host: "127.0.0.1",
			NoSigs: true, NoLog: true})
		require.NoError(t, err)
		s.Start()
		t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
		require.True(t, s.ReadyForConnections(hang))
		down, err := nats.Connect(s.ClientURL(), nats.Timeout(hang))
		require.NoError(t, err)
		t.Cleanup(down.Close)
		l := &liar{own: own, up: up, lied: map[uint64]bool{}}
		_, err = down.Subscribe("meridian.follow.us-east-1", func(m *nats.Msg) { go l.relay(m) })
		require.NoError(t, err)
		require.NoError(t, down.Flush())
		require.NoError(t, us.AddPeer(background(t), frankfurt, replica.Peer{URL: eu.Addr()}))
		require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: s.ClientURL()}))
		require.NoError(t, eu.Ready(background(t)))
		for i := range 3 {
			require.NoError(t, us.Sessions().EndSignIn(background(t), "u-1", fmt.Sprint(i), time.Time{}))
			eventually(t, "a lie", func() bool { return l.lies() > i })
		}
		r, err := replica.Check(background(t), us, eu)
		require.NoError(t, err, "its own nonce: %v; %s", own, r)
	}
}

// Only the Node that is asked sees a question: its nonce authenticates the answer.
func TestPeersDontSeeQuestions(t *testing.T) {
	us := open(t, configOf(virginia, t.TempDir()))
	for _, subject := range []string{"meridian.follow.us-east-1", "meridian.follow.*", "meridian.>", ">", "*.>"} {
		nc, _ := asPeer(t, us)
		sub, err := nc.SubscribeSync(subject)
		require.NoError(t, err)
		require.NoError(t, nc.Flush())
		require.ErrorContains(t, nc.LastError(), "Permissions Violation", subject)
		require.NoError(t, nc.PublishRequest("meridian.follow.us-east-1", "_PEER.x", []byte(`{}`)))
		require.NoError(t, nc.Flush())
		queued, _, err := sub.Pending()
		require.True(t, err != nil || queued == 0, subject)
	}
}

// A peer can't take more of a server than a follower needs.
func TestPeersTakeLittle(t *testing.T) {
	t.Parallel()
	us := open(t, configOf(virginia, t.TempDir()))
	nc, _ := asPeer(t, us)
	var wg sync.WaitGroup
	for range 10 * replica.MaxReading {
		wg.Go(func() {
			m, err := nc.Request("meridian.follow.us-east-1",
				[]byte(`{"line":"config","from":"eu-central-1","nonce":"n","format":1,"reads":1}`), hang)
			if assert.NoError(t, err) {
				assert.Contains(t, string(m.Data), `{"nonce":"n","store":"`)
				assert.Contains(t, string(m.Data), `"messages":[`)
			}
		})
	}
	wg.Wait()
	m, err := nc.Request("meridian.follow.us-east-1",
		fmt.Appendf(nil, `{"line":"config","from":"eu-central-1","nonce":%q,"format":1,"reads":1}`,
			strings.Repeat("x", 2000)), hang)
	require.NoError(t, err)
	assert.Contains(t, string(m.Data), `"error":"not a question"`)

	_, err = nc.Subscribe("_PEER"+strings.Repeat(".x", 10), func(*nats.Msg) {})
	require.NoError(t, err)
	require.NoError(t, nc.Flush())
	require.Error(t, nc.LastError(), "too many tokens")
	greedy, _ := asPeer(t, us)
	for i := range replica.MaxSubs + 1 {
		_, err := greedy.Subscribe(fmt.Sprint("_PEER.", i), func(*nats.Msg) {})
		require.NoError(t, err)
	}
	eventually(t, "a refusal", func() bool { _ = greedy.Flush(); return greedy.LastError() != nil })
	assert.ErrorContains(t, greedy.LastError(), "maximum subscriptions exceeded")
}

// A message that is too large for an answer is refused at once, and any other arrives: none blocks
// later ones.
func TestLargeMessagesDontStopALine(t *testing.T) {
	us := open(t, configOf(virginia, t.TempDir()))
	eu := open(t, configOf(frankfurt, t.TempDir()))
	mesh(t, us, eu)
	s := session("u-1", "s-1", nil)
	s.Host = strings.Repeat("h", replica.MaxSealed)
	var e *replica.Error
	require.ErrorAs(t, us.Sessions().Create(background(t), "key-s-1", s), &e)
	assert.Equal(t, replica.ReasonTooLarge, e.Reason)
	s.Host = s.Host[:replica.MaxSealed-1000]
	for i := range 5 {
		require.NoError(t, us.Sessions().Create(background(t), fmt.Sprint("key-large-", i), s))
	}
	signIn(t, us, "u-1", "after")
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	assert.True(t, alive(t, eu, "after") && alive(t, eu, "large-4"))
}
