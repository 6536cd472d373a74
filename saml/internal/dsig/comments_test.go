package dsig_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml/internal/dsig"
)

// B25: the canonical form with comments is accepted where nothing that is signed
// holds a comment, because then it is the form without. Where there is one, a
// signature by a signer that ignored the comment is refused too.
func TestWithComments(t *testing.T) {
	const comment = `<!-- x -->`
	for _, c := range []struct {
		name           string
		comments, info string // "WithComments", for the transform and for SignedInfo
		change         func(string) string
		want           dsig.Reason
	}{
		{"both", withComments, withComments, nil, accepted},
		{"transform", withComments, "", nil, accepted},
		{"SignedInfo", "", withComments, nil, accepted},
		{"before and after what is signed", withComments, withComments, func(x string) string {
			return replace(`</saml:Assertion>`, `</saml:Assertion>`+comment)(
				replace(`<saml:Assertion `, comment+`<saml:Assertion `)(x),
			)
		}, accepted},
		{
			"in the Signature, which is not signed", withComments, withComments,
			replace(`<ds:SignedInfo>`, comment+`<ds:SignedInfo>`), accepted,
		},
		{
			"in the KeyInfo", withComments, withComments,
			replace(`</ds:Signature>`, `<ds:KeyInfo>`+comment+`</ds:KeyInfo></ds:Signature>`), accepted,
		},
		{
			"in what is signed, whose form is without comments", "", withComments, replace(`<v `, comment+`<v `), dsig.Algorithm,
		},
		{
			"in SignedInfo, whose form is without comments", withComments, "",
			replace(`<ds:Reference `, comment+`<ds:Reference `), dsig.Algorithm,
		},
		{"in what is signed, neither with comments", "", "", replace(`<v `, comment+`<v `), accepted},
		{"in SignedInfo, neither with comments", "", "", replace(`<ds:Reference `, comment+`<ds:Reference `), accepted},
		{"first in what is signed", withComments, "", replace(`<saml:Issuer>`, comment+`<saml:Issuer>`), dsig.Algorithm},
		{
			"last in what is signed", withComments, "", replace(`</saml:Assertion>`, comment+`</saml:Assertion>`),
			dsig.Algorithm,
		},
		{
			"directly after the Signature", withComments, "", replace(`</ds:Signature>`, `</ds:Signature>`+comment),
			dsig.Algorithm,
		},
		{"deep in what is signed", withComments, "", replace(`</v>`, `</v><w><w>`+comment+`</w></w>`), dsig.Algorithm},
		{"in SignedInfo", "", withComments, replace(`<ds:Reference `, comment+`<ds:Reference `), dsig.Algorithm},
		{"last in SignedInfo", "", withComments, replace(`</ds:SignedInfo>`, comment+`</ds:SignedInfo>`), dsig.Algorithm},
		{"deep in SignedInfo", "", withComments, replace(`<ds:DigestMethod `, comment+`<ds:DigestMethod `), dsig.Algorithm},
	} {
		for _, list := range []string{"", "xs saml"} {
			s := rsaSigner()
			s.comments, s.infoComments, s.list, s.infoList = c.comments, c.info, list, list
			doc := s.sign(t, good, "_1")
			if c.change != nil {
				doc = c.change(doc)
			}
			signed, err := verify(t, doc, strict, testKeys().rsa.Public())
			if c.want != accepted {
				requireKind(t, c.want, err)
				require.Zero(t, signed)
				continue
			}
			require.NoError(t, err, "%s: %s", c.name, doc)
		}
	}
	// Nothing else is different: changes are refused as ever.
	s := rsaSigner()
	s.comments, s.infoComments = withComments, withComments
	_, err := verify(t, replace(`>x</v>`, `>y</v>`)(s.sign(t, good, "_1")), strict, testKeys().rsa.Public())
	requireKind(t, dsig.Invalid, err)
}
