package portal_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/portal"
)

// A NameID with white space around it is unknown. The log shows the white space, on one line.
func TestLogShowsWhiteSpaceInANameID(t *testing.T) {
	for template, logged := range map[string]string{
		"\n  ${user.login}\n": `got="\\n  alice@example.com\\n"`,
		" ${user.login}":      `got=" alice@example.com"`,
	} {
		w := newWorld(t, nil)
		require.NoError(t, w.idp.UpdateApp("", func(a *mockidp.App) error { a.NameIDTemplate = template; return nil }))
		a := w.signIn(w.browser(), "https://"+virginia+"/", "alice@example.com")
		assert.Equal(t, http.StatusForbidden, a.StatusCode)
		assert.Equal(t, portal.ReasonUnknownUser, w.lastSignIn().Reason)
		assert.Contains(t, lineWith(w.logged(), "reference="+w.lastSignIn().Reference), logged)
	}
}
