package oktaapi

import (
	"cmp"
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/mockidp"
)

// view is what the Server holds at one moment, as Okta shows it.
type view struct{ mockidp.Snapshot }

func (s *API) view() view { return view{s.idp.Snapshot()} }

// find takes an ID, a login, or as Okta the part of a login before the @.
func (v view) find(key string) (found mockidp.User, ok bool) {
	if u, there := v.UserByID(key); there {
		return u, true
	}
	if u, there := v.User(key); there || strings.Contains(key, "@") {
		return u, there
	}
	for _, u := range v.Users() {
		if short, _, _ := strings.Cut(u.Login, "@"); mockidp.SameLogin(short, key) {
			if ok {
				return mockidp.User{}, false // two of them: neither
			}
			found, ok = u, true
		}
	}
	return found, ok
}

// allGroups are the groups by name, with Everyone.
func (v view) allGroups() []mockidp.Group {
	everyone, _ := v.Group(mockidp.Everyone)
	out := append(v.Groups(), everyone)
	slices.SortFunc(out, func(a, b mockidp.Group) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// keys are those of a SAML app.
func (v view) keys(a *mockidp.App) []mockidp.Key {
	keys, _ := v.AppKeys(a.ID)
	return keys
}

func (v view) findKey(a *mockidp.App, kid string) (mockidp.Key, bool) {
	for _, k := range v.keys(a) {
		if k.ID == kid {
			return k, true
		}
	}
	return mockidp.Key{}, false
}

// signingKey is the one that signs for a SAML app.
func (v view) signingKey(a *mockidp.App) mockidp.Key {
	k, _ := v.SigningKey(a.ID)
	return k
}
