package saml_test

import (
	"bytes"
	"compress/flate"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/beevik/etree"
	dsig "github.com/russellhaering/goxmldsig"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp/testkit"
	"github.com/meridian-saml/meridian/saml"
)

const (
	usLogout = "https://us-east-1.signin.example/platform/saml/logout"
	euLogout = "https://eu-central-1.signin.example/platform/saml/logout"
	idpSLO   = "https://idp.example/slo"

	rsaSHA256   = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"
	ecdsaSHA256 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256"
)

// withLogout makes a configuration that signs, and whose identity provider has single logout.
func withLogout(t testing.TB) func(*saml.Config) {
	return func(c *saml.Config) {
		signingConfig(t, keys().other)(c)
		c.Logout = []saml.LogoutEndpoint{{URL: usLogout, Region: "us-east-1"}, {URL: euLogout, Region: "eu-central-1"}}
		c.DecryptionKeys, c.LogoutSOAP = []crypto.Decrypter{keys().other}, true
		idp, err := saml.NewIdP(saml.IdPConfig{
			EntityID: idpEntity, Keys: []crypto.PublicKey{keys().idp.Public()},
			Logout: []saml.LogoutService{
				{Binding: saml.HTTPRedirect, URL: idpSLO, ResponseURL: idpSLO + "/answer"},
				{Binding: saml.HTTPPost, URL: idpSLO},
				{Binding: saml.SOAP, URL: idpSLO + "/soap"},
			},
		})
		require.NoError(t, err)
		c.IdP = idp
	}
}

// logoutXML returns a message of the identity provider, changed and then signed by it. With another key it is signed
// with that, and with none it isn't signed.
func logoutXML(t testing.TB, name, attrs, content string, key crypto.Signer, changes ...func(*etree.Element)) string {
	t.Helper()
	el := parseXML(fmt.Sprintf(`<samlp:%s xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" `+
		`xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_l1" Version="2.0" IssueInstant="2026-11-22T12:00:00Z" `+
		`Destination="%s" %s><saml:Issuer>%s</saml:Issuer>%s</samlp:%s>`, name, usLogout, attrs, idpEntity, content, name))
	for _, change := range changes {
		change(el)
	}
	if key != nil {
		sign(t, el, key, "", "")
	}
	return writeXML(el)
}

const person = `<saml:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress">alice@example.com</saml:NameID>`

func request(t testing.TB, key crypto.Signer, changes ...func(*etree.Element)) string {
	return logoutXML(t, "LogoutRequest", `NotOnOrAfter="2026-11-22T12:05:00Z"`,
		person+`<samlp:SessionIndex>s1</samlp:SessionIndex><samlp:SessionIndex>s2</samlp:SessionIndex>`, key, changes...)
}

func post(xml string) saml.LogoutMessage {
	return saml.LogoutMessage{Binding: saml.HTTPPost, Message: []byte(base64.StdEncoding.EncodeToString([]byte(xml)))}
}

func soap(xml string) saml.LogoutMessage {
	return saml.LogoutMessage{Binding: saml.SOAP, Message: []byte(
		`<S:Envelope xmlns:S="http://schemas.xmlsoap.org/soap/envelope/"><S:Header/><S:Body>` + xml + `</S:Body></S:Envelope>`)}
}

// signedRedirect signs a query over its octets. escape encodes each value.
func signedRedirect(
	param, xml, relay, algorithm string, key crypto.Signer, hash crypto.Hash, escape func(string) string,
) string {
	query := param + "=" + escape(testkit.Deflated([]byte(xml)))
	if relay != "" {
		query += "&RelayState=" + escape(relay)
	}
	query += "&SigAlg=" + escape(algorithm)
	var digest []byte
	if hash == crypto.SHA1 {
		sum := sha1.Sum([]byte(query))
		digest = sum[:]
	} else {
		sum := sha256.Sum256([]byte(query))
		digest = sum[:]
	}
	var signature []byte
	switch key := key.(type) {
	case *rsa.PrivateKey:
		signature, _ = rsa.SignPKCS1v15(nil, key, hash, digest)
	case *ecdsa.PrivateKey:
		r, s, _ := ecdsa.Sign(rand.Reader, key, digest)
		signature = append(r.FillBytes(make([]byte, 32)), s.FillBytes(make([]byte, 32))...)
	}
	return query + "&Signature=" + escape(base64.StdEncoding.EncodeToString(signature))
}

func redirect(xml, relay string) string {
	return signedRedirect("SAMLRequest", xml, relay, rsaSHA256, keys().idp, crypto.SHA256, url.QueryEscape)
}

// lowerEscapes encodes as Entra ID does.
func lowerEscapes(s string) string {
	out := []byte(url.QueryEscape(s))
	for i := 0; i+2 < len(out); i++ {
		if out[i] == '%' {
			copy(out[i+1:], bytes.ToLower(out[i+1:i+3]))
		}
	}
	return string(out)
}

func byRedirect(query string) saml.LogoutMessage {
	return saml.LogoutMessage{Binding: saml.HTTPRedirect, Query: query}
}

// Obligations: IIP-SP15, SDP-SP26.
func TestVerifyLogoutRequest(t *testing.T) {
	sp := newSP(t, withLogout(t))
	plain := request(t, nil)
	signed := request(t, keys().idp)
	for name, in := range map[string]saml.LogoutMessage{
		"POST":                       post(signed),
		"SOAP":                       soap(signed),
		"SOAP without a Destination": soap(request(t, keys().idp, unset(".", "Destination"))),
		"Redirect":                   byRedirect(redirect(plain, "state")),
		"Redirect, other parameters": byRedirect("a=b&" + redirect(plain, "state") + "&c"),
		"G05 twin: lower-case escapes": byRedirect(
			signedRedirect("SAMLRequest", plain, "state", rsaSHA256, keys().idp, crypto.SHA256, lowerEscapes)),
		"EncryptedID": post(logoutXML(t, "LogoutRequest", "",
			sealing{element: "EncryptedID"}.seal(strings.Replace(person, "<saml:NameID", `<saml:NameID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"`, 1))+
				`<samlp:SessionIndex>s1</samlp:SessionIndex><samlp:SessionIndex>s2</samlp:SessionIndex>`, keys().idp)),
	} {
		t.Run(name, func(t *testing.T) {
			r, err := sp.VerifyLogoutRequest(in)
			require.NoError(t, err)
			assert.Equal(t, "_l1", r.ID())
			assert.Equal(t, idpEntity, r.IdP())
			assert.Equal(t, "alice@example.com", r.NameID().Value)
			assert.Equal(t, "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress", r.NameID().Format)
			assert.Equal(t, []string{"s1", "s2"}, r.SessionIndexes())
			assert.Equal(t, now, r.IssueInstant())
			if strings.HasPrefix(name, "Redirect") {
				assert.Equal(t, "state", r.RelayState())
			}
			assert.NotContains(t, fmt.Sprintf("%v %+v", r, r), "alice")
		})
	}
}

func TestLogoutRequestEnds(t *testing.T) {
	sp := newSP(t, withLogout(t))
	for attrs, want := range map[string]time.Time{
		"":                                    now.Add(time.Hour), // G14: no NotOnOrAfter, so IssueInstant + MaxAge
		`NotOnOrAfter="2026-11-22T12:05:00Z"`: now.Add(5 * time.Minute),
		`NotOnOrAfter="2026-11-22T20:00:00Z"`: now.Add(8 * time.Hour),
		`NotOnOrAfter="2066-11-22T20:00:00Z"`: now.Add(24 * time.Hour),
	} {
		r, err := sp.VerifyLogoutRequest(post(logoutXML(t, "LogoutRequest", attrs, person, keys().idp)))
		require.NoError(t, err, attrs)
		assert.Equal(t, want, r.NotOnOrAfter(), attrs)
		assert.Empty(t, r.SessionIndexes())
	}
}

// G15: as long as a request is accepted, its NotOnOrAfter plus the skew isn't over, until which a replay is known.
func TestLogoutRequestIsNotAcceptedAfterItsEnd(t *testing.T) {
	for _, maxAge := range []time.Duration{0, time.Minute, 12 * time.Hour, 48 * time.Hour} {
		for _, until := range []time.Duration{0, time.Minute, 20 * time.Hour, 100 * time.Hour} {
			sp := newSP(t, withLogout(t), func(c *saml.Config) { c.MaxAge = maxAge })
			accepted := 0
			for _, age := range []time.Duration{0, 30 * time.Minute, 13 * time.Hour, 25 * time.Hour, 47 * time.Hour} {
				changes := []func(*etree.Element){set(".", "IssueInstant", now.Add(-age).Format(time.RFC3339))}
				if until > 0 {
					changes = append(changes, set(".", "NotOnOrAfter", now.Add(until-age).Format(time.RFC3339)))
				} else {
					changes = append(changes, unset(".", "NotOnOrAfter"))
				}
				r, err := sp.VerifyLogoutRequest(post(request(t, keys().idp, changes...)))
				if err != nil {
					continue
				}
				accepted++
				require.False(t, now.After(r.NotOnOrAfter().Add(sp.Skew())), "MaxAge %v, until %v, age %v", maxAge, until, age)
			}
			require.Positive(t, accepted)
		}
	}
}

// Rows of family G of the catalogue that one message shows.
func TestVerifyLogoutRequestRefuses(t *testing.T) {
	plain, good := request(t, nil), redirect(request(t, nil), "state")
	r := func(changes ...func(*etree.Element)) saml.LogoutMessage {
		return post(request(t, keys().idp, changes...))
	}
	body := func(content string) saml.LogoutMessage {
		return post(logoutXML(t, "LogoutRequest", "", content, keys().idp))
	}
	ec := ecKey(t, elliptic.P256())
	cut := func(q, from string) string { before, _, _ := strings.Cut(q, from); return before }
	value := func(q, name string) string {
		_, rest, _ := strings.Cut(q, name+"=")
		return cut(rest, "&")
	}
	deflated := func(b []byte) string { return url.QueryEscape(base64.StdEncoding.EncodeToString(b)) }
	var bomb bytes.Buffer
	w, _ := flate.NewWriter(&bomb, 9)
	_, _ = w.Write(make([]byte, 8<<20))
	_ = w.Close()
	large := request(t, nil, func(el *etree.Element) { el.CreateText(strings.Repeat(" ", 64<<10)) })
	trailing, _ := base64.StdEncoding.DecodeString(testkit.Deflated([]byte(plain)))
	trailing = append(trailing, "junk"...)
	signRaw := func(message string) string {
		q := "SAMLRequest=" + message + "&SigAlg=" + url.QueryEscape(rsaSHA256)
		sum := sha256.Sum256([]byte(q))
		signature, _ := rsa.SignPKCS1v15(nil, keys().idp, crypto.SHA256, sum[:])
		return q + "&Signature=" + deflated(signature)
	}
	for name, row := range map[string]struct {
		in   saml.LogoutMessage
		want saml.Reason
	}{
		"G01 unsigned by Redirect":      {byRedirect(cut(good, "&SigAlg")), saml.ReasonUnsigned},
		"G02 unsigned by POST":          {post(plain), saml.ReasonUnsigned},
		"G02 unsigned by SOAP":          {soap(plain), saml.ReasonUnsigned},
		"G04 SigAlg without Signature":  {byRedirect(cut(good, "&Signature")), saml.ReasonForm},
		"G04 Signature without SigAlg":  {byRedirect(strings.Replace(good, "SigAlg="+value(good, "SigAlg"), "x=y", 1)), saml.ReasonForm},
		"G04 empty Signature":           {byRedirect(cut(good, "&Signature") + "&Signature="), saml.ReasonForm},
		"G04 Signature twice":           {byRedirect(good + "&Signature=" + value(good, "Signature")), saml.ReasonForm},
		"G05 re-encoded":                {byRedirect(strings.ReplaceAll(good, "%2F", "%2f")), saml.ReasonSignature},
		"G06 request and response":      {byRedirect(good + "&SAMLResponse=" + value(good, "SAMLRequest")), saml.ReasonForm},
		"G07 renamed parameter":         {byRedirect(signedRedirect("SAMLResponse", plain, "", rsaSHA256, keys().idp, crypto.SHA256, url.QueryEscape)), saml.ReasonForm},
		"G07 signed as a response":      {byRedirect(strings.Replace(signedRedirect("SAMLResponse", plain, "", rsaSHA256, keys().idp, crypto.SHA256, url.QueryEscape), "SAMLResponse", "SAMLRequest", 1)), saml.ReasonSignature},
		"G08 parameter twice":           {byRedirect(good + "&SAMLRequest=" + value(good, "SAMLRequest")), saml.ReasonForm},
		"G08 other case":                {byRedirect(good + "&samlrequest=x"), saml.ReasonForm},
		"G08 encoded name":              {byRedirect(strings.Replace(good, "SAMLRequest", "%53AMLRequest", 1)), saml.ReasonForm},
		"G08 many parameters":           {byRedirect(strings.Repeat("&", 100) + good), saml.ReasonForm},
		"G09 RelayState dropped":        {byRedirect(strings.Replace(good, "&RelayState=state", "", 1)), saml.ReasonSignature},
		"G09 RelayState emptied":        {byRedirect(strings.Replace(good, "&RelayState=state", "&RelayState=", 1)), saml.ReasonSignature},
		"G09 RelayState added":          {byRedirect(redirect(plain, "") + "&RelayState=x"), saml.ReasonSignature},
		"G10 XML signature in Redirect": {byRedirect("SAMLRequest=" + url.QueryEscape(testkit.Deflated([]byte(request(t, keys().idp))))), saml.ReasonUnsigned},
		"G10 both signatures":           {byRedirect(redirect(request(t, keys().idp), "")), saml.ReasonSignatureShape},
		"G11 SHA-1":                     {byRedirect(signedRedirect("SAMLRequest", plain, "", "http://www.w3.org/2000/09/xmldsig#rsa-sha1", keys().idp, crypto.SHA1, url.QueryEscape)), saml.ReasonAlgorithm},
		"G11 HMAC":                      {byRedirect(signedRedirect("SAMLRequest", plain, "", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256", keys().idp, crypto.SHA256, url.QueryEscape)), saml.ReasonAlgorithm},
		"G11 another kind of key":       {byRedirect(signedRedirect("SAMLRequest", plain, "", ecdsaSHA256, ec, crypto.SHA256, url.QueryEscape)), saml.ReasonAlgorithm},
		"G12 another key":               {byRedirect(signedRedirect("SAMLRequest", plain, "", rsaSHA256, keys().other, crypto.SHA256, url.QueryEscape)), saml.ReasonSignature},
		"G12 another key by POST":       {post(request(t, keys().other)), saml.ReasonSignature},
		"G12 unknown Issuer":            {r(text("./Issuer", "https://other.example")), saml.ReasonIssuer},
		"G12 no Issuer":                 {r(remove("./Issuer")), saml.ReasonIssuer},
		"G13 other Destination":         {r(set(".", "Destination", euLogout)), saml.ReasonDestination},
		"G13 no Destination":            {r(unset(".", "Destination")), saml.ReasonDestination},
		"G13 other Destination by SOAP": {soap(request(t, keys().idp, set(".", "Destination", euLogout))), saml.ReasonDestination},
		"G14 NotOnOrAfter past":         {r(set(".", "NotOnOrAfter", "2026-11-22T11:56:00Z")), saml.ReasonExpired},
		"G14 old":                       {r(set(".", "IssueInstant", "2026-11-22T10:00:00Z")), saml.ReasonExpired},
		"G14 future":                    {r(set(".", "IssueInstant", "2026-11-22T12:04:00Z")), saml.ReasonNotYetValid},
		"G14 no IssueInstant":           {r(unset(".", "IssueInstant")), saml.ReasonTime},
		"G18 no identifier":             {r(remove("./NameID")), saml.ReasonNameID},
		"G18 two":                       {body(person + person), saml.ReasonNameID},
		"G18 BaseID":                    {body(`<saml:BaseID/>`), saml.ReasonNameID},
		"G18 NameID and EncryptedID":    {body(person + `<saml:EncryptedID/>`), saml.ReasonNameID},
		"G18 blank":                     {body(`<saml:NameID> </saml:NameID>`), saml.ReasonNameID},
		"G19 too many SessionIndexes":   {body(person + strings.Repeat(`<samlp:SessionIndex>s</samlp:SessionIndex>`, 257)), saml.ReasonLimit},
		"G19 a million SessionIndexes":  {body(person + strings.Repeat(`<samlp:SessionIndex/>`, 100_000)), saml.ReasonLimit},
		"G19 a long SessionIndex":       {body(person + `<samlp:SessionIndex>` + strings.Repeat("s", 1025) + `</samlp:SessionIndex>`), saml.ReasonLimit},
		"G22 a Response":                {post(string(doc{}.xml(t))), saml.ReasonNotLogout},
		"G22 a LogoutResponse":          {post(logoutXML(t, "LogoutResponse", "", "", keys().idp)), saml.ReasonNotLogout},
		"G22 an assertion inside":       {body(person + `<saml:Assertion/>`), saml.ReasonNotLogout},
		"G26 bomb":                      {byRedirect(signRaw(deflated(bomb.Bytes()))), saml.ReasonLimit},
		"G26 over 64 KiB":               {byRedirect(redirect(large, "")), saml.ReasonLimit},
		"G26 bytes after the stream":    {byRedirect(signRaw(deflated(trailing))), saml.ReasonForm},
		"G26 zlib header":               {byRedirect(signRaw(deflated(append([]byte{0x78, 0x9c}, trailing...)))), saml.ReasonForm},
		"G26 not deflated":              {byRedirect(signRaw(deflated([]byte(plain)))), saml.ReasonForm},
		"G27 wrapped":                   {post(wrapped(t)), saml.ReasonSignatureShape},
		"G32 EncryptedID, wrong key":    {body(sealing{element: "EncryptedID", to: []*rsa.PrivateKey{keys().idp}}.seal(person)), saml.ReasonEncrypted},
		"SAMLEncoding":                  {byRedirect(good + "&SAMLEncoding=urn%3Aother"), saml.ReasonForm},
		"Version":                       {r(set(".", "Version", "1.1")), saml.ReasonVersion},
		"ID":                            {r(set(".", "ID", "a b")), saml.ReasonID},
		"SOAP: no envelope":             {saml.LogoutMessage{Binding: saml.SOAP, Message: []byte(plain)}, saml.ReasonXML},
		"SOAP: two messages":            {soap(plain + plain), saml.ReasonID},
		"SOAP: a header":                {saml.LogoutMessage{Binding: saml.SOAP, Message: []byte(strings.Replace(string(soap(request(t, keys().idp)).Message), "<S:Header/>", `<S:Header><x S:mustUnderstand="1"/></S:Header>`, 1))}, saml.ReasonXML},
		"SOAP: DTD":                     {saml.LogoutMessage{Binding: saml.SOAP, Message: append([]byte("<!DOCTYPE a>"), soap(request(t, keys().idp)).Message...)}, saml.ReasonXML},
		"no binding":                    {saml.LogoutMessage{}, saml.ReasonConfig},
		"broken escape":                 {byRedirect("SAMLRequest=%zz&SigAlg=a&Signature=b"), saml.ReasonForm},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := newSP(t, withLogout(t)).VerifyLogoutRequest(row.in)
			requireReason(t, row.want, err)
			assert.Nil(t, got)
		})
	}
}

// wrapped is a forged request around a signed one.
func wrapped(t testing.TB) string {
	forged := parseXML(request(t, nil, set(".", "ID", "_forged"), text("./NameID", "bob@example.com")))
	signed := parseXML(request(t, keys().idp))
	signature := signed.SelectElement("Signature")
	ext := etree.NewElement("samlp:Extensions")
	ext.AddChild(signed)
	forged.InsertChildAt(1, ext)
	forged.InsertChildAt(1, signature.Copy())
	return writeXML(forged)
}

// Obligations: IIP-SP14, IIP-SP15, SDP-SP25, SDP-SP28, SDP-SP29, SDP-SP30.
func TestLogoutRequestIsReadByAnIdP(t *testing.T) {
	sp := newSP(t, withLogout(t))
	o := saml.LogoutOptions{
		NameID: saml.NameID{
			Value: "a<&>b", Format: "urn:f", NameQualifier: "q", SPNameQualifier: "s", SPProvidedID: "p",
		},
		SessionIndexes: []string{"s1", "s2"}, URL: euLogout, Reason: saml.LogoutReasonUser,
	}
	check := func(el *etree.Element, r *saml.LogoutRequest) {
		assert.Equal(t, r.ID(), el.SelectAttrValue("ID", ""))
		assert.Equal(t, "2026-11-22T12:05:00Z", el.SelectAttrValue("NotOnOrAfter", ""))
		assert.Equal(t, saml.LogoutReasonUser, el.SelectAttrValue("Reason", ""))
		name := el.FindElement("./NameID")
		assert.Equal(t, "a<&>b", name.Text())
		for attr, want := range map[string]string{
			"Format": "urn:f", "NameQualifier": "q", "SPNameQualifier": "s", "SPProvidedID": "p",
		} {
			assert.Equal(t, want, name.SelectAttrValue(attr, ""))
		}
		assert.Len(t, el.FindElements("./SessionIndex"), 2)
		assert.Equal(t, spEntity, el.FindElement("./Issuer").Text())
	}
	r, err := sp.NewLogoutRequest(o)
	require.NoError(t, err)
	assert.Equal(t, saml.HTTPRedirect, r.Binding())
	location, err := r.RedirectURL("state")
	require.NoError(t, err)
	el, _ := readRedirect(t, location)
	check(el, r)
	assert.True(t, strings.HasPrefix(location, idpSLO+"?SAMLRequest="))
	_, query, _ := strings.Cut(location, "?")
	octets, encoded, _ := strings.Cut(query, "&Signature=")
	unescaped, _ := url.QueryUnescape(encoded)
	signature, _ := base64.StdEncoding.DecodeString(unescaped)
	assert.True(t, verifyOctets(keys().other.Public(), octets, signature))
	assert.Equal(t, saml.LogoutRecord{ID: r.ID(), IdP: idpEntity, URL: euLogout, At: now}, r.Record())

	o.Binding = saml.HTTPPost
	r, err = sp.NewLogoutRequest(o)
	require.NoError(t, err)
	form, err := r.PostForm("state")
	require.NoError(t, err)
	raw, err := base64.StdEncoding.DecodeString(form.SAMLRequest)
	require.NoError(t, err)
	check(verifiedByGoxmldsig(t, string(raw), sp), r)

	o.Binding = saml.SOAP
	r, err = sp.NewLogoutRequest(o)
	require.NoError(t, err)
	envelope, err := r.Envelope()
	require.NoError(t, err)
	inner := parseXML(string(envelope)).FindElement("./Body/LogoutRequest")
	check(verifiedByGoxmldsig(t, writeXML(inner), sp), r)
	assert.Equal(t, idpSLO+"/soap", r.URL())
	_, err = r.RedirectURL("")
	requireReason(t, saml.ReasonConfig, err)
}

func TestLogoutAnswers(t *testing.T) {
	sp := newSP(t, withLogout(t))
	r, err := sp.NewLogoutRequest(saml.LogoutOptions{NameID: saml.NameID{Value: "alice"}, URL: euLogout})
	require.NoError(t, err)
	answer := func(id, codes string, changes ...func(*etree.Element)) saml.LogoutMessage {
		return post(logoutXML(t, "LogoutResponse", `InResponseTo="`+id+`"`, `<samlp:Status>`+codes+`</samlp:Status>`,
			keys().idp, changes...))
	}
	const (
		success = `<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/>`
		partial = `<samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:PartialLogout"/></samlp:StatusCode>`
	)
	got, err := sp.VerifyLogoutResponse(answer(r.ID(), success))
	require.NoError(t, err)
	assert.True(t, got.Success())
	assert.Equal(t, euLogout, got.Endpoint().URL, "another Region's: the browser is sent on")
	require.NoError(t, got.CheckRequest(r.Record()))
	other, err := sp.NewLogoutRequest(saml.LogoutOptions{NameID: saml.NameID{Value: "alice"}})
	require.NoError(t, err)
	requireReason(t, saml.ReasonInResponseTo, got.CheckRequest(other.Record()))

	got, err = sp.VerifyLogoutResponse(answer(r.ID(), partial))
	require.NoError(t, err)
	assert.True(t, got.Partial())
	assert.False(t, got.Success())

	for name, row := range map[string]struct {
		in   saml.LogoutMessage
		want saml.Reason
	}{
		"G03 unsigned":            {post(logoutXML(t, "LogoutResponse", `InResponseTo="`+r.ID()+`"`, "<samlp:Status>"+success+"</samlp:Status>", nil)), saml.ReasonUnsigned},
		"G20 unknown":             {answer("_unknown", success), saml.ReasonInResponseTo},
		"G20 none":                {answer("", success, unset(".", "InResponseTo")), saml.ReasonInResponseTo},
		"G21 of an AuthnRequest":  {answer(authnID(t), success), saml.ReasonInResponseTo},
		"G22 a LogoutRequest":     {post(request(t, keys().idp)), saml.ReasonNotLogout},
		"made to another":         {answer(r.ID()[:18]+strings.Repeat("0", 32)+"-aa", success), saml.ReasonIdP},
		"no status":               {post(logoutXML(t, "LogoutResponse", `InResponseTo="`+r.ID()+`"`, "", keys().idp)), saml.ReasonSchema},
		"an assertion in it":      {answer(r.ID(), success, add(".", `<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"/>`)), saml.ReasonNotLogout},
		"G13 another Destination": {answer(r.ID(), success, set(".", "Destination", euLogout)), saml.ReasonDestination},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := sp.VerifyLogoutResponse(row.in)
			requireReason(t, row.want, err)
			assert.Nil(t, got)
		})
	}
}

func authnID(t testing.TB) string {
	r, err := newSP(t).NewAuthnRequest(saml.RequestOptions{})
	require.NoError(t, err)
	return r.ID()
}

// Obligations: IIP-SP17, SDP-SP31, SDP-SP33.
func TestNewLogoutResponse(t *testing.T) {
	sp := newSP(t, withLogout(t))
	for binding, in := range map[string]saml.LogoutMessage{
		saml.HTTPRedirect: byRedirect(redirect(request(t, nil), strings.Repeat("r", 81))),
		saml.HTTPPost:     post(request(t, keys().idp)),
		saml.SOAP:         soap(request(t, keys().idp)),
	} {
		asked, err := sp.VerifyLogoutRequest(in)
		require.NoError(t, err)
		assert.Empty(t, asked.RelayState(), "longer than 80 bytes")
		answer, err := sp.NewLogoutResponse(asked, saml.LogoutPartial)
		require.NoError(t, err)
		require.Equal(t, binding, answer.Binding())
		var el *etree.Element
		switch binding {
		case saml.HTTPRedirect:
			location, err := answer.RedirectURL("")
			require.NoError(t, err)
			require.True(t, strings.HasPrefix(location, idpSLO+"/answer?SAMLResponse="), location)
			raw, err := testkit.Inflated(mustParse(t, location).Query().Get("SAMLResponse"))
			require.NoError(t, err)
			el = parseXML(string(raw))
		case saml.HTTPPost:
			form, err := answer.PostForm("")
			require.NoError(t, err)
			assert.Empty(t, form.SAMLRequest)
			raw, err := base64.StdEncoding.DecodeString(form.SAMLResponse)
			require.NoError(t, err)
			el = verifiedByGoxmldsig(t, string(raw), sp)
		default:
			envelope, err := answer.Envelope()
			require.NoError(t, err)
			el = verifiedByGoxmldsig(t, writeXML(parseXML(string(envelope)).FindElement("./Body/LogoutResponse")), sp)
		}
		assert.Equal(t, "_l1", el.SelectAttrValue("InResponseTo", ""))
		assert.Equal(t, "urn:oasis:names:tc:SAML:2.0:status:PartialLogout",
			el.FindElement("./Status/StatusCode/StatusCode").SelectAttrValue("Value", ""))
	}
}

// verifiedByGoxmldsig returns a message of ours after another library verified its signature.
func verifiedByGoxmldsig(t testing.TB, xml string, sp *saml.ServiceProvider) *etree.Element {
	t.Helper()
	store := &dsig.MemoryX509CertificateStore{Roots: []*x509.Certificate{certificateIn(t, sp)}}
	ctx := dsig.NewDefaultValidationContext(store)
	ctx.Clock = dsig.NewFakeClockAt(now)
	el, err := ctx.Validate(parseXML(xml))
	require.NoError(t, err)
	return el
}

func mustParse(t testing.TB, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	require.NoError(t, err)
	return u
}

// Obligations: SDP-SP28, SDP-SP39.
func TestLogoutConfig(t *testing.T) {
	for name, change := range map[string]func(*saml.Config){
		"no key":        func(c *saml.Config) { c.Key, c.Certificate, c.SignRequests = nil, nil, false },
		"an ACS URL":    func(c *saml.Config) { c.Logout[0].URL = usACS },
		"twice":         func(c *saml.Config) { c.Logout[1].URL = usLogout },
		"plain http":    func(c *saml.Config) { c.Logout[0].URL = "http://a.example/logout" },
		"LogoutURL":     func(c *saml.Config) { c.LogoutURL = "javascript:alert(1)" },
		"URL is an ACS": func(c *saml.Config) { c.LogoutURL = usACS },
		"SOAP alone":    func(c *saml.Config) { c.Logout, c.LogoutSOAP = nil, true },
	} {
		cfg := config()
		withLogout(t)(&cfg)
		change(&cfg)
		_, err := saml.New(cfg)
		requireReason(t, saml.ReasonConfig, err)
		_ = name
	}
	sp := newSP(t, withLogout(t))
	metadata, err := sp.Metadata()
	require.NoError(t, err)
	services := parseXML(string(metadata)).FindElements("./SPSSODescriptor/SingleLogoutService")
	require.Len(t, services, 3)
	for _, s := range services {
		assert.Equal(t, usLogout, s.SelectAttrValue("Location", ""))
	}
	requireReason(t, saml.ReasonConfig, sp.ReplaceLogout([]saml.LogoutEndpoint{{URL: euLogout}}))
	require.NoError(t, sp.ReplaceLogout([]saml.LogoutEndpoint{{URL: usLogout}}))
	_, err = sp.NewLogoutRequest(saml.LogoutOptions{NameID: saml.NameID{Value: "a"}, URL: euLogout})
	requireReason(t, saml.ReasonConfig, err)

	front := newSP(t, withLogout(t), func(c *saml.Config) { c.LogoutSOAP = false })
	for _, changes := range [][]func(*etree.Element){nil, {unset(".", "Destination")}} {
		_, err = front.VerifyLogoutRequest(soap(request(t, keys().idp, changes...)))
		requireReason(t, saml.ReasonNotLogout, err)
	}
	_, err = front.VerifyLogoutRequest(post(request(t, keys().idp)))
	require.NoError(t, err)

	shared := newSP(t, withLogout(t), func(c *saml.Config) { c.LogoutURL = "https://signin.example/logout" })
	_, err = shared.VerifyLogoutRequest(post(request(t, keys().idp, set(".", "Destination", "https://signin.example/logout"))))
	require.NoError(t, err)
	_, err = newSP(t).VerifyLogoutRequest(post(request(t, keys().idp)))
	requireReason(t, saml.ReasonConfig, err)
}

// Obligations: IIP-SP17, SDP-MD01.
func TestLogoutServicesOfMetadata(t *testing.T) {
	service := func(binding, attrs string) string {
		return `<md:SingleLogoutService Binding="` + binding + `" ` + attrs + `/>`
	}
	idp, err := saml.ParseIdPMetadata([]byte(idpMetadata(t, "", "signing", strings.Join([]string{
		service(saml.HTTPRedirect, `Location="https://a.example/slo" ResponseLocation="https://a.example/slo2"`),
		service(saml.HTTPPost, `Location="https://a.example/slo" ResponseLocation="javascript:alert(1)"`), // F27
		service(saml.SOAP, `Location="file:///etc/passwd"`),
		service("urn:other", `Location="https://a.example/slo"`),
	}, ""))))
	require.NoError(t, err)
	assert.Equal(t, []saml.LogoutService{
		{Binding: saml.HTTPRedirect, URL: "https://a.example/slo", ResponseURL: "https://a.example/slo2"},
	}, idp.LogoutServices())
	assert.Len(t, idp.Warnings(), 2)
}
