package sessionstest

import (
	"errors"
	"reflect"
	"time"

	"github.com/meridian-saml/meridian/acs/sessions"
)

// fields: Get returns the session as it was created.
func (s *suite) fields() {
	v := s.session(s.here, s.user(), "1").Wall()
	v.Host = "https://" + s.here.Name + ".example"
	v.Proof.Subject.NameID = sessions.NameID{
		Value: "n", Format: "f", NameQualifier: "q", SPNameQualifier: "sp", SPProvidedID: "id",
	}
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

// creates: every Region lists a session that was created, newest first.
func (s *suite) creates() {
	older := s.session(s.here, s.user(), "1")
	newer := s.session(s.here, older.UserID, "2")
	newer.Created = older.Created.Add(time.Second)
	if s.alive(s.here, older) {
		s.Fatal("a session exists before Create")
	}
	s.create(s.here, older, newer)
	if !s.alive(s.here, older) || !s.alive(s.here, newer) {
		s.Fatal("a session does not exist when Create returns")
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
	noSession := func(key string, seen time.Time) {
		s.Helper()
		if err := s.here.Store.Touch(s.Context(), key, seen); !errors.Is(err, sessions.ErrNoSession) {
			s.Fatalf("Touch without a session: want ErrNoSession, got %v", err)
		}
	}
	noSession("no key", v.Seen)
	s.must("EndSignIn", s.here.Store.EndSignIn(s.Context(), v.UserID, v.SignIn, v.Expires))
	noSession(key(v), v.Seen.Add(time.Hour))
	s.want(nil, []sessions.Session{v})
}

// end: one session ends, and ending it again is no error.
func (s *suite) end() {
	one := s.session(s.here, s.user(), "1")
	other := s.session(s.here, one.UserID, "2")
	s.create(s.here, one, other)
	s.want([]sessions.Session{one, other}, nil)
	for _, key := range []string{key(one), key(one), "no key"} {
		s.must("End", s.here.Store.End(s.Context(), key))
	}
	s.ended(one)
	s.want([]sessions.Session{other}, []sessions.Session{one})
}
