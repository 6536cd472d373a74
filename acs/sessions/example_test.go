package sessions_test

import (
	"context"
	"fmt"
	"time"

	"github.com/meridian-saml/meridian/acs/sessions"
)

// An identity provider logs a user out. A session of an earlier sign-in that arrives later is ended, too.
func Example() {
	ctx, now := context.Background(), time.Now()
	alice := sessions.Subject{
		Provider: "https://idp.example", ServiceProvider: "https://sp.example",
		NameID: sessions.NameID{Value: "alice@example.com"},
	}
	session := func(id, index string) sessions.Session {
		return sessions.Session{
			ID: id, SignIn: id, UserID: "u-1", Region: "us-east-1", Created: now, Seen: now, Expires: now.Add(time.Hour),
			Proof: sessions.Proof{Subject: alice, SessionIndexes: []string{index}, Issued: now},
		}
	}
	store := sessions.NewMemoryStore(sessions.MemoryConfig{})
	for key, s := range map[string]sessions.Session{"key-1": session("laptop", "i-1"), "key-2": session("phone", "i-2")} {
		if err := store.Create(ctx, key, s); err != nil {
			fmt.Println(err)
			return
		}
	}

	ended, err := store.EndSubject(ctx, sessions.Logout{
		Subject: alice, SessionIndexes: []string{"i-1"},
		Issued: now.Add(time.Minute), NotOnOrAfter: now.Add(6 * time.Minute), Until: now.Add(2 * time.Hour),
	})
	fmt.Println(ended[0].ID, err)

	_ = store.Create(ctx, "key-3", session("late", "i-1"))
	for _, key := range []string{"key-1", "key-2", "key-3"} {
		s, err := store.Get(ctx, key)
		fmt.Println(key, s.ID, err)
	}
	// Output:
	// laptop <nil>
	// key-1  sessions: no such session
	// key-2 phone <nil>
	// key-3  sessions: no such session
}
