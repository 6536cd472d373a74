package replica_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
)

const (
	virginia  = "us-east-1" // the primary
	frankfurt = "eu-central-1"
	mumbai    = "ap-south-1"
	secret    = "a secret of the three Regions"
)

// hang bounds every wait of a test; nothing comes near it unless it is broken.
const hang = 3 * time.Minute

func background(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), hang)
	t.Cleanup(cancel)
	return ctx
}

func seed(regions ...string) center.Data {
	d := center.Data{
		Users: []center.User{
			{ID: "u-1", UserName: "alice@example.com"},
			{ID: "u-2", UserName: "bob@example.com"},
		},
		Groups:         []center.Group{{ID: "g-1", Name: "Developers", Members: []string{"u-1", "u-2"}}},
		PermissionSets: []center.PermissionSet{{Name: "ReadOnly"}},
		Accounts:       []center.Account{{ID: "111111111111", Name: "Production"}},
		Assignments: []center.Assignment{{Principal: center.GroupPrincipal("g-1"), AccountID: "111111111111",
			PermissionSet: "ReadOnly"}},
	}
	for _, r := range regions {
		d.Regions = append(d.Regions, center.Region{Name: r})
	}
	return d
}

func logger() *slog.Logger {
	level := slog.LevelError
	if os.Getenv("MERIDIAN_TEST_LOG") != "" {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
}

func configOf(region, dir string) replica.Config {
	c := replica.Config{
		Region: region, Primary: virginia, Dir: dir, Listen: "127.0.0.1:0", Secret: secret,
		Heartbeat: 50 * time.Millisecond, CodeWait: hang, Logger: logger(), InsecurePlaintext: true,
	}
	if region == virginia {
		c.Seed = seed(virginia, frankfurt, mumbai)
	}
	return c
}

func open(t testing.TB, c replica.Config) *replica.Node {
	t.Helper()
	n, err := replica.Open(background(t), c)
	require.NoError(t, err)
	t.Cleanup(n.Close)
	return n
}

// mesh makes every Node follow every other.
func mesh(t testing.TB, nodes ...*replica.Node) {
	t.Helper()
	for _, a := range nodes {
		for _, b := range nodes {
			if a != b {
				require.NoError(t, a.AddPeer(background(t), b.Region(), replica.Peer{URL: b.Addr()}))
			}
		}
	}
	for _, n := range nodes {
		require.NoError(t, n.Ready(background(t)))
	}
}

// three opens all three Regions.
func three(t testing.TB) (us, eu, ap *replica.Node) {
	t.Helper()
	us = open(t, configOf(virginia, t.TempDir()))
	eu = open(t, configOf(frankfurt, t.TempDir()))
	ap = open(t, configOf(mumbai, t.TempDir()))
	mesh(t, us, eu, ap)
	return us, eu, ap
}

// eventually waits on a condition. It looks more and more seldom, as other tests
// run at the same time.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	pause := time.Millisecond
	for deadline := time.Now().Add(hang); !ok(); pause = min(2*pause, 20*time.Millisecond) {
		if time.Now().After(deadline) {
			require.Fail(t, "waited too long", what)
		}
		time.Sleep(pause)
	}
}

func putUser(u center.User) func(*center.Tx) error {
	return func(tx *center.Tx) error { return tx.PutUser(u) }
}

func session(user, id string, epoch sessions.Epoch) sessions.Session {
	now := time.Now()
	return sessions.Session{ID: id, SignIn: "signin-" + id, UserID: user, UserName: user, Region: virginia, Created: now,
		Seen: now, Expires: now.Add(time.Hour), Epoch: epoch}
}

// at makes it a session that lives in the Node's Region.
func at(n *replica.Node, s sessions.Session) sessions.Session {
	s.Region = n.Region()
	return s
}

// signIn makes a session as a portal does.
func signIn(t testing.TB, n *replica.Node, user, id string) {
	t.Helper()
	e, err := n.Sessions().Epoch(background(t), user)
	require.NoError(t, err)
	require.NoError(t, n.Sessions().Create(background(t), "key-"+id, at(n, session(user, id, e))))
}

// alive says whether a Node lets the session in.
func alive(t testing.TB, n *replica.Node, id string) bool {
	t.Helper()
	_, err := n.Sessions().Get(background(t), "key-"+id)
	if errors.Is(err, sessions.ErrNoSession) {
		return false
	}
	require.NoError(t, err)
	return true
}

// holds checks that a Region knows all that was acknowledged.
func holds(t testing.TB, d replica.Digest, acked map[string]bool) {
	t.Helper()
	for what := range acked {
		if _, known := d.Items[what]; !known {
			assert.Fail(t, "acknowledged, and missing", what)
		}
	}
}

func userName(i int) string { return fmt.Sprintf("user%d@example.com", i) }
