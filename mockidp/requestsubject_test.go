package mockidp_test

import (
	"strings"
	"testing"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// about returns a request with a Subject.
func about(subject string, attrs ...string) string {
	return strings.Replace(request(attrs...), "</saml:Issuer>", "</saml:Issuer><saml:Subject>"+subject+"</saml:Subject>",
		1)
}

func nameID(value, format string) string {
	if format != "" {
		format = " " + attr("Format", format)
	}
	return "<saml:NameID" + format + ">" + value + "</saml:NameID>"
}

// statuses returns the status codes of a Response, the top-level one first.
func statuses(t *testing.T, doc *etree.Element) []string {
	t.Helper()
	var out []string
	for _, code := range doc.FindElements("//StatusCode") {
		out = append(out, code.SelectAttrValue("Value", ""))
	}
	return out
}

// An answer is about the requested Subject, or it is an error status (SAML Core 3.4.1.4).
func TestRequestWithSubject(t *testing.T) {
	conf := twoRegions()
	conf.Apps[0].Groups = []string{mockidp.Everyone}
	idp := start(t, conf)
	responder := func(second string) []string { return []string{mockidp.StatusResponder, second} }
	for name, c := range map[string]struct {
		subject string
		want    []string
	}{
		"the user":               {nameID(alice, ""), nil},
		"unspecified":            {nameID(alice, mockidp.NameIDUnspecified), nil},
		"in the app's format":    {nameID(alice, mockidp.NameIDEmail), nil},
		"only a confirmation":    {`<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"/>`, nil},
		"another user":           {nameID(bob, ""), responder(mockidp.StatusAuthnFailed)},
		"no user":                {nameID("mallory@example.com", ""), responder(mockidp.StatusUnknownPrincipal)},
		"another format":         {nameID(alice, mockidp.NameIDPersistent), responder(mockidp.StatusUnknownPrincipal)},
		"another case":           {nameID("Alice@example.com", ""), responder(mockidp.StatusUnknownPrincipal)},
		"an empty NameID":        {nameID("", ""), responder(mockidp.StatusUnknownPrincipal)},
		"an EncryptedID":         {"<saml:EncryptedID/>", responder(mockidp.StatusRequestUnsupported)},
		"a BaseID":               {"<saml:BaseID/>", responder(mockidp.StatusRequestUnsupported)},
		"a NameID deeper inside": {"<saml:SubjectConfirmation>" + nameID(bob, "") + "</saml:SubjectConfirmation>", nil},
	} {
		t.Run(name, func(t *testing.T) {
			form, err := idp.Answer(redirect(idp, about(c.subject), ""), alice)
			require.NoError(t, err)
			doc := decode(t, form)
			if c.want == nil {
				assert.Equal(t, alice, text(t, doc, "//Subject/NameID"))
				return
			}
			assert.Equal(t, c.want, statuses(t, doc))
			assert.Nil(t, doc.FindElement("//Assertion"))
		})
	}
	_, err := idp.Answer(redirect(idp, about(nameID(alice, "")+nameID(bob, "")), ""), alice)
	assert.Equal(t, mockidp.ReasonMalformed, reason(t, err))
	conf.Strict = true
	strict := start(t, conf)
	_, err = strict.Answer(redirect(strict, about(`<saml:SubjectConfirmation Method="x"/>`), ""), alice)
	assert.Equal(t, mockidp.ReasonMalformed, reason(t, err), "Profiles 4.1.4.1")
}

// A browser in which another user is signed in shows the sign-in page.
func TestRequestWithSubjectInABrowser(t *testing.T) {
	conf := twoRegions()
	conf.Apps[0].Groups = []string{mockidp.Everyone}
	idp := start(t, conf)
	b := newBrowser(t, idp)
	b.signIn(b.get(idp.DashboardURL()), alice, mockidp.DefaultPassword)
	assert.Equal(t, alice, text(t, decode(t, b.get(redirect(idp, about(nameID(alice, "")), "")).answer(t)),
		"//Subject/NameID"))

	passive := decode(t, b.get(redirect(idp, about(nameID(bob, ""), attr("IsPassive", "true")), "")).answer(t))
	assert.Equal(t, []string{mockidp.StatusResponder, mockidp.StatusNoPassive}, statuses(t, passive))
	unknown := decode(t, b.get(redirect(idp, about(nameID("mallory@example.com", "")), "")).answer(t))
	assert.Equal(t, []string{mockidp.StatusResponder, mockidp.StatusUnknownPrincipal}, statuses(t, unknown),
		"no password is asked for")

	p := b.get(redirect(idp, about(nameID(bob, "")), ""))
	p.contains(t, `value="`+bob+`"`)
	wrong := decode(t, b.signIn(p, alice, mockidp.DefaultPassword).answer(t))
	assert.Equal(t, []string{mockidp.StatusResponder, mockidp.StatusAuthnFailed}, statuses(t, wrong))
	p = b.get(redirect(idp, about(nameID(bob, "")), ""))
	assert.Equal(t, bob, text(t, decode(t, b.signIn(p, bob, "bob's own").answer(t)), "//Subject/NameID"))
}

func inFormat(format string) string {
	return strings.Replace(request(), "</samlp:AuthnRequest>", `<samlp:NameIDPolicy `+attr("Format",
		format)+`/></samlp:AuthnRequest>`, 1)
}

// A request for another format than the app's is refused (SAML Core 3.4.1.1), or answered as configured.
func TestNameIDPolicy(t *testing.T) {
	idp := start(t, twoRegions())
	ask := func(format string) (mockidp.Form, error) {
		return idp.Answer(redirect(idp, inFormat(format), ""), alice)
	}
	for _, format := range []string{mockidp.NameIDTransient, mockidp.NameIDPersistent} {
		_, err := ask(format)
		assert.Equal(t, mockidp.ReasonNameIDPolicy, reason(t, err))
		assert.ErrorContains(t, err, "IgnoreNameIDPolicy", "the error names the remedy")
	}
	updateApp(t, idp, "", func(a *mockidp.App) { a.Refusals = mockidp.RefuseByStatus })
	form, err := ask(mockidp.NameIDTransient)
	require.NoError(t, err)
	assert.Equal(t, []string{mockidp.StatusRequester, mockidp.StatusInvalidNameIDPolicy}, statuses(t, decode(t, form)))

	updateApp(t, idp, "", func(a *mockidp.App) { a.IgnoreNameIDPolicy = true })
	form, err = ask(mockidp.NameIDTransient)
	require.NoError(t, err)
	assert.Equal(t, mockidp.NameIDEmail, attrOf(t, decode(t, form), "//Subject/NameID", "Format"))

	require.NoError(t, idp.UpdateApp("", func(a *mockidp.App) error {
		a.IgnoreNameIDPolicy, a.Profile, a.Issuer = false, mockidp.Entra, ""
		return nil
	}))
	names := map[string]bool{}
	for range 2 {
		form, err = ask(mockidp.NameIDTransient)
		require.NoError(t, err)
		doc := decode(t, form)
		assert.Equal(t, mockidp.NameIDTransient, attrOf(t, doc, "//Subject/NameID", "Format"))
		names[text(t, doc, "//Subject/NameID")] = true
	}
	assert.Len(t, names, 2, "a new one each time")
	assert.NotContains(t, names, alice)
}

// A Subject in another namespace than the app's names is no user's (SAML Core 8.3.7).
func TestQualifiersOfASubject(t *testing.T) {
	conf := twoRegions()
	conf.Apps[0].Groups = []string{mockidp.Everyone}
	idp := start(t, conf)
	app, _ := idp.App("")
	for qualifiers, want := range map[string]bool{
		attr("NameQualifier", app.Issuer) + " " + attr("SPNameQualifier", entityID): true,
		attr("NameQualifier", "https://other.example"):                              false,
		attr("SPNameQualifier", "https://other.example"):                            false,
	} {
		form, err := idp.Answer(redirect(idp, about("<saml:NameID "+qualifiers+">"+alice+"</saml:NameID>"), ""), alice)
		require.NoError(t, err)
		if doc := decode(t, form); want {
			assert.Equal(t, alice, text(t, doc, "//Subject/NameID"))
		} else {
			assert.Equal(t, []string{mockidp.StatusResponder, mockidp.StatusUnknownPrincipal}, statuses(t, doc), qualifiers)
		}
	}
}

// Entra ID refuses a Subject, and ignores an SPNameQualifier.
func TestEntraRefusesASubject(t *testing.T) {
	idp := start(t, twoRegions())
	updateApp(t, idp, "", func(a *mockidp.App) { a.Profile, a.Issuer = mockidp.Entra, "" })
	_, err := idp.Answer(redirect(idp, about(nameID(alice, "")), ""), alice)
	assert.Equal(t, mockidp.ReasonSubject, reason(t, err))
	assert.ErrorContains(t, err, "login_hint")
	form, err := idp.Answer(redirect(idp, inNamespace("https://other.example"), ""), alice)
	require.NoError(t, err)
	assert.Equal(t, alice, text(t, decode(t, form), "//Subject/NameID"))
}

func inNamespace(of string) string {
	return strings.Replace(request(), "</samlp:AuthnRequest>", `<samlp:NameIDPolicy `+attr("SPNameQualifier",
		of)+`/></samlp:AuthnRequest>`, 1)
}

// A request for a NameID in another service provider's namespace is refused (SAML Core 3.4.1.1).
func TestNamespaceOfNameIDPolicy(t *testing.T) {
	idp := start(t, twoRegions())
	_, err := idp.Answer(redirect(idp, inNamespace(entityID), ""), alice)
	require.NoError(t, err)
	_, err = idp.Answer(redirect(idp, inNamespace("https://other.example"), ""), alice)
	assert.Equal(t, mockidp.ReasonNameIDPolicy, reason(t, err))
	updateApp(t, idp, "", func(a *mockidp.App) { a.IgnoreNameIDPolicy = true })
	_, err = idp.Answer(redirect(idp, inNamespace("https://other.example"), ""), alice)
	require.NoError(t, err)
}
