package saml_test

import (
	"fmt"
	"log"
	"time"

	"github.com/meridian-saml/meridian/saml"
)

// Why an identity provider of a metadata document can't be used.
func ExampleAggregate_Inspect() {
	a, err := saml.ParseAggregate([]byte(`
		<EntitiesDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata">
			<EntityDescriptor entityID="https://idp.example">
				<IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
					<SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
						Location="https://idp.example/sso"/>
				</IDPSSODescriptor>
			</EntityDescriptor>
			<EntityDescriptor entityID="https://sp.example"><SPSSODescriptor/></EntityDescriptor>
		</EntitiesDescriptor>`))
	if err != nil {
		log.Fatal(err)
	}
	for r := range a.Inspect(saml.InspectOptions{Now: time.Now()}) {
		if !r.Provider {
			fmt.Printf("%q has the roles %q\n", r.Description.EntityID, r.Roles)
		}
		for _, problem := range r.Problems {
			fmt.Printf("%q: %s: %s\n", r.Description.EntityID, problem.Reason, problem.Explain())
		}
	}
	// Output:
	// "https://idp.example": Metadata: no RSA or ECDSA signing key
	// "https://sp.example" has the roles ["SPSSODescriptor"]
}
