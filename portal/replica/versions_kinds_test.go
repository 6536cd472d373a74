package replica_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/replica"
	"github.com/meridian-saml/meridian/portal/shortcuts"
)

// laterThanBaseline are the kinds of records that came after the baseline, and that it may skip. A kind that is added
// is written by writeKinds.
var laterThanBaseline = []center.Kind{center.KindInstance, center.KindDetails, center.KindFederation,
	center.KindParkedApplication, center.KindResidency}

// writeKinds writes records of every kind that the baseline doesn't know and may skip.
func writeKinds(n *replica.Node) error {
	ctx := background(&testing.T{})
	err := n.View().Update(func(tx *center.Tx) error {
		for _, put := range []func() error{
			func() error { return tx.PutInstanceMetadata(center.InstanceMetadata{OwnerAccountID: owner}) },
			func() error {
				return tx.PutPermissionSet(center.PermissionSet{Name: "Later", RelayState: "https://later.example",
					SessionDuration: time.Hour})
			},
			func() error {
				return tx.PutFederation(center.Federation{EntityID: "https://later.example", Metadata: []byte("<later/>")})
			},
			func() error { return tx.SetResidency([]string{virginia, frankfurt, mumbai}) },
		} {
			if err := put(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	var l shortcuts.List
	l.Mark(shortcuts.Target{AccountID: "111111111111", PermissionSet: "Later"}, true, time.Now())
	if err := n.Shortcuts().Put(ctx, "u-1", l); err != nil {
		return err
	}
	// As the primary writes it when a Region with applications is removed. The parked application has no removal of its
	// Region here, so nothing ends.
	return replica.WriteKind(n, string(center.KindParkedApplication), "parked",
		`{"id":"parked","name":"Parked","url":"https://parked.example","region":"ap-south-1"}`, true)
}

// shownKinds returns what a Region shows of them, as JSON.
func shownKinds(n *replica.Node) (string, error) {
	s := n.View().Snapshot()
	var out []string
	for _, r := range s.Records() {
		if slices.Contains(laterThanBaseline, r.Kind) && !strings.HasPrefix(r.Key, "user ") { // exchange adds users
			out = append(out, fmt.Sprintf("%s %s %s", r.Kind, r.Key, r.Value))
		}
	}
	slices.Sort(out)
	l, err := n.Shortcuts().Shortcuts(background(&testing.T{}), "u-1")
	if err != nil {
		return "", err
	}
	b, err := json.Marshal(append(out, fmt.Sprint("favorites ", l.Favorites())))
	return string(b), err
}

// A Region of the baseline beside one of this version, which writes records of every kind that came since and that the
// baseline may skip. The baseline serves, copies them and passes them on, also after a restart, and as the primary
// that was rolled back. When it is upgraded, it shows them. A logout by an identity provider, which ends sessions and
// is such a kind too, stops the baseline until its upgrade.
func TestRecordsOfKindsSinceTheBaseline(t *testing.T) {
	t.Parallel()
	older, newer := build(t, baseline(t)), os.Args[0]
	for _, k := range laterThanBaseline {
		require.True(t, k.Optional(), k)
	}
	usDir, euDir := t.TempDir(), t.TempDir()
	open := func(program, region string) *child {
		j := job{Dir: usDir, Listen: "127.0.0.1:0"}
		if region == frankfurt {
			j.Region, j.Dir = frankfurt, euDir
		}
		return startOf(t, program, j)
	}
	us, eu := open(newer, virginia), open(older, frankfurt)
	followEach(t, us, eu)
	eu.becomes(t, "replicated", "await")
	require.Equal(t, "ok", us.say(t, "kinds"))
	want := us.say(t, "shown")
	for _, k := range laterThanBaseline {
		assert.Contains(t, want, fmt.Sprintf(`"%s `, k), "otherwise nothing was compared")
	}
	assert.Contains(t, want, "favorites [{")
	exchange(t, us, eu, "beside")
	eu.close(t)
	eu = open(older, frankfurt)
	followEach(t, us, eu)
	exchange(t, us, eu, "restarted")

	us.close(t) // a primary of the baseline, on what this version wrote
	us = open(older, virginia)
	followEach(t, us, eu)
	exchange(t, us, eu, "rolled-back")
	us.close(t)
	us = open(newer, virginia)
	followEach(t, us, eu)
	exchange(t, us, eu, "upgraded")
	assert.Equal(t, want, us.say(t, "shown"))

	require.Equal(t, "ok", us.say(t, "session s u-1"))
	eu.becomes(t, "alive", "alive s")
	require.Equal(t, "ok", us.say(t, "logout"))
	eu.becomes(t, "refused Version", "alive s")
	eu.close(t)
	eu = open(newer, frankfurt)
	assert.Equal(t, "alive", eu.say(t, "alive s"), "the logout was of another session")
	assert.Equal(t, want, eu.say(t, "shown"), "from its own disk")
	followEach(t, us, eu)
	exchange(t, us, eu, "both")
	assert.Equal(t, want, eu.say(t, "shown"))
}
