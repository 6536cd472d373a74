package audit_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/portal/audit"
	"github.com/meridian-saml/meridian/portal/keys"
)

const (
	virginia  = "us-east-1"
	frankfurt = "eu-central-1"
)

var start = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// TestMain runs this program as another one, which a test kills.
func TestMain(m *testing.M) {
	if dir := os.Getenv("AUDIT_TEST_WRITE"); dir != "" {
		writeUntilKilled(dir)
		return
	}
	testkit.Main(m)
}

// region has what a Region has: a Ring with a key, a directory and a clock.
type region struct {
	t      *testing.T
	clock  *testkit.Clock
	ring   *keys.Ring
	keyID  string
	use    *audit.KeyUse
	sealer *keys.Sealer
	cfg    audit.Config
	log    bytes.Buffer
}

func newRing(t testing.TB, name string, now func() time.Time) (*keys.Ring, string) {
	t.Helper()
	ring, err := keys.CreateRing(keys.RingConfig{
		Path: filepath.Join(t.TempDir(), "keys"), Region: name, Key: bytes.Repeat([]byte{7}, 32), Now: now,
	})
	require.NoError(t, err)
	k, err := ring.Create(keys.KeyConfig{Policy: keys.Allow("meridian")})
	require.NoError(t, err)
	return ring, k.ID
}

func newRegion(t *testing.T, name string) *region {
	t.Helper()
	r := &region{t: t, clock: testkit.NewClock(start)}
	r.ring, r.keyID = newRing(t, name, r.clock.Now)
	r.use = audit.UseKey(r.ring.Use(r.keyID, "meridian"), r.keyID, keys.Refused)
	var err error
	r.sealer, err = keys.NewSealer(keys.Config{Key: r.use, Instance: "ssoins-7223aaaabbbbcccc", Now: r.clock.Now})
	require.NoError(t, err)
	r.cfg = audit.Small(audit.Config{
		Dir: filepath.Join(t.TempDir(), "audit"), Region: name, Account: "111122223333", Sealer: r.sealer,
		Now: r.clock.Now, Logger: slog.New(slog.NewTextHandler(&r.log, nil)),
	})
	return r
}

func (r *region) open() *audit.Log {
	r.t.Helper()
	l, err := audit.Open(r.cfg)
	require.NoError(r.t, err)
	r.t.Cleanup(func() { require.NoError(r.t, l.Close()) })
	return l
}

func signIn(user string) audit.Event {
	return audit.Event{
		Source: audit.SourceSignIn, Name: "UserAuthentication", ClientAddr: "192.0.2.7", UserAgent: "Mozilla/5.0",
		Identity: audit.User("u-"+user, user, "0123456789abcdef"),
		Details:  map[string]string{"UserAuthentication": "Success"},
	}
}

func refusal(client string) audit.Event {
	return audit.Event{
		Source: audit.SourceSignIn, Name: "ExternalIdPDirectoryLogin", ClientAddr: client, ErrorCode: "Signature",
	}
}

// exported returns all events, and what is damaged.
func exported(t *testing.T, l *audit.Log) ([]audit.Event, []*audit.Error) {
	t.Helper()
	var b bytes.Buffer
	out, err := l.Export(context.Background(), &b, nil)
	require.NoError(t, err)
	var all []audit.Event
	for line := range strings.Lines(b.String()) {
		var e audit.Event
		require.NoError(t, json.Unmarshal([]byte(line), &e), line)
		all = append(all, e)
	}
	require.Len(t, all, out.Events)
	return all, out.Damage
}

func named(all []audit.Event, name string) (out []audit.Event) {
	for _, e := range all {
		if e.Name == name {
			out = append(out, e)
		}
	}
	return out
}

// files returns the files of a class, in order.
func (r *region) files(class audit.Class) []string {
	r.t.Helper()
	names, err := filepath.Glob(filepath.Join(r.cfg.Dir, string(class)+"-*.log"))
	require.NoError(r.t, err)
	return names
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return b
}

func reason(err error) audit.Reason {
	if e, ok := err.(*audit.Error); ok {
		return e.Reason
	}
	return ""
}
