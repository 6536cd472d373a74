package sessionstest

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
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
	v.Data = bytes.Repeat([]byte{0, 0xff}, 32<<10)
	v.Client = `A "program"`
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

// three returns two sessions of one user, here and there, and one of another user, which every Region knows.
func (s *suite) three() (one, same, other sessions.Session) {
	s.Helper()
	user := s.user()
	one, same, other = s.session(s.here, user, "1"), s.session(s.there, user, "2"), s.session(s.there, s.user(), "3")
	s.create(s.here, one)
	s.create(s.there, same, other)
	s.want([]sessions.Session{one, same, other}, nil)
	return one, same, other
}

// ended fails if one of the sessions is alive here.
func (s *suite) ended(all ...sessions.Session) {
	s.Helper()
	for _, v := range all {
		if s.alive(s.here, v) {
			s.Fatalf("session %q is alive when the method that ends it has returned", v.ID)
		}
	}
}

// endSignIn: all sessions of the sign-in end, in every Region, and no others do.
func (s *suite) endSignIn() {
	one, same, other := s.three()
	another := s.session(s.here, one.UserID, "another")
	another.SignIn = "another"
	s.create(s.here, another)
	s.must("EndSignIn", s.here.Store.EndSignIn(s.Context(), one.UserID, one.SignIn, one.Expires))
	s.ended(one, same)
	s.must("EndSignIn of none", s.here.Store.EndSignIn(s.Context(), one.UserID, "none", one.Expires))
	s.want([]sessions.Session{other, another}, []sessions.Session{one, same})
}

// revoke: one session ends by its ID, in any Region, and only for its user.
func (s *suite) revoke() {
	one, same, other := s.three()
	noSession := func(user, id string) {
		s.Helper()
		if err := s.here.Store.Revoke(s.Context(), user, id); !errors.Is(err, sessions.ErrNoSession) {
			s.Fatalf("Revoke of session %q of user %q, which doesn't exist: want ErrNoSession, got %v", id, user, err)
		}
	}
	noSession(other.UserID, same.ID)
	noSession(one.UserID, "none")
	noSession("no user", same.ID)
	s.must("Revoke", s.here.Store.Revoke(s.Context(), same.UserID, same.ID))
	s.ended(same)
	noSession(same.UserID, same.ID)
	s.want([]sessions.Session{one, other}, []sessions.Session{same})
}

// revokeUser: all sessions of the user end, and later ones don't.
func (s *suite) revokeUser() {
	one, same, other := s.three()
	s.must("RevokeUser", s.here.Store.RevokeUser(s.Context(), one.UserID))
	s.ended(one, same)
	next := s.session(s.here, one.UserID, "next")
	if next.Epoch.Covers(one.Epoch) && one.Epoch.Covers(next.Epoch) {
		s.Fatal("RevokeUser did not raise the user's Epoch")
	}
	s.create(s.here, next)
	s.want([]sessions.Session{other, next}, []sessions.Session{one, same})
}

// logout returns a logout of the session's subject.
func logout(v sessions.Session, indexes ...string) sessions.Logout {
	return sessions.Logout{
		Subject: v.Proof.Subject, SessionIndexes: indexes, Issued: v.Proof.Issued.Add(time.Minute),
		NotOnOrAfter: v.Proof.Issued.Add(5 * time.Minute), Until: v.Expires,
	}
}

// endsThese calls EndSubject, and checks the sessions that it returns.
func (s *suite) endsThese(l sessions.Logout, want ...sessions.Session) {
	s.Helper()
	ended, err := s.here.Store.EndSubject(s.Context(), l)
	s.must("EndSubject", err)
	ids := func(all []sessions.Session) (out []string) {
		for _, v := range all {
			out = append(out, v.ID)
		}
		slices.Sort(out)
		return out
	}
	if !slices.Equal(ids(ended), ids(want)) {
		s.Fatalf("EndSubject: want the sessions %q, got %q", ids(want), ids(ended))
	}
	if !slices.IsSortedFunc(ended, sessions.NewestFirst) {
		s.Fatal("EndSubject: want the newest session first")
	}
	s.ended(want...)
}

// loggedOut requires that LoggedOut says for each session whether a logout ends it, and waits for the other Region.
func (s *suite) loggedOut(all map[*sessions.Session]bool) {
	s.Helper()
	for v, want := range all {
		for _, r := range []Region{s.here, s.there} {
			s.wait(fmt.Sprintf("LoggedOut = %t of session %q at %s", want, v.ID, r.Name), func() bool {
				out, err := r.Store.LoggedOut(s.Context(), *v)
				s.must("LoggedOut", err)
				return out == want
			})
		}
	}
}

// endSubject: without SessionIndexes all earlier sessions of the subject end, and no later one does.
func (s *suite) endSubject() {
	one, same, other := s.three()
	later := s.session(s.here, one.UserID, "later")
	later.Proof.Issued = logout(one).Issued.Add(time.Second)
	s.create(s.here, later)
	s.want([]sessions.Session{later}, nil)
	s.endsThese(logout(one), one, same)
	s.endsThese(logout(one))
	s.want([]sessions.Session{other, later}, []sessions.Session{one, same})
	s.loggedOut(map[*sessions.Session]bool{&one: true, &same: true, &other: false, &later: false})
}

// endSubjectByIndex: with SessionIndexes only the named sessions end, and those without a known index.
func (s *suite) endSubjectByIndex() {
	one, same, other := s.three()
	without := s.session(s.here, one.UserID, "without")
	without.Proof.SessionIndexes = nil
	s.create(s.here, without)
	s.endsThese(logout(one, "none", one.Proof.SessionIndexes[0], other.Proof.SessionIndexes[0]), one, without)
	s.want([]sessions.Session{same, other}, []sessions.Session{one, without})

	// The index begins no session until NotOnOrAfter.
	late, fresh := s.session(s.here, one.UserID, "late"), s.session(s.here, one.UserID, "fresh")
	late.Proof.SessionIndexes, fresh.Proof.SessionIndexes = one.Proof.SessionIndexes, one.Proof.SessionIndexes
	late.Proof.Issued, fresh.Proof.Issued = logout(one).NotOnOrAfter.Add(-time.Second), logout(one).NotOnOrAfter
	s.loggedOut(map[*sessions.Session]bool{&late: true, &fresh: false, &same: false})
	s.create(s.here, late, fresh)
	s.want([]sessions.Session{fresh, same}, []sessions.Session{late})
}

// subjects: a subject of another provider, with another name, or without any is another user; an absent
// qualifier has its default.
func (s *suite) subjects() {
	one, same, _ := s.three()
	for name, change := range map[string]func(*sessions.Subject){
		"provider":  func(x *sessions.Subject) { x.Provider = "https://other.example" },
		"name":      func(x *sessions.Subject) { x.NameID.Value += "x" },
		"format":    func(x *sessions.Subject) { x.NameID.Format = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent" },
		"qualifier": func(x *sessions.Subject) { x.NameID.NameQualifier = "https://other.example" },
		"zero":      func(x *sessions.Subject) { *x = sessions.Subject{} },
	} {
		l := logout(one)
		change(&l.Subject)
		s.Log(name)
		s.endsThese(l)
	}
	s.want([]sessions.Session{one, same}, nil)
	l := logout(one)
	l.Subject.NameID = sessions.NameID{
		Value: l.Subject.NameID.Value, Format: "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
		NameQualifier: l.Subject.Provider, SPNameQualifier: l.Subject.ServiceProvider, SPProvidedID: "any",
	}
	s.endsThese(l, one, same)
}

// shorterEnds: an end that is repeated for a shorter time is remembered for the longer one.
func (s *suite) shorterEnds() {
	one, same, other := s.three()
	for _, until := range []time.Time{one.Expires, one.Created.Add(2 * time.Minute)} {
		s.must("EndSignIn", s.here.Store.EndSignIn(s.Context(), one.UserID, one.SignIn, until))
	}
	all, short := logout(other), logout(other)
	short.Until = other.Created.Add(2 * time.Minute)
	s.endsThese(all, other)
	s.endsThese(short)
	s.want(nil, []sessions.Session{one, same, other})
	// A store may remove expired entries when a session is created.
	for _, v := range []sessions.Session{one, other} {
		late := v
		late.ID, late.Region, late.Created = v.ID+" late", s.here.Name, v.Created.Add(10*time.Minute)
		s.create(s.here, late)
		s.want(nil, []sessions.Session{late})
	}
}

// lateSessions (invariant 19): a session of an earlier sign-in that arrives after its end is ended, in every Region.
func (s *suite) lateSessions() {
	for name, end := range map[string]func(store sessions.Store, v sessions.Session) error{
		"EndSignIn": func(store sessions.Store, v sessions.Session) error {
			return store.EndSignIn(s.Context(), v.UserID, v.SignIn, v.Expires)
		},
		"RevokeUser": func(store sessions.Store, v sessions.Session) error { return store.RevokeUser(s.Context(), v.UserID) },
		"EndSubject": func(store sessions.Store, v sessions.Session) error {
			_, err := store.EndSubject(s.Context(), logout(v))
			return err
		},
		"EndSubject by index": func(store sessions.Store, v sessions.Session) error {
			_, err := store.EndSubject(s.Context(), logout(v, v.Proof.SessionIndexes...))
			return err
		},
	} {
		user := s.user()
		here, there := s.session(s.here, user, "here"), s.session(s.there, user, "there")
		there.Proof = here.Proof
		s.Log(name)
		s.must(name, end(s.here.Store, here))
		s.create(s.here, here)
		s.ended(here)
		s.create(s.there, there) // the Region may not know of the end
		s.want(nil, []sessions.Session{here, there})
	}
}

// concurrent: sessions that are created while they are ended have ended in the end.
func (s *suite) concurrent() {
	var wait sync.WaitGroup
	user, all := s.user(), []sessions.Session(nil)
	for _, id := range []string{"1", "2", "3", "4", "5", "6", "7", "8"} {
		all = append(all, s.session(s.here, user, id))
	}
	for _, v := range all {
		wait.Go(func() {
			if err := s.here.Store.Create(s.Context(), key(v), v); err != nil {
				s.Errorf("Create: %v", err)
			}
		})
	}
	wait.Go(func() {
		if _, err := s.there.Store.EndSubject(s.Context(), logout(all[0])); err != nil {
			s.Errorf("EndSubject: %v", err)
		}
	})
	wait.Wait()
	s.want(nil, all)
}
