package mockidp

import (
	"cmp"
	"net/http"
	"strings"
)

// appDetails is the body of the page about an app.
type appDetails struct {
	tile
	App         *App
	SAML, Entra bool
	DefaultURL  string

	Metadata, SignOn, Key, Method string
	Encrypted, Signed             string
	Groups                        []groupWords
}

// groupWords is a group statement in words.
type groupWords struct{ Name, Words string }

// handleApp is what the app is configured to. There are no administrators
// here: whoever has the tile may look.
func (s *Server) handleApp(w http.ResponseWriter, r *http.Request) *Error {
	st := s.state.Load()
	_, user := s.sessionOf(r, st)
	if user == nil {
		s.redirect(w, r, pathSignIn)
		return nil
	}
	app, err := st.app(r.PathValue("id"))
	if err == nil && !app.openTo(user) {
		err = notAssigned(app, user)
	}
	if err != nil {
		return err
	}
	s.render(w, http.StatusOK, "app", page{Title: app.Label, User: user, Body: s.details(st, app)})
	return nil
}

func (s *Server) details(st *state, a *App) appDetails {
	d := appDetails{tile: s.tile(a), App: a, SAML: a.Kind == SAML, Entra: a.Profile == Entra, DefaultURL: a.DefaultACS().URL}
	if !d.SAML {
		return d
	}
	signer, err := st.signer(a)
	d.Metadata, d.SignOn, d.Key, d.Method = s.metadataURL(a), s.ssoURL(a), signer.key.id, string(signer.method)
	if err != nil {
		d.Method = err.Detail
	}
	d.Signed = map[Signing]string{SignBoth: "response and assertion", SignResponse: "response", SignAssertion: "assertion"}[a.Sign]
	if a.Encrypt != nil {
		d.Encrypted = strings.TrimPrefix(strings.TrimPrefix(string(a.Encrypt.Method), nsXEnc), nsXEnc11)
	}
	filters := map[Filter]string{AllGroups: "all groups", StartsWith: "groups that start with ", Equals: "groups equal to ",
		Contains: "groups that contain ", Regex: "groups that match "}
	for _, g := range a.GroupStatements() {
		d.Groups = append(d.Groups, groupWords{cmp.Or(g.Name, "groups"), filters[g.Filter] + g.Value})
	}
	return d
}
