package audit_test

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/meridian-saml/meridian/portal/audit"
)

// A Region writes a sign-in, and exports its events.
func Example() {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	log, err := audit.Open(audit.Config{
		Dir: dir, Region: "eu-central-1", Account: "111122223333", InsecurePlaintext: true, // with a Sealer in production
	})
	if err != nil {
		panic(err)
	}
	defer log.Close()
	err = log.Access(context.Background(), audit.Event{
		Source: audit.SourceSignIn, Name: "UserAuthentication", ClientAddr: "192.0.2.7",
		Identity: audit.User("u-1", "ada@example.com", ""), Details: map[string]string{"UserAuthentication": "Success"},
	})
	if err != nil {
		panic(err)
	}
	var lines strings.Builder
	out, err := log.Export(context.Background(), &lines, nil)
	if err != nil {
		panic(err)
	}
	if err := log.Exported(out.Next); err != nil { // the copy is safe
		panic(err)
	}
	page, err := log.Search(context.Background(), audit.Query{Text: "ada@"})
	if err != nil {
		panic(err)
	}
	for _, e := range page.Events {
		fmt.Println(e.Name, e.Region, e.Identity.UserName, e.ClientAddr)
	}
	fmt.Println(strings.Count(lines.String(), "\n"), "line")
	// Output:
	// UserAuthentication eu-central-1 ada@example.com 192.0.2.7
	// 1 line
}
