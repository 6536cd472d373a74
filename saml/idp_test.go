package saml_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"math/big"
	"strings"
	"sync"
	"testing"
	"text/template"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// The tests sign with goxmldsig on etree, so that the verifier and the signer don't
// share a fault.

const (
	idpEntity = "https://idp.example/exk1"
	spEntity  = "https://us-east-1.signin.example/platform/saml/d-9067f1a2b3"
	usACS     = "https://us-east-1.signin.example/platform/saml/acs/4455"
	euACS     = "https://eu-central-1.signin.example/platform/saml/acs/4455"
	euDualACS = "https://eu-central-1.sso.signin.example/platform/saml/acs/4455"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// keys are the ones in testdata, so that all processes of a fuzzing run have the
// same ones: what one signs, the others can verify.
var keys = sync.OnceValue(func() (k struct{ idp, other, weak *rsa.PrivateKey }) {
	all := attackKeys()
	k.idp = all["idp-rsa.pem"].(*rsa.PrivateKey)
	k.other = all["decryption.pem"].(*rsa.PrivateKey)
	k.weak = all["idp-rsa1024.pem"].(*rsa.PrivateKey)
	return k
})

func ecKey(t testing.TB, curve elliptic.Curve) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(curve, rand.Reader)
	require.NoError(t, err)
	return key
}

func certificate(t testing.TB, key crypto.Signer, notAfter time.Time) *x509.Certificate {
	t.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"},
		NotBefore: now.Add(-24 * time.Hour), NotAfter: notAfter,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return cert
}

func config() saml.Config {
	idp, err := saml.NewIdP(saml.IdPConfig{
		EntityID: idpEntity,
		SSO: []saml.SSOService{
			{Binding: saml.HTTPRedirect, URL: "https://idp.example/sso"},
			{Binding: saml.HTTPPost, URL: "https://idp.example/sso"},
		},
		Keys: []crypto.PublicKey{keys().idp.Public()},
	})
	if err != nil {
		panic(err)
	}
	return saml.Config{
		EntityID: spEntity,
		ACS: []saml.Endpoint{
			{URL: usACS, Region: "us-east-1"},
			{URL: euACS, Region: "eu-central-1"},
			{URL: euDualACS, Region: "eu-central-1", Family: saml.DualStack},
		},
		IdP: idp,
		Now: func() time.Time { return now },
	}
}

func newSP(t testing.TB, change ...func(*saml.Config)) *saml.ServiceProvider {
	t.Helper()
	cfg := config()
	for _, f := range change {
		f(&cfg)
	}
	sp, err := saml.New(cfg)
	require.NoError(t, err)
	return sp
}

// doc describes a response; its zero fields take the good values.
type doc struct {
	Issuer, RespIssuer     string
	Recipient, Destination string
	RequestID              string // in both places
	RespRequestID          string // in the Response alone, if not empty
	Audience               string // XML inside Conditions
	Issued                 time.Time
	SignResponse           bool
	UnsignedAssertion      bool
	Key, AssertionKey      crypto.Signer // AssertionKey: Key
	Method                 string
	SignatureID            string
	Attributes             string
	// Encrypt returns what replaces the assertion. It is called after
	// the assertion was signed and before the Response is.
	Encrypt func(assertion string) string
	// Before changes the tree before it is signed, After the text afterwards.
	Before func(response *etree.Element)
	After  func(xml string) string
}

var responseTemplate = template.Must(
	template.New("").
		Parse(`<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_resp1" Version="2.0" IssueInstant="{{.Issued}}" Destination="{{.Destination}}"{{with .RespRequestID}} InResponseTo="{{.}}"{{end}}>` +
			`<saml:Issuer>{{.RespIssuer}}</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>` +
			`<saml:Assertion xmlns:xs="http://www.w3.org/2001/XMLSchema" ID="_asrt1" Version="2.0" IssueInstant="{{.Issued}}"><saml:Issuer>{{.Issuer}}</saml:Issuer>` +
			`<saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress">alice@example.com</saml:NameID>` +
			`<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData Recipient="{{.Recipient}}" NotOnOrAfter="{{.Until}}"{{with .RequestID}} InResponseTo="{{.}}"{{end}}/></saml:SubjectConfirmation></saml:Subject>` +
			`<saml:Conditions NotBefore="{{.From}}" NotOnOrAfter="{{.Until}}">{{.Audience}}</saml:Conditions>` +
			`<saml:AuthnStatement AuthnInstant="{{.Issued}}" SessionIndex="_s1"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement>` +
			`{{with .Attributes}}<saml:AttributeStatement>{{.}}</saml:AttributeStatement>{{end}}</saml:Assertion></samlp:Response>`),
)

const oneAudience = `<saml:AudienceRestriction><saml:Audience>` + spEntity +
	`</saml:Audience></saml:AudienceRestriction>`

func (d doc) xml(t testing.TB) []byte {
	t.Helper()
	or := func(s, zero string) string {
		if s == "" {
			return zero
		}
		return s
	}
	if d.Issued.IsZero() {
		d.Issued = now
	}
	var text bytes.Buffer
	require.NoError(t, responseTemplate.Execute(&text, map[string]string{
		"Issuer": or(d.Issuer, idpEntity), "RespIssuer": or(d.RespIssuer, idpEntity),
		"Recipient": or(d.Recipient, usACS), "Destination": or(d.Destination, or(d.Recipient, usACS)),
		"RequestID": d.RequestID, "RespRequestID": or(d.RespRequestID, d.RequestID),
		"Audience": or(d.Audience, oneAudience), "Attributes": d.Attributes,
		"Issued": d.Issued.Format(
			time.RFC3339,
		), "From": d.Issued.Add(-5 * time.Minute).Format(time.RFC3339),
		"Until": d.Issued.Add(5 * time.Minute).Format(time.RFC3339),
	}))
	tree := etree.NewDocument()
	require.NoError(t, tree.ReadFromBytes(text.Bytes()))
	response := tree.Root()
	if d.Before != nil {
		d.Before(response)
	}
	key := d.Key
	if key == nil {
		key = keys().idp
	}
	if assertion := response.SelectElement("Assertion"); assertion != nil && !d.UnsignedAssertion {
		// A child is signed as a document of its own, so it declares its namespaces.
		for _, a := range response.Attr {
			if a.Space == "xmlns" && assertion.SelectAttr(a.FullKey()) == nil {
				assertion.CreateAttr(a.FullKey(), a.Value)
			}
		}
		if d.AssertionKey == nil {
			d.AssertionKey = key
		}
		sign(t, assertion, d.AssertionKey, d.Method, d.SignatureID)
	}
	if d.Encrypt != nil {
		assertion := response.SelectElement("Assertion")
		at := assertion.Index()
		response.RemoveChild(assertion)
		response.InsertChildAt(at, parseXML(d.Encrypt(writeXML(assertion))))
	}
	if d.SignResponse {
		sign(t, response, key, d.Method, d.SignatureID)
	}
	tree.WriteSettings.CanonicalText, tree.WriteSettings.CanonicalAttrVal = true, true // white space is kept
	out, err := tree.WriteToBytes()
	require.NoError(t, err)
	if d.After != nil {
		out = []byte(d.After(string(out)))
	}
	return out
}

func (d doc) base64(t testing.TB) []byte {
	return []byte(base64.StdEncoding.EncodeToString(d.xml(t)))
}

// sign puts an enveloped signature right after the element's Issuer.
func sign(t testing.TB, el *etree.Element, key crypto.Signer, method, id string) {
	t.Helper()
	certified := key
	if k, ok := key.(rs); ok {
		certified = k.PrivateKey // certificates have ASN.1
	}
	ctx, err := dsig.NewSigningContext(key, [][]byte{certificate(t, certified, now.Add(time.Hour)).Raw})
	require.NoError(t, err)
	ctx.Canonicalizer = dsig.MakeC14N10ExclusiveCanonicalizerWithPrefixList("")
	if method != "" {
		require.NoError(t, ctx.SetSignatureMethod(method))
	}
	signature, err := ctx.ConstructSignature(el, true)
	require.NoError(t, err)
	if id != "" {
		signature.CreateAttr("Id", id)
	}
	at := 0
	if issuer := el.SelectElement("Issuer"); issuer != nil {
		at = issuer.Index() + 1
	}
	el.InsertChildAt(at, signature)
}

func replace(old, new string) func(string) string {
	return func(xml string) string {
		if !strings.Contains(xml, old) {
			panic("the document does not hold " + old)
		}
		return strings.Replace(xml, old, new, 1)
	}
}

// requireReason fails unless err is a *saml.Error with that Reason.
func requireReason(t testing.TB, want saml.Reason, err error) {
	t.Helper()
	var e *saml.Error
	require.ErrorAs(t, err, &e)
	require.Equal(t, want, e.Reason, "%v", err)
}

var unsolicited = saml.VerifyOptions{ACS: usACS, Unsolicited: true}
