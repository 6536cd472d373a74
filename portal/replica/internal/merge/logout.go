package merge

import (
	"slices"
	"time"

	"github.com/meridian-saml/meridian/acs/sessions"
)

// logOut takes in what an identity provider ended.
func (s *Sessions) logOut(l sessions.Logout) {
	key := l.Subject.Key()
	s.logouts[key] = sessions.AddLogout(s.logouts[key], l)
}

// loggedOut says whether the identity provider ended the session.
func (s *Sessions) loggedOut(v Session) bool {
	return len(s.logouts) > 0 && slices.ContainsFunc(s.logouts[v.Proof.Subject.Key()], func(l sessions.Logout) bool { return l.Ends(v) })
}

// logoutGone says whether what ended the session there is about to be forgotten.
func (s *Sessions) logoutGone(v Session, past time.Time) bool {
	return len(s.logouts) > 0 && slices.ContainsFunc(s.logouts[v.Proof.Subject.Key()], func(l sessions.Logout) bool {
		return l.Until.Before(past) && l.Ends(v)
	})
}

// forgetLogouts forgets what can't be needed any more.
func (s *Sessions) forgetLogouts(past time.Time) {
	for key, all := range s.logouts {
		if s.logouts[key] = slices.DeleteFunc(all, func(l sessions.Logout) bool { return l.Until.Before(past) }); len(s.logouts[key]) == 0 {
			delete(s.logouts, key)
		}
	}
}

// EndedBy returns the sessions that nothing has ended yet and that a logout ends,
// in no order. Sign-ins wait while they are looked for, as for Count.
func (s *Sessions) EndedBy(l sessions.Logout) (out []Session) {
	for at, h := range s.sessions {
		if l.Ends(h.Session) && !s.over(at.key, h) {
			out = append(out, h.Session)
		}
	}
	return out
}
