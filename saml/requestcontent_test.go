package saml_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/beevik/etree"
	"github.com/stretchr/testify/require"

	"github.com/meridian-saml/meridian/saml"
)

// A NameIDPolicy may leave the format to the identity provider.
// Obligations: IIP-SP03, SDP-SP04.
func TestNameIDPolicyWithoutFormat(t *testing.T) {
	for policy, want := range map[*saml.NameIDPolicy]string{
		nil: "", {}: "", {AllowCreate: true}: "true",
	} {
		r, err := newSP(t).NewAuthnRequest(saml.RequestOptions{NameIDPolicy: policy})
		require.NoError(t, err)
		location, err := r.RedirectURL("")
		require.NoError(t, err)
		root, _ := readRedirect(t, location)
		element := root.FindElement("./NameIDPolicy")
		require.Equal(t, policy != nil, element != nil)
		if element != nil {
			require.Nil(t, element.SelectAttr("Format"))
			require.Equal(t, want, attr(element, "AllowCreate"))
		}
	}
}

// A request by either binding has no DTD, and no text of its own over 256 characters,
// even with the longest entity ID.
// Obligations: IIP-G03, SDP-G02, SDP-G03.
func TestRequestsAreShortAndWithoutDTD(t *testing.T) {
	sp := newSP(t, signingConfig(t, keys().other), func(c *saml.Config) {
		c.SignRequests, c.EntityID = false, "urn:"+strings.Repeat("x", 252)
	})
	for _, binding := range []string{saml.HTTPRedirect, saml.HTTPPost} {
		r, err := sp.NewAuthnRequest(saml.RequestOptions{
			Binding: binding, ForceAuthn: true, IsPassive: true,
			AuthnContext: &saml.RequestedAuthnContext{ClassRefs: []string{"urn:a"}}, NameIDPolicy: &saml.NameIDPolicy{},
		})
		require.NoError(t, err)
		var root *etree.Element
		if binding == saml.HTTPRedirect {
			location, err := r.RedirectURL("")
			require.NoError(t, err)
			root, _ = readRedirect(t, location)
		} else {
			form, err := r.PostForm("")
			require.NoError(t, err)
			raw, err := base64.StdEncoding.DecodeString(form.SAMLRequest)
			require.NoError(t, err)
			doc := etree.NewDocument()
			require.NoError(t, doc.ReadFromBytes(raw))
			root = doc.Root()
			require.True(t, strings.HasPrefix(string(raw), "<samlp:AuthnRequest "), string(raw))
		}
		require.Len(t, root.Parent().Child, 1, "nothing stands beside the request")
		for _, e := range append(root.FindElements(".//*"), root) {
			require.LessOrEqual(t, utf8.RuneCountInString(e.Text()), 256, e.Tag)
			for _, a := range e.Attr {
				require.LessOrEqual(t, utf8.RuneCountInString(a.Value), 256, a.Key)
			}
		}
	}
}
