package oktaapi

import (
	"cmp"
	"crypto/x509"
	"encoding/base64"
	"math"
	"strconv"
	"strings"

	"github.com/meridian-saml/meridian/mockidp"
)

// appBody is an app as Okta's clients send and read it. A nil pointer or list changes nothing.
type appBody struct {
	Name        string          `json:"name,omitempty"`
	Label       string          `json:"label"`
	SignOnMode  string          `json:"signOnMode"`
	Credentials *appCredentials `json:"credentials,omitempty"`
	Settings    struct {
		App    object      `json:"app,omitempty"`
		SignOn *signOnBody `json:"signOn,omitempty"`
	} `json:"settings"`
}

type appCredentials struct {
	Signing struct {
		Kid string `json:"kid,omitempty"`
	} `json:"signing"`
}

// signOnBody is settings.signOn of a SAML app.
type signOnBody struct {
	DefaultRelayState         string         `json:"defaultRelayState"`
	SSOACSURL                 string         `json:"ssoAcsUrl"`
	IDPIssuer                 string         `json:"idpIssuer"`
	Audience                  string         `json:"audience"`
	Recipient                 string         `json:"recipient"`
	Destination               string         `json:"destination"`
	SubjectNameIDTemplate     string         `json:"subjectNameIdTemplate"`
	SubjectNameIDFormat       string         `json:"subjectNameIdFormat"`
	ResponseSigned            *bool          `json:"responseSigned"`
	AssertionSigned           *bool          `json:"assertionSigned"`
	SignatureAlgorithm        string         `json:"signatureAlgorithm"`
	DigestAlgorithm           string         `json:"digestAlgorithm"`
	HonorForceAuthn           *bool          `json:"honorForceAuthn"`
	AuthnContextClassRef      string         `json:"authnContextClassRef"`
	RequestCompressed         bool           `json:"requestCompressed"`
	AllowMultipleACSEndpoints bool           `json:"allowMultipleAcsEndpoints"`
	ACSEndpoints              []acsBody      `json:"acsEndpoints"`
	AttributeStatements       []statement    `json:"attributeStatements"`
	SAMLSignedRequestEnabled  *bool          `json:"samlSignedRequestEnabled"`
	SPCertificate             *certBody      `json:"spCertificate,omitempty"`
	AssertionEncryption       *encryptedBody `json:"assertionEncryption,omitempty"`
	AssertionLifetime         int            `json:"samlAssertionLifetimeSeconds"`
	InlineHooks               []any          `json:"inlineHooks"`
	SLO                       object         `json:"slo,omitempty"`
}

type acsBody struct {
	URL   string  `json:"url"`
	Index *uint16 `json:"index"`
}

type statement struct {
	Type        string   `json:"type"`
	Name        string   `json:"name"`
	Namespace   string   `json:"namespace"`
	Values      []string `json:"values,omitempty"`
	FilterType  string   `json:"filterType,omitempty"`
	FilterValue string   `json:"filterValue,omitempty"`
}

type certBody struct {
	X5C []string `json:"x5c"`
}

type encryptedBody struct {
	Enabled      bool     `json:"enabled"`
	Algorithm    string   `json:"encryptionAlgorithm,omitempty"`
	KeyTransport string   `json:"keyTransportAlgorithm,omitempty"`
	X5C          []string `json:"x5c,omitempty"`
}

const defaultIssuer = "http://www.okta.com/${org.externalKey}"

// Okta's names for the constants of package mockidp.
var (
	algorithmWords = map[mockidp.SignatureMethod]string{
		mockidp.InsecureRSASHA1: "RSA_SHA1", mockidp.RSASHA256: "RSA_SHA256", mockidp.RSASHA384: "RSA_SHA384",
		mockidp.RSASHA512: "RSA_SHA512", mockidp.ECDSASHA256: "ECDSA_SHA256", mockidp.ECDSASHA384: "ECDSA_SHA384",
		mockidp.ECDSASHA512: "ECDSA_SHA512",
	}
	encryptionWords = map[mockidp.EncryptionMethod]string{
		mockidp.AES128GCM: "AES128_GCM", mockidp.AES192GCM: "AES192_GCM", mockidp.AES256GCM: "AES256_GCM",
		mockidp.AES128CBC: "AES128_CBC", mockidp.AES192CBC: "AES192_CBC", mockidp.AES256CBC: "AES256_CBC",
	}
	transportWords = map[mockidp.KeyTransport]string{
		mockidp.RSAOAEPMGF1P: "RSA_OAEP", mockidp.RSAOAEP: "RSA_OAEP_11", mockidp.InsecureRSA15: "RSA_15",
	}
	filterWords = map[mockidp.Filter]string{
		mockidp.AllGroups: "", mockidp.StartsWith: "STARTS_WITH", mockidp.Equals: "EQUALS",
		mockidp.Contains: "CONTAINS", mockidp.Regex: "REGEX",
	}
)

// keyOf returns the key of a word.
func keyOf[K comparable](words map[K]string, word string) (key K, ok bool) {
	for k, w := range words {
		if w == word {
			return k, true
		}
	}
	return key, false
}

// kid returns the ID of the signing key, or "".
func (b *appBody) kid() string {
	if b.Credentials == nil {
		return ""
	}
	return b.Credentials.Signing.Kid
}

// into writes the settings into a. Settings that Okta's JSON can't express are not changed.
func (b *appBody) into(a *mockidp.App) error {
	a.Label = b.Label
	a.KeyID = cmp.Or(b.kid(), a.KeyID)
	if a.Kind == mockidp.Bookmark {
		a.KeyID = ""
		a.URL, _ = b.Settings.App["url"].(string)
		return nil
	}
	if a.IdentityCenter != nil && b.Settings.App != nil {
		a.IdentityCenter = catalogueForm(b.Settings.App)
	}
	if b.Settings.SignOn == nil {
		return nil
	}
	return b.Settings.SignOn.into(a)
}

// catalogueForm reads settings.app of the catalogue's app. acsURL and entityID are in known clients; the names
// of the other fields are a guess.
func catalogueForm(app object) *mockidp.IdentityCenter {
	text := func(name string) string { s, _ := app[name].(string); return s }
	f := &mockidp.IdentityCenter{ACSURL: text("acsURL"), IssuerURL: text("entityID")}
	for i := range f.ACSURLs {
		f.ACSURLs[i] = text("acsURL" + strconv.Itoa(i+1))
	}
	return f
}

func (b *signOnBody) into(a *mockidp.App) error {
	if a.IdentityCenter == nil {
		list, err := b.acsList()
		if err != nil {
			return err
		}
		a.ACS, a.Audience = list, b.Audience
		a.Recipient, a.Destination = unless(b.Recipient, b.SSOACSURL), unless(b.Destination, b.SSOACSURL)
	}
	a.DefaultRelayState, a.AuthnContext = b.DefaultRelayState, b.AuthnContextClassRef
	a.NameIDTemplate, a.NameIDFormat = b.SubjectNameIDTemplate, b.SubjectNameIDFormat
	a.Issuer = unless(b.IDPIssuer, defaultIssuer)
	if a.ExternalKey != "" {
		a.Issuer = strings.ReplaceAll(a.Issuer, "${org.externalKey}", a.ExternalKey)
	}
	if strings.Contains(a.Issuer, "${") {
		return invalid("idpIssuer", "the only supported expression is "+defaultIssuer)
	}
	if b.HonorForceAuthn != nil {
		a.IgnoreForceAuthn = !*b.HonorForceAuthn
	}
	if b.SAMLSignedRequestEnabled != nil {
		a.SignedRequests = *b.SAMLSignedRequestEnabled
	}
	for _, part := range []func(*mockidp.App) *apiError{b.logout, b.signing, b.statements, b.certificates, b.encryption} {
		if err := part(a); err != nil {
			return err
		}
	}
	return nil
}

// logout sets single logout, if slo is there. Its issuer is the Audience.
func (b *signOnBody) logout(a *mockidp.App) *apiError {
	if b.SLO == nil {
		return nil
	}
	enabled, _ := b.SLO["enabled"].(bool)
	url, _ := b.SLO["logoutUrl"].(string)
	switch {
	case !enabled:
		a.LogoutURL, a.LogoutResponseURL = "", ""
	case url == "":
		return invalid("slo", "logoutUrl is required where enabled is true")
	default:
		a.LogoutURL = url
	}
	return nil
}

func unless(s, usual string) string {
	if s == usual {
		return ""
	}
	return s
}

// acsList returns the ACS list with the Single sign-on URL first. Okta's own example repeats it in acsEndpoints
// with an index; otherwise it gets a free one.
func (b *signOnBody) acsList() ([]mockidp.ACS, *apiError) {
	switch {
	case b.SSOACSURL == "":
		return nil, invalid("ssoAcsUrl", "The field cannot be left blank")
	case len(b.ACSEndpoints) == 0:
		return []mockidp.ACS{{URL: b.SSOACSURL}}, nil
	case !b.AllowMultipleACSEndpoints:
		return nil, invalid("acsEndpoints", "they need allowMultipleAcsEndpoints")
	}
	used := map[uint16]bool{}
	list := []mockidp.ACS{{URL: b.SSOACSURL}}
	for _, x := range b.ACSEndpoints {
		if x.Index == nil {
			return nil, invalid("acsEndpoints", "each has an index")
		}
		used[*x.Index] = true
		if x.URL == b.SSOACSURL && list[0].Index == nil {
			list[0].Index = x.Index
			continue
		}
		list = append(list, mockidp.ACS{URL: x.URL, Index: x.Index})
	}
	if list[0].Index == nil {
		if len(used) > math.MaxUint16 {
			return nil, invalid("acsEndpoints", "no index is left for ssoAcsUrl")
		}
		free := uint16(0)
		for used[free] {
			free++
		}
		list[0].Index = &free
	}
	return list, nil
}

func (b *signOnBody) signing(a *mockidp.App) *apiError {
	is := func(p *bool) bool { return p == nil || *p }
	switch response, assertion := is(b.ResponseSigned), is(b.AssertionSigned); {
	case response && assertion:
		a.Sign = mockidp.SignBoth
	case response:
		a.Sign = mockidp.SignResponse
	case assertion:
		a.Sign = mockidp.SignAssertion
	case a.Sign == mockidp.SignArtifactResponse: // which Okta lacks
	default:
		return invalid("responseSigned", "the response or the assertion must be signed")
	}
	a.SignatureMethod = ""
	if b.SignatureAlgorithm == "" {
		return nil
	}
	m, ok := keyOf(algorithmWords, b.SignatureAlgorithm)
	if !ok {
		return invalid("signatureAlgorithm", "unknown: "+quote(b.SignatureAlgorithm))
	}
	if _, hash, _ := strings.Cut(b.SignatureAlgorithm, "_"); b.DigestAlgorithm != "" && b.DigestAlgorithm != hash {
		return invalid("digestAlgorithm", "want the signature's hash, "+hash)
	}
	a.SignatureMethod = m
	return nil
}

// certificate parses base64 of DER, as in x5c.
func certificate(field, x5c string) (*x509.Certificate, *apiError) {
	der, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(x5c), ""))
	if err != nil {
		return nil, invalid(field, cut(err.Error()))
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, invalid(field, cut(err.Error()))
	}
	return c, nil
}

func (b *signOnBody) certificates(a *mockidp.App) *apiError {
	if b.SPCertificate == nil {
		return nil
	}
	a.RequestCertificates = nil
	for _, text := range b.SPCertificate.X5C {
		c, err := certificate("spCertificate", text)
		if err != nil {
			return err
		}
		a.RequestCertificates = append(a.RequestCertificates, c)
	}
	return nil
}

func (b *signOnBody) encryption(a *mockidp.App) *apiError {
	e := b.AssertionEncryption
	if e == nil {
		return nil
	}
	if len(e.X5C) > 0 {
		var err *apiError
		if a.EncryptionCertificate, err = certificate("assertionEncryption", e.X5C[0]); err != nil {
			return err
		}
	}
	if !e.Enabled {
		a.Encrypt = nil
		return nil
	}
	if a.EncryptionCertificate == nil {
		return invalid("assertionEncryption", "x5c must have the service provider's certificate")
	}
	method, ok := keyOf(encryptionWords, cmp.Or(e.Algorithm, "AES256_GCM"))
	transport, known := keyOf(transportWords, cmp.Or(e.KeyTransport, "RSA_OAEP"))
	if !ok || !known {
		return invalid("assertionEncryption", "unknown algorithm")
	}
	next := mockidp.Encryption{}
	if a.Encrypt != nil && a.Encrypt.KeyTransport == transport {
		next = *a.Encrypt // keeps its hashes, for which Okta has no names
	}
	next.Method, next.KeyTransport = method, transport
	a.Encrypt = &next
	return nil
}
