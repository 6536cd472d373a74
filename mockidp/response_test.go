package mockidp_test

import (
	"encoding/base64"
	"encoding/xml"
	"net/url"
	"strings"
	"testing"
	"time"

	crewjam "github.com/crewjam/saml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
	"github.com/meridian-saml/meridian/mockidp/testkit"
)

var signings = map[string]mockidp.Signing{"both": mockidp.SignBoth, "response": mockidp.SignResponse,
	"assertion": mockidp.SignAssertion}

func TestResponseFollowsProfiles(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 890e6, time.FixedZone("", 3600))
	conf := twoRegions()
	conf.Now = func() time.Time { return now }
	conf.Apps[0].SessionLifetime = time.Hour
	idp := start(t, conf)
	form, err := idp.Answer(redirect(idp, request(), "opaque"), alice)
	require.NoError(t, err)
	assert.Equal(t, "opaque", form.RelayState)
	root := decode(t, form)
	app, _ := idp.App("idc")

	assert.Equal(t, "Response", root.Tag)
	for name, want := range map[string]string{"Version": "2.0", "Destination": virginia, "InResponseTo": "id-1234",
		"IssueInstant": "2026-03-04T04:06:07.890Z"} {
		assert.Equal(t, want, root.SelectAttrValue(name, ""), name)
	}
	var order []string
	for _, c := range root.ChildElements() {
		order = append(order, c.Tag)
	}
	assert.Equal(t, []string{"Issuer", "Signature", "Status", "Assertion"}, order)
	order = nil
	for _, c := range root.SelectElement("Assertion").ChildElements() {
		order = append(order, c.Tag)
	}
	assert.Equal(t, []string{"Issuer", "Signature", "Subject", "Conditions", "AuthnStatement", "AttributeStatement"},
		order)
	assert.Equal(t, "urn:oasis:names:tc:SAML:2.0:status:Success", attrOf(t, root, "./Status/StatusCode", "Value"))
	assert.Equal(t, app.Issuer, text(t, root, "./Issuer"))
	assert.Equal(t, app.Issuer, text(t, root, "./Assertion/Issuer"))
	assert.Equal(t, "http://www.okta.com/"+app.ExternalKey, app.Issuer)
	assert.Equal(t, alice, text(t, root, "//NameID"))
	assert.Equal(t, mockidp.NameIDEmail, attrOf(t, root, "//NameID", "Format"))
	assert.Equal(t, "urn:oasis:names:tc:SAML:2.0:cm:bearer", attrOf(t, root, "//SubjectConfirmation", "Method"))
	assert.Equal(t, "id-1234", attrOf(t, root, "//SubjectConfirmationData", "InResponseTo"))
	assert.Equal(t, virginia, attrOf(t, root, "//SubjectConfirmationData", "Recipient"))
	assert.Equal(t, "2026-03-04T04:11:07.890Z", attrOf(t, root, "//SubjectConfirmationData", "NotOnOrAfter"))
	assert.Equal(t, "2026-03-04T04:01:07.890Z", attrOf(t, root, "//Conditions", "NotBefore"))
	assert.Equal(t, "2026-03-04T04:11:07.890Z", attrOf(t, root, "//Conditions", "NotOnOrAfter"))
	assert.Equal(t, entityID, text(t, root, "//AudienceRestriction/Audience"))
	assert.Equal(t, "2026-03-04T04:06:07.890Z", attrOf(t, root, "//AuthnStatement", "AuthnInstant"))
	assert.Equal(t, "2026-03-04T05:06:07.890Z", attrOf(t, root, "//AuthnStatement", "SessionNotOnOrAfter"))
	assert.NotEmpty(t, attrOf(t, root, "//AuthnStatement", "SessionIndex"))
	assert.Equal(t, "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport",
		text(t, root, "//AuthnContextClassRef"))

	for _, sig := range root.FindElements("//Signature") {
		assert.Equal(t, "#"+sig.Parent().SelectAttrValue("ID", ""), attrOf(t, sig, ".//Reference", "URI"))
		assert.Equal(t, "http://www.w3.org/2001/10/xml-exc-c14n#", attrOf(t, sig, ".//CanonicalizationMethod", "Algorithm"))
		assert.Equal(t, "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
			attrOf(t, sig, ".//SignatureMethod", "Algorithm"))
		assert.Equal(t, base64.StdEncoding.EncodeToString(idp.Certificate().Raw), text(t, sig, ".//X509Certificate"))
	}
	assert.Len(t, root.FindElements("//Signature"), 2)
}

func TestUnsolicitedResponse(t *testing.T) {
	idp := start(t, twoRegions())
	form, err := idp.IdPInitiated("idc", alice, "")
	require.NoError(t, err)
	assert.Equal(t, virginia, form.URL)
	assert.Equal(t, "/start", form.RelayState, "the app's default")
	root := decode(t, form)
	assert.Nil(t, root.SelectAttr("InResponseTo"))
	assert.Nil(t, root.FindElement("//SubjectConfirmationData").SelectAttr("InResponseTo"))
	assert.Nil(t, root.FindElement("//AuthnStatement").SelectAttr("SessionNotOnOrAfter"), "Okta leaves it out")

	form, err = idp.IdPInitiated("", alice, "/other")
	require.NoError(t, err)
	assert.Equal(t, "/other", form.RelayState)
	form, err = idp.Answer(redirect(idp, request(), ""), alice)
	require.NoError(t, err)
	assert.Empty(t, form.RelayState, "the default is for IdP-initiated sign-in only")
}

func TestWhatIsSigned(t *testing.T) {
	for name, want := range map[string][]string{"both": {"Response", "Assertion"}, "response": {"Response"},
		"assertion": {"Assertion"}} {
		conf := twoRegions()
		conf.Apps[0].Sign = signings[name]
		idp := start(t, conf)
		form, err := idp.IdPInitiated("idc", alice, "")
		require.NoError(t, err)
		var got []string
		for _, sig := range decode(t, form).FindElements("//Signature") {
			got = append(got, sig.Parent().Tag)
		}
		assert.Equal(t, want, got, name)
	}
}

// crewjamSP returns a service provider of crewjam/saml for one of the URLs.
func crewjamSP(t *testing.T, idp *mockidp.Server, acs string) *crewjam.ServiceProvider {
	t.Helper()
	md := &crewjam.EntityDescriptor{}
	require.NoError(t, xml.Unmarshal(idp.Metadata("idc"), md))
	return &crewjam.ServiceProvider{EntityID: entityID, AcsURL: *must(url.Parse(acs)), IDPMetadata: md,
		AuthnNameIDFormat: crewjam.EmailAddressNameIDFormat}
}

func TestCrewjamAcceptsResponses(t *testing.T) {
	for name, sign := range signings {
		t.Run(name, func(t *testing.T) {
			conf := twoRegions()
			conf.Apps[0].Sign = sign
			conf.Apps[0].GroupAttribute = &mockidp.GroupAttribute{}
			idp := start(t, conf)
			for _, acs := range []string{virginia, frank} {
				sp := crewjamSP(t, idp, acs)
				req, err := sp.MakeAuthenticationRequest(idp.SSOURL("idc"), crewjam.HTTPRedirectBinding, crewjam.HTTPPostBinding)
				require.NoError(t, err)
				target, err := req.Redirect("opaque", sp)
				require.NoError(t, err)
				form, err := idp.Answer(target.String(), alice)
				require.NoError(t, err)
				assert.Equal(t, acs, form.URL)
				raw := must(base64.StdEncoding.DecodeString(form.SAMLResponse))
				a, err := sp.ParseXMLResponse(raw, []string{req.ID}, sp.AcsURL)
				require.NoError(t, private(err))
				assert.Equal(t, alice, a.Subject.NameID.Value)
				assert.Equal(t, "Engineering", a.AttributeStatements[0].Attributes[0].Values[0].Value)

				_, err = sp.ParseXMLResponse([]byte(strings.ReplaceAll(string(raw), "alice@", "malice@")), []string{req.ID},
					sp.AcsURL)
				assert.Error(t, err, "a changed response passed: this test proves nothing")
				_, err = sp.ParseXMLResponse(raw, []string{"id-other"}, sp.AcsURL)
				assert.Error(t, err)
			}
			sp := crewjamSP(t, idp, virginia)
			sp.AllowIDPInitiated = true
			form, err := idp.IdPInitiated("idc", alice, "")
			require.NoError(t, err)
			a, err := sp.ParseXMLResponse(must(base64.StdEncoding.DecodeString(form.SAMLResponse)), nil, sp.AcsURL)
			require.NoError(t, private(err))
			assert.Equal(t, alice, a.Subject.NameID.Value)
		})
	}
}

func TestCrewjamsPostedRequest(t *testing.T) {
	idp := start(t, twoRegions())
	sp := crewjamSP(t, idp, frank)
	req, err := sp.MakeAuthenticationRequest(idp.SSOURL("idc"), crewjam.HTTPPostBinding, crewjam.HTTPPostBinding)
	require.NoError(t, err)
	v := page{&testkit.Page{Body: string(req.Post("opaque"))}}.fields()
	form, err := idp.AnswerPost(idp.SSOURL("idc"), v, alice)
	require.NoError(t, err)
	_, err = sp.ParseXMLResponse(must(base64.StdEncoding.DecodeString(form.SAMLResponse)), []string{req.ID}, sp.AcsURL)
	require.NoError(t, private(err))
}

// private unwraps the error that crewjam/saml hides from clients.
func private(err error) error {
	if e, ok := err.(*crewjam.InvalidResponseError); ok {
		return e.PrivateErr
	}
	return err
}

func TestSameConfigSameBytes(t *testing.T) {
	answer := func(key any) mockidp.Form {
		conf := twoRegions()
		conf.BaseURL = "http://idp.localhost:8701"
		conf.Now = func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }
		conf.Rand = &counter{}
		if key == "ecdsa" {
			conf.Key = ecdsaKey()
		}
		idp, err := mockidp.Open(conf)
		require.NoError(t, err)
		form, err := idp.IdPInitiated("idc", alice, "")
		require.NoError(t, err)
		return form
	}
	assert.Equal(t, answer("rsa"), answer("rsa"))
	assert.Equal(t, answer("ecdsa"), answer("ecdsa"))
	assert.NotEqual(t, answer("rsa"), answer("ecdsa"))
}

// counter is a predictable random source.
type counter struct{ n byte }

func (c *counter) Read(b []byte) (int, error) {
	for i := range b {
		c.n++
		b[i] = c.n
	}
	return len(b), nil
}

func TestResponsesHaveUniqueIDs(t *testing.T) {
	idp := start(t, twoRegions())
	seen := map[string]bool{}
	for range 20 {
		form, err := idp.IdPInitiated("idc", alice, "")
		require.NoError(t, err)
		root := decode(t, form)
		for _, id := range []string{root.SelectAttrValue("ID", ""), attrOf(t, root, "./Assertion", "ID")} {
			assert.False(t, seen[id])
			assert.Regexp(t, `^id[0-9a-f]{32}$`, id)
			seen[id] = true
		}
	}
}
