package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs"
	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/examples/internal/check"
	"github.com/meridian-saml/meridian/examples/internal/corp"
	"github.com/meridian-saml/meridian/examples/internal/loopback"
	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
	"github.com/meridian-saml/meridian/portal/keys"
	"github.com/meridian-saml/meridian/saml"
)

// How far a world is extended when a step is taken.
const (
	alone       = iota // the primary, and nothing else yet
	added              // the second Region is replicated; the identity provider does not know it
	listed2            // its ACS URL is in the app
	extended           // and there is a bookmark
	primaryLost        // and the primary is stopped
)

// Each step fails in a world where what it checks is broken.
func TestEveryStepCanFail(t *testing.T) {
	cases := []struct {
		name     string
		from     int
		sabotage func(*testing.T, *world)
		says     string
	}{
		{"a Region that serves before it is one", alone, func(t *testing.T, w *world) {
			serveInstead(t, w.sites[1], w.sites[0])
		}, "which is no Region yet: want 503, got"},
		{"a portal without the pages of Regions", alone, func(t *testing.T, w *world) {
			serveInstead(t, w.sites[0], serving(t, w.sites[0], func(c *portal.Config) { c.RegionAdmin = nil }))
		}, "the status of the page: want 422, got 404"},
		{"another default", alone, func(t *testing.T, w *world) {
			require.NoError(t, w.sp.ReplaceDefaultACS([]saml.Endpoint{
				{URL: w.sites[1].acs, Region: w.sites[1].Name}, {URL: w.sites[0].acs, Region: w.sites[0].Name},
			}))
		}, "the first ACS URL"},
		{"an identity provider that takes any URL", added, func(t *testing.T, w *world) {
			updateApp(t, w, "", func(a *mockidp.App) { a.Unlisted = mockidp.UseDefault })
		}, "the identity provider's status: want 400, got 200"},
		{"another URL in the first place", added, func(t *testing.T, w *world) {
			updateApp(t, w, "", func(a *mockidp.App) {
				a.ACS = []mockidp.ACS{{URL: w.sites[0].acs + "/old"}, {URL: w.sites[0].acs}}
			})
		}, "the ACS URLs in the app"},
		{"a tile too many", listed2, func(t *testing.T, w *world) {
			_, err := w.idp.AddApp(corp.Bookmark(w.sites[0].Place, w.sites[0].url+"/"))
			require.NoError(t, err)
		}, "tiles before: want 1, got 2"},
		{"another default in the metadata", extended, func(t *testing.T, w *world) {
			list := w.sp.ACS()
			slices.Reverse(list)
			for i := range list {
				list[i].Index = nil
			}
			require.NoError(t, w.sp.ReplaceDefaultACS(list))
		}, "ACS URL 1"},
		{"a Lax request cookie", extended, func(t *testing.T, w *world) {
			serveInstead(t, w.sites[0], laxCookies(w.sites[0]))
		}, "InResponseTo"},
		{"an additional URL that is not listed", extended, func(t *testing.T, w *world) {
			updateApp(t, w, "", func(a *mockidp.App) { a.ACS, a.Unlisted = a.ACS[:1], mockidp.UseDefault })
		}, w0acs},
		{"the order of the list", extended, func(t *testing.T, w *world) {
			require.NoError(t, w.swapACS())
		}, "the ACS of the response"},
		{"a bookmark to the primary", extended, func(t *testing.T, w *world) {
			updateApp(t, w, w.idp.Apps()[1].ID, func(a *mockidp.App) { a.URL = w.sites[0].url + "/" })
		}, "through http://eu-central-1"},
		{"a Region that shares no codes", extended, func(t *testing.T, w *world) {
			serveInstead(t, w.sites[1], serving(t, w.sites[1], func(c *portal.Config) { c.Codes = nil }))
		}, "no page of the identity provider"},
		{"a command line that can't sign in", extended, withUselessCLI, "aws sso login"},
		{"a Region that never hears of changes", extended, func(t *testing.T, w *world) {
			serveInstead(t, w.sites[1], serving(t, w.sites[1], func(c *portal.Config) {
				c.Directory = w.sites[1].view().Snapshot()
			}))
		}, "the status of the page of AdministratorAccess in eu-central-1: want 200, got 404"},
		{"a Region with favorites of its own", extended, func(t *testing.T, w *world) {
			serveInstead(t, w.sites[1], serving(t, w.sites[1], func(c *portal.Config) { c.Shortcuts = nil }))
		}, `want the text "Favorites ReadOnly Payments"`},
		{"a Region without operators", extended, func(t *testing.T, w *world) {
			serveInstead(t, w.sites[1], serving(t, w.sites[1], func(c *portal.Config) {
				c.Operator = func(center.User) bool { return false }
			}))
		}, "whether the page can end sessions: want true, got false"},
		{"only one URL to swap", extended, func(t *testing.T, w *world) {
			updateApp(t, w, "", func(a *mockidp.App) { a.ACS = a.ACS[:1] })
		}, "one ACS URL only"},
		{"an identity provider that takes unlisted URLs", extended, func(t *testing.T, w *world) {
			updateApp(t, w, "", func(a *mockidp.App) { a.Unlisted = mockidp.UseDefault })
		}, "the identity provider's status: want 400, got 200"},
		{"a Region in place of another", extended, func(t *testing.T, w *world) {
			serveInstead(t, w.sites[1], w.sites[0])
		}, "the ACS of the response"},
		{"a store that forgets", extended, func(t *testing.T, w *world) {
			serveInstead(t, w.sites[0], forgetting(t, w.sites[0]))
		}, "refused, Reason Replay, got accepted"},
		{"cookies that all browsers share", extended, func(t *testing.T, w *world) {
			serveInstead(t, w.sites[0], sharedCookies(w.sites[0]))
		}, "refused, Reason InResponseTo, got accepted"},
		{"a Region that asks for another's URL", extended, func(t *testing.T, w *world) {
			serveInstead(t, w.sites[1], w.sites[0])
		}, "WrongRegion"},
		{"a redirector that answers no client", extended, redirectsHome, "where the redirector leads"},
		{"a Stop that stops something else", extended, func(t *testing.T, w *world) {
			l, err := loopback.Listen(0)
			require.NoError(t, err)
			t.Cleanup(w.sites[0].Stop)
			w.sites[0].Server = loopback.Serve(l, w.sites[0])
		}, "a connection to us-east-1"},
		{"a redirector that ignores the loss", primaryLost, redirectsHome, "where the redirector leads"},
		{"a command line without credentials", primaryLost, withUselessCLI, "aws sts get-caller-identity"},
		{"a start URL that no command line reaches", primaryLost, withUselessCLI, "aws sso login"},
		{"a Region that comes back broken", primaryLost, func(t *testing.T, w *world) {
			w.sites[0].Use(http.NotFoundHandler())
		}, "an answer of the identity provider"},
		{"sessions that stay in their Region", extended, func(t *testing.T, w *world) {
			serveInstead(t, w.sites[1], serving(t, w.sites[1], func(c *portal.Config) {
				c.Sessions = sessions.NewMemoryStore(sessions.MemoryConfig{})
			}))
		}, "sessions of us-east-1 on eu-central-1's page"},
		{"a Region without a logout URL", extended, func(t *testing.T, w *world) {
			require.NoError(t, w.sp.ReplaceLogout(logoutURLs(w.sites[:1])))
		}, "a form for /sign-out/idp"},
		{"an app without single logout", extended, func(t *testing.T, w *world) {
			updateApp(t, w, "", func(a *mockidp.App) { a.LogoutURL, a.LogoutResponseURL = "", "" })
		}, "a form for /login/logout"},
		{"a Region that forgets logouts", extended, func(t *testing.T, w *world) {
			serveInstead(t, w.sites[1], serving(t, w.sites[1], func(c *portal.Config) {
				c.Sessions = &forgetfulSessions{Store: c.Sessions}
			}))
		}, "refused, Reason LoggedOut, got accepted"},
		{"a copy with another policy", extended, func(t *testing.T, w *world) {
			require.NoError(t, w.keyring.Rings[w.sites[1].Name].PutPolicy(w.keyring.ID, keys.Allow("another")))
		}, "the policy of the copy"},
		{"a copy that is to be deleted", extended, func(t *testing.T, w *world) {
			_, err := w.keyring.Rings[w.sites[1].Name].ScheduleDeletion(w.keyring.ID, 0)
			require.NoError(t, err)
		}, "KMS_InvalidStateException"},
		{"a Region without a copy", extended, func(t *testing.T, w *world) {
			r, err := keys.CreateRing(keys.RingConfig{
				Path: filepath.Join(t.TempDir(), "keys"), Region: w.sites[1].Name, Key: make([]byte, 32)})
			require.NoError(t, err)
			w.keyring.Rings[w.sites[1].Name] = r
		}, "KMS_NotFoundException"},
		{"a Region that keeps no events", extended, func(t *testing.T, w *world) {
			serveInstead(t, w.sites[1], serving(t, w.sites[1], func(c *portal.Config) { c.Audit = nil }))
		}, "the page with the events of eu-central-1"},
		{"a file with a name in it", extended, func(t *testing.T, w *world) {
			require.NoError(t, os.WriteFile(filepath.Join(w.dir, "log"), []byte("signed in: "+corp.Alice), 0o600))
		}, "their connections say"},
		{"a Region that is cut off", extended, func(t *testing.T, w *world) {
			w.sites[0].running().RemovePeer(w.sites[1].Name)
		}, "the data of the Regions: want 0 differences"},
		{"a Region that does not hear of its removal", extended, func(t *testing.T, w *world) {
			w.sites[1].running().RemovePeer(w.sites[0].Name)
		}, `the state of eu-central-1: want "Not added"`},
		{"a replica key that is disabled", alone, func(t *testing.T, w *world) {
			require.NoError(t, w.keyring.Rings[w.sites[1].Name].Disable(w.keyring.ID))
		}, "the prerequisites that are met: want 3, got 2"},
	}
	require.Len(t, cases, len(steps))
	// what the step waits for
	neverComes := map[int]bool{14: true, 15: true, 23: true, 25: true, 36: true, 38: true, 39: true}
	for i, c := range cases {
		t.Run(fmt.Sprintf("%d %s", i+1, c.name), func(t *testing.T) {
			t.Parallel()
			w := newTestWorld(t, c.from)
			c.sabotage(t, w)
			k := newTestWalker(w)
			if neverComes[i+1] {
				k.patience = time.Second
			}
			line, held := check.Take(k, steps[i])
			assert.False(t, held)
			assert.Regexp(t, `^FAIL  \S.*: want .+, got .+$`, line)
			assert.Contains(t, line, strings.ReplaceAll(c.says, w0acs, w.sites[0].acs))
		})
	}
}

func withUselessCLI(_ *testing.T, w *world) { w.cli = os.Args[0] }

// w0acs is a placeholder for an address that is unknown until the world has
// started.
const w0acs = "{the primary's ACS}"

// A walk with a failed step reports it in its last line and in its result.
func TestWalkThatFails(t *testing.T) {
	w := newTestWorld(t, alone)
	serveInstead(t, w.sites[1], laxCookies(w.sites[1]))
	var out strings.Builder
	assert.False(t, walk(context.Background(), w, steps, &out))
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	require.Len(t, lines, len(steps)+1)
	assert.Regexp(t, `^8\. ok    \S`, lines[7])
	assert.Regexp(t, `^9\. FAIL  the verdict at eu-central-1: want accepted, got .*InResponseTo`, lines[8])
	assert.Regexp(t, fmt.Sprintf(`^[12]\d of %d steps held$`, len(steps)), lines[len(steps)], out.String())
}

// A walk that is interrupted ends at once and did not hold.
func TestWalkInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var out strings.Builder
	assert.False(t, walk(ctx, newTestWorld(t, extended), steps, &out))
	assert.Contains(t, out.String(), fmt.Sprintf("\n0 of %d steps held\n", len(steps)))
}

// forgetting serves a Region with a store that keeps requests and no assertions.
func forgetting(t *testing.T, s *site) http.Handler {
	return serving(t, s, func(c *portal.Config) { c.Store = forgetful{acs.NewMemoryStore(acs.MemoryConfig{})} })
}

// redirectsHome replaces the redirector by one that always leads to the primary.
func redirectsHome(t *testing.T, w *world) {
	l, err := loopback.Listen(0)
	require.NoError(t, err)
	s := loopback.Serve(l, http.RedirectHandler(w.sites[0].url+"/", http.StatusFound))
	t.Cleanup(s.Stop)
	w.redirector.url = loopback.Origin(redirectorHost, loopback.Port(l))
}
