package scsstore_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/meridian-saml/meridian/acs/scsstore"
	"github.com/meridian-saml/meridian/acs/sessions"
)

// An identity provider ends a session by the name of its subject, which scs alone can't look up.
func Example() {
	manager := scs.New() // with the program's own store
	store := scsstore.New(manager.Store, scsstore.Config{InsecurePlaintext: true})

	ctx, now := context.Background(), time.Now()
	alice := sessions.Subject{Provider: "https://idp.example", NameID: sessions.NameID{Value: "alice@example.com"}}
	err := store.Create(ctx, "key", sessions.Session{
		ID: "1", SignIn: "1", UserID: "alice", Created: now, Seen: now, Expires: now.Add(time.Hour),
		Proof: sessions.Proof{Subject: alice, Issued: now},
	})
	if err != nil {
		log.Fatal(err)
	}
	ended, err := store.EndSubject(ctx, sessions.Logout{Subject: alice, Issued: now, Until: now.Add(time.Hour)})
	if err != nil {
		log.Fatal(err)
	}
	_, err = store.Get(ctx, "key")
	fmt.Println(len(ended), err)
	// Output:
	// 1 sessions: no such session
}
