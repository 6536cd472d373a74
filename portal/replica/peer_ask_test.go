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

// A counter passes questions on to a Region, and counts the messages and the questions in them.
type counter struct {
	up    *nats.Conn
	older bool // hides from the follower that the Region takes several questions in one message

	mu                  sync.Mutex
	messages, questions int
	inboxes             map[string]bool
}

func (c *counter) relay(down *nats.Conn, m *nats.Msg) {
	var q struct{ Also []json.RawMessage }
	_ = json.Unmarshal(m.Data, &q)
	c.mu.Lock()
	c.messages, c.questions = c.messages+1, c.questions+1+len(q.Also)
	c.inboxes[m.Reply] = true
	c.mu.Unlock()
	inbox := nats.NewInbox()
	inbox = "_PEER." + inbox[strings.LastIndex(inbox, ".")+1:]
	_, _ = c.up.Subscribe(inbox, func(a *nats.Msg) {
		if c.older {
			a.Data = []byte(strings.ReplaceAll(string(a.Data), `"joins":true,`, ``))
			a.Data = []byte(strings.ReplaceAll(string(a.Data), `,"joins":true`, ``))
		}
		_ = down.Publish(m.Reply, a.Data)
	})
	_ = c.up.PublishRequest(m.Subject, inbox, m.Data)
}

func (c *counter) counts() (messages, questions int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.messages, c.questions
}

// counted opens two Regions. The second asks the first through a counter.
func counted(t *testing.T, older bool) (us, eu *replica.Node, c *counter) {
	us, eu = open(t, configOf(virginia, t.TempDir())), open(t, configOf(frankfurt, t.TempDir()))
	up, err := nats.Connect(us.Addr(), nats.UserInfo("peer", secret), nats.CustomInboxPrefix("_PEER"))
	require.NoError(t, err)
	t.Cleanup(up.Close)
	s, err := server.NewServer(&server.Options{ServerName: "between", Port: server.RANDOM_PORT, Host: "127.0.0.1",
		NoSigs: true, NoLog: true})
	require.NoError(t, err)
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	require.True(t, s.ReadyForConnections(hang))
	down, err := nats.Connect(s.ClientURL(), nats.Timeout(hang))
	require.NoError(t, err)
	t.Cleanup(down.Close)
	c = &counter{up: up, older: older, inboxes: map[string]bool{}}
	_, err = down.Subscribe("meridian.follow.us-east-1", func(m *nats.Msg) { c.relay(down, m) })
	require.NoError(t, err)
	require.NoError(t, down.Flush())
	require.NoError(t, us.AddPeer(background(t), frankfurt, replica.Peer{URL: eu.Addr()}))
	require.NoError(t, eu.AddPeer(background(t), virginia, replica.Peer{URL: s.ClientURL()}))
	require.NoError(t, eu.Ready(background(t)))
	return us, eu, c
}

// While nothing changes, one message asks about all streams, and all answers come to one subscription.
func TestQuestionsAreJoined(t *testing.T) {
	t.Parallel()
	us, eu, c := counted(t, false)
	eventually(t, "messages with several questions", func() bool {
		messages, questions := c.counts()
		return messages > 20 && questions > 2*messages
	})
	signIn(t, us, "u-1", "s-1")
	require.NoError(t, us.Sessions().EndSignIn(background(t), "u-1", "signin-s-1", time.Time{}))
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
	c.mu.Lock()
	defer c.mu.Unlock()
	assert.Len(t, c.inboxes, 1)
}

// A Region of an older version gets single questions.
func TestAnOlderRegionGetsSingleQuestions(t *testing.T) {
	t.Parallel()
	us, eu, c := counted(t, true)
	signIn(t, us, "u-1", "s-1")
	eventually(t, "questions", func() bool { messages, _ := c.counts(); return messages > 60 })
	messages, questions := c.counts()
	assert.Equal(t, messages, questions)
	r, err := replica.Check(background(t), us, eu)
	require.NoError(t, err, r.String())
}

// Several questions in one message are answered if each is one that could be asked alone, by the same Region.
func TestWhichQuestionsCanBeJoined(t *testing.T) {
	t.Parallel()
	us := open(t, configOf(virginia, t.TempDir()))
	nc, _ := asPeer(t, us)
	const eu = `"from":"eu-central-1","format":1,"reads":1`
	one := func(line, more string) string { return fmt.Sprintf(`{"line":%q,"nonce":%q%s}`, line, line, more) }
	ask := func(also ...string) (nonces []string, failed string) {
		q := fmt.Sprintf(`{"line":"config","nonce":"config",%s,"also":[%s]}`, eu, strings.Join(also, ","))
		inbox := "_PEER.x" + fmt.Sprint(time.Now().UnixNano())
		sub, err := nc.SubscribeSync(inbox)
		require.NoError(t, err)
		defer func() { _ = sub.Unsubscribe() }()
		require.NoError(t, nc.PublishRequest("meridian.follow.us-east-1", inbox, []byte(q)))
		for len(nonces) < 1+len(also) {
			m, err := sub.NextMsg(hang)
			require.NoError(t, err)
			type answered struct{ Nonce, Error string }
			var a struct {
				answered
				Also []answered
			}
			require.NoError(t, json.Unmarshal(m.Data, &a))
			for _, one := range append(a.Also, a.answered) {
				if one.Error != "" {
					return nil, one.Error
				}
				nonces = append(nonces, one.Nonce)
			}
		}
		return nonces, ""
	}
	all, failed := ask(one("sessions", ","+eu), one("revoked", ","+eu))
	assert.Empty(t, failed)
	assert.ElementsMatch(t, []string{"config", "sessions", "revoked"}, all)
	for name, also := range map[string][]string{
		"another Region": {one("sessions", `,"from":"ap-south-1","format":1,"reads":1`)},
		"another format": {one("sessions", `,"from":"eu-central-1","format":2,"reads":2`)},
		"no stream":      {one("other", ","+eu)},
		"nested":         {one("sessions", ","+eu+`,"also":[`+one("revoked", ","+eu)+`]`)},
		"too many":       {one("sessions", ","+eu), one("revoked", ","+eu), one("config", ","+eu)},
		"too long":       {one("sessions", ","+eu+`,"store":"`+strings.Repeat("x", 2100)+`"`)},
	} {
		_, failed := ask(also...)
		assert.Equal(t, "not a question", failed, name)
	}
}
