package audit_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/audit"
)

func TestRule71EventsNameTheRegionThatHandledThem(t *testing.T) {
	r := newRegion(t, frankfurt)
	l := r.open()
	require.NoError(t, l.Access(context.Background(), signIn("ada@example.com")))
	ctx := audit.WithClient(context.Background(), "198.51.100.9:4711", "curl/8")
	l.Refused(ctx, audit.Event{Source: audit.SourceSignIn, Name: "ExternalIdPDirectoryLogin", ErrorCode: "Signature"})
	l.Flush()

	all, wrong := exported(t, l)
	require.Empty(t, wrong)
	got := named(all, "UserAuthentication")
	require.Len(t, got, 1)
	e := got[0]
	assert.Equal(t, frankfurt, e.Region)
	assert.Equal(t, "111122223333", e.Account)
	assert.Equal(t, "1.08", e.Version)
	assert.Equal(t, "AwsServiceEvent", e.Type)
	assert.Equal(t, start, e.Time)
	assert.Equal(t, "u-ada@example.com", e.Identity.OnBehalfOf.UserID)
	assert.Regexp(t, `^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$`, e.ID)
	refused := named(all, "ExternalIdPDirectoryLogin")
	require.Len(t, refused, 1)
	assert.Equal(t, "198.51.100.9", refused[0].ClientAddr, "without the port")
	assert.Equal(t, "curl/8", refused[0].UserAgent)
	assert.Equal(t, audit.TypeUnknown, refused[0].Identity.Type)

	for _, class := range []audit.Class{audit.Access, audit.Refusals} { // sealed: no name can be read
		for _, f := range r.files(class) {
			assert.NotContains(t, string(read(t, f)), "ada@example.com")
			assert.NotContains(t, string(read(t, f)), "eventName")
			info, err := os.Stat(f)
			require.NoError(t, err)
			assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
		}
	}
}

func TestEventsOutliveARestartAndDontReturnTwice(t *testing.T) {
	r := newRegion(t, virginia)
	for round := range 3 {
		l := r.open()
		require.NoError(t, l.Access(context.Background(), signIn(fmt.Sprintf("user-%d", round))))
		for range 2 { // the second has no effect, also in later rounds
			require.NoError(t, l.Once("config "+virginia, 7, audit.Event{Source: audit.SourceSSO, Name: "AddRegion"}))
		}
		require.NoError(t, l.Close())
		require.Equal(t, audit.ReasonClosed, reason(l.Access(context.Background(), signIn("late"))))
	}
	all, wrong := exported(t, r.open())
	require.Empty(t, wrong)
	assert.Len(t, named(all, "UserAuthentication"), 3)
	assert.Len(t, named(all, "AddRegion"), 1)
}

func TestASecondLogOfADirectoryIsRefused(t *testing.T) {
	r := newRegion(t, virginia)
	r.open()
	_, err := audit.Open(r.cfg)
	require.Equal(t, audit.ReasonLocked, reason(err))
}

func TestManyWaitingEventsShareOneFsync(t *testing.T) {
	r := newRegion(t, virginia)
	r.cfg.AccessPerHour = 1 << 20
	l := r.open()
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			for j := range 20 {
				assert.NoError(t, l.Access(context.Background(), signIn(fmt.Sprintf("user-%d-%d", i, j))))
			}
		})
	}
	wg.Wait()
	all, wrong := exported(t, l)
	require.Empty(t, wrong)
	require.Len(t, named(all, "UserAuthentication"), 1280)
	assert.Less(t, l.Blocks(audit.Access), 640, "blocks, each with one fsync")
}

// The escapes in JSON make each event one line; those of the package make it one line on any screen, too.
func TestClientsCantForgeLines(t *testing.T) {
	for _, attack := range []string{
		"x\n{\"eventName\":\"UserAuthentication\"}", "x\r\x1b[2J", "\xff\xfe\x80", "\u202egnp.exe", "\u2028\u2029\x00",
		strings.Repeat("a", 100_000), strings.Repeat("\xf0", 100_000), `"}],"errorCode":"`,
	} {
		r := newRegion(t, virginia)
		l := r.open()
		e := refusal(attack)
		e.UserAgent, e.ErrorCode, e.ErrorMessage, e.RequestID = attack, attack, attack, attack
		e.Identity = audit.User(attack, attack, attack)
		e.Additional = map[string]string{attack: attack, "IdP": attack}
		l.Refused(audit.WithClient(context.Background(), attack, attack), e)
		l.Flush()
		var b bytes.Buffer
		out, err := l.Export(context.Background(), &b, nil)
		require.NoError(t, err)
		require.Equal(t, out.Events, strings.Count(b.String(), "\n"))
		for _, bad := range []string{"\r", "\x1b", "\xff", "\u202e", "\u2028", "\x00"} {
			assert.NotContains(t, b.String(), bad)
		}
		all, _ := exported(t, l)
		got := named(all, "ExternalIdPDirectoryLogin")
		require.Len(t, got, 1)
		assert.Empty(t, named(all, "UserAuthentication"))
		assert.LessOrEqual(t, len(got[0].UserAgent), 520)
		require.NoError(t, l.Close())
	}
}

func TestEventsThatAreTooLargeOrNamelessAreRefused(t *testing.T) {
	l := newRegion(t, virginia).open()
	require.Equal(t, audit.ReasonEvent, reason(l.Change(context.Background(), audit.Event{Name: "AddRegion"})))
	large := audit.Event{Source: audit.SourceSSO, Name: "AddRegion"}
	for _, m := range []*map[string]string{&large.Request, &large.Response, &large.Additional, &large.Details} {
		*m = map[string]string{}
		for i := range 16 {
			(*m)[fmt.Sprint(i)] = strings.Repeat("a", 1000)
		}
	}
	require.Equal(t, audit.ReasonEvent, reason(l.Change(context.Background(), large)))
	many := make([]audit.Event, 3000)
	for i := range many {
		many[i] = signIn("ada")
	}
	require.Equal(t, audit.ReasonEvent, reason(l.Once("config", 1, many...)))
}

func TestFilesAreRotatedByAge(t *testing.T) {
	r := newRegion(t, virginia)
	l := r.open()
	for range 3 {
		require.NoError(t, l.Access(context.Background(), signIn("ada")))
		require.NoError(t, l.Access(context.Background(), signIn("ada")))
		r.clock.Advance(25 * time.Hour)
	}
	assert.Len(t, r.files(audit.Access), 3)
	all, wrong := exported(t, l)
	assert.Empty(t, wrong)
	assert.Len(t, named(all, "UserAuthentication"), 6)
}

// A disk without room: here the name of the next file is a directory.
func TestWhatCouldNotBeWrittenIsWrittenLater(t *testing.T) {
	r := newRegion(t, virginia)
	l := r.open()
	blocked := r.cfg.Dir + "/access-00000000000000000001.log"
	require.NoError(t, os.MkdirAll(blocked+"/x", 0o700))
	require.Equal(t, audit.ReasonUnavailable, reason(l.Access(context.Background(), signIn("ada"))))
	l.Tick()
	require.NotEmpty(t, l.Alerts())
	assert.Equal(t, "AuditNotWritten", l.Alerts()[0].Rule)
	require.NoError(t, os.RemoveAll(blocked))
	require.NoError(t, l.Access(context.Background(), signIn("grace")))
	all, wrong := exported(t, l)
	require.Empty(t, wrong)
	got := named(all, "UserAuthentication")
	require.Len(t, got, 2)
	assert.Equal(t, "ada", got[0].Identity.UserName, "in their order")
}

func TestConfig(t *testing.T) {
	good := newRegion(t, virginia).cfg
	for field, change := range map[string]func(*audit.Config){
		"Dir":               func(c *audit.Config) { c.Dir = "" },
		"Region":            func(c *audit.Config) { c.Region = "../eu" },
		"Sealer":            func(c *audit.Config) { c.Sealer = nil },
		"InsecurePlaintext": func(c *audit.Config) { c.InsecurePlaintext = true },
		"MaxChanges":        func(c *audit.Config) { c.MaxAccess = -1 },
		"RotateEvery":       func(c *audit.Config) { c.RotateEvery = -1 },
		"RefusalsPerHour":   func(c *audit.Config) { c.RefusalsPerHour = -1 },
		"Keys":              func(c *audit.Config) { c.Keys = []*audit.KeyUse{nil} },
		"Rules":             func(c *audit.Config) { c.Rules = []audit.Rule{{Name: "A", Value: "b"}} },
	} {
		cfg := good
		change(&cfg)
		_, err := audit.Open(cfg)
		require.Equal(t, audit.ReasonConfig, reason(err), field)
		require.ErrorContains(t, err, "Config."+field)
	}
	var none *audit.Log
	require.NoError(t, none.Access(context.Background(), signIn("ada")))
	require.NoError(t, none.Change(context.Background(), signIn("ada")))
	require.NoError(t, none.Once("a", 1, signIn("ada")))
	none.Refused(context.Background(), refusal(""))
	none.Observe("ready", virginia, 0)
	require.Empty(t, none.Alerts())
	require.NoError(t, none.Close())
}
