package examples_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

// The sequences of ROLLOVER.md.
const (
	ourSigning    = "Our signing key"
	ourSigningOne = "Our signing key, where an identity provider has room for one"
	ourEncryption = "Our encryption key"
	idpSigning    = "An identity provider's signing key"
	idpSigningOne = "An identity provider's signing key, where it publishes one at a time"
	stolenKey     = "When a key was stolen"
)

// rolloverColumns sets a row of a sequence's table.
var rolloverColumns = map[string]func(s *keyState, cells [][]string){
	ourSigning:    func(s *keyState, c [][]string) { s.Key, s.Others = c[0], c[1] },
	ourSigningOne: func(s *keyState, c [][]string) { s.Key, s.Others = c[0], c[1] },
	ourEncryption: func(s *keyState, c [][]string) { s.Decrypt, s.Encrypt = c[0], c[1] },
	idpSigning:    func(s *keyState, c [][]string) { s.Lists, s.Signs = c[0], c[1] },
	idpSigningOne: func(s *keyState, c [][]string) { s.File, s.Lists, s.Signs = c[0], c[1], c[2] },
	stolenKey:     func(s *keyState, c [][]string) { s.Lists, s.Signs = c[0], c[1] },
}

// rolloverSteps are the steps without a row.
var rolloverSteps = map[string]func(*rolloverWalk){
	"Wait until every identity provider has both":                func(k *rolloverWalk) { k.world.publish(k.world.nodes[0]) },
	"Wait until every identity provider encrypts to the new one": func(k *rolloverWalk) { k.world.publish(k.world.nodes[0]) },
	// What began before the step is finished after it.
	"Wait until the last request of the old key is answered": func(*rolloverWalk) {},
	"Wait until every node has both":                         (*rolloverWalk).waitForNodes,
	"Fetch its metadata on every node":                       (*rolloverWalk).fetch,
	"Switch the check of our requests off at the identity provider": func(k *rolloverWalk) {
		k.app(func(a *mockidp.App) {
			a.SignedRequests, a.ACS = false, nil
			for _, e := range rolloverACS() {
				a.ACS = append(a.ACS, mockidp.ACS{URL: e.URL})
			}
		})
	},
	"Enter the new certificate at the identity provider": func(k *rolloverWalk) {
		k.app(func(a *mockidp.App) { a.RequestCertificates = signingCertificates([]string{"new"}) })
	},
	"Switch the check on again": func(k *rolloverWalk) {
		k.world.underWay.Lock() // no user is at the identity provider
		defer k.world.underWay.Unlock()
		k.checkRequests()
	},
}

// rolloverWalk goes through a sequence.
type rolloverWalk struct {
	sequence
	world *rolloverWorld
	// eager: the identity provider reads our metadata whenever a node was restarted, at that node.
	eager bool
	// users sign in meanwhile.
	users bool
}

func newRolloverWalk(t *testing.T, name string, refresh time.Duration) *rolloverWalk {
	t.Helper()
	all := sequences(t)
	at := slices.IndexFunc(all, func(s sequence) bool { return s.Name == name })
	require.GreaterOrEqual(t, at, 0, name)
	old := []string{"old"}
	first := keyState{Key: old, Decrypt: old, Encrypt: old, Lists: old, Signs: old}
	k := &rolloverWalk{sequence: all[at]}
	rolloverColumns[name](&first, k.After[0])
	k.world = newRolloverWorld(t, first, refresh)
	if name == ourSigningOne {
		k.checkRequests()
	}
	return k
}

func (k *rolloverWalk) app(change func(*mockidp.App)) {
	require.NoError(k.world.t, k.world.idp.UpdateApp(k.world.app, func(a *mockidp.App) error {
		change(a)
		return nil
	}))
}

// checkRequests makes the identity provider check the signatures of requests. As at Okta, this deletes all ACS URLs but
// the first.
func (k *rolloverWalk) checkRequests() {
	k.app(func(a *mockidp.App) { a.SignedRequests, a.ACS = true, a.ACS[:1] })
}

// waitForNodes waits until each node has fetched the identity provider's metadata by itself.
func (k *rolloverWalk) waitForNodes() {
	want := k.world.idpKeys["new"].Certificate
	for _, n := range k.world.nodes {
		require.Eventually(k.world.t, func() bool {
			idp, err := n.federation.IdP(n.federation.EntityIDs()[0])
			return err == nil && slices.ContainsFunc(idp.Certificates(), want.Equal)
		}, time.Minute, time.Millisecond)
	}
}

func (k *rolloverWalk) fetch() {
	for _, n := range k.world.nodes {
		require.NoError(k.world.t, n.federation.Reset(k.world.t.Context(), "url"))
	}
}

// step takes step i, from 1.
func (k *rolloverWalk) step(i int) {
	w, title := k.world, k.Steps[i-1]
	row, ok := k.After[i]
	if !ok {
		do := rolloverSteps[title]
		require.NotNil(w.t, do, "the page has a step that the test doesn't know: %s", title)
		do(k)
		w.signInEverywhere()
		return
	}
	was := w.state
	rolloverColumns[k.Name](&w.state, row)
	if len(w.state.File) > 0 && !slices.Equal(was.File, w.state.File) {
		w.writeFile(w.state.File)
	}
	if !slices.Equal(was.Lists, w.state.Lists) || !slices.Equal(was.Signs, w.state.Signs) {
		w.provide(w.state.Lists, w.state.Signs)
		w.signInEverywhere()
	}
	was.Lists, was.Signs = w.state.Lists, w.state.Signs
	if reflect.DeepEqual(was, w.state) {
		return // our nodes have no new configuration
	}
	for _, n := range w.nodes {
		w.start(n)
		if k.eager {
			w.publish(n)
		}
		w.signInEverywhere()
		if k.users {
			w.more()
		}
	}
}

// walk takes all steps but one (0: none is left out), and returns what failed. Sign-ins that begin before a step end
// after it, and with a step left out after all later ones.
func (k *rolloverWalk) walk(without int) []string {
	w := k.world
	w.signInEverywhere()
	require.Empty(w.t, w.failed(), "before the first step")
	stop := func() {}
	if k.users {
		stop = w.users()
		defer stop()
	}
	pending := w.begin()
	for i := range k.Steps {
		if i+1 == without {
			continue
		}
		k.step(i + 1)
		if without == 0 || i+2 < without { // else they take until the end
			w.finish(pending)
			pending = w.begin()
		}
		if k.users {
			w.more()
		}
	}
	w.finish(pending)
	stop()
	return w.failed()
}

// No sign-in fails in any of the sequences, at a lazy identity provider and at one that reads our metadata at any time.
func TestRolloverFailsNoSignIn(t *testing.T) {
	if testing.Short() {
		testkit.Skip(t, "it signs users in hundreds of times")
	}
	for name, walks := range map[string]struct {
		eager   []bool
		refresh time.Duration
	}{
		ourSigning:    {eager: []bool{false, true}},
		ourSigningOne: {eager: []bool{false}}, // it doesn't read metadata
		ourEncryption: {eager: []bool{false, true}},
		idpSigning:    {eager: []bool{false}, refresh: 50 * time.Millisecond},
		idpSigningOne: {eager: []bool{false}},
	} {
		for _, eager := range walks.eager {
			t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
				k := newRolloverWalk(t, name, walks.refresh)
				k.eager, k.users = eager, !eager
				require.Empty(t, k.walk(0))
				w := k.world
				w.mu.Lock()
				defer w.mu.Unlock()
				require.Equal(t, w.begun, w.done["us-east-1"]+w.done["eu-central-1"], "each sign-in that began has ended")
				require.Greater(t, w.begun, 50)
				t.Logf("%d sign-ins", w.begun)
			})
		}
	}
}

// Each step and each wait is needed: without it, sign-ins fail.
func TestRolloverNeedsEachWait(t *testing.T) {
	if testing.Short() {
		testkit.Skip(t, "it goes through eleven rollovers")
	}
	for _, c := range []struct {
		sequence string
		without  string
		failure  string
		eager    bool
	}{
		{ourSigning, "Publish both certificates", "no answer", true},
		{ourSigning, "Wait until every identity provider has both", "no answer", false},
		{ourSigning, "Wait until the last request of the old key is answered", "no answer", true},
		{ourSigningOne, "Switch the check of our requests off at the identity provider", "no answer", false},
		{ourSigningOne, "Wait until the last request of the old key is answered", "no answer", false},
		{ourSigningOne, "Enter the new certificate at the identity provider", "no answer", false},
		{ourEncryption, "Decrypt with both keys", "refused: Encrypted", true},
		{ourEncryption, "Wait until every identity provider encrypts to the new one", "refused: Encrypted", false},
		{idpSigning, "Wait until every node has both", "refused: Signature", false},
		{idpSigningOne, "Save the metadata, and add the new certificate", "refused: Signature", false},
		{idpSigningOne, "Fetch its metadata on every node", "refused: Signature", false},
	} {
		t.Run(strings.ReplaceAll(c.sequence+"/"+c.without, " ", "-"), func(t *testing.T) {
			k := newRolloverWalk(t, c.sequence, 0)
			k.eager = c.eager
			without := slices.Index(k.Steps, c.without) + 1
			require.Positive(t, without)
			failures := k.walk(without)
			require.NotEmpty(t, failures)
			for _, f := range failures {
				require.True(t, strings.HasPrefix(f, c.failure) || f == "status 403", f)
			}
			require.True(t, slices.ContainsFunc(failures, func(f string) bool { return strings.HasPrefix(f, c.failure) }))
		})
	}
}

// Once the nodes have fetched the metadata again, no response of a stolen key is accepted. A restart is not enough.
func TestStolenKeyIsRefused(t *testing.T) {
	k := newRolloverWalk(t, stolenKey, 0)
	w := k.world
	require.Equal(t, []string{"The identity provider signs with a new key, and removes the stolen one",
		"Fetch its metadata on every node", "End the sessions that may be the thief's"}, k.Steps)
	forged := func() (out []*pendingSignIn) {
		for range 2 { // the identity provider has answered half of them
			for i, s := range w.begin() {
				if i%2 == 0 {
					out = append(out, s)
				}
			}
		}
		return out
	}
	before, after := forged(), forged()
	rolloverColumns[k.Name](&w.state, k.After[1])
	w.provide(w.state.Lists, w.state.Signs)
	for _, n := range w.nodes {
		w.start(n)
	}
	w.finish(before)
	require.Empty(t, w.failed(), "a restart reads the copy: the stolen key is still trusted")
	k.fetch()
	w.signInEverywhere()
	require.Empty(t, w.failed())
	w.finish(after)
	want := slices.Repeat([]string{"refused: Signature", "status 403"}, len(after))
	require.Equal(t, want, w.failed())
}
