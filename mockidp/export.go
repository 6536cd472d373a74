package mockidp

import (
	"maps"
	"slices"
)

// Config returns a Config that makes a Server like this one is now: with its users, groups, apps, faults and standing
// mutations, with its keys, and with derived IDs and other defaults filled in. What is queued, sessions, messages,
// times and the clock aren't in it. A key of the Server's that RetireAppKey removed from one app is published again.
func (s *Server) Config() Config {
	v, c := s.Snapshot(), s.config
	c.Users, c.Groups, c.Apps = v.Users(), v.Groups(), v.Apps()
	c.Faults, c.StandingMutations = s.Faults(), s.StandingMutations()
	c.Hosts, c.Mutations, c.MutationInfo = slices.Clone(c.Hosts), slices.Clone(c.Mutations), maps.Clone(c.MutationInfo)
	c.Key, c.Certificate, c.Keys = nil, nil, nil
	if f := &s.listening().federation; s.root == nil {
		c.Federation.Key, c.Federation.Certificate = f.madeKey()
	}
	signing := findKey(v.st.keys, v.st.signing)
	if c.InsecureTestKey = signing.test; !signing.test {
		c.Key, c.Certificate = signing.own, signing.cert
	}
	c.Keys = v.st.keyPairs()
	if c.Seed != 0 {
		c.Rand = nil // derived from Seed
	}
	return c
}

// keyPairs returns all keys but the one that signs, each with the apps that it is for.
func (st *state) keyPairs() (out []KeyPair) {
	add := func(k *signingKey, app string) {
		at := slices.IndexFunc(out, func(p KeyPair) bool { return p.Certificate.Equal(k.cert) })
		if at < 0 {
			out, at = append(out, KeyPair{Key: k.own, Certificate: k.cert}), len(out)
		}
		if app != "" {
			out[at].Apps = append(out[at].Apps, app)
		}
	}
	for _, k := range st.keys {
		if k.id != st.signing {
			add(k, "")
		}
	}
	for _, a := range st.apps {
		for _, k := range st.rings[a.ID] {
			if findKey(st.keys, k.id) == nil {
				add(k, a.ID)
			}
		}
	}
	return out
}

// furtherKey is a key of Config.Keys.
type furtherKey struct {
	*signingKey
	apps []string
}

func (s *Server) furtherKeys(pairs []KeyPair) (out []furtherKey, err error) {
	for i, p := range pairs {
		if p.Key == nil {
			return nil, badConfig("Config.Keys[%d] has no Key", i)
		}
		k, err := newSigningKey(s.keySource(0), p.Key, p.Certificate)
		if err != nil {
			return nil, err
		}
		out = append(out, furtherKey{k, p.Apps})
	}
	return out, nil
}

// addFurther adds a key to the Server's, or to those of its apps, which may not be there yet.
func (st *state) addFurther(k furtherKey) error {
	if len(k.apps) == 0 {
		return st.addServerKey(k.signingKey)
	}
	for _, app := range k.apps {
		if app == "" {
			return badConfig("KeyPair.Apps has an empty ID")
		}
		ring, err := withKey(st.ring(&App{ID: app}), k.signingKey)
		if err != nil {
			return err
		}
		st.rings[app] = ring
	}
	return nil
}
