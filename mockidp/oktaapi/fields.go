package oktaapi

import (
	"strings"
	"time"

	"github.com/meridian-saml/meridian/mockidp"
)

func texts[T any](f func(T) string) (field[T], bool) {
	return field[T]{text: func(x T) []string { return []string{f(x)} }}, true
}

func moments[T any](f func(T) time.Time) (field[T], bool) { return field[T]{time: f}, true }

// userFields are what users can be searched by: as at Okta the profile, and some
// of what stands above it.
func (v view) userFields(name string) (field[mockidp.User], bool) {
	at := func(u mockidp.User) mockidp.UserTimes { return v.UserTimes(u.ID) }
	switch name {
	case "id":
		return texts(func(u mockidp.User) string { return u.ID })
	case "status":
		return texts(func(u mockidp.User) string { return statusWords[u.Status] })
	case "created":
		return moments(func(u mockidp.User) time.Time { return at(u).Created })
	case "activated":
		return moments(func(u mockidp.User) time.Time { return at(u).Activated })
	case "statusChanged":
		return moments(func(u mockidp.User) time.Time { return at(u).StatusChanged })
	case "lastUpdated":
		return moments(func(u mockidp.User) time.Time { return at(u).Updated })
	}
	attribute, profile := strings.CutPrefix(name, "profile.")
	if !profile || !userExpression.MatchString("user."+attribute) {
		return field[mockidp.User]{}, false
	}
	// There is no schema: nobody has to have every attribute.
	return field[mockidp.User]{text: func(u mockidp.User) []string { return u.Values(attribute) }}, true
}

func (v view) groupFields(name string) (field[mockidp.Group], bool) {
	at := func(g mockidp.Group) mockidp.GroupTimes { return v.GroupTimes(g.ID) }
	switch name {
	case "id":
		return texts(func(g mockidp.Group) string { return g.ID })
	case "type":
		return texts(groupType)
	case "profile.name":
		return texts(func(g mockidp.Group) string { return g.Name })
	case "profile.description":
		return texts(func(g mockidp.Group) string { return g.Description })
	case "created":
		return moments(func(g mockidp.Group) time.Time { return at(g).Created })
	case "lastUpdated":
		return moments(func(g mockidp.Group) time.Time { return at(g).Updated })
	case "lastMembershipUpdated":
		return moments(func(g mockidp.Group) time.Time { return at(g).Membership })
	}
	return field[mockidp.Group]{}, false
}

func (v view) appFields(name string) (field[*mockidp.App], bool) {
	switch name {
	case "id":
		return texts(func(a *mockidp.App) string { return a.ID })
	case "status":
		return texts(appStatus)
	case "name":
		return texts(oktaName)
	case "label":
		return texts(func(a *mockidp.App) string { return a.Label })
	case "created":
		return moments(func(a *mockidp.App) time.Time { return v.AppTimes(a.ID).Created })
	case "lastUpdated":
		return moments(func(a *mockidp.App) time.Time { return v.AppTimes(a.ID).Updated })
	case "credentials.signing.kid":
		return field[*mockidp.App]{text: func(a *mockidp.App) []string {
			if a.Kind != mockidp.SAML {
				return nil
			}
			return []string{v.signingKey(a).ID}
		}}, true
	case "user.id":
		return field[*mockidp.App]{text: v.assignees()}, true
	case "group.id":
		return field[*mockidp.App]{text: func(a *mockidp.App) []string {
			var out []string
			for _, name := range a.Groups {
				g, _ := v.Group(name)
				out = append(out, g.ID)
			}
			return out
		}}, true
	}
	return field[*mockidp.App]{}, false
}

// assignees returns the IDs of all who can use an app.
func (v view) assignees() func(*mockidp.App) []string {
	users := v.Users()
	return func(a *mockidp.App) []string {
		var out []string
		for _, u := range users {
			if !a.Inactive && a.AssignedTo(u) {
				out = append(out, u.ID)
			}
		}
		return out
	}
}
