package saml_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"log"
	"strings"

	"github.com/meridian-saml/meridian/saml"
)

// Metadata with a name and the security contact that Sirtfi requires.
func ExampleAbout() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	idp, err := saml.NewIdP(saml.IdPConfig{ // or saml.ParseIdPMetadata
		EntityID: "https://idp.example", Keys: []crypto.PublicKey{key.Public()},
	})
	if err != nil {
		log.Fatal(err)
	}
	sp, err := saml.New(saml.Config{
		EntityID: "https://sp.example/saml",
		ACS:      []saml.Endpoint{{URL: "https://sp.example/saml/acs"}},
		IdP:      idp,
		About: saml.About{
			Names: []saml.LocalizedText{{Lang: "en", Text: "Lab Notebook"}},
			Contacts: []saml.Contact{
				{Type: saml.ContactSecurity, GivenName: "Security team", Emails: []string{"security@sp.example"}},
			},
		},
		EntityAttributes: []saml.EntityAttribute{
			{Name: saml.AssuranceCertification, Values: []string{saml.Sirtfi}},
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	metadata, err := sp.Metadata()
	if err != nil {
		log.Fatal(err)
	}
	for line := range strings.Lines(string(metadata)) {
		if strings.Contains(line, "DisplayName") || strings.Contains(line, "EmailAddress") {
			fmt.Println(strings.TrimSpace(line))
		}
	}
	// Output:
	// <mdui:DisplayName xml:lang="en">Lab Notebook</mdui:DisplayName>
	// <md:EmailAddress>mailto:security@sp.example</md:EmailAddress>
}
