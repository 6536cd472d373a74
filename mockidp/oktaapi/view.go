package oktaapi

import (
	"slices"
	"strings"

	"github.com/meridian-saml/meridian/mockidp"
)

// view is the Server's state at one moment, as Okta presents it.
type view struct{ mockidp.Snapshot }

func (s *API) view() view { return view{s.idp.Snapshot()} }

// find returns the user with that ID or login. As at Okta, the part of a login before the @ is enough if it is
// unique.
func (v view) find(key string) (found mockidp.User, ok bool) {
	if u, ok := v.UserByID(key); ok {
		return u, true
	}
	if u, ok := v.User(key); ok || strings.Contains(key, "@") {
		return u, ok
	}
	for _, u := range v.Users() {
		if short, _, _ := strings.Cut(u.Login, "@"); mockidp.SameLogin(short, key) {
			if ok {
				return mockidp.User{}, false
			}
			found, ok = u, true
		}
	}
	return found, ok
}

// allGroups returns the groups, Everyone included.
func (v view) allGroups() []mockidp.Group {
	everyone, _ := v.Group(mockidp.Everyone)
	return append(v.Groups(), everyone)
}

// keys returns the keys of a SAML app.
func (v view) keys(appID string) []mockidp.Key {
	keys, _ := v.AppKeys(appID)
	return keys
}

// findKey returns the key of a SAML app with that ID.
func (v view) findKey(appID, kid string) (mockidp.Key, bool) {
	keys := v.keys(appID)
	if i := slices.IndexFunc(keys, func(k mockidp.Key) bool { return k.ID == kid }); i >= 0 {
		return keys[i], true
	}
	return mockidp.Key{}, false
}

// signingKey returns the ID of the key that signs for a SAML app.
func (v view) signingKey(appID string) string {
	k, _ := v.SigningKey(appID)
	return k.ID
}
