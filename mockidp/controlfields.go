package mockidp

import (
	"slices"
	"strings"
	"time"
)

func texts[T any](f func(T) string) (field[T], bool) {
	return field[T]{text: func(x T) []string { return []string{f(x)} }}, true
}

func moments[T any](f func(T) time.Time) (field[T], bool) { return field[T]{time: f}, true }

// userFields are what users can be searched by: as at Okta the profile, and some
// of what stands above it.
func (st *state) userFields(name string) (field[*User], bool) {
	at := func(u *User) *userTimes { return st.times.users[u.ID] }
	switch name {
	case "id":
		return texts(func(u *User) string { return u.ID })
	case "status":
		return texts(func(u *User) string { return statusWords[u.Status] })
	case "created":
		return moments(func(u *User) time.Time { return at(u).Created })
	case "activated":
		return moments(func(u *User) time.Time { return at(u).Activated })
	case "statusChanged":
		return moments(func(u *User) time.Time { return at(u).StatusChanged })
	case "lastUpdated":
		return moments(func(u *User) time.Time { return at(u).Updated })
	}
	attribute, profile := strings.CutPrefix(name, "profile.")
	if !profile || !expressionName(attribute) {
		return field[*User]{}, false
	}
	// There is no schema: nobody has to have every attribute.
	return field[*User]{text: func(u *User) []string { return u.Values(attribute) }}, true
}

func (st *state) groupFields(name string) (field[Group], bool) {
	at := func(g Group) GroupTimes { return st.times.groups[g.ID] }
	switch name {
	case "id":
		return texts(func(g Group) string { return g.ID })
	case "type":
		return texts(groupType)
	case "profile.name":
		return texts(func(g Group) string { return g.Name })
	case "profile.description":
		return texts(func(g Group) string { return g.Description })
	case "created":
		return moments(func(g Group) time.Time { return at(g).Created })
	case "lastUpdated":
		return moments(func(g Group) time.Time { return at(g).Updated })
	case "lastMembershipUpdated":
		return moments(func(g Group) time.Time { return at(g).Membership })
	}
	return field[Group]{}, false
}

func (st *state) appFields(name string) (field[*App], bool) {
	switch name {
	case "id":
		return texts(func(a *App) string { return a.ID })
	case "status":
		return texts((*App).status)
	case "name":
		return texts((*App).oktaName)
	case "label":
		return texts(func(a *App) string { return a.Label })
	case "created":
		return moments(func(a *App) time.Time { return st.times.apps[a.ID].Created })
	case "lastUpdated":
		return moments(func(a *App) time.Time { return st.times.apps[a.ID].Updated })
	case "credentials.signing.kid":
		return field[*App]{text: func(a *App) []string {
			if a.Kind != SAML {
				return nil
			}
			return []string{st.keyFor(a).id}
		}}, true
	case "user.id":
		return field[*App]{text: st.assignees}, true
	case "group.id":
		return field[*App]{text: func(a *App) []string {
			var out []string
			for _, name := range a.Groups {
				out = append(out, st.groupID(name))
			}
			return out
		}}, true
	}
	return field[*App]{}, false
}

// assignees are the IDs of all whom the app is assigned to.
func (st *state) assignees(a *App) []string {
	var out []string
	for _, u := range st.users {
		if a.openTo(u) {
			out = append(out, u.ID)
		}
	}
	slices.Sort(out)
	return out
}
