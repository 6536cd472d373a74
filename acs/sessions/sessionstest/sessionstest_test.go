package sessionstest_test

import (
	"context"
	"os"
	"os/exec"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/acs/sessions"
	"github.com/meridian-saml/meridian/acs/sessions/sessionstest"
)

// faulty is a correct store but for one method.
type faulty struct {
	sessions.Store
	fault string

	mu  sync.Mutex
	all []sessions.Session // that were made
}

func (f *faulty) Create(ctx context.Context, key string, s sessions.Session) error {
	f.mu.Lock()
	f.all = append(f.all, s)
	f.mu.Unlock()
	switch f.fault {
	case "drops the proof":
		s.Proof = sessions.Proof{}
	case "drops the epoch":
		s.Epoch = sessions.Epoch{"": 1 << 20}
	case "one key":
		key = "key"
	}
	return f.Store.Create(ctx, key, s)
}

func (f *faulty) Touch(ctx context.Context, key string, seen time.Time) error {
	if f.fault == "touches nothing" {
		return nil
	}
	return f.Store.Touch(ctx, key, seen)
}

func (f *faulty) End(ctx context.Context, key string) error {
	if f.fault == "ends the sign-in" {
		s, err := f.Get(ctx, key)
		if err != nil {
			return nil
		}
		return f.EndSignIn(ctx, s.UserID, s.SignIn, s.Expires)
	}
	return f.Store.End(ctx, key)
}

func (f *faulty) List(ctx context.Context, user string) ([]sessions.Session, error) {
	all, err := f.Store.List(ctx, user)
	if f.fault == "oldest first" {
		slices.Reverse(all)
	}
	return all, err
}

// revokeAll ends the sessions that are here, and remembers no end.
func (f *faulty) revokeAll(ctx context.Context, which func(sessions.Session) bool) (ended []sessions.Session) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range f.all {
		if which(s) && f.Store.Revoke(ctx, s.UserID, s.ID) == nil {
			ended = append(ended, s)
		}
	}
	slices.SortFunc(ended, sessions.NewestFirst)
	return ended
}

func (f *faulty) EndSignIn(ctx context.Context, user, signIn string, until time.Time) error {
	switch f.fault {
	case "forgets sign-outs":
		f.revokeAll(ctx, func(s sessions.Session) bool { return s.UserID == user && s.SignIn == signIn })
		return nil
	case "ends the user":
		return f.RevokeUser(ctx, user)
	}
	return f.Store.EndSignIn(ctx, user, signIn, until)
}

func (f *faulty) Revoke(ctx context.Context, user, id string) error {
	if f.fault == "revokes for any user" {
		f.revokeAll(ctx, func(s sessions.Session) bool { return s.ID == id })
		return nil
	}
	return f.Store.Revoke(ctx, user, id)
}

func (f *faulty) RevokeUser(ctx context.Context, user string) error {
	if f.fault == "forgets revocations" {
		f.revokeAll(ctx, func(s sessions.Session) bool { return s.UserID == user })
		return nil
	}
	return f.Store.RevokeUser(ctx, user)
}

func (f *faulty) EndSubject(ctx context.Context, l sessions.Logout) ([]sessions.Session, error) {
	switch f.fault {
	case "forgets logouts":
		return f.revokeAll(ctx, l.Ends), nil
	case "ends all indexes":
		l.SessionIndexes = nil
	case "ends later sessions":
		l.Issued = l.Issued.Add(time.Hour)
	case "ends the named alone":
		return f.revokeAll(ctx, func(s sessions.Session) bool {
			return l.Ends(s) && (len(l.SessionIndexes) == 0 || len(s.Proof.SessionIndexes) > 0)
		}), nil
	case "no late sessions of an index":
		l.NotOnOrAfter = time.Time{}
	case "compares bytes":
		if l.Subject.NameID.NameQualifier != "" {
			return nil, nil
		}
	case "compares the name alone":
		l.Subject.Provider, l.Subject.NameID = "https://idp.example", sessions.NameID{Value: l.Subject.NameID.Value}
	case "says nothing":
		_, err := f.Store.EndSubject(ctx, l)
		return nil, err
	}
	return f.Store.EndSubject(ctx, l)
}

func (f *faulty) LoggedOut(ctx context.Context, s sessions.Session) (bool, error) {
	switch f.fault {
	case "no logouts":
		return false, nil
	case "all logged out":
		return true, nil
	}
	return f.Store.LoggedOut(ctx, s)
}

var faults = []string{
	"none", "drops the proof", "drops the epoch", "one key", "touches nothing", "ends the sign-in", "oldest first",
	"forgets sign-outs", "ends the user",
	"revokes for any user", "forgets revocations", "forgets logouts", "ends all indexes", "ends later sessions",
	"ends the named alone",
	"no late sessions of an index", "compares bytes", "compares the name alone", "says nothing",
	"no logouts", "all logged out",
}

const faultVariable = "SESSIONSTEST_FAULT"

// TestFault runs the suite on a store with one fault, when TestSuiteFindsFaults
// starts this binary again to see it fail.
func TestFault(t *testing.T) {
	fault := os.Getenv(faultVariable)
	if fault == "" {
		return
	}
	sessionstest.Run(t, func(*testing.T) []sessionstest.Region {
		f := &faulty{Store: sessions.NewMemoryStore(sessions.MemoryConfig{}), fault: fault}
		return []sessionstest.Region{{Name: "us-east-1", Store: f}, {Name: "eu-central-1", Store: f}}
	}, sessionstest.Options{Patience: 50 * time.Millisecond})
}

func TestSuiteFindsFaults(t *testing.T) {
	for _, fault := range faults {
		t.Run(fault, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command(os.Args[0], "-test.run=^TestFault$")
			cmd.Env = append(os.Environ(), faultVariable+"="+fault)
			out, err := cmd.CombinedOutput()
			require.Contains(t, string(out), map[bool]string{true: "PASS", false: "FAIL"}[fault == "none"], "%s", out)
			require.Equal(t, fault == "none", err == nil, "%s", out)
			require.NotContains(t, string(out), "panic", "%s", out)
		})
	}
}
