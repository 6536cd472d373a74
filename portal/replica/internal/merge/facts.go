package merge

import (
	"encoding/json"
	"fmt"
	"time"
)

// A Fact is one thing known, for comparing what two Regions know.
type Fact struct {
	Key   string
	Until time.Time // when it may be forgotten; zero: never
	Value any       // becomes JSON
}

// Facts is what every Region's log says, in no order.
func (d *Directory) Facts() (out []Fact) {
	for region, l := range d.logs {
		for k, c := range l.cells {
			if c.value != nil && c.stamp > l.void {
				out = append(out, Fact{fmt.Sprintf("log %s %s %s", region, k.Kind, k.Key), time.Time{}, []any{c.stamp, c.base, c.value}})
			}
		}
	}
	return out
}

// Facts is what is known of sessions and of what ended them, in no order. When
// a session was last seen is not in it: it is each Region's own. Nor are codes.
// The result may be read while Sessions changes.
func (s *Sessions) Facts() (out []Fact) {
	for at, h := range s.sessions {
		v := h.Session
		v.Seen = time.Time{}
		out = append(out, Fact{"session " + at.region + " " + at.key, v.Expires, []any{v, s.over(at.key, h)}})
	}
	for key, until := range s.ended {
		out = append(out, Fact{"ended " + key, until, until})
	}
	for k, until := range s.revoked {
		out = append(out, Fact{fmt.Sprintf("revoked %q %q", k.user, k.id), until, until})
	}
	for k, until := range s.signIns {
		out = append(out, Fact{fmt.Sprintf("signed out %q %q", k.user, k.id), until, until})
	}
	for _, all := range s.logouts {
		for _, l := range all {
			until := l.Until
			l.Until = time.Time{}
			b, _ := json.Marshal(l) // it came as JSON
			out = append(out, Fact{"logout " + string(b), until, until})
		}
	}
	for user, e := range s.epochs {
		out = append(out, Fact{fmt.Sprintf("epoch %q", user), time.Time{}, e})
	}
	return out
}
