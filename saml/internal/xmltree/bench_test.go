package xmltree_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

// BenchmarkParse reads the long parts of a response: a list of groups, as Okta
// writes it, and attributes of one value each.
func BenchmarkParse(b *testing.B) {
	const value = `<saml:AttributeValue xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="xs:string">value of it</saml:AttributeValue>`
	const attribute = `<saml:Attribute Name="attribute" NameFormat="urn:oasis:names:tc:SAML:2.0:attrname-format:unspecified">` + value + `</saml:Attribute>`
	for name, content := range map[string]string{
		"groups1000": repeat(value, 1000), "attrs100": repeat(attribute, 100), "attrs8": repeat(attribute, 8),
	} {
		doc := `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">` + content + `</saml:Assertion>`
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(doc)))
			for b.Loop() {
				_, err := xmltree.Parse(doc, roomy)
				require.NoError(b, err)
			}
		})
	}
}
