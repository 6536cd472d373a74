package mockidp_test

import (
	"html"
	"regexp"
	"testing"

	crewjam "github.com/crewjam/saml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// The apps of hidden frames answer on one page, before the browser goes to the others; then the app that asked gets
// its answer.
func TestLogoutInFrames(t *testing.T) {
	for name, binding := range logoutBindings {
		t.Run(name, func(t *testing.T) {
			idp := start(t, mockidp.Config{})
			asks, front := addLogoutSP(t, idp, wiki, binding), addLogoutSP(t, idp, mail, binding)
			in := []*logoutSP{addLogoutSP(t, idp, "http://one.localhost:8724", binding),
				addLogoutSP(t, idp, "http://two.localhost:8725", binding)}
			for _, sp := range in {
				updateApp(t, idp, sp.app, func(a *mockidp.App) { a.LogoutChannel = mockidp.HiddenFrame })
			}
			logout := func(statuses ...string) (second string) {
				b := newBrowser(t, idp)
				for _, sp := range append([]*logoutSP{asks, front}, in...) {
					sp.signIn(b)
				}
				req := asks.request(nil)
				p := asks.send(b, req)
				p.has(t, "Signing out of your apps", "No answer yet.")
				assert.False(t, (&browser{b.Copy(), t, idp}).signedIn())
				sources := regexp.MustCompile(`<iframe hidden src="([^"]+)"`).FindAllStringSubmatch(p.Body, -1)
				require.Len(t, sources, len(in))
				for i, status := range statuses {
					frame := b.get(idp.URL + html.UnescapeString(sources[i][1]))
					done := in[i].answer(b, frame, status)
					assert.Contains(t, done.Header.Get("Content-Security-Policy"), "frame-ancestors 'self'")
					done.contains(t, map[bool]string{true: `data-logout="Signed out."`,
						false: `data-logout="Not signed out: it answered`}[status == crewjam.StatusSuccess])
				}
				p = b.get(p.URL.String()) // again
				p.contains(t, "Signing out of your apps")
				p = front.answer(b, b.get(p.URL.String()+"&go=1"), crewjam.StatusSuccess)
				_, second = asks.answered(t, p, req)
				return second
			}
			second := logout(crewjam.StatusSuccess, crewjam.StatusSuccess)
			assert.Empty(t, second)
			second = logout(crewjam.StatusSuccess, crewjam.StatusResponder)
			assert.Equal(t, mockidp.StatusPartialLogout, second)
			second = logout(crewjam.StatusSuccess)
			assert.Equal(t, mockidp.StatusPartialLogout, second, "the second frame didn't answer")
		})
	}
}

func TestLogoutFramesAreChecked(t *testing.T) {
	idp := start(t, mockidp.Config{})
	sp := addLogoutSP(t, idp, wiki, crewjam.HTTPPostBinding)
	updateApp(t, idp, sp.app, func(a *mockidp.App) { a.LogoutChannel = mockidp.HiddenFrame })
	b := newBrowser(t, idp)
	sp.signIn(b)
	done, err := idp.Logout(t.Context(), alice)
	require.NoError(t, err)
	p := b.get(done.URL + "&go=1")
	p.has(t, "Signing out of your apps", "No answer yet.")
	source := regexp.MustCompile(`<iframe hidden src="([^"]+)"`).FindStringSubmatch(p.Body)
	require.Len(t, source, 2)
	frame := idp.URL + html.UnescapeString(source[1])
	posts := b.get(frame)
	assert.Contains(t, posts.Header.Get("Content-Security-Policy"), "frame-ancestors 'self'")
	for _, bad := range []string{"1", "-1", "x", ""} {
		b.get(regexp.MustCompile(`frame=0`).ReplaceAllString(frame, "frame="+bad)).refused(t, 404,
			mockidp.ReasonLogoutNotFound)
	}
	sp.answer(b, posts, crewjam.StatusSuccess).contains(t, "Signed out.")
	b.get(frame).refused(t, 404, mockidp.ReasonLogoutNotFound)
	b.get(done.URL+"&go=1").has(t, "You are signed out", "Signed out.")
}
