package audit_test

import (
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/audit"
)

func size(t *testing.T, files []string) (total int64) {
	for _, f := range files {
		info, err := os.Stat(f)
		require.NoError(t, err)
		total += info.Size()
	}
	return total
}

// count adds the numbers in events of counts.
func count(t *testing.T, all []audit.Event, key string) (total int) {
	for _, e := range named(all, "MoreNotWritten") {
		if e.Additional[key] != "" {
			n, err := strconv.Atoi(e.Additional[key])
			require.NoError(t, err)
			total += n
		}
	}
	return total
}

func TestInvariant17RefusalsAreBoundedByClient(t *testing.T) {
	r := newRegion(t, virginia)
	l := r.open()
	attack := map[string]func(i int) string{
		"one address":     func(int) string { return "198.51.100.9:1234" },
		"one /64":         func(i int) string { return fmt.Sprintf("[2001:db8:1:1::%x]:443", i) },
		"one /48":         func(i int) string { return fmt.Sprintf("2001:db8:2:%x::1", i%65536) },
		"no address":      func(int) string { return "" },
		"IPv4 in IPv6":    func(int) string { return "::ffff:203.0.113.4" },
		"the same in /32": func(int) string { return "203.0.113.4:99" },
	}
	for _, client := range attack {
		for i := range 3000 {
			l.Refused(t.Context(), refusal(client(i)))
		}
	}
	l.Refused(audit.WithClient(t.Context(), "192.0.2.1", ""), audit.Event{
		Source: audit.SourceSignIn, Name: "Innocent", ErrorCode: "Expired",
	})
	l.Tick()
	l.Flush()
	all, wrong := exported(t, l)
	require.Empty(t, wrong)
	got := len(named(all, "ExternalIdPDirectoryLogin"))
	assert.Less(t, got, 800, "written of 18,000")
	assert.Len(t, named(all, "Innocent"), 1, "a client that did nothing is not affected")
	assert.Equal(t, 18000, got+count(t, all, "count"), "nothing is missing from the counts")
	assert.Equal(t, 18000-got, count(t, all, "reason Signature"))

	r.clock.Advance(time.Hour)
	l.Refused(t.Context(), refusal("198.51.100.9"))
	l.Flush()
	all, _ = exported(t, l)
	assert.Len(t, named(all, "ExternalIdPDirectoryLogin"), got+1)
}

// However many clients an attacker has, refusals take their own room only.
func TestRefusalsDisplaceNothingElse(t *testing.T) {
	r := newRegion(t, virginia)
	r.cfg.MaxRefusals, r.cfg.RefusalsPerHour = 64<<10, 1<<30
	l := r.open()
	require.NoError(t, l.Access(t.Context(), signIn("ada")))
	require.NoError(t, l.Change(t.Context(), audit.Event{Source: audit.SourceSSO, Name: "AddRegion"}))
	for i := range 4000 {
		l.Refused(t.Context(), refusal(fmt.Sprintf("10.0.%d.%d", i/256, i%256)))
		if i%100 == 99 {
			l.Flush()
		}
	}
	l.Flush()
	all, wrong := exported(t, l)
	require.Empty(t, wrong)
	assert.Len(t, named(all, "UserAuthentication"), 1)
	assert.Len(t, named(all, "AddRegion"), 1)
	assert.Empty(t, named(all, "AuditEventsLost"), "their own removal is no news")
	assert.Less(t, size(t, r.files(audit.Refusals)), int64(80<<10))
	assert.Greater(t, len(named(all, "ExternalIdPDirectoryLogin")), 50)
}

func TestOneUserCantDisplaceTheEventsOfOthers(t *testing.T) {
	r := newRegion(t, virginia)
	r.cfg.AccessPerHour = 10
	l := r.open()
	for range 50 {
		require.NoError(t, l.Access(t.Context(), signIn("ada")))
	}
	require.NoError(t, l.Access(t.Context(), signIn("grace")))
	l.Tick()
	l.Flush()
	all, _ := exported(t, l)
	assert.Len(t, named(all, "UserAuthentication"), 11)
	assert.Equal(t, 40, count(t, all, "user u-ada"))
}

// An additional Region that an attacker controls writes changes without end. They displace no events of another class,
// and none of another Region within the hour.
func TestRule70AnAdditionalRegionCantDisplaceOtherEvents(t *testing.T) {
	r := newRegion(t, virginia)
	r.cfg.RemotePerHour, r.cfg.MaxChanges = 10, 32<<10
	l := r.open()
	put := audit.Event{Source: audit.SourceSSO, Name: "PutApplication", Additional: map[string]string{
		"OriginRegion": frankfurt,
	}}
	require.NoError(t, l.Change(t.Context(), audit.Event{Source: audit.SourceSSO, Name: "AddRegion"}))
	require.NoError(t, l.Remote("ap-south-1", "config ap-south-1", 1, audit.Event{Source: audit.SourceSSO, Name: "Other"}))
	require.NoError(t, l.Remote(frankfurt, "config "+frankfurt, 1, put, put, put, put, put, put, put, put, put, put, put))
	for at := range uint64(300) {
		require.NoError(t, l.Remote(frankfurt, "config "+frankfurt, 2+at, put))
	}
	l.Tick()
	l.Flush()
	check := func() {
		all, wrong := exported(t, l)
		require.Empty(t, wrong)
		assert.Len(t, named(all, "PutApplication"), 10)
		assert.Len(t, named(all, "AddRegion"), 1)
		assert.Len(t, named(all, "Other"), 1)
		assert.Equal(t, 301, count(t, all, "region "+frankfurt))
		assert.Equal(t, uint64(11), l.Reached("config "+frankfurt))
	}
	check()
	require.NoError(t, l.Close())
	l = r.open()
	require.NoError(t, l.Remote(frankfurt, "config "+frankfurt, 11, put), "once, also after a restart")
	check()
	r.clock.Advance(time.Hour)
	require.NoError(t, l.Remote(frankfurt, "config "+frankfurt, 400, put))
	require.NoError(t, l.Remote(frankfurt, "config "+frankfurt, 0, put), "a late one has no position")
	require.Equal(t, uint64(400), l.Reached("config "+frankfurt))
	all, _ := exported(t, l)
	assert.Len(t, named(all, "PutApplication"), 12)
}

func TestTheOldestGoWhenAClassIsFull(t *testing.T) {
	for _, export := range []bool{true, false} {
		t.Run(fmt.Sprint("exported ", export), func(t *testing.T) {
			r := newRegion(t, virginia)
			r.cfg.MaxAccess, r.cfg.AccessPerHour = 32<<10, 1<<20
			var began []audit.Alert
			r.cfg.OnAlert = func(a audit.Alert) { began = append(began, a) }
			l := r.open()
			for i := range 120 {
				require.NoError(t, l.Access(t.Context(), signIn(fmt.Sprint(i))))
				l.Tick()
				if export {
					all, err := l.Export(t.Context(), discard{}, nil)
					require.NoError(t, err)
					require.NoError(t, l.Exported(all.Next))
				}
			}
			l.Flush()
			assert.Less(t, size(t, r.files(audit.Access)), int64(40<<10))
			all, wrong := exported(t, l)
			require.Empty(t, wrong)
			users := named(all, "UserAuthentication")
			assert.Equal(t, "119", users[len(users)-1].Identity.UserName)
			assert.NotEqual(t, "0", users[0].Identity.UserName)
			if export {
				assert.Empty(t, named(all, "AuditEventsLost"))
				assert.Empty(t, began)
				return
			}
			lost := named(all, "AuditEventsLost")
			require.NotEmpty(t, lost)
			assert.Equal(t, "access", lost[0].Additional["class"])
			require.NotEmpty(t, began)
			assert.Equal(t, "AuditNotExported", began[0].Rule, "before the first is lost")
		})
	}
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

func TestExportedSurvivesARestartAndIsChecked(t *testing.T) {
	r := newRegion(t, virginia)
	l := r.open()
	require.NoError(t, l.Access(t.Context(), signIn("ada")))
	require.Equal(t, audit.ReasonConfig, reason(l.Exported(audit.Position{audit.Access: 99})))
	out, err := l.Export(t.Context(), discard{}, nil)
	require.NoError(t, err)
	require.NoError(t, l.Exported(out.Next))
	require.NoError(t, l.Access(t.Context(), signIn("grace")))
	require.NoError(t, l.Close())
	l = r.open()
	more, err := l.Export(t.Context(), discard{}, out.Next)
	require.NoError(t, err)
	assert.Equal(t, out.Next[audit.Access]+1, more.Next[audit.Access])
}
