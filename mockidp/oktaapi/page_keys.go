package oktaapi

import (
	"slices"
	"strings"
	"time"

	"github.com/meridian-saml/meridian/mockidp"
)

// shownKey is a key and the apps that it signs for, and those whose metadata has
// it, in words.
type shownKey struct {
	ID, SignsFor, In string
	Until            time.Time
}

// shownKeys are the Server's keys, and then those of single apps.
func (v view) shownKeys() (out []shownKey) {
	apps := slices.DeleteFunc(v.Apps(), func(a mockidp.App) bool { return a.Kind != mockidp.SAML })
	all := v.Keys()
	for _, a := range apps {
		for _, k := range v.keys(&a) {
			if !slices.ContainsFunc(all, func(other mockidp.Key) bool { return other.ID == k.ID }) {
				all = append(all, k)
			}
		}
	}
	for _, k := range all {
		signs := func(a mockidp.App) bool { return v.signingKey(&a).ID == k.ID }
		in := func(a mockidp.App) bool { _, ok := v.findKey(&a, k.ID); return ok || signs(a) }
		out = append(out, shownKey{ID: k.ID, SignsFor: labels(apps, signs), In: labels(apps, in), Until: k.Certificate.NotAfter})
	}
	return out
}

// labels names the apps of which something is true.
func labels(apps []mockidp.App, is func(mockidp.App) bool) string {
	var out []string
	for _, a := range apps {
		if is(a) {
			out = append(out, a.Label)
		}
	}
	switch len(out) {
	case 0:
		return "no app"
	case len(apps):
		return "all apps"
	}
	return strings.Join(out, ", ")
}
