package attack_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/xml"
	"fmt"
	"time"

	"github.com/meridian-saml/meridian/mockidp/attack"
)

// A hostile response and its twin: of two assertions only one is signed, and a
// service provider must not read the other.
func ExampleCases() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	params := attack.Params{
		Issuer: "https://idp.example/metadata", Audience: "https://sp.example/saml", Recipient: "https://sp.example/acs",
		RequestID: "_request", Now: time.Now(), Key: key,
	}
	for _, c := range attack.Cases() {
		if c.ID != "A03/assertion" {
			continue
		}
		hostile, err := c.Make(params) // post hostile.SAMLResponse: it must be refused
		if err != nil {
			panic(err)
		}
		twin, err := c.Twin(params) // post twin.SAMLResponse: it must be accepted
		if err != nil {
			panic(err)
		}
		fmt.Println(c.ID, c.Name, "must be", c.Outcome)
		fmt.Println(names(hostile.XML))
		fmt.Println(names(twin.XML))
	}
	// Output:
	// A03/assertion XSW3 must be refused AssertionCount
	// [admin@example.com alice@example.com]
	// [alice@example.com]
}

// names are the subjects of the assertions in a response.
func names(response []byte) []string {
	var r struct {
		Names []string `xml:"Assertion>Subject>NameID"`
	}
	if err := xml.Unmarshal(response, &r); err != nil {
		panic(err)
	}
	return r.Names
}
