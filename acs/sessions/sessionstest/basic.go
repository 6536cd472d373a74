package sessionstest

import (
	"errors"
	"reflect"
	"time"

	"github.com/meridian-saml/meridian/acs/sessions"
)

// fields: a session comes back as it was kept.
func (s *suite) fields() {
	v := s.session(s.here, s.user(), "1").Wall()
	v.Host = "https://" + s.here.Name + ".example"
	v.Proof.Subject.NameID = sessions.NameID{Value: "n", Format: "f", NameQualifier: "q", SPNameQualifier: "sp", SPProvidedID: "id"}
	v.Proof.SessionIndexes = []string{"1", "2"}
	s.create(s.here, v)
	got, err := s.here.Store.Get(s.Context(), key(v))
	s.must("Get", err)
	utc := func(v sessions.Session) sessions.Session {
		v.Created, v.Seen, v.Expires, v.Proof.Issued = v.Created.UTC(), v.Seen.UTC(), v.Expires.UTC(), v.Proof.Issued.UTC()
		v.Epoch = v.Epoch.Merge(nil)
		return v
	}
	if want := utc(v); !reflect.DeepEqual(utc(got), want) {
		s.Fatalf("Get: want %+v, got %+v", want, utc(got))
	}
}

// creates: a session that was kept is listed in every Region, newest first.
func (s *suite) creates() {
	older, newer := s.session(s.here, s.user(), "1"), sessions.Session{}
	newer = s.session(s.here, older.UserID, "2")
	newer.Created = older.Created.Add(time.Second)
	if s.lets(s.here, older) {
		s.Fatal("a session that was not made is there")
	}
	s.create(s.here, older, newer)
	if !s.lets(s.here, older) || !s.lets(s.here, newer) {
		s.Fatal("a session is not there when Create returns")
	}
	s.want([]sessions.Session{older, newer}, nil)
	list, err := s.there.Store.List(s.Context(), older.UserID)
	s.must("List", err)
	if len(list) != 2 || list[0].ID != newer.ID {
		s.Fatalf("List: want 2 sessions, newest first, got %+v", list)
	}
	if list, err := s.here.Store.List(s.Context(), "no user"); err != nil || len(list) != 0 {
		s.Fatalf("List of a user without sessions: want none, got %v and error %v", list, err)
	}
}

// touch: Seen moves forward and never back.
func (s *suite) touch() {
	v := s.session(s.here, s.user(), "1")
	s.create(s.here, v)
	for _, seen := range []time.Duration{time.Minute, 0, time.Second} {
		s.must("Touch", s.here.Store.Touch(s.Context(), key(v), v.Seen.Add(seen)))
	}
	got, err := s.here.Store.Get(s.Context(), key(v))
	s.must("Get", err)
	if want := v.Seen.Add(time.Minute); !got.Seen.Equal(want) {
		s.Fatalf("Seen: want %v, got %v", want, got.Seen)
	}
	if err := s.here.Store.Touch(s.Context(), "no key", v.Seen); !errors.Is(err, sessions.ErrNoSession) {
		s.Fatalf("Touch of no session: want ErrNoSession, got %v", err)
	}
	s.must("EndSignIn", s.here.Store.EndSignIn(s.Context(), v.UserID, v.SignIn, v.Expires))
	if err := s.here.Store.Touch(s.Context(), key(v), v.Seen.Add(time.Hour)); !errors.Is(err, sessions.ErrNoSession) {
		s.Fatalf("Touch of a session that was ended: want ErrNoSession, got %v", err)
	}
	s.want(nil, []sessions.Session{v})
}

// end: one session ends, and that twice is no error.
func (s *suite) end() {
	one := s.session(s.here, s.user(), "1")
	other := s.session(s.here, one.UserID, "2")
	s.create(s.here, one, other)
	s.want([]sessions.Session{one, other}, nil)
	s.must("End", s.here.Store.End(s.Context(), key(one)))
	s.must("End again", s.here.Store.End(s.Context(), key(one)))
	s.must("End of no session", s.here.Store.End(s.Context(), "no key"))
	if s.lets(s.here, one) {
		s.Fatal("a session is there when End has returned")
	}
	s.want([]sessions.Session{other}, []sessions.Session{one})
}
