package portal_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/portal"
	"github.com/meridian-saml/meridian/portal/center"
)

// notInUse returns functions that change the status of Frankfurt.
func notInUse(t *testing.T, w *world) map[string]func() {
	t.Helper()
	primary, err := w.inst.In("us-east-1")
	require.NoError(t, err)
	put := func(status center.RegionStatus) func() {
		return func() {
			require.NoError(t, primary.Update(func(tx *center.Tx) error {
				return tx.PutRegion(center.Region{Name: "eu-central-1", Status: status,
					PortalURLs: []string{"https://" + frankfurt}})
			}))
		}
	}
	return map[string]func(){
		"adding": put(center.RegionAdding), "removing": put(center.RegionRemoving), "active again": put(center.RegionActive),
		"gone": func() {
			require.NoError(t, primary.Update(func(tx *center.Tx) error { return tx.RemoveRegion("eu-central-1") }))
		},
	}
}

// Rule 19: endpoints are in use once the Region is active, and health answers 503 while no user can
// sign in.
func TestNoSignInAtAnInactiveRegion(t *testing.T) {
	for _, how := range []string{"adding", "removing", "gone"} {
		t.Run(how, func(t *testing.T) {
			d := data()
			d.Applications = nil // a Region with applications can't be removed
			w := newWorldOf(t, d, nil)
			before, inside, asked, proved := w.browser(), w.browser(), w.browser(), w.browser()
			w.signIn(inside, "https://"+frankfurt+"/", "alice@example.com")
			answer := asked.get("https://" + frankfurt + "/")
			form, err := w.idp.Answer(proved.get("https://"+frankfurt+"/").Header.Get("Location"), "alice@example.com")
			require.NoError(t, err)
			next := proved.send("POST", form.URL, "cross-site", form.Values())
			sessions := w.sessions["eu-central-1"].Len()
			set := notInUse(t, w)
			set[how]()

			requireHealth(t, w, http.StatusServiceUnavailable)
			requirePage(t, before.get("https://"+frankfurt+"/"), http.StatusServiceUnavailable, "/login",
				"Not available in this Region", "another Region")
			requirePage(t, w.atIdP(asked, answer, "alice@example.com"), http.StatusServiceUnavailable, acsPath,
				"Not available in this Region")
			assert.Equal(t, portal.ReasonNotInUse, w.lastSignIn().Reason)
			assert.Equal(t, http.StatusServiceUnavailable, proved.follow(next).StatusCode)
			assert.Equal(t, sessions, w.sessions["eu-central-1"].Len())
			requirePage(t, inside.click("https://"+frankfurt+"/"), 200, "/", "Alice Adams")
			requirePage(t, inside.click("https://"+frankfurt+"/login"), http.StatusServiceUnavailable, "/login", "Alice Adams",
				"https://"+virginia)
			requirePage(t, w.signIn(w.browser(), "https://"+virginia+"/", "alice@example.com"), 200, "/", "Alice Adams")

			set["active again"]()
			requireHealth(t, w, 200)
			requirePage(t, w.signIn(before, "https://"+frankfurt+"/", "alice@example.com"), 200, "/", "Alice Adams")
		})
	}
}
