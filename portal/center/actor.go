package center

import "unicode/utf8"

// Actor is who made an update: see Tx.By. The zero value is the instance itself. It has no name of a user, which would
// outlive the user in the Regions' logs.
type Actor struct {
	UserID  string `json:"u,omitempty"` // of a user
	Session string `json:"s,omitempty"` // the public ID of the user's session, or ""
	Client  string `json:"c,omitempty"` // the name of a client that provisions users, instead of a user
}

// maxActor is how many bytes of each text of an Actor are kept.
const maxActor = 256

// Cut returns the Actor with at most 256 bytes of each text.
func (a Actor) Cut() Actor {
	for _, s := range []*string{&a.UserID, &a.Session, &a.Client} {
		if n := maxActor; len(*s) > n {
			for n > 0 && !utf8.RuneStart((*s)[n]) {
				n--
			}
			*s = (*s)[:n]
		}
	}
	return a
}

// By says who makes the update. It is stored and replicated with the changes, so that their events in each Region name
// the actor, and has no other effect: it decides nothing. The last call counts. Without one, the instance itself makes
// it. The caller must have authenticated the actor.
func (t *Tx) By(a Actor) { t.by = a.Cut() }
