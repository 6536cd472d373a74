package mockidp

import (
	"slices"
	"strings"
	"time"
)

// adminKey is a key and the apps that it signs for, and those whose metadata has
// it, in words.
type adminKey struct {
	ID, SignsFor, In string
	Until            time.Time
}

// adminKeys are the Server's keys, and then those of single apps.
func (st *state) adminKeys() (out []adminKey) {
	apps := slices.DeleteFunc(slices.Clone(st.apps), func(a *App) bool { return a.Kind != SAML })
	all := slices.Clone(st.keys)
	for _, a := range apps {
		for _, k := range st.ring(a) {
			if findKey(all, k.id) == nil {
				all = append(all, k)
			}
		}
	}
	for _, k := range all {
		signs := labels(apps, func(a *App) bool { return st.keyFor(a).id == k.id })
		in := labels(apps, func(a *App) bool { return findKey(st.keysFor(a), k.id) != nil })
		out = append(out, adminKey{ID: k.id, SignsFor: signs, In: in, Until: k.cert.NotAfter})
	}
	return out
}

// labels names the apps of which something is true.
func labels(apps []*App, is func(*App) bool) string {
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
