package mockidp_test

import (
	"encoding/base64"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/mockidp"
)

// FuzzCompose sends a query and a text to the pages on which an answer is composed. Each gets a page, and a message
// that is sent is the one of the list.
func FuzzCompose(f *testing.F) {
	conf := composing()
	conf.Key = ecdsaKey() // which signs faster
	conf.Apps[0].Encrypt, conf.Apps[0].EncryptionCertificate = &mockidp.Encryption{},
		must(mockidp.Open(mockidp.Config{Key: otherKey()})).Certificate()
	plain := conf.Apps[0]
	plain.ID, plain.Label, plain.ExternalKey, plain.Encrypt = "plain", "Plain", "", nil
	conf.Apps = append(conf.Apps, plain)
	conf.BaseURL = "http://idp.localhost"
	idp := must(mockidp.Open(conf))
	const good = `<p:Response xmlns:p="urn:oasis:names:tc:SAML:2.0:protocol" ID="r">` +
		`<a:Assertion xmlns:a="urn:oasis:names:tc:SAML:2.0:assertion" ID="a"><a:Issuer>i</a:Issuer></a:Assertion></p:Response>`
	f.Add("login=alice@example.com&attr.a=b", good, true, true)
	f.Add("status=Responder&substatus=NoPassive", strings.Replace(good, "<a:", "<!DOCTYPE a><a:", 1), false, false)
	f.Add("login=x&do=remove-1&filled_for=x&attr_name=a&attr_values=1%0D%0A2", good+"<!-- -->", true, false)
	f.Add("login=x&preset=shibboleth&groups=a%0Ab", "<a xmlns:xmlns=''/>", false, true)
	f.Fuzz(func(t *testing.T, query, xml string, keep, encrypt bool) {
		q, err := url.ParseQuery(query)
		if err != nil || len(query) > 1<<16 {
			t.Skip()
		}
		status := func(method, address string, form url.Values) int {
			code := served(t, idp, method, address, form).Code
			require.Contains(t, []int{200, 303, 400, 404, 413}, code)
			return code
		}
		app := "plain"
		if encrypt {
			app = "idc"
		}
		status("GET", idp.SSOURL(app)+"?"+q.Encode(), nil)
		q.Del("pending")
		q.Set("app", app)
		status("GET", idp.ComposeURL()+"?"+q.Encode(), nil)
		status("GET", idp.ComposeURL()+"/xml?"+q.Encode(), nil)
		status("POST", idp.ComposeURL(), q)
		idp.ClearMessages()
		form := url.Values{"app": {app}, "xml": {xml}}
		if keep {
			form.Set("sign", "keep")
		}
		sent := status("POST", idp.ComposeURL()+"/xml", form) == 303
		require.Equal(t, sent, len(idp.Messages()) == 1)
		if sent {
			m := idp.Messages()[0]
			require.True(t, m.Edited)
			require.Equal(t, base64.StdEncoding.EncodeToString(m.XML), m.Form.SAMLResponse)
		}
	})
}
