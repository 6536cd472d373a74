package mockidp_test

import (
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/beevik/etree"

	"github.com/meridian-saml/meridian/mockidp"
)

// A service provider's consumer receives a signed response, without a browser.
func Example() {
	consumer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := base64.StdEncoding.DecodeString(r.FormValue("SAMLResponse"))
		if err != nil {
			panic(err)
		}
		doc := etree.NewDocument()
		if err := doc.ReadFromBytes(raw); err != nil {
			panic(err)
		}
		// Your service provider verifies the response here; this one only reads it.
		fmt.Fprintf(w, "%s, %d signatures", doc.FindElement("//NameID").Text(), len(doc.FindElements("//Signature")))
	}))
	defer consumer.Close()

	idp := mockidp.New(mockidp.Config{}) // one user, one SAML app
	defer idp.Close()
	if err := idp.SetACS("", []mockidp.ACS{{URL: consumer.URL}}); err != nil {
		panic(err)
	}

	form, err := idp.IdPInitiated("", mockidp.DefaultLogin, "/welcome")
	if err != nil {
		panic(err)
	}
	resp, err := http.PostForm(form.URL, form.Values())
	if err != nil {
		panic(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	fmt.Printf("%s\n", body)
	// Output: alice@example.com, 2 signatures
}

// Two tests run at the same time, each with an identity provider of its own.
func ExampleServer_Tenant() {
	idp := mockidp.New(mockidp.Config{BaseURL: "http://idp.localhost:0"})
	defer idp.Close()
	for _, test := range []string{"first", "second"} {
		own, err := idp.Tenant(test)
		if err != nil {
			panic(err)
		}
		defer own.Close()
		if err := own.AddUser(mockidp.User{Login: test + "@example.com"}); err != nil {
			panic(err)
		}
		for _, u := range own.Users() {
			fmt.Println(strings.TrimPrefix(own.URL, idp.URL), u.Login)
		}
	}
	// Output:
	// /t/first alice@example.com
	// /t/first first@example.com
	// /t/second alice@example.com
	// /t/second second@example.com
}

// One app has two Regions: the tile leads to the first URL, so swapping the order changes where it leads.
func ExampleServer_SetACS() {
	idp := mockidp.New(mockidp.Config{Apps: []mockidp.App{{
		Label:    "Identity Center",
		Audience: "http://us-east-1.localhost:8711/saml",
		ACS: []mockidp.ACS{
			{URL: "http://us-east-1.localhost:8711/acs"},
			{URL: "http://eu-central-1.localhost:8712/acs"},
		},
		Groups: []string{mockidp.Everyone},
	}}})
	defer idp.Close()

	form, _ := idp.IdPInitiated("", mockidp.DefaultLogin, "")
	fmt.Println(form.URL)

	app, _ := idp.App("")
	_ = idp.SetACS("", []mockidp.ACS{{URL: app.ACS[1].URL}, {URL: app.ACS[0].URL}})
	form, _ = idp.IdPInitiated("", mockidp.DefaultLogin, "")
	fmt.Println(form.URL)
	// Output:
	// http://us-east-1.localhost:8711/acs
	// http://eu-central-1.localhost:8712/acs
}

// After a key rollover, a service provider that read the metadata only once receives a signature with an unknown key.
func ExampleServer_SignWith() {
	idp := mockidp.New(mockidp.Config{})
	defer idp.Close()

	next, err := idp.AddKey(nil, nil) // published, doesn't sign yet
	if err != nil {
		panic(err)
	}
	fmt.Println(strings.Count(string(idp.Metadata("")), "<md:KeyDescriptor "), "keys published")
	_ = idp.SignWith(next.ID)
	for _, k := range idp.Keys() {
		if !k.Signing {
			_ = idp.RetireKey(k.ID)
		}
	}
	fmt.Println(strings.Count(string(idp.Metadata("")), "<md:KeyDescriptor "), "key published")
	// Output:
	// 2 keys published
	// 1 key published
}

// A user is signed in without a password, the first answer is lost, and the second is an error status.
func ExampleServer_Inject() {
	idp := mockidp.New(mockidp.Config{Users: []mockidp.User{{Login: "alice@example.com"}}})
	defer idp.Close()
	_ = idp.SetACS("", []mockidp.ACS{{URL: "http://sp.localhost/acs"}})

	_ = idp.QueueUser("alice@example.com")
	_ = idp.Inject(mockidp.Fault{Kind: mockidp.ServerError, Count: 1})
	resp, err := idp.Client().Get(idp.SSOURL(""))
	if err != nil {
		panic(err)
	}
	resp.Body.Close()
	fmt.Println(resp.StatusCode)

	_ = idp.QueueError("", mockidp.Status{SubCode: mockidp.StatusRequestDenied})
	_, _ = idp.IdPInitiated("", "alice@example.com", "")
	for _, m := range idp.Messages() {
		fmt.Println(m.User, m.Faults, m.Status != nil)
	}
	// Output:
	// 503
	// alice@example.com [status] false
	//  [] true
}

// Related changes are made together: no reader sees the new group without its member, or the app assigned to a group
// that doesn't exist.
func ExampleServer_Update() {
	idp := mockidp.New(mockidp.Config{})
	defer idp.Close()

	err := idp.Update(func(c *mockidp.Change) error {
		if err := c.PutGroup(mockidp.Group{Name: "Finance"}); err != nil {
			return err
		}
		if err := c.AddUser(mockidp.User{Login: "bob@example.com", Groups: []string{"Finance"}}); err != nil {
			return err
		}
		return c.UpdateApp("", func(a *mockidp.App) error { a.Groups = []string{"Finance"}; return nil })
	})
	if err != nil {
		panic(err)
	}
	if err := idp.SetACS("", []mockidp.ACS{{URL: "http://sp.localhost/acs"}}); err != nil {
		panic(err)
	}
	_, bobs := idp.IdPInitiated("", "bob@example.com", "")
	_, alices := idp.IdPInitiated("", mockidp.DefaultLogin, "")
	fmt.Println(bobs)
	fmt.Println(alices)
	// Output:
	// <nil>
	// mockidp: the user "alice@example.com" isn't assigned to the app "Example app"
}

// A Snapshot never changes.
func ExampleServer_Snapshot() {
	idp := mockidp.New(mockidp.Config{})
	defer idp.Close()

	changed, before := idp.Changed(), idp.Snapshot()
	if err := idp.AddUser(mockidp.User{Login: "bob@example.com"}); err != nil {
		panic(err)
	}
	<-changed
	fmt.Println(len(before.Users()), len(idp.Snapshot().Users()))
	// Output: 1 2
}
