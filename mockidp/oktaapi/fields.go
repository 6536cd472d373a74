package oktaapi

import (
	"strings"
	"sync"
	"time"

	"github.com/meridian-saml/meridian/mockidp"
)

func texts[T any](f func(T) string) field[T] {
	return field[T]{text: func(x T) []string { return []string{f(x)} }}
}

// userFields are what users can be searched by: as at Okta the profile, and some
// of what stands above it.
func (v view) userFields(name string) (field[mockidp.User], bool) {
	if attribute, profile := strings.CutPrefix(name, "profile."); profile && userExpression.MatchString("user."+attribute) {
		// There is no schema: no attribute is required of all users.
		return field[mockidp.User]{text: func(u mockidp.User) []string { return u.Values(attribute) }}, true
	}
	at := func(u mockidp.User) mockidp.UserTimes { return v.UserTimes(u.ID) }
	f, known := map[string]field[mockidp.User]{
		"id":            texts(func(u mockidp.User) string { return u.ID }),
		"status":        texts(func(u mockidp.User) string { return statusWords[u.Status] }),
		"created":       {time: func(u mockidp.User) time.Time { return at(u).Created }},
		"activated":     {time: func(u mockidp.User) time.Time { return at(u).Activated }},
		"statusChanged": {time: func(u mockidp.User) time.Time { return at(u).StatusChanged }},
		"lastUpdated":   {time: func(u mockidp.User) time.Time { return at(u).Updated }},
	}[name]
	return f, known
}

func (v view) groupFields(name string) (field[mockidp.Group], bool) {
	at := func(g mockidp.Group) mockidp.GroupTimes { return v.GroupTimes(g.ID) }
	f, known := map[string]field[mockidp.Group]{
		"id":                    texts(func(g mockidp.Group) string { return g.ID }),
		"type":                  texts(groupType),
		"profile.name":          texts(func(g mockidp.Group) string { return g.Name }),
		"profile.description":   texts(func(g mockidp.Group) string { return g.Description }),
		"created":               {time: func(g mockidp.Group) time.Time { return at(g).Created }},
		"lastUpdated":           {time: func(g mockidp.Group) time.Time { return at(g).Updated }},
		"lastMembershipUpdated": {time: func(g mockidp.Group) time.Time { return at(g).Membership }},
	}[name]
	return f, known
}

func (v view) appFields(name string) (field[*mockidp.App], bool) {
	f, known := map[string]field[*mockidp.App]{
		"id":                      texts(func(a *mockidp.App) string { return a.ID }),
		"status":                  texts(appStatus),
		"name":                    texts(oktaName),
		"label":                   texts(func(a *mockidp.App) string { return a.Label }),
		"created":                 {time: func(a *mockidp.App) time.Time { return v.AppTimes(a.ID).Created }},
		"lastUpdated":             {time: func(a *mockidp.App) time.Time { return v.AppTimes(a.ID).Updated }},
		"credentials.signing.kid": {text: v.signingKeyID},
		"user.id":                 {text: assignees(sync.OnceValue(v.Users))},
		"group.id":                {text: v.assignedGroups},
	}[name]
	return f, known
}

func (v view) signingKeyID(a *mockidp.App) []string {
	if a.Kind != mockidp.SAML {
		return nil
	}
	return []string{v.signingKey(a).ID}
}

// assignees returns the IDs of those of the users who can use an app.
func assignees(users func() []mockidp.User) func(*mockidp.App) []string {
	return func(a *mockidp.App) []string {
		var out []string
		for _, u := range users() {
			if !a.Inactive && a.AssignedTo(u) {
				out = append(out, u.ID)
			}
		}
		return out
	}
}

func (v view) assignedGroups(a *mockidp.App) []string {
	var out []string
	for _, name := range a.Groups {
		g, _ := v.Group(name)
		out = append(out, g.ID)
	}
	return out
}
