package federation_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/meridian-saml/meridian/acs/federation"
)

// A directory of the operator's, with one identity provider's metadata in it.
func Example() {
	dir, err := os.MkdirTemp("", "metadata")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	const metadata = `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://idp.example">
  <IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <KeyDescriptor use="signing"><KeyInfo xmlns="http://www.w3.org/2000/09/xmldsig#"><KeyValue><ECKeyValue
      xmlns="http://www.w3.org/2009/xmldsig11#"><NamedCurve URI="urn:oid:1.2.840.10045.3.1.7"/><PublicKey>
BGsX0fLhLEJH+Lzm5WOkQPJ3A32BLeszoPShOUXYmMKWT+NC4v4af5uO5+tKfA+eFivOM1drMV7Oy7ZAaDe/UfU=
    </PublicKey></ECKeyValue></KeyValue></KeyInfo></KeyDescriptor>
    <SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://idp.example/sso"/>
  </IDPSSODescriptor>
</EntityDescriptor>`
	if err := os.WriteFile(filepath.Join(dir, "idp.xml"), []byte(metadata), 0o600); err != nil {
		panic(err)
	}

	f, err := federation.Open(context.Background(), federation.Config{
		Sources: []federation.Source{{Name: "ours", Dir: dir}},
	})
	if err != nil {
		panic(err)
	}
	defer f.Close()

	idp, err := f.IdP("https://idp.example")
	if err != nil {
		panic(err)
	}
	fmt.Println(idp.SSOServices()[0].URL)
	_, err = f.IdP("https://unknown.example")
	fmt.Println(err)
	// Output:
	// https://idp.example/sso
	// saml: MetadataEntity: entityID (Metadata 2.3.2): want "an identity provider of one of the sources", got "https://unknown.example"
}
