package replica_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
	"github.com/meridian-saml/meridian/portal/residency"
)

// kindsOf reads from a message on a disk which kinds of data it has. It knows nothing of the report.
func kindsOf(t *testing.T, m replica.Stored) (out []residency.Kind) {
	t.Helper()
	if strings.HasPrefix(m.Stream, "removed_") {
		assert.Regexp(t, `^\{"region":"[a-z0-9-]+","stamp":\d+\}$`, m.Body, "it isn't sealed, and names no user")
		return []residency.Kind{residency.Positions}
	}
	if !strings.HasPrefix(m.Stream, "KV_config_") {
		about := strings.Split(m.Subject, ".")[3]
		kind, known := map[string]residency.Kind{
			"session": residency.Sessions, "seen": residency.Sessions, "ended": residency.Sessions, "code": residency.Codes,
			"taken": residency.Codes, "shortcuts": residency.Shortcuts, "id": residency.Revocations,
			"signin": residency.Revocations, "everyone": residency.Revocations, "logout": residency.Logouts,
		}[about]
		if about == "probe" || about == "padding" {
			return nil
		}
		require.True(t, known, m.Subject)
		return append(out, kind)
	}
	var tx struct {
		Records []struct{ K string } `json:"records"`
	}
	require.NoError(t, json.Unmarshal([]byte(m.Body), &tx), m.Subject)
	for _, r := range tx.Records {
		kind, known := map[string]residency.Kind{
			"user": residency.Users, "group": residency.Groups, "assignment": residency.Assignments,
			"application": residency.Applications, "parkedApplication": residency.Applications,
			"region": residency.Configuration, "permissionSet": residency.Configuration,
			"account": residency.Configuration, "instance": residency.Configuration,
		}[r.K]
		if known {
			out = append(out, kind)
		}
	}
	return out
}

// Rule 72: the report of where data is agrees with the disks of all Regions, opened with each Region's own key. It has
// everything that is there and nothing else, of Regions that serve and of one that was removed.
func TestRule72TheReportAgreesWithTheDisks(t *testing.T) {
	t.Parallel()
	k := newKeyring(t, virginia, frankfurt, mumbai)
	dirs, nodes := map[string]string{}, map[string]*replica.Node{}
	for _, region := range []string{virginia, frankfurt, mumbai} {
		dirs[region] = t.TempDir()
		nodes[region] = open(t, k.config(t, region, dirs[region]))
	}
	us, eu, ap := nodes[virginia], nodes[frankfurt], nodes[mumbai]
	mesh(t, us, eu, ap)
	plant(t, us)
	for _, n := range []*replica.Node{eu, ap} {
		require.NoError(t, n.View().Update(func(tx *center.Tx) error {
			return tx.PutApplication(center.Application{ID: n.Region(), Name: "a", URL: "https://a.example", Region: n.Region(),
				AssignedTo: []center.Principal{center.UserPrincipal("u-1")}})
		}))
		signIn(t, n, "u-1", "s-"+n.Region())
		require.NoError(t, n.Sessions().RevokeUser(background(t), "u-2"))
	}
	agree := func(live ...*replica.Node) residency.Report {
		t.Helper()
		r, err := replica.Check(background(t), live...)
		require.NoError(t, err, r.String())
		var all [][]residency.Place
		for _, n := range live {
			places, err := n.Residency(background(t))
			require.NoError(t, err)
			all = append(all, places)
			seen := agreesWithDisk(t, n, dirs[n.Region()], places)
			for _, kind := range []residency.Kind{residency.Users, residency.Groups, residency.Assignments,
				residency.Applications, residency.Configuration, residency.Sessions, residency.Codes, residency.Shortcuts,
				residency.Revocations, residency.Logouts} { // otherwise nothing was compared
				assert.True(t, seen[kind], "%s in %s", kind, n.Region())
			}
		}
		return residency.New(all...)
	}
	report := agree(us, eu, ap)
	for _, kind := range []residency.Kind{residency.Users, residency.Sessions, residency.Logouts, residency.Shortcuts} {
		assert.Equal(t, []string{mumbai, frankfurt, virginia}, report.Regions(kind), kind)
	}
	for _, p := range report {
		assert.True(t, p.Kind == residency.Positions || strings.Contains(p.Key, "ssoins-1, its copy in "+p.Region), "%v", p)
		assert.NotEmpty(t, p.Kept)
	}

	require.NoError(t, ap.View().Update(func(tx *center.Tx) error { return tx.RemoveApplication(mumbai) }))
	agree(us, eu, ap)
	require.NoError(t, us.View().Update(func(tx *center.Tx) error { return tx.RemoveRegion(mumbai) }))
	erased(t, ap)
	eventually(t, "what is left of the removed Region", func() bool {
		places, err := us.Residency(background(t))
		require.NoError(t, err)
		return !slices.ContainsFunc(places, func(p residency.Place) bool {
			return p.From == mumbai && p.Kind != residency.Revocations && p.Kind != residency.Logouts
		})
	})
	places, err := ap.Residency(background(t))
	require.NoError(t, err)
	agreesWithDisk(t, ap, dirs[mumbai], places)
	for _, p := range places {
		assert.Equal(t, residency.Positions, p.Kind, "%v", p)
	}
	report = agree(us, eu)
	assert.Equal(t, []string{frankfurt, virginia}, report.Regions(""))
}

// agreesWithDisk compares a Region's report with its messages and its files, and returns the kinds of data there.
func agreesWithDisk(t *testing.T, n *replica.Node, dir string, places []residency.Place) map[residency.Kind]bool {
	t.Helper()
	reported, seen, kinds := map[string]bool{}, map[string]bool{}, map[residency.Kind]bool{}
	for _, p := range places {
		assert.Equal(t, n.Region(), p.Region)
		reported[p.Where] = true
		reported[fmt.Sprint(p.Kind, " in ", p.Where)] = true
	}
	for _, m := range replica.OnDisk(t, n) {
		for _, kind := range kindsOf(t, m) {
			seen[fmt.Sprint(kind, " in stream ", m.Stream)], kinds[kind] = true, true
		}
	}
	for what := range seen {
		assert.True(t, reported[what], "on the disk of %s, and not in its report: %s", n.Region(), what)
	}
	// Every file belongs to a place.
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if os.IsNotExist(err) || err == nil && d.IsDir() {
			return nil
		}
		require.NoError(t, err)
		rest, _ := filepath.Rel(dir, path)
		parts := strings.Split(filepath.ToSlash(rest), "/")
		switch {
		case len(parts) == 1:
			locks := parts[0] == "meridian.lock" || strings.Contains(parts[0], ".new-") || parts[0] == "meridian.space"
			assert.True(t, locks || reported[parts[0]], "file %s of %s", rest, n.Region())
		case len(parts) > 4 && parts[2] == "streams":
			assert.True(t, reported["stream "+parts[3]] || strings.HasPrefix(parts[3], "."), "file %s of %s", rest, n.Region())
		default:
			assert.Fail(t, "a file of no place", "%s of %s", rest, n.Region())
		}
		return nil
	}))
	// And every stream that is reported is there.
	held := replica.Held(t, n)
	for _, p := range places {
		if name, ok := strings.CutPrefix(p.Where, "stream "); ok {
			assert.Contains(t, held, name, n.Region())
		} else {
			assert.FileExists(t, filepath.Join(dir, p.Where))
		}
	}
	return kinds
}
