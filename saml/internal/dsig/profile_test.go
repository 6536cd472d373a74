package dsig_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml/internal/dsig"
	"github.com/meridian-saml/meridian/saml/internal/xmltree"
)

const good = `<r xmlns="urn:r"><saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" xmlns:xs="urn:xs" ID="_1"><saml:Issuer>i</saml:Issuer>` + here + `<v xs:t="xs:string">x</v></saml:Assertion></r>`

func rsaSigner() signer {
	return signer{key: testKeys().rsa, method: more + "rsa-sha256", digest: enc + "sha256"}
}

// requireKind fails unless err is a *dsig.Error of that kind.
func requireKind(t testing.TB, want dsig.Reason, err error) {
	t.Helper()
	var e *dsig.Error
	require.True(t, errors.As(err, &e), "%v", err)
	require.Equal(t, want, e.Reason, "%v", err)
}

func sub(pattern, by string) func(string) string {
	re := regexp.MustCompile(`(?s)` + pattern)
	return func(x string) string {
		if !re.MatchString(x) {
			panic("the document does not match " + pattern)
		}
		return re.ReplaceAllString(x, by)
	}
}

func replace(old, new string) func(string) string { return sub(regexp.QuoteMeta(old), new) }

// accepted means that there is no error.
const accepted dsig.Reason = -1

// TestProfile breaks one thing of a good signature at a time. The ids are
// those of the attack catalogue.
func TestProfile(t *testing.T) {
	const (
		info      = `<ds:SignedInfo>.*</ds:SignedInfo>`
		reference = `<ds:Reference .*</ds:Reference>`
		transform = `<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/>`
		second    = `<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:Transform>`
		canonical = `CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"`
		value     = `<ds:SignatureValue>.*</ds:SignatureValue>`
	)
	another := func(algorithm string) func(string) string {
		return replace(second, second+`<ds:Transform Algorithm="`+algorithm+`"/>`)
	}
	instead := func(algorithm string) func(string) string {
		return replace(second, `<ds:Transform Algorithm="`+algorithm+`"/>`)
	}
	for _, c := range []struct {
		name   string
		change func(string) string
		want   dsig.Reason
	}{
		{"nothing", func(x string) string { return x }, accepted},
		{"B02 empty Signature", sub(`(<ds:Signature [^>]*>).*</ds:Signature>`, `$1</ds:Signature>`), dsig.Shape},
		{"B02 no SignedInfo", sub(info, ``), dsig.Shape},
		{"B02 no SignatureValue", sub(value, ``), dsig.Shape},
		{"B02 empty SignatureValue", sub(value, `<ds:SignatureValue/>`), dsig.Shape},
		{"B03 no Reference", sub(reference, ``), dsig.Shape},
		{"B04 two References", sub(`(`+reference+`)`, `$1$1`), dsig.Shape},
		{"B05 empty URI", replace(`URI="#_1"`, `URI=""`), dsig.Shape},
		{"B05 URI of a blank", replace(`URI="#_1"`, `URI=" "`), dsig.Shape},
		{"B05 URI of a hash", replace(`URI="#_1"`, `URI="#"`), dsig.Shape},
		{
			"B05 empty ID and URI",
			func(x string) string { return replace(`URI="#_1"`, `URI="#"`)(replace(`ID="_1"`, `ID=""`)(x)) }, dsig.Shape,
		},
		{"B06 no URI", replace(` URI="#_1"`, ``), dsig.Shape},
		{"B06 a prefixed URI", replace(` URI="#_1"`, ` ds:URI="#_1"`), dsig.Shape},
		{"B07 external", replace(`URI="#_1"`, `URI="https://evil.example/#_1"`), dsig.Shape},
		{"B08 xpointer", replace(`URI="#_1"`, `URI="#xpointer(id('_1'))"`), dsig.Shape},
		{"B08 escaped", replace(`URI="#_1"`, `URI="#%5F1"`), dsig.Shape},
		{"B09 to another element", replace(`URI="#_1"`, `URI="#_2"`), dsig.Shape},
		{"B09 no ID around it", replace(` ID="_1"`, ``), dsig.Shape},
		{"B11 ID by another name", replace(` ID="_1"`, ` Id="_1"`), dsig.Shape},
		{"B11 xml:id", replace(` ID="_1"`, ` xml:id="_1"`), dsig.Shape},
		{"B11 a prefixed ID", replace(` ID="_1"`, ` xs:ID="_1"`), dsig.Shape},
		{"B12 XSLT", another("http://www.w3.org/TR/1999/REC-xslt-19991116"), dsig.Shape},
		{"B12 XSLT instead", instead("http://www.w3.org/TR/1999/REC-xslt-19991116"), dsig.Algorithm},
		{"B13 XPath", another("http://www.w3.org/TR/1999/REC-xpath-19991116"), dsig.Shape},
		{
			"B13 XPath first", replace(transform, `<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"/>`),
			dsig.Shape,
		},
		{"B14 three transforms", another(exclusive), dsig.Shape},
		{"B14 enveloped twice", replace(second, transform), dsig.Algorithm},
		{"B15 base64", instead(core + "base64"), dsig.Algorithm},
		{"B15 in the other order", replace(transform+second, second+transform), dsig.Shape},
		{
			"B15 a parameter of enveloped-signature",
			replace(transform, `<ds:Transform Algorithm="`+core+`enveloped-signature"><x/></ds:Transform>`), dsig.Shape,
		},
		{"B16 no enveloped-signature", replace(transform, ``), dsig.Shape},
		{"B16 only enveloped-signature", replace(second, ``), dsig.Shape},
		{"no Transforms", sub(`<ds:Transforms>.*</ds:Transforms>`, ``), dsig.Shape},
		{"two Transforms", sub(`(<ds:Transforms>.*</ds:Transforms>)`, `$1$1`), dsig.Shape},
		{"B17 Object", replace(`</ds:Signature>`, `<ds:Object/></ds:Signature>`), dsig.Shape},
		{"B17 Object behind KeyInfo", replace(`</ds:Signature>`, `<ds:KeyInfo/><ds:Object/></ds:Signature>`), dsig.Shape},
		{"B17 Object first", replace(`<ds:SignedInfo>`, `<ds:Object/><ds:SignedInfo>`), dsig.Shape},
		{"B18 Manifest", replace(`</ds:Signature>`, `<ds:Manifest/></ds:Signature>`), dsig.Shape},
		{"B20 two SignedInfos", sub(`(`+info+`)`, `$1$1`), dsig.Shape},
		{"B20 a SignedInfo at the end", sub(`(`+info+`)(.*)</ds:Signature>`, `$1$2$1</ds:Signature>`), dsig.Shape},
		{"B20 two SignatureValues", sub(`(`+value+`)`, `$1$1`), dsig.Shape},
		{"B20 SignatureValue first", sub(`(`+info+`)(`+value+`)`, `$2$1`), dsig.Shape},
		{"B20 two KeyInfos", replace(`</ds:Signature>`, `<ds:KeyInfo/><ds:KeyInfo/></ds:Signature>`), dsig.Shape},
		{"B20 two DigestValues", sub(`(<ds:DigestValue>.*</ds:DigestValue>)`, `$1$1`), dsig.Shape},
		{"B20 DigestValue first", sub(`(<ds:DigestMethod[^>]*>)(<ds:DigestValue>.*</ds:DigestValue>)`, `$2$1`), dsig.Shape},
		{"B20 two DigestMethods", sub(`(<ds:DigestMethod[^>]*>)`, `$1$1`), dsig.Shape},
		{"B20 two SignatureMethods", sub(`(<ds:SignatureMethod[^>]*>)`, `$1$1`), dsig.Shape},
		{"B20 SignedInfo in another namespace", func(x string) string {
			return strings.NewReplacer("<ds:SignedInfo>", `<ds:SignedInfo xmlns:ds="urn:evil">`).Replace(x)
		}, dsig.Shape},
		{"B21 an element in DigestValue", replace(`<ds:DigestValue>`, `<ds:DigestValue><x/>`), dsig.Shape},
		{"B22 an element in SignatureValue", replace(`<ds:SignatureValue>`, `<ds:SignatureValue><x/>`), dsig.Shape},
		{
			"B22 CDATA is text",
			sub(`<ds:SignatureValue>(.*)</ds:SignatureValue>`, `<ds:SignatureValue><![CDATA[$1]]></ds:SignatureValue>`),
			accepted,
		},
		{"B23 junk in SignatureValue", replace(`<ds:SignatureValue>`, `<ds:SignatureValue>!`), dsig.Shape},
		{"B23 junk in DigestValue", replace(`<ds:DigestValue>`, `<ds:DigestValue>!`), dsig.Shape},
		{"B23 no padding", sub(`==</ds:SignatureValue>`, `</ds:SignatureValue>`), dsig.Shape},
		{"B23 too much padding", replace(`=</ds:DigestValue>`, `==</ds:DigestValue>`), dsig.Shape},
		{"B23 more behind the padding", replace(`</ds:SignatureValue>`, `AAAA</ds:SignatureValue>`), dsig.Shape},
		{"B23 empty DigestValue", sub(`<ds:DigestValue>.*</ds:DigestValue>`, `<ds:DigestValue/>`), dsig.Shape},
		{"B23 white space", sub(`<ds:SignatureValue>(....)`, "<ds:SignatureValue>\n\t $1&#13;\n"), accepted},
		{"B23 other white space", replace(`<ds:SignatureValue>`, "<ds:SignatureValue>\u00a0"), dsig.Shape},
		{"B23 base64url", func(x string) string {
			i := strings.Index(x, `<ds:SignatureValue>`)
			return x[:i] + strings.Replace(x[i:], `<ds:SignatureValue>`, `<ds:SignatureValue>-_-_`, 1)
		}, dsig.Shape},
		{
			"B24 inclusive",
			replace(canonical, `CanonicalizationMethod Algorithm="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"`),
			dsig.Algorithm,
		},
		{
			"B24 1.1", replace(canonical, `CanonicalizationMethod Algorithm="http://www.w3.org/2006/12/xml-c14n11"`),
			dsig.Algorithm,
		},
		{"B24 inclusive transform", instead("http://www.w3.org/TR/2001/REC-xml-c14n-20010315"), dsig.Algorithm},
		{
			"B24 no method", replace(` Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"></ds:CanonicalizationMethod>`, `/>`),
			dsig.Algorithm,
		},
		// Both change what is signed, so they don't verify; TestWithComments has those that do.
		{"B25 with comments", replace(canonical, canonical[:len(canonical)-1]+`WithComments"`), dsig.Invalid},
		{"B25 transform with comments", instead(exclusive + "WithComments"), dsig.Invalid},
		{"B25 comments by another case", instead(exclusive + "withcomments"), dsig.Algorithm},
		{
			"B25 inclusive with comments", instead("http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments"),
			dsig.Algorithm,
		},
		{
			"B26 two InclusiveNamespaces",
			replace(second, `<ds:Transform Algorithm="`+exclusive+`">`+listed("a")+listed("b")+`</ds:Transform>`), dsig.Shape,
		},
		{
			"B26 something else than InclusiveNamespaces",
			replace(second, `<ds:Transform Algorithm="`+exclusive+`"><ds:XPath/></ds:Transform>`), dsig.Shape,
		},
		{
			"B26 InclusiveNamespaces of no namespace",
			replace(second, `<ds:Transform Algorithm="`+exclusive+`"><InclusiveNamespaces PrefixList="a"/></ds:Transform>`),
			dsig.Shape,
		},
		{
			"B26 a PrefixList put in",
			replace(second, `<ds:Transform Algorithm="`+exclusive+`">`+listed("saml")+`</ds:Transform>`), dsig.Invalid,
		},
		{
			"B29 a parameter of SignatureMethod",
			replace(`rsa-sha256"/>`, `rsa-sha256"><ds:HMACOutputLength>1</ds:HMACOutputLength></ds:SignatureMethod>`),
			dsig.Shape,
		},
		{"B29 a parameter of DigestMethod", replace(`xmlenc#sha256"/>`, `xmlenc#sha256"><x/></ds:DigestMethod>`), dsig.Shape},
		{"B30 HMAC", replace(`rsa-sha256"`, `hmac-sha256"`), dsig.Algorithm},
		{"B31 SHA-1", replace(more+`rsa-sha256"`, core+`rsa-sha1"`), dsig.Algorithm},
		{"B31 MD5", replace(`rsa-sha256"`, `rsa-md5"`), dsig.Algorithm},
		{"B31 SHA-1 digest", replace(enc+`sha256"`, core+`sha1"`), dsig.Algorithm},
		{"B32 no method", replace(` Algorithm="`+more+`rsa-sha256"`, ``), dsig.Algorithm},
		{"B32 none", replace(more+`rsa-sha256"`, `none"`), dsig.Algorithm},
		{"B32 another's case", replace(`rsa-sha256"`, `RSA-SHA256"`), dsig.Algorithm},
		{"B32 a digest method as SignatureMethod", replace(more+`rsa-sha256"`, enc+`sha256"`), dsig.Algorithm},
		{"B32 unknown digest", replace(enc+`sha256"`, enc+`sha999"`), dsig.Algorithm},
		{"B32 DSA", replace(`rsa-sha256"`, `dsa-sha256"`), dsig.Algorithm},
		{"B32 a prefixed Algorithm", replace(`SignatureMethod Algorithm=`, `SignatureMethod ds:Algorithm=`), dsig.Algorithm},
		{"B35 another RSA", replace(more+`rsa-sha256"`, more2007+`sha256-rsa-MGF1"`), dsig.Invalid},
		{"B35 PSS with parameters", replace(more+`rsa-sha256"/>`, more2007+`rsa-pss"><x/></ds:SignatureMethod>`), dsig.Shape},
		{"B35 PSS whose parameters a message chooses", replace(more+`rsa-sha256"`, more2007+`rsa-pss"`), dsig.Algorithm},
		{
			"B38 KeyInfo", replace(`</ds:Signature>`, `<ds:KeyInfo><ds:KeyName>evil</ds:KeyName></ds:KeyInfo></ds:Signature>`),
			accepted,
		},
		{"a changed value", replace(`>x</v>`, `>y</v>`), dsig.Invalid},
		{"a changed attribute", replace(`xs:string`, `xs:int`), dsig.Invalid},
		{"a changed namespace", replace(`urn:xs`, `urn:XS`), dsig.Invalid},
		{"a changed SignedInfo", replace(`<ds:SignatureMethod `, `<ds:SignatureMethod x="" `), dsig.Invalid},
		{"a blank in SignedInfo", replace(`<ds:SignatureMethod `, ` <ds:SignatureMethod `), dsig.Invalid},
		{"a comment in SignedInfo", replace(`<ds:SignatureMethod `, `<!-- x --><ds:SignatureMethod `), accepted},
		{"a second Signature inside", replace(`<v `, `<ds:Signature xmlns:ds="`+core+`"/><v `), dsig.Invalid},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc := c.change(rsaSigner().sign(t, good, "_1"))
			signed, err := verify(t, doc, strict, testKeys().rsa.Public())
			if c.want != accepted {
				requireKind(t, c.want, err)
				require.Zero(t, signed, "a refusal comes with nothing")
				return
			}
			require.NoError(t, err)
			require.True(t, signed.Element().Is(xmltree.Assertion, "Assertion"))
		})
	}
}

// A Signature that is the root is refused, and doesn't panic.
func TestSignatureAsRoot(t *testing.T) {
	doc := rsaSigner().sign(t, good, "_1")
	from, to := strings.Index(doc, "<ds:Signature "), strings.Index(doc, "</ds:Signature>")
	_, err := verify(t, doc[from:to]+"</ds:Signature>", strict, testKeys().rsa.Public())
	requireKind(t, dsig.Shape, err)
}
