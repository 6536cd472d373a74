package hostile_test

import (
	"errors"
	"fmt"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/hostile"
	"github.com/meridian-saml/meridian/saml"
)

// A service provider gets a good answer, and then hostile ones in its place.
func ExampleArm() {
	c := mockidp.Config{}
	hostile.Arm(&c)
	idp := mockidp.New(c)
	defer idp.Close()

	sp := yours(idp)
	for _, id := range []string{"", "A03/assertion", "B01", "D16"} {
		if err := idp.SetMutation(id, "", ""); err != nil { // "" switches it off
			panic(err)
		}
		form, err := idp.IdPInitiated("", mockidp.DefaultLogin, "")
		if err != nil {
			panic(err)
		}
		fmt.Printf("%q: %s\n", id, signIn(sp, form))
	}
	// Output:
	// "": alice@example.com
	// "A03/assertion": AssertionCount
	// "B01": Unsigned
	// "D16": Recipient
}

// yours is the service provider under test, which trusts the mock's key. Here it is
// Meridian's own.
func yours(idp *mockidp.Server) *saml.ServiceProvider {
	from, err := saml.ParseIdPMetadata(idp.Metadata(""))
	if err != nil {
		panic(err)
	}
	sp, err := saml.New(saml.Config{
		EntityID: "https://sp.example/saml", ACS: []saml.Endpoint{{URL: "https://sp.example/acs"}}, IdP: from,
	})
	if err != nil {
		panic(err)
	}
	metadata, err := sp.Metadata()
	if err != nil {
		panic(err)
	}
	if err := idp.RegisterSP("", metadata); err != nil {
		panic(err)
	}
	return sp
}

func signIn(sp *saml.ServiceProvider, form mockidp.Form) string {
	a, err := sp.Verify([]byte(form.SAMLResponse), saml.VerifyOptions{ACS: form.URL, Unsolicited: true})
	if refused := (*saml.Error)(nil); errors.As(err, &refused) {
		return string(refused.Reason)
	} else if err != nil {
		return err.Error()
	}
	return a.NameID().Value
}
